"""What the robot lived lately, kept for replay: which place cells fired, and which way it went.

Hippocampal replay re-enacts paths backwards right after reward (Foster & Wilson 2006) and, in rest, paths of
long ago (Karlsson & Frank 2009). Kept are the spikes themselves, period by period; the oldest are forgotten.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SLOTS = 24  #: place spikes kept of a control period


class Stretch(NamedTuple):
    """Part of one way, the latest period first."""

    cells: NDArray[np.int16]  #: (n, SLOTS) place cells that fired
    times: NDArray[np.uint8]  #: (n, SLOTS) ms within the period, ascending
    counts: NDArray[np.uint8]  #: (n,) spikes of the period
    course: NDArray[np.float32]  #: (n,) rad, direction of travel in the map's frame


class Experience:
    """The last `periods` control periods in which the robot moved; a way is what lies between two carries."""

    def __init__(self, periods: int) -> None:
        if periods < 1:
            raise ValueError(f"experience must hold >= 1 period, got {periods}")
        self.periods = periods
        self.cells = np.zeros((periods, SLOTS), np.int16)
        self.times = np.zeros((periods, SLOTS), np.uint8)
        self.counts = np.zeros(periods, np.uint8)
        self.course = np.zeros(periods, np.float32)
        self.way = np.full(periods, -1, np.int32)
        self.noted = np.zeros(2, np.int64)  # periods noted so far, ways begun so far

    @property
    def size(self) -> int:
        """Periods kept."""
        return int(min(self.noted[0], self.periods))

    def begin(self) -> None:
        """Begin a new way."""
        self.noted[1] += 1

    def note(self, spikes: NDArray[np.int32], course: float) -> None:
        """Keep one period: place spikes (k, 2) of (ms, cell), ascending in time, and the course in rad."""
        at = int(self.noted[0] % self.periods)
        kept = spikes[:SLOTS]
        self.times[at, : len(kept)] = kept[:, 0]
        self.cells[at, : len(kept)] = kept[:, 1]
        self.counts[at] = len(kept)
        self.course[at] = course
        self.way[at] = self.noted[1]
        self.noted[0] += 1

    def forget(self, cells: NDArray[np.integer]) -> None:
        """Take the spikes of place `cells` out of what is kept: they are dead."""
        for at in range(self.size):
            count = self.counts[at]
            alive = ~np.isin(self.cells[at, :count], cells)
            self.counts[at] = left = np.count_nonzero(alive)
            self.cells[at, :left] = self.cells[at, :count][alive]
            self.times[at, :left] = self.times[at, :count][alive]

    def latest(self, periods: int) -> Stretch:
        """Return the end of the present way, at most `periods` long; empty when it has not moved yet."""
        last = int(self.noted[0]) - 1
        if last < 0 or self.way[last % self.periods] != self.noted[1]:
            return self._stretch(last, 0)
        return self._stretch(last, periods)

    def sample(self, rng: np.random.Generator, periods: int) -> Stretch:
        """Return a stretch of at most `periods` that ends anywhere in what is kept, drawn with `rng`."""
        if self.size == 0:
            return self._stretch(0, 0)
        return self._stretch(int(self.noted[0]) - 1 - int(rng.integers(self.size)), periods)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays."""
        return {
            "cells": self.cells,
            "times": self.times,
            "counts": self.counts,
            "course": self.course,
            "way": self.way,
            "noted": self.noted,
        }

    def _stretch(self, last: int, periods: int) -> Stretch:
        oldest = int(self.noted[0]) - self.size
        index = np.arange(last, max(last - periods, oldest - 1), -1) % self.periods
        if len(index):
            index = index[: int(np.argmin(np.append(self.way[index] == self.way[index[0]], False)))]
        return Stretch(self.cells[index], self.times[index], self.counts[index], self.course[index])
