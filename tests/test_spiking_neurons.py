"""Neuron models and sources: kernels against NumPy twins, and both against theory."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.spiking import LIF, EscapeRate, EscapeRateState, LIFState, PoissonState, escape, key, lif, poisson

KEY = key(11, "test neurons")


def _buffer(capacity: int) -> NDArray[np.int32]:
    return np.empty((capacity, 2), np.int32)


def _rates(spikes: NDArray[np.int32], n: int, seconds: float) -> NDArray[np.float64]:
    return np.bincount(spikes[:, 1], minlength=n) / seconds


@pytest.mark.parametrize(
    "neurons", [LIF(noise=0.05), LIF(refractory=0.0), EscapeRate(), EscapeRate(escape="exponential")]
)
def test_the_kernel_and_numpy_spike_alike(neurons: LIF | EscapeRate) -> None:
    random, n = np.random.default_rng(1), 60
    scale = neurons.threshold
    spikes, total = _buffer(10_000), 0
    states = [LIFState.zeros(n) if isinstance(neurons, LIF) else EscapeRateState.zeros(n) for _ in range(2)]
    for _ in range(40):
        drive = (scale * random.uniform(0.5, 1.5, n)).astype(np.float32)
        arriving = (scale * random.exponential(0.5, n)).astype(np.float32)
        for state in states:
            state.current[:] += arriving
        model = lif if isinstance(neurons, LIF) else escape
        count = model.advance(neurons, states[0], drive, 10, KEY, spikes)  # type: ignore[arg-type]
        expected = model.advance_reference(neurons, states[1], drive, 10, KEY)  # type: ignore[arg-type]
        np.testing.assert_array_equal(spikes[:count], expected)
        for ours, theirs in zip(*states, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        total += count
    assert total > 200


def test_the_rate_of_lif_neurons_is_that_of_theory() -> None:
    neurons, dt, seconds = LIF(), 2e-5, 2.0
    drive = np.concatenate([[0.0, 0.99], np.geomspace(1.02, 6.0, 14)]).astype(np.float32)
    spikes = _buffer(20_000)
    count = lif.advance(neurons, LIFState.zeros(drive.size), drive, round(seconds / dt), KEY, spikes, dt)
    measured, theory = _rates(spikes[:count], drive.size, seconds), neurons.rate(drive)
    assert np.all(measured[:2] == 0.0)
    assert np.all(theory[:2] == 0.0)
    # Counting whole intervals in 2 s adds at most one spike to the 1 % of the neuron.
    assert np.all(np.abs(measured - theory) <= 0.01 * theory + 1.0 / seconds)
    for i in range(6, drive.size):
        times = spikes[:count][spikes[:count, 1] == i, 0] * dt
        assert 1.0 / np.diff(times).mean() == pytest.approx(theory[i], rel=0.01)


def test_the_spike_time_of_lif_neurons_converges_with_order_one() -> None:
    """The membrane is exact, so a spike is late by the rest of its step: dt / 2 on average."""
    neurons = LIF(tau_membrane=0.02)
    drive = np.linspace(1.3, 3.0, 200).astype(np.float32)
    exact = neurons.tau_membrane * np.log(drive / (drive - 1.0))
    steps = np.array([1e-3, 5e-4, 2.5e-4, 1.25e-4])
    errors = []
    for dt in steps:
        spikes = _buffer(100_000)
        state = LIFState.zeros(drive.size)
        count = lif.advance(neurons, state, drive, round(0.05 / dt), KEY, spikes, float(dt))
        neuron, first = np.unique(spikes[:count, 1], return_index=True)
        late = (spikes[first, 0] + 1) * dt - exact[neuron]
        assert np.all(late > -1e-6)
        assert np.all(late <= dt + 1e-6)
        errors.append(late.mean())
    np.testing.assert_allclose(errors, steps / 2, rtol=0.1)
    order = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert order == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("dt", [1e-3, 2.5e-4])
def test_the_membrane_follows_the_closed_form_at_any_step(dt: float) -> None:
    """v(t) = drive (1 - exp(-t/tau_m)) + J tau_s / (tau_m - tau_s) (exp(-t/tau_m) - exp(-t/tau_s))."""
    drive, jump = np.array([0.4], np.float32), np.float32(1.2)
    t = 0.02
    slow, fast = np.exp(-t / 20e-3), np.exp(-t / 5e-3)
    expected = 0.4 * (1.0 - slow) + 1.2 * 5e-3 / 15e-3 * (slow - fast)
    quiet = LIFState.zeros(1)
    quiet.current[:] = jump
    assert lif.advance(LIF(), quiet, drive, round(t / dt), KEY, _buffer(8), dt) == 0
    assert quiet.membrane[0] == pytest.approx(expected, rel=1e-4)
    silent = EscapeRateState.zeros(1)
    silent.current[:] = jump
    assert escape.advance(EscapeRate(threshold=99.0), silent, drive, round(t / dt), KEY, _buffer(8), dt) == 0
    assert silent.membrane[0] == pytest.approx(expected, rel=1e-4)


def test_refractory_neurons_are_silent_for_their_time() -> None:
    neurons, strong, spikes = LIF(refractory=7e-3), np.full(1, 50.0, np.float32), _buffer(1000)
    count = lif.advance(neurons, LIFState.zeros(1), strong, 100, KEY, spikes)
    np.testing.assert_array_equal(np.diff(spikes[:count, 0]), 8)


@pytest.mark.parametrize("form", ["softplus", "exponential"])
def test_the_rate_of_escape_neurons_is_that_of_renewal_theory(form: str) -> None:
    neurons = EscapeRate(escape=form)  # type: ignore[arg-type]
    drive = np.array([12.0, 15.0, 17.0, 20.0], np.float32)
    many, dt, seconds = np.repeat(drive, 100), 1e-4, 10.0
    state = EscapeRateState.zeros(many.size)
    state.membrane[:] = many  # the steady state, from the start
    theory, spikes = neurons.rate(drive), _buffer(3_000_000)
    escape.advance(neurons, state, many, 500, KEY, spikes, dt)
    count = escape.advance(neurons, state, many, round(seconds / dt), KEY, spikes, dt)
    measured = _rates(spikes[:count], many.size, seconds).reshape(4, 100).mean(axis=1)
    # Refractoriness makes the counts more regular than Poisson's, whose error is the bound.
    assert np.all(np.abs(measured - theory) < 0.01 * theory + 4.0 * np.sqrt(theory / (100 * seconds)))
    np.testing.assert_allclose(measured[2:], theory[2:], rtol=0.01)


def test_escape_functions_have_their_limits() -> None:
    soft, steep = EscapeRate(after_spike=0.0), EscapeRate(after_spike=0.0, escape="exponential")
    below, above = np.array([2.0, 4.0]), np.array([60.0, 80.0])
    np.testing.assert_allclose(soft.hazard(below), steep.hazard(below), rtol=2e-3)
    np.testing.assert_allclose(soft.hazard(above), 60.0 * (above - 16.0) / 2.0, rtol=1e-6)
    # Without a refractory kernel the process is Poisson, at the hazard itself, however slow or fast.
    drive = np.array([-100.0, 0.0, 16.0, 70.0])
    np.testing.assert_allclose(soft.rate(drive), soft.hazard(drive), rtol=1e-9)
    assert np.all(np.isfinite(steep.hazard(np.array([1e6]))))


def test_a_postsynaptic_potential_has_its_area() -> None:
    neurons, state = EscapeRate(threshold=1e3), EscapeRateState.zeros(1)
    state.current[:] = neurons.current_per_weight
    area = 0.0
    for _ in range(3000):
        escape.advance(neurons, state, np.zeros(1, np.float32), 1, KEY, _buffer(1), 1e-4)
        area += float(state.membrane[0]) * 1e-4
    assert area == pytest.approx(neurons.psp_area, rel=1e-3)


def test_poisson_counts_are_poisson() -> None:
    rates = np.repeat(np.array([0.0, 5.0, 40.0, 100.0], np.float32), 500)
    dt, seconds = 1e-4, 4.0
    spikes, again = _buffer(400_000), _buffer(400_000)
    count = poisson.advance(PoissonState.zeros(), rates, round(seconds / dt), KEY, spikes, dt)
    counts = np.bincount(spikes[:count, 1], minlength=rates.size).reshape(4, 500)
    assert counts[0].sum() == 0
    for row, rate in zip(counts[1:], (5.0, 40.0, 100.0), strict=True):
        assert row.mean() == pytest.approx(rate * seconds, abs=4.5 * np.sqrt(rate * seconds / 500))
        assert row.var() / row.mean() == pytest.approx(1.0 - rate * dt, abs=4.5 * np.sqrt(2 / 500))
    fast = spikes[:count][spikes[:count, 1] == 1999, 0]
    intervals = np.diff(fast) * dt
    assert intervals.std() / intervals.mean() == pytest.approx(1.0, abs=0.2)
    # Resumed in the middle, the source goes on with the same draws.
    state, cut = PoissonState.zeros(), 12_345
    first = poisson.advance(state, rates, cut, KEY, again, dt)
    second = poisson.advance(state, rates, round(seconds / dt) - cut, KEY, again[first:], dt)
    again[first : first + second, 0] += cut
    np.testing.assert_array_equal(again[: first + second], spikes[:count])


def test_the_poisson_kernel_and_numpy_spike_alike() -> None:
    rates = np.random.default_rng(2).uniform(0.0, 1000.0, 80).astype(np.float32)
    spikes, ours, theirs = _buffer(20_000), PoissonState.zeros(), PoissonState.zeros()
    for _ in range(2):
        count = poisson.advance(ours, rates, 100, KEY, spikes)
        np.testing.assert_array_equal(spikes[:count], poisson.advance_reference(theirs, rates, 100, KEY))


def test_bad_input_is_named() -> None:
    drive = np.full(4, 30.0, np.float32)

    def run_lif() -> None:
        lif.advance(LIF(), LIFState.zeros(4), drive, 99, KEY, _buffer(3))

    def run_escape(n: int = 4, buffer: NDArray[np.int32] | None = None) -> None:
        escape.advance(
            EscapeRate(), EscapeRateState.zeros(n), drive, 99, KEY, _buffer(3) if buffer is None else buffer
        )

    def run_poisson(rates: object) -> None:
        poisson.advance(PoissonState.zeros(), np.asarray(rates), 99, KEY, _buffer(3))

    cases = [
        (lambda: LIF(tau_membrane=0.0), "LIF tau_membrane must be > 0, got 0.0"),
        (lambda: LIF(tau_synapse=20e-3), "tau_membrane and tau_synapse must differ"),
        (lambda: LIF(noise=-1.0), "refractory and noise must be >= 0"),
        (lambda: LIFState.zeros(0), ">= 1 neuron, got 0"),
        (run_lif, "exceed the buffer of 3 for 99 steps"),
        (lambda: EscapeRate(width=-2.0), "EscapeRate width must be finite and > 0, got -2.0"),
        (lambda: EscapeRate(escape="linear"), "'softplus' or 'exponential', got 'linear'"),  # type: ignore[arg-type]
        (lambda: EscapeRateState.zeros(0), ">= 1 neuron, got 0"),
        (lambda: run_escape(n=5), "drive must have shape (5,), got (4,)"),
        (run_escape, "exceed the buffer of 3 for 99 steps"),
        (lambda: run_escape(buffer=np.zeros(3, np.int32)), "(k, 2) rows of (step, neuron), got shape (3,)"),
        (
            lambda: run_poisson(np.array([5.0, -1.0], np.float32)),
            "rates must be in [0, 1000] Hz for dt = 0.001 s, got -1 at index 1",
        ),
        (lambda: run_poisson(drive * 40), "got 1200 at index 0"),
        (lambda: run_poisson(drive * 20), "exceed the buffer of 3 for 99 steps"),
        (lambda: run_poisson(np.ones(2)), "(n,) float32 Hz, got float64"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=re.escape(message)):
            call()
