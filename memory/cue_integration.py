"""Two cues to one variable: congruent cells add what they say, opposite cells take one from the other.

Two modules, one that sees and one that integrates paths, each hear their own cue and each other (Zhang et al.
2019, eLife 8:e43753, two reciprocally connected modules of congruent and opposite neurons). Congruent cells
hear the other module's congruent cells at the same place, opposite cells its opposite ones from the far side:

    congruent 1 = I1 + J congruent 2 = (I1 + J I2) / (1 - J^2),
    opposite 1  = I1 - J opposite 2  = (I1 - J I2) / (1 - J^2)     and likewise for module 2,

as vectors of the population. Counts of Poisson cells are a probability (Ma et al. 2006, Nat. Neurosci.
9:1432): the vector's length is the concentration, the sum is the product of the densities and the difference
their quotient. A cue that is more reliable fires more, and so it weighs more; nothing else is told. Unlike
the network of the source, ours is linear: cells are Poisson with a rate that follows their current, without
divisive normalisation, so that J I2 does not saturate where the prior on the difference of both cues would
make it (`von_mises.through_prior`).

What is believed is decided elsewhere: a ring that hears both congruent rings and competes within itself. Cues
that lie close together are one bump in it, at their mean; of two that lie far apart one wins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking.delivery import add_kernel
from ..spiking.model import collect
from ..spiking.random import key, step_key, uniform
from ..spiking.torus import TorusProjection
from .cue_code import Code, RingCode, along_the_wave

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
_DT = 1e-3  #: s


@dataclass(frozen=True, slots=True)
class CueConfig:
    """The network. Kernels are given by their gain along the code's wave, in Hz out per Hz in."""

    code: Code = field(default_factory=RingCode)
    tau: float = 0.020  #: s, of the synaptic currents
    reciprocal: float = (
        0.5  #: J, how much of the other module's rate is heard: how far both cues are to be one
    )
    decide: bool = True  #: whether there is a ring that decides
    tau_decide: float = 0.100  #: s, of the currents of the deciding ring, slow (NMDA-like)
    listening: float = 1.0  #: gain from both congruent rings to the deciding one
    excitation: float = 2.0  #: gain within the deciding ring
    inhibition: float = 10.0  #: Hz of all its cells together that take away 1 Hz, times the cells

    def __post_init__(self) -> None:
        for name in ("tau", "tau_decide"):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"cue {name} must be > 0 s, got {getattr(self, name)}")
        if not 0.0 < self.reciprocal < 1.0:
            raise ValueError(f"cue reciprocal must be in (0, 1), got {self.reciprocal}")
        for name in ("listening", "excitation", "inhibition"):
            if getattr(self, name) < 0.0:
                raise ValueError(f"cue {name} must be >= 0, got {getattr(self, name)}")


class CueState(NamedTuple):
    """Currents as rates, Hz, of P cells a ring."""

    heard: Floats  #: (2, P) from the cue of each module, heard by both of its rings
    between: Floats  #: (rings, P) from other rings
    step: NDArray[np.int64]  #: (1,) steps since the start, the counter of the draws


class CueNetwork:
    """Two modules of congruent and opposite rings or sheets, and a ring that decides."""

    def __init__(self, config: CueConfig, seed: int, name: str = "cue_integration") -> None:
        self.config, self.name, self.key = config, name, key(seed, name)
        height, width = config.code.shape
        self.cells, self.rings = height * width, 5 if config.decide else 4
        self.waves = config.code.waves()
        self._kernels = _kernels(config)
        self._decay = np.exp(-_DT / np.array([config.tau, config.tau_decide])).astype(np.float32)
        self.state = CueState(
            np.zeros((2, self.cells), np.float32),
            np.zeros((self.rings, self.cells), np.float32),
            np.zeros(1, np.int64),
        )

    @property
    def size(self) -> int:
        """Number of neurons, with the cells that carry the cues."""
        return (2 + self.rings) * self.cells

    def clear(self) -> None:
        """Forget all currents; the draws go on."""
        self.state.heard[:] = 0.0
        self.state.between[:] = 0.0

    def reseed(self, seed: int) -> None:
        """Draw from the stream of `seed`."""
        self.key = key(seed, self.name)

    def cue(self, place: Doubles, strength: float) -> Floats:
        """Return the rates (P,) of cells that carry a cue at `place`, (1,) rad or (2,) periods.

        `strength` is the rate in Hz of the cell at the place: how reliable the cue is.
        """
        if not strength >= 0.0:
            raise ValueError(f"cue strength must be >= 0 Hz, got {strength}")
        return np.asarray(strength * self.config.code.tuned(np.asarray(place, np.float64)), np.float32)

    def advance(self, cues: Floats, steps: int) -> NDArray[np.int32]:
        """Live through `steps` ms; return the spikes of each cell, (2 + rings, P).

        `cues` (2, P) are the rates in Hz of the cells that carry the cues of vision and of path integration;
        their spikes are the first two rows, those of the rings follow.
        """
        counts = np.zeros((2 + self.rings, self.cells), np.int32)
        _advance(*self.state, cues, self._kernels, steps, self._decay, self.key, counts)
        return counts

    def vectors(self, counts: NDArray[np.int32]) -> NDArray[np.complex128]:
        """Return the population vectors (rows, waves) of `counts` (rows, P), in spikes."""
        out = np.zeros((len(counts), len(self.waves)), np.complex128)
        _sum(counts, self.waves, out)
        return out

    def single(self, vectors: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Return what each cue alone says (2, waves), from the `vectors` (4, waves) of the four rings.

        Half the sum of a module's congruent and opposite vectors is its own cue, half the difference the
        other one's (Zhang et al. 2019): what was integrated can be told apart again. Both modules are asked.
        """
        congruent, opposite = vectors[[0, 2]], vectors[[1, 3]]
        own, other = 0.5 * (congruent + opposite), 0.5 * (congruent - opposite)
        # I1 / (1 - J^2) in its own module and J I1 / (1 - J^2) in the other: together I1 / (1 - J).
        return np.asarray((1.0 - self.config.reciprocal) * (own + other[::-1]), np.complex128)


def theory(
    first: NDArray[np.complex128], second: NDArray[np.complex128], reciprocal: float
) -> NDArray[np.complex128]:
    """Return the vectors (4, ...) of the rings for cues `first` and `second` (...): the analytic twin."""
    own = np.stack([first, first, second, second])
    other = reciprocal * np.stack([second, -second, first, -first])
    return np.asarray((own + other) / (1.0 - reciprocal**2), np.complex128)


def _kernels(config: CueConfig) -> Floats:
    """Return the kernels (5, 2 height, 2 width): of a cue, congruent, opposite, to and in the deciding ring.

    A spike makes a current that decays with tau; its kernel is scaled so that 1 Hz becomes 1 Hz.
    """
    code = config.code
    bump = code.bump() / along_the_wave(code.bump(), code)
    opposite = code.opposite() / along_the_wave(code.bump(), code)
    within = config.excitation * bump - config.inhibition / bump.size
    kernels = np.stack(
        [bump, config.reciprocal * bump, config.reciprocal * opposite, config.listening * bump, within]
    )
    tau = np.array([config.tau, config.tau, config.tau, config.tau_decide, config.tau_decide])
    per_spike = -np.expm1(-_DT / tau) / _DT
    scaled = per_spike[:, None, None] * kernels.reshape(5, *code.shape)
    return TorusProjection.from_kernels(scaled).weights


@njit(cache=True, error_model="numpy")
def _advance(
    heard: Floats,
    between: Floats,
    clock: NDArray[np.int64],
    cues: Floats,
    kernels: Floats,
    steps: int,
    decay: Floats,  # of the four rings' currents and of the deciding ring's
    key: np.uint32,
    counts: NDArray[np.int32],
) -> None:
    rings, cells = between.shape
    carried, n = 2 * cells, (2 + rings) * cells
    one, dt = np.float32(1.0), np.float32(_DT)
    chance, marks, fired = np.empty(n, np.float32), np.empty(n, np.uint8), np.empty(n, np.int32)
    totals = counts.reshape(-1)
    for i in range(carried):
        chance[i] = cues[i // cells, i % cells] * dt
    for _ in range(steps):
        at = step_key(key, np.uint32(clock[0] & 0xFFFFFFFF))
        clock[0] += 1
        for ring in range(rings):
            into, lateral = chance[carried + ring * cells : carried + (ring + 1) * cells], between[ring]
            if ring < 4:
                own = heard[ring // 2]
                for i in range(cells):
                    into[i] = dt * (own[i] + lateral[i])
            else:
                for i in range(cells):
                    into[i] = dt * lateral[i]
        for i in range(n):
            marks[i] = np.uint8(1) if uniform(at, np.uint32(i)) < chance[i] else np.uint8(0)
        n_fired = collect(marks, 0, fired, 0)
        for module in range(2):
            for i in range(cells):
                heard[module, i] *= decay[0]
        for ring in range(rings):
            fade = decay[1] if ring == 4 else decay[0]
            for i in range(cells):
                between[ring, i] *= fade
        for k in range(n_fired):
            row, place = fired[k] // cells, fired[k] % cells
            totals[fired[k]] += 1
            if row < 2:
                add_kernel(kernels[0], place, heard[row], one)
            elif row < 6:
                ring = row - 2
                opposite = ring % 2
                add_kernel(kernels[1 + opposite], place, between[(ring + 2) % 4], one)
                if opposite == 0 and rings > 4:
                    add_kernel(kernels[3], place, between[4], one)
            else:
                add_kernel(kernels[4], place, between[4], one)


@njit(cache=True)
def _sum(counts: NDArray[np.int32], waves: NDArray[np.complex128], out: NDArray[np.complex128]) -> None:
    # In one order, as in `population_vector`.
    for row in range(counts.shape[0]):
        for k in range(waves.shape[0]):
            total = 0j
            for i in range(counts.shape[1]):
                total += counts[row, i] * waves[k, i]
            out[row, k] = total
