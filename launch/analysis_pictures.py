"""Which figures `tolman analyze` draws, by population."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..analysis import figure_units
from ..analysis.figure_cells import rate_map_sheet
from ..analysis.precession import circular_linear
from .analysis_sessions import Session
from .population import LEAST_SPIKES, Examined

_SHOWN = 18  #: cells on a sheet, of those drawn evenly the ones that score best
_TUNED = 0.5  #: mean vector length, above which headings are drawn
_FIELDS = 8  #: on the sheet of precession


def draw(session: Session, examined: Mapping[str, Examined]) -> Iterator[tuple[str, Figure]]:
    """Yield file name and figure of all there is to see."""
    unit = session.recording.unit
    for name, one in examined.items():
        if one.cells.size == 0:
            continue
        median = one.numbers["median"]
        said = f"{one.cells.size} cells, {median['bits_per_spike']:.2f} bits/spike (median)"
        heading = f"{session.name}, {name}: {said}"
        shown = _best(one, "bits_per_spike" if one.correlograms is None else "gridness_minmax")
        titles = [_title(one, cell) for cell in shown]
        maps = one.maps[shown]
        if session.recording.linear:
            yield f"rate_maps_{name}.png", figure_units.track_sheet(maps, session.bins, titles, heading, unit)
        else:
            yield (
                f"rate_maps_{name}.png",
                rate_map_sheet(maps, session.bins, _scene(session), titles, heading),
            )
        if one.correlograms is not None:
            yield (
                f"autocorrelograms_{name}.png",
                figure_units.correlogram_sheet(
                    one.correlograms[shown], session.bins.size, titles,
                    f"{session.name}, {name}: gridness > 0.4 in"
                    f" {100 * one.numbers['gridness_minmax_share']:.0f} % of cells; the best are shown",
                ),
            )  # fmt: skip
        if one.tuning is not None and (one.scores["vector_length"] > _TUNED).mean() > 0.5:
            tuned = _best(one, "vector_length")
            yield (
                f"heading_{name}.png",
                figure_units.heading_sheet(
                    one.tuning.rate[tuned],
                    [f"{one.tuning.peak[k]:.0f} Hz, R {one.tuning.length[k]:.2f}" for k in tuned],
                    f"{session.name}, {name}: mean vector length {median['vector_length']:.2f} (median)",
                ),
            )
        yield from _by_time(session, name, one, unit)


def _by_time(session: Session, name: str, one: Examined, unit: str) -> Iterator[tuple[str, Figure]]:
    if one.decoded is not None:
        d = one.numbers["decoding"]
        heading = f"{session.name}, {name}: decoded from windows of {d['window_s']:g} s, held out"
        yield (
            f"decoding_{name}.png",
            figure_units.decoding_figure(one.decoded, session.recording.linear, unit, heading),
        )
    if one.precession is not None and one.precession.pooled:
        fields = [
            replace(field, unit=int(one.cells[field.unit]))
            for field in one.precession.crossings
            if field.x.size >= LEAST_SPIKES
        ]
        fits = sorted(((f, circular_linear(f.x, f.phase)) for f in fields), key=lambda pair: pair[1].p)
        if fits:
            r = one.numbers["precession"]["pooled_r"]
            heading = (
                f"{session.name}, {name}: phase precession, r = {r:.2f} (median of fields); the clearest"
            )
            yield f"precession_{name}.png", figure_units.precession_sheet(fits[:_FIELDS], heading)
    if one.replay:
        r = one.numbers["replay"]
        yield (
            f"replay_{name}.png",
            figure_units.replay_figure(
                np.array([event.correlation for event in one.replay]),
                np.array([max(event.p_cycle, event.p_identity) for event in one.replay]),
                f"{session.name}, {name}: {r['replays']} of {r['bursts']} bursts at rest beat both shuffles",
            ),
        )


def _best(one: Examined, score: str) -> NDArray[np.int64]:
    values = np.nan_to_num(one.scores[score][one.drawn], nan=-9.0)
    return np.asarray(one.drawn[np.argsort(values)[::-1][:_SHOWN]])


def _title(one: Examined, cell: int) -> str:
    peak, bits = one.scores["peak"][cell], one.scores["bits_per_spike"][cell]
    if one.correlograms is None:
        return f"{one.cells[cell]}: {peak:.0f} Hz, {bits:.1f} bits"
    scale = one.scores["grid_scale"][cell]
    said = "" if np.isnan(scale) else f", {scale:.2f}"
    return f"{one.cells[cell]}: {one.scores['gridness_minmax'][cell]:.2f}{said}"


def _scene(session: Session) -> dict[str, Any]:
    """Return what an arena needs for drawing: its outline, or the rectangle around the path."""
    left, right, bottom, top = session.bins.extent
    box = np.array([[left, bottom], [right, bottom], [right, top], [left, top]])
    outline = box if session.outline is None else session.outline
    around = np.concatenate((outline, np.roll(outline, -1, axis=0)), axis=1)
    walls = np.zeros((0, 4)) if session.outline is None else around
    return {"outline": outline, "walls": walls, "pillars": [], "goal": None, "goal_radius": 0.0}
