"""The spatial memory: heading, grid, places and recall working together, one control period at a time.

Each period the ring integrates the turn rate and the sheets integrate speed along the heading. Three periods
make a theta cycle (120 ms). Once a cycle the view held by the senses cues CA3. While the robot knows where it
is, only memories of nearby places compete. What they bring back ties the present pose to the one at which the
memory was made; past poses are relaxed (`pose_graph`), and the present one pulls ring and sheets: this bounds
the drift. While it is lost, all memories compete at all headings; recalls add evidence to rival places, and
the one that leads sets ring and sheets anew. Until the robot is sure of it, it goes on searching that way,
and what is recalled pulls ring and sheets directly. A robot that has long seen nothing of what it should is
lost too. Where nothing at all is familiar, another map is begun (`charts`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..spiking.random import key
from .ca3 import CA3, Recall
from .charts import Charts
from .config import PERIOD, STEPS, MemoryConfig
from .decoder import GridDecoder
from .evidence import Candidate
from .experience import Experience
from .familiarity import Familiarity
from .grid import calibrate, grid_code, grid_modules
from .heading import HeadDirection
from .place import PlaceCells
from .poses import wrap
from .recollection import Direction, Preplay, Recollection
from .relaxed_map import RelaxedMap
from .relay import merge
from .search import Finding, Search
from .target import Target
from .travels import Travels
from .views import ViewFrame, best_shift

Floats = NDArray[np.float32]


class SpatialMemory:
    """Heading ring, grid modules, CA3 and place cells; see the module's docstring for a period's course."""

    def __init__(self, config: MemoryConfig, bands: int, directions: NDArray[np.float64], seed: int) -> None:
        self.config = config
        self.heading = HeadDirection(config.heading, seed)
        self.grids = grid_modules(config.grid, seed, calibrate(config.grid))
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
        self.relaxed = RelaxedMap(config, self.ca3, self.grids)
        self.view_trace = np.zeros((bands, config.view_bins), np.float32)
        self.rates = np.zeros(inputs, np.float32)
        self.position = np.zeros(2)
        self.localised = True
        self.similarity = 0.0
        self.clock = np.zeros(1)  #: s lived
        self._cycle = 0
        self._fresh = 0.0
        self._doubt = 0.0
        self._uncertain = 0.0
        self._strayed = -np.inf  # when the robot last found that it is not where it believed to be, s
        self._seeker = Search(config.correction, config.conflict, seed)
        self._familiarity = Familiarity(config.correction, PERIOD * config.correction.theta_periods)
        self._target: Target | None = None
        self._last_counts = np.zeros(config.ca3.neurons, np.float32)
        self.recall_spikes = np.zeros((0, 2), np.int32)

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
        self.localised = True
        self.relaxed.leave()
        self._forget_transients()

    def begin_map(self) -> None:
        """Begin another map here: the place is unknown. What was learned of other places stays."""
        self.charts.begin()
        self.place.turn_to(self.charts.used)
        self.carry()
        self.start()

    def carry(self) -> None:
        """Be carried elsewhere with closed eyes: what was learned stays, where the robot is is unknown."""
        self.localised = False
        self._forget_transients()
        self._break_off()

    def _break_off(self) -> None:
        """No way leads from where the robot believed itself to be to where it will find itself."""
        self.place.reset()
        self.travels.begin()
        self.experience.begin()

    def _forget_transients(self) -> None:
        self.view_trace[:] = 0.0
        self.similarity, self._fresh, self._doubt, self._cycle = 0.0, 0.0, 0.0, 0
        self._uncertain, self._strayed = 0.0, -np.inf
        self._seeker.clear()
        self._familiarity.reset()
        self._target = None
        self._last_counts[:] = 0.0

    def advance(
        self, view_counts: Floats, seeing: bool, speed: float, turn_rate: float
    ) -> dict[str, NDArray[np.int32]]:
        """Live through one control period; return the spikes (k, 2) of (ms, neuron) of each population.

        `view_counts` (bands * B,) are the view cells' spikes, `seeing` whether the view can be trusted,
        `speed` m/s and `turn_rate` rad/s what the body's senses say.
        """
        spikes: dict[str, NDArray[np.int32]] = {}
        target, correction = self._target, self.config.correction
        heading_cue = None
        if target is not None:
            heading_cue = target.ring_cue(self.heading, turn_rate, correction.heading_lead)
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
        self.view_trace *= np.float32(np.exp(-PERIOD / self.config.correction.tau_view))
        # Spikes are laid down where the robot looked when it saw them, so that a turn does not smear the cue.
        seen_at = self.heading.heading - turn_rate * (0.5 * PERIOD + self.config.correction.view_lag)
        self.view_trace += self.frame.turned(view_counts, seen_at)
        if target is not None and target.tick(fading=not self.localised):
            self._reached()
        if not (self.localised and self._sure and self.config.correction.relaxed):
            self.relaxed.leave()
        elif self.relaxed.joined:
            self.relaxed.travel(speed, turn_rate)
        else:
            self.relaxed.join(self._held)
        self.recall_spikes = self.recall_spikes[:0]
        self._cycle += 1
        if self._cycle % self.config.correction.theta_periods == 0:
            self._theta(seeing)
        spikes["ca3"] = self.recall_spikes
        if self.localised:
            spikes["place"] = self._places(inputs, speed)
            if speed > self.config.moving:
                self.experience.note(spikes["place"], self.heading.heading)
                self.place.links.learn(spikes["place"], self.place.used, STEPS, self.heading.heading)
                self.travels.note(spikes["place"], velocity, PERIOD)
        else:
            spikes["place"] = np.zeros((0, 2), np.int32)
        self.charts.lived[self.charts.used] += PERIOD * self.localised
        self._fresh += PERIOD
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

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that last from one episode to the next."""
        out: dict[str, NDArray[Any]] = {"position": self.position, "rates": self.rates, "time": self.clock}
        out["visited"] = self.decoder.visited
        out |= {f"charts.{name}": array for name, array in self.charts.arrays().items()}
        states = {"heading": self.heading.state}
        states |= {f"grid_{k}": module.state for k, module in enumerate(self.grids)}
        for part, state in states.items():
            out |= {f"{part}.{name}": array for name, array in state._asdict().items()}
        out |= self.relaxed.arrays()
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
        return self._seeker.conflict(self.position)

    @property
    def anchoring(self) -> bool:
        """Whether ring and sheets are being set anew, for which the robot had better stand still."""
        return self._target is not None and not self.localised

    @property
    def _sure(self) -> bool:
        return self._uncertain <= self.config.correction.sure

    def _theta(self, seeing: bool) -> None:
        if not self.config.correction.enabled:
            seeing = False
        if not self.localised:
            if seeing and self._target is None:
                self._search()
            return
        grid, chart = self.grid_vector(), self.charts.used
        if seeing and self._sure:
            self._track(grid)
        elif seeing:
            self._search()
        if self.charts.used != chart or not self.localised:
            return  # what the grid says is of the map, or of the pose, that was left
        if self.place.used == 0 or float(self.place.similarity(grid).max()) < self.config.place.spacing:
            self.place.recruit(grid, self.rates, self._last_counts, self.position)

    def _track(self, grid: Floats) -> None:
        correction = self.config.correction
        reach = np.arange(-correction.offsets, correction.offsets + 1)
        cues = self.frame.shifted(self.view_trace, reach)
        # In another map a place may resemble this one in some modules, by chance.
        place_match = self.ca3.grid_similarity(grid) * self._of_this_map
        near = place_match > correction.near
        best = 0.0
        match = self.ca3.view_similarity(cues, near)
        if near.any():
            best = float(match.max())
            if self._estranged(best):
                return
        ripe = near & (self.time - self.ca3.born > correction.ripen)
        if ripe.any():
            match *= ripe
            at = int(np.argmax(match.max(axis=1)))
            recall = self.ca3.recall(match[at], np.where(ripe, place_match, np.float32(0.0)))
            self._take(recall)
            if recall.similarity >= correction.accept:
                turn = (best_shift(recall.counts, match, at, False) - correction.offsets) * self.frame.width
                self._seeker.clear()
                self._correct(recall, turn)
            else:
                self._doubt += PERIOD * correction.theta_periods
        self.similarity = best
        if self._doubt > correction.doubt:
            self._search()
        else:
            self._learn(cues[correction.offsets], grid, place_match, best)

    def _estranged(self, similarity: float) -> bool:
        """Take how much the view resembles what is known; give up the pose if that was for long too little.

        The robot may be on another map, or elsewhere on this one: it is lost, and searches all of them. If
        what it finds proves strange too, soon after, another map is begun. Returns whether it gave up.
        """
        if not self._familiarity.add(similarity) or self.charts.full:
            return False
        if self.time - self._strayed < self.config.correction.again:
            self.begin_map()
        else:
            self.carry()
            self._strayed = self.time
        return True

    def _learn(self, view: Floats, grid: Floats, place_match: Floats, best: float) -> None:
        """Store the present view and place, when no memory tells enough of them."""
        correction = self.config.correction
        closest = float(place_match.max()) if place_match.size else 0.0
        known_view = best >= correction.view_below
        new = closest < correction.store_below or (not known_view and self._fresh < correction.fresh)
        if new and not self.ca3.full:  # overwriting would cost more than the new memory is worth
            memory = self.ca3.memories
            self.ca3.store(view, grid, self.time)
            self.charts.of_memory[memory] = self.charts.used
            self.decoder.visit(self.position, self.charts.used)
            self.relaxed.remember(memory, self._held)

    def _correct(self, recall: Recall, turn: float) -> None:
        """Pull heading, which is wrong by `turn` rad, and grid towards what a recall says, until the next."""
        correction = self.config.correction
        self._fresh, self._doubt = 0.0, 0.0
        self._seeker.recognised()
        belief = (recall.similarity - correction.accept) / (1.0 - correction.accept)
        memory = self._memory(recall)
        if self.relaxed.joined:
            pose = self.relaxed.recall(memory, self.heading.heading + turn)
            phases = np.stack([module.phase_of(pose[:2]) for module in self.grids])
            pulls = correction.map_heading_pull, correction.map_grid_pull
            self._target = Target(float(pose[2]), phases, self.charts.used, *pulls, correction.theta_periods)
            return
        self._target = Target(
            self.heading.heading + turn + self.relaxed.turned(memory),
            self._phases_of(recall.grid),
            self.charts.used,
            (correction.heading_pull + self._uncertain * correction.settle_heading) * belief,
            (correction.grid_pull + self._uncertain * correction.settle_grid) * belief,
            correction.theta_periods,
        )
        self._uncertain *= correction.settle

    def _memory(self, recall: Recall) -> int:
        """Number of the memory that a recall brought back: that of its most active neuron."""
        return int(self.ca3.memory_of[np.argmax(recall.counts)])

    @property
    def _of_this_map(self) -> NDArray[np.bool_]:
        """Which neurons of CA3 hold a memory of the map in use."""
        return np.asarray(self.charts.of_memory[self.ca3.memory_of] == self.charts.used)

    def _take(self, recall: Recall) -> None:
        self.recall_spikes = recall.spikes.copy()
        self._last_counts = recall.counts
        self.place.hear(recall.counts)

    def _search(self) -> None:
        """Cue CA3 with the view alone, at all headings."""
        correction, bins = self.config.correction, self.frame.bins
        if self.ca3.memories == 0:
            return
        match = self.ca3.search(self.frame.shifted(self.view_trace, np.arange(bins)))
        at = int(np.argmax(match.max(axis=1)))
        recall = self.ca3.recall(match[at])
        self._take(recall)
        self.similarity = recall.similarity
        if self.localised and self._estranged(recall.similarity):
            return
        turn = best_shift(recall.counts, match, at, True) * self.frame.width
        memory = self._memory(recall)
        known, chart = turn + self.relaxed.turned(memory), int(self.charts.of_memory[memory])
        turn, known = wrap(turn), wrap(known)
        phases = self._phases_of(recall.grid)
        place = self.decoder.global_estimate(phases, chart)
        evidence = (recall.similarity - correction.telling) / (correction.plain - correction.telling)
        held = None
        if self.localised:
            held = Candidate(0.0, self.position.copy(), self.phases, 0.0, self.charts.used)
        finding = self._seeker.judge(Candidate(known, place, phases, evidence, chart), held, self._sure)
        if finding is Finding.HERE:
            self._doubt = 0.0
            if recall.similarity >= correction.accept:
                self._correct(recall, turn)
        elif finding is Finding.ELSEWHERE:
            self.localised = False
            self._break_off()
            heading, pull = self.heading.heading + known, correction.snap_pull
            self._target = Target(heading, phases, chart, pull, pull, correction.snap_periods)
        elif finding is Finding.STRANGE and not self.charts.full:
            self.begin_map()

    def _reached(self) -> None:
        """Let go of the target; a robot that was lost knows its place now."""
        target, self._target = self._target, None
        if self.localised or target is None:
            return
        if target.chart != self.charts.used:
            self.charts.turn_to(target.chart)
            self.place.turn_to(target.chart)
        self.position = self.decoder.global_estimate(self.phases, target.chart)
        self.localised, self._doubt, self._fresh, self._uncertain = True, 0.0, 0.0, 1.0
        self._seeker.recognised()
        self._familiarity.reset()
        self.view_trace[:] = 0.0  # laid down under another heading

    def _phases_of(self, pattern: Floats) -> NDArray[np.float64]:
        parts = pattern.reshape(len(self.grids), self.cells)
        return np.stack([module.phase_from(part) for module, part in zip(self.grids, parts, strict=True)])
