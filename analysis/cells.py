"""Rate maps and scores of whole populations of cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .grid_scores import autocorrelograms, grid_scales, gridness
from .place_scores import place_scores
from .rate_maps import Bins, occupancy, rate_maps, spike_counts

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CellMaps:
    """What a population does by place."""

    bins: Bins
    seconds: Floats  #: (rows, columns) s
    rate: Floats  #: (cells, rows, columns) Hz, NaN where unvisited
    spikes: NDArray[np.int64]  #: (cells,)

    @property
    def peak(self) -> Floats:
        """(cells,) highest rate, Hz."""
        return np.asarray(np.nan_to_num(self.rate, nan=0.0).reshape(len(self.rate), -1).max(axis=1))

    @property
    def field_centre(self) -> Floats:
        """(cells, 2) m: where each cell fires most."""
        flat = np.nan_to_num(self.rate, nan=-1.0).reshape(len(self.rate), -1).argmax(axis=1)
        x, y = self.bins.centres
        return np.column_stack((x[flat % self.bins.columns], y[flat // self.bins.columns]))


def cell_maps(
    bins: Bins,
    positions: Floats,
    dt: float,
    spike_cell: NDArray[np.integer],
    spike_step: NDArray[np.integer],
    n: int,
) -> CellMaps:
    """Map `n` cells from samples `positions` (steps, 2) of `dt` s and spikes (cell, step), each (k,)."""
    seconds = occupancy(bins, positions, dt)
    counts = spike_counts(bins, positions[spike_step], spike_cell, n)
    spikes = np.bincount(spike_cell.astype(np.int64), minlength=n).astype(np.int64)
    return CellMaps(bins, seconds, rate_maps(counts, seconds, bins), spikes)


def information(maps: CellMaps) -> Floats:
    """Spatial information of each cell in bits per spike (cells,)."""
    return place_scores(maps.rate, maps.seconds).bits_per_spike


def gridness_scores(maps: CellMaps, cells: Sequence[int] | NDArray[np.integer]) -> tuple[Floats, Floats]:
    """Gridness ("minmax") and grid scale in m of each of `cells`, each (n,)."""
    correlograms = autocorrelograms(maps.rate[np.asarray(cells, np.int64)])
    return gridness(correlograms)[0], grid_scales(correlograms, maps.bins.size)


def best_cells(maps: CellMaps, n: int, least_spikes: int = 50) -> NDArray[np.int64]:
    """Return up to `n` cells that fire enough: informative ones, spread over the arena.

    Showing the `n` best alone would show neighbours with almost the same field.
    """
    enough = np.flatnonzero(maps.spikes >= least_spikes)
    if enough.size <= n:
        return enough
    score = information(maps)[enough]
    centre = maps.field_centre[enough]
    chosen = [int(np.argmax(score))]
    distance = np.hypot(*(centre - centre[chosen[0]]).T)
    while len(chosen) < n:
        merit = np.minimum(distance, 0.4) * (0.1 + score)
        merit[chosen] = -1.0
        chosen.append(int(np.argmax(merit)))
        distance = np.minimum(distance, np.hypot(*(centre - centre[chosen[-1]]).T))
    return np.asarray(enough[np.array(chosen)])
