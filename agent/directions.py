"""Directions among the actor's neurons: what excites those that point one way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pointing(
    directions: NDArray[np.float64], course: float, concentration: float = 8.0
) -> NDArray[np.float64]:
    """Return how much each of `directions` (n,), rad, points along `course`, rad: 1 at most (von Mises)."""
    return np.asarray(np.exp(concentration * (np.cos(directions - course) - 1.0)))
