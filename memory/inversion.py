"""The pose that drives a cell most: a search over imagined poses, with the cell's own neurons answering.

As stimuli are made that drive a chosen neuron (Bashivan, Kar & DiCarlo 2019, Science 364:eaav9436), but in
the space that these cells code. Grid cells fire as they would at an imagined place, by Poisson draws from the
sheet's own bump moved there; place cells hear them with all their competition. Nothing is learned meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..spiking.random import generator
from .spatial import SpatialMemory

Doubles = NDArray[np.float64]
LISTENING = 0.4  #: s for which a cell answers a pose
SETTLING = 1.0  #: s in which bumps come to rest
STEP = 0.05  #: m between the first places tried
FINE = 0.015  #: m between those around the best of them
BLUR = 0.06  #: m over which answers are averaged: spikes are few


@dataclass(frozen=True)
class Inverted:
    """What drives a cell most."""

    pose: Doubles  #: (2,) m in the frame of the map in use, or (1,) rad for a cell of heading
    rate: float  #: Hz there, averaged over `BLUR`
    tried: int  #: poses


class Inversion:
    """Asks the cells of `memory`, whose bumps it moves about; use a copy of what is to be kept."""

    def __init__(self, memory: SpatialMemory, seed: int = 0) -> None:
        self._memory = memory
        self._rng = generator(seed, "inversion")
        self._at_origin: list[Doubles] = []
        for sheet in memory.grids:
            sheet.set(np.zeros(2))
            # The bump wanders: each moment is moved back to where the bump is meant to be.
            moments = []
            for _ in range(round(SETTLING / 0.04)):
                sheet.advance(np.zeros(2), 40)
                off = sheet.phase - np.round(sheet.phase)
                place = np.linalg.solve(np.stack([sheet.phase_change(axis) for axis in np.eye(2)]).T, off)
                moments.append(
                    sheet.moved(sheet.state.trace.astype(np.float32), np.asarray(-place, np.float64))
                )
            self._at_origin.append(np.mean(moments, axis=0).astype(np.float64))

    def sheet_rates(self, number: int, place: Doubles) -> Doubles:
        """Return the rates (cells,) in Hz of one neuron a phase of sheet `number` at `place` (2,)."""
        bump = self._at_origin[number].astype(np.float32)
        return np.maximum(self._memory.grids[number].moved(bump, place), 0.0).astype(np.float64)

    def place_answers(self, cell: int, place: Doubles) -> float:
        """Return the rate, Hz, of place cell `cell` with the robot imagined at `place` (2,)."""
        layers = self._memory.grids[0].size // self._memory.cells
        rates = layers * np.concatenate([self.sheet_rates(k, place) for k in range(len(self._memory.grids))])
        steps = round(LISTENING * 1000.0)
        counts = self._rng.poisson(rates * LISTENING)
        inputs = np.repeat(np.arange(rates.size), counts)
        times = self._rng.integers(0, steps, inputs.size)
        order = np.argsort(times, kind="stable")
        spikes = np.stack([times[order], inputs[order]], axis=1).astype(np.int32)
        cells = self._memory.place
        cells.reset()
        fired = cells.advance(spikes, steps)
        return float(np.count_nonzero(fired[:, 1] == cell)) / LISTENING

    def place_cell(self, cell: int) -> Inverted:
        """Find the place that drives place cell `cell` most, among those near which the robot has been.

        Raises
        ------
        ValueError
            If there is no such cell, or it was never recruited.
        """
        if not 0 <= cell < self._memory.place.used:
            raise ValueError(f"place cell {cell} is not recruited; there are {self._memory.place.used}")
        return self._search(lambda place: self.place_answers(cell, place))

    def grid_cell(self, module: int, cell: int) -> Inverted:
        """Find one of the places that drive neuron `cell` of sheet `module` most; all others repeat it."""
        sheet = self._memory.grids[module]
        if not 0 <= cell < sheet.size:
            raise ValueError(f"grid cell {cell} is not one of the {sheet.size} of its module")
        phase = cell % self._memory.cells
        return self._search(lambda place: float(self.sheet_rates(module, place)[phase]))

    def heading_cell(self, cell: int) -> Inverted:
        """Find the heading that drives neuron `cell` of the ring most."""
        ring = self._memory.heading
        if not 0 <= cell < ring.size:
            raise ValueError(f"heading cell {cell} is not one of the {ring.size}")
        headings = np.linspace(-np.pi, np.pi, 72, endpoint=False)
        phases = ring.config.phases
        answers = np.zeros(headings.size)
        for k, heading in enumerate(headings):
            ring.set(float(heading))
            answers[k] = float(ring.state.trace[cell % phases])
        vector = complex(np.sum(answers * np.exp(1j * headings)))
        return Inverted(np.array([np.angle(vector)]), float(answers.max()), headings.size)

    def _search(self, answer: Callable[[Doubles], float]) -> Inverted:
        memory = self._memory
        origin = memory.charts.origin
        known = memory.decoder.places[memory.decoder.visited[memory.charts.used]]
        if len(known) == 0:
            raise ValueError("the robot has been nowhere: there is no place to imagine")
        coarse = known + origin
        answers = np.array([answer(place) for place in coarse])
        best = coarse[int(np.argmax(_blurred(coarse, answers)))]
        reach = np.arange(-STEP - BLUR, STEP + BLUR + FINE / 2, FINE)
        fine = best + np.stack(np.meshgrid(reach, reach, indexing="ij"), axis=-1).reshape(-1, 2)
        close = np.array([answer(place) for place in fine])
        smooth = _blurred(fine, close)
        at = int(np.argmax(smooth))
        return Inverted(fine[at] - origin, float(smooth[at]), len(coarse) + len(fine))


def _blurred(places: Doubles, answers: Doubles) -> Doubles:
    """Return answers (n,) averaged over neighbours."""
    apart = ((places[:, None] - places[None]) ** 2).sum(axis=2)
    weights = np.exp(-apart / (2.0 * BLUR**2))
    return np.asarray((weights @ answers) / weights.sum(axis=1))
