"""Place recognition as a picture: evidence for each place, view by view, and the place that won."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .style import RATE_MAP, VERMILION, house_style, new_figure


def draw_recognition(evidence: NDArray[np.float64], places: NDArray[np.int64], title: str) -> Figure:
    """Draw `evidence` (views, places), NaN where a place was not known yet, and `places` (views,)."""
    with house_style():
        figure = new_figure(5.6, 5.0)
        axes = figure.add_subplot()
        known = evidence[np.isfinite(evidence)]
        low, high = (np.quantile(known, 0.02), known.max()) if known.size else (0.0, 1.0)
        shown = axes.imshow(
            evidence.T,
            origin="lower",
            aspect="auto",
            cmap=RATE_MAP,
            vmin=low,
            vmax=high,
            interpolation="nearest",
        )
        axes.plot(np.arange(len(places)), places, ".", color=VERMILION, markersize=4, label="recognised")
        axes.set(xlabel="view", ylabel="place, in the order of enrolment")
        axes.set_title(title)
        axes.legend(loc="upper left", handletextpad=0.2, labelcolor="white")
        figure.colorbar(shown, label="evidence")
    return figure
