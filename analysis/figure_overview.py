"""One picture of a run: what was learned, where the robot went, what the cells say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .figure_cells import draw_rate_map, draw_value
from .figure_learning import draw_latency
from .figure_paths import Path, draw_path
from .rate_maps import Bins
from .style import Scene, house_style, new_figure

Floats = NDArray[np.float64]


def overview(
    scene: Scene,
    bins: Bins,
    latency: Floats,
    success: NDArray[np.bool_],
    first: Path,
    last: Path,
    fields: Sequence[tuple[Floats, str]],
    value: Floats,
    direction: Floats,
) -> Figure:
    """Compose learning curve, first and last path, value map, and up to six captioned rate maps."""
    with house_style():
        figure = new_figure(11.0, 5.0)
        rows = figure.add_gridspec(2, 1, height_ratios=[1.4, 1.0])
        top, bottom = figure.add_subfigure(rows[0, 0]), figure.add_subfigure(rows[1, 0])
        curve, before, after, critic = top.subplots(1, 4, width_ratios=[1.5, 1.0, 1.0, 1.15])
        draw_latency(curve, latency, success)
        for ax, path in ((before, first), (after, last)):
            draw_path(ax, scene, path)
        image = draw_value(critic, value, direction, bins, scene)
        critic.set_title("value and driving direction", fontsize=9, loc="center")
        bar = figure.colorbar(image, ax=critic, location="bottom", shrink=0.7, aspect=25, pad=0.02)
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=7.5)
        for ax, (rate, caption) in zip(
            np.atleast_1d(bottom.subplots(1, max(len(fields), 1))), fields, strict=False
        ):
            draw_rate_map(ax, rate, bins, scene)
            ax.set_title(caption, fontsize=8.5, loc="center", pad=2)
        if not fields:
            bottom.axes[0].set_axis_off()
        return figure
