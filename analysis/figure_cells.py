"""Rate maps of cells, and maps of value over the arena."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import NDArray

from .rate_maps import Bins
from .style import (
    INK,
    RATE_MAP,
    VALUE_MAP,
    VERMILION,
    Scene,
    clip_to_arena,
    draw_arena,
    house_style,
    new_figure,
)

Floats = NDArray[np.float64]


def rate_map_sheet(
    maps: Floats, bins: Bins, scene: Scene, titles: Sequence[str], heading: str, columns: int = 6
) -> Figure:
    """Draw rate maps (n, rows, columns) in Hz, each on its own scale from 0 to its peak, under `heading`."""
    n = len(maps)
    if n == 0 or n != len(titles):
        raise ValueError(f"a sheet needs at least one map and a title for each, got {n} and {len(titles)}")
    rows = -(-n // columns)
    with house_style():
        figure = new_figure(1.55 * columns, 1.72 * rows + 0.75)
        figure.suptitle(heading, x=0.01, ha="left", fontsize=11)
        axes = figure.subplots(rows, columns, squeeze=False)
        for k, ax in enumerate(axes.flat):
            if k < n:
                draw_rate_map(ax, maps[k], bins, scene)
                ax.set_title(titles[k], fontsize=7.5, loc="center", pad=2)
            else:
                ax.set_axis_off()
        shades = ScalarMappable(Normalize(0.0, 1.0), RATE_MAP)
        bar = figure.colorbar(shades, ax=axes, location="bottom", shrink=0.25, aspect=30, pad=0.02)
        bar.set_ticks([0.0, 1.0], labels=["0 Hz", "the cell's peak"])
        bar.outline.set_visible(False)
        return figure


def draw_rate_map(ax: Axes, rate: Floats, bins: Bins, scene: Scene) -> None:
    """Draw one rate map (rows, columns) in Hz."""
    draw_arena(ax, scene, goal=False)
    peak = float(np.nanmax(rate)) if np.isfinite(rate).any() else 1.0
    view = ax.axis()
    image = ax.imshow(
        rate, origin="lower", extent=bins.extent, cmap=RATE_MAP, vmin=0.0, vmax=max(peak, 1e-9), zorder=1
    )
    ax.axis(view)
    clip_to_arena(ax, image, scene)


def value_map(value: Floats, heading: Floats, bins: Bins, scene: Scene) -> Figure:
    """Draw the critic's value (rows, columns), and the mean `heading` (2, rows, columns) as arrows."""
    with house_style():
        figure = new_figure(5.4, 4.7)
        ax = figure.subplots()
        image = draw_value(ax, value, heading, bins, scene)
        bar = figure.colorbar(image, ax=ax, shrink=0.75, aspect=25)
        bar.outline.set_visible(False)
        bar.set_label("value of the place, from the spikes of the critic")
        ax.set_title("What the critic expects, and where the robot drives")
        return figure


def draw_value(ax: Axes, value: Floats, heading: Floats, bins: Bins, scene: Scene) -> ScalarMappable:
    """Draw value and driving direction on `ax`; return what a colour bar needs."""
    draw_arena(ax, scene, goal=False)
    view = ax.axis()
    image = ax.imshow(value, origin="lower", extent=bins.extent, cmap=VALUE_MAP, zorder=1)
    ax.axis(view)
    clip_to_arena(ax, image, scene)
    x, y = bins.centres
    step = max(1, round(0.12 / bins.size))
    pick = (slice(step // 2, None, step), slice(step // 2, None, step))
    length = np.hypot(*heading)
    with np.errstate(invalid="ignore"):
        clear = length > 0.35  # directions that do not cancel out
        u, v = (np.where(clear, component / length, np.nan)[pick] for component in heading)
    arrows = ax.quiver(
        *np.meshgrid(x[pick[1]], y[pick[0]]), u, v,
        color="white", edgecolor=INK, linewidth=0.3, scale=22, width=0.006, headwidth=4.5, zorder=2,
        pivot="mid",
    )  # fmt: skip
    clip_to_arena(ax, arrows, scene)
    if scene["goal"] is not None:
        for colour, width in (("white", 4.0), (VERMILION, 1.8)):
            ring = Circle(
                tuple(scene["goal"]), scene["goal_radius"], fill=False, edgecolor=colour, linewidth=width
            )
            ring.set_zorder(4)
            ax.add_patch(ring)
    return image
