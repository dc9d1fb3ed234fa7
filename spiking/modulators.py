"""Neuromodulators: a substance released in pulses and cleared exponentially, the third factor of plasticity.

dd/dt = -d / tau + release(t)          (dopamine: tau = 0.2 s, Izhikevich 2007, Cereb. Cortex 17:2443)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    """The level of one modulator in a network, and in each copy of a batch; made by `Network.modulator`.

    In each step plasticity sees the mean over the step, not the level at its start, which keeps the integral
    of a pulse exact at any step: amount * tau.
    """

    def __init__(self, name: str, modulator: Modulator, dt: float, copies: int) -> None:
        self.name = name
        keep = np.exp(-dt / modulator.tau)
        mean = -np.expm1(-dt / modulator.tau) * modulator.tau / dt
        #: (5, copies): level above the tonic one, what a step leaves of it, its mean over a step, tonic
        #: level, mean of the last step
        self._rows = np.repeat(np.array([[0.0, keep, mean, modulator.tonic, modulator.tonic]]).T, copies, 1)

    @property
    def level(self) -> NDArray[np.float64]:
        """Level at present, (copies,)."""
        return np.asarray(self._rows[0] + self._rows[3])

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean level over the last step, (copies,)."""
        return np.array(self._rows[4])

    def set_tonic(self, level: float | ArrayLike) -> None:
        """Set the level without release, a number or (copies,).

        Set it each step to make the modulator follow a signal of your own.
        """
        self._write(3, "tonic", level)

    def release(self, amount: float | ArrayLike) -> None:
        """Raise the level by `amount`, a number or (copies,), at the start of the next step."""
        self._write(0, "release", self._rows[0] + np.asarray(amount, np.float64))

    def clear(self) -> None:
        """Go back to the tonic level."""
        self._rows[0] = 0.0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that make up the state."""
        return {"rows": self._rows}

    def move(self, rows: NDArray[np.float64]) -> None:
        """Live in `rows` (5, copies) of the network's table from now on."""
        rows[...] = self._rows
        self._rows = rows

    def _write(self, row: int, what: str, level: float | ArrayLike) -> None:
        array = np.asarray(level, np.float64)
        if array.shape not in ((), self._rows[0].shape):
            raise ValueError(
                f"{self.name} {what} must be a number or {self._rows[0].shape}, got {array.shape}"
            )
        if not np.all(np.isfinite(array)):
            raise ValueError(f"{self.name} {what} must be finite, got {array}")
        self._rows[row] = array
