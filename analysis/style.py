"""One look for all figures: colours that colour-blind readers can tell apart, quiet axes, room to breathe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon

#: Okabe & Ito 2008, "Color Universal Design", without its black and its yellow (too light for lines).
BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7"
CYCLE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
INK, MUTED, HAIRLINE, PAPER, FLOOR = "#1F2933", "#7B8794", "#D5DBE1", "#FFFFFF", "#F4F6F8"
RATE_MAP, VALUE_MAP, POLARITY_MAP = "viridis", "cividis", "RdBu_r"

_RC: Any = {
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.5,
    "axes.titleweight": "normal",
    "axes.titlelocation": "left",
    "axes.prop_cycle": cycler(color=CYCLE),
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "savefig.dpi": 150,
    "figure.dpi": 150,
}

Scene = Mapping[
    str, Any
]  #: "outline" (n, 2), "walls" (n, 4), "pillars" (n, 3), "goal" (2,) or None, "goal_radius"


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the style to what is drawn inside the block, and to nothing else."""
    with mpl.rc_context(_RC):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of `width` by `height` inches that needs no display."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def draw_arena(ax: Axes, scene: Scene, *, goal: bool = True, floor: bool = True) -> None:
    """Draw floor, walls, pillars and goal of `scene` in m, without axes, in true proportion."""
    outline = np.asarray(scene["outline"], np.float64)
    if floor:
        ax.add_patch(Polygon(outline, facecolor=FLOOR, edgecolor="none", zorder=0))
    walls = np.asarray(scene["walls"], np.float64).reshape(-1, 2, 2)
    ax.add_collection(LineCollection(list(walls), colors=INK, linewidths=1.4, zorder=3, capstyle="round"))
    for x, y, radius in scene["pillars"]:
        ax.add_patch(Circle((x, y), radius, facecolor=MUTED, edgecolor=INK, linewidth=0.8, zorder=3))
    if goal and scene["goal"] is not None:
        disc = Circle(
            tuple(scene["goal"]),
            scene["goal_radius"],
            facecolor=GREEN,
            edgecolor=GREEN,
            alpha=0.35,
            linewidth=1.0,
        )
        ax.add_patch(disc)
    low, high = outline.min(axis=0), outline.max(axis=0)
    margin = 0.03 * float((high - low).max())
    ax.set_xlim(low[0] - margin, high[0] + margin)
    ax.set_ylim(low[1] - margin, high[1] + margin)
    ax.set_aspect("equal")
    ax.set_axis_off()


def clip_to_arena(ax: Axes, artist: Artist, scene: Scene) -> None:
    """Show of `artist` only what lies inside the outline of the arena."""
    outline = Polygon(np.asarray(scene["outline"], np.float64), transform=ax.transData)
    artist.set_clip_path(outline)


def scale_bar(ax: Axes, scene: Scene, length: float = 0.5) -> None:
    """Draw a bar of `length` m below the arena, at the left, without moving the view."""
    outline = np.asarray(scene["outline"], np.float64)
    low, high = outline.min(axis=0), outline.max(axis=0)
    y = low[1] - 0.05 * (high[1] - low[1])
    view = ax.get_ylim()
    ax.plot([low[0], low[0] + length], [y, y], color=INK, linewidth=2.0, clip_on=False, solid_capstyle="butt")
    ax.text(low[0] + length + 0.03 * (high[0] - low[0]), y, f"{length:g} m", va="center", fontsize=8)
    ax.set_ylim(*view)
