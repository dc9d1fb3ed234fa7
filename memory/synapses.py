"""One-shot Hebbian synapses between two groups of cells, of which only those of active cells are touched."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking.random import hash32, key

Cells = NDArray[np.int32]


class Synapses:
    """`n_pre` x `n_post` synapses, each there with probability `connectivity`.

    Whether a synapse exists is drawn from a hash of its cells. Its weight counts how often both cells were
    active together, up to `ceiling`: 1 makes the clipped synapses of Willshaw, Buneman & Longuet-Higgins
    (1969), more the sum of Hebb (Tsodyks & Feigelman 1988). A synapse is one byte, of which the highest bit
    says that it exists.

    Parameters
    ----------
    n_pre, n_post : cells on each side
    connectivity : share of synapses that exist, in (0, 1]
    ceiling : largest weight, 1..127
    unset : what a synapse of weight 0 takes away, as a share of what one of weight 1 gives, in [0, 1):
        heterosynaptic depression, by which cells with many synapses have no advantage over cells with few
    seed, name : of the connections
    loops : whether a cell may contact the one of the same number

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    def __init__(
        self,
        n_pre: int,
        n_post: int,
        connectivity: float,
        ceiling: int,
        seed: int,
        name: str,
        loops: bool = True,
        unset: float = 0.0,
    ) -> None:
        if not 0.0 < connectivity <= 1.0:
            raise ValueError(f"{name} connectivity must be in (0, 1], got {connectivity}")
        if not 1 <= ceiling <= 127:
            raise ValueError(f"{name} ceiling must be in 1..127, got {ceiling}")
        if not 0.0 <= unset < 1.0:
            raise ValueError(f"{name} unset must be in [0, 1), got {unset}")
        self.connectivity, self.ceiling, self.unset = connectivity, ceiling, unset
        self.bytes = np.empty((n_pre, n_post), np.uint8)
        bar = np.uint32(min(connectivity * 2.0**32, 2.0**32 - 1.0))
        _draw(self.bytes, key(seed, name), bar, loops)

    def bind(self, pre: Cells, post: Cells) -> None:
        """Strengthen the synapses from each of `pre` (k,) to each of `post` (m,) by one."""
        _bind(self.bytes, pre, post, self.ceiling)

    @property
    def weights(self) -> NDArray[np.uint8]:
        """Weights (n_pre, n_post), a copy."""
        return np.asarray(self.bytes & 127, np.uint8)

    @property
    def exists(self) -> NDArray[np.bool_]:
        """Which synapses exist (n_pre, n_post)."""
        return np.asarray(self.bytes >= 128, np.bool_)

    def drive(self, active: Cells) -> NDArray[np.float32]:
        """Return the input (n_post,) from `active` (k,) as a share of what all of them were bound to hear.

        Interneurons subtract the mean, so that a memory full of others' synapses is not one of high drive.
        """
        total = np.zeros(self.bytes.shape[1], np.float32)
        if active.size:
            wide = active.size * self.ceiling > np.iinfo(np.uint16).max  # narrow counters are faster
            counts = np.zeros((2, total.size), np.uint32 if wide else np.uint16)
            _sum(self.bytes, active, np.float32(self.unset), counts[0], counts[1], total)
            total -= max(total.mean(), np.float32(0.0))  # inhibition takes away, it never adds
            total /= np.float32(self.connectivity * active.size)
        return total


@njit(cache=True)
def _draw(synapses: NDArray[np.uint8], key: np.uint32, bar: np.uint32, loops: bool) -> None:
    for i in range(synapses.shape[0]):
        row, own = synapses[i], hash32(np.uint32(key ^ np.uint32(i)))
        for j in range(row.size):
            there = hash32(np.uint32(own + np.uint32(j) * np.uint32(0x85EBCA6B))) <= bar
            row[j] = 128 if there and (loops or i != j) else 0


@njit(cache=True)
def _bind(synapses: NDArray[np.uint8], pre: Cells, post: Cells, ceiling: int) -> None:
    for i in pre:
        row = synapses[i]
        for j in post:
            if 128 <= row[j] < 128 + ceiling:
                row[j] += np.uint8(1)


@njit(cache=True)
def _sum(
    synapses: NDArray[np.uint8],
    active: Cells,
    unset: np.float32,
    counts: NDArray[np.unsignedinteger],  # zeros, changed: weights from active cells
    there: NDArray[np.unsignedinteger],  # likewise: synapses from active cells
    total: NDArray[np.float32],
) -> None:
    for i in active:
        row = synapses[i]
        if unset > np.float32(0.0):
            for j in range(row.size):
                counts[j] += row[j] & np.uint8(127)
                there[j] += row[j] >> np.uint8(7)
        else:
            for j in range(row.size):
                counts[j] += row[j] & np.uint8(127)
    for j in range(total.size):
        total[j] = (np.float32(counts[j]) - unset * np.float32(there[j])) / (np.float32(1.0) - unset)
