"""Tasks without a hidden goal: roam, and shuttle."""

from __future__ import annotations

from math import atan2, cos, pi, sin

import numpy as np

from ..arena import Arena
from .base import Outcome, Pose, Task


class OpenField(Task):
    """Roam: no goal, no reward; starts near the centre of the arena with random heading."""

    def __init__(self, arena: Arena, time_limit: float = 600.0, start_spread: float = 0.3) -> None:
        super().__init__(arena, time_limit)
        self.start_spread = start_spread

    def start(self, rng: np.random.Generator) -> Pose:
        low_x, low_y, high_x, high_y = self.arena.bounds
        for _ in range(1000):
            dx, dy = rng.uniform(-self.start_spread, self.start_spread, 2)
            x, y = 0.5 * (low_x + high_x) + dx, 0.5 * (low_y + high_y) + dy
            if self.arena.contains(x, y, margin=0.1):
                return np.array([x, y, rng.uniform(-pi, pi)])
        raise ValueError(f"arena {self.arena.name!r} has no free place near its centre to start from")

    def evaluate(self, pose: Pose) -> Outcome:
        return Outcome()


class LinearTrack(Task):
    """Shuttle: reward 1 at alternating ends of a corridor along x; the first reward is at either end.

    The episode goes on to the time limit and is a success once both ends have been visited. An end is the
    last `end_zone` m of the track (measured to the robot's centre). `optimal_path` is the distance to the
    nearer end zone and from there to the other.
    """

    def __init__(self, arena: Arena, time_limit: float = 120.0, end_zone: float = 0.2) -> None:
        super().__init__(arena, time_limit)
        low, _, high, _ = arena.bounds
        if not 0.0 < end_zone < 0.5 * (high - low):
            raise ValueError(f"end_zone must be in (0, {0.5 * (high - low):g}) m, got {end_zone}")
        self._low, self._high = low + end_zone, high - end_zone
        self._last_end = 0
        self._visits = 0

    def start(self, rng: np.random.Generator) -> Pose:
        self._last_end = self._visits = 0
        low_x, low_y, high_x, high_y = self.arena.bounds
        x = 0.5 * (low_x + high_x) + rng.uniform(-0.2, 0.2) * (self._high - self._low)
        heading = rng.choice([0.0, pi]) + rng.uniform(-0.2, 0.2)
        return np.array([x, 0.5 * (low_y + high_y), atan2(sin(heading), cos(heading))])

    def evaluate(self, pose: Pose) -> Outcome:
        end = -1 if pose[0] <= self._low else 1 if pose[0] >= self._high else 0
        if end == 0 or end == self._last_end:
            return Outcome(success=self._visits >= 2)
        self._last_end = end
        self._visits += 1
        return Outcome(reward=1.0, success=self._visits >= 2)

    def optimal_path(self, start: Pose) -> float:
        to_low, to_high = max(0.0, start[0] - self._low), max(0.0, self._high - start[0])
        return float(min(to_low, to_high) + self._high - self._low)
