"""Three accounts of what recalled views say race: they agree, they are displaced, or nothing is familiar.

    agree      the recall lies where the robot holds itself
    displaced  it does not, but its displacement is that of earlier cycles: the robot was carried, or drifted
    unknown    neither: nothing is familiar here, or recalls contradict each other

One cycle may mislead; as for a lost robot (`memory.evidence`), evidence adds up and leaks (Gold & Shadlen
2007). A moved landmark, of which only part of the views tell, feeds `displaced` and `agree` in turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .grid import LATTICE

Doubles = NDArray[np.float64]
LATEST = 0.3  #: share of the latest cycle in a displacement
FORGOTTEN = 0.30  #: evidence below which a displacement is dropped
_FROM_PLANE = np.linalg.inv(LATTICE)


class Decision(Enum):
    """What to do with what the recall says."""

    AGREE = "agree"  #: pull ring and sheets towards it by the weights
    REANCHOR = "re-anchor"  #: believe vision: jump by the displacement
    NEW_MAP = "new map"  #: nothing here is familiar


@dataclass(frozen=True, slots=True)
class RaceConfig:
    """Evidence counts theta cycles that speak plainly."""

    tolerance_heading: float = 0.22  #: rad, standard deviation of recalls that are right
    tolerance_phase: float = 0.09  #: periods, likewise
    outliers: float = 0.05  #: share of cycles in which one cause may look like two
    leak: float = 0.03  #: share of the evidence lost from one cycle to the next
    most: float = 8.0  #: evidence for agreement that is kept: how long a good past holds off a jump
    bound: float = 6.0  #: evidence at which a displacement is believed
    lead: float = 4.0  #: by which it must exceed the other accounts
    bound_unknown: float = 9.0  #: evidence at which a new map is begun

    def __post_init__(self) -> None:
        for name in ("tolerance_heading", "tolerance_phase", "most", "bound", "bound_unknown"):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"conflict {name} must be > 0, got {getattr(self, name)}")
        for name in ("outliers", "leak"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(f"conflict {name} must be in (0, 1), got {getattr(self, name)}")
        if self.lead < 0.0:
            raise ValueError(f"conflict lead must be >= 0, got {self.lead}")


@dataclass(slots=True)
class Displacement:
    """By how much what is seen lies off what is held, and the evidence for it."""

    turn: float  #: rad
    shift: Doubles  #: (modules, 2) periods
    evidence: float

    def move(self, by: Doubles) -> None:
        """Follow the phases' change `by` (modules, 2): with a wrong heading, sheets go astray."""
        turn = np.array([[np.cos(self.turn), np.sin(self.turn)], [-np.sin(self.turn), np.cos(self.turn)]])
        self.shift = self.shift + by @ LATTICE @ turn @ _FROM_PLANE - by

    def approach(self, turn: float, shift: Doubles) -> None:
        """Take in another cycle's displacement: the noise of the cells is another in each."""
        self.turn += LATEST * float(np.angle(np.exp(1j * (turn - self.turn))))
        off = shift - self.shift
        self.shift = self.shift + LATEST * (off - np.round(off))


class Race:
    """Call `add` once a theta cycle, then `decision`."""

    def __init__(self, config: RaceConfig) -> None:
        self.config = config
        self.clear()

    def clear(self) -> None:
        """Forget all evidence."""
        self.agree, self.unknown = 0.0, 0.0
        self._displaced: list[Displacement] = []

    @property
    def leader(self) -> Displacement | None:
        """The displacement that has most evidence."""
        return max(self._displaced, key=lambda d: d.evidence, default=None)

    @property
    def evidence(self) -> tuple[float, float, float]:
        """Evidence for agree, for the displacement that leads, and for unknown."""
        leader = self.leader
        return self.agree, 0.0 if leader is None else leader.evidence, self.unknown

    def same_heading(self, turn: float, recalls: int = 1) -> float:
        """Return the belief that headings `turn` rad apart are one; the errors of `recalls` add up in it."""
        return _same_heading(turn, self.config.tolerance_heading * recalls**0.5, self.config.outliers)

    def same_place(self, shift: Doubles, recalls: int = 1) -> float:
        """Return the belief that phases `shift` (modules, 2) periods apart are one; likewise."""
        return _same_place(shift, self.config.tolerance_phase * recalls**0.5, self.config.outliers)

    def add(self, turn: float, shift: Doubles, known: float, moved: Doubles) -> float:
        """Let a cycle speak for an account; return the belief that the recall and the held pose are one.

        Parameters
        ----------
        turn, shift : what is seen less what is held, rad and (modules, 2) periods
        known : [0, 1], how familiar the view is
        moved : (modules, 2) periods by which the held phases have changed since the last cycle
        """
        config, keep = self.config, 1.0 - self.config.leak
        agreement = min(self.same_heading(turn), self.same_place(shift))
        for candidate in self._displaced:
            candidate.evidence *= keep
            candidate.move(moved)
        self._displaced = [c for c in self._displaced if c.evidence > FORGOTTEN]
        alike, matched = 0.0, None
        for candidate in self._displaced:
            belief = min(
                self.same_heading(turn - candidate.turn, 2), self.same_place(shift - candidate.shift, 2)
            )
            if belief > max(alike, 0.5):
                alike, matched = belief, candidate
        if agreement < 0.5:
            speaks = known * (1.0 - agreement)
            if matched is not None:
                matched.evidence += speaks * alike
                matched.approach(turn, shift)
            else:
                self._displaced.append(Displacement(turn, shift, speaks))
        self.agree = min(config.most, keep * self.agree + known * agreement)
        self.unknown = keep * self.unknown + 1.0 - known * max(agreement, alike)
        return agreement

    def decision(self) -> Decision:
        """Return what the evidence amounts to."""
        config, leader = self.config, self.leader
        agree, displaced, unknown = self.evidence
        rivals = [agree, unknown, *(d.evidence for d in self._displaced if d is not leader)]
        if displaced >= config.bound and displaced - max(rivals) >= config.lead:
            return Decision.REANCHOR
        if unknown >= config.bound_unknown and unknown - max(agree, displaced) >= config.lead:
            return Decision.NEW_MAP
        return Decision.AGREE


# Beliefs that differences are noise about 0, against differences that are uniform.
@njit(cache=True)
def _same_heading(turn: float, tolerance: float, outliers: float) -> float:
    sharpness = 1.0 / tolerance**2
    density = np.exp(sharpness * (np.cos(turn) - 1.0)) * np.sqrt(2.0 * np.pi * sharpness)
    return float(1.0 / (1.0 + 1.0 / ((1.0 - outliers) * density + outliers)))


@njit(cache=True)
def _same_place(shift: Doubles, tolerance: float, outliers: float) -> float:
    # Three waves of two variables. Modules hear the same recall: the mean of their log odds counts.
    turn = 2.0 * np.pi
    sharpness, odds = 1.0 / (turn * tolerance) ** 2, 0.0
    for k in range(len(shift)):
        u, v = turn * shift[k, 0], turn * shift[k, 1]
        apart = (np.cos(u) + np.cos(v) + np.cos(u + v)) / 3.0 - 1.0
        density = turn * sharpness * np.exp(2.0 * sharpness * apart)
        odds += np.log((1.0 - outliers) * density + outliers) / len(shift)
    return float(1.0 / (1.0 + np.exp(-odds)))


def one_cause_reference(apart: Doubles, tolerance: float, outliers: float) -> float:
    """NumPy twin of both: angles `apart` (modules, waves), rad, and their `tolerance`, rad."""
    dimensions = 1.0 if apart.shape[1] == 1 else 2.0
    sharpness = 1.0 / tolerance**2
    density = np.exp(sharpness * dimensions * (np.cos(apart) - 1.0).mean(axis=1))
    density *= (2.0 * np.pi * sharpness) ** (0.5 * dimensions)
    odds = np.log((1.0 - outliers) * density + outliers)
    return float(1.0 / (1.0 + np.exp(-odds.mean())))
