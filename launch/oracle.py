"""The oracle: knows the true pose, the arena and the goal, and drives there. The ceiling, and no agent.

It is the only driver that may read `info`: `run_episode` hands it to those that say `informed`, and to
nobody else. It steers with the agent's own motor: what an arm loses against it is lost in knowing, not in
driving.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..agent.motor import MotorConfig, steer
from .frames import into_frame
from .spikeless import Spikeless

Floats = NDArray[np.float64]
#: From a place (2,) to the goal (2,), m: the waypoints (n, 2) of the shortest way, the goal last.
Route = Callable[[Floats, Floats], Floats]

_REACHED = 0.02  #: m from a waypoint at which the next one is headed for


def straight(here: Floats, goal: Floats) -> Floats:
    """Return the way to `goal` (2,) where nothing stands in between: itself, (1, 2)."""
    del here
    return goal[None]


class Oracle(Spikeless):
    """Drives the shortest way to the goal by its true pose.

    Parameters
    ----------
    motor : speeds and gains of steering, the agent's
    route : the way around walls; `straight` where there are none
    """

    informed: Literal[True] = True
    localised = True

    def __init__(self, motor: MotorConfig, route: Route = straight) -> None:
        super().__init__()
        self._motor, self._route = motor, route
        self._origin: Floats | None = None
        self._pose = np.full(3, math.nan)
        self._goal: Floats | None = None

    @property
    def pose_estimate(self) -> Floats:
        """(3,) the true pose, in the frame of the first start pose."""
        return np.zeros(3) if self._origin is None else into_frame(self._origin, self._pose)

    def reset(self, seed: int | None = None) -> None:
        """Begin an episode."""
        self._episodes += 1

    def inform(self, info: Mapping[str, Any]) -> None:
        """Take the true pose and the goal; raise ValueError where they are withheld."""
        if "pose" not in info:
            raise ValueError("the oracle drives by the true pose, which info does not hold")
        self._pose = np.asarray(info["pose"], np.float64)
        if self._origin is None:
            self._origin = self._pose.copy()
        self._goal = None if "goal" not in info else np.asarray(info["goal"], np.float64)

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        """Return the next twist (2,): towards the goal, or none where there is nothing to reach."""
        if self._goal is None:
            return self._command(np.zeros(2, np.float32))
        here = self._pose[:2]
        ahead = self._route(here, self._goal)
        far = np.hypot(*(ahead - here).T) > _REACHED
        target = ahead[int(np.argmax(far))] if far.any() else self._goal
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
