"""Readings with time stamps, of any rate, as what a control period needs: a mean, or the events in it."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from ...envs import EventPacket

KEPT = 4096  #: readings of a signal; more than 10 s at 400 Hz
MOST_EVENTS = 20_000_000  #: kept while nobody takes them; the oldest packets go first


class Signal:
    """Readings that each hold for the time since the one before, as those of encoders and rate gyros do."""

    def __init__(self, size: int) -> None:
        self._readings: deque[tuple[int, NDArray[np.float64]]] = deque(maxlen=KEPT)
        self._latest: tuple[int, NDArray[np.float64]] = (-1, np.zeros(size))

    def __bool__(self) -> bool:
        return self._latest[0] >= 0

    @property
    def through(self) -> int:
        """Stamp of the newest reading, ns; -1 if there was none."""
        return self._latest[0]

    def first_after(self, start: int) -> int | None:
        """Return the stamp of the first reading kept that is later than `start`, ns."""
        return next((stamp for stamp, _ in self._readings if stamp > start), None)

    def add(self, stamp: int, *values: float) -> bool:
        """Take a reading; False, and nothing changes, for one that is not finite or not newer than the last.

        A number that is not finite would stay in the agent's state for ever.
        """
        reading = np.array(values, np.float64)
        if stamp <= self._latest[0] or not np.isfinite(reading).all():
            return False
        self._latest = (stamp, reading)
        self._readings.append(self._latest)
        return True

    def mean(self, start: int, end: int) -> NDArray[np.float64]:
        """Return the mean over (`start`, `end`] ns; where readings end, the last one goes on to hold."""
        parts, at = [], start
        for stamp, reading in self._readings:
            if stamp > start and at < end:
                until = min(stamp, end)
                parts.append((until - at, reading))
                at = until
        if at < end:
            parts.append((end - at, self._latest[1]))
        if len(parts) == 1:  # as it was sent, to the last bit
            return parts[0][1]
        return np.asarray(sum(span * reading for span, reading in parts) / (end - start), np.float64)

    def forget(self, until: int) -> None:
        """Drop readings up to `until` ns."""
        while self._readings and self._readings[0][0] <= until:
            self._readings.popleft()

    def clear(self) -> None:
        """Forget everything, as when the clock is set back."""
        self._readings.clear()
        self._latest = (-1, np.zeros_like(self._latest[1]))


class Events:
    """Packets of events on one clock, to be cut at any time."""

    def __init__(self) -> None:
        self._packets: deque[EventPacket] = deque()
        self._size = 0
        self.through = -1  #: ns, up to which all events have come; -1 before the first packet

    def __bool__(self) -> bool:
        return self.through >= 0

    def add(self, stamp: int, packet: EventPacket) -> None:
        """Take a packet whose times are µs on the clock of `stamp`, ns, at which it was complete."""
        self.through = max(self.through, stamp, int(packet.t[-1]) * 1000 if packet.size else -1)
        self._packets.append(packet)
        self._size += packet.size
        while self._size > MOST_EVENTS and len(self._packets) > 1:
            self._size -= self._packets.popleft().size

    def take(self, end: int) -> EventPacket:
        """Return, and forget, all events up to `end` ns, in ascending time; late ones are among them."""
        joined = EventPacket.concatenate(list(self._packets))
        cut = int(np.searchsorted(joined.t, end // 1000, side="right"))
        self._packets.clear()
        rest = joined.take(slice(cut, None))
        self._size = rest.size
        if rest.size:
            self._packets.append(rest)
        return joined.take(slice(0, cut))

    def clear(self) -> None:
        """Forget everything."""
        self._packets.clear()
        self._size, self.through = 0, -1
