"""How far a cue pulls a bump: measured once for ring and sheet, then looked up.

A cue of a given current, held for a few control periods, closes a share of the distance between the bump and
itself, as long as that distance is small beside the bump; the share grows with the current. The table turns
the share that a cue deserves into the current that gives it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .config import STEPS
from .grid import GridModule
from .heading import HeadDirection
from .poses import wrap

Floats = NDArray[np.float64]
STRENGTHS = np.array([0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4])
FREE = 6  #: control periods after a cue, in which the bump comes to rest
REST = 10  #: control periods a bump rests before it is pulled


@dataclass(frozen=True)
class PullTable:
    """Share of the distance that a cue closes, against its current."""

    strengths: tuple[float, ...]  #: threshold units, ascending from 0
    shares: tuple[float, ...]  #: ascending from 0

    @classmethod
    def fit(cls, strengths: Floats, shares: Floats) -> PullTable:
        """Build the table from measurements (n,); raise ValueError if cues do not pull."""
        rising = np.maximum.accumulate(np.clip(shares, 0.0, 1.0))
        keep = np.concatenate(([rising[0] > 0.0], np.diff(rising) > 1e-6))
        if rising[-1] < 0.5:
            raise ValueError(f"cues do not pull the bump: shares {np.round(shares, 3).tolist()}")
        return cls((0.0, *map(float, strengths[keep])), (0.0, *map(float, rising[keep])))

    def strength(self, share: float) -> float:
        """Return the current that closes `share` of the distance; at most the largest measured."""
        return float(np.interp(share, self.shares, self.strengths))


def ring_pull(ring: HeadDirection, periods: int, distance: float = 0.15) -> PullTable:
    """Measure what cues `distance` rad away do to `ring` in `periods`; leaves the ring's bump anywhere."""
    ring.set(0.0)
    shares = []
    for strength in STRENGTHS:
        closed = []
        for side in (1.0, -1.0) * 4:
            for _ in range(REST):
                ring.advance(0.0, STEPS)
            start = ring.heading
            cue = ring.cue(start + side * distance, float(strength))
            for _ in range(periods):
                ring.advance(0.0, STEPS, cue)
            for _ in range(FREE):
                ring.advance(0.0, STEPS)
            closed.append(side * wrap(ring.heading - start) / distance)
        shares.append(float(np.mean(closed)))
    return PullTable.fit(STRENGTHS, np.array(shares))


def sheet_pull(sheet: GridModule, periods: int, distance: float = 0.08) -> PullTable:
    """Measure what cues `distance` periods away do to `sheet`; all sheets of a configuration are alike."""
    sheet.set(np.zeros(2))
    still, shares = np.zeros(2), []
    for strength in STRENGTHS:
        closed = []
        for angle in np.arange(8) * 2.4 + 0.3:
            for _ in range(REST):
                sheet.advance(still, STEPS)
            start = sheet.phase
            away = sheet.phase_change(distance * sheet.scale * np.array([np.cos(angle), np.sin(angle)]))
            cue = sheet.cue_at(start + away, float(strength))
            for _ in range(periods):
                sheet.advance(still, STEPS, cue)
            for _ in range(FREE):
                sheet.advance(still, STEPS)
            moved = sheet.phase - start
            moved -= np.round(moved)
            closed.append(float(moved @ away) / float(away @ away))
        shares.append(float(np.mean(closed)))
    return PullTable.fit(STRENGTHS, np.array(shares))
