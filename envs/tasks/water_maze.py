"""Water mazes: a hidden goal in a round pool, the same one always or another one each day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import atan2, cos, hypot, inf, pi, remainder, sin

import numpy as np
from numpy.typing import NDArray

from ..arena import Arena
from .base import Lasting, Outcome, Plain, Pose, Twist, check_keys, numbers, whole
from .hidden_goal import HiddenGoal, checked_goal

LEADING = (0.3, 2.0)  #: m/s and rad/s with which a robot is led


class WaterMaze(HiddenGoal):
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
        super().__init__(arena, time_limit, goal_radius)
        self.start_radius, self.start_distance = start_radius, start_distance
        self.move_goal(goal)
        self._home = self.goal
        # Refuses what leaves no start before the first episode does.
        _draw_start(np.random.default_rng(0), arena, np.array(goal), start_radius, start_distance)

    def start(self, rng: np.random.Generator) -> Pose:
        self.goal = self._home
        assert self.goal is not None
        return _draw_start(rng, self.arena, self.goal, self.start_radius, self.start_distance)


class DelayedMatch(HiddenGoal):
    """A water maze whose platform moves every day: delayed matching to place (Steele & Morris 1999).

    `trials_per_day` episodes make a day. Its goal is drawn at the first of them: anywhere within `goal_range`
    of the arena's radius from the centre, at least `least_move` m from the day before's. In trial 1 of a day
    it must be searched; who remembers it goes straight to it in trial 2. Who has not found it in `search` s
    is led to it on a straight line, as the rats are: that is rewarded too, and no success (`None`: nobody is
    led). Reward, start and optimal path are those of `WaterMaze`; the starts of a day are at least
    π / (2 `trials_per_day`) rad apart, seen from the centre.

    `info` has ``day`` and ``trial_of_day``, from 1, and ``led``. A reset with a seed begins day 1.

    Source: Steele & Morris 1999, Hippocampus 9:118-136 (four trials a day, another platform each day).
    """

    def __init__(
        self,
        arena: Arena,
        time_limit: float = 80.0,
        trials_per_day: int = 4,
        least_move: float = 0.5,
        goal_range: float = 0.75,
        goal_radius: float = 0.1,
        start_radius: float = 0.85,
        start_distance: float = 0.5,
        search: float | None = 60.0,
    ) -> None:
        super().__init__(arena, time_limit, goal_radius)
        if search is not None and not search > 0.0:
            raise ValueError(f"search must be > 0 s, got {search}")
        self._search = inf if search is None else search
        if isinstance(trials_per_day, bool) or not isinstance(trials_per_day, int) or trials_per_day < 1:
            raise ValueError(f"trials_per_day must be a whole number >= 1, got {trials_per_day!r}")
        low_x, low_y, high_x, high_y = arena.bounds
        if not 0.0 < goal_range < 1.0:
            raise ValueError(f"goal_range must be in (0, 1) of the arena's radius, got {goal_range}")
        self._centre = (0.5 * (low_x + high_x), 0.5 * (low_y + high_y))
        self._range = goal_range * 0.5 * min(high_x - low_x, high_y - low_y)
        # From any goal there must be room for the next one.
        if not 0.0 <= least_move < self._range:
            raise ValueError(
                f"least_move must be in [0, {self._range:g}) m, how far from the centre a goal may be,"
                f" got {least_move}"
            )
        checked_goal(arena, (self._centre[0] + self._range, self._centre[1]), goal_radius)
        self.trials_per_day, self.least_move = trials_per_day, least_move
        self.start_radius, self.start_distance = start_radius, start_distance
        self._day = self._trial = 0
        self._home: NDArray[np.float64] | None = None
        self._starts: list[float] = []
        self._led = False
        _draw_start(np.random.default_rng(0), arena, np.array(self._centre), start_radius, start_distance)

    def renew(self) -> None:
        self._day = self._trial = 0
        self._home, self._starts = None, []

    def start(self, rng: np.random.Generator) -> Pose:
        if self._day == 0 or self._trial >= self.trials_per_day:
            self._home = self._draw_goal(rng)
            self._day, self._trial, self._starts = self._day + 1, 0, []
        self._trial += 1
        self._led = False
        self.goal = self._home
        assert self.goal is not None
        pose = _draw_start(
            rng, self.arena, self.goal, self.start_radius, self.start_distance, self._starts,
            0.5 * pi / self.trials_per_day,
        )  # fmt: skip
        self._starts.append(float(np.arctan2(pose[1], pose[0])))
        return pose

    def led(self, time: float, pose: Pose) -> Twist | None:
        if time < self._search - 1e-9:
            return None
        self._led = True
        x, y, heading = pose
        goal = self.disc
        off = remainder(atan2(goal.y - y, goal.x - x) - heading, 2.0 * pi)
        return LEADING[0] * max(0.0, cos(off)), max(-LEADING[1], min(LEADING[1], 4.0 * off))

    def evaluate(self, pose: Pose) -> Outcome:
        outcome = super().evaluate(pose)
        return replace(outcome, success=outcome.success and not self._led)

    def info(self, time: float) -> dict[str, Plain]:
        return {"day": self._day, "trial_of_day": self._trial, "led": self._led}

    def lasting(self) -> Lasting:
        home = [] if self._home is None else [float(v) for v in self._home]
        return {"day": self._day, "trial_of_day": self._trial, "goal": home, "starts": list(self._starts)}

    def restore(self, state: Mapping[str, object]) -> None:
        name = type(self).__name__
        check_keys(name, state, self.lasting())
        day, trial = whole(name, state, "day", 0), whole(name, state, "trial_of_day", 0)
        home, starts = numbers(name, state, "goal"), numbers(name, state, "starts")
        if len(home) != (2 if day > 0 else 0) or len(starts) != trial or trial > self.trials_per_day:
            raise ValueError(
                f"{name} of {self.trials_per_day} trials a day has no day {day} with trial {trial},"
                f" {len(starts)} starts and goal {home}"
            )
        goal = checked_goal(self.arena, (home[0], home[1]), self.goal_radius) if home else None
        self._day, self._trial, self._home, self._starts = day, trial, goal, starts
        self.goal = goal

    def _draw_goal(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw a goal evenly from the disc where goals may be, far enough from the last one."""
        while True:
            angle, far = rng.uniform(-pi, pi), self._range * float(np.sqrt(rng.uniform()))
            goal = np.array([self._centre[0] + far * cos(angle), self._centre[1] + far * sin(angle)])
            if self._home is None or hypot(*(goal - self._home)) >= self.least_move:
                return goal


def _draw_start(
    rng: np.random.Generator,
    arena: Arena,
    goal: NDArray[np.float64],
    radius: float,
    distance: float,
    earlier: Sequence[float] = (),
    apart: float = 0.0,
) -> Pose:
    """Draw a start `radius` m from the centre, `distance` m from `goal`, `apart` rad from `earlier` ones."""
    for _ in range(1000):
        angle, heading = rng.uniform(-pi, pi, 2)
        x, y = radius * cos(angle), radius * sin(angle)
        if (
            hypot(x - goal[0], y - goal[1]) >= distance
            and arena.contains(x, y, margin=0.08)
            and all(abs(remainder(angle - other, 2.0 * pi)) >= apart for other in earlier)
        ):
            return np.array([x, y, heading])
    raise ValueError(f"no start at {radius} m from the centre is {distance} m from the goal")
