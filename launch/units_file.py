"""Files of recorded units: an npz of spike times and of positions, as trackers give them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.bursts import stretches
from ..analysis.recording import Recording, bins_over, sample_of
from ..analysis.tracking import along_axis, good_samples, segments_of, smoothed, speeds
from .analysis_sessions import Session, covered
from .errors import UserError

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]
NEEDED = ("spike_times", "unit_index", "position_t", "position_x", "position_y")
_BINS_LINEAR, _BINS_PLANE = 50, 40  #: along the longest side, unless --bin says otherwise
_SLOW = 0.08  #: extents a second, unless --speed says otherwise
_EPOCH = 60.0  #: s without tracking that part two epochs
_OPEN = 0.8  #: of the hull of the path is visited in an open field, less in a maze; of the bins in a box
_GAP = 0.5  #: s without tracking over which nothing is interpolated


@dataclass(frozen=True)
class UnitsOptions:
    """What the file does not tell."""

    scale: float | None = None  #: m a unit of position
    track_length: float | None = None  #: m, of a linear track: gives the scale
    bin_size: float | None = None  #: in m with a scale, else in the file's units
    slow: float | None = None  #: the same a second
    max_rate: float = 50.0  #: Hz, above which a unit is taken for unsorted activity
    theta: str | None = None  #: Hz, or a file of theta_t and theta_phase


def open_units(path: Path, options: UnitsOptions) -> Session:
    """Read recorded units; drop what the tracker could not see.

    Raises
    ------
    UserError
        If an array is missing or malformed, the position never changes, or there are no spikes.
    """
    arrays = _read(path)
    spike_t, spike_unit = _spikes(arrays, path)
    t, xy = _positions(arrays, path)
    good = good_samples(t, xy)
    if np.count_nonzero(good) < 10:
        raise UserError(f"{path}: the position is frozen throughout: without movement there are no maps")
    notes = []
    if not good.all():
        share = 100.0 * np.mean(~good)
        notes.append(f"{share:.0f} % of the positions are frozen, jump or repeat a time, and are left out")
    raw_t = t[np.isfinite(t)]
    t, xy = t[good], xy[good]
    fine = segments_of(t, _GAP)
    xy = smoothed(t, xy, fine)
    scale = 1.0 if options.scale is None else options.scale
    track = along_axis(xy, np.ones(len(t), np.bool_), 1.0 if options.track_length else 0.2)
    position = xy if track is None else (track - track.min())[:, None]
    extent = float(np.ptp(position, axis=0).max())
    if options.track_length is not None:
        if track is None:
            raise UserError(f"--track-length is for linear tracks; {path} holds none")
        if options.scale is not None:
            raise UserError("--scale and --track-length both give the scale; leave one out")
        scale = options.track_length / extent
    unit = "px" if options.scale is None and options.track_length is None else "m"
    position, extent = position * scale, extent * scale
    slow = _SLOW * extent if options.slow is None else options.slow
    running = speeds(t, position, fine) > slow
    if not running.any():
        raise UserError(f"{path}: the animal is never faster than {slow:g} {unit}/s (--speed)")
    step = float(np.median(np.diff(t)))
    recording = Recording(
        t, position, np.minimum(np.diff(t, append=t[-1] + step), _GAP), running, segments_of(t, _EPOCH), None,
        spike_t, spike_unit, sample_of(t, spike_t, max(2.0 * step, 0.05)), int(spike_unit.max()) + 1, unit,
    )  # fmt: skip
    wild = np.flatnonzero(recording.mean_rate > options.max_rate)
    for cell in wild:
        rate = recording.mean_rate[cell]
        limit = f"--max-rate {options.max_rate:g}"
        notes.append(f"unit {cell} fires at {rate:.0f} Hz, over {limit}: left out as no cell")
    if wild.size:
        recording = recording.with_spikes(~np.isin(spike_unit, wild))
    linear = track is not None
    size = options.bin_size or extent / (_BINS_LINEAR if linear else _BINS_PLANE)
    bins = bins_over(recording, size)
    cycles = {}
    if options.theta is None:
        notes.append("no theta in the file: no phase precession (--theta gives a file or a rate)")
    else:
        cycles["units"] = theta_cycles(options.theta, recording.spike_t)
    of_hull, of_box = (0.0, 0.0) if linear else covered(recording, bins)
    is_open = of_hull > _OPEN
    if not linear and not is_open:
        notes.append("the positions are those of a maze, not of an open field: no gridness, no border score")
    first, last = float(raw_t.min()), float(raw_t.max())
    return Session(
        path.name, "units", {"units": recording}, bins, (1.0 if linear else 1.2) * size,
        0.5 if linear else 0.08, grid=is_open, border=is_open and of_box > _OPEN,
        rest=_rest(recording, first, last), cycles=cycles, notes=tuple(notes),
    )  # fmt: skip


def theta_cycles(theta: str, spike_t: Floats) -> Floats:
    """Return theta cycles (k,) at each spike, by a steady rate in Hz or by a file of phases.

    The file is an npz of `theta_t` in s and `theta_phase` in rad; between its samples, which must be closer
    than half a cycle, the phase is interpolated. NaN outside.
    """
    try:
        rate = float(theta)
    except ValueError:
        arrays = _read(Path(theta))
        for name in ("theta_t", "theta_phase"):
            if name not in arrays:
                raise UserError(f"--theta {theta}: array {name} is missing") from None
        t, phase = (np.asarray(arrays[name], np.float64) for name in ("theta_t", "theta_phase"))
        if t.ndim != 1 or t.shape != phase.shape or t.size < 2 or not np.all(np.diff(t) > 0.0):
            raise UserError(f"--theta {theta}: theta_t must ascend, with a phase for each time") from None
        return np.interp(spike_t, t, np.unwrap(phase) / (2.0 * np.pi), left=np.nan, right=np.nan)
    if not 1.0 <= rate <= 20.0:
        raise UserError(f"--theta must be a file, or a rate from 1 to 20 Hz, got {theta}")
    return spike_t * rate


def _read(path: Path) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise UserError(f"no file or folder {path}") from None
    except Exception as error:  # NumPy and zip have many words for damage
        raise UserError(
            f"{path} is neither a run folder nor an npz file of arrays ({type(error).__name__})"
        ) from error


def _spikes(arrays: Arrays, path: Path) -> tuple[Floats, NDArray[np.int64]]:
    missing = [name for name in NEEDED if name not in arrays]
    if missing:
        raise UserError(f"{path}: array {missing[0]} is missing; needed are {', '.join(NEEDED)}")
    times, unit = np.asarray(arrays["spike_times"], np.float64), np.asarray(arrays["unit_index"])
    if times.ndim != 1 or times.shape != unit.shape:
        raise UserError(
            f"{path}: spike_times {times.shape} and unit_index {unit.shape} must be of one length"
        )
    if times.size == 0:
        raise UserError(f"{path} holds no spikes")
    if unit.dtype.kind not in "iu" or int(unit.min()) < 0 or not np.isfinite(times).all():
        raise UserError(f"{path}: spike_times must be finite and unit_index whole numbers from 0")
    order = np.argsort(times, kind="stable")
    return times[order], unit[order].astype(np.int64)


def _positions(arrays: Arrays, path: Path) -> tuple[Floats, Floats]:
    t, x, y = (np.asarray(arrays[name], np.float64) for name in NEEDED[2:])
    if t.ndim != 1 or not t.shape == x.shape == y.shape or t.size < 10:
        raise UserError(
            f"{path}: position_t, _x, _y must be of one length of at least 10,"
            f" got {t.shape}, {x.shape}, {y.shape}"
        )
    return t, np.column_stack((x, y))


def _rest(recording: Recording, first: float, last: float) -> Floats:
    """Return the stretches (n, 2) of s that are no running: slow, or out of the tracker's view."""
    busy = stretches(recording.t, recording.running, _GAP)
    edges = np.concatenate(([first], busy.ravel(), [last])).reshape(-1, 2)
    return edges[edges[:, 1] - edges[:, 0] > 0.1]
