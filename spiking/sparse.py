"""Sparse projections: synapses in rows of their presynaptic neuron, touched only when it spikes.

A synapse takes 6 bytes where the target has at most 65,536 neurons (float32 weight, uint16 index), and 2 more
when each synapse has a delay of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reals = NDArray[np.float32] | NDArray[np.float64]
Indices = NDArray[np.uint16] | NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class SparseProjection:
    """Synapses of a projection in compressed rows, one row a presynaptic neuron.

    `Network.connect` builds it, or `from_arrays`. The connections are fixed; `weights`
    is an array that plasticity changes in place.
    """

    n_pre: int
    n_post: int
    row: NDArray[np.int64]  #: (n_pre + 1,) where each row starts
    post: Indices  #: (synapses,) postsynaptic neuron, ascending in a row
    weights: Reals  #: (synapses,)
    delays: NDArray[np.uint16]  #: (synapses,) steps, or (1,) for all of them
    longest_delay: int  #: steps

    @classmethod
    def from_arrays(
        cls,
        n_pre: int,
        n_post: int,
        pre: ArrayLike,
        post: ArrayLike,
        weight: ArrayLike,
        delay: ArrayLike = 1,
        *,
        shift: tuple[int, int] = (0, 0),
        real: type[np.floating[Any]] = np.float32,
    ) -> SparseProjection:
        """Return the projection with synapses `pre` (k,) to `post` (k,), both counted from `shift`.

        `weight` and `delay` (steps of the neurons' clock, >= 1) are scalars or (k,). Two synapses may join
        the same pair. Raises ValueError for indices outside the populations, wrong lengths and impossible
        delays.
        """
        source, goal, steps = np.asarray(pre), np.asarray(post), np.asarray(delay)
        if n_pre < 1 or n_post < 1:
            raise ValueError(f"a projection needs >= 1 neuron on each side, got {n_pre} and {n_post}")
        if source.ndim != 1 or source.shape != goal.shape:
            raise ValueError(
                f"pre and post must be of one length, got shapes {source.shape} and {goal.shape}"
            )
        for name, index in (("pre", source), ("post", goal)):
            if index.size and index.dtype.kind not in "iu":
                raise ValueError(f"{name} must be integers, got {index.dtype}")
        if steps.size and not (
            steps.min() >= 1 and steps.max() <= 65535 and np.all(steps == np.floor(steps))
        ):
            raise ValueError(f"delay must be whole steps in 1..65535, got {steps.min()}..{steps.max()}")
        shifted = source.astype(np.int64) + shift[0], goal.astype(np.int64) + shift[1]
        for name, index, size in (("pre", shifted[0], n_pre), ("post", shifted[1], n_post)):
            if index.size and (index.min() < 0 or index.max() >= size):
                raise ValueError(f"{name} must be in 0..{size - 1}, got {index.min()}..{index.max()}")
        weights = _per_synapse("weight", weight, source.size)
        return cls._sorted(n_pre, n_post, *shifted, weights, steps, real)

    @classmethod
    def _sorted(
        cls,
        n_pre: int,
        n_post: int,
        source: NDArray[np.integer],
        goal: NDArray[np.integer],
        weights: NDArray[np.float64],
        steps: NDArray[np.integer],
        real: type[np.floating[Any]],
    ) -> SparseProjection:
        row = np.zeros(n_pre + 1, np.int64)
        np.cumsum(np.bincount(source, minlength=n_pre), out=row[1:])
        order: NDArray[np.int64] | slice = slice(None)
        down = np.diff(source)
        # Drawn pairs come sorted already, and sorting millions of them takes seconds.
        if not np.all((down > 0) | ((down == 0) & (np.diff(goal) >= 0))):
            order = np.lexsort((goal, source))
        each = steps.ndim > 0
        delays = _per_synapse("delay", steps, source.size)[order] if each else steps.reshape(1)
        return cls(
            n_pre, n_post, row, narrow(goal[order], n_post), weights[order].astype(real),
            delays.astype(np.uint16), int(steps.max(initial=1)),
        )  # fmt: skip

    @staticmethod
    def pairs_by_probability(
        n_pre: int, n_post: int, probability: float, random: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (pre, post) of synapses that exist with `probability`, independently, in order.

        Raises ValueError for an impossible probability.
        """
        if not 0.0 <= probability <= 1.0:
            raise ValueError(f"connection probability must be in [0, 1], got {probability}")
        total, last = n_pre * n_post, -1
        runs: list[NDArray[np.int64]] = []
        # The gaps between synapses are geometric, so the work is that of the synapses, not of the pairs.
        while probability > 0.0 and last < total - 1:
            expected = (total - 1 - last) * probability
            gaps = random.geometric(probability, int(expected + 4.0 * np.sqrt(expected)) + 16)
            runs.append(last + np.cumsum(gaps))
            last = int(runs[-1][-1])
        pairs = np.concatenate(runs) if runs else np.zeros(0, np.int64)
        pre, post = np.divmod(pairs[pairs < total], n_post)
        return pre, post

    @staticmethod
    def pairs_by_in_degree(
        n_pre: int, n_post: int, in_degree: int, random: np.random.Generator, *, loops: bool = True
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (pre, post) where each target hears `in_degree` different neurons.

        `loops=False` leaves out the one of the same number. Raises ValueError for an impossible degree.
        """
        choices = n_pre if loops else n_pre - 1
        if not 0 <= in_degree <= choices:
            raise ValueError(f"in-degree must be in 0..{choices}, got {in_degree}")
        heard = np.empty((n_post, in_degree), np.int64)
        for i in range(n_post):
            heard[i] = random.choice(choices, in_degree, replace=False, shuffle=False)
        if not loops:
            heard += heard >= np.arange(n_post)[:, None]
        return heard.ravel(), np.repeat(np.arange(n_post), in_degree)

    @property
    def synapses(self) -> int:
        """Number of synapses."""
        return self.post.size

    @property
    def pre(self) -> NDArray[np.int64]:
        """Presynaptic neuron of each synapse (synapses,)."""
        return np.repeat(np.arange(self.n_pre), np.diff(self.row))


def narrow(index: NDArray[np.integer], size: int) -> Indices:
    """Return `index`, neurons of a population of `size`, in the narrowest type."""
    if size <= 65536:
        return index.astype(np.uint16)
    return index.astype(np.uint32)


def _per_synapse(name: str, values: ArrayLike, count: int) -> NDArray[np.float64]:
    """Return `values`, a scalar or (count,), as (count,)."""
    array = np.asarray(values, np.float64)
    if array.shape not in ((), (count,)):
        raise ValueError(f"{name} must be a scalar or have {count} values, got shape {array.shape}")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must be finite")
    return np.broadcast_to(array, count)
