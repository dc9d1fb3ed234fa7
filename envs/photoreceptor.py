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

Image = NDArray[np.float32]

DARK = 20.0 / 255.0  #: share of full light added everywhere, then divided out (v2e: (DN + 20) / 275)
LINEAR = 20.0  #: digital numbers up to which v2e maps video linearly


def lin_log(video: NDArray[np.generic]) -> Image:
    """Map digital numbers 0..255 to log units as v2e does: linear up to 20, logarithmic above.

    The two meet at ``log(20)``; a plain logarithm would turn the quantisation of dark video into events.
    Feed the result to a camera with ``white=255``.
    """
    numbers = np.asarray(video, np.float32)
    levels: Image = np.log(np.maximum(numbers, np.float32(LINEAR)))
    dark = numbers < LINEAR
    if dark.any():
        levels[dark] = numbers[dark] * np.float32(log(LINEAR) / LINEAR)
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
def exponential(values: Image, shift: np.float32, out: Image, bits: NDArray[np.int32]) -> None:
    """Put exp(values - shift) into `out`; the relative error is below 1e-5.

    ``2^(n + f)``: n goes into the exponent's bits, 2^f is a polynomial; three passes that are vectorised.
    """
    for k in range(values.size):
        octaves = (values[k] - shift) * np.float32(1.4426950)
        out[k] = min(max(octaves, np.float32(-126.0)), np.float32(126.0))
    for k in range(values.size):
        bits[k] = np.int32(out[k] + np.float32(127.5))
    powers = bits.view(np.float32)
    for k in range(values.size):
        f = out[k] - np.float32(bits[k] - np.int32(127))
        out[k] = np.float32(1.0) + f * (
            np.float32(0.6931472)
            + f
            * (
                np.float32(0.2402265)
                + f * (np.float32(0.0555041) + f * (np.float32(0.0096181) + f * np.float32(0.0013333)))
            )
        )
    for k in range(values.size):
        bits[k] = bits[k] << np.int32(23)
    for k in range(values.size):
        out[k] *= powers[k]


@njit(cache=True, error_model="numpy")
def _low_pass(level: Image, frame: Image, light: Image, gain: np.float32, dark: np.float32) -> None:
    scale = gain / (np.float32(1.0) + dark)
    for k in range(level.size):
        level[k] += min((light[k] + dark) * scale, np.float32(1.0)) * (frame[k] - level[k])
