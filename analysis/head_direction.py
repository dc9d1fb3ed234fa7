"""Head-direction tuning: rate by heading, and how sharply it is tuned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BINS = 60  #: of 6 degrees


@dataclass(frozen=True)
class Tuning:
    """Tuning curves of cells."""

    rate: Floats  #: (n, bins) Hz, NaN where the heading was not seen
    length: Floats  #: (n,) of the mean vector, 0 for a cell that fires evenly, 1 for one heading only
    preferred: Floats  #: (n,) rad, direction of the mean vector
    peak: Floats  #: (n,) Hz


def heading_bins(heading: Floats, bins: int = BINS) -> NDArray[np.int64]:
    """Return the bin (n,) of each heading in rad."""
    return np.asarray(np.floor((heading % (2.0 * np.pi)) * (bins / (2.0 * np.pi))), np.int64) % bins


def tuning(counts: Floats, seconds: Floats) -> Tuning:
    """Score `counts` (n, bins) of spikes by heading, with `seconds` (bins,) of stay.

    The mean vector is that of the rates, not of the spikes, so that headings which were seen more often do
    not count more; its length is corrected for the width of the bins (Zar 2010, Biostatistical Analysis,
    eq. 26.16).
    """
    bins = counts.shape[1]
    rate = np.divide(counts, seconds, out=np.full(counts.shape, np.nan), where=seconds > 0.0)
    known = np.nan_to_num(rate, nan=0.0)
    angle = (np.arange(bins) + 0.5) * (2.0 * np.pi / bins)
    total = known.sum(axis=1)
    vector = known @ np.exp(1j * angle)
    vector = np.divide(vector, total, out=np.zeros_like(vector), where=total > 0.0)
    wide = (np.pi / bins) / np.sin(np.pi / bins)
    length = np.minimum(wide * np.abs(vector), 1.0)
    return Tuning(rate, length, np.angle(vector), known.max(axis=1, initial=0.0))
