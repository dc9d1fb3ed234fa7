"""Izhikevich neurons: a quadratic membrane and a recovery variable that reproduce the firing types of cortex.

    dv/dt = 0.04 v^2 + 5 v + 140 - u + I + drive,   du/dt = a (b v - u),   tau_s dI/dt = -I
    spike at v >= peak: v := c, u := u + d          (v in mV, t in ms)

Izhikevich 2003, IEEE Trans. Neural Netw. 14:1569. Integrated by Euler's method; steps longer than 0.5 ms are
split, as the paper does for the membrane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .checks import require_population, require_positive, require_room, require_shape, require_spikes
from .random import gaussian, gaussian_reference, step_key
from .steps import split

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Izhikevich:
    """Parameters of a population; the defaults are a regular spiking cell. See `FIRING_TYPES` for others."""

    a: float = 0.02  #: 1/ms, rate of recovery
    b: float = 0.2  #: recovery per mV
    c: float = -65.0  #: mV, reset
    d: float = 8.0  #: jump of recovery at a spike
    peak: float = 30.0  #: mV
    tau_synapse: float = 5e-3  #: s
    noise: float = 0.0  #: standard deviation added to the membrane each step, mV
    longest_step: float = 0.5e-3  #: s; longer steps are split

    def __post_init__(self) -> None:
        for name in ("a", "tau_synapse", "longest_step"):
            require_positive("Izhikevich", **{name: getattr(self, name)})
        if not self.c < self.peak:
            raise ValueError(f"Izhikevich c must be < peak {self.peak} mV, got {self.c}")
        if not self.noise >= 0.0:
            raise ValueError(f"Izhikevich noise must be >= 0, got {self.noise}")

    @property
    def rest(self) -> float:
        """Stable membrane without input, mV: the lower root of 0.04 v^2 + (5 - b) v + 140 = 0.

        Raises ValueError for a cell that fires without input.
        """
        under = (5.0 - self.b) ** 2 - 4.0 * 0.04 * 140.0
        if under < 0.0:
            raise ValueError(f"Izhikevich cell with b = {self.b} has no state of rest")
        return float((-(5.0 - self.b) - np.sqrt(under)) / 0.08)

    @property
    def rheobase(self) -> float:
        """Least constant drive without a state of rest: where the two roots of the fixed points meet."""
        return float((5.0 - self.b) ** 2 / 0.16 - 140.0)

    def zeros(self, n: int) -> IzhikevichState:
        """Return `n` neurons at rest."""
        require_population(n)
        volts = np.full(n, self.rest)
        return IzhikevichState(volts, self.b * volts, np.zeros(n), np.zeros(1, np.int64))


#: Cells of figure 2 of the paper.
FIRING_TYPES = {
    "regular spiking": Izhikevich(),
    "intrinsically bursting": Izhikevich(c=-55.0, d=4.0),
    "chattering": Izhikevich(c=-50.0, d=2.0),
    "fast spiking": Izhikevich(a=0.1, d=2.0),
    "low-threshold spiking": Izhikevich(b=0.25, d=2.0),
    "resonator": Izhikevich(a=0.1, b=0.26, d=2.0),
}


class IzhikevichState(NamedTuple):
    """State of n neurons. Double precision: rounding shifts every spike of a cell a little further."""

    membrane: Doubles  #: (n,) mV
    recovery: Doubles  #: (n,) u
    current: Doubles  #: (n,) synaptic current
    step: NDArray[np.int64]  #: (1,) steps since the start, the counter of the noise


def advance(
    neurons: Izhikevich,
    state: IzhikevichState,
    drive: Doubles,
    steps: int,
    key: np.uint32,
    spikes: NDArray[np.int32],
    dt: float = 1e-3,
) -> int:
    """Advance `state` in place by `steps` of `dt` s under a constant `drive` (n,); see `lif.advance`."""
    require_shape("drive", drive, state.membrane.shape)
    require_spikes("the spike buffer", spikes)
    count: int = _advance(*state, drive, steps, *_constants(neurons, dt), key, spikes)
    require_room(count, spikes, steps)
    return count


def _constants(neurons: Izhikevich, dt: float) -> tuple[Doubles, int]:
    splits, part = split(dt, neurons.longest_step)
    values = [
        neurons.a, neurons.b, neurons.c, neurons.d, neurons.peak, np.exp(-dt / neurons.tau_synapse),
        neurons.noise, part,
    ]  # fmt: skip
    return np.array(values, np.float64), splits


@njit(cache=True)
def _advance(
    membrane: Doubles,
    recovery: Doubles,
    current: Doubles,
    clock: NDArray[np.int64],
    drive: Doubles,
    steps: int,
    constants: Doubles,
    splits: int,
    key: np.uint32,
    spikes: NDArray[np.int32],
) -> int:
    a, b, c, d, peak = constants[0], constants[1], constants[2], constants[3], constants[4]
    decay, noise, part = constants[5], constants[6], constants[7]
    count = 0
    for step in range(steps):
        at = step_key(key, np.uint32(clock[0] & 0xFFFFFFFF))
        clock[0] += 1
        for i in range(membrane.size):
            v, u = membrane[i], recovery[i]
            total = drive[i] + current[i]
            current[i] *= decay
            fired = False
            if noise > 0.0:
                v += noise * gaussian(at, np.uint32(i))
            for _ in range(splits):
                slope = (0.04 * v + 5.0) * v + 140.0 - u + total
                u += part * a * (b * v - u)
                v += part * slope
                if v >= peak:
                    v = c
                    u += d
                    fired = True
            membrane[i], recovery[i] = v, u
            if fired:
                if count >= spikes.shape[0]:
                    return -1
                spikes[count, 0] = step
                spikes[count, 1] = i
                count += 1
    return count


def advance_reference(
    neurons: Izhikevich,
    state: IzhikevichState,
    drive: Doubles,
    steps: int,
    key: np.uint32,
    dt: float = 1e-3,
) -> NDArray[np.int32]:
    """NumPy twin of `advance`; returns the spikes (k, 2)."""
    (a, b, c, d, peak, decay, noise, part), splits = _constants(neurons, dt)
    rows = []
    for step in range(steps):
        v, u = state.membrane, state.recovery
        total = drive + state.current
        state.current[:] *= decay
        if noise > 0.0:
            v += noise * gaussian_reference(key, int(state.step[0]), v.size)
        state.step[0] += 1
        fired = np.zeros(v.size, np.bool_)
        for _ in range(splits):
            slope = (0.04 * v + 5.0) * v + 140.0 - u + total
            u += part * a * (b * v - u)
            v += part * slope
            now = v >= peak
            v[now] = c
            u[now] += d
            fired |= now
        rows += [(step, i) for i in np.flatnonzero(fired)]
    return np.array(rows, np.int32).reshape(-1, 2)
