"""`tolman compare`: ablations and baselines side by side over the same seeds, as table, figure and JSON."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..analysis.statistics import paired_p_value
from .config import ExperimentConfig, load, to_builtins
from .errors import UserError
from .evaluation import score_table
from .figures import COMPARISON_FILE, draw_comparison
from .files import check_folder, check_writable, write_json
from .options import experiment_of
from .results import BLOCK, SeedRun, latency_matrix, summarise
from .seeds import parse_seeds
from .sweep import run_sweep
from .terminal import make_console

#: Arms by name: what each changes about the experiment.
ARMS: dict[str, tuple[str, ...]] = {
    "td-ltp": (),
    "no-learning": ("agent.learning=false",),
    "raw-reward": ("agent.third_factor='reward'",),
    "no-preplay": ("agent.guidance.enabled=false",),
    "no-search": ("agent.guidance.explore=false",),
    "no-replay": ("agent.replay.sweeps=0", "agent.replay.stretches=0"),
    "da+ach": ("agent.actor_critic.neuromodulators='da+ach'",),
    "rstdp": ("algorithm='rstdp'",),
    "hedonistic": ("algorithm='hedonistic'",),
    "both": ("algorithm='both'",),
    "random": ("algorithm='random'",),
    "oracle": ("algorithm='oracle'",),
    "surrogate": ("algorithm='surrogate'",),
    "ppo": ("algorithm='ppo'",),
    "sac": ("algorithm='sac'",),
}


def command(arguments: Namespace) -> None:
    """Run `tolman compare`."""
    console = make_console()
    seeds = parse_seeds(arguments.seeds)
    config = experiment_of(arguments)
    arms = arms_of(config, arguments.arms)
    json_file = check_writable(Path(arguments.json), "--json") if arguments.json else None
    output = check_folder(Path(arguments.output), "--output") if arguments.output else None
    runs = run_sweep(arms, seeds, jobs=arguments.jobs, output=output, console=console)
    summary = compare(config, arms, runs)
    if json_file is not None:
        write_json(json_file, summary)
    if output is not None:
        write_json(output / COMPARISON_FILE, summary)
        console.print(f"figure: {draw_comparison(output)}")
    console.print(score_table(summary["arms"], f"{config.task}, {len(seeds)} seeds"))
    for name, test in summary["tests"].items():
        console.print(f"{name}: median of the last trials {test['ratio']:.2f} x, p = {_p(test['p_value'])}")


def arms_of(config: ExperimentConfig, names: str) -> dict[str, ExperimentConfig]:
    """Return the experiment of each arm in the comma-separated `names`.

    Raises
    ------
    UserError
        For an unknown arm; the message lists those there are.
    """
    arms: dict[str, ExperimentConfig] = {}
    for name in dict.fromkeys(part.strip() for part in names.split(",")):
        if name not in ARMS:
            raise UserError(f"unknown arm {name!r}; known: {', '.join(ARMS)}")
        arms[name] = load(base=to_builtins(config), settings=ARMS[name])
    return arms


def compare(
    config: ExperimentConfig, arms: Mapping[str, ExperimentConfig], runs: Mapping[str, Sequence[SeedRun]]
) -> dict[str, Any]:
    """Return the JSON object: a summary for each arm, and tests of each arm against the first."""
    return {
        "version": __version__,
        "command": "compare",
        "task": config.task,
        "seeds": sorted(run.seed for run in next(iter(runs.values()))),
        "arms": {name: summarise("compare", arms[name], runs[name]) for name in arms},
        "tests": _tests(runs),
    }


def _tests(runs: Mapping[str, Sequence[SeedRun]]) -> dict[str, Any]:
    """Wilcoxon signed-rank over seeds on the median latency of the last trials, each arm against the first.

    The seeds pair: they draw the same starts in every arm.
    """
    names = list(runs)
    last = {name: np.median(latency_matrix(runs[name])[:, -BLOCK:], axis=1) for name in names}
    reference = names[0]
    return {
        f"{name} against {reference}": {
            "ratio": float(np.median(last[name]) / np.median(last[reference])),
            "p_value": paired_p_value(last[reference], last[name]),
            "test": f"Wilcoxon signed-rank over seeds, median latency of the last {BLOCK} trials",
        }
        for name in names[1:]
    }


def _p(value: float | None) -> str:
    return "not defined for one seed" if value is None else f"{value:.3g}"
