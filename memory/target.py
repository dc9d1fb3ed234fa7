"""Where a recall says the robot is: it pulls ring and sheets, and moves along with the robot meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .config import PERIOD, RELAX_PERIODS
from .grid import GridModule
from .heading import HeadDirection

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass
class Target:
    """A pose, as heading and phases, and the currents with which it pulls for some control periods."""

    heading: float  #: rad
    phases: Doubles  #: (modules, 2) periods
    chart: int
    pull_heading: float
    pull_grid: float
    periods: int  #: control periods left

    def ring_cue(self, ring: HeadDirection, turn_rate: float, lead: float) -> Floats:
        """Turn along for a period at `turn_rate` rad/s; return the ring's cue, `lead` s ahead of the target.

        A bump that follows a cue trails it: the cue runs ahead.
        """
        self.heading += turn_rate * PERIOD
        return ring.cue(self.heading + lead * turn_rate, self.pull_heading)

    def sheet_cue(self, number: int, sheet: GridModule, velocity: Doubles, lead: float) -> Floats:
        """Move along for a period at `velocity` (2,) m/s; return the cue of sheet `number`, likewise."""
        self.phases[number] += sheet.phase_change(velocity * PERIOD)
        return sheet.cue_at(self.phases[number] + sheet.phase_change(velocity * lead), self.pull_grid)

    def tick(self, fading: bool) -> bool:
        """Count a period down; return whether it was the last. A `fading` cue halves in its last periods."""
        self.periods -= 1
        if fading and self.periods < RELAX_PERIODS:
            self.pull_heading *= 0.5
            self.pull_grid *= 0.5
        return self.periods == 0
