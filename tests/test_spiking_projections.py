"""Projections: structure, delays to the step, and delivery against matrices."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from tolman.spiking import (
    FACILITATING,
    LIF,
    Connection,
    Network,
    ShortTerm,
    SparseProjection,
    TorusProjection,
    Uniform,
    exponential,
)

#: A receptor that forgets all within a step, so that inputs show what has arrived.
FLEETING = {"current": exponential(1e-9)}


def _arrivals(net: Network, cells: Any, steps: int) -> NDArray[np.float64]:
    """Return the input (steps, n) that `cells` meet in each step."""
    seen = []
    for _ in range(steps):
        seen.append(cells.inputs["current"].copy())
        net.step()
    return np.array(seen, np.float64)


def _connected(n_pre: int, n_post: int, wiring: Any = None, *, trains: Any = ((), ()), **other: Any) -> Any:
    net = Network(dt=1e-3, seed=1)
    source = net.trains("source", n_pre, np.asarray(trains[0]) * 1e-3, trains[1])
    cells = net.population("cells", n_post, LIF(), FLEETING)
    return net, cells, net.connect(source, cells, "current", wiring, name="synapses", **other)


def _random_trains(n: int, steps: int, chance: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    fired = np.argwhere(np.random.default_rng(4).random((steps, n)) < chance)
    return fired[:, 0], fired[:, 1]


def _expected(weights: NDArray[Any], delays: Any, trains: Any, steps: int) -> NDArray[np.float64]:
    arrived = np.zeros((steps + 100, weights.shape[1]))
    every = np.broadcast_to(delays, weights.shape)
    for step, j in zip(*trains, strict=True):
        for i in np.flatnonzero(weights[j]):
            arrived[step + every[j, i], i] += weights[j, i]
    return arrived[:steps]


@pytest.mark.parametrize("delay", [1, 2, 5, [1, 5, 2, 5]])
def test_a_spike_arrives_after_its_delay(delay: int | list[int]) -> None:
    pre, post, weight = [0, 0, 1, 2], [2, 0, 1, 2], [1.0, 2.0, 3.0, 4.0]
    trains = [3, 4, 4, 11], [0, 0, 1, 2]
    net, cells, _ = _connected(
        3, 3, (pre, post), trains=trains, weight=weight, delay=np.multiply(delay, 1e-3)
    )
    matrix, delays = np.zeros((3, 3)), np.ones((3, 3), int)
    matrix[pre, post], delays[pre, post] = weight, delay
    np.testing.assert_array_equal(_arrivals(net, cells, 30), _expected(matrix, delays, trains, 30))


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("n_post", [300, 70_000])
def test_sparse_delivery_is_a_product_with_the_matrix(each: bool, n_post: int) -> None:
    trains, random = _random_trains(200, 25, 0.1), np.random.default_rng(5)
    delay = Uniform(1e-3, 9e-3) if each else 4e-3
    net, cells, made = _connected(
        200, n_post, trains=trains, probability=30.0 / n_post, delay=delay, weight=Uniform(-1.0, 1.0)
    )
    projection = made.projection
    assert projection.post.dtype == (np.uint16 if n_post == 300 else np.uint32)
    made.set_weights(random.integers(-8, 8, made.synapses))
    matrix, delays = np.zeros((200, n_post)), np.ones((200, n_post), np.int64)
    matrix[projection.pre, projection.post] = made.weights
    delays[projection.pre, projection.post] = np.broadcast_to(projection.delays, made.synapses)
    arrived = _arrivals(net, cells, 40)
    np.testing.assert_array_equal(arrived, _expected(matrix, delays, trains, 40))
    assert np.any(arrived)


@pytest.mark.parametrize("delay", [1, 3])
def test_dense_and_torus_delivery_are_products_too(delay: int) -> None:
    random, trains = np.random.default_rng(6), _random_trains(40, 20, 0.2)
    weights = random.integers(-8, 8, (40, 30)).astype(float)
    net, cells, _ = _connected(40, 30, "dense", trains=trains, weight=weights, delay=delay * 1e-3)
    np.testing.assert_array_equal(_arrivals(net, cells, 30), _expected(weights, delay, trains, 30))
    kernels = random.integers(-8, 8, (2, 4, 5)).astype(float)
    torus = TorusProjection.from_kernels(kernels, delay)
    net, cells, _ = _connected(40, 20, torus, trains=trains)
    matrix = torus.dense()
    for layer, y, x in ((0, 0, 0), (1, 2, 4)):
        rolled = np.roll(kernels[layer], (y, x), axis=(0, 1)).ravel()
        np.testing.assert_array_equal(matrix[(layer * 4 + y) * 5 + x], rolled)
    np.testing.assert_array_equal(_arrivals(net, cells, 30), _expected(matrix, delay, trains, 30))
    ring = TorusProjection.from_kernels([3.0, 1.0, 0.0, 1.0])
    np.testing.assert_array_equal(ring.dense()[1], [1.0, 3.0, 1.0, 0.0])


def test_groups_join_parts_of_populations() -> None:
    net = Network(dt=1e-3)
    source = net.trains("source", 10, [0.0, 0.0], [1, 8])
    cells = net.population("cells", 6, LIF(), FLEETING)
    net.connect(source[5:], cells[:2], wiring="dense", weight=[[k, 10 + k] for k in range(5)])
    assert _arrivals(net, cells, 3)[1].tolist() == [3.0, 13.0, 0.0, 0.0, 0.0, 0.0]


def test_connections_of_a_probability() -> None:
    def made(name: str, seed: int = 3) -> SparseProjection:
        net = Network(seed=seed)
        ends = [net.population(end, n, LIF()) for end, n in (("pre", 400), ("post", 500))]
        delay = Uniform(1.51e-3, 4.49e-3)
        connection: Connection = net.connect(*ends, probability=0.1, weight=0.5, delay=delay, name=name)
        assert isinstance(connection.projection, SparseProjection)
        return connection.projection

    first = made("p")
    pairs = first.pre * 500 + first.post
    assert np.unique(pairs).size == first.synapses
    assert abs(first.synapses - 20_000) < 5 * np.sqrt(20_000 * 0.9)
    # Both degrees are binomial, and the delays uniform on 2..4.
    for degrees, of in ((np.diff(first.row), 500), (np.bincount(first.post, minlength=500), 400)):
        assert degrees.var() == pytest.approx(0.09 * of, rel=0.35)
    assert stats.chisquare(np.bincount(first.delays)[2:]).pvalue > 1e-4
    assert first.longest_delay == 4
    assert np.all(first.weights == np.float32(0.5))
    again, other, reseeded = made("p"), made("q"), made("p", 4)
    np.testing.assert_array_equal(first.post, again.post)
    np.testing.assert_array_equal(first.delays, again.delays)
    assert not np.array_equal(first.row, other.row)
    assert not np.array_equal(first.row, reseeded.row)


def test_connections_at_the_limits() -> None:
    def count(**how: Any) -> int:
        net = Network()
        cells = net.population("cells", 20, LIF())
        return net.connect(cells, cells, **how).synapses

    assert count(probability=0.0) == 0
    assert count(probability=1.0) == 400
    assert count(probability=1.0, loops=False) == 380
    assert count(wiring="one to one") == 20
    assert count(in_degree=20) == 400
    net, cells, _ = _connected(20, 20, probability=0.0, trains=([0], [3]))
    assert not _arrivals(net, cells, 3).any()


@pytest.mark.parametrize("loops", [True, False])
def test_connections_of_an_in_degree(loops: bool) -> None:
    net = Network(seed=2)
    cells = net.population("cells", 60, LIF())
    made = net.connect(cells, cells, in_degree=7, loops=loops).projection
    assert isinstance(made, SparseProjection)
    assert np.all(np.bincount(made.post, minlength=60) == 7)
    assert np.unique(made.pre * 60 + made.post).size == 420
    assert np.any(made.pre == made.post) == loops


def test_synapses_have_their_size() -> None:
    net = Network()
    cells = net.population("cells", 1000, LIF())
    plain = net.connect(cells, cells, probability=0.1)
    late = net.connect(cells, cells, probability=0.1, delay=Uniform(1e-3, 9e-3))
    assert plain.nbytes / plain.synapses == 6.0
    assert late.nbytes / late.synapses == 8.0


@pytest.mark.parametrize(
    "synapses", [ShortTerm(), FACILITATING, ShortTerm(0.2, 0.3, 0.3)], ids=["down", "up", "both"]
)
@pytest.mark.parametrize("interval", [10, 50, 200])
def test_a_regular_train_comes_to_the_release_of_theory(synapses: ShortTerm, interval: int) -> None:
    times = np.arange(300) * interval
    net, cells, _ = _connected(
        1, 1, "dense", trains=(times, np.zeros(300, int)), weight=2.0, short_term=synapses
    )
    arrived = _arrivals(net, cells, 299 * interval + 2)[:, 0]
    released = arrived[times + 1] / 2.0
    assert released[0] == pytest.approx(synapses.use)
    assert released[-1] == pytest.approx(float(synapses.steady_release(1e3 / interval)), rel=1e-3)
    assert np.count_nonzero(arrived) == 300


@pytest.mark.parametrize("delay", [1e-3, 3e-3, Uniform(1e-3, 4e-3)])
def test_use_scales_what_every_kind_of_projection_sends(delay: Any) -> None:
    times = np.array([0, 10, 20])
    for wiring in ("dense", (np.repeat(np.arange(2), 3), np.tile(np.arange(3), 2))):
        net, cells, made = _connected(
            2, 3, wiring, trains=(times, np.ones(3, int)), delay=delay, short_term=ShortTerm()
        )
        arrived = _arrivals(net, cells, 40)
        sent = [arrived[t : t + 6].sum(axis=0) for t in times]
        np.testing.assert_allclose(sent[0], 0.5)
        assert np.all(np.diff(np.array(sent), axis=0) < 0.0)
        assert made.short_term is not None


def test_bad_input_is_named() -> None:
    def arrays(pre: Any = (0, 1), post: Any = (0, 2), weight: Any = 1.0, delay: Any = 1) -> None:
        SparseProjection.from_arrays(2, 3, pre, post, weight, delay)

    def connect(*wiring: Any, post: str = "cells", **how: Any) -> None:
        net = Network(dt=1e-3)
        net.population("cells", 3, LIF())
        net.trains("source", 4)
        net.connect(net.source("source"), net.source(post), how.pop("receptor", "current"), *wiring, **how)

    def stranger() -> None:
        net = Network()
        net.connect(net.population("a", 1, LIF()), Network().population("b", 1, LIF()), wiring="dense")

    def named_twice() -> None:
        net = Network()
        net.population("a", 1, LIF())
        net.population("a", 1, LIF())

    cases = [
        (lambda: arrays(pre=(0, 2)), "pre must be in 0..1, got 0..2"),
        (lambda: arrays(post=(-1, 2)), "post must be in 0..2, got -1..2"),
        (lambda: arrays(post=(0.5, 1.0)), "post must be integers, got float64"),
        (lambda: arrays(post=(1,)), "one length, got shapes (2,) and (1,)"),
        (lambda: arrays(weight=(1.0, 2.0, 3.0)), "weight must be a scalar or have 2 values, got shape (3,)"),
        (lambda: arrays(weight=np.nan), "weight must be finite"),
        (lambda: arrays(delay=0), "delay must be whole steps in 1..65535, got 0..0"),
        (lambda: arrays(delay=(1, 2.5)), "delay must be whole steps"),
        (lambda: connect(probability=1.5), "connection probability must be in [0, 1], got 1.5"),
        (lambda: connect(in_degree=5), "in-degree must be in 0..4, got 5"),
        (lambda: connect(), "give one of wiring, probability and in_degree"),
        (lambda: connect("dense", probability=0.1), "give one of wiring, probability and in_degree"),
        (lambda: connect("everything"), "wiring must be 'dense', 'one to one' or pairs, got 'everything'"),
        (lambda: connect("one to one"), "one to one needs equal sizes, got 4 and 3"),
        (lambda: connect("dense", weight=np.ones(3)), "dense weights must be (4, 3), got (3,)"),
        (lambda: connect("dense", weight=np.inf), "dense weights must be finite"),
        (lambda: connect("dense", delay=-1.0), "delay must be finite and >= 0 s"),
        (lambda: connect("dense", receptor="nmda"), "cells has the receptors current, not 'nmda'"),
        (lambda: connect("dense", post="source"), "source is a source of spikes: nothing arrives there"),
        (lambda: connect(TorusProjection.from_kernels(np.ones(3))), "the projection joins 3 to 3 neurons"),
        (lambda: TorusProjection.from_kernels(np.full(3, np.nan)), "kernels must be finite"),
        (stranger, "'b' is not part of this network"),
        (named_twice, "the network already has 'a'"),
        (lambda: ShortTerm(use=0.0), "ShortTerm use must be in (0, 1], got 0.0"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=re.escape(message)):
            call()
