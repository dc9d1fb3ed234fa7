"""Mutual information between how many spikes a cell fires in a window and where that was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST = 3  #: spikes in a window; more count as many: few windows hold more, and each level costs bias


def mutual_information(
    counts: NDArray[np.integer], place: NDArray[np.integer], most: int = MOST
) -> tuple[Floats, Floats]:
    """Return plug-in and bias-corrected information in bits a window, each (n,).

    `counts` (windows, n) are spikes, `place` (windows,) the bin of the position. The plug-in estimate is too
    high by (K_joint - K_count - K_place + 1) / (2 N ln 2) with K the numbers of occupied levels, which is
    taken off (Miller 1955; Panzeri & Treves 1996, Network 7:87, eq. 13).
    """
    windows, n = counts.shape
    if windows == 0:
        return np.zeros(n), np.zeros(n)
    _, where = np.unique(place, return_inverse=True)
    places = int(where.max()) + 1
    level = np.minimum(counts, most).astype(np.int64)
    flat = (np.arange(n)[None] * places + where[:, None]) * (most + 1) + level
    joint = np.bincount(flat.ravel(), minlength=n * places * (most + 1)).reshape(n, places, most + 1)
    of_count, of_place = joint.sum(axis=1), joint.sum(axis=2)
    plain = _entropy(of_count) + _entropy(of_place) - _entropy(joint.reshape(n, -1))
    levels = (joint.reshape(n, -1) > 0).sum(axis=1) - (of_count > 0).sum(axis=1) - (of_place > 0).sum(axis=1)
    return plain, plain - (levels + 1) / (2.0 * windows * np.log(2.0))


def _entropy(counts: NDArray[np.int64]) -> Floats:
    """Entropy in bits of each row (n, levels) of counts."""
    p = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.asarray(-np.sum(p * np.log2(np.where(p > 0.0, p, 1.0)), axis=1))
