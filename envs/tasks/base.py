"""What a task is: where an episode starts, what is rewarded, when it ends, how short the path could be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..arena import Arena

Pose = NDArray[np.float64]
Points = NDArray[np.float64]

Twist = tuple[float, float]  #: m/s, rad/s
Plain = bool | int | float | str
Lasting = dict[str, Plain | list[float]]  #: what a task keeps from episode to episode, for JSON


@dataclass(frozen=True)
class Outcome:
    """What a task makes of a control period."""

    reward: float = 0.0
    terminated: bool = False
    success: bool = False


@dataclass(frozen=True)
class Zone:
    """A named rectangle of floor, m; the robot is in it when its centre is."""

    name: str
    x0: float
    y0: float
    x1: float
    y1: float

    def contains(self, x: float, y: float) -> bool:
        """Tell whether (x, y) is in it."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1

    def nearest(self, points: Points) -> Points:
        """Return the points (n, 2) of the zone that are nearest to `points` (n, 2)."""
        return np.clip(points, (self.x0, self.y0), (self.x1, self.y1))


class Target(Protocol):
    """A convex part of the floor in which an episode ends with reward."""

    def contains(self, x: float, y: float) -> bool:
        """Tell whether (x, y) is in it."""

    def nearest(self, points: Points) -> Points:
        """Return its points (n, 2) that are nearest to `points` (n, 2)."""


class Task(ABC):
    """A task in an arena. `time_limit` (s) is kept by the environment, which truncates.

    A task may have more than start and reward: a cue in the observation (`cues`, `cue`), times at which the
    robot does not do as it is told (`led`), places where the camera is blank (`blanks`), an arena that
    another episode changes (assign `arena` in `start`), and something it keeps from episode to episode
    (`lasting`). None of it unless a method says so.

    Attributes
    ----------
    goal, goal_radius
        m, (2,) and radius of the hidden goal; `None` where there is none (yet).
    zones, wanted
        Zones of the arena, and the names of those that are rewarded: for pictures.
    cues
        Names of what the entry ``cue`` of the observation can ask for; empty without a cue.
    """

    zones: tuple[Zone, ...] = ()
    cues: tuple[str, ...] = ()
    seeks = False  #: whether there is something to be reached

    def __init__(self, arena: Arena, time_limit: float) -> None:
        if not (time_limit > 0.0 and isfinite(time_limit)):
            raise ValueError(f"time_limit must be > 0 s, got {time_limit}")
        self.arena, self.time_limit = arena, time_limit
        self.goal: NDArray[np.float64] | None = None
        self.goal_radius = 0.0
        self.wanted: tuple[str, ...] = ()

    @abstractmethod
    def start(self, rng: np.random.Generator) -> Pose:
        """Begin an episode; return the start pose (x m, y m, heading rad)."""

    @abstractmethod
    def evaluate(self, pose: Pose) -> Outcome:
        """Judge the pose (3,) reached at the end of a control period."""

    def optimal_path(self, start: Pose) -> float:
        """Return the shortest path from `start` that succeeds, m; 0 where nothing is to be reached."""
        return 0.0

    def targets(self) -> tuple[Target, ...]:
        """Return what is rewarded in this episode; empty before the first, and without `seeks`."""
        return ()

    def move_goal(self, xy: tuple[float, float]) -> None:
        """Move the hidden goal to `xy` m until the next start."""
        raise ValueError(f"{type(self).__name__} has no goal to move")

    def renew(self) -> None:  # noqa: B027  (most tasks keep nothing)
        """Forget all earlier episodes: the environment was seeded."""

    def info(self, time: float) -> dict[str, Plain]:
        """Return what `info` says of the task `time` s after the episode's start, for scoring only."""
        return {}

    def cue(self) -> NDArray[np.float32]:
        """Return the observation's entry ``cue``, float32 (len(cues),)."""
        return np.zeros(len(self.cues), np.float32)

    def led(self, time: float, pose: Pose) -> Twist | None:
        """Return what moves the robot, at `pose` (3,), in the control period that begins at `time` s.

        `None`: it does as it is told.
        """
        return None

    def blanks(self, x: float, y: float) -> bool:
        """Tell whether the cameras see nothing at (x, y) m."""
        return False

    def lasting(self) -> Lasting:
        """Return what later episodes depend on, as plain values; empty where they depend on nothing."""
        return {}

    def restore(self, state: Mapping[str, object]) -> None:
        """Take up what `lasting` returned.

        Raises
        ------
        ValueError
            If it is not of such a task; nothing has changed then.
        """
        check_keys(type(self).__name__, state, self.lasting())


def check_keys(task: str, state: Mapping[str, object], expected: Mapping[str, object]) -> None:
    """Raise ValueError unless `state` has the keys of `expected`."""
    if set(state) != set(expected):
        have, want = ", ".join(sorted(state)) or "nothing", ", ".join(sorted(expected)) or "nothing"
        raise ValueError(f"{task} keeps {want} from episode to episode, this state holds {have}")


def whole(task: str, state: Mapping[str, object], key: str, least: int) -> int:
    """Return the whole number of at least `least` that `state` holds under `key`, or raise ValueError."""
    value = state[key]
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{task} {key} must be a whole number >= {least}, this state holds {value!r}")
    return value


def numbers(task: str, state: Mapping[str, object], key: str) -> list[float]:
    """Return the finite numbers that `state` holds under `key`, or raise ValueError."""
    values = state[key]
    if not isinstance(values, list | tuple) or not all(
        isinstance(v, int | float) and not isinstance(v, bool) and isfinite(v) for v in values
    ):
        raise ValueError(f"{task} {key} must be finite numbers, this state holds {values!r}")
    return [float(v) for v in values]


def box_of_starts(arena: Arena, at: tuple[float, float], jitter: float, radius: float) -> float:
    """Return `jitter` m, or raise ValueError unless a robot of `radius` m fits everywhere that near `at`."""
    if not jitter >= 0.0:
        raise ValueError(f"start_jitter must be >= 0 m, got {jitter}")
    for dx, dy in ((jitter, jitter), (jitter, -jitter), (-jitter, jitter), (-jitter, -jitter)):
        if not arena.contains(at[0] + dx, at[1] + dy, margin=radius):
            raise ValueError(
                f"starts within {jitter:g} m of ({at[0]:g}, {at[1]:g}) m leave no room for the robot"
                f" (radius {radius:g} m) in the arena {arena.name!r}"
            )
    return jitter
