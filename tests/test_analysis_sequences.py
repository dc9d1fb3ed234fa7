"""Phase precession and replay, simulated: found where they are, and not where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.analysis.bursts import bursts, stretches
from tolman.analysis.precession import circular_linear, crossings, fields_of, precession
from tolman.analysis.rate_maps import rate_maps
from tolman.analysis.recording import Recording, bins_over, counts_in, seconds_in
from tolman.analysis.replay_events import line_fit, score_bursts, summary, weighted_correlation

Floats = NDArray[np.float64]
PLACES = np.linspace(0.0, 2.0, 41)[:, None]
CENTRES = np.linspace(0.0, 2.0, 24)
RATE = 15.0 * np.exp(-((PLACES[:, 0] - CENTRES[:, None]) ** 2) / (2 * 0.12**2)) + 0.05


@pytest.mark.parametrize("slope", [-0.8, 0.5])
def test_circular_linear_regression_recovers_slope_and_offset(slope: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.random(300)
    noisy = (slope * x + 0.7 + 0.05 * rng.standard_normal(300)) % 1.0
    fit = circular_linear(x, noisy)
    assert fit.slope == pytest.approx(slope, abs=0.05)
    assert fit.offset == pytest.approx(0.7, abs=0.05)
    assert np.sign(fit.r) == np.sign(slope)
    assert abs(fit.r) > 0.9
    assert fit.p < 1e-6


def test_circular_linear_correlation_of_unrelated_phases_is_small() -> None:
    rng = np.random.default_rng(1)
    fits = [circular_linear(rng.random(100), rng.random(100)) for _ in range(100)]
    assert np.mean([abs(fit.r) for fit in fits]) < 0.25
    assert np.isnan(circular_linear(np.zeros(2), np.zeros(2)).r)


def precessing(slope: float) -> tuple[Recording, Floats]:
    """Return laps past one field of 0.4 m, and theta cycles (8 Hz) at spikes whose phase falls by `slope`."""
    rng = np.random.default_rng(2)
    dt, speed = 0.01, 0.25
    t = dt * np.arange(20_000)
    x = np.abs((speed * t + 1.0) % 2.0 - 1.0)
    through = (x - 0.3) / 0.4
    up = np.gradient(x) > 0.0
    phase = (8.0 * t) % 1.0
    wanted = (0.9 + slope * through) % 1.0
    tuned = np.exp(2.0 * (np.cos(2.0 * np.pi * (phase - wanted)) - 1.0))
    inside = up & (through > 0.0) & (through < 1.0)
    sample = np.flatnonzero(rng.random(t.size) < dt * 60.0 * tuned * inside)
    n = len(t)
    recording = Recording(
        t, x[:, None], np.full(n, dt), np.ones(n, np.bool_), np.zeros(n, np.int64), None,
        t[sample], np.zeros(sample.size, np.int64), sample, 1,
    )  # fmt: skip
    return recording.among(up), 8.0 * t[sample]


def test_precession_is_recovered_run_by_run_and_pooled() -> None:
    recording, cycles = precessing(-0.7)
    bins = bins_over(recording, 0.02)
    rate = rate_maps(counts_in(recording, bins), seconds_in(recording, bins), bins, 0.01, 0.1)
    found = precession(crossings(recording, bins, fields_of(rate), cycles))
    said = found.summary()
    assert said["fields"] == said["precessing_fields"] == 1
    assert said["runs"] == pytest.approx(25, abs=2)
    assert said["pooled_r"] is not None
    assert said["single_r"] is not None
    assert said["pooled_r"] < -0.5
    assert said["single_r"] < -0.5
    assert said["pooled_slope_cycles_per_field"] == pytest.approx(-0.7, abs=0.12)
    recording, cycles = precessing(0.0)
    locked = precession(crossings(recording, bins, fields_of(rate), cycles)).summary()
    assert locked["pooled_slope_cycles_per_field"] == pytest.approx(0.0, abs=0.1)


def sweeps(order: NDArray[np.int64], n: int = 12) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Return spikes of `n` sweeps of 200 ms, by cells dealt out in `order`, and the bursts found."""
    rng = np.random.default_rng(3)
    times, units = [], []
    dt = 0.001
    for k in range(n):
        # All sweeps may start anywhere: with one fixed way, exchanged cells would hit it by chance alike.
        low = rng.uniform(-0.2, 1.0)
        at = np.linspace(low, low + 1.2, 200)[:: 1 if k % 2 else -1]
        rates = 100.0 * np.exp(-((at[:, None] - CENTRES) ** 2) / (2 * 0.12**2))
        step, cell = np.nonzero(rng.random(rates.shape) < dt * rates)
        times.append(10.0 + 2.0 * k + dt * step)
        units.append(order[cell])
    noise = rng.uniform(0.0, 40.0, 400)
    t = np.concatenate((*times, noise))
    unit = np.concatenate((*units, rng.integers(0, len(CENTRES), 400)))
    by_time = np.argsort(t)
    return t[by_time], unit[by_time], bursts(t[by_time], unit[by_time], np.array([[0.0, 40.0]]))


def test_replay_is_found_where_it_is_simulated() -> None:
    t, unit, found = sweeps(np.arange(24))
    assert len(found) == 12
    events = score_bursts(t, unit, found, RATE, PLACES, shuffles=100)
    said = summary(events)
    assert said["replays"] is not None
    assert said["replays"] >= 9
    assert said["p_of_share"] is not None
    assert said["p_of_share"] < 1e-6
    assert said["line_share"] is not None
    assert said["line_share"] > 0.6
    assert [np.sign(event.correlation) for event in events] == [1 if k % 2 else -1 for k in range(12)]
    assert said["speed"] is not None
    assert 4.0 < said["speed"] < 30.0


def test_replay_is_not_found_among_cells_dealt_out_anew() -> None:
    t, unit, found = sweeps(np.random.default_rng(4).permutation(24))
    said = summary(score_bursts(t, unit, found, RATE, PLACES, shuffles=100))
    assert said["replays"] is not None
    assert said["replays"] <= 2
    assert summary([])["bursts"] == 0
    assert score_bursts(t, unit, np.zeros((0, 2)), RATE, PLACES) == []


def test_lines_and_correlations_of_a_posterior() -> None:
    posterior = np.eye(41)[np.arange(4, 40, 4)]  # from 0.2 m by 0.2 m a window
    share, ends = line_fit(posterior, 2)
    assert share == pytest.approx(1.0)
    assert np.abs(PLACES[ends, 0] - [0.2, 1.8]).max() < 0.11
    assert weighted_correlation(posterior, PLACES) == pytest.approx(1.0)
    assert weighted_correlation(posterior[::-1], PLACES) == pytest.approx(-1.0)
    plane = np.column_stack((PLACES[:, 0], -0.5 * PLACES[:, 0]))
    assert weighted_correlation(posterior, plane) == pytest.approx(1.0)
    assert weighted_correlation(np.ones((5, 41)), PLACES) == pytest.approx(0.0)


def test_stretches_end_where_samples_stop() -> None:
    t = np.array([0.0, 0.1, 0.2, 5.0, 5.1, 5.2, 5.3])
    where = np.array([True, True, True, True, True, False, True])
    np.testing.assert_allclose(stretches(t, where, 1.0), [[0.0, 0.2], [5.0, 5.1], [5.3, 5.3]])
    assert stretches(np.zeros(0), np.zeros(0, np.bool_), 1.0).shape == (0, 2)
