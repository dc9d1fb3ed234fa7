"""Sums of similarities: right, and bit for bit the same on every processor."""

from __future__ import annotations

import numpy as np
import pytest
from tolman.memory.matching import LANES, dots


def in_lanes(row, cue):
    """The sum as it is promised, one float32 addition after the other."""
    whole = row.size - row.size % LANES
    sums = np.zeros(LANES, np.float32)
    for j in range(0, whole, LANES):
        sums += row[j : j + LANES] * cue[j : j + LANES]
    while sums.size > 1:
        sums = sums[: sums.size // 2] + sums[sums.size // 2 :]
    total = sums[0]
    for j in range(whole, row.size):
        total += row[j] * cue[j]
    return total


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 250, 1440])
def test_sums_are_taken_in_the_promised_order(size):
    rng = np.random.default_rng(size)
    cues = rng.standard_normal((3, size), dtype=np.float32)
    weights = rng.standard_normal((5, size), dtype=np.float32)
    out = np.full((3, 5), 7.0, np.float32)
    dots(cues, weights, np.array([True, True, False, True, True]), out)
    for h in range(3):
        for i in (0, 1, 3, 4):
            assert out[h, i] == in_lanes(weights[i], cues[h])
    assert (out[:, 2] == 7.0).all()
    np.testing.assert_allclose(out[:, [0, 1, 3, 4]], (cues @ weights.T)[:, [0, 1, 3, 4]], atol=1e-4)
