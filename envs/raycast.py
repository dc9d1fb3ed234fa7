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
from numpy.typing import NDArray

from .arena import Arena
from .camera import CameraSpec
from .scene import Floats, Ints, Scene, build_scene
from .visibility import FAR, along, intervals, nearest, pillar_angles, wall_angles

Image = NDArray[np.float32]

DARKEST = 1e-4  #: radiance below which a pixel sees black


class Raycaster:
    """Renders one arena through one camera.

    Parameters
    ----------
    arena, camera
        What is seen, and through what.

    Attributes
    ----------
    light : float
        Illumination, 1 is nominal; may be changed at any time.
    """

    def __init__(self, arena: Arena, camera: CameraSpec) -> None:
        self.light = arena.light
        self._camera, self._scene = camera, build_scene(arena)
        azimuth = camera.azimuth_edges
        # The kernels count angles clockwise, so that they ascend with the column.
        self._edges, self._edge_x, self._edge_y = -azimuth, np.cos(azimuth), np.sin(azimuth)
        self._slopes, self._scale = camera.slope_edges.copy(), camera.slope_scale.copy()
        self._floor_rows = floor_rows(camera, self._scene)

    def render(self, x: float, y: float, theta: float, out: Image | None = None) -> Image:
        """Return log(radiance), float32 (height, width), seen from (x, y) m, heading `theta` rad."""
        image = np.empty((self._camera.height, self._camera.width), np.float32) if out is None else out
        scene = self._scene
        _render(
            image, self._edges, self._edge_x, self._edge_y, self._slopes, self._scale, x, y, theta,
            self._camera.mount, self.light, scene.sky, scene.walls, scene.pillars, scene.tables,
            scene.table_index, scene.table_scale, scene.floors, scene.floor_half_width, *self._floor_rows,
        )  # fmt: skip
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
    edges: Floats,
    edge_x: Floats,
    edge_y: Floats,
    slopes: Floats,
    scale: Floats,
    x: float,
    y: float,
    theta: float,
    mount: float,
    light: float,
    sky: float,
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
    distance, surface = nearest(angle, dir_x, dir_y, x, y, walls, pillars, ends, flanks)
    n, n_walls = angle.size - 1, walls.shape[0]
    profile = np.empty(table_index[:, 2].max() + 1)
    pixels = np.empty(height)
    per_row = 1.0 / (slopes[:-1] - slopes[1:])

    i = 0
    for c in range(width):
        pixels[:] = 0.0
        while i < n and column[i] == c:
            k, j = surface[i], i
            d = distance[i] * (angle[i + 1] - angle[i])
            # Walls that go on where the last one ends, with one pattern and height, are averaged in one go.
            while j + 1 < n and column[j + 1] == c and _continues(k, surface[j], surface[j + 1], walls):
                j += 1
                d += distance[j] * (angle[j + 1] - angle[j])
            share = (angle[j + 1] - angle[i]) / (edges[c + 1] - edges[c])
            if share < 1e-9:  # a wall ends exactly at the border of a column
                i = j + 1
                continue
            d /= angle[j + 1] - angle[i]
            top, rows, per_metre = mount, 0, 1.0
            if k >= 0:
                texture = int(walls[k, 6]) if k < n_walls else int(pillars[k - n_walls, 4])
                top = walls[k, 4] if k < n_walls else pillars[k - n_walls, 3]
                rows, per_metre = table_index[texture, 2], table_scale[texture, 1]
                u0 = along(k, dir_x[i], dir_y[i], x, y, walls, pillars)
                u1 = along(surface[j], dir_x[j + 1], dir_y[j + 1], x, y, walls, pillars)
                if k >= n_walls:  # the seam of a pillar's texture may lie in between
                    around = pillars[k - n_walls, 5]
                    u1 -= around * floor((u1 - u0) / around + 0.5)
                u0, u1 = u0 * table_scale[texture, 0], u1 * table_scale[texture, 0]
                lowest = (mount + d * slopes[height] * scale[c]) * per_metre
                highest = (mount + d * slopes[0] * scale[c]) * per_metre
                # One row more on both sides, against rounding.
                low = int(min(max(lowest - 1.0, 0.0), rows - 1.0))
                high = int(min(max(highest + 2.0, 1.0), float(rows)))
                _average(profile, tables, table_index[texture], u0, u1, low, high)
            mid_x, mid_y = 0.5 * (dir_x[i] + dir_x[j + 1]), 0.5 * (dir_y[i] + dir_y[j + 1])
            r = _sky_and_wall(
                pixels, share, slopes, per_row, scale[c], d, top, mount, sky, profile, rows, per_metre
            )
            _floor(
                pixels, r, share, slopes, per_row, scale[c], d, mount, x, y, mid_x, mid_y, floors, half_width,
                floor_distance, floor_per_metre, floor_start, floor_size,
            )  # fmt: skip
            i = j + 1
        for r in range(height):
            image[r, c] = pixels[r]
    logarithm(image.reshape(height * width), light)


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


@njit(cache=True, error_model="numpy")
def _average(profile: Floats, tables: Floats, index: Ints, u0: float, u1: float, low: int, high: int) -> None:
    """Average a texture over columns `u0` to `u1` (cells): fill `profile[low..high]` with running sums.

    ``profile[k]`` is the mean over [u0, u1], summed over the rows below row border `k`.
    """
    columns, stride = index[1], index[2] + 1
    if u0 > u1:
        u0, u1 = u1, u0
    if u1 - u0 < 1e-3:  # an interval without width still sees a line of the wall
        u1 = u0 + 1e-3
    lap0, lap1 = floor(u0 / columns), floor(u1 / columns)
    v0, v1 = u0 - lap0 * columns, u1 - lap1 * columns
    i0, i1 = min(int(v0), columns - 1), min(int(v1), columns - 1)
    f0, f1 = v0 - i0, v1 - i1
    per = 1.0 / (u1 - u0)
    # Slices, not sums of indices: the compiler then knows that no index is negative, and vectorises.
    start0, start1 = index[0] + i0 * stride + low, index[0] + i1 * stride + low
    count = high + 1 - low
    left0, left1 = tables[start0 : start0 + count], tables[start0 + stride : start0 + stride + count]
    right0, right1 = tables[start1 : start1 + count], tables[start1 + stride : start1 + stride + count]
    mean = profile[low : high + 1]
    for k in range(count):
        left = left0[k] + f0 * (left1[k] - left0[k])
        mean[k] = per * (right0[k] + f1 * (right1[k] - right0[k]) - left)
    if lap1 != lap0:
        start = index[0] + columns * stride + low
        whole = tables[start : start + count]
        for k in range(count):
            mean[k] += per * (lap1 - lap0) * whole[k]


@njit(cache=True, error_model="numpy")
def _sky_and_wall(
    pixels: Floats,
    share: float,
    slopes: Floats,
    per_row: Floats,
    scale: float,
    d: float,
    top: float,
    mount: float,
    sky: float,
    profile: Floats,
    rows: int,
    per_metre: float,
) -> int:
    """Add `share` of the sky and of the wall at distance `d` to a column; return the first row with floor.

    A surface without texture rows is the horizon: sky down to it, then floor.
    """
    height = pixels.size
    slope_top, slope_foot = (top - mount) / (d * scale), -mount / (d * scale)
    r = 0
    while r < height and slopes[r + 1] >= slope_top:
        pixels[r] += share * sky
        r += 1
    if r < height and slopes[r] > slope_top:
        pixels[r] += share * sky * (slopes[r] - slope_top) * per_row[r]
    if rows == 0:
        while r < height and slopes[r + 1] >= slope_foot:
            r += 1
        return r
    # A row border meets the wall at a height, in texture cells, that is an affine function of its slope.
    per_slope, foot = d * scale * per_metre, mount * per_metre
    gain, most = share / per_slope, rows - 1e-9
    upper = 0.0
    if r < height:
        upper = _running_sum(profile, min(foot + per_slope * min(slopes[r], slope_top), most))
    while r < height and slopes[r + 1] >= slope_foot:
        lower = _running_sum(profile, foot + per_slope * slopes[r + 1])
        pixels[r] += gain * (upper - lower) * per_row[r]
        upper = lower
        r += 1
    if r < height:  # the row that holds the wall's foot: the running sum starts there, at zero
        pixels[r] += gain * upper * per_row[r]
    return r


@njit(cache=True, error_model="numpy")
def _running_sum(profile: Floats, position: float) -> float:
    """Interpolate the running sum over texture rows at a fractional row border."""
    position = max(position, 0.0)
    cell = np.uint64(position)
    return float(profile[cell] + (position - cell) * (profile[cell + np.uint64(1)] - profile[cell]))


@njit(cache=True, error_model="numpy")
def _floor(
    pixels: Floats,
    first: int,
    share: float,
    slopes: Floats,
    per_row: Floats,
    scale: float,
    d: float,
    mount: float,
    x: float,
    y: float,
    dx: float,
    dy: float,
    floors: Image,
    half_width: float,
    distance: Floats,
    per_metre: Floats,
    start: Ints,
    size: Ints,
) -> None:
    """Add `share` of the floor nearer than `d` in direction (dx, dy) to a column, from row `first` down."""
    per_scale, slope_foot = 1.0 / scale, -mount / (d * scale)
    # Whole periods of the pattern make all positions positive, so that truncation is floor.
    ahead = 4096.0 * half_width
    for r in range(first, pixels.size):
        weight, t = share, distance[r] * per_scale
        if slopes[r] > slope_foot:
            weight *= (slope_foot - slopes[r + 1]) * per_row[r]
            t = -2.0 * mount * per_scale / (slope_foot + slopes[r + 1])
        u = (x + t * dx + half_width + ahead) * per_metre[r] - 0.5
        v = (y + t * dy + half_width + ahead) * per_metre[r] - 0.5
        i, j = np.uint64(u), np.uint64(v)
        fu, fv = u - i, v - j
        one, cells, base = np.uint64(1), np.uint64(size[r]), np.uint64(start[r])
        mask = cells - one  # sizes are powers of two
        row0, row1 = base + (i & mask) * cells, base + ((i + one) & mask) * cells
        j0, j1 = j & mask, (j + one) & mask
        low = floors[row0 + j0] + fv * (floors[row0 + j1] - floors[row0 + j0])
        high = floors[row1 + j0] + fv * (floors[row1 + j1] - floors[row1 + j0])
        pixels[r] += weight * (low + fu * (high - low))


@njit(cache=True, error_model="numpy")
def logarithm(values: Image, light: float) -> None:
    """Replace radiance at unit light by log(light x radiance), in place; the error is below 2e-6.

    ``log(m 2^e) = e log 2 + 2 artanh((m - 1) / (m + 1))`` with m in [sqrt(1/2), sqrt(2)), written so that the
    compiler turns it into vector instructions (the library's logarithm is called pixel by pixel).
    """
    gain, least = np.float32(light), np.float32(DARKEST)
    for i in range(values.size):
        values[i] = max(values[i] * gain, least)
    bits = values.view(np.int32)
    exponent = np.empty(values.size, np.float32)
    # Three passes over arrays that do not overlap: the compiler can prove that each may be vectorised.
    for i in range(values.size):
        exponent[i] = np.float32((bits[i] - np.int32(0x3F3504F3)) >> np.int32(23))
    for i in range(values.size):
        bits[i] = ((bits[i] - np.int32(0x3F3504F3)) & np.int32(0x007FFFFF)) + np.int32(0x3F3504F3)
    for i in range(values.size):
        s = (values[i] - np.float32(1.0)) / (values[i] + np.float32(1.0))
        s2 = s * s
        series = np.float32(2.0) + s2 * (
            np.float32(0.6666667) + s2 * (np.float32(0.4) + s2 * np.float32(0.2857143))
        )
        values[i] = exponent[i] * np.float32(0.6931472) + s * series
