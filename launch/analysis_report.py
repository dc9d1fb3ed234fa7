"""What `tolman analyze` says on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.table import Table

from .terminal import make_console

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


def say(result: dict[str, Any]) -> None:
    """Print what came out: medians over cells, shuffles beside them, then each population."""
    console = make_console()
    unit = result["unit"]
    shape = "linear track" if result["linear"] else "plane"
    console.print(
        f"{result['file']}: {shape}, {result['running_s']:.0f} s running, bins of {result['bin']:.3g} {unit}"
    )
    for note in result["notes"]:
        console.print(f"note: {note}")
    populations = result["populations"]
    cells = [
        (name, [str(one["scored"]), str(one["units"])], one["median"]) for name, one in populations.items()
    ]
    console.print(_table("median over scored cells", ("scored", "of"), cells, _figure, unit))
    shuffled: list[tuple[str, list[str], dict[str, Any]]] = [
        (name, [], one["shuffles"]) for name, one in populations.items() if "shuffles" in one
    ]
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
        lines.append(
            f"{one['place_cells']} of {one['units']} are place cells (peak > 1 Hz, > 0.5 bits/spike)"
        )
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
            cells = f"({one['cells']} cells)"
            console.print(
                f"{name} against {found['file']}: map correlation {_figure(one['spatial_correlation'], 2)},"
                f" population vectors {_figure(one['population_vector_correlation'], 2)}, different cells"
                f" {one['of_different_cells']:.2f}, rate overlap {one['rate_overlap']:.2f} {cells}"
            )
