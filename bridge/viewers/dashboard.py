"""Draw an agent's state: arena and path, event image, place activity, raster, dopamine and value.

One function of a `StateHistory` into a matplotlib figure; it neither receives nor shows anything.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon
from numpy.typing import NDArray

from .history import RASTER_SECONDS, TRACE_SECONDS, Path, StateHistory
from .raster import POPULATION_COLOURS, Row, population_rows

BACKGROUND, PANEL, GRID, TEXT, FAINT = "#0d1117", "#141b24", "#273241", "#d7dee8", "#7f8ea3"
ESTIMATE, TRUE, GOAL, WALL = "#4cc9f0", "#f5f7fa", "#f9c74f", "#a7b3c4"
ON, OFF = "#ffb454", "#3fa7ff"
DOPAMINE, VALUE = "#f72585", "#80ed99"
EVENTS = LinearSegmentedColormap.from_list("events", [OFF, "#16324f", "#0f151d", "#4d3515", ON])
PLACES = LinearSegmentedColormap.from_list("places", ["#27496d", "#2a6f97", "#4cc9f0", "#f9c74f", "#fff3c4"])
MAX_RASTER = 20_000  #: spikes drawn; more are thinned out evenly
SIZE = (15.0, 8.6)  #: inches


class Dashboard:
    """The figure and everything in it that changes.

    Parameters
    ----------
    figure : Figure
        Empty; any canvas.
    """

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        figure.set_size_inches(*SIZE)
        figure.set_facecolor(BACKGROUND)
        rows = figure.add_gridspec(
            2, 1, height_ratios=(1.9, 1.0), left=0.08, right=0.985, top=0.895, bottom=0.065, hspace=0.2
        )
        grid = rows[0].subgridspec(1, 3, width_ratios=(1.0, 1.0, 1.05), wspace=0.14)
        right = grid[2].subgridspec(3, 1, height_ratios=(1.25, 1.0, 1.0), hspace=0.42)
        self._headline = figure.text(
            0.035, 0.955, "", color=TEXT, fontsize=15, fontweight="bold", va="center"
        )
        self._status = figure.text(0.985, 0.955, "", color=FAINT, fontsize=10, va="center", ha="right")
        self._arena = _panel(figure.add_subplot(grid[0]), "Arena and path (m)")
        self._places = _panel(figure.add_subplot(grid[1]), "Place cells")
        self._events = _panel(figure.add_subplot(right[0]), "Events")
        self._dopamine = _panel(figure.add_subplot(right[1]), "Dopamine (TD error)")
        self._value = _panel(figure.add_subplot(right[2]), "Value")
        self._raster = _panel(figure.add_subplot(rows[1]), "Spikes")
        self._walls = [LineCollection([], colors=WALL, linewidths=2.0, zorder=3) for _ in range(2)]
        for axes, walls in zip((self._arena, self._places), self._walls, strict=True):
            axes.set_aspect("equal", adjustable="box", anchor="N")
            axes.add_collection(walls, autolim=False)
            axes.locator_params(nbins=5)
        self._build_arena()
        self._build_others()
        self._layout: object = None

    def _build_arena(self) -> None:
        axes = self._arena
        (self._true_path,) = axes.plot([], [], color=TRUE, lw=1.0, alpha=0.35, label="true path")
        (self._path,) = axes.plot([], [], color=ESTIMATE, lw=0.9, alpha=0.35)
        (self._recent,) = axes.plot([], [], color=ESTIMATE, lw=2.0, label="estimate", solid_capstyle="round")
        self._goals = [
            Circle((0, 0), 0.1, fc=GOAL, ec=GOAL, alpha=0.28, zorder=1, visible=False) for _ in range(2)
        ]
        for panel, goal in zip((self._arena, self._places), self._goals, strict=True):
            panel.add_patch(goal)
        self._true_robot = Polygon(np.zeros((3, 2)), fc="none", ec=TRUE, lw=1.3, zorder=5)
        self._robot = Polygon(np.zeros((3, 2)), fc=ESTIMATE, ec=BACKGROUND, lw=0.8, zorder=6)
        axes.add_patch(self._true_robot)
        axes.add_patch(self._robot)
        self._legend = axes.legend(
            loc="upper right", fontsize=8, frameon=False, labelcolor=FAINT, handlelength=1.4
        )

    def _build_others(self) -> None:
        self._cells = self._places.scatter(
            [], [], s=[], c=[], cmap=PLACES, vmin=0.0, vmax=1.0, lw=0.4, ec="#00000055"
        )
        self._image = self._events.imshow(np.zeros((1, 1)), cmap=EVENTS, vmin=-3, vmax=3, aspect="auto")
        self._events.set_xticks([])
        self._events.set_yticks([])
        (self._dopamine_line,) = self._dopamine.plot([], [], color=DOPAMINE, lw=1.2)
        (self._value_line,) = self._value.plot([], [], color=VALUE, lw=1.2)
        self._reward_marks = self._dopamine.scatter(
            [], [], marker="v", s=38, color=GOAL, zorder=4, label="reward"
        )
        self._dopamine.axhline(0.0, color=GRID, lw=0.8, zorder=0)
        self._dopamine.tick_params(labelbottom=False)
        self._raster.set_xlabel("s of agent time", color=FAINT, fontsize=8, labelpad=1)
        self._rows = [
            self._raster.plot([], [], ls="", marker="|", ms=1.9, mew=0.7, color=colour)[0]
            for colour in POPULATION_COLOURS
        ]
        self._raster.tick_params(axis="y", length=0)

    def draw(self, history: StateHistory, headline: str = "", status: str = "") -> None:
        """Bring the figure up to date; the caller draws its canvas."""
        self._headline.set_text(headline)
        self._status.set_text(status)
        self._draw_arena(history)
        self._draw_places(history)
        self._draw_events(history)
        self._draw_traces(history)
        self._draw_raster(history)

    def _draw_arena(self, history: StateHistory) -> None:
        arena = history.arena
        estimate, true = arena.to_world(history.estimate.points), history.true.points
        self._path.set_data(estimate[:, 0], estimate[:, 1])
        recent = estimate[-250:]
        self._recent.set_data(recent[:, 0], recent[:, 1])
        self._true_path.set_data(true[:, 0], true[:, 1])
        for walls in self._walls:
            walls.set_segments(list(arena.walls))
        for goal in self._goals:
            goal.set_visible(arena.goal is not None)
            if arena.goal is not None:
                goal.set_center(arena.goal)
                goal.set_radius(max(arena.goal_radius, 0.03))
        turn = arena.map_origin[2] if arena.map_origin is not None else 0.0
        _place_robot(self._robot, estimate, history.estimate, turn)
        _place_robot(self._true_robot, true, history.true, 0.0)
        self._fit([arena.walls.reshape(-1, 2), estimate, true])

    def _fit(self, clouds: list[NDArray[np.float64]]) -> None:
        points = np.concatenate(clouds)
        points = points[np.isfinite(points).all(axis=1)]
        if not len(points):
            return
        low, high = points.min(axis=0), points.max(axis=0)
        centre, half = (low + high) / 2, max(float((high - low).max()) / 2, 0.2) * 1.08
        for axes in (self._arena, self._places):
            axes.set_xlim(centre[0] - half, centre[0] + half)
            axes.set_ylim(centre[1] - half, centre[1] + half)

    def _draw_places(self, history: StateHistory) -> None:
        centres, activity, peak = history.places.fields
        relative = activity / np.maximum(peak, 1e-9)
        order = np.argsort(relative)  # the active ones on top
        self._cells.set_offsets(history.arena.to_world(centres)[order])
        self._cells.set_array(relative[order])
        self._cells.set_sizes(16.0 + 130.0 * relative[order] ** 2)
        active = int(np.count_nonzero(relative > 0.2))
        cells = history.places.activity.size
        _retitle(self._places, f"Place cells, where they fired  ·  {active} of {cells} active")

    def _draw_events(self, history: StateHistory) -> None:
        if history.event_image.size:
            height, width = history.event_image.shape
            self._image.set_data(history.event_image)
            self._image.set_extent((-0.5, width - 0.5, height - 0.5, -0.5))
        _retitle(self._events, f"Events, ON orange, OFF blue  ·  {history.event_count} in the last period")

    def _draw_traces(self, history: StateHistory) -> None:
        start, end = history.time - TRACE_SECONDS, history.time
        for axes, line, trace in (
            (self._dopamine, self._dopamine_line, history.dopamine.samples),
            (self._value, self._value_line, history.value.samples),
        ):
            line.set_data(trace[:, 0], trace[:, 1])
            axes.set_xlim(start, end)
            finite = trace[np.isfinite(trace[:, 1]), 1]
            if finite.size:
                low, high = float(finite.min()), float(finite.max())
                margin = max(0.12 * (high - low), 1e-3 * max(abs(low), abs(high)), 1e-6)
                axes.set_ylim(low - margin, high + margin)
        rewards = history.rewards.samples
        top = self._dopamine.get_ylim()
        marks = np.column_stack([rewards[:, 0], np.full(len(rewards), top[1] - 0.1 * (top[1] - top[0]))])
        self._reward_marks.set_offsets(marks)

    def _draw_raster(self, history: StateHistory) -> None:
        times, neurons = history.spikes
        groups = population_rows(history.populations, int(neurons.max()) + 1 if neurons.size else 1)
        if groups != self._layout:
            self._lay_out_raster(groups)
        self._raster.set_xlim(history.time - RASTER_SECONDS, history.time)
        rate = times.size / RASTER_SECONDS
        _retitle(self._raster, f"Spikes  ·  {rate:,.0f} per second of agent time")
        if times.size > MAX_RASTER:
            keep = np.linspace(0, times.size - 1, MAX_RASTER).astype(np.int64)
            times, neurons = times[keep], neurons[keep]
        for row, (_, first, stop, bottom, top) in zip(self._rows, groups, strict=False):
            inside = (neurons >= first) & (neurons < stop)
            row.set_data(
                times[inside], bottom + (neurons[inside] - first) * ((top - bottom) / (stop - first))
            )
        for row in self._rows[len(groups) :]:
            row.set_data([], [])

    def _lay_out_raster(self, groups: list[Row]) -> None:
        self._layout = groups
        self._raster.set_ylim(groups[-1][4], 0.0)
        self._raster.set_yticks([(bottom + top) / 2 for *_, bottom, top in groups])
        labels = self._raster.set_yticklabels([name.replace("_", " ") for name, *_ in groups])
        for label, colour in zip(labels, POPULATION_COLOURS, strict=False):
            label.set_color(colour)


def _panel(axes: Axes, title: str) -> Axes:
    axes.set_facecolor(PANEL)
    _retitle(axes, title)
    axes.tick_params(colors=FAINT, labelsize=8, length=2)
    for spine in axes.spines.values():
        spine.set_color(GRID)
    return axes


def _retitle(axes: Axes, text: str) -> None:
    axes.set_title(text, color=TEXT, fontsize=10, loc="left", pad=5)


def _place_robot(robot: Polygon, points: NDArray[np.float64], path: Path, turn: float) -> None:
    robot.set_visible(path.heading is not None)
    if path.heading is None:
        return
    heading, size = path.heading + turn, 0.09
    angles = heading + np.array([0.0, 2.5, -2.5])
    robot.set_xy(points[-1] + size * np.column_stack([np.cos(angles), np.sin(angles)]))
