"""The shortest way of a round robot among walls and pillars: a visibility graph over rounded corners.

The robot is a point once everything solid has grown by its radius. The shortest path is then straight but
where it bends around a corner or a pillar (Lozano-Pérez & Wesley 1979, Communications of the ACM 22:560-570).
Each bend is a polygon of `SIDES` sides around the arc, so the path is one the robot can drive and longer than
the true one by less than 0.4 % of its arcs.
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from .arena import Arena

Points = NDArray[np.float64]  #: (n, 2) m
Nearest = Callable[[Points], Points]  #: from points (n, 2) to the nearest points (n, 2) of a convex target

SIDES = 32  #: of the polygon around a corner
SLACK = 1e-6  #: m, by which a path may be too near to a wall


class Geodesic:
    """Shortest paths in one arena.

    Parameters
    ----------
    arena : Arena
    radius : float
        m, of the robot.

    Attributes
    ----------
    corners : float64 (n, 2)
        m, the places where a path may bend.
    """

    def __init__(self, arena: Arena, radius: float) -> None:
        if not radius > 0.0:
            raise ValueError(f"robot radius must be > 0 m, got {radius}")
        self.arena, self.radius = arena, radius
        self._walls = np.array([(w.x0, w.y0, w.x1, w.y1) for w in arena.walls]).reshape(-1, 4)
        self._pillars = np.array([(p.x, p.y, p.radius) for p in arena.pillars]).reshape(-1, 3)
        around = [ring(x, y, radius) for x, y in _bends(self._walls)]
        around += [ring(p.x, p.y, p.radius + radius) for p in arena.pillars]
        corners = np.concatenate(around) if around else np.empty((0, 2))
        free = [arena.contains(x, y, margin=radius - SLACK) for x, y in corners]
        self.corners = corners[np.array(free, bool)] if len(corners) else corners
        n = len(self.corners)
        first, last = np.triu_indices(n, 1)
        between = self._lengths(self.corners[first], self.corners[last], radius)
        seen = np.isfinite(between)
        self._between = (first[seen], last[seen], between[seen])

    def length(self, start: Points, nearest: Nearest) -> float:
        """Return the length (m) of the shortest path from `start` (2,) into a convex target; inf if none.

        A path ends square to the target or at a bend, so only the points of the target that are nearest to
        the start and to the bends come into question. Where the start lies nearer to a wall than the robot's
        radius, the path may leave it as near; where no path keeps its distance at the target, it may end as
        near.
        """
        return self.path(start, nearest)[0]

    def path(self, start: Points, nearest: Nearest) -> tuple[float, Points]:
        """Return the path that `length` measures: its length, its bends and end (n, 2), m; (0, 2) if none."""
        kept = self._search(start, nearest, relaxed=False)
        return kept if np.isfinite(kept[0]) else self._search(start, nearest, relaxed=True)

    def _search(self, start: Points, nearest: Nearest, relaxed: bool) -> tuple[float, Points]:
        corners = np.vstack((np.asarray(start, np.float64)[:2], self.corners))
        ends = nearest(corners)
        near = self._margin(corners[:1])
        margins = self._margin(ends) if relaxed else np.full(len(ends), self.radius)
        margins[0] = min(margins[0], near[0])
        to_target = self._lengths(corners, ends, margins)
        here = np.broadcast_to(corners[0], self.corners.shape)
        from_start = self._lengths(here, self.corners, near)
        first, last, between = self._between
        n = len(corners)
        reached, left = np.flatnonzero(np.isfinite(to_target)), np.flatnonzero(np.isfinite(from_start))
        rows = np.concatenate((first + 1, np.zeros(left.size, np.int64), reached))
        columns = np.concatenate((last + 1, left + 1, np.full(reached.size, n)))
        # A sparse graph has no edges of length 0: where start and target meet, a tiny one stands for it.
        lengths = np.maximum(np.concatenate((between, from_start[left], to_target[reached])), 1e-12)
        graph = csr_array((lengths, (rows, columns)), shape=(n + 1, n + 1))
        distances, predecessors = dijkstra(graph, directed=False, indices=[0], return_predecessors=True)
        far, came_from = distances[0], predecessors[0]
        if not np.isfinite(far[n]):
            return np.inf, np.empty((0, 2))
        back = [int(came_from[n])]
        while back[-1] != 0:
            back.append(int(came_from[back[-1]]))
        bends = corners[back[::-1][1:]]
        return float(far[n]) if far[n] > 1e-9 else 0.0, np.vstack((bends, ends[back[0]][None]))

    def _margin(self, points: Points) -> Points:
        """Return how near to a wall a path may be at `points`: the radius, or less where it must."""
        near = [self.arena.clearance(x, y) for x, y in points]
        return np.minimum(self.radius, np.maximum(near, 0.0))

    def _lengths(self, start: Points, end: Points, margin: float | Points) -> Points:
        """Return the lengths (n,) of the segments `start`-`end`; inf where one comes nearer than `margin`."""
        lengths: Points = np.hypot(end[:, 0] - start[:, 0], end[:, 1] - start[:, 1])
        allowed = np.broadcast_to(margin, lengths.shape) - SLACK
        for wall in self._walls:
            lengths = np.where(_apart(start, end, wall[:2], wall[2:]) < allowed, np.inf, lengths)
        for x, y, radius in self._pillars:
            lengths = np.where(_off(np.array((x, y)), start, end) - radius < allowed, np.inf, lengths)
        return lengths


def ring(x: float, y: float, radius: float) -> Points:
    """Return the corners (SIDES, 2) of a polygon around the circle of `radius` m; its sides touch it."""
    angle = 2.0 * pi * np.arange(SIDES) / SIDES
    outer = radius / cos(pi / SIDES)
    return np.stack((x + outer * np.cos(angle), y + outer * np.sin(angle)), axis=-1)


def _bends(walls: Points) -> list[tuple[float, float]]:
    """Return the ends of `walls` (n, 4) around which a path can bend: all but those in a hollow corner."""
    found: list[tuple[float, float]] = []
    for x, y in sorted({(a, b) for wall in walls for a, b in (tuple(wall[:2]), tuple(wall[2:]))}):
        into = walls[(walls[:, 2] == x) & (walls[:, 3] == y)]
        out = walls[(walls[:, 0] == x) & (walls[:, 1] == y)]
        if len(into) == 1 and len(out) == 1:
            (ax, ay), (bx, by) = into[0, 2:] - into[0, :2], out[0, 2:] - out[0, :2]
            if ax * by - ay * bx >= 0.0:  # free space is on the left, so a turn to the left is hollow
                continue
        found.append((float(x), float(y)))
    return found


def _off(point: Points, start: Points, end: Points) -> Points:
    """Return the distances (n,) of points (n, 2) or (2,) to segments (n, 2) or (2,)."""
    along = end - start
    squared = np.maximum(np.sum(along * along, axis=-1), 1e-30)
    s = np.clip(np.sum((point - start) * along, axis=-1) / squared, 0.0, 1.0)
    foot = start + s[..., None] * along
    distance: Points = np.hypot(point[..., 0] - foot[..., 0], point[..., 1] - foot[..., 1])
    return distance


def _apart(start: Points, end: Points, a: Points, b: Points) -> Points:
    """Return the distances (n,) of segments `start`-`end` (n, 2) to segment `a`-`b`; -1 where they cross."""
    ends = np.stack((_off(a, start, end), _off(b, start, end), _off(start, a, b), _off(end, a, b)))
    sides = [_side(a, b, start) * _side(a, b, end), _side(start, end, a) * _side(start, end, b)]
    crossing = (sides[0] < 0.0) & (sides[1] < 0.0)
    return np.where(crossing, -1.0, ends.min(axis=0))


def _side(a: Points, b: Points, point: Points) -> Points:
    """Return on which side of the line `a`-`b` a point lies: above 0 to the left."""
    along, offset = b - a, point - a
    side: Points = along[..., 0] * offset[..., 1] - along[..., 1] * offset[..., 0]
    return side
