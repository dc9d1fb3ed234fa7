"""The von Mises distribution: how sharply an angle is known, and what two cues together say of it.

A cue that puts an angle at x with concentration k is the vector k e^(ix). The product of two densities is the
sum of their vectors; the quotient is their difference, which is a sum with the second angle turned by pi
(Zhang et al. 2019, eLife 8:e43753; Mardia & Jupp 2000, Directional Statistics, ch. 3.5).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import i0e, i1e

Doubles = NDArray[np.float64]


def vector(angle: ArrayLike, concentration: ArrayLike) -> NDArray[np.complex128]:
    """Return what a cue says as a vector."""
    return np.asarray(np.asarray(concentration) * np.exp(1j * np.asarray(angle)), np.complex128)


def log_density(angle: ArrayLike, concentration: ArrayLike) -> Doubles:
    """Return the log of the density at `angle` rad from the mean, per rad."""
    k = np.asarray(concentration, np.float64)
    return np.asarray(k * (np.cos(angle) - 1.0) - np.log(2.0 * np.pi * i0e(k)), np.float64)


def resultant(concentration: ArrayLike) -> Doubles:
    """Return A(k) = I1(k) / I0(k), the length of the mean unit vector."""
    k = np.asarray(concentration, np.float64)
    return np.asarray(i1e(k) / i0e(k), np.float64)


def concentration(length: ArrayLike) -> Doubles:
    """Return the k with A(k) = `length` in [0, 1), by Newton from Best & Fisher's start (1981).

    Raises
    ------
    ValueError
        If a length is outside [0, 1).
    """
    r = np.atleast_1d(np.asarray(length, np.float64))
    if not np.all((r >= 0.0) & (r < 1.0)):
        raise ValueError("lengths of mean vectors must be in [0, 1)")
    k = r * (2.0 - r * r) / (1.0 - r * r)
    for _ in range(20):
        a = resultant(k)
        slope = np.where(k > 1e-6, 1.0 - a * a - a / np.maximum(k, 1e-6), 0.5)
        k = np.maximum(k - (a - r) / slope, 0.0)
    return k.reshape(np.shape(length))


def through_prior(known: ArrayLike, prior: ArrayLike) -> Any:
    """Return the concentration that a cue on one variable leaves on another, A(k) = A(known) A(prior).

    `prior` is the concentration of the difference of both variables: how far they are one and the same.
    """
    return concentration(resultant(known) * resultant(prior))
