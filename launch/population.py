"""One population through all of the analysis: plain numbers for people and JSON, arrays for pictures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.bursts import bursts
from ..analysis.decoding import Decoded, decode, directions
from ..analysis.grid_scores import autocorrelograms, grid_scales
from ..analysis.head_direction import Tuning
from ..analysis.precession import Precession, crossings, fields_of, precession
from ..analysis.rate_maps import rate_maps
from ..analysis.recording import Recording, counts_in, seconds_in
from ..analysis.replay_events import ReplayEvent, score_bursts, summary
from ..analysis.shuffles import against
from ..analysis.unit_scores import Mapping, Measure
from .analysis_sessions import Session

Floats = NDArray[np.float64]
LEAST_SPIKES = 30  #: while running: cells with fewer are not scored
PLACE_PEAK, PLACE_BITS = 1.0, 0.5  #: Hz and bits a spike, more than which make a place cell
GRIDNESS = 0.4  #: above it a cell counts as a grid cell; shuffles give each session's own threshold
_BY_PLACE = ("units", "place")  #: populations that are decoded, and searched for bursts
_GRIDS = ("units", "grid")  #: and whether they are grid cells
_MOST_BURSTS = 400  #: are scored, drawn evenly


@dataclass(frozen=True)
class Options:
    """What the user chose."""

    window: float = 0.25  #: s, of decoding and of mutual information
    cells: int = 100  #: of a population at most, drawn evenly, are shuffled and drawn
    shuffles: int = 50
    seed: int = 0
    everything: bool = False  #: whatever population it is, decode it, look for replay and for grids


@dataclass(frozen=True)
class Examined:
    """What came out for one population."""

    numbers: dict[str, Any]  #: for JSON
    cells: NDArray[np.int64]  #: that were scored
    drawn: NDArray[np.int64]  #: of those, which are shown, evenly
    scores: dict[str, Floats]  #: (cells,)
    maps: Floats  #: (cells, rows, columns) Hz
    correlograms: Floats | None
    tuning: Tuning | None
    decoded: Decoded | None
    precession: Precession | None
    replay: list[ReplayEvent]
    place_like: bool


def examine(session: Session, name: str, options: Options) -> Examined:
    """Score one population of a session."""
    whole = session.populations[name]
    cells = np.flatnonzero(whole.spikes >= LEAST_SPIKES)
    if cells.size == 0:
        return _silent(_units(session, whole))
    n = min(options.cells, cells.size)
    drawn = np.unique(np.linspace(0, max(cells.size - 1, 0), n).astype(np.int64))
    place_like = options.everything or name in _BY_PLACE
    recording = whole.of(cells)
    mapping = Mapping(
        session.bins, session.smoothing, session.least, options.window,
        session.grid and (options.everything or name.startswith(_GRIDS)), session.border,
    )  # fmt: skip
    measure = Measure(recording, mapping)
    scores, maps = measure.scores(), measure.maps()
    scores["stability"] = measure.stability()
    correlograms = autocorrelograms(maps) if mapping.grid else None
    if correlograms is not None:
        scores["grid_scale"] = grid_scales(correlograms, session.bins.size)
    fires = scores["peak"] > PLACE_PEAK
    numbers: dict[str, Any] = {
        "units": _units(session, whole),
        "scored": int(cells.size),
        "spikes": int(recording.spikes.sum()),
        "place_cells": int(np.count_nonzero(fires & (scores["bits_per_spike"] > PLACE_BITS))),
        "median": {key: _median(values) for key, values in scores.items() if key != "preferred"},
    }
    if mapping.grid:
        for key in ("gridness_minmax", "gridness_mean"):
            known = np.nan_to_num(scores[key], nan=-1.0)
            numbers[f"{key}_share"] = float(np.mean(known > GRIDNESS))
    if options.shuffles:
        numbers["shuffles"] = _shuffles(
            Measure(recording.of(drawn), mapping),
            {key: values[drawn] for key, values in scores.items()},
            options,
        )
    decoded = precessed = None
    replay: list[ReplayEvent] = []
    if place_like:
        decoded = decode(
            recording, session.bins, options.window, session.smoothing, session.least, seed=options.seed
        )
        if decoded is not None:
            numbers["decoding"] = _decoding(decoded, recording, options.window)
        replay = _replay(session, recording, options)
        numbers["replay"] = summary(replay) | {"events": [asdict(event) for event in replay]}
    if name in session.cycles:
        precessed = _precession(session, whole, session.cycles[name], cells)
        numbers["precession"] = precessed.summary()
    numbers["cells"] = {"unit": cells.tolist()} | {key: values.tolist() for key, values in scores.items()}
    return Examined(
        numbers,
        cells,
        drawn,
        scores,
        maps,
        correlograms,
        measure.tuning(),
        decoded,
        precessed,
        replay,
        place_like,
    )


def _units(session: Session, whole: Recording) -> int:
    """Return how many units there are; in a file, numbers that never fire are no units."""
    fired = np.bincount(whole.spike_unit, minlength=whole.units) > 0
    return int(np.count_nonzero(fired)) if session.kind == "units" else whole.units


def _silent(units: int) -> Examined:
    """Return what there is to say of a population in which no cell fires enough."""
    numbers = {
        "units": units,
        "scored": 0,
        "spikes": 0,
        "place_cells": 0,
        "median": {},
        "cells": {"unit": []},
    }
    none = np.zeros(0, np.int64)
    return Examined(numbers, none, none, {}, np.zeros((0, 1, 1)), None, None, None, None, [], False)


def _median(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else None


def _shuffles(measure: Measure, scores: dict[str, Floats], options: Options) -> dict[str, Any]:
    found: dict[str, Any] = {"rounds": options.shuffles}
    for name, values in measure.shuffled(options.shuffles, options.seed).items():
        compared = against(scores[name], values)
        if compared is not None:
            found[name] = {
                "p95": compared.low,
                "p99": compared.high,
                "above_p95": compared.above,
                "above_p99": compared.far_above,
                "above_own_p95": compared.above_own,
                "median": float(np.median(compared.own)),
                "median_excess": _median(scores[name] - compared.own),
            }
    return found


def _decoding(decoded: Decoded, recording: Recording, window: float) -> dict[str, Any]:
    error = decoded.error
    extent = float(np.ptp(recording.position[recording.running], axis=0).max())
    return {
        "window_s": window,
        "windows": len(error),
        "cells": recording.units,
        "median_error": float(np.median(error)),
        "p90_error": float(np.quantile(error, 0.9)),
        "chance_error": decoded.chance,
        "median_error_share": float(np.median(error)) / extent,
        "p90_error_share": float(np.quantile(error, 0.9)) / extent,
        "chance_error_share": decoded.chance / extent,
    }


def _replay(session: Session, recording: Recording, options: Options) -> list[ReplayEvent]:
    """Look for replay in bursts at rest, by maps of what was fired while running."""
    found = bursts(recording.spike_t, recording.spike_unit, session.rest)
    if len(found) > _MOST_BURSTS:
        found = found[np.linspace(0, len(found) - 1, _MOST_BURSTS).astype(np.int64)]
    bins = session.bins
    rate = rate_maps(
        counts_in(recording, bins), seconds_in(recording, bins), bins, session.smoothing, session.least
    ).reshape(recording.units, -1)
    seen = np.isfinite(rate).all(axis=0)
    if not len(found) or np.count_nonzero(seen) < 5:
        return []
    x, y = bins.centres
    places = np.column_stack((np.tile(x, bins.rows), np.repeat(y, bins.columns)))[seen]
    if recording.linear:
        places = places[:, :1]
    extent = float(np.ptp(places[:, 0]))
    return score_bursts(
        recording.spike_t, recording.spike_unit, found, rate[:, seen], places,
        seed=options.seed, reach=0.1 * extent,
    )  # fmt: skip


def _precession(session: Session, whole: Recording, cycles: Floats, cells: NDArray[np.int64]) -> Precession:
    """Score crossings of fields, on a linear track those of each direction by its own maps."""
    timed = np.isin(whole.spike_unit, cells) & np.isfinite(cycles)
    known = cycles[timed]
    recording = whole.with_spikes(timed).of(cells)
    found = []
    for way in directions(recording):
        part = recording.among(way)
        rate = rate_maps(
            counts_in(part, session.bins), seconds_in(part, session.bins), session.bins,
            session.smoothing, session.least / 2.0,
        )  # fmt: skip
        strong = np.nan_to_num(rate, nan=0.0).reshape(len(rate), -1).max(axis=1) > PLACE_PEAK
        fields = fields_of(rate) & strong[:, None, None]
        found += crossings(part, session.bins, fields, known)
    return precession(found)
