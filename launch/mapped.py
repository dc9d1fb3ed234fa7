"""The robot with its perception and its map, but another controller: what a learner sees and decides.

A learner is asked what the spiking actor is asked, at the same 25 Hz: in which direction of the map's frame
to go. It is given what the actor hears, place cells, and besides the heading and whether the robot knows
where it is. Scanning for a known view, standing still while the map is set anew, and steering are the body's
own, as they are for the agent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..agent import Navigator, NavigatorConfig
from ..envs import CameraSpec

Floats = NDArray[np.float32]

_RATE = 20.0  #: Hz, activity of a place cell that a learner sees as 1
_MOST = 5.0  #: times that rate, above which it is cut off


class MappedBody:
    """Perception, spatial memory and motor of a `Navigator`, without its actor-critic.

    Observation, float32 (places + 3,): filtered activity of the place cells in units of 20 Hz, cosine and
    sine of the heading in the map's frame, 1 if localised.

    Action, float32 (2,): cosine and sine of the wanted direction in the map's frame; only the angle counts.
    """

    def __init__(self, config: NavigatorConfig, camera: CameraSpec, seed: int) -> None:
        # The map is learned either way; what is switched off is the controller that nobody listens to.
        self.navigator = Navigator(replace(config, learning=False), camera, seed)
        places = config.memory.place.cells
        low = np.array([0.0] * places + [-1.0, -1.0, 0.0], np.float32)
        high = np.array([_MOST] * places + [1.0, 1.0, 1.0], np.float32)
        self.observation_space = spaces.Box(low, high, dtype=np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def sense(self, observation: Mapping[str, Any]) -> Floats:
        """Begin a control period; return what a learner is given."""
        self.navigator.sense(observation)
        memory = self.navigator.memory
        activity = np.minimum(memory.place.activity / np.float32(_RATE), np.float32(_MOST))
        heading = memory.heading.heading
        rest = [math.cos(heading), math.sin(heading), float(memory.localised)]
        return np.concatenate((activity, np.array(rest, np.float32)))

    def drive(self, action: Floats, observation: Mapping[str, Any]) -> Floats:
        """End the control period; return the twist (2,)."""
        return self.navigator.drive(math.atan2(float(action[1]), float(action[0])), observation)


class MappedEnv(gymnasium.Wrapper[Floats, Floats, Any, Floats]):
    """An environment of the robot seen through a `MappedBody`: flat observations, directions as actions.

    Any reinforcement-learning library that takes Gymnasium environments can train on it. A step is one
    control period; periods in which the body does not obey, because it looks around, pass within the step
    before.
    """

    def __init__(self, environment: gymnasium.Env[Any, Floats], body: MappedBody) -> None:
        super().__init__(environment)
        self.body = body
        self.observation_space = body.observation_space
        self.action_space = body.action_space
        self._raw: Any = None
        self._still = np.zeros(2, np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Floats, dict[str, Any]]:
        """Begin an episode; return once the body obeys, or gave up looking for a known view."""
        self._raw, info = self.env.reset(seed=seed, options=options)
        self.body.navigator.reset()
        seen = self.body.sense(self._raw)
        while not self.body.navigator.obeys:
            self._raw, _, terminated, truncated, info = self.env.step(self.body.drive(self._still, self._raw))
            if terminated or truncated:
                break
            seen = self.body.sense(self._raw)
        return seen, info

    def step(self, action: Floats) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """Drive one control period in the direction of `action`, and on until the body obeys again."""
        total = 0.0
        while True:
            twist = self.body.drive(action, self._raw)
            self._raw, reward, terminated, truncated, info = self.env.step(twist)
            total += float(reward)
            seen = self.body.sense(self._raw)
            if terminated or truncated or self.body.navigator.obeys:
                return seen, total, terminated, truncated, info
