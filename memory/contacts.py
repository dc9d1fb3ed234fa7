"""Contacts of the bumper: which directions its sectors look to, and where what they touch lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SECTORS: NDArray[np.float64] = np.arange(8, dtype=np.float64) * (
    np.pi / 4.0
)  #: rad counter-clockwise from straight ahead, centres of the bumper's sectors

SQUEEZED = 1e-6  #: length of the sum of directions below which these cancel


def touched(bump: NDArray[np.uint8], heading: float) -> list[float]:
    """Return where what `bump` (8,) touches lies, rad, in the frame of `heading`: one obstacle, if any.

    Contacts that cancel, as between two walls, have no direction in common: each is another obstacle.
    """
    on = SECTORS[bump.astype(np.bool_)]
    middle = np.exp(1j * on).sum()
    return [heading + float(at) for at in ([np.angle(middle)] if abs(middle) > SQUEEZED else on)]
