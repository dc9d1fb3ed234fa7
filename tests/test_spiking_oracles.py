"""Neuron models against theory and other simulators (`data`, written by `benchmarks/oracles`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from tolman.spiking import FIRING_TYPES, LIF, AdaptiveLIF, HodgkinHuxley, Izhikevich, Network

DATA = Path(__file__).parent / "data"


def _stored(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text())


def _run(model: Any, drive: ArrayLike, steps: int, dt: float) -> NDArray[np.int32]:
    inputs = np.atleast_1d(np.asarray(drive, float))
    net = Network(dt=dt, precision="double")
    spikes = net.record(net.population("cells", inputs.size, model, {}, drive=inputs))
    net.step(steps)
    return spikes.rows


@pytest.mark.parametrize("coupling", [0.0, 0.5])
def test_adaptive_neurons_spike_as_in_brian2(coupling: float) -> None:
    stored = _stored("brian_adaptive")
    trains = stored["spike_steps"][str(coupling)]
    spikes = _run(AdaptiveLIF(coupling=coupling), [float(x) for x in trains], 10_000, stored["dt_ms"] * 1e-3)
    for i, expected in enumerate(trains.values()):
        ours = spikes[spikes[:, 1] == i, 0]
        assert ours.size == len(expected)
        assert np.all(np.abs(ours - np.array(expected, int)) <= 1)
    assert len(spikes) > 200


def test_the_adapted_rate_is_that_of_theory() -> None:
    neurons, dt, drive = AdaptiveLIF(), 2e-5, np.linspace(0.9, 4.0, 12)
    spikes, theory = _run(neurons, drive, round(3.0 / dt), dt), neurons.rate(drive)
    assert theory[0] == 0.0
    for i in range(12):
        times = spikes[spikes[:, 1] == i, 0] * dt
        late = np.diff(times[times > 1.5])
        assert (late.size == 0 and theory[i] < 1.0) or 1.0 / late.mean() == pytest.approx(theory[i], rel=0.01)


def test_without_adaptation_it_is_a_lif_neuron() -> None:
    drive = np.linspace(0.5, 3.0, 20)
    spikes = _run(AdaptiveLIF(jump=0.0), drive, 1000, 1e-3)
    expected = _run(LIF(), drive, 1000, 1e-3)
    assert len(spikes) == len(expected) > 200
    assert np.abs(spikes[:, 0] - expected[:, 0]).max() <= 1


@pytest.mark.parametrize("k", range(5))
def test_izhikevich_neurons_spike_as_in_brian2(k: int) -> None:
    stored = _stored("brian_izhikevich")
    train = stored["trains"][k]
    a, b, c, d, drive = train["cell"]
    ours = _run(Izhikevich(a=a, b=b, c=c, d=d), drive, 20_000, stored["dt_ms"] * 1e-3)[:, 0]
    expected = np.array(train["spike_steps"])
    assert ours.size == expected.size > 10
    # Spikes lie on the grid, so a difference in the last digit now and then moves one by a step, and the
    # next one starts from there: whole trains agree for a while and in their mean interval.
    assert np.abs(ours - expected)[expected < 4000].max() <= 1
    assert np.abs(ours - expected).max() <= 0.001 * 20_000


def test_an_izhikevich_cell_rests_below_the_rheobase_and_fires_above_it() -> None:
    neurons = Izhikevich(b=0.18)
    assert neurons.rheobase == pytest.approx((5 - 0.18) ** 2 / 0.16 - 140)
    assert len(_run(neurons, neurons.rheobase - 0.2, 3000, 1e-3)) <= 1, "the onset may make one spike"
    assert len(_run(neurons, neurons.rheobase + 0.2, 3000, 1e-3)) > 2
    assert Izhikevich().rest == pytest.approx(-70.0, abs=0.01)


def test_firing_types_differ_as_in_the_paper() -> None:
    intervals = {name: np.diff(_run(cell, 10.0, 1000, 1e-3)[:, 0]) for name, cell in FIRING_TYPES.items()}
    assert intervals["regular spiking"][-1] > 1.5 * intervals["regular spiking"][0], "it adapts"
    assert intervals["fast spiking"].max() < 25
    assert np.ptp(intervals["fast spiking"][3:]) <= 2, "it does not adapt"
    assert intervals["chattering"].min() < 6 < 20 < intervals["chattering"].max(), "it bursts again and again"
    bursting = intervals["intrinsically bursting"]
    assert bursting[0] < 0.5 * bursting[-1], "it begins with a burst"


@pytest.mark.parametrize("dt", [0.01e-3, 0.025e-3])
def test_hodgkin_huxley_neurons_spike_as_in_neuron(dt: float) -> None:
    stored = _stored("neuron_hh")
    currents = [float(current) for current in stored["spikes_ms"]]
    spikes = _run(HodgkinHuxley(), currents, round(stored["duration_ms"] * 1e-3 / dt), dt)
    for i, expected in enumerate(stored["spikes_ms"].values()):
        times = (spikes[spikes[:, 1] == i, 0] + 1) * dt * 1e3
        assert times.size == len(expected)
        np.testing.assert_allclose(times, expected, atol=0.05, rtol=0)


def test_hodgkin_huxley_is_of_second_order() -> None:
    def voltage(dt: float) -> float:
        net = Network(dt=dt, precision="double")
        cells = net.population("cells", 1, HodgkinHuxley(longest_step=dt), {}, drive=12.0)
        net.run(20e-3)
        return float(cells.state["membrane"][0])

    exact = voltage(0.05e-5)
    errors = [abs(voltage(dt) - exact) for dt in (4e-5, 2e-5, 1e-5)]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all((orders > 1.7) & (orders < 2.3)), f"orders {orders} of errors {errors} mV"
