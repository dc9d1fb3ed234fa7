"""From the sheets to what reads them: one input a phase, whichever layer fired."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def merge(sheets: Sequence[NDArray[np.int32]], phases: int, steps: int) -> tuple[NDArray[np.int32], Floats]:
    """Join the spikes (k, 2) of (ms, neuron) of several sheets of `phases` phases over `steps` ms.

    Returns spikes (n, 2) of (ms, sheet * phases + phase), ascending in time, and how many spikes each of
    these inputs had.
    """
    spikes = np.concatenate(sheets)
    first = np.repeat(np.arange(len(sheets)) * phases, [len(sheet) for sheet in sheets])
    merged, counts = np.empty_like(spikes), np.zeros(len(sheets) * phases, np.float32)
    _merge(spikes, first, phases, steps, merged, counts)
    return merged, counts


@njit(cache=True)
def _merge(
    spikes: NDArray[np.int32],
    first: NDArray[np.int64],
    phases: int,
    steps: int,
    merged: NDArray[np.int32],
    counts: Floats,
) -> None:
    begin = np.zeros(steps + 1, np.int64)
    for k in range(len(spikes)):
        begin[spikes[k, 0] + 1] += 1
    for step in range(steps):
        begin[step + 1] += begin[step]
    for k in range(len(spikes)):
        step = spikes[k, 0]
        to = first[k] + spikes[k, 1] % phases
        merged[begin[step], 0] = step
        merged[begin[step], 1] = to
        begin[step] += 1
        counts[to] += np.float32(1.0)
