"""A recording: where an animal or a robot was, and which cells fired when. All scores of cells start here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .rate_maps import Bins

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Recording:
    """Samples of behaviour and spikes of one population. Positions are in `unit`, times in s.

    Samples ascend in time within a segment (a trial, or a stretch of good tracking). `spike_sample` is the
    sample in which a spike fell, -1 where behaviour is unknown.
    """

    t: Floats  #: (n,)
    position: Floats  #: (n, 1) along a linear track, or (n, 2)
    stay: Floats  #: (n,) s that each sample stands for
    running: NDArray[np.bool_]  #: (n,) samples that count for maps and scores
    segment: Ints  #: (n,) ascending
    heading: Floats | None  #: (n,) rad
    spike_t: Floats  #: (k,)
    spike_unit: Ints  #: (k,)
    spike_sample: Ints  #: (k,)
    units: int
    unit: str = "m"  #: of positions

    @property
    def linear(self) -> bool:
        """Whether positions lie along a line."""
        return bool(self.position.shape[1] == 1)

    @cached_property
    def plane(self) -> Floats:
        """Positions (n, 2); a linear track lies along x."""
        return np.column_stack((self.position, np.zeros(len(self.t)))) if self.linear else self.position

    @cached_property
    def counted(self) -> NDArray[np.bool_]:
        """Which spikes (k,) count: those in a running sample."""
        return (self.spike_sample >= 0) & self.running[np.maximum(self.spike_sample, 0)]

    @cached_property
    def spikes(self) -> Ints:
        """Spikes of each unit that count (units,)."""
        return np.bincount(self.spike_unit[self.counted], minlength=self.units).astype(np.int64)

    @cached_property
    def mean_rate(self) -> Floats:
        """Rate of each unit over all of its spikes, Hz (units,)."""
        length = float(np.ptp(self.spike_t)) if self.spike_t.size else 0.0
        total = max(length, float(self.stay.sum()), 1e-9)
        return np.bincount(self.spike_unit, minlength=self.units) / total

    def among(self, where: NDArray[np.bool_]) -> Recording:
        """Return the recording in which only samples `where` (n,) count."""
        return replace(self, running=self.running & where)

    def with_spikes(self, kept: NDArray[np.bool_]) -> Recording:
        """Return the recording with spikes `kept` (k,) only; units keep their numbers."""
        return replace(
            self,
            spike_t=self.spike_t[kept],
            spike_unit=self.spike_unit[kept],
            spike_sample=self.spike_sample[kept],
        )

    def of(self, cells: Ints) -> Recording:
        """Return the recording of `cells` alone, numbered anew in their order."""
        number = np.full(self.units, -1, np.int64)
        number[cells] = np.arange(len(cells))
        part = self.with_spikes(number[self.spike_unit] >= 0)
        return replace(part, spike_unit=number[part.spike_unit], units=len(cells))


def bins_over(recording: Recording, size: float) -> Bins:
    """Return square bins of `size` that cover every running sample; one row for a linear track."""
    at = recording.plane[recording.running]
    if len(at) == 0:
        raise ValueError("no sample is fast enough to count")
    low, high = at.min(axis=0), at.max(axis=0)
    high = np.maximum(high, low + size)
    if recording.linear:
        return Bins(
            float(low[0]), -0.5 * size, max(1, int(np.ceil((high[0] - low[0]) / size - 1e-9))), 1, size
        )
    return Bins.over((float(low[0]), float(low[1])), (float(high[0]), float(high[1])), size)


def seconds_in(recording: Recording, bins: Bins) -> Floats:
    """Seconds spent running in each bin (rows, columns)."""
    run = recording.running
    index = bins.index(recording.plane[run])
    seconds = np.bincount(index, weights=recording.stay[run], minlength=bins.rows * bins.columns)
    return seconds.reshape(bins.rows, bins.columns).astype(np.float64)


def counts_in(recording: Recording, bins: Bins, sample: Ints | None = None) -> Floats:
    """Spikes of each unit in each bin (units, rows, columns), of those that count.

    `sample` (k,) puts the spikes that count elsewhere: a shuffle.
    """
    counted = recording.counted
    at = recording.spike_sample[counted] if sample is None else sample
    area = bins.rows * bins.columns
    flat = recording.spike_unit[counted] * area + bins.index(recording.plane)[at]
    counts = np.bincount(flat, minlength=recording.units * area)
    return counts.reshape(recording.units, bins.rows, bins.columns).astype(np.float64)


def sample_of(t: Floats, spike_t: Floats, longest: float) -> Ints:
    """Return the last sample at or before each spike (k,), -1 where it is more than `longest` s away."""
    if len(t) == 0:
        return np.full(len(spike_t), -1, np.int64)
    at = np.searchsorted(t, spike_t, side="right") - 1
    near = (at >= 0) & (spike_t - t[np.maximum(at, 0)] <= longest)
    return np.where(near, at, -1).astype(np.int64)
