"""Dense projections: every presynaptic neuron reaches every target, one row of weights a neuron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from .delays import ALL, DelayLine, delivery_failed, require_delivery

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class DenseProjection:
    """All-to-all synapses with one delay. Plasticity changes `weights` in place."""

    weights: Floats  #: (n_pre, n_post)
    delay: int = 1  #: steps of the neurons' clock, >= 1

    def __post_init__(self) -> None:
        if self.weights.ndim != 2 or 0 in self.weights.shape:
            raise ValueError(f"dense weights must be (n_pre, n_post), got shape {self.weights.shape}")
        if self.weights.dtype != np.float32 or not self.weights.flags.c_contiguous:
            raise ValueError("dense weights must be C-ordered float32; DenseProjection.from_array converts")
        if not 1 <= self.delay <= 65535:
            raise ValueError(f"delay must be in 1..65535 steps, got {self.delay}")

    @classmethod
    def from_array(cls, weights: ArrayLike, delay: int = 1) -> DenseProjection:
        """Return the projection with a copy of `weights` (n_pre, n_post)."""
        array = np.array(weights, np.float32, order="C")
        if not np.all(np.isfinite(array)):
            raise ValueError("dense weights must be finite")
        return cls(array, delay)

    @property
    def n_pre(self) -> int:
        """Number of presynaptic neurons."""
        return int(self.weights.shape[0])

    @property
    def n_post(self) -> int:
        """Number of postsynaptic neurons."""
        return int(self.weights.shape[1])

    @property
    def synapses(self) -> int:
        """Number of synapses."""
        return self.weights.size

    def delay_line(self) -> DelayLine:
        """Return the state of this projection, empty."""
        return DelayLine.zeros(self.delay, self.n_post)

    def deliver(
        self, line: DelayLine, spikes: NDArray[np.int32], target: Floats, released: Floats = ALL
    ) -> None:
        """Send the `spikes` (k, 2) of one step; add to `target` (n_post,) what is due when the next begins.

        `released` (k,) scales the weights of each spike (`short_term`). Raises ValueError for spikes of
        several steps or of unknown neurons, and for wrong shapes; nothing has changed then.
        """
        require_delivery(line, self.delay, self.n_post, spikes, target, released)
        if not _deliver(self.weights, *line, spikes, target, released):
            raise delivery_failed(self.n_pre, spikes)

    def deliver_reference(
        self, line: DelayLine, spikes: NDArray[np.int32], target: Floats, released: Floats = ALL
    ) -> None:
        """NumPy twin of `deliver`."""
        at = int(line.position[0])
        share = released if released.size else np.ones(len(spikes), np.float32)
        for j, part in zip(spikes[:, 1], share, strict=True):
            line.ring[(at + self.delay - 1) % self.delay] += part * self.weights[j]
        target += line.ring[at]
        line.ring[at] = 0.0
        line.position[0] = (at + 1) % self.delay


@njit(cache=True)
def _deliver(
    weights: Floats,
    ring: Floats,
    position: NDArray[np.int64],
    spikes: NDArray[np.int32],
    target: Floats,
    released: Floats,  # (k,), or empty where every spike counts in full
) -> bool:
    for k in range(spikes.shape[0]):
        if not 0 <= spikes[k, 1] < weights.shape[0]:
            return False
    delay, at = ring.shape[0], position[0]
    into, due = ring[(at + delay - 1) % delay], ring[at]
    for k in range(spikes.shape[0]):
        source = weights[spikes[k, 1]]
        share = released[k] if released.size > 0 else np.float32(1.0)
        for i in range(into.size):
            into[i] += share * source[i]
    for i in range(target.size):
        target[i] += due[i]
        due[i] = np.float32(0.0)
    position[0] = (at + 1) % delay
    return True
