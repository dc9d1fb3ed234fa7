"""R-STDP: single pairs and dopamine pulses in closed form, and networks against the clock-driven twin."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.spiking import (
    DenseProjection,
    Modulator,
    ModulatorState,
    PlasticProjection,
    RewardSTDP,
    SparseProjection,
    modulators,
)
from tolman.spiking.plasticity import run_reference

Spikes = NDArray[np.int32]
NONE = np.zeros((0, 2), np.int32)


def _at(*steps: int) -> Spikes:
    return np.array([(step, 0) for step in steps], np.int32).reshape(-1, 2)


def _pair(rule: RewardSTDP, weight: float = 0.5) -> PlasticProjection:
    return PlasticProjection(rule, DenseProjection.from_array([[weight]]))


@pytest.mark.parametrize("lag", [-60, -20, -1, 0, 1, 7, 20, 60])
def test_a_pair_leaves_the_eligibility_of_the_window(lag: int) -> None:
    rule, first, after = RewardSTDP(tau_plus=15e-3, tau_minus=30e-3), 5, 100
    pre, post = first + max(0, -lag), first + max(0, lag)
    synapse = _pair(rule)
    last = max(pre, post)
    synapse.advance(_at(pre), _at(post), np.zeros(last + after))
    expected = rule.window(np.array(lag * 1e-3)) * np.exp(-after * 1e-3 / rule.tau_eligibility)
    assert synapse.eligibility()[0, 0] == pytest.approx(expected, rel=1e-5, abs=1e-12)
    assert synapse.weights()[0, 0] == np.float32(0.5)


def test_all_pairs_of_two_trains_add_up() -> None:
    rule, pre, post = RewardSTDP(), (3, 18, 40), (10, 18, 55)
    synapse = _pair(rule)
    synapse.advance(_at(*pre), _at(*post), np.zeros(60))
    expected = sum(
        rule.window(np.array((j - i) * 1e-3)) * np.exp(-(60 - max(i, j)) * 1e-3 / rule.tau_eligibility)
        for i in pre
        for j in post
    )
    assert synapse.eligibility()[0, 0] == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("wait", [0.2, 1.0, 3.0])
def test_dopamine_turns_a_trace_into_a_weight_in_closed_form(wait: float) -> None:
    """c decays with tau_c and dopamine with tau_d, so dw = eta c(t_p) d_0 / (1/tau_c + 1/tau_d)."""
    rule, dopamine, pulse = RewardSTDP(learning_rate=2.0), Modulator(), 0.5
    steps, arrival = 9000, 20 + round(wait / 1e-3)
    release, level = np.zeros(steps), np.zeros(steps)
    release[arrival] = pulse
    modulators.advance(dopamine, ModulatorState.zeros(), release, level)
    synapse = _pair(rule)
    synapse.advance(_at(10), _at(20), level)
    trace = rule.a_plus * np.exp(-10e-3 / rule.tau_plus) * np.exp(-wait / rule.tau_eligibility)
    expected = 2.0 * trace * pulse / (1.0 / rule.tau_eligibility + 1.0 / dopamine.tau)
    assert synapse.weights()[0, 0] - 0.5 == pytest.approx(expected, rel=2e-3)  # float32 about 0.5
    assert _grown(rule, level) == pytest.approx(expected, rel=2e-5)


def _grown(rule: RewardSTDP, level: NDArray[np.float64]) -> float:
    synapse = _pair(rule, 0.0)
    synapse.advance(_at(10), _at(20), level)
    return float(synapse.weights()[0, 0])


def test_a_pulse_has_its_integral_at_any_step_and_adds_to_the_tonic_level() -> None:
    for dt in (1e-3, 1e-2):
        release, level = np.zeros(round(4.0 / dt)), np.zeros(round(4.0 / dt))
        release[3] = 0.7
        state = ModulatorState.zeros()
        modulators.advance(Modulator(tonic=0.1), state, release[:50], level[:50], dt)
        modulators.advance(Modulator(tonic=0.1), state, release[50:], level[50:], dt)
        assert dt * (level - 0.1).sum() == pytest.approx(0.7 * 0.2, rel=1e-6)


def _network(
    sparse: bool,
) -> tuple[SparseProjection | DenseProjection, NDArray[np.float64], NDArray[np.bool_]]:
    """Return a projection 50 -> 20, its weights as a matrix, and where it has synapses."""
    random = np.random.default_rng(8)
    matrix = random.uniform(0.2, 0.8, (50, 20)).astype(np.float32)
    if not sparse:
        return DenseProjection.from_array(matrix), matrix.astype(np.float64), np.ones((50, 20), np.bool_)
    there = random.random((50, 20)) < 0.3
    pre, post = np.nonzero(there)
    projection = SparseProjection.from_arrays(50, 20, pre, post, matrix[there])
    return projection, np.where(there, matrix, 0.0), there


def _trains(n: int, steps: int, rate: float, seed: int) -> Spikes:
    fired = np.random.default_rng(seed).random((steps, n)) < rate * 1e-3
    return np.argwhere(fired).astype(np.int32, order="C")


def _factor(steps: int, signed: bool) -> NDArray[np.float64]:
    release = np.zeros(steps)
    release[::700], release[300::900] = 1.0, (-1.0 if signed else 0.5)
    level = np.empty(steps)
    modulators.advance(Modulator(), ModulatorState.zeros(), release, level)
    return level


def _matrix(values: NDArray[np.float32], there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return per-synapse `values` as a matrix; rows of a sparse projection ascend, as those of a mask do."""
    if values.ndim == 2:
        return values.astype(np.float64)
    matrix = np.zeros(there.shape)
    matrix[there] = values
    return matrix


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_the_lazy_kernel_and_the_clock_driven_twin_agree(sparse: bool, masked: bool) -> None:
    """10 s: the origin of time moves twice."""
    steps, rule = 10_000, RewardSTDP(a_plus=0.05, a_minus=0.045)
    projection, before, there = _network(sparse)
    pre, post, factor = _trains(50, steps, 8.0, 1), _trains(20, steps, 15.0, 2), _factor(steps, signed=True)
    frozen = np.random.default_rng(9).random(projection.weights.shape) < 0.3 if masked else None
    plastic = there if frozen is None else there & (_matrix(~frozen, there) > 0.0)  # type: ignore[arg-type]
    synapses = PlasticProjection(rule, projection, frozen)
    synapses.advance(pre, post, factor)
    expected, trace = run_reference(rule, before, plastic, pre, post, factor)
    weights, eligibility = _matrix(synapses.weights(), there), _matrix(synapses.eligibility(), there)
    change, wanted = (weights - before)[plastic], (expected - before)[plastic]
    assert np.abs(wanted).max() > 0.02
    assert np.corrcoef(change, wanted)[0, 1] >= 0.99999
    np.testing.assert_allclose(weights, expected, atol=2e-5)
    np.testing.assert_allclose(eligibility[plastic], trace[plastic], atol=2e-6)
    np.testing.assert_array_equal(weights[~plastic], before.astype(np.float32)[~plastic])


@pytest.mark.parametrize("sparse", [False, True])
def test_bounds_hold_and_agree_with_the_twin(sparse: bool) -> None:
    """With a third factor of one sign a weight goes one way between spikes, and lazy bounds are exact."""
    steps, rule = 6_000, RewardSTDP(a_plus=0.05, a_minus=0.06, learning_rate=30.0, low=0.1, high=0.9)
    projection, before, there = _network(sparse)
    pre, post, factor = _trains(50, steps, 10.0, 3), _trains(20, steps, 10.0, 4), _factor(steps, signed=False)
    synapses = PlasticProjection(rule, projection)
    synapses.advance(pre, post, factor)
    weights = _matrix(synapses.weights(), there)[there]
    expected = run_reference(rule, before, there, pre, post, factor)[0][there]
    assert weights.min() == np.float32(0.1)
    assert weights.max() == np.float32(0.9)
    np.testing.assert_allclose(weights, expected, atol=2e-4)


@pytest.mark.parametrize("sparse", [False, True])
def test_blocks_single_steps_and_a_resume_are_bit_identical(sparse: bool) -> None:
    steps, rule = 5000, RewardSTDP()
    pre, post, factor = _trains(50, steps, 8.0, 5), _trains(20, steps, 8.0, 6), _factor(steps, signed=True)

    def part(spikes: Spikes, start: int, end: int) -> Spikes:
        chosen = spikes[(spikes[:, 0] >= start) & (spikes[:, 0] < end)].copy()
        chosen[:, 0] -= start
        return chosen

    def run(synapses: PlasticProjection, edges: list[int]) -> None:
        for start, end in pairwise(edges):
            synapses.advance(part(pre, start, end), part(post, start, end), factor[start:end])

    whole = PlasticProjection(rule, _network(sparse)[0])
    run(whole, [0, steps])
    stepped = PlasticProjection(rule, _network(sparse)[0])
    run(stepped, [*range(0, 4500, 40), *range(4500, steps + 1)])
    begun = PlasticProjection(rule, _network(sparse)[0])
    run(begun, [0, 2345])
    saved = begun.arrays()
    begun.weights()  # looking changes nothing
    run(begun, [2345, 3000])
    resumed = PlasticProjection(rule, _network(sparse)[0])
    resumed.load(saved)
    run(resumed, [2345, steps])
    for other in (stepped, resumed):
        for name, array in whole.arrays().items():
            np.testing.assert_array_equal(array, other.arrays()[name], err_msg=name)


def test_weights_of_a_neuron_are_up_to_date_when_it_spikes() -> None:
    synapse = _pair(RewardSTDP())
    synapse.advance(_at(10), _at(20), np.ones(500))
    stale, true = synapse.projection.weights[0, 0], synapse.weights()[0, 0]
    assert stale == np.float32(0.5)
    assert true > stale
    synapse.advance(_at(0), NONE, np.zeros(1))
    assert synapse.projection.weights[0, 0] == true


def test_clearing_keeps_the_weights_and_forgets_the_rest() -> None:
    synapse = _pair(RewardSTDP())
    synapse.advance(_at(10), _at(20), np.ones(500))
    learned = synapse.weights()
    synapse.clear()
    np.testing.assert_array_equal(synapse.projection.weights, learned)
    synapse.advance(NONE, _at(0), np.ones(100))
    np.testing.assert_array_equal(synapse.weights(), learned)


def test_bad_input_is_named() -> None:
    def dense(weight: float = 0.5, frozen: object = None) -> PlasticProjection:
        projection = DenseProjection.from_array([[weight]])
        return PlasticProjection(RewardSTDP(), projection, frozen)  # type: ignore[arg-type]

    def twice() -> None:
        PlasticProjection(RewardSTDP(), SparseProjection.from_arrays(2, 2, [1, 1, 0], [0, 0, 1], 0.5))

    def load(**changes: NDArray[np.generic]) -> None:
        synapse = dense()
        synapse.load(synapse.arrays() | changes)

    none = np.zeros(7)
    cases = [
        (lambda: RewardSTDP(tau_plus=0.0), "RewardSTDP tau_plus must be finite and > 0, got 0.0"),
        (lambda: RewardSTDP(low=1.0), "bounds must be low < high, got 1.0 and 1.0"),
        (lambda: Modulator(tau=np.nan), "Modulator tau must be finite and > 0, got nan"),
        (lambda: dense(1.5), "plastic weights must be in [0.0, 1.0], got 1.5..1.5"),
        (lambda: dense(frozen=np.zeros(3, np.bool_)), "the frozen mask must have shape (1, 1), got (3,)"),
        (lambda: dense(frozen=np.zeros((1, 1))), "the frozen mask must be bool, got float64"),
        (twice, "a plastic pair of neurons has one synapse; 1 -> 0 has several"),
        (lambda: dense().advance(_at(7), NONE, none), "ascending steps in 0..6"),
        (lambda: dense().advance(_at(3, 2), NONE, none), "ascending steps in 0..6"),
        (lambda: dense().advance(NONE, _at(0) + 1, none), "neurons 0..0 before and 0..0 after"),
        (lambda: dense().advance(NONE, NONE, none.astype(np.float32)), "(steps,) float64"),  # type: ignore[arg-type]
        (lambda: load(seen=np.zeros(2)), "plasticity state seen must have shape (1,), got (2,)"),
        (lambda: dense().load({}), "plasticity state lacks clock, eligibility, integral"),
        (
            lambda: modulators.advance(Modulator(), ModulatorState.zeros(), np.zeros(3), np.zeros(2)),
            "release and level must be (steps,), got (3,) and (2,)",
        ),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=re.escape(message)):
            call()
    assert dense(1.5, np.ones((1, 1), np.bool_)).weights()[0, 0] == np.float32(1.5)
