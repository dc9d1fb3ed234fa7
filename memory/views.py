"""From what is seen around the robot to what lies around the place: views turned by heading.

View cells are egocentric. A memory of a place must not depend on where the robot looked, so the activity of
the view cells is shifted by the heading into the map's frame before it is stored or compared: the gain-field
circuit that Byrne, Becker & Burgess (2007, Psychol. Rev. 114:340) place in retrosplenial cortex. Comparing at
shifts a little off the heading tells how wrong the heading is.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class ViewFrame:
    """Shift between `directions` (B,) rad of the view cells and `bins` directions of the map's frame."""

    def __init__(self, bands: int, directions: NDArray[np.float64], bins: int, blur: float = 1.2) -> None:
        self.bands, self.bins = bands, bins
        apart = np.arange(bins) - bins // 2
        kernel = np.exp(-0.5 * (apart / blur) ** 2)
        self._blur = np.fft.rfft(np.fft.ifftshift(kernel / kernel.sum()))
        self.width = 2.0 * np.pi / bins
        self.directions = np.asarray(directions, np.float64)
        self.size = bands * bins

    def turned(self, activity: Floats, heading: float) -> Floats:
        """Turn `activity` (bands * B,) by `heading` rad into the map's frame; return (bands, bins)."""
        out = np.zeros((self.bands, self.bins), np.float32)
        _turn(activity.reshape(self.bands, -1), self.directions, heading, self.width, out)
        return out

    def shifted(self, view: Floats, shifts: NDArray[np.int64]) -> Floats:
        """Return `view` (bands, bins) at each of `shifts` (h,) bins as unit vectors (h, bands * bins).

        A view shifted by k is what would be held if the heading were k bins further counter-clockwise. It is
        blurred over `blur` bins first: the receptive fields of the map's frame are wider than those of the
        view cells.
        """
        view = np.fft.irfft(np.fft.rfft(view, axis=1) * self._blur, self.bins, axis=1).astype(np.float32)
        norm = np.float32(max(float(np.sqrt((view * view).sum())), 1e-6))
        out = np.empty((len(shifts), self.size), np.float32)
        _shift(view / norm, shifts, out)
        return out


def best_shift(counts: Floats, match: Floats, at: int, circular: bool) -> float:
    """Return the row of `match` (shifts, neurons), between rows around `at`, that recalled neurons agree on.

    `counts` (neurons,) are the spikes of the recall; `circular` says that the shifts go all the way round.
    """
    active = counts > 0.0
    curve = (match[:, active] * counts[active]).sum(axis=1)
    return at + _peak(curve, at, circular)


def _peak(curve: Floats, at: int, circular: bool) -> float:
    """Offset of a parabola's top from index `at`, in (-1/2, 1/2)."""
    left, middle, right = (float(curve[(at + k) % len(curve)]) for k in (-1, 0, 1))
    bend = left - 2.0 * middle + right
    if bend >= 0.0 or (not circular and at in (0, len(curve) - 1)):
        return 0.0
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5))


@njit(cache=True)
def _shift(view: Floats, shifts: NDArray[np.int64], out: Floats) -> None:
    bands, bins = view.shape
    for h in range(shifts.size):
        first = shifts[h] % bins
        for e in range(bands):
            to, at = out[h], e * bins
            for b in range(bins - first):
                to[at + first + b] = view[e, b]
            for b in range(first):
                to[at + b] = view[e, bins - first + b]


@njit(cache=True)
def _turn(
    ego: Floats,
    directions: NDArray[np.float64],
    heading: float,
    width: float,
    out: Floats,
) -> None:
    bands, bins = out.shape
    for b in range(directions.size):
        place = (directions[b] + heading) / width - 0.5
        low = np.floor(place)
        share = np.float32(place - low)
        first = int(low) % bins
        second = (first + 1) % bins
        for e in range(bands):
            value = ego[e, b]
            out[e, first] += (np.float32(1.0) - share) * value
            out[e, second] += share * value
