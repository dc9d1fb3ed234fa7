"""`tolman compare`: ablations and baselines side by side over the same seeds, as table, figure and JSON."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from .. import __version__
from .arm_scores import NEAREST, SPEED, against, criterion, day_scores, window_scores
from .arm_tables import comparison_rows, day_columns, day_rows, score_rows, tables
from .arms import arms_of
from .config import ExperimentConfig, config_hash
from .figures import draw_comparison
from .files import COMPARISON_FILE, check_folder, check_result, write_json
from .options import experiment_of, refuse_setting
from .results import SeedRun, summarise
from .seeds import parse_seeds
from .sweep import run_sweep
from .terminal import make_console
from .windows import Window, parse_windows


def command(arguments: Namespace) -> None:
    """Run `tolman compare`."""
    console = make_console()
    refuse_setting(arguments, "seed", "--seeds says which")
    seeds = parse_seeds(arguments.seeds)
    config = experiment_of(arguments)
    arms = arms_of(config, arguments.arms)
    windows = parse_windows(arguments.windows, min(arm.trials for arm in arms.values()))
    json_file = check_result(arguments.json, "compare")
    output = check_folder(Path(arguments.output), "--output") if arguments.output else None
    runs = run_sweep(
        arms, seeds, jobs=arguments.jobs, backend=arguments.backend, output=output, console=console
    )
    summary = compare(config, arms, runs, windows, arguments.nearest)
    summary["command_line"] = arguments.command_line
    if json_file is not None:
        write_json(json_file, summary)
    if output is not None:
        write_json(output / COMPARISON_FILE, summary)
        console.print(f"figure: {draw_comparison(output)}")
    for table in tables_of(summary):
        console.print(table)
    for line in notes(summary):
        console.print(line)


def compare(
    config: ExperimentConfig,
    arms: Mapping[str, ExperimentConfig],
    runs: Mapping[str, Sequence[SeedRun]],
    windows: Sequence[Window],
    nearest: float = NEAREST,
) -> dict[str, Any]:
    """Return the JSON object: a summary for each arm, and tests of each arm against the first.

    Ratios leave out starts whose shortest path is shorter than `nearest` m. Tests are of the last of
    `windows`; those of each are in `windows` of a test.
    """
    reference = next(iter(arms))
    tests = {
        f"{name} against {reference}": [against(runs[reference], runs[name], window) for window in windows]
        for name in arms
        if name != reference
    }
    return {
        "version": __version__,
        "command": "compare",
        "task": config.task,
        "config_hash": config_hash(config),
        "seeds": sorted(run.seed for run in runs[reference]),
        "windows": [list(window) for window in windows],
        "nearest_m": nearest,
        "straight_line_speed": SPEED,
        "arms": {
            name: summarise("compare", arms[name], runs[name])
            | {
                "windows": [window_scores(runs[name], window, nearest) for window in windows],
                "criterion": criterion(runs[name], nearest),
                "days": day_scores(runs[name], nearest),
            }
            for name in arms
        },
        "tests": {name: every[-1] | {"windows": every} for name, every in tests.items()},
    }


def tables_of(summary: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the tables of a comparison: scores of all arms, then the days of each arm that has days."""
    arms = summary["arms"]
    rows = score_rows(list(arms.values())) + comparison_rows(arms, summary["tests"])
    yield from tables(f"{summary['task']}, {len(summary['seeds'])} seeds", list(arms), rows)
    for name, arm in arms.items():
        if arm["days"]:
            yield from tables(f"{name}, by day", day_columns(arm["days"]), day_rows(arm["days"]))


def notes(summary: Mapping[str, Any]) -> list[str]:
    """Return what a reader of the tables must know, as lines of at most 100 characters."""
    lines = [
        "IQM (interquartile mean) and median over seeds x trials; 95 % intervals over seeds, by bootstrap."
    ]
    scored = next((arm["criterion"] for arm in summary["arms"].values() if arm["criterion"]), None)
    if scored is not None:
        steps, trial, nearest = scored["steps"], scored["trial"][0], summary["nearest_m"]
        starts = f"starts nearer than {nearest:g} m are left out" if nearest > 0.0 else "all starts count"
        lines += [
            f"Ratio: latency / (shortest path / {summary['straight_line_speed']:g} m/s); {starts}.",
            f"From trial: the first of {trial['in_a_row']} in a row with so small a median ratio over seeds.",
            f"Steps: of the environment, with exploring, until {steps['episodes']} episodes in a row of a",
            f"seed have a median ratio <= {steps['ratio']:g}.",
            "Of the steps the median over seeds; >: half of the seeds or more were not there by then.",
        ]
    if summary["tests"]:
        lines.append("P(faster): of a seed against one of the first arm; p: Wilcoxon signed-rank over seeds.")
    return lines
