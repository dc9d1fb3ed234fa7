"""Event packets: what an event camera sends, as four parallel arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ON = 1  #: polarity of an event that says "brighter"
OFF = 0  #: polarity of an event that says "darker"


class EventPacket(NamedTuple):
    """Events in ascending time, one entry per event in each of four arrays of the same length.

    Attributes
    ----------
    t : int64 (n,), µs, ascending (equal times are allowed).
    x : int16 (n,), column, 0 is leftmost.
    y : int16 (n,), row, 0 is topmost.
    p : uint8 (n,), 1 = ON (brighter), 0 = OFF (darker).
    """

    t: NDArray[np.int64]
    x: NDArray[np.int16]
    y: NDArray[np.int16]
    p: NDArray[np.uint8]

    @property
    def size(self) -> int:
        """Number of events (``len`` of a named tuple is its number of fields)."""
        return int(self.t.size)

    @classmethod
    def empty(cls) -> EventPacket:
        """Return a packet without events."""
        return cls.room(0)

    @classmethod
    def room(cls, n: int) -> EventPacket:
        """Return arrays for `n` events whose values are not set."""
        return cls(np.empty(n, np.int64), np.empty(n, np.int16), np.empty(n, np.int16), np.empty(n, np.uint8))

    @classmethod
    def from_observation(cls, observation: Mapping[str, Any]) -> EventPacket:
        """Take the packet out of an environment's observation, or out of its ``"events"`` entry.

        Raises
        ------
        ValueError
            If an array is missing.
        """
        events = observation.get("events", observation)
        missing = [name for name in cls._fields if name not in events]
        if missing:
            raise ValueError(f"observation has no event arrays {missing}, it has {sorted(events)}")
        return cls(
            np.asarray(events["t"], np.int64),
            np.asarray(events["x"], np.int16),
            np.asarray(events["y"], np.int16),
            np.asarray(events["p"], np.uint8),
        )

    def to_observation(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, as they stand in an observation (no copies)."""
        return {"t": self.t, "x": self.x, "y": self.y, "p": self.p}

    def validate(self, width: int, height: int) -> EventPacket:
        """Return the packet itself if it could have come from a `width` by `height` camera.

        Raises
        ------
        ValueError
            Naming the first thing that is wrong: lengths, order, coordinates or polarity.
        """
        lengths = [a.shape for a in self]
        if any(shape != (self.size,) for shape in lengths):
            raise ValueError(f"event arrays t, x, y, p must share one length, got shapes {lengths}")
        if self.size == 0:
            return self
        if np.any(self.t[1:] < self.t[:-1]):
            raise ValueError("event times t must ascend")
        for name, values, limit in (("x", self.x, width), ("y", self.y, height), ("p", self.p, 2)):
            if values.min() < 0 or values.max() >= limit:
                raise ValueError(
                    f"event {name} must be in 0..{limit - 1}, got {values.min()}..{values.max()}"
                )
        return self

    def between(self, start: int, end: int) -> EventPacket:
        """Return the events with ``start < t <= end`` (µs), as views."""
        low, high = np.searchsorted(self.t, [start, end], side="right")
        return self.take(slice(low, high))

    def take(self, index: slice | NDArray[np.intp]) -> EventPacket:
        """Return the events at `index`: views for a slice, copies for an array."""
        return EventPacket(self.t[index], self.x[index], self.y[index], self.p[index])

    def counts(self, width: int, height: int) -> NDArray[np.int32]:
        """Count the events of each pixel: (2, height, width), OFF in plane 0 and ON in plane 1."""
        index = (self.p.astype(np.intp) * height + self.y) * width + self.x
        return np.bincount(index, minlength=2 * height * width).reshape(2, height, width).astype(np.int32)

    @classmethod
    def concatenate(cls, packets: Sequence[EventPacket]) -> EventPacket:
        """Join packets into one in ascending time; equal times keep the order of `packets`."""
        if not packets:
            return cls.empty()
        joined = cls(
            np.concatenate([packet.t for packet in packets]),
            np.concatenate([packet.x for packet in packets]),
            np.concatenate([packet.y for packet in packets]),
            np.concatenate([packet.p for packet in packets]),
        )
        if np.all(joined.t[1:] >= joined.t[:-1]):
            return joined
        return joined.take(np.argsort(joined.t, kind="stable"))
