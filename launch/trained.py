"""A trained agent for each task, made the first time that it is asked for and kept."""

from __future__ import annotations

import os
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from . import checkpoint as checkpoints
from .config import ExperimentConfig, config_hash, short_name
from .errors import UserError
from .files import check_folder
from .options import experiment_of
from .progress import TrialProgress
from .session import Session
from .terminal import make_console

FOLDER_VARIABLE = "TOLMAN_AGENTS"  #: names the folder in which trained agents are kept

#: Trials after which an agent does a task about as well as it ever does (benchmarks/results).
_TRIALS = {"WaterMaze": 12, "DelayedMatch": 12, "TMaze": 20, "Cruciform": 20, "UMaze": 12, "Detour": 10}
_ROAMING = 2  #: of tasks without a goal: they get a map
LAST = 5  #: trials by which an agent is described


def folder() -> Path:
    """Return where trained agents are kept: `$TOLMAN_AGENTS`, or in the user's cache."""
    given = os.environ.get(FOLDER_VARIABLE)
    if given:
        return Path(given)
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "tolman" / "agents"


def schooling(config: ExperimentConfig) -> ExperimentConfig:
    """Return the experiment in which the agent for `config` is trained: as many trials as its task needs."""
    return replace(config, trials=_TRIALS.get(short_name(config.task), _ROAMING))


def trained(config: ExperimentConfig, console: Console) -> Path:
    """Return the checkpoint of an agent that was trained in `config`; it is trained now if there is none.

    Whatever decides the outcome decides the file, so that other settings, or another version's defaults, make
    another agent.

    Raises
    ------
    UserError
        If its algorithm leaves nothing to keep, or the folder cannot be written.
    """
    if config.algorithm in ("random", "oracle"):
        raise UserError(f"--trained: {config.algorithm!r} has nothing to learn")
    config = schooling(config)
    file = folder() / f"{short_name(config.task)}-{config_hash(config)}-{config.seed}.npz"
    if file.exists():
        return file
    check_folder(file.parent, f"trained agents (${FOLDER_VARIABLE}):")
    console.print(f"no trained agent for this yet: {config.trials} trials, then it is kept in {file}")
    with Session(config) as session, TrialProgress(config, console) as progress:
        while session.trials_done < config.trials:
            session.next_trial([progress])
        checkpoints.save(file, session.checkpoint())
    return file


def command(arguments: Namespace) -> None:
    """Run `tolman agents`: an agent for each task that is named, or for all."""
    console = make_console()
    # All of them before the first is trained, which takes minutes.
    configs = [experiment_of(arguments, task=task) for task in arguments.tasks or _TRIALS]
    for config in configs:
        done = checkpoints.load(trained(config, console)).records[-LAST:]
        found = sum(record.success for record in done)
        console.print(
            f"{short_name(config.task)}: success in {found} of the last {len(done)} trials of its training"
        )
