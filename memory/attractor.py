"""Continuous attractor of spiking neurons on a ring or a torus, moved by asymmetric layers.

One engine serves head-direction cells (a ring of 1 x n phases, two layers) and grid cells (a torus of n x n
phases, four layers). Every layer holds one neuron a phase. All layers hear the same recurrent field; each
layer's outgoing kernel is displaced a little in its own preferred direction, so a layer that is driven more
pulls the bump its way (Xie, Hahnloser & Seung 2002; Burak & Fiete 2009). The connections are a convolution,
so a spike adds one rolled kernel to the field and nothing is stored per synapse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking.checks import require_room
from ..spiking.random import gaussian, step_key

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

    def __post_init__(self) -> None:
        for name in ("tau_membrane", "tau_synapse", "tau_readout", "refractory"):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"attractor {name} must be > 0 s, got {getattr(self, name)}")


def tiled(kernels: NDArray[np.float64]) -> Floats:
    """Tile outgoing kernels (L, ny, nx) to (L, 2 ny, 2 nx), so that rolling one is taking a slice."""
    return np.ascontiguousarray(np.tile(kernels, (1, 2, 2)), dtype=np.float32)


class AttractorState(NamedTuple):
    """State of one sheet of L layers and P phases."""

    membrane: Floats  #: (L, P) above rest
    silent: NDArray[np.int32]  #: (L, P) steps left of the refractory period
    field: Floats  #: (P,) recurrent current, heard by all layers
    trace: Floats  #: (P,) spikes of all layers filtered with tau_readout, Hz per neuron
    step: NDArray[np.int64]  #: (1,) steps since the start, the counter of the noise

    @classmethod
    def zeros(cls, layers: int, phases: int) -> AttractorState:
        return cls(
            np.zeros((layers, phases), np.float32),
            np.zeros((layers, phases), np.int32),
            np.zeros(phases, np.float32),
            np.zeros(phases, np.float32),
            np.zeros(1, np.int64),
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
        np.float32(np.exp(-1e-3 / neurons.tau_membrane)),
        np.float32(np.exp(-1e-3 / neurons.tau_synapse)),
        np.float32(np.exp(-1e-3 / neurons.tau_readout)),
        np.float32(1.0 / neurons.tau_readout),
        round(neurons.refractory / 1e-3),
        np.float32(neurons.noise),
        np.float32(neurons.drive),
        key,
        spikes,
    )
    require_room(count, spikes, steps, "attractor ")
    return count


@njit(cache=True, fastmath=False)
def _advance(
    membrane: Floats,
    silent: NDArray[np.int32],
    field: Floats,
    trace: Floats,
    clock: NDArray[np.int64],
    kernels: Floats,
    layer_drive: Floats,
    cue: Floats,
    steps: int,
    keep: np.float32,
    decay: np.float32,
    trace_decay: np.float32,
    trace_gain: np.float32,
    refractory: int,
    noise: np.float32,
    drive: np.float32,
    key: np.uint32,
    spikes: NDArray[np.int32],
) -> int:
    layers, phases = membrane.shape
    ny, nx = kernels.shape[1] // 2, kernels.shape[2] // 2
    gain = np.float32(1.0) - keep
    per_spike = trace_gain / np.float32(layers)
    threshold = np.float32(1.0)
    count = 0
    fired = np.empty(layers * phases, np.int32)
    for step in range(steps):
        at = step_key(key, np.uint32(clock[0] & 0xFFFFFFFF))
        clock[0] += 1
        n_fired = 0
        for layer in range(layers):
            extra = drive + layer_drive[layer]
            row, hold = membrane[layer], silent[layer]
            base = layer * phases
            for i in range(phases):
                v = keep * row[i] + gain * (extra + field[i] + cue[i])
                v += noise * gaussian(at, np.uint32(base + i))
                v = max(v, np.float32(-1.0))
                if hold[i] > 0:
                    hold[i] -= 1
                    v = np.float32(0.0)
                row[i] = v
            for i in range(phases):
                if row[i] >= threshold:
                    row[i] = np.float32(0.0)
                    hold[i] = refractory
                    fired[n_fired] = base + i
                    n_fired += 1
        for i in range(phases):
            field[i] *= decay
            trace[i] *= trace_decay
        for k in range(n_fired):
            layer, i = fired[k] // phases, fired[k] % phases
            trace[i] += per_spike
            iy, ix = i // nx, i % nx
            for jy in range(ny):
                source = kernels[layer, ny - iy + jy]
                for jx in range(nx):
                    field[jy * nx + jx] += source[nx - ix + jx]
            if count >= spikes.shape[0]:
                return -1
            spikes[count, 0] = step
            spikes[count, 1] = fired[k]
            count += 1
    return count
