"""Replay: the controller learns from what place cells re-enact while the robot does not move.

At a reward the way that led to it runs backwards, several times and several times faster than lived: value
flows from the goal down the path, and the actor learns what it did there. Between trials, stretches of older
ways run backwards too: the actor compares where they led with the value learned since, so that a path that
was never rewarded still teaches which way is uphill.

Backwards, the value of what comes next is known before the value of what came before. With V filtered over
`tau_now`, and its slower average over `tau_last`, dopamine is the temporal-difference error of that order:

    delta = gamma (V_last + r) - V_now,    gamma = exp(-speed tau_last / tau_r)
    dw_ji = eta delta [Y_i (X_j * eps)] * tag

This reading of reverse replay as backward sweeps of a critic follows Foster & Wilson 2006 and the prioritised
sweeping of Mattar & Daw 2018; the filters are ours.

Only TD-LTP learns so. Rules that pair spikes by their order, or that have no critic to say what a place is
worth (`reward_rules`), are not replayed to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..memory.config import PERIOD, STEPS
from ..memory.experience import Experience, Stretch
from ..spiking.random import generator
from . import td_ltp
from .actor_critic import ActorCritic


@dataclass(frozen=True, slots=True)
class ReplayConfig:
    """How much is replayed, how fast, and how much it teaches."""

    sweeps: int = 5  #: backward sweeps of the way that led to a reward; 0: none
    stretches: int = 10  #: stretches of older ways replayed between two trials; 0: none
    window: float = 12.0  #: s lived, of a sweep or stretch at most
    speed: int = 8  #: times faster than lived
    critic_rate: float = 0.2  #: learning rate of the critic in sweeps
    actor_rate: float = 0.1  #: learning rate of the actor in sweeps
    rest_rate: float = 0.1  #: learning rate of the actor in stretches, in which the critic only judges
    drive: float = 30.0  #: mV, for actors that point where the robot went
    tau_now: float = 0.020  #: s, value of the place being replayed
    tau_last: float = 0.060  #: s, value of the places replayed before it
    tag_slow: float = 0.020  #: s, eligibility
    tag_fast: float = 0.010  #: s, eligibility

    def __post_init__(self) -> None:
        for name in ("sweeps", "stretches", "window", "critic_rate", "actor_rate", "rest_rate"):
            if getattr(self, name) < 0:
                raise ValueError(f"replay {name} must be >= 0, got {getattr(self, name)}")
        if not 1 <= self.speed <= STEPS:
            raise ValueError(f"replay speed must be in 1..{STEPS}, got {self.speed}")
        if not 0.0 < self.tau_now < self.tau_last:
            raise ValueError(f"replay needs 0 < tau_now < tau_last, got {self.tau_now} and {self.tau_last}")
        if not 0.0 < self.tag_fast < self.tag_slow:
            raise ValueError(f"replay needs 0 < tag_fast < tag_slow, got {self.tag_fast} and {self.tag_slow}")


class Replay:
    """Re-enacts an `experience` to a `controller`."""

    def __init__(self, config: ReplayConfig, controller: ActorCritic, experience: Experience) -> None:
        self.config, self.controller, self.experience = config, controller, experience
        # V_last averages V_now, so it trails it by its own time constant.
        gap = config.speed * config.tau_last
        discount = float(np.exp(-gap / controller.config.tau_reward))
        keep = np.exp(-1e-3 / np.array([config.tau_now, config.tau_last, config.tag_slow, config.tag_fast]))
        self._replaying = np.array([discount, *keep, 1.0 / (config.tag_slow - config.tag_fast)], np.float32)
        self._window = round(config.window / PERIOD)
        self._spikes = np.zeros(((self._window * STEPS // config.speed + 1) * controller.size, 2), np.int32)
        # The critic's filter fills before what it says counts.
        self._blank = round(3.0 * config.tau_now * config.speed / PERIOD)

    def after_reward(self, reward: float) -> list[tuple[NDArray[np.int32], NDArray[np.int32]]]:
        """Sweep back over the way just made; return (place, controller) spikes (k, 2) of each sweep."""
        way, config = self.experience.latest(self._window), self.config
        if reward == 0.0 or not len(way.counts) or not self.controller.replays:
            return []
        rates = (config.critic_rate, config.actor_rate)
        return [self._run(way, reward, rates, 0) for _ in range(config.sweeps)]

    def in_rest(self, seed: int, trial: int) -> list[tuple[NDArray[np.int32], NDArray[np.int32]]]:
        """Replay stretches drawn from the stream of `seed` and `trial`; return their spikes."""
        if not self.controller.replays:
            return []
        rng = generator(seed, f"replay.{trial}")
        stretches = [self.experience.sample(rng, self._window) for _ in range(self.config.stretches)]
        return [
            self._run(stretch, 0.0, (0.0, self.config.rest_rate), self._blank)
            for stretch in stretches
            if len(stretch.counts) > self._blank
        ]

    def _run(
        self, way: Stretch, reward: float, rates: tuple[float, float], blank: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        controller, config = self.controller, self.config
        controller.reset()
        controller.traces.scalars[9] = controller.resting_spikes * config.tau_now
        # A fast replay packs more spikes into a step; each teaches as much less.
        learning = np.array(rates, np.float32) / np.float32(config.speed)
        place = np.zeros((int(way.counts.sum()), 2), np.int32)
        count = td_ltp.replay(
            *way, STEPS, config.speed, blank, float(reward), learning, np.float32(config.drive),
            controller.direction, self._replaying, controller.controller, controller.traces, place,
            self._spikes,
        )  # fmt: skip
        if count < 0:
            raise ValueError("replayed spikes exceed their buffer")
        controller.reset()
        return place, self._spikes[:count].copy()
