"""Leaky integrate-and-fire neurons with a refractory period.

    tau_m dv/dt = rest - v + input,   spike at v >= threshold: v := reset, held for t_ref

integrated exactly between spikes (Rotter & Diesmann 1999, Biol. Cybern. 81:381); a spike lies on the grid of
steps. Gerstner et al. 2014, Neuronal Dynamics, eq. 1.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .model import Doubles, Reals, fire, linear_reach, shrink
from .parameters import Parameter, require_finite, require_not_negative, require_positive, stack, values


@dataclass(frozen=True, slots=True)
class LIF:
    """Parameters of a population, in membrane units of your choice; by default threshold is 1 above rest."""

    tau_membrane: Parameter = 20e-3  #: s
    threshold: Parameter = 1.0
    refractory: Parameter = 2e-3  #: s
    rest: Parameter = 0.0  #: membrane without input
    reset: Parameter = 0.0  #: membrane after a spike
    noise: Parameter = 0.0  #: standard deviation added to the membrane each step

    kind: ClassVar[int] = 0
    variables: ClassVar[tuple[str, ...]] = ("membrane",)
    channels: ClassVar[tuple[str, ...]] = ("soma",)
    double: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require_positive("LIF", tau_membrane=self.tau_membrane)
        require_finite("LIF", threshold=self.threshold, rest=self.rest, reset=self.reset)
        require_not_negative("LIF", refractory=self.refractory, noise=self.noise)
        require_reset("LIF", self.reset, self.threshold)

    def rate(self, drive: Any) -> Doubles:
        """Return the steady rate, Hz, under a constant `drive`, (k,) or (n,), without noise."""
        input_above = np.asarray(drive, np.float64) + values(self.rest)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (input_above - values(self.reset)) / (input_above - values(self.threshold))
            to_spike = values(self.tau_membrane) * np.log(ratio)
        above = input_above > values(self.threshold)
        return np.where(above, 1.0 / (values(self.refractory) + np.where(above, to_spike, 0.0)), 0.0)

    def initial(self, n: int) -> Doubles:
        """Return the membrane at rest, (1, n)."""
        return np.broadcast_to(values(self.rest), (1, n)).copy()

    def constants(self, dt: float) -> Doubles:
        """Return the constants of `update`."""
        part = dt / values(self.tau_membrane)
        steps = np.round(values(self.refractory) / dt)
        return stack(
            np.exp(-part), -np.expm1(-part), self.rest, self.threshold, self.reset, steps, part
        )  # fmt: skip

    def reach(self, dt: float, tau: float) -> Doubles:
        """Return the drives to which exponential and alpha currents amount, (2, 1 or n)."""
        return linear_reach(dt, tau, values(self.tau_membrane))

    def noise_drive(self, dt: float) -> Doubles:
        """Return the standard deviation of the drive that makes `noise`, (1 or n,)."""
        noise = values(self.noise) / -np.expm1(-dt / values(self.tau_membrane))
        return np.atleast_1d(np.asarray(noise, np.float64))


def require_reset(owner: str, reset: Parameter, threshold: Parameter) -> None:
    """Raise ValueError unless `reset` is below `threshold`, as far as both are known."""
    try:
        low, high = values(reset), values(threshold)
    except ValueError:
        return
    if not np.all(low < high):
        raise ValueError(f"{owner} reset must be < threshold, got {reset} and {threshold}")


@njit(cache=True, error_model="numpy")
def relax(membrane: Reals, drive: Reals, load: Reals, c: Reals) -> None:
    """Let a leaky membrane move for one step; `c` holds decay, gain and rest, and the step in row 6."""
    unit = membrane.dtype.type(1.0)
    if c.shape[1] == 1:
        keep, gain, rest, part = c[0, 0], c[1, 0], c[2, 0], c[6, 0]
        if load.size == 0:
            base = gain * rest
            for i in range(membrane.size):
                membrane[i] = keep * membrane[i] + gain * drive[i] + base
        else:
            for i in range(membrane.size):
                total = unit + load[i]
                steady = (rest + drive[i]) / total
                membrane[i] = steady + (membrane[i] - steady) * shrink(part * total)
    elif load.size == 0:
        for i in range(membrane.size):
            membrane[i] = c[0, i] * membrane[i] + c[1, i] * (drive[i] + c[2, i])
    else:
        for i in range(membrane.size):
            total = unit + load[i]
            steady = (c[2, i] + drive[i]) / total
            membrane[i] = steady + (membrane[i] - steady) * shrink(c[6, i] * total)


@njit(cache=True, error_model="numpy")
def update(
    state: Reals, silent: NDArray[np.int32], drive: Reals, load: Reals, c: Reals, at: np.uint32, fired: Any
) -> int:
    """Advance by one step; see `model`."""
    relax(state[0], drive[0], load[0], c)
    count: int = fire(state[0], silent, c[3], c[4], c[5], fired)
    return count
