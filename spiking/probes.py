"""Probes: what a network writes down while it runs, in bounded memory where asked."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import layout
from .addresses import address
from .population import Population, Source

#: Rows of a buffer that the compiled loop fills before Python empties it, at least.
ROWS = 16384


class _Tape:
    """Rows that the compiled loop writes to a buffer and Python takes over when it is full or asked."""

    def __init__(self, buffer: NDArray[Any]) -> None:
        self.buffer, self.count = buffer, np.zeros(1, np.int64)
        self.parts: deque[NDArray[Any]] = deque()

    def drain(self) -> None:
        """Take over what the loop has written."""
        written = int(self.count[0])
        if written:
            self.parts.append(self.buffer[:written].copy())
            self.count[0] = 0

    def whole(self) -> NDArray[Any]:
        """Return all rows taken over."""
        if len(self.parts) > 1:
            joined = np.concatenate(self.parts)
            self.parts.clear()
            self.parts.append(joined)
        return self.parts[0] if self.parts else self.buffer[:0]

    def clear(self) -> None:
        """Forget all rows."""
        self.parts.clear()
        self.count[0] = 0


class SpikeProbe:
    """The spikes of a population, all of them or those of the last `keep` steps; made by `Network.record`."""

    def __init__(self, source: Source, dt: float, keep: int | None, clock: NDArray[np.int64]) -> None:
        self.source, self.dt, self.keep, self._clock = source, dt, keep, clock
        self._tape = _Tape(np.empty((max(ROWS, 4 * source.neurons), 2), np.int32))

    @property
    def rows(self) -> NDArray[np.int32]:
        """Spikes (k, 2) of (step, neuron), ascending."""
        self.drain()
        return self._tape.whole()

    @property
    def times(self) -> NDArray[np.float64]:
        """Times (k,), s: the start of the step in which a neuron fired."""
        return np.asarray(self.rows[:, 0] * self.dt, np.float64)

    @property
    def neurons(self) -> NDArray[np.int32]:
        """Neurons (k,)."""
        return self.rows[:, 1]

    def of(self, neuron: int) -> NDArray[np.float64]:
        """Return the spike times of `neuron` (k,), s."""
        return np.asarray(self.times[self.neurons == neuron])

    def counts(self) -> NDArray[np.int64]:
        """Return the number of spikes of each neuron (n,)."""
        return np.bincount(self.neurons, minlength=self.source.neurons)

    def clear(self) -> None:
        """Forget what was recorded."""
        self._tape.clear()

    def drain(self) -> None:
        """Take over what the loop has written."""
        self._tape.drain()
        if self.keep is None:
            return
        oldest, parts = int(self._clock[0]) - self.keep, self._tape.parts
        while parts and parts[0][-1, 0] < oldest:
            parts.popleft()
        if parts:
            parts[0] = parts[0][np.searchsorted(parts[0][:, 0], oldest) :]

    def describe(self, row: NDArray[np.int64]) -> None:
        """Fill the probe's columns of its population's row."""
        row[layout.RECORD], row[layout.RECORD_ROOM] = address(self._tape.buffer), len(self._tape.buffer)
        row[layout.RECORD_COUNT] = address(self._tape.count)


class StateProbe:
    """A variable of some neurons, sampled at the end of steps; made by `Network.watch`."""

    def __init__(
        self,
        cells: Population,
        variable: str,
        neurons: ArrayLike | None,
        every: int,
        dt: float,
        keep: int | None,
        clock: NDArray[np.int64],
    ) -> None:
        known = {**cells.state, **cells.inputs}
        if variable not in known:
            raise ValueError(f"{cells.name} has {', '.join(known)} to watch, not {variable!r}")
        self._source = known[variable].reshape(-1)
        chosen = np.arange(cells.neurons) if neurons is None else np.atleast_1d(np.asarray(neurons))
        if chosen.ndim != 1 or not chosen.size or chosen.min() < 0 or chosen.max() >= cells.neurons:
            raise ValueError(f"neurons to watch must be in 0..{cells.neurons - 1}, got {chosen.tolist()[:5]}")
        self.neurons = chosen.astype(np.int32)
        self.every, self.dt, self._keep, self._clock = every, dt, keep, clock
        room = max(16, ROWS // chosen.size)
        self._tape = _Tape(np.empty((room, chosen.size), self._source.dtype))

    @property
    def values(self) -> NDArray[Any]:
        """Samples (T, neurons)."""
        self.drain()
        return self._tape.whole()

    @property
    def times(self) -> NDArray[np.float64]:
        """Times (T,), s, of the samples: the end of the step after which each was taken."""
        last = (int(self._clock[0]) - 1) // self.every
        count = len(self.values)
        return np.asarray(((np.arange(count) - count + 1 + last) * self.every + 1) * self.dt, np.float64)

    def clear(self) -> None:
        """Forget what was recorded."""
        self._tape.clear()

    def drain(self) -> None:
        """Take over what the loop has written."""
        self._tape.drain()
        if self._keep is None:
            return
        parts = self._tape.parts
        extra = sum(map(len, parts)) - self._keep
        while extra > 0:
            first = parts.popleft()
            if len(first) > extra:
                parts.appendleft(first[extra:])
            extra -= len(first)

    def describe(self, row: NDArray[np.int64]) -> None:
        """Fill the probe's row of the engine's table."""
        row[layout.P_SOURCE], row[layout.P_INDEX] = address(self._source), address(self.neurons)
        row[layout.P_COUNT], row[layout.P_EVERY] = self.neurons.size, self.every
        row[layout.P_BUFFER], row[layout.P_ROOM] = address(self._tape.buffer), len(self._tape.buffer)
        row[layout.P_CURSOR] = address(self._tape.count)
