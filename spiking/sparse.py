"""Sparse projections: synapses in rows of their presynaptic neuron, touched only when it spikes.

A synapse takes 6 bytes where the target has at most 65,536 neurons (float32 weight, uint16 index), and 2 more
when each synapse has a delay of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from .delays import ALL, DelayLine, delivery_failed, require_delivery
from .random import generator

Floats = NDArray[np.float32]
Indices = NDArray[np.uint16] | NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class SparseProjection:
    """Synapses of a projection in compressed rows, one row a presynaptic neuron.

    Build it with `from_probability`, `from_in_degree` or `from_arrays`. The connections are fixed; `weights`
    is an array that plasticity changes in place.
    """

    n_pre: int
    n_post: int
    row: NDArray[np.int64]  #: (n_pre + 1,) where each row starts
    post: Indices  #: (synapses,) postsynaptic neuron, ascending in a row
    weights: Floats  #: (synapses,)
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
    ) -> SparseProjection:
        """Return the projection with synapses `pre` (k,) to `post` (k,).

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
        for name, index, size in (("pre", source, n_pre), ("post", goal, n_post)):
            if index.size and index.dtype.kind not in "iu":
                raise ValueError(f"{name} must be integers, got {index.dtype}")
            if index.size and (index.min() < 0 or index.max() >= size):
                raise ValueError(f"{name} must be in 0..{size - 1}, got {index.min()}..{index.max()}")
        if steps.size and not (
            steps.min() >= 1 and steps.max() <= 65535 and np.all(steps == np.floor(steps))
        ):
            raise ValueError(f"delay must be whole steps in 1..65535, got {steps.min()}..{steps.max()}")
        order = np.lexsort((goal, source))
        row = np.zeros(n_pre + 1, np.int64)
        np.cumsum(np.bincount(source.astype(np.int64), minlength=n_pre), out=row[1:])
        steps = steps.reshape(1) if steps.ndim == 0 else _per_synapse("delay", steps, source.size)[order]
        return cls(
            n_pre,
            n_post,
            row,
            narrow(goal[order], n_post),
            _per_synapse("weight", weight, source.size)[order].astype(np.float32),
            steps.astype(np.uint16),
            int(steps.max(initial=1)),
        )

    @classmethod
    def from_probability(
        cls,
        n_pre: int,
        n_post: int,
        probability: float,
        weight: float,
        delay: int | tuple[int, int] = 1,
        *,
        seed: int,
        name: str,
        loops: bool = True,
    ) -> SparseProjection:
        """Return a projection that has each possible synapse with `probability`, independently.

        `delay` is one number of steps, or (low, high) for uniform draws including both. The draws are those
        of the stream `name` under `seed`. `loops=False` leaves out synapses from a neuron onto the one of the
        same index.
        """
        if not 0.0 <= probability <= 1.0:
            raise ValueError(f"connection probability must be in [0, 1], got {probability}")
        random = generator(seed, name)
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
        if not loops:
            pre, post = pre[pre != post], post[pre != post]
        return cls.from_arrays(n_pre, n_post, pre, post, weight, _drawn(delay, pre.size, random))

    @classmethod
    def from_in_degree(
        cls,
        n_pre: int,
        n_post: int,
        in_degree: int,
        weight: float,
        delay: int | tuple[int, int] = 1,
        *,
        seed: int,
        name: str,
        loops: bool = True,
    ) -> SparseProjection:
        """Return a projection where each target hears `in_degree` neurons; see `from_probability`."""
        choices = n_pre if loops else n_pre - 1
        if not 0 <= in_degree <= choices:
            raise ValueError(f"in-degree must be in 0..{choices}, got {in_degree}")
        random = generator(seed, name)
        heard = np.empty((n_post, in_degree), np.int64)
        for i in range(n_post):
            heard[i] = random.choice(choices, in_degree, replace=False, shuffle=False)
        if not loops:
            heard += heard >= np.arange(n_post)[:, None]
        post = np.repeat(np.arange(n_post), in_degree)
        return cls.from_arrays(n_pre, n_post, heard.ravel(), post, weight, _drawn(delay, post.size, random))

    @property
    def synapses(self) -> int:
        """Number of synapses."""
        return self.post.size

    @property
    def pre(self) -> NDArray[np.int64]:
        """Presynaptic neuron of each synapse (synapses,)."""
        return np.repeat(np.arange(self.n_pre), np.diff(self.row))

    def delay_line(self) -> DelayLine:
        """Return the state of this projection, empty."""
        return DelayLine.zeros(self.longest_delay, self.n_post)

    def deliver(
        self, line: DelayLine, spikes: NDArray[np.int32], target: Floats, released: Floats = ALL
    ) -> None:
        """Send the `spikes` (k, 2) of one step; add to `target` (n_post,) what is due when the next begins.

        `released` (k,) scales the weights of each spike (`short_term`). Raises ValueError for spikes of
        several steps or of unknown neurons, and for wrong shapes; nothing has changed then.
        """
        require_delivery(line, self.longest_delay, self.n_post, spikes, target, released)
        if not _deliver(self.row, self.post, self.weights, self.delays, *line, spikes, target, released):
            raise delivery_failed(self.n_pre, spikes)

    def deliver_reference(
        self, line: DelayLine, spikes: NDArray[np.int32], target: Floats, released: Floats = ALL
    ) -> None:
        """NumPy twin of `deliver`."""
        longest, at = len(line.ring), int(line.position[0])
        chosen = np.concatenate(
            [np.arange(self.row[j], self.row[j + 1]) for j in spikes[:, 1]] or [np.zeros(0, np.int64)]
        )
        delays = np.broadcast_to(self.delays, self.synapses)[chosen].astype(np.int64)
        share = released if released.size else np.ones(len(spikes), np.float32)
        sent = self.weights[chosen] * np.repeat(share, np.diff(self.row)[spikes[:, 1]])
        np.add.at(line.ring, ((at + delays - 1) % longest, self.post[chosen]), sent)
        target += line.ring[at]
        line.ring[at] = 0.0
        line.position[0] = (at + 1) % longest


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


def _drawn(delay: int | tuple[int, int], count: int, random: np.random.Generator) -> int | NDArray[np.int64]:
    """Return `delay`, drawn for each of `count` synapses when it is a range."""
    if isinstance(delay, tuple):
        low, high = delay
        if not 1 <= low <= high:
            raise ValueError(f"delay range must be 1 <= low <= high, got {low}..{high}")
        return random.integers(low, high, count, endpoint=True)
    return delay


@njit(cache=True)
def _deliver(
    row: NDArray[np.int64],
    post: Indices,
    weights: Floats,
    delays: NDArray[np.uint16],
    ring: Floats,
    position: NDArray[np.int64],
    spikes: NDArray[np.int32],
    target: Floats,
    released: Floats,  # (k,), or empty where every spike counts in full
) -> bool:
    for k in range(spikes.shape[0]):
        if not 0 <= spikes[k, 1] < row.size - 1:
            return False
    longest, at = ring.shape[0], position[0]
    due = ring[at]
    if delays.size == 1:
        into = ring[(at + longest - 1) % longest]
        for k in range(spikes.shape[0]):
            j = spikes[k, 1]
            share = released[k] if released.size > 0 else np.float32(1.0)
            for s in range(row[j], row[j + 1]):
                into[post[s]] += share * weights[s]
    else:
        for k in range(spikes.shape[0]):
            j = spikes[k, 1]
            share = released[k] if released.size > 0 else np.float32(1.0)
            for s in range(row[j], row[j + 1]):
                slot = at + delays[s] - 1
                ring[slot - longest if slot >= longest else slot, post[s]] += share * weights[s]
    for i in range(target.size):
        target[i] += due[i]
        due[i] = np.float32(0.0)
    position[0] = (at + 1) % longest
    return True
