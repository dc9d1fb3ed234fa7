"""Maps of several places: each has a region of its own within the range of the grid modules.

Together, modules of different scale tell places apart over a range far larger than any arena (Fiete, Burak
& Brookings 2008, J. Neurosci. 28:6858). A map that is begun anew lies somewhere in it, so that all modules
start from phases of their own: the cells realign, and place cells, which hear them, remap altogether (Fyhn et
al. 2007, Nature 446:190). The maps are charts in the sense of Samsonovich & McNaughton 1997, J. Neurosci.
17:5900.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..spiking.random import generator

RANGE = 50.0  #: m to each side of the first map within which the others lie


class Charts:
    """At most `limit` maps; which one is in use, and to which each of `memories` memories belongs."""

    def __init__(self, limit: int, memories: int, seed: int) -> None:
        self.origins = generator(seed, "charts").uniform(-RANGE, RANGE, (limit, 2))
        self.origins[0] = 0.0  #: (limit, 2) m, of each map within the range of the modules
        self.of_memory = np.zeros(memories, np.int64)
        self.lived = np.zeros(limit)  #: s in which the robot knew where it is on each map
        self._state = np.array([0, 1])  # in use, begun

    @property
    def used(self) -> int:
        """Number of the map in use."""
        return int(self._state[0])

    @property
    def begun(self) -> int:
        """Maps begun so far."""
        return int(self._state[1])

    @property
    def full(self) -> bool:
        """Whether no other map can be begun."""
        return self.begun == len(self.origins)

    @property
    def origin(self) -> NDArray[np.float64]:
        """Origin (2,) of the map in use."""
        return np.asarray(self.origins[self.used])

    def turn_to(self, chart: int) -> None:
        """Use map `chart`."""
        self._state[0] = chart

    def begin(self) -> None:
        """Begin another map and use it; raise ValueError if there is room for none."""
        if self.full:
            raise ValueError(f"there is room for {len(self.origins)} maps only")
        self._state[:] = self.begun, self.begun + 1

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays."""
        return {
            "origins": self.origins,
            "of_memory": self.of_memory,
            "state": self._state,
            "lived": self.lived,
        }
