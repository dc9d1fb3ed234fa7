"""One-shot Hebbian synapses between two groups of cells, of which only those of active cells are touched."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking.random import hash32, key

Cells = NDArray[np.int32]


class Synapses:
    """`n_pre` x `n_post` synapses, each there with probability `connectivity`.

    Whether a synapse exists is drawn from a hash of its cells and takes no memory. Its weight counts how often
    both cells were active together, up to `ceiling`: 1 makes the clipped synapses of Willshaw, Buneman &
    Longuet-Higgins (1969), more the sum of Hebb (Tsodyks & Feigelman 1988), one byte either way.

    Parameters
    ----------
    n_pre, n_post : cells on each side
    connectivity : share of synapses that exist, in (0, 1]
    ceiling : largest weight, 1..255
    seed, name : of the connections
    loops : whether a cell may contact the one of the same number

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    def __init__(
        self, n_pre: int, n_post: int, connectivity: float, ceiling: int, seed: int, name: str, loops: bool = True
    ) -> None:
        if not 0.0 < connectivity <= 1.0:
            raise ValueError(f"{name} connectivity must be in (0, 1], got {connectivity}")
        if not 1 <= ceiling <= 255:
            raise ValueError(f"{name} ceiling must be in 1..255, got {ceiling}")
        self.connectivity, self.ceiling, self.loops = connectivity, ceiling, loops
        self.weights = np.zeros((n_pre, n_post), np.uint8)
        self._key, self._bar = key(seed, name), np.uint32(min(connectivity * 2.0**32, 2.0**32 - 1.0))

    def bind(self, pre: Cells, post: Cells) -> None:
        """Strengthen the synapses from each of `pre` (k,) to each of `post` (m,) by one."""
        _bind(self.weights, pre, post, self._key, self._bar, self.ceiling, self.loops)

    def exists(self) -> NDArray[np.bool_]:
        """Return which synapses exist (n_pre, n_post); slow, for checking."""
        probe = np.zeros_like(self.weights)
        everyone = [np.arange(n, dtype=np.int32) for n in probe.shape]
        _bind(probe, everyone[0], everyone[1], self._key, self._bar, 1, self.loops)
        return np.asarray(probe > 0, np.bool_)

    def drive(self, active: Cells) -> NDArray[np.float32]:
        """Return the input (n_post,) from `active` (k,) as a share of that of cells all of them were bound to.

        Interneurons subtract the mean, so that a memory full of others' synapses is not one of high drive.
        """
        total = np.zeros(self.weights.shape[1], np.float32)
        if active.size:
            _sum(self.weights, active, total)
            total -= total.mean()
            total /= np.float32(self.connectivity * active.size)
        return total


@njit(cache=True)
def _bind(
    weights: NDArray[np.uint8],
    pre: Cells,
    post: Cells,
    key: np.uint32,
    bar: np.uint32,
    ceiling: int,
    loops: bool,
) -> None:
    for i in pre:
        row, own = weights[i], hash32(np.uint32(key ^ np.uint32(i)))
        for j in post:
            there = hash32(np.uint32(own + np.uint32(j) * np.uint32(0x85EBCA6B))) <= bar
            if there and row[j] < ceiling and (loops or i != j):
                row[j] += np.uint8(1)


@njit(cache=True)
def _sum(weights: NDArray[np.uint8], active: Cells, total: NDArray[np.float32]) -> None:
    counts = np.zeros(total.size, np.uint16)
    for i in active:
        row = weights[i]
        for j in range(row.size):
            counts[j] += row[j]
    for j in range(total.size):
        total[j] = counts[j]
