"""A gamma cycle: cells that race to their first spike, until inhibition ends it.

All cells start from rest under a constant drive I (in units of threshold) and reach threshold at
t = tau ln(I / (I - 1)), the strongest first. An interneuron hears every spike; when it has counted `winners`
of them it silences the cells until the next cycle. This is the exact solution, spike by spike, of LIF cells
with that inhibition, and needs no steps of time (winners by inhibition: de Almeida, Idiart & Lisman 2009).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Cells = NDArray[np.int32]

TAU = 10.0  #: ms, membrane
CYCLE = 25.0  #: ms, of gamma at 40 Hz


def volley(drive: Floats, winners: int) -> tuple[Cells, NDArray[np.float64]]:
    """Return who fires under `drive` (n,), in order, and when, ms from the start of the cycle."""
    able = np.flatnonzero(drive > 1.0)
    if able.size > winners:
        able = able[np.argpartition(-drive[able], winners - 1)[:winners]]
    able = able[np.lexsort((able, -drive[able]))]
    strength = drive[able].astype(np.float64)
    latency = TAU * np.log(strength / (strength - 1.0))
    in_time = latency < CYCLE
    return able[in_time].astype(np.int32), latency[in_time]
