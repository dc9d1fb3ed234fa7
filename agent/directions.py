"""Directions among the actor's neurons: what excites those that point one way, and where a contact lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SECTORS: NDArray[np.float64] = np.arange(8, dtype=np.float64) * (
    np.pi / 4.0
)  #: rad from straight ahead, centres of the bumper's sectors

SQUEEZED = 1e-6  #: length of the sum of directions below which these cancel


def pointing(
    directions: NDArray[np.float64], course: float, concentration: float = 8.0
) -> NDArray[np.float64]:
    """Return how much each of `directions` (n,), rad, points along `course`, rad: 1 at most (von Mises)."""
    return np.asarray(np.exp(concentration * (np.cos(directions - course) - 1.0)))


def touched(bump: NDArray[np.uint8], heading: float) -> list[float]:
    """Return where what `bump` (8,) touches lies, rad, in the frame of `heading`: one obstacle, if any.

    Contacts that cancel, as between two walls, have no direction in common: each is another obstacle.
    """
    on = SECTORS[bump.astype(np.bool_)]
    middle = np.exp(1j * on).sum()
    return [heading + float(at) for at in ([np.angle(middle)] if abs(middle) > SQUEEZED else on)]
