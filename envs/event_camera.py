"""Event camera: contrast-threshold crossings of a sampled log-intensity video, interpolated in time.

The model of ESIM (Rebecq, Gehrig, Scaramuzza 2018) and v2e (Hu, Liu, Delbruck 2021): a pixel remembers the
log intensity at its last event and fires when the light has moved by its threshold, ON up, OFF down. Between
two frames the light is taken to change linearly, so every event has its own microsecond. Ahead of the
comparison stands a photoreceptor of finite bandwidth (`photoreceptor`), beside it the noise of real pixels
(`pixel_noise`); both are off in the default camera.

During the refractory period a pixel cannot fire. A crossing that falls into it is *delayed* to its end (and
dropped if the light has come back by then); the remembered level moves by exactly one threshold per event.
So ``L0 + sum(p C)`` follows the light within one threshold as soon as the pixel is free to fire.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .camera import CameraSpec
from .events import EventPacket
from .photoreceptor import Photoreceptor
from .pixel_noise import PixelNoise

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

LONG_AGO = -(2**62)  #: µs, time of the last event of a pixel that has not fired
TIE = 1e-6  #: log units; a change this close to the threshold counts (float32 steps of exact multiples)
MOST_EVENTS = 2.0**40  #: of a frame; more come only of light that is not finite
NOT_FINITE = -(2**62)
WIDEST = 4  #: log2 µs, widest bins of the time sort


class EventCamera:
    """Turns a sequence of log-intensity frames into events.

    Parameters
    ----------
    spec : CameraSpec
        Size, thresholds, refractory period, bandwidth, noise.

    Attributes
    ----------
    on, off : float64 (height, width)
        Contrast thresholds of each pixel, log units.
    reference : float64 (height, width)
        Log intensity remembered since the last event: the camera's own reconstruction of the image.
    """

    def __init__(self, spec: CameraSpec) -> None:
        self.spec = spec
        self.on, self.off = spec.thresholds()
        self.reference = np.zeros((spec.height, spec.width))
        # The kernel sees images as flat arrays: views of the same memory.
        self._on, self._off, self._memory = self.on.ravel(), self.off.ravel(), self.reference.ravel()
        self._least = np.minimum(self._on, self._off) - TIE
        self._noise = PixelNoise(spec, self._on, self._off)
        self._receptor = Photoreceptor(self._on.size, spec.cutoff, spec.white) if spec.cutoff > 0.0 else None
        self._per_least = 1.0 / float(self._least.min())
        self._previous = np.zeros(spec.height * spec.width, np.float32)
        self._last = np.full(spec.height * spec.width, LONG_AGO, np.int64)
        self._time = 0
        self._refractory = round(spec.refractory * 1e6)
        self._scratch = EventPacket.room(4096)
        self._packets = EventPacket.room(4096)
        self._size = 0

    def reset(self, frame: Image, time: int = 0, rng: np.random.Generator | None = None) -> None:
        """Start from `frame` (log intensity) at `time` µs with no event pending; `rng` draws the noise."""
        self._check(frame)
        self.reference[:] = frame
        self._previous[:] = frame.ravel()
        self._last[:] = LONG_AGO
        self._time = time
        self._size = 0
        self._noise.reset(rng if rng is not None else np.random.default_rng(0))
        if self._receptor is not None:
            self._receptor.level[:] = self._previous

    def feed(self, frame: Image, time: int, light: Image | None = None) -> None:
        """See `frame`, float32 (height, width) log intensity, at `time` µs; keep the events since the last.

        `light`, float32 (height, width), are shares of full light, on which bandwidth and shot noise depend;
        by default ``exp(frame) / white``. Only frames that are no plain logarithm (`lin_log`) need it.

        Raises
        ------
        ValueError
            If the frame has another shape or is not finite, or `time` is not after the last frame's.
        """
        self._check(frame)
        if time <= self._time:
            raise ValueError(f"camera frames must ascend in time, got {time} µs after {self._time} µs")
        duration = time - self._time
        level, flat = frame, frame.reshape(-1)
        shares = None if light is None else light.reshape(-1)
        noise = self._noise.draw(duration, flat, shares)
        if self._receptor is not None:
            level = self._receptor.advance(flat, shares, duration * 1e-6).reshape(frame.shape)
        self._noise.leak(self._memory, self._previous, duration * 1e-6)
        while True:
            size = _advance(
                level, self._previous, self._memory, self._last, self._on, self._off, self._least,
                self._per_least, self._time, time, self._refractory, *noise,
                self._scratch.t, self._scratch.x, self._scratch.y, self._scratch.p,
            )  # fmt: skip
            if size >= 0:
                break
            if size == NOT_FINITE:
                if self._receptor is not None:
                    self._receptor.level[:] = self._previous
                raise ValueError("camera frame must be finite: the logarithm of no light at all is not")
            # The kernel asks for room before it changes anything, so nothing is lost and nothing is repeated.
            self._scratch = EventPacket.room(-size)
        self._reserve(self._size + size)
        new, kept = self._scratch, self._packets
        _append_sorted(
            new.t, new.x, new.y, new.p, size, kept.t, kept.x, kept.y, kept.p, self._size, self._time
        )
        self._size += size
        self._time = time

    def collect(self) -> EventPacket:
        """Return the events since the last call (copies), ascending in time, and forget them."""
        kept = self._packets.take(slice(0, self._size))
        packet = EventPacket(kept.t.copy(), kept.x.copy(), kept.y.copy(), kept.p.copy())
        self._size = 0
        return packet

    @property
    def size(self) -> int:
        """How many events `collect` would return."""
        return self._size

    def drop(self, size: int) -> None:
        """Forget all events but the first `size`; what the pixels remember stays."""
        self._size = min(size, self._size)

    def _check(self, frame: Image) -> None:
        if frame.shape != self.reference.shape:
            raise ValueError(f"camera frame must have shape {self.reference.shape}, got {frame.shape}")

    def _reserve(self, size: int) -> None:
        if size > self._packets.size:
            spare = EventPacket.room(max(size, 2 * self._packets.size) - self._size)
            kept = self._packets.take(slice(0, self._size))
            self._packets = EventPacket(
                np.concatenate((kept.t, spare.t)),
                np.concatenate((kept.x, spare.x)),
                np.concatenate((kept.y, spare.y)),
                np.concatenate((kept.p, spare.p)),
            )


@njit(cache=True, error_model="numpy")
def _advance(
    frame: Image,
    previous: Image,
    reference: Floats,
    last: NDArray[np.int64],
    on: Floats,
    off: Floats,
    least: Floats,
    per_least: float,
    t0: int,
    t1: int,
    refractory: int,
    noise_pixel: NDArray[np.int64],
    noise_time: NDArray[np.int64],
    noise_polarity: NDArray[np.uint8],
    out_t: NDArray[np.int64],
    out_x: NDArray[np.int16],
    out_y: NDArray[np.int16],
    out_p: NDArray[np.uint8],
) -> int:
    """Advance all pixels from `t0` to `t1` µs; write events pixel by pixel; return their number.

    Images are flat except `frame`; `least` is the smallest change that can make an event, > 0, and
    `per_least` one over the least of all pixels. If the buffers may be too small, nothing changes and minus
    the needed size is returned; `NOT_FINITE` if the light is not a number.
    """
    width = frame.shape[1]
    now = frame.reshape(frame.size)
    # Most pixels do nothing. A pass without branches, in vector instructions, marks the others; they are
    # listed eight marks at a time, and only they are looked at again.
    size = now.size
    marks = np.zeros((size + 7) // 8 * 8, np.uint8)
    for k in range(size):
        start, end = abs(previous[k] - reference[k]), abs(now[k] - reference[k])
        marks[k] = (start >= least[k]) | (not end < least[k])  # also where the light is not a number
    moved, m = np.empty(marks.size, np.int64), 0
    words = marks.view(np.uint64)
    for word in range(words.size):
        if words[word] != 0:
            for k in range(8 * word, 8 * word + 8):
                moved[m] = k  # overwritten unless marked: a branch here would be guessed wrong too often
                m += marks[k]
    need = 0.0
    for c in range(m):
        k = moved[c]
        need += max(abs(now[k] - reference[k]), abs(previous[k] - reference[k]))
    need = noise_pixel.size + 2 * m + 3.0 * need * per_least
    if not need < MOST_EVENTS:
        return NOT_FINITE
    if need > out_t.size:
        return -2 * int(need + 1.0)

    n, y, row = 0, 0, width
    rate = 1.0 / (t1 - t0)
    for c in range(m):
        k = moved[c]
        while k >= row:
            y, row = y + 1, row + width
        x = k - row + width
        # numba's float() would keep single precision
        level0, level1, memory = np.float64(previous[k]), np.float64(now[k]), reference[k]
        up, down = on[k] - TIE, off[k] - TIE
        slope = (level1 - level0) * rate
        per = 1.0 / slope
        free = max(t0, last[k] + refractory)
        while free <= t1:
            change = (level1 if free == t1 else level0 + slope * (free - t0)) - memory
            polarity, t = 1, free
            if change >= up:
                pass
            elif -change >= down:
                polarity = 0
            elif slope > 0.0 and level1 - memory >= up:
                t = t0 + ceil((memory + up - level0) * per)
            elif slope < 0.0 and memory - level1 >= down:
                polarity, t = 0, t0 + ceil((memory - down - level0) * per)
            else:
                break
            t = min(max(t, free, t0 + 1), t1)
            memory += on[k] if polarity == 1 else -off[k]
            out_t[n], out_x[n], out_y[n], out_p[n] = t, x, y, polarity
            n += 1
            last[k] = t
            free = t + refractory
        reference[k] = memory
    for c in range(noise_pixel.size):
        k, t = noise_pixel[c], t0 + noise_time[c]
        if refractory == 0 or t >= last[k] + refractory:
            out_t[n], out_x[n], out_y[n], out_p[n] = t, k % width, k // width, noise_polarity[c]
            n += 1
            last[k] = max(last[k], t)
            reference[k] = now[k]  # any event, whatever made it, makes the pixel remember the present light
    previous[:] = now
    return n


@njit(cache=True, error_model="numpy")
def _append_sorted(
    t: NDArray[np.int64],
    x: NDArray[np.int16],
    y: NDArray[np.int16],
    p: NDArray[np.uint8],
    n: int,
    out_t: NDArray[np.int64],
    out_x: NDArray[np.int16],
    out_y: NDArray[np.int16],
    out_p: NDArray[np.uint8],
    start: int,
    t0: int,
) -> None:
    """Append `n` events to the packet from `start` on, in ascending time; equal times keep their order.

    Events of one frame come pixel by pixel. A counting sort into about as many bins as there are events
    leaves only neighbours out of order, which an insertion sort mends.
    """
    if n == 0:
        return
    latest = t0
    for k in range(n):
        latest = max(latest, t[k])
    shift = 0
    while shift < WIDEST and (latest - t0) >> shift > n:
        shift += 1
    place = np.zeros(((latest - t0) >> shift) + 2, np.int64)
    for k in range(n):
        place[((t[k] - t0) >> shift) + 1] += 1
    for b in range(1, place.size):
        place[b] += place[b - 1]
    for k in range(n):
        b = (t[k] - t0) >> shift
        m = start + place[b]
        place[b] += 1
        out_t[m], out_x[m], out_y[m], out_p[m] = t[k], x[k], y[k], p[k]
    for k in range(start + 1, start + n):
        if out_t[k] < out_t[k - 1]:
            tk, xk, yk, pk = out_t[k], out_x[k], out_y[k], out_p[k]
            m = k
            while m > start and out_t[m - 1] > tk:
                out_t[m], out_x[m], out_y[m], out_p[m] = (
                    out_t[m - 1],
                    out_x[m - 1],
                    out_y[m - 1],
                    out_p[m - 1],
                )
                m -= 1
            out_t[m], out_x[m], out_y[m], out_p[m] = tk, xk, yk, pk
