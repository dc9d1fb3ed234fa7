"""One column of an image: compiled sums of sky, wall and floor over the rows of the ray caster.

A row is the band between two slopes (tangents of elevation at azimuth 0), `slopes` from the top down. What
covers a row in part adds its part, so that every edge is smooth. The functions are inlined, which makes an
image 4 % faster.
"""

from __future__ import annotations

from math import floor

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .scene import Floats, Ints

Image = NDArray[np.float32]


@njit(cache=True, error_model="numpy", inline="always")
def average(
    profile: Floats,
    tables: Floats,
    start: int,
    columns: int,
    rows: int,
    u0: float,
    u1: float,
    low: int,
    high: int,
) -> None:
    """Average a texture over columns `u0` to `u1` (cells): fill `profile[low..high]` with running sums.

    ``profile[k]`` is the mean over [u0, u1], summed over the rows below row border `k`. The table lies from
    `start` on and repeats along its `columns`.
    """
    stride = rows + 1
    if u0 > u1:
        u0, u1 = u1, u0
    if u1 - u0 < 1e-3:  # an interval without width still sees a line of the wall
        u1 = u0 + 1e-3
    lap0, lap1 = 0.0, 0.0
    if u0 < 0.0 or u1 >= columns:
        lap0, lap1 = floor(u0 / columns), floor(u1 / columns)
    v0, v1 = u0 - lap0 * columns, u1 - lap1 * columns
    i0, i1 = min(int(v0), columns - 1), min(int(v1), columns - 1)
    f0, f1 = v0 - i0, v1 - i1
    per = 1.0 / (u1 - u0)
    # Unsigned indices: the compiler then knows that none is negative, and vectorises.
    left, right = np.uint64(start + i0 * stride), np.uint64(start + i1 * stride)
    step = np.uint64(stride)
    for k in range(np.uint64(low), np.uint64(high + 1)):
        before = tables[left + k] + f0 * (tables[left + step + k] - tables[left + k])
        after = tables[right + k] + f1 * (tables[right + step + k] - tables[right + k])
        profile[k] = per * (after - before)
    if lap1 != lap0:
        whole = np.uint64(start + columns * stride)
        for k in range(np.uint64(low), np.uint64(high + 1)):
            profile[k] += per * (lap1 - lap0) * tables[whole + k]


@njit(cache=True, error_model="numpy", inline="always")
def add_sky(
    pixels: Floats, base: int, radiance: float, slopes: Floats, per_row: Floats, bottom: float
) -> int:
    """Add the sky above slope `bottom`; return the first row that is not all sky."""
    r, height = 0, per_row.size
    while r < height and slopes[r + 1] >= bottom:
        pixels[base + r] += radiance
        r += 1
    if r < height and slopes[r] > bottom:
        pixels[base + r] += radiance * (slopes[r] - bottom) * per_row[r]
    return r


@njit(cache=True, error_model="numpy", inline="always")
def add_wall(
    pixels: Floats,
    base: int,
    first: int,
    share: float,
    slopes: Floats,
    per_row: Floats,
    per_slope: float,
    foot: float,
    top: float,
    bottom: float,
    profile: Floats,
    rows: int,
) -> int:
    """Add `share` of a wall between slopes `bottom` and `top`, from row `first` on.

    A row border meets the wall at a height, in texture cells, that is an affine function of its slope:
    `foot` + `per_slope` x slope. `profile` holds the wall's running sums over its `rows` texture cells.
    Returns the row that holds slope `bottom`.
    """
    height = per_row.size
    r = first
    while r < height and slopes[r + 1] >= top:
        r += 1
    if r == height:
        return r
    begin = np.uint64(base)
    gain, most = share / per_slope, rows - 1e-9
    upper = _running_sum(profile, min(foot + per_slope * min(slopes[r], top), most))
    for row in range(np.uint64(r), np.uint64(height)):
        border = slopes[row + np.uint64(1)]
        if border < bottom:
            # The row that holds the lower edge. At a wall's foot the running sum is zero.
            lower = _running_sum(profile, foot + per_slope * bottom)
            pixels[begin + row] += gain * (upper - lower) * per_row[row]
            return int(np.int64(row))
        lower = _running_sum(profile, foot + per_slope * border)
        pixels[begin + row] += gain * (upper - lower) * per_row[row]
        upper = lower
    return height


@njit(cache=True, error_model="numpy")
def _running_sum(profile: Floats, position: float) -> float:
    """Interpolate the running sum over texture rows at a fractional row border."""
    position = position if position > 0.0 else 0.0
    cell = np.uint32(np.int32(position))
    return float(profile[cell] + (position - cell) * (profile[cell + np.uint32(1)] - profile[cell]))


@njit(cache=True, error_model="numpy", inline="always")
def add_floor(
    pixels: Floats,
    base: int,
    first: int,
    share: float,
    slopes: Floats,
    per_row: Floats,
    per_scale: float,
    foot: float,
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
    cells: NDArray[np.uint32],
    part_x: Floats,
    part_y: Floats,
) -> None:
    """Add `share` of the floor below slope `foot` in direction (dx, dy) to a column, from row `first` down.

    `floors` holds each cell with its three neighbours ahead. The last three arrays are scratch, (height,).
    """
    height = per_row.size
    if first == height:
        return
    # Whole periods of the pattern make all positions positive, so that truncation is floor.
    ahead = 4096.0 * half_width
    begin, top = np.uint64(base), np.uint64(first)
    weight = share
    partial = slopes[top] > foot
    for r in range(top, np.uint64(height)):
        t = distance[r] * per_scale
        if partial and r == top:  # the row that holds the wall's foot
            weight = share * ((foot - slopes[r + np.uint64(1)]) * per_row[r])
            t = -2.0 * mount * per_scale / (foot + slopes[r + np.uint64(1)])
        u = (x + t * dx + half_width + ahead) * per_metre[r] - 0.5
        v = (y + t * dy + half_width + ahead) * per_metre[r] - 0.5
        i, j = np.int32(u), np.int32(v)
        part_x[r], part_y[r] = u - i, v - j
        side = np.int32(size[r])  # a power of two
        cells[r] = np.uint32(start[r] + (i & (side - 1)) * side + (j & (side - 1)))
    for r in range(top, np.uint64(height)):
        k = np.uint64(cells[r]) * np.uint64(4)
        here, aside = floors[k], floors[k + np.uint64(1)]
        beyond, across = floors[k + np.uint64(2)], floors[k + np.uint64(3)]
        low = here + part_y[r] * (aside - here)
        high = beyond + part_y[r] * (across - beyond)
        pixels[begin + r] += (weight if r == top else share) * (low + part_x[r] * (high - low))
