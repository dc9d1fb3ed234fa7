"""A cross of corridors with three foods, one of which is asked for."""

from __future__ import annotations

from math import hypot

import numpy as np
from numpy.typing import NDArray

from ..mazes import cruciform_arena
from ..robot import RobotSpec
from .arm_maze import ArmMaze, end_of_arm
from .base import Plain, Pose, Zone

FOODS = ("milk", "cheese", "apples")


class Cruciform(ArmMaze):
    """Fetch the food asked for from one of three arms: milk is west, cheese north, apples east.

    Each episode starts at the end of the southern arm, facing the centre (within `start_jitter` m and
    `heading_jitter` rad), and asks for one food, drawn evenly: the observation's entry ``cue``, float32 (3,),
    is 1 at its place in `FOODS` and 0 elsewhere. The episode ends when the robot's centre is within
    `end_zone` m of the end of one of the three arms: with reward 1, a success, at the food asked for, and
    without reward at another. The optimal path is the shortest one of a robot of `robot_radius` m into the
    zone of the food asked for.

    Within `blank_radius` of the centre no events come from the cameras, so that the choice must come from
    memory. The pixels go on seeing meanwhile: what they remember follows the light, so that there is no burst
    of events where the robot comes out again, only what changes from there on.

    `info` has ``asked`` and ``reached``, names of foods; ``reached`` is empty until an end is reached.

    After the robot maze of Tang et al. 2018 (Communications of the ACM): a cruciform maze with milk, cheese
    and apples, in which a robot recalls where the food asked for lies.

    Parameters
    ----------
    arm_length, width
        m, of the arms.
    end_zone
        m, depth of the zones.
    blank_radius
        m; 0 for a camera that always sees.
    height, arena_seed, light
        Of the walls (m), what is painted on them, and the illumination.
    """

    cues = FOODS

    def __init__(
        self,
        time_limit: float = 60.0,
        arm_length: float = 0.8,
        width: float = 0.4,
        end_zone: float = 0.2,
        blank_radius: float = 0.3,
        start_jitter: float = 0.03,
        heading_jitter: float = 0.2,
        height: float = 0.5,
        arena_seed: int = 0,
        light: float = 1.0,
        robot_radius: float = RobotSpec.radius,
    ) -> None:
        end, half = 0.5 * width + arm_length, 0.5 * width
        # The robot stands twice its radius from the end wall.
        at = (0.0, -end + 2.0 * robot_radius)
        zones = (
            Zone("milk", -end, -half, -end + end_zone, half),
            Zone("cheese", -half, end - end_zone, half, end),
            Zone("apples", end - end_zone, -half, end, half),
        )
        arena = cruciform_arena(arm_length, width, height, arena_seed, light)
        end_of_arm(end_zone, arm_length, robot_radius)
        super().__init__(arena, time_limit, zones, at, start_jitter, heading_jitter, robot_radius)
        room = min(end - end_zone, -at[1] - start_jitter)
        if not 0.0 <= blank_radius < room:
            raise ValueError(
                f"blank_radius must be in [0, {room:g}) m, short of start and zones, got {blank_radius}"
            )
        self._blank = blank_radius
        self._asked = 0

    def start(self, rng: np.random.Generator) -> Pose:
        self._asked = int(rng.integers(len(FOODS)))
        self.wanted = (FOODS[self._asked],)
        return super().start(rng)

    def cue(self) -> NDArray[np.float32]:
        asked = np.zeros(len(FOODS), np.float32)
        asked[self._asked] = 1.0
        return asked

    def blanks(self, x: float, y: float) -> bool:
        return hypot(x, y) < self._blank

    def info(self, time: float) -> dict[str, Plain]:
        return {"asked": FOODS[self._asked], "reached": self.reached}
