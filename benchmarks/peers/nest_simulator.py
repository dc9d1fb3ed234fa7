"""The networks in NEST, one thread.

NEST's neurons have a capacitance: C = tau_m in pF makes 1 pA worth 1 mV of the equations in `networks`, and
1 nS worth one leak conductance (1 nS). The delay is one step, the shortest there is.
"""

import importlib
import itertools
import math
import os
import time
from typing import Any

import command
from networks import COBA, CUBA, NETWORKS, PLASTIC, SPARSE, Cuba, Plastic, Sparse

SUPPORTED = ("cuba", "coba", "sparse", "plastic")
CHECK_EVERY = 500
"""Steps between NEST's passes over all dopamine synapses; they are also brought up to date at each spike."""


def balanced(
    nest: Any, population: Any, border: int, weights: tuple[float, float], probability: float, delay: float
) -> None:
    """Excitatory and inhibitory synapses from random neurons of the population to all of it."""
    for name, sources, weight in zip("ei", (population[:border], population[border:]), weights, strict=True):
        nest.CopyModel("static_synapse_hom_w", name, {"weight": weight, "delay": delay})
        rule = {"rule": "pairwise_bernoulli", "p": probability}
        nest.Connect(sources, population, rule, {"synapse_model": name})


def cuba(nest: Any, neurons: int, seconds: float) -> Any:
    """Vogels & Abbott (2005); Brette et al. (2007), benchmark 2."""
    population = nest.Create("iaf_psc_exp", neurons, psc_exp(CUBA, CUBA.tau_e, CUBA.tau_i, CUBA.e_leak))
    population.V_m = nest.random.uniform(CUBA.reset, CUBA.threshold)
    border = round(CUBA.excitatory * neurons)
    probability, weight_e, weight_i = CUBA.for_size(neurons)
    balanced(nest, population, border, (weight_e, weight_i), probability, CUBA.dt)
    return population


def coba(nest: Any, neurons: int, seconds: float) -> Any:
    """Brette et al. (2007), benchmark 1."""
    parameters = {
        "C_m": COBA.tau_m,
        "g_L": 1.0,
        "E_L": COBA.e_leak,
        "E_ex": COBA.e_exc,
        "E_in": COBA.e_inh,
        "V_th": COBA.threshold,
        "V_reset": COBA.reset,
        "t_ref": COBA.refractory,
        "tau_syn_ex": COBA.tau_e,
        "tau_syn_in": COBA.tau_i,
    }
    population = nest.Create("iaf_cond_exp", neurons, parameters)
    population.V_m = nest.random.normal(*COBA.start_v)
    population.g_ex = nest.math.max(nest.random.normal(*COBA.start_ge), 0.0)
    population.g_in = nest.math.max(nest.random.normal(*COBA.start_gi), 0.0)
    probability, weight_e, weight_i = COBA.for_size(neurons)
    border = round(COBA.excitatory * neurons)
    balanced(nest, population, border, (weight_e, -weight_i), probability, COBA.dt)
    return population


def psc_exp(network: Cuba | Sparse | Plastic, tau_e: float, tau_i: float, rest: float) -> dict[str, float]:
    """Parameters of `iaf_psc_exp`, which NEST solves exactly."""
    return {
        "C_m": network.tau_m,
        "tau_m": network.tau_m,
        "tau_syn_ex": tau_e,
        "tau_syn_in": tau_i,
        "E_L": rest,
        "V_m": rest,
        "V_th": network.threshold,
        "V_reset": network.reset,
        "t_ref": network.refractory,
    }


def sparse(nest: Any, neurons: int, seconds: float) -> Any:
    """Noise-driven LIF neurons of this comparison; the noise is a current that lasts a step."""
    parameters = psc_exp(SPARSE, SPARSE.tau_s, SPARSE.tau_s, 0.0) | {"I_e": SPARSE.drive}
    population = nest.Create("iaf_psc_exp", neurons, parameters)
    population.V_m = nest.random.uniform(SPARSE.reset, SPARSE.threshold)
    border = round(SPARSE.excitatory * neurons)
    weights = SPARSE.weight_e, SPARSE.weight_i
    balanced(nest, population, border, weights, SPARSE.targets / neurons, SPARSE.dt)
    per_current = 1.0 - math.exp(-SPARSE.dt / SPARSE.tau_m)
    noise = nest.Create("noise_generator", params={"std": SPARSE.noise / per_current, "dt": SPARSE.dt})
    nest.Connect(noise, population, syn_spec={"delay": SPARSE.dt})
    return population


def plastic(nest: Any, neurons: int, seconds: float) -> Any:
    """Izhikevich (2007) as `stdp_dopamine_synapse` of Potjans et al. (2010).

    A pulse steps NEST's dopamine by 1 / tau_n, so the amplitudes of STDP carry eta tau_n. NEST takes the
    delay for dendritic and pairs a spike of the target one delay late, which they make up for.
    """
    generator = nest.Create("poisson_generator", params={"rate": PLASTIC.source_hz})
    sources = nest.Create("parrot_neuron", PLASTIC.sources)
    population = nest.Create("iaf_psc_exp", neurons, psc_exp(PLASTIC, PLASTIC.tau_s, PLASTIC.tau_s, 0.0))
    population.tau_minus = PLASTIC.tau_pair
    pulses = nest.Create("spike_generator")
    times = (PLASTIC.pulse_every * k for k in itertools.count(1))
    pulses.spike_times = list(itertools.takewhile(lambda time: time < 1000.0 * seconds, times))
    dopamine = nest.Create("parrot_neuron")
    transmitter = nest.Create("volume_transmitter", params={"deliver_interval": CHECK_EVERY})
    gain = PLASTIC.eta * PLASTIC.tau_d
    late = math.exp(PLASTIC.dt / PLASTIC.tau_pair)
    defaults = {
        "volume_transmitter": transmitter,
        "A_plus": gain * PLASTIC.a_plus * late,
        "A_minus": gain * PLASTIC.a_minus / late,
        "tau_plus": PLASTIC.tau_pair,
        "tau_c": PLASTIC.tau_c,
        "tau_n": PLASTIC.tau_d,
        "Wmin": 0.0,
        "Wmax": PLASTIC.weight_max,
        "b": 0.0,
    }
    nest.CopyModel("stdp_dopamine_synapse", "dopamine_stdp", defaults)
    shortest = {"delay": PLASTIC.dt}
    nest.Connect(generator, sources, syn_spec=shortest)
    nest.Connect(pulses, dopamine, syn_spec=shortest)
    nest.Connect(dopamine, transmitter, syn_spec=shortest)
    synapses = {"synapse_model": "dopamine_stdp", "weight": nest.random.uniform(0.0, PLASTIC.weight_start)}
    nest.Connect(sources, population, syn_spec=synapses | shortest)
    return population


BUILD = {"cuba": cuba, "coba": coba, "sparse": sparse, "plastic": plastic}


def main() -> None:
    """Build, run and report one network."""
    options = command.parse(command.arguments("NEST", SUPPORTED), "NEST", SUPPORTED)
    os.environ["PYNEST_QUIET"] = "1"
    nest: Any = importlib.import_module("nest")
    nest.ResetKernel()
    nest.resolution = NETWORKS[options.network].dt
    nest.local_num_threads = 1
    nest.rng_seed = 1 + options.seed
    population = BUILD[options.network](nest, options.neurons, options.seconds)
    synapses = nest.num_connections
    mean_weight = None
    if options.network == "plastic":
        # Parrots count as neurons, so the counter of all spikes will not do; 2,000 events a second are cheap.
        recorder = nest.Create("spike_recorder")
        nest.Connect(population, recorder, syn_spec={"delay": PLASTIC.dt})
        synapses = nest.GetDefaults("dopamine_stdp", "num_connections")
    elif options.network == "sparse":
        synapses -= options.neurons  # the noise generator's
    nest.Prepare()
    begin = time.time()
    nest.Run(1000.0 * options.seconds)
    end = time.time()
    nest.Cleanup()
    peak = command.peak_mb()
    spikes = nest.local_spike_counter
    if options.network == "plastic":
        weights = nest.GetConnections(synapse_model="dopamine_stdp").weight
        spikes, mean_weight = recorder.n_events, sum(weights) / len(weights)
    command.publish(
        "NEST",
        nest.__version__,
        options,
        synapses=int(synapses),
        start_s=begin - command.STARTED,
        run_s=end - begin,
        spikes=int(spikes),
        peak=peak,
        mean_weight=mean_weight,
    )


if __name__ == "__main__":
    main()
