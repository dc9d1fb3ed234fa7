"""The picture of the encoding: colours of orientations, and a sheet that shows something."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image
from tolman.analysis.figure_encoding import STAGES, colour_of_orientation, draw_encoding


def test_colours_tell_orientations_apart() -> None:
    channels = np.eye(8)[:, None, :] * 3.0  # one channel in each column
    colours = colour_of_orientation(channels, 3.0)[0]
    apart = np.abs(colours[:, None] - colours[None]).sum(axis=2) + 9.0 * np.eye(8)
    assert apart.min() > 0.2
    # orientations 0 and pi / 2 that are equally strong cancel: white, as where there is nothing
    crossed = np.zeros((8, 1, 2))
    crossed[[0, 4], 0, 0] = 2.0
    np.testing.assert_allclose(colour_of_orientation(crossed, 2.0), 1.0, atol=1e-9)


def test_a_sheet_of_all_stages() -> None:
    random = np.random.default_rng(0)
    counts = random.poisson(0.2, (3, 30, 40)) - random.poisson(0.2, (3, 30, 40)).astype(float)
    for scale in (1.0, 0.0):  # also where nothing has been seen
        figure = draw_encoding(
            scale * counts,
            scale * counts,
            scale * random.random((3, 2, 30, 40)),
            scale * random.poisson(0.1, (3, 8, 30, 40)),
            scale * random.normal(size=(3, 30, 40)),
            np.array([0.1, 0.2, 0.3]),
            "a title",
        )
        titles = [axes.get_title(loc="left") for axes in figure.axes]
        assert [title for title in titles if title] == list(STAGES)
        file = BytesIO()
        figure.savefig(file, format="png")
        pixels = np.asarray(Image.open(file).convert("RGB")).reshape(-1, 3)
        assert len(np.unique(pixels, axis=0)) > 50
