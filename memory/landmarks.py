"""Where landmarks are, as grid codes: stored at the first sighting, recalled and refined at every later one.

The code of a landmark is the phase that each grid sheet would have if the robot stood there: its own present
phases, moved on by the vector to the landmark. Recalled phases less present ones are a vector again (Bush et
al. 2015, Neuron 87:507), which is where the landmark should be seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .decoder import GridDecoder
from .grid import GridModule

Floats = NDArray[np.float64]


class LandmarkMap:
    """Grid codes (landmarks, modules, 2) and the identities they belong to."""

    def __init__(self, modules: list[GridModule], decoder: GridDecoder) -> None:
        self._modules, self._decoder = modules, decoder
        self.identities: list[int] = []
        self.codes = np.zeros((0, len(modules), 2))  #: periods in [0, 1)
        self.places = np.zeros((0, 2))  #: what the codes mean, m

    def find(self, identity: int) -> int | None:
        """Return the number of the landmark called `identity`, None if it was never stored."""
        return self.identities.index(identity) if identity in self.identities else None

    def store(self, identity: int, phases: Floats, position: Floats, vector: Floats) -> int:
        """Store a landmark seen at `vector` (2,) m, map's frame, from `position` with `phases`; return it."""
        at = self.find(identity)
        if at is None:
            at = len(self.identities)
            self.identities.append(identity)
            self.codes = np.concatenate((self.codes, np.zeros((1, len(self._modules), 2))))
            self.places = np.concatenate((self.places, np.zeros((1, 2))))
        self.codes[at] = (phases + self._change(vector)) % 1.0
        self.places[at] = self._decoder.refine(self.codes[at], position + vector)
        return at

    def vector(self, landmark: int, phases: Floats, position: Floats) -> Floats:
        """Return where `landmark` is from a robot at `position` with `phases`, (2,) m, map's frame."""
        return self._decoder.refine(self.codes[landmark] - phases, self.places[landmark] - position)

    def move(self, shifts: Floats) -> None:
        """Move every landmark by its row of `shifts` (landmarks, 2), m."""
        for landmark, shift in enumerate(shifts):
            self.codes[landmark] = (self.codes[landmark] + self._change(shift)) % 1.0
            self.places[landmark] = self._decoder.refine(self.codes[landmark], self.places[landmark] + shift)

    def _change(self, displacement: Floats) -> Floats:
        return np.stack([module.phase_change(displacement) for module in self._modules])
