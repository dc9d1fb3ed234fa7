"""How a cue is laid out over cells: a ring of directions, or the hexagonal torus of a grid module.

On the ring an opposite cell hears the other module from the far side, which turns the sign of the bump's
wave. A torus has no far side: of the three waves that make a hexagonal bump, a shift by half a period along
both axes turns the sign of two and leaves the third. Its two places farthest from a point, the middles of the
two triangles of a unit cell, do it together: one turns every wave by 120 degrees, the other by -120 degrees,
and the sum of both is the wave with its sign turned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .grid import bump_at, lattice_bump

Doubles = NDArray[np.float64]
#: The middles of the two triangles of the torus, in periods.
HOLES = ((1.0 / 3.0, 1.0 / 3.0), (2.0 / 3.0, 2.0 / 3.0))


@dataclass(frozen=True, slots=True)
class RingCode:
    """Directions on a circle; a cue is one angle, rad."""

    phases: int = 72
    tuning: float = 8.0  #: concentration of the cells' tuning to their cue
    spread: float = 20.0  #: concentration of the connections' kernel

    def __post_init__(self) -> None:
        if self.phases < 16:
            raise ValueError(f"ring code phases must be >= 16, got {self.phases}")
        if min(self.tuning, self.spread) <= 0.0:
            raise ValueError(f"ring code widths must be > 0, got {self.tuning} and {self.spread}")

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the sheet."""
        return 1, self.phases

    def waves(self) -> NDArray[np.complex128]:
        """Return the wave (1, phases) whose angle is the direction."""
        return np.asarray(np.exp(1j * self._angles())[None], np.complex128)

    def tuned(self, cue: Doubles) -> Doubles:
        """Return the responses (phases,) to `cue` (1,) rad, 1 at the peak."""
        return np.asarray(np.exp(self.tuning * (np.cos(self._angles() - cue[0]) - 1.0)), np.float64)

    def bump(self) -> Doubles:
        """Return the kernel (phases,) of connections between alike cells."""
        return np.asarray(np.exp(self.spread * (np.cos(self._angles()) - 1.0)), np.float64)

    def opposite(self) -> Doubles:
        """Return the kernel (phases,) of connections between opposite cells, as strong along the wave."""
        return np.asarray(np.exp(self.spread * (np.cos(self._angles() - np.pi) - 1.0)), np.float64)

    def _angles(self) -> Doubles:
        return np.asarray(np.arange(self.phases) * (2.0 * np.pi / self.phases), np.float64)


@dataclass(frozen=True, slots=True)
class TorusCode:
    """Phases on the hexagonal torus of `memory.grid`; a cue is a phase (2,), periods."""

    side: int = 9  #: cells along each side
    tuning: float = 0.13  #: standard deviation of the cells' tuning, periods
    spread: float = 0.08  #: standard deviation of the connections' kernel, periods
    holes: tuple[tuple[float, float], ...] = HOLES  #: from where opposite cells hear, periods

    def __post_init__(self) -> None:
        if self.side < 6:
            raise ValueError(f"torus code side must be >= 6, got {self.side}")
        if min(self.tuning, self.spread) <= 0.0:
            raise ValueError(f"torus code widths must be > 0, got {self.tuning} and {self.spread}")

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the sheet."""
        return self.side, self.side

    def waves(self) -> NDArray[np.complex128]:
        """Return the three waves (3, cells) along u, v and u + v, whose periods are of one length."""
        u, v = self._phases()
        return np.exp(2j * np.pi * np.stack([u, v, u + v]))

    def tuned(self, cue: Doubles) -> Doubles:
        """Return the responses (cells,) to the phase `cue` (2,), 1 at the peak."""
        return bump_at(self.side, self.tuning, float(cue[0]), float(cue[1]))

    def bump(self) -> Doubles:
        """Return the kernel (cells,) of connections between alike cells."""
        return lattice_bump(*self._phases(), self.spread)

    def opposite(self) -> Doubles:
        """Return the kernel (cells,) of connections between opposite cells.

        With two holes each wave is half turned by either, so that both together are as strong along the waves
        as one bump. What they add to all cells alike is taken away again by inhibition.
        """
        u, v = self._phases()
        bumps = np.sum([lattice_bump(u - du, v - dv, self.spread) for du, dv in self.holes], axis=0)
        return np.asarray(bumps - (bumps.mean() - self.bump().mean()), np.float64)

    def _phases(self) -> tuple[Doubles, Doubles]:
        axis = np.arange(self.side) / self.side
        v, u = np.meshgrid(axis, axis, indexing="ij")
        return u.ravel(), v.ravel()


Code = RingCode | TorusCode


def along_the_wave(kernel: Doubles, code: Code) -> float:
    """Return the gain of a symmetric `kernel` (cells,) along the code's first wave."""
    return float((kernel @ code.waves()[0]).real)
