"""What becomes of events on their way to spikes: one row for each moment, one column for each stage."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .style import HAIRLINE, INK, MUTED, POLARITY_MAP, house_style, new_figure

Images = NDArray[np.float64]

STAGES = ("events", "denoised", "time surface", "orientation", "log intensity")


def draw_encoding(
    raw: Images,
    kept: Images,
    surfaces: Images,
    orientations: Images,
    log_intensity: Images,
    times: NDArray[np.float64],
    title: str,
) -> Figure:
    """Draw the stages at `times` (n,) s.

    Parameters
    ----------
    raw, kept : (n, height, width)
        ON minus OFF events of a short time, before and after denoising.
    surfaces : (n, 2, height, width)
        Time surfaces of OFF and ON events in [0, 1].
    orientations : (n, channels, height, width)
        Spikes of the channels; orientation k pi / channels, counter-clockwise from horizontal.
    log_intensity : (n, height, width)
        log units.
    times : (n,)
        s.
    title : str
        Above all.
    """
    with house_style():
        rows, columns, width = len(times), len(STAGES), 12.0
        shape = raw.shape[1] / raw.shape[2]
        panel = width / columns * shape
        figure = new_figure(width, rows * (panel + 0.06) + 1.25)
        grid = figure.add_gridspec(rows + 1, columns, height_ratios=[*[panel] * rows, 0.5])
        most = _high(np.abs(raw))
        light = [float(q) for q in np.quantile(log_intensity, [0.01, 0.99])]
        light = [light[0], max(light[1], light[0] + 1e-6)]
        signed: dict[str, Any] = {"cmap": POLARITY_MAP, "interpolation": "nearest"}
        for row in range(rows):
            pictures: tuple[tuple[Images, dict[str, Any]], ...] = (
                (raw[row], {**signed, "vmin": -most, "vmax": most}),
                (kept[row], {**signed, "vmin": -most, "vmax": most}),
                (surfaces[row, 1] - surfaces[row, 0], {**signed, "vmin": -1.0, "vmax": 1.0}),
                (colour_of_orientation(orientations[row], _high(orientations.max(axis=1))), {}),
                (log_intensity[row], {"cmap": "gray", "vmin": light[0], "vmax": light[1]}),
            )
            for column, (picture, how) in enumerate(pictures):
                axes = figure.add_subplot(grid[row, column])
                axes.imshow(picture, **how)
                axes.set(xticks=[], yticks=[])
                for spine in axes.spines.values():
                    spine.set(visible=True, color=HAIRLINE)
                if row == 0:
                    axes.set_title(STAGES[column])
                if column == 0:
                    axes.set_ylabel(f"{1e3 * times[row]:.0f} ms", color=INK)
        _polarity_key(figure.add_subplot(grid[rows, 0:3]))
        _orientation_key(figure.add_subplot(grid[rows, 3]), orientations.shape[1])
        _light_key(figure.add_subplot(grid[rows, 4]), light[1] - light[0])
        figure.suptitle(title, x=0.01, ha="left", fontsize=10.5)
    return figure


def colour_of_orientation(spikes: Images, most: float) -> Images:
    """Return an RGB image (height, width, 3): hue says which of the channels (n, height, width), white none.

    The hue is that of the mean of all channels on the circle of orientations, so it may lie between two;
    saturation is how far they agree, times how many spikes there are, `most` being full.
    """
    turn = np.exp(2j * np.pi * np.arange(len(spikes)) / len(spikes))
    vector = np.tensordot(turn, spikes, axes=1)
    saturation = np.clip(np.abs(vector) / most, 0.0, 1.0)
    hue = (np.angle(vector) / (2.0 * np.pi)) % 1.0
    return np.asarray(hsv_to_rgb(np.stack([hue, saturation, 1.0 - 0.15 * saturation], axis=-1)), np.float64)


def _high(values: Images) -> float:
    """Level that is drawn in full colour: few pixels have more."""
    changed = values[values > 0]
    return float(max(1e-6, np.quantile(changed, 0.9))) if changed.size else 1.0


def _bare(axes: Axes, low: float, high: float) -> None:
    axes.set(xlim=(low, high), ylim=(-1.0, 1.0))
    axes.set_axis_off()


def _polarity_key(axes: Axes) -> None:
    _bare(axes, 0.0, 10.0)
    axes.imshow(
        np.linspace(-1.0, 1.0, 64)[None], cmap=POLARITY_MAP, extent=(3.6, 6.4, -0.35, 0.35), aspect="auto"
    )
    axes.text(3.45, 0.0, "darker (OFF)", ha="right", va="center", fontsize=8, color=MUTED)
    axes.text(6.55, 0.0, "brighter (ON)", ha="left", va="center", fontsize=8, color=MUTED)


def _orientation_key(axes: Axes, channels: int) -> None:
    """Draw a stroke for each orientation in its colour."""
    _bare(axes, -0.7, channels - 0.3)
    axes.set_aspect("equal")
    for k in range(channels):
        one = np.zeros((channels, 1, 1))
        one[k] = 1.0
        dx, dy = 0.36 * np.cos(np.pi * k / channels), 0.36 * np.sin(np.pi * k / channels)
        colour = tuple(colour_of_orientation(one, 1.0)[0, 0])
        axes.plot([k - dx, k + dx], [-dy, dy], color=colour, linewidth=2.4)


def _light_key(axes: Axes, span: float) -> None:
    _bare(axes, 0.0, 10.0)
    axes.imshow(np.linspace(0.0, 1.0, 64)[None], cmap="gray", extent=(1.0, 6.0, -0.35, 0.35), aspect="auto")
    axes.text(6.3, 0.0, f"{span:.1f} log units", ha="left", va="center", fontsize=8, color=MUTED)
