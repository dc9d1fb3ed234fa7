"""`tolman plot`: the figures of a training run or of a comparison, from what lies in its folder."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console

from ..analysis import figure_animation, figure_cells, figure_learning, figure_overview, figure_paths
from ..analysis.cells import CellMaps, best_cells, gridness_scores, information
from .errors import UserError
from .files import COMPARISON_FILE, atomic
from .run_folder import RunFolder, read_json
from .terminal import make_console

COMPARISON_FIGURE = "comparison.png"

ANIMATION = "animation.gif"
_SHEETS = (
    "overview.png",
    "learning_curve.png",
    "trajectories.png",
    "rate_maps_place.png",
    "rate_maps_grid.png",
    "value_map.png",
)
FIGURES = (*_SHEETS, ANIMATION)  #: of a training run, in reading order

_SHOWN_PATHS = 4  #: trials at either end
_SHOWN_CELLS = 18
_SCORED_CELLS = 40  #: of each grid module
_FILM_SECONDS = 10.0  #: longest animation
_FRAME_PERIODS = 2  #: control periods between frames: 12.5 frames a second
_LEAST_SPIKES = 50  #: cells with fewer are not scored


def command(arguments: Namespace) -> None:
    """Run `tolman plot`."""
    folder = Path(arguments.run)
    if not folder.is_dir():
        raise UserError(f"no folder {folder}")
    console = make_console()
    compared = (folder / COMPARISON_FILE).is_file()
    for file in [draw_comparison(folder)] if compared else make_figures(folder, console=console):
        console.print(str(file))


def draw_comparison(folder: Path) -> Path:
    """Draw the comparison whose JSON lies in `folder`; return the file."""
    file = folder / COMPARISON_FILE
    try:
        result = read_json(file)
        if not result["arms"]:
            raise KeyError("arms")
        windows = [(int(first), int(last)) for first, last in result.get("windows", ())] or None
        latency = {
            arm: np.array([[trial["latency_s"] for trial in trials] for trials in found["trials"].values()])
            for arm, found in result["arms"].items()
        }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(f"{file} is not the result of a comparison") from error
    return _save(figure_learning.comparison(latency, windows), folder / COMPARISON_FIGURE)


def make_figures(folder: Path, console: Console | None = None) -> list[Path]:
    """Make every figure that the run in `folder` has the records for; return the files in reading order.

    Raises
    ------
    UserError
        If the folder holds no run.
    """
    run = RunFolder(folder)
    with nullcontext() if console is None else console.status("drawing"):
        place = run.cells("place") if "place" in run.populations else None
        grids = {name: run.cells(name) for name in run.populations if name.startswith("grid")}
        value, direction = run.value()
        numbers = sorted(trial for trial in run.trials if trial > 0)
        shown = min(_SHOWN_PATHS, -(-len(numbers) // 2))
        sheets: tuple[Callable[[], Figure | None], ...] = (
            lambda: _overview(run, place, grids),
            lambda: figure_learning.learning_curve(
                run.latency, run.success, run.place_error, run.reckoning_errors
            ),
            lambda: figure_paths.trajectories(
                run.scene,
                [run.path(trial) for trial in numbers[:shown]],
                [run.path(trial) for trial in numbers[len(numbers) - min(shown, len(numbers) - shown) :]],
            ),
            lambda: None if place is None else _place_sheet(run, place),
            lambda: _grid_sheet(run, grids),
            lambda: figure_cells.value_map(value, direction, run.bins, run.scene),
        )
        files = []
        for name, draw in zip(_SHEETS, sheets, strict=True):
            figure = draw()
            if figure is not None:
                files.append(_save(figure, folder / name))
        if numbers:
            files.append(_save_film(run, place, numbers, folder / ANIMATION))
    return files


def _place_sheet(run: RunFolder, place: CellMaps) -> Figure | None:
    shown = best_cells(place, _SHOWN_CELLS, _LEAST_SPIKES)
    if shown.size == 0:
        return None
    bits = information(place)
    active = np.flatnonzero(place.spikes >= _LEAST_SPIKES)
    heading = (
        f"Place cells: {active.size} of {len(place.rate)} active,"
        f" spatial information {np.median(bits[active]):.2f} bits/spike (median)"
    )
    titles = [f"{place.peak[cell]:.0f} Hz, {bits[cell]:.1f} bits" for cell in shown]
    return figure_cells.rate_map_sheet(place.rate[shown], run.bins, run.scene, titles, heading)


def _grid_sheet(run: RunFolder, grids: dict[str, CellMaps]) -> Figure | None:
    """Draw the cells of the highest gridness of each module."""
    maps, titles, every = [], [], []
    each = max(1, _SHOWN_CELLS // max(1, len(grids)))
    for name, module in grids.items():
        active = np.flatnonzero(module.spikes >= _LEAST_SPIKES)
        if active.size == 0:
            continue
        # Scored cells are drawn evenly, so that the share in the heading is not that of hand-picked ones.
        cells = active[np.linspace(0, active.size - 1, min(_SCORED_CELLS, active.size)).astype(np.int64)]
        scores, scales = gridness_scores(module, cells)
        every.append(scores)
        for k in np.argsort(np.nan_to_num(scores, nan=-9.0))[::-1][:each]:
            maps.append(module.rate[cells[k]])
            scale = "" if np.isnan(scales[k]) else f", {100 * scales[k]:.0f} cm"
            titles.append(f"{name.replace('_', ' ')}: {scores[k]:.2f}{scale}")
    if not maps:
        return None
    scores = np.concatenate(every)
    heading = (
        f"Grid cells, gridness and grid scale: gridness > 0.4 in {100 * np.mean(scores > 0.4):.0f} %"
        f" of {scores.size} cells drawn evenly; the best are shown"
    )
    return figure_cells.rate_map_sheet(np.array(maps), run.bins, run.scene, titles, heading)


def _overview(run: RunFolder, place: CellMaps | None, grids: dict[str, CellMaps]) -> Figure | None:
    numbers = sorted(trial for trial in run.trials if trial > 0)
    if not numbers:
        return None
    fields: list[tuple[Any, str]] = []
    if place is not None:
        fields += [(place.rate[cell], "place cell") for cell in best_cells(place, 3, _LEAST_SPIKES)]
    for module in grids.values():
        cells = best_cells(module, 24, _LEAST_SPIKES)
        if cells.size:
            scores, _ = gridness_scores(module, cells)
            best = int(np.nanargmax(np.nan_to_num(scores, nan=-9.0)))
            fields.append((module.rate[cells[best]], f"grid cell, gridness {scores[best]:.2f}"))
    value, direction = run.value()
    return figure_overview.overview(
        run.scene,
        run.bins,
        run.latency,
        run.success,
        run.path(numbers[0]),
        run.path(_last_found(run, numbers)),
        fields[:6],
        value,
        direction,
    )


def _last_found(run: RunFolder, numbers: list[int]) -> int:
    """Return the last trial that found the goal, or else the last one."""
    found = [trial for trial, success in zip(numbers, run.success, strict=False) if success]
    return found[-1] if found else numbers[-1]


def _save_film(run: RunFolder, place: CellMaps | None, numbers: list[int], file: Path) -> Path:
    film = run.film(_last_found(run, numbers), place, _FILM_SECONDS, _FRAME_PERIODS)
    frames = figure_animation.animate(run.scene, film)
    with atomic(file) as temporary:
        figure_animation.save_gif(temporary, frames, film.dt)
    return file


def _save(figure: Figure, file: Path) -> Path:
    with atomic(file) as temporary:
        figure.savefig(temporary)
    return file
