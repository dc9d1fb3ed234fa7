"""An associative memory after the hippocampus: dentate gyrus, CA3 and CA1 on patterns of entorhinal cells.

Storing: the dentate gyrus chooses an assembly of CA3, whose recurrent synapses join it, while perforant-path
synapses learn to evoke it and CA1 learns to read it. Recalling: the perforant path evokes what the cue
resembles, CA3 completes it, CA1 reads it and says how much of what is sensed was not expected. That decides
between storing and recalling (`meet`).
A context (an environment, a task) is a group of cells of its own that is active all the time there:
assemblies of different contexts share few cells even where the senses agree, as place cells remap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .associative import Associative, AssociativeConfig
from .comparator import Comparator
from .dendrites import DendriteConfig
from .dentate import Dentate, DentateConfig
from .growing import room_for
from .synapses import Synapses

Cells = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class HippocampusConfig:
    """Sizes of the parts."""

    inputs: int = 1000  #: entorhinal cells
    contexts: int = 1
    context_cells: int = 0  #: cells of each context
    perforant: float = 1.0  #: share of entorhinal cells that a CA3 cell hears
    schaffer: float = 1.0  #: share of CA3 cells that a CA1 cell hears
    cue: float = 4.0  #: drive of a CA3 cell that all cells of the cue evoke
    read: float = 2.0  #: drive of a CA1 cell that all active CA3 cells expect
    direct: float = 0.0  #: drive of a CA1 cell whose entorhinal cell is in the cue
    novelty: float = 0.5  #: mismatch above which a pattern is stored
    dentate: DentateConfig = field(default_factory=DentateConfig)
    ca3: AssociativeConfig = field(default_factory=AssociativeConfig)
    ca1_dendrites: DendriteConfig = field(default_factory=DendriteConfig)

    def __post_init__(self) -> None:
        for name in ("inputs", "contexts"):
            if getattr(self, name) < 1:
                raise ValueError(f"hippocampus {name} must be >= 1, got {getattr(self, name)}")
        if self.context_cells < 0:
            raise ValueError(f"hippocampus context_cells must be >= 0, got {self.context_cells}")
        if not 0.0 < self.novelty < 1.0:
            raise ValueError(f"hippocampus novelty must be in (0, 1), got {self.novelty}")


class Recall(NamedTuple):
    """What a cue brought back."""

    neurons: Cells  #: (m,) CA3 cells, ascending
    pattern: Cells  #: (k,) entorhinal cells, ascending
    spikes: NDArray[np.float64]  #: (s, 2) of (ms, CA3 cell)
    mismatch: float  #: share of the cue that the recalled pattern lacks


class Hippocampus:
    """Patterns are index lists of active entorhinal cells; see the module."""

    def __init__(self, config: HippocampusConfig, seed: int = 0) -> None:
        self.config = config
        afferents, n = config.inputs + config.contexts * config.context_cells, config.ca3.neurons
        self.dentate = Dentate(config.dentate, afferents, n, seed)
        self.ca3 = Associative(config.ca3, seed)
        self.ca1 = Comparator(
            n, config.inputs, config.schaffer, config.read, seed, config.direct, config.ca1_dendrites
        )
        self.perforant = Synapses(afferents, n, config.perforant, 1, seed, "perforant path")
        self.stored = np.zeros(1, np.int64)
        self._assemblies = np.zeros(64 * config.ca3.assembly, np.int32)

    @property
    def memories(self) -> int:
        """Number of patterns stored."""
        return int(self.stored[0])

    @property
    def nbytes(self) -> int:
        """Bytes of synapses, whatever they hold, and of the list of assemblies."""
        return sum(array.nbytes for array in self.arrays().values())

    def assembly(self, memory: int) -> Cells:
        """Return the CA3 cells (m,) of memory number `memory`."""
        if not 0 <= memory < self.memories:
            raise ValueError(f"memory must be in 0..{self.memories - 1}, got {memory}")
        size = self.config.ca3.assembly
        return self._assemblies[memory * size : (memory + 1) * size]

    def store(self, pattern: ArrayLike, context: int = 0) -> int:
        """Keep `pattern` (k,), indices of active cells, in one shot; return its number."""
        cells = self._cells(pattern)
        sensed = self._with_context(cells, context)
        size, at = self.config.ca3.assembly, self.memories
        assembly = self.dentate.choose(self.dentate.code(sensed), size)
        if assembly.size < size:
            raise ValueError(
                f"a pattern of {cells.size} cells evokes {assembly.size} CA3 cells, needs {size}"
            )
        self.ca3.bind(assembly)
        self.perforant.bind(sensed, assembly)
        self.ca1.bind(assembly, cells)
        self._assemblies = room_for(self._assemblies, (at + 1) * size)
        self._assemblies[at * size : (at + 1) * size] = assembly
        self.stored[0] += 1
        return at

    def recall(self, cue: ArrayLike, context: int = 0) -> Recall:
        """Bring back what the cells `cue` (k,) resemble."""
        cells = self._cells(cue)
        senses = self.perforant.drive(self._with_context(cells, context))
        active, spikes = self.ca3.complete(self.ca3.evoked(senses, self.config.cue), senses)
        expected = self.ca1.expect(active, cells)
        return Recall(active, expected, spikes, self.ca1.mismatch(cells, expected))

    def meet(self, pattern: ArrayLike, context: int = 0) -> tuple[Recall, int | None]:
        """Recall `pattern` (k,), store it where it is new; return the recall, and its number if stored."""
        recall = self.recall(pattern, context)
        new = recall.mismatch > self.config.novelty
        return recall, self.store(pattern, context) if new else None

    def link(self, before: int, after: int) -> None:
        """Let memory number `after` follow number `before`."""
        self.ca3.link(self.assembly(before), self.assembly(after))

    def replay(self, start: int, direction: int = 1, steps: int = 5) -> list[Recall]:
        """Run along the links from memory number `start`, one theta cycle a step; less where they end.

        `direction` is 1, in the order of the links, or -1. The start is not among what is returned.
        """
        if direction not in (1, -1):
            raise ValueError(f"replay direction must be 1 or -1, got {direction}")
        active, out = self.assembly(start), list[Recall]()
        for _ in range(steps):
            fired = self.ca3.follow(active, direction < 0)
            if not fired.size:
                break
            active, spikes = self.ca3.complete(fired)
            out.append(Recall(active, self.ca1.expect(active), spikes, 0.0))
        return out

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state: synapses, and which cells each memory has."""
        used = self.memories * self.config.ca3.assembly
        return self.ca3.arrays() | {
            "perforant": self.perforant.bytes,
            "schaffer": self.ca1.schaffer.bytes,
            "assemblies": self._assemblies[:used],
            "stored": self.stored,
        }

    def load(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take up what `arrays` gave; raises ValueError where sizes differ."""
        live = self.arrays()
        for name in ("auto", "ahead", "back", "perforant", "schaffer", "stored"):
            if arrays[name].shape != live[name].shape:
                raise ValueError(f"{name} must have shape {live[name].shape}, got {arrays[name].shape}")
            live[name][:] = arrays[name]
        self._assemblies = arrays["assemblies"].astype(np.int32)

    def _cells(self, pattern: ArrayLike) -> Cells:
        cells = np.unique(np.asarray(pattern))
        if cells.ndim != 1 or cells.size == 0 or cells.dtype.kind not in "iu":
            raise ValueError("a pattern must be a non-empty list of cell numbers")
        if cells[0] < 0 or cells[-1] >= self.config.inputs:
            raise ValueError(f"cells must be in 0..{self.config.inputs - 1}, got {cells[0]}..{cells[-1]}")
        return cells.astype(np.int32)

    def _with_context(self, cells: Cells, context: int) -> Cells:
        if not 0 <= context < self.config.contexts:
            raise ValueError(f"context must be in 0..{self.config.contexts - 1}, got {context}")
        first = self.config.inputs + context * self.config.context_cells
        return np.concatenate((cells, np.arange(first, first + self.config.context_cells, dtype=np.int32)))
