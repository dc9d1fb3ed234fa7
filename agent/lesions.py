"""Lesions: neurons of a region that never fire again.

Dead neurons stay dead in every copy of the agent's state, and nothing takes their place but what plasticity
does with those that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ..spiking.random import generator

if TYPE_CHECKING:
    from .navigator import Navigator


class Part(Protocol):
    """Neurons that can die."""

    @property
    def size(self) -> int: ...
    def lesion(self, neurons: NDArray[np.integer], /) -> None: ...


#: The parts of each region.
REGIONS: dict[str, Callable[[Navigator], Sequence[Part]]] = {
    "vision": lambda agent: [agent.perception],
    "heading": lambda agent: [agent.memory.heading],
    "grid": lambda agent: agent.memory.grids,
    "ca3": lambda agent: [agent.memory.ca3],
    "place": lambda agent: [agent.memory.place],
}


def lesion(agent: Navigator, region: str, fraction: float = 1.0, seed: int = 0) -> int:
    """Silence a random `fraction` of the neurons of `region` for good; return how many.

    Raises
    ------
    ValueError
        For a region that is not in `REGIONS`, or a fraction outside [0, 1].
    """
    if region not in REGIONS:
        raise ValueError(f"unknown region {region!r}; known: {', '.join(REGIONS)}")
    if not 0.0 <= fraction <= 1.0:
        raise ValueError(f"the fraction of a lesion must be in [0, 1], got {fraction}")
    rng = generator(seed, f"lesion_{region}")
    dead = 0
    for part in REGIONS[region](agent):
        neurons = rng.permutation(part.size)[: round(fraction * part.size)]
        part.lesion(neurons)
        dead += len(neurons)
    return dead
