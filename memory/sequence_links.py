"""Links among place cells, learned from the order in which places are lived.

A link from i to j carries a vector: the mean course, in the map's frame, on which j fired after i, as strong
as i's trace was then; where i fires after j the course is subtracted (spike-timing dependent plasticity with
both signs). On a course u it drives j with what of the vector points along u, so links of many ways meet in
one place and only those ahead are felt. To learn such a link takes a heading signal at the synapse, which
head-direction cells give. `near` is the trace without course or sign: how close two fields lie.

    dF_ij = eta (x_i u - F_ij)  at a spike of j,   dF_ij = -eta x_j u  at a spike of i
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """How links are learned."""

    enabled: bool = True
    rate: float = 0.02  #: of a spike
    tau_trace: float = 0.500  #: s, a lived second is worth this much: places further apart are not linked
    jump: float = 0.2  #: by which a spike fills what its cell's trace lacks

    def __post_init__(self) -> None:
        for name in ("rate", "jump"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"links {name} must be in [0, 1], got {getattr(self, name)}")
        if self.tau_trace <= 0.0:
            raise ValueError(f"links tau_trace must be > 0 s, got {self.tau_trace}")


class SequenceLinks:
    """Synapses among `cells` place cells: `forward` (cells, cells, 2) and `near` (cells, cells)."""

    def __init__(self, config: LinkConfig, cells: int) -> None:
        self.config, self.cells = config, cells
        self.forward = np.zeros((cells, cells, 2), np.float32)
        self.near = np.zeros((cells, cells), np.float32)
        self.trace = np.zeros(cells, np.float32)

    def reset(self) -> None:
        """Forget what was lived just now; links stay."""
        self.trace[:] = 0.0

    def learn(self, spikes: NDArray[np.int32], used: int, steps: int, course: float) -> None:
        """Learn from one period's spikes (k, 2) of (ms, cell), ascending, lived on `course`, rad."""
        if not self.config.enabled:
            return
        learn(
            self.forward, self.near, self.trace, spikes, used, steps, np.float32(self.config.rate),
            np.float32(np.exp(-1e-3 / self.config.tau_trace)), np.float32(self.config.jump),
            np.float32(np.cos(course)), np.float32(np.sin(course)),
        )  # fmt: skip

    def along(self, course: float) -> Floats:
        """Return the links (cells, cells) that are felt on `course`, rad."""
        u = np.array([np.cos(course), np.sin(course)], np.float32)
        return np.asarray(np.maximum(self.forward @ u, np.float32(0.0)), np.float32)

    @property
    def strength(self) -> Floats:
        """Links (cells, cells) on the course that suits each best."""
        return np.asarray(np.sqrt((self.forward**2).sum(axis=2)), np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays."""
        return {"forward": self.forward, "near": self.near, "trace": self.trace}


@njit(cache=True)
def learn(
    forward: Floats,
    near: Floats,
    trace: Floats,
    spikes: NDArray[np.int32],
    used: int,
    steps: int,
    rate: np.float32,
    keep: np.float32,
    jump: np.float32,
    ux: np.float32,
    uy: np.float32,
) -> None:
    """See the module's equations; `keep` is what a ms leaves of a trace, which `jump` fills."""
    now, one = 0, np.float32(1.0)
    for k in range(len(spikes)):
        at, j = spikes[k, 0], spikes[k, 1]
        if at > now:
            fade = keep ** np.float32(at - now)
            for i in range(used):
                trace[i] *= fade
            now = at
        for i in range(used):
            x = trace[i]
            if i == j or (x < np.float32(0.01) and near[i, j] == np.float32(0.0)):
                continue
            forward[i, j, 0] += rate * (x * ux - forward[i, j, 0])
            forward[i, j, 1] += rate * (x * uy - forward[i, j, 1])
            near[i, j] += rate * (x - near[i, j])
            forward[j, i, 0] -= rate * x * ux
            forward[j, i, 1] -= rate * x * uy
        trace[j] += jump * (one - trace[j])
    fade = keep ** np.float32(steps - now)
    for i in range(used):
        trace[i] *= fade
