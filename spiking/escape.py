"""Escape-rate neurons: spike response models with one-spike memory (SRM0) that fire by chance near threshold.

    tau_m dv/dt = -v + I + drive,   tau_s dI/dt = -I,   u = v + chi exp(-(t - t_last) / tau_m)
    softplus     rho(u) = rho_0 log(1 + exp((u - theta) / Delta_u))
    exponential  rho(u) = rho_0 exp((u - theta) / Delta_u)

and a spike falls in a step of dt with probability 1 - exp(-rho dt). A spike does not reset v: it adds the
refractory kernel chi, which only the last spike leaves (Fremaux, Sprekeler & Gerstner 2013, PLoS Comput.
Biol. 9:e1003024; Gerstner et al. 2014, Neuronal Dynamics, ch. 9). Below threshold both escape functions
agree; far above it softplus grows linearly, which keeps a strongly driven neuron at a biological rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .checks import require_population, require_positive, require_room, require_shape, require_spikes
from .random import step_key, uniform, uniform_reference

Floats = NDArray[np.float32]

#: Largest exponent of the escape function: exp(50) rho_0 dt is a certain spike, and it overflows nothing.
_STEEPEST = 50.0


@dataclass(frozen=True, slots=True)
class EscapeRate:
    """Parameters of a population, membrane in mV above rest. Values of Fremaux et al. 2013, Methods."""

    tau_membrane: float = 20e-3  #: s
    tau_synapse: float = 5e-3  #: s
    threshold: float = 16.0  #: mV, theta
    width: float = 2.0  #: mV, Delta_u, how soft the threshold is
    rate_scale: float = 60.0  #: Hz, rho_0
    after_spike: float = -5.0  #: mV, chi
    psp_area: float = 20e-3  #: mV s, epsilon_0, integral of the postsynaptic potential of weight 1
    escape: Literal["softplus", "exponential"] = "softplus"

    def __post_init__(self) -> None:
        for name in ("tau_membrane", "tau_synapse", "width", "rate_scale", "psp_area"):
            require_positive("EscapeRate", **{name: getattr(self, name)})
        if self.tau_membrane == self.tau_synapse:
            raise ValueError(
                "EscapeRate tau_membrane and tau_synapse must differ: the propagator divides by it"
            )
        if self.escape not in ("softplus", "exponential"):
            raise ValueError(f"EscapeRate escape must be 'softplus' or 'exponential', got {self.escape!r}")

    @property
    def current_per_weight(self) -> float:
        """Current, mV, that a spike adds over a synapse of weight 1, so that its potential has `psp_area`."""
        return self.psp_area / self.tau_synapse

    def hazard(self, potential: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the momentary rate rho(u), Hz, of `potential` u, mV, any shape."""
        scaled = np.minimum((np.asarray(potential, np.float64) - self.threshold) / self.width, _STEEPEST)
        grown = np.exp(scaled)
        grown = np.log1p(grown) if self.escape == "softplus" else grown
        return np.asarray(self.rate_scale * grown, np.float64)

    def rate(self, drive: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the steady rate, Hz, under a constant `drive` (n,), mV.

        The spikes are a renewal process: the rate is one over the integral of the survivor function (Gerstner
        et al. 2014, ch. 7.5). It is integrated with the hazard constant in each of 4000 cells of 12 tau_m,
        and in closed form after them.
        """
        cell = 12.0 * self.tau_membrane / 4000
        kernel = self.after_spike * np.exp(-(np.arange(4000) + 0.5) * cell / self.tau_membrane)
        drive = np.asarray(drive, np.float64)
        hazard = self.hazard(drive[:, None] + kernel)
        survivor = np.exp(-cell * np.cumsum(hazard, axis=1))
        entering = np.concatenate([np.ones((drive.size, 1)), survivor[:, :-1]], axis=1)
        tiny = np.finfo(np.float64).tiny
        expected = np.maximum(cell * hazard, tiny)
        interval = cell * np.sum(entering * -np.expm1(-expected) / expected, axis=1)
        interval += survivor[:, -1] / np.maximum(self.hazard(drive), tiny)
        return np.asarray(1.0 / interval, np.float64)

    def propagators(self, dt: float) -> tuple[np.float32, np.float32, np.float32]:
        """Return (membrane decay, synapse decay, current-to-membrane) of one step of `dt` s."""
        keep, decay = np.exp(-dt / self.tau_membrane), np.exp(-dt / self.tau_synapse)
        coupling = self.tau_synapse / (self.tau_membrane - self.tau_synapse) * (keep - decay)
        return np.float32(keep), np.float32(decay), np.float32(coupling)


class EscapeRateState(NamedTuple):
    """State of n neurons."""

    membrane: Floats  #: (n,) mV above rest, without the refractory kernel
    current: Floats  #: (n,) synaptic current, mV
    after: Floats  #: (n,) refractory kernel left by the last spike, mV
    step: NDArray[np.int64]  #: (1,) steps since the start, the counter of the draws

    @classmethod
    def zeros(cls, n: int) -> EscapeRateState:
        """Return `n` neurons at rest."""
        require_population(n)
        rest = np.zeros((3, n), np.float32)
        return cls(rest[0], rest[1], rest[2], np.zeros(1, np.int64))

    def clear(self) -> None:
        """Return the neurons to rest; the draws go on."""
        self.membrane[:] = 0.0
        self.current[:] = 0.0
        self.after[:] = 0.0


def advance(
    neurons: EscapeRate,
    state: EscapeRateState,
    drive: Floats,
    steps: int,
    key: np.uint32,
    spikes: NDArray[np.int32],
    dt: float = 1e-3,
) -> int:
    """Advance `state` in place by `steps` of `dt` s under a constant `drive` (n,), mV.

    Spikes are written to `spikes` (capacity, 2) as (step, neuron), ascending; their number is returned. The
    hazard of a step is that at its end, so the rate is of first order in `dt`. Raises ValueError for a wrong
    shape, and when the spikes do not fit.
    """
    require_shape("drive", drive, state.membrane.shape)
    require_spikes("the spike buffer", spikes)
    keep, decay, coupling = neurons.propagators(dt)
    count: int = _advance(
        *state,
        drive,
        steps,
        keep,
        decay,
        coupling,
        neurons.threshold,
        neurons.width,
        neurons.rate_scale * dt,
        np.float32(neurons.after_spike),
        neurons.escape == "softplus",
        key,
        spikes,
    )
    require_room(count, spikes, steps)
    return count


@njit(cache=True)
def _advance(
    membrane: Floats,
    current: Floats,
    after: Floats,
    clock: NDArray[np.int64],
    drive: Floats,
    steps: int,
    keep: np.float32,
    decay: np.float32,
    coupling: np.float32,
    threshold: float,
    width: float,
    scale: float,
    chi: np.float32,
    softplus: bool,
    key: np.uint32,
    spikes: NDArray[np.int32],
) -> int:
    gain, count = np.float32(1.0) - keep, 0
    for step in range(steps):
        at = step_key(key, np.uint32(clock[0] & 0xFFFFFFFF))
        clock[0] += 1
        for i in range(membrane.size):
            membrane[i] = keep * membrane[i] + gain * drive[i] + coupling * current[i]
            current[i] *= decay
            after[i] *= keep
            # Double precision, because the last bit of exp differs between mathematics libraries: against a
            # draw of 24 bits such a difference decides nothing, so the spikes are the same everywhere.
            u = np.float64(membrane[i] + after[i])
            grown = math.exp(min((u - threshold) / width, _STEEPEST))
            expected = scale * (math.log1p(grown) if softplus else grown)
            if np.float64(uniform(at, np.uint32(i))) < -math.expm1(-expected):
                after[i] = chi
                if count >= spikes.shape[0]:
                    return -1
                spikes[count, 0] = step
                spikes[count, 1] = i
                count += 1
    return count


def advance_reference(
    neurons: EscapeRate,
    state: EscapeRateState,
    drive: Floats,
    steps: int,
    key: np.uint32,
    dt: float = 1e-3,
) -> NDArray[np.int32]:
    """NumPy twin of `advance`; returns the spikes (k, 2)."""
    keep, decay, coupling = neurons.propagators(dt)
    rows = []
    for step in range(steps):
        gain = np.float32(1.0) - keep
        state.membrane[:] = keep * state.membrane + gain * drive + coupling * state.current
        state.current[:] *= decay
        state.after[:] *= keep
        chance = -np.expm1(-dt * neurons.hazard(state.membrane + state.after))
        fired = uniform_reference(key, int(state.step[0]), chance.size) < chance
        state.step[0] += 1
        state.after[fired] = neurons.after_spike
        rows += [(step, i) for i in np.flatnonzero(fired)]
    return np.array(rows, np.int32).reshape(-1, 2)
