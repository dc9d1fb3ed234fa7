"""Spikes and weights of randomly drawn networks in Brian2, the oracle of `spiking.Network`.

Adaptive excitatory and plain inhibitory LIF neurons, sparse, with a delay for each synapse; spike trains from
outside arrive over synapses with pair STDP. Everything is drawn by NumPy from the seed, by `draw`, which the
test calls too. Run with a Python that has Brian2 (not a dependency of this project):

    python benchmarks/oracles/brian_networks.py tests/data/brian_networks.json

Brian2 executes a synapse after the neurons of its step, so a delay of d steps there is one of d + 1 here; and
it holds a neuron for one step less than its refractory period says, so it is given one more.
"""

import json
import sys
from typing import Any

import numpy as np

DT = 0.1e-3
STEPS = 10_000
SEEDS = (1, 2, 3, 4)
EXCITATORY, INHIBITORY, OUTSIDE = 160, 40, 60


def draw(seed: int) -> dict[str, Any]:
    """Return a network: drives, connections (pre, post, weight, delay in steps), trains and weights."""
    random = np.random.default_rng(seed)
    n = EXCITATORY + INHIBITORY
    there = random.random((n, n)) < random.uniform(0.05, 0.15)
    np.fill_diagonal(there, False)
    pre, post = np.nonzero(there)
    excites = pre < EXCITATORY
    weight = np.where(excites, random.uniform(0.0, 0.3, pre.size), random.uniform(-1.2, 0.0, pre.size))
    fired = np.argwhere(random.random((STEPS, OUTSIDE)) < 20.0 * DT)
    return {
        "drive": random.uniform(0.7, 1.3, n),
        "start": random.uniform(0.0, 0.9, n),
        "pre": pre,
        "post": post,
        "weight": weight.astype(np.float32).astype(float),
        "delay": random.integers(1, 60, pre.size),
        "trains": fired,
        "plastic": random.uniform(0.0, 0.4, (OUTSIDE, n)).astype(np.float32).astype(float),
        "tau_adaptation": random.uniform(80e-3, 200e-3),
        "coupling": random.uniform(0.0, 0.5),
    }


def run(made: dict[str, Any]) -> dict[str, Any]:
    """Return spike rows (step, neuron) and the plastic weights at the end."""
    import brian2 as b2

    b2.start_scope()
    b2.prefs.codegen.target = "cython"
    b2.defaultclock.dt = DT * b2.second
    equations = """
    dv/dt = (-v - w + I + drive) / (20 * ms) : 1 (unless refractory)
    dw/dt = (coupling * v - w) / tau_w : 1
    dI/dt = -I / (5 * ms) : 1
    drive : 1
    coupling : 1
    jump : 1
    tau_w : second
    """
    n = EXCITATORY + INHIBITORY
    # Brian2's symbolic solution of these equations does not end; at this step "rk4" is exact to 1e-9.
    cells = b2.NeuronGroup(
        n, equations, threshold="v >= 1", reset="v = 0; w += jump", refractory=2.1 * b2.ms, method="rk4"
    )
    cells.v, cells.drive = made["start"], made["drive"]
    adaptive = np.arange(n) < EXCITATORY
    cells.coupling, cells.jump = adaptive * made["coupling"], adaptive * 0.1
    cells.tau_w = made["tau_adaptation"] * b2.second
    recurrent = b2.Synapses(cells, cells, "weight : 1", on_pre="I_post += weight")
    recurrent.connect(i=made["pre"], j=made["post"])
    recurrent.weight = made["weight"]
    recurrent.delay = (made["delay"] - 1) * DT * b2.second
    steps, sources = made["trains"].T
    outside = b2.SpikeGeneratorGroup(OUTSIDE, sources, steps * DT * b2.second)
    plastic = b2.Synapses(
        outside,
        cells,
        """weight : 1
        dx/dt = -x / (20 * ms) : 1 (event-driven)
        dy/dt = -y / (20 * ms) : 1 (event-driven)""",
        on_pre={
            "depress": "weight = clip(weight - 0.0105 * y, 0, 0.5)",
            "mark": "x += 1",
            "send": "I_post += weight",
        },
        on_post={"potentiate": "weight = clip(weight + 0.01 * x, 0, 0.5)", "note": "y += 1"},
    )
    # Change the weights first, then the traces, so that coincident spikes make no pair.
    for order, names in enumerate((("depress", "potentiate"), ("mark", "note"), ("send",))):
        for name in names:
            getattr(plastic, name).order = order
    plastic.connect()
    plastic.weight = made["plastic"].ravel()
    monitor = b2.SpikeMonitor(cells)
    b2.Network(cells, recurrent, outside, plastic, monitor).run(STEPS * DT * b2.second)
    rows = np.stack([np.round(np.array(monitor.t / b2.second) / DT).astype(int), np.array(monitor.i)], axis=1)
    return {"spikes": rows.tolist(), "weights": np.round(np.array(plastic.weight), 6).tolist()}


if __name__ == "__main__":
    stored = {str(seed): run(draw(seed)) for seed in SEEDS}
    for seed, result in stored.items():
        rate = len(result["spikes"]) / (STEPS * DT) / (EXCITATORY + INHIBITORY)
        print(f"seed {seed}: {rate:.1f} Hz")
    with open(sys.argv[1], "w") as file:
        json.dump({"networks": stored}, file, separators=(",", ":"))
        file.write("\n")
