"""The photoreceptor of an event-camera pixel: finite bandwidth that falls with the light, and v2e's lin-log.

A photodiode charges the capacitance of its circuit the faster the more light there is, so the bandwidth is
proportional to intensity (Lichtsteiner, Posch & Delbruck 2008). The discrete filter is the one of v2e (Hu,
Liu & Delbruck 2021): ``L' += min(1, 2 pi f i dt) (L - L')`` with the share of full light ``i``, which does
not fall below a fourteenth, so that a pixel in the dark is slow but not stuck.
"""

from __future__ import annotations

from math import log, pi

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .elementary import exponential, logarithm

Image = NDArray[np.float32]

DARK = 20.0 / 255.0  #: share of full light added everywhere, then divided out (v2e: (DN + 20) / 275)
LINEAR = 20.0  #: digital numbers up to which v2e maps video linearly


def lin_log(video: NDArray[np.generic]) -> Image:
    """Map digital numbers 0..255 to log units as v2e does: linear up to 20, logarithmic above.

    The two meet at ``log(20)``; a plain logarithm would turn the quantisation of dark video into events.
    Feed the result to a camera with ``white=255``.
    """
    numbers = np.ascontiguousarray(video, np.float32)
    levels = numbers.copy()
    logarithm(levels.reshape(-1), 1.0)
    _linear(levels.reshape(-1), numbers.reshape(-1), np.float32(log(LINEAR) / LINEAR), np.float32(LINEAR))
    return levels


class Photoreceptor:
    """A first-order low pass in each pixel; `cutoff` Hz is its -3 dB frequency at full light.

    `white` is the radiance of full light, whose logarithm is subtracted from frames.
    """

    def __init__(self, pixels: int, cutoff: float, white: float) -> None:
        self.cutoff, self.shift = cutoff, np.float32(log(white))
        self.level = np.zeros(pixels, np.float32)
        self._share = np.empty(pixels, np.float32)
        self._bits = np.empty(pixels, np.int32)

    def advance(self, frame: Image, light: Image | None, seconds: float) -> Image:
        """Let `seconds` pass under `frame` (pixels,), log units; return the output, a view (pixels,).

        `light` (pixels,) are shares of full light, by default ``exp(frame) / white``.
        """
        share = self._share
        if light is None:
            exponential(frame, self.shift, share, self._bits)
            light = share
        _low_pass(self.level, frame, light, np.float32(2.0 * pi * self.cutoff * seconds), np.float32(DARK))
        return self.level


@njit(cache=True, error_model="numpy")
def _linear(levels: Image, numbers: Image, slope: np.float32, most: np.float32) -> None:
    for k in range(levels.size):
        levels[k] = numbers[k] * slope if numbers[k] < most else levels[k]


@njit(cache=True, error_model="numpy")
def _low_pass(level: Image, frame: Image, light: Image, gain: np.float32, dark: np.float32) -> None:
    scale = gain / (np.float32(1.0) + dark)
    for k in range(level.size):
        level[k] += min((light[k] + dark) * scale, np.float32(1.0)) * (frame[k] - level[k])
