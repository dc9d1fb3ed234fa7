"""The four networks of the comparison, stated once for every simulator: plain numbers in ms, mV and Hz.

A neuron that fired is held for `refractory / dt` whole steps. `for_size` gives the wiring of another size.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cuba:
    """Current-based balanced network of Vogels & Abbott (2005), benchmark 2 of Brette et al. (2007).

    tau_m dv/dt = ge + gi - (v - e_leak), with exponential ge and gi that a spike steps by a weight.
    """

    neurons: int = 4000
    seconds: float = 1.0
    dt: float = 0.1
    excitatory: float = 0.8
    probability: float = 0.02
    tau_m: float = 20.0
    tau_e: float = 5.0
    tau_i: float = 10.0
    refractory: float = 5.0
    threshold: float = -50.0
    reset: float = -60.0
    e_leak: float = -49.0
    weight_e: float = 1.62
    weight_i: float = -9.0

    def for_size(self, neurons: int) -> tuple[float, float, float]:
        """Probability and weights of `neurons`: more synapses that are weaker; the mean input stays."""
        scale = self.neurons / neurons
        return self.probability, self.weight_e * scale, self.weight_i * scale


@dataclass(frozen=True)
class Coba:
    """Conductance-based balanced network, benchmark 1 of Brette et al. (2007).

    tau_m dv/dt = ge (e_exc - v) + gi (e_inh - v) - (v - e_leak), conductances in units of the leak's.
    The starting state is normal, given as (mean, s.d.); conductances are cut at zero.
    """

    neurons: int = 4000
    seconds: float = 1.0
    dt: float = 0.1
    excitatory: float = 0.8
    probability: float = 0.02
    tau_m: float = 20.0
    tau_e: float = 5.0
    tau_i: float = 10.0
    refractory: float = 5.0
    threshold: float = -50.0
    reset: float = -60.0
    e_leak: float = -60.0
    e_exc: float = 0.0
    e_inh: float = -80.0
    weight_e: float = 0.6
    weight_i: float = 6.7
    start_v: tuple[float, float] = (-65.0, 5.0)
    start_ge: tuple[float, float] = (4.0, 1.5)
    start_gi: tuple[float, float] = (20.0, 12.0)

    def for_size(self, neurons: int) -> tuple[float, float, float]:
        """Probability and weights of `neurons`: as many synapses a neuron.

        With more and weaker ones the input fluctuates less, and the activity dies out.
        """
        return self.probability * self.neurons / neurons, self.weight_e, self.weight_i


@dataclass(frozen=True)
class Sparse:
    """Noise-driven LIF neurons at a step of 1 ms, the regime of this project's own circuits.

    tau_m dv/dt = -v + i + drive, i with time constant tau_s; each step adds a normal number of s.d. `noise`
    to v. A neuron has `targets` random targets on average.
    """

    neurons: int = 10_000
    seconds: float = 10.0
    dt: float = 1.0
    excitatory: float = 0.8
    targets: int = 200
    tau_m: float = 20.0
    tau_s: float = 5.0
    refractory: float = 2.0
    threshold: float = 1.0
    reset: float = 0.0
    weight_e: float = 0.02
    weight_i: float = -0.1
    drive: float = 0.71
    noise: float = 0.05


@dataclass(frozen=True)
class Plastic:
    """Poisson sources to LIF neurons, all to all, by dopamine-modulated STDP (Izhikevich 2007).

    LIF as in `Sparse`, without drive or noise. Traces x and y take every pair. The eligibility c gains
    a_plus x at a spike of the target and loses a_minus y at one of the source; dw/dt = eta c d, in
    [0, weight_max]. Dopamine d gains 1 at each whole multiple of `pulse_every` after the start. `neurons`
    counts the targets, and so do the spikes and the rate.
    """

    neurons: int = 200
    seconds: float = 10.0
    dt: float = 1.0
    sources: int = 1000
    source_hz: float = 10.0
    tau_m: float = 20.0
    tau_s: float = 5.0
    refractory: float = 2.0
    threshold: float = 1.0
    reset: float = 0.0
    weight_start: float = 0.038
    weight_max: float = 0.076
    tau_pair: float = 20.0
    a_plus: float = 0.01
    a_minus: float = 0.0105
    tau_c: float = 1000.0
    tau_d: float = 200.0
    pulse_every: float = 500.0
    eta: float = 5e-4
    """Learning rate per ms."""


CUBA = Cuba()
COBA = Coba()
SPARSE = Sparse()
PLASTIC = Plastic()
NETWORKS: dict[str, Cuba | Coba | Sparse | Plastic] = {
    "cuba": CUBA,
    "coba": COBA,
    "sparse": SPARSE,
    "plastic": PLASTIC,
}
