"""Hodgkin-Huxley neurons: against NEURON, against their NumPy twin, and the order of their integration."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tolman.spiking import HodgkinHuxley, hodgkin_huxley

NEURON = json.loads((Path(__file__).parent / "data" / "neuron_hh.json").read_text())


@pytest.mark.parametrize("dt", [0.01e-3, 0.025e-3])
def test_spikes_are_those_of_neuron(dt: float) -> None:
    currents = np.array([float(current) for current in NEURON["spikes_ms"]])
    state, spikes = HodgkinHuxley().zeros(currents.size), np.empty((1000, 2), np.int32)
    steps = round(NEURON["duration_ms"] * 1e-3 / dt)
    count = hodgkin_huxley.advance(HodgkinHuxley(), state, currents, steps, spikes, dt)
    for i, expected in enumerate(NEURON["spikes_ms"].values()):
        times = (spikes[:count][spikes[:count, 1] == i, 0] + 1) * dt * 1e3
        assert times.size == len(expected)
        np.testing.assert_allclose(times, expected, atol=0.05, rtol=0)


def test_the_kernel_and_numpy_agree() -> None:
    neurons, random = HodgkinHuxley(longest_step=0.02e-3), np.random.default_rng(0)
    states, spikes, total = [neurons.zeros(20) for _ in range(2)], np.empty((1000, 2), np.int32), 0
    for _ in range(20):
        drive = random.uniform(-5.0, 40.0, 20)
        count = hodgkin_huxley.advance(neurons, states[0], drive, 10, spikes, 0.1e-3)
        expected = hodgkin_huxley.advance_reference(neurons, states[1], drive, 10, 0.1e-3)
        np.testing.assert_array_equal(spikes[:count], expected)
        for ours, theirs in zip(*states, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
        total += count
    assert total > 10


def test_integration_is_of_second_order() -> None:
    def voltage(dt: float) -> float:
        neurons = HodgkinHuxley(longest_step=dt)
        state, spikes = neurons.zeros(1), np.empty((100, 2), np.int32)
        hodgkin_huxley.advance(neurons, state, np.array([12.0]), round(20e-3 / dt), spikes, dt)
        return float(state.voltage[0])

    exact = voltage(0.05e-5)
    errors = [abs(voltage(dt) - exact) for dt in (4e-5, 2e-5, 1e-5)]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all((orders > 1.7) & (orders < 2.3)), f"orders {orders} of errors {errors} mV"


def test_a_neuron_without_input_stays_at_rest() -> None:
    state, spikes = HodgkinHuxley().zeros(2), np.empty((10, 2), np.int32)
    assert hodgkin_huxley.advance(HodgkinHuxley(), state, np.zeros(2), 4000, spikes) == 0
    np.testing.assert_allclose(state.voltage, -65.0, atol=0.05)


def test_impossible_parameters_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="capacitance must be finite and > 0"):
        HodgkinHuxley(capacitance=0.0)
    with pytest.raises(ValueError, match=">= 1 neuron"):
        HodgkinHuxley().zeros(0)
    with pytest.raises(ValueError, match="drive must have shape"):
        hodgkin_huxley.advance(
            HodgkinHuxley(), HodgkinHuxley().zeros(2), np.zeros(3), 1, np.empty((9, 2), np.int32)
        )
