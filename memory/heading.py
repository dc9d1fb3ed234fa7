"""Head-direction cells: a spiking ring attractor that integrates the gyro and can be set by a cue."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
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
SETTLE = 0.8  #: s a new bump is left alone


@dataclass(frozen=True, slots=True)
class HeadingConfig:
    """The ring. Two layers of `phases` neurons, displaced clockwise and counter-clockwise.

    Xie, Hahnloser & Seung 2002, Phys. Rev. E 66:041902 (double-ring integrator). Weights are in units of the
    firing threshold; those below give a bump of half-width ~35 degrees that turns linearly up to 3.5 rad/s.
    """

    phases: int = 360
    excitation: float = 2.0
    inhibition: float = 1.0
    concentration: float = 3.0  #: of the von Mises kernel
    shift: float = 0.6  #: rad by which a layer's outgoing kernel is displaced
    cue_concentration: float = 5.0  #: width of an outside cue
    neurons: AttractorNeurons = field(default_factory=lambda: AttractorNeurons(noise=0.015))
    rates: RateNeurons | None = None  #: units without spikes and noise in place of the neurons

    def __post_init__(self) -> None:
        if self.phases < 16:
            raise ValueError(f"heading phases must be >= 16, got {self.phases}")

    @property
    def units(self) -> Neurons:
        """The neurons, or the rate units in their place."""
        return self.neurons if self.rates is None else self.rates


class HeadDirection(Sheet):
    """Ring attractor of 2 x `phases` LIF neurons; angles in rad, counter-clockwise.

    Its speed under each drive is measured over `seconds` when it is made.
    """

    layers = np.array([[1.0], [-1.0]])
    usual = 0.6
    rest_name = "head_direction_tuning"

    def __init__(self, config: HeadingConfig, seed: int, seconds: float = 3.0) -> None:
        self.config = config
        self.key = key(seed, "head_direction")
        self.phase = np.asarray(np.arange(config.phases) * (2.0 * np.pi / config.phases), np.float64)
        self._compass = np.exp(1j * self.phase)[None]
        self._kernels = _kernels(config, self.phase)
        self._no_cue = np.zeros(config.phases, np.float32)
        self._spikes = np.zeros((2 * config.phases * 20, 2), np.int32)
        self._units = named(config.units, "head_direction")
        self._seconds = seconds
        self.state = rest(self._units, self._kernels)
        self.turning = np.zeros(1)  #: rad/s in the last period: the readout runs ahead by it
        self.table = self._nominal = _nominal(config, seconds) or self._calibrate(seconds)
        self.recover()

    @property
    def size(self) -> int:
        """Number of neurons."""
        return 2 * self.config.phases

    @property
    def synapses(self) -> int:
        """Number of recurrent connections, stored as one kernel a layer."""
        return self.size * self.config.phases

    def set(self, angle: float, strength: float = 2.0, seconds: float = 0.3) -> None:
        """Clear the ring and let a bump form at `angle` rad."""
        self.silence()
        cue = self.cue(angle, strength)
        for _ in range(max(1, round(seconds / 0.04))):
            self.advance(0.0, 40, cue)
        # A bump that a cue has just shaped resists the first turn by ~0.1 rad; left alone, it relaxes.
        for _ in range(round(SETTLE / 0.04)):
            self.advance(0.0, 40)
        self.turning[0] = 0.0

    def silence(self) -> None:
        """Let inhibition from outside end whatever bump there is, at once."""
        clear(self.state)

    def _measured(self) -> DriveTable:
        return self._calibrate(self._seconds)

    def begin_at(self, random: np.random.Generator) -> None:
        """Let a bump form anywhere."""
        self.set(random.uniform(-np.pi, np.pi))

    def place(self) -> NDArray[np.float64]:
        """Where the population vector points, (1,) rad."""
        return bearings(self.state.trace, self._compass)

    def way(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shortest way from one direction to another, (1,) rad."""
        return np.asarray((end - start + np.pi) % (2.0 * np.pi) - np.pi)

    def cue(self, angle: float, strength: float) -> Floats:
        """Return the current (phases,) of an outside cue that pulls the bump towards `angle`."""
        bump = np.exp(self.config.cue_concentration * (np.cos(self.phase - angle) - 1.0))
        return np.asarray(strength * (bump - bump.mean()), np.float32)

    def advance(self, turn_rate: float, steps: int, cue: Floats | None = None) -> NDArray[np.int32]:
        """Integrate `turn_rate` rad/s for `steps` ms; return spikes (k, 2) of (ms, neuron)."""
        drive = self.table.drive(turn_rate)
        count = advance_sheet(
            self._units,
            self.state,
            self._kernels,
            np.array([drive, -drive]),
            self._no_cue if cue is None else cue,
            steps,
            self.key,
            self._spikes,
        )
        self.turning[0] = turn_rate
        return self._spikes[:count]

    @property
    def heading(self) -> float:
        """Direction of the population vector, advanced by the ring's known lag, rad in (-pi, pi]."""
        angle = float(bearings(self.state.trace, self._compass)[0]) + self.table.lag * float(self.turning[0])
        return math.atan2(math.sin(angle), math.cos(angle))

    def _calibrate(self, duration: float) -> DriveTable:
        """Measure the bump's speed under constant drives, and its lag behind the input."""
        state = blank(self.state)
        calibration_key = key(0, "head_direction_calibration")

        def run(drive: float, seconds: float, cue: Floats) -> list[float]:
            angles = []
            for _ in range(round(seconds / 0.04)):
                layers = np.array([drive, -drive])
                advance_sheet(
                    self._units, state, self._kernels, layers, cue, 40, calibration_key, self._spikes
                )
                angles.append(float(bearings(state.trace, self._compass)[0]))
            return angles

        run(0.0, 0.4, self.cue(0.0, 2.0))
        drives = np.array([0.03, 0.08, 0.15, 0.25, 0.35, 0.45])
        speeds = [0.0]
        for drive in drives:
            run(float(drive), 0.3, self._no_cue)
            speeds.append(circular_speed(np.array(run(float(drive), duration, self._no_cue)), 0.04))
        table = DriveTable.fit(np.concatenate(([0.0], drives)), np.array(speeds))
        run(0.0, 0.6, self._no_cue)
        start = run(0.0, 0.2, self._no_cue)[-1]
        turned = np.unwrap([start, *run(table.drive(1.5), 1.0, self._no_cue)])
        behind = 1.5 * 1.0 - float(turned[-1] - turned[0])
        return table.with_lag(max(0.0, behind / 1.5))


def _nominal(config: HeadingConfig, seconds: float) -> DriveTable | None:
    """How a ring of equal neurons moves, if `config` has unlike ones that recover."""
    if config.rates is not None or config.neurons.mismatch == 0.0 or config.neurons.recovery == 0.0:
        return None
    return HeadDirection(replace(config, neurons=replace(config.neurons, mismatch=0.0)), 0, seconds).table


def _kernels(config: HeadingConfig, phase: NDArray[np.float64]) -> Floats:
    kernels = []
    for direction in (1.0, -1.0):
        distance = phase - direction * config.shift
        bump = np.exp(config.concentration * (np.cos(distance) - 1.0))
        kernels.append((config.excitation * bump - config.inhibition) / config.phases)
    return TorusProjection.from_kernels(np.array(kernels)[:, None, :]).weights
