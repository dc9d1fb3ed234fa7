"""What the user sees while trials run, and the few lines at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .config import ExperimentConfig
from .episode import Moment
from .frames import Pose
from .scoring import TrialRecord

_REFRESH_STEPS = 25  #: control periods between updates of the bar


class TrialProgress:
    """An observer: one line a trial, and a bar on a terminal. Silent without a console."""

    def __init__(self, config: ExperimentConfig, console: Console | None, done: int = 0) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._task = None
        if console is not None and console.is_terminal:
            self._bar = Progress(
                TextColumn("[bold]trials"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.description}"),
                console=console,
                transient=True,
            )
            self._task = self._bar.add_task("", total=config.trials, completed=done)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, trial: int, pose: Pose, info: Mapping[str, Any]) -> None:
        """Show which trial runs."""
        self._describe("exploring" if trial == 0 else f"trial {trial}")

    def watch(self, moment: Moment) -> None:
        """Show how long the trial has been running, now and then."""
        if moment.step % _REFRESH_STEPS == 0:
            name = "exploring" if moment.trial == 0 else f"trial {moment.trial}"
            self._describe(f"{name}, {moment.time:.0f} s")

    def end(self, record: TrialRecord) -> None:
        """Print the trial's line."""
        if self._bar is not None and self._task is not None and record.trial > 0:
            self._bar.advance(self._task)
        if self._console is not None:
            self._console.print(trial_line(record))

    def _describe(self, text: str) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=text)


def trial_line(record: TrialRecord) -> str:
    """Return one line on one trial."""
    if record.trial == 0:
        head = f"exploration {record.latency_s:6.1f} s"
    elif record.optimal_path_m is None:
        head = f"trial {record.trial:3d}  {record.latency_s:6.1f} s"
    else:
        found = "found in" if record.success else "gave up at"
        head = f"trial {record.trial:3d}  {found:>10s} {record.latency_s:5.1f} s"
    path = f"path {record.path_m:5.2f} m"
    if record.optimal_path_m is not None and record.trial > 0:
        path += f" (shortest {record.optimal_path_m:.2f} m)"
    error = record.localisation_error_m
    place = "never localised" if error is None else f"place error {100 * error:5.1f} cm"
    return f"{head}   {path}   {place}"


def describe(summary: Mapping[str, Any], output: Path, files: Sequence[Path]) -> list[str]:
    """Say in a few lines what was learned and where to look."""
    lines = [""]
    learned = summary["learning"]
    if learned is not None:
        first, last = learned["first_latency_s"]["value"], learned["last_latency_s"]["value"]
        a, b = learned["last_trials"]
        lines.append(
            f"The goal took {first:.1f} s in trials 1-{learned['first_trials'][1]} and {last:.1f} s in trials"
            f" {a}-{b} (median), {100 * learned['ratio']:.0f} % of the time."
        )
    error, reckoned = summary["localisation_error_m"]["value"], summary["dead_reckoning_error_m"]["value"]
    by_gyro = summary["dead_reckoning_gyro_error_m"]["value"]
    if error is not None:
        beside = (
            ""
            if reckoned is None
            else f"; dead reckoning in the first episode was off by {100 * reckoned:.0f} cm by the wheels"
        )
        if reckoned is not None and by_gyro is not None:
            beside += f" alone, by {100 * by_gyro:.0f} cm with the gyro's heading"
        lines.append(
            f"The memory's own idea of the place was off by {100 * error:.0f} cm on average{beside}."
        )
    pace = summary["real_time_factor"]
    if summary["neurons"] and pace is not None:
        lines.append(
            f"{summary['neurons']} neurons, {summary['synapses']} synapses, {summary['spikes']} spikes,"
            f" {pace:.1f} x real time."
        )
    if files:
        lines.append(f"Look at, in {output}/:")
        lines += [f"  {file.relative_to(output)}" for file in files]
    return lines
