"""Izhikevich neurons: against Brian2, against their fixed points, and against their NumPy twin."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.spiking import Izhikevich, izhikevich, key

BRIAN2 = json.loads((Path(__file__).parent / "data" / "brian_izhikevich.json").read_text())
KEY = key(3, "test izhikevich")


def _train(neurons: Izhikevich, drive: float, steps: int, dt: float = 1e-3) -> NDArray[np.int32]:
    spikes = np.empty((20_000, 2), np.int32)
    inputs = np.array([drive])
    return spikes[: izhikevich.advance(neurons, neurons.zeros(1), inputs, steps, KEY, spikes, dt), 0]


@pytest.mark.parametrize("k", range(5))
def test_spikes_are_those_of_brian2(k: int) -> None:
    train = BRIAN2["trains"][k]
    a, b, c, d, drive = train["cell"]
    ours = _train(Izhikevich(a=a, b=b, c=c, d=d), drive, 20_000, BRIAN2["dt_ms"] * 1e-3)
    expected = np.array(train["spike_steps"])
    assert ours.size == expected.size > 10
    # Spikes lie on the grid, so a difference in the last digit now and then moves one by a step, and the
    # next one starts from there: whole trains agree for a while and in their mean interval.
    early = expected < 4000
    assert np.abs(ours - expected)[early].max() <= 1
    assert np.abs(ours - expected).max() <= 0.001 * 20_000


def test_a_cell_rests_below_the_rheobase_and_fires_above_it() -> None:
    neurons = Izhikevich(b=0.18)
    assert neurons.rheobase == pytest.approx((5 - 0.18) ** 2 / 0.16 - 140)
    assert _train(neurons, neurons.rheobase - 0.2, 3000).size <= 1, "the onset may make one spike"
    assert _train(neurons, neurons.rheobase + 0.2, 3000).size > 2
    state, spikes = Izhikevich().zeros(1), np.empty((10, 2), np.int32)
    izhikevich.advance(Izhikevich(), state, np.zeros(1), 2000, KEY, spikes)
    assert state.membrane[0] == pytest.approx(Izhikevich().rest, abs=0.01) == pytest.approx(-70.0, abs=0.01)


def test_firing_types_differ_as_in_the_paper() -> None:
    intervals = {
        name: np.diff(_train(neurons, 10.0, 1000)) for name, neurons in izhikevich.FIRING_TYPES.items()
    }
    assert intervals["regular spiking"][-1] > 1.5 * intervals["regular spiking"][0], "it adapts"
    assert intervals["fast spiking"].max() < 25
    assert np.ptp(intervals["fast spiking"][3:]) <= 2, "it does not adapt"
    assert intervals["chattering"].min() < 6 < 20 < intervals["chattering"].max(), "it bursts again and again"
    bursting = intervals["intrinsically bursting"]
    assert bursting[0] < 0.5 * bursting[-1], "it begins with a burst"


@pytest.mark.parametrize("neurons", [Izhikevich(noise=1.0), Izhikevich(a=0.1, d=2.0)])
def test_the_kernel_and_numpy_spike_alike(neurons: Izhikevich) -> None:
    random, n, total = np.random.default_rng(1), 30, 0
    states, spikes = [neurons.zeros(n) for _ in range(2)], np.empty((5000, 2), np.int32)
    for _ in range(40):
        drive = random.uniform(0.0, 20.0, n)
        for state in states:
            state.current[:] += 1.0
        count = izhikevich.advance(neurons, states[0], drive, 10, KEY, spikes)
        expected = izhikevich.advance_reference(neurons, states[1], drive, 10, KEY)
        np.testing.assert_array_equal(spikes[:count], expected)
        for ours, theirs in zip(*states, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)
        total += count
    assert total > 100


def test_impossible_parameters_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="c must be < peak"):
        Izhikevich(c=40.0)
    with pytest.raises(ValueError, match="no state of rest"):
        Izhikevich(b=0.4).zeros(1)
