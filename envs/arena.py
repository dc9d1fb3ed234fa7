"""Arenas as frozen data: walls, pillars, landmarks, floor and light; builders of the standard ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import cos, hypot, isfinite, pi, sin

import numpy as np
from numpy.typing import NDArray

PATTERNS = ("plain", "vertical", "horizontal", "checker", "diagonal", "disc", "ring", "cross")


@dataclass(frozen=True)
class TextureSpec:
    """A pattern of `length` by `height` metres, painted from `seed`; it closes on itself along its length."""

    length: float
    height: float
    seed: int

    def __post_init__(self) -> None:
        _positive("texture length", self.length)
        _positive("texture height", self.height)


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
        _positive("wall height", self.height)
        _positive("wall length", self.length)

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
        _positive("pillar radius", self.radius)
        _positive("pillar height", self.height)


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
        _positive("landmark width", self.width)
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
        _positive("floor half_width", self.half_width)
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

    Walls must be higher than the camera: nothing is seen over a wall but the sky.

    Attributes
    ----------
    sky : float
        Radiance above the walls, in the units of reflectance times light.
    light : float
        Illumination; 1 is the nominal level. Radiance = light x reflectance.
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

    def __post_init__(self) -> None:
        if not self.walls:
            raise ValueError(f"arena {self.name!r} has no walls")
        if len(self.outline) < 3:
            raise ValueError(f"arena {self.name!r} needs an outline of at least 3 corners")
        if not (self.light >= 0.0 and isfinite(self.light)):
            raise ValueError(f"arena light must be >= 0, got {self.light}")
        _positive("arena sky", self.sky)
        surfaces: tuple[Wall | Pillar | Landmark, ...] = (*self.walls, *self.pillars, *self.landmarks)
        for surface in surfaces:
            if not 0 <= surface.texture < len(self.textures):
                raise ValueError(
                    f"arena {self.name!r} has textures 0..{len(self.textures) - 1},"
                    f" a {type(surface).__name__.lower()} names {surface.texture}"
                )

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


def circular_arena(
    radius: float = 1.0, height: float = 0.5, segments: int = 48, seed: int = 0, light: float = 1.0
) -> Arena:
    """Build the round arena of the water maze: a regular polygon of `segments` walls *around* the circle.

    The circle of `radius` m is inscribed, so the robot may go as far as `radius` everywhere. Six posters hang
    on the wall at uneven places.
    """
    _positive("arena radius", radius)
    if segments < 3:
        raise ValueError(f"arena segments must be >= 3, got {segments}")
    outer = radius / cos(pi / segments)
    corners = tuple(
        (outer * cos(2 * pi * k / segments), outer * sin(2 * pi * k / segments)) for k in range(segments)
    )
    return _polygon_arena("circular", corners, height, seed, light)


def square_arena(side: float = 2.0, height: float = 0.5, seed: int = 0, light: float = 1.0) -> Arena:
    """Build a square arena of `side` m around the origin."""
    _positive("arena side", side)
    h = 0.5 * side
    return _polygon_arena("square", ((h, -h), (h, h), (-h, h), (-h, -h)), height, seed, light)


def linear_track(
    length: float = 2.0, width: float = 0.25, height: float = 0.5, seed: int = 0, light: float = 1.0
) -> Arena:
    """Build a straight corridor of `length` by `width` m along x, centred on the origin."""
    _positive("track length", length)
    _positive("track width", width)
    a, b = 0.5 * length, 0.5 * width
    return _polygon_arena("linear track", ((a, -b), (a, b), (-a, b), (-a, -b)), height, seed, light)


def cluttered_arena(
    side: float = 3.0,
    pillars: tuple[int, int] = (8, 13),
    radii: tuple[float, float] = (0.05, 0.15),
    corridor: float = 0.3,
    height: float = 0.5,
    seed: int = 0,
    light: float = 1.0,
) -> Arena:
    """Build a square arena of `side` m with pillars of all widths at random places, no two painted alike.

    Parameters
    ----------
    pillars
        Fewest and most; `seed` draws how many there are, where, and what is painted on them.
    radii
        m, thinnest and thickest.
    corridor
        m, free width between any two pillars and between pillar and wall: twice the robot's by default.

    Raises
    ------
    ValueError
        For an impossible range, or where so many pillars do not fit.
    """
    _positive("arena corridor", corridor)
    for what, (least, most) in (("pillars", pillars), ("radii", radii)):
        if not 0 < least <= most:
            raise ValueError(f"arena {what} must be a range above 0, got {least} to {most}")
    bare = square_arena(side, height, seed, light)
    rng = np.random.default_rng([seed, 2])
    count = int(rng.integers(pillars[0], pillars[1] + 1))
    placed: list[Pillar] = []
    for _ in range(1000 * count):
        if len(placed) == count:
            break
        radius = float(rng.uniform(*radii))
        x, y = (float(v) for v in rng.uniform(-0.5 * side, 0.5 * side, 2))
        if 0.5 * side - max(abs(x), abs(y)) >= radius + corridor and all(
            hypot(x - other.x, y - other.y) >= radius + other.radius + corridor for other in placed
        ):
            tall = height * float(rng.uniform(0.6, 1.0))
            placed.append(Pillar(x, y, radius, tall, texture=1 + len(placed)))
    if len(placed) < count:
        raise ValueError(f"{count} pillars with corridors of {corridor:g} m do not fit into {side:g} m")
    seeds = rng.integers(0, 2**31, count)
    wraps = (
        TextureSpec(2.0 * pi * pillar.radius, pillar.height, int(s))
        for pillar, s in zip(placed, seeds, strict=True)
    )
    return replace(bare, name="clutter", textures=(*bare.textures, *wraps), pillars=tuple(placed))


def _polygon_arena(
    name: str, corners: tuple[tuple[float, float], ...], height: float, seed: int, light: float
) -> Arena:
    """Wall in a polygon (corners counter-clockwise) with one continuous pattern and posters on it."""
    walls, offset = [], 0.0
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        walls.append(Wall(x0, y0, x1, y1, height, texture=0, offset=offset))
        offset += walls[-1].length
    texture = TextureSpec(offset, height, seed)
    widest = max(abs(c) for corner in corners for c in corner)
    floor = FloorSpec(seed=seed + 1, half_width=widest * 1.28)
    return Arena(
        name,
        tuple(walls),
        (texture,),
        corners,
        landmarks=_posters(offset, height, seed),
        floor=floor,
        light=light,
    )


def _posters(length: float, height: float, seed: int) -> tuple[Landmark, ...]:
    """Hang six different posters at uneven places along `length` m of wall."""
    rng = np.random.default_rng([seed, 1])
    kinds: NDArray[np.str_] = rng.permutation(np.array(PATTERNS[1:]))
    places = (np.arange(6) + rng.uniform(-0.28, 0.28, 6) + 0.5) / 6.0
    widths = np.minimum(rng.uniform(0.28, 0.5, 6), 0.09 * length)
    return tuple(
        Landmark(
            texture=0,
            centre=float(places[k] * length),
            width=float(widths[k]),
            bottom=0.05 * height,
            top=float(rng.uniform(0.75, 0.98) * height),
            pattern=str(kinds[k]),
            repeats=int(rng.integers(1, 4)),
        )
        for k in range(6)
    )


def _positive(what: str, value: float) -> None:
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
