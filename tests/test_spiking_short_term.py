"""Short-term plasticity: against the closed form of regular trains, and through both kinds of projection."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.spiking import DenseProjection, ShortTerm, ShortTermState, SparseProjection, short_term

NOTHING = np.zeros((0, 2), np.int32)


def _spikes(*neurons: int) -> NDArray[np.int32]:
    return np.array([(0, j) for j in neurons], np.int32).reshape(-1, 2)


@pytest.mark.parametrize(
    "synapses", [ShortTerm(), short_term.FACILITATING, ShortTerm(0.2, 0.3, 0.3)], ids=["down", "up", "both"]
)
@pytest.mark.parametrize("interval", [10, 50, 200])
def test_a_regular_train_comes_to_the_release_of_theory(synapses: ShortTerm, interval: int) -> None:
    state, released = ShortTermState.zeros(1), []
    for step in range(300 * interval):
        spikes = _spikes(0) if step % interval == 0 else NOTHING
        released += short_term.advance(synapses, state, spikes).tolist()
    assert released[0] == pytest.approx(synapses.use)
    assert released[-1] == pytest.approx(float(synapses.steady_release(1e3 / interval)), rel=1e-3)


def test_depression_and_facilitation_go_their_ways() -> None:
    rates = np.array([1.0, 5.0, 20.0, 50.0])
    assert np.all(np.diff(ShortTerm().steady_release(rates)) < 0.0)
    assert np.all(np.diff(short_term.FACILITATING.steady_release(rates[:3])) > 0.0)


def test_release_does_not_depend_on_the_step() -> None:
    last = []
    for dt in (1e-3, 0.1e-3):
        state = ShortTermState.zeros(1)
        for step in range(round(0.2 / dt)):
            spikes = _spikes(0) if step % round(0.02 / dt) == 0 else NOTHING
            out = short_term.advance(ShortTerm(0.2, 0.3, 0.3), state, spikes, dt)
            if out.size:
                last.append(float(out[0]))
    np.testing.assert_allclose(last[:10], last[10:], rtol=1e-5)


def test_projections_scale_what_they_send() -> None:
    random = np.random.default_rng(0)
    weights = random.normal(size=(20, 30))
    dense = DenseProjection.from_array(weights, 2)
    pre, post = np.divmod(np.arange(600), 30)
    sparse = SparseProjection.from_arrays(20, 30, pre, post, weights.ravel(), random.integers(1, 4, 600))
    for projection in (dense, sparse):
        state = ShortTermState.zeros(20)
        lines = projection.delay_line(), projection.delay_line()
        ours, theirs, full = (np.zeros(30, np.float32) for _ in range(3))
        plain = projection.delay_line()
        for _ in range(40):
            spikes = _spikes(*np.flatnonzero(random.random(20) < 0.2))
            released = short_term.advance(ShortTerm(), state, spikes)
            projection.deliver(lines[0], spikes, ours, released)
            projection.deliver_reference(lines[1], spikes, theirs, released)
            projection.deliver(plain, spikes, full)
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
        assert np.linalg.norm(ours) < 0.5 * np.linalg.norm(full)
    with pytest.raises(ValueError, match=r"released must be \(2,\) float32"):
        dense.deliver(dense.delay_line(), _spikes(0, 1), ours, np.ones(3, np.float32))


def test_impossible_parameters_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"use must be in \(0, 1\]"):
        ShortTerm(use=0.0)
    with pytest.raises(ValueError, match=r"neurons are 0\.\.1"):
        short_term.advance(ShortTerm(), ShortTermState.zeros(2), _spikes(5))
