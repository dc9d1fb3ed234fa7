"""What drives without neurons has in common: nothing to count, a digest of its commands for a spike hash."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..agent import AgentSnapshot
from ..memory.config import PERIOD


class Spikeless(ABC):
    """Twist, clock, episodes and the digest of all commands so far."""

    populations: dict[str, slice]
    neurons = 0
    synapses = 0
    spike_count = 0
    synaptic_operations = 0
    map_number = 0

    def __init__(self) -> None:
        self.populations = {}
        self._digest = b""
        self._twist = np.zeros(2, np.float32)
        self._time = 0.0
        self._episodes = 0

    @property
    def spike_hash(self) -> str:
        """Digest over all commands so far."""
        return self._digest.hex()

    @property
    @abstractmethod
    def pose_estimate(self) -> NDArray[np.float64]:
        """(3,) in the frame of the first start pose."""

    @property
    @abstractmethod
    def localised(self) -> bool:
        """Whether it knows where it is."""

    def reward(self, r: float, terminated: bool) -> None:
        """Ignore the reward."""
        del r, terminated

    def snapshot(self) -> AgentSnapshot:
        """Return pose and command; there are no spikes."""
        return AgentSnapshot(
            time=self._time,
            pose_estimate=self.pose_estimate,
            localised=self.localised,
            spike_neuron=np.zeros(0, np.uint32),
            spike_time=np.zeros(0, np.uint16),
            place_activity=np.zeros(0, np.float32),
            dopamine=0.0,
            value=0.0,
            twist=self._twist.copy(),
        )

    def _command(self, twist: NDArray[np.float32]) -> NDArray[np.float32]:
        """Note `twist` (2,) as this control period's command and return it."""
        self._twist = twist.copy()
        self._time += PERIOD
        self._digest = hashlib.blake2b(self._digest + twist.tobytes(), digest_size=16).digest()
        return twist

    def _lasting(self) -> dict[str, NDArray[Any]]:
        """Return what lasts from one episode to the next, for a checkpoint."""
        return {
            "digest": np.frombuffer(self._digest, np.uint8).copy(),
            "time": np.array(self._time),
            "episodes": np.array(self._episodes),
        }

    def _take_up(self, state: dict[str, NDArray[Any]]) -> None:
        self._digest = state["digest"].tobytes()
        self._time = float(state["time"])
        self._episodes = int(state["episodes"])
