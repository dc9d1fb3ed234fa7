"""Scores of what cells code, on cells whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from plain_grid_scores import autocorrelogram
from plain_grid_scores import gridness as plain_gridness
from tolman.analysis.decoding import decode, log_posterior, windows_of
from tolman.analysis.grid_scores import autocorrelograms, grid_scales, gridness
from tolman.analysis.head_direction import heading_bins, tuning
from tolman.analysis.mutual_information import mutual_information
from tolman.analysis.place_scores import place_scores
from tolman.analysis.rate_maps import Bins
from tolman.analysis.recording import Recording, bins_over
from tolman.analysis.remapping import remapping
from tolman.analysis.shuffles import Shifter, against
from tolman.analysis.tracking import along_axis, good_samples
from tolman.analysis.unit_scores import Mapping, Measure

Floats = NDArray[np.float64]
BINS = Bins.over((-1.0, -1.0), (1.0, 1.0))
X, Y = np.meshgrid(*BINS.centres)
DT = 0.02


def lattice(scale: float, x0: float = 0.1) -> Floats:
    wave = 4 * np.pi / np.sqrt(3) / scale
    sheet = sum(np.cos(wave * ((X - x0) * np.cos(a) + Y * np.sin(a))) for a in 0.3 + np.arange(3) * np.pi / 3)
    return np.asarray(sheet) + 1.5


def back_and_forth(seconds: float, fields: Floats, rate: float = 15.0, width: float = 0.08) -> Recording:
    """Return laps of uneven speed on a track of 1 m, with place cells at `fields` and no other spikes."""
    rng = np.random.default_rng(0)
    t = DT * np.arange(round(seconds / DT))
    speed = np.repeat(rng.uniform(0.1, 0.4, len(t) // 100 + 1), 100)[: len(t)]  # a new one every 2 s
    x = np.abs((np.cumsum(DT * speed) + 1.0) % 2.0 - 1.0)
    rates = rate * np.exp(-((x[:, None] - fields) ** 2) / (2.0 * width**2))
    sample, unit = np.nonzero(rng.random(rates.shape) < DT * rates)
    n = len(t)
    return Recording(
        t, x[:, None], np.full(n, DT), np.ones(n, np.bool_), np.zeros(n, np.int64), None,
        t[sample] + 0.5 * DT, unit, sample, len(fields),
    )  # fmt: skip


def test_a_stack_scores_as_the_definition_does_map_by_map() -> None:
    rng = np.random.default_rng(1)
    square = np.clip(np.cos(2 * np.pi * X / 0.4) + np.cos(2 * np.pi * Y / 0.4), 0.0, None)
    stack = np.stack([lattice(0.4), lattice(0.6), square, rng.random(X.shape), np.zeros(X.shape)])
    stack[:, :6, :4] = np.nan
    correlograms = autocorrelograms(stack)
    minmax, mean = gridness(correlograms)
    for k, one in enumerate(stack[:4]):
        alone = autocorrelogram(one)
        np.testing.assert_allclose(correlograms[k], alone, atol=1e-9)
        assert minmax[k] == pytest.approx(plain_gridness(alone), abs=1e-9)
        assert mean[k] == pytest.approx(plain_gridness(alone, "mean"), abs=1e-9)
    assert min(minmax[:2]) > 1.0
    assert minmax[2] < 0.0
    assert np.isnan(minmax[4])
    np.testing.assert_allclose(grid_scales(correlograms, BINS.size)[:2], [0.4, 0.6], rtol=0.06)
    assert gridness(correlograms[:0])[0].shape == (0,)


def test_information_of_an_even_cell_is_none_and_of_a_field_the_log_of_its_share() -> None:
    seconds = np.ones((40, 40))
    maps = np.zeros((4, 40, 40))
    maps[0] = 3.0
    maps[1, :10, :20] = 8.0  # an eighth
    maps[2] = np.random.default_rng(0).random((40, 40))
    maps[2, 0, :5] = np.nan
    scores = place_scores(maps, seconds)
    np.testing.assert_allclose(scores.bits_per_spike[[0, 1, 3]], [0.0, 3.0, 0.0], atol=1e-12)
    seen = maps[2][np.isfinite(maps[2])]
    ratio = seen / seen.mean()
    assert scores.bits_per_spike[2] == pytest.approx(np.mean(ratio * np.log2(ratio)))
    np.testing.assert_allclose(scores.sparsity[[0, 1, 3]], [1.0, 0.125, 0.0])
    assert scores.sparsity[2] == pytest.approx(seen.mean() ** 2 / np.mean(seen**2))
    np.testing.assert_allclose(scores.bits_per_second[:2], [0.0, 3.0], atol=1e-12)  # 1 Hz on average
    np.testing.assert_allclose(scores.field_share[[0, 1, 3]], [1.0, 0.125, 0.0])
    np.testing.assert_allclose(scores.peak[[0, 1, 3]], [3.0, 8.0, 0.0])


def test_heading_cells_have_the_mean_vector_of_their_curve() -> None:
    angle = (np.arange(360) + 0.5) * np.pi / 180.0
    seconds = np.bincount(heading_bins(angle), minlength=60) * (1.0 + np.arange(60) % 7)
    centre = (np.arange(60) + 0.5) * np.pi / 30.0
    curves = np.stack([np.ones(60), 1.0 + np.cos(centre - 1.0), np.where(np.arange(60) == 30, 5.0, 0.0)])
    scores = tuning(curves * seconds, seconds.astype(np.float64))
    np.testing.assert_allclose(scores.length, [0.0, 0.5, 1.0], atol=1e-3)
    assert scores.preferred[1] == pytest.approx(1.0)
    np.testing.assert_allclose(scores.peak, [1.0, 2.0, 5.0], atol=0.01)
    assert heading_bins(np.array([-1e-20, 2.0 * np.pi]))[1] == 0


def test_mutual_information_of_independent_spikes_is_none() -> None:
    rng = np.random.default_rng(2)
    place = rng.integers(0, 20, 2000)
    independent = rng.poisson(0.8, (2000, 200))
    plain, corrected = mutual_information(independent, place)
    assert plain.mean() > 0.015
    assert abs(corrected.mean()) < 1e-3
    tells = (place[:, None] < 10).astype(np.int64)  # half of the places: one bit
    assert mutual_information(tells, place)[1][0] == pytest.approx(1.0, abs=0.02)


def test_shuffles_keep_spikes_and_lose_places() -> None:
    recording = back_and_forth(400.0, np.linspace(0.05, 0.95, 12))
    bins = bins_over(recording, 0.02)
    measure = Measure(recording, Mapping(bins, 0.02, 0.5, 0.25, False, False))
    scores, shuffled = measure.scores(), measure.shuffled(20, 0)
    moved = Shifter(recording).shift(np.random.default_rng(0))
    assert moved.shape == recording.spike_sample.shape
    first = recording.spike_unit == 0
    gaps = np.diff(np.sort(moved[first]))
    assert np.isin(gaps, np.diff(recording.spike_sample[first])).mean() > 0.95
    for name in ("bits_per_spike", "mutual_information"):
        compared = against(scores[name], shuffled[name])
        assert compared is not None
        assert compared.far_above == 1.0
        assert compared.mean < 0.3 * scores[name].mean()
    assert np.all(measure.stability() > 0.9)
    np.testing.assert_array_equal(
        measure.shuffled(2, 5)["bits_per_spike"], measure.shuffled(2, 5)["bits_per_spike"]
    )
    assert against(np.zeros(0), np.zeros((3, 0))) is None


def test_place_cells_tell_the_place_of_windows_that_they_were_not_fitted_to() -> None:
    recording = back_and_forth(300.0, np.linspace(0.0, 1.0, 30))
    bins = bins_over(recording, 0.02)
    decoded = decode(recording, bins, 0.25, 0.02, 0.5)
    assert decoded is not None
    assert len(windows_of(recording, 0.25).t) == len(decoded.error) == pytest.approx(1200, abs=8)
    assert np.median(decoded.error) < 0.03
    assert decoded.chance > 0.2
    assert decode(recording.among(recording.t < 5.0), bins, 0.25, 0.02, 0.5) is None
    posterior = np.exp(
        log_posterior(np.array([[3, 0]]), np.array([[9.0, 1.0, np.nan], [1.0, 9.0, 1.0]]), 0.1)
    )
    assert posterior.sum() == pytest.approx(1.0)
    assert posterior[0, 0] == pytest.approx(1.0 / (1.0 + 9.0**-3))  # sums of rates are equal
    assert posterior[0, 2] == 0.0


def test_remapping_tells_the_same_map_from_another() -> None:
    maps = np.stack([np.exp(-((X - x) ** 2 + Y**2) / 0.05) for x in np.linspace(-0.8, 0.8, 20)])
    same = remapping(maps, maps + 0.01)
    np.testing.assert_allclose(same.spatial, 1.0)
    assert np.nanmedian(same.population) == pytest.approx(1.0)
    other = remapping(maps, maps[np.random.default_rng(0).permutation(20)])
    assert np.median(other.spatial) < 0.3
    assert abs(other.others) < 0.4
    scaled = remapping(maps, 0.5 * maps)
    np.testing.assert_allclose(scaled.rate_overlap, 0.5)
    with pytest.raises(ValueError, match="cannot be compared"):
        remapping(maps, maps[:5])


def test_what_a_tracker_cannot_see_is_dropped() -> None:
    t = np.arange(0.0, 60.0, 0.02)
    xy = np.column_stack((100.0 * np.sin(0.3 * t), 2.0 * np.cos(9.0 * t)))
    xy[1000:1400] = xy[1000]  # 8 s frozen
    xy[2000] = (4000.0, 0.0)
    t[2500] = t[2499]
    good = good_samples(t, xy)
    assert not good[1000:1400].any()
    assert not good[1990:2010].any()
    assert not good[2500]
    assert good[:990].all()
    along = along_axis(xy, good)
    assert along is not None
    assert abs(np.corrcoef(along[good], xy[good, 0])[0, 1]) > 0.999
    assert along_axis(np.random.default_rng(0).random((100, 2)), np.ones(100, np.bool_)) is None
