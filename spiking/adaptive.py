"""Adaptive leaky integrate-and-fire neurons: a second variable slows down what fires.

    tau_m dv/dt = -v - w + I + drive,   tau_w dw/dt = a v - w,   tau_s dI/dt = -I
    spike at v >= threshold: v := 0, held for t_ref, and w := w + b

Gerstner et al. 2014, Neuronal Dynamics, ch. 6.1. Between spikes the equations are linear and are integrated
exactly by a matrix exponential (Rotter & Diesmann 1999, Biol. Cybern. 81:381); a spike lies on the grid of
steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.linalg import expm
from scipy.optimize import brentq

from .checks import require_population, require_positive, require_room, require_shape, require_spikes
from .random import gaussian, gaussian_reference, step_key

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AdaptiveLIF:
    """Parameters of a population, membrane in units above rest."""

    tau_membrane: float = 20e-3  #: s
    tau_synapse: float = 5e-3  #: s
    tau_adaptation: float = 150e-3  #: s
    coupling: float = 0.0  #: a, adaptation per unit of membrane, below threshold
    jump: float = 0.2  #: b, adaptation that a spike adds, membrane units
    threshold: float = 1.0  #: membrane units above rest
    refractory: float = 2e-3  #: s
    noise: float = 0.0  #: standard deviation added to the membrane each step

    def __post_init__(self) -> None:
        for name in ("tau_membrane", "tau_synapse", "tau_adaptation", "threshold"):
            require_positive("AdaptiveLIF", **{name: getattr(self, name)})
        for name in ("coupling", "jump", "refractory", "noise"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"AdaptiveLIF {name} must be >= 0, got {getattr(self, name)}")

    def zeros(self, n: int) -> AdaptiveLIFState:
        """Return `n` neurons at rest."""
        require_population(n)
        rest = np.zeros((3, n), np.float32)
        return AdaptiveLIFState(rest[0], rest[1], rest[2], np.zeros(n, np.int32), np.zeros(1, np.int64))

    def rate(self, drive: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the adapted rate, Hz, under a constant `drive` (n,), without noise and with `coupling` 0.

        In the steady state the interval T and the adaptation just after a spike, w0 = b / (1 - exp(-T /
        tau_w)), fit each other; T is where the membrane reaches threshold. Raises ValueError for a coupling.
        """
        if self.coupling != 0.0:
            raise ValueError(f"AdaptiveLIF rate is known for coupling 0 only, got {self.coupling}")
        drive = np.asarray(drive, np.float64)
        return np.array([self._steady_rate(float(value)) for value in drive.ravel()]).reshape(drive.shape)

    def _steady_rate(self, drive: float) -> float:
        def excess(interval: float) -> float:
            """Membrane above threshold `interval` s after the last spike, with adaptation to match."""
            held, free = self.refractory, interval - self.refractory
            start = self.jump / -np.expm1(-interval / self.tau_adaptation)
            start *= np.exp(-held / self.tau_adaptation)
            leak, slow = np.exp(-free / self.tau_membrane), np.exp(-free / self.tau_adaptation)
            share = self.tau_adaptation / (self.tau_adaptation - self.tau_membrane)
            return float(drive * (1.0 - leak) - start * share * (slow - leak) - self.threshold)

        if drive <= self.threshold:
            return 0.0
        longest = 1e3 * (self.tau_membrane + self.tau_adaptation) + self.refractory
        if excess(longest) <= 0.0:
            return 0.0
        return float(1.0 / brentq(excess, self.refractory + 1e-12, longest, xtol=1e-12))

    def propagator(self, dt: float) -> NDArray[np.float64]:
        """Return (3, 4): what (v, w, I, drive) at the start of a step of `dt` s make (v, w, I) at its end."""
        rates = np.zeros((4, 4))
        rates[0] = np.array([-1.0, -1.0, 1.0, 1.0]) / self.tau_membrane
        rates[1, :2] = np.array([self.coupling, -1.0]) / self.tau_adaptation
        rates[2, 2] = -1.0 / self.tau_synapse
        return np.asarray(expm(rates * dt)[:3], np.float64)


class AdaptiveLIFState(NamedTuple):
    """State of n neurons."""

    membrane: Floats  #: (n,) above rest
    adaptation: Floats  #: (n,) w
    current: Floats  #: (n,) synaptic current
    silent: NDArray[np.int32]  #: (n,) steps left of the refractory period
    step: NDArray[np.int64]  #: (1,) steps since the start, the counter of the noise

    def clear(self) -> None:
        """Return the neurons to rest; the noise goes on."""
        for array in self[:4]:
            array[...] = 0


def advance(
    neurons: AdaptiveLIF,
    state: AdaptiveLIFState,
    drive: Floats,
    steps: int,
    key: np.uint32,
    spikes: NDArray[np.int32],
    dt: float = 1e-3,
) -> int:
    """Advance `state` in place by `steps` of `dt` s under a constant `drive` (n,); see `lif.advance`."""
    require_shape("drive", drive, state.membrane.shape)
    require_spikes("the spike buffer", spikes)
    held = np.float32(np.exp(-dt / neurons.tau_adaptation))
    count: int = _advance(
        *state, drive, steps, neurons.propagator(dt).astype(np.float32), held, np.float32(neurons.jump),
        np.float32(neurons.threshold), round(neurons.refractory / dt), np.float32(neurons.noise), key, spikes,
    )  # fmt: skip
    require_room(count, spikes, steps)
    return count


@njit(cache=True)
def _advance(
    membrane: Floats,
    adaptation: Floats,
    current: Floats,
    silent: NDArray[np.int32],
    clock: NDArray[np.int64],
    drive: Floats,
    steps: int,
    p: Floats,  # (3, 4) propagator
    held: np.float32,  # what is left of the adaptation after a step in which the membrane is held
    jump: np.float32,
    threshold: np.float32,
    refractory: int,
    noise: np.float32,
    key: np.uint32,
    spikes: NDArray[np.int32],
) -> int:
    zero, count = np.float32(0.0), 0
    vv, vw, vi, vd = p[0, 0], p[0, 1], p[0, 2], p[0, 3]
    wv, ww, wi, wd, decay = p[1, 0], p[1, 1], p[1, 2], p[1, 3], p[2, 2]
    for step in range(steps):
        at = step_key(key, np.uint32(clock[0] & 0xFFFFFFFF))
        clock[0] += 1
        for i in range(membrane.size):
            v, w, current_now = membrane[i], adaptation[i], current[i]
            current[i] = decay * current_now
            if silent[i] > 0:
                silent[i] -= 1
                membrane[i] = zero
                adaptation[i] = held * w
                continue
            up = vv * v + vw * w + vi * current_now + vd * drive[i]
            if noise > zero:
                up += noise * gaussian(at, np.uint32(i))
            w = wv * v + ww * w + wi * current_now + wd * drive[i]
            if up >= threshold:
                up = zero
                w += jump
                silent[i] = refractory
                if count >= spikes.shape[0]:
                    return -1
                spikes[count, 0] = step
                spikes[count, 1] = i
                count += 1
            membrane[i] = up
            adaptation[i] = w
    return count


def advance_reference(
    neurons: AdaptiveLIF,
    state: AdaptiveLIFState,
    drive: Floats,
    steps: int,
    key: np.uint32,
    dt: float = 1e-3,
) -> NDArray[np.int32]:
    """NumPy twin of `advance`; returns the spikes (k, 2)."""
    p = neurons.propagator(dt).astype(np.float32)
    rows = []
    for step in range(steps):
        v, w, current = state.membrane, state.adaptation, state.current
        up = p[0, 0] * v + p[0, 1] * w + p[0, 2] * current + p[0, 3] * drive
        if neurons.noise > 0.0:
            up += np.float32(neurons.noise) * gaussian_reference(key, int(state.step[0]), v.size)
        after = p[1, 0] * v + p[1, 1] * w + p[1, 2] * current + p[1, 3] * drive
        held = state.silent > 0
        after[held] = np.float32(np.exp(-dt / neurons.tau_adaptation)) * w[held]
        up[held] = 0.0
        fired = ~held & (up >= np.float32(neurons.threshold))
        up[fired] = 0.0
        after[fired] += np.float32(neurons.jump)
        state.membrane[:], state.adaptation[:] = up, after
        state.current[:] *= p[2, 2]
        state.silent[held] -= 1
        state.silent[fired] = round(neurons.refractory / dt)
        state.step[0] += 1
        rows += [(step, i) for i in np.flatnonzero(fired)]
    return np.array(rows, np.int32).reshape(-1, 2)
