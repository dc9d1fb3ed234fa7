"""Seeds times arms, in parallel; finished seeds are kept in a folder and not run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .. import __version__
from . import checkpoint as checkpoints
from .config import ExperimentConfig, config_hash
from .errors import UserError
from .executor import make_executor
from .files import write_json
from .results import SeedRun
from .scoring import success
from .session import Session


@dataclass(frozen=True)
class Job:
    """One seed of one arm."""

    arm: str
    config: ExperimentConfig
    checkpoint: Path | None = None


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    """What lies in the file of a finished seed."""

    version: str
    config_hash: str
    agent: str
    run: SeedRun


def run_job(job: Job) -> SeedRun:
    """Run all trials of one seed; called in a process of its own."""
    with Session(job.config) as session:
        if job.checkpoint is not None:
            session.adopt(checkpoints.load(job.checkpoint))
        while session.trials_done < job.config.trials:
            session.next_trial()
        return session.result()


def run_sweep(
    arms: Mapping[str, ExperimentConfig],
    seeds: Sequence[int],
    *,
    checkpoint: Path | None = None,
    jobs: int | None = None,
    backend: str | None = None,
    output: Path | None = None,
    console: Console | None = None,
) -> dict[str, list[SeedRun]]:
    """Run every seed of every arm and return the runs by arm, seeds in the order given.

    They run on `jobs` workers of a joblib `backend`, see `executor.make_executor`.

    Raises
    ------
    UserError
        If an arm or the backend is refused, before anything is run; or if `output` holds seeds of another
        configuration.
    """
    agent = "" if checkpoint is None else checkpoints.load(checkpoint).spike_hash
    for config in arms.values():
        Session(config).environment.close()
    done: dict[tuple[str, int], SeedRun] = {}
    due: list[Job] = []
    for arm, config in arms.items():
        for seed in seeds:
            kept = None if output is None else _read(_file(output, arm, seed), config, agent)
            if kept is not None:
                done[arm, seed] = kept
            else:
                due.append(Job(arm, replace(config, seed=seed), checkpoint))
    if console is not None and done:
        console.print(f"{len(done)} of {len(done) + len(due)} seeds are already in {output}")
    executor = make_executor(jobs, len(due), backend)
    with _progress(console, len(arms) * len(seeds), len(done)) as advance:
        for index, run in executor.run(run_job, due):
            job = due[index]
            done[job.arm, run.seed] = run
            if output is not None:
                kept_run = _Kept(__version__, config_hash(job.config), agent, run)
                write_json(_file(output, job.arm, run.seed), kept_run)
            advance(job, run)
    return {arm: [done[arm, seed] for seed in seeds] for arm in arms}


def _file(output: Path, arm: str, seed: int) -> Path:
    return output / arm / f"seed_{seed:04d}.json"


def _read(file: Path, config: ExperimentConfig, agent: str) -> SeedRun | None:
    if not file.exists():
        return None
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
    except msgspec.MsgspecError as error:
        raise UserError(f"{file} is damaged ({error}); remove it to run this seed again") from error
    if (kept.version, kept.config_hash, kept.agent) != (__version__, config_hash(config), agent):
        raise UserError(f"{file} comes from another configuration, agent or version; choose another --output")
    return kept.run


@contextmanager
def _progress(console: Console | None, total: int, done: int) -> Iterator[Callable[[Job, SeedRun], None]]:
    """Yield a function that reports one finished seed: a bar on a terminal, a line elsewhere."""
    if console is None:
        yield lambda job, run: None
        return
    bar = Progress(
        TextColumn("[bold]seeds"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    task = bar.add_task("", total=total, completed=done)

    def report(job: Job, run: SeedRun) -> None:
        bar.advance(task)
        found = [score for record in run.trials if (score := success(record)) is not None]
        head = f"{sum(found):.0f} of {len(found)} found, " if found else ""
        median = float(np.median([record.latency_s for record in run.trials]))
        console.print(f"{job.arm}  seed {run.seed}: {head}median {median:.1f} s")

    if console.is_terminal:
        with bar:
            yield report
    else:
        yield report
