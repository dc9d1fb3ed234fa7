"""Recorded events as pictures: a sheet with the rate over time, and a film."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from .style import BLUE, FLOOR, HAIRLINE, MUTED, POLARITY_MAP, VERMILION, house_style, new_figure

Images = NDArray[np.int32]  #: (n, height, width) ON minus OFF events


def draw_sheet(
    images: Images,
    starts: NDArray[np.float64],
    span: float,
    rates: NDArray[np.float64],
    every: float,
    title: str,
) -> Figure:
    """Draw `images`, each of `span` s from `starts` (n,) s, above the rates (2, bins) of ON and OFF events.

    `rates` are events per s in bins of `every` s from 0 s on.
    """
    with house_style():
        columns, most = min(4, len(images)), _most(images)
        rows = -(-len(images) // columns)
        shape = images.shape[1] / images.shape[2]
        width = 9.0
        figure = new_figure(width, rows * (width / columns * shape + 0.35) + 2.0)
        grid = figure.add_gridspec(rows + 1, columns, height_ratios=[*[width / columns * shape] * rows, 1.3])
        for k, (image, start) in enumerate(zip(images, starts, strict=True)):
            axes = figure.add_subplot(grid[k // columns, k % columns])
            axes.imshow(image, cmap=POLARITY_MAP, vmin=-most, vmax=most, interpolation="nearest")
            axes.set_title(f"{1e3 * start:.1f} ms", fontsize=8.5)
            axes.set(xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set(visible=True, color=HAIRLINE)
        axes = figure.add_subplot(grid[rows, :])
        times = 1e3 * every * np.arange(rates.shape[1] + 1)
        for rate, colour, name in zip(rates, (VERMILION, BLUE), ("ON", "OFF"), strict=True):
            axes.stairs(1e-3 * rate, times, color=colour, label=name)
        # A burst, such as a camera sends when it starts, would flatten all the rest.
        usual, peak = 1.5e-3 * float(np.quantile(rates, 0.98)), 1e-3 * float(rates.max())
        cut = peak > 2.0 * usual > 0.0
        top = usual if cut else 1.1 * max(peak, 1e-6)
        axes.set(xlabel="ms", ylabel="1000 events / s", xlim=(0.0, times[-1]), ylim=(0.0, top))
        if cut:
            when = times[int(np.argmax(rates.max(axis=0)))]
            axes.annotate(f" up to {peak:.0f}", (when, 0.92 * top), fontsize=8, color=MUTED)
        axes.legend(loc="upper right", ncols=2)
        for start in starts:
            axes.axvspan(1e3 * start, 1e3 * (start + span), color=FLOOR, linewidth=0, zorder=0)
        figure.suptitle(title, x=0.01, ha="left", fontsize=10.5)
    return figure


def film(images: Images) -> list[Image.Image]:
    """Return one picture for each of `images`: red where it became brighter, blue where darker."""
    scale, pictures = 127.0 / _most(images), []
    for image in images:
        level = np.clip(scale * image, -127.0, 127.0).astype(np.int16)
        red, blue = 255 + np.minimum(level, 0) * 2, 255 - np.maximum(level, 0) * 2
        picture = np.stack([red, np.minimum(red, blue), blue], axis=-1).astype(np.uint8)
        pictures.append(Image.fromarray(picture).quantize(64))
    return pictures


def _most(images: Images) -> float:
    """Level that is drawn in full colour: few pixels have more."""
    changed = np.abs(images[images != 0])
    return float(max(1.0, np.quantile(changed, 0.98))) if changed.size else 1.0
