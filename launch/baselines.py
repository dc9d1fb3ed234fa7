"""A correlated random walk: what the same robot does when it senses bumps only and learns nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..envs.robot import integrate_twist
from ..memory.config import PERIOD
from ..spiking.random import generator, restore_words, words_of
from .spikeless import Spikeless

_SPEED = 0.2  #: m/s
_TURN_TIME = 0.5  #: s, correlation time of the yaw rate
_TURN_STD = 1.2  #: rad/s
_ESCAPE_RATE = 2.5  #: rad/s, yaw rate of the turn away from a contact
_ESCAPE_TIME = 0.6  #: s


class RandomWalk(Spikeless):
    """Ornstein-Uhlenbeck yaw rate at constant speed; turns on the spot after a bump.

    It has no neurons, so its spike hash digests the commands instead, and its pose estimate is dead
    reckoning.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = generator(seed, "random-walk")
        self._pose = np.zeros(3)
        self._yaw_rate = 0.0
        self._escape = 0.0

    @property
    def pose_estimate(self) -> NDArray[np.float64]:
        """(3,) dead reckoning since the start of the episode."""
        return self._pose.copy()

    @property
    def localised(self) -> bool:
        """True in the first episode only: a walker without memory cannot know where a later one starts."""
        return self._episodes <= 1

    def reset(self, seed: int | None = None) -> None:
        """Begin an episode."""
        if seed is not None:
            self._random = generator(seed, "random-walk")
        self._episodes += 1
        self._pose = np.zeros(3)
        self._yaw_rate = self._escape = 0.0

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        """Return the next twist (2,)."""
        speed, yaw_rate = map(float, observation["odometry"])
        self._pose = integrate_twist(self._pose, speed, yaw_rate, PERIOD)
        decay = np.exp(-PERIOD / _TURN_TIME)
        kick = _TURN_STD * np.sqrt(1.0 - decay**2) * self._random.standard_normal()
        self._yaw_rate = float(decay * self._yaw_rate + kick)
        bump = np.asarray(observation["bump"])
        if bump.any() and self._escape <= 0.0:
            self._escape = _ESCAPE_TIME * (1.0 + self._random.random())
        if self._escape > 0.0:
            self._escape -= PERIOD
            twist = (0.0, _ESCAPE_RATE)
        else:
            twist = (_SPEED, self._yaw_rate)
        return self._command(np.array(twist, np.float32))

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return the random state, the digest and the clock."""
        return self._lasting() | {"random": words_of(self._random)}

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take up a state made by `state_dict`."""
        if set(state) != {"random", "digest", "time", "episodes"}:
            raise ValueError(
                f"not the state of a random walk: it holds {', '.join(sorted(state)) or 'nothing'}"
            )
        restore_words(self._random, state["random"])
        self._take_up(dict(state))
