"""Hodgkin-Huxley neurons: sodium, potassium and leak currents with voltage-dependent gates.

    C dV/dt = I - g_Na m^3 h (V - E_Na) - g_K n^4 (V - E_K) - g_L (V - E_L)
    dx/dt = alpha_x(V) (1 - x) - beta_x(V) x,   x in {m, h, n}

Hodgkin & Huxley 1952, J. Physiol. 117:500, in today's sign convention, at 6.3 degrees. Gates and voltage are
staggered by half a step and each is integrated exactly while the other is held (Hines 1984, Int. J. Biomed.
Comput. 15:69), which is of second order in the step. A spike is an upward crossing of `threshold`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .checks import require_population, require_positive, require_room, require_shape, require_spikes
from .steps import split

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HodgkinHuxley:
    """Parameters of a population, per cm2 of membrane. Defaults are those of the squid's giant axon."""

    capacitance: float = 1.0  #: uF / cm2
    g_sodium: float = 120.0  #: mS / cm2
    g_potassium: float = 36.0  #: mS / cm2
    g_leak: float = 0.3  #: mS / cm2
    e_sodium: float = 50.0  #: mV
    e_potassium: float = -77.0  #: mV
    e_leak: float = -54.387  #: mV
    rest: float = -65.0  #: mV, where a neuron starts, with its gates in their steady state
    threshold: float = 0.0  #: mV
    longest_step: float = 0.01e-3  #: s; longer steps are split

    def __post_init__(self) -> None:
        for name in ("capacitance", "g_sodium", "g_potassium", "g_leak", "longest_step"):
            require_positive("HodgkinHuxley", **{name: getattr(self, name)})

    def zeros(self, n: int) -> HodgkinHuxleyState:
        """Return `n` neurons at `rest`."""
        require_population(n)
        volts = np.full(n, self.rest)
        m, h, n_gate = steady_gates(volts)
        return HodgkinHuxleyState(volts, m, h, n_gate, np.full(n, self.rest > self.threshold))


class HodgkinHuxleyState(NamedTuple):
    """State of n neurons. Double precision: the upstroke of a spike amplifies rounding."""

    voltage: Doubles  #: (n,) mV
    m: Doubles  #: (n,) sodium activation
    h: Doubles  #: (n,) sodium inactivation
    n: Doubles  #: (n,) potassium activation
    above: NDArray[np.bool_]  #: (n,) whether the voltage was above threshold


def gate_rates(volts: Doubles) -> tuple[tuple[Doubles, Doubles], ...]:
    """Return (alpha, beta), 1/ms, of the gates m, h and n at `volts` (k,), mV."""
    alpha_m, alpha_n = 0.1 * _ratio(-(volts + 40.0), 10.0), 0.01 * _ratio(-(volts + 55.0), 10.0)
    return (
        (alpha_m, 4.0 * np.exp(-(volts + 65.0) / 18.0)),
        (0.07 * np.exp(-(volts + 65.0) / 20.0), 1.0 / (np.exp(-(volts + 35.0) / 10.0) + 1.0)),
        (alpha_n, 0.125 * np.exp(-(volts + 65.0) / 80.0)),
    )


def steady_gates(volts: Doubles) -> list[Doubles]:
    """Return the gates m, h and n, each (k,), in which neurons held at `volts` (k,), mV, come to rest."""
    return [alpha / (alpha + beta) for alpha, beta in gate_rates(np.asarray(volts, np.float64))]


def _ratio(x: Doubles, y: float) -> Doubles:
    """x / (exp(x / y) - 1), continuous at 0."""
    scaled = x / y
    small = np.abs(scaled) < 1e-6
    safe = np.where(small, 1.0, scaled)
    return np.asarray(np.where(small, y * (1.0 - scaled / 2.0), x / np.expm1(safe)), np.float64)


def advance(
    neurons: HodgkinHuxley,
    state: HodgkinHuxleyState,
    drive: Doubles,
    steps: int,
    spikes: NDArray[np.int32],
    dt: float = 0.025e-3,
) -> int:
    """Advance `state` in place by `steps` of `dt` s under a constant `drive` (n,), uA / cm2.

    Spikes are written to `spikes` (capacity, 2) as (step, neuron), ascending; their number is returned.
    Raises ValueError for a wrong shape, and when the spikes do not fit.
    """
    require_shape("drive", drive, state.voltage.shape)
    require_spikes("the spike buffer", spikes)
    parts = split(dt, neurons.longest_step)
    count: int = _advance(*state, drive, steps, *parts, _constants(neurons), spikes)
    require_room(count, spikes, steps)
    return count


def _constants(neurons: HodgkinHuxley) -> Doubles:
    return np.array(
        [
            neurons.capacitance, neurons.g_sodium, neurons.g_potassium, neurons.g_leak, neurons.e_sodium,
            neurons.e_potassium, neurons.e_leak, neurons.threshold,
        ]
    )  # fmt: skip


@njit(cache=True, inline="always")
def _linoid(x: float, y: float) -> float:
    scaled = x / y
    return y * (1.0 - scaled / 2.0) if abs(scaled) < 1e-6 else x / math.expm1(scaled)


@njit(cache=True, inline="always")
def _relax(gate: float, alpha: float, beta: float, dt: float) -> float:
    total = alpha + beta
    steady = alpha / total
    return steady + (gate - steady) * math.exp(-dt * total)


@njit(cache=True)
def _advance(
    voltage: Doubles,
    m: Doubles,
    h: Doubles,
    n: Doubles,
    above: NDArray[np.bool_],
    drive: Doubles,
    steps: int,
    splits: int,
    dt: float,  # ms
    constants: Doubles,
    spikes: NDArray[np.int32],
) -> int:
    capacitance, g_na, g_k, g_l = constants[0], constants[1], constants[2], constants[3]
    e_na, e_k, e_l, threshold = constants[4], constants[5], constants[6], constants[7]
    count = 0
    for step in range(steps):
        for i in range(voltage.size):
            v = voltage[i]
            fired = False
            for _ in range(splits):
                m[i] = _relax(m[i], 0.1 * _linoid(-(v + 40.0), 10.0), 4.0 * math.exp(-(v + 65.0) / 18.0), dt)
                beta_h = 1.0 / (math.exp(-(v + 35.0) / 10.0) + 1.0)
                h[i] = _relax(h[i], 0.07 * math.exp(-(v + 65.0) / 20.0), beta_h, dt)
                beta_n = 0.125 * math.exp(-(v + 65.0) / 80.0)
                n[i] = _relax(n[i], 0.01 * _linoid(-(v + 55.0), 10.0), beta_n, dt)
                sodium, potassium = g_na * m[i] ** 3 * h[i], g_k * n[i] ** 4
                total = sodium + potassium + g_l
                target = (drive[i] + sodium * e_na + potassium * e_k + g_l * e_l) / total
                v = target + (v - target) * math.exp(-dt * total / capacitance)
                now = v >= threshold
                fired = fired or (now and not above[i])
                above[i] = now
            voltage[i] = v
            if fired:
                if count >= spikes.shape[0]:
                    return -1
                spikes[count, 0] = step
                spikes[count, 1] = i
                count += 1
    return count


def advance_reference(
    neurons: HodgkinHuxley, state: HodgkinHuxleyState, drive: Doubles, steps: int, dt: float = 0.025e-3
) -> NDArray[np.int32]:
    """NumPy twin of `advance`; returns the spikes (k, 2)."""
    splits, part = split(dt, neurons.longest_step)
    rows = []
    for step in range(steps):
        fired = np.zeros(state.voltage.size, np.bool_)
        for _ in range(splits):
            for gate, (alpha, beta) in zip(
                (state.m, state.h, state.n), gate_rates(state.voltage), strict=True
            ):
                steady = alpha / (alpha + beta)
                gate[:] = steady + (gate - steady) * np.exp(-part * (alpha + beta))
            sodium, potassium = neurons.g_sodium * state.m**3 * state.h, neurons.g_potassium * state.n**4
            total = sodium + potassium + neurons.g_leak
            target = drive + sodium * neurons.e_sodium + potassium * neurons.e_potassium
            target = (target + neurons.g_leak * neurons.e_leak) / total
            state.voltage[:] = target + (state.voltage - target) * np.exp(-part * total / neurons.capacitance)
            now = state.voltage >= neurons.threshold
            fired |= now & ~state.above
            state.above[:] = now
        rows += [(step, i) for i in np.flatnonzero(fired)]
    return np.array(rows, np.int32).reshape(-1, 2)
