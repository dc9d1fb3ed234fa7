"""Rate maps and scores of cells on maps whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.analysis.cells import best_cells, cell_maps, gridness_scores, information
from tolman.analysis.grid_scores import autocorrelograms, grid_scales, gridness
from tolman.analysis.place_scores import place_scores
from tolman.analysis.rate_maps import Bins, mean_map, occupancy, rate_maps, spike_counts

Floats = NDArray[np.float64]
BINS = Bins.over((-1.0, -1.0), (1.0, 1.0))
X, Y = np.meshgrid(*BINS.centres)


def hexagonal(scale: float, turn: float = 0.3) -> Floats:
    wave = 4 * np.pi / np.sqrt(3) / scale
    angles = turn + np.arange(3) * np.pi / 3
    sheet = sum(np.cos(wave * ((X - 0.1) * np.cos(a) + (Y - 0.2) * np.sin(a))) for a in angles)
    return np.clip(np.asarray(sheet), 0.0, None)


def test_bins_cover_their_rectangle() -> None:
    assert (BINS.rows, BINS.columns) == (40, 40)
    assert BINS.extent == pytest.approx((-1.0, 1.0, -1.0, 1.0))
    assert list(BINS.index(np.array([[-1.0, -1.0], [0.99, -1.0], [-1.0, 0.99], [5.0, 5.0]]))) == [
        0,
        39,
        1560,
        1599,
    ]
    with pytest.raises(ValueError, match="bin size"):
        Bins.over((0.0, 0.0), (1.0, 1.0), 0.0)


def test_a_cell_that_fires_evenly_has_a_flat_map_however_uneven_the_stay() -> None:
    rng = np.random.default_rng(0)
    positions = np.clip(rng.normal(0.0, 0.5, (200_000, 2)), -0.999, 0.999)
    fires = rng.random(len(positions)) < 10.0 * 0.04
    seconds = occupancy(BINS, positions, 0.04)
    assert seconds.sum() == pytest.approx(8000.0)
    counts = spike_counts(BINS, positions[fires], np.zeros(fires.sum(), np.int64), 1)
    rate = rate_maps(counts, seconds, BINS)[0]
    assert np.nanmean(rate) == pytest.approx(10.0, rel=0.02)
    assert np.nanstd(rate[seconds > 2.0]) < 0.5


def test_unvisited_bins_are_nan() -> None:
    positions = np.column_stack((np.linspace(-0.9, -0.1, 1000), np.zeros(1000)))
    value = mean_map(BINS, positions, np.full(1000, 3.0))
    assert np.isnan(value[:, 35]).all()
    assert value[20, 10] == pytest.approx(3.0)
    assert mean_map(BINS, positions, np.ones((1000, 2))).shape == (2, 40, 40)


def test_spatial_information_and_sparsity_of_half_an_arena() -> None:
    """A cell that fires in half of the places carries exactly one bit a spike; silence adds nothing."""
    seconds, rate = np.ones((40, 40)), np.zeros((4, 40, 40))
    rate[0, :, :20] = rate[3, :, :20] = 4.0
    rate[1] = 7.0
    rate[3, 0, 0] = np.nan
    scores = place_scores(rate, seconds)
    np.testing.assert_allclose(scores.bits_per_spike[:3], [1.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(scores.sparsity[:3], [0.5, 1.0, 0.0])
    assert scores.bits_per_spike[3] == pytest.approx(1.0, abs=0.01)


def test_autocorrelogram_is_the_pearson_correlation_at_each_lag() -> None:
    rate = np.random.default_rng(1).random((40, 40))
    rate[:5, :7] = np.nan
    result = autocorrelograms(rate[None])[0]
    assert result[39, 39] == pytest.approx(1.0)
    a, b = rate[3:, 5:].ravel(), rate[:-3, :-5].ravel()
    both = np.isfinite(a) & np.isfinite(b)
    expected = np.corrcoef(a[both], b[both])[0, 1]
    assert result[42, 44] == pytest.approx(expected, abs=1e-9)
    assert result[36, 34] == pytest.approx(expected, abs=1e-9)
    assert np.isnan(result[0, 0])


def test_hexagonal_maps_are_grids_of_their_scale() -> None:
    scales = np.array([0.35, 0.5, 0.7])
    sheets = np.stack([hexagonal(scale) for scale in scales])
    correlograms = autocorrelograms(sheets)
    assert np.min(gridness(correlograms)) > 1.0
    np.testing.assert_allclose(grid_scales(correlograms, BINS.size), scales, rtol=0.06)
    in_circle = autocorrelograms(np.where(np.hypot(X, Y) < 1.0, sheets, np.nan))
    assert np.min(gridness(in_circle)[0]) > 1.0


def test_squares_places_and_noise_are_no_grids() -> None:
    square = np.clip(np.cos(2 * np.pi * X / 0.4) + np.cos(2 * np.pi * Y / 0.4), 0.0, None)
    place = np.exp(-((X - 0.3) ** 2 + Y**2) / (2 * 0.16**2))
    rng = np.random.default_rng(2)
    noise = rate_maps(rng.random((10, 40, 40)), np.ones((40, 40)), BINS)
    minmax, mean = gridness(autocorrelograms(np.stack([square, place, *noise])))
    assert max(minmax[0], mean[0]) < 0.0
    assert minmax[1] < 0.3
    assert np.mean(minmax[2:]) < 0.3


def test_populations() -> None:
    rng = np.random.default_rng(3)
    positions = rng.uniform(-0.99, 0.99, (50_000, 2))
    centres = rng.uniform(-0.8, 0.8, (30, 2))
    rates = 20.0 * np.exp(-((positions[:, None] - centres) ** 2).sum(-1) / (2 * 0.15**2))
    step, cell = np.nonzero(rng.random(rates.shape) < 0.04 * rates)
    maps = cell_maps(BINS, positions, 0.04, cell, step, 31)
    assert maps.spikes[30] == 0
    assert np.median(np.hypot(*(maps.field_centre[:30] - centres).T)) < 0.06
    assert np.all(information(maps)[:30] > 1.0)
    shown = best_cells(maps, 6)
    assert len(set(shown.tolist())) == 6
    assert 30 not in best_cells(maps, 31)
    scores, scales = gridness_scores(maps, shown)
    assert scores.shape == scales.shape == (6,)
