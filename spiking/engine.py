"""The compiled loop of a network: all of its populations and projections, any number of steps in one call.

A step of the network reads, then updates, in this order: sources and neurons take the input that is due and
spike; probes record; plastic synapses learn from the spikes; projections deliver, to be met in the next step.
A spike of step t with a delay of d steps, d >= 1, is part of the target's input in step t + d.

The loop is compiled once for each precision and serves every network: what there is to do stands in tables of
integers, one row a population, receptor or projection, with the addresses of their arrays (`addresses`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from . import (
    adaptive,
    escape,
    hodgkin_huxley,
    izhikevich,
    layout,
    lif,
    simplified,
    time_varying,
    two_compartment,
)
from .addresses import doubles, floats, int32s, int64s, reals, table
from .delivery import advance_projection
from .learning import learn
from .model import BLOCK, add_noise, collect, marks_of
from .random import step_key, uniform

Table = NDArray[np.int64]


@njit(cache=True, error_model="numpy")
def advance(
    populations: Table,
    receptors: Table,
    projections: Table,
    probes: Table,
    modulators: NDArray[np.float64],
    clock: NDArray[np.int64],
    steps: int,
    like: NDArray[Any],  # empty, of the network's precision
) -> int:
    """Advance by up to `steps`; return how many were made before a probe's buffer was full."""
    for step in range(steps):
        if not _room(populations, probes, clock[0]):
            return step
        for m in range(modulators.shape[0]):
            advance_modulator(modulators[m])
        for p in range(populations.shape[0]):
            _advance_population(populations[p], receptors, clock[0], like)
        for q in range(probes.shape[0]):
            _sample(probes[q], clock[0], like)
        for j in range(projections.shape[0]):
            if projections[j, layout.J_RULE] != 0:
                learn(projections[j], populations, modulators, clock[0], like)
            advance_projection(projections[j], populations, modulators, clock[0], like)
        clock[0] += 1
    return steps


@njit(cache=True)
def _room(populations: Table, probes: Table, now: int) -> bool:
    """Whether every probe can take what this step may bring."""
    for p in range(populations.shape[0]):
        row = populations[p]
        if (
            row[layout.RECORD_ROOM] > 0
            and row[layout.RECORD_ROOM] - int64s(row[layout.RECORD_COUNT], 1)[0] < row[layout.SIZE]
        ):
            return False
    for q in range(probes.shape[0]):
        row = probes[q]
        if now % row[layout.P_EVERY] == 0 and int64s(row[layout.P_CURSOR], 1)[0] >= row[layout.P_ROOM]:
            return False
    return True


@njit(cache=True)
def _sample(row: Table, now: int, like: NDArray[Any]) -> None:
    if now % row[layout.P_EVERY] != 0:
        return
    cursor, index = int64s(row[layout.P_CURSOR], 1), int32s(row[layout.P_INDEX], row[layout.P_COUNT])
    source = reals(row[layout.P_SOURCE], int(index.max()) + 1, like)
    line = table(row[layout.P_BUFFER], row[layout.P_ROOM], row[layout.P_COUNT], like)[cursor[0]]
    for i in range(index.size):
        line[i] = source[index[i]]
    cursor[0] += 1


@njit(cache=True)
def _advance_population(row: Table, receptors: Table, now: int, like: NDArray[Any]) -> None:
    n, slot = row[layout.SIZE], now % row[layout.DEPTH]
    fired, counts = int32s(row[layout.FIRED] + 4 * n * slot, n), int64s(row[layout.COUNTS], row[layout.DEPTH])
    at = step_key(np.uint32(row[layout.KEY]), np.uint32(now & 0xFFFFFFFF))
    kind = row[layout.KIND]
    if kind == layout.POISSON:
        counts[slot] = _poisson(floats(row[layout.DRIVE], n), at, fired)
    elif kind == layout.PLAYED:
        counts[slot] = _play(row, now, fired)
    else:
        counts[slot] = _advance_neurons(row, receptors, now, at, fired, like)
    if row[layout.RECORD_ROOM] > 0:
        written = int64s(row[layout.RECORD_COUNT], 1)
        record = table(row[layout.RECORD], row[layout.RECORD_ROOM], 2, fired)
        for f in range(counts[slot]):
            record[written[0], 0] = now
            record[written[0], 1] = fired[f]
            written[0] += 1


@njit(cache=True)
def _poisson(chances: NDArray[np.float32], at: np.uint32, fired: NDArray[np.int32]) -> int:
    zero, one, count = np.int32(0), np.int32(1), 0
    for start in range(0, chances.size, BLOCK):
        stop = min(start + BLOCK, chances.size)
        chance, marks, hits = chances[start:stop], marks_of(fired, start, stop), zero
        for i in range(chance.size):
            hit = one if uniform(at, np.uint32(start + i)) < chance[i] else zero
            marks[i] = hit
            hits += hit
        if hits > zero:
            count = collect(marks, start, fired, count)
    return count


@njit(cache=True)
def _play(row: Table, now: int, fired: NDArray[np.int32]) -> int:
    """Fire what is due of the trains, and what was asked for since the last step."""
    size, pending = row[layout.N_TIMES], int32s(row[layout.PENDING], row[layout.SIZE])
    cursor = int64s(row[layout.CURSOR], 1)
    if size > 0:
        times, neurons = int64s(row[layout.TIMES], size), int32s(row[layout.NEURONS], size)
        while cursor[0] < size and times[cursor[0]] <= now:
            if times[cursor[0]] == now:
                pending[neurons[cursor[0]]] = 1
            cursor[0] += 1
    count = 0
    for i in range(pending.size):
        if pending[i] != 0:
            pending[i] = 0
            fired[count] = i
            count += 1
    return count


@njit(cache=True)
def _advance_neurons(
    row: Table, receptors: Table, now: int, at: np.uint32, fired: NDArray[np.int32], like: NDArray[Any]
) -> int:
    n, channels = row[layout.SIZE], row[layout.CHANNELS]
    state = table(row[layout.STATE], row[layout.VARIABLES], n, like)
    silent = int32s(row[layout.SILENT], n)
    constants = table(row[layout.CONSTANTS], row[layout.N_CONSTANTS], row[layout.CONSTANT_WIDTH], like)
    drive = table(row[layout.DRIVE], channels, n, like)
    load = table(row[layout.LOAD], channels, n if row[layout.LOADED] else 0, like)
    total = table(row[layout.TOTAL], channels + row[layout.ECHOES], n, like)
    first, last = row[layout.RECEPTORS], row[layout.RECEPTORS] + row[layout.N_RECEPTORS]
    for channel in range(channels):
        _clear(load[channel])
        if channel > 0:
            _copy(drive[channel], total[channel])
    first = _receive_plain(receptors, first, last, drive[0], total[0], like)
    if row[layout.ECHOES] != 0:
        _clear(total[channels])
    if row[layout.SERIES_STEPS] > 0:
        _add_series(row, now, total[0], like)
    for r in range(first, last):
        if receptors[r, layout.REACH_ROWS] > 2:
            _echo(receptors[r], n, total[channels], like)
        _receive(receptors[r], n, total, load, like)
    if row[layout.NOISE] != 0:
        add_noise(total[0], reals(row[layout.NOISE], row[layout.NOISE_WIDTH], like), at)
    return _update(row[layout.KIND], state, silent, total, load, constants, at, fired)


@njit(cache=True)
def _update(
    kind: int, state: Any, silent: Any, drive: Any, load: Any, constants: Any, at: np.uint32, fired: Any
) -> int:
    if kind == 0:
        return int(lif.update(state, silent, drive, load, constants, at, fired))
    if kind == 1:
        return int(adaptive.update(state, silent, drive, load, constants, at, fired))
    if kind == 2:
        return int(izhikevich.update(state, silent, drive, load, constants, at, fired))
    if kind == 3:
        return int(hodgkin_huxley.update(state, silent, drive, load, constants, at, fired))
    if kind == 5:
        return int(time_varying.update(state, silent, drive, load, constants, at, fired))
    if kind == 6:
        return int(simplified.update(state, silent, drive, load, constants, at, fired))
    if kind == 7:
        return int(two_compartment.update(state, silent, drive, load, constants, at, fired))
    return int(escape.update(state, silent, drive, load, constants, at, fired))


@njit(cache=True, error_model="numpy")
def _receive_plain(
    receptors: Table, first: int, last: int, drive: Any, total: Any, like: NDArray[Any]
) -> int:
    """Write the drive plus the currents of leading receptors that are alike for all; return the next one.

    Two at a time: what these loops cost is reading and writing, not adding.
    """
    n, source, begin = total.size, drive, first
    while first < last and _is_plain(receptors[first]):
        row = receptors[first]
        current = reals(row[layout.CURRENT], n, like)
        reach, keep = _plain(row, like)
        if first + 1 < last and _is_plain(receptors[first + 1]):
            other = receptors[first + 1]
            second = reals(other[layout.CURRENT], n, like)
            reach_2, keep_2 = _plain(other, like)
            for i in range(n):
                a, b = current[i], second[i]
                total[i] = source[i] + reach * a + reach_2 * b
                current[i] = keep * a
                second[i] = keep_2 * b
            first += 2
        else:
            for i in range(n):
                a = current[i]
                total[i] = source[i] + reach * a
                current[i] = keep * a
            first += 1
        source = total
    if first == begin:
        _copy(drive, total)
    return first


@njit(cache=True, inline="always")
def _is_plain(row: Table) -> bool:
    alike = row[layout.REACH_WIDTH] == 1 and row[layout.REACH_ROWS] == 2 and row[layout.CHANNEL] == 0
    return bool(alike and row[layout.SHAPE] == 0 and row[layout.CONDUCTANCE] == 0)


@njit(cache=True, inline="always")
def _plain(row: Table, like: NDArray[Any]) -> Any:
    return reals(row[layout.REACH], 1, like)[0], like.dtype.type(doubles(row[layout.DECAY], 1)[0])


@njit(cache=True, error_model="numpy")
def _receive(row: Table, n: int, total: Any, load: Any, like: NDArray[Any]) -> None:
    """Add what a receptor passes on during this step to the input, and let it decay."""
    current = reals(row[layout.CURRENT], n, like)
    reach = table(row[layout.REACH], row[layout.REACH_ROWS], row[layout.REACH_WIDTH], like)
    decay = doubles(row[layout.DECAY], 3)  # kept, gain of the feed, reversal potential
    keep, into = like.dtype.type(decay[0]), total[row[layout.CHANNEL]]
    each = row[layout.REACH_WIDTH] > 1
    if row[layout.SHAPE] == 1:
        _rise(
            current,
            reals(row[layout.FEED], n, like),
            reach,
            keep,
            like.dtype.type(decay[1]),
            into,
            load,
            row,
            decay[2],
        )
    elif row[layout.CONDUCTANCE]:
        _conduct(current, reach[0], like.dtype.type(decay[2]), keep, into, load[row[layout.CHANNEL]])
    elif each:
        for i in range(n):
            into[i] += reach[0, i] * current[i]
            current[i] *= keep
    else:
        first = reach[0, 0]
        for i in range(n):
            into[i] += first * current[i]
            current[i] *= keep


@njit(cache=True, error_model="numpy")
def _echo(row: Table, n: int, echo: Any, like: NDArray[Any]) -> None:
    """Add by how much a current drives the model's second variable more than its membrane."""
    reach = table(row[layout.REACH], row[layout.REACH_ROWS], row[layout.REACH_WIDTH], like)
    current, feed = reals(row[layout.CURRENT], n, like), reals(row[layout.FEED], n, like)
    for i in range(n):
        k = i if reach.shape[1] > 1 else 0
        echo[i] += reach[2, k] * current[i] + reach[3, k] * feed[i]


@njit(cache=True, error_model="numpy")
def _conduct(current: Any, reach: Any, reversal: Any, keep: Any, into: Any, held: Any) -> None:
    """A conductance that decays."""
    if reach.size == 1:
        share, push = reach[0], reach[0] * reversal
        for i in range(current.size):
            g = current[i]
            held[i] += share * g
            into[i] += push * g
            current[i] = keep * g
    else:
        for i in range(current.size):
            g = reach[i] * current[i]
            held[i] += g
            into[i] += reversal * g
            current[i] *= keep


@njit(cache=True, error_model="numpy")
def _rise(
    current: Any,
    feed: Any,
    reach: Any,
    keep: Any,
    gain: Any,
    into: Any,
    load: Any,
    row: Table,
    reversal: float,
) -> None:
    """An alpha function: the feed takes the spikes and runs into the current."""
    held, potential = load[row[layout.CHANNEL]], current.dtype.type(reversal)
    for i in range(current.size):
        k = i if reach.shape[1] > 1 else 0
        x = reach[0, k] * current[i] + reach[1, k] * feed[i]
        if row[layout.CONDUCTANCE]:
            held[i] += x
            x *= potential
        into[i] += x
        current[i] = keep * current[i] + gain * feed[i]
        feed[i] *= keep


@njit(cache=True)
def _copy(source: Any, goal: Any) -> None:
    for i in range(goal.size):
        goal[i] = source[i]


@njit(cache=True)
def _clear(values: Any) -> None:
    for i in range(values.size):
        values[i] = values.dtype.type(0.0)


@njit(cache=True)
def _add(source: Any, goal: Any) -> None:
    for i in range(goal.size):
        goal[i] += source[i]


@njit(cache=True)
def _add_series(row: Table, now: int, total: Any, like: NDArray[Any]) -> None:
    """An input that was given for all times; it stays at its last value."""
    series = table(row[layout.SERIES], row[layout.SERIES_STEPS], row[layout.SERIES_WIDTH], like)
    line = series[min(now // row[layout.SERIES_EVERY], row[layout.SERIES_STEPS] - 1)]
    if line.size == 1:
        for i in range(total.size):
            total[i] += line[0]
    else:
        _add(line, total)


@njit(cache=True)
def advance_modulator(rows: NDArray[np.float64]) -> None:
    """Rows (5, copies): level, what a step leaves of it, mean over a step, tonic level, mean of this step."""
    for copy in range(rows.shape[1]):
        rows[4, copy] = rows[3, copy] + rows[2, copy] * rows[0, copy]
        rows[0, copy] *= rows[1, copy]
