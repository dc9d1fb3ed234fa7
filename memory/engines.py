"""One door to the two engines of an attractor, spikes and rates: the neurons a configuration names decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..spiking.random import key as key_of
from .attractor import AttractorNeurons, AttractorState, advance
from .rate_attractor import RateNeurons, RateState, advance_rates, require_pattern

Floats = NDArray[np.float32]
Neurons = AttractorNeurons | RateNeurons
State = AttractorState | RateState


def named(neurons: Neurons, name: str) -> Neurons:
    """Return `neurons` as the sheet called `name` has them: mismatch draws others for each sheet."""
    if isinstance(neurons, RateNeurons) or neurons.mismatch == 0.0:
        return neurons
    return replace(neurons, device=int(key_of(neurons.device, name)))


def rest(neurons: Neurons, kernels: Floats) -> State:
    """Return the state of a sheet without activity; raise ValueError if no bump can form on it.

    `kernels` (L, 2 ny, 2 nx) are tiled.
    """
    layers, phases = kernels.shape[0], kernels.shape[1] * kernels.shape[2] // 4
    if isinstance(neurons, RateNeurons):
        require_pattern(neurons, kernels)
        return RateState.zeros(phases)
    return AttractorState.zeros(layers, phases, adaptive=neurons.adaptation > 0.0)


#: ms of refractoriness to which dead neurons are set, and from which on one is dead: no run is so long.
FOREVER, DEAD = np.int32(2**31 - 1), np.int32(2**30)


def clear(state: State) -> None:
    """Silence the sheet in place; the counter of its noise goes on, and dead neurons stay dead."""
    dead = dead_neurons(state.silent) if isinstance(state, AttractorState) else None
    for name, part in state._asdict().items():
        if name not in ("step", "excitability"):
            part[...] = 0
    if dead is not None:
        kill(state, dead)


def blank(state: State) -> State:
    """Return a sheet without activity and with a clock at 0, of the same neurons, dead ones among them."""
    nothing: dict[str, Any] = {name: np.zeros_like(part) for name, part in state._asdict().items()}
    if isinstance(state, RateState):
        return RateState(**nothing)
    made = AttractorState(**nothing | {"excitability": state.excitability.copy()})
    kill(made, dead_neurons(state.silent))
    return made


def kill(state: State, neurons: NDArray[np.integer]) -> None:
    """Let `neurons` never fire again; raise ValueError where there are rates in place of neurons."""
    if not isinstance(state, AttractorState):
        raise ValueError("units without spikes cannot be lesioned")
    state.silent.reshape(-1)[neurons] = FOREVER


def recovery(neurons: Neurons, state: State) -> float:
    """Return the s of rest that the sheet takes, where its neurons differ or some are dead; 0 for none."""
    if isinstance(neurons, RateNeurons) or not isinstance(state, AttractorState):
        return 0.0
    dead = len(dead_neurons(state.silent))
    unlike = neurons.mismatch > 0.0 or dead > 0
    return neurons.recovery if unlike and dead < state.silent.size else 0.0


def dead_neurons(silent: NDArray[np.int32]) -> NDArray[np.intp]:
    """Return the indices of neurons that are dead by what is left of their refractoriness, ms."""
    return np.flatnonzero(silent >= DEAD)


def advance_sheet(
    neurons: Neurons,
    state: State,
    kernels: Floats,
    layer_drive: NDArray[np.float64],
    cue: Floats,
    steps: int,
    key: np.uint32,
    spikes: NDArray[np.int32],
) -> int:
    """Advance by `steps` ms in place; return the number of spikes written, none where there are only rates.

    See `attractor.advance` for the arguments.
    """
    if isinstance(neurons, RateNeurons):
        if not isinstance(state, RateState):
            raise TypeError("rate neurons need a RateState")
        advance_rates(neurons, state, kernels, layer_drive, cue.astype(np.float64), steps)
        return 0
    if not isinstance(state, AttractorState):
        raise TypeError("spiking neurons need an AttractorState")
    return advance(neurons, state, kernels, layer_drive.astype(np.float32), cue, steps, key, spikes)
