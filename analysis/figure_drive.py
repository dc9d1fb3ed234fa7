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
    """Draw the map, and where the truth is known the error over time: beside a tall map, below a wide one."""
    scored = drive.true is not None
    low, high = _view(drive)
    tall = float((high - low)[1] / (high - low)[0])
    beside = tall > 0.9
    with house_style():
        if not scored:
            figure = new_figure(6.2, 1.2 + 5.4 * min(max(tall, 0.5), 1.4))
            axes = [figure.add_subplot()]
        elif beside:
            wide = 5.2 / min(tall, 2.2)
            figure = new_figure(1.4 + wide + 4.6, 6.4)
            axes = list(figure.subplots(1, 2, width_ratios=(wide, 4.2)))
        else:
            high_map = 6.4 * max(tall, 0.35)
            figure = new_figure(7.4, high_map + 4.0)
            axes = list(figure.subplots(2, 1, height_ratios=(high_map, 2.4)))
        _map(axes[0], drive)
        axes[0].set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="x (m)", ylabel="y (m)")
        if scored:
            _errors(axes[1], drive)
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8.5)
    return figure


def _view(drive: DrivePicture) -> tuple[Floats, Floats]:
    """Return the corners of the map, (2,) each. Dead reckoning may leave the hall by far; it is cut off."""
    shown = [drive.memory, drive.landmarks.reshape(-1, 2)]
    shown += [more for more in (drive.true, drive.surveyed) if more is not None]
    every = np.concatenate(shown)
    low, high = every.min(axis=0), every.max(axis=0)
    room = MARGIN * float(max((high - low).max(), 0.1))
    return low - room, high + room


def _map(ax: Axes, drive: DrivePicture) -> None:
    if drive.dead_reckoning is not None:
        ax.plot(
            *drive.dead_reckoning.T, color=MUTED, linewidth=0.7, alpha=0.65, label="dead reckoning", zorder=1
        )
    if drive.true is not None:
        ax.plot(*drive.true.T, color=BLUE, linewidth=1.6, alpha=0.8, label="true path", zorder=2)
    ax.plot(*drive.memory.T, color=VERMILION, linewidth=0.8, label="memory", zorder=3)
    ax.plot(*drive.memory[0], "o", color=INK, markersize=5, label="start", zorder=5, linestyle="")
    if drive.surveyed is not None and len(drive.surveyed):
        ax.plot(*drive.surveyed.T, "s", color="none", markeredgecolor=BLUE, markersize=6, zorder=4,
                label="landmark, surveyed")  # fmt: skip
    if len(drive.landmarks):
        ax.plot(*drive.landmarks.T, "^", color=GREEN, markersize=5, label="landmark, remembered", zorder=4)
        for name, place in zip(drive.names, drive.landmarks, strict=True):
            ax.annotate(name, place, (4, 3), textcoords="offset points", fontsize=7, color=GREEN, zorder=4)
    ax.set_aspect("equal")


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
        ax.plot(since, error(drive.dead_reckoning), color=MUTED, linewidth=1.1, label="dead reckoning")
    ours = error(drive.memory)
    ax.plot(since, ours, color=VERMILION, linewidth=1.3, label="memory")
    level = float(np.sqrt(np.mean(ours**2)))
    ax.axhline(level, color=VERMILION, linewidth=0.8, linestyle=(0, (3, 3)), label=f"its rms, {level:.2f} m")
    ax.legend(loc="upper left", fontsize=8.5)
    ax.set(xlabel="time (s)", ylabel="distance from the true place (m)", xlim=(0.0, float(since[-1])))
    ax.set_ylim(bottom=0.0)
