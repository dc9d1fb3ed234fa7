"""A recorded drive as a picture: true path, dead reckoning and memory, landmarks, and the error over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .style import BLUE, GREEN, INK, MUTED, VERMILION, house_style, new_figure

Floats = NDArray[np.float64]
MARGIN = 0.08  #: of the extent, around what is drawn


@dataclass(frozen=True, eq=False)
class DrivePicture:
    """What is drawn, m and s, all in one frame."""

    t: Floats  #: (n,)
    memory: Floats  #: (n, 2)
    dead_reckoning: Floats | None  #: (n, 2) at `t`
    true_t: Floats | None  #: (m,)
    true: Floats | None  #: (m, 2)
    landmarks: Floats  #: (k, 2) where the memory has them
    names: Sequence[str]  #: (k,)
    surveyed: Floats | None  #: (l, 2) where landmarks truly are


def draw_drive(drive: DrivePicture, title: str) -> Figure:
    """Draw the map at the left, and the error over time at the right where the truth is known."""
    scored = drive.true is not None
    with house_style():
        figure = new_figure(10.0 if scored else 6.2, 5.6)
        axes = figure.subplots(1, 2, width_ratios=(1.25, 1.0)) if scored else [figure.add_subplot()]
        _map(axes[0], drive)
        if scored:
            _errors(axes[1], drive)
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8.5)
    return figure


def _map(ax: Axes, drive: DrivePicture) -> None:
    if drive.dead_reckoning is not None:
        ax.plot(
            *drive.dead_reckoning.T, color=MUTED, linewidth=0.7, alpha=0.65, label="dead reckoning", zorder=1
        )
    if drive.true is not None:
        ax.plot(*drive.true.T, color=BLUE, linewidth=1.6, alpha=0.8, label="true path", zorder=2)
    ax.plot(*drive.memory.T, color=VERMILION, linewidth=0.8, label="memory", zorder=3)
    ax.plot(*drive.memory[0], "o", color=INK, markersize=5, label="start", zorder=5, linestyle="")
    shown = [drive.memory]
    if drive.true is not None:
        shown.append(drive.true)
    if drive.surveyed is not None and len(drive.surveyed):
        ax.plot(*drive.surveyed.T, "s", color="none", markeredgecolor=BLUE, markersize=6, zorder=4,
                label="landmark, surveyed")  # fmt: skip
        shown.append(drive.surveyed)
    if len(drive.landmarks):
        ax.plot(*drive.landmarks.T, "^", color=GREEN, markersize=5, label="landmark, remembered", zorder=4)
        for name, place in zip(drive.names, drive.landmarks, strict=True):
            ax.annotate(name, place, (4, 3), textcoords="offset points", fontsize=7, color=GREEN, zorder=4)
        shown.append(drive.landmarks)
    # Dead reckoning may leave the hall by far: the view is that of the rest.
    every = np.concatenate(shown)
    low, high = every.min(axis=0), every.max(axis=0)
    room = MARGIN * float(max((high - low).max(), 1e-3))
    ax.set_xlim(low[0] - room, high[0] + room)
    ax.set_ylim(low[1] - room, high[1] + room)
    ax.set_aspect("equal")
    ax.set(xlabel="x (m)", ylabel="y (m)")


def _errors(ax: Axes, drive: DrivePicture) -> None:
    assert drive.true is not None
    assert drive.true_t is not None
    within = (drive.true_t >= drive.t[0]) & (drive.true_t <= drive.t[-1])
    times, true = drive.true_t[within], drive.true[within]

    def error(path: Floats) -> Floats:
        at = np.column_stack([np.interp(times, drive.t, column) for column in path.T])
        return np.asarray(np.hypot(*(at - true).T), np.float64)

    since = times - drive.t[0]
    if drive.dead_reckoning is not None:
        ax.plot(since, error(drive.dead_reckoning), color=MUTED, linewidth=1.1)
    ours = error(drive.memory)
    ax.plot(since, ours, color=VERMILION, linewidth=1.3)
    ax.axhline(float(np.sqrt(np.mean(ours**2))), color=VERMILION, linewidth=0.8, linestyle=(0, (3, 3)))
    ax.set(xlabel="time (s)", ylabel="distance from the true place (m)", xlim=(0.0, float(since[-1])))
    ax.set_ylim(bottom=0.0)
    ax.set_title("error; dashed: root mean square of the memory's")
