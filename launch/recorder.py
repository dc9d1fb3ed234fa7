"""Records of trials for figures and analysis: one compressed file of plain arrays a trial."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from .agents import Agent
from .episode import CONTROL_PERIOD, Moment
from .errors import UserError
from .files import atomic
from .frames import Pose
from .scoring import TrialRecord

FOLDER = "trials"
#: Populations whose spikes are kept, by the start of their name; others would only fill the disk.
_RECORDED = ("place", "grid", "head_direction", "ca3")
_PERIOD_MS = np.uint32(round(1e3 * CONTROL_PERIOD))
#: Every how many control periods an event image is kept.
_EVENT_STRIDE = 2


def trial_file(output: Path, trial: int) -> Path:
    """Return where the record of `trial` lies in the folder of a run."""
    return output / FOLDER / f"trial_{trial:04d}.npz"


class _Spikes:
    """Spikes of a trial as columns: neuron, control period, ms since the trial began."""

    def __init__(self) -> None:
        self._columns: tuple[list[NDArray[np.uint32]], ...] = ([], [], [])

    def add(self, step: int, neuron: NDArray[np.uint32], time: NDArray[np.uint16]) -> None:
        """Add spikes (k,) of `neuron` at `time` ms after the beginning of control period `step`."""
        ms = np.uint32(step) * _PERIOD_MS + time.astype(np.uint32)
        for column, part in zip(self._columns, (neuron, np.full(neuron.size, step), ms), strict=True):
            column.append(part.astype(np.uint32))

    def arrays(self, name: str) -> dict[str, NDArray[np.uint32]]:
        """Return the columns (k,) as `name`_neuron, `name`_step and `name`_ms."""
        return {
            f"{name}_{key}": np.concatenate(column) if column else np.zeros(0, np.uint32)
            for key, column in zip(("neuron", "step", "ms"), self._columns, strict=True)
        }


class Recorder:
    """Keeps path, estimate, spikes, value, dopamine and event images of a trial; writes them at its end."""

    def __init__(self, output: Path, agent: Agent, width: int, height: int) -> None:
        self._output = output
        self._shape = (height, width)
        self._kept = {name: span for name, span in agent.populations.items() if name.startswith(_RECORDED)}
        self._clear()

    def _clear(self) -> None:
        self._rows: list[tuple[float, ...]] = []
        self._spikes, self._ripples = _Spikes(), _Spikes()
        self._frames: list[NDArray[np.int8]] = []

    def begin(self, trial: int, pose: Pose, info: Mapping[str, Any]) -> None:
        """Forget what an interrupted trial left."""
        self._clear()

    def watch(self, moment: Moment) -> None:
        """Keep one control period."""
        seen = moment.snapshot
        self._rows.append((
            moment.time, *moment.pose, *seen.pose_estimate, float(seen.localised), seen.value, seen.dopamine,
            moment.reward, *moment.action, *moment.observation["odometry"], float(seen.map_number),
        ))  # fmt: skip
        ripple = (
            seen.spike_ripple if seen.spike_ripple is not None else np.zeros(seen.spike_time.size, np.bool_)
        )
        for span in self._kept.values():
            inside = (seen.spike_neuron >= span.start) & (seen.spike_neuron < span.stop)
            # What preplay fires is of other places than where the robot is: rate maps must not count it.
            for kept, which in ((self._spikes, inside & ~ripple), (self._ripples, inside & ripple)):
                kept.add(moment.step, seen.spike_neuron[which], seen.spike_time[which])
        if moment.step % _EVENT_STRIDE == 0:
            self._frames.append(event_image(moment.observation["events"], self._shape))

    def end(self, record: TrialRecord) -> None:
        """Write the trial."""
        rows = np.array(self._rows, np.float64).reshape(len(self._rows), -1)
        columns: dict[str, Any] = self._spikes.arrays("spike") | self._ripples.arrays("ripple")
        names = np.array(list(self._kept), np.str_)
        spans = np.array([(s.start, s.stop) for s in self._kept.values()], np.int64).reshape(-1, 2)
        with atomic(trial_file(self._output, record.trial)) as temporary:
            np.savez_compressed(
                temporary,
                time=rows[:, 0],
                pose=rows[:, 1:4],
                estimate=rows[:, 4:7],
                localised=rows[:, 7] > 0.0,
                value=rows[:, 8].astype(np.float32),
                dopamine=rows[:, 9].astype(np.float32),
                reward=rows[:, 10].astype(np.float32),
                twist=rows[:, 11:13].astype(np.float32),
                odometry=rows[:, 13:15].astype(np.float32),
                map_number=rows[:, 15].astype(np.int64),
                **columns,
                population_name=names,
                population_span=spans,
                event_image=np.array(self._frames, np.int8).reshape(-1, *self._shape),
                event_stride=np.array(_EVENT_STRIDE),
                extras=np.array(msgspec.json.encode(record.extras).decode()),
            )
        self._clear()


def recorded(output: Path) -> list[Path]:
    """Return the records of trials in the folder of a run, ascending."""
    return sorted((output / FOLDER).glob("trial_*.npz"))


def read_trials(output: Path) -> dict[int, dict[str, NDArray[Any]]]:
    """Return the recorded arrays of every trial in the folder of a run, by trial number.

    Raises
    ------
    UserError
        If there are none, or one cannot be read.
    """
    trials: dict[int, dict[str, NDArray[Any]]] = {}
    for file in recorded(output):
        try:
            with np.load(file, allow_pickle=False) as archive:
                trials[int(file.stem.removeprefix("trial_"))] = {
                    name: archive[name] for name in archive.files
                }
        except Exception as error:
            raise UserError(
                f"{file} is damaged ({type(error).__name__}); train again to remake it"
            ) from error
    if not trials:
        raise UserError(f"{output} holds no recorded trials ({output / FOLDER})")
    return trials


def check_trial(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raise KeyError or ValueError unless these are the arrays of a trial, and fit each other."""
    periods = len(arrays["pose"])
    widths = {"pose": (3,), "estimate": (3,), "localised": (), "value": (), "map_number": ()}
    for name, rest in widths.items():
        if arrays[name].shape != (periods, *rest) or arrays[name].dtype.kind not in "fib":
            raise ValueError(f"{name} has shape {arrays[name].shape}")
    neuron, step = arrays["spike_neuron"], arrays["spike_step"]
    if neuron.ndim != 1 or neuron.shape != step.shape or not neuron.dtype.kind == step.dtype.kind == "u":
        raise ValueError(f"spikes have shapes {neuron.shape} and {step.shape}")
    if step.size and step.max() >= periods:
        raise ValueError("spikes after the end")
    if arrays["population_span"].shape != (len(arrays["population_name"]), 2):
        raise ValueError("populations and their spans differ in number")
    stride = int(arrays["event_stride"])
    if stride < 1 or arrays["event_image"].ndim != 3 or len(arrays["event_image"]) < -(-periods // stride):
        raise ValueError(f"event images have shape {arrays['event_image'].shape}")


def event_image(events: Mapping[str, NDArray[Any]], shape: tuple[int, int]) -> NDArray[np.int8]:
    """Return ON minus OFF events per pixel (height, width), clipped to int8."""
    counts = np.zeros(shape, np.int32)
    np.add.at(counts, (events["y"], events["x"]), 2 * events["p"].astype(np.int32) - 1)
    return np.clip(counts, -127, 127).astype(np.int8)
