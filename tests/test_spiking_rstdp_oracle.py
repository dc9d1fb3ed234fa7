"""R-STDP moves weights as in Brian2, at all times (`benchmarks/oracles/brian_rstdp.py`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from scripts import load
from tolman.spiking import STDP, Modulator, Network, RewardSTDP
from tolman.spiking.rules import Rule

ROOT = Path(__file__).parent


ORACLE = load("oracles/brian_rstdp")
CASES = ORACLE.cases()
TRACES = json.loads((ROOT / "data" / "brian_rstdp.json").read_text())["traces"]
#: Cases in which every pair of neurons has a synapse.
DENSE = [(name, True) for name, case in CASES.items() if case.pairs.shape[1] == np.prod(case.sizes)]


def _rule(case: Any) -> Rule:
    amounts = {"a_plus": case.a_plus, "a_minus": case.a_minus, "low": -1.0, "high": 2.0}
    times = {"tau_plus": ORACLE.TAU_PAIR, "tau_minus": ORACLE.TAU_PAIR}
    if not case.reward:
        return STDP(**amounts, **times)
    return RewardSTDP(**amounts, **times, tau_eligibility=ORACLE.TAU_ELIGIBILITY, learning_rate=case.rate)


def _trace(case: Any, wiring: Any, precision: Literal["single", "double"]) -> NDArray[np.float64]:
    """Return the weights (samples, k) of a network that meets the spikes and pulses of `case`."""
    net = Network(dt=ORACLE.DT, precision=precision)
    ends = [
        net.trains(name, size, rows[:, 0] * ORACLE.DT, rows[:, 1])
        for name, size, rows in zip(("pre", "post"), case.sizes, (case.pre, case.post), strict=True)
    ]
    dopamine = net.modulator("dopamine", Modulator(tau=ORACLE.TAU_DOPAMINE))
    factor = dopamine if case.reward else None
    synapses = net.connect(*ends, None, wiring, weight=case.start, rule=_rule(case), third_factor=factor)
    pulses = {int(step): float(amount) for step, amount in case.pulses}
    samples = range(0, case.steps + 1, ORACLE.SAMPLE)
    trace = []
    for step in sorted({*samples, *pulses}):
        net.step(step - net.step_number)
        if step in samples:
            trace.append(synapses.weights.ravel().astype(np.float64))
        dopamine.release(pulses.get(step, 0.0))
    return np.array(trace)


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize(("name", "dense"), [*((name, False) for name in CASES), *DENSE])
def test_weights_move_as_in_brian2(name: str, dense: bool, precision: Literal["single", "double"]) -> None:
    case, stored = CASES[name], np.array(TRACES[name])
    expected = case.start + case.unit * stored
    ours = _trace(case, "dense" if dense else tuple(case.pairs), precision)
    change = np.abs(expected - case.start).max(axis=0)
    assert ours.shape == expected.shape
    assert np.all(change > 0.0)
    assert np.all(np.abs(ours - expected) <= 0.01 * change)


def test_reward_counts_less_the_later_it_comes() -> None:
    """Three pairs before one pulse, and a fourth in reversed order: the distal reward problem."""
    change = np.array(TRACES["distal"][-1]) * CASES["distal"].unit
    np.testing.assert_allclose(change[1:3] / change[:2], np.exp(1.0), rtol=0.01)
    assert change[3] < 0.0
