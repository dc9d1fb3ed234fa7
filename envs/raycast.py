"""Compiled ray caster: log-intensity images of an arena, anti-aliased by integration instead of sampling.

Moving edges must not flicker, because every flicker would be an event that no real sensor would send. So a
column's view of a wall is averaged exactly, over the width of the column and the height of each row, with a
summed-area table (Crow 1984). The floor is read bilinearly from a mip pyramid (Williams 1983), at one level
per image row: the camera keeps its height, so a pixel's footprint on the floor never changes.
"""

from __future__ import annotations

from math import floor

import numpy as np
from numba import njit

from .arena import Arena
from .camera import CameraSpec
from .columns import Image, add_floor, add_sky, add_wall, average
from .elementary import logarithm
from .scene import Floats, Ints, Scene, build_scene
from .visibility import FAR, along, intervals, nearest, pillar_angles, wall_angles

BLOCK = 16  #: columns that are written to the image together


class Raycaster:
    """Renders one arena through one camera.

    Parameters
    ----------
    arena, camera
        What is seen, and through what.
    scene : Scene, optional
        The arena as `build_scene` painted it, if it has been already.

    Attributes
    ----------
    light : float
        Illumination, 1 is nominal; may be changed at any time.

    Raises
    ------
    ValueError
        If a wall or pillar is lower than the camera: what is behind it on the floor cannot be drawn.
    """

    def __init__(self, arena: Arena, camera: CameraSpec, scene: Scene | None = None) -> None:
        if not arena.heights[0] > camera.mount:
            raise ValueError(
                f"walls and pillars must be higher than the camera ({camera.mount:g} m),"
                f" one is {arena.heights[0]:g} m"
            )
        self.light = arena.light
        self._camera = camera
        scene = scene if scene is not None else build_scene(arena)
        azimuth = camera.azimuth_edges
        # What does not change, in the order in which the kernel takes it. The kernel counts angles clockwise,
        # so that they ascend with the column.
        self._fixed = (
            camera.mount, -azimuth, np.cos(azimuth), np.sin(azimuth), camera.slope_edges.copy(),
            camera.slope_scale.copy(), scene.sky, scene.layers, scene.walls, scene.pillars, scene.tables,
            scene.table_index, scene.table_scale, scene.floors, scene.floor_half_width,
            *floor_rows(camera, scene),
        )  # fmt: skip

    def render(self, x: float, y: float, theta: float, out: Image | None = None) -> Image:
        """Return log(radiance), float32 (height, width), seen from (x, y) m, heading `theta` rad."""
        image = np.empty((self._camera.height, self._camera.width), np.float32) if out is None else out
        _render(image, x, y, theta + self._camera.yaw, self.light, *self._fixed)
        return image

    def close(self) -> None:
        """Nothing is held."""


def floor_rows(camera: CameraSpec, scene: Scene) -> tuple[Floats, Floats, Ints, Ints]:
    """Tabulate how each row reads the floor.

    Returns
    -------
    distance : float64 (height,), m, where the row's middle meets the floor (at azimuth 0).
    per_metre : float64 (height,), cells per metre of the mip level the row reads.
    start, size : int64 (height,), where that level starts, and its cells per side.

    Notes
    -----
    A level's cells are as large as a pixel's footprint. That is long and narrow; its geometric mean is the
    compromise between blur and aliasing.
    """
    slopes = camera.slope_edges
    # The topmost row with floor sees only part of it; its lower border says how far.
    middle = np.minimum(0.5 * (slopes[:-1] + slopes[1:]), 0.5 * slopes[1:])
    below = slopes[1:] < 0.0
    distance = np.where(below, -camera.mount / np.where(below, middle, -1.0), FAR)
    along = distance**2 / camera.mount * (slopes[:-1] - slopes[1:])
    across = distance * camera.fov_azimuth / camera.width
    finest = scene.floor_index[0, 1] / (2.0 * scene.floor_half_width)
    level = np.rint(np.log2(np.sqrt(along * across) * finest)).astype(np.int64)
    level = np.clip(level, 0, len(scene.floor_index) - 1)
    start, size = scene.floor_index[level, 0], scene.floor_index[level, 1]
    return distance, size / (2.0 * scene.floor_half_width), start.copy(), size.copy()


@njit(cache=True, error_model="numpy")
def _render(
    image: Image,
    x: float,
    y: float,
    theta: float,
    light: float,
    mount: float,
    edges: Floats,
    edge_x: Floats,
    edge_y: Floats,
    slopes: Floats,
    scale: Floats,
    sky: float,
    layers: int,
    walls: Floats,
    pillars: Floats,
    tables: Floats,
    table_index: Ints,
    table_scale: Floats,
    floors: Image,
    half_width: float,
    floor_distance: Floats,
    floor_per_metre: Floats,
    floor_start: Ints,
    floor_size: Ints,
) -> None:
    """Fill `image` with log radiance; each pixel is the mean radiance over its solid angle."""
    height, width = image.shape
    ends, flanks = wall_angles(x, y, theta, walls), pillar_angles(x, y, theta, pillars)
    angle, dir_x, dir_y, column = intervals(edges, edge_x, edge_y, theta, ends, flanks)
    distance, surface = nearest(angle, dir_x, dir_y, x, y, mount, layers, walls, pillars, ends, flanks)
    n, n_walls = angle.size - 1, walls.shape[0]
    profile = np.empty(table_index[:, 2].max() + 1)
    # Columns are made one by one but images lie row by row: a block of columns is as wide as a cache line.
    block = np.zeros(BLOCK * height)
    cells, part_x, part_y = np.empty(height, np.uint32), np.empty(height), np.empty(height)
    per_row = 1.0 / (slopes[:-1] - slopes[1:])

    i = begin = 0
    known, known_border, known_place = -1, -1, 0.0
    for c in range(width):
        base = (c - begin) * height
        while i < n and column[i] == c:
            k, j = surface[0, i], i
            d = distance[0, i] * (angle[i + 1] - angle[i])
            # Walls that go on where the last one ends, with one pattern and height, are averaged in one go.
            if layers == 1 or surface[1, i] < 0:
                while (
                    j + 1 < n
                    and column[j + 1] == c
                    and _continues(k, surface[0, j], surface[0, j + 1], walls)
                    and (layers == 1 or surface[1, j + 1] < 0)
                ):
                    j += 1
                    d += distance[0, j] * (angle[j + 1] - angle[j])
            share = (angle[j + 1] - angle[i]) / (edges[c + 1] - edges[c])
            if share < 1e-9:  # a wall ends exactly at the border of a column
                i = j + 1
                continue
            d /= angle[j + 1] - angle[i]
            last = 0
            while last + 1 < layers and surface[last + 1, i] >= 0:
                last += 1
            far, highest = (d, k) if last == 0 else (distance[last, i], surface[last, i])
            top = mount if highest < 0 else _top(highest, walls, pillars)
            first = add_sky(block, base, share * sky, slopes, per_row, (top - mount) / (far * scale[c]))
            foot = -mount / (d * scale[c])
            row = first
            covered = foot
            for layer in range(last + 1):
                if layer > 0:
                    k, d = surface[layer, i], distance[layer, i]
                if k < 0:  # the horizon: sky down to it, then floor
                    while row < height and slopes[row + 1] >= foot:
                        row += 1
                    break
                texture = int(walls[k, 6]) if k < n_walls else int(pillars[k - n_walls, 4])
                rows, per_metre = table_index[texture, 2], table_scale[texture, 1]
                if known == k and known_border == i:
                    u0 = known_place
                else:
                    u0 = along(k, dir_x[i], dir_y[i], x, y, walls, pillars)
                u1 = along(surface[layer, j], dir_x[j + 1], dir_y[j + 1], x, y, walls, pillars)
                # The next column begins where this one ends, mostly on the same wall.
                known, known_border, known_place = surface[layer, j], j + 1, u1
                if k >= n_walls:  # the seam of a pillar's texture may lie in between
                    around = pillars[k - n_walls, 5]
                    u1 -= around * floor((u1 - u0) / around + 0.5)
                u0, u1 = u0 * table_scale[texture, 0], u1 * table_scale[texture, 0]
                lowest = (mount + d * slopes[height] * scale[c]) * per_metre
                uppermost = (mount + d * slopes[0] * scale[c]) * per_metre
                # One row more on both sides, against rounding.
                low = int(min(max(lowest - 1.0, 0.0), rows - 1.0))
                high = int(min(max(uppermost + 2.0, 1.0), float(rows)))
                average(
                    profile, tables, table_index[texture, 0], table_index[texture, 1], rows, u0, u1, low, high
                )
                slope_top = (_top(k, walls, pillars) - mount) / (d * scale[c])
                end = add_wall(
                    block, base, first, share, slopes, per_row, d * scale[c] * per_metre, mount * per_metre,
                    slope_top, covered, profile, rows,
                )  # fmt: skip
                covered = slope_top
                if layer == 0:
                    row = end
            mid_x, mid_y = 0.5 * (dir_x[i] + dir_x[j + 1]), 0.5 * (dir_y[i] + dir_y[j + 1])
            add_floor(
                block, base, row, share, slopes, per_row, 1.0 / scale[c], foot, mount, x, y, mid_x, mid_y,
                floors, half_width, floor_distance, floor_per_metre, floor_start, floor_size, cells, part_x,
                part_y,
            )  # fmt: skip
            i = j + 1
        if c - begin == BLOCK - 1 or c == width - 1:
            for r in range(height):
                for b in range(c + 1 - begin):
                    image[r, begin + b] = block[b * height + r]
            block[:] = 0.0
            begin = c + 1
    logarithm(image.reshape(height * width), light)


@njit(cache=True, error_model="numpy")
def _top(k: int, walls: Floats, pillars: Floats) -> float:
    """Return the height (m) of surface `k`."""
    return float(walls[k, 4] if k < walls.shape[0] else pillars[k - walls.shape[0], 3])


@njit(cache=True, error_model="numpy")
def _continues(first: int, last: int, following: int, walls: Floats) -> bool:
    """Tell whether surface `following` is the wall that carries on the pattern of `last` (or precedes it)."""
    n = walls.shape[0]
    if not (0 <= first < n and 0 <= last < n and 0 <= following < n) or abs(last - following) > 1:
        return False
    a, b = min(last, following), max(last, following)
    return bool(
        walls[a, 2] == walls[b, 0]
        and walls[a, 3] == walls[b, 1]
        and walls[a, 4] == walls[b, 4]
        and walls[a, 6] == walls[b, 6]
        and abs(walls[a, 5] + walls[a, 7] - walls[b, 5]) < 1e-9
    )
