"""Delayed alternation in a T."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi

import numpy as np

from ..geodesic import Geodesic
from ..mazes import t_maze_arena
from ..robot import RobotSpec
from .base import Lasting, Outcome, Plain, Pose, Task, Zone, box_of_starts, check_keys, end_of_arm

ARMS = ("left", "right")


class TMaze(Task):
    """Run up the stem of a T and turn to the other side than last time.

    An episode is one run. It starts at the foot of the stem, facing the junction (within `start_jitter` m and
    `heading_jitter` rad), where the robot is held for `delay` s: commands do not move it, its wheels stand
    still. It ends when the robot's centre is within `end_zone` m of the end of an arm: with reward 1, a
    success, in the arm opposite to the one reached last (in this run's predecessors, rightly or wrongly), and
    without reward in the same arm. Where no arm has been reached since the last reset with a seed, both are
    rewarded. A run that is cut off changes nothing. The optimal path is the shortest one of a robot of
    `robot_radius` m into a rewarded zone.

    `info` has ``arm``, the arm reached (empty until then), ``rewarded_arm`` (``left``, ``right`` or
    ``either``), ``held`` and ``free_time_s``, the time since the release; ``time_s`` and `time_limit` count
    from the start of the episode.

    Spatial alternation with a delay needs the hippocampus: Ainge et al. 2007, Hippocampus 17:1143-1157.

    Parameters
    ----------
    delay
        s; 0 lets the robot go at once.
    stem, arm_length, width
        m.
    end_zone
        m, depth of the zones.
    height, arena_seed, light
        Of the walls (m), what is painted on them, and the illumination.
    """

    def __init__(
        self,
        time_limit: float = 60.0,
        delay: float = 10.0,
        stem: float = 0.8,
        arm_length: float = 0.8,
        width: float = 0.4,
        end_zone: float = 0.2,
        start_jitter: float = 0.03,
        heading_jitter: float = 0.2,
        height: float = 0.5,
        arena_seed: int = 0,
        light: float = 1.0,
        robot_radius: float = RobotSpec.radius,
    ) -> None:
        super().__init__(t_maze_arena(stem, arm_length, width, height, arena_seed, light), time_limit)
        if not 0.0 <= delay < time_limit:
            raise ValueError(f"delay must be in [0, {time_limit:g}) s, before the time limit, got {delay}")
        end_of_arm(end_zone, arm_length, robot_radius)
        if not 0.0 <= heading_jitter <= pi:
            raise ValueError(f"heading_jitter must be in [0, π] rad, got {heading_jitter}")
        half, end = 0.5 * width, 0.5 * width + arm_length
        self._start = (0.0, -half - stem + 2.0 * robot_radius)
        self._jitter = box_of_starts(self.arena, self._start, start_jitter, robot_radius)
        self._turn, self.delay = heading_jitter, delay
        self.zones = (
            Zone("left", -end, -half, -end + end_zone, half),
            Zone("right", end - end_zone, -half, end, half),
        )
        self._ways = Geodesic(self.arena, robot_radius)
        self.wanted = ARMS
        self._last = self._arm = ""

    def renew(self) -> None:
        self._last = self._arm = ""

    def start(self, rng: np.random.Generator) -> Pose:
        self.wanted = tuple(arm for arm in ARMS if arm != self._last)
        self._arm = ""
        dx, dy = rng.uniform(-self._jitter, self._jitter, 2)
        turn = rng.uniform(-self._turn, self._turn)
        return np.array([self._start[0] + dx, self._start[1] + dy, 0.5 * pi + turn])

    def evaluate(self, pose: Pose) -> Outcome:
        for zone in self.zones:
            if zone.contains(pose[0], pose[1]):
                self._arm = self._last = zone.name
                right = zone.name in self.wanted
                return Outcome(reward=float(right), terminated=True, success=right)
        return Outcome()

    def optimal_path(self, start: Pose) -> float:
        return min(self._ways.length(start, z.nearest) for z in self.zones if z.name in self.wanted)

    def held(self, time: float) -> bool:
        return time < self.delay - 1e-9

    def info(self, time: float) -> dict[str, Plain]:
        return {
            "arm": self._arm,
            "rewarded_arm": self.wanted[0] if len(self.wanted) == 1 else "either",
            "held": self.held(time),
            "free_time_s": max(0.0, time - self.delay),
        }

    def lasting(self) -> Lasting:
        return {"last_arm": self._last}

    def restore(self, state: Mapping[str, object]) -> None:
        name = type(self).__name__
        check_keys(name, state, self.lasting())
        last = state["last_arm"]
        if last not in ("", *ARMS):
            raise ValueError(f"{name} last_arm must be empty or one of {ARMS}, this state holds {last!r}")
        self._last = str(last)
