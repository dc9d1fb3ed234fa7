"""Delayed alternation in a T."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..mazes import t_maze_arena
from ..robot import RobotSpec
from .arm_maze import ArmMaze, end_of_arm
from .base import Lasting, Outcome, Plain, Pose, Twist, Zone, check_keys

ARMS = ("left", "right")


class TMaze(ArmMaze):
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
        half, end = 0.5 * width, 0.5 * width + arm_length
        at = (0.0, -half - stem + 2.0 * robot_radius)
        zones = (
            Zone("left", -end, -half, -end + end_zone, half),
            Zone("right", end - end_zone, -half, end, half),
        )
        arena = t_maze_arena(stem, arm_length, width, height, arena_seed, light)
        end_of_arm(end_zone, arm_length, robot_radius)
        super().__init__(arena, time_limit, zones, at, start_jitter, heading_jitter, robot_radius)
        if not 0.0 <= delay < time_limit:
            raise ValueError(f"delay must be in [0, {time_limit:g}) s, before the time limit, got {delay}")
        self.delay = delay
        self.wanted = ARMS
        self._last = ""

    def renew(self) -> None:
        self._last = self.reached = ""

    def start(self, rng: np.random.Generator) -> Pose:
        self.wanted = tuple(arm for arm in ARMS if arm != self._last)
        return super().start(rng)

    def evaluate(self, pose: Pose) -> Outcome:
        outcome = super().evaluate(pose)
        self._last = self.reached or self._last
        return outcome

    def led(self, time: float, pose: Pose) -> Twist | None:
        return (0.0, 0.0) if self.held(time) else None

    def held(self, time: float) -> bool:
        """Tell whether the robot is held at `time` s."""
        return time < self.delay - 1e-9

    def info(self, time: float) -> dict[str, Plain]:
        return {
            "arm": self.reached,
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
