"""A spatial memory of landmarks: ring and sheets integrate the drive, sightings pull them right.

Each control period the ring integrates the turn and the sheets the step, along the ring's heading.
Sightings are gathered and, five times a second at most, weighed one after the other: what each recalls is
compared with what is seen, and the surprise is shared out between heading, place and landmarks by their
reliability. The landmarks' codes move at once. Ring and sheets are pulled by the bursts of the landmarks'
cells over the next periods: the cue stands where the sightings jointly say the robot is, and its current is
such that it closes the share of the distance that they deserve. A correction too large for a bump to be
pulled sets it anew instead.

Where the robot is, is read from ring and sheets alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..spiking.random import key
from .attractor import AttractorState
from .config import PERIOD, RELAX_PERIODS, STEPS
from .decoder import GridDecoder
from .grid import calibrate, grid_modules
from .heading import HeadDirection
from .landmark_cells import RING, SHEETS, LandmarkCells
from .landmark_config import LandmarkMemoryConfig
from .landmarks import LandmarkMap
from .poses import wrap
from .pulls import ring_pull, sheet_pull
from .reliability import Reliability

Floats = NDArray[np.float64]
Spikes = NDArray[np.int32]
SLOW = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)  #: drives at which sheets are calibrated; drives are slow


@dataclass
class Cue:
    """A place on the ring or a sheet that pulls for some periods, and moves along with the robot."""

    at: Floats  #: heading (1,) or phase (2,)
    current: float
    periods: int
    snap: bool

    def now(self) -> float:
        """Return the current of this period; that of a cue that sets anew fades, so that the bump relaxes."""
        return self.current * 0.5 ** max(0, RELAX_PERIODS - self.periods) if self.snap else self.current


class LandmarkMemory:
    """See the module's docstring; `start`, then `advance` once a control period."""

    def __init__(self, config: LandmarkMemoryConfig, seed: int) -> None:
        self.config = config
        self.ring = HeadDirection(config.heading, seed, seconds=12.0)
        table = calibrate(config.grid.nominal, seconds=20.0, drives=SLOW)
        self.sheets = grid_modules(config.grid, seed, table)
        self.cells = LandmarkCells(config.cells, seed)
        self.reseed(0)  # pulls are measured with the same noise whatever the seed
        self._ring_pull = ring_pull(self.ring, config.pull_periods)
        self._sheet_pull = sheet_pull(self.sheets[0], config.pull_periods)
        self.reseed(seed)
        self.decoder = GridDecoder(self.sheets, extent=0.1)
        self.start(np.zeros(3))

    def start(self, pose: Floats) -> None:
        """Begin a drive at `pose` (3,), m, m, rad, with an empty map."""
        for state in (self.ring.state, *(sheet.state for sheet in self.sheets)):
            if isinstance(state, AttractorState):
                state.step[:] = 0  # what went before leaves no trace in the noise
        self.cells.clear()
        self._ahead = 0.0
        self.ring.set(float(pose[2]))
        # A bump forms a little beside its cue. What the map calls the start heading is where it formed.
        self._ahead = wrap(float(pose[2]) - self.ring.heading)
        for sheet in self.sheets:
            sheet.set(pose[:2])
        self.reliability = Reliability(self.config.noise)
        self.map = LandmarkMap(self.sheets, self.decoder)
        self._aside = np.zeros(2)
        self._aside = np.asarray(pose[:2], np.float64) - self.decoder.refine(self.phases, pose[:2])
        self.position = np.array(pose[:2], np.float64)
        self.disbelieved = 0  #: sightings so far that were not plausible
        self.given_up = 0  #: times a landmark's place was given up and stored anew
        self._odd: list[int] = []
        self._alone = 0
        self._seen: list[tuple[int, Floats]] = []
        self._ring_cue: Cue | None = None
        self._sheet_cues: list[Cue | None] = [None] * len(self.sheets)
        self._bursting: list[int] = []
        self._glide = np.zeros(2)  # m of the correction under way that a period brings
        self._goal: Floats | None = None
        self._wait = 0

    def reseed(self, seed: int) -> None:
        """Draw the noise of every population from the streams of `seed`, as if it had been made with it."""
        self.ring.key = key(seed, "head_direction")
        for k, sheet in enumerate(self.sheets):
            sheet.key = key(seed, f"grid_{k}")
        self.cells.key = key(seed, "landmark_cells")

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return self.ring.size + sum(sheet.size for sheet in self.sheets) + self.cells.size

    @property
    def phases(self) -> Floats:
        """Phases (modules, 2) of the sheets."""
        return np.stack([sheet.phase + sheet.phase_change(self._aside) for sheet in self.sheets])

    @property
    def heading(self) -> float:
        """Heading as the ring has it, rad in (-pi, pi]."""
        return wrap(self.ring.heading + self._ahead)

    @property
    def pose(self) -> Floats:
        """Place (m) and heading (rad) as the sheets and the ring have them, (3,)."""
        return np.array([self.position[0], self.position[1], self.heading])

    def advance(
        self, displacement: Floats, turn: float, seen: Sequence[tuple[int, Floats]] = ()
    ) -> dict[str, Spikes]:
        """Live through one control period; return the spikes (k, 2) of (ms, neuron) of each population.

        Parameters
        ----------
        displacement : (2,) m ahead and to the left, in the frame of the mean heading of the period
        turn : rad
        seen : identities of landmarks and where they lie from the robot at the end of the period, (2,) m
            ahead and to the left
        """
        ring_current, sheet_current, burst = self._burst()
        spikes = {"landmarks": burst}
        ring_cue = None
        if self._ring_cue is not None:
            self._ring_cue.at = self._ring_cue.at + turn
            ring_cue = self.ring.cue(float(self._ring_cue.at[0]) - self._ahead, ring_current)
        spikes["head_direction"] = self.ring.advance(turn / PERIOD, STEPS, ring_cue).copy()
        course = self.heading - 0.5 * turn
        step = _turned(displacement, course)
        for k, sheet in enumerate(self.sheets):
            cue = self._sheet_cues[k]
            if cue is None:
                # What reads all sheets (place cells) feeds back on each, or slow ones would lag behind.
                there = sheet.phase_of(self.position + step - self._aside)
                grid_cue = sheet.cue_at(there, self.config.feedback)
            else:
                cue.at = cue.at + sheet.phase_change(step)
                grid_cue = sheet.cue_at(cue.at - sheet.phase_change(self._aside), sheet_current[k])
            spikes[f"grid_{k}"] = sheet.advance(step / PERIOD, STEPS, grid_cue).copy()
        self.position = self._read(step)
        self.reliability.move(step, turn, PERIOD)
        self._fade()
        self._seen = [
            (name, _turned(_turned(at, -0.5 * turn) - displacement, -0.5 * turn)) for name, at in self._seen
        ]
        self._seen.extend((name, np.asarray(at, np.float64)) for name, at in seen)
        if self._seen and self._wait == 0:
            self._take()
        self.cells.tick()
        return spikes

    def _read(self, step: Floats) -> Floats:
        """Return the place (2,) that the sheets agree on: near where it was, or where they are being set."""
        phases = self.phases
        here = self.decoder.refine(phases, self.position + step + self._glide)
        if self._goal is None:
            return here
        self._goal = self._goal + step
        there = self.decoder.refine(phases, self._goal)
        return max(here, there, key=lambda place: self._agreement(phases, place))

    def _agreement(self, phases: Floats, place: Floats) -> float:
        apart = phases - np.stack([sheet.phase_of(place) for sheet in self.sheets])
        return float(np.cos(2.0 * np.pi * apart).sum())

    def _take(self) -> None:
        """Weigh the sightings gathered and set the cues that follow from them."""
        place, heading = self.position.copy(), self.heading
        phases, shift = self.phases, np.zeros(3)
        before, bursting = self.reliability.spread(), []
        for name, at in self._seen:
            seen = _turned(at, heading + shift[2])
            moved = np.stack([sheet.phase_change(shift[:2]) for sheet in self.sheets])
            landmark = self.map.find(name)
            if landmark is None:
                self.map.store(name, phases + moved, place + shift[:2], seen)
                self.reliability.add(seen)
                self._odd.append(0)
                self.cells.grow(len(self.map.identities))
                continue
            expected = self.map.vector(landmark, phases + moved, place + shift[:2])
            weighed = self.reliability.weigh(landmark, expected, seen)
            if weighed.believed:
                self._odd[landmark], self._alone = 0, 0
                shift += weighed.shift[:3]
                self.map.move(weighed.shift[3:].reshape(-1, 2))
                bursting.append(landmark)
                continue
            self._disbelieve(name, landmark, phases + moved, place + shift[:2], seen)
        self._seen = []
        after = self.reliability.spread()
        if bursting:
            self._bursting = sorted(set(bursting))
            share = [1.0 - b / max(a, 1e-12) for a, b in zip(before, after, strict=True)]
            self._pull(shift, heading, place, max(0.0, share[0]), max(0.0, share[1]))

    def _disbelieve(self, name: int, landmark: int, phases: Floats, place: Floats, seen: Floats) -> None:
        """Leave an implausible sighting out; where they go on, either the landmark or the robot is wrong."""
        self.disbelieved += 1
        self._odd[landmark] += 1
        self._alone += 1
        if self._alone >= 2 * self.config.odd:  # nothing seen since has agreed with the map
            self.reliability.doubt()
            self._alone = 0
        elif self._odd[landmark] >= self.config.odd and self._alone < self._odd[landmark]:
            self.map.store(name, phases, place, seen)
            self.reliability.renew(landmark, seen)
            self._odd[landmark] = 0
            self.given_up += 1

    def _pull(
        self, shift: Floats, heading: float, place: Floats, place_share: float, turn_share: float
    ) -> None:
        config = self.config
        distance, snap = self._distance(abs(float(shift[2])), turn_share, config.ring_reach)
        if snap:
            self._ring_cue = Cue(
                np.array([heading + shift[2]]), config.snap_current, config.snap_periods, True
            )
        else:
            share = abs(float(shift[2])) / distance if distance > 0.0 else turn_share
            at = np.array([heading + np.copysign(distance, shift[2])])
            self._ring_cue = Cue(at, self._ring_pull.strength(share), config.pull_periods, False)
        length = float(np.hypot(*shift[:2]))
        along = shift[:2] / length if length > 0.0 else np.zeros(2)
        longest = config.pull_periods
        for k, sheet in enumerate(self.sheets):
            distance, snap = self._distance(length, place_share, config.sheet_reach * sheet.scale)
            if snap:
                at = sheet.phase_of(place + shift[:2])
                self._sheet_cues[k] = Cue(at, config.snap_current, config.snap_periods, True)
                longest = config.snap_periods
                continue
            share = length / distance if distance > 0.0 else place_share
            at = sheet.phase_of(place + distance * along)
            self._sheet_cues[k] = Cue(at, self._sheet_pull.strength(share), config.pull_periods, False)
        setting = longest > config.pull_periods
        self._goal = place + shift[:2] if setting else None
        self._glide = np.zeros(2) if setting else shift[:2] / longest
        self._wait = max(longest, self._ring_cue.periods) + config.settle_periods

    def _distance(self, length: float, share: float, reach: float) -> tuple[float, bool]:
        """Return how far off a cue that moves a bump by `length` stands; and whether it must set it."""
        if length > self.config.full * reach:
            return length, True
        return min(max(length / max(share, 1e-3), length / self.config.full), reach), False

    def _burst(self) -> tuple[float, list[float], Spikes]:
        """Let the assemblies of the landmarks that pull fire; return the currents they make, and spikes."""
        nominal = [cue.now() if cue is not None else 0.0 for cue in self._sheet_cues]
        ring = self._ring_cue.now() if self._ring_cue is not None else 0.0
        if not self._bursting or (ring == 0.0 and max(nominal) == 0.0):
            return 0.0, [0.0] * len(nominal), np.zeros((0, 2), np.int32)
        made, spikes, loudest = [0.0, 0.0], [], max(nominal)
        for landmark in self._bursting:
            for onto, current in ((RING, ring), (SHEETS, loudest)):
                current_made, fired = self.cells.burst(landmark, onto, current / len(self._bursting))
                made[onto] += current_made
                spikes.append(fired)
        every = np.concatenate(spikes)
        every = every[np.argsort(every[:, 0], kind="stable")]
        scale = made[SHEETS] / loudest if loudest > 0.0 else 0.0
        return made[RING], [scale * current for current in nominal], every

    def _fade(self) -> None:
        """Count a period of the pull down; cues that have done their work go."""
        self._wait = max(0, self._wait - 1)
        cues = [self._ring_cue, *self._sheet_cues]
        for k, cue in enumerate(cues):
            if cue is not None:
                cue.periods -= 1
                if cue.periods == 0:
                    cues[k] = None
        self._ring_cue, self._sheet_cues = cues[0], cues[1:]
        if not any(cue is not None for cue in self._sheet_cues):
            self._glide, self._goal = np.zeros(2), None


def _turned(vector: Floats, angle: float) -> Floats:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([c * vector[0] - s * vector[1], s * vector[0] + c * vector[1]])
