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

from . import hedonistic, layout
from .addresses import doubles, floats, index_at, int32s, int64s, prefetch, reals, table, uint16s, uint32s

Table = NDArray[np.int64]


@njit(cache=True)
def advance_projection(
    row: Table, populations: Table, modulators: NDArray[np.float64], now: int, like: NDArray[Any]
) -> None:
    """Take the spikes of this step and deliver what the targets are to meet in the next one."""
    source = populations[row[layout.J_PRE]]
    n, depth, delay = source[layout.SIZE], source[layout.DEPTH], row[layout.J_DELAY]
    counts = int64s(source[layout.COUNTS], depth)
    if row[layout.J_SHORT] != 0:
        slot = now % depth
        fresh = int32s(source[layout.FIRED] + 4 * n * slot, counts[slot])
        _release(row[layout.J_SHORT], fresh, floats(row[layout.J_RELEASE] + 4 * n * slot, n), n, now)
    if row[layout.J_TARGET] == 0:
        return
    target = reals(row[layout.J_TARGET], row[layout.J_POST_SIZE] * (n // row[layout.J_PRE_SIZE]), like)
    slot = (now + 1 - delay) % depth if delay > 0 else now % depth
    spikes = int32s(source[layout.FIRED] + 4 * n * slot, counts[slot])
    released = floats(row[layout.J_RELEASE] + 4 * n * slot, spikes.size if row[layout.J_SHORT] != 0 else 0)
    if row[layout.J_CHANCE] != 0:
        copies, synapses = n // row[layout.J_PRE_SIZE], row[layout.J_SYNAPSES]
        weights = reals(row[layout.J_WEIGHTS], synapses + row[layout.J_COPY] * (copies - 1), like)
        factor = row[layout.J_FACTOR]
        factors = modulators[factor, 4] if factor >= 0 else np.ones(copies)
        fresh = int32s(source[layout.FIRED] + 4 * n * (now % depth), counts[now % depth])
        hedonistic.deliver(row, fresh, weights, target, factors, now, like)
        return
    if delay == 0:
        _deliver_late(row, spikes, released, target, now, like)
    elif spikes.size > 0:
        _deliver(row, spikes, released, target, like)


@njit(cache=True)
def _deliver(row: Table, spikes: Any, released: Any, target: Any, like: NDArray[Any]) -> None:
    copies, synapses = target.size // row[layout.J_POST_SIZE], row[layout.J_SYNAPSES]
    weights = reals(row[layout.J_WEIGHTS], synapses + row[layout.J_COPY] * (copies - 1), like)
    if row[layout.J_KIND] == layout.DENSE:
        _deliver_dense(row, spikes, released, weights, target)
        return
    if row[layout.J_KIND] == layout.TORUS:
        _deliver_torus(row, spikes, released, weights, target)
        return
    rows = int64s(row[layout.J_ROWS], row[layout.J_PRE_SIZE] + 1)
    if row[layout.J_WIDE] != 0:
        _deliver_rows(row, spikes, released, rows, uint32s(row[layout.J_INDEX], synapses), weights, target)
    else:
        _deliver_rows(row, spikes, released, rows, uint16s(row[layout.J_INDEX], synapses), weights, target)


@njit(cache=True, error_model="numpy")
def _deliver_rows(
    row: Table, spikes: Any, released: Any, rows: Any, post: Any, weights: Any, target: Any
) -> None:
    n_pre, n_post, real = row[layout.J_PRE_SIZE], row[layout.J_POST_SIZE], target.dtype.type
    for k in range(spikes.size):
        copy, j = divmod(int(spikes[k]), n_pre) if spikes[k] >= n_pre else (0, int(spikes[k]))
        start, stop = rows[j], rows[j + 1]
        if k + 1 < spikes.size:
            # Rows lie anywhere: half of the time would be spent waiting for their beginnings.
            later = int(spikes[k + 1])
            shift, later = divmod(later, n_pre) if later >= n_pre else (0, later)
            first, last = rows[later], rows[later + 1]
            shift *= row[layout.J_COPY]
            prefetch(row[layout.J_INDEX] + first * post.itemsize, row[layout.J_INDEX] + last * post.itemsize)
            prefetch(
                row[layout.J_WEIGHTS] + (shift + first) * weights.itemsize,
                row[layout.J_WEIGHTS] + (shift + last) * weights.itemsize,
            )
        into, index = target[copy * n_post : (copy + 1) * n_post], post[start:stop]
        sent = weights[copy * row[layout.J_COPY] + start : copy * row[layout.J_COPY] + stop]
        if released.size == 0:
            for s in range(index.size):
                into[index[s]] += sent[s]
        else:
            share = real(released[k])
            for s in range(index.size):
                into[index[s]] += share * sent[s]


@njit(cache=True, error_model="numpy")
def _deliver_dense(row: Table, spikes: Any, released: Any, weights: Any, target: Any) -> None:
    n_pre, n_post, real = row[layout.J_PRE_SIZE], row[layout.J_POST_SIZE], target.dtype.type
    for k in range(spikes.size):
        copy, j = divmod(int(spikes[k]), n_pre)
        into, start = target[copy * n_post : (copy + 1) * n_post], copy * row[layout.J_COPY] + j * n_post
        sent = weights[start : start + n_post]
        share = real(released[k]) if released.size > 0 else real(1.0)
        for i in range(n_post):
            into[i] += share * sent[i]


@njit(cache=True, error_model="numpy")
def _deliver_torus(row: Table, spikes: Any, released: Any, weights: Any, target: Any) -> None:
    n_pre, n_post = row[layout.J_PRE_SIZE], row[layout.J_POST_SIZE]
    shape = (n_pre // n_post, 2 * row[layout.J_HEIGHT], 2 * row[layout.J_WIDTH])
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
        sent = kernel[height - y + line, width - x : 2 * width - x]
        into = target[line * width : (line + 1) * width]
        for i in range(width):
            into[i] += share * sent[i]


@njit(cache=True, error_model="numpy")
def _deliver_late(row: Table, spikes: Any, released: Any, target: Any, now: int, like: NDArray[Any]) -> None:
    """Synapses with a delay each: write into the ring, then empty the slot that is due."""
    n_pre, n_post, longest, real = (
        row[layout.J_PRE_SIZE],
        row[layout.J_POST_SIZE],
        row[layout.J_LONGEST],
        target.dtype.type,
    )
    ring = table(row[layout.J_RING], longest, target.size, like)
    copies, synapses = target.size // n_post, row[layout.J_SYNAPSES]
    weights = reals(row[layout.J_WEIGHTS], synapses + row[layout.J_COPY] * (copies - 1), like)
    rows, delays = int64s(row[layout.J_ROWS], n_pre + 1), uint16s(row[layout.J_DELAYS], synapses)
    wide = row[layout.J_WIDE] != 0
    at = now % longest
    for k in range(spikes.size):
        copy, j = divmod(int(spikes[k]), n_pre)
        share = real(released[k]) if released.size > 0 else real(1.0)
        for s in range(rows[j], rows[j + 1]):
            i = index_at(row[layout.J_INDEX], wide, s)
            slot = at + delays[s] - 1
            slot -= longest if slot >= longest else 0
            ring[slot, copy * n_post + i] += share * weights[copy * row[layout.J_COPY] + s]
    due = ring[at]
    for i in range(target.size):
        target[i] += due[i]
        due[i] = real(0.0)


@njit(cache=True, error_model="numpy")
def _release(record_at: int, spikes: Any, released: Any, n: int, now: int) -> None:
    """Short-term plasticity: what each spike of this step releases, see `short_term`."""
    record = int64s(record_at, layout.SHORT_COLUMNS)
    resources, use = floats(record[layout.S_RESOURCES], n), floats(record[layout.S_USE], n)
    last, constants = int64s(record[layout.S_LAST], n), doubles(record[layout.S_CONSTANTS], 3)
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
