"""The integrate-and-fire neurons of memory and perception, as a configuration file names them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..spiking.lif import LIF
from ..spiking.parameters import LogNormal
from ..spiking.random import generator

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NeuronConfig:
    """Plain numbers of `LIF` neurons with a threshold of 1 above rest."""

    tau_membrane: float = 0.020  #: s
    refractory: float = 0.003  #: s
    noise: float = 0.0  #: standard deviation added to the membrane each ms
    mismatch: float = 0.0  #: coefficient of variation, over neurons, of time constant, threshold and gain
    device: int = 0  #: which neurons the mismatch draws; it does not change with the seed of a run

    def __post_init__(self) -> None:
        if self.mismatch < 0.0 or self.device < 0:
            raise ValueError(f"neurons mismatch and device must be >= 0, got {self.mismatch}, {self.device}")
        self.lif()

    def lif(self, neurons: int = 1) -> LIF:
        """Return the model of so many `neurons`; raises ValueError for impossible numbers.

        With mismatch each has a time constant and a threshold of its own. The latter is divided by the
        neuron's gain: a drive that counts for more reaches it sooner.
        """
        if self.mismatch == 0.0:
            return LIF(self.tau_membrane, refractory=self.refractory, noise=self.noise)
        rng = generator(self.device, "mismatch")
        factor = LogNormal(1.0, self.mismatch)
        tau, threshold, gain = (factor.draw(neurons, rng) for _ in range(3))
        return LIF(
            self.tau_membrane * tau, threshold / gain, refractory=self.refractory, noise=self.noise
        )  # fmt: skip

    def constants(self, neurons: int = 1) -> Floats:
        """Return the constants of the compiled `lif.relax` and `fire` for 1 ms; not a copy.

        That is (c, 1), the same for all, or with mismatch (c, neurons).
        """
        return _of_a_step(self, 1 if self.mismatch == 0.0 else neurons)[0]

    def noise_drive(self) -> Floats:
        """Return the standard deviation of the drive that makes the noise of 1 ms; not a copy."""
        return _of_a_step(self, 1)[1]

    def reach(self, tau: float) -> np.float32:
        """Return the drive that an exponential current of 1 with `tau` s amounts to over 1 ms."""
        return _reach(self, tau)


# Remembered: callers ask in every period, and checking the parameters takes longer than one.
@cache
def _of_a_step(neurons: NeuronConfig, count: int) -> tuple[Floats, Floats]:
    nominal = replace(neurons, mismatch=0.0).lif()
    constants = neurons.lif(count).constants(1e-3).astype(np.float32)
    return constants, nominal.noise_drive(1e-3).astype(np.float32)


@cache
def _reach(neurons: NeuronConfig, tau: float) -> np.float32:
    return np.float32(replace(neurons, mismatch=0.0).lif().reach(1e-3, tau)[0, 0])
