"""Landmark cells: an assembly for each landmark, whose burst pulls ring and sheets when it is sighted.

Cells that fire for an object at a certain vector from the animal (Høydal et al. 2019, Nature 568:400) let a
recalled place of the object say where the animal is (Bicanski & Burgess 2020, Nat. Rev. Neurosci. 21:453).
Each landmark here has two assemblies of LIF cells, one onto the ring and one onto the sheets. How many
spikes a burst has is how hard it pulls: a population's gain stands for the precision of what it says (Ma et
al. 2006, Nat. Neurosci. 9:1432). The cells of an assembly differ in how much of a drive they hear, so the
count grows smoothly.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking.lif import relax
from ..spiking.model import add_noise, fire, write
from ..spiking.random import key, step_key
from .neurons import NeuronConfig

Floats = NDArray[np.float32]
STEPS = 40  #: ms of a control period
RING, SHEETS = 0, 1  #: the two assemblies of a landmark
DRIVES = np.linspace(0.0, 12.0, 25)  #: at which the bursts are measured
ROUNDS = 20  #: bursts of each
LOUDEST = 6.4  #: current of the fullest burst


@dataclass(frozen=True, slots=True)
class LandmarkCellConfig:
    """An assembly. Cell i hears a share of the drive between `faintest` and 1."""

    cells: int = 24  #: of one assembly
    faintest: float = 0.1
    neurons: NeuronConfig = field(default_factory=lambda: NeuronConfig(0.010, 0.003, 0.05))

    def __post_init__(self) -> None:
        if self.cells < 1:
            raise ValueError(f"landmark cells must be >= 1, got {self.cells}")
        if not 0.0 < self.faintest <= 1.0:
            raise ValueError(f"landmark faintest must lie in (0, 1], got {self.faintest}")


class LandmarkCells:
    """Assemblies of all landmarks; they are added as landmarks are met."""

    def __init__(self, config: LandmarkCellConfig, seed: int) -> None:
        self.config = config
        self.key = key(seed, "landmark_cells")
        self._shares = np.linspace(config.faintest, 1.0, config.cells).astype(np.float32)
        self._membrane = np.zeros((0, 2, config.cells), np.float32)
        self._silent = np.zeros((0, 2, config.cells), np.int32)
        self._clock = 0
        self._spikes = np.zeros((config.cells * STEPS, 2), np.int32)
        self._counts = self._calibrate()
        self.weight = LOUDEST / float(self._counts[-1])  #: current for each spike of a period

    @property
    def size(self) -> int:
        """Number of neurons."""
        return int(self._membrane.size)

    def clear(self) -> None:
        """Have no assemblies."""
        self._membrane, self._silent = self._membrane[:0], self._silent[:0]
        self._clock = 0

    def grow(self, landmarks: int) -> None:
        """Have assemblies for so many landmarks."""
        more = landmarks - len(self._membrane)
        if more > 0:
            self._membrane = np.concatenate(
                (self._membrane, np.zeros((more, *self._membrane.shape[1:]), np.float32))
            )
            self._silent = np.concatenate((self._silent, np.zeros((more, *self._silent.shape[1:]), np.int32)))

    def burst(self, landmark: int, onto: int, current: float) -> tuple[float, NDArray[np.int32]]:
        """Let an assembly fire for a period so that its spikes make about `current` in what hears it.

        Returns the current they do make, and the spikes (k, 2) of (ms, neuron).
        """
        drive = float(np.interp(current / self.weight, self._counts, DRIVES))
        first = (2 * landmark + onto) * self.config.cells
        spikes = self._run(
            self._membrane[landmark, onto], self._silent[landmark, onto], drive, self.key, self._clock, first
        )
        return self.weight * len(spikes), spikes

    def tick(self) -> None:
        """End a period: its noise is not drawn again."""
        self._clock += STEPS

    def _run(
        self,
        membrane: Floats,
        silent: NDArray[np.int32],
        drive: float,
        noise_key: np.uint32,
        clock: int,
        first: int,
    ) -> NDArray[np.int32]:
        neurons = self.config.neurons
        inputs = (np.float32(drive) * self._shares).astype(np.float32)
        count = _burst(
            membrane, silent, inputs, neurons.constants(membrane.size), neurons.noise_drive(),
            noise_key, clock, first, self._spikes,
        )  # fmt: skip
        spikes = self._spikes[:count].copy()
        spikes[:, 1] += first
        return spikes

    def _calibrate(self) -> NDArray[np.float64]:
        """Measure how many spikes of a period each of `DRIVES` makes, on average."""
        counts = np.zeros(len(DRIVES))
        noise_key = key(0, "landmark_cells_calibration")
        for k, drive in enumerate(DRIVES):
            membrane, silent = np.zeros(self.config.cells, np.float32), np.zeros(self.config.cells, np.int32)
            for turn in range(ROUNDS):
                clock = (k * ROUNDS + turn) * STEPS
                counts[k] += len(self._run(membrane, silent, float(drive), noise_key, clock, 0)) / ROUNDS
        rising = np.maximum.accumulate(counts)
        if rising[-1] <= 0.0:
            raise ValueError("landmark cells do not fire at any drive")
        return np.asarray(rising, np.float64)


@njit(cache=True)
def _burst(
    membrane: Floats,
    silent: NDArray[np.int32],
    inputs: Floats,
    constants: Floats,
    noise: Floats,
    key: np.uint32,
    clock: int,
    first: int,  # number of the assembly's first cell, so that assemblies draw different noise
    spikes: NDArray[np.int32],
) -> int:
    total, nothing = np.empty_like(inputs), np.zeros(0, np.float32)
    fired, count = np.empty(inputs.size, np.int32), 0
    for step in range(STEPS):
        at = step_key(np.uint32(key + np.uint32(first)), np.uint32((clock + step) & 0xFFFFFFFF))
        total[:] = inputs
        add_noise(total, noise, at)
        relax(membrane, total, nothing, constants)
        n_fired = fire(membrane, silent, constants[3], constants[4], constants[5], fired)
        count = write(spikes, count, step, fired, n_fired)
    return count
