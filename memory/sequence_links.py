"""Links among place cells, learned from the order in which places are lived.

A link from i to j carries a vector: the mean course, in the map's frame, on which j fired after i, as strong
as i's trace was then; where i fires after j the course is subtracted (spike-timing dependent plasticity with
both signs). On a course u it drives j with what of the vector points along u, so links of many ways meet in
one place and only those ahead are felt. To learn such a link takes a heading signal at the synapse, which
head-direction cells give.

    dF_ij = eta (x_i u - F_ij)  at a spike of j,   dF_ij = -eta x_j u  at a spike of i

`near` has neither course nor sign: how close two fields lie. Cells fire single spikes far from their field,
where grid modules agree by chance; links from or to these would be ways through walls. So a trace as low as
a lone spike leaves, `lone`, is nothing to this rule, on either side of the synapse:

    dN_ij = eta ([x_i - lone]+ / (1 - lone) - N_ij)  at a spike of j, if x_j > lone

Nor does it join cells that are marked as `apart`: fields too far from each other to be passed in a row.
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
    reach: float = 0.45  #: m between the centres of fields that `near` may join
    tau_trace: float = 0.500  #: s, a lived second is worth this much: places further apart are not linked
    jump: float = 0.2  #: by which a spike fills what its cell's trace lacks
    lone: float = 0.2  #: trace up to which `near` takes no notice: that of a lone spike

    def __post_init__(self) -> None:
        for name in ("rate", "jump"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"links {name} must be in [0, 1], got {getattr(self, name)}")
        if not 0.0 <= self.lone < 1.0:
            raise ValueError(f"links lone must be in [0, 1), got {self.lone}")
        for name, unit in (("reach", "m"), ("tau_trace", "s")):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"links {name} must be > 0 {unit}, got {getattr(self, name)}")


class SequenceLinks:
    """Synapses among `cells` place cells: `forward` (cells, cells, 2) and `near` (cells, cells)."""

    def __init__(self, config: LinkConfig, cells: int) -> None:
        self.config, self.cells = config, cells
        self.forward = np.zeros((cells, cells, 2), np.float32)
        self.near = np.zeros((cells, cells), np.float32)
        self.apart = np.zeros((cells, cells), np.bool_)
        self.trace = np.zeros(cells, np.float32)

    def reset(self) -> None:
        """Forget what was lived just now; links stay."""
        self.trace[:] = 0.0

    def learn(self, spikes: NDArray[np.int32], used: int, steps: int, course: float) -> None:
        """Learn from one period's spikes (k, 2) of (ms, cell), ascending, lived on `course`, rad."""
        if not self.config.enabled:
            return
        config = self.config
        keep = float(np.exp(-1e-3 / config.tau_trace))
        constants = np.array([config.rate, keep, config.jump, config.lone, np.cos(course), np.sin(course)])
        learn(
            self.forward, self.near, self.apart, self.trace, spikes, used, steps, constants.astype(np.float32)
        )

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
        return {"forward": self.forward, "near": self.near, "apart": self.apart, "trace": self.trace}


@njit(cache=True)
def learn(
    forward: Floats,
    near: Floats,
    apart: NDArray[np.bool_],
    trace: Floats,
    spikes: NDArray[np.int32],
    used: int,
    steps: int,
    constants: Floats,  # rate, what a ms leaves of a trace, jump, lone, course (2)
) -> None:
    """See the module's equations."""
    rate, keep, jump, lone = constants[0], constants[1], constants[2], constants[3]
    ux, uy = constants[4], constants[5]
    now, zero, one = 0, np.float32(0.0), np.float32(1.0)
    for k in range(len(spikes)):
        at, j = spikes[k, 0], spikes[k, 1]
        if at > now:
            fade = keep ** np.float32(at - now)
            for i in range(used):
                trace[i] *= fade
            now = at
        in_field = trace[j] > lone
        for i in range(used):
            x = trace[i]
            if i == j:
                continue
            if x < np.float32(0.01) and near[i, j] == zero and forward[i, j, 0] == zero == forward[i, j, 1]:
                continue
            forward[i, j, 0] += rate * (x * ux - forward[i, j, 0])
            forward[i, j, 1] += rate * (x * uy - forward[i, j, 1])
            if in_field and not apart[i, j]:
                near[i, j] += rate * (max(x - lone, zero) / (one - lone) - near[i, j])
            forward[j, i, 0] -= rate * x * ux
            forward[j, i, 1] -= rate * x * uy
        trace[j] += jump * (one - trace[j])
    fade = keep ** np.float32(steps - now)
    for i in range(used):
        trace[i] *= fade
