"""Poisson sources: independent spike trains of given rates, drawn from counters.

A step of dt holds a spike with probability rate * dt and never two, so the mean rate is exact and the
variance of the count over its mean is 1 - rate * dt: keep rate * dt well below 1 where Poisson statistics
matter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .checks import require_positive, require_room, require_spikes
from .random import step_key, uniform, uniform_reference

Floats = NDArray[np.float32]


class PoissonState(NamedTuple):
    """State of a source: a Poisson process has no memory, only the counter of its draws."""

    step: NDArray[np.int64]  #: (1,) steps since the start

    @classmethod
    def zeros(cls) -> PoissonState:
        """Return a source at its first step."""
        return cls(np.zeros(1, np.int64))


def advance(
    state: PoissonState,
    rates: Floats,
    steps: int,
    key: np.uint32,
    spikes: NDArray[np.int32],
    dt: float = 1e-3,
) -> int:
    """Draw `steps` of `dt` s at `rates` (n,), Hz, float32.

    Spikes are written to `spikes` (capacity, 2) as (step, neuron), ascending; their number is returned.
    Raises ValueError for a rate outside [0, 1 / dt], and when the spikes do not fit.
    """
    _check(rates, dt)
    require_spikes("the spike buffer", spikes)
    count: int = _advance(state.step, rates, np.float32(dt), steps, key, spikes)
    if count == _BAD_RATE:
        raise ValueError(
            f"rates must be in [0, {1.0 / dt:g}] Hz for dt = {dt:g} s, got {_offender(rates, dt)}"
        )
    require_room(count, spikes, steps)
    return count


_FULL, _BAD_RATE = -1, -2


@njit(cache=True)
def _advance(
    clock: NDArray[np.int64],
    rates: Floats,
    dt: np.float32,
    steps: int,
    key: np.uint32,
    spikes: NDArray[np.int32],
) -> int:
    one = np.float32(1.0)
    for i in range(rates.size):
        if not np.float32(0.0) <= rates[i] * dt <= one:
            return _BAD_RATE
    count = 0
    for step in range(steps):
        at = step_key(key, np.uint32(clock[0] & 0xFFFFFFFF))
        clock[0] += 1
        for i in range(rates.size):
            if uniform(at, np.uint32(i)) < rates[i] * dt:
                if count >= spikes.shape[0]:
                    return _FULL
                spikes[count, 0] = step
                spikes[count, 1] = i
                count += 1
    return count


def advance_reference(
    state: PoissonState, rates: Floats, steps: int, key: np.uint32, dt: float = 1e-3
) -> NDArray[np.int32]:
    """NumPy twin of `advance`; returns the spikes (k, 2)."""
    _check(rates, dt)
    rows = []
    for step in range(steps):
        fired = uniform_reference(key, int(state.step[0]), rates.size) < rates * np.float32(dt)
        state.step[0] += 1
        rows += [(step, i) for i in np.flatnonzero(fired)]
    return np.array(rows, np.int32).reshape(-1, 2)


def _check(rates: Floats, dt: float) -> None:
    require_positive("Poisson", dt=dt)
    if rates.ndim != 1 or rates.dtype != np.float32:
        raise ValueError(f"rates must be (n,) float32 Hz, got {rates.dtype} of shape {rates.shape}")


def _offender(rates: Floats, dt: float) -> str:
    chance = rates * np.float32(dt)
    first = int(np.flatnonzero(~((chance >= 0.0) & (chance <= 1.0)))[0])
    return f"{rates[first]:g} at index {first}"
