"""Figures come out, show something, and refuse to show nothing."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from tolman.analysis import figure_animation, figure_cells, figure_learning, figure_overview, figure_paths
from tolman.analysis.rate_maps import Bins

ANGLES = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
CORNERS = np.column_stack((np.cos(ANGLES), np.sin(ANGLES)))
SCENE: dict[str, Any] = {
    "outline": CORNERS.tolist(),
    "walls": np.hstack((CORNERS, np.roll(CORNERS, -1, axis=0))).tolist(),
    "pillars": [[0.2, -0.4, 0.1]],
    "goal": [0.35, 0.35],
    "goal_radius": 0.1,
}
BINS = Bins.over((-1.0, -1.0), (1.0, 1.0))
X, Y = np.meshgrid(*BINS.centres)
INSIDE = np.hypot(X, Y) < 1.0
FIELD = np.where(INSIDE, 12.0 * np.exp(-((X - 0.3) ** 2 + Y**2) / 0.05), np.nan)
DIRECTION = np.stack((0.35 - X, 0.35 - Y))
RNG = np.random.default_rng(0)


def some_path(trial: int, success: bool = True) -> figure_paths.Path:
    true = np.cumsum(RNG.normal(0.0, 0.02, (200, 2)), axis=0)
    estimate = true + 0.05
    estimate[:20] = np.nan
    return figure_paths.Path(trial, true, estimate, 8.0, success)


def pixels(figure: Figure) -> np.ndarray[Any, np.dtype[np.uint8]]:
    stream = BytesIO()
    figure.savefig(stream, dpi=60)
    return np.asarray(Image.open(stream).convert("RGB"))


def latencies(seeds: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.clip(60.0 * 0.85 ** np.arange(20.0) * RNG.uniform(0.5, 1.5, (seeds, 20)), 1.0, 60.0)


@pytest.mark.parametrize(
    "figure",
    [
        lambda: figure_learning.learning_curve(
            latencies(1)[0], RNG.random(20) > 0.2, RNG.random(20), {"wheels": 0.4, "gyro": None}
        ),
        lambda: figure_learning.comparison({"a": latencies(8), "b": latencies(8) + 20.0}, limit=60.0),
        lambda: figure_learning.comparison({"a": latencies(8)}, [(2, 2), (3, 20)]),
        lambda: figure_learning.comparison({"td-ltp": latencies(1)}),
        lambda: figure_paths.trajectories(SCENE, [some_path(1), some_path(2, False)], [some_path(20)]),
        lambda: figure_cells.rate_map_sheet(np.array([FIELD] * 7), BINS, SCENE, ["a"] * 7, "Place cells"),
        lambda: figure_cells.value_map(FIELD, DIRECTION, BINS, SCENE),
        lambda: figure_overview.overview(
            SCENE, BINS, latencies(1)[0], RNG.random(20) > 0.2, some_path(1), some_path(20),
            [(FIELD, "place cell")] * 4, FIELD, DIRECTION,
        ),
        lambda: figure_overview.overview(
            SCENE, BINS, latencies(1)[0], RNG.random(20) > 0.2, some_path(1), some_path(2), [],
            FIELD, DIRECTION,
        ),
    ],
)  # fmt: skip
def test_figures_show_something_and_leave_the_global_style_alone(figure: Any) -> None:
    before = dict(mpl.rcParams)
    image = pixels(figure())
    assert image.astype(np.float64).std() > 5.0
    assert dict(mpl.rcParams) == before


def test_an_empty_sheet_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one map"):
        figure_cells.rate_map_sheet(np.zeros((0, 40, 40)), BINS, SCENE, [], "nothing")


def test_the_animation_moves_and_is_small() -> None:
    n = 40
    film = figure_animation.Film(
        dt=0.08,
        pose=np.column_stack((np.linspace(-0.5, 0.5, n), np.zeros(n), np.zeros(n))),
        estimate=np.full((n, 2), np.nan),
        events=RNG.integers(-2, 3, (n, 32, 128)).astype(np.int8),
        field_centre=RNG.uniform(-0.7, 0.7, (30, 2)),
        activity=RNG.random((n, 30)),
        value=np.zeros(n),
        trial=3,
    )
    frames = figure_animation.animate(SCENE, film)
    assert len(frames) == n
    first, last = (np.asarray(frames[k].convert("RGB"), np.int64) for k in (0, -1))
    assert np.abs(first - last).sum() > 0
    stream = BytesIO()
    figure_animation.save_gif(stream, frames, film.dt)
    assert stream.tell() < 3_000_000
    with Image.open(stream) as gif:
        assert gif.info["duration"] == 80
    with pytest.raises(ValueError, match="at least one frame"):
        figure_animation.animate(SCENE, EMPTY)


EMPTY = figure_animation.Film(
    0.08, np.zeros((0, 3)), np.zeros((0, 2)), np.zeros((0, 4, 4), np.int8),
    np.zeros((0, 2)), np.zeros((0, 0)), np.zeros(0), 1,
)  # fmt: skip
