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


class Recorder:
    """Keeps path, estimate, spikes, value, dopamine and event images of a trial; writes them at its end."""

    def __init__(self, output: Path, agent: Agent, width: int, height: int) -> None:
        self._output = output
        self._shape = (height, width)
        self._kept = {name: span for name, span in agent.populations.items() if name.startswith(_RECORDED)}
        self._clear()

    def _clear(self) -> None:
        self._rows: list[tuple[float, ...]] = []
        self._spikes: list[NDArray[np.uint32]] = []
        self._spike_steps: list[NDArray[np.uint32]] = []
        self._spike_ms: list[NDArray[np.uint32]] = []
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
        for span in self._kept.values():
            inside = (seen.spike_neuron >= span.start) & (seen.spike_neuron < span.stop)
            self._spikes.append(seen.spike_neuron[inside].astype(np.uint32))
            self._spike_steps.append(np.full(np.count_nonzero(inside), moment.step, np.uint32))
            self._spike_ms.append(
                np.uint32(moment.step) * _PERIOD_MS + seen.spike_time[inside].astype(np.uint32)
            )
        if moment.step % _EVENT_STRIDE == 0:
            self._frames.append(event_image(moment.observation["events"], self._shape))

    def end(self, record: TrialRecord) -> None:
        """Write the trial."""
        rows = np.array(self._rows, np.float64).reshape(len(self._rows), -1)
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
                spike_neuron=_joined(self._spikes),
                spike_step=_joined(self._spike_steps),
                spike_ms=_joined(self._spike_ms),
                population_name=names,
                population_span=spans,
                event_image=np.array(self._frames, np.int8).reshape(-1, *self._shape),
                event_stride=np.array(_EVENT_STRIDE),
                extras=np.array(msgspec.json.encode(record.extras).decode()),
            )
        self._clear()


def read_trials(output: Path) -> dict[int, dict[str, NDArray[Any]]]:
    """Return the recorded arrays of every trial in the folder of a run, by trial number.

    Raises
    ------
    UserError
        If there are none, or one cannot be read.
    """
    trials: dict[int, dict[str, NDArray[Any]]] = {}
    for file in sorted((output / FOLDER).glob("trial_*.npz")):
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


def event_image(events: Mapping[str, NDArray[Any]], shape: tuple[int, int]) -> NDArray[np.int8]:
    """Return ON minus OFF events per pixel (height, width), clipped to int8."""
    counts = np.zeros(shape, np.int32)
    np.add.at(counts, (events["y"], events["x"]), 2 * events["p"].astype(np.int32) - 1)
    return np.clip(counts, -127, 127).astype(np.int8)


def _joined(parts: list[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    return np.concatenate(parts) if parts else np.zeros(0, np.uint32)
