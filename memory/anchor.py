"""What ties ring and sheets to the world: recalls while the robot knows where it is, a search while not.

Once a theta cycle the view held by the senses cues CA3. While the robot knows where it is, only memories of
nearby places compete. What they bring back ties the present pose to the one at which the memory was made;
past poses are relaxed (`relaxed_map`), and the present one pulls ring and sheets: this bounds the drift.
While it is lost, all memories compete at all headings; recalls add evidence to rival places, and the one that
leads sets ring and sheets anew. Until the robot is sure of it, it goes on searching that way, and what is
recalled pulls ring and sheets directly. A robot that has long seen nothing of what it should is lost too.
Where nothing at all is familiar, it is on a map that is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ca3 import CA3, Recall
from .charts import Charts
from .config import PERIOD, MemoryConfig
from .decoder import GridDecoder
from .evidence import Candidate
from .familiarity import Familiarity
from .grid import GridModule
from .heading import HeadDirection
from .poses import wrap
from .relaxed_map import RelaxedMap
from .search import Finding, Search
from .target import Target
from .views import ViewFrame, best_shift

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


class Outcome(Enum):
    """What a look at the world has come to."""

    KEPT = "kept"  #: the pose stands as it was, or is being corrected
    JUMPED = "jumped"  #: ring and sheets are being set to a pose elsewhere
    LOST = "lost"  #: the pose is given up
    STRANGE = "strange"  #: this place is on no map


class Anchor:
    """Compares what is seen with what is remembered; see the module.

    `target` is the pose to which ring and sheets are being pulled; `hear` is told the spike counts of each
    recall. What `heading`, `grids`, `ca3`, `charts` and `decoder` hold is shared with the spatial memory.
    """

    def __init__(
        self,
        config: MemoryConfig,
        heading: HeadDirection,
        grids: Sequence[GridModule],
        ca3: CA3,
        charts: Charts,
        decoder: GridDecoder,
        frame: ViewFrame,
        hear: Callable[[Floats], None],
        seed: int,
    ) -> None:
        self.config = config.correction
        self.heading, self.grids, self.ca3 = heading, grids, ca3
        self.charts, self.decoder, self.frame, self._hear = charts, decoder, frame, hear
        self.relaxed = RelaxedMap(config, ca3, grids)
        self.view_trace = np.zeros((frame.bands, frame.bins), np.float32)
        self.found = np.ones(1, np.bool_)  #: what `localised` says
        self.target: Target | None = None
        self.recalled: Recall | None = None  #: in the latest theta cycle
        self.similarity = 0.0  #: of what is seen to what is remembered, there
        self._fresh = 0.0  # s since a recall was believed
        self._doubt = 0.0  # s in a known place without recognising it
        self._uncertain = 0.0
        self._strayed = -np.inf  # when the robot last found that it is not where it believed to be, s
        self._seeker = Search(config.correction, config.conflict, seed)
        self._familiarity = Familiarity(config.correction, PERIOD * config.correction.theta_periods)

    @property
    def localised(self) -> bool:
        """Whether the robot knows where it is."""
        return bool(self.found[0])

    @localised.setter
    def localised(self, found: bool) -> None:
        self.found[0] = found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that last from one episode to the next."""
        return {"found": self.found} | self._seeker.arrays()

    def reseed(self, seed: int) -> None:
        """Draw the noise of cells that decide on conflicts, if there are any, from the streams of `seed`."""
        self._seeker.reseed(seed)

    def forget(self) -> None:
        """Begin anew: nothing has been seen yet. What `localised` says stays."""
        self.view_trace[:] = 0.0
        self.similarity, self._fresh, self._doubt = 0.0, 0.0, 0.0
        self._uncertain, self._strayed = 0.0, -np.inf
        self._seeker.clear()
        self._familiarity.reset()
        self.target = None

    @property
    def sure(self) -> bool:
        """Whether the robot has long known where it is."""
        return self._uncertain <= self.config.sure

    def conflict(self, position: Doubles) -> float:
        """Return how far recalls of elsewhere lead those that confirm `position` (2,), in plain recalls."""
        return self._seeker.conflict(position)

    def see(self, view_counts: Floats, turn_rate: float) -> None:
        """Take up a control period's spikes (bands * B,) of the view cells."""
        self.view_trace *= np.float32(np.exp(-PERIOD / self.config.tau_view))
        # Spikes are laid down where the robot looked when it saw them, so that a turn does not smear the cue.
        seen_at = self.heading.heading - turn_rate * (0.5 * PERIOD + self.config.view_lag)
        self.view_trace += self.frame.turned(view_counts, seen_at)

    def pulled(self) -> bool:
        """Count a control period of the pull down; return whether a lost robot has now reached its target.

        It knows its place then, on the map in use.
        """
        target = self.target
        if target is None or not target.tick(fading=not self.localised):
            return False
        self.target = None
        if self.localised:
            return False
        if target.chart != self.charts.used:
            self.charts.turn_to(target.chart)
        self.localised, self._doubt, self._fresh, self._uncertain = True, 0.0, 0.0, 1.0
        self._seeker.recognised()
        self._familiarity.reset()
        self.view_trace[:] = 0.0  # laid down under another heading
        return True

    def travel(self, held: Doubles, speed: float, turn_rate: float) -> None:
        """Go a control period along, while ring and sheets hold the pose `held` (3,)."""
        if not (self.localised and self.sure and self.config.relaxed):
            self.relaxed.leave()
        elif self.relaxed.joined:
            self.relaxed.travel(speed, turn_rate)
        else:
            self.relaxed.join(held)

    def look(self, seeing: bool, held: Doubles, grid: Floats, time: float) -> Outcome:
        """Compare what is seen with what is remembered, once a theta cycle.

        `held` (3,) is the pose that ring and sheets hold, `grid` (inputs,) the activity of the grid cells as
        a unit vector, `time` the seconds lived.
        """
        self.recalled = None
        seeing = seeing and self.config.enabled
        if not self.localised:
            return self._search(held, time) if seeing and self.target is None else Outcome.KEPT
        if not seeing:
            return Outcome.KEPT
        return self._track(held, grid, time) if self.sure else self._search(held, time)

    def lapse(self) -> None:
        """Let a control period pass."""
        self._fresh += PERIOD

    def _track(self, held: Doubles, grid: Floats, time: float) -> Outcome:
        config = self.config
        reach = np.arange(-config.offsets, config.offsets + 1)
        cues = self.frame.shifted(self.view_trace, reach)
        # In another map a place may resemble this one in some modules, by chance.
        place_match = self.ca3.grid_similarity(grid) * self._of_this_map
        near = place_match > config.near
        here = place_match > config.here
        best = 0.0
        match = self.ca3.view_similarity(cues, near)
        if near.any():
            best = float(match.max())
            estranged = self._estranged(best, time) if here.any() else Outcome.KEPT
            if estranged is not Outcome.KEPT:
                return estranged
        old = time - self.ca3.born > config.ripen
        ripe, believed = near & old, False
        if ripe.any():
            match *= ripe
            at = int(np.argmax(match.max(axis=1)))
            recall = self.ca3.recall(match[at], np.where(ripe, place_match, np.float32(0.0)))
            self._take(recall)
            believed = recall.similarity >= config.accept
            if believed:
                turn = (best_shift(recall.counts, match, at, False) - config.offsets) * self.frame.width
                self._seeker.clear()
                self._correct(recall, turn)
        doubtful = self._doubt > config.doubt
        if not (believed or doubtful) and ((here & old).any() or self._known(old)):
            self._doubt += PERIOD * config.theta_periods
        self.similarity = best
        if self._doubt > config.doubt:
            return self._search(held, time, heeded=bool(here.any()))
        self._learn(cues[config.offsets], held, grid, place_match, best, time)
        return Outcome.KEPT

    def _estranged(self, similarity: float, time: float) -> Outcome:
        """Take how much the view resembles what is known; give up the pose if that was for long too little.

        The robot may be on another map, or elsewhere on this one: it is lost, and searches all of them. If
        what it finds proves strange too, soon after, the place is on none.
        """
        if not self._familiarity.add(similarity) or self.charts.full:
            return Outcome.KEPT
        if time - self._strayed < self.config.again:
            return Outcome.STRANGE
        self.lose()
        self._strayed = time
        return Outcome.LOST

    def lose(self) -> None:
        """Give up the pose, and whatever was seen."""
        self.localised = False
        self.forget()

    def _learn(
        self, view: Floats, held: Doubles, grid: Floats, place_match: Floats, best: float, time: float
    ) -> None:
        """Store the present view and place, when no memory tells enough of them."""
        config = self.config
        closest = float(place_match.max()) if place_match.size else 0.0
        known_view = best >= config.view_below
        new = closest < config.store_below or (not known_view and self._fresh < config.fresh)
        if new and not self.ca3.full:  # overwriting would cost more than the new memory is worth
            memory = self.ca3.memories
            self.ca3.store(view, grid, time)
            self.charts.of_memory[memory] = self.charts.used
            self.decoder.visit(held[:2], self.charts.used)
            self.relaxed.remember(memory, held)

    def _correct(self, recall: Recall, turn: float) -> None:
        """Pull heading, which is wrong by `turn` rad, and grid towards what a recall says, until the next."""
        config = self.config
        self._fresh, self._doubt = 0.0, 0.0
        self._seeker.recognised()
        belief = (recall.similarity - config.accept) / (1.0 - config.accept)
        memory = self._memory(recall)
        if self.relaxed.joined:
            pose = self.relaxed.recall(memory, self.heading.heading + turn)
            phases = np.stack([module.phase_of(pose[:2]) for module in self.grids])
            pulls = config.map_heading_pull, config.map_grid_pull
            self.target = Target(float(pose[2]), phases, self.charts.used, *pulls, config.theta_periods)
            return
        self.target = Target(
            self.heading.heading + turn + self.relaxed.turned(memory),
            self._phases_of(recall.grid),
            self.charts.used,
            (config.heading_pull + self._uncertain * config.settle_heading) * belief,
            (config.grid_pull + self._uncertain * config.settle_grid) * belief,
            config.theta_periods,
        )
        self._uncertain *= config.settle

    def _search(self, held: Doubles, time: float, heeded: bool = False) -> Outcome:
        """Cue CA3 with the view alone, at all headings; `heeded` if it counted as familiar or not already."""
        config = self.config
        if self.ca3.memories == 0:
            return Outcome.KEPT
        match, at, recall = self._recall_anywhere()
        self._take(recall)
        self.similarity = recall.similarity
        if self.localised and not heeded:
            estranged = self._estranged(recall.similarity, time)
            if estranged is not Outcome.KEPT:
                return estranged
        turn = best_shift(recall.counts, match, at, True) * self.frame.width
        memory = self._memory(recall)
        known, chart = turn + self.relaxed.turned(memory), int(self.charts.of_memory[memory])
        turn, known = wrap(turn), wrap(known)
        phases = self._phases_of(recall.grid)
        place = self.decoder.global_estimate(phases, chart)
        evidence = (recall.similarity - config.telling) / (config.plain - config.telling)
        own = None
        if self.localised:
            sheets = np.stack([module.phase for module in self.grids])
            own = Candidate(0.0, held[:2].copy(), sheets, 0.0, self.charts.used)
        finding = self._seeker.judge(Candidate(known, place, phases, evidence, chart), own, self.sure)
        if finding is Finding.HERE:
            self._doubt = 0.0
            if recall.similarity >= config.accept:
                self._correct(recall, turn)
        elif finding is Finding.ELSEWHERE:
            self.localised = False
            heading, pull = self.heading.heading + known, config.snap_pull
            # A bump far from the cue would resist it: an opposite one stayed, or went half of the way.
            self.heading.silence()
            for module in self.grids:
                module.silence()
            self.target = Target(heading, phases, chart, pull, pull, config.snap_periods)
            return Outcome.JUMPED
        elif finding is Finding.STRANGE and not self.charts.full:
            return Outcome.STRANGE
        return Outcome.KEPT

    def _known(self, old: NDArray[np.bool_]) -> bool:
        """Return whether what is seen plainly resembles what `old` neurons (neurons,) hold of anywhere."""
        if not old[self.ca3.heads].any():
            return False
        return self._recall_anywhere(old)[2].similarity >= self.config.plain

    def _recall_anywhere(self, old: NDArray[np.bool_] | None = None) -> tuple[Floats, int, Recall]:
        """Return how much neurons resemble the view at each heading, the best heading, and what is recalled.

        If `old` is given, by these neurons.
        """
        match = self.ca3.search(self.frame.shifted(self.view_trace, np.arange(self.frame.bins)))
        if old is not None:
            match *= old
        at = int(np.argmax(match.max(axis=1)))
        return match, at, self.ca3.recall(match[at])

    def _take(self, recall: Recall) -> None:
        self.recalled = recall
        self._hear(recall.counts)

    def _memory(self, recall: Recall) -> int:
        """Number of the memory that a recall brought back: that of its most active neuron."""
        return int(self.ca3.memory_of[np.argmax(recall.counts)])

    @property
    def _of_this_map(self) -> NDArray[np.bool_]:
        """Which neurons of CA3 hold a memory of the map in use."""
        return np.asarray(self.charts.of_memory[self.ca3.memory_of] == self.charts.used)

    def _phases_of(self, pattern: Floats) -> Doubles:
        parts = pattern.reshape(len(self.grids), -1)
        return np.stack([module.phase_from(part) for module, part in zip(self.grids, parts, strict=True)])
