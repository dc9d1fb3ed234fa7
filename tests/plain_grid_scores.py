"""Gridness of one map as its definition reads, by SciPy's rotation and correlation: an oracle."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

Floats = NDArray[np.float64]


def autocorrelogram(rate: Floats, least_overlap: int = 20) -> Floats:
    """Return the Pearson correlation of a map (rows, columns) with itself at every lag."""
    seen = np.isfinite(rate)
    offset = float(rate[seen].mean()) if seen.any() else 0.0  # keeps the variances well conditioned
    x = np.where(seen, rate - offset, 0.0)
    mask = seen.astype(np.float64)
    n = np.rint(_correlate(mask, mask))
    sum_a, sum_b = _correlate(x, mask), _correlate(mask, x)
    square_a, square_b = _correlate(x**2, mask), _correlate(mask, x**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = _correlate(x, x) - sum_a * sum_b / n
        variance = (square_a - sum_a**2 / n) * (square_b - sum_b**2 / n)
        r = covariance / np.sqrt(np.maximum(variance, 0.0))
    defined = (n >= least_overlap) & (variance > 1e-12)
    return np.where(defined, np.clip(r, -1.0, 1.0), np.nan)


def gridness(correlogram: Floats, definition: Literal["minmax", "mean"] = "minmax") -> float:
    """Return gridness of an autocorrelogram (rows, columns)."""
    rows, columns = correlogram.shape
    y, x = np.indices((rows, columns), np.float64)
    distance = np.hypot(x - (columns - 1) / 2.0, y - (rows - 1) / 2.0)
    seen = np.isfinite(correlogram)
    filled = np.where(seen, correlogram, 0.0)
    turned = {angle: _turn(filled, angle) for angle in (30, 60, 90, 120, 150)}
    valid = {angle: (_turn(seen.astype(np.float64), angle) > 0.99) & seen for angle in turned}
    # The autocorrelogram spans twice the map, so a quarter of its size is the half width of the map.
    half = min(rows, columns) / 4.0
    inner = max(_central_radius(correlogram, distance), 0.1 * half)
    best = float("nan")
    for outer in np.linspace(inner + 0.25 * half, 2.0 * half, 10):
        ring = (distance >= inner) & (distance <= outer)
        r = {angle: _pearson(filled, turned[angle], ring & valid[angle]) for angle in turned}
        if definition == "minmax":
            score = min(r[60], r[120]) - max(r[30], r[90], r[150])
        else:
            score = (r[60] + r[120]) / 2.0 - (r[30] + r[90] + r[150]) / 3.0
        if np.isfinite(score):
            best = score if np.isnan(best) else max(best, score)
    return best


def _correlate(a: Floats, b: Floats) -> Floats:
    return np.asarray(signal.correlate(a, b, mode="full", method="fft"), np.float64)


def _turn(image: Floats, angle: float) -> Floats:
    return np.asarray(ndimage.rotate(image, angle, reshape=False, order=1, mode="constant"), np.float64)


def _pearson(a: Floats, b: Floats, where: NDArray[np.bool_]) -> float:
    if np.count_nonzero(where) < 10:
        return float("nan")
    x, y = a[where] - a[where].mean(), b[where] - b[where].mean()
    power = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / power) if power > 0.0 else float("nan")


def _central_radius(correlogram: Floats, distance: Floats) -> float:
    """Radius in bins at which the radial mean has fallen to its first minimum, or below 0."""
    shell = distance.astype(np.int64)
    seen = np.isfinite(correlogram)
    sums = np.bincount(shell[seen], weights=correlogram[seen])
    counts = np.bincount(shell[seen])
    profile = np.divide(sums, counts, out=np.full(sums.size, -1.0), where=counts > 0)
    for radius in range(1, profile.size - 1):
        if profile[radius] <= 0.0 or profile[radius] <= profile[radius + 1]:
            return float(radius)
    return float(profile.size)
