"""Read a recording in the order of time, also one that was cut off or is damaged.

Any MCAP file will do as far as it goes: messages whose type or encoding is unknown here come as bytes.
"""

import heapq
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from ..closing import Closing
from ..exceptions import RecordingError
from ..messages import agrees
from ..network.wire import NO_SIMULATION_TIME
from ..qos import DurabilityPolicy, QoSProfile
from ..recording import chunks as chunks
from ..typestore import canonical_name
from .writer import LOSSES, MESSAGE_ENCODING, SIMULATION_TOPIC, simulation_time_of

CLOCK_TOPIC = "/clock"
MAX_DEPTH = 1000  #: messages a replayed topic keeps for late joiners, whatever the file says


class RecordedMessage(NamedTuple):
    """One message of a recording."""

    topic: str
    type_name: str
    payload: bytes  #: as it was sent
    log_time: int  #: ns, when it was received
    publish_time: int  #: ns, when it was sent
    simulation_time: int  #: ns, the sender's simulation clock, or `NO_SIMULATION_TIME`
    sequence: int  #: its number at the publisher


class RecordedTopic(NamedTuple):
    """One topic of a recording."""

    name: str
    type_name: str
    messages: int
    profile: QoSProfile  #: what its publisher offered: depth and durability
    obstacle: str  #: why its messages mean nothing here; empty if they do


class Recording(Closing):
    """A recording that exists, looked through once when it is opened.

    Parameters
    ----------
    path : path
        Of an MCAP file.

    Attributes
    ----------
    topics : list of RecordedTopic
        By name.
    start, end : int
        ns, log times of the first and the last message; 0 without messages.
    chunks : int
        That can be read.
    damaged : int
        Chunks that cannot.
    complete : bool
        Whether the file has its end; one that was cut off, or is still being written, has none.
    unread : int
        Bytes behind the last whole record.
    lost : int or None
        Messages that the end of the file promises and that cannot be read; None where nothing says how many
        there were.
    missed : dict of str to int
        Messages that did not reach the recorder, by topic, as it wrote them down.

    Raises
    ------
    RecordingError
        If the file cannot be read or is no MCAP file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            raise RecordingError(f"cannot read {self.path}: {error.strerror or error}") from error
        try:
            self._look_through()
        except BaseException:
            self._file.close()
            raise

    def _look_through(self) -> None:
        try:
            if not self._file.seekable() or self._file.read(len(chunks.MAGIC)) != chunks.MAGIC:
                raise RecordingError(f"{self.path} is not an MCAP file")
            self._layout = layout = chunks.walk(self._file)
            self.complete, self.unread = layout.complete, layout.unread
            self._spans: list[tuple[int, chunks.Segment]] = []
            counts: Counter[int] = Counter()
            times: list[int] = []
            self.damaged = 0
            for segment in layout.segments:
                found: Counter[int] = Counter()
                first, last = -1, -1
                try:
                    for stored in chunks.messages(self._file, segment, layout):
                        found[stored.channel] += 1
                        first = stored.log_time if first < 0 else min(first, stored.log_time)
                        last = max(last, stored.log_time)
                except chunks.Damaged:
                    self.damaged += 1
                    continue
                counts += found
                if first >= 0:
                    self._spans.append((first, segment))
                    times += (first, last)
        except OSError as error:
            raise RecordingError(f"cannot read {self.path}: {error.strerror or error}") from error
        self.chunks = len(layout.segments) - self.damaged
        self.start, self.end = min(times, default=0), max(times, default=0)
        self.lost = None if layout.promised is None else max(layout.promised - counts.total(), 0)
        self.missed = {t: int(n) for t, n in layout.metadata.get(LOSSES, {}).items() if n.isdigit()}
        self.topics = self._topics(counts)

    def _topics(self, counts: Counter[int]) -> list[RecordedTopic]:
        found: dict[tuple[str, str], RecordedTopic] = {}
        for number, channel in self._layout.channels.items():
            if channel.topic == SIMULATION_TOPIC:
                continue
            kind = self._type_name(channel)
            before = found.get((channel.topic, kind))
            count = counts[number] + (before.messages if before else 0)
            profile = _profile(channel.metadata.get("offered_qos_profiles", ""))
            found[channel.topic, kind] = RecordedTopic(
                channel.topic, kind, count, profile, self._obstacle(channel, kind)
            )
        return sorted(found.values())

    def _type_name(self, channel: chunks.Channel) -> str:
        schema = self._layout.schemas.get(channel.schema)
        return canonical_name(schema.name) if schema is not None else ""

    def _obstacle(self, channel: chunks.Channel, type_name: str) -> str:
        schema = self._layout.schemas.get(channel.schema)
        if channel.encoding != MESSAGE_ENCODING:
            return f"encoded as {channel.encoding or 'nothing that is named'}, not as cdr"
        if schema is None:
            return "of no type"
        if schema.encoding == "ros2msg" and not agrees(type_name, schema.text):
            return "of a type that is unknown here, or has other fields"
        if schema.encoding != "ros2msg":
            return f"described in {schema.encoding or 'nothing that is named'}, not in ros2msg"
        return ""

    @property
    def seconds(self) -> float:
        """Time from the first to the last message, s."""
        return (self.end - self.start) * 1e-9

    @property
    def count(self) -> int:
        """Messages that can be read."""
        return sum(topic.messages for topic in self.topics)

    @property
    def trouble(self) -> str:
        """What is wrong with the file, in one line; empty if nothing is."""
        wrong = []
        if not self.complete:
            wrong.append(
                f"it was cut off or is still being written ({self.unread} bytes at its end are of no use)"
            )
        if self.damaged:
            wrong.append(f"{self.damaged} chunks are damaged")
        if self.lost:
            wrong.append(f"{self.lost} messages are lost")
        return "; ".join(wrong)

    def messages(self, topics: Collection[str] | None = None) -> Iterator[RecordedMessage]:
        """All messages, or those of some topics, by log time; of the same time, as they lie in the file.

        Only chunks that overlap in time are in memory together.

        Raises
        ------
        RecordingError
            If the file has changed since it was opened and cannot be read now.
        """
        clock = NO_SIMULATION_TIME
        marks = {n for n, c in self._layout.channels.items() if c.topic == SIMULATION_TOPIC}
        names = {
            number: (channel.topic, self._type_name(channel))
            for number, channel in self._layout.channels.items()
        }
        for stored, mark in self._in_order(marks):
            if stored.channel not in names:
                continue
            topic, kind = names[stored.channel]
            if marks:
                clock = mark
            elif topic == CLOCK_TOPIC:
                clock = simulation_time_of(stored.payload)
            if topics is None or topic in topics:
                times = stored.log_time, stored.publish_time
                yield RecordedMessage(topic, kind, stored.payload, *times, clock, stored.sequence)

    def _in_order(self, marks: Collection[int]) -> Iterator[tuple[chunks.Stored, int]]:
        """Messages by log time, each with the simulation clock that stands before it in its chunk."""
        waiting = sorted(self._spans, key=lambda span: (span[0], span[1].offset), reverse=True)
        heap: list[tuple[int, int, int, chunks.Stored, int]] = []
        while waiting or heap:
            while waiting and (not heap or waiting[-1][0] <= heap[0][0]):
                _, segment = waiting.pop()
                mark = NO_SIMULATION_TIME
                try:
                    for place, stored in enumerate(chunks.messages(self._file, segment, self._layout)):
                        if stored.channel in marks:
                            mark = simulation_time_of(stored.payload)
                        else:
                            heapq.heappush(heap, (stored.log_time, segment.offset, place, stored, mark))
                except (chunks.Damaged, OSError, ValueError) as error:
                    raise RecordingError(f"{self.path} has changed while it was read: {error}") from error
            if heap:
                *_, stored, mark = heapq.heappop(heap)
                yield stored, mark

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _profile(text: str) -> QoSProfile:
    """Depth and durability from the YAML that rosbag2 keeps; policies have their names there, or numbers."""
    transient = re.search(r"durability:\s*[\"']?(transient_local|1)\b", text) is not None
    depth = re.search(r"depth:\s*(\d{1,9})\b", text)
    return QoSProfile(
        depth=min(max(int(depth[1]) if depth else 10, 1), MAX_DEPTH),
        durability=DurabilityPolicy.TRANSIENT_LOCAL if transient else DurabilityPolicy.VOLATILE,
    )
