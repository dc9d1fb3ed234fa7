"""The integrate-and-fire neurons of memory and perception, as a configuration file names them."""

from __future__ import annotations

from dataclasses import dataclass

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
        """Return the constants of the compiled `lif.relax` and `fire` for steps of 1 ms."""
        return self.lif().constants(1e-3).astype(np.float32)

    def noise_drive(self) -> Floats:
        """Return the standard deviation of the drive that makes the noise of 1 ms."""
        return self.lif().noise_drive(1e-3).astype(np.float32)
