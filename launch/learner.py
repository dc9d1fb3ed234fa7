"""A learner from a reinforcement-learning library in the agent's place: the same loop, map and motor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..agent import AgentSnapshot
from .mapped import Floats, MappedBody

_CONTROLLER = ("critic", "actor")  #: populations of the navigator that are not asked
_POLICY = "policy/"  #: begins the names of a learner's arrays in a checkpoint


class Policy(Protocol):
    """Decides, and learns from what follows. Steps are control periods in which the body obeys."""

    @property
    def exact(self) -> bool:
        """Whether `arrays` hold all that an exact resume needs."""

    @property
    def value(self) -> float:
        """The value it gave the last observation."""

    def begin(self) -> None:
        """Begin an episode; one that was not ended has been cut off."""

    def act(self, seen: Floats) -> Floats:
        """Take the observation after the last action; return the next action (2,)."""

    def reward(self, r: float, terminated: bool) -> None:
        """Take a reward, and the end of an episode that reached it."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return its state as plain arrays."""

    def take_up(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take up `arrays`; raise ValueError where they do not fit."""


class Learner:
    """An agent whose map and motor are the navigator's and whose controller is a `Policy`.

    With `explores`, the navigator itself drives the first episode, habituation: all arms explore alike.
    """

    def __init__(self, body: MappedBody, policy: Policy, explores: bool) -> None:
        self._body, self._navigator, self._policy = body, body.navigator, policy
        self._explores = explores
        self._episodes = 0

    @property
    def resumable(self) -> bool:
        """Whether a checkpoint holds all that an exact resume needs."""
        return self._policy.exact

    @property
    def spike_hash(self) -> str:
        """Digest over the spikes of view and memory."""
        return self._navigator.spike_hash

    @property
    def pose_estimate(self) -> NDArray[np.float64]:
        """(3,) as of the navigator."""
        return self._navigator.pose_estimate

    @property
    def map_number(self) -> int:
        """Which of its maps it uses."""
        return self._navigator.map_number

    @property
    def localised(self) -> bool:
        """Whether it believes its estimate."""
        return self._navigator.localised

    @property
    def populations(self) -> dict[str, slice]:
        """Ranges of neurons of view and memory."""
        every = self._navigator.populations
        return {name: span for name, span in every.items() if name not in _CONTROLLER}

    @property
    def neurons(self) -> int:
        """Spiking neurons of view and memory."""
        return int(max(span.stop for span in self.populations.values()))

    @property
    def synapses(self) -> int:
        """Connections of view and memory; the learner's weights are not counted."""
        return int(self._navigator.synapses - self._navigator.actor_critic.synapses)

    @property
    def spike_count(self) -> int:
        """Spikes so far."""
        return self._navigator.spike_count

    @property
    def synaptic_operations(self) -> int:
        """Synaptic operations so far; those of the learner's network are not counted."""
        return self._navigator.synaptic_operations

    @property
    def _exploring(self) -> bool:
        return self._explores and self._episodes == 1

    def reset(self, seed: int | None = None) -> None:
        """Begin an episode; what was learned is kept."""
        self._navigator.reset(seed)
        self._episodes += 1
        self._policy.begin()

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        """Run one control period and return the twist (2,)."""
        if self._exploring:
            return self._navigator.act(observation)
        seen = self._body.sense(observation)
        action = self._policy.act(seen) if self._navigator.obeys else np.zeros(2, np.float32)
        return self._body.drive(action, observation)

    def reward(self, r: float, terminated: bool) -> None:
        """Take the reward that followed the last action."""
        if not self._exploring:
            self._policy.reward(r, terminated)

    def snapshot(self) -> AgentSnapshot:
        """Return what happened in the last control period."""
        return replace(self._navigator.snapshot(), value=self._policy.value, dopamine=0.0)

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return the state of map and policy."""
        own = self._policy.arrays() | {"episodes": np.array(self._episodes)}
        return self._navigator.state_dict() | {_POLICY + name: array for name, array in own.items()}

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take up a state made by `state_dict` of a learner of the same kind."""
        own = {name.removeprefix(_POLICY): state[name] for name in state if name.startswith(_POLICY)}
        if "episodes" not in own:
            raise ValueError("not the state of a learner: it holds no policy")
        self._navigator.load_state_dict(
            {name: array for name, array in state.items() if not name.startswith(_POLICY)}
        )
        self._episodes = int(own.pop("episodes"))
        self._policy.take_up(own)
