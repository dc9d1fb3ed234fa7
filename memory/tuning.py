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

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from ..spiking.random import generator, key
from .attractor import AttractorState
from .calibration import DriveTable
from .engines import Floats, Neurons, State, advance_sheet, blank, kill, recovery

WINDOW = 5  #: control periods over which slip is measured
RATE = 0.08  #: change of excitability a second, per slip of the usual speed, thresholds
SLOWS = 100.0  #: s after which the rate has halved; it falls as 1/t
LARGEST = 4.0  #: slip that counts, usual speeds
KEEPS = 1.5  #: s for which the drive keeps its direction
STARTS = 3.0  #: s from one start to the next, on average
_SECOND = 25  #: control periods


class Sheet(ABC):
    """A ring or a torus of layers that pull a bump their way, and that recovers from what happens to it."""

    state: State
    table: DriveTable  #: how its bump moves
    key: np.uint32  #: of its noise
    layers: NDArray[np.float64]  #: (L, d) preferred directions
    usual: float  #: speed at which it is driven about at rest, rad/s or periods/s
    rest_name: str  #: of its noise at rest
    _units: Neurons
    _nominal: DriveTable  #: how the bump of equal neurons moves
    _kernels: Floats
    _no_cue: Floats
    _spikes: NDArray[np.int32]

    def lesion(self, neurons: NDArray[np.integer]) -> None:
        """Let `neurons` never fire again; the others recover."""
        kill(self.state, neurons)
        self.recover()

    def recover(self) -> None:
        """At rest, tune neurons that are unlike or fewer than they were, and measure how they move then."""
        if seconds := recovery(self._units, self.state):
            with resting(self):
                tune(self, self._nominal, seconds)
            self.measure()

    def measure(self) -> None:
        """Measure how the bump moves where neurons are unlike; the nominal speeds hold where it does not."""
        if not recovery(self._units, self.state):
            self.table = self._nominal
            return
        try:
            self.table = self._measured()
        except ValueError:
            self.table = self._nominal

    def push(self, drives: NDArray[np.float64]) -> None:
        """Go on for a control period under the drive of each layer (L,)."""
        advance_sheet(
            self._units, self.state, self._kernels, drives, self._no_cue, 40, self.key, self._spikes
        )

    @abstractmethod
    def _measured(self) -> DriveTable:
        """How the bump of these very neurons moves; raises ValueError if it does not follow its drive."""

    @abstractmethod
    def begin_at(self, random: np.random.Generator) -> None:
        """Let a bump form anywhere."""

    @abstractmethod
    def place(self) -> NDArray[np.float64]:
        """Where the population vector points, (d,)."""

    @abstractmethod
    def way(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shortest way from one place to another, in the directions' frame, (d,)."""


@contextmanager
def resting(sheet: Sheet) -> Iterator[None]:
    """Let a sheet live apart from what it holds: only its excitability stays as it is afterwards."""
    held, noise, table = sheet.state, sheet.key, sheet.table
    apart = blank(held)
    assert isinstance(held, AttractorState)
    assert isinstance(apart, AttractorState)
    sheet.state, sheet.key = apart, key(0, sheet.rest_name)
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
