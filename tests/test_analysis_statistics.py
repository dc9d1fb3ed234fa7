"""Intervals that cover, tests that find what is there and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from tolman.analysis.statistics import (
    bootstrap_band,
    bootstrap_interval,
    interquartile_mean,
    paired_p_value,
    rank_sum_p_value,
)


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
