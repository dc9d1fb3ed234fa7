"""A correlated random walk: what the same robot does when it senses bumps only and learns nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..agent import AgentSnapshot
from ..envs.robot import integrate_twist
from ..spiking.random import generator

_SPEED = 0.2  #: m/s
_TURN_TIME = 0.5  #: s, correlation time of the yaw rate
_TURN_STD = 1.2  #: rad/s
_ESCAPE_RATE = 2.5  #: rad/s, yaw rate of the turn away from a contact
_ESCAPE_TIME = 0.6  #: s
_PERIOD = 0.04  #: s, control period


class RandomWalk:
    """Ornstein-Uhlenbeck yaw rate at constant speed; turns on the spot after a bump.

    It has no neurons, so its spike hash digests the commands instead, and its pose estimate is dead
    reckoning.
    """

    populations: dict[str, slice]
    neurons = 0
    synapses = 0
    spike_count = 0
    synaptic_operations = 0
    map_number = 0

    def __init__(self, seed: int) -> None:
        self.populations = {}
        self._random = generator(seed, "random-walk")
        self._digest = b""
        self._pose = np.zeros(3)
        self._twist = np.zeros(2, np.float32)
        self._time = 0.0
        self._episodes = 0
        self._yaw_rate = 0.0
        self._escape = 0.0

    @property
    def spike_hash(self) -> str:
        """Digest over all commands so far."""
        return self._digest.hex()

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
        self._pose = integrate_twist(self._pose, speed, yaw_rate, _PERIOD)
        decay = np.exp(-_PERIOD / _TURN_TIME)
        kick = _TURN_STD * np.sqrt(1.0 - decay**2) * self._random.standard_normal()
        self._yaw_rate = float(decay * self._yaw_rate + kick)
        bump = np.asarray(observation["bump"])
        if bump.any() and self._escape <= 0.0:
            self._escape = _ESCAPE_TIME * (1.0 + self._random.random())
        if self._escape > 0.0:
            self._escape -= _PERIOD
            twist = (0.0, _ESCAPE_RATE)
        else:
            twist = (_SPEED, self._yaw_rate)
        self._twist = np.array(twist, np.float32)
        self._time += _PERIOD
        self._digest = hashlib.blake2b(self._digest + self._twist.tobytes(), digest_size=16).digest()
        return self._twist.copy()

    def reward(self, r: float, terminated: bool) -> None:
        """Ignore the reward."""

    def snapshot(self) -> AgentSnapshot:
        """Return the walker's pose and command; it has no spikes."""
        return AgentSnapshot(
            time=self._time,
            pose_estimate=self._pose.copy(),
            localised=self.localised,
            spike_neuron=np.zeros(0, np.uint32),
            spike_time=np.zeros(0, np.uint16),
            place_activity=np.zeros(0, np.float32),
            dopamine=0.0,
            value=0.0,
            twist=self._twist.copy(),
        )

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return the random state, the digest and the clock."""
        state = self._random.bit_generator.state["state"]
        words = [
            state["state"] >> 64,
            state["state"] & (2**64 - 1),
            state["inc"] >> 64,
            state["inc"] & (2**64 - 1),
        ]
        return {
            "random": np.array(words, np.uint64),
            "digest": np.frombuffer(self._digest, np.uint8).copy(),
            "time": np.array(self._time),
            "episodes": np.array(self._episodes),
        }

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take up a state made by `state_dict`."""
        if set(state) != {"random", "digest", "time", "episodes"}:
            raise ValueError(
                f"not the state of a random walk: it holds {', '.join(sorted(state)) or 'nothing'}"
            )
        high, low, inc_high, inc_low = (int(word) for word in state["random"])
        bits = np.random.PCG64()
        bits.state = {
            "bit_generator": "PCG64",
            "state": {"state": (high << 64) | low, "inc": (inc_high << 64) | inc_low},
            "has_uint32": 0,
            "uinteger": 0,
        }
        self._random = np.random.Generator(bits)
        self._digest = state["digest"].tobytes()
        self._time = float(state["time"])
        self._episodes = int(state["episodes"])
