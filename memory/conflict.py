"""Whether a recalled view and path integration speak of one pose: when to pull, to jump, to map anew.

Once a theta cycle the network of congruent and opposite cells hears where the recall puts the robot and where
ring and sheets hold it. Congruent and opposite cells together tell what either cue says, and so how far apart
both are; from that comes the belief that they have one cause (Koerding et al. 2007, PLoS ONE 2:e943). One
cycle may mislead; as for a lost robot (`memory.evidence`), three accounts race and leak:

    agree      the recall lies where the robot holds itself
    displaced  it does not, but its displacement is that of earlier cycles: the robot was carried, or drifted
    unknown    neither: nothing is familiar here, or recalls contradict each other

A moved landmark, of which only part of the views tell, feeds `displaced` and `agree` in turn: no jump.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from .cue_code import RingCode, TorusCode
from .cue_integration import CueConfig, CueNetwork

Doubles = NDArray[np.float64]
FORGOTTEN = 0.05  #: evidence below which a displacement is dropped


class Decision(Enum):
    """What to do with what the recall says."""

    AGREE = "agree"  #: pull ring and sheets towards it by the weights
    REANCHOR = "re-anchor"  #: believe vision: jump by the displacement
    NEW_MAP = "new map"  #: nothing here is familiar


@dataclass(frozen=True, slots=True)
class ConflictConfig:
    """The race. Evidence counts theta cycles that speak plainly."""

    modules: int = 2  #: grid modules that are listened to
    steps: int = 120  #: ms of a theta cycle in which the networks run
    heading: CueConfig = field(default_factory=lambda: CueConfig(RingCode(), decide=False))
    place: CueConfig = field(default_factory=lambda: CueConfig(TorusCode(), decide=False))
    highest: float = 80.0  #: Hz, of the cells that carry a cue of strength 1
    tolerance_heading: float = 0.20  #: rad, standard deviation of recalls that are right
    tolerance_phase: float = 0.08  #: periods, likewise
    outliers: float = 0.05  #: share of cycles in which one cause may look like two
    familiar: float = 0.30  #: strength of a recall from which on the view counts as familiar
    leak: float = 0.05  #: share of the evidence lost from one cycle to the next
    most: float = 6.0  #: evidence that an account can have
    bound: float = 3.5  #: evidence at which an account is believed
    lead: float = 2.0  #: by which it must exceed the others

    def __post_init__(self) -> None:
        for name in ("modules", "steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"conflict {name} must be >= 1, got {getattr(self, name)}")
        for name in ("highest", "tolerance_heading", "tolerance_phase", "familiar", "bound"):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"conflict {name} must be > 0, got {getattr(self, name)}")
        for name in ("outliers", "leak"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(f"conflict {name} must be in (0, 1), got {getattr(self, name)}")
        if self.most < self.bound:
            raise ValueError(f"conflict most must be >= bound {self.bound}, got {self.most}")


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a recall puts the robot. A strength in [0, 1] says how reliable it is, 0 that there is none."""

    heading: float  #: rad
    phases: Doubles  #: (modules, 2) periods
    heading_strength: float
    place_strength: float

    def __post_init__(self) -> None:
        for name in ("heading_strength", "place_strength"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Held:
    """Where ring and sheets hold the robot, and how reliable that is, [0, 1]."""

    heading: float  #: rad
    phases: Doubles  #: (modules, 2) periods
    strength: float = 0.75

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:
            raise ValueError(f"strength must be in [0, 1], got {self.strength}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a theta cycle says."""

    decision: Decision
    heading_weight: float  #: [0, 1], of vision against path integration, times the belief in one cause
    place_weight: float  #: likewise
    heading_conflict: float  #: opposite against congruent activity, [-1, 1], -1: agreement
    place_conflict: float  #: likewise, mean over modules
    agreement: float  #: [0, 1], belief that heading and place of this recall are the held ones
    turn: float  #: rad, displacement of the heading that leads; 0 where none does
    shift: Doubles  #: (modules, 2) periods, likewise
    evidence: tuple[float, float, float]  #: for agree, displaced and unknown


@dataclass(slots=True)
class _Displaced:
    turn: float
    shift: Doubles  #: (modules, 2)
    evidence: float


class ConflictMonitor:
    """Call `judge` once a theta cycle, and `clear` after a jump or when the robot was carried knowingly."""

    def __init__(self, config: ConflictConfig, seed: int) -> None:
        self.config = config
        self.heading = CueNetwork(config.heading, seed, "conflict_heading")
        self.places = [CueNetwork(config.place, seed, f"conflict_place_{k}") for k in range(config.modules)]
        self.clear()

    def clear(self) -> None:
        """Forget all evidence."""
        self._agree, self._unknown = 0.0, 0.0
        self._displaced: list[_Displaced] = []
        for network in (self.heading, *self.places):
            network.clear()

    @property
    def evidence(self) -> tuple[float, float, float]:
        """Evidence for agree, for the displacement that leads, and for unknown."""
        return self._agree, max((d.evidence for d in self._displaced), default=0.0), self._unknown

    def judge(self, seen: Seen, held: Held) -> Verdict:
        """Take what one theta cycle brought; phases are those of the modules listened to.

        Raises
        ------
        ValueError
            If phases do not have the shape (modules, 2).
        """
        config = self.config
        for phases in (seen.phases, held.phases):
            if np.shape(phases) != (config.modules, 2):
                raise ValueError(f"phases must have shape ({config.modules}, 2), got {np.shape(phases)}")
        heading, heading_conflict = self._hear(
            self.heading,
            np.array([seen.heading]),
            np.array([held.heading]),
            seen.heading_strength,
            held.strength,
        )
        places, conflicts = [], []
        for network, theirs, ours in zip(self.places, seen.phases, held.phases, strict=True):
            single, conflict = self._hear(network, theirs, ours, seen.place_strength, held.strength)
            places.append(single)
            conflicts.append(conflict)
        place = np.stack(places)  # (modules, 2, waves)
        turn, turns = heading[0] * heading[1].conj(), place[:, 0] * place[:, 1].conj()
        same_heading = self._one_cause(np.angle(turn)[None], config.tolerance_heading)
        same_place = self._one_cause(np.angle(turns), 2.0 * np.pi * config.tolerance_phase)
        agreement = min(same_heading, same_place)
        shift = np.angle(turns[:, :2]) / (2.0 * np.pi)
        known = min(1.0, min(seen.heading_strength, seen.place_strength) / config.familiar)
        leader = self._race(agreement, known, float(np.angle(turn[0])), shift)
        return Verdict(
            self._decide(leader),
            same_heading * _share(heading),
            same_place * _share(place.transpose(1, 0, 2)),
            heading_conflict,
            float(np.mean(conflicts)),
            agreement,
            0.0 if leader is None else leader.turn,
            np.zeros_like(shift) if leader is None else leader.shift,
            self.evidence,
        )

    def _hear(
        self, network: CueNetwork, seen: Doubles, held: Doubles, seen_strength: float, held_strength: float
    ) -> tuple[NDArray[np.complex128], float]:
        """Return what each cue says (2, waves), as read from the rings, and the conflict."""
        highest = self.config.highest
        cues = np.stack(
            [network.cue(seen, highest * seen_strength), network.cue(held, highest * held_strength)]
        )
        rings = network.vectors(network.advance(cues, self.config.steps))[2:6]
        return network.single(rings), conflict(rings)

    def _one_cause(self, apart: Doubles, tolerance: float) -> float:
        """Return the belief that angles `apart` (modules, waves), rad, are noise of `tolerance` about 0.

        Against it stands a difference that is uniform. A ring's wave is one variable, a torus's three are
        two. Modules hear the same recall: their mean counts.
        """
        waves = apart.shape[1]
        dimensions = 1.0 if waves == 1 else 2.0
        sharpness = 1.0 / tolerance**2
        density = np.exp(sharpness * dimensions * (np.cos(apart) - 1.0).mean(axis=1))
        density *= (2.0 * np.pi * sharpness) ** (0.5 * dimensions)
        odds = np.log((1.0 - self.config.outliers) * density + self.config.outliers)
        return float(1.0 / (1.0 + np.exp(-odds.mean())))

    def _race(self, agreement: float, known: float, turn: float, shift: Doubles) -> _Displaced | None:
        """Let the cycle speak for an account; return the displacement that leads."""
        config = self.config
        keep = 1.0 - config.leak
        for candidate in self._displaced:
            candidate.evidence *= keep
        self._displaced = [c for c in self._displaced if c.evidence > FORGOTTEN]
        alike, matched = 0.0, None
        for candidate in self._displaced:
            apart = min(
                self._one_cause(np.array([[turn - candidate.turn]]), config.tolerance_heading),
                self._one_cause(
                    2.0 * np.pi * _waves(shift - candidate.shift), 2.0 * np.pi * config.tolerance_phase
                ),
            )
            if apart > max(alike, 0.5):
                alike, matched = apart, candidate
        speaks = known * (1.0 - agreement)
        if matched is not None and agreement < 0.5:
            # The latest displacement replaces those before it: with a wrong heading, the place's moves on.
            matched.evidence = min(config.most, matched.evidence + speaks * alike)
            matched.turn, matched.shift = turn, shift
        elif agreement < 0.5 and speaks > FORGOTTEN:
            self._displaced.append(_Displaced(turn, shift, speaks))
        self._agree = min(config.most, keep * self._agree + known * agreement)
        explained = known * max(agreement, alike)
        self._unknown = min(config.most, keep * self._unknown + 1.0 - explained)
        return max(self._displaced, key=lambda c: c.evidence, default=None)

    def _decide(self, leader: _Displaced | None) -> Decision:
        agree, displaced, unknown = self.evidence
        bound, lead = self.config.bound, self.config.lead
        rivals = [agree, unknown, *(c.evidence for c in self._displaced if c is not leader)]
        if displaced >= bound and displaced - max(rivals) >= lead:
            return Decision.REANCHOR
        if unknown >= bound and unknown - max(agree, displaced) >= lead:
            return Decision.NEW_MAP
        return Decision.AGREE


def conflict(rings: NDArray[np.complex128]) -> float:
    """Return opposite against congruent activity, [-1, 1], of the vectors (4, waves) of the four rings.

    -2 k1 k2 cos(x1 - x2) / (k1^2 + k2^2): -1 for two equal cues that agree, 1 for two that contradict.
    """
    power = np.abs(rings) ** 2
    congruent, opposite = float(power[0::2].sum()), float(power[1::2].sum())
    return (opposite - congruent) / max(opposite + congruent, 1e-12)


def _share(single: NDArray[np.complex128]) -> float:
    """Return the reliability of the first of two cues (2, ...) as a share of both."""
    first, second = float(np.abs(single[0]).sum()), float(np.abs(single[1]).sum())
    return first / max(first + second, 1e-12)


def _waves(shift: Doubles) -> Doubles:
    """Return the shifts (modules, 3), periods, along the waves of a torus, from those along its axes."""
    return np.concatenate([shift, shift.sum(axis=1, keepdims=True)], axis=1)
