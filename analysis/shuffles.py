"""What scores are without any relation to place: spikes of each cell shifted in time, round and round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .recording import Recording

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST_SHIFT = 20.0  #: s, or a tenth of the segment if that is less


class Shifter:
    """Shifts the spikes that count within the running samples of their segment, each cell by its own time.

    The order and spacing of a cell's spikes stay, and so does the path; only what happened where is lost.
    Source: Boccara et al. 2010, Nat. Neurosci. 13:987, methods.
    """

    def __init__(self, recording: Recording) -> None:
        counted = recording.counted
        self._run = np.flatnonzero(recording.running)
        rank = np.full(len(recording.t), -1, np.int64)
        rank[self._run] = np.arange(len(self._run))
        _, first, length = np.unique(recording.segment[self._run], return_index=True, return_counts=True)
        number = np.searchsorted(first, rank[recording.spike_sample[counted]], side="right") - 1
        self._rank = rank[recording.spike_sample[counted]]
        self._segment, self._unit = number, recording.spike_unit[counted]
        self._first, self._length = first, length
        self._units = recording.units
        stay = np.median(recording.stay[self._run]) if len(self._run) else 1.0
        self._least = np.minimum(LEAST_SHIFT / float(stay), 0.1 * length)

    def shift(self, rng: np.random.Generator) -> Ints:
        """Return a new sample for each spike that counts (k,)."""
        shape = (self._units, len(self._first))
        low, high = self._least, self._length - self._least
        by = np.floor(low + rng.random(shape) * np.maximum(high - low, 0.0)).astype(np.int64)
        first, length = self._first[self._segment], np.maximum(self._length[self._segment], 1)
        moved = (self._rank - first + by[self._unit, self._segment]) % length
        return np.asarray(self._run[first + moved], np.int64)


@dataclass(frozen=True)
class Against:
    """A score of cells against what shuffles give."""

    low: float  #: 95th percentile of all shuffled scores
    high: float  #: 99th percentile
    mean: float  #: of the shuffled scores
    own: Floats  #: (n,) each cell's own mean over shuffles
    above: float  #: share of cells above `low`
    far_above: float  #: share of cells above `high`
    above_own: float  #: share of cells above the 95th percentile of their own shuffles


def against(scores: Floats, shuffled: Floats) -> Against | None:
    """Compare `scores` (n,) with those of shuffles (shuffles, n), pooled over cells; None without numbers."""
    known, pool = scores[np.isfinite(scores)], shuffled[np.isfinite(shuffled)]
    if known.size == 0 or pool.size == 0:
        return None
    low, high = np.quantile(pool, (0.95, 0.99))
    counts = np.maximum(np.isfinite(shuffled).sum(axis=0), 1)
    own = np.nansum(shuffled, axis=0) / counts
    with np.errstate(invalid="ignore"):
        limits = np.quantile(
            np.where(np.isfinite(shuffled), shuffled, -np.inf), 0.95, axis=0, method="higher"
        )
    sure = np.isfinite(scores)
    return Against(
        float(low),
        float(high),
        float(pool.mean()),
        own,
        float(np.mean(known > low)),
        float(np.mean(known > high)),
        float(np.mean(scores[sure] > limits[sure])),
    )
