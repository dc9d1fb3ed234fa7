"""CA1 place cells: recruited where nothing is known, driven by grid cells and by what CA3 recalls.

A cell is recruited in one shot. Its synapses from the grid cells take the shape of their present activity, so
it fires again where the grid comes back to that combination of phases (Solstad, Moser & Einevoll 2006); its
synapses from CA3 are those of the assembly that is active then and grow while both fire together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking.checks import require_positive
from ..spiking.lif import relax
from ..spiking.model import add_noise, fire, write
from ..spiking.random import key, step_key
from .engines import DEAD, FOREVER
from .matching import dots
from .neurons import NeuronConfig
from .sequence_links import LinkConfig, SequenceLinks
from .theta import ThetaConfig

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PlaceConfig:
    """Cells and their inputs. Drives are in units of the firing threshold."""

    cells: int = 500
    spacing: float = 0.80  #: recruit when no cell's stored pattern resembles the present one more than this
    grid_share: float = 0.8  #: of the drive; the rest comes from CA3
    field_threshold: float = 0.45  #: similarity at which the mean drive reaches the firing threshold
    gain: float = 2.5  #: drive per unit of similarity
    inhibition: float = 0.05  #: drive that a spike of any cell takes from all
    tau_inhibition: float = 0.020  #: s
    tau_input: float = 0.050  #: s, grid synapses
    tau_schaffer: float = 0.200  #: s, CA3 synapses: outlasts the pause between two recalls
    schaffer_rate: float = 0.1  #: growth of CA3 synapses a recall
    unsteady: float = 0.0  #: standard deviation of a factor on each cell's input, drawn each control period
    neurons: NeuronConfig = field(default_factory=lambda: NeuronConfig(noise=0.06))
    links: LinkConfig = field(default_factory=LinkConfig)
    theta: ThetaConfig = field(default_factory=ThetaConfig)

    def __post_init__(self) -> None:
        if self.cells < 1:
            raise ValueError(f"place cells must be >= 1, got {self.cells}")
        if not 0.0 <= self.grid_share <= 1.0:
            raise ValueError(f"place grid_share must be in [0, 1], got {self.grid_share}")
        require_positive("place", self, "spacing", "tau_inhibition", "tau_input", "tau_schaffer")
        for name in ("gain", "inhibition", "schaffer_rate", "unsteady"):
            if getattr(self, name) < 0.0:
                raise ValueError(f"place {name} must be >= 0, got {getattr(self, name)}")


ORIGIN = np.zeros(2)
NO_MAP = -1  #: of a cell that was dead when its turn to be recruited came
BODY, WALL = 0.08, 0.15  #: m from a touching robot to a wall, and how far to both sides it is known to stand
#: ms of refractoriness to which cells of other maps are set, and from which on a cell is one of those.
SHUT_OUT, SHUT_IN = np.int32(2**29), np.int32(2**28)


class PlaceCells:
    """`cells` LIF neurons on `grids` grid inputs (grouped in `modules`) and `ca3` inputs."""

    def __init__(self, config: PlaceConfig, modules: int, grids: int, ca3: int, seed: int) -> None:
        self.config, self.modules = config, modules
        self.key = key(seed, "place")
        self.size = config.cells
        self.grid_weights = np.zeros((grids, config.cells), np.float32)
        self.patterns = np.zeros((config.cells, grids), np.float32)
        self.ca3_weights = np.zeros((ca3, config.cells), np.float32)
        self.recruited = np.zeros(1, np.int64)
        self.chart = np.zeros(config.cells, np.int64)  #: map in which each cell was recruited
        self.centres = np.zeros((config.cells, 2))  #: m, where each was recruited, within the modules' range
        self.in_use = np.zeros(1, np.int64)  #: number of the map in use
        self.membrane, self.current = np.zeros(config.cells, np.float32), np.zeros(config.cells, np.float32)
        self.silent, self.clock = np.zeros(config.cells, np.int32), np.zeros(1, np.int64)
        self._constants = config.neurons.constants(config.cells)
        self._steady = np.ones(config.cells, np.float32)
        self._noise = config.neurons.noise_drive()
        self.hold = np.zeros(1, np.float32)
        self.schaffer = np.zeros(config.cells, np.float32)
        self.activity = np.zeros(config.cells, np.float32)
        self.links = SequenceLinks(config.links, config.cells)
        self.linked = np.zeros(config.cells, np.float32)  # drive through links
        self.tired = np.zeros(config.cells, np.float32)
        self._still = np.tile(np.array([0.0, 1.0, 0.0], np.float32), (1000, 1))
        self._spikes = np.zeros((config.cells * 20, 2), np.int32)

    @property
    def used(self) -> int:
        """Number of cells recruited so far."""
        return int(self.recruited[0])

    @property
    def of_this_map(self) -> NDArray[np.bool_]:
        """Which of the recruited cells (used,) belong to the map in use."""
        return np.asarray(self.chart[: self.used] == self.in_use)

    @property
    def on_map(self) -> NDArray[np.bool_]:
        """The same of all cells (size,), recruited or not."""
        out = np.zeros(self.size, np.bool_)
        out[: self.used] = self.of_this_map
        return out

    @property
    def synapses(self) -> int:
        """Grid and CA3 synapses."""
        return int(self.grid_weights.size + self.ca3_weights.size)

    def reset(self) -> None:
        """Return the cells to rest."""
        self.membrane[:], self.current[:] = 0.0, 0.0
        self.silent[self.silent < SHUT_IN] = 0
        for array in (self.schaffer, self.hold, self.activity, self.linked, self.tired):
            array[:] = 0.0
        self.links.reset()

    def turn_to(self, chart: int) -> None:
        """Let only the cells of map `chart` fire: those of the others are held down by its inhibition."""
        self.in_use[0] = chart
        self.links.reset()  # no way leads from one map to another
        alive = ~self.dead
        self.silent[alive] = 0
        self.silent[alive & (self.chart != chart) & (np.arange(self.size) < self.used)] = SHUT_OUT

    @property
    def dead(self) -> NDArray[np.bool_]:
        """Which cells (cells,) never fire again."""
        return np.asarray(self.silent >= DEAD)

    def lesion(self, cells: NDArray[np.integer]) -> None:
        """Let `cells` never fire again, nor be recruited."""
        self.silent[cells] = FOREVER

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays: synapses, stored patterns, how many cells are recruited."""
        out: dict[str, NDArray[Any]] = {
            "grid_weights": self.grid_weights,
            "patterns": self.patterns,
            "ca3_weights": self.ca3_weights,
            "recruited": self.recruited,
            "chart": self.chart,
            "centres": self.centres,
            "in_use": self.in_use,
            "membrane": self.membrane,
            "current": self.current,
            "silent": self.silent,
            "step": self.clock,
        }
        return out | {f"links.{name}": array for name, array in self.links.arrays().items()}

    def begin_cycle(self) -> None:
        """Begin a theta cycle: cells that fired in the last one are fresh again."""
        self.tired[:] = 0.0

    def similarity(self, grid: Floats) -> Floats:
        """Return the cosine (used,) of the unit vector `grid` (grids,) and each cell's stored pattern.

        It is 0 for the cells of other maps, and for dead ones: what they stood for is not known any more.
        """
        out = np.zeros((1, self.used), np.float32)
        dots(grid[None], self.patterns[: self.used], self.of_this_map & ~self.dead[: self.used], out)
        return np.asarray(out[0], np.float32)

    def recruit(
        self, grid: Floats, rates: Floats, ca3_counts: Floats, position: NDArray[np.float64] = ORIGIN
    ) -> bool:
        """Recruit a cell for the present grid activity; False when all are taken.

        `grid` is the unit vector of `rates` (grids,), Hz summed over a phase's cells; `ca3_counts` (ca3,) the
        spikes of the last recall; `position` (2,) m is what the grid says of where that is.
        """
        while self.used < self.size and self.dead[self.used]:
            self.chart[self.used] = NO_MAP
            self.recruited[0] += 1
        if self.used >= self.size:
            return False
        cell = self.used
        self.patterns[cell], self.chart[cell], self.centres[cell] = grid, self.in_use[0], position
        size = rates.size // self.modules
        for module in range(self.modules):
            part = slice(module * size, (module + 1) * size)
            power = float((rates[part] * rates[part]).sum()) * self.config.tau_input
            self.grid_weights[part, cell] = rates[part] / np.float32(max(power, 1e-6) * self.modules)
        self.ca3_weights[:, cell] = ca3_counts / np.float32(max(float(ca3_counts.sum()), 1.0))
        apart = np.hypot(*(self.centres[: cell + 1] - position).T) > self.config.links.reach
        self.links.apart[cell, : cell + 1] = self.links.apart[: cell + 1, cell] = apart
        self.recruited[0] += 1
        return True

    def around(self, here: NDArray[np.float64], width: float) -> Floats:
        """Return how near to `here` (2,) m each cell's field lies (cells,): 1 there, a Gaussian of `width` m.

        0 for cells of other maps and for those that have no field yet.
        """
        near = np.zeros(self.size, np.float32)
        square = ((self.centres[: self.used] - here) ** 2).sum(axis=1)
        near[: self.used] = np.exp(-0.5 * square / width**2) * self.of_this_map
        return near

    def obstruct(
        self, here: NDArray[np.float64], course: float, reach: float, share: float
    ) -> NDArray[np.intp]:
        """Take `share` of the links from what fires to fields ahead of `here` (2,) m, and back.

        Ahead is within 60 degrees of `course`, rad, and `reach`, m. Returns which cells these are. Links that
        lead through the wall that is met, from wherever, lose as much.
        """
        activity, way = self.activity[: self.used], self.centres[: self.used] - here
        firing = np.flatnonzero(activity > 0.5 * activity.max(initial=1.0))
        along, far = way @ np.array([np.cos(course), np.sin(course)]), np.hypot(*way.T)
        beyond = np.flatnonzero((along > 0.5 * far) & (far < reach))
        for block in (np.ix_(firing, beyond), np.ix_(beyond, firing), self._through(way, course)):
            self.links.near[block] *= np.float32(1.0 - share)
        return beyond

    def _through(self, way: NDArray[np.float64], course: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return which links, from cells to cells, lead straight through a wall.

        `way` (used, 2), m, are the fields from the robot, which touches the wall on `course`, rad.
        """
        along = way @ np.array([np.cos(course), np.sin(course)]) - BODY
        aside = way @ np.array([-np.sin(course), np.cos(course)])
        before = np.flatnonzero(self.of_this_map & (along < 0.0))
        behind = np.flatnonzero(self.of_this_map & (along >= 0.0))
        i, j = np.nonzero(self.links.near[np.ix_(before, behind)] > 0.0)
        k, h = np.nonzero(self.links.near[np.ix_(behind, before)] > 0.0)
        i, j = np.concatenate((before[i], behind[k])), np.concatenate((behind[j], before[h]))
        # Where the robot is a little wrong of its place, ways along the wall seem to graze it.
        steep = np.abs(along[i] - along[j]) > np.abs(aside[i] - aside[j])
        met = aside[i] + (aside[j] - aside[i]) * along[i] / (along[i] - along[j])
        through = steep & (np.abs(met) < WALL)
        return i[through], j[through]

    def hear(self, ca3_counts: Floats) -> None:
        """Take the burst of a recall (ca3,), and let synapses between cells that fire together grow."""
        total = float(ca3_counts.sum())
        if total <= 0.0 or self.used == 0:
            return
        share = ca3_counts / np.float32(total)
        active = np.flatnonzero(ca3_counts)
        self.schaffer += (share[active, None] * self.ca3_weights[active]).sum(axis=0) * np.float32(
            total / max(1, len(active))
        )
        firing = np.flatnonzero(self.activity > 5.0)
        if len(firing):
            block = np.ix_(active, firing)
            target = share[active][:, None] * np.minimum(self.activity[firing] / 20.0, 1.0)[None, :]
            self.ca3_weights[block] += np.float32(self.config.schaffer_rate) * (
                target - self.ca3_weights[block]
            )

    def advance(
        self,
        grid_spikes: NDArray[np.int32],
        steps: int,
        wave: Floats | None = None,
        course: tuple[float, float] = (0.0, 0.0),
    ) -> NDArray[np.int32]:
        """Run `steps` ms on grid spikes (k, 2) of (ms, phase input), ascending; return spikes (k, 2).

        `wave` (steps, 3) is the part of a theta cycle that passes meanwhile (`ThetaConfig.cycle`), and
        `course` the direction of travel as a vector, shorter than 1 for a robot that hardly moves.
        """
        config, theta = self.config, self.config.theta
        used = self.used
        if used == 0:
            return self._spikes[:0]
        count = _advance(
            self.membrane, self.current, self.silent, self.clock, self.hold, self.grid_weights, grid_spikes,
            self.schaffer, used, steps, np.ascontiguousarray(self._constants[:, :used]), self._noise,
            self._factors(),
            np.float32(np.exp(-1e-3 / config.tau_input)),
            np.float32(config.grid_share), np.float32(config.field_threshold), np.float32(config.gain),
            np.float32(config.inhibition), np.float32(np.exp(-1e-3 / config.tau_inhibition)),
            np.float32(np.exp(-1e-3 / config.tau_schaffer)),
            self._still[:steps] if wave is None else wave, self.links.forward, self.linked, self.tired,
            np.array(
                [*course, theta.links, np.exp(-1e-3 / theta.tau_link), theta.fatigue, theta.reach], np.float32
            ),
            self.key, self._spikes,
        )  # fmt: skip
        if count < 0:
            raise ValueError("place-cell spikes exceed their buffer")
        spikes = self._spikes[:count]
        rate = np.bincount(spikes[:, 1], minlength=self.size) / (steps * 1e-3)
        self.activity += np.float32(0.3) * (rate.astype(np.float32) - self.activity)
        return spikes

    def _factors(self) -> Floats:
        """Return what the input of each cell (cells,) is multiplied by in this control period."""
        if self.config.unsteady == 0.0:
            return self._steady
        rng = np.random.default_rng((int(self.key), int(self.clock[0])))
        return (1.0 + self.config.unsteady * rng.standard_normal(self.size)).astype(np.float32)


@njit(cache=True)
def _advance(
    membrane: Floats,
    current: Floats,
    silent: NDArray[np.int32],
    clock: NDArray[np.int64],
    hold: Floats,
    weights: Floats,
    grid_spikes: NDArray[np.int32],
    schaffer: Floats,
    used: int,
    steps: int,
    constants: Floats,  # of LIF neurons
    noise: Floats,
    factors: Floats,  # on the input of each cell
    decay: np.float32,
    grid_share: np.float32,
    threshold: np.float32,
    gain: np.float32,
    inhibit: np.float32,
    hold_decay: np.float32,
    schaffer_decay: np.float32,
    wave: Floats,  # (steps, 3)
    forward: Floats,  # (cells, cells, 2)
    linked: Floats,
    tired: Floats,
    links: Floats,  # course (2), gain, decay, fatigue, reach
    key: np.uint32,
    spikes: NDArray[np.int32],
) -> int:
    count, cursor, one, zero = 0, 0, np.float32(1.0), np.float32(0.0)
    v, hold_off = membrane[:used], silent[:used]
    drive, fired, nothing = np.empty(used, np.float32), np.empty(used, np.int32), np.zeros(0, np.float32)
    for step in range(steps):
        at = step_key(key, np.uint32(clock[0] & 0xFFFFFFFF))
        clock[0] += 1
        while cursor < grid_spikes.shape[0] and grid_spikes[cursor, 0] <= step:
            row = weights[grid_spikes[cursor, 1]]
            for i in range(used):
                current[i] += row[i]
            cursor += 1
        held, senses, gate = hold[0] + wave[step, 0], wave[step, 1], wave[step, 2]
        for i in range(used):
            match = (
                factors[i] * senses * (grid_share * current[i] + (one - grid_share) * min(schaffer[i], one))
            )
            drive[i] = one + gain * (match - threshold) - held
            current[i] *= decay
            schaffer[i] *= schaffer_decay
        if gate != zero:
            for i in range(used):
                pull = min(max(linked[i], -one), one)
                drive[i] += gate * links[5] * pull - tired[i]
                linked[i] *= links[3]
        for i in range(used):
            drive[i] = max(drive[i], zero)
        add_noise(drive, noise, at)
        relax(v, drive, nothing, constants)
        n_fired = fire(v, hold_off, constants[3], constants[4], constants[5], fired)
        hold[0] = hold_decay * hold[0] + inhibit * n_fired
        if gate != zero:
            for f in range(n_fired):
                row = forward[fired[f]]
                tired[fired[f]] += links[4]
                for i in range(used):
                    linked[i] += links[2] * (row[i, 0] * links[0] + row[i, 1] * links[1])
        count = write(spikes, count, step, fired, n_fired)
        if count < 0:
            return -1
    return count
