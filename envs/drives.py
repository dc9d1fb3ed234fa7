"""Recorded drives: odometry with sightings of landmarks, or a bare trajectory, from an npz file.

Odometry form: `odometry_t` (s), `odometry_v` (m/s) and `odometry_w` (rad/s), each held until the next
sample; optional `measurement_t`, `_range` (m), `_bearing` (rad), with `_subject` or `_barcode`; optional
`ground_truth_t`, `_x`, `_y`, `_theta`. These are the names of the UTIAS multi-robot recordings (Leung,
Barfoot & Liu 2011, IJRR 30:969), whose subjects 1 to 5 are robots and -1 an unknown code; neither is a
landmark.

Trajectory form: `t` (s) and `pos` (n, 2) in m, optionally `heading` (n,) in rad.

A gap in the odometry is bridged by holding the last command: for these robots setting it to zero is far
worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LONGEST = 86_400.0  #: s a drive may last; a damaged time may be years away
GAP = 2.0  #: s without odometry from which on the reader says so
ROBOTS = 5  #: subjects up to this number are robots
FASTEST = 50.0  #: m/s and rad/s beyond which a number is damaged


class DriveError(ValueError):
    """A file that is not a drive, or is damaged; its text is one line."""

    def __str__(self) -> str:
        return " ".join(super().__str__().split())


@dataclass(frozen=True, eq=False)
class Odometry:
    """Forward speed and turn rate, each held from its time until the next."""

    t: Floats  #: (n,) s, ascending; of samples at one time the last counts
    speed: Floats  #: (n,) m/s
    turn_rate: Floats  #: (n,) rad/s


@dataclass(frozen=True, eq=False)
class Sightings:
    """Where landmarks were seen from the robot."""

    t: Floats  #: (n,) s, ascending
    landmark: Ints  #: (n,) which one
    range: Floats  #: (n,) m
    bearing: Floats  #: (n,) rad from straight ahead, counter-clockwise

    @classmethod
    def none(cls) -> Sightings:
        """Return no sightings."""
        return cls(np.zeros(0), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Poses over time."""

    t: Floats  #: (n,) s, ascending
    pose: Floats  #: (n, 3) m, m, rad


@dataclass(frozen=True, eq=False)
class Drive:
    """One recorded drive. What the agent may know is `odometry`, `sightings` and `start`."""

    kind: str  #: "odometry" or "trajectory"
    odometry: Odometry | None
    sightings: Sightings
    truth: Trajectory | None
    start_time: float  #: s
    start: Floats  #: (3,) pose at that time; zero when no truth is known
    end_time: float  #: s
    notes: tuple[str, ...] = ()  #: what was left out or looks odd, a line each
    surveyed: Floats | None = None  #: (k, 2) m where landmarks truly are, for pictures

    def without_truth(self) -> Drive:
        """Return the drive as the agent may see it."""
        return replace(self, truth=None, surveyed=None)


def open_drive(path: str | Path) -> Drive | None:
    """Read a drive from an npz file; None for a file of another kind.

    Raises
    ------
    DriveError
        If the file says it holds a drive but its arrays are damaged or do not fit each other.
    """
    path = Path(path)
    if path.suffix.lower() != ".npz" or not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            names = set(archive.files)
            if not ({"odometry_t"} <= names or {"t", "pos"} <= names):
                return None
            arrays = {name: archive[name] for name in archive.files if archive[name].dtype.kind in "uifb"}
    except Exception as error:  # NumPy and zip have many words for damage
        raise DriveError(f"{path} is damaged or not an npz file ({type(error).__name__})") from error
    try:
        return read_odometry(arrays) if "odometry_t" in names else read_trajectory(arrays)
    except DriveError as error:
        raise DriveError(f"{path}: {error}") from error


def read_odometry(arrays: Mapping[str, NDArray[Any]]) -> Drive:
    """Return the drive of the odometry form; raise DriveError for damaged arrays."""
    t, v, w = _columns(arrays, "odometry", ("t", "v", "w"))
    _check_times(t, "odometry_t")
    for name, rate in (("odometry_v", v), ("odometry_w", w)):
        if np.abs(rate).max() > FASTEST:
            raise DriveError(f"{name} must lie within +-{FASTEST:g}, got {rate[np.argmax(np.abs(rate))]:g}")
    notes = []
    gap = float(np.diff(t).max())
    if gap > GAP:
        notes.append(f"odometry pauses for up to {gap:.1f} s; the last command was held")
    truth, start_time, start = None, float(t[0]), np.zeros(3)
    if "ground_truth_t" in arrays:
        gt, x, y, theta = _columns(arrays, "ground_truth", ("t", "x", "y", "theta"))
        _check_times(gt, "ground_truth_t")
        later = (gt >= t[0]) & (gt <= t[-1])
        if not later.any():
            raise DriveError("ground truth and odometry have no time in common")
        truth = Trajectory(gt[later], np.stack([x, y, theta], axis=1)[later])
        start_time, start = float(truth.t[0]), truth.pose[0].copy()
    sightings, more = _sightings(arrays, start_time, float(t[-1]))
    return Drive(
        "odometry",
        Odometry(t, v, w),
        sightings,
        truth,
        start_time,
        start,
        float(t[-1]),
        (*notes, *more),
        _surveyed(arrays),
    )


def read_trajectory(arrays: Mapping[str, NDArray[Any]]) -> Drive:
    """Return the drive of the trajectory form; raise DriveError for damaged arrays.

    Samples without a position, where the tracker lost the animal, are left out.
    """
    for name in ("t", "pos"):
        if name not in arrays:
            raise DriveError(f"{name} must hold numbers")
    t, pos = np.asarray(arrays["t"], np.float64), np.asarray(arrays["pos"], np.float64)
    if t.ndim != 1 or pos.shape != (t.size, 2):
        raise DriveError(f"t must be (n,) and pos (n, 2), got {t.shape} and {pos.shape}")
    known = np.all(np.isfinite(pos), axis=1)
    notes = [] if known.all() else [f"{np.count_nonzero(~known)} samples without a position left out"]
    heading = None
    if "heading" in arrays:
        heading = np.asarray(arrays["heading"], np.float64)
        if heading.shape != t.shape:
            raise DriveError(f"heading must be {t.shape}, got {heading.shape}")
        heading = heading[known]
        _check_finite(heading, "heading")
    t, pos = t[known], pos[known]
    _check_finite(t, "t")
    _check_times(t, "t")
    # Of samples at one time the last counts.
    last = np.append(np.diff(t) > 0.0, True)
    t, pos = t[last], pos[last]
    if heading is not None:
        heading = np.unwrap(heading[last])
    fastest = float((np.hypot(*np.diff(pos, axis=0).T) / np.diff(t)).max())
    if fastest > FASTEST:
        raise DriveError(f"pos jumps at {fastest:.3g} m/s; the fastest a trajectory may be is {FASTEST:g}")
    gap = float(np.diff(t).max())
    if gap > GAP:
        notes.append(f"positions pause for up to {gap:.1f} s; a straight line was drawn")
    course = movement_direction(t, pos) if heading is None else heading
    pose = np.column_stack([pos, course])
    truth = Trajectory(t, pose)
    return Drive(
        "trajectory", None, Sightings.none(), truth, float(t[0]), pose[0].copy(), float(t[-1]), tuple(notes)
    )


def movement_direction(t: Floats, pos: Floats, tau: float = 0.5, most: float = 1.5) -> Floats:
    """Return a body axis (n,), rad, unwrapped, that follows the direction of movement.

    The direction of small steps is noise, so it is smoothed over `tau` s of movement and turns with at most
    `most` rad/s; what then goes sideways is sideways movement, which odometry is told as such.
    """
    step, dt = np.diff(pos, axis=0), np.diff(t)
    speed = np.hypot(*step.T) / dt
    wanted = np.arctan2(step[:, 1], step[:, 0])
    typical = max(float(np.median(speed)), 1e-9)
    moved = np.flatnonzero(speed > 0.0)
    out = np.empty(t.size)
    out[0] = wanted[moved[0]] if moved.size else 0.0
    for k in range(t.size - 1):
        away = (wanted[k] - out[k] + np.pi) % (2.0 * np.pi) - np.pi
        follow = 1.0 - np.exp(-dt[k] / tau * min(1.0, speed[k] / typical))
        out[k + 1] = out[k] + np.clip(follow * away, -most * dt[k], most * dt[k])
    return out


def _sightings(
    arrays: Mapping[str, NDArray[Any]], first: float, last: float
) -> tuple[Sightings, tuple[str, ...]]:
    if "measurement_t" not in arrays:
        return Sightings.none(), ()
    if np.asarray(arrays["measurement_t"]).size == 0:
        return Sightings.none(), ()
    t, distance, bearing = _columns(arrays, "measurement", ("t", "range", "bearing"), least=1)
    if distance.min() <= 0.0:
        raise DriveError(f"measurement_range must be > 0 m, got {distance.min():g}")
    subject = _identities(arrays, t.size)
    order = np.argsort(t, kind="stable")
    t, distance, bearing, subject = t[order], distance[order], bearing[order], subject[order]
    within = (t >= first) & (t <= last)
    robots, unknown = (subject >= 1) & (subject <= ROBOTS), subject < 1
    kept = within & ~robots & ~unknown
    notes = [
        f"{np.count_nonzero(within & left)} sightings of {what} left out"
        for left, what in ((robots, "other robots"), (unknown, "unknown codes"))
        if np.any(within & left)
    ]
    bearing = (bearing + np.pi) % (2.0 * np.pi) - np.pi
    return Sightings(t[kept], subject[kept], distance[kept], bearing[kept]), tuple(notes)


def _identities(arrays: Mapping[str, NDArray[Any]], size: int) -> Ints:
    """Return the subject of each sighting: as stored, or looked up by its barcode; -1 is unknown."""
    for name in ("measurement_subject", "measurement_barcode"):
        if name not in arrays:
            continue
        codes = np.asarray(arrays[name], np.float64)
        if codes.shape != (size,):
            raise DriveError(f"{name} must be ({size},), got {codes.shape}")
        _check_finite(codes, name)
        if np.any(codes != np.round(codes)) or np.abs(codes).max() > 2**53:
            raise DriveError(f"{name} must hold whole numbers")
        whole = codes.astype(np.int64)
        if name == "measurement_subject":
            return whole
        if "barcodes" not in arrays:
            # Without a table of codes every code is a landmark; they are numbered above the robots.
            return np.where(whole >= 0, whole + ROBOTS + 1, -1)
        table = np.asarray(arrays["barcodes"], np.float64)
        if table.ndim != 2 or table.shape[1] != 2 or not np.all(np.isfinite(table)):
            raise DriveError(f"barcodes must be (n, 2): subject and barcode, got {table.shape}")
        known = {int(code): int(subject) for subject, code in table}
        return np.array([known.get(int(code), -1) for code in whole], np.int64)
    raise DriveError("sightings need measurement_subject or measurement_barcode to tell landmarks apart")


def _surveyed(arrays: Mapping[str, NDArray[Any]]) -> Floats | None:
    """Return the surveyed places of `landmarks` (k, >= 3): subject, x, y; None where there are none."""
    table = np.asarray(arrays.get("landmarks", np.zeros(0)), np.float64)
    if table.ndim != 2 or table.shape[1] < 3 or not np.all(np.isfinite(table[:, 1:3])):
        return None
    return table[:, 1:3].copy()


def _columns(
    arrays: Mapping[str, NDArray[Any]], stem: str, names: tuple[str, ...], least: int = 2
) -> list[Floats]:
    columns: list[Floats] = []
    for name in (f"{stem}_{part}" for part in names):
        if name not in arrays:
            raise DriveError(f"{name} is missing or holds no numbers")
        column = np.asarray(arrays[name], np.float64)
        if column.ndim != 1 or column.shape != (columns or [column])[0].shape:
            raise DriveError(f"{name} must be (n,) like {stem}_{names[0]}, got {column.shape}")
        if column.size < least:
            raise DriveError(f"{name} must hold >= {least} samples, got {column.size}")
        _check_finite(column, name)
        columns.append(column)
    return columns


def _check_finite(column: Floats, name: str) -> None:
    bad = np.flatnonzero(~np.isfinite(column))
    if bad.size:
        raise DriveError(f"{name} is {column[bad[0]]} at sample {bad[0]}")


def _check_times(t: Floats, name: str) -> None:
    if t.size < 2:
        raise DriveError(f"{name} must hold >= 2 samples, got {t.size}")
    back = np.flatnonzero(np.diff(t) < 0.0)
    if back.size:
        raise DriveError(
            f"{name} goes back at sample {back[0] + 1}: {t[back[0]]:.3f} to {t[back[0] + 1]:.3f} s"
        )
    if t[-1] == t[0]:
        raise DriveError(f"{name} never moves on from {t[0]:.3f} s")
    if t[-1] - t[0] > LONGEST:
        raise DriveError(f"{name} spans {t[-1] - t[0]:.3g} s; a drive may last {LONGEST:g} s")
