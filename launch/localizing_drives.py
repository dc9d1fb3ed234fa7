"""`tolman localize FILE` on a recorded drive: the landmark memory lives through it, and is scored after.

The memory is given the odometry, the sightings and the start pose. Ground truth is compared with
afterwards, at its own samples and without any alignment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..analysis.figure_drive import DrivePicture, draw_drive
from ..envs.drive_motion import carried, command_lag, motion, path_of
from ..envs.drives import Drive, Trajectory
from ..memory.config import PERIOD
from ..memory.landmark_config import LandmarkMemoryConfig
from ..memory.landmark_memory import LandmarkMemory
from ..spiking.hashing import SpikeHash
from .errors import UserError
from .frames import wrap
from .terminal import make_console

Floats = NDArray[np.float64]
HORIZONS = (60.0, 300.0, np.inf)  #: s after the start, up to which errors are scored
LONGEST_LAG = 2.0  #: s


class Lived(NamedTuple):
    """What came of a drive."""

    estimate: Trajectory  #: at the start and at the end of each control period
    spikes: int
    spike_hash: str


def lag_of(drive: Drive) -> float:
    """Return the lag, s, that the drive's own sightings show; 0 without any."""
    return 0.0 if drive.odometry is None else command_lag(drive.odometry, drive.sightings)


def config_for(drive: Drive) -> LandmarkMemoryConfig:
    """Return the memory for how far the drive's own sense of motion says that it goes."""
    path = path_of(drive)
    away = path.at(np.linspace(drive.start_time, drive.end_time, 1000))[:, :2] - drive.start[:2]
    return LandmarkMemoryConfig.for_extent(float(np.hypot(*away.T).max()))


def live(drive: Drive, memory: LandmarkMemory, lag: float) -> Lived:
    """Let `memory` live through a drive from its start pose."""
    path = path_of(drive, lag)
    moves = motion(drive, path, PERIOD)
    sightings = drive.sightings
    # A sighting is taken at the end of the period in which it was made, carried there by the movement since.
    periods = np.ceil((sightings.t - drive.start_time) / PERIOD - 1e-9).astype(np.int64) - 1
    periods = np.clip(periods, 0, len(moves.t) - 1)
    places = carried(sightings, path, moves.t[periods])
    first = np.searchsorted(periods, np.arange(len(moves.t) + 1))
    memory.start(drive.start)
    poses, spikes, digest = np.empty((len(moves.t) + 1, 3)), 0, SpikeHash()
    poses[0] = memory.pose
    for k in range(len(moves.t)):
        seen = [(int(sightings.landmark[i]), places[i]) for i in range(first[k], first[k + 1])]
        fired = memory.advance(moves.displacement[k], float(moves.turn[k]), seen)
        for name in sorted(fired):
            digest.add(fired[name])
            spikes += len(fired[name])
        digest.mark()
        poses[k + 1] = memory.pose
    times = np.concatenate(([drive.start_time], moves.t))
    return Lived(Trajectory(times, poses), spikes, digest.hexdigest)


def localize(
    drive: Drive, name: str, lag: float | None, seed: int
) -> tuple[dict[str, Any], Callable[[], Figure]]:
    """Live through a drive; return the JSON object, and what draws it."""
    if lag is None:
        lag = lag_of(drive)
    elif not 0.0 <= lag <= LONGEST_LAG:
        raise UserError(f"--lag must lie between 0 and {LONGEST_LAG:g} s, got {lag}")
    elif drive.odometry is None:
        raise UserError("--lag is for odometry; a trajectory is not delayed")
    memory = LandmarkMemory(config_for(drive), seed)
    lived = live(drive, memory, lag)
    estimate = lived.estimate
    spread = np.sqrt(np.maximum(np.diag(memory.reliability.covariance)[3:].reshape(-1, 2).sum(axis=1), 0.0))
    result: dict[str, Any] = {
        "form": drive.kind,
        "title": f"{name}: {estimate.t[-1] - estimate.t[0]:.0f} s, {len(drive.sightings.t)} sightings of"
        f" {len(memory.map.identities)} landmarks",
        "notes": list(drive.notes),
        "lag_s": lag,
        "sightings": {
            "used": len(drive.sightings.t) - memory.disbelieved,
            "not_believed": memory.disbelieved,
            "landmarks_given_up": memory.given_up,
        },
        "landmarks": [
            {"landmark": which, "x": float(place[0]), "y": float(place[1]), "spread_m": float(s)}
            for which, place, s in zip(memory.map.identities, memory.map.places, spread, strict=True)
        ],
        "neurons": memory.neurons,
        "spikes": lived.spikes,
        "spike_hash": lived.spike_hash,
    }
    dead: Floats | None = None
    if drive.truth is not None:
        result["scores"] = score(drive, estimate)
    if drive.odometry is not None:
        dead = path_of(drive).at(estimate.t)
    result["trajectory"] = {
        "t": estimate.t.tolist(),
        "x": estimate.pose[:, 0].tolist(),
        "y": estimate.pose[:, 1].tolist(),
        "heading": estimate.pose[:, 2].tolist(),
    }
    picture = DrivePicture(
        estimate.t,
        estimate.pose[:, :2],
        None if dead is None else dead[:, :2],
        None if drive.truth is None else drive.truth.t,
        None if drive.truth is None else drive.truth.pose[:, :2],
        memory.map.places,
        [str(which) for which in memory.map.identities],
        drive.surveyed,
    )
    return result, lambda: draw_drive(picture, str(result["title"]))


def score(drive: Drive, estimate: Trajectory) -> dict[str, Any]:
    """Return root-mean-square errors up to each horizon, at the samples of the ground truth.

    Dead reckoning holds each speed and turn rate until the next, without a lag, from the same start.
    """
    truth = drive.truth
    if truth is None:
        raise ValueError("a drive without ground truth cannot be scored")
    within = truth.t <= estimate.t[-1]
    times, true = truth.t[within], truth.pose[within]
    ours = _sampled(estimate, times)
    dead = None if drive.odometry is None else path_of(drive).at(times)
    scores: dict[str, Any] = {}
    for horizon in HORIZONS:
        if np.isfinite(horizon) and times[-1] - times[0] < horizon:
            continue
        upto = times - drive.start_time <= horizon
        entry = _errors(ours[upto], true[upto])
        if dead is not None:
            entry["dead_reckoning_rms_m"] = _errors(dead[upto], true[upto])["rms_m"]
            entry["ratio"] = entry["rms_m"] / max(entry["dead_reckoning_rms_m"], 1e-9)
        scores["whole" if np.isinf(horizon) else f"{horizon:g}_s"] = entry
    path = float(np.hypot(*np.diff(true[:, :2], axis=0).T).sum())
    end = float(np.hypot(*(ours[-1, :2] - true[-1, :2])))
    return scores | {"path_m": path, "end_error_m": end, "drift": end / max(path, 1e-9)}


def _errors(poses: Floats, true: Floats) -> dict[str, float]:
    apart = np.hypot(*(poses[:, :2] - true[:, :2]).T)
    turned = wrap(poses[:, 2] - true[:, 2])
    return {
        "rms_m": float(np.sqrt(np.mean(apart**2))),
        "mean_m": float(apart.mean()),
        "heading_rms_rad": float(np.sqrt(np.mean(turned**2))),
    }


def _sampled(estimate: Trajectory, times: Floats) -> Floats:
    heading = np.unwrap(estimate.pose[:, 2])
    columns = (estimate.pose[:, 0], estimate.pose[:, 1], heading)
    return np.column_stack([np.interp(times, estimate.t, column) for column in columns])


def say(result: dict[str, Any]) -> None:
    """Print what came of a drive."""
    console = make_console()
    console.print(result["title"])
    for note in result["notes"]:
        console.print(f"note: {note}")
    sightings = result["sightings"]
    if result["form"] == "odometry":
        console.print(
            f"sightings: {sightings['used']} used, {sightings['not_believed']} not believed;"
            f" the robot trails its odometry by {result['lag_s']:.2f} s"
        )
    console.print(f"{result['neurons']} neurons, {result['spikes']} spikes")
    scores = result.get("scores")
    if scores is None:
        console.print("no ground truth: the trajectory is in the frame of the start pose, and not scored")
        return
    for key in ("60_s", "300_s", "whole"):
        if key not in scores:
            continue
        entry = scores[key]
        part = "whole run" if key == "whole" else "first " + key.replace("_", " ")
        line = f"{part}: {entry['rms_m']:.3f} m rms"
        if "ratio" in entry:
            line += f", dead reckoning {entry['dead_reckoning_rms_m']:.3f} m ({100 * entry['ratio']:.0f} %)"
        console.print(f"{line}, heading {np.degrees(entry['heading_rms_rad']):.1f} deg rms")
    console.print(
        f"at the end {scores['end_error_m']:.3f} m off after {scores['path_m']:.1f} m"
        f" ({100 * scores['drift']:.1f} % of the way)"
    )
