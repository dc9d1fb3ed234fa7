"""Arenas as frozen data: walls, pillars, landmarks, floor and light."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import hypot, isfinite

import numpy as np
from numpy.typing import NDArray

from .lighting import Lamp

PATTERNS = ("plain", "vertical", "horizontal", "checker", "diagonal", "disc", "ring", "cross")
WALL_THICKNESS = 0.05  #: m, of solid ground behind a wall


@dataclass(frozen=True)
class TextureSpec:
    """A pattern of `length` by `height` metres, painted from `seed`; it closes on itself along its length."""

    length: float
    height: float
    seed: int

    def __post_init__(self) -> None:
        positive("texture length", self.length)
        positive("texture height", self.height)


@dataclass(frozen=True)
class Wall:
    """A vertical wall over the floor segment (x0, y0)-(x1, y1), m, showing texture `texture`.

    Free space is to its left: the wall is solid on its right.

    `offset` is where along the texture the wall starts, m: neighbours with running offsets show one
    continuous pattern.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    height: float
    texture: int = 0
    offset: float = 0.0

    def __post_init__(self) -> None:
        positive("wall height", self.height)
        positive("wall length", self.length)

    @property
    def length(self) -> float:
        """m."""
        return hypot(self.x1 - self.x0, self.y1 - self.y0)


@dataclass(frozen=True)
class Pillar:
    """An upright cylinder, m, wrapped in texture `texture`, which is fitted once around it."""

    x: float
    y: float
    radius: float
    height: float
    texture: int = 0

    def __post_init__(self) -> None:
        positive("pillar radius", self.radius)
        positive("pillar height", self.height)


@dataclass(frozen=True)
class Landmark:
    """A poster on a texture: centred `centre` m along it, `width` m wide, from `bottom` to `top` m.

    `pattern` is one of `PATTERNS`, drawn in reflectances `bright` and `dark` with `repeats` periods.
    """

    texture: int
    centre: float
    width: float
    bottom: float
    top: float
    pattern: str = "plain"
    repeats: int = 2
    bright: float = 0.92
    dark: float = 0.08

    def __post_init__(self) -> None:
        if self.pattern not in PATTERNS:
            raise ValueError(f"landmark pattern must be one of {PATTERNS}, got {self.pattern!r}")
        positive("landmark width", self.width)
        if not 0.0 <= self.bottom < self.top:
            raise ValueError(f"landmark needs 0 <= bottom < top, got {self.bottom} and {self.top} m")
        if self.repeats < 1:
            raise ValueError(f"landmark repeats must be >= 1, got {self.repeats}")
        for value in (self.bright, self.dark):
            if not 0.0 < value <= 1.0:
                raise ValueError(f"landmark reflectance must be in (0, 1], got {value}")


@dataclass(frozen=True)
class FloorSpec:
    """A floor pattern on the square |x|, |y| < `half_width` m of `cells`² cells; it repeats beyond."""

    seed: int = 0
    half_width: float = 1.28
    cells: int = 256
    reflectance: float = 0.35
    contrast: float = 0.5

    def __post_init__(self) -> None:
        positive("floor half_width", self.half_width)
        if self.cells < 2 or self.cells & (self.cells - 1):
            raise ValueError(f"floor cells must be a power of two >= 2, got {self.cells}")
        if not 0.0 < self.reflectance <= 1.0 or not 0.0 <= self.contrast < 1.0:
            raise ValueError(
                f"floor needs reflectance in (0, 1] and contrast in [0, 1),"
                f" got {self.reflectance} and {self.contrast}"
            )


@dataclass(frozen=True)
class Arena:
    """A place to be in. Lengths in m; `outline` is the (n, 2) corner list of the area the robot may be in.

    Walls and pillars must be higher than the camera; over a lower one, a higher one behind it is seen.

    Attributes
    ----------
    sky : float
        Radiance above the walls, in the units of reflectance times light.
    light : float
        Illumination; 1 is the nominal level. Radiance = light x irradiance x reflectance.
    lamp : Lamp, optional
        A lamp makes the irradiance uneven; without one it is 1 everywhere.
    """

    name: str
    walls: tuple[Wall, ...]
    textures: tuple[TextureSpec, ...]
    outline: tuple[tuple[float, float], ...]
    pillars: tuple[Pillar, ...] = ()
    landmarks: tuple[Landmark, ...] = ()
    floor: FloorSpec = field(default_factory=FloorSpec)
    sky: float = 0.6
    light: float = 1.0
    lamp: Lamp | None = None

    def __post_init__(self) -> None:
        if not self.walls:
            raise ValueError(f"arena {self.name!r} has no walls")
        if len(self.outline) < 3:
            raise ValueError(f"arena {self.name!r} needs an outline of at least 3 corners")
        if not (self.light >= 0.0 and isfinite(self.light)):
            raise ValueError(f"arena light must be >= 0, got {self.light}")
        positive("arena sky", self.sky)
        surfaces: tuple[Wall | Pillar | Landmark, ...] = (*self.walls, *self.pillars, *self.landmarks)
        for surface in surfaces:
            if not 0 <= surface.texture < len(self.textures):
                raise ValueError(
                    f"arena {self.name!r} has textures 0..{len(self.textures) - 1},"
                    f" a {type(surface).__name__.lower()} names {surface.texture}"
                )
        if self.lamp is not None and not self.lamp.height > self.heights[-1]:
            raise ValueError(
                f"lamp must hang above all walls and pillars ({self.heights[-1]:g} m),"
                f" got {self.lamp.height:g} m"
            )

    @property
    def heights(self) -> tuple[float, ...]:
        """m, the different heights of walls and pillars, ascending."""
        return tuple(sorted({w.height for w in self.walls} | {c.height for c in self.pillars}))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """m, (x_min, y_min, x_max, y_max) of the outline."""
        corners = np.asarray(self.outline)
        low, high = corners.min(axis=0), corners.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def clearance(self, x: float, y: float) -> float:
        """Return the distance (m) of (x, y) to the nearest wall or pillar; negative in solid ground."""
        corners = np.asarray(self.outline)
        nearest = min(_distance(x, y, w.x0, w.y0, w.x1, w.y1) for w in self.walls)
        if not _encloses(corners, x, y):
            return -nearest
        return min([nearest, *(hypot(x - c.x, y - c.y) - c.radius for c in self.pillars)])

    def contains(self, x: float, y: float, margin: float = 0.0) -> bool:
        """Tell whether a disc of radius `margin` m around (x, y) is free of walls and pillars."""
        return isfinite(x) and isfinite(y) and self.clearance(x, y) >= margin


def positive(what: str, value: float) -> None:
    """Raise ValueError unless `value` is a positive number."""
    if not (value > 0.0 and isfinite(value)):
        raise ValueError(f"{what} must be > 0, got {value}")


def _distance(x: float, y: float, x0: float, y0: float, x1: float, y1: float) -> float:
    """Return the distance of a point to a segment."""
    ex, ey = x1 - x0, y1 - y0
    s = ((x - x0) * ex + (y - y0) * ey) / (ex * ex + ey * ey)
    s = min(1.0, max(0.0, s))
    return hypot(x - x0 - s * ex, y - y0 - s * ey)


def _encloses(corners: NDArray[np.float64], x: float, y: float) -> bool:
    """Tell whether a polygon (n, 2) encloses a point (crossing number)."""
    x0, y0 = corners[:, 0], corners[:, 1]
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    straddles = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    return bool(np.count_nonzero(straddles & (x < crossing)) % 2)
