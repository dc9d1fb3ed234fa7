"""Results of a run or of many seeds as one JSON object, with bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..analysis.statistics import bootstrap_interval, paired_p_value
from .config import ExperimentConfig, config_hash
from .energy import energy_per_decision
from .scoring import TrialRecord, spl, success

#: Trials at either end of a session that the learning summary compares.
BLOCK = 5


@dataclass(frozen=True)
class SeedRun:
    """All trials of one agent."""

    seed: int
    records: tuple[TrialRecord, ...]  #: habituation, if any, is trial 0
    spike_hash: str
    neurons: int
    synapses: int

    @property
    def trials(self) -> tuple[TrialRecord, ...]:
        """The trials proper, without habituation."""
        return tuple(record for record in self.records if record.trial > 0)


def summarise(command: str, config: ExperimentConfig, runs: Sequence[SeedRun]) -> dict[str, Any]:
    """Return the JSON object of one algorithm on one task over seeds.

    Intervals are 95 % percentile bootstrap intervals over seeds, or over trials if there is one seed
    (`ci_over`).
    """
    runs = sorted(runs, key=lambda run: run.seed)
    trials = [record for run in runs for record in run.trials]
    everything = [record for run in runs for record in run.records]
    decisions = sum(record.steps for record in everything)
    operations = sum(record.synaptic_operations for record in everything)
    wall = sum(record.wall_s for record in everything)
    return {
        "version": __version__,
        "command": command,
        "task": config.task,
        "algorithm": config.algorithm,
        "seeds": [run.seed for run in runs],
        "config_hash": config_hash(config),
        "trials": {str(run.seed): [asdict(record) for record in run.trials] for run in runs},
        "ci_over": "seeds" if len(runs) > 1 else "trials",
        "success_rate": _measure(runs, success, np.mean),
        "spl": _measure(runs, spl, np.mean),
        "latency_s": _measure(runs, lambda r: r.latency_s, np.median),
        "collisions": _measure(runs, lambda r: float(r.collisions), np.mean),
        "localisation_error_m": _measure(runs, lambda r: r.localisation_error_m, np.mean),
        "localisation_error_all_m": _measure(runs, lambda r: r.localisation_error_all_m, np.mean),
        "localised_fraction": _measure(runs, lambda r: r.localised_fraction, np.mean),
        "heading_error_rad": _measure(runs, lambda r: r.heading_error_rad, np.mean),
        "dead_reckoning_error_m": _first_episode(runs, lambda r: r.dead_reckoning_error_m),
        "dead_reckoning_gyro_error_m": _first_episode(runs, lambda r: r.dead_reckoning_gyro_error_m),
        "localisation_error_first_episode_m": _first_episode(runs, lambda r: r.localisation_error_all_m),
        "learning": learning(runs),
        "real_time_factor": sum(record.timed_s for record in everything) / wall if wall > 0.0 else None,
        "neurons": runs[0].neurons if runs else 0,
        "synapses": runs[0].synapses if runs else 0,
        "spikes": sum(record.spikes for record in trials),
        "synaptic_operations": sum(record.synaptic_operations for record in trials),
        "synaptic_operations_per_decision": operations / decisions if decisions else None,
        "energy_per_decision": energy_per_decision(operations / decisions if decisions else 0.0),
        "spike_hash": {str(run.seed): run.spike_hash for run in runs},
    }


def learning(runs: Sequence[SeedRun]) -> dict[str, Any] | None:
    """Compare the latencies of the first and the last `BLOCK` trials; `None` for shorter sessions.

    The p value is of a Wilcoxon signed-rank test over seeds on the medians of the two blocks.
    """
    latencies = latency_matrix(runs)
    if latencies.shape[1] < 2 * BLOCK:
        return None
    first = np.median(latencies[:, :BLOCK], axis=1)
    last = np.median(latencies[:, -BLOCK:], axis=1)
    trials = latencies.shape[1]
    return {
        "first_trials": [1, BLOCK],
        "last_trials": [trials - BLOCK + 1, trials],
        "first_latency_s": estimate(first, np.median),
        "last_latency_s": estimate(last, np.median),
        "ratio": float(np.median(last) / np.median(first)),
        "p_value": paired_p_value(first, last),
    }


def latency_matrix(runs: Sequence[SeedRun]) -> NDArray[np.float64]:
    """Return latencies in s (seeds, trials), over the trials that every seed has."""
    return trial_matrix(runs, lambda record: record.latency_s)


def trial_matrix(runs: Sequence[SeedRun], of: Callable[[TrialRecord], float | None]) -> NDArray[np.float64]:
    """Return a score of each trial (seeds, trials), over the trials that every seed has; NaN for `None`."""
    count = min((len(run.trials) for run in runs), default=0)
    values = [[of(record) for record in run.trials[:count]] for run in runs]
    return np.array(values, np.float64).reshape(-1, count)


def _measure(
    runs: Sequence[SeedRun],
    of: Callable[[TrialRecord], float | None],
    centre: Callable[..., Any],
) -> dict[str, Any]:
    """Return `centre` over the seeds of `centre` over their trials; over trials if there is one seed."""
    if len(runs) > 1:
        per_seed = [[x for x in map(of, run.trials) if x is not None] for run in runs]
        units = [float(centre(values)) for values in per_seed if values]
    else:
        units = [x for run in runs for x in map(of, run.trials) if x is not None]
    return estimate(np.array(units), centre)


def _first_episode(runs: Sequence[SeedRun], of: Callable[[TrialRecord], float | None]) -> dict[str, Any]:
    """Return the mean over seeds of a score of the agents' first episodes."""
    found = [of(run.records[0]) for run in runs if run.records]
    scored = [r.dead_reckoning_error_m is not None for r in (run.records[0] for run in runs if run.records)]
    units = [x for x, valid in zip(found, scored, strict=True) if valid and x is not None]
    return estimate(np.array(units), np.mean)


def estimate(units: NDArray[np.float64], centre: Callable[..., Any]) -> dict[str, Any]:
    """Return `centre` over all values of `units` (n,) or (n, values of each), with its 95 % interval.

    The interval is over units. `None` where it is not defined.
    """
    value = float(centre(units)) if units.size else math.nan
    if math.isnan(value):
        return {"value": None, "ci95": [None, None]}
    low, high = bootstrap_interval(units, centre)
    return {"value": value, "ci95": [low, high]}
