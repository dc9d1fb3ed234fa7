"""Projections: structure, delays to the step, and kernels against NumPy twins."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from tolman.spiking import DenseProjection, SparseProjection


def _spikes(neurons: list[int] | NDArray[np.int64], step: int = 0) -> NDArray[np.int32]:
    return np.array([(step, j) for j in neurons], np.int32).reshape(-1, 2)


def _random_trains(n: int, steps: int, chance: float) -> list[NDArray[np.int32]]:
    random = np.random.default_rng(4)
    return [_spikes(np.flatnonzero(random.random(n) < chance)) for _ in range(steps)]


@pytest.mark.parametrize("delay", [1, 2, 5, [1, 5, 2, 5]])
def test_a_spike_arrives_after_its_delay(delay: int | list[int]) -> None:
    pre, post, weight = [0, 0, 1, 2], [2, 0, 1, 2], [1.0, 2.0, 3.0, 4.0]
    projection = SparseProjection.from_arrays(3, 3, pre, post, weight, delay)
    line, arrived = projection.delay_line(), np.zeros((30, 3), np.float32)
    sent = {3: [0], 4: [0, 1], 11: [2]}
    expected = np.zeros((30, 3))
    for step, neurons in sent.items():
        for source, goal, w, d in zip(pre, post, weight, np.broadcast_to(delay, 4), strict=True):
            if source in neurons:
                # The current that the neurons meet in step t was complete after delivery t - 1.
                expected[step + d - 1, goal] += w
    for step in range(30):
        projection.deliver(line, _spikes(sent.get(step, []), step), arrived[step])
    np.testing.assert_array_equal(arrived, expected)


@pytest.mark.parametrize("delay", [1, 4, (1, 9)])
@pytest.mark.parametrize("n_post", [300, 70_000])
def test_the_sparse_kernel_and_numpy_deliver_the_same(delay: int | tuple[int, int], n_post: int) -> None:
    chance = 30.0 / n_post
    projection = SparseProjection.from_probability(200, n_post, chance, 1.0, delay, seed=1, name="twin")
    projection.weights[:] = np.random.default_rng(5).normal(size=projection.synapses)
    assert projection.post.dtype == (np.uint16 if n_post == 300 else np.uint32)
    targets = np.zeros((2, n_post), np.float32)
    lines = projection.delay_line(), projection.delay_line()
    for spikes in _random_trains(200, 25, 0.1):
        projection.deliver(lines[0], spikes, targets[0])
        projection.deliver_reference(lines[1], spikes, targets[1])
        np.testing.assert_array_equal(targets[0], targets[1])
    assert np.any(targets)
    lines[0].clear()
    assert not np.any(lines[0].ring)


@pytest.mark.parametrize("delay", [1, 3])
def test_dense_and_sparse_projections_agree(delay: int) -> None:
    weights = np.random.default_rng(6).normal(size=(40, 30))
    dense = DenseProjection.from_array(weights, delay)
    pre, post = np.divmod(np.arange(1200), 30)
    sparse = SparseProjection.from_arrays(40, 30, pre, post, weights.ravel(), delay)
    targets, lines = np.zeros((3, 30), np.float32), [dense.delay_line() for _ in range(3)]
    for spikes in _random_trains(40, 20, 0.2):
        dense.deliver(lines[0], spikes, targets[0])
        dense.deliver_reference(lines[1], spikes, targets[1])
        sparse.deliver(lines[2], spikes, targets[2])
    np.testing.assert_array_equal(targets[0], targets[1])
    np.testing.assert_array_equal(targets[0], targets[2])
    assert dense.synapses == sparse.synapses == 1200


def test_connections_of_a_probability() -> None:
    made = SparseProjection.from_probability(400, 500, 0.1, 0.5, (2, 4), seed=3, name="p")
    pairs = made.pre * 500 + made.post
    assert np.unique(pairs).size == made.synapses
    assert abs(made.synapses - 20_000) < 5 * np.sqrt(20_000 * 0.9)
    # Both degrees are binomial, and the delays uniform on 2..4.
    for degrees, of in ((np.diff(made.row), 500), (np.bincount(made.post, minlength=500), 400)):
        assert degrees.var() == pytest.approx(0.09 * of, rel=0.35)
    counts = np.bincount(made.delays)[2:]
    assert stats.chisquare(counts).pvalue > 1e-4
    assert made.longest_delay == 4
    assert np.all(made.weights == np.float32(0.5))
    again = SparseProjection.from_probability(400, 500, 0.1, 0.5, (2, 4), seed=3, name="p")
    other = SparseProjection.from_probability(400, 500, 0.1, 0.5, (2, 4), seed=3, name="q")
    np.testing.assert_array_equal(made.post, again.post)
    np.testing.assert_array_equal(made.delays, again.delays)
    assert not np.array_equal(made.row, other.row)


def test_connections_at_the_limits() -> None:
    def made(probability: float, loops: bool = True) -> SparseProjection:
        return SparseProjection.from_probability(20, 20, probability, 1.0, seed=0, name="l", loops=loops)

    assert made(0.0).synapses == 0
    assert made(1.0).synapses == 400
    assert made(1.0, loops=False).synapses == 380
    target = np.zeros(20, np.float32)
    empty = made(0.0)
    empty.deliver(empty.delay_line(), _spikes([3]), target)
    assert not target.any()


@pytest.mark.parametrize("loops", [True, False])
def test_connections_of_an_in_degree(loops: bool) -> None:
    made = SparseProjection.from_in_degree(60, 60, 7, 1.0, seed=2, name="k", loops=loops)
    assert np.all(np.bincount(made.post, minlength=60) == 7)
    assert np.unique(made.pre * 60 + made.post).size == 420
    assert np.any(made.pre == made.post) == loops
    assert np.all(np.diff(made.row) > 0)
    every = SparseProjection.from_in_degree(5, 8, 5, 1.0, seed=2, name="k")
    assert every.synapses == 40


def test_bad_input_is_named() -> None:
    def arrays(pre: object = (0, 1), post: object = (0, 2), weight: object = 1.0, delay: object = 1) -> None:
        SparseProjection.from_arrays(2, 3, pre, post, weight, delay)  # type: ignore[arg-type]

    def random(probability: float = 0.5, delay: int | tuple[int, int] = 1) -> SparseProjection:
        return SparseProjection.from_probability(4, 3, probability, 1.0, delay, seed=0, name="n")

    def deliver(spikes: NDArray[np.int32], size: int = 3) -> None:
        projection = random(1.0)
        projection.deliver(projection.delay_line(), spikes, np.zeros(size, np.float32))

    several = np.array([(0, 1), (1, 1)], np.int32)
    cases = [
        (lambda: arrays(pre=(0, 2)), "pre must be in 0..1, got 0..2"),
        (lambda: arrays(post=(-1, 2)), "post must be in 0..2, got -1..2"),
        (lambda: arrays(post=(0.5, 1.0)), "post must be integers, got float64"),
        (lambda: arrays(post=(1,)), "one length, got shapes (2,) and (1,)"),
        (lambda: arrays(weight=(1.0, 2.0, 3.0)), "weight must be a scalar or have 2 values, got shape (3,)"),
        (lambda: arrays(weight=np.nan), "weight must be finite"),
        (lambda: arrays(delay=0), "delay must be whole steps in 1..65535, got 0..0"),
        (lambda: arrays(delay=(1, 2.5)), "delay must be whole steps"),
        (lambda: SparseProjection.from_arrays(0, 3, [], [], 1.0), ">= 1 neuron on each side, got 0 and 3"),
        (lambda: random(1.5), "connection probability must be in [0, 1], got 1.5"),
        (lambda: random(delay=(3, 2)), "delay range must be 1 <= low <= high, got 3..2"),
        (
            lambda: SparseProjection.from_in_degree(4, 4, 4, 1.0, seed=0, name="n", loops=False),
            "in-degree must be in 0..3, got 4",
        ),
        (lambda: deliver(_spikes([4])), "presynaptic neurons are 0..3, got a spike of neuron 4"),
        (lambda: deliver(_spikes([-1])), "presynaptic neurons are 0..3, got a spike of neuron -1"),
        (lambda: deliver(several), "spikes of one step only, got steps 0 to 1"),
        (lambda: deliver(_spikes([1]), size=2), "the target current must have shape (3,), got (2,)"),
        (lambda: deliver(np.asfortranarray(_spikes([1, 2]))), "spikes must be C-ordered"),
        (lambda: deliver(_spikes([1]).astype(np.int64)), "spikes must be int32, got int64"),  # type: ignore[arg-type]
        (lambda: DenseProjection.from_array(np.ones(3)), "(n_pre, n_post), got shape (3,)"),
        (lambda: DenseProjection.from_array([[np.inf]]), "dense weights must be finite"),
        (lambda: DenseProjection.from_array(np.ones((2, 2)), 0), "delay must be in 1..65535 steps, got 0"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=re.escape(message)):
            call()
