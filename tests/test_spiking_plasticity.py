"""Plasticity: single pairs and dopamine pulses in closed form, and networks against the clock-driven twin."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.spiking import (
    LIF,
    STDP,
    TDLTP,
    Connection,
    Homeostasis,
    Modulator,
    Network,
    RewardSTDP,
    SequentialSTDP,
    Uniform,
)
from tolman.spiking.plasticity import run_reference
from tolman.spiking.rules import Rule

Spikes = NDArray[np.int32]


class Synapses:
    """Synapses between given trains, steered by a third factor that is given for each step."""

    def __init__(self, rule: Rule, pre: Spikes, post: Spikes, wiring: Any, weight: Any, **other: Any) -> None:
        sizes = other.pop("sizes", (1, 1))
        self.net = Network(dt=1e-3)
        ends = [
            self.net.trains(name, size, spikes[:, 0] * 1e-3, spikes[:, 1])
            for name, size, spikes in zip(("pre", "post"), sizes, (pre, post), strict=True)
        ]
        self.factor, self.gate = self.net.modulator("factor"), self.net.modulator("gate")
        self.gate.set_tonic(1.0)
        self.synapses: Connection = self.net.connect(
            *ends,
            None,
            wiring,
            weight=weight,
            rule=rule,
            third_factor=None if isinstance(rule, STDP) else self.factor,
            gate=self.gate if isinstance(rule, SequentialSTDP) else None,
            **other,
        )

    def run(self, factor: NDArray[np.float64], gate: NDArray[np.float64] | None = None) -> Synapses:
        for step, level in enumerate(factor):
            self.factor.set_tonic(float(level))
            if gate is not None:
                self.gate.set_tonic(float(gate[step]))
            self.net.step()
        return self

    @property
    def weights(self) -> NDArray[np.float32]:
        return self.synapses.weights

    @property
    def eligibility(self) -> NDArray[np.float32]:
        assert self.synapses.plasticity is not None
        return self.synapses.plasticity.eligibility()


def _at(*steps: int) -> Spikes:
    return np.array([(step, 0) for step in steps], np.int32).reshape(-1, 2)


def _pair(rule: Rule, pre: Spikes, post: Spikes, weight: float = 0.5) -> Synapses:
    return Synapses(rule, pre, post, "dense", weight)


@pytest.mark.parametrize("lag", [-60, -20, -1, 0, 1, 7, 20, 60])
def test_a_pair_leaves_the_eligibility_of_the_window(lag: int) -> None:
    rule, first, after = RewardSTDP(tau_plus=15e-3, tau_minus=30e-3), 5, 100
    pre, post = first + max(0, -lag), first + max(0, lag)
    synapse = _pair(rule, _at(pre), _at(post)).run(np.zeros(max(pre, post) + after))
    expected = rule.window(np.array(lag * 1e-3)) * np.exp(-after * 1e-3 / rule.tau_eligibility)
    assert synapse.eligibility[0, 0] == pytest.approx(expected, rel=1e-5, abs=1e-12)
    assert synapse.weights[0, 0] == np.float32(0.5)


@pytest.mark.parametrize("lag", [-30, -1, 0, 1, 30])
def test_a_pair_changes_the_weight_of_pair_stdp_at_once(lag: int) -> None:
    rule, pre, post = STDP(), 5 + max(0, -lag), 5 + max(0, lag)
    synapse = _pair(rule, _at(pre), _at(post)).run(np.zeros(80))
    assert synapse.weights[0, 0] - 0.5 == pytest.approx(float(rule.window(np.array(lag * 1e-3))), abs=1e-7)


def test_all_pairs_of_two_trains_add_up() -> None:
    rule, pre, post = RewardSTDP(), (3, 18, 40), (10, 18, 55)
    synapse = _pair(rule, _at(*pre), _at(*post)).run(np.zeros(60))
    expected = sum(
        rule.window(np.array((j - i) * 1e-3)) * np.exp(-(60 - max(i, j)) * 1e-3 / rule.tau_eligibility)
        for i in pre
        for j in post
    )
    assert synapse.eligibility[0, 0] == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("wait", [0.2, 1.0, 3.0])
def test_dopamine_turns_a_trace_into_a_weight_in_closed_form(wait: float) -> None:
    """c decays with tau_c and dopamine with tau_d, so dw = eta c(t_p) d_0 / (1/tau_c + 1/tau_d)."""
    rule, pulse = RewardSTDP(learning_rate=2.0), 0.5
    synapse = _pair(rule, _at(10), _at(20), 0.0)
    synapse.net.run(20e-3 + wait)
    synapse.factor.release(pulse)
    synapse.net.run(9.0 - wait - 20e-3)
    trace = rule.a_plus * np.exp(-10e-3 / rule.tau_plus) * np.exp(-wait / rule.tau_eligibility)
    expected = 2.0 * trace * pulse / (1.0 / rule.tau_eligibility + 1.0 / 0.2)
    assert synapse.weights[0, 0] == pytest.approx(expected, rel=2e-3)


def test_a_pulse_has_its_integral_at_any_step_and_adds_to_the_tonic_level() -> None:
    for dt in (1e-3, 1e-2):
        net, total = Network(dt=dt), 0.0
        level = net.modulator("dopamine", Modulator(tonic=0.1))
        net.step(3)
        level.release(0.7)
        assert level.level[0] == pytest.approx(0.8)
        for _ in range(round(4.0 / dt)):
            net.step()
            total += dt * (level.mean[0] - 0.1)
        assert total == pytest.approx(0.7 * 0.2, rel=1e-6)


def _network(sparse: bool) -> tuple[Any, Any, NDArray[np.float64], NDArray[np.bool_]]:
    """Return wiring and weights of a projection 50 -> 20, weights as a matrix, and where synapses are."""
    random = np.random.default_rng(8)
    matrix = random.uniform(0.2, 0.8, (50, 20)).astype(np.float32)
    if not sparse:
        return "dense", matrix, matrix.astype(np.float64), np.ones((50, 20), np.bool_)
    there = random.random((50, 20)) < 0.3
    return np.nonzero(there), matrix[there], np.where(there, matrix, 0.0), there


def _trains(n: int, steps: int, rate: float, seed: int) -> Spikes:
    fired = np.random.default_rng(seed).random((steps, n)) < rate * 1e-3
    return np.argwhere(fired).astype(np.int32, order="C")


def _factor(steps: int, signed: bool) -> NDArray[np.float64]:
    level, levels = 0.0, np.empty(steps)
    for step in range(steps):
        level += step % 700 == 0
        level += (-1.0 if signed else 0.5) * (step % 900 == 300)
        levels[step] = level
        level *= np.exp(-1e-3 / 0.2)
    return levels


def _matrix(values: NDArray[Any], there: NDArray[np.bool_]) -> NDArray[np.float64]:
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
    wiring, weight, before, there = _network(sparse)
    pre, post, factor = _trains(50, steps, 8.0, 1), _trains(20, steps, 15.0, 2), _factor(steps, signed=True)
    frozen = np.random.default_rng(9).random(np.shape(weight)) < 0.3 if masked else None
    plastic = there if frozen is None else there & (_matrix(~frozen, there) > 0.0)
    made = Synapses(rule, pre, post, wiring, weight, sizes=(50, 20), frozen=frozen).run(factor)
    expected, trace = run_reference(rule, before, plastic, pre, post, factor)
    weights, eligibility = _matrix(made.weights, there), _matrix(made.eligibility, there)
    change, wanted = (weights - before)[plastic], (expected - before)[plastic]
    assert np.abs(wanted).max() > 0.02
    assert np.corrcoef(change, wanted)[0, 1] >= 0.99999
    # Pairs more than 9 time constants apart are left out.
    np.testing.assert_allclose(weights, expected, atol=5e-5)
    np.testing.assert_allclose(eligibility[plastic], trace[plastic], atol=2e-5)
    np.testing.assert_array_equal(weights[~plastic], before.astype(np.float32)[~plastic])


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    "rule", [STDP(a_plus=0.02, a_minus=0.021), SequentialSTDP(dopamine_rate=0.05, acetylcholine_rate=0.002)]
)
def test_every_rule_agrees_with_the_twin(rule: Rule, sparse: bool) -> None:
    steps = 4_000
    wiring, weight, before, there = _network(sparse)
    pre, post, factor = _trains(50, steps, 8.0, 1), _trains(20, steps, 15.0, 2), _factor(steps, signed=False)
    gate = np.where(np.arange(steps) < 3000, 1.0, 0.0) if isinstance(rule, SequentialSTDP) else None
    made = Synapses(rule, pre, post, wiring, weight, sizes=(50, 20)).run(factor, gate)
    expected, trace = run_reference(rule, before, there, pre, post, factor, gate)
    np.testing.assert_allclose(_matrix(made.weights, there), expected, atol=2e-4)
    np.testing.assert_allclose(_matrix(made.eligibility, there), trace, rtol=2e-4, atol=2e-4)
    assert np.abs(expected - before).max() > 0.02


@pytest.mark.parametrize("sparse", [False, True])
def test_bounds_hold_and_agree_with_the_twin(sparse: bool) -> None:
    """With a third factor of one sign a weight goes one way between spikes, and lazy bounds are exact."""
    steps, rule = 6_000, RewardSTDP(a_plus=0.05, a_minus=0.06, learning_rate=30.0, low=0.1, high=0.9)
    wiring, weight, before, there = _network(sparse)
    pre, post, factor = _trains(50, steps, 10.0, 3), _trains(20, steps, 10.0, 4), _factor(steps, signed=False)
    made = Synapses(rule, pre, post, wiring, weight, sizes=(50, 20)).run(factor)
    weights = _matrix(made.weights, there)[there]
    expected = run_reference(rule, before, there, pre, post, factor)[0][there]
    assert weights.min() == np.float32(0.1)
    assert weights.max() == np.float32(0.9)
    np.testing.assert_allclose(weights, expected, atol=2e-3)


@pytest.mark.parametrize("sparse", [False, True])
def test_a_resume_is_bit_identical_and_looking_changes_nothing(sparse: bool) -> None:
    wiring, weight, _, _ = _network(sparse)

    def made() -> Network:
        net = Network(dt=1e-3, seed=2)
        source, cells = (
            net.poisson("source", 50, 15.0),
            net.population("cells", 20, LIF(noise=0.1), drive=0.6),
        )
        dopamine = net.modulator("dopamine")
        net.connect(source, cells, "current", wiring, weight=weight, rule=RewardSTDP(), third_factor=dopamine,
                    name="synapses")  # fmt: skip
        net.every(0.5, lambda _: dopamine.release(1.0))
        return net

    whole, begun, resumed = made(), made(), made()
    whole.run(5.0)
    begun.run(2.345)
    resumed.step(0)
    resumed.load(begun.arrays())
    assert begun.connection("synapses").weights.size
    for net in (begun, resumed):
        net.run(5.0 - 2.345)
        for name, array in whole.arrays().items():
            np.testing.assert_array_equal(array, net.arrays()[name], err_msg=name)


def test_the_copies_of_a_batch_learn_on_their_own() -> None:
    def made(batch: int) -> tuple[Network, Connection]:
        net = Network(dt=1e-3, seed=2, batch=batch)
        steps, cells = np.array([5, 40, 90]), np.zeros(3, int)
        pre = net.trains("pre", 2, steps * 1e-3, cells)
        times = np.concatenate([steps + 4 + 3 * b for b in range(batch)]) * 1e-3
        post = net.trains("post", 3, times, np.repeat(np.arange(batch) * 3, 3))
        synapses = net.connect(pre, post, None, "dense", weight=0.5, rule=STDP())
        if batch > 1:
            pre.fire([0, 2])
        net.run(0.2)
        return net, synapses

    _, several = made(2)
    assert several.weights.shape == (2, 2, 3)
    _, alone = made(1)
    assert several.weights[0, 0, 0] > 0.5
    assert several.weights[1, 0, 0] != several.weights[0, 0, 0]
    assert np.all(several.weights[:, 1] == np.float32(0.5))
    assert alone.weights[0, 0] > 0.5


def test_homeostasis_brings_every_neuron_to_its_rate() -> None:
    net = Network(dt=1e-3, seed=3)
    source = net.poisson("source", 200, 10.0)
    cells = net.population("cells", 30, LIF(), drive=np.linspace(0.0, 0.6, 30))
    rule = STDP(a_plus=0.0, a_minus=0.0, high=5.0, homeostasis=Homeostasis(rate=8.0, tau=5.0, tau_rate=2.0))
    net.connect(source, cells, wiring="dense", weight=Uniform(0.0, 0.1), rule=rule)
    spikes = net.record(cells)
    net.run(5.0)
    before = spikes.counts() / 5.0
    net.run(55.0)
    spikes.clear()
    net.run(20.0)
    after = spikes.counts() / 20.0
    assert np.ptp(before) > 8.0
    np.testing.assert_allclose(after, 8.0, atol=1.5)


def test_a_dead_synapse_stays_dead() -> None:
    down, up = np.arange(0, 400, 10), np.arange(500, 900, 10)
    pre, post = _at(*(down + 2), *up), _at(*down, *(up + 2))
    mortal, immortal = (
        _pair(STDP(a_plus=0.05, a_minus=0.05, dies=dies), pre, post) for dies in (True, False)
    )
    for synapse in (mortal, immortal):
        synapse.run(np.zeros(450))
        assert synapse.weights[0, 0] == 0.0
        synapse.run(np.zeros(500))
    assert mortal.weights[0, 0] == 0.0
    assert immortal.weights[0, 0] > 0.5


def test_clearing_keeps_the_weights_and_forgets_the_rest() -> None:
    synapse = _pair(RewardSTDP(), _at(10), _at(20, 600)).run(np.ones(500))
    learned = synapse.weights.copy()
    plasticity = synapse.synapses.plasticity
    assert plasticity is not None
    assert learned[0, 0] > 0.5
    plasticity.clear()
    synapse.run(np.ones(200))
    np.testing.assert_array_equal(synapse.weights, learned)


def test_weights_can_be_set_in_the_middle_of_learning() -> None:
    synapse = _pair(RewardSTDP(), _at(10), _at(20)).run(np.ones(100))
    synapse.synapses.set_weights(0.25)
    assert synapse.weights[0, 0] == np.float32(0.25)
    before = float(synapse.eligibility[0, 0])
    synapse.run(np.ones(500))
    grown = before * (1.0 - np.exp(-0.5))
    assert synapse.weights[0, 0] - 0.25 == pytest.approx(grown, rel=1e-3)


def test_bad_input_is_named() -> None:
    def dense(weight: float = 0.5, **other: Any) -> Synapses:
        return Synapses(RewardSTDP(), _at(), _at(), "dense", weight, **other)

    def twice() -> None:
        Synapses(RewardSTDP(), _at(), _at(), ([1, 1, 0], [0, 0, 1]), 0.5, sizes=(2, 2))

    def load(**changes: NDArray[Any]) -> None:
        made = dense()
        made.net.load(
            {**made.net.arrays(), **{f"pre to post/{name}": array for name, array in changes.items()}}
        )

    cases = [
        (lambda: RewardSTDP(tau_plus=0.0), "RewardSTDP tau_plus must be finite and > 0, got 0"),
        (lambda: STDP(low=1.0), "bounds must be low < high, got 1.0 and 1.0"),
        (lambda: Homeostasis(rate=0.0), "Homeostasis rate must be finite and > 0, got 0"),
        (lambda: Modulator(tau=np.nan), "Modulator tau must be finite and > 0, got nan"),
        (lambda: dense(1.5), "plastic weights must be in [0.0, 1.0], got 1.5..1.5"),
        (lambda: dense(frozen=np.zeros(3, np.bool_)), "the frozen mask must have shape (1, 1), got (3,)"),
        (lambda: dense(frozen=np.zeros((1, 1))), "the frozen mask must be bool, got float64"),
        (twice, "a plastic pair of neurons has one synapse; 1 -> 0 has several"),
        (lambda: dense().synapses.set_weights(2.0), "weights must be in [0.0, 1.0]"),
        (lambda: load(eligibility=np.zeros(2)), "pre to post/eligibility must have shape (1,), got (2,)"),
        (lambda: dense().net.load({}), "state lacks clock"),
        (lambda: dense().factor.release(np.inf), "factor release must be finite"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=re.escape(message)):
            call()
    assert dense(1.5, frozen=np.ones((1, 1), np.bool_)).weights[0, 0] == np.float32(1.5)


@pytest.mark.parametrize("sparse", [False, True])
def test_td_ltp_is_that_of_its_equation(sparse: bool) -> None:
    """Against every synapse in every step, in double precision; the origin of time moves ten times."""
    steps, rule = 4_000, TDLTP(learning_rate=0.02, low=0.0, high=1.0)
    wiring, weight, before, there = _network(sparse)
    pre, post, delta = _trains(50, steps, 8.0, 1), _trains(20, steps, 15.0, 2), _factor(steps, signed=True)
    made = Synapses(rule, pre, post, wiring, weight, sizes=(50, 20)).run(delta)
    slow, fast, wanted = np.zeros((50, 20)), np.zeros((50, 20)), before.copy()
    psp = np.zeros((2, 50))
    keep = np.exp(-1e-3 / np.array([[rule.tau_membrane], [rule.tau_synapse]]))
    height = rule.psp_area / (rule.tau_membrane - rule.tau_synapse) / (rule.tau_eligibility - rule.tau_rise)
    for step in range(steps):
        fired = [np.bincount(s[s[:, 0] == step, 1], minlength=n) for s, n in ((pre, 50), (post, 20))]
        jump = there * height * np.outer(psp[0] - psp[1], fired[1])
        slow, fast = slow + jump, fast + jump
        for trace, tau, sign in ((slow, rule.tau_eligibility, 1.0), (fast, rule.tau_rise, -1.0)):
            wanted += sign * rule.learning_rate * delta[step] * tau * -np.expm1(-1e-3 / tau) * trace
            trace *= np.exp(-1e-3 / tau)
        psp = (psp + fired[0]) * keep
    assert np.abs(wanted - before).max() > 0.02
    assert np.all((wanted >= 0.0) & (wanted <= 1.0)), "bounds are not met, so that they do not matter"
    np.testing.assert_allclose(_matrix(made.weights, there), wanted, atol=1e-4)
    np.testing.assert_allclose(_matrix(made.eligibility, there), slow - fast, rtol=2e-3, atol=1e-3)


@pytest.mark.parametrize("delay", [1e-3, 4e-3])
@pytest.mark.parametrize(
    "rule",
    [
        STDP(a_plus=0.02, a_minus=0.021, high=0.5),
        RewardSTDP(a_plus=0.02, a_minus=0.021, learning_rate=5.0, high=0.5),
        SequentialSTDP(dopamine_rate=0.005, high=0.5),
    ],
)
def test_dense_synapses_learn_as_the_same_ones_in_a_sparse_table(rule: Rule, delay: float) -> None:
    """Rows that wait for their source end where synapses that meet every spike do, bounds and all.

    Long and fast enough that the list of waiting spikes is emptied some times.
    """
    n_pre, n_post = 30, 100
    everyone = (np.repeat(np.arange(n_pre), n_post), np.tile(np.arange(n_post), n_pre))
    start = np.random.default_rng(0).uniform(0.0, 0.3, (n_pre, n_post))
    made = []
    for wiring, weight in (("dense", start), (everyone, start.ravel())):
        net = Network(dt=1e-3, seed=1, precision="double", batch=2)
        source = net.poisson("source", n_pre, 20.0)
        cells = net.population("cells", n_post, LIF(noise=0.2), drive=1.2)
        levels = [net.modulator(name, Modulator(tau=0.2)) for name in ("dopamine", "gate")]
        levels[1].set_tonic(1.0)
        net.every(0.3, lambda _, level=levels[0]: level.release(1.0))
        synapses = net.connect(
            source, cells, "current", wiring, weight=weight, delay=delay, rule=rule, name="synapses",
            third_factor=None if isinstance(rule, STDP) else levels[0],
            gate=levels[1] if isinstance(rule, SequentialSTDP) else None,
        )  # fmt: skip
        spikes = net.record(cells)
        net.run(1.5)
        made.append((spikes.rows, synapses.weights.reshape(2, n_pre, n_post)))
    assert len(made[0][0]) > 2 * 6_000
    np.testing.assert_array_equal(made[0][0], made[1][0])
    # Traces below 1e-6 count as nothing, by a step more or less.
    np.testing.assert_allclose(made[0][1], made[1][1], rtol=0.0, atol=1e-6)
    assert np.ptp(made[0][1]) > 0.2
