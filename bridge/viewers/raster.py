"""How a raster of spikes is laid out: a band for each population, named and coloured."""

import math
from typing import NamedTuple

POPULATION_COLOURS = ("#4cc9f0", "#f9c74f", "#80ed99", "#f72585", "#b892ff", "#ff9f6b", "#64dfdf", "#e5989b")
MAX_ROWS = 8  #: populations with a colour and a label of their own


class Row(NamedTuple):
    """The band of one population; its neurons are spread evenly from `bottom` to `top`."""

    name: str
    first: int  #: global index of its first neuron
    stop: int
    bottom: float
    top: float


def population_rows(populations: dict[str, tuple[int, int]], neurons: int) -> list[Row]:
    """The bands, one above the other; small populations get more than their share.

    Populations that differ in a number at the end of their name are one band where there would be more than
    `MAX_ROWS`.

    Parameters
    ----------
    populations : dict of str to (int, int)
        Name to [first, stop) of the global neuron indices; empty for one band of all.
    neurons : int
        How many neurons there are at least.
    """
    table = populations or {"neurons": (0, neurons)}
    merged: dict[str, tuple[int, int]] = {}
    for name, (first, stop) in sorted(table.items(), key=lambda item: item[1]):
        head, _, tail = name.rpartition("_")
        stem = head if len(table) > MAX_ROWS and head and tail.isdigit() else name
        before = merged.get(stem)
        merged[stem] = (first, stop) if before is None else (min(before[0], first), max(before[1], stop))
    rows: list[Row] = []
    bottom = 0.0
    for name, (first, stop) in list(merged.items())[:MAX_ROWS]:
        top = bottom + math.sqrt(stop - first)
        rows.append(Row(name, first, stop, bottom, top))
        bottom = top + 0.02 * math.sqrt(neurons)
    return rows
