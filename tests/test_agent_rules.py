"""The actor's other rules: what a synapse changes by against closed forms, and that each rule learns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.agent.actor_critic import ActorCritic, ActorCriticConfig
from tolman.agent.reward_rules import ActorSynapses, RewardRulesConfig
from tolman.launch.arms import ARMS
from tolman.launch.config import ExperimentConfig
from tolman.launch.training import train
from tolman.spiking.plasticity import run_reference

Spikes = NDArray[np.int32]
SILENT = np.zeros((0, 2), np.int32)
PLACES = 4
#: Place spikes (ms, cell) made by hand: alone, in bursts, and by several cells at once.
HEARD = np.array([[3, 0], [10, 1], [10, 2], [14, 0], [15, 0], [31, 1], [52, 2], [70, 0], [71, 1]], np.int32)
REWARDED, STEPS = 120, 600  #: ms


def actor_of(rule: str, seed: int = 3, third_factor: str = "td", **rules: Any) -> ActorCritic:
    modulators = "da+ach" if rule == "da+ach" else "da"
    config = ActorCriticConfig(neuromodulators=modulators, rules=RewardRulesConfig(**rules))  # type: ignore[arg-type]
    name: Any = "td-ltp" if rule == "da+ach" else rule
    return ActorCritic(config, PLACES, seed, third_factor, name)  # type: ignore[arg-type]


def synapses_of(agent: ActorCritic) -> ActorSynapses:
    assert agent.actor is not None
    return agent.actor


def live(agent: ActorCritic, reward: float, period: int = 40) -> Spikes:
    """Hear `HEARD`, have `reward` at `REWARDED`; return the actor's spikes (ms, actor)."""
    out = []
    for start in range(0, STEPS, period):
        here = HEARD[(HEARD[:, 0] >= start) & (HEARD[:, 0] < start + period)] - [start, 0]
        spikes = agent.advance(
            here.astype(np.int32), period, reward if start == REWARDED else 0.0,
            np.full(agent.config.actors, 20.0, np.float32),
        ).copy()  # fmt: skip
        actor = spikes[spikes[:, 1] >= agent.config.critics]
        out.append(actor + np.array([start, -agent.config.critics]))
    return np.concatenate(out).astype(np.int32)


def pairs(fired: Spikes, agent: ActorCritic) -> list[tuple[int, int, int, int]]:
    """Return each pair as (place, actor, ms of the later spike, t_post - t_pre), coincident ones left out."""
    return [
        (j, i, max(s, t), t - s) for s, j in HEARD.tolist() for t, i in fired.tolist() if s != t
    ]  # fmt: skip


def test_rstdp_changes_weights_as_izhikevich_wrote() -> None:
    """Pair by pair: eta W(lag) times the integral of d(t) exp(-(t - t_k) / tau_c), in closed form."""
    agent = actor_of("rstdp", rstdp_rate=0.2)
    rules = agent.config.rules
    fired = live(agent, reward=1.0)
    assert len(fired) > 100
    expected = np.full((PLACES, agent.config.actors), agent.config.actor_start)
    both = 1.0 / rules.tau_eligibility + 1.0 / rules.tau_dopamine
    for j, i, later, lag in pairs(fired, agent):
        window = rules.a_plus * np.exp(-lag / 20.0) if lag > 0 else -rules.a_minus * np.exp(lag / 20.0)
        # A pair is felt from the end of its step, and dopamine from the start of its own.
        begin = max(later, REWARDED) * 1e-3
        left = np.exp(-(begin - later * 1e-3) / rules.tau_eligibility)
        level = np.exp(-(begin - REWARDED * 1e-3) / rules.tau_dopamine)
        gone = -np.expm1(-(STEPS * 1e-3 - begin) * both) / both
        expected[j, i] += rules.rstdp_rate * window * left * level * gone
    found = synapses_of(agent).weights
    changed = np.abs(expected - agent.config.actor_start)
    assert changed.max() > 1e-3
    np.testing.assert_allclose(found, expected, atol=0.01 * changed.max())
    assert not (found[3] - agent.config.actor_start).any(), "a silent place keeps its weights"


def test_acetylcholine_depresses_and_dopamine_turns_it_into_potentiation() -> None:
    """Against the clock-driven NumPy twin, under a reward filtered by hand."""
    agent = actor_of("da+ach", third_factor="reward", dopamine_rate=0.05, acetylcholine_rate=0.02)
    synapses, rule = synapses_of(agent), agent.config.rules.sequential(1.0, 3.0)
    assert (rule.tau_eligibility, RewardRulesConfig().dopamine_rate) == (2.0, 0.01)
    fired = live(agent, reward=1.0)
    t = np.arange(STEPS) - REWARDED + 1
    dopamine = np.where(t > 0, (np.exp(-t / 200.0) - np.exp(-t / 50.0)) / 0.150, 0.0)
    acetylcholine = np.where(t > 0, 0.0, 1.0)
    start = np.full((PLACES, agent.config.actors), agent.config.actor_start)
    plastic = np.ones(start.shape, np.bool_)
    expected, _ = run_reference(rule, start, plastic, HEARD, fired, dopamine, acetylcholine)
    np.testing.assert_allclose(synapses.weights, expected, atol=2e-5)
    heard = expected[:3] - 2.0
    assert heard.max() > 1e-3
    # Without reward all that was paired has become weaker.
    still = actor_of("da+ach", third_factor="reward", acetylcholine_rate=0.02)
    live(still, reward=0.0)
    change = synapses_of(still).weights - 2.0
    assert change.max() == 0.0
    assert change[:3].mean() < -1e-3


def test_hedonistic_synapses_that_released_before_a_reward_release_more() -> None:
    agent = actor_of("hedonistic", release_rate=2.0)
    rules, critics = agent.config.rules, agent.config.critics
    agent.advance(np.array([[0, 1]], np.int32), 1)
    released = agent.traces.input_m[critics:] > 0.0
    assert 15 < released.sum() < 45
    np.testing.assert_allclose(agent.traces.input_m[critics:][released], 2.0 * agent.config.actor_start)
    agent.advance(SILENT, 99)
    agent.advance(SILENT, 1900, reward=1.0)
    both = 1.0 / rules.tau_eligibility + 1.0 / rules.tau_dopamine
    expected = 2.0 * 0.5 * np.exp(-0.1) * -np.expm1(-1.9 * both) / both
    release = synapses_of(agent).release
    assert release is not None
    q = release.drive().reshape(PLACES, -1)
    np.testing.assert_allclose(q[1], np.where(released, expected, -expected), rtol=2e-3)
    assert not q[[0, 2, 3]].any()
    assert (synapses_of(agent).weights == 2.0 * agent.config.actor_start).all()


def test_what_is_expected_of_a_trial_is_taken_off_its_reward() -> None:
    agent = actor_of("rstdp", mean_rate=0.5)
    given = []
    for reward in (1.0, 1.0, 1.0, 0.0, 1.0):
        agent.reset()
        agent.advance(SILENT, 1, reward)
        given.append(agent.dopamine / np.exp(-1.0 / 200.0))
    np.testing.assert_allclose(given, [1.0, 0.5, 0.25, 0.0, 1.0 - 0.4375], rtol=1e-6)


def choices(rule: str, seed: int, trials: int, paid: bool = True) -> NDArray[np.bool_]:
    """East in one place and west in the other earn 1, else -1; return which of the trials were right."""
    cells, config = 12, ActorCriticConfig(neuromodulators="da+ach" if rule == "da+ach" else "da")
    agent = ActorCritic(config, 2 * cells, seed, "td", "td-ltp" if rule == "da+ach" else rule)  # type: ignore[arg-type]
    random, right = np.random.default_rng(seed), np.zeros(trials, np.bool_)
    for trial in range(trials):
        agent.reset()
        place = random.integers(2)
        for _ in range(12):
            t, cell = np.nonzero(random.random((40, cells)) < 0.025)
            agent.advance(np.stack([t, cell + cells * place], axis=1).astype(np.int32), 40)
        right[trial] = (agent.vote.real > 0.0) == (place == 0)
        agent.advance(SILENT, 840, (1.0 if right[trial] else -1.0) if paid else 0.0)
    weights = synapses_of(agent).weights
    scale = 2.0 if rule in ("hedonistic", "both") else 1.0
    assert scale * config.actor_low <= weights.min()
    assert weights.max() <= scale * config.actor_high
    return right


@pytest.mark.parametrize(
    ("rule", "trials"), [("rstdp", 60), ("hedonistic", 100), ("both", 60), ("da+ach", 60)]
)
def test_each_rule_learns_which_way_pays_and_nothing_without_reward(rule: str, trials: int) -> None:
    learned = [choices(rule, seed, trials)[-20:].mean() >= 0.8 for seed in range(10)]
    assert sum(learned) >= 9
    if rule == "da+ach":
        return  # a value, wrong at first, is a third factor too
    unpaid = np.mean([choices(rule, seed, 30, paid=False)[-20:].mean() for seed in range(10)])
    assert 0.35 < unpaid < 0.65


@pytest.mark.parametrize("rule", ["rstdp", "hedonistic", "both", "da+ach"])
def test_an_actor_goes_on_from_its_arrays_and_learns_only_when_asked(rule: str) -> None:
    first, second = actor_of(rule, mean_rate=0.5), actor_of(rule, seed=4, mean_rate=0.5)
    live(first, reward=1.0)
    second.reseed(3)
    for name, array in first.arrays().items():
        second.arrays()[name][...] = array
    first.reset()
    second.reset()
    np.testing.assert_array_equal(live(first, 1.0), live(second, 1.0))
    for name, array in first.arrays().items():
        np.testing.assert_array_equal(second.arrays()[name], array, err_msg=name)
    before = {name: array.copy() for name, array in first.arrays().items() if name != "clock"}
    for _ in range(5):
        first.advance(HEARD[:5], 40, reward=1.0, learning=False)
    for name, array in before.items():
        np.testing.assert_array_equal(first.arrays()[name], array, err_msg=name)


@pytest.mark.parametrize("arm", ["both", "da+ach"])
def test_a_run_resumes_to_the_same_spikes(
    arm: str, tmp_path: Path, short_experiment: Callable[..., ExperimentConfig]
) -> None:
    settings = [*ARMS[arm], "environment.time_limit=1.6", "habituation=2"]
    whole = train(short_experiment(*settings), tmp_path / "whole")
    train(short_experiment(*settings, trials=1), tmp_path / "parts")
    assert train(short_experiment(*settings), tmp_path / "parts", resume=True).spike_hash == whole.spike_hash


def test_impossible_rules_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="neuromodulators must be 'da' or 'da\\+ach'"):
        ActorCriticConfig(neuromodulators="5-ht")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="belong to td-ltp, not to rstdp"):
        ActorCritic(ActorCriticConfig(neuromodulators="da+ach"), 3, 0, "td", "rstdp")
    with pytest.raises(ValueError, match=r"mean_rate must be in \[0, 1\]"):
        RewardRulesConfig(mean_rate=2.0)
    with pytest.raises(ValueError, match="rstdp_rate must be >= 0"):
        RewardRulesConfig(rstdp_rate=-1.0)
    with pytest.raises(ValueError, match="tau_eligibility"):
        RewardRulesConfig(tau_eligibility=0.0)
