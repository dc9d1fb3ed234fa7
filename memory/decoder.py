"""Read a position from the phases of grid modules, as a map would: the place where all modules agree.

Phases alone repeat; together, modules of different scale agree at one place within a range far larger than
the largest scale (Fiete, Burak & Brookings 2008; Mathis, Herz & Stemmler 2012). Positions are metres in the
frame of the start pose: the scales are what path integration itself defines, and nothing else is known to the
decoder.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .grid import GridModule

AGREED = 0.5  #: mean cosine of modules that speak of one place


class GridDecoder:
    """Decode positions within `extent` m of one of `origins` (maps, 2), on a lattice of `step` m; refine."""

    def __init__(
        self,
        modules: list[GridModule],
        origins: NDArray[np.float64] | None = None,
        extent: float = 2.2,
        step: float = 0.05,
    ) -> None:
        self.modules = modules
        self.origins = np.zeros((1, 2)) if origins is None else origins
        axis = np.arange(-extent, extent + step / 2, step)
        x, y = np.meshgrid(axis, axis, indexing="ij")
        self.places = np.stack([x.ravel(), y.ravel()], axis=1)
        waves = [np.exp(-2j * np.pi * module.phase_of(self.places)) for module in modules]
        self._waves = np.concatenate(waves, axis=1)  # (places, 2 * modules)
        precision = np.array([module.scale**-2.0 for module in modules])
        share = precision / precision.sum()
        self._to_lattice = np.stack([module.phase_change(np.eye(2)) for module in modules])
        self._to_metres = np.stack(
            [w * np.linalg.inv(m) for w, m in zip(share, self._to_lattice, strict=True)]
        )
        #: (maps, places) near which the robot has been
        self.visited = np.zeros((len(self.origins), len(self.places)), np.bool_)

    def visit(self, place: NDArray[np.float64], chart: int = 0, reach: float = 0.30) -> None:
        """Remember that the robot has been at `place` (2,): map `chart` extends `reach` m around it."""
        apart = self.places + self.origins[chart] - place
        self.visited[chart] |= (apart**2).sum(axis=1) < reach**2

    def global_estimate(self, phases: NDArray[np.float64], chart: int = 0) -> NDArray[np.float64]:
        """Return the place (2,) in map `chart` where `phases` (modules, 2) agree best, refined."""
        origin = self.origins[chart]
        here = phases - np.stack([module.phase_of(origin) for module in self.modules])
        agreement = (self._waves @ np.exp(2j * np.pi * here).ravel()).real
        if self.visited[chart].any():  # far off, the modules agree again by chance
            agreement = np.where(self.visited[chart], agreement, -np.inf)
        return self.refine(phases, origin + self.places[int(np.argmax(agreement))])

    def agreement(self, phases: NDArray[np.float64], place: NDArray[np.float64]) -> float:
        """Return how well `phases` (modules, 2) fit `place` (2,): mean cosine, 1 for a perfect fit."""
        return float(np.cos(2.0 * np.pi * (phases - np.einsum("i,kij->kj", place, self._to_lattice))).mean())

    def follow(
        self, phases: NDArray[np.float64], start: NDArray[np.float64], chart: int
    ) -> NDArray[np.float64]:
        """Return the place (2,) of `phases` that continues `start`, or the one that fits if that does not.

        Modules that were set one by one can leave the nearest place between two of their periods, where what
        they say cancels; from there no refinement leads away.
        """
        place = self.refine(phases, start)
        return place if self.agreement(phases, place) > AGREED else self.global_estimate(phases, chart)

    def refine(self, phases: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move `start` (2,) to the precision-weighted mean of what each module says nearby."""
        return _refine(phases, np.asarray(start, np.float64), self._to_lattice, self._to_metres)


@njit(cache=True)
def _refine(
    phases: NDArray[np.float64],
    start: NDArray[np.float64],
    to_lattice: NDArray[np.float64],  # (modules, 2, 2), position @ matrix = phases
    to_metres: NDArray[np.float64],  # (modules, 2, 2), phase difference @ matrix = metres times share
) -> NDArray[np.float64]:
    x, y = start[0], start[1]
    for _ in range(3):
        dx, dy = 0.0, 0.0
        for k in range(len(phases)):
            m = to_lattice[k]
            u = phases[k, 0] - (x * m[0, 0] + y * m[1, 0])
            v = phases[k, 1] - (x * m[0, 1] + y * m[1, 1])
            u -= np.round(u)
            v -= np.round(v)
            back = to_metres[k]
            dx += u * back[0, 0] + v * back[1, 0]
            dy += u * back[0, 1] + v * back[1, 1]
        x += dx
        y += dy
    return np.array([x, y])
