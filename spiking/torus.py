"""Projections on a ring or a torus that are alike at every place: one kernel in place of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TorusProjection:
    """Convolution of one or more layers of a sheet of neurons onto one sheet of the same size.

    The neuron at (y, x) of layer l, number (l * height + y) * width + x, adds `kernels[l]`, displaced so that
    its origin comes to lie at (y, x), with both edges joined. A ring is a sheet of height 1.
    """

    weights: Floats  #: (layers, 2 height, 2 width), tiled, so that a displaced kernel is a slice
    delay: int = 1  #: steps

    @classmethod
    def from_kernels(cls, kernels: ArrayLike, delay: int = 1) -> TorusProjection:
        """Return the projection of `kernels` (width,), (height, width) or (layers, height, width).

        Entry (0, 0) is the weight onto the neuron at the same place.
        """
        array = np.asarray(kernels, np.float64)
        if array.ndim not in (1, 2, 3) or array.size == 0 or not np.all(np.isfinite(array)):
            raise ValueError(f"kernels must be finite and of 1 to 3 dimensions, got shape {array.shape}")
        if delay < 1:
            raise ValueError(f"delay must be >= 1 step, got {delay}")
        array = array.reshape((1,) * (3 - array.ndim) + array.shape)
        return cls(np.ascontiguousarray(np.tile(array, (1, 2, 2)), np.float32), delay)

    @property
    def layers(self) -> int:
        """Number of layers on the presynaptic side."""
        return int(self.weights.shape[0])

    @property
    def height(self) -> int:
        """Neurons of a sheet along y."""
        return int(self.weights.shape[1]) // 2

    @property
    def width(self) -> int:
        """Neurons of a sheet along x."""
        return int(self.weights.shape[2]) // 2

    @property
    def n_post(self) -> int:
        """Number of postsynaptic neurons."""
        return self.height * self.width

    @property
    def n_pre(self) -> int:
        """Number of presynaptic neurons."""
        return self.layers * self.n_post

    @property
    def synapses(self) -> int:
        """Number of connections that the kernels stand for."""
        return self.n_pre * self.n_post

    def dense(self) -> Floats:
        """Return the weights written out, (n_pre, n_post)."""
        table = np.empty((self.layers, self.height, self.width, self.height, self.width), np.float32)
        for y in range(self.height):
            for x in range(self.width):
                rows = slice(self.height - y, 2 * self.height - y)
                table[:, y, x] = self.weights[:, rows, self.width - x : 2 * self.width - x]
        return table.reshape(self.n_pre, self.n_post)
