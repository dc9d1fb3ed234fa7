"""Tasks: where an episode starts, what is rewarded, when it ends, and how short the path could have been."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import atan2, cos, hypot, isfinite, pi, sin

import numpy as np
from numpy.typing import NDArray

from .arena import Arena

Pose = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What a task makes of a control period."""

    reward: float = 0.0
    terminated: bool = False
    success: bool = False


class Task(ABC):
    """A task in an arena. `time_limit` (s) is kept by the environment, which truncates."""

    def __init__(self, arena: Arena, time_limit: float) -> None:
        if not (time_limit > 0.0 and isfinite(time_limit)):
            raise ValueError(f"time_limit must be > 0 s, got {time_limit}")
        self.arena, self.time_limit = arena, time_limit
        self.goal: NDArray[np.float64] | None = None
        self.goal_radius = 0.0

    @abstractmethod
    def start(self, rng: np.random.Generator) -> Pose:
        """Begin an episode; return the start pose (x m, y m, heading rad)."""

    @abstractmethod
    def evaluate(self, pose: Pose) -> Outcome:
        """Judge the pose (3,) reached at the end of a control period."""

    def optimal_path(self, start: Pose) -> float:
        """Return the shortest path from `start` that succeeds, m; 0 where nothing is to be reached."""
        return 0.0

    def move_goal(self, xy: tuple[float, float]) -> None:
        """Move the hidden goal to `xy` m until the next start."""
        raise ValueError(f"{type(self).__name__} has no goal to move")


class WaterMaze(Task):
    """Find the hidden platform of a round pool (Morris 1984).

    Reward 1 and the end of the episode when the robot's centre is within `goal_radius` of the goal. Starts
    lie at `start_radius` from the centre, at a random angle at least `start_distance` from the goal, with
    random heading. The optimal path is the straight line to the goal less the goal's radius.
    """

    def __init__(
        self,
        arena: Arena,
        time_limit: float = 60.0,
        goal: tuple[float, float] = (0.35, 0.35),
        goal_radius: float = 0.1,
        start_radius: float = 0.85,
        start_distance: float = 0.5,
    ) -> None:
        super().__init__(arena, time_limit)
        if not goal_radius > 0.0:
            raise ValueError(f"goal_radius must be > 0 m, got {goal_radius}")
        self.goal_radius, self.start_radius, self.start_distance = goal_radius, start_radius, start_distance
        self.move_goal(goal)
        self._home = self.goal

    def move_goal(self, xy: tuple[float, float]) -> None:
        x, y = float(xy[0]), float(xy[1])
        if not self.arena.contains(x, y, margin=self.goal_radius):
            raise ValueError(
                f"goal ({x:g}, {y:g}) m with radius {self.goal_radius:g} m is not inside the arena"
                f" {self.arena.name!r}, which spans {self.arena.bounds} m"
            )
        self.goal = np.array([x, y])

    def start(self, rng: np.random.Generator) -> Pose:
        self.goal = self._home
        assert self.goal is not None
        for _ in range(1000):
            angle, heading = rng.uniform(-pi, pi, 2)
            x, y = self.start_radius * cos(angle), self.start_radius * sin(angle)
            if hypot(x - self.goal[0], y - self.goal[1]) >= self.start_distance and self.arena.contains(
                x, y, margin=0.08
            ):
                return np.array([x, y, heading])
        raise ValueError(
            f"no start at {self.start_radius} m from the centre is {self.start_distance} m from the goal"
        )

    def evaluate(self, pose: Pose) -> Outcome:
        assert self.goal is not None
        if hypot(pose[0] - self.goal[0], pose[1] - self.goal[1]) <= self.goal_radius:
            return Outcome(reward=1.0, terminated=True, success=True)
        return Outcome()

    def optimal_path(self, start: Pose) -> float:
        assert self.goal is not None
        return max(0.0, hypot(start[0] - self.goal[0], start[1] - self.goal[1]) - self.goal_radius)


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
