"""Receptors: what a spike does to its target until it has faded.

    current      dI/dt = -I / tau                          a spike adds its weight to I
    alpha        dI/dt = -I / tau + e J / tau              a spike adds its weight to J,
                 dJ/dt = -J / tau                          and I peaks at the weight after tau
    conductance  the same for g, and the membrane gets g (E - v)

Roth & van Rossum 2009, Modeling synapses, in De Schutter (ed.), Computational Modeling Methods for
Neuroscientists. A conductance counts in units of the leak where the model's membrane has no units of its own.
Between spikes a linear membrane is exact for currents (Rotter & Diesmann 1999, Biol. Cybern. 81:381); a
conductance is held at its mean over a step, which is of second order.
"""

from __future__ import annotations

from dataclasses import dataclass

from .parameters import require_finite, require_positive

#: Kinds of a receptor in the compiled loop.
EXPONENTIAL, ALPHA = 0, 1


@dataclass(frozen=True, slots=True)
class Receptor:
    """Time course and target of the input over one kind of synapse.

    `reversal` turns the input into a conductance with this reversal potential, in the model's membrane units.
    `compartment` names one of the model's channels; by default the first.
    """

    tau: float = 5e-3  #: s
    shape: int = EXPONENTIAL
    reversal: float | None = None
    compartment: str | None = None

    def __post_init__(self) -> None:
        require_positive("Receptor", tau=self.tau)
        if self.shape not in (EXPONENTIAL, ALPHA):
            raise ValueError(f"Receptor shape must be EXPONENTIAL or ALPHA, got {self.shape}")
        if self.reversal is not None:
            require_finite("Receptor", reversal=self.reversal)


def exponential(tau: float, *, reversal: float | None = None, compartment: str | None = None) -> Receptor:
    """Return a receptor whose input jumps by the weight and decays with `tau` s."""
    return Receptor(tau, EXPONENTIAL, reversal, compartment)


def alpha(tau: float, *, reversal: float | None = None, compartment: str | None = None) -> Receptor:
    """Return a receptor whose input rises to the weight within `tau` s and falls after it."""
    return Receptor(tau, ALPHA, reversal, compartment)
