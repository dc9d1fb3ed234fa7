"""`tolman analyze --against`: the maps of the same cells in two sessions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.rate_maps import Bins, rate_maps
from ..analysis.recording import Recording, counts_in, seconds_in
from ..analysis.remapping import remapping
from .analysis_sessions import Session
from .errors import UserError, asked
from .population import LEAST_SPIKES


def check_alike(session: Session, other: Session) -> None:
    """Raise `UserError` unless the two sessions can hold the same cells."""
    for name, recording in session.populations.items():
        if name not in other.populations:
            raise UserError(f"--against {other.name} has no population {name!r}; name one with --population")
        theirs = other.populations[name]
        if (
            theirs.units != recording.units
            or theirs.linear != recording.linear
            or theirs.unit != recording.unit
        ):
            raise UserError(
                f"--against {other.name}: {name} has {theirs.units} units there and {recording.units} here,"
                " or another kind of track: remapping compares the same cells"
            )


def compare(session: Session, other: Session, seed: int) -> dict[str, Any]:
    """Compare the maps of cells that fire in either session."""
    bins = _common(session, other)
    found: dict[str, Any] = {"file": other.name}
    for name, ours in session.populations.items():
        theirs = other.populations[name]
        cells = np.flatnonzero((ours.spikes >= LEAST_SPIKES) | (theirs.spikes >= LEAST_SPIKES))
        if cells.size == 0:
            continue
        ours_map, theirs_map = (_maps(part.of(cells), bins, session) for part in (ours, theirs))
        with asked(f"--against {other.name}"):
            result = remapping(ours_map, theirs_map, seed=seed)
        spatial, population = (v[np.isfinite(v)] for v in (result.spatial, result.population))
        found[name] = {
            "cells": int(cells.size),
            "spatial_correlation": float(np.median(spatial)) if spatial.size else None,
            "population_vector_correlation": float(np.median(population)) if population.size else None,
            "of_different_cells": result.others,
            "rate_overlap": float(np.nanmedian(result.rate_overlap)),
            "unit": cells.tolist(),
            "spatial_correlations": result.spatial.tolist(),
        }
    return found


def _common(session: Session, other: Session) -> Bins:
    """Return bins that cover both sessions."""
    size = session.bins.size
    if session.recording.linear:
        low, high = zip(*((b.extent[0], b.extent[1]) for b in (session.bins, other.bins)), strict=True)
        return Bins(min(low), -0.5 * size, max(1, round((max(high) - min(low)) / size)), 1, size)
    a, b = session.bins.extent, other.bins.extent
    low, high = (min(a[0], b[0]), min(a[2], b[2])), (max(a[1], b[1]), max(a[3], b[3]))
    return Bins.over(low, high, size)


def _maps(recording: Recording, bins: Bins, session: Session) -> NDArray[np.float64]:
    counts, seconds = counts_in(recording, bins), seconds_in(recording, bins)
    return rate_maps(counts, seconds, bins, session.smoothing, session.least)
