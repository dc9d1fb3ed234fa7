"""The spatial memory: heading, grid, places and recall working together, one control period at a time.

Each period the ring integrates the turn rate and the sheets integrate speed along the heading. Three periods
make a theta cycle (120 ms), once in which what is seen is compared with what is remembered (`anchor`): that
sets ring and sheets right, tells a robot that is lost where it is, and begins another map where nothing is
familiar (`charts`). Place cells hear the sheets and CA3; links between them are learned from what is lived.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..spiking.random import key
from .anchor import Anchor, Outcome
from .ca3 import CA3
from .charts import Charts
from .config import PERIOD, STEPS, MemoryConfig
from .decoder import GridDecoder
from .experience import Experience
from .grid import calibrate, grid_code, grid_modules
from .heading import HeadDirection
from .place import PlaceCells
from .recollection import Direction, Preplay, Recollection
from .relay import merge
from .travels import Travels
from .views import ViewFrame

Floats = NDArray[np.float32]


class SpatialMemory:
    """Heading ring, grid modules, CA3 and place cells; see the module's docstring for a period's course."""

    def __init__(self, config: MemoryConfig, bands: int, directions: NDArray[np.float64], seed: int) -> None:
        self.config = config
        self.heading = HeadDirection(config.heading, seed)
        self.grids = grid_modules(config.grid, seed, calibrate(config.grid.nominal))
        self.cells = self.grids[0].cells
        inputs = self.cells * len(self.grids)
        self.frame = ViewFrame(bands, directions, config.view_bins)
        self.ca3 = CA3(config.ca3, self.frame.size, inputs, seed)
        self.place = PlaceCells(config.place, len(self.grids), inputs, config.ca3.neurons, seed)
        self._wave = config.place.theta.cycle(STEPS * config.correction.theta_periods)
        self.travels = Travels(config.travels, config.place.cells)
        self.recollection = Recollection(config.sharp_wave, self.place, self.grids, self.travels, seed)
        self.experience = Experience(round(config.experience / PERIOD))
        self.charts = Charts(config.maps, len(self.ca3.places), seed)
        self.decoder = GridDecoder(self.grids, self.charts.origins)
        parts = self.heading, self.grids, self.ca3, self.charts, self.decoder, self.frame
        self.anchor = Anchor(config, *parts, self.place.hear, seed)
        self.rates = np.zeros(inputs, np.float32)
        self.position = np.zeros(2)
        self.clock = np.zeros(1)  #: s lived
        self._cycle = 0
        self._nothing = np.zeros(config.ca3.neurons, np.float32)  # spikes of a recall that there was not

    @property
    def localised(self) -> bool:
        """Whether the robot knows where it is."""
        return self.anchor.localised

    @property
    def similarity(self) -> float:
        """How much what is seen resembles what is remembered, 0..1."""
        return self.anchor.similarity

    @property
    def time(self) -> float:
        """Seconds lived."""
        return float(self.clock[0])

    def start(self) -> None:
        """Take the present pose as the origin of the map in use."""
        self.heading.set(0.0)
        for module in self.grids:
            module.set(self.charts.origin)
        self.position[:] = self.charts.origin
        self.anchor.localised = True
        self.anchor.relaxed.leave()
        self.anchor.forget()
        self._cycle = 0

    def begin_map(self) -> None:
        """Begin another map here: the place is unknown. What was learned of other places stays."""
        self.charts.begin()
        self.place.turn_to(self.charts.used)
        self.carry()
        self.start()

    def carry(self) -> None:
        """Be carried elsewhere with closed eyes: what was learned stays, where the robot is is unknown."""
        self.anchor.lose()
        self._leave()

    def _leave(self) -> None:
        self._cycle = 0
        self._break_off()

    def _break_off(self) -> None:
        """No way leads from where the robot believed itself to be to where it will find itself."""
        self.place.reset()
        self.travels.begin()
        self.experience.begin()

    def advance(
        self, view_counts: Floats, seeing: bool, speed: float, turn_rate: float
    ) -> dict[str, NDArray[np.int32]]:
        """Live through one control period; return the spikes (k, 2) of (ms, neuron) of each population.

        `view_counts` (bands * B,) are the view cells' spikes, `seeing` whether the view can be trusted,
        `speed` m/s and `turn_rate` rad/s what the body's senses say.
        """
        spikes: dict[str, NDArray[np.int32]] = {}
        target, correction = self.anchor.target, self.config.correction
        heading_cue = None
        if target is not None:
            lead = correction.heading_lead if self.localised else 0.0  # new bumps form at their cue
            heading_cue = target.ring_cue(self.heading, turn_rate, lead)
        spikes["head_direction"] = self.heading.advance(turn_rate, STEPS, heading_cue).copy()
        course = self.heading.heading - 0.5 * turn_rate * PERIOD
        velocity = speed * np.array([np.cos(course), np.sin(course)])
        sheets = []
        blend = np.float32(1.0 - np.exp(-PERIOD / 0.100))
        for k, module in enumerate(self.grids):
            grid_cue = None
            if target is not None:
                grid_cue = target.sheet_cue(k, module, velocity, correction.grid_lead)
            fired = module.advance(velocity, STEPS, grid_cue).copy()
            spikes[f"grid_{k}"] = fired
            sheets.append(fired)
        inputs, counts = merge(sheets, self.cells, STEPS)
        self.rates += blend * (counts / np.float32(PERIOD) - self.rates)
        self.position = self.decoder.follow(self.phases, self.position + velocity * PERIOD, self.charts.used)
        self.anchor.see(view_counts, turn_rate)
        chart = self.charts.used
        if self.anchor.pulled():
            if self.charts.used != chart:
                self.place.turn_to(self.charts.used)
            self.position = self.decoder.global_estimate(self.phases, self.charts.used)
        self.anchor.travel(self._held, speed, turn_rate)
        recalled = np.zeros((0, 2), np.int32)
        self._cycle += 1
        if self._cycle % self.config.correction.theta_periods == 0:
            self._theta(seeing)
            if self.anchor.recalled is not None:
                recalled = self.anchor.recalled.spikes
        spikes["ca3"] = recalled
        if self.localised:
            spikes["place"] = self._places(inputs, speed)
            if speed > self.config.moving:
                self.experience.note(spikes["place"], self.heading.heading)
                self.place.links.learn(spikes["place"], self.place.used, STEPS, self.heading.heading)
                self.travels.note(spikes["place"], velocity, PERIOD)
        else:
            spikes["place"] = np.zeros((0, 2), np.int32)
        self.charts.lived[self.charts.used] += PERIOD * self.localised
        self.anchor.lapse()
        self.clock[0] += PERIOD
        return spikes

    def _places(self, inputs: NDArray[np.int32], speed: float) -> NDArray[np.int32]:
        if not self.config.place.theta.enabled:
            return self.place.advance(inputs, STEPS)
        period, heading = self._cycle % self.config.correction.theta_periods, self.heading.heading
        if period == 0:
            self.place.begin_cycle()
        moving = min(1.0, max(0.0, speed / self.config.moving))
        course = (moving * float(np.cos(heading)), moving * float(np.sin(heading)))
        return self.place.advance(inputs, STEPS, self._wave[period * STEPS : (period + 1) * STEPS], course)

    def replay(
        self,
        start: int | NDArray[np.float64] | None = None,
        direction: Direction = "forward",
        to: int | NDArray[np.float64] | None = None,
    ) -> NDArray[np.int32]:
        """Replay from `start`, or from where the robot is, along its heading: see `Recollection.replay`."""
        here = self.position if start is None else self._in_range(start)
        goal = None if to is None else self._in_range(to)
        return self.recollection.replay(here, direction, goal, self.heading.heading)

    def preplay(
        self, worth: NDArray[np.float64], keep: float, window: tuple[int, int], bend: float = np.pi
    ) -> Preplay:
        """Run ahead from here to where `worth` (place cells,) is: see `Recollection.preplay`.

        The target is in the frame of `pose`.
        """
        event = self.recollection.preplay(worth, keep, window, self.position, bend)
        return event._replace(target=None if event.target is None else event.target - self.charts.origin)

    def _in_range(self, place: int | NDArray[np.float64]) -> int | NDArray[np.float64]:
        """Return a cell as it is, and a position of the map in use within the range of the modules."""
        return place if isinstance(place, int) else np.asarray(place) + self.charts.origin

    @property
    def theta_period(self) -> int:
        """Which period of the theta cycle comes next."""
        return (self._cycle + 1) % self.config.correction.theta_periods

    def reseed(self, seed: int) -> None:
        """Draw the noise of every population from the streams of `seed`; what was learned stays."""
        self.heading.key = key(seed, "head_direction")
        for k, module in enumerate(self.grids):
            module.key = key(seed, f"grid_{k}")
        self.place.key = key(seed, "place")
        self.recollection.key = key(seed, "sharp_wave")
        self.anchor.reseed(seed)

    def measure(self) -> None:
        """Measure how ring and sheets move if their neurons are unlike, as after taking up another state."""
        self.heading.measure()
        for module in self.grids:
            module.measure()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that last from one episode to the next."""
        out: dict[str, NDArray[Any]] = {"position": self.position, "rates": self.rates, "time": self.clock}
        out["visited"] = self.decoder.visited
        out |= {f"charts.{name}": array for name, array in self.charts.arrays().items()}
        out["heading.turning"] = self.heading.turning
        out |= {f"grid_{k}.velocity": module.velocity for k, module in enumerate(self.grids)}
        out |= {f"anchor.{name}": array for name, array in self.anchor.arrays().items()}
        states = {"heading": self.heading.state}
        states |= {f"grid_{k}": module.state for k, module in enumerate(self.grids)}
        for part, state in states.items():
            out |= {f"{part}.{name}": array for name, array in state._asdict().items()}
        out |= self.anchor.relaxed.arrays()
        out |= {f"ca3.{name}": array for name, array in self.ca3.arrays().items()}
        out |= {f"travels.{name}": array for name, array in self.travels.arrays().items()}
        out |= {"replays": self.recollection.events}
        out |= {f"experience.{name}": array for name, array in self.experience.arrays().items()}
        return out | {f"place.{name}": array for name, array in self.place.arrays().items()}

    @property
    def phases(self) -> NDArray[np.float64]:
        """Phases (modules, 2) of the sheets."""
        return np.stack([module.phase for module in self.grids])

    @property
    def pose(self) -> NDArray[np.float64]:
        """Estimated x, y (m) and heading (rad) in the frame of the pose at which the map was begun, (3,)."""
        return np.array([*(self.position - self.charts.origin), self.heading.heading])

    @property
    def _held(self) -> NDArray[np.float64]:
        """The pose within the range of the modules, (3,)."""
        return np.array([self.position[0], self.position[1], self.heading.heading])

    def grid_vector(self) -> Floats:
        """Present grid activity (inputs,) as a unit vector to which every module adds the same."""
        return grid_code(self.rates.reshape(len(self.grids), self.cells))

    @property
    def conflict(self) -> float:
        """How far recalls that put the robot elsewhere lead those that confirm its pose, in plain recalls."""
        return self.anchor.conflict(self.position)

    @property
    def anchoring(self) -> bool:
        """Whether ring and sheets are being set anew, for which the robot had better stand still."""
        return self.anchor.target is not None and not self.localised

    def _theta(self, seeing: bool) -> None:
        grid, chart = self.grid_vector(), self.charts.used
        outcome = self.anchor.look(seeing, self._held, grid, self.time)
        if outcome is Outcome.JUMPED:
            self._break_off()
        elif outcome is Outcome.LOST:
            self._leave()
        elif outcome is Outcome.STRANGE:
            self.begin_map()
        if self.charts.used != chart or not self.localised:
            return  # what the grid says is of the map, or of the pose, that was left
        if self.place.used == 0 or float(self.place.similarity(grid).max()) < self.config.place.spacing:
            recalled = self.anchor.recalled  # in this cycle: what was recalled before is of another place
            counts = self._nothing if recalled is None else recalled.counts
            self.place.recruit(grid, self.rates, counts, self.position)
