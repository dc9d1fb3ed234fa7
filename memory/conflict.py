"""Whether a recalled view and path integration speak of one pose: when to pull, to jump, to map anew.

Once a theta cycle the network of congruent and opposite cells hears where the recall puts the robot and where
ring and sheets hold it. Congruent and opposite cells together tell what either cue says, and so how far apart
both are; from that comes the belief that they have one cause (Koerding et al. 2007, PLoS ONE 2:e943). Over
cycles the accounts of `conflict_race` decide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .conflict_race import Decision, Race, RaceConfig
from .cue_code import RingCode, TorusCode
from .cue_integration import CueConfig, CueNetwork

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ConflictConfig:
    """Which modules are listened to, and how."""

    modules: int = 2  #: grid modules; the larger ones tell larger displacements apart
    steps: int = 80  #: ms of a theta cycle in which the networks run
    heading: CueConfig = field(default_factory=lambda: CueConfig(RingCode(), decide=False))
    place: CueConfig = field(default_factory=lambda: CueConfig(TorusCode(), decide=False))
    highest: float = 80.0  #: Hz, of the cells that carry a cue of strength 1
    familiar: float = 0.30  #: strength of a recall from which on the view counts as familiar
    race: RaceConfig = field(default_factory=RaceConfig)

    def __post_init__(self) -> None:
        for name in ("modules", "steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"conflict {name} must be >= 1, got {getattr(self, name)}")
        for name in ("highest", "familiar"):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"conflict {name} must be > 0, got {getattr(self, name)}")


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
    evidence: tuple[float, float, float]  #: for agree, the displacement that leads, and unknown


class ConflictMonitor:
    """Call `judge` once a theta cycle in which the robot sees, `clear` after a jump."""

    def __init__(self, config: ConflictConfig, seed: int) -> None:
        self.config = config
        self.heading = CueNetwork(config.heading, seed, "conflict_heading")
        self.places = [CueNetwork(config.place, seed, f"conflict_place_{k}") for k in range(config.modules)]
        self._networks = (self.heading, *self.places)
        self.race = Race(config.race)
        self._before: Doubles | None = None

    def clear(self) -> None:
        """Forget all evidence and activity."""
        self.race.clear()
        self._before = None
        for network in self._networks:
            network.clear()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that last: the counters of the networks' draws."""
        return {f"{network.name}.step": network.state.step for network in self._networks}

    def reseed(self, seed: int) -> None:
        """Draw the networks' noise from the streams of `seed`."""
        for network in self._networks:
            network.reseed(seed)

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
        theirs, ours = np.array([seen.heading]), np.array([held.heading])
        heading, heading_conflict = self._hear(
            self.heading, theirs, ours, seen.heading_strength, held.strength
        )
        places, conflicts = np.empty((config.modules, 2, 3), np.complex128), []
        for k, network in enumerate(self.places):
            places[k], of_place = self._hear(
                network, seen.phases[k], held.phases[k], seen.place_strength, held.strength
            )
            conflicts.append(of_place)
        turn = float(np.angle(heading[0, 0] * heading[1, 0].conjugate()))
        shift = np.angle(places[:, 0, :2] * places[:, 1, :2].conj()) / (2.0 * np.pi)
        moved = np.zeros_like(shift) if self._before is None else held.phases - self._before
        self._before = held.phases.copy()
        known = min(1.0, min(seen.heading_strength, seen.place_strength) / config.familiar)
        agreement = self.race.add(turn, shift, known, moved - np.round(moved))
        leader = self.race.leader
        return Verdict(
            self.race.decision(),
            self.race.same_heading(turn) * _share(heading),
            self.race.same_place(shift) * _share(places.transpose(1, 0, 2)),
            heading_conflict,
            float(np.mean(conflicts)),
            agreement,
            0.0 if leader is None else leader.turn,
            np.zeros_like(shift) if leader is None else leader.shift.copy(),
            self.race.evidence,
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


def conflict(rings: NDArray[np.complex128]) -> float:
    """Return opposite against congruent activity, [-1, 1], of the vectors (4, waves) of the four rings.

    For cues of concentrations k1 and k12 in a module it is -2 k1 k12 cos(x1 - x2) / (k1^2 + k12^2).
    """
    power = np.abs(rings) ** 2
    congruent, opposite = float(power[0::2].sum()), float(power[1::2].sum())
    return (opposite - congruent) / max(opposite + congruent, 1e-12)


def _share(single: NDArray[np.complex128]) -> float:
    """Return the reliability of the first of two cues (2, ...) as a share of both."""
    first, second = float(np.abs(single[0]).sum()), float(np.abs(single[1]).sum())
    return first / max(first + second, 1e-12)
