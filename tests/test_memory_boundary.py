"""Boundary cells from remembered contacts: tuning, border score beside a null, and the map of contacts."""

from __future__ import annotations

import numpy as np
import pytest
from tolman.analysis.borders import border_score
from tolman.memory.boundary import BoundaryCells, BoundaryConfig, ContactMap

HALF, RADIUS = 0.5, 0.1  # m: half a box, and the robot in it
NOTHING = np.zeros(8, np.uint8)


def explored(seed: int, jitter: float = 0.0) -> BoundaryCells:
    """Cells of a robot that has bumped along all walls of the box, its position believed with an error."""
    cells, random = BoundaryCells(BoundaryConfig(), seed), np.random.default_rng(seed)
    reach = HALF - RADIUS
    for along in np.linspace(-reach, reach, 30):
        for wall in range(4):
            heading = wall * np.pi / 2.0
            ahead = np.array([np.cos(heading), np.sin(heading)])
            place = reach * ahead + along * np.array([-ahead[1], ahead[0]])
            bump = NOTHING.copy()
            bump[0] = 1
            cells.advance(place + random.normal(0.0, jitter, 2), heading, bump, 0)
    return cells


def maps(cells: BoundaryCells) -> np.ndarray:
    """Spikes (cells, rows, columns) of 0.4 s in each bin of 0.04 m the robot's middle can be in."""
    axis = np.arange(-HALF + RADIUS, HALF - RADIUS + 1e-9, 0.04)
    out = np.zeros((cells.size, axis.size, axis.size))
    for row, y in enumerate(axis):
        for column, x in enumerate(axis):
            spikes = cells.advance(np.array([x, y]), 0.0, NOTHING, 400)
            out[:, row, column] = np.bincount(spikes[:, 1], minlength=cells.size)
    return out


def test_cells_near_walls_are_border_cells_and_shuffled_maps_are_not() -> None:
    cells = explored(0, jitter=0.02)
    rates = maps(cells)
    near = (cells.distance < 0.1) & (np.round(cells.direction / (np.pi / 4)) % 2 == 0)
    scores = np.array([border_score(rate) for rate in rates[near]])
    random = np.random.default_rng(1)
    null = [
        border_score(np.roll(rate, random.integers(5, 16, 2), axis=(0, 1)))
        for rate in rates[near]
        for _ in range(25)
    ]
    assert scores.min() > 0.5
    assert scores.min() > np.quantile(null, 0.95)


def test_a_cell_prefers_its_distance_and_direction() -> None:
    cells = explored(0)
    for cell in np.flatnonzero(np.round(cells.direction / (np.pi / 2), 6) % 1 == 0):
        axis = np.array([np.cos(cells.direction[cell]), np.sin(cells.direction[cell])])
        gaps = np.linspace(0.0, 0.5, 51)
        drive = [cells.tuning(axis * (HALF - RADIUS - gap))[cell] for gap in gaps]
        assert abs(gaps[int(np.argmax(drive))] - cells.distance[cell]) < 0.03


def test_without_contacts_boundary_cells_are_almost_silent() -> None:
    cells = BoundaryCells(BoundaryConfig(), 0)
    assert len(cells.advance(np.zeros(2), 0.0, NOTHING, 2000)) == 0


def test_contacts_lie_ahead_of_the_bumped_sector_and_merge() -> None:
    contacts, bump = ContactMap(0.05, 4), NOTHING.copy()
    bump[2] = 1  # to the left
    for _ in range(3):
        contacts.touch(np.array([1.0, 0.0]), np.pi / 2, bump, 0.1)
    np.testing.assert_allclose(contacts.points, [[0.9, 0.0]], atol=1e-12)
    for x in range(6):
        contacts.add(np.array([float(x + 2), 0.0]))
    np.testing.assert_allclose(contacts.points[:, 0], [4.0, 5.0, 6.0, 7.0])
    squeezed = NOTHING.copy()
    squeezed[[2, 6]] = 1  # between two walls, which are two points
    contacts.touch(np.zeros(2), 0.0, squeezed, 0.1)
    np.testing.assert_allclose(contacts.points[-2:], [[0.0, 0.1], [0.0, -0.1]], atol=1e-12)


def test_spikes_are_drawn_from_the_seed() -> None:
    def fired(seed: int) -> np.ndarray:
        cells = explored(0)
        cells.key = BoundaryCells(BoundaryConfig(), seed).key
        return cells.advance(np.array([0.35, 0.0]), 0.0, NOTHING, 400)

    np.testing.assert_array_equal(fired(1), fired(1))
    assert not np.array_equal(fired(1), fired(2))


def test_impossible_cells_are_refused() -> None:
    with pytest.raises(ValueError, match="distances must be >= 0 m"):
        BoundaryConfig(distances=(-0.1,))
    with pytest.raises(ValueError, match="directions must be >= 4"):
        BoundaryConfig(directions=2)


def test_border_score_of_known_maps() -> None:
    strip = np.zeros((20, 20))
    strip[:, 0] = 1.0
    assert border_score(strip) == pytest.approx(1.0)
    middle = np.zeros((20, 20))
    middle[8:12, 8:12] = 1.0
    assert border_score(middle) == -1.0
    assert border_score(np.zeros((5, 5))) == -1.0
