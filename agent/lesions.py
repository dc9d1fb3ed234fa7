"""Lesions: neurons of a region that never fire again.

Dead neurons stay dead in every copy of the agent's state, and nothing takes their place but what plasticity
does with those that are left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ..spiking.random import generator

if TYPE_CHECKING:
    from ..memory.spatial import SpatialMemory
    from .navigator import Navigator


class Part(Protocol):
    """Neurons that can die."""

    @property
    def size(self) -> int: ...
    def lesion(self, neurons: NDArray[np.integer], /) -> None: ...


class _Places:
    """Place cells, which are not replayed either once they are dead."""

    def __init__(self, memory: SpatialMemory) -> None:
        self._memory = memory

    @property
    def size(self) -> int:
        return self._memory.place.size

    def lesion(self, neurons: NDArray[np.integer]) -> None:
        self._memory.place.lesion(neurons)
        self._memory.experience.forget(neurons)


#: The parts of each region.
REGIONS: dict[str, Callable[[Navigator], Sequence[Part]]] = {
    "vision": lambda agent: [agent.perception],
    "heading": lambda agent: [agent.memory.heading],
    "grid": lambda agent: agent.memory.grids,
    "ca3": lambda agent: [agent.memory.ca3],
    "place": lambda agent: [_Places(agent.memory)],
}


@dataclass(frozen=True, slots=True)
class PlannedLesion:
    """What dies when."""

    region: str
    fraction: float = 1.0
    trial: int = 0  #: before which it is done; 0 is before anything else

    @classmethod
    def parse(cls, text: str) -> PlannedLesion:
        """Return what REGION[:FRACTION][@TRIAL] means, such as ca3, grid:0.1 or place@11.

        Raises
        ------
        ValueError
            For a text that is none of these, or a region or fraction that cannot be.
        """
        match = re.fullmatch(r"([^:@]+)(?::([0-9.]+))?(?:@([0-9]+))?", text.strip())
        if match is None:
            raise ValueError(f"lesion {text!r}: expected REGION[:FRACTION][@TRIAL], such as ca3:0.5@11")
        try:
            planned = cls(match[1], float(match[2] or 1.0), int(match[3] or 0))
        except ValueError:
            raise ValueError(f"lesion {text!r}: {match[2]} is no number") from None
        _check(planned.region, planned.fraction)
        return planned


def lesion(agent: Navigator, region: str, fraction: float = 1.0, seed: int = 0) -> int:
    """Silence a random `fraction` of the neurons of `region` for good; return how many.

    Raises
    ------
    ValueError
        For a region that is not in `REGIONS`, or a fraction outside [0, 1].
    """
    _check(region, fraction)
    rng = generator(seed, f"lesion_{region}")
    dead = 0
    for part in REGIONS[region](agent):
        neurons = rng.permutation(part.size)[: round(fraction * part.size)]
        part.lesion(neurons)
        dead += len(neurons)
    return dead


def _check(region: str, fraction: float) -> None:
    if region not in REGIONS:
        raise ValueError(f"unknown region {region!r}; known: {', '.join(REGIONS)}")
    if not 0.0 <= fraction <= 1.0:
        raise ValueError(f"the fraction of a lesion must be in [0, 1], got {fraction}")
