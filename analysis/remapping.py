"""Remapping: how alike the maps of the same cells are in two sessions, by cell and by place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Remapping:
    """Correlations of two sessions; NaN where there is nothing to correlate."""

    spatial: Floats  #: (units,) of each cell's two maps, over places visited in both
    population: Floats  #: (places,) of the two population vectors, over cells
    others: float  #: median correlation of maps of different cells: what to expect of full remapping
    rate_overlap: Floats  #: (units,) smaller mean rate over larger


def correlate_maps(a: Floats, b: Floats) -> Floats:
    """Return the Pearson correlation of each row (n, k) of `a` and `b`; NaN for a row without variance."""
    x, y = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    power = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    r = np.divide((x * y).sum(axis=1), power, out=np.full(len(a), np.nan), where=power > 1e-12)
    return np.asarray(r, np.float64)


def remapping(a: Floats, b: Floats, seed: int = 0) -> Remapping:
    """Compare maps `a` and `b` (units, rows, columns) in Hz over the same places, NaN where unvisited.

    Spatial correlation as in Muller & Kubie 1987, J. Neurosci. 7:1951; population vectors as in Leutgeb et
    al. 2005, Science 309:619.

    Raises
    ------
    ValueError
        If the shapes differ, or there are fewer than three places visited in both.
    """
    if a.shape != b.shape:
        raise ValueError(f"maps of shape {a.shape} cannot be compared with maps of shape {b.shape}")
    units = len(a)
    seen = np.isfinite(a).all(axis=0) & np.isfinite(b).all(axis=0)
    if np.count_nonzero(seen) < 3:
        raise ValueError("the two sessions share fewer than three visited places")
    first, second = a[:, seen], b[:, seen]
    spatial = correlate_maps(first, second)
    population = correlate_maps(first.T, second.T) if units > 2 else np.full(first.shape[1], np.nan)
    others = correlate_maps(first, second[_derangement(units, seed)]) if units > 1 else np.zeros(0)
    known = others[np.isfinite(others)]
    rates = np.sort(np.stack((first.mean(axis=1), second.mean(axis=1))), axis=0)
    overlap = np.divide(rates[0], rates[1], out=np.full(units, np.nan), where=rates[1] > 0.0)
    return Remapping(spatial, population, float(np.median(known)) if known.size else float("nan"), overlap)


def _derangement(n: int, seed: int) -> NDArray[np.int64]:
    """Return an order in which nobody keeps their place."""
    order = np.random.default_rng(seed).permutation(n)
    partner = np.empty(n, np.int64)
    partner[order] = np.roll(order, 1)
    return partner
