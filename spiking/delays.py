"""The delay line of a projection: a ring of future input currents.

A spike of step t with a delay of d steps, d >= 1, is part of the target's current when step t + d begins.
`deliver` of a projection is called once a step, after the neurons have spiked: it writes the new spikes into
the ring, adds what is due to the target, and turns the ring by one slot.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .checks import require_shape, require_spikes

Floats = NDArray[np.float32]

#: In place of what each spike releases: every spike counts in full.
ALL: Floats = np.zeros(0, np.float32)


class DelayLine(NamedTuple):
    """State of a projection: input on its way."""

    ring: Floats  #: (longest delay, n_post) input due at later steps
    position: NDArray[np.int64]  #: (1,) slot that is due next

    @classmethod
    def zeros(cls, longest: int, n_post: int) -> DelayLine:
        """Return an empty line for delays up to `longest` steps onto `n_post` neurons."""
        return cls(np.zeros((longest, n_post), np.float32), np.zeros(1, np.int64))

    def clear(self) -> None:
        """Drop what is on its way."""
        self.ring[:] = 0.0
        self.position[:] = 0


def require_delivery(
    line: DelayLine, longest: int, n_post: int, spikes: NDArray[np.int32], target: Floats, released: Floats
) -> None:
    """Raise ValueError unless line, spikes, target and release fit a projection with these sizes."""
    require_shape("the delay line", line.ring, (longest, n_post))
    require_spikes("spikes", spikes)
    require_shape("the target current", target, (n_post,))
    if target.dtype != np.float32:
        raise ValueError(f"the target current must be float32, got {target.dtype}")
    if released.dtype != np.float32 or released.shape not in ((0,), (len(spikes),)):
        raise ValueError(f"released must be ({len(spikes)},) float32, got {released.dtype} {released.shape}")
    if len(spikes) and spikes[0, 0] != spikes[-1, 0]:
        raise ValueError(f"spikes of one step only, got steps {spikes[0, 0]} to {spikes[-1, 0]}")


def delivery_failed(n_pre: int, spikes: NDArray[np.int32]) -> ValueError:
    """Return the error for spikes of neurons that the projection does not have."""
    neurons = spikes[:, 1]
    wrong = neurons[(neurons < 0) | (neurons >= n_pre)]
    return ValueError(f"presynaptic neurons are 0..{n_pre - 1}, got a spike of neuron {wrong[0]}")
