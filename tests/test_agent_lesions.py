"""Lesions: dead neurons do not fire, whatever happens to them."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import tolman.envs  # noqa: F401  registers the tasks
from tolman.agent import Navigator, NavigatorConfig
from tolman.agent.lesions import REGIONS, lesion
from tolman.launch.baselines import RandomWalk
from tolman.launch.config import load
from tolman.launch.errors import UserError
from tolman.launch.lesioning import lesioned
from tolman.launch.session import Session
from tolman.memory.engines import DEAD

PARTS = {
    "vision": ["view"],
    "heading": ["head_direction"],
    "grid": ["grid_0", "grid_1", "grid_2", "grid_3"],
    "ca3": ["ca3"],
    "place": ["place"],
}


def fired(agent: Navigator, env: gymnasium.Env[Any, Any], periods: int, seed: int) -> dict[str, np.ndarray]:
    """Return how often each neuron of each population fires in an episode."""
    observation, _ = env.reset(seed=seed)
    agent.reset()
    counts = np.zeros(agent.neurons, np.int64)
    for _ in range(periods):
        observation, *_ = env.step(agent.act(observation))
        counts += np.bincount(agent.snapshot().spike_neuron, minlength=agent.neurons)
    return {name: counts[span] for name, span in agent.populations.items()}


@pytest.fixture(scope="module")
def lived() -> tuple[Navigator, dict[str, np.ndarray], gymnasium.Env[Any, Any]]:
    env = gymnasium.make("tolman/OpenField-v0", disable_env_checker=True, time_limit=100.0)
    agent = Navigator(NavigatorConfig(), env.unwrapped.camera, 0)  # type: ignore[attr-defined]
    fired(agent, env, 400, 0)
    return agent, agent.state_dict(), env


@pytest.mark.parametrize("region", list(REGIONS))
def test_a_lesioned_region_is_silent_and_stays_so(region: str, lived: Any) -> None:
    agent, state, env = lived
    agent.load_state_dict(state)
    total = sum(len(range(*agent.populations[name].indices(10**9))) for name in PARTS[region])
    assert lesion(agent, region) == total
    first = fired(agent, env, 50, 1)
    for name in PARTS[region]:
        assert first[name].sum() == 0
    if region != "vision":
        assert first["view"].sum() > 0
    if region in ("vision", "ca3", "place"):
        assert first["grid_0"].sum() > 0
        assert first["head_direction"].sum() > 0
    agent.load_state_dict(agent.state_dict())  # a lesion is part of the state
    again = fired(agent, env, 10, 2)
    assert all(again[name].sum() == 0 for name in PARTS[region])


def test_a_fraction_is_drawn_once_and_by_the_seed(lived: Any) -> None:
    agent, state, env = lived
    agent.load_state_dict(state)
    healthy = fired(agent, env, 60, 3)["head_direction"]
    silent = []
    for seed in (5, 5, 6):
        agent.load_state_dict(state)
        assert lesion(agent, "heading", 0.25, seed) == round(0.25 * agent.memory.heading.size)
        silent.append(agent.memory.heading.state.silent.ravel() > 2**30)
        counts = fired(agent, env, 60, 3)["head_direction"]
        assert counts[silent[-1]].sum() == 0
        assert counts.sum() > 0.3 * healthy.sum()
    np.testing.assert_array_equal(silent[0], silent[1])
    assert (silent[0] != silent[2]).any()


def test_nothing_is_lesioned_by_a_fraction_of_zero(lived: Any) -> None:
    agent, state, env = lived
    agent.load_state_dict(state)
    healthy = fired(agent, env, 20, 4)
    agent.load_state_dict(state)
    assert sum(lesion(agent, region, 0.0) for region in REGIONS) == 0
    same = fired(agent, env, 20, 4)
    for name, counts in healthy.items():
        np.testing.assert_array_equal(counts, same[name])


@pytest.mark.parametrize(
    "wanted", ["cortex", "ca3:2", "ca3:x", "grid:-0.1", ":0.5", "ca3@x", "ca3:.", "ca3@2:0.5"]
)
def test_impossible_lesions_are_refused_in_one_line(wanted: str, lived: Any) -> None:
    with pytest.raises(UserError) as refusal:
        lesioned(lived[0], wanted, 0)
    assert "\n" not in str(refusal.value)


def test_a_baseline_has_nothing_to_lesion() -> None:
    with pytest.raises(UserError, match="neurons"):
        lesioned(RandomWalk(0), "ca3", 0)


def test_an_experiment_says_what_dies_before_which_trial() -> None:
    settings = ("task='tolman/LinearTrack-v0'", "environment.time_limit=0.4", "trials=3")
    config = load(settings=(*settings, "lesions=['place:0.1', 'ca3@2']"))
    with Session(config) as session:
        dead = []
        for _ in range(3):
            session.next_trial()
            agent = session.agent
            assert isinstance(agent, Navigator)
            dead.append((int((agent.memory.place.silent >= DEAD).sum()), int(agent.memory.ca3.dead.sum())))
            state = session.checkpoint()
    tenth, all_of_them = round(0.1 * agent.memory.place.size), agent.memory.ca3.config.neurons
    assert dead == [(tenth, 0), (tenth, all_of_them), (tenth, all_of_them)]
    with Session(config) as again:
        again.resume(state)
        assert isinstance(again.agent, Navigator)
        assert again.agent.memory.ca3.dead.all()


def test_a_lesion_that_cannot_be_is_refused_with_the_experiment() -> None:
    with pytest.raises(UserError, match="cortex"):
        load(settings=("lesions=['cortex']",))
