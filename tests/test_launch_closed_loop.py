"""The closed loop with the real navigator: what must not change its spikes, and what must."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gymnasium
from tolman.launch.agents import make_agent
from tolman.launch.config import ExperimentConfig
from tolman.launch.environments import camera_of, make_environment
from tolman.launch.episode import Environment, run_episode
from tolman.launch.session import Session

Wrap = Callable[[Environment], Environment]


class WithoutInfo(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Empties `info`, so that nothing can be learned from it."""

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        return self.env.reset(**options)[0], {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        return (*self.env.step(action)[:4], {})


class Slow(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Makes every step take longer, as on a busy machine."""

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        time.sleep(0.01)
        return self.env.step(action)


def spikes(config: ExperimentConfig, wrap: Wrap | None = None, agent_seed: int = 3) -> str:
    """Return the spike hash after exploring and two short trials."""
    environment = make_environment(config.task, config.environment)
    agent = make_agent(config, camera_of(environment), agent_seed)
    looped = environment if wrap is None else wrap(environment)
    frames = run_episode(looped, agent, 0, seed=11, rewarded=False)[1]
    for trial in (1, 2):
        run_episode(looped, agent, trial, frames=frames)
    environment.close()
    return agent.spike_hash


def test_neither_info_nor_speed_reaches_the_spikes(short_experiment: Callable[..., ExperimentConfig]) -> None:
    config = short_experiment()
    reference = spikes(config)
    assert spikes(config) == reference
    assert spikes(config, WithoutInfo) == reference
    assert spikes(config, Slow) == reference
    assert spikes(config, agent_seed=4) != reference


def test_a_session_taken_up_from_its_checkpoint_goes_on_bit_by_bit(
    short_experiment: Callable[..., ExperimentConfig],
) -> None:
    config = short_experiment(seed=6, habituation=4.0)
    with Session(config) as whole:
        whole.next_trial()
        whole.next_trial()
        checkpoint = whole.checkpoint()
        whole.next_trial()
        whole.next_trial()
        expected = whole.agent.spike_hash
    with Session(config) as resumed:
        resumed.resume(checkpoint)
        resumed.next_trial()
        resumed.next_trial()
        assert resumed.agent.spike_hash == expected
