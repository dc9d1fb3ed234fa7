"""Short-term plasticity: a synapse that is used releases less, or more, for a while.

    dx/dt = (1 - x) / tau_rec,   du/dt = -u / tau_fac
    at a spike: u := u + U (1 - u), then u x is released and x := x - u x

Tsodyks, Pawelzik & Markram 1998, Neural Comput. 10:821. All synapses of one presynaptic neuron share x and u,
so the state has one entry a neuron and is touched only when it spikes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .checks import require_population
from .parameters import require_positive

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ShortTerm:
    """Parameters; the defaults are a depressing synapse between pyramidal cells (Tsodyks et al. 2000)."""

    use: float = 0.5  #: U, share of the resources that a spike after long silence releases
    tau_recovery: float = 0.8  #: s
    tau_facilitation: float = 0.0  #: s; 0: use does not build up

    def __post_init__(self) -> None:
        if not 0.0 < self.use <= 1.0:
            raise ValueError(f"ShortTerm use must be in (0, 1], got {self.use}")
        require_positive("ShortTerm", tau_recovery=self.tau_recovery)
        if not self.tau_facilitation >= 0.0:
            raise ValueError(f"ShortTerm tau_facilitation must be >= 0 s, got {self.tau_facilitation}")

    def constants(self, dt: float) -> NDArray[np.float64]:
        """Return use, and a step of `dt` s in units of each time constant."""
        facilitation = dt / self.tau_facilitation if self.tau_facilitation > 0.0 else np.inf
        return np.array([self.use, dt / self.tau_recovery, facilitation])

    def steady_release(self, rate: ArrayLike) -> NDArray[np.float64]:
        """Return what each spike of a regular train of `rate` Hz releases in the end, any shape."""
        interval = 1.0 / np.asarray(rate, np.float64)
        kept = np.exp(-interval / self.tau_facilitation) if self.tau_facilitation > 0.0 else 0.0 * interval
        use = self.use / (1.0 - (1.0 - self.use) * kept)
        gone = np.exp(-interval / self.tau_recovery)
        return np.asarray(use * (1.0 - gone) / (1.0 - (1.0 - use) * gone), np.float64)


#: Facilitating synapses onto interneurons. Tsodyks, Uziel & Markram 2000, J. Neurosci. 20:RC50.
FACILITATING = ShortTerm(use=0.04, tau_recovery=0.1, tau_facilitation=1.0)


class ShortTermState(NamedTuple):
    """State of n presynaptic neurons, as their last spikes left it."""

    resources: Floats  #: (n,) x
    use: Floats  #: (n,) u
    last: NDArray[np.int64]  #: (n,) step of the last spike, -1 for none

    @classmethod
    def zeros(cls, n: int) -> ShortTermState:
        """Return `n` neurons after long silence."""
        require_population(n)
        return cls(np.ones(n, np.float32), np.zeros(n, np.float32), np.full(n, -1, np.int64))
