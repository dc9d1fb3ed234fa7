"""Evidence from a sequence of views: places that were enrolled one after the other are passed again in order.

One view may mislead; ten in a row hardly do (SeqSLAM, Milford & Wyeth 2012). Each place hands on what speaks
for it to the places that follow it, along the links that experience has laid between them, while it fades. As
the robot may be faster or slower than when the places were enrolled, chains of several speeds run side by
side and the best counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SequenceConfig:
    """How long evidence lasts, and how many places are passed from one view to the next."""

    keep: float = 0.9  #: share of the evidence that is handed on
    speeds: tuple[float, ...] = (0.5, 0.75, 1.0, 1.5, 2.0)  #: places a view

    def __post_init__(self) -> None:
        if not 0.0 <= self.keep < 1.0:
            raise ValueError(f"sequence keep must be in [0, 1), got {self.keep}")
        if not self.speeds:
            raise ValueError("sequence speeds must not be empty")


class SequenceEvidence:
    """Chains over `places` places; `add` the similarities of each view in turn."""

    def __init__(self, config: SequenceConfig, places: int) -> None:
        self.config, self.places = config, places
        self._evidence = np.zeros((len(config.speeds), places))
        self._weight = np.zeros((len(config.speeds), places))

    def clear(self) -> None:
        """Begin a new sequence."""
        self._evidence[:] = 0.0
        self._weight[:] = 0.0

    def add(self, similarity: Floats) -> NDArray[np.float64]:
        """Take how similar each place is to the present view, (places,); return the evidence for each.

        The similarity of a view counts relative to its spread over places, so that views which tell places
        apart count more than views that do not. Evidence over w views grows as sqrt(w) where it is noise, by
        which it is divided.
        """
        if similarity.shape != (self.places,):
            raise ValueError(f"similarities must have shape ({self.places},), got {similarity.shape}")
        fresh = similarity.astype(np.float64)
        fresh = (fresh - fresh.mean()) / max(float(fresh.std()), 1e-9)
        place = np.arange(self.places)
        for k, speed in enumerate(self.config.speeds):
            source = place - speed
            handed = [
                np.interp(source, place, chain, left=0.0) for chain in (self._evidence[k], self._weight[k])
            ]
            self._evidence[k] = self.config.keep * handed[0] + fresh
            self._weight[k] = self.config.keep * handed[1] + 1.0
        total: NDArray[np.float64] = (self._evidence / np.sqrt(self._weight)).max(axis=0)
        return total
