"""CA1: reads CA3's recall back into entorhinal cells and compares it with what is sensed.

Each cell stands for one entorhinal cell. Its synapses from CA3 say what is expected, its direct entorhinal
input what is sensed; cells that are sensed and not expected tell how much is new (Lisman & Grace 2005).
Direct input may also help a cell that is expected to fire (`direct`); alone it does not make it fire.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .dendrites import DendriteConfig
from .synapses import Synapses
from .volley import volley

Cells = NDArray[np.int32]


class Comparator:
    """`inputs` cells on `neurons` CA3 cells.

    `gain` drives a cell that all active CA3 cells expect, `direct` one that is sensed.
    """

    def __init__(
        self,
        neurons: int,
        inputs: int,
        connectivity: float,
        gain: float,
        seed: int,
        direct: float = 0.0,
        dendrites: DendriteConfig | None = None,
    ) -> None:
        if not gain > 1.0:
            raise ValueError(f"comparator gain must be > 1, got {gain}")
        if not 0.0 <= direct < 1.0:
            raise ValueError(f"comparator direct must be in [0, 1), got {direct}")
        self.gain, self.inputs, self.direct = gain, inputs, direct
        self.dendrites = dendrites or DendriteConfig()
        self.schaffer = Synapses(neurons, inputs, connectivity, 1, seed, "schaffer collaterals")

    def bind(self, assembly: Cells, pattern: Cells) -> None:
        """Let the cells `pattern` (k,) expect their input from `assembly` (m,)."""
        self.schaffer.bind(assembly, pattern)

    def expect(self, active: Cells, sensed: Cells | None = None) -> Cells:
        """Return the cells (k,), ascending, that CA3's `active` cells make fire while `sensed` is felt."""
        recall = self.schaffer.drive(active)
        senses = np.zeros_like(recall)
        if sensed is not None:
            senses[sensed] = 1.0
        drive = self.dendrites.drive(senses, self.direct, recall, self.gain)
        return np.sort(volley(drive, self.inputs)[0])

    def mismatch(self, sensed: Cells, expected: Cells) -> float:
        """Return the share of `sensed` cells that are not `expected`; 0 where nothing is sensed.

        What is expected and not sensed does not count: a cue may be partial.
        """
        return 1.0 - float(np.isin(sensed, expected).mean()) if sensed.size else 0.0
