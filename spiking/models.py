"""The neuron models there are, by name. A new one is its file, a line here and a line in `engine`."""

from __future__ import annotations

from .adaptive import AdaptiveLIF
from .escape import EscapeRate
from .hodgkin_huxley import HodgkinHuxley
from .izhikevich import Izhikevich
from .lif import LIF
from .model import NeuronModel
from .simplified import SimplifiedHH
from .time_varying import TimeVaryingLIF
from .two_compartment import TwoCompartment

MODELS: dict[str, type[NeuronModel]] = {
    "lif": LIF,
    "adaptive": AdaptiveLIF,
    "izhikevich": Izhikevich,
    "hodgkin-huxley": HodgkinHuxley,
    "escape": EscapeRate,
    "tvlif": TimeVaryingLIF,
    "slif2hh": SimplifiedHH,
    "two-compartment": TwoCompartment,
}
