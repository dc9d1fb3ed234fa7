"""Continuous attractor of spiking neurons on a ring or a torus, moved by asymmetric layers.

One engine serves head-direction cells (a ring of 1 x n phases, two layers) and grid cells (a torus of n x n
phases, four layers). Every layer holds one neuron a phase. All layers hear the same recurrent field; each
layer's outgoing kernel is displaced a little in its own preferred direction, so a layer that is driven more
pulls the bump its way (Xie, Hahnloser & Seung 2002; Burak & Fiete 2009). The connections are a convolution,
so a spike adds one rolled kernel to the field and nothing is stored per synapse.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking.checks import require_room
from ..spiking.delivery import add_kernel
from ..spiking.lif import relax
from ..spiking.model import add_noise, fire, write
from ..spiking.random import step_key
from .neurons import NeuronConfig

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AttractorNeurons:
    """LIF neurons of the sheet, in units of the firing threshold above rest."""

    tau_membrane: float = 0.010  #: s
    tau_synapse: float = 0.100  #: s, slow (NMDA-like): the bump diffuses as 1 / tau_synapse**2
    tau_readout: float = 0.020  #: s, of the filtered spikes that other parts read
    refractory: float = 0.003  #: s
    noise: float = (
        0.03  #: standard deviation of the noise added to the membrane each ms; keeps spikes asynchronous
    )
    drive: float = 1.3  #: constant input
    adaptation: float = 0.0  #: current that a spike takes from its own neuron; 0: none
    tau_adaptation: float = 0.150  #: s, how long it lasts; slow after-currents, Madison & Nicoll 1984
    mismatch: float = 0.0  #: coefficient of variation, over neurons, of time constant, threshold and gain
    device: int = 0  #: which neurons the mismatch draws
    recovery: float = 600.0  #: s of rest, where neurons are unlike or have died, in which `tuning` acts

    @property
    def cells(self) -> NeuronConfig:
        """The neurons without their synapses."""
        return _cells(self)

    def __post_init__(self) -> None:
        for name in ("tau_membrane", "tau_synapse", "tau_readout", "refractory", "tau_adaptation"):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"attractor {name} must be > 0 s, got {getattr(self, name)}")
        for name in ("adaptation", "recovery"):
            if getattr(self, name) < 0.0:
                raise ValueError(f"attractor {name} must be >= 0, got {getattr(self, name)}")
        _ = self.cells  # refuses its own


@cache
def _cells(neurons: AttractorNeurons) -> NeuronConfig:
    return NeuronConfig(
        neurons.tau_membrane, neurons.refractory, neurons.noise, neurons.mismatch, neurons.device
    )  # fmt: skip


class AttractorState(NamedTuple):
    """State of one sheet of L layers and P phases."""

    membrane: Floats  #: (L, P) above rest
    silent: NDArray[np.int32]  #: (L, P) steps left of the refractory period
    field: Floats  #: (P,) recurrent current, heard by all layers
    trace: Floats  #: (P,) spikes of all layers filtered with tau_readout, Hz per neuron
    step: NDArray[np.int64]  #: (1,) steps since the start, the counter of the noise
    fatigue: Floats  #: (L, P) after-current of adaptation, or (0, P) where there is none
    excitability: Floats  #: (L, P) current of each neuron's own, see `tuning`

    @classmethod
    def zeros(cls, layers: int, phases: int, adaptive: bool = False) -> AttractorState:
        return cls(
            np.zeros((layers, phases), np.float32),
            np.zeros((layers, phases), np.int32),
            np.zeros(phases, np.float32),
            np.zeros(phases, np.float32),
            np.zeros(1, np.int64),
            np.zeros((layers if adaptive else 0, phases), np.float32),
            np.zeros((layers, phases), np.float32),
        )


def advance(
    neurons: AttractorNeurons,
    state: AttractorState,
    kernels: Floats,
    layer_drive: Floats,
    cue: Floats,
    steps: int,
    key: np.uint32,
    spikes: NDArray[np.int32],
) -> int:
    """Advance the sheet by `steps` of 1 ms in place.

    Parameters
    ----------
    kernels : (L, 2 ny, 2 nx) outgoing kernel of each layer, tiled so that a roll is a slice
    layer_drive : (L,) input of each layer on top of the constant drive: the velocity signal
    cue : (P,) outside current, for example from recalled memories
    spikes : (capacity, 2) filled with (step, neuron), neuron = layer * P + phase

    Returns
    -------
    Number of spikes written.

    Raises
    ------
    ValueError
        If more spikes occur than `spikes` can hold.
    """
    count: int = _advance(
        *state,
        kernels,
        layer_drive,
        cue,
        steps,
        neurons.cells.constants(state.membrane.size),
        neurons.cells.noise_drive(),
        np.float32(np.exp(-1e-3 / neurons.tau_synapse)),
        np.float32(np.exp(-1e-3 / neurons.tau_readout)),
        np.float32(1.0 / neurons.tau_readout),
        np.float32(neurons.drive),
        np.float32(neurons.adaptation),
        np.float32(np.exp(-1e-3 / neurons.tau_adaptation)),
        key,
        spikes,
    )
    require_room(count, spikes, steps, "attractor ")
    return count


@njit(cache=True)
def _advance(
    membrane: Floats,
    silent: NDArray[np.int32],
    field: Floats,
    trace: Floats,
    clock: NDArray[np.int64],
    fatigue: Floats,
    excitability: Floats,
    kernels: Floats,
    layer_drive: Floats,
    cue: Floats,
    steps: int,
    constants: Floats,  # of LIF neurons
    noise: Floats,
    decay: np.float32,
    trace_decay: np.float32,
    trace_gain: np.float32,
    drive: np.float32,
    adaptation: np.float32,
    recovery: np.float32,
    key: np.uint32,
    spikes: NDArray[np.int32],
) -> int:
    layers, phases = membrane.shape
    per_spike = trace_gain / np.float32(layers)
    one, lowest, count = np.float32(1.0), np.float32(-1.0), 0
    fired = np.empty(layers * phases, np.int32)
    total, nothing = np.empty((layers, phases), np.float32), np.zeros(0, np.float32)
    cells, hold_off, inputs = membrane.reshape(-1), silent.reshape(-1), total.reshape(-1)
    for step in range(steps):
        at = step_key(key, np.uint32(clock[0] & 0xFFFFFFFF))
        clock[0] += 1
        for layer in range(layers):
            extra, into = drive + layer_drive[layer], total[layer]
            for i in range(phases):
                into[i] = extra + field[i] + cue[i] + excitability[layer, i]
        if fatigue.size > 0:
            for layer in range(layers):
                for i in range(phases):
                    total[layer, i] -= fatigue[layer, i]
                    fatigue[layer, i] *= recovery
        add_noise(inputs, noise, at)
        relax(cells, inputs, nothing, constants)
        for i in range(cells.size):
            cells[i] = max(cells[i], lowest)
        n_fired = fire(cells, hold_off, constants[3], constants[4], constants[5], fired)
        for i in range(phases):
            field[i] *= decay
            trace[i] *= trace_decay
        for k in range(n_fired):
            layer, i = fired[k] // phases, fired[k] % phases
            trace[i] += per_spike
            if fatigue.size > 0:
                fatigue[layer, i] += adaptation
            add_kernel(kernels[layer], i, field, one)
        count = write(spikes, count, step, fired, n_fired)
        if count < 0:
            return -1
    return count
