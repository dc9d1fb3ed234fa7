"""What recalls of a robot that looks for itself amount to: it is here, elsewhere, or nowhere known.

Each recall speaks for the place that it brings back (`evidence`). What is missing to a plain recall adds up
as unfamiliarity. A robot that believes it knows where it is has path integration on its side, and asks for
more.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .config import CorrectionConfig
from .conflict import ConflictConfig, ConflictMonitor, Held, Seen
from .conflict_race import Decision, RaceConfig
from .evidence import Candidate, Evidence
from .poses import wrap

Doubles = NDArray[np.float64]


class Finding(Enum):
    """What a search has come to."""

    HERE = "here"  #: the recall means the place where the robot holds itself
    ELSEWHERE = "elsewhere"  #: the last recall is to be believed against it
    STRANGE = "strange"  #: nothing here is familiar
    OPEN = "open"


class Search:
    """Call `judge` with each recall; `clear` when the robot has found itself or is carried."""

    def __init__(self, config: CorrectionConfig, cells: RaceConfig | None = None, seed: int = 0) -> None:
        self.config = config
        self._monitor = None if cells is None else ConflictMonitor(ConflictConfig(race=cells), seed)
        self._evidence = Evidence(config.leak, config.most)
        self._unfamiliar = 0.0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that last: how far the noise of the cells that decide has been drawn."""
        return {} if self._monitor is None else self._monitor.arrays()

    def reseed(self, seed: int) -> None:
        """Draw that noise from the streams of `seed`."""
        if self._monitor is not None:
            self._monitor.reseed(seed)

    def clear(self) -> None:
        """Forget what earlier recalls said."""
        self._evidence.clear()
        self._unfamiliar = 0.0
        if self._monitor is not None:
            self._monitor.clear()

    def recognised(self) -> None:
        """Take note that something here is familiar."""
        self._unfamiliar = 0.0

    def conflict(self, place: Doubles) -> float:
        """Return how far recalls of elsewhere lead those of the held `place` (2,), m, in plain recalls."""
        if self._monitor is not None:
            agree, displaced, unknown = self._monitor.race.evidence
            return displaced - max(agree, unknown)
        return self._evidence.against(place)

    def judge(self, recalled: Candidate, held: Candidate | None, sure: bool) -> Finding:
        """Let a recall speak.

        `held` is where the robot holds itself, `None` for one that is lost; its evidence counts for nothing.
        `sure` says whether it has long been there.
        """
        config = self.config
        if held is not None and self._monitor is not None:
            return self._by_cells(self._monitor, recalled, held)
        if held is not None and self._same(recalled, held, sure):
            self._evidence.add(Candidate(0.0, held.place, held.phases, recalled.evidence, held.chart))
            return Finding.HERE
        said = recalled.evidence
        self._evidence.add(recalled)
        bound = config.bound * (1.0 if held is None else config.stubborn)
        if self._evidence.decided(bound, config.lead) is recalled:
            self._evidence.clear()
            return Finding.ELSEWHERE
        self._unfamiliar += (1.0 - min(1.0, max(0.0, said))) - config.leak * self._unfamiliar
        wary = 1.0 if held is None else config.wary
        return Finding.STRANGE if self._unfamiliar > config.unfamiliar * wary else Finding.OPEN

    def _by_cells(self, monitor: ConflictMonitor, recalled: Candidate, held: Candidate) -> Finding:
        """Let congruent and opposite cells hear where the recall puts the robot and where it holds itself."""
        modules = monitor.config.modules
        strength = min(1.0, max(0.0, recalled.evidence))
        seen = Seen(recalled.turn, recalled.phases[-modules:], strength, strength)
        verdict = monitor.judge(seen, Held(0.0, held.phases[-modules:]))
        if verdict.decision is Decision.NEW_MAP:
            return Finding.STRANGE
        apart = abs(wrap(recalled.turn - verdict.turn))
        if verdict.decision is Decision.REANCHOR and apart < self.config.same_heading:
            monitor.clear()
            return Finding.ELSEWHERE
        return Finding.HERE if verdict.agreement > 0.5 else Finding.OPEN

    def _same(self, recalled: Candidate, held: Candidate, sure: bool) -> bool:
        wide = 1.0 if sure else self.config.unsure
        off = float(np.hypot(*(recalled.place - held.place)))
        return abs(recalled.turn) < wide * self.config.same_heading and off < wide * self.config.same_place
