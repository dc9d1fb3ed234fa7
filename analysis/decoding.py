"""Where was the animal, judged by its spikes: a Bayesian decoder, tested on what it was not fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rate_maps import Bins, rate_maps
from .recording import Recording, counts_in, seconds_in

Floats = NDArray[np.float64]
FLOOR = 0.02  #: Hz, so that one stray spike does not rule out a place
_BLOCKS = 4  #: stretches of time that each fold is made of


def log_posterior(counts: NDArray[Any], rate: Floats, window: float) -> Floats:
    """Return log p(place | counts) (windows, places), up to places of NaN rate, which get -inf.

    `counts` (windows, units) are spikes in `window` s, `rate` (units, places) Hz. Cells are taken for
    independent and Poisson, every place for equally likely.
    Source: Zhang, Ginzburg, McNaughton & Sejnowski 1998, J. Neurophysiol. 79:1017, eq. 36.
    """
    seen = np.isfinite(rate).all(axis=0)
    known = np.maximum(np.where(seen, rate, 1.0), FLOOR)
    score = counts @ np.log(known) - window * known.sum(axis=0)
    score = np.where(seen, score, -np.inf)
    if not seen.any():
        return score
    top = score.max(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        return np.asarray(score - top - np.log(np.exp(score - top).sum(axis=1, keepdims=True)))


@dataclass(frozen=True)
class Windows:
    """Running time cut into windows of equal length."""

    counts: NDArray[np.int64]  #: (windows, units)
    position: Floats  #: (windows, 2) mean
    t: Floats  #: (windows,) s, middle
    of_sample: NDArray[np.int64]  #: (n,) window of each sample, -1 for none


def windows_of(recording: Recording, window: float, covered: float = 0.8) -> Windows:
    """Cut a recording into windows of `window` s that were spent running for `covered` of their length."""
    start = np.floor(recording.t / window).astype(np.int64)
    key = np.unique(np.column_stack((recording.segment, start)), axis=0, return_inverse=True)[1].ravel()
    run = recording.running
    lived = np.bincount(key[run], weights=recording.stay[run], minlength=int(key.max(initial=0)) + 1)
    good = lived >= covered * window
    number = np.where(good, np.cumsum(good) - 1, -1)
    of_sample = np.where(run, number[key], -1)
    n = int(good.sum())
    inside = of_sample >= 0
    total = np.maximum(np.bincount(of_sample[inside], minlength=n), 1)
    sums = [
        np.bincount(of_sample[inside], weights=column[inside], minlength=n)
        for column in (*recording.plane.T, recording.t)
    ]
    x, y, t = (values / total for values in sums)
    of_spike = of_sample[np.maximum(recording.spike_sample, 0)]
    kept = recording.counted & (of_spike >= 0)
    flat = of_spike[kept] * recording.units + recording.spike_unit[kept]
    counts = np.bincount(flat, minlength=n * recording.units).reshape(n, recording.units)
    return Windows(counts.astype(np.int64), np.column_stack((x, y)), t, of_sample)


@dataclass(frozen=True)
class Decoded:
    """Held-out decoding."""

    t: Floats  #: (windows,) s
    true: Floats  #: (windows, 2)
    estimate: Floats  #: (windows, 2)
    chance: float  #: median error of the same estimates in random order

    @property
    def error(self) -> Floats:
        """Distance between estimate and truth (windows,)."""
        return np.asarray(np.hypot(*(self.estimate - self.true).T))


def decode(
    recording: Recording,
    bins: Bins,
    window: float,
    smoothing: float,
    least: float,
    folds: int = 10,
    seed: int = 0,
) -> Decoded | None:
    """Decode each window from maps of the other folds; None where there are too few windows.

    A fold is made of `_BLOCKS` stretches of time, so that what is tested is hardly ever next to what was
    fitted and every fold sees the whole of the session. On a linear track cells fire by direction of travel:
    each direction has its own maps, and place and direction are judged together.
    """
    cut = windows_of(recording, window)
    n = len(cut.t)
    if n < 2 * folds * _BLOCKS:
        return None
    fold = (np.arange(n) * (folds * _BLOCKS) // n) % folds
    of_sample = np.where(cut.of_sample >= 0, fold[np.maximum(cut.of_sample, 0)], -1)
    ways = directions(recording)
    x, y = bins.centres
    centres = np.column_stack((np.tile(x, bins.rows), np.repeat(y, bins.columns)))
    if recording.linear:
        centres[:, 1] = 0.0
    centres = np.tile(centres, (len(ways), 1))
    estimate = np.zeros((n, 2))
    for k in range(folds):
        fitted = [recording.among((of_sample != k) & way) for way in ways]
        maps = [
            rate_maps(counts_in(part, bins), seconds_in(part, bins), bins, smoothing, least / len(ways))
            for part in fitted
        ]
        rate = np.concatenate([one.reshape(recording.units, -1) for one in maps], axis=1)
        tested = np.flatnonzero(fold == k)
        estimate[tested] = centres[log_posterior(cut.counts[tested], rate, window).argmax(axis=1)]
    mixed = estimate[np.random.default_rng(seed).permutation(n)]
    chance = float(np.median(np.hypot(*(mixed - cut.position).T)))
    return Decoded(cut.t, cut.position, estimate, chance)


def directions(recording: Recording) -> list[NDArray[np.bool_]]:
    """Return which samples (n,) go which way: two ways on a linear track, one in a plane."""
    if not recording.linear:
        return [np.ones(len(recording.t), np.bool_)]
    up = np.gradient(recording.position[:, 0]) > 0.0
    return [up, ~up]
