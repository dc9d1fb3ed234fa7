"""Builders of mazes: a square with a U in it, one divided by a wall with gates, a cross and a T."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .arena import WALL_THICKNESS, Arena, Landmark, TextureSpec, Wall, positive
from .builders import polygon_arena, square_arena, walls_around

_NARROWEST = 0.35  #: m, corridors through which the robot of 0.15 m can turn and pass


def u_maze_arena(
    side: float = 2.0,
    width: float = 0.9,
    depth: float = 0.9,
    height: float = 0.5,
    seed: int = 0,
    light: float = 1.0,
) -> Arena:
    """Build a square of `side` m with a U of `width` by `depth` m (outer) around its centre, open to +y.

    Each of the three walls of the U bears its own poster, inside and outside.

    Raises
    ------
    ValueError
        If a passage would be narrower than 0.35 m.
    """
    positive("arena side", side)
    t, w, d = WALL_THICKNESS, 0.5 * width, 0.5 * depth
    corridor = 0.5 * (side - max(width, depth))
    wide("corridor between U and wall", corridor)
    wide("inside of the U", width - 2.0 * t)
    positive("depth of the U inside its base", depth - t)
    # Clockwise around the solid: the outside of the U, then the inside of its left, lower and right wall.
    corners = (
        (w, d), (w, -d), (-w, -d), (-w, d), (-w + t, d), (-w + t, -d + t), (w - t, -d + t), (w - t, d)
    )  # fmt: skip
    bare = square_arena(side, height, seed, light)
    walls = walls_around(corners, height, len(bare.textures))
    texture = TextureSpec(sum(wall.length for wall in walls), height, seed + 2)
    hung = (
        (0, "vertical", 3),
        (1, "checker", 2),
        (2, "disc", 1),
        (4, "horizontal", 2),
        (5, "ring", 1),
        (6, "cross", 1),
    )
    posters = tuple(
        Landmark(
            texture=len(bare.textures),
            centre=walls[k].offset + 0.5 * walls[k].length,
            width=0.4 * walls[k].length,
            bottom=0.1 * height,
            top=0.9 * height,
            pattern=pattern,
            repeats=repeats,
        )
        for k, pattern, repeats in hung
    )
    return replace(
        bare,
        name="U maze",
        walls=(*bare.walls, *walls),
        textures=(*bare.textures, texture),
        landmarks=(*bare.landmarks, *posters),
    )


def gated_arena(
    openings: Sequence[tuple[float, float]],
    side: float = 2.0,
    height: float = 0.5,
    seed: int = 0,
    light: float = 1.0,
) -> Arena:
    """Build a square of `side` m divided along y = 0 by a wall that is open over the `openings` (x0, x1), m.

    What is painted on the wall depends on the place alone: another wall in an opening leaves the rest as it
    looked.

    Raises
    ------
    ValueError
        If the openings are not in ascending order, inside the square, and at least 0.35 m wide.
    """
    positive("arena side", side)
    half, t = 0.5 * side, 0.5 * WALL_THICKNESS
    for x0, x1 in openings:
        wide("gate", x1 - x0)
    edges = [-half, *(x for opening in openings for x in opening), half]
    if sorted(edges) != edges:
        raise ValueError(f"gates must lie side by side within {side:g} m, got {tuple(openings)}")
    bare = square_arena(side, height, seed, light)
    walls: list[Wall] = []
    for x0, x1 in zip(edges[::2], edges[1::2], strict=True):
        if x1 - x0 < 1e-9:  # a gate at the very wall
            continue

        def face(ax: float, ay: float, bx: float, by: float, offset: float) -> None:
            walls.append(Wall(ax, ay, bx, by, height, len(bare.textures), offset))

        # The texture: the northern face from west to east, the southern one from east to west, then ends.
        face(x0, t, x1, t, x0 + half)
        if x1 < half:
            face(x1, t, x1, -t, 2.0 * side + x1 + half)
        face(x1, -t, x0, -t, side + half - x1)
        if x0 > -half:
            face(x0, -t, x0, t, 3.0 * side + x0 + half)
    texture = TextureSpec(4.0 * side + WALL_THICKNESS, height, seed + 2)
    return replace(bare, name="gated", walls=(*bare.walls, *walls), textures=(*bare.textures, texture))


def cruciform_arena(
    arm: float = 0.8, width: float = 0.4, height: float = 0.5, seed: int = 0, light: float = 1.0
) -> Arena:
    """Build four arms of `arm` by `width` m around a square centre at the origin.

    Raises
    ------
    ValueError
        If the arms would be narrower than 0.35 m.
    """
    positive("arm length", arm)
    wide("arm", width)
    w, end = 0.5 * width, 0.5 * width + arm
    corners = (
        (w, -end), (w, -w), (end, -w), (end, w), (w, w), (w, end),
        (-w, end), (-w, w), (-end, w), (-end, -w), (-w, -w), (-w, -end),
    )  # fmt: skip
    return polygon_arena("cruciform", corners, height, seed, light)


def t_maze_arena(
    stem: float = 0.8,
    arm: float = 0.8,
    width: float = 0.4,
    height: float = 0.5,
    seed: int = 0,
    light: float = 1.0,
) -> Arena:
    """Build a T: two arms of `arm` m along x, a stem of `stem` m down from the junction, at the origin.

    Raises
    ------
    ValueError
        If stem and arms would be narrower than 0.35 m.
    """
    positive("stem length", stem)
    positive("arm length", arm)
    wide("arm", width)
    w, end, foot = 0.5 * width, 0.5 * width + arm, -0.5 * width - stem
    corners = ((w, foot), (w, -w), (end, -w), (end, w), (-end, w), (-end, -w), (-w, -w), (-w, foot))
    return polygon_arena("T maze", corners, height, seed, light)


def wide(what: str, width: float) -> None:
    """Raise ValueError unless a passage is wide enough to turn and pass in."""
    if not width >= _NARROWEST - 1e-9:
        raise ValueError(f"{what} must be >= {_NARROWEST} m wide, got {width:g} m")
