"""A short animation of one trial: top view with path, what the camera sees, and the place cells."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import IO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from PIL import Image

from .style import (
    BLUE,
    HAIRLINE,
    INK,
    ORANGE,
    POLARITY_MAP,
    VERMILION,
    Scene,
    draw_arena,
    house_style,
    new_figure,
)

Floats = NDArray[np.float64]
_QUIET_TO_LOUD = LinearSegmentedColormap.from_list("quiet to loud", ["#E9EDF1", ORANGE, VERMILION])


@dataclass(frozen=True)
class Film:
    """What is shown, sampled every `dt` s; n frames."""

    dt: float
    pose: Floats  #: (n, 3) true, world frame: m, m, rad
    estimate: Floats  #: (n, 2) m, world frame; NaN while not localised
    events: NDArray[np.int8]  #: (n, height, width) ON minus OFF events
    field_centre: Floats  #: (cells, 2) m: where each place cell fires most
    activity: Floats  #: (n, cells) firing rate, Hz
    value: Floats  #: (n,)
    trial: int


def animate(scene: Scene, film: Film, colours: int = 96) -> list[Image.Image]:
    """Draw the film and return its frames with a shared palette of `colours`, ready for `save_gif`."""
    if len(film.pose) == 0:
        raise ValueError("a film needs at least one frame")
    with house_style():
        figure = new_figure(7.2, 3.7)
        figure.set_dpi(88)
        stage = _Stage(figure, scene, film)
        frames = [stage.draw(k) for k in range(len(film.pose))]
    # One palette for all frames, taken from several: colours do not flicker and the file stays small.
    samples = frames[:: max(1, len(frames) // 6)]
    sheet = Image.fromarray(np.concatenate([np.asarray(frame) for frame in samples]))
    palette = sheet.quantize(colours, method=Image.Quantize.MEDIANCUT)
    return [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]


def save_gif(file: str | PathLike[str] | IO[bytes], frames: list[Image.Image], dt: float) -> None:
    """Write frames that are `dt` s apart as an animation in real time."""
    milliseconds = max(20, round(100.0 * dt) * 10)  # GIF counts in hundredths of a second
    first, *rest = frames
    first.save(
        file, format="GIF", save_all=True, append_images=rest, duration=milliseconds, loop=0, optimize=True
    )


class _Stage:
    """The artists of the film, drawn once and then moved."""

    def __init__(self, figure: Figure, scene: Scene, film: Film) -> None:
        self._figure = figure
        self._film = film
        grid = figure.add_gridspec(2, 2, width_ratios=[1.25, 1.0], height_ratios=[0.55, 1.45])
        top = figure.add_subplot(grid[:, 0])
        draw_arena(top, scene)
        self._path: Line2D = top.plot([], [], color=BLUE, linewidth=1.6)[0]
        self._belief: Line2D = top.plot(
            [], [], "o", color=VERMILION, markersize=8, markerfacecolor="none", markeredgewidth=1.8, zorder=6
        )[0]
        self._robot: Line2D = top.plot([], [], "o", color=INK, markersize=8, zorder=5)[0]
        self._nose: Line2D = top.plot([], [], color=INK, linewidth=2.2, zorder=5)[0]
        self._title = top.set_title(" ")
        top.legend(
            handles=[
                Line2D([], [], marker="o", linestyle="", color=INK, label="robot"),
                Line2D(
                    [],
                    [],
                    marker="o",
                    linestyle="",
                    color=VERMILION,
                    markerfacecolor="none",
                    label="its own belief",
                ),
            ],
            loc="lower center",
            bbox_to_anchor=(0.5, -0.1),
            ncols=2,
            fontsize=8.5,
        )
        eye = figure.add_subplot(grid[0, 1])
        self._events: AxesImage = eye.imshow(
            film.events[0], cmap=POLARITY_MAP, vmin=-2, vmax=2, aspect="auto", interpolation="nearest"
        )
        eye.set(xticks=[], yticks=[], title="events of the panoramic camera")
        eye.spines[["top", "right"]].set_visible(True)
        field = figure.add_subplot(grid[1, 1])
        draw_arena(field, scene, goal=False)
        field.set_title("place cells, where they fire")
        self._loudest = (
            max(float(np.quantile(film.activity.max(axis=1), 0.9)), 1e-9) if film.activity.size else 1.0
        )
        centre = film.field_centre.reshape(-1, 2)
        self._cells: PathCollection = field.scatter(
            centre[:, 0], centre[:, 1], s=14, c=np.zeros(len(centre)), cmap=_QUIET_TO_LOUD, vmin=0, vmax=1,
            edgecolors=HAIRLINE, linewidths=0.3, zorder=2,
        )  # fmt: skip
        figure.canvas.draw()
        figure.set_layout_engine("none")  # the layout stays; solving it for every frame would take minutes

    def draw(self, k: int) -> Image.Image:
        film = self._film
        x, y, heading = film.pose[k]
        self._path.set_data(film.pose[: k + 1, 0], film.pose[: k + 1, 1])
        self._robot.set_data([x], [y])
        self._nose.set_data([x, x + 0.1 * np.cos(heading)], [y, y + 0.1 * np.sin(heading)])
        self._belief.set_data(film.estimate[k : k + 1, 0], film.estimate[k : k + 1, 1])
        self._title.set_text(f"trial {film.trial}, {k * film.dt:4.1f} s")
        self._events.set_data(film.events[k])
        loudness = np.clip(film.activity[k] / self._loudest, 0.0, 1.0)
        order = np.argsort(loudness, kind="stable")
        self._cells.set_offsets(film.field_centre.reshape(-1, 2)[order])
        self._cells.set_array(loudness[order])
        self._cells.set_sizes(8.0 + 50.0 * loudness[order])
        canvas = self._figure.canvas
        assert isinstance(canvas, FigureCanvasAgg)
        canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib gives these two no types
        return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]
