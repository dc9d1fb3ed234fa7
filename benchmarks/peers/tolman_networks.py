"""The networks in this project; run it with a Python that has `tolman` installed."""

import time
from typing import Any

from command import STARTED, arguments, parse, peak_mb, publish
from networks import COBA, CUBA, PLASTIC, SPARSE

SUPPORTED = ("cuba", "coba", "sparse", "plastic")


def main() -> None:
    """Build, run and time one network."""
    options = parse(arguments("tolman", SUPPORTED), "tolman", SUPPORTED)
    import tolman

    build = {"cuba": cuba, "coba": coba, "sparse": sparse, "plastic": plastic}[options.network]
    net, cells, synapses, learned = build(options.neurons, options.seed)
    # Counting spikes needs no record of them, but the loop has no cheaper way to hand them over.
    spikes = net.record(cells)
    net.step(1)
    start = time.time() - STARTED
    began = time.perf_counter()
    net.run(options.seconds)
    run = time.perf_counter() - began
    extra = {} if learned is None else {"mean_weight": float(learned.weights.mean())}
    publish(
        "tolman", tolman.__version__, options, synapses=synapses, start_s=start, run_s=run,
        spikes=len(spikes.rows), peak=peak_mb(), **extra,
    )  # fmt: skip


def cuba(n: int, seed: int) -> Any:
    """Current-based; see `networks`."""
    from tolman.spiking import LIF, Network, Uniform, exponential

    net, p = Network(dt=CUBA.dt * 1e-3, seed=seed), CUBA
    model = LIF(p.tau_m * 1e-3, p.threshold, p.refractory * 1e-3, p.e_leak, p.reset)
    receptors = {"ge": exponential(p.tau_e * 1e-3), "gi": exponential(p.tau_i * 1e-3)}
    cells = net.population("cells", n, model, receptors, membrane=Uniform(p.reset, p.threshold))
    return net, cells, _balanced(net, cells, n, p), None


def coba(n: int, seed: int) -> Any:
    """Conductance-based; see `networks`."""
    from tolman.spiking import LIF, Network, Normal, exponential, generator

    net, p = Network(dt=COBA.dt * 1e-3, seed=seed), COBA
    model = LIF(p.tau_m * 1e-3, p.threshold, p.refractory * 1e-3, p.e_leak, p.reset)
    receptors = {
        "ge": exponential(p.tau_e * 1e-3, reversal=p.e_exc),
        "gi": exponential(p.tau_i * 1e-3, reversal=p.e_inh),
    }
    cells = net.population("cells", n, model, receptors, membrane=Normal(*p.start_v))
    random = generator(seed, "start")
    for name, start in (("ge", p.start_ge), ("gi", p.start_gi)):
        cells.inputs[name][:] = random.normal(*start, n).clip(0.0)
    return net, cells, _balanced(net, cells, n, p), None


def sparse(n: int, seed: int) -> Any:
    """Noise-driven at a step of 1 ms; see `networks`."""
    from tolman.spiking import LIF, Network, Uniform, exponential

    net, p = Network(dt=SPARSE.dt * 1e-3, seed=seed), SPARSE
    model = LIF(p.tau_m * 1e-3, p.threshold, p.refractory * 1e-3, 0.0, p.reset, p.noise)
    cells = net.population(
        "cells", n, model, {"i": exponential(p.tau_s * 1e-3)}, drive=p.drive, membrane=Uniform(0.0, 1.0)
    )
    excitatory, synapses = round(p.excitatory * n), 0
    for group, weight in ((cells[:excitatory], p.weight_e), (cells[excitatory:], p.weight_i)):
        synapses += net.connect(group, cells, "i", probability=p.targets / n, weight=weight).synapses
    return net, cells, synapses, None


def plastic(n: int, seed: int) -> Any:
    """R-STDP with dopamine; see `networks`."""
    from tolman.spiking import LIF, Modulator, Network, RewardSTDP, Uniform, exponential

    net, p = Network(dt=PLASTIC.dt * 1e-3, seed=seed), PLASTIC
    source = net.poisson("source", p.sources, p.source_hz)
    model = LIF(p.tau_m * 1e-3, p.threshold, p.refractory * 1e-3, 0.0, p.reset)
    cells = net.population("cells", n, model, {"i": exponential(p.tau_s * 1e-3)})
    dopamine = net.modulator("dopamine", Modulator(tau=p.tau_d * 1e-3))
    pair = p.tau_pair * 1e-3
    rule = RewardSTDP(p.a_plus, p.a_minus, pair, pair, p.tau_c * 1e-3, p.eta * 1e3, 0.0, p.weight_max)
    learned = net.connect(
        source, cells, "i", "dense", weight=Uniform(0.0, p.weight_start), rule=rule, third_factor=dopamine
    )
    net.every(p.pulse_every * 1e-3, lambda network: dopamine.release(1.0) if network.time > 0.0 else None)
    return net, cells, learned.synapses, learned


def _balanced(net: Any, cells: Any, n: int, p: Any) -> int:
    probability, *weights = p.for_size(n)
    excitatory, synapses = round(p.excitatory * n), 0
    for group, receptor, weight in (
        (cells[:excitatory], "ge", weights[0]), (cells[excitatory:], "gi", weights[1]),
    ):  # fmt: skip
        synapses += net.connect(group, cells, receptor, probability=probability, weight=weight).synapses
    return synapses


if __name__ == "__main__":
    main()
