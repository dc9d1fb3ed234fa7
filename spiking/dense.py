"""Dense projections: every presynaptic neuron reaches every target, one row of weights a neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reals = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class DenseProjection:
    """All-to-all synapses with one delay. Plasticity changes `weights` in place."""

    weights: Reals  #: (n_pre, n_post)
    delay: int = 1  #: steps of the neurons' clock, >= 1

    def __post_init__(self) -> None:
        if self.weights.ndim != 2 or 0 in self.weights.shape:
            raise ValueError(f"dense weights must be (n_pre, n_post), got shape {self.weights.shape}")
        if self.weights.dtype.kind != "f" or not self.weights.flags.c_contiguous:
            raise ValueError("dense weights must be C-ordered floats; DenseProjection.from_array converts")
        if not 1 <= self.delay <= 65535:
            raise ValueError(f"delay must be in 1..65535 steps, got {self.delay}")

    @classmethod
    def from_array(
        cls, weights: ArrayLike, delay: int = 1, real: type[np.floating[Any]] = np.float32
    ) -> DenseProjection:
        """Return the projection with a copy of `weights` (n_pre, n_post)."""
        array = np.array(weights, real, order="C")
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
