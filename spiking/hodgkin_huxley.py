"""Hodgkin-Huxley neurons: sodium, potassium and leak currents with voltage-dependent gates.

    C dV/dt = input - g_Na m^3 h (V - E_Na) - g_K n^4 (V - E_K) - g_L (V - E_L)
    dx/dt = alpha_x(V) (1 - x) - beta_x(V) x,   x in {m, h, n}

Hodgkin & Huxley 1952, J. Physiol. 117:500, in today's sign convention, at 6.3 degrees. Gates and voltage are
staggered by half a step and each is integrated exactly while the other is held (Hines 1984, Int. J. Biomed.
Comput. 15:69), which is of second order in the step. A spike is an upward crossing of `threshold`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .model import Doubles, Reals, mean_reach
from .parameters import Parameter, require_finite, require_not_negative, require_positive, stack, values
from .steps import split


@dataclass(frozen=True, slots=True)
class HodgkinHuxley:
    """Parameters of a population, per cm2 of membrane. Defaults are those of the squid's giant axon.

    Input is a current in uA / cm2, a conductance in mS / cm2. The upstroke of a spike amplifies rounding, so
    this model wants double precision.
    """

    capacitance: Parameter = 1.0  #: uF / cm2
    g_sodium: Parameter = 120.0  #: mS / cm2
    g_potassium: Parameter = 36.0  #: mS / cm2
    g_leak: Parameter = 0.3  #: mS / cm2
    e_sodium: Parameter = 50.0  #: mV
    e_potassium: Parameter = -77.0  #: mV
    e_leak: Parameter = -54.387  #: mV
    rest: Parameter = -65.0  #: mV, where a neuron starts, with its gates in their steady state
    threshold: Parameter = 0.0  #: mV
    noise: Parameter = 0.0  #: standard deviation of a current drawn each step, uA / cm2
    longest_step: float = 0.01e-3  #: s; longer steps are split

    kind: ClassVar[int] = 3
    variables: ClassVar[tuple[str, ...]] = ("membrane", "m", "h", "n", "above")
    channels: ClassVar[tuple[str, ...]] = ("soma",)
    double: ClassVar[bool] = True

    def __post_init__(self) -> None:
        owner = type(self).__name__
        require_positive(
            owner, capacitance=self.capacitance, g_sodium=self.g_sodium, g_leak=self.g_leak,
            g_potassium=self.g_potassium, longest_step=self.longest_step,
        )  # fmt: skip
        require_finite(
            owner, e_sodium=self.e_sodium, e_potassium=self.e_potassium, e_leak=self.e_leak,
            rest=self.rest, threshold=self.threshold,
        )  # fmt: skip
        require_not_negative(owner, noise=self.noise)

    def initial(self, n: int) -> Doubles:
        """Return membrane, gates and whether it is above threshold, at `rest`, (5, n)."""
        volts = np.broadcast_to(values(self.rest), n)
        return np.stack([volts, *steady_gates(volts), volts > values(self.threshold)])

    def constants(self, dt: float) -> Doubles:
        """Return the constants of `update`."""
        splits, part = split(dt, self.longest_step)
        return stack(
            self.capacitance, self.g_sodium, self.g_potassium, self.g_leak, self.e_sodium, self.e_potassium,
            self.e_leak, self.threshold, float(splits), part,
        )  # fmt: skip

    def reach(self, dt: float, tau: float) -> Doubles:
        """Return the mean drives of exponential and alpha currents, (2, 1)."""
        return mean_reach(dt, tau)

    def noise_drive(self, dt: float) -> Doubles:
        """Return the standard deviation of the drive that makes `noise`, (1 or n,)."""
        return np.atleast_1d(values(self.noise))


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


@njit(cache=True, inline="always")
def _linoid(x: float, y: float) -> float:
    scaled = x / y
    return y * (1.0 - scaled / 2.0) if abs(scaled) < 1e-6 else x / math.expm1(scaled)


@njit(cache=True, inline="always")
def _relax(gate: float, alpha: float, beta: float, dt: float) -> float:
    total = alpha + beta
    steady = alpha / total
    return steady + (gate - steady) * math.exp(-dt * total)


@njit(cache=True, inline="always")
def advance_gates(v: float, m: float, h: float, n: float, dt: float) -> Any:
    """Return the gates m, h and n after `dt` ms at `v` mV; see `gate_rates`."""
    m = _relax(m, 0.1 * _linoid(-(v + 40.0), 10.0), 4.0 * math.exp(-(v + 65.0) / 18.0), dt)
    h = _relax(h, 0.07 * math.exp(-(v + 65.0) / 20.0), 1.0 / (math.exp(-(v + 35.0) / 10.0) + 1.0), dt)
    n = _relax(n, 0.01 * _linoid(-(v + 55.0), 10.0), 0.125 * math.exp(-(v + 65.0) / 80.0), dt)
    return m, h, n


@njit(cache=True, error_model="numpy")
def update(
    state: Reals, silent: NDArray[np.int32], drive: Reals, load: Reals, c: Reals, at: np.uint32, fired: Any
) -> int:
    """Advance by one step; see `model`."""
    membrane, loads, count = state[0], load[0], 0
    splits, dt = int(c[8, 0]), c[9, 0]
    for i in range(membrane.size):
        k = i if c.shape[1] > 1 else 0
        v, m, h, n = membrane[i], state[1, i], state[2, i], state[3, i]
        above, hit = state[4, i] > 0.5, False
        leak = c[3, k] + (loads[i] if loads.size > 0 else 0.0)
        steady = drive[0, i] + c[3, k] * c[6, k]
        for _ in range(splits):
            m, h, n = advance_gates(v, m, h, n, dt)
            sodium, potassium = c[1, k] * m**3 * h, c[2, k] * n**4
            total = sodium + potassium + leak
            target = (steady + sodium * c[4, k] + potassium * c[5, k]) / total
            v = target + (v - target) * math.exp(-dt * total / c[0, k])
            now = v >= c[7, k]
            hit = hit or (now and not above)
            above = now
        membrane[i], state[1, i], state[2, i], state[3, i], state[4, i] = v, m, h, n, above
        if hit:
            fired[count] = i
            count += 1
    return count
