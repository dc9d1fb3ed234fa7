"""Recognising places by view alone: one-shot enrolment, recall by a race of spiking neurons, confidence.

A view is a map of features: `channels` x `rows` x `columns` non-negative activities, most of them zero, as
the sparse code of the vision makes them. A place is enrolled in one shot: the synapses of its neuron take the
shape of the active features. A cue is compared at displaced positions, as if the head were turned a little
(Shepard & Metzler 1971; the circuit is that of `views`), and each place keeps its best one, because nobody
comes back to a place under exactly the same heading. Neurons are driven by how much their place resembles the
cue and inhibit each other; the first to fire wins, and its lead over rivals elsewhere is the confidence.

Storage is by synapse: a place costs what its active features cost. Few places are compared one by one. Among
many, a coarse code that does not change with displacement finds candidates first (`coarse`), and only they
are compared, so that a recall does not take longer in proportion to what is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking.lif import relax
from ..spiking.model import fire, write
from .coarse import CoarseConfig, CoarseIndex
from .growing import room_for
from .neurons import NeuronConfig

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RecognitionConfig:
    """How views are compared, and the neurons that race. Drives are in units of the firing threshold."""

    turn: float = 0.5  #: largest displacement of columns, as a share of a view's width, or of the circle
    nod: int = 1  #: largest displacement of rows, in rows
    features: int = 1500  #: strongest features of a view that are kept
    exhaustive: int = 200  #: places up to which all are compared
    candidates: int = 16  #: places that are compared when there are more
    coarse: CoarseConfig = field(default_factory=CoarseConfig)
    neighbours: int = 5  #: places on each side, in the order of enrolment, that are no rivals
    gain: float = 3.0  #: drive of the best place; that of a typical one is below threshold
    inhibition: float = 0.5  #: drive a spike takes from all neurons
    burst: int = 24  #: ms of a race
    tau_inhibition: float = 0.006  #: s
    cell: NeuronConfig = field(default_factory=lambda: NeuronConfig(tau_membrane=0.010, refractory=0.002))

    def __post_init__(self) -> None:
        if not 0.0 <= self.turn <= 0.5:
            raise ValueError(f"recognition turn must be a share in [0, 0.5], got {self.turn}")
        for name in ("nod", "neighbours", "exhaustive"):
            if getattr(self, name) < 0:
                raise ValueError(f"recognition {name} must be >= 0, got {getattr(self, name)}")
        for name in ("features", "burst", "candidates"):
            if getattr(self, name) < 1:
                raise ValueError(f"recognition {name} must be >= 1, got {getattr(self, name)}")


class Recognition(NamedTuple):
    """What a cue brought back."""

    place: int  #: number of the place, in the order of enrolment; -1 where none is enrolled
    confidence: float  #: 0 (a rival is as similar) to 1 (rivals are as dissimilar as a typical place)
    similarity: Floats  #: (places,) of each place at its best displacement, 0..1; 0 if it was not compared
    turned: NDArray[np.int32]  #: (places,) columns by which the cue lies right of the view, at its best
    nodded: NDArray[np.int32]  #: (places,) rows by which the cue lies below the view, at its best
    spikes: NDArray[np.int32]  #: (k, 2) of (ms, place)


class Match(NamedTuple):
    """What a cue brought back, of the places that were compared alone."""

    place: int  #: -1 where none was compared
    confidence: float  #: as in `Recognition`; typical is the median of those compared
    compared: NDArray[np.int32]  #: (k,) places, ascending
    similarity: Floats  #: (k,) of each
    turned: NDArray[np.int32]  #: (k,) columns
    nodded: NDArray[np.int32]  #: (k,) rows
    spikes: NDArray[np.int32]  #: (s, 2) of (ms, place)


class PlaceRecognition:
    """Places and their views, enrolled one after the other.

    Parameters
    ----------
    config : RecognitionConfig
    shape : (channels, rows, columns) of a view
    around : columns of a full circle, where views are part of a panorama; None for a view with two ends.
    seed : of the wiring of the coarse code

    Raises
    ------
    ValueError
        If the shape is impossible, or wider than the circle.
    """

    def __init__(
        self, config: RecognitionConfig, shape: tuple[int, int, int], around: int | None = None, seed: int = 0
    ) -> None:
        if min(shape) < 1:
            raise ValueError(f"a view needs channels, rows and columns >= 1, got {shape}")
        if around is not None and around < shape[2]:
            raise ValueError(f"a view of {shape[2]} columns is wider than a circle of {around}")
        self.config, self.shape, self.around, self._seed = config, shape, around, seed
        self._constants = config.cell.constants()
        self._forget()

    def _forget(self) -> None:
        self.places = 0  #: places enrolled
        self._start = np.zeros(64, np.int64)  # (places + 1,) where each place's features begin
        self._features, self._weights = np.zeros(1024, np.uint32), np.zeros(1024, np.float32)
        self._index: CoarseIndex | None = None

    @property
    def synapses(self) -> int:
        """Synapses set so far from features to places."""
        return int(self._start[self.places])

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        own = self._start.nbytes + self._features.nbytes + self._weights.nbytes
        return own + (0 if self._index is None else self._index.nbytes)

    def enrol(self, view: Floats) -> int:
        """Keep `view` (channels, rows, columns) as a new place; return its number."""
        return self._keep(*self._strongest(view))

    def _keep(self, features: NDArray[np.uint32], weights: Floats) -> int:
        place, begin = self.places, int(self._start[self.places])
        end = begin + features.size
        self._features = room_for(self._features, end)
        self._weights = room_for(self._weights, end)
        self._start = room_for(self._start, place + 2)
        self._features[begin:end], self._weights[begin:end] = features, weights
        self._start[place + 1] = end
        self.places += 1
        if self.places > self.config.exhaustive:
            if self._index is None:
                self._index = CoarseIndex(self.config.coarse, self.shape, self._seed)
                self._index.places = place  # its first `add` takes up all of them
            self._index.add(self._summary)
        return place

    def _summary(self, place: int) -> Floats:
        assert self._index is not None
        part = slice(self._start[place], self._start[place + 1])
        return self._index.summary(self._features[part], self._weights[part])

    def find(self, view: Floats) -> Match:
        """Compare the cue `view` (channels, rows, columns) with the places that may be it; let them race."""
        features, weights = self._strongest(view)
        if self._index is None:
            compared = np.arange(self.places, dtype=np.int32)
        else:
            summary = self._index.summary(features, weights)
            compared = self._index.candidates(summary, self.config.candidates)
        n = compared.size
        similarity, turned, nodded = np.zeros(n, np.float32), np.zeros(n, np.int32), np.zeros(n, np.int32)
        if n == 0:
            return Match(-1, 0.0, compared, similarity, turned, nodded, np.zeros((0, 2), np.int32))
        width = self.around if self.around is not None else self.shape[2]
        _compare(
            features, weights, compared, self._start, self._features, self._weights, *self.shape,
            self.around if self.around is not None else 0, round(self.config.turn * width),
            min(self.config.nod, self.shape[1] - 1), similarity, turned, nodded,
        )  # fmt: skip
        spikes = self._race(similarity)
        place, confidence = self._judge(compared, similarity, spikes)
        spikes[:, 1] = compared[spikes[:, 1]]
        return Match(place, confidence, compared, similarity, turned, nodded, spikes)

    def recall(self, view: Floats) -> Recognition:
        """Do as `find`, with an entry for every place enrolled."""
        match = self.find(view)
        n = self.places
        dense = np.zeros(n, np.float32), np.zeros(n, np.int32), np.zeros(n, np.int32)
        for out, part in zip(dense, (match.similarity, match.turned, match.nodded), strict=True):
            out[match.compared] = part
        return Recognition(match.place, match.confidence, *dense, match.spikes)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what was enrolled as plain arrays."""
        start = self._start[: self.places + 1]
        return {
            "lengths": np.diff(start),
            "features": self._features[: start[-1]].astype(np.int64),
            "weights": self._weights[: start[-1]].copy(),
        }

    def load(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take up what `arrays` gave.

        Raises
        ------
        ValueError
            If it holds features that a view of this shape does not have.
        """
        ends = np.cumsum(arrays["lengths"])
        size = int(np.prod(self.shape))
        if np.any((arrays["features"] < 0) | (arrays["features"] >= size)):
            raise ValueError(f"enrolled views do not fit the shape {self.shape}")
        self._forget()
        begin = 0
        for end in ends.tolist():
            self._keep(arrays["features"][begin:end].astype(np.uint32), arrays["weights"][begin:end])
            begin = end

    def _strongest(self, view: Floats) -> tuple[NDArray[np.uint32], Floats]:
        """Return the strongest features of a view and their activities, as a unit vector."""
        if view.shape != self.shape:
            raise ValueError(f"view must have shape {self.shape}, got {view.shape}")
        flat = np.asarray(view, np.float32).ravel()
        active = np.flatnonzero(flat > 0.0)
        if active.size > self.config.features:
            keep = np.argpartition(-flat[active], self.config.features - 1)[: self.config.features]
            active = np.sort(active[keep])
        weights = flat[active]
        norm = float(np.sqrt((weights.astype(np.float64) ** 2).sum()))
        return active.astype(np.uint32), weights / np.float32(max(norm, 1e-12))

    def _race(self, similarity: Floats) -> NDArray[np.int32]:
        config, n = self.config, len(similarity)
        middle, best = float(np.median(similarity)), float(similarity.max())
        drive = (similarity - np.float32(middle)) * np.float32(config.gain / max(best - middle, 1e-6))
        spikes = np.zeros((n * config.burst, 2), np.int32)
        count = _race(
            drive.astype(np.float32), config.burst, self._constants, np.float32(config.inhibition),
            np.float32(np.exp(-1e-3 / config.tau_inhibition)), spikes,
        )  # fmt: skip
        return spikes[:count].copy()

    def _judge(
        self, places: NDArray[np.int32], similarity: Floats, spikes: NDArray[np.int32]
    ) -> tuple[int, float]:
        """Return who fired first, of those the most similar, and its lead over rivals elsewhere."""
        runners = spikes[spikes[:, 0] == spikes[0, 0], 1] if len(spikes) else np.arange(len(similarity))
        winner = int(runners[np.argmax(similarity[runners])])
        place = int(places[winner])
        far = np.abs(places - place) > self.config.neighbours
        if not far.any():
            return place, float(similarity[winner])
        best, rival = float(similarity[winner]), float(similarity[far].max())
        return place, max(0.0, (best - rival) / max(best - float(np.median(similarity)), 1e-6))


@njit(cache=True)
def _add_up(table: NDArray[np.float64]) -> None:
    """Turn `table` (rows + 1, columns + 1) of energies into sums up to a row and a column (Crow 1984)."""
    for y in range(1, table.shape[0]):
        along = 0.0
        for x in range(1, table.shape[1]):
            along += table[y, x]
            table[y, x] = table[y - 1, x] + along


@njit(cache=True)
def _shared(table: NDArray[np.float64], dy: int, dx: int, around: int) -> float:
    """Return the energy of the part of a view that another, displaced by (dy, dx) against it, sees too.

    On a circle the columns may be two stretches.
    """
    rows, columns, total = table.shape[0] - 1, table.shape[1] - 1, 0.0
    y0, y1 = max(0, -dy), min(rows, rows - dy)
    lap = 0
    for _ in range(2 if around > 0 else 1):
        x0, x1 = max(0, lap - dx), min(columns, columns + lap - dx)
        if x0 < x1:
            total += table[y1, x1] - table[y0, x1] - table[y1, x0] + table[y0, x0]
        lap = around if dx > 0 else -around
    return total


@njit(cache=True, error_model="numpy")
def _compare(
    feature: NDArray[np.uint32],
    weight: Floats,
    places: NDArray[np.int32],
    start: Ints,
    features: NDArray[np.uint32],
    weights: Floats,
    channels: int,
    rows: int,
    columns: int,
    around: int,  # 0: the view has two ends
    reach: int,
    nod: int,
    similarity: Floats,
    turned: NDArray[np.int32],
    nodded: NDArray[np.int32],
) -> None:
    """Keep for each place the largest cosine over displacements, taken over the part that both views see.

    Pairs of features of one channel, one of the cue and one of the place, say by their distance at which
    displacement they speak for the place: their products add up to all cosines at once.
    """
    line = np.zeros(channels * rows + 1, np.int64)  # where features of a channel's row begin, in the cue
    position = np.empty(
        feature.size, np.int64
    )  # as in `dot`, for a place's feature in the first row and column
    wide = 2 * columns - 1
    table = np.zeros((rows + 1, columns + 1))
    for f in range(feature.size):
        at = np.int64(feature[f])
        line[at // columns + 1] += 1
        position[f] = (at // columns % rows + nod) * wide + at % columns + columns - 1
        table[at // columns % rows + 1, at % columns + 1] += np.float64(weight[f]) * weight[f]
    for k in range(line.size - 1):
        line[k + 1] += line[k]
    last = reach if around == 0 or 2 * reach < around else reach - 1
    width = reach + last + 1
    mine = np.empty((2 * nod + 1, width))
    _add_up(table)
    for dy in range(-nod, nod + 1):
        for dx in range(-reach, last + 1):
            mine[dy + nod, dx + reach] = _shared(table, -dy, -dx, around)
    dot = np.empty((2 * nod + 1) * wide)  # at any distance of columns: a test in the inner loop costs more
    for k in range(places.size):
        begin, end = start[places[k]], start[places[k] + 1]
        theirs, sent = features[begin:end], weights[begin:end]
        table[:] = 0.0
        dot[:] = 0.0
        row, y, first = 0, 0, 0  # counted along with the features, which ascend: dividing takes longer
        for s in range(theirs.size):
            at = np.int64(theirs[s])
            while at >= first + columns:
                row, y, first = row + 1, y + 1 if y + 1 < rows else 0, first + columns
            x = at - first
            table[y + 1, x + 1] += np.float64(sent[s]) * sent[s]
            own = y * wide + x
            for f in range(line[row - min(nod, y)], line[row + min(nod, rows - 1 - y) + 1]):
                dot[position[f] - own] += weight[f] * sent[s]
        _add_up(table)
        for dy in range(-nod, nod + 1):
            for dx in range(-reach, last + 1):
                part, total = _shared(table, dy, dx, around), 0.0
                for lap in range(-around, around + 1, max(around, 1)):
                    if -columns < dx + lap < columns:
                        total += dot[(dy + nod) * wide + dx + lap + columns - 1]
                # A part that holds little of either view says little: it is compared as if it held a quarter.
                cosine = total / np.sqrt(max(mine[dy + nod, dx + reach], 0.25) * max(part, 0.25))
                if cosine > similarity[k]:
                    similarity[k], turned[k], nodded[k] = cosine, dx, dy


@njit(cache=True)
def _race(
    drive: Floats,
    steps: int,
    constants: Floats,  # of LIF neurons
    inhibit: np.float32,
    decay: np.float32,
    spikes: NDArray[np.int32],
) -> int:
    n = drive.size
    membrane, silent, total = np.zeros(n, np.float32), np.zeros(n, np.int32), np.empty(n, np.float32)
    fired, nothing = np.empty(n, np.int32), np.zeros(0, np.float32)
    hold, count = np.float32(0.0), 0
    for step in range(steps):
        for i in range(n):
            total[i] = drive[i] - hold
        relax(membrane, total, nothing, constants)
        n_fired = fire(membrane, silent, constants[3], constants[4], constants[5], fired)
        hold = decay * hold + inhibit * np.float32(n_fired)
        count = write(spikes, count, step, fired, n_fired)
    return count
