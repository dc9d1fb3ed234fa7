"""Reflexes and exploration: currents into the actor that do not need to be learned.

A wall on one side turns the robot away from it. Walls on both sides within a few seconds are a corridor: its
course is the one that neither wall is on, and the robot goes on along it, the way that it faces, instead of
bouncing from side to side.

They act on the actor's neurons and not on the wheels, so the choice stays a competition of spikes and what a
reflex makes the robot do can be learned from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..memory.config import PERIOD
from ..memory.contacts import touched
from ..spiking.random import generator, restore_words, words_of
from .directions import pointing

Floats = NDArray[np.float32]
WALL = 3.0  #: concentration of what a contact tells of where the wall is: bumpers are 45 degrees wide
NARROW = 0.2  #: sureness below which there is no corridor


@dataclass(frozen=True, slots=True)
class ReflexConfig:
    """Bump reflex, wandering while nothing is known, and escape when stuck."""

    bump_inhibition: float = 60.0  #: mV taken from actors that point at the obstacle
    bump_decay: float = 1.0  #: s
    corridor_drive: float = 25.0  #: mV given to actors that point along a corridor, ahead
    corridor_memory: float = 2.0  #: s for which a touched wall makes one side of a corridor
    wander_drive: float = 30.0  #: mV given to actors that point where the robot wanders
    wander_spread: float = 0.8  #: rad per square root of s by which the wandering direction changes
    stuck_window: float = 3.0  #: s
    stuck_distance: float = 0.35  #: m that a free robot travels in the window
    escape_seconds: float = 1.2  #: s of wandering when stuck

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            if getattr(self, name) < 0.0:
                raise ValueError(f"reflex {name} must be >= 0, got {getattr(self, name)}")
        if self.corridor_memory == 0.0:
            raise ValueError("reflex corridor_memory must be > 0 s (corridor_drive=0 turns it off)")


class Reflexes:
    """Keeps what the reflexes need: recent contacts, recent displacements, the direction of wandering."""

    def __init__(self, config: ReflexConfig, directions: NDArray[np.float64], seed: int) -> None:
        self.config, self.directions = config, directions
        self._random = generator(seed, "reflex")
        self._contact = np.zeros(len(directions), np.float32)
        self._wall = np.zeros(len(directions), np.float32)  # 0 to 1: how surely, and lately, one is that way
        quarter = np.array([0.5 * np.pi, -0.5 * np.pi])[:, None]
        gap = np.abs(np.exp(1j * (directions + quarter))[:, :, None] - np.exp(1j * directions))
        self._beside = gap.argmin(axis=2)  # (2, actors): which points to the left of each, and to the right
        window = max(1, round(config.stuck_window / PERIOD))
        self._steps = np.zeros((window, 2))
        self._step = 0
        self._direction = 0.0
        self._escape = 0.0

    def reseed(self, seed: int) -> None:
        """Draw from the stream of `seed` from now on."""
        self._random = generator(seed, "reflex")

    def reset(self) -> None:
        """Begin an episode: nothing touched, nothing travelled, a new direction to wander in."""
        self._contact[:] = self._wall[:] = 0.0
        self._steps[:] = 0.0
        self._step, self._escape = 0, 0.0
        self._direction = float(self._random.uniform(-np.pi, np.pi))

    def currents(
        self,
        bump: NDArray[np.uint8],
        heading: float,
        displacement: NDArray[np.float64],
        lost: bool,
        obeys: bool = True,
    ) -> Floats:
        """Return the currents (actors,), mV.

        `bump` (8,) are the contact sectors, `heading` rad and `displacement` (2,) m of the period are the
        agent's own estimates; `lost` lets it wander. A robot that stands or looks around on purpose, and does
        not obey its actor (`obeys`), is not stuck.
        """
        config = self.config
        self._contact *= np.float32(np.exp(-PERIOD / config.bump_decay))
        self._wall *= np.float32(np.exp(-PERIOD / config.corridor_memory))
        for toward in touched(bump, heading):
            self._wall = np.maximum(self._wall, pointing(self.directions, toward, WALL).astype(np.float32))
            fresh = config.bump_inhibition * np.maximum(0.0, np.cos(self.directions - toward) + 0.2)
            self._contact = np.maximum(self._contact, fresh.astype(np.float32))
            if np.cos(self._direction - toward) > 0.0:
                self._direction = toward + np.pi + float(self._random.normal(0.0, 0.7))
        self._direction += float(self._random.normal(0.0, config.wander_spread * np.sqrt(PERIOD)))
        if obeys:
            self._notice_stuck(displacement)
        else:
            self._step = 0
        ahead = np.maximum(np.cos(self.directions - heading), 0.0)
        out = config.corridor_drive * ahead.astype(np.float32) * self.corridor - self._contact
        if lost or self._escape > 0.0:
            along = config.wander_drive * pointing(self.directions, self._direction)
            out = out + along.astype(np.float32)
            self._escape -= PERIOD
        return np.asarray(out, np.float32)

    @property
    def corridor(self) -> Floats:
        """How surely each direction (actors,) leads along a corridor: both sides touched, not its end."""
        sides = self._wall[self._beside].min(axis=0)
        sure = sides - self._wall
        return np.where(sure > NARROW, sure, np.float32(0.0))

    def _notice_stuck(self, displacement: NDArray[np.float64]) -> None:
        self._steps[self._step % len(self._steps)] = displacement
        self._step += 1
        if self._step < len(self._steps) or self._escape > 0.0:
            return
        if float(np.hypot(*self._steps.sum(axis=0))) < self.config.stuck_distance:
            self._escape = self.config.escape_seconds
            self._direction = float(self._random.uniform(-np.pi, np.pi))
            course = self.corridor
            if course.any():
                self._direction = float(self._random.choice(self.directions, p=course / course.sum()))
            self._step = 0

    @property
    def random_state(self) -> NDArray[np.uint64]:
        """State of the generator, (6,)."""
        return words_of(self._random)

    @random_state.setter
    def random_state(self, value: NDArray[np.uint64]) -> None:
        restore_words(self._random, value)
