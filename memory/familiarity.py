"""Whether a robot that believes its pose has seen for long what it should: else the place is strange.

A place that resembles a known one now and then keeps a robot on the wrong map: single recalls are believed,
and each allays the doubts of the last seconds. Over ten seconds known and strange arenas are told without
overlap, by how much what is seen resembles what is remembered of where the robot believes itself to be.
"""

from __future__ import annotations

import numpy as np

from .config import CorrectionConfig


class Familiarity:
    """Mean similarity over `tau_familiar`; `reset` when the robot finds itself, `add` a view at a time."""

    def __init__(self, config: CorrectionConfig, period: float) -> None:
        self.config = config
        self._blend = 1.0 - float(np.exp(-period / config.tau_familiar))
        self.level = config.familiar

    def reset(self) -> None:
        """Trust the place again."""
        self.level = self.config.familiar

    def add(self, similarity: float) -> bool:
        """Take how much the view resembles what is remembered of here; return whether here is strange."""
        self.level += self._blend * (similarity - self.level)
        return self.level < self.config.strange
