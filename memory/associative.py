"""CA3 at scale: assemblies completed by recurrent synapses, in order along synapses of their own.

Auto-association, within an assembly, and hetero-association, from one assembly to another, use separate
synapses at separate phases of theta (Hasselmo, Bodelon & Wyble 2002): in one phase volleys of spikes, one a
gamma cycle, settle in an assembly; in the other a single volley along the links leaves it for the next one.
Capacity: p = k C / (a ln(1/a)) patterns for C recurrent synapses a cell and a share a of active cells, k
about 0.2 to 0.3 (Treves & Rolls 1991, Network 2:371); `benchmarks/capacity.py` measures it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dendrites import DendriteConfig
from .synapses import Synapses
from .volley import CYCLE, volley

Floats = NDArray[np.float32]
Cells = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class AssociativeConfig:
    """Cells, synapses and dynamics. Drives are in units of the firing threshold."""

    neurons: int = 2000
    assembly: int = 40  #: cells of a memory
    connectivity: float = 0.5  #: share of the other cells whose synapses a cell has
    ceiling: int = 1  #: largest weight; 1 for clipped synapses
    unset: float = 0.7  #: what synapses that were never strengthened take away, of what the others give
    gain: float = 4.0  #: drive of a cell that hears all active cells of its assembly
    sustained: float = 2.0  #: drive of a cell that hears all cells of the cue, while the assembly completes
    cycles: int = 6  #: gamma cycles in a theta cycle, at most
    dendrites: DendriteConfig = field(default_factory=DendriteConfig)

    def __post_init__(self) -> None:
        if self.neurons < 2:
            raise ValueError(f"associative neurons must be >= 2, got {self.neurons}")
        if not 1 <= self.assembly <= self.neurons:
            raise ValueError(f"associative assembly must be in 1..{self.neurons}, got {self.assembly}")
        if not self.gain > 1.0:
            raise ValueError(f"associative gain must be > 1, got {self.gain}")
        if self.sustained < 0.0:
            raise ValueError(f"associative sustained must be >= 0, got {self.sustained}")
        if self.cycles < 1:
            raise ValueError(f"associative cycles must be >= 1, got {self.cycles}")

    @property
    def recurrent(self) -> float:
        """Recurrent synapses of a cell, on average: C."""
        return self.connectivity * self.neurons


class Associative:
    """LIF cells with recurrent synapses: `bind`, `link`, `complete` and `follow` assemblies of cells."""

    def __init__(self, config: AssociativeConfig, seed: int) -> None:
        self.config = config
        n, share, top = config.neurons, config.connectivity, config.ceiling
        self.auto = Synapses(n, n, share, top, seed, "auto-association", False, config.unset)
        self.ahead = Synapses(n, n, share, 1, seed, "links ahead", unset=config.unset)
        self.back = Synapses(n, n, share, 1, seed, "links back", unset=config.unset)

    def bind(self, assembly: Cells) -> None:
        """Join the cells of an assembly (m,)."""
        self.auto.bind(assembly, assembly)

    def link(self, before: Cells, after: Cells) -> None:
        """Let assembly `after` (m,) follow `before` (k,), and the other way when going back."""
        self.ahead.bind(before, after)
        self.back.bind(after, before)

    def evoked(self, senses: Floats, gain: float) -> Cells:
        """Return the cells that fire first under `senses` (neurons,), which drive them with up to `gain`."""
        drive = self.config.dendrites.drive(senses, gain, np.zeros_like(senses), 0.0)
        return np.sort(volley(drive, self.config.assembly)[0])

    def complete(self, active: Cells, senses: Floats | None = None) -> tuple[Cells, NDArray[np.float64]]:
        """Settle from the cells `active` (k,), under lasting `senses` (neurons,), shares of the cue heard.

        Returns
        -------
        assembly : (m,) cells of the last volley, ascending
        spikes : (s, 2) of (ms, cell)
        """
        config, spikes = self.config, [np.zeros((0, 2))]
        for cycle in range(config.cycles):
            recall = self.auto.drive(active)
            basal = np.zeros_like(recall) if senses is None else senses
            drive = config.dendrites.drive(basal, config.sustained, recall, config.gain)
            fired, latency = volley(drive, config.assembly)
            spikes.append(np.column_stack((CYCLE * cycle + latency, fired)))
            fired = np.sort(fired)
            if np.array_equal(fired, active):
                break
            active = fired
        return active, np.concatenate(spikes)

    def follow(self, active: Cells, back: bool = False) -> Cells:
        """Return the cells that fire after those `active` (k,), along the links; none at the end."""
        links = self.back if back else self.ahead
        return np.sort(volley(np.float32(self.config.gain) * links.drive(active), self.config.assembly)[0])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays."""
        return {"auto": self.auto.bytes, "ahead": self.ahead.bytes, "back": self.back.bytes}
