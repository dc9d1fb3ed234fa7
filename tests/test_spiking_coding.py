"""Codes: what comes back is what went in, up to the loss that each code states."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolman.spiking.coding import LatencyCode, PhaseCode, PopulationCode, RateCode

shares = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30)


@given(shares, st.integers(1, 500))
def test_latency_comes_back_to_half_a_step(values: list[float], steps: int) -> None:
    code = LatencyCode(steps)
    spikes = code.encode(values)
    assert np.all(np.diff(spikes[:, 0]) >= 0)
    assert len(spikes) == np.count_nonzero(values), "one spike each, silence for 0"
    decoded = code.decode(spikes, len(values))
    # The last step stands for the smallest values too, since step T is outside.
    assert np.all(
        np.abs(decoded - values) <= np.where(np.array(values) < 1.0 / steps, 1.0, 0.5) / steps + 1e-9
    )


@given(shares, st.integers(10, 400), st.integers(1, 5))
def test_phase_comes_back_to_half_a_step(values: list[float], period: int, cycles: int) -> None:
    code = PhaseCode(period, cycles)
    spikes = code.encode(values)
    assert len(spikes) == len(values) * cycles
    error = np.abs(code.decode(spikes, len(values)) - values)
    assert np.all(error <= 0.5 / (code.span * period) + 1e-9)


def test_jitter_of_phases_averages_out_over_cycles() -> None:
    values = np.linspace(0.1, 0.9, 200)
    errors = {}
    for cycles in (1, 16):
        code = PhaseCode(cycles=cycles)
        errors[cycles] = np.std(code.decode(code.encode(values, jitter=6.0, seed=1), 200) - values)
    assert errors[1] == pytest.approx(6.0 / (0.75 * 120), rel=0.15)
    assert errors[16] == pytest.approx(errors[1] / 4.0, rel=0.25)


def test_rates_come_back_with_the_noise_of_counts() -> None:
    code, value = RateCode(highest=100.0, steps=2000), 0.4
    decoded = code.decode(code.encode(np.full(4000, value), seed=3), 4000)
    assert decoded.mean() == pytest.approx(value, rel=0.01)
    # A step holds one spike at most, so the variance is less by the share of steps that hold one.
    theory = np.sqrt(value * 100.0 / 2.0) / 100.0 * np.sqrt(1.0 - value * 0.1)
    assert decoded.std() == pytest.approx(theory, rel=0.05)


@pytest.mark.parametrize("circular", [False, True])
def test_a_population_is_read_with_the_least_possible_variance(circular: bool) -> None:
    code = PopulationCode(0.0, 10.0, cells=40, width=0.6, circular=circular)
    values = np.linspace(3.0, 7.0, 3000)
    errors = code.decode(code.encode(values, seed=5), values.size) - values
    expected = code.rates([5.0]).sum() * code.steps * code.dt
    bound = code.tuning_width / np.sqrt(expected)
    assert abs(errors.mean()) < 0.05 * bound
    assert errors.std() == pytest.approx(bound, rel=0.1)


def test_a_circular_population_joins_its_ends() -> None:
    code = PopulationCode(-np.pi, np.pi, cells=24, width=0.4, circular=True, steps=400)
    values = np.array([-np.pi + 0.01, np.pi - 0.01, 0.0])
    decoded = code.decode(code.encode(values, seed=0), 3)
    assert np.all(np.abs(np.angle(np.exp(1j * (decoded - values)))) < 0.1)


def test_silence_is_no_value() -> None:
    nothing = np.zeros((0, 2), np.int32)
    assert np.isnan(PopulationCode(0.0, 1.0).decode(nothing, 2)).all()
    assert np.isnan(PhaseCode().decode(nothing, 2)).all()
    assert (LatencyCode().decode(nothing, 2) == 0.0).all()
    assert (RateCode().decode(nothing, 2) == 0.0).all()


def test_impossible_values_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"LatencyCode values must be \(n,\) in \[0, 1\]"):
        LatencyCode().encode([0.5, 1.2])
    with pytest.raises(ValueError, match="PopulationCode values must be in"):
        PopulationCode(0.0, 1.0).encode([2.0], seed=0)
    with pytest.raises(ValueError, match="highest must be <= 1000 Hz"):
        RateCode(highest=2000.0)
    with pytest.raises(ValueError, match=r"neurons are 0\.\.1, got 5\.\.5"):
        LatencyCode().decode(np.array([[0, 5]], np.int32), 2)
