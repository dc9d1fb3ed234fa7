"""Scores of place recognition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .statistics import roc_area


def recall_at(
    places: NDArray[np.int64], truth: NDArray[np.bool_], tolerances: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Score the places recognised (queries,) against `truth` (queries, places), True where a place is right.

    Returns
    -------
    shares : float64 (tolerances,), of queries whose place lies within so many places of a right one.
    correct : bool (tolerances, queries)
    """
    if truth.shape[:1] != places.shape:
        raise ValueError(f"truth must have a row for each of {places.shape} queries, got {truth.shape}")
    apart = np.abs(np.arange(truth.shape[1])[None, :] - places[:, None]).astype(np.float64)
    nearest = np.where(truth, apart, np.inf).min(axis=1)
    correct = np.stack([nearest <= tolerance for tolerance in tolerances])
    return correct.mean(axis=1), correct


def area_under_curve(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Return the probability that a positive has a higher score than a negative; NaN without either."""
    return roc_area(scores[positive], scores[~positive])
