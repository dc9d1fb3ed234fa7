"""A memory that knows a straight way, for tests of what makes use of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tolman.memory.config import MemoryConfig
from tolman.memory.spatial import SpatialMemory

Floats = NDArray[np.float32]


def corridor(n: int) -> Floats:
    """Links (n, n) of places in a row."""
    near = np.zeros((n, n), np.float32)
    near[np.arange(n - 1), np.arange(1, n)] = 0.3
    return near


def known_corridor(places: int = 12, spacing: float = 0.12) -> SpatialMemory:
    """A memory that has learned a straight way along x, and stands at its beginning."""
    memory = SpatialMemory(MemoryConfig(), 4, np.zeros(8), 0)
    memory.start()
    for cell in range(places):
        memory.place.recruit(
            np.eye(1, memory.rates.size, cell, dtype=np.float32)[0],
            np.ones(memory.rates.size, np.float32), np.zeros(memory.config.ca3.neurons, np.float32),
            np.array([cell * spacing, 0.0]),
        )  # fmt: skip
    memory.place.links.near[:places, :places] = corridor(places) + 0.1 * np.roll(corridor(places), 1, axis=1)
    memory.place.links.near[:, 0] = 0.0
    memory.place.activity[0] = 40.0
    memory.charts.lived[0] = 100.0
    return memory
