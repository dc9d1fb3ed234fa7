"""Exponential and logarithm of whole images, written so that the compiler vectorises them."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Image = NDArray[np.float32]

DARKEST = 1e-4  #: radiance below which a pixel sees black


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
def logarithm(values: Image, light: float) -> None:
    """Replace radiance at unit light by log(light x radiance), in place; the error is below 2e-6.

    ``log(m 2^e) = e log 2 + 2 artanh((m - 1) / (m + 1))`` with m in [sqrt(1/2), sqrt(2)), written so that the
    compiler turns it into vector instructions (the library's logarithm is called pixel by pixel).
    """
    gain, least = np.float32(light), np.float32(DARKEST)
    for i in range(values.size):
        values[i] = max(values[i] * gain, least)
    bits = values.view(np.int32)
    exponent = np.empty(values.size, np.float32)
    # Three passes over arrays that do not overlap: the compiler can prove that each may be vectorised.
    for i in range(values.size):
        exponent[i] = np.float32((bits[i] - np.int32(0x3F3504F3)) >> np.int32(23))
    for i in range(values.size):
        bits[i] = ((bits[i] - np.int32(0x3F3504F3)) & np.int32(0x007FFFFF)) + np.int32(0x3F3504F3)
    for i in range(values.size):
        s = (values[i] - np.float32(1.0)) / (values[i] + np.float32(1.0))
        s2 = s * s
        series = np.float32(2.0) + s2 * (
            np.float32(0.6666667) + s2 * (np.float32(0.4) + s2 * np.float32(0.2857143))
        )
        values[i] = exponent[i] * np.float32(0.6931472) + s * series
