"""Supervised rules: kernels against NumPy and theory, gradients against differences, learning over seeds."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from scripts import load
from tolman.spiking.aggregate_label import MultiSpikeTempotron
from tolman.spiking.supervision import SpikeResponse
from tolman.spiking.tempotron import PSD, Tempotron

STEPS, AFFERENTS = 400, 60
NOTHING = np.zeros((0, 2), np.int32)


def _trial(seed: int, count: int = 900) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return weights (n,) under which the neurons fire now and then, and `count` random spikes."""
    random = np.random.default_rng(seed)
    spikes = np.stack([random.integers(0, STEPS, count), random.integers(0, AFFERENTS, count)], 1)
    return random.normal(0.02, 0.12, AFFERENTS), spikes.astype(np.int32)


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """Return `benchmarks/supervision.py`, whose tasks are those of the published numbers."""
    module: ModuleType = load("supervision")
    return module


def test_the_kernel_peaks_at_one_where_theory_says() -> None:
    response = SpikeResponse(20e-3, 5e-3)
    assert response.peak_time == pytest.approx(20e-3 / 3.0 * np.log(4.0))
    assert response.scale == pytest.approx(4.0 ** (4.0 / 3.0) / 3.0)
    time = np.linspace(-0.05, 0.2, 25_001)
    kernel = response.kernel(time)
    assert kernel.max() == pytest.approx(1.0, abs=1e-6)
    assert time[kernel.argmax()] == pytest.approx(response.peak_time, abs=1e-5)
    assert not kernel[time <= 0.0].any()


def test_the_potential_of_two_spikes_is_their_sum() -> None:
    response = SpikeResponse()
    spikes = np.array([(30, 1), (10, 0)], np.int32)
    at = np.arange(100) * 1e-3
    theory = 0.5 * response.kernel(at - 10e-3) - 2.0 * response.kernel(at - 30e-3)
    np.testing.assert_allclose(response.potential(np.array([0.5, -2.0]), spikes, 100), theory, atol=1e-12)
    assert not response.potential(np.ones(2), NOTHING, 100).any()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_compiled_kernels_equal_numpy(kind: type[np.floating]) -> None:
    rules = MultiSpikeTempotron(), PSD()
    fired = 0
    for seed in range(10):
        weights, spikes = _trial(seed)
        weights = weights.astype(kind)
        for response in (rules[0].response, rules[1].current):
            ours = response.potential(weights, spikes, STEPS)
            np.testing.assert_allclose(ours, response.potential_reference(weights, spikes, STEPS), atol=1e-6)
            np.testing.assert_allclose(
                response.slope(spikes, 333, AFFERENTS), response.slope_reference(spikes, 333, AFFERENTS)
            )
        for rule in rules:
            output = rule.output(weights, spikes, STEPS)
            np.testing.assert_array_equal(output, rule.output_reference(weights, spikes, STEPS))
            fired += output.size
    assert fired > 50


def test_the_reset_takes_a_decaying_threshold() -> None:
    rule, spikes = MultiSpikeTempotron(), np.array([(5, 0)], np.int32)
    weights = np.array([1.2])
    (step,) = rule.output(weights, spikes, 100)
    free = rule.response.potential(weights, spikes, 100)
    assert free[step - 1] < 1.0 <= free[step]
    later = np.arange(1, 100 - step)
    theory = free[step + 1 :] - np.exp(-later * 1e-3 / 20e-3)
    np.testing.assert_allclose(rule.potential(weights, spikes, 100)[step + 1 :], theory, atol=1e-12)


def test_the_neuron_of_psd_is_a_leaky_integrator() -> None:
    # A membrane of time constant m answers exp(-t / tau) with (exp(-t / tau) - exp(-t / m)) / (1 - m / tau).
    rule = PSD(current=SpikeResponse(20e-3, 5e-3, dt=1e-5), tau_membrane=10e-3, threshold=10.0)
    one, spike = np.array([1.0]), np.array([(0, 0)], np.int32)
    time = np.arange(5000) * 1e-5
    slow, fast, membrane = (np.exp(-time / tau) for tau in (20e-3, 5e-3, 10e-3))
    theory = rule.current.scale * ((slow - membrane) / (1 - 0.5) - (fast - membrane) / (1 - 2.0))
    np.testing.assert_allclose(rule.potential(one, spike, 5000), theory, atol=2e-3)
    # Under a strong constant drive it fires at the rate of a LIF with a refractory period.
    dense = np.stack([np.arange(2000), np.zeros(2000)], 1).astype(np.int32)
    rule = PSD()
    drive = 0.4 * rule.current.potential(one, dense, 2000)[-1]
    period = rule.refractory + rule.tau_membrane * np.log(drive / (drive - 1.0))
    intervals = np.diff(rule.output(0.4 * one, dense, 2000)[20:]) * 1e-3
    assert np.mean(intervals) == pytest.approx(period, abs=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_the_gradient_of_the_critical_threshold_is_that_of_differences(seed: int) -> None:
    rule = MultiSpikeTempotron()
    weights, spikes = _trial(seed)
    fired = rule.output(weights, spikes, STEPS).size
    for count in range(1, fired + 4):
        at = rule.critical(weights, spikes, STEPS, count)
        assert at is not None
        assert (at.threshold >= 1.0) == (count <= fired)
        for threshold, enough in ((at.threshold * (1 - 1e-6), True), (at.threshold * (1 + 1e-6), False)):
            edge = MultiSpikeTempotron(threshold=threshold)
            assert (edge.output(weights, spikes, STEPS).size >= count) == enough
        slope = rule.response.slope(spikes, at.step, AFFERENTS) / at.share
        for i in (0, 17, 44):
            moved = []
            for sign in (1.0, -1.0):
                other = weights.copy()
                other[i] += sign * 1e-6
                there = rule.critical(other, spikes, STEPS, count)
                assert there is not None
                moved.append(there.threshold)
            assert (moved[0] - moved[1]) / 2e-6 == pytest.approx(slope[i], abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_an_update_moves_the_peak_towards_the_wanted_side(seed: int) -> None:
    weights, spikes = _trial(seed)
    rule = MultiSpikeTempotron(rate=1e-5)
    fired = rule.output(weights, spikes, STEPS).size
    for wanted, k, way in ((fired + 1, fired + 1, 1.0), (fired - 1, fired, -1.0)):
        before, moved = rule.critical(weights, spikes, STEPS, k), weights.copy()
        assert rule.train_step(moved, spikes, STEPS, wanted) == fired
        after = rule.critical(moved, spikes, STEPS, k)
        assert before is not None
        assert after is not None
        assert way * (after.threshold - before.threshold) > 0.0
    unmoved = weights.copy()
    rule.train_step(unmoved, spikes, STEPS, fired)
    np.testing.assert_array_equal(unmoved, weights)
    tempotron = Tempotron(rate=1e-4)
    peak = tempotron.potential(weights, spikes, STEPS).max()
    moved = weights.copy()
    assert tempotron.train_step(moved, spikes, STEPS, not tempotron.output(weights, spikes, STEPS)) == (
        peak >= 1.0
    )
    assert (tempotron.potential(moved, spikes, STEPS).max() > peak) == (peak < 1.0)


def test_rules_start_from_silence_and_keep_momentum() -> None:
    spikes = _trial(0)[1]
    silent = np.zeros(AFFERENTS, np.float32)
    rule = MultiSpikeTempotron(rate=1e-2)
    assert rule.critical(silent, spikes, STEPS, 1) is None
    counts = [rule.train_step(silent, spikes, STEPS, 3) for _ in range(200)]
    assert counts[0] == 0
    assert counts[-1] == 3
    assert silent.dtype == np.float32
    inhibited = np.full(AFFERENTS, -0.1)
    decisions = [Tempotron(rate=1e-2).train_step(inhibited, spikes, STEPS, True) for _ in range(200)]
    assert not decisions[0]
    assert decisions[-1]
    velocity, once, twice = np.zeros(AFFERENTS), np.zeros(AFFERENTS), np.zeros(AFFERENTS)
    rule.train_step(once, spikes, STEPS, 1)
    rule.train_step(twice, spikes, STEPS, 1, velocity)
    np.testing.assert_array_equal(once, twice)
    np.testing.assert_array_equal(once, velocity)


def test_counts_of_cues_in_noise_are_learned_from_the_counts_alone(benchmark: ModuleType) -> None:
    errors, rates, trials = [], [], 2500
    for seed in range(2):
        cues, rule = benchmark.Cues(), MultiSpikeTempotron()
        patterns = cues.patterns(np.random.default_rng(seed))
        tests = benchmark.test_set(cues, patterns, 20, False, seed)
        weights = benchmark.train(
            rule, benchmark.counting_trials(cues, patterns, trials, seed), trials, cues, seed
        )
        errors.append(benchmark.spike_errors(rule, weights, tests, cues))
        readout = benchmark.rate_readout(benchmark.counting_trials(cues, patterns, 1000, seed), cues)
        rates.append(benchmark.rate_errors(readout, tests, cues))
    assert np.mean(errors) <= 0.1
    assert np.max(np.mean(errors, axis=0)) <= 0.2
    assert np.mean(rates) > 0.7


def test_a_tempotron_learns_two_patterns_a_synapse(benchmark: ModuleType) -> None:
    for seed in range(2):
        assert benchmark.tempotron_cycles(2.0, seed, afferents=200)[1] == 1.0


def test_psd_learns_spike_times_within_two_milliseconds(benchmark: ModuleType) -> None:
    for seed in range(5):
        assert benchmark.psd_error(seed) == (1.0, 0.0)
        share, error = benchmark.psd_error(seed, jitter=1.0)
        assert share > 0.95
        assert error < 2.0


def test_impossible_parameters_and_inputs_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="tau_synapse must be < tau_membrane"):
        SpikeResponse(5e-3, 5e-3)
    with pytest.raises(ValueError, match="SpikeResponse dt must be finite and > 0"):
        SpikeResponse(dt=0.0)
    with pytest.raises(ValueError, match="Tempotron threshold must be finite and > 0"):
        Tempotron(threshold=-1.0)
    with pytest.raises(ValueError, match=r"PSD momentum must be in \[0, 1\)"):
        PSD(momentum=1.0)
    with pytest.raises(ValueError, match="PSD refractory must be >= 0 s"):
        PSD(refractory=-1e-3)
    rule, weights, spikes = MultiSpikeTempotron(), np.zeros(3), np.array([(4, 2)], np.int32)
    with pytest.raises(ValueError, match=r"steps of the spikes are 0\.\.3, got 4\.\.4"):
        rule.output(weights, spikes, 4)
    with pytest.raises(ValueError, match=r"afferents of the spikes are 0\.\.1, got 2\.\.2"):
        rule.output(weights[:2], spikes, 5)
    with pytest.raises(ValueError, match=r"weights must be \(n,\) floats"):
        rule.output(np.zeros(3, np.int64), spikes, 5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a trial needs >= 1 step"):
        rule.output(weights, NOTHING, 0)
    with pytest.raises(ValueError, match="wanted_count must be >= 0"):
        rule.train_step(weights, spikes, 5, -1)
    with pytest.raises(ValueError, match="a critical threshold needs a count >= 1"):
        rule.critical(weights, spikes, 5, 0)
    with pytest.raises(ValueError, match=r"velocity must have shape \(3,\)"):
        rule.train_step(weights, spikes, 5, 1, np.zeros(2))
    with pytest.raises(ValueError, match=r"wanted steps are 0\.\.4, got 7\.\.7"):
        PSD().train_step(weights, spikes, 5, [7])
