"""Rate maps: spikes per second of stay, by place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bins:
    """Square bins over a rectangle, m. Maps are (rows, columns): y grows along rows, x along columns."""

    x_low: float
    y_low: float
    columns: int
    rows: int
    size: float = 0.05

    @classmethod
    def over(cls, low: tuple[float, float], high: tuple[float, float], size: float = 0.05) -> Bins:
        """Cover the rectangle from `low` to `high` with bins of `size` m."""
        if not size > 0.0:
            raise ValueError(f"bin size must be > 0 m, got {size}")
        if not (high[0] > low[0] and high[1] > low[1]):
            raise ValueError(f"the rectangle from {low} to {high} m is empty")
        columns, rows = (int(np.ceil((b - a) / size - 1e-9)) for a, b in zip(low, high, strict=True))
        return cls(low[0], low[1], columns, rows, size)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """(left, right, bottom, top) in m, as matplotlib's `imshow` takes it with `origin="lower"`."""
        return (
            self.x_low,
            self.x_low + self.columns * self.size,
            self.y_low,
            self.y_low + self.rows * self.size,
        )

    @property
    def centres(self) -> tuple[Floats, Floats]:
        """x (columns,) and y (rows,) of the bin centres, m."""
        x = self.x_low + (np.arange(self.columns) + 0.5) * self.size
        y = self.y_low + (np.arange(self.rows) + 0.5) * self.size
        return x.astype(np.float64), y.astype(np.float64)

    def index(self, positions: Floats) -> NDArray[np.int64]:
        """Flat bin index of each of `positions` (n, 2); what lies outside goes to the nearest bin."""
        column = np.clip(np.floor((positions[:, 0] - self.x_low) / self.size), 0, self.columns - 1)
        row = np.clip(np.floor((positions[:, 1] - self.y_low) / self.size), 0, self.rows - 1)
        return np.asarray(row * self.columns + column, np.int64)


def occupancy(bins: Bins, positions: Floats, dt: float) -> Floats:
    """Seconds spent in each bin (rows, columns) by samples `positions` (n, 2), each standing for `dt` s."""
    counts = np.bincount(bins.index(positions), minlength=bins.rows * bins.columns)
    return dt * counts.reshape(bins.rows, bins.columns).astype(np.float64)


def spike_counts(bins: Bins, positions: Floats, cell: NDArray[np.integer], n_cells: int) -> Floats:
    """Spikes of each cell in each bin (n_cells, rows, columns).

    `positions` (k, 2) is where the robot was at each spike, `cell` (k,) which cell fired it.
    """
    area = bins.rows * bins.columns
    flat = cell.astype(np.int64) * area + bins.index(positions)
    counts = np.bincount(flat, minlength=n_cells * area)
    return counts.reshape(n_cells, bins.rows, bins.columns).astype(np.float64)


def rate_maps(
    counts: Floats, seconds: Floats, bins: Bins, smoothing: float = 0.06, least: float = 0.08
) -> Floats:
    """Firing rates in Hz (..., rows, columns); NaN where the robot hardly was.

    Spikes and stay are smoothed alike by a Gaussian of `smoothing` m before they are divided, so that a bin
    borrows rate from its neighbours in proportion to how long those were visited. Bins with less than
    `least` s of smoothed stay are left out.
    """
    sigma = smoothing / bins.size
    across = sigma if bins.rows > 1 else 0.0  # a linear track has one row, from which nothing may leak
    stay = ndimage.gaussian_filter(seconds, (across, sigma), mode="constant")
    spread = (0.0,) * (counts.ndim - 2) + (across, sigma)
    fired = ndimage.gaussian_filter(counts, spread, mode="constant")
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = fired / stay
    return np.where(stay >= least, rates, np.nan)


def mean_map(
    bins: Bins, positions: Floats, values: Floats, smoothing: float = 0.06, least: float = 2.0
) -> Floats:
    """Mean of `values` (n,) or (n, k) by place: (rows, columns) or (k, rows, columns); NaN where unvisited.

    `least` is the smoothed number of samples below which a bin is left out.
    """
    columns = values.reshape(len(values), -1).T
    index, area = bins.index(positions), bins.rows * bins.columns
    sums = np.array([np.bincount(index, weights=column, minlength=area) for column in columns])
    sums = sums.reshape(-1, bins.rows, bins.columns)
    means = rate_maps(sums, occupancy(bins, positions, 1.0), bins, smoothing, least)
    return means if values.ndim > 1 else means[0]
