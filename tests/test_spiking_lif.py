"""LIF and escape-rate neurons and Poisson sources against theory."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.spiking import LIF, EscapeRate, Network, Receptor, alpha, exponential


def _run(model: LIF | EscapeRate, drive: NDArray[np.float64], seconds: float, dt: float) -> NDArray[np.int32]:
    net = Network(dt=dt, seed=1)
    spikes = net.record(net.population("cells", drive.size, model, {}, drive=drive))
    net.run(seconds)
    return spikes.rows


def test_the_rate_of_lif_neurons_is_that_of_theory() -> None:
    neurons, dt, seconds = LIF(), 2e-5, 2.0
    drive = np.concatenate([[0.0, 0.99], np.geomspace(1.02, 6.0, 14)])
    spikes = _run(neurons, drive, seconds, dt)
    measured, theory = np.bincount(spikes[:, 1], minlength=drive.size) / seconds, neurons.rate(drive)
    assert np.all(measured[:2] == 0.0)
    assert np.all(theory[:2] == 0.0)
    # Counting whole intervals in 2 s adds at most one spike to the 1 % of the neuron.
    assert np.all(np.abs(measured - theory) <= 0.01 * theory + 1.0 / seconds)
    for i in range(6, drive.size):
        times = spikes[spikes[:, 1] == i, 0] * dt
        assert 1.0 / np.diff(times).mean() == pytest.approx(theory[i], rel=0.01)


def test_membranes_in_millivolts_fire_alike() -> None:
    plain, scaled = LIF(), LIF(rest=-65.0, reset=-65.0, threshold=-50.0)
    drive = np.linspace(1.1, 3.0, 10)
    expected, spikes = _run(plain, drive, 1.0, 1e-4), _run(scaled, 15.0 * drive, 1.0, 1e-4)
    np.testing.assert_array_equal(spikes[:, 1], expected[:, 1])
    assert np.abs(spikes[:, 0] - expected[:, 0]).max() <= 3, "rounding, summed over some sixty intervals"
    np.testing.assert_allclose(scaled.rate(15.0 * drive), plain.rate(drive), rtol=1e-9)


def test_the_spike_time_of_lif_neurons_converges_with_order_one() -> None:
    """The membrane is exact, so a spike is late by the rest of its step: dt / 2 on average."""
    drive = np.linspace(1.3, 3.0, 200)
    exact = 0.02 * np.log(drive / (drive - 1.0))
    steps = np.array([1e-3, 5e-4, 2.5e-4, 1.25e-4])
    errors = []
    for dt in steps:
        spikes = _run(LIF(tau_membrane=0.02), drive, 0.05, float(dt))
        neuron, first = np.unique(spikes[:, 1], return_index=True)
        late = (spikes[first, 0] + 1) * dt - exact[neuron]
        assert np.all(late > -1e-6)
        assert np.all(late <= dt + 1e-6)
        errors.append(late.mean())
    np.testing.assert_allclose(errors, steps / 2, rtol=0.1)
    order = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert order == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("dt", [1e-3, 2.5e-4])
@pytest.mark.parametrize("tau_synapse", [5e-3, 20e-3])
def test_currents_are_exact_at_any_step(dt: float, tau_synapse: float) -> None:
    """Against the closed forms of tau_m dv/dt = -v + I, also where the time constants meet."""
    t, tau_m, fine = 0.02, 20e-3, 1e-6
    net = Network(dt=dt, precision="double")
    kinds = {"fast": exponential(tau_synapse), "slow": alpha(tau_synapse)}
    cells = net.population("cells", 2, LIF(threshold=99.0), kinds, drive=0.4)
    source = net.trains("source", 2, [0.0, 0.0], [0, 1])
    net.connect(source, cells, "fast", ([0], [0]), weight=1.2)
    net.connect(source, cells, "slow", ([1], [1]), weight=1.2, name="slow")
    net.run(dt + t)
    times = (np.arange(round(t / fine)) + 0.5) * fine
    response = np.exp(-(t - times) / tau_m) / tau_m * fine
    drive = 0.4 * -np.expm1(-(dt + t) / tau_m)
    for cell, current in enumerate(
        (np.exp(-times / tau_synapse), times / tau_synapse * np.exp(1.0 - times / tau_synapse))
    ):
        expected = drive + 1.2 * (response * current).sum()
        assert cells.state["membrane"][cell] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shape", [exponential, alpha])
def test_conductances_are_of_second_order(shape: Callable[..., Receptor]) -> None:
    def membrane(dt: float) -> float:
        net = Network(dt=dt, precision="double")
        cells = net.population("cells", 1, LIF(threshold=99.0), {"g": shape(8e-3, reversal=3.0)}, drive=0.3)
        cells.target("g")[:] = 2.0
        net.run(0.02)
        return float(cells.state["membrane"][0])

    exact, fine = 0.0, 1e-6
    for k in range(round(0.02 / fine)):  # the midpoint rule at steps of a microsecond
        x = (k + 0.5) * fine / 8e-3
        g = 2.0 * (np.exp(-x) if shape is exponential else x * np.exp(1.0 - x))
        middle = exact + 0.5 * fine * (0.3 - exact + g * (3.0 - exact)) / 20e-3
        exact += fine * (0.3 - middle + g * (3.0 - middle)) / 20e-3
    errors = [abs(membrane(dt) - exact) for dt in (1e-3, 5e-4, 2.5e-4)]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all((orders > 1.8) & (orders < 2.2)), f"orders {orders} of {errors}"


def test_refractory_neurons_are_silent_for_their_time() -> None:
    spikes = _run(LIF(refractory=7e-3), np.full(1, 50.0), 0.1, 1e-3)
    np.testing.assert_array_equal(np.diff(spikes[:, 0]), 8)


@pytest.mark.parametrize("form", ["softplus", "exponential"])
def test_the_rate_of_escape_neurons_is_that_of_renewal_theory(form: str) -> None:
    neurons = EscapeRate(escape=form)  # type: ignore[arg-type]
    drive = np.array([12.0, 15.0, 17.0, 20.0])
    many, seconds = np.repeat(drive, 100), 10.0
    net = Network(dt=1e-4, seed=3)
    spikes = net.record(net.population("cells", many.size, neurons, {}, drive=many, membrane=many))
    net.run(0.05)
    spikes.clear()
    net.run(seconds)
    theory, measured = neurons.rate(drive), spikes.counts().reshape(4, 100).mean(axis=1) / seconds
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
    neurons, net = EscapeRate(threshold=1e3), Network(dt=1e-4)
    cells = net.population("cells", 1, neurons)
    source = net.trains("source", 1, [0.0], [0])
    net.connect(source, cells, wiring="one to one", weight=neurons.current_per_weight(20e-3, 5e-3))
    potential = net.watch(cells, "membrane")
    net.run(0.3)
    assert potential.values.sum() * 1e-4 == pytest.approx(20e-3, rel=1e-3)


def test_poisson_counts_are_poisson() -> None:
    rates = np.repeat([0.0, 5.0, 40.0, 100.0], 500)
    dt, seconds = 1e-4, 4.0

    def run(*parts: float) -> NDArray[np.int32]:
        net = Network(dt=dt, seed=4)
        spikes = net.record(net.poisson("source", rates.size, rates))
        for part in parts:
            net.run(part)
        return spikes.rows

    spikes = run(seconds)
    counts = np.bincount(spikes[:, 1], minlength=rates.size).reshape(4, 500)
    assert counts[0].sum() == 0
    for row, rate in zip(counts[1:], (5.0, 40.0, 100.0), strict=True):
        assert row.mean() == pytest.approx(rate * seconds, abs=4.5 * np.sqrt(rate * seconds / 500))
        assert row.var() / row.mean() == pytest.approx(1.0 - rate * dt, abs=4.5 * np.sqrt(2 / 500))
    intervals = np.diff(spikes[spikes[:, 1] == 1999, 0]) * dt
    assert intervals.std() / intervals.mean() == pytest.approx(1.0, abs=0.2)
    np.testing.assert_array_equal(run(1.2345, seconds - 1.2345), spikes)


def test_impossible_rates_are_refused() -> None:
    net = Network(dt=1e-3)
    for rates, message in (
        ([5.0, -1.0], "rates must be in [0, 1000] Hz for dt = 0.001 s, got -1"),
        (1200.0, "got 1200"),
        (np.ones(3), "must be a number or (2,), got (3,)"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            net.poisson(f"source {message}", 2, rates)
