"""Phase precession: where in the theta cycle a cell fires, against how far its field has been crossed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from .place_scores import FIELD_LEVEL
from .rate_maps import Bins
from .recording import Recording

Floats = NDArray[np.float64]
STEEPEST = 2.0  #: cycles a field, the steepest slope that is tried (Kempter et al. 2012)
_LEAST_SPIKES, _LEAST_CYCLES = 6, 4  #: of a run that is scored for itself
_LEAST_PASS = 5  #: samples of a run at least
_LEAST_COVER = 0.5  #: of the field, on a linear track


class Fit(NamedTuple):
    """Circular-linear regression and correlation."""

    r: float  #: negative where phase falls
    slope: float  #: cycles a unit of x
    offset: float  #: cycles, phase at x = 0
    p: float  #: two-sided, of r = 0


def circular_linear(x: Floats, phase: Floats, steepest: float = STEEPEST) -> Fit:
    """Fit `phase` (n,) in cycles to slope x + offset and correlate them.

    Source: Kempter, Leibold, Buzsaki, Diba & Schmidt 2012, J. Neurosci. Methods 207:113: the slope maximises
    the mean resultant length (eq. 1) within `steepest`, r is the circular correlation of the phase with
    2 pi |slope| x (eq. 3), and its significance is that of eq. 5.
    """
    if len(x) < 3:
        return Fit(float("nan"), float("nan"), float("nan"), float("nan"))
    slopes = np.linspace(-steepest, steepest, 401)
    for _ in range(2):  # once coarse, once fine
        fits = np.abs(np.exp(2j * np.pi * (phase - slopes[:, None] * x)).mean(axis=1))
        slope = float(slopes[int(np.argmax(fits))])
        width = float(slopes[1] - slopes[0])
        slopes = np.linspace(max(slope - width, -steepest), min(slope + width, steepest), 41)
    offset = float(np.angle(np.exp(2j * np.pi * (phase - slope * x)).mean()) / (2.0 * np.pi)) % 1.0
    phi, theta = 2.0 * np.pi * phase, 2.0 * np.pi * abs(slope) * x
    a = np.sin(phi - np.angle(np.exp(1j * phi).mean()))
    b = np.sin(theta - np.angle(np.exp(1j * theta).mean()))
    power, cross = float(np.sqrt((a * a).sum() * (b * b).sum())), float((a * a * b * b).mean())
    if power <= 0.0 or cross <= 0.0:
        return Fit(0.0, slope, offset, 1.0)
    r = float((a * b).sum()) / power
    z = r * np.sqrt(len(x) * (a * a).mean() * (b * b).mean() / cross)
    return Fit(r, slope, offset, float(2.0 * stats.norm.sf(abs(z))))


@dataclass(frozen=True)
class Crossings:
    """Spikes of one cell inside its field."""

    unit: int
    run: NDArray[np.int64]  #: (k,) which crossing
    x: Floats  #: (k,) share of the field that lies behind, 0 to 1
    phase: Floats  #: (k,) cycles
    cycle: NDArray[np.int64]  #: (k,) which theta cycle


@dataclass(frozen=True)
class Precession:
    """Precession of a population."""

    pooled: list[Fit]  #: of each field, all crossings together
    single: list[Fit]  #: of each crossing with enough spikes
    crossings: list[Crossings]

    def summary(self) -> dict[str, float | int | None]:
        """Return medians over fields and over single crossings, and their numbers."""

        def median(values: list[float]) -> float | None:
            return float(np.median(values)) if values else None

        return {
            "fields": len(self.pooled),
            "runs": len(self.single),
            "pooled_r": median([fit.r for fit in self.pooled]),
            "single_r": median([fit.r for fit in self.single]),
            "pooled_slope_cycles_per_field": median([fit.slope for fit in self.pooled]),
            "single_slope_cycles_per_field": median([fit.slope for fit in self.single]),
            "precessing_fields": sum(fit.r < 0.0 and fit.p < 0.05 for fit in self.pooled),
        }


def fields_of(rate: Floats) -> NDArray[np.bool_]:
    """Return each map's largest field (n, rows, columns): around the peak, above `FIELD_LEVEL` of it."""
    filled = np.nan_to_num(rate, nan=0.0)
    fields = np.zeros(rate.shape, np.bool_)
    for k, one in enumerate(filled):
        if one.max() > 0.0:
            labels, _ = ndimage.label(one > FIELD_LEVEL * one.max())
            fields[k] = labels == labels.flat[int(np.argmax(one))]
    return fields


def crossings(recording: Recording, bins: Bins, fields: NDArray[np.bool_], cycles: Floats) -> list[Crossings]:
    """Return the spikes of each crossing of `fields` (units, rows, columns); `cycles` (k,) of all spikes.

    `cycles` counts theta cycles: its fraction is the phase. A crossing begins and ends at the border of the
    field, with the robot running all the while. On a linear track what lies behind is told by the place in
    the field, which may not be cut off by the track's end; in a plane by the way made since it was entered.
    """
    index, segment = bins.index(recording.plane), recording.segment
    step = np.sqrt((np.diff(recording.position, axis=0, prepend=recording.position[:1]) ** 2).sum(axis=1))
    breaks = np.concatenate(([True], (np.diff(segment) != 0) | (np.diff(recording.t) > 0.2)))
    found = []
    for unit in range(recording.units):
        field = fields[unit].ravel()
        if recording.linear and (field[0] or field[-1]):
            continue
        inside = field[index] & recording.running
        starts = inside & (breaks | ~np.concatenate(([False], inside[:-1])))
        run = np.where(inside, np.cumsum(starts) - 1, -1)
        if not inside.any():
            continue
        way = np.where(inside & ~starts, step, 0.0)
        length = np.bincount(run[inside], weights=way[inside])
        count = np.bincount(run[inside])
        total = np.cumsum(way)
        begun = total[np.flatnonzero(starts)]
        mine = (recording.spike_unit == unit) & recording.counted
        at = recording.spike_sample[mine]
        of = run[at]
        kept = (of >= 0) & (count[of] >= _LEAST_PASS) & (length[of] > 0.0)
        at, of, when = at[kept], of[kept], cycles[mine][kept]
        if recording.linear:
            x, covered = _behind(recording.position[:, 0], field, bins, at, of, np.flatnonzero(starts), count)
            x, of, when = x[covered], of[covered], when[covered]
        else:
            x = (total[at] - begun[of]) / length[of]
        found.append(Crossings(unit, of, x, when % 1.0, np.floor(when).astype(np.int64)))
    return found


def _behind(
    place: Floats,
    field: NDArray[np.bool_],
    bins: Bins,
    at: NDArray[np.int64],
    run: NDArray[np.int64],
    start: NDArray[np.int64],
    count: NDArray[np.int64],
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return how much of a `field` (columns,) lies behind at samples `at` (k,), and which (k,) to keep.

    Runs begin at `start` and last for `count` samples (runs,); those that turn round inside are not kept.
    """
    inside = np.flatnonzero(field)
    low, size = bins.x_low + inside[0] * bins.size, (inside[-1] + 1 - inside[0]) * bins.size
    share = np.clip((place[at] - low) / size, 0.0, 1.0)
    way = (place[start + count - 1] - place[start]) / size
    return np.where(way[run] > 0.0, share, 1.0 - share), np.abs(way[run]) >= _LEAST_COVER


def precession(found: list[Crossings], least_runs: int = 5) -> Precession:
    """Score crossings: each by itself, and all of a field with `least_runs` or more that can be scored."""
    pooled, single = [], []
    for field in found:
        scored = []
        for run in np.unique(field.run):
            here = field.run == run
            if here.sum() >= _LEAST_SPIKES and len(np.unique(field.cycle[here])) >= _LEAST_CYCLES:
                single.append(circular_linear(field.x[here], field.phase[here]))
                scored.append(run)
        if len(scored) >= least_runs:
            every = np.isin(field.run, scored)
            pooled.append(circular_linear(field.x[every], field.phase[every]))
    return Precession(pooled, single, found)
