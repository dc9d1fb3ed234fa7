"""A hidden goal inside a U-shaped obstacle."""

from __future__ import annotations

from math import pi

import numpy as np

from ..geodesic import Geodesic
from ..mazes import u_maze_arena
from ..robot import RobotSpec
from .base import Pose
from .hidden_goal import HiddenGoal, checked_goal, disc


class UMaze(HiddenGoal):
    """Find the hidden goal in the middle of a square arena, inside a U that is open to the north (+y).

    Reward 1 and the end of the episode when the robot's centre is within `goal_radius` of the goal. A start
    is one of four places, `start_radius` m to the east, north, west and south of the centre, with random
    heading: from all but the northern one the way leads around the obstacle. The optimal path is the shortest
    one of a robot of `robot_radius` m among the walls.

    After the maze of Frémaux, Sprekeler & Gerstner 2013 (PLoS Computational Biology 9:e1003024, figure 4A):
    a square enclosure, a round goal in its centre, a U-shaped obstacle that forces turns from three of four
    starts. Ours is scaled to the robot: 2 m a side, 0.55 m between obstacle and wall, 0.8 m inside the U.

    Parameters
    ----------
    goal, goal_radius
        m.
    side, u_width, u_depth
        m, of the square, and outer measures of the U around the centre.
    start_radius
        m from the centre.
    height, arena_seed, light
        Of the walls (m), what is painted on them, and the illumination.
    robot_radius
        m, of the robot that must fit through.
    """

    def __init__(
        self,
        time_limit: float = 60.0,
        goal: tuple[float, float] = (0.0, 0.0),
        goal_radius: float = 0.1,
        side: float = 2.0,
        u_width: float = 0.9,
        u_depth: float = 0.9,
        start_radius: float = 0.725,
        height: float = 0.5,
        arena_seed: int = 0,
        light: float = 1.0,
        robot_radius: float = RobotSpec.radius,
    ) -> None:
        arena = u_maze_arena(side, u_width, u_depth, height, arena_seed, light)
        super().__init__(arena, time_limit, goal_radius)
        self._ways = Geodesic(self.arena, robot_radius)
        self._starts = [
            (start_radius * x, start_radius * y)
            for x, y in ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
        ]
        for x, y in self._starts:
            if not self.arena.contains(x, y, margin=robot_radius):
                raise ValueError(
                    f"start_radius {start_radius:g} m puts a start, ({x:g}, {y:g}) m, into a wall"
                )
        self.move_goal(goal)
        self._home = self.goal

    def move_goal(self, xy: tuple[float, float]) -> None:
        goal = checked_goal(self.arena, xy, self.goal_radius)
        ways = [
            self._ways.length(np.array(start), disc(goal, self.goal_radius).nearest) for start in self._starts
        ]
        if not np.all(np.isfinite(ways)):
            raise ValueError(
                f"no way leads to the goal ({xy[0]:g}, {xy[1]:g}) m: the robot does not fit through"
            )
        self.goal = goal

    def start(self, rng: np.random.Generator) -> Pose:
        self.goal = self._home
        x, y = self._starts[int(rng.integers(len(self._starts)))]
        return np.array([x, y, rng.uniform(-pi, pi)])

    def optimal_path(self, start: Pose) -> float:
        return self._ways.length(start, self.disc.nearest)
