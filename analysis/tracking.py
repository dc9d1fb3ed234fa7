"""Recorded positions as trackers give them: frozen, jumping, repeated; cleaned, and laid along a track."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]

FROZEN = 3.0  #: s without any change of position: the animal is out of the tracker's view
LEAP = 5.0  #: extents a second: no animal is that fast, the tracker jumped
AROUND_LEAP = 0.5  #: s on either side of a leap are dropped with it
LINEAR = 0.2  #: width of a linear track at most, of its length (standard deviations along principal axes)


def good_samples(t: Floats, xy: Floats) -> NDArray[np.bool_]:
    """Return which samples (n,) of `xy` (n, 2) at `t` s can be believed.

    Refused are values that are not finite, times that do not ascend, positions that stay exactly the same
    for `FROZEN` s or more, and what lies around leaps.
    """
    good = np.isfinite(t) & np.isfinite(xy).all(axis=1)
    good[1:] &= np.diff(t) > 0.0
    same = np.concatenate(([False], np.all(np.diff(xy, axis=0) == 0.0, axis=1), [False]))
    edges = np.flatnonzero(np.diff(same.astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if t[last] - t[first] >= FROZEN:
            good[first : last + 1] = False
    kept = np.flatnonzero(good)
    if kept.size < 2:
        return good
    spread = np.quantile(xy[kept], 0.99, axis=0) - np.quantile(xy[kept], 0.01, axis=0)
    step = np.hypot(*np.diff(xy[kept], axis=0).T)
    leaps = t[kept[1:]][step > LEAP * float(np.hypot(*spread)) * np.diff(t[kept])]
    for at in leaps:
        good &= np.abs(t - at) > AROUND_LEAP
    return good


def segments_of(t: Floats, longest: float = 0.5) -> NDArray[np.int64]:
    """Number stretches (n,) of samples without a gap of more than `longest` s."""
    return np.concatenate(([0], np.cumsum(np.diff(t) > longest))).astype(np.int64)


def smoothed(t: Floats, x: Floats, segment: NDArray[np.int64], sigma: float = 0.1) -> Floats:
    """Return `x` (n, d) smoothed by a Gaussian of `sigma` s within each segment."""
    step = float(np.median(np.diff(t))) if len(t) > 1 else 1.0
    out = np.array(x, np.float64)
    for part in np.split(np.arange(len(t)), np.flatnonzero(np.diff(segment)) + 1):
        out[part] = ndimage.gaussian_filter1d(out[part], sigma / step, axis=0, mode="nearest")
    return out


def speeds(t: Floats, x: Floats, segment: NDArray[np.int64]) -> Floats:
    """Return speed (n,), units of `x` (n, d) a second; 0 in segments of one sample."""
    speed = np.zeros(len(t))
    for part in np.split(np.arange(len(t)), np.flatnonzero(np.diff(segment)) + 1):
        if part.size > 1:
            speed[part] = np.sqrt((np.gradient(x[part], t[part], axis=0) ** 2).sum(axis=1))
    return speed


def along_axis(xy: Floats, where: NDArray[np.bool_], widest: float = LINEAR) -> Floats | None:
    """Return positions (n,) along the longest principal axis of `xy` (n, 2); None off a linear track.

    A track is linear if samples `where` (n,) spread across by less than `widest` of what they do along.
    They have their mean at 0; the axis points to where its larger component grows.
    """
    if np.count_nonzero(where) < 3:
        return None
    mean = xy[where].mean(axis=0)
    variance, axes = np.linalg.eigh(np.cov((xy[where] - mean).T))
    if np.sqrt(max(variance[0], 0.0)) >= widest * np.sqrt(max(variance[1], 0.0)):
        return None
    axis = axes[:, 1]
    return np.asarray((xy - mean) @ (axis * np.sign(axis[np.argmax(np.abs(axis))])))
