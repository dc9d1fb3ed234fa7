"""`tolman analyze DIR|FILE`: what cells code, by the same measures for an agent's run and for an animal."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from .. import __version__
from ..analysis.rate_maps import Bins, rate_maps
from ..analysis.recording import Recording, bins_over, counts_in, seconds_in
from ..analysis.remapping import remapping
from .analysis_pictures import draw
from .errors import UserError, asked
from .files import atomic, check_folder, check_writable, write_json
from .population import GRIDNESS, LEAST_SPIKES, Examined, Options, examine
from .sessions import Session, open_run
from .terminal import make_console
from .units_file import UnitsOptions, open_units

#: Columns of the table: key, heading, digits.
_COLUMNS = (
    ("bits_per_spike", "bits/spike", 2),
    ("bits_per_second", "bits/s", 2),
    ("mutual_information", "MI bits", 3),
    ("field_share", "field", 2),
    ("peak", "peak Hz", 1),
    ("stability", "stability", 2),
    ("gridness_minmax", "gridness", 2),
    ("gridness_mean", "(mean)", 2),
    ("grid_scale", "scale", 2),
    ("border", "border", 2),
    ("vector_length", "heading", 2),
)


def command(arguments: Namespace) -> None:
    """Run `tolman analyze`."""
    path = Path(arguments.path)
    json_file = check_writable(Path(arguments.json), "--json") if arguments.json else None
    output = check_folder(Path(arguments.output), "--output") if arguments.output else None
    for name in ("scale", "track_length", "bin", "speed", "window", "max_rate"):
        value = getattr(arguments, name)
        if value is not None and not (math.isfinite(value) and (value > 0.0 or (name == "speed" and value == 0.0))):
            raise UserError(f"--{name.replace('_', '-')} must be > 0, got {value}")
    options = Options(
        arguments.window, arguments.cells, arguments.shuffles, arguments.seed, arguments.population is not None
    )
    session = open_session(path, arguments).asked(arguments.population)
    other = None if arguments.against is None else open_session(Path(arguments.against), arguments)
    if other is not None:
        other = other.asked(arguments.population)
        _check_alike(session, other)
    console = make_console()
    examined: dict[str, Examined] = {}
    with console.status("analysing"):
        for name in session.populations:
            examined[name] = examine(session, name, options)
    recording = session.recording
    run = recording.running
    result: dict[str, Any] = {
        "version": __version__,
        "command": "analyze",
        "file": path.name,
        "kind": session.kind,
        "seed": arguments.seed,
        "unit": recording.unit,
        "linear": recording.linear,
        "running_s": float(recording.stay[run].sum()),
        "bin": session.bins.size,
        "notes": list(session.notes),
        "populations": {name: one.numbers for name, one in examined.items()},
    }
    grids = [one for name, one in examined.items() if name.startswith("grid") and "gridness_minmax" in one.scores]
    if grids:
        result["grid_cells"] = _all_modules(grids)
    if other is not None:
        result["against"] = compare(session, other, arguments.seed)
    say(result)
    if output is not None:
        for name, figure in draw(session, examined):
            with atomic(output / name) as temporary:
                figure.savefig(temporary)
            console.print(str(output / name))
    if json_file is not None:
        write_json(json_file, result)


def _all_modules(modules: Sequence[Examined]) -> dict[str, Any]:
    """Return how many grid cells there are over all modules."""
    found: dict[str, Any] = {"scored": sum(one.cells.size for one in modules)}
    for key in ("gridness_minmax", "gridness_mean"):
        scores = np.nan_to_num(np.concatenate([one.scores[key] for one in modules]), nan=-1.0)
        found[f"{key}_share"] = float(np.mean(scores > GRIDNESS)) if scores.size else None
    return found


def open_session(path: Path, arguments: Namespace) -> Session:
    """Open a run folder or a file of units with the user's options."""
    if path.is_dir():
        for name in ("scale", "track_length", "theta"):
            if getattr(arguments, name) is not None:
                raise UserError(f"--{name.replace('_', '-')} is for files of units, and {path} is a run")
        return open_run(path, arguments.bin, arguments.speed)
    if not path.exists():
        raise UserError(f"no file or folder {path}")
    options = UnitsOptions(
        arguments.scale, arguments.track_length, arguments.bin, arguments.speed, arguments.max_rate,
        arguments.theta,
    )  # fmt: skip
    with asked(str(path)):
        return open_units(path, options)


def _check_alike(session: Session, other: Session) -> None:
    for name, recording in session.populations.items():
        if name not in other.populations:
            raise UserError(f"--against {other.name} has no population {name!r}; name one with --population")
        theirs = other.populations[name]
        if theirs.units != recording.units or theirs.linear != recording.linear or theirs.unit != recording.unit:
            raise UserError(
                f"--against {other.name}: {name} has {theirs.units} units there and {recording.units} here, or"
                " another kind of track: remapping compares the same cells"
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
        maps = [_maps(part.of(cells), bins, session) for part in (ours, theirs)]
        with asked(f"--against {other.name}"):
            result = remapping(*maps, seed=seed)
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
    if session.recording.linear:
        return max((bins_over(s.recording, session.bins.size) for s in (session, other)), key=lambda b: b.columns)
    a, b = session.bins.extent, other.bins.extent
    low, high = (min(a[0], b[0]), min(a[2], b[2])), (max(a[1], b[1]), max(a[3], b[3]))
    return Bins.over(low, high, session.bins.size)


def _maps(recording: Recording, bins: Bins, session: Session) -> Any:
    counts, seconds = counts_in(recording, bins), seconds_in(recording, bins)
    return rate_maps(counts, seconds, bins, session.smoothing, session.least)


def say(result: dict[str, Any]) -> None:
    """Print what came out: medians over cells, shuffles beside them, then what is known of each population."""
    console = make_console()
    unit = result["unit"]
    shape = "linear track" if result["linear"] else "plane"
    console.print(f"{result['file']}: {shape}, {result['running_s']:.0f} s running, bins of {result['bin']:.3g} {unit}")
    for note in result["notes"]:
        console.print(f"note: {note}")
    populations = result["populations"]
    cells = [(name, [str(one["scored"]), str(one["units"])], one["median"]) for name, one in populations.items()]
    console.print(_table("median over scored cells", ("scored", "of"), cells, _figure, unit))
    shuffled = [(name, [], one["shuffles"]) for name, one in populations.items() if "shuffles" in one]
    if shuffled:
        title = "share of cells above the 99th percentile of shuffles (which is in brackets)"
        console.print(_table(title, (), shuffled, _share, unit))
    for name, one in populations.items():
        for line in _lines(one, unit):
            console.print(f"{name}: {line}")
    every = result.get("grid_cells", {})
    if every.get("gridness_minmax_share") is not None:
        console.print(
            f"all grid modules: gridness > 0.4 in {100 * every['gridness_minmax_share']:.0f} % (minmax),"
            f" {100 * every['gridness_mean_share']:.0f} % (mean) of {every['scored']} cells"
        )
    if "against" in result:
        _say_against(result["against"])


def _table(
    title: str,
    first: Sequence[str],
    rows: Sequence[tuple[str, list[str], Mapping[str, Any]]],
    write: Callable[[Any, int], str],
    unit: str,
) -> Table:
    """Return a table of `_COLUMNS`, without those that no row has."""
    table = Table(box=None, pad_edge=False, title=title, title_justify="left")
    shown = [column for column in _COLUMNS if any(row[2].get(column[0]) is not None for row in rows)]
    table.add_column("population")
    for heading in (*first, *(heading for _, heading, _ in shown)):
        table.add_column(heading.replace("scale", f"scale {unit}"), justify="right")
    for name, begin, values in rows:
        table.add_row(name, *begin, *(write(values.get(key), digits) for key, _, digits in shown))
    return table


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _share(value: Mapping[str, float] | None, digits: int) -> str:
    return "-" if value is None else f"{100 * value['above_p99']:.0f} % ({value['p99']:.{digits}f})"


def _lines(one: dict[str, Any], unit: str) -> list[str]:
    lines = []
    bits = one.get("shuffles", {}).get("bits_per_spike")
    if bits is not None:
        lines.append(
            f"shuffled spikes have {bits['median']:.2f} bits/spike for nothing but being few;"
            f" true ones {_figure(bits['median_excess'], 2)} more"
        )
    if "replay" in one:
        lines.append(f"{one['place_cells']} of {one['units']} are place cells (peak > 1 Hz, > 0.5 bits/spike)")
    if one.get("gridness_minmax_share") is not None:
        lines.append(
            f"gridness > 0.4 in {100 * one['gridness_minmax_share']:.0f} % (minmax),"
            f" {100 * one['gridness_mean_share']:.0f} % (mean)"
        )
    if "decoding" in one:
        d = one["decoding"]
        lines.append(
            f"decoding, {d['window_s']:g} s, held out: median {d['median_error']:.3g} {unit}"
            f" ({100 * d['median_error_share']:.1f} %), 90 % within {d['p90_error']:.3g} {unit}"
            f" ({100 * d['p90_error_share']:.1f} %), chance {d['chance_error']:.3g} {unit}"
        )
    if "precession" in one:
        p = one["precession"]
        lines.append(
            f"phase precession: {p['runs']} runs r = {_figure(p['single_r'], 2)}, slope"
            f" {_figure(p['single_slope_cycles_per_field'], 2)} cycles a field; {p['fields']} fields pooled"
            f" r = {_figure(p['pooled_r'], 2)}, of which {p['precessing_fields']} precess (p < 0.05)"
        )
    if "replay" in one:
        r = one["replay"]
        lines.append(
            f"replay: {r['replays']} of {r['bursts']} bursts at rest ({100 * r['share']:.0f} %; chance is at"
            f" most 5 %, p = {r['p_of_share']:.2g})"
            if r["bursts"]
            else "replay: no bursts at rest"
        )
    return lines


def _say_against(found: dict[str, Any]) -> None:
    console = make_console()
    for name, one in found.items():
        if name != "file":
            console.print(
                f"{name} against {found['file']}: map correlation {_figure(one['spatial_correlation'], 2)},"
                f" population vectors {_figure(one['population_vector_correlation'], 2)}, different cells"
                f" {one['of_different_cells']:.2f}, rate overlap {one['rate_overlap']:.2f} ({one['cells']} cells)"
            )
