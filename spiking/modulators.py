"""Neuromodulators: a substance released in pulses and cleared exponentially, the third factor of plasticity.

dd/dt = -d / tau + release(t)          (dopamine: tau = 0.2 s, Izhikevich 2007, Cereb. Cortex 17:2443)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .parameters import require_finite, require_positive


@dataclass(frozen=True, slots=True)
class Modulator:
    """Clearance of a neuromodulator; the defaults are dopamine's. Izhikevich 2007."""

    tau: float = 0.2  #: s
    tonic: float = 0.0  #: level without any release

    def __post_init__(self) -> None:
        require_positive("Modulator", tau=self.tau)
        require_finite("Modulator", tonic=self.tonic)


class Level:
    """The level of one modulator in a network; made by `Network.modulator`.

    In each step plasticity sees the mean over the step, not the level at its start, which keeps the integral
    of a pulse exact at any step: amount * tau.
    """

    def __init__(self, name: str, modulator: Modulator, dt: float) -> None:
        self.name = name
        keep = np.exp(-dt / modulator.tau)
        mean = -np.expm1(-dt / modulator.tau) * modulator.tau / dt
        #: level above the tonic one, what a step leaves of it, its mean over a step, tonic level, mean of now
        self._row = np.array([0.0, keep, mean, modulator.tonic, modulator.tonic])

    @property
    def level(self) -> float:
        """Level at present."""
        return float(self._row[0] + self._row[3])

    @property
    def tonic(self) -> float:
        """Level without release; set it each step to make the modulator follow a signal of your own."""
        return float(self._row[3])

    @tonic.setter
    def tonic(self, level: float) -> None:
        require_finite(self.name, tonic=level)
        self._row[3] = level

    def release(self, amount: float) -> None:
        """Raise the level by `amount` at the start of the next step."""
        require_finite(self.name, release=amount)
        self._row[0] += amount

    def clear(self) -> None:
        """Go back to the tonic level."""
        self._row[0] = 0.0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that make up the state."""
        return {"row": self._row}

    def move(self, row: NDArray[np.float64]) -> None:
        """Live in `row` (5,) of the network's table from now on."""
        row[:] = self._row
        self._row = row
