"""Planar poses: x and y in m, heading in rad."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def wrap(angle: float) -> float:
    """Return `angle` rad in [-pi, pi]."""
    return float(np.arctan2(np.sin(angle), np.cos(angle)))


@njit(cache=True)
def compose(pose: Floats, move: Floats) -> Floats:
    """Return the pose (3,) reached from `pose` (3,) by `move` (3,), which is in its frame."""
    out = np.empty(3)
    place(pose, move, out)
    return out


@njit(cache=True)
def place(pose: Floats, move: Floats, out: Floats) -> None:
    """Write what `compose` returns to `out` (3,): for loops of compiled code."""
    c, s = np.cos(pose[2]), np.sin(pose[2])
    out[0] = pose[0] + c * move[0] - s * move[1]
    out[1] = pose[1] + s * move[0] + c * move[1]
    out[2] = pose[2] + move[2]
