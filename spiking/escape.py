"""Escape-rate neurons: spike response models with one-spike memory (SRM0) that fire by chance near threshold.

    tau_m dv/dt = -v + input,   u = v + chi exp(-(t - t_last) / tau_m)
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
from typing import Any, ClassVar, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .lif import relax
from .model import Doubles, Reals, linear_reach
from .parameters import Parameter, require_finite, require_positive, stack, values
from .random import uniform

#: Largest exponent of the escape function: exp(50) rho_0 dt is a certain spike, and it overflows nothing.
_STEEPEST = 50.0


@dataclass(frozen=True, slots=True)
class EscapeRate:
    """Parameters of a population, membrane in mV above rest. Values of Fremaux et al. 2013, Methods."""

    tau_membrane: Parameter = 20e-3  #: s
    threshold: Parameter = 16.0  #: mV, theta
    width: Parameter = 2.0  #: mV, Delta_u, how soft the threshold is
    rate_scale: Parameter = 60.0  #: Hz, rho_0
    after_spike: Parameter = -5.0  #: mV, chi
    escape: Literal["softplus", "exponential"] = "softplus"

    kind: ClassVar[int] = 4
    variables: ClassVar[tuple[str, ...]] = ("membrane", "after")
    channels: ClassVar[tuple[str, ...]] = ("soma",)
    double: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require_positive(
            "EscapeRate", tau_membrane=self.tau_membrane, width=self.width, rate_scale=self.rate_scale
        )
        require_finite("EscapeRate", threshold=self.threshold, after_spike=self.after_spike)
        if self.escape not in ("softplus", "exponential"):
            raise ValueError(f"EscapeRate escape must be 'softplus' or 'exponential', got {self.escape!r}")

    @staticmethod
    def current_per_weight(psp_area: float, tau_synapse: float) -> float:
        """Return the current, mV, that a spike adds so that its potential has `psp_area`, mV s.

        Fremaux et al. 2013: psp_area = epsilon_0 = 20e-3 mV s.
        """
        return psp_area / tau_synapse

    def hazard(self, potential: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the momentary rate rho(u), Hz, of `potential` u, mV, any shape."""
        above = np.asarray(potential, np.float64) - values(self.threshold)
        scaled = np.minimum(above / values(self.width), _STEEPEST)
        grown = np.exp(scaled)
        grown = np.log1p(grown) if self.escape == "softplus" else grown
        return np.asarray(self.rate_scale * grown, np.float64)

    def rate(self, drive: Any) -> NDArray[np.float64]:
        """Return the steady rate, Hz, under a constant `drive` (n,), mV.

        The spikes are a renewal process: the rate is one over the integral of the survivor function (Gerstner
        et al. 2014, ch. 7.5). It is integrated with the hazard constant in each of 4000 cells of 12 tau_m,
        and in closed form after them.
        """
        tau = float(values(self.tau_membrane))
        cell = 12.0 * tau / 4000
        kernel = values(self.after_spike) * np.exp(-(np.arange(4000) + 0.5) * cell / tau)
        drive = np.asarray(drive, np.float64)
        hazard = self.hazard(drive[:, None] + kernel)
        survivor = np.exp(-cell * np.cumsum(hazard, axis=1))
        entering = np.concatenate([np.ones((drive.size, 1)), survivor[:, :-1]], axis=1)
        tiny = np.finfo(np.float64).tiny
        expected = np.maximum(cell * hazard, tiny)
        interval = cell * np.sum(entering * -np.expm1(-expected) / expected, axis=1)
        interval += survivor[:, -1] / np.maximum(self.hazard(drive), tiny)
        return np.asarray(1.0 / interval, np.float64)

    def initial(self, n: int) -> Doubles:
        """Return membrane and refractory kernel at rest, (2, n)."""
        return np.zeros((2, n))

    def constants(self, dt: float) -> Doubles:
        """Return the constants of `update`."""
        part = dt / values(self.tau_membrane)
        return stack(
            np.exp(-part), -np.expm1(-part), 0.0, self.threshold, self.width,
            values(self.rate_scale) * dt, part,
            self.after_spike, float(self.escape == "softplus"),
        )  # fmt: skip

    def reach(self, dt: float, tau: float) -> Doubles:
        """Return the drives to which exponential and alpha currents amount, (2, 1 or n)."""
        return linear_reach(dt, tau, values(self.tau_membrane))

    def noise_drive(self, dt: float) -> Doubles:
        """Return 0: the escape is the noise."""
        return np.zeros(1)


@njit(cache=True, error_model="numpy")
def update(
    state: Reals, silent: NDArray[np.int32], drive: Reals, load: Reals, c: Reals, at: np.uint32, fired: Any
) -> int:
    """Advance by one step; see `model`. The hazard is that at the end of the step: of first order in it."""
    membrane, after = state[0], state[1]
    relax(membrane, drive[0], load[0], c)
    potential = drive[0]  # no longer needed as the input
    for i in range(membrane.size):
        after[i] *= c[0, i if c.shape[1] > 1 else 0]
        potential[i] = membrane[i] + after[i]
    count: int = escape(potential, c, at, fired)
    for k in range(count):
        after[fired[k]] = c[7, fired[k] if c.shape[1] > 1 else 0]
    return count


@njit(cache=True, error_model="numpy")
def escape(potential: Reals, c: Reals, at: np.uint32, fired: Any) -> int:
    """Let neurons fire by chance at their `potential` (n,); return how many did, ascending in `fired`."""
    count, softplus = 0, c[8, 0] > 0.5
    for i in range(potential.size):
        k = i if c.shape[1] > 1 else 0
        scaled = (np.float64(potential[i]) - c[3, k]) / c[4, k]
        draw = np.float64(uniform(at, np.uint32(i)))
        # log(1 + exp(z)) <= max(z, 0) + log 2 and 1 - exp(-x) <= x: most draws are settled without either.
        if softplus and draw >= c[5, k] * (max(scaled, 0.0) + 0.6932):
            continue
        # Double precision, because the last bit of exp differs between mathematics libraries: against a draw
        # of 24 bits such a difference decides nothing, so the spikes are the same everywhere.
        grown = math.exp(min(scaled, _STEEPEST))
        expected = c[5, k] * (math.log1p(grown) if softplus else grown)
        if draw < -math.expm1(-expected):
            fired[count] = i
            count += 1
    return count
