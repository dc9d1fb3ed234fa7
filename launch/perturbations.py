"""Perturbations in the middle of an episode: kidnapping, darkness, a moved goal."""

from __future__ import annotations

import math
import re
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from ..spiking.random import generator
from .episode import CONTROL_PERIOD, Environment
from .errors import UserError, asked
from .options import seconds

_DARK = 0.0  #: light level after --lights-off


@dataclass(frozen=True)
class Perturbation:
    """Something that happens once, `time` s after the start of each episode."""

    time: float
    name: str
    apply: Callable[[Any], None]  #: takes the unwrapped environment


class Perturbed(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Applies `perturbations` when their time has come, before the step that begins then."""

    def __init__(self, environment: Environment, perturbations: list[Perturbation]) -> None:
        super().__init__(environment)
        self._perturbations = perturbations
        self._step = 0

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, with all perturbations still to come."""
        self._step = 0
        return self.env.reset(**options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Apply what is due, then step."""
        for perturbation in self._perturbations:
            if round(perturbation.time / CONTROL_PERIOD) == self._step:
                with asked(perturbation.name):
                    perturbation.apply(self.env.unwrapped)
        self._step += 1
        return self.env.step(action)


def perturbations_of(arguments: Namespace, seed: int) -> list[Perturbation]:
    """Return the perturbations that the command line asks for.

    Raises
    ------
    UserError
        For a time or a place that cannot be.
    """
    wanted: list[Perturbation] = []
    if arguments.kidnap is not None:
        rng = generator(seed, "kidnap")
        wanted.append(
            Perturbation(arguments.kidnap, "--kidnap", lambda world: world.kidnap(free_pose(world, rng)))
        )
    if arguments.lights_off is not None:
        wanted.append(
            Perturbation(arguments.lights_off, "--lights-off", lambda world: world.set_light(_DARK))
        )
    if arguments.move_goal is not None:
        match = re.fullmatch(r"([^,@]+),([^,@]+)@([^,@]+)", arguments.move_goal)
        with asked("--move-goal"):
            if match is None:
                raise UserError(f"--move-goal {arguments.move_goal!r}: expected X,Y@T, such as -0.3,0.2@20")
            x, y = map(float, match.groups()[:2])
        time = seconds("--move-goal: the time", above=False)(match[3])
        wanted.append(Perturbation(time, "--move-goal", lambda world: world.move_goal((x, y))))
    return wanted


def free_pose(world: Any, rng: np.random.Generator) -> tuple[float, float, float]:
    """Draw a pose anywhere in the arena where the robot fits."""
    x_low, y_low, x_high, y_high = world.arena.bounds
    for _ in range(10_000):
        x, y = float(rng.uniform(x_low, x_high)), float(rng.uniform(y_low, y_high))
        if world.arena.contains(x, y, margin=world.robot.radius + 0.02):
            return x, y, float(rng.uniform(-math.pi, math.pi))
    raise ValueError(f"no free place in the arena {world.arena.name!r}")
