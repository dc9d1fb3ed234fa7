"""A lamp under the ceiling: how much light a matt surface gets from it, and what stands in its way."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lamp:
    """A point lamp over an arena, and the light that comes from everywhere.

    A surface gets ``strength x (ambient + (1 - ambient) x lambert / mean lambert)``: the mean over floor,
    walls and pillars is `strength`, whatever the place of the lamp. Shadows only take away from that.

    Attributes
    ----------
    x, y, height : float
        m. The lamp must hang higher than everything in the arena.
    strength : float
        Mean irradiance, 1 is the nominal level (an arena without a lamp has 1 everywhere).
    ambient : float
        Share of the light that comes from everywhere, 0 to 1.
    shadows : bool
        Whether walls and pillars keep the lamp's light from what is behind them.

    Raises
    ------
    ValueError
        For an impossible value.
    """

    x: float = 0.0
    y: float = 0.0
    height: float = 2.0
    strength: float = 1.0
    ambient: float = 0.4
    shadows: bool = False

    def __post_init__(self) -> None:
        if not (isfinite(self.x) and isfinite(self.y)):
            raise ValueError(f"lamp position must be finite, got ({self.x}, {self.y}) m")
        for name in ("height", "strength"):
            value = getattr(self, name)
            if not (value > 0.0 and isfinite(value)):
                raise ValueError(f"lamp {name} must be > 0, got {value}")
        if not 0.0 <= self.ambient <= 1.0:
            raise ValueError(f"lamp ambient must be in [0, 1], got {self.ambient}")


def lambert(lamp: Lamp, points: Floats, normals: Floats) -> Floats:
    """Return cos(angle of incidence) / distance², 1/m², of the lamp's light at `points`, without shadows.

    Parameters
    ----------
    lamp : Lamp
    points : (..., 3), m.
    normals : (..., 3), unit vectors; a surface that is turned away gets nothing.
    """
    ray = np.array([lamp.x, lamp.y, lamp.height]) - points
    square = np.einsum("...i,...i", ray, ray)
    facing = np.maximum(np.einsum("...i,...i", ray, normals), 0.0)
    result: Floats = facing / square**1.5
    return result


@njit(cache=True, error_model="numpy")
def in_light(points: Floats, x: float, y: float, height: float, walls: Floats, pillars: Floats) -> Floats:
    """Tell which `points` (n, 3) see the lamp at (x, y, height) m: 1, or 0 in a shadow.

    `walls` and `pillars` are those of `scene.Scene`: x0, y0, x1, y1, height ... and x, y, radius, height ...
    """
    seen = np.ones(points.shape[0])
    for i in range(points.shape[0]):
        px, py, pz = points[i, 0], points[i, 1], points[i, 2]
        # The way to the lamp is p + s (lamp - p) with s in 0..1; it rises, so a wall stops it or does not
        # where it is crossed, and a pillar where the way enters it.
        dx, dy, dz = x - px, y - py, height - pz
        for k in range(walls.shape[0]):
            ex, ey = walls[k, 2] - walls[k, 0], walls[k, 3] - walls[k, 1]
            across = dx * ey - dy * ex
            if across == 0.0:
                continue
            wx, wy = walls[k, 0] - px, walls[k, 1] - py
            s, part = (wx * ey - wy * ex) / across, (wx * dy - wy * dx) / across
            if 0.0 < s < 1.0 and 0.0 <= part <= 1.0 and pz + s * dz < walls[k, 4]:
                seen[i] = 0.0
                break
        if seen[i] == 0.0:
            continue
        square = dx * dx + dy * dy
        for k in range(pillars.shape[0]):
            wx, wy, radius = pillars[k, 0] - px, pillars[k, 1] - py, pillars[k, 2]
            if square == 0.0:
                continue
            middle = (wx * dx + wy * dy) / square
            chord = radius * radius - (wx * wx + wy * wy - middle * middle * square)
            if chord <= 0.0:
                continue
            half = np.sqrt(chord / square)
            enters = max(middle - half, 0.0)
            if enters < min(middle + half, 1.0) and pz + enters * dz < pillars[k, 3]:
                seen[i] = 0.0
                break
    return seen
