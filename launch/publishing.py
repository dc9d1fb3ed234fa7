"""Observers of `tolman run`: publishing or recording every control period, and keeping to real time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..bridge.state import StateSink
from .episode import CONTROL_PERIOD, Moment
from .frames import Pose
from .scoring import TrialRecord
from .session import Session


class Publisher:
    """Sends what the agent knows, and the true pose for viewers, to sockets or a file; waits for nobody."""

    def __init__(self, bridge: StateSink, session: Session, scene: Mapping[str, Any]) -> None:
        self._bridge = bridge
        self._session = session
        self._walls = np.asarray(scene["walls"], np.float64).reshape(-1, 2, 2)
        self._goal_radius = scene["goal_radius"]
        self._goal = scene["goal"]
        self._map = 0
        bridge.set_populations(session.agent.populations)

    def begin(self, trial: int, pose: Pose, info: Mapping[str, Any]) -> None:
        """Tell viewers the arena, the goal and where the agent's map has its origin."""
        self._tell(info.get("goal"))

    def watch(self, moment: Moment) -> None:
        """Publish one control period."""
        self._bridge.publish(moment.snapshot, moment.observation, reward=moment.reward, true_pose=moment.pose)
        goal = moment.info.get("goal")
        if goal is not None and self._goal is not None and not np.array_equal(goal, self._goal):
            self._tell(goal)
        elif moment.snapshot.map_number != self._map:
            self._map = moment.snapshot.map_number
            self._tell(self._goal)

    def end(self, record: TrialRecord) -> None:
        """Nothing is left to say at the end of an episode."""

    def _tell(self, goal: Any) -> None:
        self._goal = None if goal is None else np.array(goal, np.float64)
        self._bridge.set_arena(
            self._walls,
            goal=self._goal,
            goal_radius=self._goal_radius,
            map_origin=self._session.frames[self._map],
        )


class RealTime:
    """Sleeps so that the loop runs no faster than the world would; it changes no result."""

    def __init__(self) -> None:
        self._due = 0.0

    def begin(self, trial: int, pose: Pose, info: Mapping[str, Any]) -> None:
        """Start counting."""
        self._due = time.monotonic()

    def watch(self, moment: Moment) -> None:
        """Sleep until the control period would be over; never hurry after a slow one."""
        self._due = max(self._due + CONTROL_PERIOD, time.monotonic() - CONTROL_PERIOD)
        time.sleep(max(0.0, self._due - time.monotonic()))

    def end(self, record: TrialRecord) -> None:
        """Nothing to do at the end of an episode."""
