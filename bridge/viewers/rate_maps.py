"""Mean activity of place cells over the place where the agent believes to be."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Floats = NDArray[np.float64]
BINS = 24  #: a side
MAX_CELLS = 2048  #: of more cells the first are followed
PRIOR = 3.0  #: silent visits added to each bin before cells are compared: one lucky visit is no field
APART = 4.0  #: bins between the peaks of two cells that are shown, where there are enough cells
SMOOTHING = 0.8  #: bins


class RateMaps:
    """Gathers activity by position over a square.

    Parameters
    ----------
    low, high : (2,) array
        Corners of the square, m.
    """

    def __init__(self, low: Floats, high: Floats) -> None:
        self.low, self.high = low, high
        self._visits = np.zeros(BINS * BINS)
        self._sums = np.zeros((BINS * BINS, 0), np.float32)

    def add(self, activity: Floats, position: Floats) -> None:
        """Take the activities (n,) in Hz of one period and where the agent believed to be, (2,) m."""
        activity = np.nan_to_num(activity[:MAX_CELLS], nan=0.0, posinf=0.0, neginf=0.0)
        if activity.size != self._sums.shape[1]:
            self._visits[:] = 0.0
            self._sums = np.zeros((BINS * BINS, activity.size), np.float32)
        column, row = np.floor((position - self.low) / (self.high - self.low) * BINS)
        if not (0 <= column < BINS and 0 <= row < BINS):  # NaN too
            return
        index = int(row) * BINS + int(column)
        self._visits[index] += 1.0
        self._sums[index] += activity

    def best(self, count: int) -> tuple[NDArray[np.int64], Floats]:
        """The cells with the highest peaks, in different places as far as possible.

        Returns
        -------
        cells : (k,) int
            Indices, ascending; at most `count`, and only cells that fired.
        maps : (k, BINS, BINS) float
            Hz, row 0 is the lowest y; NaN where the agent never was.
        """
        if not self._sums.size:
            return np.zeros(0, np.int64), np.zeros((0, BINS, BINS))
        rates = self._sums / (self._visits[:, None] + PRIOR)
        peaks, places = rates.max(axis=0), rates.argmax(axis=0)
        ranked = [int(cell) for cell in np.argsort(-peaks, kind="stable") if peaks[cell] > 0.0]
        chosen: list[int] = []
        rows, columns = np.divmod(places, BINS)
        for cell in ranked:
            if len(chosen) == count:
                break
            away = [np.hypot(rows[cell] - rows[other], columns[cell] - columns[other]) for other in chosen]
            if min(away, default=APART) >= APART:
                chosen.append(cell)
        chosen += [cell for cell in ranked if cell not in chosen][: count - len(chosen)]
        cells = np.sort(np.array(chosen, np.int64))
        return cells, np.array([self._map(cell) for cell in cells]).reshape(-1, BINS, BINS)

    def _map(self, cell: int) -> Floats:
        """Smoothed sums over smoothed visits."""
        visits = gaussian_filter(self._visits.reshape(BINS, BINS), SMOOTHING, mode="constant")
        sums = gaussian_filter(
            self._sums[:, cell].astype(np.float64).reshape(BINS, BINS), SMOOTHING, mode="constant"
        )
        seen = self._visits.reshape(BINS, BINS) > 0
        return np.where(seen, sums / np.maximum(visits, 1e-9), np.nan)
