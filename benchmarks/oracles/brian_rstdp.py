"""Weights under R-STDP in Brian2, the oracle of `spiking.plasticity.RewardSTDP`.

Spike trains are given, so that nothing but plasticity is compared. Three cases:

    example  the pairings and dopamine pulses of Brian2's example `Izhikevich_2007` (fig. 1c of Izhikevich
             2007, Cereb. Cortex 17:2443), and the same pairings under plain STDP, as in its first half
    distal   four synapses, paired 0.1 s to 3 s before one pulse; the order of one pair is reversed
    random   20 presynaptic and 10 postsynaptic neurons, 10 s, five pulses of both signs

Everything is made by NumPy in `cases`, which the test calls too. Run with a Python that has Brian2 (not a
dependency of this project):

    python benchmarks/oracles/brian_rstdp.py tests/data/brian_rstdp.json

Eligibility, dopamine and weight are integrated at every step; clipping is left out, and no weight comes near
the bounds that the test sets.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DT = 0.1e-3  #: s
SAMPLE = 500  #: steps between two stored weights, 50 ms
TAU_PAIR, TAU_ELIGIBILITY, TAU_DOPAMINE = 20e-3, 1.0, 0.2  #: s


@dataclass(frozen=True)
class Case:
    """Synapses, what their neurons fire, and when dopamine comes."""

    pairs: NDArray[np.int64]  #: (2, k) pre and post of each synapse
    pre: NDArray[Any]  #: (n, 2) spikes (step, neuron)
    post: NDArray[Any]  #: the same
    pulses: NDArray[np.float64]  #: (n, 2) of (step, amount)
    start: NDArray[np.float64]  #: (k,) weights
    a_plus: float
    a_minus: float
    rate: float  #: weight / (eligibility * dopamine * s)
    seconds: float
    unit: float  #: of the stored weights
    reward: bool = True  #: whether changes wait for dopamine

    @property
    def steps(self) -> int:
        """Steps of the run."""
        return round(self.seconds / DT)

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of presynaptic and postsynaptic neurons."""
        return int(self.pairs[0].max()) + 1, int(self.pairs[1].max()) + 1


def cases() -> dict[str, Case]:
    """Return the cases by name."""
    one, none = np.zeros((2, 1), np.int64), np.zeros((0, 2))
    example: dict[str, Any] = {
        "pairs": one, "pre": _rows([(0.5, 0), (1.0, 0), (1.51, 0)]), "post": _rows([(0.55, 0), (1.01, 0),
        (1.5, 0)]),
        "start": np.zeros(1), "a_plus": 1e-4, "a_minus": 1.05e-4, "rate": 1e3, "seconds": 3.0, "unit": 1e-10,
    }  # fmt: skip
    pulses = _rows([(0.52, 5e-3), (1.02, 5e-3), (1.52, 5e-3)])
    ends, times = np.arange(4), np.array([0.1, 1.1, 2.1, 3.0])
    lags = np.array([10e-3, 10e-3, 10e-3, -10e-3])
    distal = Case(
        pairs=np.stack([ends, ends]), pre=_rows(zip(times, ends, strict=True)),
        post=_rows(zip(times + lags, ends, strict=True)), pulses=_rows([(3.1, 0.5)]), start=np.full(4, 0.5),
        a_plus=0.1, a_minus=0.105, rate=2.0, seconds=5.0, unit=1e-7,
    )  # fmt: skip
    return {
        "example stdp": Case(**example, pulses=none, reward=False),
        "example reward": Case(**example, pulses=pulses),
        "distal": distal,
        "random": _random(),
    }


def _rows(rows: Iterable[tuple[float, float]]) -> NDArray[np.float64]:
    """Return (time, value) as rows (step, value)."""
    table = np.array([tuple(row) for row in rows], np.float64)
    table[:, 0] = np.round(table[:, 0] / DT)
    return table


def _random() -> Case:
    random, steps = np.random.default_rng(2007), round(10.0 / DT)
    trains = [np.argwhere(random.random((steps, n)) < rate * DT) for n, rate in ((20, 8.0), (10, 10.0))]
    pulses = [(0.7, 0.5), (2.3, 1.0), (4.1, -0.6), (6.6, 0.8), (8.5, 0.4)]
    return Case(
        pairs=np.stack(np.divmod(np.arange(200), 10)), pre=trains[0], post=trains[1], pulses=_rows(pulses),
        start=random.uniform(0.4, 0.6, 200).astype(np.float32).astype(float), a_plus=0.1, a_minus=0.09,
        rate=1.0,
        seconds=10.0, unit=1e-5,
    )  # fmt: skip


def run(case: Case) -> NDArray[np.float64]:
    """Return the weights (samples, k), before the first step and then every `SAMPLE` steps."""
    import brian2 as b2

    b2.start_scope()
    b2.prefs.codegen.target = "cython"
    b2.defaultclock.dt = DT * b2.second
    sides = [
        b2.SpikeGeneratorGroup(n, rows[:, 1].astype(int), rows[:, 0] * DT * b2.second)
        for n, rows in zip(case.sizes, (case.pre, case.post), strict=True)
    ]
    now = "c" if case.reward else "weight"
    synapses = b2.Synapses(
        *sides,
        """dc/dt = -c / tau_c : 1 (clock-driven)
        dd/dt = -d / tau_d : 1 (clock-driven)
        dweight/dt = rate * c * d : 1 (clock-driven)
        dx/dt = -x / tau : 1 (event-driven)
        dy/dt = -y / tau : 1 (event-driven)""",
        on_pre={"depress": f"{now} -= a_minus * y", "mark": "x += 1"},
        on_post={"potentiate": f"{now} += a_plus * x", "note": "y += 1"},
        method="rk4",
        namespace={
            "tau_c": TAU_ELIGIBILITY * b2.second,
            "tau_d": TAU_DOPAMINE * b2.second,
            "tau": TAU_PAIR * b2.second,
            "rate": case.rate * b2.Hz,
            "a_plus": case.a_plus,
            "a_minus": case.a_minus,
        },
    )
    # Pairs first, then the traces, so that coincident spikes make no pair.
    for order, names in enumerate((("depress", "potentiate"), ("mark", "note"))):
        for name in names:
            getattr(synapses, name).order = order
    synapses.connect(i=case.pairs[0], j=case.pairs[1])
    synapses.weight = case.start
    monitor = b2.StateMonitor(synapses, "weight", record=True, dt=SAMPLE * DT * b2.second)
    parts = [*sides, synapses, monitor]
    if len(case.pulses):
        count = len(case.pulses)
        glands = b2.SpikeGeneratorGroup(count, np.arange(count), case.pulses[:, 0] * DT * b2.second)
        release = b2.Synapses(glands, synapses, "amount : 1", on_pre="d_post += amount")
        release.connect()
        release.amount = case.pulses[np.array(release.i), 1]
        parts += [glands, release]
    b2.Network(*parts).run(case.seconds * b2.second)
    return np.vstack([np.array(monitor.weight).T, np.array(synapses.weight)])


if __name__ == "__main__":
    import brian2

    stored: dict[str, Any] = {"brian2": brian2.__version__, "traces": {}}
    for label, case in cases().items():
        weights = run(case)
        change = np.abs(weights - case.start).max(axis=0)
        print(f"{label}: {weights.shape}, changes {change.min():.3g}..{change.max():.3g}")
        print(f"  weights {weights.min():.3g}..{weights.max():.3g}")
        stored["traces"][label] = np.round((weights - case.start) / case.unit).astype(int).tolist()
    with open(sys.argv[1], "w") as file:
        json.dump(stored, file, separators=(",", ":"))
        file.write("\n")
