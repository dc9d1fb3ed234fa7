"""Border score of a rate map in a rectangular box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]


def border_score(rate: Floats, level: float = 0.3, least: int = 8) -> float:
    """Return (c - d) / (c + d) of a map (rows, columns), in [-1, 1]; -1 without a field.

    c is the largest share of one wall that one field covers, d the mean distance of firing bins to the
    nearest wall, weighted by rate and divided by the largest there can be. A field is a connected part of at
    least `least` bins above `level` of the peak. Source: Solstad et al. 2008, Science 322:1865.
    """
    filled = np.where(np.isfinite(rate), rate, 0.0)
    peak = float(filled.max()) if filled.size else 0.0
    if peak <= 0.0:
        return -1.0
    labels, n = ndimage.label(filled > level * peak)
    kept = [k for k in range(1, n + 1) if np.count_nonzero(labels == k) >= least]
    if not kept:
        return -1.0
    walls = (labels[0], labels[-1], labels[:, 0], labels[:, -1])
    cover = max(float(np.mean(wall == k)) for wall in walls for k in kept)
    rows, columns = rate.shape
    y, x = np.indices(rate.shape, np.float64)
    away = np.minimum(np.minimum(y, rows - 1 - y), np.minimum(x, columns - 1 - x))
    weight = np.where(np.isin(labels, kept), filled, 0.0)
    distance = float((away * weight).sum() / weight.sum()) / (0.5 * (min(rows, columns) - 1))
    return (cover - distance) / (cover + distance) if cover + distance > 0.0 else -1.0
