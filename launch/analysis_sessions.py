"""What `tolman analyze` reads: the records of a run, or a file of recorded units, as `Recording`s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, Delaunay, QhullError

from ..analysis.bursts import stretches
from ..analysis.rate_maps import Bins
from ..analysis.recording import Recording, bins_over
from ..analysis.tracking import along_axis, speeds
from .episode import CONTROL_PERIOD
from .errors import UserError
from .run_folder import RunFolder

Floats = NDArray[np.float64]
_BETWEEN = 100.0  #: s put between trials, so that nothing runs on from one into the next
_SLOW = 0.05  #: m/s, below which a robot counts as at rest


@dataclass(frozen=True)
class Session:
    """One session: populations that share behaviour."""

    name: str
    kind: str  #: "run" or "units"
    populations: Mapping[str, Recording]
    bins: Bins
    smoothing: float  #: units of position
    least: float  #: s
    grid: bool  #: whether gridness means anything here: an open field
    border: bool  #: whether walls are straight and meet at right angles
    rest: Floats  #: (stretches, 2) s in which bursts are looked for
    cycles: Mapping[str, Floats] = field(default_factory=dict)  #: theta cycles (k,) at each spike, if known
    notes: tuple[str, ...] = ()
    outline: Floats | None = None  #: (corners, 2)

    @property
    def recording(self) -> Recording:
        """Any of the populations, for behaviour."""
        return next(iter(self.populations.values()))

    def asked(self, population: str | None) -> Session:
        """Return the session with one population; raise `UserError` for one that it does not hold."""
        if population is None:
            return self
        if population not in self.populations:
            raise UserError(
                f"no population {population!r} in {self.name}; there are: {', '.join(self.populations)}"
            )
        return replace(self, populations={population: self.populations[population]})


def open_run(folder: Path, bin_size: float | None, slow: float | None) -> Session:
    """Read the records of a training run; the true pose is what cells are scored against.

    Raises
    ------
    UserError
        If the folder holds no finished trial, or no spikes.
    """
    run = RunFolder(folder)
    slow = _SLOW if slow is None else slow
    theta = run.checkpoint.config.agent.memory.place.theta.enabled
    per_cycle = run.checkpoint.config.agent.memory.correction.theta_periods
    t, pose, segment, spikes = [], [], [], []
    origin, before, timed = 0.0, 0, True
    for number, arrays in enumerate(run.trials.values()):
        n = len(arrays["pose"])
        t.append(origin + CONTROL_PERIOD * np.arange(n))
        pose.append(arrays["pose"])
        segment.append(np.full(n, number))
        step = arrays["spike_step"].astype(np.int64)
        timed &= "spike_ms" in arrays
        # Older records tell only the period of a spike.
        ms = arrays["spike_ms"] if "spike_ms" in arrays else (step + 0.5) * CONTROL_PERIOD * 1e3
        seconds = 1e-3 * ms.astype(np.float64)
        # A trial begins with the second period of a cycle, see `SpatialMemory.advance`.
        cycle = (seconds / CONTROL_PERIOD + 1.0) / per_cycle + np.ceil(origin / CONTROL_PERIOD)
        neuron = arrays["spike_neuron"].astype(np.int64)
        spikes.append((origin + seconds, neuron, step + before, cycle))
        origin, before = origin + n * CONTROL_PERIOD + _BETWEEN, before + n
    times, poses, segments = np.concatenate(t), np.concatenate(pose), np.concatenate(segment).astype(np.int64)
    spike_t, neuron, sample, cycles = (np.concatenate(part) for part in zip(*spikes, strict=True))
    xy = poses[:, :2]
    running = speeds(times, xy, segments) > slow
    if not running.any():
        raise UserError(f"{folder}: the robot never drove faster than {slow:g} m/s (--speed)")
    track = along_axis(xy, running)
    linear = track is not None
    position = xy if track is None else track[:, None]
    behaviour = Recording(
        times, position, np.full(len(times), CONTROL_PERIOD), running, segments, poses[:, 2],
        np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64), 0,
    )  # fmt: skip
    populations, of_cycle = {}, {}
    for name, (start, stop) in run.populations.items():
        inside = (neuron >= start) & (neuron < stop)
        populations[name] = replace(
            behaviour,
            spike_t=spike_t[inside],
            spike_unit=neuron[inside] - start,
            spike_sample=sample[inside],
            units=stop - start,
        )
        if theta and timed and name == "place":
            of_cycle[name] = cycles[inside]
    if not any(part.spike_t.size for part in populations.values()):
        raise UserError(f"{folder} holds no spikes")
    outline = np.asarray(run.scene["outline"], np.float64)
    if linear:
        bins = bins_over(behaviour, bin_size or 0.03)
    else:
        low, high = outline.min(axis=0), outline.max(axis=0)
        bins = Bins.over((float(low[0]), float(low[1])), (float(high[0]), float(high[1])), bin_size or 0.05)
    notes = []
    if not theta:
        notes.append("theta is off in this run: no phase precession")
    elif not timed:
        notes.append("the records are older and lack milliseconds: no phase precession, coarse bursts")
    notes.append("replay at rewards and between trials happens outside control periods and is not recorded")
    return Session(
        folder.name, "run", populations, bins, (1.0 if linear else 1.2) * bins.size, 0.5 if linear else 0.08,
        grid=not linear and _convex(outline), border=not linear and _rectangular(outline),
        rest=stretches(times, ~running, 2 * CONTROL_PERIOD), cycles=of_cycle, notes=tuple(notes),
        outline=None if linear else outline,
    )  # fmt: skip


def _rectangular(outline: Floats) -> bool:
    """Whether the corners are those of an upright rectangle."""
    return len(outline) == 4 and all(len(np.unique(np.round(outline[:, k], 6))) == 2 for k in (0, 1))


def covered(recording: Recording, bins: Bins) -> tuple[float, float]:
    """Return which share of the convex hull of its path, and of the bins, a session visited."""
    index = bins.index(recording.plane[recording.running])
    x, y = bins.centres
    places = np.column_stack((np.tile(x, bins.rows), np.repeat(y, bins.columns)))
    visited = np.unique(index)
    try:
        hull = Delaunay(places[visited])
    except QhullError:  # all on one line
        return 0.0, 0.0
    return visited.size / int(np.count_nonzero(hull.find_simplex(places) >= 0)), visited.size / len(places)


def _convex(outline: Floats) -> bool:
    """Whether the floor is about its own convex hull, as that of an open field and not of a maze."""
    x, y = outline.T
    area = 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))
    return area > 0.9 * float(ConvexHull(outline).volume)
