"""Lesions: neurons of a region that never fire again.

Dead neurons stay dead in every copy of the agent's state, and nothing takes their place but what plasticity
does with those that are left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..spiking.random import generator

if TYPE_CHECKING:
    from .navigator import Navigator

#: What each region is, for messages and documents.
REGIONS = {
    "vision": "view cells",
    "heading": "head-direction ring",
    "grid": "all grid modules",
    "ca3": "CA3",
    "place": "place cells (CA1)",
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
    memory, dead = agent.memory, 0

    def drawn(size: int) -> NDArray[np.int64]:
        nonlocal dead
        neurons = np.sort(rng.permutation(size)[: round(fraction * size)])
        dead += len(neurons)
        return neurons

    if region == "vision":
        agent.perception.lesion(drawn(agent.perception.size))
    elif region == "heading":
        memory.heading.lesion(drawn(memory.heading.size))
    elif region == "grid":
        for module in memory.grids:
            module.lesion(drawn(module.size))
    elif region == "ca3":
        memory.ca3.lesion(drawn(memory.ca3.config.neurons))
    else:
        memory.place.lesion(drawn(memory.place.size))
    return dead
