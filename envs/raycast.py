"""Compiled ray caster: the log-intensity image of an arena, anti-aliased by integration instead of by sampling.

Moving edges must not flicker, because every flicker would be an event that no real sensor would send. So a
column's view of a wall is averaged exactly, over the whole width of the column and the height of each row,
with a summed-area table (Crow 1984); columns are first cut at every wall end and pillar flank, so that each
piece sees one surface only. The floor is read from a mip pyramid, trilinearly (Williams 1983).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, floor, log2, pi, sin, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .arena import Arena
from .camera import CameraSpec
from .textures import floor_texture, mip_pyramid, summed_area, wall_texture

Floats = NDArray[np.float64]
Image = NDArray[np.float32]
Ints = NDArray[np.int64]

FAR = 1e4  #: m, where the floor ends if there is no wall
LOG_FLOOR = 1e-4  #: radiance below which a pixel sees black


@dataclass(frozen=True)
class Scene:
    """An arena as plain arrays for the kernel.

    Attributes
    ----------
    walls : float64 (n, 7): x0, y0, x1, y1, height, texture offset (m), texture index.
    pillars : float64 (m, 5): x, y, radius, height, texture index.
    tables : float64 (k,), all summed-area tables, flat, each (columns + 1, rows + 1).
    table_index : int64 (textures, 3): start in `tables`, columns, rows.
    table_scale : float64 (textures, 2): texture cells per metre along and up.
    floors : float32 (l,), all levels of the floor's mip pyramid, flat.
    floor_index : int64 (levels, 2): start in `floors`, cells per side.
    floor_half_width : float, m.
    """

    walls: Floats
    pillars: Floats
    tables: Floats
    table_index: Ints
    table_scale: Floats
    floors: Image
    floor_index: Ints
    floor_half_width: float
    sky: float


def build_scene(arena: Arena) -> Scene:
    """Paint the textures of `arena` and pack everything into arrays."""
    walls = np.array([(w.x0, w.y0, w.x1, w.y1, w.height, w.offset, w.texture) for w in arena.walls])
    pillars = np.array([(c.x, c.y, c.radius, c.height, c.texture) for c in arena.pillars]).reshape(-1, 5)
    tables, index, scale, start = [], [], [], 0
    for k, spec in enumerate(arena.textures):
        posters = tuple(mark for mark in arena.landmarks if mark.texture == k)
        texture = wall_texture(spec, posters)
        tables.append(summed_area(texture).ravel())
        index.append((start, *texture.shape))
        scale.append((texture.shape[0] / spec.length, texture.shape[1] / spec.height))
        start += tables[-1].size
    levels = mip_pyramid(floor_texture(arena.floor))
    starts = np.cumsum([0] + [level.size for level in levels[:-1]])
    return Scene(
        walls=walls,
        pillars=pillars,
        tables=np.concatenate(tables),
        table_index=np.array(index, np.int64),
        table_scale=np.array(scale, np.float64),
        floors=np.concatenate([level.ravel() for level in levels]),
        floor_index=np.array([(s, lv.shape[0]) for s, lv in zip(starts, levels, strict=True)], np.int64),
        floor_half_width=arena.floor.half_width,
        sky=arena.sky,
    )


class Raycaster:
    """Renders one arena through one camera. Scratch arrays are allocated once.

    Parameters
    ----------
    arena, camera
        What is seen, and through what.
    """

    def __init__(self, arena: Arena, camera: CameraSpec) -> None:
        self.camera = camera
        self.scene = build_scene(arena)
        self.light = arena.light
        # The kernel counts angles clockwise, so that they ascend with the column.
        self._edges = -camera.azimuth_edges
        self._slopes = camera.slope_edges.copy()
        self._scale = camera.slope_scale.copy()

    def render(self, x: float, y: float, theta: float, out: Image | None = None) -> Image:
        """Return log(radiance), float32 (height, width), seen from (x, y) m, heading `theta` rad."""
        image = np.empty((self.camera.height, self.camera.width), np.float32) if out is None else out
        scene = self.scene
        _render(
            image,
            self._edges,
            self._slopes,
            self._scale,
            x,
            y,
            theta,
            self.camera.mount,
            self.light,
            scene.sky,
            scene.walls,
            scene.pillars,
            scene.tables,
            scene.table_index,
            scene.table_scale,
            scene.floors,
            scene.floor_index,
            scene.floor_half_width,
        )
        return image

    def close(self) -> None:
        """Nothing is held."""


@njit(cache=True)
def _render(
    image: Image,
    edges: Floats,
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
    floor_index: Ints,
    floor_half_width: float,
) -> None:
    """Fill `image` with log radiance. See the module's docstring for the method."""
    height, width = image.shape
    angle, dir_x, dir_y, column = _intervals(edges, x, y, theta, walls, pillars)
    n = angle.size - 1
    distance, surface = _nearest(angle, dir_x, dir_y, x, y, theta, walls, pillars)
    most_rows = 0
    for k in range(table_index.shape[0]):
        most_rows = max(most_rows, table_index[k, 2])
    profile = np.empty(most_rows + 1)
    pixels = np.empty(height)
    level_of = _floor_levels(edges, slopes, mount, floor_index[0, 1] / (2.0 * floor_half_width))

    i = 0
    for c in range(width):
        pixels[:] = 0.0
        while i < n and column[i] == c:
            share = (angle[i + 1] - angle[i]) / (edges[c + 1] - edges[c])
            if share > 0.0:
                mid_x, mid_y = dir_x[i] + dir_x[i + 1], dir_y[i] + dir_y[i + 1]
                norm = 1.0 / sqrt(mid_x * mid_x + mid_y * mid_y)
                mid_x, mid_y = mid_x * norm, mid_y * norm
                k = surface[i]
                d, z_top, rows, per_metre = distance[i], 0.0, 0, 1.0
                if k >= 0:
                    texture, u0, u1, z_top = _span(
                        k, dir_x[i], dir_y[i], dir_x[i + 1], dir_y[i + 1], x, y, walls, pillars
                    )
                    rows, per_metre = table_index[texture, 2], table_scale[texture, 1]
                    low = max(0, int(floor((mount + d * slopes[height] * scale[c]) * per_metre)))
                    high = min(rows, int(floor((mount + d * slopes[0] * scale[c]) * per_metre)) + 1)
                    _average(
                        profile,
                        tables,
                        table_index[texture],
                        u0 * table_scale[texture, 0],
                        u1 * table_scale[texture, 0],
                        low,
                        high,
                    )
                _fill_column(
                    pixels, share, slopes, scale[c], d, z_top, mount, sky, profile, rows, per_metre,
                    x, y, mid_x, mid_y, floors, floor_index, floor_half_width, level_of,
                )  # fmt: skip
            i += 1
        for r in range(height):
            image[r, c] = pixels[r]
    _logarithm(image.reshape(height * width), light)


@njit(cache=True)
def _intervals(
    edges: Floats, x: float, y: float, theta: float, walls: Floats, pillars: Floats
) -> tuple[Floats, Floats, Floats, Ints]:
    """Merge column borders with the angles of all wall ends and pillar flanks.

    Returns the ascending angles (n + 1,) (rad, clockwise from the heading), their world directions, and for
    each interval between two of them the column it lies in (n,).
    """
    width = edges.size - 1
    first, last = edges[0], edges[width]
    cos_t, sin_t = cos(theta), sin(theta)
    extra = np.empty(2 * walls.shape[0] + 2 * pillars.shape[0])
    m = 0
    for k in range(walls.shape[0]):
        for end in range(2):
            dx, dy = walls[k, 2 * end] - x, walls[k, 2 * end + 1] - y
            if end == 0 and k > 0 and walls[k, 0] == walls[k - 1, 2] and walls[k, 1] == walls[k - 1, 3]:
                continue  # shared corner
            a = -atan2(cos_t * dy - sin_t * dx, cos_t * dx + sin_t * dy)
            if first < a < last:
                extra[m] = a
                m += 1
    for k in range(pillars.shape[0]):
        dx, dy = pillars[k, 0] - x, pillars[k, 1] - y
        far2 = dx * dx + dy * dy
        if far2 > pillars[k, 2] ** 2:
            a = -atan2(cos_t * dy - sin_t * dx, cos_t * dx + sin_t * dy)
            half = np.arcsin(pillars[k, 2] / sqrt(far2))
            for flank in (a - half, a + half):
                flank = flank - 2.0 * pi * floor((flank + pi) / (2.0 * pi))
                if first < flank < last:
                    extra[m] = flank
                    m += 1
    ordered = np.sort(extra[:m])
    n = width + m
    angle, column = np.empty(n + 1), np.empty(n, np.int64)
    dir_x, dir_y = np.empty(n + 1), np.empty(n + 1)
    j = 0
    i = 0
    for c in range(width):
        angle[i], column[i] = edges[c], c
        i += 1
        while j < m and ordered[j] < edges[c + 1]:
            angle[i], column[i] = ordered[j], c
            i += 1
            j += 1
    angle[n] = last
    for i in range(n + 1):
        ca, sa = cos(angle[i]), sin(angle[i])
        dir_x[i], dir_y[i] = cos_t * ca + sin_t * sa, sin_t * ca - cos_t * sa
    return angle, dir_x, dir_y, column


@njit(cache=True)
def _nearest(
    angle: Floats,
    dir_x: Floats,
    dir_y: Floats,
    x: float,
    y: float,
    theta: float,
    walls: Floats,
    pillars: Floats,
) -> tuple[Floats, Ints]:
    """Find for each interval the surface nearest along its middle: distance (m) and index, -1 for none.

    Pillars are counted after the walls.
    """
    n = angle.size - 1
    distance, surface = np.full(n, FAR), np.full(n, -1)
    cos_t, sin_t = cos(theta), sin(theta)
    for k in range(walls.shape[0]):
        dx, dy = walls[k, 0] - x, walls[k, 1] - y
        a0 = -atan2(cos_t * dy - sin_t * dx, cos_t * dx + sin_t * dy)
        dx, dy = walls[k, 2] - x, walls[k, 3] - y
        a1 = -atan2(cos_t * dy - sin_t * dx, cos_t * dx + sin_t * dy)
        turn = a1 - a0
        turn -= 2.0 * pi * floor((turn + pi) / (2.0 * pi))
        start, sweep = (a0, turn) if turn >= 0.0 else (a1, -turn)
        _claim(k, start, start + sweep, angle, dir_x, dir_y, x, y, walls, pillars, distance, surface)
        if start + sweep > pi:
            _claim(k, start - 2 * pi, start + sweep - 2 * pi, angle, dir_x, dir_y, x, y, walls, pillars,
                   distance, surface)  # fmt: skip
    for k in range(pillars.shape[0]):
        dx, dy = pillars[k, 0] - x, pillars[k, 1] - y
        far2 = dx * dx + dy * dy
        half = np.arcsin(pillars[k, 2] / sqrt(far2)) if far2 > pillars[k, 2] ** 2 else pi
        a = -atan2(cos_t * dy - sin_t * dx, cos_t * dx + sin_t * dy)
        index = walls.shape[0] + k
        for turns in range(-1, 2):
            _claim(index, a - half + 2 * pi * turns, a + half + 2 * pi * turns, angle, dir_x, dir_y, x, y,
                   walls, pillars, distance, surface)  # fmt: skip
    return distance, surface


@njit(cache=True)
def _claim(
    k: int,
    start: float,
    end: float,
    angle: Floats,
    dir_x: Floats,
    dir_y: Floats,
    x: float,
    y: float,
    walls: Floats,
    pillars: Floats,
    distance: Floats,
    surface: Ints,
) -> None:
    """Give surface `k` the intervals between angles `start` and `end` in which it is the nearest so far."""
    n = angle.size - 1
    if end <= angle[0] or start >= angle[n]:
        return
    i = max(0, np.searchsorted(angle, start) - 1)
    while i < n and angle[i] < end:
        middle = 0.5 * (angle[i] + angle[i + 1])
        if start <= middle <= end:
            mx, my = dir_x[i] + dir_x[i + 1], dir_y[i] + dir_y[i + 1]
            norm = 1.0 / sqrt(mx * mx + my * my)
            d = _hit(k, mx * norm, my * norm, x, y, walls, pillars)
            if d < distance[i]:
                distance[i], surface[i] = d, k
        i += 1


@njit(cache=True)
def _hit(k: int, dx: float, dy: float, x: float, y: float, walls: Floats, pillars: Floats) -> float:
    """Return the distance along the unit ray (dx, dy) to the line of wall `k` or to a pillar; `FAR` if none."""
    if k < walls.shape[0]:
        ex, ey = walls[k, 2] - walls[k, 0], walls[k, 3] - walls[k, 1]
        px, py = walls[k, 0] - x, walls[k, 1] - y
        determinant = dx * ey - dy * ex
        if abs(determinant) < 1e-12:
            return FAR
        d = (px * ey - py * ex) / determinant
        return d if d > 0.0 else FAR
    p = k - walls.shape[0]
    px, py = pillars[p, 0] - x, pillars[p, 1] - y
    along = px * dx + py * dy
    miss2 = px * px + py * py - along * along
    # A flank is touched, not missed, in spite of rounding.
    depth = sqrt(max(pillars[p, 2] ** 2 - miss2, 0.0))
    return along - depth if along - depth > 0.0 else FAR


@njit(cache=True)
def _span(
    k: int,
    dx0: float,
    dy0: float,
    dx1: float,
    dy1: float,
    x: float,
    y: float,
    walls: Floats,
    pillars: Floats,
) -> tuple[int, float, float, float]:
    """Return texture index, the texture positions (m) seen at both ends of an interval, and the top (m)."""
    d0, d1 = _hit(k, dx0, dy0, x, y, walls, pillars), _hit(k, dx1, dy1, x, y, walls, pillars)
    if k < walls.shape[0]:
        ex, ey = walls[k, 2] - walls[k, 0], walls[k, 3] - walls[k, 1]
        length = sqrt(ex * ex + ey * ey)
        u0 = ((x + d0 * dx0 - walls[k, 0]) * ex + (y + d0 * dy0 - walls[k, 1]) * ey) / length
        u1 = ((x + d1 * dx1 - walls[k, 0]) * ex + (y + d1 * dy1 - walls[k, 1]) * ey) / length
        u0, u1 = min(max(u0, 0.0), length), min(max(u1, 0.0), length)
        return int(walls[k, 6]), u0 + walls[k, 5], u1 + walls[k, 5], walls[k, 4]
    p = k - walls.shape[0]
    radius = pillars[p, 2]
    a0 = atan2(y + d0 * dy0 - pillars[p, 1], x + d0 * dx0 - pillars[p, 0])
    a1 = atan2(y + d1 * dy1 - pillars[p, 1], x + d1 * dx1 - pillars[p, 0])
    a1 = a0 + (a1 - a0) - 2.0 * pi * floor((a1 - a0 + pi) / (2.0 * pi))
    return int(pillars[p, 4]), radius * a0, radius * a1, pillars[p, 3]


@njit(cache=True)
def _average(profile: Floats, tables: Floats, index: Ints, u0: float, u1: float, low: int, high: int) -> None:
    """Average a texture between columns `u0` and `u1` (cells); fill `profile[low..high]` with the running sum.

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
    a0, a1 = index[0] + i0 * stride, index[0] + i1 * stride
    whole, laps = index[0] + columns * stride, lap1 - lap0
    for k in range(low, high + 1):
        left = tables[a0 + k] + f0 * (tables[a0 + stride + k] - tables[a0 + k])
        right = tables[a1 + k] + f1 * (tables[a1 + stride + k] - tables[a1 + k])
        profile[k] = (right - left) * per
    if laps != 0.0:
        for k in range(low, high + 1):
            profile[k] += laps * tables[whole + k] * per


@njit(cache=True)
def _fill_column(
    pixels: Floats,
    share: float,
    slopes: Floats,
    scale: float,
    d: float,
    z_top: float,
    mount: float,
    sky: float,
    profile: Floats,
    rows: int,
    per_metre: float,
    x: float,
    y: float,
    dx: float,
    dy: float,
    floors: Image,
    floor_index: Ints,
    floor_half_width: float,
    level_of: Floats,
) -> None:
    """Add to a column, from the top row down, `share` of the sky, the wall at distance `d`, and the floor."""
    z_upper = mount + d * slopes[0] * scale
    sum_upper = _running_sum(profile, min(max(z_upper, 0.0), z_top) * per_metre, rows) if z_top > 0.0 else 0.0
    for r in range(pixels.size):
        z_lower = mount + d * slopes[r + 1] * scale
        span = z_upper - z_lower
        value = 0.0
        if z_upper > z_top:
            value += sky * (z_upper - max(z_lower, z_top))
        if z_upper > 0.0 and z_lower < z_top:
            sum_lower = _running_sum(profile, max(z_lower, 0.0) * per_metre, rows)
            value += (sum_upper - sum_lower) / per_metre
            sum_upper = sum_lower
        if z_lower < 0.0:
            z_floor = min(z_upper, 0.0)
            # Middle of the part that sees the floor, as a slope; similar triangles give where it is hit.
            t = d * mount / (mount - 0.5 * (z_floor + z_lower))
            value += (z_floor - z_lower) * _floor(
                x + t * dx, y + t * dy, level_of[r], floors, floor_index, floor_half_width
            )
        pixels[r] += share * value / span
        z_upper = z_lower


@njit(cache=True)
def _running_sum(profile: Floats, position: float, rows: int) -> float:
    """Interpolate the running sum over texture rows at a fractional row border."""
    k = min(int(position), rows - 1)
    return profile[k] + (position - k) * (profile[k + 1] - profile[k])


@njit(cache=True)
def _floor_levels(edges: Floats, slopes: Floats, mount: float, cells_per_metre: float) -> Floats:
    """Choose the floor's mip level of each row: a cell as large as the geometric mean of a pixel's footprint."""
    height = slopes.size - 1
    levels = np.zeros(height)
    azimuth_step = abs(edges[edges.size - 1] - edges[0]) / (edges.size - 1)
    for r in range(height):
        slope = 0.5 * (slopes[r] + slopes[r + 1])
        if slopes[r + 1] < 0.0:
            slope = min(slope, 0.5 * slopes[r + 1])
            t = -mount / slope
            radial = t * t / mount * (slopes[r] - slopes[r + 1])
            levels[r] = max(0.0, log2(sqrt(radial * t * azimuth_step) * cells_per_metre))
    return levels


@njit(cache=True)
def _floor(x: float, y: float, level: float, floors: Image, floor_index: Ints, half_width: float) -> float:
    """Read the floor at (x, y) m, blending bilinearly within and linearly between two mip levels."""
    top = floor_index.shape[0] - 1
    fine = min(int(level), top)
    value = _bilinear(x, y, fine, floors, floor_index, half_width)
    blend = level - fine
    if blend > 0.0 and fine < top:
        value += blend * (_bilinear(x, y, fine + 1, floors, floor_index, half_width) - value)
    return value


@njit(cache=True)
def _bilinear(x: float, y: float, level: int, floors: Image, floor_index: Ints, half_width: float) -> float:
    """Read one mip level at (x, y) m; the pattern repeats beyond its square."""
    start, size = floor_index[level, 0], floor_index[level, 1]
    per = size / (2.0 * half_width)
    u, v = (x + half_width) * per - 0.5, (y + half_width) * per - 0.5
    i, j = floor(u), floor(v)
    fu, fv = u - i, v - j
    mask = size - 1
    i0, j0 = int(i) & mask, int(j) & mask
    i1, j1 = (i0 + 1) & mask, (j0 + 1) & mask
    low = floors[start + i0 * size + j0] * (1.0 - fv) + floors[start + i0 * size + j1] * fv
    high = floors[start + i1 * size + j0] * (1.0 - fv) + floors[start + i1 * size + j1] * fv
    return low * (1.0 - fu) + high * fu


@njit(cache=True)
def _logarithm(values: Image, light: float) -> None:
    """Replace radiance at unit light by log(light x radiance), in place; error below 2e-6.

    ``log(m 2^e) = e log 2 + 2 artanh((m - 1) / (m + 1))`` with m in [sqrt(1/2), sqrt(2)), written so that the
    compiler turns it into vector instructions (the library's logarithm is called pixel by pixel).
    """
    gain, least = np.float32(light), np.float32(LOG_FLOOR)
    for i in range(values.size):
        values[i] = max(values[i] * gain, least)
    bits = values.view(np.int32)
    for i in range(values.size):
        raw = bits[i] - np.int32(0x3F3504F3)
        exponent = raw >> np.int32(23)
        bits[i] = (raw & np.int32(0x007FFFFF)) + np.int32(0x3F3504F3)
        mantissa = values[i]
        s = (mantissa - np.float32(1.0)) / (mantissa + np.float32(1.0))
        s2 = s * s
        series = np.float32(2.0) + s2 * (
            np.float32(0.6666667) + s2 * (np.float32(0.4) + s2 * np.float32(0.2857143))
        )
        values[i] = np.float32(exponent) * np.float32(0.6931472) + s * series
