"""A cross of corridors with three foods, one of which is asked for."""

from __future__ import annotations

from math import hypot, pi

import numpy as np
from numpy.typing import NDArray

from ..geodesic import Geodesic
from ..mazes import cruciform_arena
from ..robot import RobotSpec
from .base import Outcome, Plain, Pose, Task, Zone, box_of_starts, end_of_arm

FOODS = ("milk", "cheese", "apples")


class Cruciform(Task):
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
        super().__init__(cruciform_arena(arm_length, width, height, arena_seed, light), time_limit)
        end, half = 0.5 * width + arm_length, 0.5 * width
        end_of_arm(end_zone, arm_length, robot_radius)
        # The robot stands twice its radius from the end wall.
        self._start = (0.0, -end + 2.0 * robot_radius)
        self._jitter = box_of_starts(self.arena, self._start, start_jitter, robot_radius)
        if not 0.0 <= heading_jitter <= pi:
            raise ValueError(f"heading_jitter must be in [0, π] rad, got {heading_jitter}")
        room = min(end - end_zone, -self._start[1] - start_jitter)
        if not 0.0 <= blank_radius < room:
            raise ValueError(
                f"blank_radius must be in [0, {room:g}) m, short of start and zones, got {blank_radius}"
            )
        self._turn, self._blank = heading_jitter, blank_radius
        self.zones = (
            Zone("milk", -end, -half, -end + end_zone, half),
            Zone("cheese", -half, end - end_zone, half, end),
            Zone("apples", end - end_zone, -half, end, half),
        )
        self._ways = Geodesic(self.arena, robot_radius)
        self._asked = 0
        self._reached = ""

    def start(self, rng: np.random.Generator) -> Pose:
        self._asked, self._reached = int(rng.integers(len(FOODS))), ""
        self.wanted = (FOODS[self._asked],)
        dx, dy = rng.uniform(-self._jitter, self._jitter, 2)
        turn = rng.uniform(-self._turn, self._turn)
        return np.array([self._start[0] + dx, self._start[1] + dy, 0.5 * pi + turn])

    def evaluate(self, pose: Pose) -> Outcome:
        for food, zone in zip(FOODS, self.zones, strict=True):
            if zone.contains(pose[0], pose[1]):
                self._reached = food
                right = food == FOODS[self._asked]
                return Outcome(reward=float(right), terminated=True, success=right)
        return Outcome()

    def optimal_path(self, start: Pose) -> float:
        return self._ways.length(start, self.zones[self._asked].nearest)

    def cue(self) -> NDArray[np.float32]:
        asked = np.zeros(len(FOODS), np.float32)
        asked[self._asked] = 1.0
        return asked

    def blanks(self, x: float, y: float) -> bool:
        return hypot(x, y) < self._blank

    def info(self, time: float) -> dict[str, Plain]:
        return {"asked": FOODS[self._asked], "reached": self._reached}
