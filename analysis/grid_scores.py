"""Gridness and grid scale of whole stacks of maps."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, sparse

Floats = NDArray[np.float64]
ANGLES = (30, 60, 90, 120, 150)  #: degrees
_AT_ONCE = 256  #: maps, which bounds the memory


def autocorrelograms(rate: Floats, least_overlap: int = 20) -> Floats:
    """Return the Pearson correlation of each map (n, rows, columns) with itself at every lag.

    NaN bins are left out of each sum. The result is (n, 2 rows - 1, 2 columns - 1); lags with fewer than
    `least_overlap` common bins are NaN. Source: Sargolini et al. 2006, Science 312:758, supporting material.
    """
    seen = np.isfinite(rate)
    visited = np.maximum(seen.sum(axis=(1, 2), keepdims=True), 1)
    offset = np.where(seen, rate, 0.0).sum(axis=(1, 2), keepdims=True) / visited
    x, mask = np.where(seen, rate - offset, 0.0), seen.astype(np.float64)
    rows, columns = rate.shape[1:]
    shape = (2 * rows - 1, 2 * columns - 1)
    fast = tuple(fft.next_fast_len(size, real=True) for size in shape)
    of_x, of_mask, of_square = (fft.rfft2(part, fast) for part in (x, mask, x**2))

    def lagged(a: NDArray[np.complex128], b: NDArray[np.complex128]) -> Floats:
        full = fft.irfft2(a * np.conj(b), fast)
        return np.roll(full, (rows - 1, columns - 1), (1, 2))[:, : shape[0], : shape[1]]

    n = np.rint(lagged(of_mask, of_mask))
    sum_a, sum_b = lagged(of_x, of_mask), lagged(of_mask, of_x)
    square_a, square_b = lagged(of_square, of_mask), lagged(of_mask, of_square)
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = lagged(of_x, of_x) - sum_a * sum_b / n
        variance = (square_a - sum_a**2 / n) * (square_b - sum_b**2 / n)
        r = covariance / np.sqrt(np.maximum(variance, 0.0))
    defined = (n >= least_overlap) & (variance > 1e-12)
    return np.where(defined, np.clip(r, -1.0, 1.0), np.nan)


def gridness(correlograms: Floats, rings: tuple[float, Floats] | None = None) -> tuple[Floats, Floats]:
    """Return the sixfold symmetry of each autocorrelogram (n, rows, columns): "minmax" and "mean", each (n,).

    minmax is min(r60, r120) - max(r30, r90, r150) (Sargolini et al. 2006), mean is (r60 + r120) / 2 -
    (r30 + r90 + r150) / 3 (Banino et al. 2018). r is the correlation of the autocorrelogram with itself
    turned by so many degrees, inside a ring without the central peak. As in Banino et al. ten outer radii
    of the ring are tried, here up to the half width of the map, and the best score counts; NaN where there
    is none. `rings` gives one inner radius and outer radii to try, in bins, instead of those found by map.
    """
    parts = [
        _best_rings(correlograms[k : k + _AT_ONCE], rings) for k in range(0, len(correlograms), _AT_ONCE)
    ] or [(np.zeros(0), np.zeros(0))]
    minmax, mean = zip(*parts, strict=True)
    return np.concatenate(minmax), np.concatenate(mean)


def _best_rings(correlograms: Floats, rings: tuple[float, Floats] | None) -> tuple[Floats, Floats]:
    n, rows, columns = correlograms.shape
    turns, distance, order = _geometry(rows, columns)
    seen = np.isfinite(correlograms).reshape(n, -1)
    filled = np.where(seen, correlograms.reshape(n, -1), 0.0)
    half = min(rows, columns) / 4.0  # of the width of the map: its autocorrelogram spans twice the map
    inner = np.maximum(_central_radii(filled, seen, distance), 0.1 * half)
    outer = inner[:, None] + np.linspace(0.0, 1.0, 10) * (2.0 * half - inner - 0.25 * half)[:, None]
    outer += 0.25 * half
    if rings is not None:
        inner, outer = np.full(n, rings[0]), np.tile(rings[1], (n, 1))
    sorted_distance = distance[order]
    first = np.searchsorted(sorted_distance, inner, side="left")
    last = np.searchsorted(sorted_distance, outer, side="right")
    row = np.arange(n)
    r = []
    for turn in turns:
        b = np.asarray((turn @ filled.T).T)
        valid = (np.asarray((turn @ seen.T.astype(np.float64)).T) > 0.99) & seen
        a = filled[:, order]
        b, w = b[:, order], valid[:, order].astype(np.float64)
        sums = []
        for part in (w, w * a, w * b, w * a * a, w * b * b, w * a * b):
            running = np.concatenate((np.zeros((n, 1)), np.cumsum(part, axis=1)), axis=1)
            sums.append(running[row[:, None], last] - running[row, first][:, None])
        count, sa, sb, saa, sbb, sab = sums
        with np.errstate(divide="ignore", invalid="ignore"):
            power = np.sqrt(np.maximum(saa - sa * sa / count, 0.0) * np.maximum(sbb - sb * sb / count, 0.0))
            value = (sab - sa * sb / count) / power
        r.append(np.where((count >= 10) & (power > 1e-9), value, np.nan))
    r30, r60, r90, r120, r150 = r
    minmax = np.minimum(r60, r120) - np.maximum(np.maximum(r30, r90), r150)
    mean = (r60 + r120) / 2.0 - (r30 + r90 + r150) / 3.0
    return _best(minmax), _best(mean)


def _best(scores: Floats) -> Floats:
    best = np.where(np.isfinite(scores), scores, -np.inf).max(axis=1)
    return np.where(np.isfinite(best), best, np.nan)


def _central_radii(filled: Floats, seen: NDArray[np.bool_], distance: Floats) -> Floats:
    """Return the radius (n,) in bins at which each radial mean has its first minimum, or is below 0."""
    shell = distance.astype(np.int64)
    size = int(shell.max()) + 1
    gather = sparse.csr_array((np.ones(shell.size), (shell, np.arange(shell.size))), (size, shell.size))
    sums, counts = np.asarray(gather @ filled.T), np.asarray(gather @ seen.T.astype(np.float64))
    profile = np.divide(sums, counts, out=np.full(sums.shape, -1.0), where=counts > 0).T
    ends = (profile[:, 1:-1] <= 0.0) | (profile[:, 1:-1] <= profile[:, 2:])
    return np.where(ends.any(axis=1), 1.0 + ends.argmax(axis=1), float(size))


@lru_cache(maxsize=4)
def _geometry(rows: int, columns: int) -> tuple[list[sparse.csr_array], Floats, NDArray[np.int64]]:
    """Return turns by `ANGLES` as matrices on flat images, the distance of each bin, and its order."""
    y, x = np.indices((rows, columns), np.float64)
    distance = np.hypot(x - (columns - 1) / 2.0, y - (rows - 1) / 2.0).ravel()
    return [_turn(rows, columns, a) for a in ANGLES], distance, np.argsort(distance, kind="stable")


def _turn(rows: int, columns: int, angle: float) -> sparse.csr_array:
    """Return bilinear interpolation of an image turned about its centre, 0 outside (`ndimage.rotate`)."""
    cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    y, x = np.indices((rows, columns), np.float64)
    y, x = (y - (rows - 1) / 2.0).ravel(), (x - (columns - 1) / 2.0).ravel()
    from_y = cosine * y + sine * x + (rows - 1) / 2.0
    from_x = -sine * y + cosine * x + (columns - 1) / 2.0
    low_y, low_x = np.floor(from_y), np.floor(from_x)
    inside = (from_y >= 0) & (from_y <= rows - 1) & (from_x >= 0) & (from_x <= columns - 1)
    out, source, weight = [], [], []
    for dy in (0, 1):
        for dx in (0, 1):
            share = (1.0 - np.abs(from_y - low_y - dy)) * (1.0 - np.abs(from_x - low_x - dx))
            at_y, at_x = low_y + dy, low_x + dx
            kept = inside & (at_y < rows) & (at_x < columns) & (share > 0.0)
            out.append(np.flatnonzero(kept))
            source.append((at_y * columns + at_x)[kept].astype(np.int64))
            weight.append(share[kept])
    entries = (np.concatenate(weight), (np.concatenate(out), np.concatenate(source)))
    return sparse.csr_array(entries, (rows * columns, rows * columns))


def grid_scales(correlograms: Floats, bin_size: float) -> Floats:
    """Return the grid scale of each autocorrelogram (n, rows, columns), (n,), in the unit of `bin_size`.

    That is the median distance of the six peaks nearest to the centre, i.e. the spacing of field centres;
    NaN if there are fewer than three peaks.
    """
    return np.array([_grid_scale(correlogram, bin_size) for correlogram in correlograms])


def _grid_scale(correlogram: Floats, bin_size: float) -> float:
    filled = np.where(np.isfinite(correlogram), correlogram, -1.0)
    rows, columns = filled.shape
    peaks = (filled == ndimage.maximum_filter(filled, size=5)) & (filled > 0.1)
    y, x = np.nonzero(peaks)
    distance = np.hypot(x - (columns - 1) / 2.0, y - (rows - 1) / 2.0)
    others = np.sort(distance[distance > 2.0])[:6]
    return float(np.median(others)) * bin_size if others.size >= 3 else float("nan")
