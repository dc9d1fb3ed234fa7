"""Builders of the standard arenas, of free-standing walls, and of clutter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import cos, hypot, pi, sin

import numpy as np
from numpy.typing import NDArray

from .arena import PATTERNS, WALL_THICKNESS, Arena, FloorSpec, Landmark, Pillar, TextureSpec, Wall, positive


def circular_arena(
    radius: float = 1.0, height: float = 0.5, segments: int = 48, seed: int = 0, light: float = 1.0
) -> Arena:
    """Build the round arena of the water maze: a regular polygon of `segments` walls *around* the circle.

    The circle of `radius` m is inscribed, so the robot may go as far as `radius` everywhere. Six posters hang
    on the wall at uneven places.
    """
    positive("arena radius", radius)
    if segments < 3:
        raise ValueError(f"arena segments must be >= 3, got {segments}")
    outer = radius / cos(pi / segments)
    corners = tuple(
        (outer * cos(2 * pi * k / segments), outer * sin(2 * pi * k / segments)) for k in range(segments)
    )
    return polygon_arena("circular", corners, height, seed, light)


def square_arena(side: float = 2.0, height: float = 0.5, seed: int = 0, light: float = 1.0) -> Arena:
    """Build a square arena of `side` m around the origin."""
    positive("arena side", side)
    h = 0.5 * side
    return polygon_arena("square", ((h, -h), (h, h), (-h, h), (-h, -h)), height, seed, light)


def linear_track(
    length: float = 2.0, width: float = 0.25, height: float = 0.5, seed: int = 0, light: float = 1.0
) -> Arena:
    """Build a straight corridor of `length` by `width` m along x, centred on the origin."""
    positive("track length", length)
    positive("track width", width)
    a, b = 0.5 * length, 0.5 * width
    return polygon_arena("linear track", ((a, -b), (a, b), (-a, b), (-a, -b)), height, seed, light)


def inner_wall(
    x0: float,
    y0: float,
    x1: float,
    y1: float,
    height: float = 0.5,
    texture: int = 0,
    offset: float = 0.0,
    thickness: float = WALL_THICKNESS,
) -> tuple[Wall, ...]:
    """Build a free-standing wall around the segment (x0, y0)-(x1, y1): two sides and two ends.

    The pattern runs around it, from `offset` m on. A thinner wall than `WALL_THICKNESS` would be thinner to
    the eye than to the bumper, and is refused.
    """
    if not thickness >= WALL_THICKNESS:
        raise ValueError(f"inner wall thickness must be >= {WALL_THICKNESS} m, got {thickness}")
    length = hypot(x1 - x0, y1 - y0)
    positive("inner wall length", length)
    ox, oy = 0.5 * thickness * (y0 - y1) / length, 0.5 * thickness * (x1 - x0) / length
    # Clockwise around the solid, which is thus to the right of every side.
    corners = ((x0 + ox, y0 + oy), (x1 + ox, y1 + oy), (x1 - ox, y1 - oy), (x0 - ox, y0 - oy))
    return walls_around(corners, height, texture, offset)


def with_inner_walls(
    arena: Arena,
    segments: tuple[tuple[float, float, float, float], ...],
    height: float = 0.5,
    thickness: float = WALL_THICKNESS,
    seed: int = 0,
) -> Arena:
    """Put free-standing walls over `segments` (x0, y0, x1, y1), m, into `arena`; no two look alike."""
    sides: list[Wall] = []
    for x0, y0, x1, y1 in segments:
        offset = sides[-1].offset + sides[-1].length if sides else 0.0
        sides += inner_wall(x0, y0, x1, y1, height, len(arena.textures), offset, thickness)
    if not sides:
        return arena
    texture = TextureSpec(sides[-1].offset + sides[-1].length, height, seed)
    return replace(arena, walls=(*arena.walls, *sides), textures=(*arena.textures, texture))


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
    positive("arena corridor", corridor)
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


def walls_around(
    corners: Sequence[tuple[float, float]], height: float, texture: int = 0, offset: float = 0.0
) -> tuple[Wall, ...]:
    """Wall in a polygon: `corners` counter-clockwise around free space, clockwise around a solid body.

    The pattern runs along the walls from `offset` m on.
    """
    walls: list[Wall] = []
    for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
        walls.append(Wall(x0, y0, x1, y1, height, texture, offset))
        offset += walls[-1].length
    return tuple(walls)


def polygon_arena(
    name: str, corners: tuple[tuple[float, float], ...], height: float, seed: int, light: float
) -> Arena:
    """Wall in a polygon (corners counter-clockwise) with one continuous pattern and posters on it."""
    walls = walls_around(corners, height)
    length = walls[-1].offset + walls[-1].length
    texture = TextureSpec(length, height, seed)
    widest = max(abs(c) for corner in corners for c in corner)
    floor = FloorSpec(seed=seed + 1, half_width=widest * 1.28)
    return Arena(
        name,
        walls,
        (texture,),
        corners,
        landmarks=_posters(length, height, seed),
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
