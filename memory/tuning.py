"""Ring and sheets of unlike or missing neurons learn to hold still and to keep step.

Where neurons differ or are dead, the layers that pull a bump to either side are out of balance at one place
and not at another: the bump slips to where they balance and sticks there. At rest the sheet drives itself
slowly about, starts anew at random places, and compares how far its bump has gone with how far it was driven.
By that slip, times the layer's preferred direction and the activity around it, each neuron's excitability
changes, as the oculomotor integrator is tuned by retinal slip (MacNeil & Eliasmith 2011, PLoS ONE 6:e22885).
Head-direction and grid cells run through their states at rest, too (Peyrache et al. 2015, Nature Neuroscience
18:569; Gardner et al. 2019, Nature Neuroscience 22:598).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..spiking.random import generator, key
from .attractor import AttractorState
from .calibration import DriveTable
from .engines import State, blank

WINDOW = 5  #: control periods over which slip is measured
RATE = 0.08  #: change of excitability a second, per slip of the usual speed, thresholds
SLOWS = 100.0  #: s after which the rate has halved; it falls as 1/t
LARGEST = 4.0  #: slip that counts, usual speeds
KEEPS = 1.5  #: s for which the drive keeps its direction
STARTS = 3.0  #: s from one start to the next, on average
_SECOND = 25  #: control periods


class Sheet(Protocol):
    """A ring or a torus of layers that pull a bump their way."""

    state: State
    table: DriveTable
    key: np.uint32  #: of its noise
    layers: NDArray[np.float64]  #: (L, d) preferred directions
    usual: float  #: speed at which it is driven about, rad/s or periods/s

    def begin_at(self, random: np.random.Generator) -> None:
        """Let a bump form anywhere."""

    def push(self, drives: NDArray[np.float64]) -> None:
        """Go on for a control period under the drive of each layer (L,)."""

    def place(self) -> NDArray[np.float64]:
        """Where the population vector points, (d,)."""

    def way(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shortest way from one place to another, in the directions' frame, (d,)."""


@contextmanager
def resting(sheet: Sheet, name: str) -> Iterator[None]:
    """Let a sheet live apart from what it holds: only its excitability stays as it is afterwards."""
    held, noise, table = sheet.state, sheet.key, sheet.table
    apart = blank(held)
    assert isinstance(held, AttractorState)
    assert isinstance(apart, AttractorState)
    sheet.state, sheet.key = apart, key(0, name)
    try:
        yield
    finally:
        held.excitability[...] = apart.excitability
        sheet.state, sheet.key, sheet.table = held, noise, table


def tune(sheet: Sheet, table: DriveTable, seconds: float) -> None:
    """Tune excitability in place, in so many seconds of rest, so that `sheet` moves as `table` says."""
    state = sheet.state
    assert isinstance(state, AttractorState)
    random, excitability = generator(0, "tuning"), state.excitability
    velocity = np.zeros(sheet.layers.shape[1])
    window = WINDOW / _SECOND
    spread = sheet.usual * np.sqrt(2.0 * window / KEEPS)
    sheet.begin_at(random)
    before = sheet.place()
    for number in range(round(seconds / window)):
        velocity = velocity * (1.0 - window / KEEPS) + spread * random.standard_normal(velocity.shape)
        if random.random() < window / STARTS:
            sheet.begin_at(random)
            before = sheet.place()
        speed = float(np.sqrt(velocity @ velocity))
        drives = table.drive(speed) / speed * (sheet.layers @ velocity)
        activity = np.zeros(excitability.shape[1])
        for _ in range(WINDOW):
            sheet.push(drives)
            activity += state.trace
        now = sheet.place()
        slip = sheet.layers @ (sheet.way(before, now) / window - velocity) / sheet.usual
        before = now
        rate = RATE * window / (1.0 + number * window / SLOWS)
        change = np.clip(slip, -LARGEST, LARGEST)[:, None] * activity / max(float(activity.max()), 1e-9)
        excitability -= (rate * change).astype(np.float32)
