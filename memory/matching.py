"""How much what is sensed resembles what is stored."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@njit(cache=True, fastmath=True)
def dots(
    cues: Floats,
    weights: Floats,
    who: NDArray[np.bool_],
    out: Floats,
) -> None:
    """Put products of `cues` (h, j) and rows of `weights` (n, j) in `out` (h, n), for rows in `who`."""
    for i in range(weights.shape[0]):
        if who[i]:
            row = weights[i]
            for h in range(cues.shape[0]):
                total = np.float32(0.0)
                cue = cues[h]
                for j in range(row.size):
                    total += row[j] * cue[j]
                out[h, i] = total
