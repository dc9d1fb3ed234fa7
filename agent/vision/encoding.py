"""Images and events to spikes and back.

An image is one spike for each pixel, t = T (1 - I) (`encode`, `reconstruct`); events are the image's changes,
L = L0 + sum p C (`LogIntensity`); a receptive field or a time surface is several spikes for each afferent
within one window (`MultiSpikeCode`), so that a tempotron can read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ...envs.events import EventPacket
from ...spiking.coding import LatencyCode
from .time_surface import NEVER, Times, require_on_sensor

Doubles = NDArray[np.float64]
Spikes = NDArray[np.int32]


def encode(image: ArrayLike, steps: int = 50) -> Spikes:
    """Return the latency code of an image in [0, 1], any shape: spikes (k, 2) of (step, pixel).

    A pixel I > 0 fires once, at step T (1 - I) of T = `steps`; pixels count row by row.
    """
    return LatencyCode(steps).encode(np.ravel(np.asarray(image, np.float64)))


def reconstruct(spikes: Spikes, shape: tuple[int, ...], steps: int = 50) -> Doubles:
    """Return the image of `shape` that `encode` made `spikes` (k, 2) of, to 1 / (2 steps).

    The darkest values, below 1 / (2 steps), may be off by 1 / steps: the last step is theirs.
    """
    return LatencyCode(steps).decode(spikes, int(np.prod(shape))).reshape(shape)


class LogIntensity:
    """The log intensity that events speak for, L = L0 + sum p C; packets are taken one after the other.

    For a camera without noise it is within one threshold of the light at each pixel, once a pixel is out of
    its refractory period. Where L0 is unknown and events are missing or too many, errors pile up: with a
    finite `tau` a pixel comes back to 0, which is the high-pass filter of Scheerlinck, Barnes & Mahony 2018
    (ACCV), eq. 9.

    Parameters
    ----------
    on, off : float or (height, width)
        Contrast thresholds, log units: one for all pixels, or those of each.
    initial : (height, width)
        L0 at the time of the first event.
    tau : float
        s, in which a pixel forgets; for ever by default.

    Attributes
    ----------
    now : int
        µs, time of the last event that was taken.
    """

    def __init__(self, on: ArrayLike, off: ArrayLike, initial: ArrayLike, tau: float = inf) -> None:
        start = np.array(initial, np.float64)
        if start.ndim != 2:
            raise ValueError(f"initial log intensity must be (height, width), got shape {start.shape}")
        self._steps = np.empty((2, *start.shape))
        for plane, (name, value) in enumerate((("off", off), ("on", on))):
            threshold = np.asarray(value, np.float64)
            if threshold.shape not in ((), start.shape):
                raise ValueError(f"thresholds {name} must have shape {start.shape}, got {threshold.shape}")
            if not np.all(threshold > 0.0):
                raise ValueError(f"thresholds {name} must be > 0 log units, got {threshold.min()}")
            self._steps[plane] = threshold if plane else -threshold
        if not tau > 0.0:
            raise ValueError(f"log intensity tau must be > 0 s, got {tau}")
        self._tau = tau * 1e6
        self._level = start
        self._last = np.full(start.shape, NEVER, np.int64)
        self.now = 0

    def update(self, packet: EventPacket) -> None:
        """Take the events of `packet`."""
        height, width = self._level.shape
        require_on_sensor(packet, width, height)
        _integrate(*packet, self._steps, self._level, self._last, self._tau)
        if packet.size:
            self.now = int(packet.t[-1])

    def image(self, time: int | None = None) -> Doubles:
        """Return the log intensity (height, width) at `time` µs, by default of the last event."""
        if self._tau == inf:
            return self._level.copy()
        at = self.now if time is None else time
        age = np.where(self._last == NEVER, 0, at - self._last)
        return np.asarray(self._level * np.exp(-age / self._tau), np.float64)


def log_intensity_reference(packet: EventPacket, on: Doubles, off: Doubles, initial: Doubles) -> Doubles:
    """NumPy twin of `LogIntensity` that forgets nothing; thresholds and `initial` are (height, width)."""
    height, width = initial.shape
    fewer, more = packet.counts(width, height)
    return np.asarray(initial + on * more - off * fewer, np.float64)


@dataclass(frozen=True, slots=True)
class MultiSpikeCode:
    """A value in [0, 1] is a train of spikes in one window: the stronger, the earlier and the more.

    An afferent integrates its value, from half of the threshold on, and fires at each crossing,

        t_k = T (k - 1/2) / (most v),   k = 1, 2, ... while t_k < T

    so it fires round(most v) spikes. Several spikes of an afferent in one window: after Xiao, Tang et al.
    2020 (IEEE TNNLS); that the value is integrated is our choice. Decoding reads the last spike and
    is exact to half a step of its time; a value below 1 / (2 most) is silent and reads as 0.
    """

    steps: int = 50  #: T
    most: int = 5  #: spikes of the value 1

    def __post_init__(self) -> None:
        for name in ("steps", "most"):
            if getattr(self, name) < 1:
                raise ValueError(f"MultiSpikeCode {name} must be >= 1, got {getattr(self, name)}")
        if self.most > self.steps:
            raise ValueError(f"MultiSpikeCode most must be <= steps = {self.steps}, got {self.most}")

    def encode(self, values: ArrayLike) -> Spikes:
        """Return the spikes (k, 2) of (step, afferent) of `values`, any shape, ascending.

        Raises ValueError for values outside of [0, 1].
        """
        level = np.ravel(np.asarray(values, np.float64))
        if not np.all((level >= 0.0) & (level <= 1.0)):
            raise ValueError("MultiSpikeCode values must be in [0, 1]")
        order = np.arange(1, self.most + 1)[:, None] - 0.5
        with np.errstate(divide="ignore", over="ignore"):
            time = np.where(level > 0.0, self.steps * order / (self.most * level), inf)
        # At the last step only if the crossing lies in the window: rounding must not add or drop a spike.
        k, afferent = np.nonzero(time < self.steps)
        step = np.minimum(np.rint(time[k, afferent]), self.steps - 1).astype(np.int64)
        sort = np.lexsort((afferent, step))
        return np.stack([step[sort], afferent[sort]], axis=1).astype(np.int32)

    def decode(self, spikes: Spikes, n: int) -> Doubles:
        """Return the values (n,) of the last spike of each afferent."""
        count = np.bincount(spikes[:, 1], minlength=n)
        last = np.zeros(n)
        np.maximum.at(last, spikes[:, 1], spikes[:, 0])
        value = self.steps * (count - 0.5) / (self.most * np.maximum(last, 0.5))
        return np.where(count > 0, np.minimum(value, 1.0), 0.0)


@njit(cache=True)
def _integrate(
    t: Times,
    x: NDArray[np.int16],
    y: NDArray[np.int16],
    p: NDArray[np.uint8],
    steps: Doubles,  # of log intensity, OFF and ON
    level: Doubles,
    last: Times,
    tau: float,
) -> None:
    for k in range(t.size):
        row, column = y[k], x[k]
        if tau < inf and last[row, column] != NEVER:
            level[row, column] *= np.exp(-(t[k] - last[row, column]) / tau)
        level[row, column] += steps[p[k], row, column]
        last[row, column] = t[k]
