"""The patterns of an arena as they are lit: a lamp's light is painted into them and costs an image nothing.

Walls may share a pattern but not the light on it. Each run of walls that carry on one another's pattern, and
each pillar, gets its own copy of what it shows.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor, pi
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arena import Arena, Pillar, TextureSpec, Wall
from .lighting import Lamp, in_light, lambert
from .textures import floor_texture, wall_texture

Floats = NDArray[np.float64]

CLEAR = 1e-4  #: m, how far before a surface its light is taken, so that it does not shade itself
SAMPLES = 3  #: per side of a texture cell where there are shadows, so that their edges are not jagged
GRID = 96  #: places per side at which the mean over the floor is taken
UP = np.array([0.0, 0.0, 1.0])


class Painted(NamedTuple):
    """An arena and its patterns, light included."""

    arena: Arena  #: walls and pillars name the patterns below; the floor covers the arena
    patterns: list[Floats]  #: one (columns along, rows up) for each texture of `arena`
    floor: Floats  #: (cells, cells), first axis is x


class Illumination:
    """The light in an arena with a lamp.

    Parameters
    ----------
    arena : Arena
        Its `lamp` must not be None.
    """

    def __init__(self, arena: Arena) -> None:
        assert arena.lamp is not None
        self.lamp: Lamp = arena.lamp
        self._walls = np.array([(w.x0, w.y0, w.x1, w.y1, w.height) for w in arena.walls])
        self._pillars = np.array([(c.x, c.y, c.radius, c.height) for c in arena.pillars]).reshape(-1, 4)
        self.mean_lambert = self._mean(arena)  #: 1/m², over floor, walls and pillars, without shadows

    def at(self, points: Floats, normals: Floats) -> Floats:
        """Return the irradiance (...) at `points` (..., 3), m, of surfaces with unit `normals` (..., 3)."""
        lamp = self.lamp
        direct = lambert(lamp, points, normals)
        if lamp.shadows:
            before = (points + CLEAR * normals).reshape(-1, 3)
            seen = in_light(before, lamp.x, lamp.y, lamp.height, self._walls, self._pillars)
            direct *= seen.reshape(direct.shape)
        result: Floats = lamp.strength * (lamp.ambient + (1.0 - lamp.ambient) / self.mean_lambert * direct)
        return result

    def _mean(self, arena: Arena) -> float:
        """Return the mean of `lambert` over the surfaces of the arena, each by its area."""
        low_x, low_y, high_x, high_y = arena.bounds
        part = (np.arange(GRID) + 0.5) / GRID
        x, y = np.meshgrid(low_x + part * (high_x - low_x), low_y + part * (high_y - low_y), indexing="ij")
        ground = _inside(np.asarray(arena.outline), x, y)
        for c in arena.pillars:
            ground &= np.hypot(x - c.x, y - c.y) > c.radius
        area = (high_x - low_x) * (high_y - low_y) / GRID**2
        spots = np.stack([x[ground], y[ground], np.zeros(np.count_nonzero(ground))], -1)
        total = [area * spots.shape[0]]
        light = [area * lambert(self.lamp, spots, UP).sum()]
        up, around = part[::4], np.linspace(0.0, 1.0, 48, endpoint=False)
        for w in arena.walls:
            points, normals = wall_points(w, w.length * part[::4], w.height * up)
            total.append(w.length * w.height)
            light.append(total[-1] * lambert(self.lamp, points, normals).mean())
        for c in arena.pillars:
            points, normals = pillar_points(c, 2.0 * pi * around, c.height * up)
            total.append(2.0 * pi * c.radius * c.height)
            light.append(total[-1] * lambert(self.lamp, points, normals).mean())
        return float(np.sum(light) / np.sum(total))


def paint(arena: Arena) -> Painted:
    """Paint all patterns of `arena` with their posters, and the lamp's light if there is a lamp."""
    patterns = [
        wall_texture(spec, tuple(mark for mark in arena.landmarks if mark.texture == k))
        for k, spec in enumerate(arena.textures)
    ]
    ground = floor_texture(arena.floor)
    if arena.lamp is None:
        return Painted(arena, patterns, ground)
    light = Illumination(arena)
    walls: list[Wall] = []
    pillars: list[Pillar] = []
    specs: list[TextureSpec] = []
    lit: list[Floats] = []
    for run in _runs(arena.walls):
        spec, pattern = arena.textures[run[0].texture], patterns[run[0].texture]
        per_metre = pattern.shape[0] / spec.length
        first = floor(run[0].offset * per_metre + 1e-6)
        last = max(first + 1, ceil((run[-1].offset + run[-1].length) * per_metre - 1e-6))
        shown = pattern[np.arange(first, last) % pattern.shape[0]]
        specs.append(replace(spec, length=(last - first) / per_metre))
        lit.append(shown * _on_walls(light, run, first, shown.shape, per_metre, spec.height))
        walls += [replace(w, texture=len(lit) - 1, offset=w.offset - first / per_metre) for w in run]
    for pillar in arena.pillars:
        spec, pattern = arena.textures[pillar.texture], patterns[pillar.texture]
        specs.append(spec)
        lit.append(pattern * _on_pillar(light, pillar, pattern.shape, spec.height))
        pillars.append(replace(pillar, texture=len(lit) - 1))
    ground, half = _over_arena(ground, arena)
    ground = ground * _on_floor(light, ground.shape[0], half)
    lit_arena = replace(
        arena,
        walls=tuple(walls),
        pillars=tuple(pillars),
        textures=tuple(specs),
        landmarks=(),
        floor=replace(arena.floor, half_width=half, cells=ground.shape[0]),
    )
    return Painted(lit_arena, lit, ground)


def wall_points(wall: Wall, along: Floats, up: Floats) -> tuple[Floats, Floats]:
    """Return points and normals, each (a, u, 3), at `along` (a,) and `up` (u,) m of a wall's free side."""
    ux, uy = (wall.x1 - wall.x0) / wall.length, (wall.y1 - wall.y0) / wall.length
    points = np.empty((along.size, up.size, 3))
    points[..., 0], points[..., 1] = (wall.x0 + along * ux)[:, None], (wall.y0 + along * uy)[:, None]
    points[..., 2] = up
    return points, np.broadcast_to(np.array([-uy, ux, 0.0]), points.shape)


def pillar_points(pillar: Pillar, bearing: Floats, up: Floats) -> tuple[Floats, Floats]:
    """Return points and normals, each (b, u, 3), at `bearing` (b,) rad and `up` (u,) m of a pillar."""
    normals = np.zeros((bearing.size, up.size, 3))
    normals[..., 0], normals[..., 1] = np.cos(bearing)[:, None], np.sin(bearing)[:, None]
    points = np.array([pillar.x, pillar.y, 0.0]) + pillar.radius * normals
    points[..., 2] = up
    return points, normals


def _runs(walls: tuple[Wall, ...]) -> list[list[Wall]]:
    """Group walls that start where the one before ends and go on with its pattern."""
    runs: list[list[Wall]] = []
    for wall in walls:
        before = runs[-1][-1] if runs else None
        if (
            before is not None
            and (wall.x0, wall.y0, wall.height, wall.texture)
            == (before.x1, before.y1, before.height, before.texture)
            and abs(before.offset + before.length - wall.offset) < 1e-9
        ):
            runs[-1].append(wall)
        else:
            runs.append([wall])
    return runs


def _samples(light: Illumination) -> int:
    return SAMPLES if light.lamp.shadows else 1


def _centres(cells: int, samples: int) -> Floats:
    """Return places in `cells` cells, `samples` in each, in units of cells."""
    places: Floats = (np.arange(cells * samples) + 0.5) / samples
    return places


def _per_cell(values: Floats, samples: int) -> Floats:
    """Average (a samples, b samples) over the cells: (a, b)."""
    a, b = values.shape[0] // samples, values.shape[1] // samples
    mean: Floats = values.reshape(a, samples, b, samples).mean(axis=(1, 3))
    return mean


def _on_walls(
    light: Illumination, run: list[Wall], first: int, shape: tuple[int, ...], per_metre: float, height: float
) -> Floats:
    """Return the irradiance (columns, rows) of the texture cells from column `first` on of a run of walls."""
    samples = _samples(light)
    along = (first + _centres(shape[0], samples)) / per_metre
    up = _centres(shape[1], samples) * (height / shape[1])
    which = np.searchsorted([w.offset for w in run], along, side="right") - 1
    values = np.empty((along.size, up.size))
    for k, wall in enumerate(run):
        mine = np.clip(which, 0, len(run) - 1) == k
        if mine.any():
            place = np.clip(along[mine] - wall.offset, 0.0, wall.length)
            values[mine] = light.at(*wall_points(wall, place, up))
    return _per_cell(values, samples)


def _on_pillar(light: Illumination, pillar: Pillar, shape: tuple[int, ...], height: float) -> Floats:
    samples = _samples(light)
    bearing = _centres(shape[0], samples) * (2.0 * pi / shape[0])
    up = _centres(shape[1], samples) * (height / shape[1])
    return _per_cell(light.at(*pillar_points(pillar, bearing, up)), samples)


def _on_floor(light: Illumination, cells: int, half_width: float) -> Floats:
    samples = _samples(light)
    axis = _centres(cells, samples) * (2.0 * half_width / cells) - half_width
    points = np.zeros((axis.size, axis.size, 3))
    points[..., 0], points[..., 1] = axis[:, None], axis
    return _per_cell(light.at(points, np.broadcast_to(UP, points.shape)), samples)


def _over_arena(ground: Floats, arena: Arena) -> tuple[Floats, float]:
    """Repeat the floor's pattern until it covers the arena; return it and half its side, m."""
    reach, half, times = max(abs(edge) for edge in arena.bounds), arena.floor.half_width, 1
    while half * times < reach:
        times *= 2
    cells = ground.shape[0]
    # Cell 0 of the larger square lies at -half x times, which is (times - 1) / 2 periods before cell 0.
    index = (np.arange(cells * times) - (times - 1) * cells // 2) % cells
    return ground[np.ix_(index, index)], half * times


def _inside(corners: Floats, x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Tell which points lie in a polygon (n, 2), by counting crossings."""
    inside = np.zeros(x.shape, np.bool_)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside
