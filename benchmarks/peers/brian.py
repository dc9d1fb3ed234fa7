"""The networks in Brian2, as a C++ program (`--mode standalone`) or run from Python (`--mode cython`)."""

import importlib
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import command
from networks import COBA, CUBA, NETWORKS, PLASTIC, SPARSE, Coba, Cuba

SUPPORTED = ("cuba", "coba", "sparse", "plastic")
NAMES = {"standalone": "Brian2 C++ standalone", "cython": "Brian2 Cython"}

BEFORE_RUN = "timespec peer_begin, peer_end; clock_gettime(CLOCK_REALTIME, &peer_begin);"
AFTER_RUN = """
clock_gettime(CLOCK_REALTIME, &peer_end);
std::ofstream peer_out(brian::results_dir + "peer.txt");
peer_out.precision(18);
peer_out << peer_begin.tv_sec + 1e-9 * peer_begin.tv_nsec << "\\n";
peer_out << peer_end.tv_sec + 1e-9 * peer_end.tv_nsec << "\\n";
peer_out << std::ifstream("/proc/self/status").rdbuf();
"""


@dataclass
class Model:
    """The parts of a network, with those that are read after the run."""

    spikes: Any
    synapses: list[Any]
    parts: list[Any] = field(default_factory=list)


def balanced(b2: Any, network: Cuba | Coba, neurons: int, group: Any) -> Model:
    """Excitatory and inhibitory synapses from random neurons of the group to all of it."""
    probability, weight_e, weight_i = network.for_size(neurons)
    border = round(network.excitatory * neurons)
    excitatory = b2.Synapses(group[:border], group, on_pre="ge += weight", namespace={"weight": weight_e})
    inhibitory = b2.Synapses(group[border:], group, on_pre="gi += weight", namespace={"weight": weight_i})
    for synapses in (excitatory, inhibitory):
        synapses.connect(p=probability)
    return Model(b2.SpikeMonitor(group, record=False), [excitatory, inhibitory], [group])


def held(b2: Any, refractory: float, dt: float) -> Any:
    """Refractory period of Brian2 that holds a neuron for `refractory / dt` steps: it holds one less."""
    return (refractory + dt) * b2.ms


def cuba(b2: Any, neurons: int) -> Model:
    """Vogels & Abbott (2005); Brette et al. (2007), benchmark 2."""
    equations = """
    dv/dt = (ge + gi - (v - e_leak)) / tau_m : 1 (unless refractory)
    dge/dt = -ge / tau_e : 1
    dgi/dt = -gi / tau_i : 1
    """
    names = {"e_leak": CUBA.e_leak, "threshold": CUBA.threshold, "v_reset": CUBA.reset}
    times = {"tau_m": CUBA.tau_m * b2.ms, "tau_e": CUBA.tau_e * b2.ms, "tau_i": CUBA.tau_i * b2.ms}
    group = b2.NeuronGroup(
        neurons,
        equations,
        threshold="v > threshold",
        reset="v = v_reset",
        refractory=held(b2, CUBA.refractory, CUBA.dt),
        method="exact",
        namespace=names | times,
    )
    group.v = "v_reset + rand() * (threshold - v_reset)"
    return balanced(b2, CUBA, neurons, group)


def coba(b2: Any, neurons: int) -> Model:
    """Brette et al. (2007), benchmark 1."""
    equations = """
    dv/dt = (ge * (e_exc - v) + gi * (e_inh - v) - (v - e_leak)) / tau_m : 1 (unless refractory)
    dge/dt = -ge / tau_e : 1
    dgi/dt = -gi / tau_i : 1
    """
    names = {"e_leak": COBA.e_leak, "e_exc": COBA.e_exc, "e_inh": COBA.e_inh}
    names |= {"threshold": COBA.threshold, "v_reset": COBA.reset}
    times = {"tau_m": COBA.tau_m * b2.ms, "tau_e": COBA.tau_e * b2.ms, "tau_i": COBA.tau_i * b2.ms}
    group = b2.NeuronGroup(
        neurons,
        equations,
        threshold="v > threshold",
        reset="v = v_reset",
        refractory=held(b2, COBA.refractory, COBA.dt),
        method="exponential_euler",
        namespace=names | times,
    )
    for name, (mean, spread) in {"v": COBA.start_v, "ge": COBA.start_ge, "gi": COBA.start_gi}.items():
        normal = f"{mean} + {spread} * randn()"
        setattr(group, name, normal if name == "v" else f"clip({normal}, 0, inf)")
    return balanced(b2, COBA, neurons, group)


def lif(b2: Any, network: Any, neurons: int, drive: float) -> Any:
    """LIF neurons with one exponential current, solved exactly."""
    equations = """
    dv/dt = (drive + i_syn - v) / tau_m : 1 (unless refractory)
    di_syn/dt = -i_syn / tau_s : 1
    """
    return b2.NeuronGroup(
        neurons,
        equations,
        threshold="v >= threshold",
        reset="v = v_reset",
        refractory=held(b2, network.refractory, network.dt),
        method="exact",
        namespace={
            "drive": drive,
            "threshold": network.threshold,
            "v_reset": network.reset,
            "tau_m": network.tau_m * b2.ms,
            "tau_s": network.tau_s * b2.ms,
        },
    )


def sparse(b2: Any, neurons: int) -> Model:
    """Noise-driven LIF neurons of this comparison; the noise comes after the exact solution of the step."""
    group = lif(b2, SPARSE, neurons, SPARSE.drive)
    group.v = "rand()"
    group.run_regularly(f"v += {SPARSE.noise} * randn() * int(not_refractory)", when="after_groups")
    border = round(SPARSE.excitatory * neurons)
    model = Model(b2.SpikeMonitor(group, record=False), [], [group])
    for sources, weight in ((group[:border], SPARSE.weight_e), (group[border:], SPARSE.weight_i)):
        synapses = b2.Synapses(sources, group, on_pre="i_syn_post += weight", namespace={"weight": weight})
        synapses.connect(p=SPARSE.targets / neurons)
        model.synapses.append(synapses)
    return model


def plastic(b2: Any, neurons: int) -> Model:
    """Dopamine-modulated STDP of Izhikevich (2007): traces at events, eligibility and weight at each step."""
    sources = b2.PoissonGroup(PLASTIC.sources, PLASTIC.source_hz * b2.Hz)
    group = lif(b2, PLASTIC, neurons, 0.0)
    synapses = b2.Synapses(
        sources,
        group,
        """
        dx/dt = -x / tau_pair : 1 (event-driven)
        dy/dt = -y / tau_pair : 1 (event-driven)
        dc/dt = -c / tau_c : 1 (clock-driven)
        dw/dt = eta * c * d : 1 (clock-driven)
        d : 1 (shared)
        """,
        on_pre="w = clip(w, 0, w_max)\ni_syn_post += w\nx += 1\nc -= a_minus * y",
        on_post="y += 1\nc += a_plus * x",
        method="euler",
        namespace={
            "tau_pair": PLASTIC.tau_pair * b2.ms,
            "tau_c": PLASTIC.tau_c * b2.ms,
            "tau_d": PLASTIC.tau_d * b2.ms,
            "a_plus": PLASTIC.a_plus,
            "a_minus": PLASTIC.a_minus,
            "eta": PLASTIC.eta / b2.ms,
            "w_max": PLASTIC.weight_max,
            "pulse_steps": round(PLASTIC.pulse_every / PLASTIC.dt),
        },
    )
    synapses.connect()
    synapses.w = f"{PLASTIC.weight_start} * rand()"
    pulse = "int(t_in_timesteps % pulse_steps == 0 and t_in_timesteps > 0)"
    synapses.run_regularly(f"d = d * exp(-dt / tau_d) + {pulse}")
    return Model(b2.SpikeMonitor(group, record=False), [synapses], [sources, group])


BUILD = {"cuba": cuba, "coba": coba, "sparse": sparse, "plastic": plastic}


def main() -> None:
    """Build, run and report one network."""
    parser = command.arguments("Brian2", SUPPORTED)
    parser.add_argument("--mode", choices=sorted(NAMES), default="standalone")
    parser.add_argument("--float32", action="store_true", help="single precision instead of double")
    options = command.parse(parser, "Brian2", SUPPORTED)
    b2: Any = importlib.import_module("brian2")
    np: Any = importlib.import_module("numpy")
    with tempfile.TemporaryDirectory() as directory:
        standalone = options.mode == "standalone"
        if standalone:
            b2.set_device("cpp_standalone", build_on_run=False)
            b2.prefs.devices.cpp_standalone.extra_make_args_unix = ["-j2"]
        else:
            b2.prefs.codegen.target = "cython"
        if options.float32:
            b2.prefs.core.default_float_dtype = np.float32
        b2.seed(options.seed)
        b2.defaultclock.dt = NETWORKS[options.network].dt * b2.ms
        model = BUILD[options.network](b2, options.neurons)
        network = b2.Network(model.spikes, *model.synapses, *model.parts)
        if standalone:
            b2.device.insert_code("before_network_run", BEFORE_RUN)
            b2.device.insert_code("after_network_run", AFTER_RUN)
            network.run(options.seconds * b2.second)
            b2.device.build(directory=directory, with_output=False)
            begin, end, status = Path(b2.device.results_dir, "peer.txt").read_text().split("\n", 2)
            start_s, run_s = float(begin) - command.STARTED, float(end) - float(begin)
            peak = command.peak_mb(status)
        else:
            network.run(options.seconds * b2.second)
            run_s = float(b2.device._last_run_time)
            start_s = time.time() - command.STARTED - run_s
            peak = command.peak_mb()
        mean_weight = None
        if options.network == "plastic":
            mean_weight = float(np.clip(model.synapses[0].w[:], 0, PLASTIC.weight_max).mean())
        command.publish(
            NAMES[options.mode] + (" float32" if options.float32 else ""),
            b2.__version__,
            options,
            synapses=sum(len(synapses) for synapses in model.synapses),
            start_s=start_s,
            run_s=run_s,
            spikes=int(model.spikes.num_spikes),
            peak=peak,
            mean_weight=mean_weight,
        )


if __name__ == "__main__":
    main()
