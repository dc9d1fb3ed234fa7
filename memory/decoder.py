"""Read a position from the phases of grid modules, as a map would: the place where all modules agree.

Phases alone repeat; together, modules of different scale agree at one place within a range far larger than
the largest scale (Fiete, Burak & Brookings 2008; Mathis, Herz & Stemmler 2012). Positions are metres in the
frame of the start pose: the scales are what path integration itself defines, and nothing else is known to the
decoder.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .grid import LATTICE, GridModule


class GridDecoder:
    """Decode positions within `extent` m of the origin on a lattice of `step` m, then refine."""

    def __init__(self, modules: list[GridModule], extent: float = 2.2, step: float = 0.05) -> None:
        self.modules = modules
        axis = np.arange(-extent, extent + step / 2, step)
        x, y = np.meshgrid(axis, axis, indexing="ij")
        self.places = np.stack([x.ravel(), y.ravel()], axis=1)
        waves = [np.exp(-2j * np.pi * module.phase_of(self.places)) for module in modules]
        self._waves = np.concatenate(waves, axis=1)  # (places, 2 * modules)
        self._precision = np.array([module.scale**-2.0 for module in modules])
        self.visited = np.zeros(len(self.places), np.bool_)  #: places near which the robot has been

    def visit(self, place: NDArray[np.float64], reach: float = 0.30) -> None:
        """Remember that the robot has been at `place` (2,): the map extends `reach` m around it."""
        self.visited |= ((self.places - place) ** 2).sum(axis=1) < reach**2

    def global_estimate(
        self, phases: NDArray[np.float64], near: NDArray[np.float64] | None = None, spread: float = 0.5
    ) -> NDArray[np.float64]:
        """Return the place (2,) where the modules' `phases` (modules, 2) agree best, refined.

        `near` (2,) is a prior: of places that agree about equally, the one within `spread` m wins.
        """
        agreement = (self._waves @ np.exp(2j * np.pi * phases).ravel()).real
        if self.visited.any():  # far off, the modules agree again by chance
            agreement = np.where(self.visited, agreement, -np.inf)
        if near is not None:
            agreement -= 0.5 * ((self.places - near) ** 2).sum(axis=1) / spread**2
        return self.refine(phases, self.places[int(np.argmax(agreement))])

    def refine(self, phases: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move `start` (2,) to the precision-weighted mean of what each module says nearby."""
        place = np.array(start, np.float64)
        for _ in range(3):
            step = np.zeros(2)
            for module, phase, precision in zip(self.modules, phases, self._precision, strict=True):
                difference = phase - module.phase_of(place)
                difference -= np.round(difference)
                step += precision * module.to_metres(difference @ LATTICE)
            place += step / self._precision.sum()
        return place
