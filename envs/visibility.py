"""Which surface each image column sees: compiled geometry of the ray caster, in the plane of the floor.

Columns are cut at the direction of every wall end and pillar flank, so that each piece, an *interval*, sees
one surface only (walls do not cross each other). Angles are rad, clockwise from the heading, so that they
ascend with the column.
"""

from __future__ import annotations

from math import asin, atan2, cos, floor, pi, sin, sqrt

import numpy as np
from numba import njit

from .scene import Floats, Ints

FAR = 1e4  #: m, where the floor ends if there is no wall
TIE = 1e-9  #: m, two walls this close are the two sides of one: the side that faces the camera is seen


@njit(cache=True, error_model="numpy")
def wall_angles(x: float, y: float, theta: float, walls: Floats) -> Floats:
    """Return the angles (n, 2) of the ends of all walls, in [-π, π]."""
    cos_t, sin_t = cos(theta), sin(theta)
    angles = np.empty((walls.shape[0], 2))
    for k in range(walls.shape[0]):
        if k > 0 and walls[k, 0] == walls[k - 1, 2] and walls[k, 1] == walls[k - 1, 3]:
            angles[k, 0] = angles[k - 1, 1]
        else:
            dx, dy = walls[k, 0] - x, walls[k, 1] - y
            angles[k, 0] = -atan2(cos_t * dy - sin_t * dx, cos_t * dx + sin_t * dy)
        dx, dy = walls[k, 2] - x, walls[k, 3] - y
        angles[k, 1] = -atan2(cos_t * dy - sin_t * dx, cos_t * dx + sin_t * dy)
    return angles


@njit(cache=True, error_model="numpy")
def pillar_angles(x: float, y: float, theta: float, pillars: Floats) -> Floats:
    """Return middle angle and half-width of all pillars (m, 2); seen from inside, the half-width is π."""
    angles = np.empty((pillars.shape[0], 2))
    for k in range(pillars.shape[0]):
        dx, dy = pillars[k, 0] - x, pillars[k, 1] - y
        far = sqrt(dx * dx + dy * dy)
        turn = theta - atan2(dy, dx)
        angles[k, 0] = turn - 2.0 * pi * floor((turn + pi) / (2.0 * pi))
        angles[k, 1] = asin(pillars[k, 2] / far) if far > pillars[k, 2] else pi
    return angles


@njit(cache=True, error_model="numpy")
def intervals(
    edges: Floats, edge_x: Floats, edge_y: Floats, theta: float, ends: Floats, flanks: Floats
) -> tuple[Floats, Floats, Floats, Ints]:
    """Cut the columns at wall ends and pillar flanks.

    Parameters
    ----------
    edges, edge_x, edge_y : float64 (width + 1,)
        Angles of the column borders, and their unit directions in the robot's frame.
    theta : float
        Heading, rad.
    ends, flanks
        From `wall_angles` and `pillar_angles`.

    Returns
    -------
    angle, dir_x, dir_y : float64 (n + 1,)
        The interval borders, ascending, and their unit directions in the world.
    column : int64 (n,)
        The column each interval lies in.
    """
    width = edges.size - 1
    first, last = edges[0], edges[width]
    cuts = np.empty(ends.size + 2 * flanks.shape[0])
    m = 0
    for k in range(ends.shape[0]):
        for end in range(2):
            a = ends[k, end]
            if first < a < last and not (end == 0 and k > 0 and a == ends[k - 1, 1]):
                cuts[m] = a
                m += 1
    for k in range(flanks.shape[0]):
        for side in (-1.0, 1.0):
            a = flanks[k, 0] + side * flanks[k, 1]
            a -= 2.0 * pi * floor((a + pi) / (2.0 * pi))
            if first < a < last:
                cuts[m] = a
                m += 1
    ordered = np.sort(cuts[:m])
    n = width + m
    angle, column = np.empty(n + 1), np.empty(n, np.int64)
    dir_x, dir_y = np.empty(n + 1), np.empty(n + 1)
    cos_t, sin_t = cos(theta), sin(theta)
    i = j = 0
    for c in range(width + 1):
        angle[i] = edges[c]
        dir_x[i] = cos_t * edge_x[c] - sin_t * edge_y[c]
        dir_y[i] = sin_t * edge_x[c] + cos_t * edge_y[c]
        if c == width:
            break
        column[i] = c
        i += 1
        while j < m and ordered[j] < edges[c + 1]:
            angle[i], column[i] = ordered[j], c
            dir_x[i], dir_y[i] = cos(theta - ordered[j]), sin(theta - ordered[j])
            i += 1
            j += 1
    return angle, dir_x, dir_y, column


@njit(cache=True, error_model="numpy")
def nearest(
    angle: Floats,
    dir_x: Floats,
    dir_y: Floats,
    x: float,
    y: float,
    mount: float,
    layers: int,
    walls: Floats,
    pillars: Floats,
    ends: Floats,
    flanks: Floats,
) -> tuple[Floats, Ints]:
    """Find the surfaces each interval sees: distance along its middle (m) and index, each (layers, n).

    Layer 0 is the nearest surface, layer 1 the nearest of those that are seen above it, and so on. Pillars
    are counted after the walls; where nothing is seen, the index is -1 and the distance `FAR`.
    """
    n, n_walls = angle.size - 1, walls.shape[0]
    distance, surface = np.full((layers, n), FAR), np.full((layers, n), -1)
    mid_x, mid_y = np.empty(n), np.empty(n)
    for i in range(n):
        mx, my = dir_x[i] + dir_x[i + 1], dir_y[i] + dir_y[i + 1]
        norm = 1.0 / sqrt(mx * mx + my * my)
        mid_x[i], mid_y[i] = mx * norm, my * norm
    for layer in range(layers):
        for k in range(n_walls + flanks.shape[0]):
            top = walls[k, 4] if k < n_walls else pillars[k - n_walls, 3]
            if k < n_walls:
                turn = ends[k, 1] - ends[k, 0]
                turn -= 2.0 * pi * floor((turn + pi) / (2.0 * pi))
                start, sweep = (ends[k, 0], turn) if turn >= 0.0 else (ends[k, 1], -turn)
            else:
                half = flanks[k - n_walls, 1]
                start, sweep = flanks[k - n_walls, 0] - half, 2.0 * half
            for lap in range(-1, 2):  # the field of view may end behind the robot, where angles jump by 2π
                low, high = start + 2.0 * pi * lap, start + sweep + 2.0 * pi * lap
                if high <= angle[0] or low >= angle[n]:
                    continue
                i = max(0, np.searchsorted(angle, low) - 1)
                while i < n and angle[i] < high:
                    if low <= 0.5 * (angle[i] + angle[i + 1]) <= high:
                        d = hit(k, mid_x[i], mid_y[i], x, y, walls, pillars)
                        if layer > 0 and not _above(
                            surface[layer - 1, i], distance[layer - 1, i], top, d, mount, walls, pillars
                        ):
                            pass
                        elif d < distance[layer, i] - TIE or (
                            d < distance[layer, i] + TIE
                            and 0 <= surface[layer, i] < n_walls
                            and k < n_walls
                            and not _faces(surface[layer, i], x, y, walls)
                            and _faces(k, x, y, walls)
                        ):
                            distance[layer, i], surface[layer, i] = d, k
                    i += 1
    return distance, surface


@njit(cache=True, error_model="numpy")
def _above(
    front: int, near: float, top: float, d: float, mount: float, walls: Floats, pillars: Floats
) -> bool:
    """Tell whether a surface `top` m high at `d` m is seen above surface `front` at `near` m."""
    if front < 0 or d >= FAR:
        return False
    n = walls.shape[0]
    front_top = walls[front, 4] if front < n else pillars[front - n, 3]
    return bool(d > near and (top - mount) * near > (front_top - mount) * d * (1.0 + TIE))


@njit(cache=True, error_model="numpy")
def _faces(k: int, x: float, y: float, walls: Floats) -> bool:
    """Tell whether (x, y) is on the free side of wall `k`, its left."""
    ex, ey = walls[k, 2] - walls[k, 0], walls[k, 3] - walls[k, 1]
    return bool(ex * (y - walls[k, 1]) - ey * (x - walls[k, 0]) > 0.0)


@njit(cache=True, error_model="numpy")
def hit(k: int, dx: float, dy: float, x: float, y: float, walls: Floats, pillars: Floats) -> float:
    """Return the distance along unit ray (dx, dy) to the line of wall `k`, or to a pillar; `FAR` if none."""
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
    d = along - sqrt(max(pillars[p, 2] ** 2 - miss2, 0.0))
    return d if d > 0.0 else FAR


@njit(cache=True, error_model="numpy", inline="always")
def along(k: int, dx: float, dy: float, x: float, y: float, walls: Floats, pillars: Floats) -> float:
    """Return where along its texture (m) surface `k` is hit by unit ray (dx, dy)."""
    d = hit(k, dx, dy, x, y, walls, pillars)
    if k < walls.shape[0]:
        ex, ey, length = walls[k, 2] - walls[k, 0], walls[k, 3] - walls[k, 1], walls[k, 7]
        u = ((x + d * dx - walls[k, 0]) * ex + (y + d * dy - walls[k, 1]) * ey) / length
        return float(min(max(u, 0.0), length) + walls[k, 5])
    p = k - walls.shape[0]
    bearing = atan2(y + d * dy - pillars[p, 1], x + d * dx - pillars[p, 0])
    return float(pillars[p, 5] / (2.0 * pi) * bearing)
