"""Dense plastic rows that wait for their source: spikes of the targets are listed until it spikes.

A target's spike touches one synapse of every source, a column of a dense table: the slowest way through
memory. But a source's weights are not needed before it spikes again, and until then its trace only decays,
x_j(t) = X_j exp(-(t - t_j) / tau_plus). So each row works through the list when its source spikes, in order
and with the bounds at every spike. One short list and one row lie in the nearest cache. The result is the
same as if every spike had been met at once.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

#: A trace below this is 0: the pair is 9 time constants apart, and its neuron can be passed over.
FAINTEST = 1e-6
#: Time constants of the trace after which all rows are settled: exp of it is a number still.
LONGEST = 500.0


class Pending(NamedTuple):
    """Spikes of the targets that rows have not worked through, and where each row stands.

    Times are steps; `event_*` are lists of one length for each copy of a batch, in order of time.
    """

    event_target: NDArray[np.int32]
    event_reach: NDArray[np.float64]  #: exp(-(t_k - epoch) / tau_plus)
    event_growth: NDArray[np.float64]  #: of the eligibility by a trace of 1, in the scale of t_k
    event_change: NDArray[np.float64]  #: of the weight by a trace of 1, at once
    event_integral: NDArray[np.float64]  #: of the third factor, at t_k
    counts: NDArray[np.int64]  #: (copies,) of events
    cursor: NDArray[np.int64]  #: (copies * n_pre,) first event that a row has not met
    since: NDArray[np.int64]  #: (copies * n_pre,) t_j
    integral: NDArray[np.float64]  #: (copies * n_pre,) of the third factor, at t_j
    epoch: NDArray[np.int64]  #: (1,)

    @classmethod
    def empty(cls, n_pre: int, n_post: int, copies: int) -> Pending:
        """Return room for some thousand spikes a copy; all rows are settled together when it is full."""
        room, rows = copies * max(4096, 4 * n_post), copies * n_pre
        return cls(
            np.zeros(room, np.int32), np.zeros(room), np.zeros(room), np.zeros(room), np.zeros(room),
            np.zeros(copies, np.int64), np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.zeros(rows),
            np.zeros(1, np.int64),
        )  # fmt: skip

    def copied(self) -> Pending:
        """Return a copy, to look ahead with."""
        parts: Any = (array.copy() for array in self)
        return Pending(*parts)


@njit(cache=True)
def slope_of(keep: float) -> float:
    """Return -dt / tau from what a step leaves of a trace, which may be nothing."""
    return math.log(max(keep, 1e-300))


@njit(cache=True, error_model="numpy")
def note(
    pending: Any, spikes: Any, n_post: int, now: int, slope: float, growth: float, change: float,
    gates: NDArray[np.float64], integral: NDArray[np.float64],
) -> None:  # fmt: skip
    """List spikes of the targets at step `now`; `slope` is -dt / tau_plus."""
    if spikes.size == 0:
        return
    room, reach = pending.event_target.size // pending.counts.size, math.exp((now - pending.epoch[0]) * slope)
    for k in range(spikes.size):
        copy, i = divmod(int(spikes[k]), n_post)
        at = copy * room + pending.counts[copy]
        pending.event_target[at] = i
        pending.event_reach[at] = reach
        pending.event_growth[at] = growth
        pending.event_change[at] = change * gates[copy]
        pending.event_integral[at] = integral[copy]
        pending.counts[copy] += 1


@njit(cache=True, error_model="numpy")
def settle_row(
    pending: Any, copy: int, row: int, until: int, weights: Any, eligibility: Any, trace: Any, seen: Any,
    now: int, slope: float, eta: Any, integral: float, low: Any, high: Any,
) -> None:  # fmt: skip
    """Bring the synapses (n_post,) of one source of a copy up to step `now` and event `until`.

    `seen` (n_post,) is scratch.
    """
    real = weights.dtype.type
    room, reach = pending.event_target.size // pending.counts.size, pending.event_reach
    first, last = copy * room + pending.cursor[row], copy * room + until
    # The trace as if it had been that high at the epoch.
    height = float(trace[row]) * math.exp((pending.epoch[0] - pending.since[row]) * slope)
    if last > first and height * reach[last - 1] < FAINTEST:
        last = _faint(reach, first, last, FAINTEST / height if height > 0.0 else math.inf)
    part = slice(first, last)
    if eligibility.size > 0:
        seen[:] = real(pending.integral[row])
        _meet(
            weights, eligibility, seen, pending.event_target[part], reach[part], pending.event_growth[part],
            pending.event_change[part], pending.event_integral[part], height, eta, low, high,
        )  # fmt: skip
        if integral != pending.integral[row]:
            reward_row(weights, eligibility, seen, real(integral), eta, low, high)
    else:
        target, change = pending.event_target[part], pending.event_change[part]
        for k in range(target.size):
            i = np.uint32(target[k])
            weights[i] = min(max(weights[i] + real(height * reach[first + k] * change[k]), low), high)
    trace[row] = real(trace[row] * math.exp((now - pending.since[row]) * slope))
    pending.cursor[row], pending.since[row] = until, now
    pending.integral[row] = integral


@njit(cache=True, error_model="numpy")
def _meet(
    weights: Any, eligibility: Any, seen: Any, target: Any, reach: Any, growth: Any, change: Any,
    integral: Any, height: float, eta: Any, low: Any, high: Any,
) -> None:  # fmt: skip
    real = weights.dtype.type
    for k in range(target.size):
        i, x, now_seen = np.uint32(target[k]), height * reach[k], real(integral[k])
        c = eligibility[i]
        w = weights[i] + eta * c * (now_seen - seen[i]) + real(x * change[k])
        weights[i] = min(max(w, low), high)
        eligibility[i] = c + real(x * growth[k])
        seen[i] = now_seen


@njit(cache=True, error_model="numpy")
def reward_row(weights: Any, eligibility: Any, seen: Any, now: Any, eta: Any, low: Any, high: Any) -> None:
    """Change a row by what it earned while the third factor's integral rose from `seen` to `now`."""
    for s in range(weights.size):
        weights[s] = min(max(weights[s] + eta * eligibility[s] * (now - seen[s]), low), high)


@njit(cache=True)
def _faint(reach: NDArray[np.float64], first: int, last: int, least: float) -> int:
    """Return the first of the falling numbers from `first` to `last` that is below `least`."""
    while first < last:
        middle = (first + last) // 2
        if reach[middle] < least:
            last = middle
        else:
            first = middle + 1
    return first


@njit(cache=True, error_model="numpy")
def settle_all(
    pending: Any, weights: Any, eligibility: Any, trace: Any, n_pre: int, n_post: int,
    now: int, slope: float, eta: Any, integral: NDArray[np.float64], low: Any, high: Any, seen: Any,
) -> None:  # fmt: skip
    """Bring all rows up to step `now` and empty the lists."""
    for copy in range(pending.counts.size):
        for j in range(n_pre):
            row = copy * n_pre + j
            part = slice(row * n_post, (row + 1) * n_post)
            eligible = eligibility[part] if eligibility.size > 0 else eligibility
            settle_row(
                pending, copy, row, pending.counts[copy], weights[part], eligible, trace, seen, now, slope,
                eta, integral[copy], low, high,
            )  # fmt: skip
    pending.cursor[:] = 0
    pending.counts[:] = 0
    pending.epoch[0] = now
