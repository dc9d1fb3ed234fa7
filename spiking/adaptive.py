"""Adaptive leaky integrate-and-fire neurons: a second variable slows down what fires.

    tau_m dv/dt = rest - v - w + input,   tau_w dw/dt = a (v - rest) - w
    spike at v >= threshold: v := reset, held for t_ref, and w := w + b

Gerstner et al. 2014, Neuronal Dynamics, ch. 6.1. Between spikes the equations are linear and are integrated
exactly by a matrix exponential (Rotter & Diesmann 1999, Biol. Cybern. 81:381); with conductances, v and w are
each exact while the other is held. A spike lies on the grid of steps.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.linalg import expm
from scipy.optimize import brentq

from .lif import require_reset
from .model import Doubles, Reals, fire, shrink
from .parameters import Parameter, require_finite, require_not_negative, require_positive, stack, values


@dataclass(frozen=True, slots=True)
class AdaptiveLIF:
    """Parameters of a population, in membrane units of your choice; by default threshold is 1 above rest."""

    tau_membrane: Parameter = 20e-3  #: s
    tau_adaptation: Parameter = 150e-3  #: s
    coupling: Parameter = 0.0  #: a, adaptation per unit of membrane, below threshold
    jump: Parameter = 0.2  #: b, adaptation that a spike adds, membrane units
    threshold: Parameter = 1.0
    refractory: Parameter = 2e-3  #: s
    rest: Parameter = 0.0  #: membrane without input
    reset: Parameter = 0.0  #: membrane after a spike
    noise: Parameter = 0.0  #: standard deviation added to the membrane each step

    kind: ClassVar[int] = 1
    variables: ClassVar[tuple[str, ...]] = ("membrane", "adaptation")
    channels: ClassVar[tuple[str, ...]] = ("soma",)
    double: ClassVar[bool] = False

    def __post_init__(self) -> None:
        owner = "AdaptiveLIF"
        require_positive(owner, tau_membrane=self.tau_membrane, tau_adaptation=self.tau_adaptation)
        require_finite(owner, threshold=self.threshold, rest=self.rest, reset=self.reset)
        require_not_negative(
            owner, coupling=self.coupling, jump=self.jump, refractory=self.refractory, noise=self.noise
        )
        require_reset(owner, self.reset, self.threshold)

    def rate(self, drive: Any) -> Doubles:
        """Return the adapted rate, Hz, under a constant `drive` (k,), of a population of one kind.

        In the steady state the interval T and the adaptation just after a spike, w0 = b / (1 - exp(-T /
        tau_w)), fit each other; T is where the membrane reaches threshold. Raises ValueError for a coupling,
        and when parameters differ between neurons.
        """
        numbers = [values(getattr(self, field.name)) for field in fields(self)]
        if any(number.ndim for number in numbers):
            raise ValueError("AdaptiveLIF rate needs parameters that are single numbers")
        tau_m, tau_w, coupling, jump, threshold, refractory, rest, reset, _ = map(float, numbers)
        if coupling != 0.0:
            raise ValueError(f"AdaptiveLIF rate is known for coupling 0 only, got {coupling:g}")
        share = tau_w / (tau_w - tau_m)

        def excess(interval: float, drive: float) -> float:
            """Membrane above threshold `interval` s after the last spike, with adaptation to match."""
            free = interval - refractory
            start = jump / -np.expm1(-interval / tau_w) * np.exp(-refractory / tau_w)
            leak, slow = np.exp(-free / tau_m), np.exp(-free / tau_w)
            driven = (rest + drive) * (1.0 - leak) + reset * leak
            return float(driven - start * share * (slow - leak) - threshold)

        def steady(drive: float) -> float:
            longest = 1e3 * (tau_m + tau_w) + refractory
            if rest + drive <= threshold or excess(longest, drive) <= 0.0:
                return 0.0
            return float(1.0 / brentq(excess, refractory + 1e-12, longest, args=(drive,), xtol=1e-12))

        inputs = np.asarray(drive, np.float64)
        return np.array([steady(float(value)) for value in inputs.ravel()]).reshape(inputs.shape)

    def initial(self, n: int) -> Doubles:
        """Return membrane and adaptation at rest, (2, n)."""
        state = np.zeros((2, n))
        state[0] = values(self.rest)
        return state

    def constants(self, dt: float) -> Doubles:
        """Return the constants of `update`."""
        exact = np.stack([_propagator(row, dt, 1.0)[:2] for row in self._rates()], axis=2)
        part, slow = dt / values(self.tau_membrane), dt / values(self.tau_adaptation)
        return stack(
            *exact[0, (0, 1, 3)], *exact[1, (0, 1, 3)], self.rest, part, np.exp(-slow), self.coupling,
            self.jump,
            self.threshold, self.reset, np.round(values(self.refractory) / dt),
        )  # fmt: skip

    def reach(self, dt: float, tau: float) -> Doubles:
        """Return the drives to which exponential and alpha currents amount, (2 or 4, 1 or n)."""
        pushes = np.array([_propagator(row, dt, tau)[:2] for row in self._rates()])
        membrane = np.stack([pushes[:, 0, 2], pushes[:, 0, 4]]) / pushes[:, 0, 3]
        drive = pushes[:, 1, 3]
        if not np.any(drive):
            return np.asarray(membrane, np.float64)
        coupled = np.where(drive > 0.0, drive, 1.0)
        second = np.stack([pushes[:, 1, 2], pushes[:, 1, 4]]) / coupled
        return np.concatenate([membrane, np.where(drive > 0.0, second - membrane, 0.0)])

    def noise_drive(self, dt: float) -> Doubles:
        """Return the standard deviation of the drive that makes `noise`, (1 or n,)."""
        gain = np.array([_propagator(row, dt, 1.0)[0, 3] for row in self._rates()])
        return np.atleast_1d(values(self.noise) / gain)

    def _rates(self) -> Doubles:
        return stack(self.tau_membrane, self.tau_adaptation, self.coupling).T


def _propagator(rates: Doubles, dt: float, tau: float) -> Doubles:
    """Return (5, 5): what (v, w, I, drive, J) at the start of a step make of themselves at its end.

    `rates` are tau_m, tau_w and a of a neuron; I is an exponential current of `tau` s fed by J, which is an
    exponential of the same time constant.
    """
    tau_m, tau_w, coupling = rates
    matrix = np.zeros((5, 5))
    matrix[0, :4] = np.array([-1.0, -1.0, 1.0, 1.0]) / tau_m
    matrix[1, :2] = np.array([coupling, -1.0]) / tau_w
    matrix[2, 2] = matrix[4, 4] = -1.0 / tau
    matrix[2, 4] = 1.0
    return np.asarray(expm(matrix * dt), np.float64)


@njit(cache=True, error_model="numpy")
def update(
    state: Reals, silent: NDArray[np.int32], drive: Reals, load: Reals, c: Reals, at: np.uint32, fired: Any
) -> int:
    """Advance by one step; see `model`."""
    membrane, adaptation, inputs, loads = state[0], state[1], drive[0], load[0]
    unit, loaded = membrane.dtype.type(1.0), loads.size > 0
    for i in range(membrane.size):
        k = i if c.shape[1] > 1 else 0
        rest, w = c[6, k], adaptation[i]
        v = membrane[i] - rest
        if silent[i] > 0:
            adaptation[i] = c[8, k] * w
        elif loaded:
            total = unit + loads[i]
            steady = (inputs[i] - loads[i] * rest - w) / total
            membrane[i] = rest + steady + (v - steady) * shrink(c[7, k] * total)
            goal = c[9, k] * v
            adaptation[i] = goal + (w - goal) * c[8, k]
        else:
            membrane[i] = rest + c[0, k] * v + c[1, k] * w + c[2, k] * inputs[i]
            more = drive[1, i] if drive.shape[0] > 1 else membrane.dtype.type(0.0)
            adaptation[i] = c[3, k] * v + c[4, k] * w + c[5, k] * (inputs[i] + more)
    count: int = fire(membrane, silent, c[11], c[12], c[13], fired)
    for f in range(count):
        i = fired[f]
        adaptation[i] += c[10, i if c.shape[1] > 1 else 0]
    return count
