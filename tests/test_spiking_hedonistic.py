"""Hedonistic synapses: release by chance, eligibility in closed form, and a gradient that they climb."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from tolman.spiking import LIF, Hedonistic, Network, RewardSTDP, exponential

FLEETING = {"current": exponential(1e-9)}


def _network(wiring: Any = "dense", n_pre: int = 40, n_post: int = 30, batch: int = 1, **other: Any) -> Any:
    net = Network(dt=1e-3, seed=3, batch=batch)
    source = net.trains("source", n_pre)
    cells = net.population("cells", n_post, LIF(threshold=99.0), FLEETING)
    reward = net.modulator("reward")
    made = net.connect(source, cells, "current", wiring, third_factor=reward, **other)
    assert made.release is not None
    return net, source, cells, reward, made


@pytest.mark.parametrize("delay", [1, 4])
@pytest.mark.parametrize("probability", [0.2, 0.7])
def test_release_has_its_probability_and_its_delay(probability: float, delay: int) -> None:
    rule = Hedonistic(probability=probability)
    net, source, cells, _, made = _network(weight=2.0, delay=delay * 1e-3, release=rule)
    total, trials = np.zeros((41, 30)), 40
    for _ in range(trials):
        source.fire(np.arange(40))
        net.step(delay)
        total[0] += cells.inputs["current"]
        net.step(2)
    released = total[0].sum() / (2.0 * 40 * 30 * trials)
    error = np.sqrt(probability * (1.0 - probability) / (40 * 30 * trials))
    assert released == pytest.approx(probability, abs=4.5 * error)
    assert np.all(total[0] % 2.0 == 0.0)
    np.testing.assert_allclose(made.release.probability(), probability, rtol=1e-5)


@pytest.mark.parametrize("wiring", ["dense", ([0, 0, 1], [1, 2, 0])])
@pytest.mark.parametrize("wait", [0.1, 1.0, 5.0])
def test_reward_moves_release_towards_what_was_done(wiring: Any, wait: float) -> None:
    """e decays with tau_e and the reward with tau_r: dq = eta e(t_p) / (1/tau_e + 1/tau_r)."""
    rule = Hedonistic(tau_eligibility=0.4, learning_rate=3.0)
    net, source, cells, reward, made = _network(wiring, 2, 3, weight=1.0, release=rule)
    source.fire([0])
    net.step(1)
    arrived = cells.inputs["current"].copy()
    net.step(round(wait / 1e-3))
    reward.release(0.2)
    net.run(8.0)
    e = np.exp(-wait / 0.4) * 0.5
    expected = 3.0 * e * 0.2 / (1.0 / 0.4 + 1.0 / 0.2)
    drive = made.release.drive()
    own = drive[:3] if isinstance(wiring, str) else drive[:2]
    at = arrived if isinstance(wiring, str) else arrived[1:]
    np.testing.assert_allclose(own, np.where(at > 0.0, expected, -expected), rtol=2e-2)
    np.testing.assert_array_equal(drive[own.size :], 0.0)


def test_each_synapse_finds_what_is_rewarded() -> None:
    """Reward for what arrives at even neurons, punishment at odd ones: releases part, in every copy."""
    rule = Hedonistic(tau_eligibility=0.02, learning_rate=10.0)
    net, source, cells, reward, made = _network(n_pre=4, n_post=6, batch=3, weight=1.0, release=rule)
    sign = np.where(np.arange(6) % 2 == 0, 1.0, -1.0)
    for _ in range(1500):
        source.fire(np.arange(12))
        net.step(1)
        gain = cells.inputs["current"] @ sign
        reward.set_tonic(gain * np.array([1.0, 1.0, 0.0]))
        net.step(1)
        reward.set_tonic(0.0)
        net.step(60)
    chance = made.release.probability().reshape(3, 4, 6)
    assert chance[:2, :, ::2].mean() > 0.85
    assert chance[:2, :, 1::2].mean() < 0.15
    assert chance[:2, :, ::2].min() > 0.5 > chance[:2, :, 1::2].max()
    np.testing.assert_allclose(chance[2], 0.5, rtol=1e-5)


def test_both_kinds_of_plasticity_work_on_one_synapse_and_resume() -> None:
    def made() -> tuple[Network, Any]:
        net = Network(dt=1e-3, seed=3)
        source, cells = net.poisson("source", 20, 30.0), net.population("cells", 10, LIF(), drive=0.8)
        dopamine = net.modulator("dopamine")
        synapses = net.connect(
            source, cells, probability=0.6, weight=0.3, rule=RewardSTDP(), release=Hedonistic(),
            third_factor=dopamine, name="both",
        )  # fmt: skip
        net.every(0.3, lambda _: dopamine.release(1.0))
        return net, synapses

    whole, both = made()
    whole.run(5.0)
    assert np.ptp(both.weights) > 0.0
    assert np.ptp(both.release.probability()) > 0.0
    begun, _ = made()
    begun.run(2.0)
    resumed, again = made()
    resumed.step(0)
    resumed.load(begun.arrays())
    resumed.run(3.0)
    np.testing.assert_array_equal(again.release.drive(), both.release.drive())
    np.testing.assert_array_equal(again.weights, both.weights)


def test_bad_input_is_named() -> None:
    net = Network()
    cells = net.population("cells", 3, LIF())
    cases = [
        (lambda: Hedonistic(probability=1.0), "Hedonistic probability must be in (0, 1), got 1.0"),
        (lambda: Hedonistic(probability=0.001), "lies outside of limit"),
        (
            lambda: net.connect(
                cells, cells, wiring="dense", delay=np.arange(9) * 1e-3, release=Hedonistic()
            ),
            "of one delay",
        ),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=re.escape(message)):
            call()
