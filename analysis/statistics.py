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
    """Percentile bootstrap interval of `statistic` over independent `units` (n,) or (n, values of each).

    `statistic` takes an array and an `axis`; it is taken over all values of the units drawn. What a unit's
    values have in common stays together: of seeds times trials the seeds are drawn, as in Agarwal et al.
    2021, section 4.1. One unit says nothing of its spread: the interval is then (nan, nan). Draws in which
    the statistic is not defined (NaN) are left out.
    Source: Efron & Tibshirani 1993, chapter 13.
    """
    if units.ndim not in (1, 2) or units.size == 0:
        raise ValueError(f"units must be a non-empty vector or matrix, got shape {units.shape}")
    if len(units) == 1:
        return float("nan"), float("nan")
    return _percentiles(_resample(units, statistic, resamples, seed), level)


def roc_area(positive: Floats, negative: Floats) -> float:
    """Return the probability that a positive (n,) exceeds a negative (m,); ties count half, NaN without any.

    It is the area under the curve of the receiver, and Mann & Whitney's U over n m.
    """
    n, m = len(positive), len(negative)
    if n == 0 or m == 0:
        return float("nan")
    ranks = stats.rankdata(np.concatenate((positive, negative)))
    return float((ranks[:n].sum() - 0.5 * n * (n + 1)) / (n * m))


def improvement_interval(
    greater: Floats, lesser: Floats, level: float = 0.95, resamples: int = 4000, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the probability of improvement, P(greater > lesser).

    The probability itself is `roc_area` of `greater` (n,) and `lesser` (m,), scores of independent runs; both
    are drawn anew, each for itself. (nan, nan) where one has fewer than two.
    Source: Agarwal et al. 2021, Deep RL at the edge of the statistical precipice, section 4.3.
    """
    n, m = len(greater), len(lesser)
    if n < 2 or m < 2:
        return float("nan"), float("nan")
    wins = (greater[:, None] > lesser) + 0.5 * (greater[:, None] == lesser)
    rng = np.random.default_rng(seed)
    # How often each run is drawn says all: the mean over a draw is that of `wins` so weighted.
    rows = rng.multinomial(n, np.full(n, 1.0 / n), resamples)
    columns = rng.multinomial(m, np.full(m, 1.0 / m), resamples)
    return _percentiles(np.einsum("ri,ij,rj->r", rows, wins, columns, optimize=True) / (n * m), level)


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
    """Mean of the middle half: robust as a median, efficient as a mean. NaN is left out.

    A quarter of the values, rounded down, is left out at either end.
    Source: Agarwal et al. 2021, Deep RL at the edge of the statistical precipice, section 4.3.
    """
    return _middle(values, axis, lambda n: n // 4)


def median(values: Floats, axis: int | None = None) -> Any:
    """Median with NaN left out, and NaN, without a warning, where nothing else is there."""
    return _middle(values, axis, lambda n: np.maximum(n - 1, 0) // 2)


def mean(values: Floats, axis: int | None = None) -> Any:
    """Mean with NaN left out, and NaN, without a warning, where nothing else is there."""
    return _middle(values, axis, lambda n: 0 * n)


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


_DRAWN = 2_000_000  #: values that are drawn at a time, to bound memory


def _resample(units: Floats, statistic: Callable[..., Any], resamples: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(units), (resamples, len(units)))
    at_a_time = max(1, _DRAWN // units.size)
    draws = [
        statistic(units[picks[first : first + at_a_time]].reshape(-1, units.size), axis=1)
        for first in range(0, resamples, at_a_time)
    ]
    return np.concatenate(draws).astype(np.float64)


def _percentiles(draws: Floats, level: float) -> tuple[float, float]:
    defined = draws[~np.isnan(draws)]
    if defined.size == 0:
        return float("nan"), float("nan")
    ends = [(1.0 - level) / 2.0, (1.0 + level) / 2.0]
    # Between infinite draws (a criterion that was not met) there is nothing to interpolate.
    finite = bool(np.isfinite(defined).all())
    low, high = np.quantile(defined, ends) if finite else np.quantile(defined, ends, method="inverted_cdf")
    return float(low), float(high)


def _middle(values: Floats, axis: int | None, cut: Callable[[Any], Any]) -> Any:
    """Mean along `axis` of what is left of n numbers when `cut(n)` are left out at either end."""
    values = np.asarray(values, np.float64)
    ordered = np.sort(values.ravel() if axis is None else np.moveaxis(values, axis, -1), axis=-1)
    count = np.count_nonzero(~np.isnan(ordered), axis=-1, keepdims=True)  # NaN comes last
    out, place = cut(count), np.arange(ordered.shape[-1])
    kept = (place >= out) & (place < count - out)
    with np.errstate(invalid="ignore"):
        found = np.where(kept, ordered, 0.0).sum(axis=-1) / kept.sum(axis=-1)
    return found if found.ndim else float(found)


def set_f1(got: NDArray[np.integer], wanted: NDArray[np.integer]) -> float:
    """Return the F1 of the set `got` (k,) where `wanted` (m,) was asked for; 0 where both are empty."""
    return 2.0 * np.intersect1d(got, wanted).size / max(1, got.size + wanted.size)
