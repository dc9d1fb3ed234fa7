"""The oracle: knows the true pose, the arena and what is rewarded, and drives there: the ceiling, no agent.

It is the only driver that may read `info`: `run_episode` hands it to those that say `informed`, and to
nobody else. It steers with the agent's own motor: what an arm loses against it is lost in knowing, not in
driving.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..agent.motor import MotorConfig, steer
from ..envs.geodesic import Geodesic
from ..envs.robot import RobotSpec
from ..envs.tasks import Task
from .frames import into_frame
from .spikeless import Spikeless

Floats = NDArray[np.float64]
#: From a place (2,), m, the waypoints (n, 2) of the way to what is rewarded; none where nothing is.
Route = Callable[[Floats], Floats]

_REACHED = 0.03  #: m from a waypoint at which the next one is headed for
_BERTH = 0.02  #: m by which it drives wide of corners, where there is room: it cuts them a little


def shortest(task: Task) -> Route:
    """Return the route to the nearest of the task's targets of the present episode, around its walls."""
    ways: dict[int, Geodesic] = {}

    def route(here: Floats) -> Floats:
        arena = task.arena
        if id(arena) not in ways:
            ways[id(arena)] = Geodesic(arena, RobotSpec.radius + _BERTH)
        found = [ways[id(arena)].path(here, target.nearest) for target in task.targets()]
        return min(found, key=itemgetter(0))[1] if found else np.empty((0, 2))

    return route


class Oracle(Spikeless):
    """Drives by its true pose along a route.

    Parameters
    ----------
    motor : speeds and gains of steering, the agent's
    route : the way to go, such as the `shortest` of a task
    """

    informed: Literal[True] = True
    localised = True

    def __init__(self, motor: MotorConfig, route: Route) -> None:
        super().__init__()
        self._motor, self._route = motor, route
        self._origin: Floats | None = None
        self._pose = np.full(3, math.nan)

    @property
    def pose_estimate(self) -> Floats:
        """(3,) the true pose, in the frame of the first start pose."""
        return np.zeros(3) if self._origin is None else into_frame(self._origin, self._pose)

    def reset(self, seed: int | None = None) -> None:
        """Begin an episode."""
        self._episodes += 1

    def inform(self, info: Mapping[str, Any]) -> None:
        """Take the true pose; raise ValueError where it is withheld."""
        if "pose" not in info:
            raise ValueError("the oracle drives by the true pose, which info does not hold")
        self._pose = np.asarray(info["pose"], np.float64)
        if self._origin is None:
            self._origin = self._pose.copy()

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        """Return the next twist (2,): along the route, or none where it leads nowhere."""
        here = self._pose[:2]
        ahead = self._route(here)
        if not len(ahead):
            return self._command(np.zeros(2, np.float32))
        far = np.hypot(*(ahead - here).T) > _REACHED
        target = ahead[int(np.argmax(far))] if far.any() else ahead[-1]
        wanted = math.atan2(target[1] - here[1], target[0] - here[0])
        return self._command(steer(self._motor, wanted, float(self._pose[2])))

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return digest, clock and the frame of its pose."""
        origin = np.full(3, math.nan) if self._origin is None else self._origin
        return self._lasting() | {"oracle_origin": origin.copy()}

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take up a state made by `state_dict`."""
        if set(state) != set(self.state_dict()):
            raise ValueError(f"not the state of an oracle: it holds {', '.join(sorted(state)) or 'nothing'}")
        self._take_up(dict(state))
        origin = np.array(state["oracle_origin"], np.float64)
        self._origin = None if np.isnan(origin).any() else origin
