"""What a comparison says of each arm: windows of trials, criterion, days, and tests against the first arm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..analysis.learning_scores import (
    EPISODES,
    IN_A_ROW,
    RATIO,
    criterion_trial,
    latency_ratio,
    savings,
    steps_to_criterion,
)
from ..analysis.statistics import (
    Floats,
    improvement_interval,
    interquartile_mean,
    mean,
    median,
    paired_p_value,
    roc_area,
)
from ..envs.robot import RobotSpec
from .results import SeedRun, estimate, latency_matrix, trial_matrix
from .scoring import spl, success
from .windows import Window

SPEED = RobotSpec.max_speed  #: m/s, of the straight-line time
NEAREST = 0.5  #: m: ratios of nearer starts say more of the turn at the start than of the way
BOUNDS = (RATIO, 2.0)  #: of the median ratio
_SETTLED = 3  #: day from which days are also taken together: by then the task is known


def ratio_matrix(runs: Sequence[SeedRun], nearest: float) -> Floats:
    """Return latency over straight-line time (seeds, trials); NaN for starts nearer than `nearest` m."""
    paths = trial_matrix(runs, lambda record: record.optimal_path_m)
    return latency_ratio(latency_matrix(runs), paths, SPEED, nearest)


def window_scores(runs: Sequence[SeedRun], window: Window, nearest: float) -> dict[str, Any]:
    """Return the scores of one arm over the trials of `window`, each with its 95 % interval.

    Interquartile means and medians are over seeds times trials; the interval draws seeds, or trials if there
    is one seed.
    """
    first, last = window

    def of(matrix: Floats) -> Floats:
        part = matrix[:, first - 1 : last]
        return part if len(part) > 1 else part.T

    def middles(matrix: Floats) -> dict[str, Any]:
        part = of(matrix)
        return {"iqm": estimate(part, interquartile_mean), "median": estimate(part, median)}

    ratio = ratio_matrix(runs, nearest)
    return {
        "trials": [first, last],
        "success_rate": estimate(of(trial_matrix(runs, success)), mean),
        "latency_s": middles(latency_matrix(runs)),
        "spl": middles(trial_matrix(runs, spl)),
        "ratio": middles(ratio) | {"trials_left_out": int(np.isnan(of(ratio)).sum())},
    }


def criterion(runs: Sequence[SeedRun], nearest: float) -> dict[str, Any] | None:
    """Return when the arm as a whole, and each of its seeds, met the criterion; `None`: not in these trials.

    Steps are steps of the environment, those of exploring before trial 1 included. A seed that never met it
    is censored: it counts as later than all others in the median. A trial that
    was cut off is worse than any ratio, however short its limit. Nothing where no trial has a ratio.
    """
    ratio = ratio_matrix(runs, nearest)
    if np.isnan(ratio).all():
        return None
    ratio[(trial_matrix(runs, success) == 0.0) & ~np.isnan(ratio)] = np.inf
    steps = {}
    for run, own in zip(runs, ratio, strict=True):
        before = sum(record.steps for record in run.records if record.trial == 0)
        taken = before + np.cumsum([record.steps for record in run.trials[: own.size]], dtype=np.int64)
        steps[str(run.seed)] = (steps_to_criterion(own, taken), int(taken[-1]) if taken.size else before)
    met = np.array([np.inf if found is None else found for found, _ in steps.values()])
    middle = estimate(met, median)
    return {
        "trial": [
            {"ratio": bound, "in_a_row": IN_A_ROW, "value": criterion_trial(ratio, bound)} for bound in BOUNDS
        ],
        "steps": _finite(middle)
        | {
            "ratio": RATIO,
            "episodes": EPISODES,
            "reached": int(np.isfinite(met).sum()),
            "by_seed": {seed: found for seed, (found, _) in steps.items()},
            "run_by_seed": {seed: run for seed, (_, run) in steps.items()},
        },
    }


def day_scores(runs: Sequence[SeedRun], nearest: float) -> list[dict[str, Any]] | None:
    """Return what each day of a task with days shows of remembering, and all days from the third together.

    Savings are 1 - median latency of trial 2 / that of trial 1. They can be had by being slow in trial 1, so
    that its latency and success, and the ratio and success of trial 2 stand beside them. `None` for a task
    without days, or results of before these were kept.
    """
    place = trial_matrix(runs, lambda record: _number(record.extras.get("trial_of_day")))
    day = trial_matrix(runs, lambda record: _number(record.extras.get("day")))
    if place.size == 0 or np.isnan(place).any() or np.isnan(day).any():
        return None
    # Days begin at the same trials for every seed: the task counts trials, not what became of them.
    starts = np.flatnonzero(place[0] == 1.0)
    starts = starts[starts + 1 < place.shape[1]]
    starts = starts[place[0, starts + 1] == 2.0]
    if starts.size == 0:
        return None
    latency, ratio = latency_matrix(runs), ratio_matrix(runs, nearest)
    found = trial_matrix(runs, success)
    numbers = day[0, starts].astype(np.int64)
    spans = [(int(number), int(number), starts[k : k + 1]) for k, number in enumerate(numbers)]
    if np.count_nonzero(numbers >= _SETTLED) > 1:
        spans.append((_SETTLED, int(numbers[-1]), starts[numbers >= _SETTLED]))
    scores = []
    for first, last, at in spans:
        value, interval = savings(latency[:, at], latency[:, at + 1])
        scores.append(
            {
                "days": [first, last],
                "savings": {"value": value, "ci95": list(interval)},
                "first_latency_s": estimate(latency[:, at], median),
                "first_success_rate": estimate(found[:, at], mean),
                "second_latency_s": estimate(latency[:, at + 1], median),
                "second_success_rate": estimate(found[:, at + 1], mean),
                "second_ratio": estimate(ratio[:, at + 1], median),
            }
        )
    return scores


def against(reference: Sequence[SeedRun], runs: Sequence[SeedRun], window: Window) -> dict[str, Any]:
    """Compare an arm with the reference by each seed's median latency over `window`.

    The seeds pair: they draw the same starts in every arm. The probability of improvement is that of a seed
    of the arm being faster than one of the reference.
    """
    first, last = window
    theirs, ours = (np.median(latency_matrix(arm)[:, first - 1 : last], axis=1) for arm in (reference, runs))
    return {
        "trials": [first, last],
        "ratio": float(np.median(ours) / np.median(theirs)),
        "probability_of_improvement": {
            "value": roc_area(theirs, ours),
            "ci95": list(improvement_interval(theirs, ours)),
        },
        "p_value": paired_p_value(theirs, ours),
        "test": "Wilcoxon signed-rank over seeds, median latency of the trials",
    }


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _finite(measure: dict[str, Any]) -> dict[str, Any]:
    """Return `measure` with `None` where it is infinite: beyond the trials that were run."""
    plain = [None if x is None or not np.isfinite(x) else x for x in (measure["value"], *measure["ci95"])]
    return {"value": plain[0], "ci95": plain[1:]}
