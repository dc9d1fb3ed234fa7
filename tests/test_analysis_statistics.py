"""Intervals that cover, tests that find what is there and nothing else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tolman.analysis.statistics import (
    bootstrap_band,
    bootstrap_interval,
    improvement_interval,
    interquartile_mean,
    mean,
    median,
    paired_p_value,
    rank_sum_p_value,
    roc_area,
)

#: Two arms of drawn scores, and what rliable 1.2.0 (Agarwal et al. 2021) says of them, with 50,000 draws.
FAST = np.array([5.0, 4.0, 3.4, 5.2, 3.3, 7.1, 5.4, 4.9, 1.4, 0.7, 1.5, 5.6])
SLOW = np.array([7.2, 1.7, 8.4, 3.7, 3.7, 13.9, 6.9, 7.9, 8.0, 1.6])


def test_bootstrap_interval_covers_the_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(300):
        low, high = bootstrap_interval(rng.normal(5.0, 2.0, 20), resamples=400, seed=trial)
        hits += low <= 5.0 <= high
    assert 0.87 <= hits / 300 <= 0.98


def test_bootstrap_interval_is_reproducible_and_honest_about_one_unit() -> None:
    units = np.arange(10.0)
    assert bootstrap_interval(units, np.median) == bootstrap_interval(units, np.median)
    assert np.isnan(bootstrap_interval(np.ones(1))).all()
    assert bootstrap_interval(np.ones(5)) == (1.0, 1.0)
    with pytest.raises(ValueError, match="non-empty"):
        bootstrap_interval(np.zeros(0))


def test_bootstrap_band_is_pointwise() -> None:
    runs = np.random.default_rng(1).normal(0.0, 1.0, (30, 7)) + np.arange(7.0)
    low, high = bootstrap_band(runs)
    assert low.shape == high.shape == (7,)
    assert np.all(low <= np.median(runs, axis=0))
    assert np.all(np.median(runs, axis=0) <= high)


def test_interquartile_mean_ignores_the_tails() -> None:
    assert interquartile_mean(np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1e9])) == 3.5


def test_middles_leave_nan_out_and_are_nan_without_numbers() -> None:
    values = np.array([[np.nan, 4.0, 1.0, 9.0, 2.0], [np.nan] * 5])
    np.testing.assert_array_equal(median(values, axis=1), [3.0, np.nan])
    np.testing.assert_array_equal(mean(values, axis=1), [4.0, np.nan])
    np.testing.assert_array_equal(interquartile_mean(values, axis=1), [3.0, np.nan])
    assert np.isnan(median(np.zeros(0)))
    drawn = np.random.default_rng(3).normal(0.0, 1.0, (4, 31))
    np.testing.assert_allclose(median(drawn, axis=1), np.median(drawn, axis=1))


def test_interquartile_mean_over_runs_is_that_of_rliable() -> None:
    assert interquartile_mean(FAST) == pytest.approx(4.3)
    np.testing.assert_allclose(
        bootstrap_interval(FAST, interquartile_mean, resamples=20_000), [2.6, 5.2333], atol=0.08
    )


def test_the_interval_of_a_matrix_draws_its_rows() -> None:
    """Three rows can be drawn in 27 ways: the draws' distribution is known exactly."""
    runs = np.array([[1.0, 2.0, 9.0], [4.0, 4.0, 4.0], [20.0, 5.0, 6.0]])
    exact = [np.median(runs[list(rows)]) for rows in itertools.product(range(3), repeat=3)]
    expected = np.quantile(exact, [0.1, 0.9], method="inverted_cdf")
    np.testing.assert_allclose(bootstrap_interval(runs, np.median, level=0.8), expected)
    assert np.isnan(bootstrap_interval(runs[:1], np.median)).all()


def test_probability_of_improvement_is_that_of_rliable() -> None:
    assert roc_area(SLOW, FAST) == pytest.approx(0.725)
    interval = improvement_interval(SLOW, FAST, resamples=20_000)
    np.testing.assert_allclose(interval, [0.4667, 0.925], atol=0.02)
    # By hand: 3 beats 1 and 2, ties with 3; 2 beats 1, ties with 2: (2.5 + 1.5) / 6.
    assert roc_area(np.array([3.0, 2.0]), np.array([1.0, 2.0, 3.0])) == pytest.approx(4 / 6)
    assert improvement_interval(SLOW + 100.0, FAST) == (1.0, 1.0)
    assert np.isnan(improvement_interval(SLOW, FAST[:1])).all()


def test_tests_between_arms() -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(0.0, 1.0, 20)
    p_paired, p_ranks = paired_p_value(a, a + 1.0), rank_sum_p_value(a, a + 3.0)
    assert p_paired is not None
    assert p_paired < 0.001
    assert p_ranks is not None
    assert p_ranks < 0.001
    assert paired_p_value(a, a) == 1.0
    assert paired_p_value(np.ones(1), np.ones(1)) is None
    assert rank_sum_p_value(a, np.ones(1)) is None
    with pytest.raises(ValueError, match="one length"):
        paired_p_value(a, a[:3])
