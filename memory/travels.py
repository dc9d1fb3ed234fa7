"""How far and how long it was from place to place: what path integration says of every transition lived.

The place is that of the leading place cell, smoothed and with hysteresis, or noise would make the leader
flicker (docs/learning.md). A stay's centre is where its leader fired on average; a transition is measured
from centre to centre, so wide fields cost no accuracy along the way. Across it they do: a robot that slips
from one lane into the next passes both fields near their common border, and each such step is measured too
short. What lies several places apart suffers less, so displacements are kept over longer spans, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TravelConfig:
    """Who leads, and for how long a transition is believed."""

    enabled: bool = True
    tau: float = 0.200  #: s over which spikes are counted
    lead: float = 1.15  #: times the leader's count from which on another takes over
    least: float = 1.0  #: spikes without which nobody leads
    gap: float = 2.0  #: s between two centres beyond which the transition is not noted
    span: float = 6.0  #: s between two centres up to which their displacement is noted
    spans: int = 16  #: stays before the present one to which it is related

    def __post_init__(self) -> None:
        if self.tau <= 0.0 or self.gap <= 0.0:
            raise ValueError(f"travels tau and gap must be > 0 s, got {self.tau} and {self.gap}")
        if self.spans < 1:
            raise ValueError(f"travels spans must be >= 1, got {self.spans}")
        if self.lead < 1.0:
            raise ValueError(f"travels lead must be >= 1, got {self.lead}")


class Travels:
    """Sums over the transitions lived among `cells` places."""

    def __init__(self, config: TravelConfig, cells: int) -> None:
        self.config, self.cells = config, cells
        #: (cells, cells, 5): transitions; sums of x and y (m, map's frame), of length (m) and time (s)
        self.sums = np.zeros((cells, cells, 5), np.float32)
        #: (cells, cells, 3): how often one came after the other within `span`; sums of x and y (m) between
        self.relations = np.zeros((cells, cells, 3), np.float32)
        self.counts = np.zeros(cells, np.float32)  # smoothed spikes
        self.odometer = np.zeros(4)  # x, y, length, time since the way began
        self.stay = np.zeros(5)  # spikes of the present leader, and its sums over the odometer
        self.before = np.zeros((config.spans, 4))  # centres of the last stays, the latest first
        self.leaders = np.full(1 + config.spans, -1, np.int64)  # at present, before

    def begin(self) -> None:
        """Begin a new way: no transition leads from the last one to it."""
        for array in (self.counts, self.odometer, self.stay, self.before):
            array[:] = 0.0
        self.leaders[:] = -1

    def note(self, spikes: NDArray[np.int32], velocity: Doubles, seconds: float) -> None:
        """Live `seconds` with place spikes (k, 2) of (ms, cell) at `velocity` (2,), m/s, map's frame."""
        if not self.config.enabled:
            return
        self.odometer += np.array([*velocity, float(np.hypot(*velocity)), 1.0]) * seconds
        self.counts *= np.float32(np.exp(-seconds / self.config.tau))
        np.add.at(self.counts, spikes[:, 1], np.float32(1.0))
        present, best = int(self.leaders[0]), int(np.argmax(self.counts))
        if self.counts[best] < self.config.least:
            return
        if best != present and (present < 0 or self.counts[best] > self.config.lead * self.counts[present]):
            self._leave()
            self.leaders[0] = best
        heard = float(np.count_nonzero(spikes[:, 1] == self.leaders[0]))
        self.stay[0] += heard
        self.stay[1:] += heard * self.odometer

    def _leave(self) -> None:
        present, last = int(self.leaders[0]), int(self.leaders[1])
        if present < 0 or self.stay[0] == 0.0:
            return
        centre = self.stay[1:] / self.stay[0]
        moved = centre - self.before
        if last >= 0 and last != present and moved[0, 3] < self.config.gap:
            self.sums[last, present, 0] += 1.0
            self.sums[last, present, 1:] += moved[0]
        for cell, (x, y, _, time) in zip(self.leaders[1:], moved, strict=True):
            if cell >= 0 and cell != present and time < self.config.span:
                self.relations[cell, present] += np.array([1.0, x, y], np.float32)
        self.before[1:], self.leaders[2:] = self.before[:-1].copy(), self.leaders[1:-1].copy()
        self.before[0], self.leaders[1] = centre, present
        self.stay[:] = 0.0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays."""
        return {
            "sums": self.sums, "relations": self.relations, "counts": self.counts,
            "odometer": self.odometer, "stay": self.stay,
            "before": self.before, "leaders": self.leaders,
        }  # fmt: skip
