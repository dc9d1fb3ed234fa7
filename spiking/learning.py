"""The compiled side of `plasticity`: synapses are touched when one of their neurons spikes, and else not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from . import layout
from .addresses import bools, doubles, index_at, int32s, int64s, reals
from .deferred import FAINTEST, LONGEST, Pending, note, reward_row, settle_all, settle_row, slope_of

Table = NDArray[np.int64]

# Rows of the constants of a rule, see `plasticity`.
(
    ELIGIBLE_PLUS, ELIGIBLE_MINUS, NOW_PLUS, NOW_MINUS, KEEP_PLUS, KEEP_MINUS, LEAK, SPAN, RATE, LOW, HIGH,
    DIES, TARGET, SCALING, EVERY, KEEP_RATE, REBASE, KEEP_PLUS_2, LEAK_2, SPAN_2,
) = range(20)  # fmt: skip
CONSTANTS = 20


@njit(cache=True)
def learn(
    row: Table, populations: Table, modulators: NDArray[np.float64], now: int, like: NDArray[Any]
) -> None:
    """Let the synapses of one projection learn from the spikes of this step."""
    pre_spikes, post_spikes = (
        _fired(populations[row[layout.J_PRE]], now),
        _fired(populations[row[layout.J_POST]], now),
    )
    factor, gate = layout.J_FACTOR, layout.J_GATE
    ones = np.ones(int64s(row[layout.J_RECORD], layout.L_COLUMNS)[layout.L_COPIES])
    factors = modulators[row[factor], 4] if row[factor] >= 0 else ones
    gates = modulators[row[gate], 4] if row[gate] >= 0 else ones
    # Synapses whose spike arrives in this step are asked for their weight: they are brought up to date.
    due = _fired(populations[row[layout.J_PRE]], max(now + 1 - row[layout.J_DELAY], 0))
    late = due if 1 < row[layout.J_DELAY] <= now + 1 else due[:0]
    learn_from(row, pre_spikes, post_spikes, late, factors, gates, like)


@njit(cache=True)
def learn_from(
    row: Table,
    pre_spikes: Any,
    post_spikes: Any,
    late: Any,  # spikes of earlier steps that arrive in this one
    factors: NDArray[np.float64],  # third factor of each copy
    gates: NDArray[np.float64],
    like: NDArray[Any],
) -> None:
    """Let synapses learn from the spikes of a step, wherever these come from."""
    record = int64s(row[layout.J_RECORD], layout.L_COLUMNS)
    if record[layout.L_ROOM] > 0:
        _learn_later(row, record, pre_spikes, post_spikes, late, factors, gates, like)
    else:
        _learn(row, record, pre_spikes, post_spikes, late, factors, gates, like)


@njit(cache=True)
def _fired(population: Table, now: int) -> Any:
    slot = now % population[layout.DEPTH]
    count = int64s(population[layout.COUNTS], population[layout.DEPTH])[slot]
    return int32s(population[layout.FIRED] + 4 * population[layout.SIZE] * slot, count)


@njit(cache=True, error_model="numpy")
def _learn(
    row: Table,
    record: Table,
    pre_spikes: Any,
    post_spikes: Any,
    due_spikes: Any,  # of earlier steps
    factors: NDArray[np.float64],
    gates: NDArray[np.float64],
    like: NDArray[Any],
) -> None:
    real = like.dtype.type
    n_pre, n_post, synapses = row[layout.J_PRE_SIZE], row[layout.J_POST_SIZE], row[layout.J_SYNAPSES]
    dense, c = row[layout.J_KIND] != layout.SPARSE, doubles(record[layout.L_CONSTANTS], CONSTANTS)
    eligible = c[ELIGIBLE_PLUS] != 0.0 or c[ELIGIBLE_MINUS] != 0.0
    copies = record[layout.L_COPIES]
    every = synapses * copies
    weights = reals(row[layout.J_WEIGHTS], every, like)
    eligibility = reals(record[layout.L_ELIGIBILITY], every if eligible else 0, like)
    seen = reals(record[layout.L_SEEN], every if eligible else 0, like)
    frozen = bools(record[layout.L_FROZEN], every if record[layout.L_MASKED] != 0 else 0)
    # The fast part of traces and eligibilities that are differences of two exponentials.
    double = c[LEAK_2] > 0.0
    eligibility_2 = reals(record[layout.L_ELIGIBILITY_2], every if double else 0, like)
    seen_2 = reals(record[layout.L_SEEN_2], every if double else 0, like)
    pre_trace_2 = reals(record[layout.L_PRE_TRACE_2], n_pre * copies if double else 0, like)
    integral_2 = doubles(record[layout.L_INTEGRAL_2], copies if double else 0)
    pre_trace = reals(record[layout.L_PRE_TRACE], n_pre * copies, like)
    post_trace = reals(record[layout.L_POST_TRACE], n_post * copies, like)
    clock, integral = int64s(record[layout.L_CLOCK], 2), doubles(record[layout.L_INTEGRAL], copies)
    post, post_wide = row[layout.J_INDEX], row[layout.J_WIDE] != 0
    pre, pre_wide = record[layout.L_PRE], record[layout.L_PRE_WIDE] != 0
    rows = int64s(row[layout.J_ROWS], 0 if dense else n_pre + 1)
    columns = int64s(record[layout.L_COLUMN], 0 if dense else n_post + 1)
    scale, scale_2 = math.exp((clock[0] - clock[1]) * c[LEAK]), math.exp((clock[0] - clock[1]) * c[LEAK_2])
    eta = real(c[RATE])
    low, high, zero = real(c[LOW]), real(c[HIGH]), real(0.0)
    masked, dies = frozen.size > 0, c[DIES] > 0.0

    for k in range(pre_spikes.size + due_spikes.size if eligible else pre_spikes.size):
        fresh = k < pre_spikes.size
        copy, j = divmod(int(pre_spikes[k] if fresh else due_spikes[k - pre_spikes.size]), n_pre)
        add = real(-c[ELIGIBLE_MINUS] * scale) if fresh else zero
        seen_now, at_once = real(integral[copy]), real(-c[NOW_MINUS] * gates[copy]) if fresh else zero
        start, stop = (j * n_post, (j + 1) * n_post) if dense else (rows[j], rows[j + 1])
        shift, traces = copy * synapses, post_trace[copy * n_post : (copy + 1) * n_post]
        if dense and not masked and not double:
            part = slice(shift + start, shift + stop)
            if eligible:
                reward_row(weights[part], eligibility[part], seen[part], seen_now, eta, low, high)
                seen[part] = seen_now
            _change_row(weights[part], traces, at_once, low, high)
            if eligible:
                _add_row(eligibility[part], traces, add)
            continue
        for s in range(shift + start, shift + stop):
            if masked and frozen[s]:
                continue
            y, w = traces[s - shift - start if dense else index_at(post, post_wide, s - shift)], weights[s]
            if eligible:
                w += eta * eligibility[s] * (seen_now - seen[s])
                seen[s] = seen_now
                eligibility[s] += add * y
            if double:
                w -= eta * eligibility_2[s] * (real(integral_2[copy]) - seen_2[s])
                seen_2[s] = real(integral_2[copy])
            # What came about since the last spike meets the bounds before what this one does at once.
            w = min(max(w, low), high) + at_once * y
            weights[s] = min(max(w, low), high)
            if dies and w <= low:
                frozen[s] = True

    add = real(c[ELIGIBLE_PLUS] * scale)
    for k in range(post_spikes.size):
        copy, i = divmod(int(post_spikes[k]), n_post)
        seen_now, at_once = real(integral[copy]), real(c[NOW_PLUS] * gates[copy])
        start, stop = (0, n_pre) if dense else (columns[i], columns[i + 1])
        shift, base = copy * synapses, copy * n_pre
        for p in range(start, stop):
            j = p if dense else index_at(pre, pre_wide, p)
            x = pre_trace[base + j]
            if x == zero:
                continue
            if double:
                x -= pre_trace_2[base + j]
            s = shift + (j * n_post + i if dense else _find(post, post_wide, rows[j], rows[j + 1], i))
            if masked and frozen[s]:
                continue
            w = weights[s] + at_once * x
            if eligible:
                w += eta * eligibility[s] * (seen_now - seen[s])
                seen[s] = seen_now
                eligibility[s] += add * x
            if double:
                w -= eta * eligibility_2[s] * (real(integral_2[copy]) - seen_2[s])
                seen_2[s] = real(integral_2[copy])
                eligibility_2[s] += real(c[ELIGIBLE_PLUS] * scale_2) * x
            weights[s] = min(max(w, low), high)

    # Traces follow the pairing, so that coincident spikes make no pair, whichever is handled first.
    _trace(pre_trace, pre_spikes, real(c[KEEP_PLUS]))
    _trace(post_trace, post_spikes, real(c[KEEP_MINUS]))
    if double:
        _trace(pre_trace_2, pre_spikes, real(c[KEEP_PLUS_2]))
    for copy in range(copies):
        integral[copy] += factors[copy] * c[SPAN] / scale
        if double:
            integral_2[copy] += factors[copy] * c[SPAN_2] / scale_2
    clock[0] += 1
    if c[EVERY] > 0.0:
        rates = reals(record[layout.L_RATE], n_post * copies, like)
        for k in range(post_spikes.size):
            rates[post_spikes[k]] += real(1.0)
        if clock[0] % int(c[EVERY]) == 0:
            _scale(weights, rates, post, post_wide, frozen, dense, n_post, synapses, c)
    if eligible and clock[0] - clock[1] >= c[REBASE]:
        since = clock[0] - clock[1]
        _move_origin(weights, eligibility, seen, frozen, integral, since * c[LEAK], c[RATE], c)
        if double:
            _move_origin(weights, eligibility_2, seen_2, frozen, integral_2, since * c[LEAK_2], -c[RATE], c)
        clock[1] = clock[0]


@njit(cache=True)
def _pending(record: Table, n_pre: int) -> Any:
    at, copies, room = layout.L_PENDING, record[layout.L_COPIES], record[layout.L_ROOM]
    return Pending(
        int32s(record[at], room), doubles(record[at + 1], room), doubles(record[at + 2], room),
        doubles(record[at + 3], room), doubles(record[at + 4], room), int64s(record[at + 5], copies),
        int64s(record[at + 6], copies * n_pre), int64s(record[at + 7], copies * n_pre),
        doubles(record[at + 8], copies * n_pre), int64s(record[at + 9], 1),
    )  # fmt: skip


@njit(cache=True, error_model="numpy")
def _learn_later(
    row: Table,
    record: Table,
    pre_spikes: Any,
    post_spikes: Any,
    due_spikes: Any,  # of earlier steps
    factors: NDArray[np.float64],
    gates: NDArray[np.float64],
    like: NDArray[Any],
) -> None:
    """What `_learn` does, for dense synapses that wait for their source; see `deferred`."""
    real = like.dtype.type
    n_pre, n_post, copies = row[layout.J_PRE_SIZE], row[layout.J_POST_SIZE], record[layout.L_COPIES]
    c, every = doubles(record[layout.L_CONSTANTS], CONSTANTS), n_pre * n_post * copies
    eligible = c[ELIGIBLE_PLUS] != 0.0 or c[ELIGIBLE_MINUS] != 0.0
    weights = reals(row[layout.J_WEIGHTS], every, like)
    eligibility = reals(record[layout.L_ELIGIBILITY], every if eligible else 0, like)
    pre_trace = reals(record[layout.L_PRE_TRACE], n_pre * copies, like)
    post_trace = reals(record[layout.L_POST_TRACE], n_post * copies, like)
    clock, integral = int64s(record[layout.L_CLOCK], 2), doubles(record[layout.L_INTEGRAL], copies)
    pending, now = _pending(record, n_pre), clock[0]
    scale, slope = math.exp((now - clock[1]) * c[LEAK]), slope_of(c[KEEP_PLUS])
    low, high, eta = real(c[LOW]), real(c[HIGH]), real(c[RATE])
    add = real(-c[ELIGIBLE_MINUS] * scale)
    seen, before = reals(record[layout.L_SCRATCH], n_post, like), pending.counts.copy()
    note(
        pending, post_spikes, n_post, now, slope, c[ELIGIBLE_PLUS] * scale, c[NOW_PLUS], gates, integral,
    )  # fmt: skip
    for k in range(pre_spikes.size + due_spikes.size):
        fresh = k < pre_spikes.size
        source = int(pre_spikes[k] if fresh else due_spikes[k - pre_spikes.size])
        copy = source // n_pre
        first, last = source * n_post, (source + 1) * n_post
        own = eligibility[first:last] if eligible else eligibility
        if fresh:
            settle_row(
                pending, copy, source, before[copy], weights[first:last], own, pre_trace, seen, now, slope,
                eta, integral[copy], low, high,
            )  # fmt: skip
            traces = post_trace[copy * n_post : (copy + 1) * n_post]
            at_once = real(-c[NOW_MINUS] * gates[copy])
            if at_once != real(0.0):
                _change_row(weights[first:last], traces, at_once, low, high)
            if eligible:
                _add_row(own, traces, add)
        # Spikes of this step come after those of its sources, whose traces they meet as they were.
        if pending.cursor[source] < pending.counts[copy] or not fresh:
            settle_row(
                pending, copy, source, pending.counts[copy], weights[first:last], own, pre_trace, seen, now,
                slope, eta, integral[copy], low, high,
            )  # fmt: skip
        if fresh:
            pre_trace[source] += real(1.0)
    _trace(post_trace, post_spikes, real(c[KEEP_MINUS]))
    for copy in range(copies):
        integral[copy] += factors[copy] * c[SPAN] / scale
    clock[0] += 1
    now += 1
    crowded = False
    for copy in range(copies):
        crowded |= pending.counts[copy] + n_post > record[layout.L_ROOM] // copies
    late = eligible and now - clock[1] >= c[REBASE]
    if crowded or late or (pending.epoch[0] - now) * slope > LONGEST:
        settle_all(
            pending, weights, eligibility, pre_trace, n_pre, n_post, now, slope, eta, integral, low, high,
            seen,
        )  # fmt: skip
    if late:
        shrink, zero = real(math.exp(-(now - clock[1]) * c[LEAK])), real(0.0)
        for s in range(eligibility.size):
            e = eligibility[s] * shrink
            eligibility[s] = e if abs(e) > 1e-20 else zero
        integral[:] = 0.0
        pending.integral[:] = 0.0
        clock[1] = now


@njit(cache=True, error_model="numpy")
def _change_row(weights: Any, traces: Any, at_once: Any, low: Any, high: Any) -> None:
    for s in range(weights.size):
        weights[s] = min(max(weights[s] + at_once * traces[s], low), high)


@njit(cache=True, error_model="numpy")
def _add_row(eligibility: Any, traces: Any, add: Any) -> None:
    for s in range(eligibility.size):
        eligibility[s] += add * traces[s]


@njit(cache=True, error_model="numpy")
def _trace(trace: Any, spikes: NDArray[np.int32], keep: Any) -> None:
    real = trace.dtype.type
    faintest, zero, one = real(FAINTEST), real(0.0), real(1.0)
    for k in range(spikes.size):
        trace[spikes[k]] += one
    for j in range(trace.size):
        x = trace[j] * keep
        trace[j] = x if x > faintest else zero


@njit(cache=True)
def _find(post: int, wide: bool, start: int, end: int, target: int) -> int:
    """Return the synapse onto `target` among the ascending targets of a row.

    A search instead of a stored number saves 4 bytes a synapse, and only sources that spiked of late pay for
    it.
    """
    while end - start > 1:
        middle = (start + end) // 2
        if index_at(post, wide, middle) <= target:
            start = middle
        else:
            end = middle
    return start


@njit(cache=True, error_model="numpy")
def _scale(
    weights: Any, rates: Any, post: int, wide: bool, frozen: NDArray[np.bool_], dense: bool,
    n_post: int,
    synapses: int, c: NDArray[np.float64],
) -> None:  # fmt: skip
    """Homeostasis: all synapses of a neuron grow or shrink by one factor, towards its target rate."""
    real = weights.dtype.type
    low, high = real(c[LOW]), real(c[HIGH])
    for s in range(weights.size):
        if frozen.size > 0 and frozen[s]:
            continue
        copy, k = divmod(s, synapses)
        i = copy * n_post + (k % n_post if dense else index_at(post, wide, k))
        wanted = real(1.0 + c[SCALING] * (1.0 - rates[i] / c[TARGET]))
        weights[s] = min(max(weights[s] * wanted, low), high)
    keep = real(c[KEEP_RATE])
    for i in range(rates.size):
        rates[i] *= keep


@njit(cache=True, error_model="numpy")
def _move_origin(
    weights: Any, eligibility: Any, seen: Any, frozen: NDArray[np.bool_], integral: NDArray[np.float64],
    age: float, rate: float, c: NDArray[np.float64],
) -> None:  # fmt: skip
    """Bring every synapse up to date and count time and the third factor's integral from here.

    `age` is the time since the last origin in units of the eligibility's time constant.
    """
    real = weights.dtype.type
    shrink, eta, synapses = real(math.exp(-age)), real(rate), weights.size // integral.size
    low, high, zero = real(c[LOW]), real(c[HIGH]), real(0.0)
    for s in range(weights.size):
        e = eligibility[s]
        if frozen.size == 0 or not frozen[s]:
            gone = real(integral[s // synapses]) - seen[s]
            weights[s] = min(max(weights[s] + eta * e * gone, low), high)
        e *= shrink
        eligibility[s] = e if abs(e) > 1e-20 else zero
        seen[s] = zero
    integral[:] = 0.0
