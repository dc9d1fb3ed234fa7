"""Capacity of an associative memory as a picture: recall by load, capacity beside theory, separation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from .style import CYCLE, HAIRLINE, INK, MUTED, house_style, new_figure

THEORY = (0.2, 0.3)  #: k of Treves & Rolls 1991


def draw_capacity(results: Mapping[str, Any]) -> Figure:
    """Draw what `benchmarks/capacity.py` measured.

    Parameters
    ----------
    results : mapping
        "loads" (n,) in units of C / (a ln(1/a)); "cases", each with "C", "a", "unit", "f1" by cue (n,)
        and "k from half" with "value" and "ci95"; "separation" with "in", "dentate" and "ca3", overlaps.
    """
    with house_style():
        figure = new_figure(11.0, 3.6)
        recall, theory, apart = figure.subplots(1, 3)
        recall.axvspan(*THEORY, color=HAIRLINE, lw=0)
        for case, colour in zip(results["cases"], CYCLE, strict=False):
            recall.plot(
                results["loads"], case["f1"]["half"], color=colour, label=f"C {case['C']}, a {case['a']:g}"
            )
            k = case["k from half"]
            low, high = (np.array(k["ci95"]) * case["unit"]).tolist()
            theory.plot([case["unit"]] * 2, [low, high], color=colour, lw=1.0)
            theory.plot(case["unit"], k["value"] * case["unit"], "o", color=colour)
        recall.axhline(0.5, color=MUTED, lw=0.8, ls=":")
        recall.set(
            xlabel="load, patterns / [C / (a ln 1/a)]", ylabel="F1 from half the cells", ylim=(0, 1.03)
        )
        recall.set_title("Recall (grey: theory's capacity)")
        recall.legend(fontsize=7, loc="lower left")
        units = np.array(sorted(case["unit"] for case in results["cases"]))
        theory.fill_between(units, THEORY[0] * units, THEORY[1] * units, color=HAIRLINE, lw=0)
        theory.set(xscale="log", yscale="log", xlabel="C / (a ln 1/a)", ylabel="patterns at F1 = 0.5")
        theory.set_title("Capacity (grey: k = 0.2 to 0.3)")
        overlap = results["separation"]
        apart.plot([0, 1], [0, 1], color=MUTED, lw=0.8, ls=":")
        apart.plot(overlap["in"], overlap["dentate"], "o-", color=CYCLE[0], ms=3, label="dentate gyrus")
        apart.plot(overlap["in"], overlap["ca3"], "o-", color=CYCLE[1], ms=3, label="CA3")
        apart.set(xlabel="overlap of two inputs", ylabel="overlap of their codes")
        apart.set_title("Separation")
        apart.legend(loc="upper left", labelcolor=INK)
    return figure
