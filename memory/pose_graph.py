"""Loop closure: past places are relaxed until what odometry and recalls said of them agrees best.

A recall ties the present pose to that of a memory made minutes ago. Pulling the present pose alone keeps the
errors of the map as they were when it was made: a memory made under a heading wrong by 0.1 rad hands this
error on for ever. So the way travelled lately is kept as waypoints, one every `gap` s, tied to each other by
odometry and to memories by recalls, and all of them are moved to where the squared disagreement is least
(Lu & Milios 1997, Auton. Robots 4:333; RatSLAM's experience map does the same, Milford & Wyeth 2008). What
an animal would do for it is not known; replay in rest has been proposed.

Only the last `waypoints` are relaxed. A memory whose birth is longer ago stays where it is by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .least_squares import relax
from .poses import compose, wrap

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PoseGraphConfig:
    """How much of the way is kept, and how far odometry and recalls are trusted."""

    waypoints: int = 400  #: kept, the oldest are let go
    gap: float = 1.5  #: s between waypoints
    recalls: int = 8  #: memories tied to one waypoint at most
    interval: float = 1.0  #: s between relaxations
    iterations: int = 16  #: of conjugate gradients in a relaxation, which begins where the last one ended
    place_drift: float = 0.010  #: m, standard deviation of odometry from one waypoint to the next
    heading_drift: float = 0.004  #: rad, the same
    place_spread: float = 0.25  #: m, of a recall: memories are recalled around the place where they were made
    heading_spread: float = 0.25  #: rad, of a recall; several in a row are no independent witnesses
    witnesses: int = 4  #: recalls of one memory from one waypoint that count

    def __post_init__(self) -> None:
        for name in ("waypoints", "recalls", "iterations", "witnesses"):
            if getattr(self, name) < 1:
                raise ValueError(f"pose graph {name} must be >= 1, got {getattr(self, name)}")
        for name in ("gap", "interval", "place_drift", "heading_drift", "place_spread", "heading_spread"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"pose graph {name} must be > 0, got {getattr(self, name)}")


class PoseGraph:
    """Waypoints of the way travelled, memories made and recalled along it; poses are x m, y m, heading rad.

    `begin` where the pose is known, `travel` each period, `remember` and `recall` memories by number, and
    `relax` from time to time; `pose` is then the best estimate of the present pose, and `memory_pose` that of
    the poses at which memories were made.
    """

    def __init__(self, config: PoseGraphConfig, memories: int) -> None:
        self.config = config
        n, k = config.waypoints, config.recalls
        self.pose_of = np.zeros((n, 3))  #: waypoints, oldest first
        self.step = np.zeros((n, 3))  #: odometry from the waypoint before, in its frame
        self.linked = np.zeros(n, np.bool_)  #: False: the robot was carried between the two
        self.tie_memory = np.full((n, k), -1, np.int64)  #: memories recalled from each waypoint
        self.tie_count = np.zeros((n, k))
        self.tie_from = np.zeros((n, k, 3))  #: where the robot was then, in the waypoint's frame
        self.tie_turn = np.zeros((n, k))  #: rad, its heading less that at which the memory was made
        self.birth = np.full(memories, -1, np.int64)  #: waypoint from which a memory was made; -1: long ago
        self.birth_from = np.zeros((memories, 3))  #: where it was made, in that waypoint's frame
        self.memory_pose = np.zeros((memories, 3))
        self.odometry = np.zeros(3)  #: since the last waypoint, in its frame
        self.clock = np.zeros(2)  #: s since the last waypoint, s since the last relaxation
        self.used = np.zeros(1, np.int64)

    @property
    def size(self) -> int:
        """Waypoints kept."""
        return int(self.used[0])

    @property
    def pose(self) -> Floats:
        """Present pose (3,)."""
        return compose(self.pose_of[self.size - 1], self.odometry)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays."""
        return {
            "pose_of": self.pose_of,
            "step": self.step,
            "linked": self.linked,
            "tie_memory": self.tie_memory,
            "tie_count": self.tie_count,
            "tie_from": self.tie_from,
            "tie_turn": self.tie_turn,
            "birth": self.birth,
            "birth_from": self.birth_from,
            "memory_pose": self.memory_pose,
            "odometry": self.odometry,
            "clock": self.clock,
            "used": self.used,
        }

    def begin(self, pose: Floats) -> None:
        """Go on from `pose` (3,), to which no odometry leads."""
        self._add(pose, np.zeros(3), False)

    def travel(self, speed: float, turn_rate: float, period: float) -> bool:
        """Add `period` s of odometry, m/s and rad/s; return whether it is time to `relax`."""
        course = self.odometry[2] + 0.5 * turn_rate * period
        self.odometry += period * np.array([speed * np.cos(course), speed * np.sin(course), turn_rate])
        self.clock += period
        if self.clock[0] >= self.config.gap:
            self._add(self.pose, self.odometry.copy(), True)
        return bool(self.clock[1] >= self.config.interval)

    def remember(self, memory: int) -> None:
        """Note that memory number `memory` is made at the present pose."""
        self.birth[memory] = self.size - 1
        self.birth_from[memory] = self.odometry
        self.memory_pose[memory] = self.pose

    def recall(self, memory: int, turn: float) -> None:
        """Note a recall of `memory` with the heading `turn` rad ahead of that at which it was made."""
        at = self.size - 1
        if self.birth[memory] == at:
            return
        same = np.flatnonzero(self.tie_memory[at] == memory)
        free = np.flatnonzero(self.tie_memory[at] < 0)
        if same.size:
            slot = same[0]
        elif free.size:
            slot = free[0]
            self.tie_memory[at, slot], self.tie_count[at, slot] = memory, 0.0
        else:
            return
        self.tie_count[at, slot] += 1.0
        share = 1.0 / self.tie_count[at, slot]
        self.tie_from[at, slot] += share * (self.odometry - self.tie_from[at, slot])
        # The turn as of the waypoint's own heading, so that the mean is one of like with like.
        fresh = turn - self.odometry[2]
        old = self.tie_turn[at, slot] if share < 1.0 else fresh
        self.tie_turn[at, slot] = old + share * wrap(fresh - old)

    def relax(self) -> None:
        """Move waypoints, and memories with them, towards the least disagreement."""
        n, config = self.size, self.config
        spreads = np.array(
            [config.place_drift, config.heading_drift, config.place_spread, config.heading_spread]
        )
        relax(
            self.pose_of[:n], self.step[:n], self.linked[:n], self.tie_memory[:n], self.tie_count[:n],
            self.tie_from[:n], self.tie_turn[:n], self.birth, self.birth_from, self.memory_pose, spreads,
            config.witnesses, config.iterations,
        )  # fmt: skip
        self.clock[1] = 0.0

    def _add(self, pose: Floats, step: Floats, linked: bool) -> None:
        if self.size == self.config.waypoints:
            kept: tuple[NDArray[Any], ...] = (self.pose_of, self.step, self.linked)
            kept += (self.tie_memory, self.tie_count, self.tie_from, self.tie_turn)
            for array in kept:
                array[:-1] = array[1:]
            self.birth[self.birth >= 0] -= 1
            self.used[0] -= 1
        at = self.size
        self.pose_of[at], self.step[at], self.linked[at] = pose, step, linked
        self.tie_memory[at], self.tie_count[at], self.tie_from[at], self.tie_turn[at] = -1, 0.0, 0.0, 0.0
        self.odometry[:] = 0.0
        self.clock[0] = 0.0
        self.used[0] += 1
