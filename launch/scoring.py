"""Scores of one trial, from the true pose in `info` and the agent's own estimate.

Frame
    All places are compared in the frame of the start pose of the agent's *first* episode, with no later
    alignment. The origin of that frame is the one thing the scorer tells nobody: it only moves the true
    pose into it.
Localisation error
    Distance between true and estimated place, averaged over the control periods in which the agent says
    that it is localised (a later trial starts at an unknown place: before a view is recalled there is
    nothing to score). The fraction of periods that counted, and the error over all periods, are reported
    beside it.
Dead reckoning
    Integrates the same noisy wheel odometry as exact arcs in the same frame. It starts at the first start
    pose and is scored within the agent's first episode only: a later episode begins with a teleport that
    odometry cannot see. The agent's error over those same periods is reported for comparison, and so is dead
    reckoning by the wheels' speed with the gyro's turning rate: the agent has a gyro, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..envs.robot import integrate_twist
from ..envs.tasks.base import Plain
from .frames import Pose, into_frame, wrap

#: What every environment says in `info`: kept under other names, or of no use after the trial.
_STANDARD = {"pose", "goal", "success", "collision", "collisions", "path_m", "optimal_path_m", "time_s"}


@dataclass(frozen=True)
class TrialRecord:
    """What came of one trial. Lengths in m, times in s, angles in rad; `None` where it is not defined."""

    trial: int  #: 1, 2, ...; 0 is habituation
    latency_s: float
    path_m: float
    optimal_path_m: float | None
    success: bool
    collisions: int
    reward: float
    steps: int
    start: tuple[float, float]
    localisation_error_m: float | None
    localisation_error_all_m: float | None
    localised_fraction: float
    heading_error_rad: float | None
    dead_reckoning_error_m: float | None
    spikes: int
    synaptic_operations: int
    wall_s: float  #: of the whole loop, without the first step (which may compile)
    timed_s: float  #: simulated time that `wall_s` covers
    dead_reckoning_gyro_error_m: float | None = None  #: the wheels' speed, the gyro's turning rate
    extras: dict[str, Plain] = field(default_factory=dict)  #: what else the task says: its day, ...


def success(record: TrialRecord) -> float | None:
    """Return 1 or 0; `None` where there is nothing to find."""
    return None if record.optimal_path_m is None else float(record.success)


def spl(record: TrialRecord) -> float | None:
    """Return success weighted by path length: S l / max(p, l) (Anderson et al. 2018, 'On evaluation ...').

    `None` where there is nothing to find.
    """
    if record.optimal_path_m is None:
        return None
    if not record.success:
        return 0.0
    if record.optimal_path_m <= 0.0:
        return 1.0
    return record.optimal_path_m / max(record.path_m, record.optimal_path_m)


class LocalisationScore:
    """Running means of the errors of one episode."""

    def __init__(self, origin: Pose, first_episode: bool, start: Pose) -> None:
        self.origin = origin  #: of the map in use, in the world
        self._first = origin
        self._reckoned: Pose | None = into_frame(origin, start) if first_episode else None
        self._by_gyro = self._reckoned
        self._periods = 0
        self._localised = 0
        self._place = 0.0
        self._place_all = 0.0
        self._heading = 0.0
        self._reckoning = 0.0
        self._gyro_reckoning = 0.0

    def add(self, true_pose: Pose, estimate: Pose, localised: bool) -> None:
        """Score one control period: world `true_pose` (3,) against the agent's `estimate` (3,)."""
        truth = into_frame(self.origin, true_pose)
        error = math.hypot(truth[0] - estimate[0], truth[1] - estimate[1])
        self._periods += 1
        self._place_all += error
        if localised:
            self._localised += 1
            self._place += error
            self._heading += abs(float(wrap(truth[2] - estimate[2])))
        if self._reckoned is not None and self._by_gyro is not None:  # both, in the first episode
            started = into_frame(self._first, true_pose)
            self._reckoning += math.dist(started[:2], self._reckoned[:2])
            self._gyro_reckoning += math.dist(started[:2], self._by_gyro[:2])

    def reckon(self, odometry: Pose, gyro: float, dt: float) -> None:
        """Advance dead reckoning by one control period: `odometry` (2,) m/s and rad/s, `gyro` rad/s."""
        if self._reckoned is not None:
            self._reckoned = integrate_twist(self._reckoned, float(odometry[0]), float(odometry[1]), dt)
        if self._by_gyro is not None:
            self._by_gyro = integrate_twist(self._by_gyro, float(odometry[0]), gyro, dt)

    @property
    def reckoned(self) -> Pose | None:
        """(3,) pose of dead reckoning in the agent's frame, or `None` after the first episode."""
        return self._reckoned

    def summary(self) -> dict[str, float | None]:
        """Return the means under the names of `TrialRecord`."""
        return {
            "localisation_error_m": self._place / self._localised if self._localised else None,
            "localisation_error_all_m": self._place_all / self._periods if self._periods else None,
            "localised_fraction": self._localised / self._periods if self._periods else 0.0,
            "heading_error_rad": self._heading / self._localised if self._localised else None,
            "dead_reckoning_error_m": (
                self._reckoning / self._periods if self._reckoned is not None and self._periods else None
            ),
            "dead_reckoning_gyro_error_m": (
                self._gyro_reckoning / self._periods if self._by_gyro is not None and self._periods else None
            ),
        }


def extras(info: Mapping[str, Any]) -> dict[str, Plain]:
    """Return the finite numbers, truth values and strings that the task adds to `info`."""
    found: dict[str, Plain] = {}
    for name, value in info.items():
        plain = value.item() if isinstance(value, np.generic) else value
        if name in _STANDARD or not isinstance(plain, Plain):
            continue
        if not isinstance(plain, float) or math.isfinite(plain):
            found[name] = plain
    return found


def true_pose(info: Mapping[str, Any]) -> Pose:
    """Return the pose (3,) in `info`, or NaN where a wrapper emptied it."""
    return np.asarray(info.get("pose", (math.nan, math.nan, math.nan)), np.float64)


def number(info: Mapping[str, Any], key: str) -> float | None:
    """Return a finite number from `info`, or `None`."""
    value = info.get(key)
    return float(value) if value is not None and math.isfinite(float(value)) else None
