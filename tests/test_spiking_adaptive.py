"""Adaptive LIF neurons: against Brian2, against theory, and against their NumPy twin."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tolman.spiking import LIF, AdaptiveLIF, LIFState, adaptive, key, lif

BRIAN2 = json.loads((Path(__file__).parent / "data" / "brian_adaptive.json").read_text())
KEY = key(3, "test adaptive")


@pytest.mark.parametrize("coupling", [0.0, 0.5])
def test_spikes_are_those_of_brian2(coupling: float) -> None:
    neurons, dt = AdaptiveLIF(coupling=coupling), BRIAN2["dt_ms"] * 1e-3
    trains = BRIAN2["spike_steps"][str(coupling)]
    drive, spikes = np.array([float(value) for value in trains], np.float32), np.empty((5000, 2), np.int32)
    count = adaptive.advance(neurons, neurons.zeros(drive.size), drive, 10_000, KEY, spikes, dt)
    close = 0
    for i, expected in enumerate(trains.values()):
        ours = spikes[:count][spikes[:count, 1] == i, 0]
        assert ours.size == len(expected)
        close += np.count_nonzero(np.abs(ours - np.array(expected, int)) <= 1)
    # A membrane that creeps up to threshold turns single precision into a step or two.
    assert close >= 0.99 * count
    assert count > 200


def test_the_adapted_rate_is_that_of_theory() -> None:
    neurons, dt = AdaptiveLIF(), 2e-5
    drive, spikes = np.linspace(0.9, 4.0, 12).astype(np.float32), np.empty((20_000, 2), np.int32)
    count = adaptive.advance(neurons, neurons.zeros(12), drive, round(3.0 / dt), KEY, spikes, dt)
    theory = neurons.rate(drive)
    assert theory[0] == 0.0
    for i in range(12):
        times = spikes[:count][spikes[:count, 1] == i, 0] * dt
        late = np.diff(times[times > 1.5])
        assert (late.size == 0 and theory[i] < 1.0) or 1.0 / late.mean() == pytest.approx(theory[i], rel=0.01)


def test_without_adaptation_it_is_a_lif_neuron() -> None:
    neurons, plain = AdaptiveLIF(jump=0.0), LIF()
    drive, spikes = np.linspace(0.5, 3.0, 20).astype(np.float32), np.empty((5000, 2), np.int32)
    count = adaptive.advance(neurons, neurons.zeros(20), drive, 1000, KEY, spikes)
    expected = np.empty((5000, 2), np.int32)
    total = lif.advance(plain, LIFState.zeros(20), drive, 1000, KEY, expected)
    assert count == total
    assert np.all(np.abs(spikes[:count, 0] - expected[:total, 0]) <= 1)


@pytest.mark.parametrize("neurons", [AdaptiveLIF(noise=0.05), AdaptiveLIF(coupling=1.0, refractory=0.0)])
def test_the_kernel_and_numpy_spike_alike(neurons: AdaptiveLIF) -> None:
    random, n, total = np.random.default_rng(1), 40, 0
    states, spikes = [neurons.zeros(n) for _ in range(2)], np.empty((5000, 2), np.int32)
    for _ in range(40):
        drive = random.uniform(0.5, 3.0, n).astype(np.float32)
        for state in states:
            state.current[:] += np.float32(0.2)
        count = adaptive.advance(neurons, states[0], drive, 10, KEY, spikes)
        expected = adaptive.advance_reference(neurons, states[1], drive, 10, KEY)
        np.testing.assert_array_equal(spikes[:count], expected)
        for ours, theirs in zip(*states, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        total += count
    assert total > 100


def test_impossible_parameters_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="tau_adaptation must be finite and > 0"):
        AdaptiveLIF(tau_adaptation=0.0)
    with pytest.raises(ValueError, match="jump must be >= 0"):
        AdaptiveLIF(jump=-1.0)
    with pytest.raises(ValueError, match="coupling 0 only"):
        AdaptiveLIF(coupling=0.1).rate(np.ones(1))
