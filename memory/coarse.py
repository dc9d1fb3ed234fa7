"""A coarse, displacement-invariant code of views that finds the few places worth comparing.

How much of each feature a band of rows holds, whatever the column, does not change when the head turns. Small
groups of granule cells race on random sums of it; a conjunctive cell fires where the winners of several
groups coincide. Its synapses tell which places made it fire (an inverted index), and places that share most
cells with a cue are its candidates. This is locality-sensitive hashing by winners (Yagnik, Strelow, Ross &
Lin 2011), and what the dentate gyrus is thought to do: few active cells out of many.

Were the number of cells fixed, their lists would grow with the places. Instead a cell joins one more group
whenever lists have become long: `units` times as many cells, lists as much shorter. The code is then made
anew for all places, so that a place costs the same on average however many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking.random import generator
from .growing import Rows, room_for

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CoarseConfig:
    """Granule cells, conjunctive cells and when they grow."""

    bands: int = 6  #: of rows, within which rows are not told apart
    groups: int = 192  #: of granule cells
    units: int = 8  #: granule cells a group, of which one wins
    fan_in: int = 96  #: inputs a granule cell hears
    active: int = 256  #: conjunctive cells that a view activates
    touched: int = 8000  #: synapses that a recall may touch on average before cells join one more group

    def __post_init__(self) -> None:
        for name in ("bands", "units", "fan_in", "active", "touched"):
            if getattr(self, name) < 1:
                raise ValueError(f"coarse {name} must be >= 1, got {getattr(self, name)}")
        if self.units < 2 or self.groups < 8:
            raise ValueError(f"coarse needs >= 2 units and >= 8 groups, got {self.units} and {self.groups}")

    def order(self, places: int) -> int:
        """Return how many groups a conjunctive cell joins when `places` are known."""
        order = 2
        while places * self.active > self.touched * self.units**order and order < 7:
            order += 1
        return order


class CoarseIndex:
    """Places by the conjunctive cells they activate; see the module.

    Parameters
    ----------
    config : CoarseConfig
    shape : (channels, rows, columns) of a view
    seed : of the wiring
    """

    def __init__(self, config: CoarseConfig, shape: tuple[int, int, int], seed: int = 0) -> None:
        self.config, self.shape = config, shape
        self.bands = min(config.bands, shape[1])
        inputs = shape[0] * self.bands
        rng = generator(seed, "coarse")
        units, fan = config.groups * config.units, min(config.fan_in, inputs)
        self._inputs = rng.permuted(np.tile(np.arange(inputs, dtype=np.int32), (units, 1)), axis=1)[
            :, :fan
        ].copy()
        self._weights = rng.standard_normal((units, fan)).astype(np.float32)
        joined = rng.permuted(np.tile(np.arange(config.groups), (config.active, 1)), axis=1)[:, :7]
        self._joined = joined.astype(np.int32)
        self._mean = np.zeros(inputs, np.float32)
        self.places, self.order = 0, 0
        self.rows = Rows(1)
        self._votes = np.zeros(64, np.int32)
        self._touched = np.zeros(64, np.int32)

    @property
    def nbytes(self) -> int:
        """Bytes held: synapses and wiring."""
        return self.rows.nbytes + self._votes.nbytes + self._touched.nbytes + self._weights.nbytes * 2

    def summary(self, features: NDArray[np.uint32], weights: Floats) -> Floats:
        """Return the square root of each channel's activity in each band of rows, (channels * bands,)."""
        out = np.zeros(self._mean.size, np.float32)
        _summarise(features, weights, self.shape[1], self.shape[2], self.bands, out)
        return out

    def cells(self, summary: Floats) -> Ints:
        """Return the conjunctive cells (active,) that a summary activates."""
        return _cells(
            summary - self._mean, self._inputs, self._weights, self._joined, self.order, self.config.units
        )

    def add(self, summary_of: Callable[[int], Floats]) -> None:
        """Take up the next place; `summary_of` gives the summary of any place, known ones and this."""
        self.places += 1
        order = self.config.order(self.places)
        if order == self.order:
            self.rows.append(self.cells(summary_of(self.places - 1)), self.places - 1)
            return
        summaries = np.stack([summary_of(place) for place in range(self.places)])
        self.order, self._mean = order, summaries.mean(axis=0)  # cells get used to what they always hear
        self.rows = Rows(self.config.active * self.config.units**order)
        for place, summary in enumerate(summaries):
            self.rows.append(self.cells(summary), place)

    def candidates(self, summary: Floats, count: int) -> NDArray[np.int32]:
        """Return up to `count` places that share most cells with a summary, ascending."""
        self._votes = room_for(self._votes, self.places)
        self._touched = room_for(self._touched, self.places)
        rows = self.rows
        found = _vote(
            rows.start, rows.length, rows.pool, self.cells(summary), self._votes, self._touched, count
        )
        return np.asarray(np.sort(found))


@njit(cache=True)
def _summarise(
    features: NDArray[np.uint32], weights: Floats, rows: int, columns: int, bands: int, out: Floats
) -> None:
    for k in range(features.size):
        place = np.int64(features[k]) // columns
        channel, row = place // rows, place % rows
        out[channel * bands + row * bands // rows] += weights[k]
    for i in range(out.size):
        out[i] = np.sqrt(out[i])


@njit(cache=True)
def _cells(
    drive: Floats,
    inputs: NDArray[np.int32],
    weights: Floats,
    joined: NDArray[np.int32],
    order: int,
    units: int,
) -> Ints:
    groups = inputs.shape[0] // units
    winner = np.empty(groups, np.int64)
    total = np.empty(units, np.float32)
    for g in range(groups):
        total[:] = 0.0
        for s in range(inputs.shape[1]):
            for u in range(units):  # side by side: sums that do not wait for each other, in a fixed order
                total[u] += weights[g * units + u, s] * drive[inputs[g * units + u, s]]
        winner[g] = total.argmax()
    out = np.empty(joined.shape[0], np.int64)
    for c in range(joined.shape[0]):
        cell = c
        for k in range(order):
            cell = cell * units + winner[joined[c, k]]
        out[c] = cell
    return out


@njit(cache=True)
def _vote(
    start: Ints,
    length: NDArray[np.int32],
    pool: NDArray[np.int32],
    cells: Ints,
    votes: NDArray[np.int32],
    touched: NDArray[np.int32],
    count: int,
) -> NDArray[np.int32]:
    """Return the `count` places with most votes; `votes` is 0 before and after."""
    n, tally = 0, np.zeros(cells.size + 1, np.int64)
    for c in cells:
        for s in range(start[c], start[c] + length[c]):
            place = pool[s]
            if votes[place] == 0:
                touched[n] = place
                n += 1
            votes[place] += 1
    for k in range(n):
        tally[votes[touched[k]]] += 1
    bar, above = cells.size + 1, 0
    while bar > 1 and above + tally[bar - 1] <= count:
        bar -= 1
        above += tally[bar]
    out, kept, level = np.empty(min(count, n), np.int32), 0, count - above
    for k in range(n):
        place = touched[k]
        if votes[place] >= bar:
            out[kept] = place
            kept += 1
        elif votes[place] == bar - 1 and level > 0:
            out[kept] = place
            kept += 1
            level -= 1
        votes[place] = 0
    return out[:kept]
