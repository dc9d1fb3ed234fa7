"""Ratio, criterion and savings against cases worked out by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tolman.analysis.learning_scores import criterion_trial, latency_ratio, savings, steps_to_criterion

NAN = np.nan


def test_ratio_to_the_straight_line_leaves_out_near_starts_and_what_has_no_goal() -> None:
    latency = np.array([10.0, 10.0, 10.0, 10.0])
    path = np.array([1.0, 0.49, NAN, 0.0])
    np.testing.assert_allclose(latency_ratio(latency, path, 0.3, nearest=0.5), [3.0, NAN, NAN, NAN])
    np.testing.assert_allclose(latency_ratio(latency, path, 0.3)[:2], [3.0, 3.0 / 0.49])


def test_criterion_is_the_first_of_three_trials_whose_median_over_seeds_holds() -> None:
    #            trial   1    2    3    4    5    6    7
    ratio = np.array([[9.0, 1.4, 1.0, 9.0, 1.5, 1.0, 1.0],
                      [9.0, 1.5, 9.0, 1.5, 1.0, NAN, 9.0],
                      [1.0, 1.0, 1.2, 1.8, 9.0, 1.2, 1.5]])  # fmt: skip
    assert criterion_trial(ratio, 1.5) == 5  # medians 9, 1.4, 1.2, 1.8, 1.5, 1.1, 1.5
    assert criterion_trial(ratio, 2.0) == 2
    assert criterion_trial(ratio, 1.0) is None
    assert criterion_trial(ratio[:, :2], 9.0) is None  # too short
    gap = np.array([[1.0, 1.0, NAN, 1.0, 1.0, 1.0]])
    assert criterion_trial(gap) == 4  # a trial in which every start was too near says nothing


def test_steps_to_criterion_counts_all_steps_but_only_episodes_with_a_ratio() -> None:
    ratio = np.array([9.0, 9.0, NAN, 1.0, 9.0, 1.0])
    steps = np.array([100, 200, 250, 300, 400, 450])
    assert steps_to_criterion(ratio, steps, 1.5, episodes=3) == 450  # median of 1, 9, 1
    assert steps_to_criterion(ratio, steps, 1.5, episodes=1) == 300
    assert steps_to_criterion(ratio, steps, 1.5, episodes=6) is None
    # An even number of episodes: the mean of the middle two.
    assert steps_to_criterion(np.array([1.0, 2.0]), steps[:2], 1.5, episodes=2) == 200


def test_savings_and_their_interval_from_all_draws_of_seeds() -> None:
    first = np.array([[20.0, 60.0], [40.0, 50.0], [30.0, 10.0]])
    second = np.array([[5.0, 6.0], [9.0, 4.0], [60.0, 3.0]])
    value, interval = savings(first, second)
    assert value == pytest.approx(1.0 - 5.5 / 35.0)
    draws = [list(rows) for rows in itertools.product(range(3), repeat=3)]
    exact = [1.0 - np.median(second[rows]) / np.median(first[rows]) for rows in draws]
    expected = np.quantile(exact, [0.025, 0.975], method="inverted_cdf")
    np.testing.assert_allclose(interval, expected)
    assert np.isnan(savings(first[:1], second[:1])[1]).all()
