"""An arena as plain arrays, ready for the compiled renderer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .arena import Arena
from .light_maps import paint
from .textures import mip_pyramid, summed_area, with_neighbours

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Scene:
    """Surfaces and textures of an arena.

    Attributes
    ----------
    walls : float64 (n, 8)
        x0, y0, x1, y1, height, texture offset (all m), texture index, length (m).
    pillars : float64 (m, 6)
        x, y, radius, height (m), texture index, texture length (m): the texture is fitted once around.
    tables : float64 (k,)
        All summed-area tables, flat, each (columns + 1, rows + 1).
    table_index : int64 (textures, 3)
        Start in `tables`, columns, rows.
    table_scale : float64 (textures, 2)
        Texture cells per metre along and up.
    floors : float32 (l,)
        All levels of the floor's mip pyramid, flat: four numbers a cell, see `with_neighbours`.
    floor_index : int64 (levels, 2)
        Start in `floors` (in cells), cells per side.
    floor_half_width : float
        m, half the side of the square that the floor's pattern covers before it repeats.
    sky : float
        Radiance above the walls at unit light.
    layers : int
        How many surfaces a ray may see, one above the other: the number of different heights.
    """

    walls: Floats
    pillars: Floats
    tables: Floats
    table_index: Ints
    table_scale: Floats
    floors: NDArray[np.float32]
    floor_index: Ints
    floor_half_width: float
    sky: float
    layers: int


def build_scene(arena: Arena) -> Scene:
    """Paint the textures of `arena`, light included, and pack everything into arrays."""
    arena, textures, ground = paint(arena)
    tables = [summed_area(texture).ravel() for texture in textures]
    starts = np.cumsum([0] + [table.size for table in tables[:-1]])
    levels = mip_pyramid(ground)
    level_starts = np.cumsum([0] + [level.size for level in levels[:-1]])
    return Scene(
        walls=np.array(
            [(w.x0, w.y0, w.x1, w.y1, w.height, w.offset, w.texture, w.length) for w in arena.walls]
        ),
        pillars=np.array(
            [
                (c.x, c.y, c.radius, c.height, c.texture, arena.textures[c.texture].length)
                for c in arena.pillars
            ]
        ).reshape(-1, 6),
        tables=np.concatenate(tables),
        table_index=np.array([(s, *t.shape) for s, t in zip(starts, textures, strict=True)], np.int64),
        table_scale=np.array(
            [
                (t.shape[0] / spec.length, t.shape[1] / spec.height)
                for t, spec in zip(textures, arena.textures, strict=True)
            ]
        ),
        floors=np.concatenate([with_neighbours(level).ravel() for level in levels]),
        floor_index=np.array(
            [(s, lv.shape[0]) for s, lv in zip(level_starts, levels, strict=True)], np.int64
        ),
        floor_half_width=arena.floor.half_width,
        sky=arena.sky,
        layers=len(arena.heights),
    )
