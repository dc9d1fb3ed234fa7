"""Statistics of learning runs: bootstrap intervals, interquartile means, tests between arms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]


def bootstrap_interval(
    units: Floats,
    statistic: Callable[..., Any] = np.mean,
    level: float = 0.95,
    resamples: int = 4000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of `statistic` over independent `units` (n,).

    `statistic` takes an array and an `axis`. One unit says nothing of its spread: the interval is then
    (nan, nan).
    Source: Efron & Tibshirani 1993, chapter 13.
    """
    if units.ndim != 1 or units.size == 0:
        raise ValueError(f"units must be a non-empty vector, got shape {units.shape}")
    if units.size == 1:
        return float("nan"), float("nan")
    draws = _resample(units, statistic, resamples, seed)
    low, high = np.quantile(draws, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)


def roc_area(positive: Floats, negative: Floats) -> float:
    """Return the probability that a positive (n,) exceeds a negative (m,); ties count half, NaN without any.

    It is the area under the curve of the receiver, and Mann & Whitney's U over n m.
    """
    n, m = len(positive), len(negative)
    if n == 0 or m == 0:
        return float("nan")
    ranks = stats.rankdata(np.concatenate((positive, negative)))
    return float((ranks[:n].sum() - 0.5 * n * (n + 1)) / (n * m))


def bootstrap_band(
    runs: Floats,
    statistic: Callable[..., Any] = np.median,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[Floats, Floats]:
    """Pointwise bootstrap interval over the rows of `runs` (n, trials): low and high, each (trials,)."""
    if runs.ndim != 2 or runs.shape[0] == 0:
        raise ValueError(f"runs must be (n, trials) with n >= 1, got shape {runs.shape}")
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, runs.shape[0], (resamples, runs.shape[0]))
    draws = statistic(runs[rows], axis=1)
    low, high = np.quantile(draws, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
    return low, high


def interquartile_mean(values: Floats, axis: int | None = None) -> Any:
    """Mean of the middle half: robust as a median, efficient as a mean.

    Source: Agarwal et al. 2021, Deep RL at the edge of the statistical precipice, section 4.3.
    """
    return stats.trim_mean(values, 0.25, axis=axis)


def rank_sum_p_value(a: Floats, b: Floats) -> float | None:
    """Two-sided p of the Mann-Whitney test between independent samples; `None` below two a sample."""
    if a.size < 2 or b.size < 2:
        return None
    return float(stats.mannwhitneyu(a, b, alternative="two-sided").pvalue)


def paired_p_value(a: Floats, b: Floats) -> float | None:
    """Two-sided p of the Wilcoxon signed-rank test between pairs; `None` for fewer than two pairs.

    Equal pairs carry no sign: if all are equal there is no evidence of a difference and p is 1.
    """
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"pairs need two vectors of one length, got shapes {a.shape} and {b.shape}")
    if a.size < 2:
        return None
    if np.all(a == b):
        return 1.0
    return float(stats.wilcoxon(a, b).pvalue)


def _resample(units: Floats, statistic: Callable[..., Any], resamples: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, units.size, (resamples, units.size))
    return np.asarray(statistic(units[picks], axis=1), np.float64)
