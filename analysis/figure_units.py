"""Sheets of what cells code: along a track, by heading, at every lag, decoded, in theta, in bursts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .decoding import Decoded
from .precession import Crossings, Fit
from .rate_maps import Bins
from .style import BLUE, INK, MUTED, POLARITY_MAP, SKY, VERMILION, house_style, new_figure

Floats = NDArray[np.float64]


def track_sheet(maps: Floats, bins: Bins, titles: Sequence[str], heading: str, unit: str) -> Figure:
    """Draw rate along a linear track for maps (n, 1, columns) in Hz."""
    with house_style():
        figure, axes = _grid(len(maps), 6, 1.7, 1.15, heading)
        x = bins.centres[0]
        for ax, rate, title in zip(axes, maps[:, 0], titles, strict=False):
            ax.fill_between(x, np.nan_to_num(rate, nan=0.0), color=SKY, linewidth=0.0, alpha=0.6)
            ax.plot(x, rate, color=BLUE, linewidth=1.2)
            ax.set_ylim(0.0, None)
            ax.set_title(title, fontsize=7.5, loc="center", pad=2)
            ax.tick_params(labelsize=6.5)
        figure.supxlabel(f"place along the track, {unit}", fontsize=8.5)
        figure.supylabel("rate, Hz", fontsize=8.5)
        return figure


def heading_sheet(rate: Floats, titles: Sequence[str], heading: str) -> Figure:
    """Draw tuning curves (n, bins) in Hz by heading on polar axes."""
    with house_style():
        figure, axes = _grid(len(rate), 6, 1.6, 1.75, heading, polar=True)
        angle = (np.arange(rate.shape[1] + 1) + 0.5) * (2.0 * np.pi / rate.shape[1])
        for ax, curve, title in zip(axes, rate, titles, strict=False):
            closed = np.append(curve, curve[:1])
            ax.fill(angle, np.nan_to_num(closed, nan=0.0), color=SKY, alpha=0.6, linewidth=0.0)
            ax.plot(angle, closed, color=BLUE, linewidth=1.2)
            ax.set_xticks(np.arange(4) * np.pi / 2, labels=[])
            ax.set_yticks([])
            ax.set_title(title, fontsize=7.5, loc="center", pad=3)
        return figure


def correlogram_sheet(correlograms: Floats, bin_size: float, titles: Sequence[str], heading: str) -> Figure:
    """Draw autocorrelograms (n, rows, columns)."""
    with house_style():
        figure, axes = _grid(len(correlograms), 6, 1.55, 1.72, heading)
        half = [0.5 * bin_size * size for size in correlograms.shape[:0:-1]]
        extent = (-half[0], half[0], -half[1], half[1])
        for ax, image, title in zip(axes, correlograms, titles, strict=False):
            ax.imshow(image, origin="lower", extent=extent, cmap=POLARITY_MAP, vmin=-1.0, vmax=1.0)
            ax.set_axis_off()
            ax.set_title(title, fontsize=7.5, loc="center", pad=2)
        return figure


def decoding_figure(decoded: Decoded, linear: bool, unit: str, heading: str) -> Figure:
    """Draw decoded against true place, and how errors are distributed."""
    with house_style():
        figure = new_figure(8.4, 3.4)
        figure.suptitle(heading, x=0.01, ha="left", fontsize=11)
        left, right = figure.subplots(1, 2)
        true, estimate = decoded.true, decoded.estimate
        if linear:
            left.plot(true[:, 0], estimate[:, 0], ".", color=BLUE, markersize=3, alpha=0.4)
            span = [float(true[:, 0].min()), float(true[:, 0].max())]
            left.plot(span, span, color=MUTED, linewidth=0.8)
            left.set(xlabel=f"true place, {unit}", ylabel=f"decoded place, {unit}")
        else:
            shown = slice(0, min(len(true), 240))
            left.plot(*true[shown].T, color=INK, linewidth=1.2, label="true")
            left.plot(*estimate[shown].T, ".", color=VERMILION, markersize=3.5, label="decoded")
            left.set_aspect("equal")
            left.set(xlabel=f"x, {unit}", ylabel=f"y, {unit}")
            left.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.1)
        error = np.sort(decoded.error)
        right.plot(error, np.arange(1, error.size + 1) / error.size, color=BLUE)
        right.axvline(decoded.chance, color=MUTED, linewidth=1.0, linestyle="--")
        right.text(decoded.chance, 0.03, " median of chance", color=MUTED, fontsize=8)
        right.set(xlabel=f"error, {unit}", ylabel="share of windows", ylim=(0.0, 1.02), xlim=(0.0, None))
        return figure


def precession_sheet(fields: Sequence[tuple[Crossings, Fit]], heading: str) -> Figure:
    """Draw the phase of spikes, over two cycles, against how much of the field lies behind."""
    with house_style():
        figure, axes = _grid(len(fields), 4, 2.2, 2.0, heading)
        x = np.array([0.0, 1.0])
        for ax, (field, fit) in zip(axes, fields, strict=False):
            for turn in (0.0, 1.0):
                ax.plot(field.x, 360.0 * (field.phase + turn), ".", color=BLUE, markersize=2.0, alpha=0.5)
            for turn in (-1.0, 0.0, 1.0, 2.0):
                ax.plot(x, 360.0 * (fit.offset + fit.slope * x + turn), color=VERMILION, linewidth=1.2)
            ax.set(ylim=(0.0, 720.0), xlim=(0.0, 1.0), yticks=(0, 360, 720))
            ax.set_title(f"cell {field.unit}: r = {fit.r:.2f}", fontsize=7.5, loc="center", pad=2)
        figure.supxlabel("share of the field that lies behind", fontsize=8.5)
        figure.supylabel("theta phase, degrees", fontsize=8.5)
        return figure


def replay_figure(correlation: Floats, p: Floats, heading: str) -> Figure:
    """Draw |weighted correlation| (n,) of bursts and their p-values (n,), which are even without replay."""
    with house_style():
        figure = new_figure(8.4, 3.2)
        figure.suptitle(heading, x=0.01, ha="left", fontsize=11)
        left, right = figure.subplots(1, 2)
        left.hist(np.abs(correlation), np.linspace(0.0, 1.0, 21), color=BLUE)
        left.set(xlabel="size of the correlation of decoded place and time", ylabel="bursts")
        right.hist(p, np.linspace(0.0, 1.0, 21), color=BLUE)
        right.axhline(len(p) / 20.0, color=MUTED, linewidth=1.0, linestyle="--")
        right.set(xlabel="larger of the two p-values", ylabel="bursts")
        return figure


def _grid(
    n: int, columns: int, width: float, height: float, heading: str, polar: bool = False
) -> tuple[Figure, list[Axes]]:
    """Return a figure with `n` axes; what is left of the last row is empty."""
    if n == 0:
        raise ValueError("a sheet needs at least one cell")
    columns = min(columns, n)
    rows = -(-n // columns)
    figure = new_figure(max(width * columns, 4.5), height * rows + 0.7)
    figure.suptitle(heading, x=0.01, ha="left", fontsize=11)
    kind = {"projection": "polar"} if polar else {}
    axes = list(figure.subplots(rows, columns, squeeze=False, subplot_kw=kind).flat)
    for ax in axes[n:]:
        ax.set_axis_off()
    return figure, axes[:n]
