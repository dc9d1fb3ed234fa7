"""The compiled step of `plasticity`: synapses are touched when one of their neurons spikes, and else not."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.uint16] | NDArray[np.uint32]


@njit(cache=True)
def advance(
    row: NDArray[np.int64],  # (n_pre + 1,), empty when dense
    post: Indices,  # (synapses,) targets, ascending in a row
    column: NDArray[np.int64],  # (n_post + 1,)
    pre: Indices,  # (synapses,) sources, sorted by target
    frozen: NDArray[np.bool_],  # (synapses,) or empty
    weights: Floats,  # (synapses,)
    eligibility: Floats,
    seen: Floats,
    pre_trace: Floats,
    post_trace: Floats,
    clock: NDArray[np.int64],
    integral: NDArray[np.float64],
    pre_spikes: NDArray[np.int32],
    post_spikes: NDArray[np.int32],
    factor: NDArray[np.float64],
    rebase: int,
    constants: NDArray[np.float64],  # see PlasticProjection
) -> bool:
    """Advance by the steps of `factor`; return False, with nothing changed, when a spike is impossible."""
    n_pre, n_post = pre_trace.size, post_trace.size
    if not (_possible(pre_spikes, factor.size, n_pre) and _possible(post_spikes, factor.size, n_post)):
        return False
    a_plus, a_minus = constants[0], constants[1]
    keep_plus, keep_minus = np.float32(constants[2]), np.float32(constants[3])
    leak, span = constants[4], constants[5]
    eta, low, high = np.float32(constants[6]), np.float32(constants[7]), np.float32(constants[8])
    faintest = np.float32(constants[9])
    dense, masked, zero = row.size == 0, frozen.size > 0, np.float32(0.0)
    next_pre, next_post = 0, 0
    for step in range(factor.size):
        scale = np.exp((clock[0] - clock[1]) * leak)
        now = np.float32(integral[0])
        depress, potentiate = np.float32(-a_minus * scale), np.float32(a_plus * scale)
        first_pre, first_post = next_pre, next_post
        while next_pre < pre_spikes.shape[0] and pre_spikes[next_pre, 0] == step:
            j = int(pre_spikes[next_pre, 1])
            next_pre += 1
            start, end = (j * n_post, (j + 1) * n_post) if dense else (int(row[j]), int(row[j + 1]))
            for s in range(start, end):
                if masked and frozen[s]:
                    continue
                i = s - start if dense else int(post[s])
                w = weights[s] + eta * eligibility[s] * (now - seen[s])
                weights[s] = min(max(w, low), high)
                seen[s] = now
                eligibility[s] += depress * post_trace[i]
        while next_post < post_spikes.shape[0] and post_spikes[next_post, 0] == step:
            i = int(post_spikes[next_post, 1])
            next_post += 1
            start, end = (0, n_pre) if dense else (int(column[i]), int(column[i + 1]))
            for p in range(start, end):
                j = p if dense else int(pre[p])
                if pre_trace[j] == zero:
                    continue
                s = j * n_post + i if dense else _find(post, int(row[j]), int(row[j + 1]), i)
                if masked and frozen[s]:
                    continue
                w = weights[s] + eta * eligibility[s] * (now - seen[s])
                weights[s] = min(max(w, low), high)
                seen[s] = now
                eligibility[s] += potentiate * pre_trace[j]
        # Traces follow the pairing, so that coincident spikes make no pair, whichever is handled first.
        for k in range(first_pre, next_pre):
            pre_trace[pre_spikes[k, 1]] += np.float32(1.0)
        for k in range(first_post, next_post):
            post_trace[post_spikes[k, 1]] += np.float32(1.0)
        for j in range(n_pre):
            x = pre_trace[j] * keep_plus
            pre_trace[j] = x if x > faintest else zero
        for i in range(n_post):
            y = post_trace[i] * keep_minus
            post_trace[i] = y if y > faintest else zero
        integral[0] += factor[step] * span / scale
        clock[0] += 1
        if clock[0] - clock[1] >= rebase:
            _move_origin(weights, eligibility, seen, frozen, clock, integral, leak, eta, low, high)
    return True


@njit(cache=True)
def _possible(spikes: NDArray[np.int32], steps: int, neurons: int) -> bool:
    """Return whether all steps and neurons exist and the steps ascend."""
    last = 0
    for k in range(spikes.shape[0]):
        if not (last <= spikes[k, 0] < steps and 0 <= spikes[k, 1] < neurons):
            return False
        last = spikes[k, 0]
    return True


@njit(cache=True)
def _find(post: Indices, start: int, end: int, target: int) -> int:
    """Return the synapse onto `target` among the ascending targets of a row.

    A search instead of a stored number saves 4 bytes a synapse, and only sources that spiked of late pay for
    it.
    """
    while end - start > 1:
        middle = (start + end) // 2
        if int(post[middle]) <= target:
            start = middle
        else:
            end = middle
    return start


@njit(cache=True)
def _move_origin(
    weights: Floats,
    eligibility: Floats,
    seen: Floats,
    frozen: NDArray[np.bool_],
    clock: NDArray[np.int64],
    integral: NDArray[np.float64],
    leak: float,
    eta: np.float32,
    low: np.float32,
    high: np.float32,
) -> None:
    """Bring every synapse up to date and count time and the third factor's integral from here."""
    shrink = np.float32(np.exp(-(clock[0] - clock[1]) * leak))
    now = np.float32(integral[0])
    for s in range(weights.size):
        c = eligibility[s]
        if frozen.size == 0 or not frozen[s]:
            weights[s] = min(max(weights[s] + eta * c * (now - seen[s]), low), high)
        c *= shrink
        eligibility[s] = c if abs(c) > np.float32(1e-20) else np.float32(0.0)
        seen[s] = np.float32(0.0)
    clock[1] = clock[0]
    integral[0] = 0.0
