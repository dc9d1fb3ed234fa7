"""Izhikevich neurons: a quadratic membrane and a recovery variable that reproduce the firing types of cortex.

    dv/dt = 0.04 v^2 + 5 v + 140 - u + input,   du/dt = a (b v - u)
    spike at v >= peak: v := c, u := u + d          (v in mV, t in ms)

Izhikevich 2003, IEEE Trans. Neural Netw. 14:1569. Integrated by Euler's method; steps longer than 0.5 ms are
split, as the paper does for the membrane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .model import Doubles, Reals, mean_reach
from .parameters import Parameter, require_finite, require_not_negative, require_positive, stack, values
from .steps import split


@dataclass(frozen=True, slots=True)
class Izhikevich:
    """Parameters of a population; the defaults are a regular spiking cell. See `FIRING_TYPES` for others.

    In single precision a train drifts away from the same one in double: rounding shifts every spike a little.
    """

    a: Parameter = 0.02  #: 1/ms, rate of recovery
    b: Parameter = 0.2  #: recovery per mV
    c: Parameter = -65.0  #: mV, reset
    d: Parameter = 8.0  #: jump of recovery at a spike
    peak: Parameter = 30.0  #: mV
    noise: Parameter = 0.0  #: standard deviation added to the membrane each step, mV
    longest_step: float = 0.5e-3  #: s; longer steps are split

    kind: ClassVar[int] = 2
    variables: ClassVar[tuple[str, ...]] = ("membrane", "recovery")
    channels: ClassVar[tuple[str, ...]] = ("soma",)
    double: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require_positive("Izhikevich", a=self.a, longest_step=self.longest_step)
        require_finite("Izhikevich", b=self.b, c=self.c, d=self.d, peak=self.peak)
        require_not_negative("Izhikevich", noise=self.noise)
        try:
            below = np.all(values(self.c) < values(self.peak))
        except ValueError:
            return
        if not below:
            raise ValueError(f"Izhikevich c must be < peak {self.peak} mV, got {self.c}")

    @property
    def rest(self) -> Doubles:
        """Stable membrane without input, mV: the lower root of 0.04 v^2 + (5 - b) v + 140 = 0.

        Raises ValueError for a cell that fires without input.
        """
        slope = 5.0 - values(self.b)
        under = slope**2 - 4.0 * 0.04 * 140.0
        if np.any(under < 0.0):
            raise ValueError(f"Izhikevich cell with b = {self.b} has no state of rest")
        return np.asarray((-slope - np.sqrt(under)) / 0.08, np.float64)

    @property
    def rheobase(self) -> Doubles:
        """Least constant drive without a state of rest: where the two roots of the fixed points meet."""
        return np.asarray((5.0 - values(self.b)) ** 2 / 0.16 - 140.0, np.float64)

    def initial(self, n: int) -> Doubles:
        """Return membrane and recovery at rest, (2, n)."""
        state = np.empty((2, n))
        state[0] = self.rest
        state[1] = values(self.b) * state[0]
        return state

    def constants(self, dt: float) -> Doubles:
        """Return the constants of `update`."""
        splits, part = split(dt, self.longest_step)
        return stack(self.a, self.b, self.c, self.d, self.peak, float(splits), part)

    def reach(self, dt: float, tau: float) -> Doubles:
        """Return the mean drives of exponential and alpha currents, (2, 1)."""
        return mean_reach(dt, tau)

    def noise_drive(self, dt: float) -> Doubles:
        """Return the standard deviation of the drive that makes `noise`, (1 or n,)."""
        return np.atleast_1d(np.asarray(values(self.noise) / (dt * 1e3), np.float64))


#: Cells of figure 2 of the paper.
FIRING_TYPES = {
    "regular spiking": Izhikevich(),
    "intrinsically bursting": Izhikevich(c=-55.0, d=4.0),
    "chattering": Izhikevich(c=-50.0, d=2.0),
    "fast spiking": Izhikevich(a=0.1, d=2.0),
    "low-threshold spiking": Izhikevich(b=0.25, d=2.0),
    "resonator": Izhikevich(a=0.1, b=0.26, d=2.0),
}


@njit(cache=True, error_model="numpy")
def update(
    state: Reals, silent: NDArray[np.int32], drive: Reals, load: Reals, c: Reals, at: np.uint32, fired: Any
) -> int:
    """Advance by one step; see `model`."""
    membrane, recovery, loads, count = state[0], state[1], load[0], 0
    real = membrane.dtype.type
    square, linear, base, none = real(0.04), real(5.0), real(140.0), real(0.0)
    splits, part = int(c[5, 0]), c[6, 0]
    for i in range(membrane.size):
        k = i if c.shape[1] > 1 else 0
        v, u, hit = membrane[i], recovery[i], False
        leak = loads[i] if loads.size > 0 else none
        for _ in range(splits):
            slope = (square * v + linear) * v + base - u + drive[0, i] - leak * v
            u += part * c[0, k] * (c[1, k] * v - u)
            v += part * slope
            if v >= c[4, k]:
                v = c[2, k]
                u += c[3, k]
                hit = True
        membrane[i], recovery[i] = v, u
        if hit:
            fired[count] = i
            count += 1
    return count
