"""What can be asked of the places without going there: replay of a way, and the map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..spiking.random import key, step_key
from .diffusion import diffuse
from .grid import GridModule, grid_code
from .map import PlaceMap
from .place import PlaceCells
from .sharp_wave import SharpWaveConfig, sharp_wave
from .travels import Travels

Direction = Literal["forward", "reverse"]
BIN = 50  #: ms of a ripple event that are read together
TOO_NEAR = 0.1  #: m, what is nearer lies in no direction worth the name


class Preplay(NamedTuple):
    """A ripple event that runs ahead of the robot, and where it leads."""

    spikes: NDArray[np.int32]  #: (k, 2) of (ms, place cell)
    target: NDArray[np.float64] | None  #: (2,) m within the range of the modules; `None` if it led nowhere


class Recollection:
    """Reads and runs the place cells of a memory; changes nothing but the count of events."""

    def __init__(
        self,
        config: SharpWaveConfig,
        place: PlaceCells,
        grids: Sequence[GridModule],
        travels: Travels,
        seed: int,
    ) -> None:
        self.config, self.place, self.grids, self.travels = config, place, grids, travels
        self.key = key(seed, "sharp_wave")
        self.events = np.zeros(1, np.int64)

    @property
    def map(self) -> PlaceMap:
        """The map of places as it is now."""
        return PlaceMap.read(self.place.links, self.travels, self.place.used)

    def cell_at(self, position: NDArray[np.float64]) -> int:
        """Return the place cell that fires most at `position` (2,), m within the range of the modules."""
        if self.place.used == 0:
            raise ValueError("no place is known yet")
        cues = [module.cue_at(module.phase_of(position), 1.0) for module in self.grids]
        code = grid_code(np.maximum(np.stack(cues), np.float32(0.0)))
        return int(np.argmax(self.place.similarity(code)))

    def preplay(
        self,
        worth: NDArray[np.float64],
        keep: float,
        window: tuple[int, int],
        here: NDArray[np.float64],
        bend: float = np.pi,
    ) -> Preplay:
        """Run from the cell that fires most uphill to where `worth` (cells,) is, over links that were lived.

        The target is the mean centre of what fires in `window`, ms, weighted by spikes, up to where the way
        bends: where what fires lies more than `bend`, rad, to the side of the mean so far, as seen from
        `here` (2,). Cells of other maps have no part in it.
        """
        place, used, nowhere = self.place, self.place.used, Preplay(np.zeros((0, 2), np.int32), None)
        mine = place.of_this_map
        source = worth[:used] * mine
        start = int(np.argmax(place.activity))
        if place.activity[start] <= 0.0 or not source.max(initial=0.0) > 0.0:
            return nowhere
        value = diffuse(place.links.near[:used, :used], source, keep)
        if value[start] <= 0.0:
            return nowhere
        spikes = self._event(start, 0.0, False, value)
        ahead = spikes[(spikes[:, 0] >= window[0]) & (spikes[:, 0] < window[1])]
        ahead = ahead[mine[ahead[:, 1]]]
        way = place.centres[ahead[:, 1]] - here
        return Preplay(spikes, here + straight(way, ahead[:, 0] // BIN, bend) if len(ahead) else None)

    def replay(
        self,
        start: int | NDArray[np.float64],
        direction: Direction = "forward",
        to: int | NDArray[np.float64] | None = None,
        course: float = 0.0,
    ) -> NDArray[np.int32]:
        """Return the spikes (k, 2) of (ms, place cell) of a replay from `start`.

        Parameters
        ----------
        start : place cell, or position (2,) m within the range of the modules
        direction : along `course`, or back
        to : goal; replay then climbs its value over the links `near`, whatever the course. ``"reverse"``
            with a goal is refused: value leads one way only.
        course : rad, the robot's heading
        """
        if direction not in ("forward", "reverse"):
            raise ValueError(f"replay direction must be 'forward' or 'reverse', got {direction!r}")
        if to is not None and direction == "reverse":
            raise ValueError("replay towards a goal runs forward; ask for it without direction='reverse'")
        if not self.config.enabled:
            return np.zeros((0, 2), np.int32)
        first = start if isinstance(start, int) else self.cell_at(np.asarray(start))
        value = None
        if to is not None:
            goal = to if isinstance(to, int) else self.cell_at(np.asarray(to))
            used = self.place.used
            value = diffuse(self.place.links.near[:used, :used], np.eye(used)[goal])
        return self._event(first, course, direction == "reverse", value)

    def _event(
        self, start: int, course: float, reverse: bool, value: NDArray[np.float64] | None
    ) -> NDArray[np.int32]:
        self.events[0] += 1
        stream = step_key(self.key, np.uint32(int(self.events[0]) & 0xFFFFFFFF))
        place = self.place
        dead = place.dead[: place.used]
        return sharp_wave(self.config, place.links, place.used, start, course, reverse, value, stream, dead)


def straight(way: NDArray[np.float64], bins: NDArray[np.integer[Any]], bend: float) -> NDArray[np.float64]:
    """Return the mean (2,) of displacements `way` (k, 2), m, in the order of `bins` (k,), up to a bend."""
    count, total = 0, np.zeros(2)
    for number in np.unique(bins):
        part = way[bins == number]
        mean, so_far = part.mean(axis=0), total / max(count, 1)
        if min(np.hypot(*mean), np.hypot(*so_far)) > TOO_NEAR:
            turn = np.arctan2(so_far[0] * mean[1] - so_far[1] * mean[0], so_far @ mean)
            if abs(turn) > bend:
                break
        total, count = total + part.sum(axis=0), count + len(part)
    return np.asarray(total / count)
