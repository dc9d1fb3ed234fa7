"""A Hodgkin-Huxley neuron as four leaky units, whose connections and one time constant vary with the gates.

    tau du_i/dt = E_i - u_i + input / g       i = sodium, potassium, leak;  tau = C / 1 mS/cm2
    df = sum_i g_i du_i                       what the three pass on, g_i in mS/cm2
    (C / g) du_4/dt = -u_4 - f + sum_i g_i u_i / g
    V = f + u_4,   g = g_Na m^3 h + g_K n^4 + g_L,   and V drives the gates

He et al. 2024, Nat. Comput. Sci. 4:584, in the form of their simulations, which take the g_i from a
Hodgkin-Huxley neuron run beside the four units; here the units' own V opens the gates. Since C df/dt =
sum_i g_i (E_i - u_i) + input, adding the last unit leaves C dV/dt = sum_i g_i (E_i - V) + input: the four
units are a Hodgkin-Huxley neuron exactly, whatever their state, and differ from `HodgkinHuxley` by rounding.
A synaptic conductance is one more part of g for the fourth unit alone.

Gates and units are staggered by half a step, and all units are integrated exactly while the gates are held
(Hines 1984, Int. J. Biomed. Comput. 15:69): of second order in the step. In a spike f falls by some 100 mV
and u_4 rises as far. V does not feel what f counts from: here it is the last spike, so that rounding does not
grow with their number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .hodgkin_huxley import HodgkinHuxley, advance_gates
from .model import Doubles, Reals
from .parameters import Parameter, values


@dataclass(frozen=True, slots=True)
class TimeVaryingLIF(HodgkinHuxley):
    """Parameters of a population, per cm2 of membrane: those of `HodgkinHuxley`, with the paper's threshold.

    `e_sodium`, `e_potassium` and `e_leak` are the rests of the first three units. A spike is an upward
    crossing of `threshold`. Its upstroke amplifies rounding, as that of `HodgkinHuxley`, so it wants double
    precision.
    """

    threshold: Parameter = -40.0  #: mV

    kind: ClassVar[int] = 5
    variables: ClassVar[tuple[str, ...]] = (
        "membrane", "m", "h", "n", "above", "sodium", "potassium", "leak", "passed",
    )  # fmt: skip

    def initial(self, n: int) -> Doubles:
        """Return V at `rest`, the gates, whether V is above threshold, the units and f (9, n).

        The fourth unit is V - f. Any start of the units gives the same V.
        """
        units = [
            np.broadcast_to(values(level), n) for level in (self.e_sodium, self.e_potassium, self.e_leak)
        ]
        return np.stack([*HodgkinHuxley.initial(self, n), *units, np.zeros(n)])


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
        first, second, third, passed = state[5, i], state[6, i], state[7, i], state[8, i]
        fourth = v - passed
        current, synapses, leak = drive[0, i], loads[i] if loads.size > 0 else 0.0, c[3, k]
        slow, lost = math.exp(-dt / c[0, k]), -math.expm1(-dt / c[0, k])
        for _ in range(splits):
            m, h, n = advance_gates(v, m, h, n, dt)
            sodium, potassium = c[1, k] * m**3 * h, c[2, k] * n**4
            total = sodium + potassium + leak
            shared, loaded = current / total, total + synapses
            # How far the first three units are from where they go, and what that is to the fourth.
            far_1, far_2, far_3 = (
                first - c[4, k] - shared,
                second - c[5, k] - shared,
                third - c[6, k] - shared,
            )
            away = sodium * far_1 + potassium * far_2 + leak * far_3
            goal = (sodium * c[4, k] + potassium * c[5, k] + leak * c[6, k] + current) / loaded
            # The fourth unit under a constant and a decaying input. The latter is away (1 - loaded), which
            # cancels the 1 / (1 - loaded) of the integral where both time constants meet.
            fast = math.exp(-dt * loaded / c[0, k])
            fourth = fast * fourth + (1.0 - fast) * (away + goal - passed) - away * (slow - fast)
            passed -= away * lost
            first, second, third = first - far_1 * lost, second - far_2 * lost, third - far_3 * lost
            v = passed + fourth
            now = v >= c[7, k]
            hit = hit or (now and not above)
            above = now
        membrane[i], state[1, i], state[2, i], state[3, i], state[4, i] = v, m, h, n, above
        state[5, i], state[6, i], state[7, i] = first, second, third
        state[8, i] = 0.0 if hit else passed
        if hit:
            fired[count] = i
            count += 1
    return count
