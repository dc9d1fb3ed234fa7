"""Neuromodulators: a substance released in pulses and cleared exponentially, the third factor of plasticity.

dd/dt = -d / tau + release(t)          (dopamine: tau = 0.2 s, Izhikevich 2007, Cereb. Cortex 17:2443)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .checks import require_positive


@dataclass(frozen=True, slots=True)
class Modulator:
    """Clearance of a neuromodulator; the defaults are dopamine's. Izhikevich 2007."""

    tau: float = 0.2  #: s
    tonic: float = 0.0  #: level without any release

    def __post_init__(self) -> None:
        require_positive("Modulator", tau=self.tau)


class ModulatorState(NamedTuple):
    """State of one modulator."""

    phasic: NDArray[np.float64]  #: (1,) level above the tonic one

    @classmethod
    def zeros(cls) -> ModulatorState:
        """Return the tonic state."""
        return cls(np.zeros(1))


def advance(
    modulator: Modulator,
    state: ModulatorState,
    release: NDArray[np.float64],
    level: NDArray[np.float64],
    dt: float = 1e-3,
) -> None:
    """Write the mean level in each of the steps of `release` to `level`, both (steps,), and advance `state`.

    What is released in a step arrives at its start. The mean over the step, not the level at its start, keeps
    the integral of a pulse exact: amount * tau at any `dt`.
    """
    if release.shape != level.shape or release.ndim != 1:
        raise ValueError(f"release and level must be (steps,), got {release.shape} and {level.shape}")
    keep = np.exp(-dt / modulator.tau)
    mean = -np.expm1(-dt / modulator.tau) * modulator.tau / dt
    phasic = state.phasic[0]
    for step in range(release.size):
        phasic += release[step]
        level[step] = modulator.tonic + mean * phasic
        phasic *= keep
    state.phasic[0] = phasic
