"""Where the map ends: directions from known places in which nothing is known, neither a place nor a wall.

A direction from a place is open while no other place's field lies there and no wall was touched there. A
robot that has searched its map in vain goes to the nearest open one and on into it (frontier-based
exploration, Yamauchi 1997, Proc. IEEE CIRA); what it meets there, new places or a wall, closes it. This is
what a map is uncertain of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..memory.config import PERIOD
from ..memory.contacts import SECTORS
from ..memory.place import PlaceCells

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FrontierConfig:
    """What makes a direction known."""

    enabled: bool = True
    nearest: float = 0.12  #: m, fields nearer than that lie in no direction worth the name
    reach: float = 0.40  #: m, up to which a field makes its direction known
    spread: float = 0.60  #: rad to either side of a direction within which a field makes it known
    wall: float = 0.15  #: m around a contact within which places know of the wall
    facing: float = 0.5  #: rad to either side of a contact that the wall closes
    step: float = 0.40  #: m by which the robot aims beyond the last place
    trial: float = 2.0  #: s of aiming there after which a direction is given up

    def __post_init__(self) -> None:
        if not 0.0 <= self.nearest < self.reach:
            raise ValueError(f"frontier needs 0 <= nearest < reach m, got {self.nearest} and {self.reach}")
        for name, unit in (
            ("spread", "rad"),
            ("wall", "m"),
            ("facing", "rad"),
            ("step", "m"),
            ("trial", "s"),
        ):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"frontier {name} must be > 0 {unit}, got {getattr(self, name)}")


class Frontier:
    """What is open around each of `places` place cells."""

    def __init__(self, config: FrontierConfig, places: int) -> None:
        self.config = config
        self.closed = np.zeros((places, len(SECTORS)), np.float32)  #: 1 where a wall was met

    def open(self, place: PlaceCells) -> Bools:
        """Return which directions (used, 8), around `SECTORS` in the map's frame, are open."""
        used, config = place.used, self.config
        mine = place.of_this_map
        if not config.enabled or used == 0:
            return np.zeros((used, len(SECTORS)), np.bool_)
        known = _known(place.centres[:used], mine, SECTORS, config.nearest, config.reach, config.spread)
        return np.asarray(~known & (self.closed[:used] < 1.0) & mine[:, None])

    def touch(self, place: PlaceCells, here: NDArray[np.float64], course: float) -> None:
        """Close what lies towards `course`, rad, where a robot at `here` (2,) m meets a wall."""
        near = np.hypot(*(place.centres[: place.used] - here).T) < self.config.wall
        near &= place.of_this_map
        facing = np.cos(SECTORS - course) > np.cos(self.config.facing)
        self.closed[np.ix_(np.flatnonzero(near), np.flatnonzero(facing))] = 1.0

    def aim(self, cell: int, sector: int, seconds: float = PERIOD) -> None:
        """Take note that the robot aims from `cell` at `sector`: that is not tried for ever."""
        self.closed[cell, sector] += np.float32(seconds / self.config.trial)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that last."""
        return {"closed": self.closed}


@njit(cache=True)
def _known(
    centres: NDArray[np.float64],
    mine: Bools,
    sectors: NDArray[np.float64],
    nearest: float,
    reach: float,
    spread: float,
) -> Bools:
    """Return in which directions (n, sectors) of each place another one's field lies."""
    n, least = len(centres), np.cos(spread)
    known = np.zeros((n, len(sectors)), np.bool_)
    for i in range(n):
        for j in range(n):
            dx, dy = centres[j, 0] - centres[i, 0], centres[j, 1] - centres[i, 1]
            far = np.hypot(dx, dy)
            if mine[i] and mine[j] and nearest < far < reach:
                for s in range(len(sectors)):
                    if dx * np.cos(sectors[s]) + dy * np.sin(sectors[s]) > least * far:
                        known[i, s] = True
    return known
