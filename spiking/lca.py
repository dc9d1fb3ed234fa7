"""Sparse coding by competing spiking neurons: the locally competitive algorithm (LCA) with spikes.

A population explains a signal ``x`` by few of its dictionary's atoms: it finds the non-negative ``a`` that
minimises

    1/2 |x - a D|^2 + sparsity * sum(a).

Every neuron is driven by how much the signal resembles its atom and inhibited by the spikes of neurons whose
atoms overlap with its own (Rozell, Johnson, Baraniuk & Olshausen 2008). With integrate-and-fire neurons the
firing rates converge to that minimum (Shapero, Zhu, Hasler & Rozell 2014; Tang, Lin & Davies 2017, whose
equations these are):

    tau dI/dt = b - I - sum_j G_ij s_j(t),   dv/dt = I - sparsity,   a spike at v = quantum takes v back by
    it,

``b = D x``, ``G = D D^T`` without its diagonal; each spike stands for `quantum` x tau of coefficient-time.
The coefficient of a neuron is its rate times `quantum`, averaged after a first part in which the competition
settles.

Atoms are learned without labels: each spiking neuron moves its atom towards what the population has left
unexplained (Olshausen & Field 1996), by the activity of its synapses alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LCA:
    """Parameters of the competition. Signals of unit length are what the defaults are made for."""

    sparsity: float = 0.1  #: current that a neuron loses steadily: the price of a coefficient
    tau: float = 10e-3  #: s, of the synaptic current
    dt: float = 0.5e-3  #: s
    quantum: float = 0.05  #: coefficient of a neuron that fires once in `tau`
    settle: float = 60e-3  #: s, that are not counted
    seconds: float = 240e-3  #: s, that are

    def __post_init__(self) -> None:
        for name in ("sparsity", "tau", "dt", "quantum", "seconds"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"LCA {name} must be > 0, got {getattr(self, name)}")
        if self.settle < 0.0:
            raise ValueError(f"LCA settle must be >= 0 s, got {self.settle}")
        if self.dt > 0.5 * self.tau:
            raise ValueError(f"LCA dt must be at most tau / 2 = {0.5 * self.tau} s, got {self.dt}")

    def encode(self, signals: Floats, atoms: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """Explain `signals` (n, d) by `atoms` (k, d), rows of unit length.

        Returns
        -------
        coefficients : float32 (n, k), >= 0
        spikes : int64 (n,), how many spikes each signal took
        """
        drive = np.ascontiguousarray(signals @ atoms.T, np.float32)
        overlap = np.ascontiguousarray(atoms @ atoms.T, np.float32)
        np.fill_diagonal(overlap, 0.0)
        out, spikes = np.empty_like(drive), np.zeros(len(drive), np.int64)
        _compete(
            drive, overlap, np.float32(self.sparsity), np.float32(self.dt / self.tau),
            np.float32(self.quantum), round(self.settle / self.dt), round(self.seconds / self.dt), out,
            spikes,
        )  # fmt: skip
        return out, spikes

    def learn(self, signals: Floats, atoms: Floats, rate: float) -> Floats:
        """Move `atoms` (k, d), in place, towards what they leave unexplained of `signals` (n, d).

        Returns the coefficients (n, k). An atom changes by ``rate * a * (x - a D)``, averaged over the
        signals in which its neuron fired, and stays of unit length.
        """
        coefficients, _ = self.encode(signals, atoms)
        residual = signals - coefficients @ atoms
        used = (coefficients**2).sum(axis=0)
        change = coefficients.T @ residual / np.maximum(used, 1e-6)[:, None]
        atoms += np.float32(rate) * change.astype(np.float32)
        atoms /= np.maximum(np.linalg.norm(atoms, axis=1, keepdims=True), 1e-6)
        return coefficients


def objective(signals: Floats, atoms: Floats, coefficients: Floats, sparsity: float) -> NDArray[np.float64]:
    """Return what the competition minimises, (n,), for signals (n, d), atoms (k, d), coefficients (n, k)."""
    a = coefficients.astype(np.float64)
    residual = signals - a @ atoms.astype(np.float64)
    total: NDArray[np.float64] = 0.5 * (residual**2).sum(axis=1) + sparsity * np.abs(a).sum(axis=1)
    return total


def ista(signals: Floats, atoms: Floats, sparsity: float, steps: int = 2000) -> NDArray[np.float64]:
    """Return the coefficients (n, k) by iterated soft thresholding: the reference without spikes.

    Accelerated (Beck & Teboulle 2009), non-negative.
    """
    x, d = signals.astype(np.float64), atoms.astype(np.float64)
    size = 1.0 / float(np.linalg.eigvalsh(d @ d.T)[-1])
    a = np.zeros((len(x), len(d)))
    ahead, momentum = a, 1.0
    for _ in range(steps):
        new = np.maximum(ahead + size * ((x - ahead @ d) @ d.T - sparsity), 0.0)
        faster = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        ahead, a, momentum = new + (momentum - 1.0) / faster * (new - a), new, faster
    return a


@njit(cache=True, error_model="numpy")
def _compete(
    drive: Floats,
    overlap: Floats,
    sparsity: np.float32,
    step: np.float32,  # dt / tau
    quantum: np.float32,
    settle: int,
    count: int,
    out: Floats,
    spikes: NDArray[np.int64],
) -> None:
    k = drive.shape[1]
    current, membrane = np.empty(k, np.float32), np.empty(k, np.float32)
    fired = np.empty(k, np.int64)
    per_spike = quantum / (np.float32(count) * step)
    for n in range(drive.shape[0]):
        b, a = drive[n], out[n]
        current[:], membrane[:], a[:] = b, np.float32(0.0), np.float32(0.0)
        for t in range(settle + count):
            m = 0
            for i in range(k):
                current[i] += step * (b[i] - current[i])
                # A neuron held down for long must not take as long to come back.
                membrane[i] = max(membrane[i] + step * (current[i] - sparsity), -quantum)
            for i in range(k):
                if membrane[i] >= quantum:
                    fired[m] = i
                    m += 1
            for f in range(m):
                i = fired[f]
                membrane[i] -= quantum
                row = overlap[i]
                for j in range(k):
                    current[j] -= quantum * row[j]
                if t >= settle:
                    a[i] += per_spike
            spikes[n] += m
