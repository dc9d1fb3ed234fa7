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
        self._tape = np.zeros(0)
        self._rng = np.random.default_rng(0)
        self.hot = hot

    def reset(self, rng: np.random.Generator) -> None:
        """Draw from `rng` from now on."""
        self._rng = rng
        if self.spec.leak_rate > 0.0 and self.spec.leak_jitter > 0.0:
            self._tape = 1.0 - self.spec.leak_jitter * rng.standard_normal(self._leak.size + TAPE)

    def leak(self, memory: Floats, seconds: float) -> None:
        """Let the remembered levels (pixels,) leak for `seconds`, in place."""
        if self.spec.leak_rate <= 0.0:
            return
        if self._tape.size:
            # A tape read from another place each time, instead of a draw for each pixel: jitter is small
            # and averages out between two events of a pixel.
            begin = int(self._rng.integers(TAPE))
            _leak_jittered(memory, self._leak, self._tape[begin : begin + memory.size], seconds)
        else:
            _leak(memory, self._leak, seconds)

    def draw(self, duration: int, frame: Image, light: Image | None) -> NoiseEvents:
        """Draw what noise does in `duration` µs under `frame` (pixels,), log units.

        `light` (pixels,) are shares of full light, by default ``exp(frame) / white``.
        """
        parts = [part for part in (self._shot(duration, frame, light), self._heat(duration)) if part[0].size]
        if not parts:
            return NONE
        pixel, polarity = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
        when = np.sort(self._rng.integers(1, duration + 1, pixel.size))
        mixed = self._rng.permutation(pixel.size) if len(parts) > 1 else slice(None)
        return NoiseEvents(pixel[mixed], when, polarity[mixed])

    def _shot(
        self, duration: int, frame: Image, light: Image | None
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        mean = self.spec.shot_rate * frame.size * duration * 1e-6 * self._most
        n = int(self._rng.poisson(mean)) if mean > 0.0 else 0
        if n == 0:
            return NONE.pixel, NONE.polarity
        pixel = self._rng.integers(0, frame.size, n)
        polarity = self._rng.integers(0, 2, n).astype(np.uint8)
        share = np.exp(frame[pixel]) / self.spec.white if light is None else light[pixel]
        bright = np.clip((share + DARK) / (1.0 + DARK), 0.0, 1.0)
        odds = (1.0 + (BRIGHT - 1.0) * bright) * self._odds[polarity, pixel] / self._most
        kept = self._rng.random(n) < odds
        return pixel[kept], polarity[kept]

    def _heat(self, duration: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        if self._hot.size == 0:
            return NONE.pixel, NONE.polarity
        n = int(self._rng.poisson(self._hot_share[-1] * duration * 1e-6))
        which = np.searchsorted(self._hot_share, self._rng.random(n) * self._hot_share[-1], side="right")
        return self._hot[which], np.ones(n, np.uint8)


@njit(cache=True, error_model="numpy")
def _leak(memory: Floats, rate: Floats, seconds: float) -> None:
    for k in range(memory.size):
        memory[k] -= rate[k] * seconds


@njit(cache=True, error_model="numpy")
def _leak_jittered(memory: Floats, rate: Floats, jitter: Floats, seconds: float) -> None:
    for k in range(memory.size):
        memory[k] -= rate[k] * jitter[k] * seconds
