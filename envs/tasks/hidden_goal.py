"""Tasks with one round goal that nothing marks."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

import numpy as np
from numpy.typing import NDArray

from ..arena import Arena
from .base import Outcome, Points, Pose, Target, Task


@dataclass(frozen=True)
class Disc:
    """A round goal, m."""

    x: float
    y: float
    radius: float

    def contains(self, x: float, y: float) -> bool:
        """Tell whether (x, y) is in it."""
        return hypot(x - self.x, y - self.y) <= self.radius

    def nearest(self, points: Points) -> Points:
        """Return the points (n, 2) of the disc that are nearest to `points` (n, 2)."""
        offset = points - (self.x, self.y)
        far = np.hypot(offset[:, 0], offset[:, 1])
        return (
            np.array([self.x, self.y])
            + offset * np.minimum(1.0, self.radius / np.maximum(far, 1e-12))[:, None]
        )


class HiddenGoal(Task):
    """A task with one round goal: reward 1 and the end of the episode when the robot's centre is in it.

    The optimal path is the straight line to the goal less its radius, where nothing else is said.
    """

    seeks = True

    def __init__(self, arena: Arena, time_limit: float, goal_radius: float) -> None:
        super().__init__(arena, time_limit)
        self.goal_radius = goal_radius

    def move_goal(self, xy: tuple[float, float]) -> None:
        self.goal = checked_goal(self.arena, xy, self.goal_radius)

    def targets(self) -> tuple[Target, ...]:
        return () if self.goal is None else (self.disc,)

    def evaluate(self, pose: Pose) -> Outcome:
        if self.disc.contains(pose[0], pose[1]):
            return Outcome(reward=1.0, terminated=True, success=True)
        return Outcome()

    def optimal_path(self, start: Pose) -> float:
        goal = self.disc
        return max(0.0, hypot(start[0] - goal.x, start[1] - goal.y) - goal.radius)

    @property
    def disc(self) -> Disc:
        """The goal of now."""
        assert self.goal is not None
        return disc(self.goal, self.goal_radius)


def checked_goal(arena: Arena, xy: tuple[float, float], radius: float) -> NDArray[np.float64]:
    """Return the goal `xy` (2,) m, or raise ValueError unless one of `radius` m fits into `arena` there."""
    if not radius > 0.0:
        raise ValueError(f"goal_radius must be > 0 m, got {radius}")
    x, y = float(xy[0]), float(xy[1])
    if not arena.contains(x, y, margin=radius):
        raise ValueError(
            f"goal ({x:g}, {y:g}) m with radius {radius:g} m is not inside the arena"
            f" {arena.name!r}, which spans {arena.bounds} m"
        )
    return np.array([x, y])


def disc(goal: NDArray[np.float64], radius: float) -> Disc:
    """Return the round goal at `goal` (2,) m."""
    return Disc(float(goal[0]), float(goal[1]), radius)
