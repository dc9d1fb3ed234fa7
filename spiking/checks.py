"""Checks at the boundary of the substrate: compiled kernels trust their arrays, a wrong shape stops here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def require_population(n: int) -> None:
    """Raise ValueError unless a population of `n` neurons can be."""
    if n < 1:
        raise ValueError(f"a population needs >= 1 neuron, got {n}")


def require_room(count: int, spikes: NDArray[np.int32], steps: int, owner: str = "") -> None:
    """Raise ValueError when a kernel says, by a negative `count`, that its spikes do not fit `spikes`."""
    if count < 0:
        raise ValueError(f"{owner}spikes exceed the buffer of {len(spikes)} for {steps} steps")


def require_positive(what: str, record: object, *names: str) -> None:
    """Raise ValueError unless the fields `names` of `record` are finite numbers > 0."""
    for name in names:
        if not 0.0 < getattr(record, name) < np.inf:
            raise ValueError(f"{what} {name} must be > 0, got {getattr(record, name)}")


def require_shape(what: str, array: NDArray[np.generic], shape: tuple[int, ...]) -> None:
    """Raise ValueError unless `array` has `shape`."""
    if array.shape != shape:
        raise ValueError(f"{what} must have shape {shape}, got {array.shape}")


def require_spikes(what: str, spikes: NDArray[np.int32]) -> None:
    """Raise ValueError unless `spikes` is a C-ordered (k, 2) array of int32 (step, neuron)."""
    if spikes.ndim != 2 or spikes.shape[1] != 2:
        raise ValueError(f"{what} must be (k, 2) rows of (step, neuron), got shape {spikes.shape}")
    if spikes.dtype != np.int32:
        raise ValueError(f"{what} must be int32, got {spikes.dtype}")
    if not spikes.flags.c_contiguous:
        raise ValueError(f"{what} must be C-ordered: pass numpy.ascontiguousarray of them")
