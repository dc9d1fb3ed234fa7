"""The attractor of `attractor` in rates: threshold-linear units on the same ring or torus, without noise.

What spikes add to path integration is diffusion; what this engine still gets wrong is the network's own
doing (pinning on the lattice of cells, saturation, lag). It takes the kernels of the spiking engine and
stands in for it wherever a configuration has `rates`.

    tau_s dF/dt = -F + tau_s sum_l K_l * r_l,    r_l = gain [drive + input_l + F + cue - 1]+

(Xie, Hahnloser & Seung 2002; Burak & Fiete 2009.) Threshold-linear units do not pin a
bump as the steep onset of a LIF neuron does. A loop gain of 1 or less lets every pattern die, which published
parameters of sheets do not always exceed: it is checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Kernels = NDArray[np.float32]

STRIDE = 4  #: ms, step of the rates


@dataclass(frozen=True, slots=True)
class RateNeurons:
    """Threshold-linear units; currents in units of the firing threshold, as for spiking neurons.

    The default gain lies well above the one at which a bump forms (17 Hz for the sheets, 15 Hz for the ring)
    and well below that at which the bump is a few cells wide and sticks to them (250 Hz on 16 x 16 phases).
    Below 30 Hz the ring's bump comes apart at 2 rad/s.
    """

    gain: float = 60.0  #: Hz per unit of current above threshold
    tau_synapse: float = 0.100  #: s
    tau_readout: float = 0.020  #: s, of the filtered rates that other parts read
    drive: float = 1.3  #: constant input

    def __post_init__(self) -> None:
        for name in ("gain", "tau_synapse", "tau_readout"):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"rate attractor {name} must be > 0, got {getattr(self, name)}")


class RateState(NamedTuple):
    """State of one sheet of P phases; its layers have none of their own."""

    field: Doubles  #: (P,) recurrent current, heard by all layers
    trace: Doubles  #: (P,) mean rate of the layers, filtered with tau_readout, Hz

    @classmethod
    def zeros(cls, phases: int) -> RateState:
        return cls(np.zeros(phases), np.zeros(phases))


def loop_gain(neurons: RateNeurons, kernels: Kernels) -> float:
    """Return the largest gain of a pattern (any but the uniform one) once round the loop, all units active.

    `kernels` (L, 2 ny, 2 nx) are tiled. At 1 or less the uniform state is stable and no bump forms.
    """
    ny, nx = kernels.shape[1] // 2, kernels.shape[2] // 2
    modes = np.fft.fft2(kernels[:, :ny, :nx].astype(np.float64).sum(axis=0)).real.ravel()
    return float(neurons.gain * neurons.tau_synapse * modes[1:].max())


def require_pattern(neurons: RateNeurons, kernels: Kernels) -> None:
    """Raise ValueError unless a bump can form."""
    gain = loop_gain(neurons, kernels)
    if gain <= 1.0:
        raise ValueError(f"rate attractor loop gain must be > 1 for a bump to form, got {gain:.3f}")


def advance_rates(
    neurons: RateNeurons, state: RateState, kernels: Kernels, layer_drive: Doubles, cue: Doubles, steps: int
) -> None:
    """Advance the sheet by `steps` ms, a multiple of `STRIDE`, in place.

    Parameters
    ----------
    kernels : (L, 2 ny, 2 nx) outgoing kernel of each layer, tiled so that a roll is a slice
    layer_drive : (L,) input of each layer on top of the constant drive: the velocity signal
    cue : (P,) outside current

    Raises
    ------
    ValueError
        If `steps` is not a multiple of `STRIDE`.
    """
    if steps % STRIDE:
        raise ValueError(f"rate attractor steps must be a multiple of {STRIDE} ms, got {steps}")
    dt = STRIDE * 1e-3
    keep, read = np.exp(-dt / neurons.tau_synapse), np.exp(-dt / neurons.tau_readout)
    _advance(
        *state,
        kernels,
        layer_drive,
        cue,
        steps // STRIDE,
        neurons.gain,
        neurons.drive - 1.0,
        float(keep),
        float(neurons.tau_synapse * (1.0 - keep)),
        float(read),
    )


@njit(cache=True)
def _advance(
    field: Doubles,
    trace: Doubles,
    kernels: Kernels,
    layer_drive: Doubles,
    cue: Doubles,
    steps: int,
    gain: float,
    above: float,  # constant drive less the threshold
    keep: float,
    share: float,
    read: float,
) -> None:
    layers, ny, nx = kernels.shape[0], kernels.shape[1] // 2, kernels.shape[2] // 2
    total, mean = np.empty(field.size), np.empty(field.size)
    sheet = total.reshape(ny, nx)
    for _ in range(steps):
        total[:] = 0.0
        mean[:] = 0.0
        for layer in range(layers):
            kernel = kernels[layer]
            for i in range(field.size):
                rate = gain * (above + layer_drive[layer] + field[i] + cue[i])
                if rate <= 0.0:
                    continue
                mean[i] += rate / layers
                y, x = i // nx, i % nx
                for row in range(ny):
                    out, weights = sheet[row], kernel[ny - y + row, nx - x : 2 * nx - x]
                    for column in range(nx):
                        out[column] += rate * weights[column]
        for i in range(field.size):
            field[i] = keep * field[i] + share * total[i]
            trace[i] = read * trace[i] + (1.0 - read) * mean[i]
