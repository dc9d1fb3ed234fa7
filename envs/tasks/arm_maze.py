"""Tasks in corridors that end at the ends of their arms."""

from __future__ import annotations

from math import pi

import numpy as np

from ..arena import Arena
from ..geodesic import Geodesic
from .base import Outcome, Pose, Target, Task, Zone, box_of_starts


class ArmMaze(Task):
    """A task in corridors: from the foot of the maze to the end of an arm, one of `zones`.

    The start is at `at`, within `jitter` m in x and y, facing north within `turn` rad. The episode ends in
    any zone; reward 1 and success are for those that are `wanted`, and the optimal path is the shortest one
    into one of them. `reached` is the zone in which the episode ended, empty until then.
    """

    seeks = True

    def __init__(
        self,
        arena: Arena,
        time_limit: float,
        zones: tuple[Zone, ...],
        at: tuple[float, float],
        jitter: float,
        turn: float,
        radius: float,
    ) -> None:
        super().__init__(arena, time_limit)
        if not 0.0 <= turn <= pi:
            raise ValueError(f"heading_jitter must be in [0, π] rad, got {turn}")
        self.zones, self.reached = zones, ""
        self._start, self._turn = at, turn
        self._jitter = box_of_starts(arena, at, jitter, radius)
        self._ways = Geodesic(arena, radius)

    def start(self, rng: np.random.Generator) -> Pose:
        self.reached = ""
        dx, dy = rng.uniform(-self._jitter, self._jitter, 2)
        turn = rng.uniform(-self._turn, self._turn)
        return np.array([self._start[0] + dx, self._start[1] + dy, 0.5 * pi + turn])

    def targets(self) -> tuple[Target, ...]:
        return tuple(zone for zone in self.zones if zone.name in self.wanted)

    def evaluate(self, pose: Pose) -> Outcome:
        for zone in self.zones:
            if zone.contains(pose[0], pose[1]):
                self.reached = zone.name
                right = zone.name in self.wanted
                return Outcome(reward=float(right), terminated=True, success=right)
        return Outcome()

    def optimal_path(self, start: Pose) -> float:
        return min(self._ways.length(start, target.nearest) for target in self.targets())


def end_of_arm(zone: float, arm: float, radius: float) -> None:
    """Raise ValueError unless a robot of `radius` m can reach the last `zone` m of an arm of `arm` m."""
    if not radius < zone < arm:
        raise ValueError(f"end_zone must be in ({radius:g}, {arm:g}) m, got {zone}")
