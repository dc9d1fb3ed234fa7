"""What an agent is given each control period, cut out of readings by their stamps.

A period is 0.04 s of the robot's own time. It is complete when every source that is awaited has come so far;
a source that trails the odometry by more than `PATIENCE`, and from which nothing came during the last
`SILENCE` readings of it, is not waited for. The wall clock has no say.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...envs import EventPacket
from ..episode import CONTROL_PERIOD
from .readings import Events, Signal
from .topics import BUMPS, CUE, EVENTS, IMU, REWARD

PERIOD_NS = round(CONTROL_PERIOD * 1e9)
PATIENCE = 200_000_000  #: ns that a source may trail the odometry
SILENCE = 5  #: readings of odometry; with a backlog, sources are heard by turns and not by stamps
GAP = 1_000_000_000  #: ns without odometry after which time goes on where it comes back
SECTORS = 8  #: of the bumper


@dataclass(frozen=True)
class Period:
    """One control period."""

    end: int  #: ns
    observation: dict[str, Any]  #: as of an environment; times of events count from the start
    reward: float  #: of the period before
    gap: int  #: ns that were left out before it


class Periods:
    """Collects readings and hands out periods in order."""

    def __init__(self) -> None:
        self.odometry, self.gyro, self.events = Signal(2), Signal(1), Events()
        self._bump = np.zeros(SECTORS, np.uint8)
        self._cue: NDArray[np.float32] | None = None
        self._reward = 0.0
        self.counts = dict.fromkeys((BUMPS, CUE, REWARD), 0)  #: messages since `forget_counts`
        self._silent = dict.fromkeys((IMU, EVENTS), 0)  # readings of odometry since the source was heard
        self.number = 0  #: periods handed out since `start`
        self._joining = False
        self._zero: int | None = None  # ns, where times of events count from
        self._end: int | None = None  # ns, of the next period

    @property
    def running(self) -> bool:
        """Whether periods are handed out."""
        return self._end is not None

    def start(self, at: int, *, joining: bool = False) -> None:
        """Let the first period end `at` ns: what the robot perceives before it moves.

        `joining` an episode that began then, it ends with the first odometry that comes from now on.
        """
        self._zero = self._end = at
        self._joining = joining
        self.number = 0
        self.odometry.forget(at - PERIOD_NS)
        self.gyro.forget(at - PERIOD_NS)
        self.events.take(at - PERIOD_NS)

    def stop(self) -> None:
        """Hand out no more until `start`; forget what came without a stamp."""
        self._end = None
        self._bump[:], self._cue, self._reward = 0, None, 0.0
        self.counts = dict.fromkeys(self.counts, 0)

    def clear(self) -> None:
        """Forget all readings, as when the robot's clock is set back."""
        self.stop()
        for source in (self.odometry, self.gyro, self.events):
            source.clear()

    def move(self, stamp: int, speed: float, turning: float) -> None:
        """Take the odometry, m/s and rad/s, of the time up to `stamp` ns."""
        if self.odometry.add(stamp, speed, turning):
            for name in self._silent:
                self._silent[name] += 1

    def turn(self, stamp: int, turning: float) -> None:
        """Take the turn rate of the gyro, rad/s, of the time up to `stamp` ns."""
        if self.gyro.add(stamp, turning):
            self._silent[IMU] = 0

    def see(self, stamp: int, packet: EventPacket) -> None:
        """Take events on the clock of `stamp` ns, at which the packet was complete."""
        self.events.add(stamp, packet)
        self._silent[EVENTS] = 0

    def touch(self, bump: NDArray[np.uint8]) -> None:
        """Take the bumper's sectors (8,); contacts of a period add up."""
        self._bump |= (bump > 0).astype(np.uint8)
        self.counts[BUMPS] += 1

    def show(self, cue: NDArray[np.float32]) -> None:
        """Take the cues (n,) of now."""
        self._cue = cue
        self.counts[CUE] += 1

    def reward(self, reward: float) -> None:
        """Take a reward; those of a period add up."""
        self._reward += reward
        self.counts[REWARD] += 1

    def take_reward(self) -> float:
        """Return, and forget, the reward since the last period."""
        taken, self._reward = self._reward, 0.0
        return taken

    def next(self, awaited: Collection[str], counted: Collection[str] = ()) -> Period | None:
        """Return the next period if it is complete.

        Parameters
        ----------
        awaited
            Of `/imu` and `/camera/events`, what has to have come as far.
        counted
            Topics without stamps that come once every period without exception.
        """
        if self._end is None or self.odometry.through < self._end:
            return None
        gap = self._leap()
        end = self._end
        trails = self.odometry.through - end > PATIENCE
        for name, source in ((IMU, self.gyro), (EVENTS, self.events)):
            given_up = trails and self._silent[name] >= SILENCE
            if name in awaited and source.through < end and not given_up:
                return None
        if any(self.counts[name] < self.number + (name != REWARD) for name in counted):
            return None
        return self._close(end, gap)

    def _leap(self) -> int:
        """Skip time for which there is no odometry; return how much, ns."""
        assert self._end is not None
        following = self.odometry.first_after(self._end - PERIOD_NS)
        if following is None or following - self._end <= (0 if self._joining else GAP):
            return 0
        gap, self._end = following - self._end, following
        return 0 if self._joining else gap

    def _close(self, end: int, gap: int) -> Period:
        assert self._zero is not None
        start = end - PERIOD_NS
        speed, wheels = self.odometry.mean(start, end)
        turning = (
            self.gyro.mean(start, end)[0] if end - self.gyro.through <= PATIENCE and self.gyro else wheels
        )
        seen = self.events.take(end)
        observation: dict[str, Any] = {
            "events": EventPacket(seen.t - self._zero // 1000, *seen[1:]).to_observation(),
            "odometry": np.array([speed, wheels], np.float32),
            "gyro": np.array([turning], np.float32),
            "bump": self._bump.copy(),
        }
        if self._cue is not None:
            observation["cue"] = self._cue
        self._bump[:] = 0
        self.odometry.forget(end)
        self.gyro.forget(end)
        self.number += 1
        self._joining = False
        self._end = end + PERIOD_NS
        return Period(end, observation, self.take_reward(), gap)
