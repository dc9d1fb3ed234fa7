"""Theta: what each millisecond of a cycle gives the place cells.

Inhibition swings about its mean and holds cells down at the seam between two cycles. Links between places,
learned from the order in which they were lived, favour places behind in the early part of a cycle and places
ahead in the later part, in which the senses fade (Hasselmo, Bodelon & Wyble 2002; Tsodyks, Skaggs, Sejnowski
& McNaughton 1996). So a cell fires late where the robot comes near and early where it leaves: phase
precession (O'Keefe & Recce 1993). That the course which links feel turns round within a cycle is our
reading; the cited models begin a sweep at the present place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ThetaConfig:
    """The oscillation of place cells. Drives are in units of the firing threshold, phases in cycles."""

    enabled: bool = False
    depth: float = 1.0  #: drive that inhibition takes at the seam, more than in the cycle's middle
    tonic: float = 0.0  #: drive that inhibition takes in the cycle's middle; negative gives
    fade: float = 0.6  #: share of the senses' drive that is gone when places ahead are favoured most
    behind: float = 1.0  #: strength of what favours places behind, of that for places ahead
    links: float = 2.0  #: share of `reach` that a spike sends over a link of strength 1
    reach: float = (
        1.6  #: drive that all links together give or take at most; without the senses they hardly fire a cell
    )
    tau_link: float = 0.120  #: s, synapses of the links: a cycle, so the present place drives the sweep
    fatigue: float = 0.3  #: drive that a cell's own spike takes from it until the cycle ends

    def __post_init__(self) -> None:
        for name in ("depth", "behind", "links", "reach", "fatigue"):
            if getattr(self, name) < 0.0:
                raise ValueError(f"theta {name} must be >= 0, got {getattr(self, name)}")
        if not 0.0 <= self.fade <= 1.0:
            raise ValueError(f"theta fade must be in [0, 1], got {self.fade}")
        if self.tau_link <= 0.0:
            raise ValueError(f"theta tau_link must be > 0 s, got {self.tau_link}")

    def cycle(self, steps: int) -> Floats:
        """Return (steps, 3) over a cycle: inhibition, share of the senses, gate of the links."""
        phase = (np.arange(steps) + 0.5) / steps
        held = self.tonic + 0.5 * self.depth * (1.0 + np.cos(2.0 * np.pi * phase))
        swing = -np.sin(2.0 * np.pi * phase)
        late = np.maximum(swing, 0.0)
        gate = late + self.behind * np.minimum(swing, 0.0)
        return np.stack([held, 1.0 - self.fade * late, gate], axis=1).astype(np.float32)
