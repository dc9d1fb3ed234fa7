"""Four simplified leaky units in the place of a Hodgkin-Huxley neuron (s-LIF2HH).

    u_i := u_i - 0.1 u_i + x               i = 1, 2, 3
    u_4 := u_4 - 0.1 u_4 + u_1 + u_2 + u_3
    spike where all four are above 70 mV, and all := 0

A map of steps of 1 ms, with the mean input of the step for x: He et al. 2024, Nat. Comput. Sci. 4:584, in
the form of their simulations. They count potential from rest, so 70 mV is +5 mV, and x is in uA/cm2, which on
1 uF/cm2 is mV/ms.

Units 1 to 3 share input and reset, so one variable stands for the three; the fourth holds a spike back until
the sum has had its time. A step shorter than 1 ms is a shorter step of Euler's method on the same equations,
as in the paper's code, and a longer one is split: it is the map at 1 ms and of first order in the step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .model import Doubles, Reals, mean_reach
from .parameters import Parameter, require_not_negative, require_positive, stack, values
from .steps import split


@dataclass(frozen=True, slots=True)
class SimplifiedHH:
    """Parameters of a population, in mV above rest. Input is in mV/ms, a conductance in 1/ms."""

    leak: Parameter = 0.1  #: 1/ms, what a unit loses
    threshold: Parameter = 70.0  #: mV, of each unit
    noise: Parameter = 0.0  #: standard deviation added to the units each step, mV
    longest_step: float = 1e-3  #: s, the paper's; longer steps are split

    kind: ClassVar[int] = 6
    variables: ClassVar[tuple[str, ...]] = ("membrane", "fourth")
    channels: ClassVar[tuple[str, ...]] = ("soma",)
    double: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require_positive(
            "SimplifiedHH", leak=self.leak, threshold=self.threshold, longest_step=self.longest_step
        )
        require_not_negative("SimplifiedHH", noise=self.noise)

    def rate(self, drive: Any, dt: float = 1e-3) -> Doubles:
        """Return the steady rate, Hz, under a constant `drive` (k,) or (n,) in steps of `dt` s, no noise.

        After k parts of d ms, u_1 = x (1 - q^k) / leak with q = 1 - leak d, and u_4 = 3 x ((1 - q^k) / leak -
        k d q^k) / leak. Exact where a step is not split. Raises ValueError for a step that overshoots.
        """
        _, part = split(dt, self.longest_step)
        lost = part * values(self.leak)
        if np.any(lost >= 1.0):
            raise ValueError(f"SimplifiedHH leak * step must be < 1, got {np.max(lost):g}")
        steady, threshold = np.asarray(drive, np.float64) / values(self.leak), values(self.threshold)
        fires = np.minimum(steady, 3.0 * steady / values(self.leak)) > threshold
        keep, ratio = 1.0 - lost, threshold / np.where(fires, steady, np.inf)
        parts = np.floor(np.log1p(-ratio) / np.log(keep)) + 1.0
        while True:
            left = keep**parts
            late = fires & (
                3.0 * steady * (1.0 - left - parts * lost * left) <= threshold * values(self.leak)
            )
            if not np.any(late):
                break
            parts = parts + late
        return np.where(fires, 1e3 / (parts * part), 0.0)

    def initial(self, n: int) -> Doubles:
        """Return the units at rest, (2, n)."""
        return np.zeros((2, n))

    def constants(self, dt: float) -> Doubles:
        """Return the constants of `update`."""
        splits, part = split(dt, self.longest_step)
        return stack(self.leak, self.threshold, float(splits), part)

    def reach(self, dt: float, tau: float) -> Doubles:
        """Return the mean drives of exponential and alpha currents, (2, 1)."""
        return mean_reach(dt, tau)

    def noise_drive(self, dt: float) -> Doubles:
        """Return the standard deviation of the drive that makes `noise`, (1 or n,)."""
        return np.atleast_1d(np.asarray(values(self.noise) / (dt * 1e3), np.float64))


@njit(cache=True, error_model="numpy")
def update(
    state: Reals, silent: NDArray[np.int32], drive: Reals, load: Reals, c: Reals, at: np.uint32, fired: Any
) -> int:
    """Advance by one step; see `model`."""
    units, fourths, loads, count = state[0], state[1], load[0], 0
    real = units.dtype.type
    none, one, three = real(0.0), real(1.0), real(3.0)
    splits, part = int(c[2, 0]), c[3, 0]
    for i in range(units.size):
        k = i if c.shape[1] > 1 else 0
        unit, fourth, hit = units[i], fourths[i], False
        leak, threshold = c[0, k], c[1, k]
        lost = leak + (loads[i] if loads.size > 0 else none)
        for _ in range(splits):
            # A conductance that empties a unit within the step leaves it in its steady state.
            unit = drive[0, i] / lost if part * lost > one else unit + part * (drive[0, i] - lost * unit)
            fourth += part * (three * unit - leak * fourth)
            if unit > threshold and fourth > threshold:
                unit, fourth, hit = none, none, True
        units[i], fourths[i] = unit, fourth
        if hit:
            fired[count] = i
            count += 1
    return count
