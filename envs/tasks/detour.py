"""A learned path that is blocked, and a shortcut that opens."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, pi

import numpy as np

from ..geodesic import Geodesic
from ..mazes import gated_arena
from ..robot import RobotSpec
from .base import Lasting, Plain, Pose, box_of_starts, check_keys, whole
from .hidden_goal import HiddenGoal, checked_goal, disc

GATES = ("left", "middle", "right")
Phase = tuple[int, tuple[str, ...]]  #: episodes, open gates
PHASES: tuple[Phase, ...] = ((10, ("left", "right")), (10, ("right",)), (10, ("middle", "right")))


class Detour(HiddenGoal):
    """Find a hidden goal behind a wall with three gates, of which other ones are open in each phase.

    The wall divides a square along y = 0. Starts lie in the south, within `start_jitter` m of `start_at` in x
    and y, with random heading; the goal lies in the north. Reward 1 and the end of the episode when the
    robot's centre is within `goal_radius` of the goal. The optimal path is the shortest one of a robot of
    `robot_radius` m through the gates that are open.

    `phases` says for how many episodes which gates are open; the last one goes on. By default: left and right
    for 10 episodes, left being nearer; only right for 10 (a wall stands on the learned path); then middle and
    right (a shortcut opens). What is painted on the walls stays the same, also on a wall that fills a gate.

    `info` has ``phase`` and ``trial_of_phase``, from 1, and ``open_gates``. A reset with a seed begins anew.

    Tolman & Honzik 1930 (University of California Publications in Psychology 4:215-232) blocked learned paths
    of rats; Tolman, Ritchie & Kalish 1946 (Journal of Experimental Psychology 36:13-24) opened shortcuts.

    Parameters
    ----------
    phases
        ((episodes, (gate, ...)), ...) with gates among ``left``, ``middle`` and ``right``.
    goal, goal_radius, start_at, start_jitter
        m.
    side, gate_width, gate_offset
        m: of the square, of each gate, and from the middle gate's centre to the others'.
    height, arena_seed, light
        Of the walls (m), what is painted on them, and the illumination.
    """

    def __init__(
        self,
        time_limit: float = 60.0,
        phases: tuple[Phase, ...] = PHASES,
        goal: tuple[float, float] = (-0.2, 0.65),
        goal_radius: float = 0.1,
        start_at: tuple[float, float] = (-0.4, -0.75),
        start_jitter: float = 0.1,
        side: float = 2.0,
        gate_width: float = 0.4,
        gate_offset: float = 0.6,
        height: float = 0.5,
        arena_seed: int = 0,
        light: float = 1.0,
        robot_radius: float = RobotSpec.radius,
    ) -> None:
        self.phases = tuple(_phase(phase) for phase in phases)
        if not self.phases:
            raise ValueError("phases must hold at least one (episodes, open gates)")
        self._arenas = {
            gates: gated_arena(
                [
                    ((k - 1) * gate_offset - 0.5 * gate_width, (k - 1) * gate_offset + 0.5 * gate_width)
                    for k, gate in enumerate(GATES)
                    if gate in gates
                ],
                side, height, arena_seed, light,
            )
            for _, gates in self.phases
        }  # fmt: skip
        super().__init__(self._arenas[self.phases[0][1]], time_limit, goal_radius)
        self._ways = {gates: Geodesic(arena, robot_radius) for gates, arena in self._arenas.items()}
        if not start_at[1] + start_jitter < 0.0 < goal[1]:
            raise ValueError(
                f"start_at must lie south of the wall (y = 0), goal north of it, got {start_at} and {goal} m"
            )
        self._start = start_at
        self._jitter = box_of_starts(self.arena, start_at, start_jitter, robot_radius)
        self._episode = 0
        self.move_goal(goal)
        self._home = self.goal

    def move_goal(self, xy: tuple[float, float]) -> None:
        goal = checked_goal(self.arena, xy, self.goal_radius)
        for gates, ways in self._ways.items():
            if not isfinite(ways.length(np.array(self._start), disc(goal, self.goal_radius).nearest)):
                raise ValueError(f"with gates {gates} open no way leads to the goal ({xy[0]:g}, {xy[1]:g}) m")
        self.goal = goal

    def renew(self) -> None:
        self._episode = 0

    def start(self, rng: np.random.Generator) -> Pose:
        self._episode += 1
        self.goal = self._home
        self.arena = self._arenas[self._gates]
        dx, dy = rng.uniform(-self._jitter, self._jitter, 2)
        return np.array([self._start[0] + dx, self._start[1] + dy, rng.uniform(-pi, pi)])

    def optimal_path(self, start: Pose) -> float:
        return self._ways[self._gates].length(start, self.disc.nearest)

    def info(self, time: float) -> dict[str, Plain]:
        phase, trial = self._place
        return {"phase": phase + 1, "trial_of_phase": trial, "open_gates": "+".join(self._gates)}

    def lasting(self) -> Lasting:
        return {"episode": self._episode}

    def restore(self, state: Mapping[str, object]) -> None:
        check_keys(type(self).__name__, state, self.lasting())
        self._episode = whole(type(self).__name__, state, "episode", 0)

    @property
    def _place(self) -> tuple[int, int]:
        """The phase, from 0, and its trial, from 1, of the present episode."""
        trial = max(1, self._episode)
        for k, (episodes, _) in enumerate(self.phases[:-1]):
            if trial <= episodes:
                return k, trial
            trial -= episodes
        return len(self.phases) - 1, trial

    @property
    def _gates(self) -> tuple[str, ...]:
        return self.phases[self._place[0]][1]


def _phase(phase: Phase) -> Phase:
    """Return `phase` with its gates from left to right, or raise ValueError."""
    try:
        episodes, gates = phase
        chosen = {gates} if isinstance(gates, str) else set(gates)
    except (TypeError, ValueError):
        raise ValueError(f"phases must hold (episodes, open gates), got {phase!r}") from None
    if isinstance(episodes, bool) or not isinstance(episodes, int) or episodes < 1:
        raise ValueError(f"a phase must have a whole number >= 1 of episodes, got {episodes!r}")
    if not chosen or not chosen <= set(GATES):
        raise ValueError(f"a phase must open some of the gates {GATES}, got {gates!r}")
    return episodes, tuple(gate for gate in GATES if gate in chosen)
