"""How soon an agent has learned: ratios to the straight way, trials and steps to criterion, savings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .statistics import Floats, bootstrap_interval, median

RATIO = 1.5  #: of a median latency to the straight-line time: as good as learned
IN_A_ROW = 3  #: trials whose median over seeds must hold
EPISODES = 10  #: of one seed, whose median must hold


def latency_ratio(latency: Floats, optimal_path: Floats, speed: float, nearest: float = 0.0) -> Floats:
    """Return latency (...) in s over the time of the shortest path (...) in m at `speed` m/s.

    NaN where the path is shorter than `nearest` m, or nothing is to be reached (NaN, 0).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        counts = (optimal_path > 0.0) & (optimal_path >= nearest)
        return np.where(counts, latency * speed / optimal_path, np.nan)


def criterion_trial(ratio: Floats, bound: float = RATIO, in_a_row: int = IN_A_ROW) -> int | None:
    """Return the first trial, from 1, of `in_a_row` whose median over seeds is at most `bound`, or `None`.

    `ratio` is (seeds, trials); NaN is left out, and a trial without any other value does not count as good.
    """
    return _first_run(median(ratio, axis=0) <= bound, in_a_row)


def steps_to_criterion(
    ratio: Floats, steps: NDArray[np.int64], bound: float = RATIO, episodes: int = EPISODES
) -> int | None:
    """Return the steps after which `episodes` episodes in a row of one seed have a median of at most `bound`.

    `ratio` (trials,) and the environment steps taken until the end of each trial, `steps` (trials,). Trials
    whose ratio is NaN are not among the episodes, but their steps count. `None` if it never came to that.
    """
    valid = np.flatnonzero(~np.isnan(ratio))
    for last in range(episodes, valid.size + 1):
        if np.median(ratio[valid[last - episodes : last]]) <= bound:
            return int(steps[valid[last - 1]])
    return None


def savings(first: Floats, second: Floats) -> tuple[float, tuple[float, float]]:
    """Return 1 - median of `second` / median of `first`, and its 95 % interval over seeds.

    Both (seeds, days) in s: latencies of the first and the second trial of each day. The interval draws
    seeds, with all they did. NaN where there is nothing.
    Source: Steele & Morris 1999, Hippocampus 9:118-136.
    """
    days = first.shape[1]

    def saved(draws: Floats, axis: int) -> Floats:
        """Return savings (draws,) of seeds times (first, second) times days in a row (draws, ...)."""
        del axis
        apart = draws.reshape(len(draws), -1, 2, days)
        before, after = (median(apart[:, :, k].reshape(len(draws), -1), axis=1) for k in range(2))
        return np.asarray(1.0 - after / before, np.float64)

    pairs = np.concatenate((first, second), axis=1)
    return float(saved(pairs.reshape(1, -1), 1)[0]), bootstrap_interval(pairs, saved)


def _first_run(good: NDArray[np.bool_], length: int) -> int | None:
    for start in range(good.size - length + 1):
        if good[start : start + length].all():
            return start + 1
    return None
