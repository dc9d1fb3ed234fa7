"""Guidance from the map: preplay runs ahead to what is worth going for, and the actor hears where it leads.

Every now and then, place cells run from the present place uphill along lived links (value-guided preplay,
Pfeiffer & Foster 2013), to a remembered goal, or, where no goal is left, to places that were not visited of
late, and when all were, or a goal at its edge was not found, to where the map ends (`frontier`); not in a
robot's first episode, in which it gets to know the place. What fires ahead is a target; its direction excites
actor neurons as a reflex does, so that the choice stays a competition of spikes and what the map makes the
robot do is learned as a habit. Where the robot bumps, links that lead on through the obstacle are weakened:
the next preplay goes another way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..memory.config import PERIOD
from ..memory.contacts import SECTORS, touched
from ..memory.recollection import Preplay
from ..memory.spatial import SpatialMemory
from .directions import pointing
from .frontier import Frontier
from .goals import Goals

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class GuidanceConfig:
    """When preplay happens, how far it is heard, and how strongly."""

    enabled: bool = True
    explore: bool = True  #: to go where the robot has not been of late, when there is no goal
    acquaintance: float = 60.0  #: s on a map before it is searched: it grows more by wandering
    exhausted: float = 0.03  #: novelty of the newest place, below which all was searched, 0.5 s each
    interval: float = 0.6  #: s from one preplay to the next
    first: int = 50  #: ms of an event from which on its spikes are ahead
    last: int = 400  #: ms, up to which they count for the target
    bend: float = 0.5  #: rad by which the way ahead may bend up to the target
    keep: float = 0.90  #: of value that is left one link further on
    onward: float = 2.0  #: concentration of a search on what lies ahead: turning costs time
    patience: float = 2.0  #: s in the middle of a goal after which 1/e of the wish to go there is left
    novelty: float = 0.15  #: s of a visit after which 1/e of a place's novelty is left
    arrived: float = 0.05  #: m from the target at which another is sought
    blocked: float = 0.5  #: share of a link that a control period of contact takes, if it leads that way
    reach: float = 0.4  #: m, links longer than that are left alone
    drive: float = 45.0  #: mV, for actors that point to the target
    concentration: float = 8.0  #: of these actors

    def __post_init__(self) -> None:
        if self.interval < PERIOD:
            raise ValueError(f"guidance interval must be >= {PERIOD} s, got {self.interval}")
        if not 0 <= self.first < self.last:
            raise ValueError(f"guidance needs 0 <= first < last ms, got {self.first} and {self.last}")
        if not 0.0 < self.keep < 1.0:
            raise ValueError(f"guidance keep must be in (0, 1), got {self.keep}")
        if self.onward < 0.0:
            raise ValueError(f"guidance onward must be >= 0, got {self.onward}")
        for name in ("patience", "novelty"):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"guidance {name} must be > 0 s, got {getattr(self, name)}")


class Guidance:
    """Call `advance` each control period, then `currents`."""

    def __init__(
        self, config: GuidanceConfig, directions: NDArray[np.float64], frontier: Frontier | None = None
    ) -> None:
        self.config, self.directions, self.frontier = config, directions, frontier
        self.target: NDArray[np.float64] | None = None
        self._due = 0.0
        self._aim: tuple[int, int] | None = None  # place and direction in which the robot leaves its map
        self._chart = 0  # the map that the target is on

    def reset(self) -> None:
        """Begin a trial: nothing is aimed at."""
        self.target, self._due, self._aim = None, 0.0, None

    def advance(self, memory: SpatialMemory, goals: Goals, search: bool) -> NDArray[np.int32]:
        """Live a control period; return the spikes (k, 2) of (ms, place cell) of preplay, if any.

        `search` lets a robot without a goal look where it has not been of late.
        """
        if not self.config.enabled or not memory.localised:
            self.reset()
            return np.zeros((0, 2), np.int32)
        if memory.charts.used != self._chart:
            self.reset()
            self._chart = memory.charts.used
        self._due -= PERIOD
        if self._aim is not None and self.frontier is not None:
            self.frontier.aim(*self._aim)
        reached = self.target is not None and np.hypot(*(self.target - memory.pose[:2])) < self.config.arrived
        if self._due > 0.0 and not reached:
            return np.zeros((0, 2), np.int32)
        self._due, self._aim = self.config.interval, None
        event = self._preplay(memory, goals, search and self._knows(memory))
        self.target = event.target
        return event.spikes

    def currents(self, pose: NDArray[np.float64]) -> Floats:
        """Return the currents (actors,), mV, for a robot at `pose` (3,)."""
        if self.target is None:
            return np.zeros(len(self.directions), np.float32)
        x, y = self.target - pose[:2]
        shape = pointing(self.directions, float(np.arctan2(y, x)), self.config.concentration)
        return np.asarray(self.config.drive * shape, np.float32)

    def bump(self, memory: SpatialMemory, goals: Goals, sectors: NDArray[np.uint8]) -> None:
        """Weaken links from here through what was touched in `sectors` (8,); see `NavigationEnv`.

        Places behind it count as searched: some were recruited where the robot was wrong of itself.
        """
        if sectors.any() and memory.localised and self.config.enabled:
            for course in touched(sectors, memory.heading.heading):
                behind = memory.place.obstruct(
                    memory.position, course, self.config.reach, self.config.blocked
                )
                goals.obstruct(behind, PERIOD)
                if self.frontier is not None:
                    self.frontier.touch(memory.place, memory.position, course)

    def _knows(self, memory: SpatialMemory) -> bool:
        charts = memory.charts
        return self.config.explore and bool(charts.lived[charts.used] >= self.config.acquaintance)

    def _preplay(self, memory: SpatialMemory, goals: Goals, search: bool) -> Preplay:
        config = self.config
        window = (config.first, config.last)
        worth = goals.wanted_among(memory.place.on_map) * np.exp(-goals.visited / config.patience)
        worth[worth < goals.config.least] = 0.0
        event = memory.preplay(worth.astype(np.float64), config.keep, window, config.bend)
        if event.target is None and search:
            return self._search(memory, goals)
        return event

    def _search(self, memory: SpatialMemory, goals: Goals) -> Preplay:
        """Look for what was not seen of late, and when all was, for what lies beyond the map."""
        config, place, worth = self.config, memory.place, goals.worth
        # A place that ended an episode without reward is not looked into again while there is another: not a
        # little either, or what is ahead there would still be more than what is to the side.
        hopeful = worth >= -0.5 * goals.config.disappointment
        novel = np.exp(-goals.visited / config.novelty)
        source = novel * hopeful
        newest = source[: place.used][place.of_this_map]
        searched = newest.max(initial=0.0) < config.exhausted
        here = int(np.argmax(place.activity))
        # A goal at the edge of the map that is not found lies beyond it: a map often ends where a goal ended
        # an episode, and a robot that is wrong by some cm stops short of it for ever.
        missed = place.activity[here] > 0.0 and bool(worth[here] >= goals.config.least)
        if self.frontier is not None and (searched or missed):
            ends = self.frontier.open(place) & hopeful[: place.used, None]
            if place.activity[here] > 0.0 and ends[here].any():
                return self._leave(memory, here, ends[here])
            if searched and ends.any():
                source[: place.used] = ends.any(axis=1)
        event = self._towards(memory, source)
        if event.target is None and not hopeful.all():  # no way leads to any other
            last = self._towards(memory, novel)
            return last._replace(spikes=np.concatenate((event.spikes, last.spikes)))
        return event

    def _towards(self, memory: SpatialMemory, source: Floats) -> Preplay:
        """Preplay to where `source` (places,) is, the more so the further ahead it lies."""
        config = self.config
        ahead = (source * self._onward(memory)).astype(np.float64)
        return memory.preplay(ahead, config.keep, (config.first, config.last), config.bend)

    def _leave(self, memory: SpatialMemory, cell: int, ends: NDArray[np.bool_]) -> Preplay:
        """Aim beyond the map from `cell`, in that of its open directions `ends` (8,) that lies most ahead."""
        assert self.frontier is not None
        sector = int(np.argmax(np.where(ends, np.cos(SECTORS - memory.heading.heading), -2.0)))
        self._aim = cell, sector
        away = self.frontier.config.step * np.array([np.cos(SECTORS[sector]), np.sin(SECTORS[sector])])
        return Preplay(np.zeros((0, 2), np.int32), memory.pose[:2] + away)

    def _onward(self, memory: SpatialMemory) -> Floats:
        """Return how far each place (cells,) lies ahead: 1 straight ahead, less to the side and behind."""
        way = memory.place.centres - memory.position
        course = np.arctan2(way[:, 1], way[:, 0])
        return pointing(course, memory.heading.heading, self.config.onward).astype(np.float32)
