"""The integrate-and-fire neurons of memory and perception, as a configuration file names them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..spiking.lif import LIF

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NeuronConfig:
    """Plain numbers of `LIF` neurons with a threshold of 1 above rest."""

    tau_membrane: float = 0.020  #: s
    refractory: float = 0.003  #: s
    noise: float = 0.0  #: standard deviation added to the membrane each ms

    def __post_init__(self) -> None:
        self.lif()

    def lif(self) -> LIF:
        """Return the model; raises ValueError for impossible numbers."""
        return LIF(self.tau_membrane, refractory=self.refractory, noise=self.noise)

    def constants(self) -> Floats:
        """Return the constants of the compiled `lif.relax` and `fire` for 1 ms; not a copy."""
        return _of_a_step(self)[0]

    def noise_drive(self) -> Floats:
        """Return the standard deviation of the drive that makes the noise of 1 ms; not a copy."""
        return _of_a_step(self)[1]

    def reach(self, tau: float) -> np.float32:
        """Return the drive that an exponential current of 1 with `tau` s amounts to over 1 ms."""
        return _reach(self, tau)


# Remembered: callers ask in every period, and checking the parameters takes longer than one.
@cache
def _of_a_step(neurons: NeuronConfig) -> tuple[Floats, Floats]:
    lif = neurons.lif()
    return lif.constants(1e-3).astype(np.float32), lif.noise_drive(1e-3).astype(np.float32)


@cache
def _reach(neurons: NeuronConfig, tau: float) -> np.float32:
    return np.float32(neurons.lif().reach(1e-3, tau)[0, 0])
