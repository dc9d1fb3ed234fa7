"""The spiking substrate: neurons, synapses, plasticity, codes, and the network that runs them.

A neuron model is a frozen record of parameters with units and source (`LIF`, `AdaptiveLIF`, `Izhikevich`,
`HodgkinHuxley`, `EscapeRate`, `TimeVaryingLIF`, `SimplifiedHH`, `TwoCompartment`); a `Network` gives it state
and inputs and runs it in one compiled loop. Every random draw depends on the seed, the name of its stream,
the step and the neuron, and on nothing else. Spikes are rows (step, neuron) of an int32 array.
"""

from .adaptive import AdaptiveLIF
from .aggregate_label import MultiSpikeTempotron
from .connection import Connection
from .dense import DenseProjection
from .escape import EscapeRate
from .hashing import SpikeHash
from .hedonistic import Hedonistic
from .hodgkin_huxley import HodgkinHuxley
from .izhikevich import FIRING_TYPES, Izhikevich
from .lca import LCA
from .lif import LIF
from .modulators import Level, Modulator
from .network import Network
from .parameters import Gamma, LogNormal, Normal, Uniform, mismatched
from .population import Poisson, Population, SpikeSource
from .probes import SpikeProbe, StateProbe
from .random import generator, key, stream
from .receptors import Receptor, alpha, exponential
from .rules import STDP, TDLTP, Homeostasis, RewardSTDP, SequentialSTDP
from .short_term import FACILITATING, ShortTerm
from .simplified import SimplifiedHH
from .sparse import SparseProjection
from .supervision import SpikeResponse
from .tempotron import PSD, Tempotron
from .time_varying import TimeVaryingLIF
from .torus import TorusProjection
from .two_compartment import TwoCompartment

__all__ = [
    "FACILITATING",
    "FIRING_TYPES",
    "LCA",
    "LIF",
    "PSD",
    "STDP",
    "TDLTP",
    "AdaptiveLIF",
    "Connection",
    "DenseProjection",
    "EscapeRate",
    "Gamma",
    "Hedonistic",
    "HodgkinHuxley",
    "Homeostasis",
    "Izhikevich",
    "Level",
    "LogNormal",
    "Modulator",
    "MultiSpikeTempotron",
    "Network",
    "Normal",
    "Poisson",
    "Population",
    "Receptor",
    "RewardSTDP",
    "SequentialSTDP",
    "ShortTerm",
    "SimplifiedHH",
    "SparseProjection",
    "SpikeHash",
    "SpikeProbe",
    "SpikeResponse",
    "SpikeSource",
    "StateProbe",
    "Tempotron",
    "TimeVaryingLIF",
    "TorusProjection",
    "TwoCompartment",
    "Uniform",
    "alpha",
    "exponential",
    "generator",
    "key",
    "mismatched",
    "stream",
]
