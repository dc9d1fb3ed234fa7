"""Scores of rate maps, for whole stacks of cells at once: information, sparsity, rates, size of fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FIELD_LEVEL = 0.2  #: of the peak: where a field ends


@dataclass(frozen=True)
class PlaceScores:
    """Scores of cells, each (n,)."""

    bits_per_spike: Floats
    bits_per_second: Floats
    sparsity: Floats  #: in (0, 1]: the part of the area in which a cell with two rates would fire
    field_share: Floats  #: of the visited area above `FIELD_LEVEL` of the peak
    peak: Floats  #: Hz
    mean: Floats  #: Hz, weighted by the time spent in each bin


def place_scores(rate: Floats, seconds: Floats) -> PlaceScores:
    """Score maps `rate` (n, rows, columns) in Hz, NaN where unvisited, with stay `seconds` (rows, columns).

    Information is sum p (r / r_mean) log2(r / r_mean) bits per spike, and r_mean times that a second
    (Skaggs et al. 1993, NIPS 5, eq. 3). A silent bin contributes 0, the limit of x log x: to clip the
    logarithm instead would inflate the score. Sparsity is (sum p r)^2 / sum p r^2 (Skaggs et al. 1996,
    Hippocampus 6:149). A silent cell scores 0 and has no field.
    """
    flat = rate.reshape(len(rate), -1)
    seen = np.isfinite(flat) & (seconds.ravel() > 0.0)
    stay = np.where(seen, seconds.ravel(), 0.0)
    total = stay.sum(axis=1, keepdims=True)
    p = np.divide(stay, total, out=np.zeros_like(stay), where=total > 0.0)
    r = np.where(seen, flat, 0.0)
    mean = (p * r).sum(axis=1)
    ratio = np.divide(r, mean[:, None], out=np.zeros_like(r), where=mean[:, None] > 0.0)
    bits = np.sum(p * ratio * np.log2(np.where(ratio > 0.0, ratio, 1.0)), axis=1)
    power = (p * r**2).sum(axis=1)
    sparsity = np.divide(mean**2, power, out=np.zeros_like(mean), where=power > 0.0)
    peak = r.max(axis=1, initial=0.0)
    above = seen & (r > FIELD_LEVEL * peak[:, None]) & (peak[:, None] > 0.0)
    share = above.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return PlaceScores(bits, mean * bits, sparsity, share, peak, mean)
