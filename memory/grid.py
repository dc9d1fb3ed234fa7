"""Grid cells: modules of spiking neurons on a twisted torus, moved by heading and speed.

The torus is the rhombic unit cell of a hexagonal lattice (Guanella, Kiper & Verschure 2007), so one bump
gives every cell a hexagonal map whose spacing between neighbouring field centres is the module's scale. Four
layers prefer east, north, west and south in the map's frame and pull the bump their way (Burak & Fiete 2009,
four directions).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking.random import key
from ..spiking.torus import TorusProjection
from .attractor import AttractorNeurons
from .calibration import DriveTable, circular_speed
from .engines import Neurons, advance_sheet, blank, clear, named, rest
from .population_vector import bearings
from .rate_attractor import RateNeurons
from .tuning import Sheet

Floats = NDArray[np.float32]
#: Unit vectors of the lattice (rows): the torus is their parallelogram.
LATTICE = np.array([[1.0, 0.0], [0.5, np.sqrt(3.0) / 2.0]])
#: Preferred directions of the four layers, in the lattice's frame.
DIRECTIONS = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
#: Shifts to the images of a torus that count; those farther off add less than 1e-12 at the widths in use.
_IMAGES = np.repeat([-1, 0, 1], 3), np.tile([-1, 0, 1], 3)


@dataclass(frozen=True, slots=True)
class GridConfig:
    """The modules. Scales grow geometrically (ratio 1.42: Stensola et al. 2012, Nature 492:72)."""

    modules: int = 4
    phases: int = 16  #: along each side of the torus; a module has 4 * phases**2 neurons
    smallest_scale: float = 0.60  #: m between neighbouring field centres
    scale_ratio: float = 1.42
    orientation_step: float = 0.26  #: rad by which each module is turned against the one before
    excitation: float = 1.0
    inhibition: float = 0.4
    width: float = 0.13  #: standard deviation of the excitatory kernel, periods
    shift: float = 0.15  #: periods by which a layer's outgoing kernel is displaced
    cue_width: float = 0.13  #: periods
    neurons: AttractorNeurons = field(default_factory=AttractorNeurons)
    rates: RateNeurons | None = None  #: units without spikes and noise in place of the neurons

    def __post_init__(self) -> None:
        if self.modules < 1:
            raise ValueError(f"grid modules must be >= 1, got {self.modules}")
        if self.phases < 8:
            raise ValueError(f"grid phases must be >= 8, got {self.phases}")
        if self.smallest_scale <= 0.0:
            raise ValueError(f"grid scale must be > 0 m, got {self.smallest_scale}")
        if self.scale_ratio <= 1.0:
            raise ValueError(f"grid scale_ratio must be > 1, got {self.scale_ratio}")

    @property
    def units(self) -> Neurons:
        """The neurons, or the rate units in their place."""
        return self.neurons if self.rates is None else self.rates

    @property
    def nominal(self) -> GridConfig:
        """The modules with neurons that are all equal, if unlike ones recover: how these are to move."""
        if self.neurons.recovery == 0.0:
            return self
        return replace(self, neurons=replace(self.neurons, mismatch=0.0))

    def scales(self) -> NDArray[np.float64]:
        """Return the spacing of each module, m."""
        return np.asarray(self.smallest_scale * self.scale_ratio ** np.arange(self.modules))

    def orientations(self) -> NDArray[np.float64]:
        """Return the orientation of each module, rad; modules repeat every 60 degrees."""
        return np.asarray(np.arange(self.modules) * self.orientation_step, np.float64)


class GridModule(Sheet):
    """One torus of 4 x phases**2 LIF neurons with a given scale (m) and orientation (rad)."""

    layers = DIRECTIONS
    usual = 0.25
    rest_name = "grid_tuning"

    def __init__(
        self, config: GridConfig, scale: float, orientation: float, name: str, seed: int, table: DriveTable
    ) -> None:
        self.config, self.scale, self.orientation = config, scale, orientation
        self.table = self._nominal = table
        self.key = key(seed, name)
        n = config.phases
        self.size, self.cells = 4 * n * n, n * n
        self._kernels = _kernels(config)
        self._no_cue = np.zeros(self.cells, np.float32)
        self._spikes = np.zeros((self.size * 20, 2), np.int32)
        self._to_lattice = _to_lattice(scale, orientation)
        self._turn = _rotation(-orientation)
        self._waves = _waves(n)
        self._units = named(config.units, name)
        self.state = rest(self._units, self._kernels)
        self.velocity = np.zeros(2)  #: m/s in the last period: the readout runs ahead by it
        self.recover()

    @property
    def synapses(self) -> int:
        """Number of recurrent connections, stored as one kernel a layer."""
        return self.size * self.cells

    def set(self, position: NDArray[np.float64], strength: float = 2.0, seconds: float = 0.4) -> None:
        """Clear the sheet and let a bump form at the phase of `position` (2,), m."""
        self.silence()
        cue = self.cue_at(self.phase_of(position), strength)
        for _ in range(max(1, round(seconds / 0.04))):
            self.advance(np.zeros(2), 40, cue)
        for _ in range(20):  # let the cued bump relax to its own shape
            self.advance(np.zeros(2), 40)

    def silence(self) -> None:
        """Let inhibition from outside end whatever bump there is, at once."""
        clear(self.state)

    def _measured(self) -> DriveTable:
        return calibrate(self.config, sheets=4, like=self)

    def begin_at(self, random: np.random.Generator) -> None:
        """Let a bump form anywhere."""
        self.set(random.uniform(0.0, 1.0, 2) @ np.linalg.inv(self._to_lattice))

    def place(self) -> NDArray[np.float64]:
        """Phase (2,) of the population vector, periods."""
        return self.phase_from(self.state.trace)

    def way(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shortest way from one phase to another (2,), periods east and north in the lattice's frame."""
        step = end - start
        return np.asarray((step - np.round(step)) @ LATTICE)

    def phase_of(self, position: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the phases (..., 2) in [0, 1) of positions (..., 2), m."""
        return np.asarray((position @ self._to_lattice) % 1.0)

    def phase_change(self, displacement: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the change of phase (2,) that a displacement (2,), m, brings."""
        return np.asarray(displacement @ self._to_lattice)

    def cue_at(self, phase: NDArray[np.float64], strength: float) -> Floats:
        """Return the current (phases**2,) that pulls the bump towards `phase` (2,)."""
        return _cue(self.config.phases, self.config.cue_width, float(phase[0]), float(phase[1]), strength)

    def advance(
        self, velocity: NDArray[np.float64], steps: int, cue: Floats | None = None
    ) -> NDArray[np.int32]:
        """Integrate `velocity` (2,) m/s, map's frame, for `steps` ms; return spikes (k, 2): ms, neuron."""
        along = self._turn @ velocity / self.scale
        speed = float(np.hypot(along[0], along[1]))
        drive = self.table.drive(speed) / speed if speed > 0.0 else 0.0
        count = advance_sheet(
            self._units,
            self.state,
            self._kernels,
            np.asarray(drive * (DIRECTIONS @ along)),
            self._no_cue if cue is None else cue,
            steps,
            self.key,
            self._spikes,
        )
        self.velocity[:] = velocity
        return self._spikes[:count]

    @property
    def phase(self) -> NDArray[np.float64]:
        """Phase (2,) of the bump's population vector, periods in [0, 1), advanced by the sheet's lag."""
        lead = self.table.lag * (self.velocity @ self._to_lattice)
        return np.asarray((self.phase_from(self.state.trace) + lead) % 1.0)

    def moved(self, activity: Floats, displacement: NDArray[np.float64]) -> Floats:
        """Return `activity` (phases**2,) as it would be `displacement` (2,), m, farther."""
        n = self.config.phases
        du, dv = self.phase_change(displacement)
        frequency = np.fft.fftfreq(n) * n
        turn = np.exp(-2j * np.pi * (np.fft.rfftfreq(n) * n * du + frequency[:, None] * dv))
        return np.fft.irfft2(np.fft.rfft2(activity.reshape(n, n)) * turn, (n, n)).astype(np.float32).ravel()

    def phase_from(self, activity: Floats | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the phase (2,) of the population vector of `activity` (phases**2,)."""
        return np.asarray(bearings(activity, self._waves) / (2.0 * np.pi) % 1.0)


def grid_modules(config: GridConfig, seed: int, table: DriveTable) -> list[GridModule]:
    """Return the modules of `config`, smallest scale first, named `grid_0`, `grid_1`, ..."""
    pairs = zip(config.scales(), config.orientations(), strict=True)
    return [
        GridModule(config, float(scale), float(turn), f"grid_{k}", seed, table)
        for k, (scale, turn) in enumerate(pairs)
    ]


def grid_code(activity: Floats) -> Floats:
    """Return `activity` (modules, cells) as a unit vector (modules * cells,) to which modules add alike."""
    size = np.maximum(np.sqrt((activity * activity).sum(axis=1, keepdims=True)), np.float32(1e-6))
    return np.asarray((activity / size).ravel() / np.float32(np.sqrt(len(activity))), np.float32)


@njit(cache=True)
def bump_at(n: int, width: float, u: float, v: float) -> NDArray[np.float64]:
    """Return `lattice_bump` around the phase (u, v) on n x n cells, (n * n,), without arrays in between."""
    # A recall needs one a module and period.
    half = 0.5 * np.sqrt(3.0)
    bump = np.empty(n * n)
    for row in range(n):
        dv = row / n - v
        dv -= np.round(dv)
        for column in range(n):
            du = column / n - u
            du -= np.round(du)
            value = 0.0
            for i in range(-1, 2):
                for j in range(-1, 2):
                    x = du + i + 0.5 * (dv + j)
                    y = half * (dv + j)
                    value += np.exp(-(x * x + y * y) / (2.0 * width * width))
            bump[row * n + column] = value
    return bump


@njit(cache=True)
def _cue(n: int, width: float, u: float, v: float, strength: float) -> Floats:
    bump, total = bump_at(n, width, u, v), 0.0
    for k in range(n * n):
        total += bump[k]
    mean = total / (n * n)
    out = np.empty(n * n, np.float32)
    for k in range(n * n):
        out[k] = strength * (bump[k] - mean)
    return out


def calibrate(
    config: GridConfig,
    sheets: int = 1,
    seconds: float = 4.0,
    drives: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.3),
    like: GridModule | None = None,
) -> DriveTable:
    """Measure how fast a sheet's bump moves under constant `drives`, periods/s, and how far it lags.

    All modules share neurons and kernels, so one table speaks for all, unless neurons are unlike: those of
    `like` are measured then. Averaged over two directions, over
    `seconds` (slow bumps need longer, because their speed varies with where on the sheet they are) and over
    `sheets` sheets with noise of their own: a bump diffuses while it is timed, so that one sheet tells the
    speed to about 2 %. Raises ValueError if the bump does not follow its drive.
    """
    if sheets < 1:
        raise ValueError(f"calibration needs >= 1 sheet, got {sheets}")
    tried = [_TestSheet(config, number, like) for number in range(sheets)]
    east, oblique = np.array([1.0, 0.0]), np.array([np.cos(1.0), np.sin(1.0)])
    speeds = [
        [0.5 * (sheet.speed(d * east, seconds) + sheet.speed(d * oblique, seconds)) for d in drives]
        for sheet in tried
    ]
    mean = np.array(speeds).mean(axis=0)
    table = DriveTable.fit(np.array([0.0, *drives]), np.concatenate(([0.0], mean)))
    behind = float(np.mean([sheet.behind(0.4, 1.2, table) for sheet in tried]))
    return table.with_lag(max(0.0, behind / 0.4))


class _TestSheet:
    """A sheet that is driven to see how it moves; `number` gives its noise and where its bump starts."""

    def __init__(self, config: GridConfig, number: int, like: GridModule | None) -> None:
        self._kernels = _kernels(config)
        self._units = config.units if like is None else like._units
        self._state = rest(config.units, self._kernels) if like is None else blank(like.state)
        self._spikes = np.zeros((80 * config.phases**2, 2), np.int32)
        self._key, self._waves = key(number, "grid_calibration"), _waves(config.phases)
        self._no_cue = np.zeros(config.phases**2, np.float32)
        start = 0.5 + 0.618 * number  # golden section: anywhere between the phases of cells
        self._run(np.zeros(2), 0.4, _cue(config.phases, config.cue_width, start, start, 2.0))

    def _run(
        self, drive: NDArray[np.float64], seconds: float, cue: Floats | None = None
    ) -> NDArray[np.float64]:
        phases, layers = [], np.asarray(DIRECTIONS @ drive)
        current = self._no_cue if cue is None else cue
        for _ in range(round(seconds / 0.04)):
            advance_sheet(
                self._units, self._state, self._kernels, layers, current, 40, self._key, self._spikes
            )
            phases.append(bearings(self._state.trace, self._waves) / (2.0 * np.pi))
        return np.array(phases)

    def speed(self, drive: NDArray[np.float64], seconds: float) -> float:
        """Return the bump's speed along a constant `drive` (2,), periods/s, over `seconds`."""
        self._run(drive, 0.4)
        phases = self._run(drive, seconds)
        step = [circular_speed(phases[:, axis], 0.04, 1.0) for axis in (0, 1)]
        return float(np.array(step) @ LATTICE @ drive / np.hypot(*drive))

    def behind(self, speed: float, seconds: float, table: DriveTable) -> float:
        """Return by how many periods the bump trails when it is driven east at `speed` from rest."""
        self._run(np.zeros(2), 0.8)
        start = self._run(np.zeros(2), 0.2)[-1:]
        phases = self._run(np.array([1.0, 0.0]) * table.drive(speed), seconds)
        moved = np.unwrap(np.concatenate((start, phases)), axis=0, period=1.0)
        return speed * seconds - float(((moved[-1] - moved[0]) @ LATTICE)[0])


def lattice_bump(u: NDArray[np.float64], v: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Return a Gaussian of `width` periods on the hexagonal torus, at phase differences `u`, `v`."""
    u, v = u - np.round(u), v - np.round(v)
    i, j = (shift.reshape((9,) + (1,) * np.ndim(u + v)) for shift in _IMAGES)
    x = (u + i) * LATTICE[0, 0] + (v + j) * LATTICE[1, 0]
    y = (u + i) * LATTICE[0, 1] + (v + j) * LATTICE[1, 1]
    return np.asarray(np.exp(-(x * x + y * y) / (2.0 * width * width)).sum(axis=0))


def _kernels(config: GridConfig) -> Floats:
    n = config.phases
    v, u = np.meshgrid(np.arange(n) / n, np.arange(n) / n, indexing="ij")
    kernels = []
    for direction in DIRECTIONS:
        du, dv = (direction * config.shift) @ np.linalg.inv(LATTICE)
        bump = lattice_bump(u - du, v - dv, config.width)
        kernels.append((config.excitation * bump - config.inhibition) * 2.56 / (n * n))
    return TorusProjection.from_kernels(kernels).weights


def _waves(n: int) -> NDArray[np.complex128]:
    wave = np.exp(2j * np.pi * np.arange(n) / n)
    return np.stack([np.tile(wave, (n, 1)).ravel(), np.repeat(wave, n)])


def _rotation(angle: float) -> NDArray[np.float64]:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _to_lattice(scale: float, orientation: float) -> NDArray[np.float64]:
    """Matrix (2, 2) with `position @ matrix` = phases."""
    return np.asarray(_rotation(-orientation).T @ np.linalg.inv(LATTICE) / scale)
