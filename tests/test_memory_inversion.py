"""The pose that drives a cell most is where the cell was recruited."""

from __future__ import annotations

import numpy as np
import pytest
from tolman.memory.config import MemoryConfig
from tolman.memory.inversion import Inversion
from tolman.memory.spatial import SpatialMemory


@pytest.fixture(scope="module")
def lived() -> tuple[SpatialMemory, list[np.ndarray]]:
    """Drive in the dark along a spiral; return the memory and where each place cell was recruited."""
    bands, bins = 16, 72
    memory = SpatialMemory(MemoryConfig(), bands, np.arange(bins) * 2 * np.pi / bins, seed=1)
    memory.start()
    dark, where = np.zeros(bands * bins, np.float32), []
    for k in range(700):
        memory.advance(dark, False, 0.25, 1.2 - k * 0.0012)
        memory.decoder.visit(memory.position)
        while len(where) < memory.place.used:
            where.append(memory.position.copy())
    return memory, where


def test_place_cells_are_driven_most_where_they_were_recruited(lived: tuple[SpatialMemory, list]) -> None:
    memory, where = lived
    assert len(where) > 10
    inversion = Inversion(memory, seed=0)
    off = []
    for cell in range(3, len(where), max(1, len(where) // 4)):
        found = inversion.place_cell(cell)
        assert found.rate > 5.0
        off.append(float(np.hypot(*(found.pose - where[cell]))))
    assert np.median(off) < 0.12
    assert max(off) < 0.3


def test_a_grid_cell_is_driven_at_its_phase_and_a_heading_cell_by_its_direction(
    lived: tuple[SpatialMemory, list],
) -> None:
    memory, _ = lived
    inversion = Inversion(memory, seed=0)
    sheet, phases = memory.grids[1], memory.config.grid.phases
    cell = 5 * phases + 9
    off = sheet.phase_of(inversion.grid_cell(1, cell).pose) - np.array([9, 5]) / phases
    assert np.abs(off - np.round(off)).max() < 0.08
    ring = memory.heading
    found = inversion.heading_cell(100)
    assert abs(np.angle(np.exp(1j * (found.pose[0] - ring.phase[100])))) < 0.15


def test_cells_that_are_not_there_are_refused(lived: tuple[SpatialMemory, list]) -> None:
    inversion = Inversion(lived[0])
    with pytest.raises(ValueError, match="not recruited"):
        inversion.place_cell(10_000)
    with pytest.raises(ValueError, match="grid cell"):
        inversion.grid_cell(0, -1)
    with pytest.raises(ValueError, match="heading cell"):
        inversion.heading_cell(99_999)
