"""Learning curves: one run, and arms of a comparison with confidence bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from .statistics import bootstrap_band, bootstrap_interval, interquartile_mean
from .style import BLUE, CYCLE, HAIRLINE, MUTED, VERMILION, house_style, new_figure

Floats = NDArray[np.float64]
_WINDOW = 5  #: trials in the running median and in the blocks at either end


def learning_curve(
    latency: Floats,
    success: NDArray[np.bool_],
    place_error: Floats,
    reckoning_errors: Mapping[str, float | None] | None = None,
) -> Figure:
    """One run: escape latency in s and place error in m, trial by trial, each array (trials,).

    `reckoning_errors` in m, by what does it, are drawn for comparison: what dead reckoning alone was off by
    in the first episode.
    """
    with house_style():
        figure = new_figure(9.0, 3.4)
        left, right = figure.subplots(1, 2)
        draw_latency(left, latency, success)
        trial = np.arange(1, place_error.size + 1)
        right.plot(trial, 100.0 * place_error, "o-", color=BLUE, markersize=4, linewidth=1.2, label="memory")
        for how, error in (reckoning_errors or {}).items():
            if error is None:
                continue
            right.axhline(100.0 * error, color=VERMILION, linestyle="--", linewidth=1.2)
            right.annotate(
                f"dead reckoning by {how}, first episode",
                (trial[-1], 100.0 * error),
                xytext=(0, 4),
                textcoords="offset points",
                color=VERMILION,
                fontsize=8.5,
                ha="right",
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
                zorder=1,
            )
        right.set(title="Error of the remembered place", xlabel="trial", ylabel="cm")
        right.set_ylim(bottom=0.0)
        right.set_xlim(0.5, trial.size + 0.5)
        right.xaxis.set_major_locator(MaxNLocator(integer=True))
        return figure


def draw_latency(ax: Axes, latency: Floats, success: NDArray[np.bool_]) -> None:
    """Draw latencies in s (trials,) with a running median; open marks are trials that were cut off."""
    trial = np.arange(1, latency.size + 1)
    ax.plot(trial, running_median(latency), color=BLUE, label=f"median of {_WINDOW}")
    ax.plot(trial[success], latency[success], "o", color=BLUE, markersize=5, label="found")
    ax.plot(
        trial[~success],
        latency[~success],
        "o",
        markersize=5,
        markerfacecolor="none",
        color=VERMILION,
        label="gave up",
    )
    if latency.size >= 2 * _WINDOW:
        for block, at in ((latency[:_WINDOW], trial[:_WINDOW]), (latency[-_WINDOW:], trial[-_WINDOW:])):
            ax.hlines(np.median(block), at[0] - 0.4, at[-1] + 0.4, color=MUTED, linewidth=1.0, linestyle=":")
    ax.set(title="Escape latency", xlabel="trial", ylabel="s")
    ax.set_xlim(0.5, latency.size + 0.5)
    ax.set_ylim(0.0, 1.22 * float(latency.max(initial=1.0)))
    ax.legend(
        fontsize=7.5, loc="upper right", ncols=3, columnspacing=1.0, handlelength=1.2, borderaxespad=0.0
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def running_median(values: Floats, window: int = _WINDOW) -> Floats:
    """Median over a centred window, shorter at the ends (n,)."""
    half = window // 2
    return np.array([np.median(values[max(0, i - half) : i + half + 1]) for i in range(values.size)])


def comparison(
    latency: Mapping[str, Floats],
    windows: Sequence[tuple[int, int]] | None = None,
    limit: float | None = None,
) -> Figure:
    """Arms side by side: median latency in s over seeds with its 95 % band, and means over windows of trials.

    Parameters
    ----------
    latency
        (seeds, trials) by arm, in s.
    windows
        First and last trials, from 1, over which interquartile means are drawn with their intervals. Default:
        the first and the last five.
    limit
        Time limit of a trial in s, drawn as a line.
    """
    trials = min(runs.shape[1] for runs in latency.values())
    if windows is None:
        ends = [(1, _WINDOW), (trials - _WINDOW + 1, trials)]
        windows = ends if trials >= 2 * _WINDOW else [(1, trials)]
    with house_style():
        figure = new_figure(9.5, max(3.8, 1.2 + 0.16 * len(latency) * (1 + len(windows))))
        curves, dots = figure.subplots(1, 2, width_ratios=[1.5, 1.0])
        for colour, (arm, runs) in zip(_colours(len(latency)), latency.items(), strict=True):
            _draw_band(curves, runs, arm, colour)
        curves.set(title=f"Escape latency, median over {_seed_range(latency)} seeds and 95 % band")
        curves.set(xlabel="trial", ylabel="s")
        curves.set_ylim(bottom=0.0)
        curves.xaxis.set_major_locator(MaxNLocator(integer=True))
        if limit is not None:
            curves.axhline(limit, color=HAIRLINE, linewidth=1.0, zorder=0)
        # Below the axes: bands of arms that do not learn fill the whole height.
        curves.legend(
            fontsize=8.5,
            loc="upper left",
            bbox_to_anchor=(0.0, -0.14),
            ncols=min(5, len(latency)),
            handlelength=1.2,
            columnspacing=1.2,
            borderaxespad=0.0,
        )
        _draw_windows(dots, latency, windows)
        return figure


def _draw_band(ax: Axes, runs: Floats, label: str, colour: str) -> None:
    trial = np.arange(1, runs.shape[1] + 1)
    ax.plot(trial, np.median(runs, axis=0), color=colour, label=label)
    if runs.shape[0] > 1:
        low, high = bootstrap_band(runs)
        ax.fill_between(trial, low, high, color=colour, alpha=0.15, linewidth=0.0)


def _draw_windows(ax: Axes, latency: Mapping[str, Floats], windows: Sequence[tuple[int, int]]) -> None:
    """Interquartile mean over seeds times trials of each window, a row each, with its interval over seeds."""
    rows, names = [], []
    for arm, (colour, runs) in enumerate(zip(_colours(len(latency)), latency.values(), strict=True)):
        top = arm * (len(windows) + 0.8)
        for k, (first, last) in enumerate(windows):
            part, at = runs[:, first - 1 : last], top + k
            if len(runs) > 1:
                low, high = bootstrap_interval(part, interquartile_mean)
                ax.hlines(at, low, high, color=colour, linewidth=4.5, alpha=0.35)
            ax.plot(interquartile_mean(part), at, "o", color=colour, markersize=4.0, zorder=4)
            rows.append(at)
            span = f"{first}-{last}" if last > first else f"{first}"
            names.append(f"{list(latency)[arm]}   {span}" if k == 0 else span)
    ax.set_yticks(rows, names)
    ax.set_ylim(max(rows) + 0.8, -0.8)
    ax.set(title="Interquartile mean, 95 % interval", xlabel="s")
    ax.set_xlim(left=0.0)
    ax.margins(x=0.08)
    ax.grid(axis="x", color=HAIRLINE, linewidth=0.7)
    ax.set_axisbelow(True)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _colours(n: int) -> Sequence[str]:
    return [CYCLE[i % len(CYCLE)] for i in range(n)]


def _seed_range(latency: Mapping[str, Floats]) -> str:
    counts = {runs.shape[0] for runs in latency.values()}
    return str(counts.pop()) if len(counts) == 1 else f"{min(counts)}-{max(counts)}"
