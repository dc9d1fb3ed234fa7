"""The spiking substrate: neurons, sources, projections, plasticity, and the random streams under them.

A neuron model is a triple: frozen parameters with units and source, a declared state of plain arrays, and a
compiled `advance` with its NumPy twin `advance_reference` in the module of the model (`lif`, `adaptive`,
`escape`, `izhikevich`, `hodgkin_huxley`, `poisson`). Spikes are always rows (step, neuron) of an int32 array.
A closed loop of one population onto another is

    count = lif.advance(neurons, state, drive, 1, key, spikes)
    projection.deliver(line, spikes[:count], target.current)

Every random draw depends on the seed, the name of its stream, the step and the neuron, and on nothing else.
"""

from . import adaptive, escape, hodgkin_huxley, izhikevich, lif, modulators, poisson, short_term
from .adaptive import AdaptiveLIF, AdaptiveLIFState
from .delays import DelayLine
from .dense import DenseProjection
from .escape import EscapeRate, EscapeRateState
from .hashing import SpikeHash
from .hodgkin_huxley import HodgkinHuxley, HodgkinHuxleyState
from .izhikevich import Izhikevich, IzhikevichState
from .lif import LIF, LIFState
from .modulators import Modulator, ModulatorState
from .plasticity import PlasticityState, PlasticProjection, RewardSTDP
from .poisson import PoissonState
from .random import generator, key, stream
from .short_term import ShortTerm, ShortTermState
from .sparse import SparseProjection

__all__ = [
    "LIF",
    "AdaptiveLIF",
    "AdaptiveLIFState",
    "DelayLine",
    "DenseProjection",
    "EscapeRate",
    "EscapeRateState",
    "HodgkinHuxley",
    "HodgkinHuxleyState",
    "Izhikevich",
    "IzhikevichState",
    "LIFState",
    "Modulator",
    "ModulatorState",
    "PlasticProjection",
    "PlasticityState",
    "PoissonState",
    "RewardSTDP",
    "ShortTerm",
    "ShortTermState",
    "SparseProjection",
    "SpikeHash",
    "adaptive",
    "escape",
    "generator",
    "hodgkin_huxley",
    "izhikevich",
    "key",
    "lif",
    "modulators",
    "poisson",
    "short_term",
    "stream",
]
