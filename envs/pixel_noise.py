"""What makes a pixel fire without a change of light: leak, shot noise, and hot pixels.

The model of v2e (Hu, Liu & Delbruck 2021; Nozaki & Delbruck 2017): the reset switch leaks, which lowers the
remembered level and makes ON events at a steady rate; photon noise makes events of both polarities, most in
the dark and at low thresholds; rates differ from pixel to pixel (log-normal). A few pixels of a chip are hot:
they fire all the time.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .camera import CameraSpec
from .photoreceptor import DARK

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

BRIGHT = 0.25  #: rate of shot noise at full light, as a share of the rate in the dark (v2e)
TAPE = 4099  #: numbers more than pixels on the tape of the leak's jitter


class NoiseEvents(NamedTuple):
    """Events that noise wants, ascending in time."""

    pixel: NDArray[np.int64]  #: (n,)
    time: NDArray[np.int64]  #: (n,) µs since the last frame, > 0
    polarity: NDArray[np.uint8]  #: (n,)


NO_LIGHT = np.empty(0, np.float32)
NONE = NoiseEvents(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8))


class PixelNoise:
    """The noise sources of one camera; which pixels are bad is a property of the camera and not of the run.

    Parameters
    ----------
    spec : CameraSpec
    on, off : float64 (pixels,)
        Contrast thresholds, log units.
    """

    def __init__(self, spec: CameraSpec, on: Floats, off: Floats) -> None:
        self.spec = spec
        rng = np.random.default_rng([spec.mismatch_seed, 1])
        spread = np.exp(log(10.0) * spec.rate_spread * rng.standard_normal(on.size))
        self._leak = spec.leak_rate * spread * on
        hot = np.flatnonzero(rng.random(on.size) < spec.hot_pixels)
        rates = spec.hot_rate * np.exp(log(10.0) * spec.rate_spread * rng.standard_normal(hot.size))
        self._hot, self._hot_share = hot, np.cumsum(rates)
        # Events of both polarities are as often as the threshold is low.
        self._odds = np.stack((spec.threshold_off / off, spec.threshold / on))
        self._most = float(self._odds.max())
        self._tape = np.ones(on.size + TAPE)
        self._rng = np.random.default_rng(0)

    @property
    def _jitters(self) -> bool:
        return self.spec.leak_rate > 0.0 and self.spec.leak_jitter > 0.0

    def reset(self, rng: np.random.Generator) -> None:
        """Draw from `rng` from now on."""
        self._rng = rng
        if self._jitters:
            self._tape = 1.0 - self.spec.leak_jitter * rng.standard_normal(self._leak.size + TAPE)

    def leak(self, memory: Floats, previous: Image, seconds: float) -> None:
        """Let the remembered levels (pixels,) leak for `seconds`, in place.

        The light `previous` seen is lowered with them: relative to the level it then rises on a straight line
        by the leak, so that the leak is spread over the `seconds` and does not come all at their start.
        """
        if self.spec.leak_rate <= 0.0:
            return
        # A tape read from another place each time, instead of a draw for each pixel: jitter is small and
        # averages out between two events of a pixel.
        begin = int(self._rng.integers(TAPE)) if self._jitters else 0
        _leak(memory, previous, self._leak, self._tape[begin : begin + memory.size], seconds)

    def draw(self, duration: int, frame: Image, light: Image | None) -> NoiseEvents:
        """Draw what noise does in `duration` µs under `frame` (pixels,), log units.

        `light` (pixels,) are shares of full light, by default ``exp(frame) / white``.
        """
        shot = self.spec.shot_rate * frame.size * duration * 1e-6 * self._most
        heat = float(self._hot_share[-1]) * duration * 1e-6 if self._hot.size else 0.0
        if shot + heat <= 0.0:
            return NONE
        proposals = int(self._rng.poisson(shot)) if shot > 0.0 else 0
        hot = int(self._rng.poisson(heat)) if heat > 0.0 else 0
        if proposals + hot == 0:
            return NONE
        pixel, time = np.empty(proposals + hot, np.int64), np.empty(proposals + hot, np.int64)
        polarity = np.empty(proposals + hot, np.uint8)
        uniform = self._rng.random(3 * (proposals + hot))
        n = _draw(
            uniform, proposals, hot, duration, frame, NO_LIGHT if light is None else light, self.spec.white,
            self._odds, self._most, self._hot, self._hot_share, pixel, time, polarity,
        )  # fmt: skip
        return NoiseEvents(pixel[:n], np.sort(time[:n]), polarity[:n])


@njit(cache=True, error_model="numpy")
def _draw(
    uniform: Floats,  # three for each event
    proposals: int,
    hot: int,
    duration: int,
    frame: Image,
    light: Image,
    white: float,
    odds: Floats,
    most: float,
    hot_pixels: NDArray[np.int64],
    hot_share: Floats,
    pixel: NDArray[np.int64],
    time: NDArray[np.int64],
    polarity: NDArray[np.uint8],
) -> int:
    """Propose shot events at the highest rate of any pixel and keep those that its own rate allows; add heat.

    Times are not in order yet; that they are independent of the pixels lets them be sorted alone. As the
    first `proposals` come in no order of pixels, only hot pixels must be mixed in among them.
    """
    n = 0
    for c in range(proposals):
        # One draw for pixel and polarity, one for whether it is kept.
        which = int(uniform[3 * c] * 2 * frame.size)
        k, p = which >> 1, which & 1
        chance = uniform[3 * c + 1] * most
        if chance >= odds[p, k]:
            continue  # not even in the dark
        share = np.exp(np.float64(frame[k])) / white if light.size == 0 else np.float64(light[k])
        bright = min(max((share + DARK) / (1.0 + DARK), 0.0), 1.0)
        if chance < (1.0 + (BRIGHT - 1.0) * bright) * odds[p, k]:
            pixel[n], polarity[n] = k, p
            n += 1
    for c in range(proposals, proposals + hot):
        k = hot_pixels[np.searchsorted(hot_share, uniform[3 * c] * hot_share[-1], side="right")]
        at = int(uniform[3 * c + 1] * (n + 1))
        pixel[n], polarity[n] = pixel[at], polarity[at]
        pixel[at], polarity[at] = k, 1
        n += 1
    for k in range(n):
        time[k] = 1 + int(uniform[3 * k + 2] * duration)
    return n


@njit(cache=True, error_model="numpy")
def _leak(memory: Floats, previous: Image, rate: Floats, jitter: Floats, seconds: float) -> None:
    for k in range(memory.size):
        lost = rate[k] * jitter[k] * seconds
        memory[k] -= lost
        previous[k] -= lost
