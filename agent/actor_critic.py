"""Spiking critic and actor: where the value is, and where to go.

Parameters follow Fremaux et al. 2013 and ModelDB 245018 (Brzosko, Zannone et al. 2017); start weights, bounds
and rates were measured for a water maze of 1 m radius (docs/learning.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..spiking.checks import require_positive
from ..spiking.escape import EscapeRate
from ..spiking.parameters import LogNormal
from ..spiking.random import generator, key
from . import td_ltp
from .reward_rules import ActorRule, ActorSynapses, RewardRulesConfig

Floats = NDArray[np.float32]
AWAKE = np.zeros(6, np.float32)


@dataclass(frozen=True, slots=True)
class ActorCriticConfig:
    """Sizes, constants and learning rates of the controller."""

    critics: int = 50
    actors: int = 60
    rho0: float = 16.0  #: Hz
    theta: float = 16.0  #: mV
    delta_u: float = 2.0  #: mV
    chi: float = -5.0  #: mV, refractory kernel
    epsilon0: float = 20.0  #: mV ms
    tau_membrane: float = 0.020  #: s
    tau_synapse: float = 0.005  #: s
    kappa_slow: float = 0.200  #: s
    kappa_fast: float = 0.050  #: s
    tag_slow: float = 1.0  #: s, eligibility
    tag_fast: float = 0.050  #: s, eligibility
    tau_reward: float = 5.0  #: s, discount
    value_per_hz: float = 0.02
    value_offset: float = -0.24
    input_rate: float = (
        1257.0  #: Hz, total presynaptic drive to which the input is normalised (ModelDB 245018)
    )
    least_rate: float = 60.0  #: Hz, below which the input is not scaled up any further
    critic_start: float = 0.65
    critic_low: float = 0.2
    critic_high: float = 1.4
    actor_start: float = 2.0
    actor_low: float = 1.0
    actor_high: float = 3.0
    lateral_excitation: float = 35.0  #: mV, shared between neighbours
    lateral_inhibition: float = -300.0  #: mV, shared by all
    lateral_concentration: float = 8.0
    critic_rate: float = 0.03  #: learning rate
    actor_rate: float = 0.03  #: learning rate
    readout_slow: float = 0.050  #: s
    readout_fast: float = 0.020  #: s
    #: what steers the actor's synapses: dopamine, or acetylcholine too (`reward_rules`)
    neuromodulators: Literal["da", "da+ach"] = "da"
    mismatch: float = 0.0  #: coefficient of variation of threshold and gain over neurons
    device: int = 0  #: which neurons the mismatch draws
    rules: RewardRulesConfig = field(default_factory=RewardRulesConfig)

    def __post_init__(self) -> None:
        for name in ("critics", "actors"):
            if getattr(self, name) < 1:
                raise ValueError(f"actor_critic {name} must be >= 1, got {getattr(self, name)}")
        require_positive(
            "actor_critic", self, "kappa_fast", "tag_fast", "readout_fast", "tau_reward", "input_rate",
            "least_rate",
        )  # fmt: skip
        for kernel in ("kappa", "tag", "readout"):
            fast, slow = getattr(self, f"{kernel}_fast"), getattr(self, f"{kernel}_slow")
            if not fast < slow < np.inf:
                raise ValueError(f"actor_critic needs {kernel}_fast < {kernel}_slow, got {fast} and {slow}")
        for part in ("critic", "actor"):
            low, start, high = (getattr(self, f"{part}_{name}") for name in ("low", "start", "high"))
            if not 0.0 <= low <= start <= high:
                raise ValueError(
                    f"actor_critic needs 0 <= {part}_low <= {part}_start <= {part}_high,"
                    f" got {low}, {start} and {high}"
                )
        for name in ("critic_rate", "actor_rate"):
            if getattr(self, name) < 0.0:
                raise ValueError(f"actor_critic {name} must be >= 0, got {getattr(self, name)}")
        if self.neuromodulators not in ("da", "da+ach"):
            raise ValueError(
                f"actor_critic neuromodulators must be 'da' or 'da+ach', got {self.neuromodulators!r}"
            )
        if self.mismatch < 0.0 or self.device < 0:
            raise ValueError(
                f"actor_critic mismatch and device must be >= 0, got {self.mismatch}, {self.device}"
            )
        self.neurons()

    def neurons(self) -> EscapeRate:
        """Return the model of critics and actors; raises ValueError for impossible numbers.

        With mismatch each has a threshold of its own, divided by its gain; the kernels of their inputs, with
        which synapses learn as well, are the same for all.
        """
        theta: float | NDArray[np.float64] = self.theta
        if self.mismatch > 0.0:
            rng, factor = generator(self.device, "mismatch"), LogNormal(1.0, self.mismatch)
            count = self.critics + self.actors
            theta = theta * factor.draw(count, rng) / factor.draw(count, rng)
        return EscapeRate(self.tau_membrane, theta, self.delta_u, self.rho0, self.chi)


class ActorCritic:
    """`places` inputs, `critics` value neurons and a ring of `actors` direction neurons, all escape-rate.

    With a `rule` that learns from reward alone (`reward_rules`) the critic spikes but does not learn.
    """

    def __init__(
        self,
        config: ActorCriticConfig,
        places: int,
        seed: int,
        third_factor: Literal["td", "reward"] = "td",
        rule: ActorRule = "td-ltp",
    ) -> None:
        if config.neuromodulators == "da+ach":
            if rule != "td-ltp":
                raise ValueError(f"neuromodulators 'da+ach' belong to td-ltp, not to {rule}")
            rule = "da+ach"
        self.config, self.places = config, places
        m = config.critics + config.actors
        self.size = m
        self.weights = np.empty((places, m), np.float32)
        self.weights[:, : config.critics] = config.critic_start
        self.weights[:, config.critics :] = config.actor_start
        self.direction = np.asarray(np.arange(config.actors) * (2.0 * np.pi / config.actors), np.float64)
        bounds = [config.critic_low, config.critic_high, config.actor_low, config.actor_high]
        spread = config.tau_membrane - config.tau_synapse
        self.clock = np.zeros(1, np.int64)
        self.actor: ActorSynapses | None = None
        if rule != "td-ltp":
            self.actor = ActorSynapses(
                config.rules, rule, places, config.actors, config.actor_start,
                (config.actor_low, config.actor_high), seed,
            )  # fmt: skip
        self.controller = td_ltp.Controller(
            self.weights,
            self.clock,
            config.critics,
            {"td": 0, "reward": 1}[third_factor],
            key(seed, "actor_critic"),
            config.neurons().constants(1e-3).astype(np.float32),
            _lateral(config, self.direction),
            np.array([config.input_rate * config.epsilon0 * 1e-3, config.least_rate * spread]),
            _filters(config),
            np.array(bounds, np.float32),
            td_ltp.Substrate.none() if self.actor is None else self.actor.compiled,
        )
        self.traces = td_ltp.Traces.zeros(places, config.critics, config.actors)
        self.no_inhibition = np.zeros(config.actors, np.float32)
        self._spikes = np.zeros((m * 40, 2), np.int32)

    @property
    def replays(self) -> bool:
        """Whether replay can teach it: with TD-LTP only, as the other rules pair spikes in forward order."""
        return self.actor is None

    @property
    def resting_spikes(self) -> float:
        """Spikes per s of all critics together at which the value is 0."""
        return -self.config.value_offset / self.config.value_per_hz * self.config.critics

    @property
    def synapses(self) -> int:
        """Plastic and lateral connections."""
        return self.places * self.size + self.config.actors**2

    def reset(self) -> None:
        """Clear all that lasts less than a trial; weights stay."""
        for trace in self.traces:
            trace[:] = 0
        if self.actor is not None:
            self.actor.reset()

    def reseed(self, seed: int) -> None:
        """Draw from the stream of `seed` from now on."""
        self.controller = self.controller._replace(key=key(seed, "actor_critic"))
        if self.actor is not None:
            self.actor.reseed(seed)

    def advance(
        self,
        place_spikes: NDArray[np.int32],
        steps: int,
        reward: float = 0.0,
        inhibition: Floats | None = None,
        learning: bool = True,
    ) -> NDArray[np.int32]:
        """Run `steps` ms on place spikes (k, 2) of (ms, cell); return spikes (k, 2), critics first.

        `reward` arrives at the first step; `inhibition` (actors,), mV, is added to the actor's membranes:
        negative keeps directions from being chosen.
        """
        config = self.config
        rates = (config.critic_rate, config.actor_rate) if learning else (0.0, 0.0)
        if self.actor is not None:
            rates = (rates[0] if self.actor.rule == "da+ach" else 0.0, 0.0)
            self.actor.begin(float(reward), learning)
        count = td_ltp.advance(
            place_spikes, steps, float(reward), self.controller, self.traces,
            self.no_inhibition if inhibition is None else inhibition,
            np.array(rates, np.float32), AWAKE, self._spikes,
        )  # fmt: skip
        if count < 0:
            raise ValueError(f"actor-critic spikes exceed the buffer of {len(self._spikes)}")
        if self.actor is not None:
            self.actor.settle()
        return self._spikes[:count]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that last: weights and the random counter."""
        own: dict[str, NDArray[Any]] = {"weights": self.weights, "clock": self.clock}
        return own if self.actor is None else own | self.actor.arrays()

    @property
    def value(self) -> float:
        """V, in units of reward, from the critic's spikes."""
        return float(self.traces.scalars[4])

    @property
    def dopamine(self) -> float:
        """The temporal-difference error delta, reward per s; without a critic, the level that reward left."""
        if self.actor is not None and self.actor.rule != "da+ach":
            return float(self.actor.dopamine.level[0])
        return float(self.traces.scalars[5])

    @property
    def vote(self) -> complex:
        """Population vector of the actor, Hz; its angle is the direction wanted in the map's frame."""
        filtered = self.traces.readout_slow - self.traces.readout_fast
        return complex(np.mean(filtered * np.exp(1j * self.direction)))


def _lateral(config: ActorCriticConfig, direction: NDArray[np.float64]) -> Floats:
    """Near neighbours excite each other, all inhibit each other (Brzosko et al. 2017)."""
    near = np.exp(config.lateral_concentration * (np.cos(direction[:, None] - direction[None, :]) - 1.0))
    np.fill_diagonal(near, 0.0)
    near /= near.sum(axis=1, keepdims=True)
    lateral = config.lateral_inhibition / config.actors + config.lateral_excitation * near
    return np.ascontiguousarray(lateral, np.float32)


def _filters(config: ActorCriticConfig) -> Floats:
    dt = 1e-3
    return np.array(
        [
            config.epsilon0 * 1e-3 / (config.tau_membrane - config.tau_synapse),
            np.exp(-dt / config.tau_synapse),
            np.exp(-dt / config.kappa_slow), np.exp(-dt / config.kappa_fast),
            1.0 / (config.kappa_slow - config.kappa_fast), config.kappa_slow, config.kappa_fast,
            config.value_per_hz, config.value_offset, config.tau_reward,
            np.exp(-dt / config.readout_slow), np.exp(-dt / config.readout_fast),
            1.0 / (config.readout_slow - config.readout_fast),
            np.exp(-dt / config.tag_slow), np.exp(-dt / config.tag_fast),
            1.0 / (config.tag_slow - config.tag_fast),
        ],
        np.float32,
    )  # fmt: skip
