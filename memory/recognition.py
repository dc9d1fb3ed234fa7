"""Recognising places by view alone: one-shot enrolment, recall by a race of spiking neurons, confidence.

A view is a map of features: `channels` x `rows` x `columns` non-negative activities, most of them zero, as
the sparse code of the vision makes them. A place is enrolled in one shot: the synapses of its neuron take the
shape of the active features. A cue is compared at displaced positions, as if the head were turned a little
(Shepard & Metzler 1971; the circuit is that of `views`), and each place keeps its best one, because nobody
comes back to a place under exactly the same heading. Neurons are driven by how much their place resembles the
cue and inhibit each other; the first to fire wins, and its lead over rivals elsewhere is the confidence.

Storage is by synapse: a place costs what its active features cost, and a recall touches only synapses from
features that are active in the cue.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking.lif import relax
from ..spiking.model import fire, write
from .neurons import NeuronConfig

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RecognitionConfig:
    """How views are compared, and the neurons that race. Drives are in units of the firing threshold."""

    turn: float = 0.5  #: largest displacement of columns, as a share of a view's width, or of the circle
    nod: int = 1  #: largest displacement of rows, in rows
    features: int = 1500  #: strongest features of a view that are kept
    neighbours: int = 5  #: places on each side, in the order of enrolment, that are no rivals
    gain: float = 3.0  #: drive of the best place; that of a typical one is below threshold
    inhibition: float = 0.5  #: drive a spike takes from all neurons
    burst: int = 24  #: ms of a race
    tau_inhibition: float = 0.006  #: s
    cell: NeuronConfig = field(default_factory=lambda: NeuronConfig(tau_membrane=0.010, refractory=0.002))

    def __post_init__(self) -> None:
        if not 0.0 <= self.turn <= 0.5:
            raise ValueError(f"recognition turn must be a share in [0, 0.5], got {self.turn}")
        for name in ("nod", "neighbours"):
            if getattr(self, name) < 0:
                raise ValueError(f"recognition {name} must be >= 0, got {getattr(self, name)}")
        for name in ("features", "burst"):
            if getattr(self, name) < 1:
                raise ValueError(f"recognition {name} must be >= 1, got {getattr(self, name)}")


class Recognition(NamedTuple):
    """What a cue brought back."""

    place: int  #: number of the place, in the order of enrolment; -1 where none is enrolled
    confidence: float  #: 0 (a rival is as similar) to 1 (rivals are as dissimilar as a typical place)
    similarity: Floats  #: (places,) of each place at its best displacement, 0..1
    turned: NDArray[np.int32]  #: (places,) columns by which the cue lies right of the view, at its best
    nodded: NDArray[np.int32]  #: (places,) rows by which the cue lies below the view, at its best
    spikes: NDArray[np.int32]  #: (k, 2) of (ms, place)


class PlaceRecognition:
    """Places and their views, enrolled one after the other.

    Parameters
    ----------
    config : RecognitionConfig
    shape : (channels, rows, columns) of a view
    around : columns of a full circle, where views are part of a panorama; None for a view with two ends.

    Raises
    ------
    ValueError
        If the shape is impossible, or wider than the circle.
    """

    def __init__(
        self, config: RecognitionConfig, shape: tuple[int, int, int], around: int | None = None
    ) -> None:
        if min(shape) < 1:
            raise ValueError(f"a view needs channels, rows and columns >= 1, got {shape}")
        if around is not None and around < shape[2]:
            raise ValueError(f"a view of {shape[2]} columns is wider than a circle of {around}")
        self.config, self.shape, self.around = config, shape, around
        self._views: list[tuple[Ints, Floats]] = []
        self._energy: list[NDArray[np.float64]] = []
        self._index: _Index | None = None
        self._constants = config.cell.constants()

    @property
    def places(self) -> int:
        """Number of places enrolled."""
        return len(self._views)

    @property
    def synapses(self) -> int:
        """Synapses set so far."""
        return sum(len(features) for features, _ in self._views)

    def enrol(self, view: Floats) -> int:
        """Keep `view` (channels, rows, columns) as a new place; return its number."""
        features, weights = self._strongest(view)
        area = np.zeros((self.shape[1] + 1, self.shape[2] + 1))
        _, row, column = np.unravel_index(features, self.shape)
        np.add.at(area, (row + 1, column + 1), weights.astype(np.float64) ** 2)
        self._views.append((features, weights))
        self._energy.append(area.cumsum(axis=0).cumsum(axis=1))
        self._index = None
        return len(self._views) - 1

    def recall(self, view: Floats) -> Recognition:
        """Compare the cue `view` (channels, rows, columns) with all places; let their neurons race."""
        n = len(self._views)
        similarity, turned, nodded = np.zeros(n, np.float32), np.zeros(n, np.int32), np.zeros(n, np.int32)
        if n == 0:
            return Recognition(-1, 0.0, similarity, turned, nodded, np.zeros((0, 2), np.int32))
        if self._index is None:
            self._index = _Index.of(self._views, self._energy, self.shape)
        index = self._index
        features, weights = self._strongest(view)
        channel, row, column = (a.astype(np.int64) for a in np.unravel_index(features, self.shape))
        width = self.around if self.around is not None else self.shape[2]
        reach = round(self.config.turn * width)
        _compare(
            channel, row, column, weights, index.start, index.place, index.weight, index.energy,
            self.shape[1], self.shape[2], self.around if self.around is not None else 0, reach,
            self.config.nod, similarity, turned, nodded,
        )  # fmt: skip
        spikes = self._race(similarity)
        return Recognition(*self._judge(similarity, spikes), similarity, turned, nodded, spikes)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what was enrolled as plain arrays."""
        lengths = np.array([len(features) for features, _ in self._views], np.int64)
        empty: tuple[Ints, Floats] = (np.zeros(0, np.int64), np.zeros(0, np.float32))
        return {
            "lengths": lengths,
            "features": np.concatenate([empty[0], *(features for features, _ in self._views)]),
            "weights": np.concatenate([empty[1], *(weights for _, weights in self._views)]),
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
        self._views, self._energy, self._index = [], [], None
        for features, weights in zip(
            np.split(arrays["features"], ends[:-1]), np.split(arrays["weights"], ends[:-1]), strict=True
        ):
            view = np.zeros(self.shape, np.float32)
            view.flat[features] = weights
            self.enrol(view)

    def _strongest(self, view: Floats) -> tuple[Ints, Floats]:
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
        return active.astype(np.int64), weights / np.float32(max(norm, 1e-12))

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

    def _judge(self, similarity: Floats, spikes: NDArray[np.int32]) -> tuple[int, float]:
        """Return who fired first, of those the most similar, and its lead over rivals elsewhere."""
        runners = spikes[spikes[:, 0] == spikes[0, 0], 1] if len(spikes) else np.arange(len(similarity))
        place = int(runners[np.argmax(similarity[runners])])
        far = np.abs(np.arange(len(similarity)) - place) > self.config.neighbours
        if not far.any():
            return place, float(similarity[place])
        best, rival = float(similarity[place]), float(similarity[far].max())
        return place, max(0.0, (best - rival) / max(best - float(np.median(similarity)), 1e-6))


class _Index(NamedTuple):
    """All synapses by feature, so that a recall touches only those from features that are active."""

    start: Ints  #: (features + 1,)
    place: NDArray[np.int32]  #: (synapses,)
    weight: Floats  #: (synapses,)
    energy: NDArray[np.float64]  #: (places, rows + 1, columns + 1), summed squares (Crow 1984)

    @classmethod
    def of(
        cls, views: list[tuple[Ints, Floats]], energy: list[NDArray[np.float64]], shape: tuple[int, int, int]
    ) -> _Index:
        feature = np.concatenate([features for features, _ in views])
        place = np.repeat(np.arange(len(views), dtype=np.int32), [len(features) for features, _ in views])
        order = np.argsort(feature, kind="stable")
        start = np.zeros(int(np.prod(shape)) + 1, np.int64)
        np.cumsum(np.bincount(feature, minlength=start.size - 1), out=start[1:])
        weight = np.concatenate([weights for _, weights in views])
        return cls(start, place[order], weight[order], np.stack(energy))


@njit(cache=True, error_model="numpy")
def _compare(
    channel: Ints,
    row: Ints,
    column: Ints,
    weight: Floats,
    start: Ints,
    place: NDArray[np.int32],
    stored: Floats,
    energy: NDArray[np.float64],
    rows: int,
    columns: int,
    around: int,  # 0: the view has two ends
    reach: int,
    nod: int,
    similarity: Floats,
    turned: NDArray[np.int32],
    nodded: NDArray[np.int32],
) -> None:
    """Keep for each place the largest cosine over displacements, taken over the part that both views see."""
    n = similarity.size
    dot = np.empty(n)
    for dy in range(-nod, nod + 1):
        y0, y1 = max(0, -dy), min(rows, rows - dy)  # rows of stored views that the cue sees too
        if y0 >= y1:
            continue
        for dx in range(-reach, reach + 1 if around == 0 or 2 * reach < around else reach):
            dot[:] = 0.0
            mine = 0.0
            for f in range(channel.size):
                y, x = row[f] - dy, column[f] - dx
                if around > 0:
                    x %= around
                if y < 0 or y >= rows or x < 0 or x >= columns:
                    continue
                mine += np.float64(weight[f]) * weight[f]
                feature = (channel[f] * rows + y) * columns + x
                for s in range(start[feature], start[feature + 1]):
                    dot[place[s]] += weight[f] * stored[s]
            # Columns of stored views that the cue sees too: one stretch, and on a circle perhaps another.
            x0, x1 = max(0, -dx), min(columns, columns - dx)
            lap = around if dx > 0 else -around
            u0, u1 = max(0, lap - dx), min(columns, columns + lap - dx)
            for k in range(n):
                table = energy[k]
                theirs = 0.0
                if x0 < x1:
                    theirs += table[y1, x1] - table[y0, x1] - table[y1, x0] + table[y0, x0]
                if around > 0 and u0 < u1:
                    theirs += table[y1, u1] - table[y0, u1] - table[y1, u0] + table[y0, u0]
                # A part that holds little of either view says little: it is compared as if it held a quarter.
                cosine = dot[k] / np.sqrt(max(mine, 0.25) * max(theirs, 0.25))
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
