"""Counter-based draws: twins, distribution, independence, and the digest of spikes."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray
from scipy import stats
from tolman.spiking import SpikeHash, generator, key, stream
from tolman.spiking.random import (
    gaussian,
    gaussian_reference,
    hash32,
    hash32_reference,
    step_key,
    uniform,
    uniform_reference,
)

NEURONS = 4096


@njit
def _draws(under: np.uint32, step: np.uint32, flat: NDArray[np.float32], normal: NDArray[np.float32]) -> None:
    at = step_key(under, step)
    for i in range(flat.size):
        flat[i] = uniform(at, np.uint32(i))
        normal[i] = gaussian(at, np.uint32(i))


@njit
def _hashes(values: NDArray[np.uint32]) -> None:
    for i in range(values.size):
        values[i] = hash32(values[i])


@pytest.mark.parametrize("step", [0, 1, 12_345, 2**32 - 1])
def test_the_kernels_and_numpy_draw_the_same_bits(step: int) -> None:
    under = key(7, "twins")
    flat, normal = np.empty(NEURONS, np.float32), np.empty(NEURONS, np.float32)
    _draws(under, np.uint32(step), flat, normal)
    np.testing.assert_array_equal(flat, uniform_reference(under, step, NEURONS))
    np.testing.assert_array_equal(normal, gaussian_reference(under, step, NEURONS))


def test_the_hash_is_its_twin_and_a_permutation() -> None:
    values = np.arange(1 << 16, dtype=np.uint32) * np.uint32(65_537)
    hashed = values.copy()
    _hashes(hashed)
    np.testing.assert_array_equal(hashed, hash32_reference(values))
    assert np.unique(hashed).size == values.size


def _table(under: np.uint32, steps: int = 256) -> NDArray[np.float32]:
    return np.stack([uniform_reference(under, step, NEURONS) for step in range(steps)])


def test_uniform_draws_are_uniform_over_neurons_and_over_steps() -> None:
    table = _table(key(0, "uniform"))
    assert table.min() >= 0.0
    assert table.max() < 1.0
    counts = np.histogram(table, 64, (0.0, 1.0))[0]
    assert stats.chisquare(counts).pvalue > 1e-4
    # 256 p-values of rows and 256 of columns: none may be absurd, and together they must be uniform too.
    rows = [stats.kstest(row, "uniform").pvalue for row in table]
    columns = [stats.kstest(column, "uniform").pvalue for column in table.T[:256]]
    for tested in (rows, columns):
        assert min(tested) > 1e-6
        assert stats.kstest(tested, "uniform").pvalue > 1e-4


def test_draws_of_neighbours_steps_and_streams_are_uncorrelated() -> None:
    table, other = _table(key(0, "one")), _table(key(0, "two"))
    bound = 5.0 / np.sqrt(table.size)
    for a, b in (
        (table[:, :-1], table[:, 1:]),
        (table[:-1], table[1:]),
        (table[:-1, :-1], table[1:, 1:]),
        (table, other),
        (table, _table(key(1, "one"))),
    ):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < bound


def test_gaussian_moments() -> None:
    draws = np.concatenate([gaussian_reference(key(3, "normal"), step, NEURONS) for step in range(256)])
    n = draws.size
    assert abs(draws.mean()) < 5.0 / np.sqrt(n)
    assert abs(draws.std() - 1.0) < 5.0 / np.sqrt(2 * n)
    assert abs(stats.skew(draws)) < 5.0 * np.sqrt(6 / n)
    # The sum of four uniforms has an excess kurtosis of -1.2 / 4 and ends at 3.45.
    assert stats.kurtosis(draws) == pytest.approx(-0.3, abs=0.02)
    assert np.abs(draws).max() <= 3.46


def test_a_stream_depends_on_seed_and_name_alone() -> None:
    first = generator(5, "weights").random(8)
    generator(5, "layout").random(100)
    np.testing.assert_array_equal(first, generator(5, "weights").random(8))
    assert not np.array_equal(first, generator(6, "weights").random(8))
    assert not np.array_equal(first, generator(5, "layout").random(8))
    assert len({int(key(seed, name)) for seed in range(50) for name in ("a", "b", "ab")}) == 150
    with pytest.raises(ValueError, match="seed must be >= 0, got -1"):
        stream(-1, "weights")


def _periods() -> list[NDArray[np.int32]]:
    random = np.random.default_rng(0)
    return [random.integers(0, 40, (k, 2)).astype(np.int32) for k in (5, 0, 9, 3)]


def test_the_digest_chains_periods_and_resumes_from_its_state() -> None:
    whole, early = SpikeHash(), SpikeHash()
    for i, spikes in enumerate(_periods()):
        whole.add(spikes)
        whole.mark()
        if i < 2:
            early.add(spikes)
            early.mark()
    resumed = SpikeHash()
    resumed.state = early.state
    for spikes in _periods()[2:]:
        resumed.add(spikes[:1])
        resumed.add(spikes[1:])
        resumed.mark()
    assert resumed.hexdigest == whole.hexdigest
    assert early.hexdigest != whole.hexdigest


def test_the_digest_tells_order_periods_and_single_spikes_apart() -> None:
    spikes = _periods()[0]
    digests = set()
    for parts in ([spikes], [spikes[::-1]], [spikes[:2], spikes[2:]], [spikes[:-1]], [spikes + 1]):
        digest = SpikeHash()
        for part in parts:
            digest.add(part)
            digest.mark()
        digests.add(digest.hexdigest)
    assert len(digests) == 5


def test_a_digest_of_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes, got 31"):
        SpikeHash().state = np.zeros(31, np.uint8)
