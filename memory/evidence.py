"""Where a lost robot may be: recalls add evidence to rival candidates until one leads.

A single recall may be wrong, and two corners of an arena can look alike. As in models of perceptual decisions
(Gold & Shadlen 2007, Annu. Rev. Neurosci. 30:535), evidence for each candidate adds up and leaks, and one is
believed when it has reached a bound and leads its rivals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FORGOTTEN = 0.05  #: evidence below which a candidate is dropped


@dataclass(slots=True)
class Candidate:
    """Where a recall puts the robot, and the evidence for it."""

    turn: float  #: rad, by which the heading would be wrong
    place: NDArray[np.float64]  #: (2,) m
    phases: NDArray[np.float64]  #: (modules, 2) periods
    evidence: float
    chart: int = 0  #: map that it is in


class Evidence:
    """Candidates and their evidence, up to `most`; recalls within `angle` rad and `distance` m agree."""

    def __init__(self, leak: float, most: float, angle: float = 0.30, distance: float = 0.30) -> None:
        self.leak, self.most, self.angle, self.distance = leak, most, angle, distance
        self._candidates: list[Candidate] = []

    def clear(self) -> None:
        """Forget all candidates."""
        self._candidates = []

    def add(self, recalled: Candidate) -> None:
        """Let a recall speak for the candidate it agrees with, or be a new one; evidence before it leaks."""
        for candidate in self._candidates:
            candidate.evidence *= 1.0 - self.leak
        self._candidates = [c for c in self._candidates if c.evidence > FORGOTTEN]
        if recalled.evidence <= 0.0:
            return
        for k, candidate in enumerate(self._candidates):
            if self._agree(recalled.turn, recalled.place, candidate):
                # The latest recall replaces those before it: their errors are not independent, so that
                # averaging gains nothing.
                recalled.evidence = min(self.most, recalled.evidence + candidate.evidence)
                self._candidates[k] = recalled
                return
        self._candidates.append(recalled)

    def against(self, place: NDArray[np.float64]) -> float:
        """Return how far another candidate leads the one that leaves the robot at `place` (2,), m."""
        here, elsewhere = 0.0, 0.0
        for candidate in self._candidates:
            if self._agree(0.0, place, candidate):
                here = max(here, candidate.evidence)
            else:
                elsewhere = max(elsewhere, candidate.evidence)
        return elsewhere - here

    def _agree(self, turn: float, place: NDArray[np.float64], candidate: Candidate) -> bool:
        apart = abs(float(np.angle(np.exp(1j * (turn - candidate.turn)))))
        return apart < self.angle and float(np.hypot(*(place - candidate.place))) < self.distance

    def decided(self, bound: float, lead: float) -> Candidate | None:
        """Return the candidate whose evidence has reached `bound` and leads by `lead`, if there is one."""
        ranked = sorted(self._candidates, key=lambda c: -c.evidence)
        if not ranked or ranked[0].evidence < bound:
            return None
        if len(ranked) > 1 and ranked[0].evidence - ranked[1].evidence < lead:
            return None
        return ranked[0]
