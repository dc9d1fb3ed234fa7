"""Leaky integrate-and-fire neurons with exponential synaptic current and a refractory period.

    tau_m dv/dt = -v + I + drive,   tau_s dI/dt = -I,   spike and v := 0 at v >= threshold, held for t_ref

integrated exactly between spikes (Rotter & Diesmann 1999, Biol. Cybern. 81:381); a spike lies on the grid of
steps. Gerstner et al. 2014, Neuronal Dynamics, eq. 1.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .checks import require_population, require_room
from .random import gaussian, gaussian_reference, step_key

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LIF:
    """Parameters of a population, membrane in units above rest."""

    tau_membrane: float = 20e-3  #: s
    tau_synapse: float = 5e-3  #: s
    threshold: float = 1.0  #: membrane units above rest
    refractory: float = 2e-3  #: s
    noise: float = 0.0  #: standard deviation added to the membrane each step

    def __post_init__(self) -> None:
        for name in ("tau_membrane", "tau_synapse", "threshold"):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"LIF {name} must be > 0, got {getattr(self, name)}")
        if self.tau_membrane == self.tau_synapse:
            raise ValueError("LIF tau_membrane and tau_synapse must differ: the propagator divides by it")
        if self.refractory < 0.0 or self.noise < 0.0:
            raise ValueError("LIF refractory and noise must be >= 0")

    def rate(self, drive: Floats) -> NDArray[np.float64]:
        """Return the steady rate, Hz, under a constant `drive` (n,), without noise."""
        drive = np.asarray(drive, np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            to_spike = self.tau_membrane * np.log(drive / (drive - self.threshold))
        return np.where(drive > self.threshold, 1.0 / (self.refractory + to_spike), 0.0)

    def propagators(self, dt: float) -> tuple[np.float32, np.float32, np.float32]:
        """Return (membrane decay, synapse decay, current-to-membrane) of one step of `dt` s."""
        keep, decay = np.exp(-dt / self.tau_membrane), np.exp(-dt / self.tau_synapse)
        coupling = self.tau_synapse / (self.tau_membrane - self.tau_synapse) * (keep - decay)
        return np.float32(keep), np.float32(decay), np.float32(coupling)


class LIFState(NamedTuple):
    """State of n neurons."""

    membrane: Floats  #: (n,) above rest
    current: Floats  #: (n,) synaptic current
    silent: NDArray[np.int32]  #: (n,) steps left of the refractory period
    step: NDArray[np.int64]  #: (1,) steps since the start, the counter of the noise

    @classmethod
    def zeros(cls, n: int) -> LIFState:
        """Return `n` neurons at rest."""
        require_population(n)
        return cls(
            np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.int32), np.zeros(1, np.int64)
        )

    def clear(self) -> None:
        """Return the neurons to rest; the noise goes on."""
        self.membrane[:] = 0.0
        self.current[:] = 0.0
        self.silent[:] = 0


def advance(
    neurons: LIF,
    state: LIFState,
    drive: Floats,
    steps: int,
    key: np.uint32,
    spikes: NDArray[np.int32],
    dt: float = 1e-3,
) -> int:
    """Advance `state` in place by `steps` of `dt` s under a constant `drive` (n,).

    Spikes are written to `spikes` (capacity, 2) as (step, neuron), ascending; their number is returned.
    Synaptic input is whatever was added to `state.current` beforehand; the noise of a step is drawn under
    `key` and the step's number since the start. Raises ValueError when the spikes do not fit.
    """
    keep, decay, coupling = neurons.propagators(dt)
    count: int = _advance(
        *state, drive, steps, keep, decay, coupling, np.float32(neurons.threshold),
        round(neurons.refractory / dt), np.float32(neurons.noise), key, spikes,
    )  # fmt: skip
    require_room(count, spikes, steps)
    return count


@njit(cache=True)
def _advance(
    membrane: Floats,
    current: Floats,
    silent: NDArray[np.int32],
    clock: NDArray[np.int64],
    drive: Floats,
    steps: int,
    keep: np.float32,
    decay: np.float32,
    coupling: np.float32,
    threshold: np.float32,
    refractory: int,
    noise: np.float32,
    key: np.uint32,
    spikes: NDArray[np.int32],
) -> int:
    gain, count = np.float32(1.0) - keep, 0
    for step in range(steps):
        at = step_key(key, np.uint32(clock[0] & 0xFFFFFFFF))
        clock[0] += 1
        for i in range(membrane.size):
            v = keep * membrane[i] + gain * drive[i] + coupling * current[i]
            if noise > np.float32(0.0):
                v += noise * gaussian(at, np.uint32(i))
            current[i] *= decay
            if silent[i] > 0:
                silent[i] -= 1
                v = np.float32(0.0)
            elif v >= threshold:
                v = np.float32(0.0)
                silent[i] = refractory
                if count >= spikes.shape[0]:
                    return -1
                spikes[count, 0] = step
                spikes[count, 1] = i
                count += 1
            membrane[i] = v
    return count


def advance_reference(
    neurons: LIF, state: LIFState, drive: Floats, steps: int, key: np.uint32, dt: float = 1e-3
) -> NDArray[np.int32]:
    """NumPy twin of `advance`; returns the spikes (k, 2)."""
    keep, decay, coupling = neurons.propagators(dt)
    rows = []
    for step in range(steps):
        v = keep * state.membrane + (np.float32(1.0) - keep) * drive + coupling * state.current
        if neurons.noise > 0.0:
            v += np.float32(neurons.noise) * gaussian_reference(key, int(state.step[0]), v.size)
        state.step[0] += 1
        state.current[:] *= decay
        held = state.silent > 0
        state.silent[held] -= 1
        v[held] = 0.0
        fired = ~held & (v >= np.float32(neurons.threshold))
        v[fired] = 0.0
        state.silent[fired] = round(neurons.refractory / dt)
        state.membrane[:] = v
        rows += [(step, i) for i in np.flatnonzero(fired)]
    return np.array(rows, np.int32).reshape(-1, 2)
