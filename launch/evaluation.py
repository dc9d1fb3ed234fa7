"""`tolman evaluate`: one agent or algorithm over seeds, with confidence intervals."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import checkpoint as checkpoints
from .arm_tables import learning_rows, score_rows, tables
from .config import ExperimentConfig, differences, load, to_builtins
from .environments import resolve_task
from .errors import UserError
from .files import check_folder, check_result, write_json
from .options import experiment_of, refuse_setting
from .results import summarise
from .seeds import parse_seeds
from .sweep import run_sweep
from .terminal import make_console

#: What may be changed about an agent that has already learned: switches, not sizes.
_SWITCHES = {"agent.learning", "agent.third_factor", "trials", "seed", "habituation"}


def command(arguments: Namespace) -> None:
    """Run `tolman evaluate`."""
    console = make_console()
    refuse_setting(arguments, "seed", "--seeds says which")
    seeds = parse_seeds(arguments.seeds)
    checkpoint = None if arguments.checkpoint is None else Path(arguments.checkpoint)
    config = experiment_of(arguments) if checkpoint is None else with_checkpoint(arguments, checkpoint)
    json_file = check_result(arguments.json, "evaluate")
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
    rows = score_rows([summary]) + learning_rows([summary])
    for table in tables(f"{config.task}, {len(seeds)} seeds", [config.algorithm], rows):
        console.print(table)


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
    if arguments.algorithm not in (None, made.algorithm):
        raise UserError(f"{path} is a checkpoint of {made.algorithm}, not of {arguments.algorithm}")
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
