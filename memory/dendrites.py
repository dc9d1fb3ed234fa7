"""How a cell of CA3 or CA1 puts together what it hears: the senses on basal dendrites, recall on apical ones.

With linear dendrites it is a point cell, which adds both. A dendrite with a plateau gives next to nothing
below its onset and no more above it, so that a soma may need a little of both, or all of one. The cell is the
substrate's `TwoCompartment`; input is constant in a gamma cycle, and dendrites are taken as settled in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..spiking.two_compartment import Response, TwoCompartment

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DendriteConfig:
    """Responses of both dendrites. Inputs are shares of what all active cells of a memory give."""

    basal: Response = "linear"  #: to the senses: perforant path or entorhinal cells
    apical: Response = "linear"  #: to recall: recurrent synapses or Schaffer collaterals
    onset: float = 0.5  #: input at half of a plateau
    width: float = 0.15  #: of its rise

    def __post_init__(self) -> None:
        _cell(self, 1.0, 1.0)

    def drive(self, senses: Floats, gain_senses: float, recall: Floats, gain_recall: float) -> Floats:
        """Return the drive of somata (n,), in thresholds, from `senses` and `recall` (n,).

        The gains are what an input of 1 on a linear dendrite, or a full plateau, drives the soma with.
        """
        if self.basal == self.apical == "linear":  # every recall comes here by default
            return np.float32(gain_senses) * senses + np.float32(gain_recall) * recall
        return np.asarray(_cell(self, gain_senses, gain_recall).somatic_drive(senses, recall), np.float32)


@lru_cache(maxsize=64)
def _cell(dendrites: DendriteConfig, gain_senses: float, gain_recall: float) -> TwoCompartment:
    return TwoCompartment(
        gain_basal=gain_senses, gain_apical=gain_recall, basal_response=dendrites.basal,
        apical_response=dendrites.apical, onset=dendrites.onset, width=dendrites.width,
    )  # fmt: skip
