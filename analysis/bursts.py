"""Bursts of a population: short times in which many cells fire together, the candidates for replay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]

STEP = 1e-3  #: s
SMOOTHING = 0.015  #: s (Davidson, Kloosterman & Wilson 2009, Neuron 63:497)
THRESHOLD = 3.0  #: standard deviations above the mean (ibid.)
SHORTEST, LONGEST = 0.04, 0.8  #: s
LEAST_CELLS = 5


def bursts(
    spike_t: Floats, spike_unit: NDArray[np.int64], resting: Floats, least_cells: int = LEAST_CELLS
) -> Floats:
    """Return begin and end in s (events, 2) of bursts within the stretches `resting` (stretches, 2) of s.

    The summed activity rises above `THRESHOLD`; a burst lasts for as long as it is above its mean. Mean and
    spread are those of rest.
    """
    traces, starts = [], []
    for begin, end in resting:
        n = int((end - begin) / STEP)
        if n < round(2 * SHORTEST / STEP):
            continue
        inside = spike_t[(spike_t >= begin) & (spike_t < begin + n * STEP)]
        counts = np.bincount(np.minimum(((inside - begin) / STEP).astype(np.int64), n - 1), minlength=n)
        traces.append(ndimage.gaussian_filter1d(counts / STEP, SMOOTHING / STEP, mode="constant"))
        starts.append(begin)
    if not traces:
        return np.zeros((0, 2))
    every = np.concatenate(traces)
    mean, spread = float(every.mean()), float(every.std())
    found: list[tuple[float, float]] = []
    for begin, trace in zip(starts, traces, strict=True):
        labels, n = ndimage.label(trace > mean)
        if n == 0:
            continue
        peaks = ndimage.maximum(trace, labels, np.arange(1, n + 1))
        for k, part in enumerate(ndimage.find_objects(labels)):
            length = (part[0].stop - part[0].start) * STEP
            if peaks[k] > mean + THRESHOLD * spread and SHORTEST <= length <= LONGEST:
                found.append((begin + part[0].start * STEP, begin + part[0].stop * STEP))
    enough = [
        (a, b) for a, b in found if len(np.unique(spike_unit[(spike_t >= a) & (spike_t < b)])) >= least_cells
    ]
    return np.array(enough, np.float64).reshape(-1, 2)


def stretches(t: Floats, where: NDArray[np.bool_], longest: float) -> Floats:
    """Return begin and end (stretches, 2) of runs of samples `where` (n,), cut at gaps over `longest` s."""
    if len(t) == 0:
        return np.zeros((0, 2))
    gap = np.concatenate(([True], np.diff(t) > longest))
    starts = where & (gap | ~np.concatenate(([False], where[:-1])))
    ends = where & np.concatenate(((gap | ~where)[1:], [True]))
    return np.column_stack((t[starts], t[ends]))
