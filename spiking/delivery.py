"""The compiled side of projections: spikes that are due add their weights to the input of their targets.

Synapses of one delay need no memory of their own: the spikes of their source wait in its ring. Synapses with
a delay each write into a ring of future inputs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .addresses import doubles, floats, index_at, int32s, int64s, reals, table, uint16s, uint32s
from .layout import (
    COUNTS,
    DENSE,
    DEPTH,
    FIRED,
    J_COPY,
    J_DELAY,
    J_DELAYS,
    J_HEIGHT,
    J_INDEX,
    J_KIND,
    J_LONGEST,
    J_POST_SIZE,
    J_PRE,
    J_PRE_SIZE,
    J_RELEASE,
    J_RING,
    J_ROWS,
    J_SHORT,
    J_SYNAPSES,
    J_TARGET,
    J_WEIGHTS,
    J_WIDE,
    J_WIDTH,
    S_CONSTANTS,
    S_LAST,
    S_RESOURCES,
    S_USE,
    SHORT_COLUMNS,
    SIZE,
    TORUS,
)  # fmt: skip

Table = NDArray[np.int64]


@njit(cache=True)
def advance_projection(row: Table, populations: Table, now: int, like: NDArray[Any]) -> None:
    """Take the spikes of this step and deliver what the targets are to meet in the next one."""
    source = populations[row[J_PRE]]
    n, depth, delay = source[SIZE], source[DEPTH], row[J_DELAY]
    counts = int64s(source[COUNTS], depth)
    if row[J_SHORT] != 0:
        slot = now % depth
        fresh = int32s(source[FIRED] + 4 * n * slot, counts[slot])
        _release(row[J_SHORT], fresh, floats(row[J_RELEASE] + 4 * n * slot, n), n, now)
    if row[J_TARGET] == 0:
        return
    target = reals(row[J_TARGET], row[J_POST_SIZE] * (n // row[J_PRE_SIZE]), like)
    slot = (now + 1 - delay) % depth if delay > 0 else now % depth
    spikes = int32s(source[FIRED] + 4 * n * slot, counts[slot])
    released = floats(row[J_RELEASE] + 4 * n * slot, spikes.size if row[J_SHORT] != 0 else 0)
    if delay == 0:
        _deliver_late(row, spikes, released, target, now, like)
    elif spikes.size > 0:
        _deliver(row, spikes, released, target)


@njit(cache=True)
def _deliver(row: Table, spikes: Any, released: Any, target: Any) -> None:
    copies, synapses = target.size // row[J_POST_SIZE], row[J_SYNAPSES]
    weights = floats(row[J_WEIGHTS], synapses + row[J_COPY] * (copies - 1))
    if row[J_KIND] == DENSE:
        _deliver_dense(row, spikes, released, weights, target)
        return
    if row[J_KIND] == TORUS:
        _deliver_torus(row, spikes, released, weights, target)
        return
    rows = int64s(row[J_ROWS], row[J_PRE_SIZE] + 1)
    if row[J_WIDE] != 0:
        _deliver_rows(row, spikes, released, rows, uint32s(row[J_INDEX], synapses), weights, target)
    else:
        _deliver_rows(row, spikes, released, rows, uint16s(row[J_INDEX], synapses), weights, target)


@njit(cache=True, error_model="numpy")
def _deliver_rows(
    row: Table, spikes: Any, released: Any, rows: Any, post: Any, weights: Any, target: Any
) -> None:
    n_pre, n_post, real = row[J_PRE_SIZE], row[J_POST_SIZE], target.dtype.type
    for k in range(spikes.size):
        copy, j = divmod(int(spikes[k]), n_pre) if spikes[k] >= n_pre else (0, int(spikes[k]))
        start, stop = rows[j], rows[j + 1]
        into, index = target[copy * n_post : (copy + 1) * n_post], post[start:stop]
        sent = weights[copy * row[J_COPY] + start : copy * row[J_COPY] + stop]
        if released.size == 0:
            for s in range(index.size):
                into[index[s]] += sent[s]
        else:
            share = real(released[k])
            for s in range(index.size):
                into[index[s]] += share * sent[s]


@njit(cache=True, error_model="numpy")
def _deliver_dense(row: Table, spikes: Any, released: Any, weights: Any, target: Any) -> None:
    n_pre, n_post, real = row[J_PRE_SIZE], row[J_POST_SIZE], target.dtype.type
    for k in range(spikes.size):
        copy, j = divmod(int(spikes[k]), n_pre)
        into, start = target[copy * n_post : (copy + 1) * n_post], copy * row[J_COPY] + j * n_post
        sent = weights[start : start + n_post]
        share = real(released[k]) if released.size > 0 else real(1.0)
        for i in range(n_post):
            into[i] += share * sent[i]


@njit(cache=True, error_model="numpy")
def _deliver_torus(row: Table, spikes: Any, released: Any, weights: Any, target: Any) -> None:
    n_pre, n_post = row[J_PRE_SIZE], row[J_POST_SIZE]
    shape = (n_pre // n_post, 2 * row[J_HEIGHT], 2 * row[J_WIDTH])
    kernels = weights[: shape[0] * shape[1] * shape[2]].reshape(shape)
    for k in range(spikes.size):
        copy, j = divmod(int(spikes[k]), n_pre)
        layer, place = divmod(j, n_post)
        share = target.dtype.type(released[k]) if released.size > 0 else target.dtype.type(1.0)
        add_kernel(kernels[layer], place, target[copy * n_post : (copy + 1) * n_post], share)


@njit(cache=True, error_model="numpy")
def add_kernel(kernel: Any, place: int, target: Any, share: Any) -> None:
    """Add `share` of a `kernel`, displaced to neuron `place`, to a sheet, with both edges joined.

    The kernel is tiled, (2 height, 2 width), so that a displaced one is a slice; `target` (height * width,).
    """
    height, width = kernel.shape[0] // 2, kernel.shape[1] // 2
    y, x = divmod(place, width)
    for line in range(height):
        sent, into = kernel[height - y + line], target[line * width : (line + 1) * width]
        first = width - x
        for i in range(width):
            into[i] += share * sent[first + i]


@njit(cache=True, error_model="numpy")
def _deliver_late(row: Table, spikes: Any, released: Any, target: Any, now: int, like: NDArray[Any]) -> None:
    """Synapses with a delay each: write into the ring, then empty the slot that is due."""
    n_pre, n_post, longest, real = row[J_PRE_SIZE], row[J_POST_SIZE], row[J_LONGEST], target.dtype.type
    ring = table(row[J_RING], longest, target.size, like)
    copies, synapses = target.size // n_post, row[J_SYNAPSES]
    weights = floats(row[J_WEIGHTS], synapses + row[J_COPY] * (copies - 1))
    rows, delays = int64s(row[J_ROWS], n_pre + 1), uint16s(row[J_DELAYS], synapses)
    wide = row[J_WIDE] != 0
    at = now % longest
    for k in range(spikes.size):
        copy, j = divmod(int(spikes[k]), n_pre)
        share = real(released[k]) if released.size > 0 else real(1.0)
        for s in range(rows[j], rows[j + 1]):
            i = index_at(row[J_INDEX], wide, s)
            slot = at + delays[s] - 1
            slot -= longest if slot >= longest else 0
            ring[slot, copy * n_post + i] += share * weights[copy * row[J_COPY] + s]
    due = ring[at]
    for i in range(target.size):
        target[i] += due[i]
        due[i] = real(0.0)


@njit(cache=True, error_model="numpy")
def _release(record_at: int, spikes: Any, released: Any, n: int, now: int) -> None:
    """Short-term plasticity: what each spike of this step releases, see `short_term`."""
    record = int64s(record_at, SHORT_COLUMNS)
    resources, use = floats(record[S_RESOURCES], n), floats(record[S_USE], n)
    last, constants = int64s(record[S_LAST], n), doubles(record[S_CONSTANTS], 3)
    more, recovery, facilitation = constants[0], constants[1], constants[2]
    for k in range(spikes.size):
        j = spikes[k]
        u, x = 0.0, 1.0
        if last[j] >= 0:
            gap = float(now - last[j])
            u = use[j] * math.exp(-gap * facilitation)
            x = 1.0 - (1.0 - resources[j]) * math.exp(-gap * recovery)
        u += more * (1.0 - u)
        released[k] = u * x
        use[j], resources[j], last[j] = u, x - u * x, now
