"""Shortest paths against lengths worked out by hand: straight lines, tangents and arcs."""

from __future__ import annotations

from dataclasses import replace
from math import acos, hypot, inf, pi, sqrt

import numpy as np
import pytest
from tolman.envs.arena import Pillar
from tolman.envs.builders import circular_arena, square_arena, with_inner_walls
from tolman.envs.geodesic import Geodesic
from tolman.envs.tasks import Disc, Zone

R = 0.075
ARC = 4e-3  #: of an arc's length, by which a polygon is longer


def to(x: float, y: float, radius: float = 0.0) -> Disc:
    return Disc(x, y, radius)


def test_a_free_line_is_straight() -> None:
    ways = Geodesic(circular_arena(), R)
    assert ways.length(np.array([-0.5, 0.2, 1.0]), to(0.6, -0.3, 0.1).nearest) == pytest.approx(
        hypot(1.1, 0.5) - 0.1, abs=1e-9
    )
    assert len(ways.corners) == 0  # a convex arena has no bends
    assert ways.length(np.array([0.62, -0.3]), to(0.6, -0.3, 0.1).nearest) == 0.0


def test_around_a_pillar() -> None:
    """Two tangents of length √(d² - r²) and the arc between them."""
    arena = replace(square_arena(2.0), pillars=(Pillar(0.0, 0.0, 0.2, 0.5),))
    r, d = 0.2 + R, 0.7
    tangent, arc = sqrt(d * d - r * r), r * (pi - 2 * acos(r / d))
    length = Geodesic(arena, R).length(np.array([-d, 0.0]), to(d, 0.0).nearest)
    assert 2 * tangent + arc <= length <= 2 * tangent + (1 + ARC) * arc


def test_around_the_end_of_a_wall() -> None:
    """From one side of a thick wall to the other: two tangents, two quarter arcs and the wall's thickness."""
    t = 0.1
    arena = with_inner_walls(square_arena(2.0), ((0.0, -1.0, 0.0, 0.2),), thickness=t)
    start, goal = np.array([-0.5 * t - R, -0.6]), to(0.5 * t + R, -0.6)
    by_hand = 2 * 0.8 + 2 * (0.5 * pi * R) + t
    assert Geodesic(arena, R).length(start, goal.nearest) == pytest.approx(by_hand, rel=1e-3)


def test_a_gap_narrower_than_the_robot_is_no_way() -> None:
    walls = ((-1.0, 0.0, -0.1, 0.0), (0.1, 0.0, 1.0, 0.0))
    arena = with_inner_walls(square_arena(2.0), walls)
    start, goal = np.array([0.0, -0.5]), to(0.0, 0.5, 0.1)
    assert Geodesic(arena, 0.075).length(start, goal.nearest) == pytest.approx(0.9, abs=1e-9)
    assert Geodesic(arena, 0.11).length(start, goal.nearest) == inf


def test_into_a_zone() -> None:
    zone = Zone("end", 0.5, -0.2, 1.0, 0.2)
    ways = Geodesic(square_arena(2.0), R)
    assert ways.length(np.array([-0.5, 0.1]), zone.nearest) == pytest.approx(1.0)
    assert ways.length(np.array([0.2, 0.6]), zone.nearest) == pytest.approx(0.5)
    assert ways.length(np.array([0.7, 0.0]), zone.nearest) == 0.0


def test_paths_are_the_same_both_ways_and_obey_the_triangle() -> None:
    walls = ((-0.4, -0.4, 0.4, -0.4), (0.4, -0.35, 0.4, 0.4), (-0.6, 0.3, 0.0, 0.3))
    arena = with_inner_walls(replace(square_arena(2.0), pillars=(Pillar(0.7, 0.7, 0.1, 0.5),)), walls)
    ways, rng = Geodesic(arena, R), np.random.default_rng(4)
    places: list[tuple[float, float]] = []
    while len(places) < 8:
        x, y = rng.uniform(-0.9, 0.9, 2)
        if arena.contains(x, y, R):
            places.append((x, y))
    d = np.array([[ways.length(np.array(a), to(*b).nearest) for b in places] for a in places])
    straight = np.array([[hypot(a[0] - b[0], a[1] - b[1]) for b in places] for a in places])
    np.testing.assert_allclose(d, d.T, atol=1e-9)
    assert np.all(d >= straight - 1e-9)
    assert np.any(d > straight + 0.05)
    assert np.all(d[:, None, :] <= d[:, :, None] + d[None, :, :] + 1e-3)


def test_a_start_at_the_wall_still_has_a_way() -> None:
    length = Geodesic(square_arena(2.0), R).length(np.array([-0.95, 0.0]), to(0.5, 0.0).nearest)
    assert length == pytest.approx(1.45)


def test_a_robot_without_size_is_refused() -> None:
    with pytest.raises(ValueError, match="robot radius"):
        Geodesic(square_arena(), 0.0)
