"""Where the robot went, and where it believed to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from .style import BLUE, GREEN, INK, MUTED, VERMILION, Scene, draw_arena, house_style, new_figure, scale_bar

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Path:
    """One trial in world coordinates, m."""

    trial: int
    true: Floats  #: (n, 2)
    estimate: Floats  #: (n, 2); NaN while the agent is not localised
    duration: float  #: s
    success: bool


def trajectories(scene: Scene, first: Sequence[Path], last: Sequence[Path]) -> Figure:
    """Draw the first trials in the upper row and the last in the lower."""
    columns = max(len(first), len(last), 1)
    wide = 4 if columns > 2 else 2  # the legend must not be wider than the figure
    with house_style():
        figure = new_figure(2.35 * columns, 5.5 if wide == 4 else 5.8)
        axes = figure.subplots(2, columns, squeeze=False)
        for row, paths in enumerate((first, last)):
            for column in range(columns):
                ax = axes[row, column]
                if column < len(paths):
                    draw_path(ax, scene, paths[column])
                else:
                    ax.set_axis_off()
        scale_bar(axes[1, 0], scene)
        figure.legend(handles=_legend(scene), loc="outside lower center", ncols=wide, fontsize=8.5)
        return figure


def draw_path(ax: Axes, scene: Scene, path: Path) -> None:
    """Draw one trial: true path, believed path, start and goal."""
    draw_arena(ax, scene)
    ax.plot(*path.true.T, color=BLUE, linewidth=1.3, zorder=2)
    ax.plot(*path.estimate.T, color=VERMILION, linewidth=0.9, linestyle=(0, (2, 1.5)), zorder=2.5)
    ax.plot(*path.true[0], "o", color=INK, markersize=5, zorder=4)
    ax.plot(*path.true[-1], "o", color=BLUE, markersize=4, zorder=4)
    ending = f"{path.duration:.1f} s" if path.success or scene["goal"] is None else "not found"
    ax.set_title(
        f"trial {path.trial}: {ending}", fontsize=9, color=INK if path.success else MUTED, loc="center"
    )


def _legend(scene: Scene) -> list[Line2D]:
    handles = [
        Line2D([], [], color=BLUE, label="true path"),
        Line2D([], [], color=VERMILION, linestyle=(0, (2, 1.5)), label="believed by the agent"),
        Line2D([], [], color=INK, marker="o", linestyle="", label="start"),
    ]
    if scene["goal"] is not None:
        handles.append(
            Line2D(
                [], [], color=GREEN, marker="o", linestyle="", alpha=0.4, markersize=9, label="hidden goal"
            )
        )
    return handles
