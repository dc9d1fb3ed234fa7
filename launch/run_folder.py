"""What lies in the folder of a training run, as the arrays that figures and analysis take."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..analysis.cells import CellMaps, cell_maps
from ..analysis.figure_animation import Film
from ..analysis.figure_paths import Path as DrawnPath
from ..analysis.rate_maps import Bins, mean_map
from . import checkpoint as checkpoints
from .episode import CONTROL_PERIOD
from .errors import UserError, asked
from .frames import out_of_frame
from .recorder import check_trial, read_trials

RUN_FILE = "run.json"

Arrays = dict[str, NDArray[Any]]


class RunFolder:
    """Reads checkpoint, description and records of the run in `folder`.

    Raises
    ------
    UserError
        If a part is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkpoint = checkpoints.load(folder)
        self.scene = _read_scene(folder / RUN_FILE)
        done = {record.trial for record in self.checkpoint.records}
        # A record that is ahead of the checkpoint belongs to a trial that will be run again.
        self.trials = {trial: arrays for trial, arrays in read_trials(folder).items() if trial in done}
        outline = np.asarray(self.scene["outline"], np.float64)
        low, high = outline.min(axis=0), outline.max(axis=0)
        self.bins = Bins.over((float(low[0]), float(low[1])), (float(high[0]), float(high[1])))
        if not self.checkpoint.map_origins or not self.trials:
            raise UserError(f"{folder} holds no finished trial")
        self._origins = np.array(self.checkpoint.map_origins)
        for trial, arrays in self.trials.items():
            with asked(
                f"the record of trial {trial} in {folder} is damaged", KeyError, ValueError, TypeError
            ):
                check_trial(arrays)
            numbers = arrays["map_number"]
            if numbers.size and not 0 <= numbers.min() <= numbers.max() < len(self._origins):
                raise UserError(f"{folder}: trial {trial} is of a map that the checkpoint does not know")

    @cached_property
    def latency(self) -> NDArray[np.float64]:
        """s (trials,)."""
        return np.array([record.latency_s for record in self.checkpoint.records if record.trial > 0])

    @cached_property
    def success(self) -> NDArray[np.bool_]:
        """(trials,)."""
        return np.array([record.success for record in self.checkpoint.records if record.trial > 0], np.bool_)

    @cached_property
    def place_error(self) -> NDArray[np.float64]:
        """m (trials,), NaN where the agent never was localised."""
        errors = [record.localisation_error_m for record in self.checkpoint.records if record.trial > 0]
        return np.array([np.nan if error is None else error for error in errors])

    @property
    def reckoning_errors(self) -> dict[str, float | None]:
        """m: what dead reckoning was off by in the first episode, by the sensors that give the heading."""
        first = self.checkpoint.records[0]
        return {"wheels": first.dead_reckoning_error_m, "wheels and gyro": first.dead_reckoning_gyro_error_m}

    def path(self, trial: int) -> DrawnPath:
        """Return the path of one trial in world coordinates."""
        arrays = self.trials[trial]
        record = next(record for record in self.checkpoint.records if record.trial == trial)
        return DrawnPath(trial, arrays["pose"][:, :2], self._belief(arrays), record.latency_s, record.success)

    @cached_property
    def populations(self) -> dict[str, tuple[int, int]]:
        """Recorded populations: range of global neuron indices by name."""
        arrays = next(iter(self.trials.values()))
        spans = arrays["population_span"]
        return {
            str(name): (int(a), int(b)) for name, (a, b) in zip(arrays["population_name"], spans, strict=True)
        }

    def cells(self, population: str) -> CellMaps:
        """Return the rate maps of one recorded population over all trials."""
        start, stop = self.populations[population]
        positions, cells, steps, before = [], [], [], 0
        for arrays in self.trials.values():
            neuron = arrays["spike_neuron"].astype(np.int64)
            inside = (neuron >= start) & (neuron < stop)
            cells.append(neuron[inside] - start)
            steps.append(arrays["spike_step"][inside].astype(np.int64) + before)
            positions.append(arrays["pose"][:, :2])
            before += len(arrays["pose"])
        return cell_maps(
            self.bins,
            np.concatenate(positions),
            CONTROL_PERIOD,
            np.concatenate(cells),
            np.concatenate(steps),
            stop - start,
        )

    def value(self, last: float = 0.5) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean value and driving direction (2, ...) by place, over the `last` part of the trials."""
        numbers = sorted(trial for trial in self.trials if trial > 0) or sorted(self.trials)
        late = [self.trials[trial] for trial in numbers[int(len(numbers) * (1.0 - last)) :]]
        pose = np.concatenate([arrays["pose"] for arrays in late])
        value = np.concatenate([arrays["value"] for arrays in late]).astype(np.float64)
        direction = np.column_stack((np.cos(pose[:, 2]), np.sin(pose[:, 2])))
        return mean_map(self.bins, pose[:, :2], value), mean_map(self.bins, pose[:, :2], direction)

    def film(self, trial: int, place: CellMaps | None, seconds: float, frame_periods: int) -> Film:
        """Return what the animation of one trial shows: one frame every `frame_periods` control periods."""
        arrays = self.trials[trial]
        n = min(len(arrays["pose"]), round(seconds / CONTROL_PERIOD))
        frames = np.arange(0, n, frame_periods)
        stride = int(arrays["event_stride"])
        rates, centre = self._activity(arrays, place, frames)
        return Film(
            dt=frame_periods * CONTROL_PERIOD,
            pose=arrays["pose"][frames],
            estimate=self._belief(arrays)[frames],
            events=arrays["event_image"][frames // stride],
            field_centre=centre,
            activity=rates,
            value=arrays["value"][frames].astype(np.float64),
            trial=trial,
        )

    def _activity(
        self, arrays: Arrays, place: CellMaps | None, frames: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return rates in Hz (frames, cells) over the last 200 ms, and field centres (cells, 2)."""
        if place is None or "place" not in self.populations:
            return np.zeros((frames.size, 0)), np.zeros((0, 2))
        start, stop = self.populations["place"]
        neuron = arrays["spike_neuron"].astype(np.int64)
        inside = (neuron >= start) & (neuron < stop)
        steps = len(arrays["pose"])
        counts = np.zeros((steps, stop - start))
        np.add.at(counts, (arrays["spike_step"][inside], neuron[inside] - start), 1.0)
        window = 5
        total = np.cumsum(np.vstack((np.zeros((window, stop - start)), counts)), axis=0)
        rates = (total[window:] - total[:-window]) / (window * CONTROL_PERIOD)
        active = place.spikes >= 20
        return rates[frames][:, active], place.field_centre[active]

    def _belief(self, arrays: Arrays) -> NDArray[np.float64]:
        """Return the estimated place in world coordinates (n, 2), NaN while the agent was not localised."""
        origin = self._origins[arrays["map_number"]].T
        estimate = out_of_frame(origin, arrays["estimate"])[:, :2]
        return np.where(arrays["localised"][:, None], estimate, np.nan)


class _Scene(TypedDict):
    """The arena, in m, as `environments.scene_of` describes it."""

    outline: list[tuple[float, float]]
    walls: list[tuple[float, float, float, float]]
    pillars: list[tuple[float, float, float]]
    goal: tuple[float, float] | None
    goal_radius: float


def _read_scene(file: Path) -> dict[str, Any]:
    with asked(f"{file} is damaged", KeyError, msgspec.ValidationError):
        scene: dict[str, Any] = msgspec.convert(read_json(file)["scene"], _Scene)
    if len(scene["outline"]) < 3:
        raise UserError(f"{file} is damaged: the outline of the arena has {len(scene['outline'])} corners")
    return scene


def read_json(file: Path) -> dict[str, Any]:
    """Return the JSON object in `file`; raise `UserError` if it is missing or damaged."""
    try:
        value = msgspec.json.decode(file.read_bytes())
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise UserError(f"{file} is damaged: {error}") from error
    if not isinstance(value, dict):
        raise UserError(f"{file} does not hold a JSON object")
    return value
