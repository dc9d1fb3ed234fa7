"""`tolman train`: trials with learning, a checkpoint after each, figures and results at the end."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from rich.console import Console

from .. import __version__
from . import checkpoint as checkpoints
from .config import ExperimentConfig, differences, flatten, to_builtins
from .environments import camera_of, scene_of
from .errors import UserError
from .figures import FIGURES, make_figures
from .files import RESULTS_FILE, check_folder, check_result, write_json
from .options import experiment_of
from .progress import TrialProgress, describe
from .recorder import Recorder, recorded
from .results import SeedRun, summarise
from .run_folder import RUN_FILE
from .session import Session
from .terminal import make_console


def command(arguments: Namespace) -> None:
    """Run `tolman train`."""
    console = make_console()
    config = experiment_of(arguments)
    output = check_folder(Path(arguments.output), "--output")
    json_file = check_result(arguments.json, "train")
    result = train(config, output, resume=arguments.resume, overwrite=arguments.overwrite, console=console)
    summary = summarise("train", config, [result])
    write_json(output / RESULTS_FILE, summary)
    if json_file is not None and json_file.resolve() != (output / RESULTS_FILE).resolve():
        write_json(json_file, summary)
    files = [] if arguments.no_figures else make_figures(output, console=console)
    for line in describe(summary, output, files):
        console.print(line)


def train(
    config: ExperimentConfig,
    output: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    console: Console | None = None,
) -> SeedRun:
    """Train one agent for `config.trials` trials in the folder `output`.

    After each trial its record and then the checkpoint are written, each atomically: the checkpoint is what
    counts, a record that is ahead of it is written again on resuming.

    Raises
    ------
    UserError
        If the folder holds another run, or the checkpoint in it does not fit.
    """
    file = output / checkpoints.FILE_NAME
    if not overwrite:
        _check_free(output, resume)
    previous = checkpoints.load(file) if resume and file.exists() else None
    if resume and previous is None and console is not None:
        console.print(f"{output} has no checkpoint yet: from the beginning")
    if previous is not None:
        refuse_another_experiment(previous, config, file)
    with Session(config) as session:
        if previous is not None:
            session.resume(previous)
        elif overwrite:
            _clear(output)
        description = {
            "version": __version__,
            "config": to_builtins(config),
            "scene": scene_of(session.environment),
        }
        write_json(output / RUN_FILE, description)
        camera = camera_of(session.environment)
        recorder = Recorder(output, session.agent, camera.width, camera.height)
        with TrialProgress(config, console, done=session.trials_done) as progress:
            while session.trials_done < config.trials:
                session.next_trial([recorder, progress])
                checkpoints.save(file, session.checkpoint())
        return session.result()


def refuse_another_experiment(previous: checkpoints.Checkpoint, config: ExperimentConfig, file: Path) -> None:
    """Raise `UserError` unless `config` may go on from `previous`: the same but for the number of trials."""
    if previous.config.task != config.task:
        raise UserError(f"{file} is a checkpoint of {previous.config.task}, not of {config.task}")
    changed = [key for key in differences(previous.config, config) if key != "trials"]
    if changed:
        theirs, ours = flatten(previous.config), flatten(config)
        listed = ", ".join(
            f"{key} (there {theirs.get(key)!r}, asked {ours.get(key)!r})" for key in changed[:3]
        )
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise UserError(f"{file} is a checkpoint of another configuration: {listed}{more} differ")


def _check_free(output: Path, resume: bool) -> None:
    """Raise `UserError` unless a run can begin in `output`, or `resume`.

    A run that was interrupted in its first episodes left no checkpoint; it begins again on resuming.
    """
    if resume and not output.is_dir():
        raise UserError(f"nothing to resume: there is no folder {output}")
    found = [name for name in (checkpoints.FILE_NAME, RUN_FILE, RESULTS_FILE) if (output / name).exists()]
    records = recorded(output)
    if resume:
        if not found and not records:
            raise UserError(f"nothing to resume: {output} holds no run")
        if checkpoints.FILE_NAME not in found and (len(records) > 1 or RESULTS_FILE in found):
            raise UserError(
                f"cannot resume: {output} holds a run but not its checkpoint; --overwrite starts again"
            )
    elif checkpoints.FILE_NAME in found:
        raise UserError(
            f"{output} already holds a run; pass --resume to go on with it or --overwrite to replace it"
        )
    elif found or records:
        what = found[0] if found else records[0].relative_to(output)
        raise UserError(
            f"{output} holds {what} of a run without its checkpoint; pass --overwrite to replace what is left"
        )


def _clear(output: Path) -> None:
    """Remove what an earlier run left, the checkpoint first: without it the rest is not taken for a run.

    What others put into the folder stays.
    """
    figures = [output / name for name in FIGURES]
    for file in (output / checkpoints.FILE_NAME, output / RESULTS_FILE, *recorded(output), *figures):
        file.unlink(missing_ok=True)
