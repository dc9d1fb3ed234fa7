"""CA3: an associative memory of spiking neurons that stores place and view together in one shot.

A memory is an assembly of a few neurons. Storing sets, once, the synapses from the active view cells and grid
cells to the assembly, from the assembly back to the grid cells, and among the assembly's own neurons. Each
neuron sees a random part of the input (`connectivity`), so an assembly is completed by its recurrent links
when the cue is partial (Marr 1971; Treves & Rolls 1994). Recall is a short burst: neurons whose input
resembles what they stored fire first, excite their assembly, and feedback inhibition holds the rest down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking.lif import relax
from ..spiking.model import fire, write
from ..spiking.random import generator
from .matching import dots
from .neurons import NeuronConfig

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CA3Config:
    """Size and recall dynamics. Drives are in units of the firing threshold."""

    neurons: int = 2000
    assembly: int = 5  #: neurons a memory
    connectivity: float = 0.6  #: share of the inputs that a neuron sees
    view_gain: float = 4.0  #: drive at full similarity of the view
    grid_gain: float = 0.0  #: drive at full similarity of the place; ties recall to the present estimate
    recurrent: float = 0.25  #: current a spike adds to each fellow of its assembly
    inhibition: float = 0.10  #: current a spike takes from all neurons
    burst: int = 24  #: ms of a recall
    tau_synapse: float = 0.006  #: s, of synapses among the neurons, and of their inhibition
    cell: NeuronConfig = field(default_factory=lambda: NeuronConfig(tau_membrane=0.010, refractory=0.002))

    def __post_init__(self) -> None:
        if self.neurons < 1:
            raise ValueError(f"ca3 neurons must be >= 1, got {self.neurons}")
        if not 1 <= self.assembly <= self.neurons:
            raise ValueError(f"ca3 assembly must be in 1..{self.neurons}, got {self.assembly}")
        if not 0.0 < self.connectivity <= 1.0:
            raise ValueError(f"ca3 connectivity must be in (0, 1], got {self.connectivity}")


class Recall(NamedTuple):
    """What one burst brought back."""

    spikes: NDArray[np.int32]  #: (k, 2) of (ms, neuron)
    counts: Floats  #: (neurons,) spikes of each neuron
    grid: Floats  #: (grid inputs,) recalled grid activity, sum of the active neurons' stored patterns
    similarity: float  #: of the cue's view and what the active neurons stored, 0..1


class CA3:
    """`neurons` LIF neurons with one-shot synapses from `views` and `grids` inputs and among themselves."""

    def __init__(self, config: CA3Config, views: int, grids: int, seed: int) -> None:
        self.config, self.views, self.grids = config, views, grids
        n = config.neurons
        rng = generator(seed, "ca3")
        self.sees_view = rng.random((n, views), dtype=np.float32) < config.connectivity
        self.sees_grid = rng.random((n, grids), dtype=np.float32) < config.connectivity
        self._separation = rng.normal(size=(64, n)).astype(np.float32)
        self._mixing = rng.normal(size=(views + grids, 64)).astype(np.float32) / 8.0
        self.view_weights = np.zeros((n, views), np.float32)
        self.grid_weights = np.zeros((n, grids), np.float32)
        self.recurrent = np.zeros((n, n), np.uint8)
        self.usage = np.zeros(n, np.float32)
        self.born = np.zeros(n, np.float64)  #: s, when the neuron last stored
        self.heads = np.zeros(n, np.bool_)  #: one neuron of each assembly
        self.stored = np.zeros(1, np.int64)
        self.memory_of = np.full(n, -1, np.int64)  #: number of the memory that each neuron stored last
        #: (memories, grids) places as stored, before each neuron sees its part
        self.places = np.zeros((n // config.assembly, grids), np.float32)
        self.dead = np.zeros(n, np.bool_)
        self._spikes = np.zeros((n * config.burst, 2), np.int32)

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.config.neurons

    def lesion(self, neurons: NDArray[np.integer]) -> None:
        """Let `neurons` never fire again, nor store; the head of an assembly is one that is left of it."""
        self.dead[neurons] = True
        for head in np.flatnonzero(self.heads & self.dead):
            self.heads[head] = False
            self.heads[np.flatnonzero((self.memory_of == self.memory_of[head]) & ~self.dead)[:1]] = True

    @property
    def _storing(self) -> NDArray[np.bool_]:
        """Which neurons are alive and hold a memory, (neurons,)."""
        return np.asarray((self.usage > 0.0) & ~self.dead)

    @property
    def memories(self) -> int:
        """Number of memories stored so far."""
        return int(self.stored[0])

    @property
    def full(self) -> bool:
        """Whether too few neurons are left that hold no memory."""
        return int(np.count_nonzero((self.usage == 0.0) & ~self.dead)) < self.config.assembly

    @property
    def synapses(self) -> int:
        """Synapses that storing may set."""
        n = self.config.neurons
        return int(self.sees_view.sum()) + 2 * int(self.sees_grid.sum()) + n * n

    @property
    def seen_grids(self) -> int:
        """How many grid inputs a neuron sees, on average: so many hear it, too."""
        return round(int(self.sees_grid.sum()) / self.size)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays: synapses, and which neurons hold how many memories since when."""
        return {
            "view_weights": self.view_weights,
            "grid_weights": self.grid_weights,
            "recurrent": self.recurrent,
            "usage": self.usage,
            "born": self.born,
            "heads": self.heads,
            "stored": self.stored,
            "memory_of": self.memory_of,
            "places": self.places,
            "dead": self.dead,
        }

    def store(self, view: Floats, grid: Floats, now: float = 0.0) -> NDArray[np.int64]:
        """Bind `view` (views,) and `grid` (grids,), unit vectors, in a new assembly at time `now` s.

        Returns the assembly's neurons, ascending.

        The dentate step: a random projection of the input picks the assembly, and neurons that already hold a
        memory are less excitable, as granule cells that are young win over old ones.
        """
        code = np.tanh(np.concatenate((view, grid)) @ self._mixing) @ self._separation
        code = code / np.float32(max(float(code.std()), 1e-6)) - 20.0 * self.usage - 1e6 * self.dead
        chosen = np.sort(np.argpartition(-code, self.config.assembly - 1)[: self.config.assembly])
        for neuron in chosen:
            self._bind(int(neuron), view, grid)
        self.recurrent[np.ix_(chosen, chosen)] = 1
        self.recurrent[chosen, chosen] = 0
        self.heads[chosen] = False
        self.heads[chosen[0]] = True
        self.usage[chosen] += 1.0
        self.born[chosen] = now
        self.memory_of[chosen] = self.stored[0]
        if self.stored[0] < len(self.places):
            self.places[self.stored[0]] = grid
        self.stored[0] += 1
        return chosen

    def place_again(self, memory: int, grid: Floats) -> None:
        """Let the grid synapses of `memory` take the shape of `grid` (grids,): its place has been relaxed."""
        for neuron in np.flatnonzero(self.memory_of == memory):
            row = np.where(self.sees_grid[neuron], grid, np.float32(0.0))
            self.grid_weights[neuron] = row / np.float32(max(float(np.sqrt((row * row).sum())), 1e-6))

    def _bind(self, neuron: int, view: Floats, grid: Floats) -> None:
        share = np.float32(1.0 / (1.0 + self.usage[neuron]))
        for weights, sees, pattern in (
            (self.view_weights, self.sees_view, view),
            (self.grid_weights, self.sees_grid, grid),
        ):
            row = weights[neuron] * (np.float32(1.0) - share) + share * np.where(
                sees[neuron], pattern, np.float32(0.0)
            )
            norm = float(np.sqrt((row * row).sum()))
            weights[neuron] = row / np.float32(max(norm, 1e-6))

    def view_similarity(self, cues: Floats, among: NDArray[np.bool_] | None = None) -> Floats:
        """Return the cosine (h, neurons) between cues (h, views), unit vectors, and what each neuron stored.

        The cosine is taken over the inputs that the neuron sees; it is 0 for neurons that are not `among`.
        """
        out = np.zeros((len(cues), self.config.neurons), np.float32)
        who = self._storing if among is None else among & self._storing
        dots(np.ascontiguousarray(cues), self.view_weights, who, out)
        return np.asarray(out / np.float32(np.sqrt(self.config.connectivity)), np.float32)

    def search(self, cues: Floats, memories: int = 24) -> Floats:
        """Return `view_similarity` (h, neurons) of `cues` (h, views) for the best `memories`, 0 for the rest.

        One neuron of each assembly, at every second cue, tells which memories are worth comparing; the others
        would be held down by inhibition. Neighbouring cues must resemble each other.
        """
        heads = np.flatnonzero(self.heads)
        if len(heads) > memories:
            coarse = self.view_similarity(cues[::2], self.heads)[:, heads].max(axis=0)
            heads = heads[np.argpartition(-coarse, memories - 1)[:memories]]
        among = np.asarray(self.recurrent[heads].any(axis=0), np.bool_)
        among[heads] = True
        return self.view_similarity(cues, among)

    def grid_similarity(self, grid: Floats) -> Floats:
        """Return the cosine (neurons,) of `grid` (grids,), a unit vector, and what each neuron stored."""
        out = np.zeros((1, self.config.neurons), np.float32)
        dots(np.ascontiguousarray(grid[None]), self.grid_weights, self._storing, out)
        return np.asarray(out[0] / np.float32(np.sqrt(self.config.connectivity)), np.float32)

    def recall(self, view_match: Floats, grid_match: Floats | None = None) -> Recall:
        """Burst on the similarities (neurons,) of a cue; without `grid_match` by view alone."""
        config = self.config
        drive = config.view_gain * view_match
        if grid_match is not None:
            drive = drive + config.grid_gain * grid_match
        drive = np.where(self.usage > 0.0, drive, 0.0).astype(np.float32)
        drive[self.dead] = -1e6  # out of reach of their assembly, too
        count = _burst(
            drive, self.recurrent, config.burst, config.cell.constants(config.neurons),
            config.cell.reach(config.tau_synapse),
            np.float32(np.exp(-1e-3 / config.tau_synapse)), np.float32(config.recurrent),
            np.float32(config.inhibition), self._spikes,
        )  # fmt: skip
        if count < 0:
            raise ValueError("CA3 spikes exceed their buffer")
        spikes = self._spikes[:count].copy()  # the next burst overwrites them
        counts = np.bincount(spikes[:, 1], minlength=config.neurons).astype(np.float32)
        active = np.flatnonzero(counts)
        weight = counts[active]
        total = np.float32(max(float(weight.sum()), 1.0))
        grid = (weight[:, None] * self.grid_weights[active]).sum(axis=0) / total
        similarity = float((weight * view_match[active]).sum() / total)
        return Recall(spikes, counts, np.asarray(grid, np.float32), similarity)


@njit(cache=True)
def _burst(
    drive: Floats,
    recurrent: NDArray[np.uint8],
    steps: int,
    constants: Floats,  # of LIF neurons
    reach: np.float32,  # drive that a current of 1 amounts to
    decay: np.float32,
    excite: np.float32,
    inhibit: np.float32,
    spikes: NDArray[np.int32],
) -> int:
    n = drive.size
    membrane, current, total = np.zeros(n, np.float32), np.zeros(n, np.float32), np.empty(n, np.float32)
    silent, fired, nothing = np.zeros(n, np.int32), np.empty(n, np.int32), np.zeros(0, np.float32)
    hold, count = np.float32(0.0), 0
    for step in range(steps):
        for i in range(n):
            total[i] = drive[i] - hold + reach * current[i]
            current[i] *= decay
        relax(membrane, total, nothing, constants)
        n_fired = fire(membrane, silent, constants[3], constants[4], constants[5], fired)
        hold = decay * hold + inhibit * n_fired
        for f in range(n_fired):
            row = recurrent[fired[f]]
            for j in range(n):
                current[j] += excite * np.float32(row[j])
        count = write(spikes, count, step, fired, n_fired)
        if count < 0:
            return -1
    return count
