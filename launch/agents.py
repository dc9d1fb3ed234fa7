"""What the loop asks of an agent, and the one place that builds one from a configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..agent import AgentSnapshot, Navigator
from ..envs import CameraSpec
from ..spiking.random import stream
from .baselines import RandomWalk
from .config import ExperimentConfig
from .errors import UserError, asked
from .learner import Learner, Policy
from .mapped import MappedBody
from .oracle import Oracle, Route


class Agent(Protocol):
    """The surface of `agent.Navigator` that episodes, scores and checkpoints use."""

    @property
    def spike_hash(self) -> str:
        """Chained digest over all spikes so far."""

    @property
    def pose_estimate(self) -> NDArray[np.float64]:
        """(3,) x, y in m and theta in rad, in the frame of the pose at which the map in use was begun."""

    @property
    def map_number(self) -> int:
        """Which of its maps the agent uses; 0 begins where its first episode does."""

    @property
    def localised(self) -> bool:
        """False from the start of a later episode until a known view is recalled."""

    @property
    def populations(self) -> dict[str, slice]:
        """Ranges of global neuron indices by name."""

    @property
    def neurons(self) -> int:
        """Number of spiking neurons."""

    @property
    def synapses(self) -> int:
        """Number of synapses."""

    @property
    def spike_count(self) -> int:
        """Spikes so far."""

    @property
    def synaptic_operations(self) -> int:
        """Synaptic operations (one spike through one synapse) so far."""

    def reset(self, seed: int | None = None) -> None:
        """Begin an episode; what was learned is kept."""

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        """Run one control period and return the twist (2,): m/s, rad/s."""

    def reward(self, r: float, terminated: bool) -> None:
        """Take the reward that followed the last action."""

    def snapshot(self) -> AgentSnapshot:
        """Return the plain arrays of the last control period."""

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return everything an exact resume at a trial boundary needs."""

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take up a state made by `state_dict` of an agent of the same configuration."""


@runtime_checkable
class Informed(Protocol):
    """What may read `info`, because it says so: the oracle, which is no agent."""

    @property
    def informed(self) -> Literal[True]:
        """Declares it."""

    def inform(self, info: Mapping[str, Any]) -> None:
        """Take the `info` of the time at which `act` is called next."""


def nowhere(here: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the route of an oracle that was given none."""
    del here
    return np.empty((0, 2))


def make_agent(config: ExperimentConfig, camera: CameraSpec, seed: int, route: Route = nowhere) -> Agent:
    """Build the untrained agent that `config` asks for, under the top `seed`; `route` guides an oracle.

    Raises
    ------
    UserError
        If the agent refuses its configuration.
    """
    match config.algorithm:
        case "random":
            return RandomWalk(seed)
        case "oracle":
            return Oracle(config.agent.motor, route)
        case "ppo" | "sac" | "surrogate":
            with asked("agent"):
                body = MappedBody(config.agent, camera, seed)
            return Learner(body, _policy(config, body, seed), explores=config.exploration > 0.0)
        case rule:
            with asked("agent"):
                agent: Agent = Navigator(config.agent, camera, seed, rule)
                return agent


def _policy(config: ExperimentConfig, body: MappedBody, seed: int) -> Policy:
    kind: Callable[..., Policy]
    try:
        if config.algorithm == "surrogate":
            from .surrogate import OnlineSurrogate

            kind = OnlineSurrogate
        else:
            from .policies import OnlinePPO, OnlineSAC

            kind = {"ppo": OnlinePPO, "sac": OnlineSAC}[config.algorithm]
    except ModuleNotFoundError as error:
        raise UserError(
            f"algorithm {config.algorithm!r} needs {error.name}: pip install 'tolman[baselines]'"
        ) from error
    drawn = int(stream(seed, "learner").generate_state(1, np.uint32)[0])
    return kind(body.observation_space, body.action_space, drawn, config.agent.learning)
