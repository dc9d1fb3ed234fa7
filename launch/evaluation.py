"""`tolman evaluate`: one agent or algorithm over seeds, with confidence intervals."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.table import Table

from . import checkpoint as checkpoints
from .config import ExperimentConfig, differences, load, to_builtins
from .environments import resolve_task
from .errors import UserError
from .files import check_folder, check_writable, write_json
from .options import experiment_of
from .results import summarise
from .seeds import parse_seeds
from .sweep import run_sweep
from .terminal import make_console

#: What may be changed about an agent that has already learned: switches, not sizes.
_SWITCHES = {"agent.learning", "agent.third_factor", "trials", "seed", "habituation"}


def command(arguments: Namespace) -> None:
    """Run `tolman evaluate`."""
    console = make_console()
    seeds = parse_seeds(arguments.seeds)
    checkpoint = None if arguments.checkpoint is None else Path(arguments.checkpoint)
    config = experiment_of(arguments) if checkpoint is None else with_checkpoint(arguments, checkpoint)
    json_file = check_writable(Path(arguments.json), "--json") if arguments.json else None
    output = check_folder(Path(arguments.output), "--output") if arguments.output else None
    runs = run_sweep(
        {config.algorithm: config},
        seeds,
        checkpoint=checkpoint,
        jobs=arguments.jobs,
        backend=arguments.backend,
        output=output,
        console=console,
    )
    summary = summarise("evaluate", config, runs[config.algorithm])
    if json_file is not None:
        write_json(json_file, summary)
    console.print(score_table({config.algorithm: summary}, f"{config.task}, {len(seeds)} seeds"))


def with_checkpoint(arguments: Namespace, path: Path) -> ExperimentConfig:
    """Return the experiment of the checkpoint at `path`, with what the command line changes.

    Its environment may be changed freely, of its agent only the switches; habituation belongs to a new agent.

    Raises
    ------
    UserError
        If the checkpoint is of another task than was asked for, or its agent would be another.
    """
    made = checkpoints.load(path).config
    if arguments.task is not None and resolve_task(arguments.task) != made.task:
        raise UserError(f"{path} is a checkpoint of {made.task}, not of {resolve_task(arguments.task)}")
    file = None if arguments.config is None else Path(arguments.config)
    load(file, arguments.settings)  # names the file or the setting in errors
    base = to_builtins(replace(made, habituation=0.0))
    config = load(file, arguments.settings, base=base)
    changed = [
        key
        for key in differences(made, config)
        if key not in _SWITCHES and not key.startswith("environment.")
    ]
    if changed:
        raise UserError(
            f"{path} is a checkpoint of another configuration: {', '.join(changed[:5])} would change"
        )
    values: dict[str, Any] = {
        key: value for key in ("trials", "seed") if (value := getattr(arguments, key, None)) is not None
    }
    return replace(config, habituation=0.0, **values)


def score_table(arms: Mapping[str, Mapping[str, Any]], title: str) -> Table:
    """Return a table with one column an arm: each score with its 95 % interval."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for arm in arms:
        table.add_column(arm, justify="right")
    rows = {
        "success, %": ("success_rate", 100.0, 0),
        "SPL": ("spl", 1.0, 2),
        "latency, s": ("latency_s", 1.0, 1),
        "collisions": ("collisions", 1.0, 1),
        "place error, cm": ("localisation_error_m", 100.0, 1),
        "dead reckoning, cm": ("dead_reckoning_error_m", 100.0, 1),
        "  with the gyro, cm": ("dead_reckoning_gyro_error_m", 100.0, 1),
        "heading error, rad": ("heading_error_rad", 1.0, 2),
    }
    for name, (key, scale, digits) in rows.items():
        table.add_row(name, *(_cell(summary[key], scale, digits) for summary in arms.values()))
    learned = [summary["learning"] for summary in arms.values()]
    if all(learned):
        first, last = learned[0]["first_trials"], learned[0]["last_trials"]
        table.add_row(
            f"latency {first[0]}-{first[1]}, s", *(_cell(x["first_latency_s"], 1.0, 1) for x in learned)
        )
        table.add_row(
            f"latency {last[0]}-{last[1]}, s", *(_cell(x["last_latency_s"], 1.0, 1) for x in learned)
        )
        table.add_row("last / first, %", *(f"{100 * x['ratio']:.0f}" for x in learned))
        p_values = [x["p_value"] for x in learned]
        table.add_row("p of the change", *("-" if p is None else f"{p:.3g}" for p in p_values))
    paces = [summary["real_time_factor"] for summary in arms.values()]
    table.add_row("x real time", *("-" if pace is None else f"{pace:.1f}" for pace in paces))
    return table


def _cell(measure: Mapping[str, Any], scale: float, digits: int) -> str:
    if measure["value"] is None:
        return "-"
    low, high = measure["ci95"]
    text = f"{scale * measure['value']:.{digits}f}"
    if low is None or low != low:
        return text
    return f"{text} [{scale * low:.{digits}f}, {scale * high:.{digits}f}]"
