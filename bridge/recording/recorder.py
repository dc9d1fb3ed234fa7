"""Record what is published at an endpoint: all topics, those too that appear later, or some by name."""

import os
import time
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from ..closing import Closing
from ..context import open_context
from ..messages import known_types, message_class, type_hash
from ..network.announcements import TopicEnd
from ..network.wire import Header
from ..node import Node
from ..qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, unpacked
from ..subscription import Subscription
from .writer import RecordingWriter

POLL = 0.005  #: s between looks at the queues
DISCOVER_EVERY = 0.05  #: s between looks at the graph; announcements take this long too
FLUSH_AFTER = 1_000_000_000  #: ns without a message after which the chunk is completed all the same
SETTLED = 10_000_000  #: ns a message waits, so that older ones of other topics are written before it
#: Deep enough for the time that compressing a chunk takes; transient local receives what is kept, too.
_QOS = QoSProfile(
    depth=4096, reliability=ReliabilityPolicy.BEST_AVAILABLE, durability=DurabilityPolicy.BEST_AVAILABLE
)


class _Arrival(NamedTuple):
    received: int
    topic: str
    type_name: str
    payload: bytes
    header: Header


class Recorder(Closing):
    """Subscribes to topics and writes what comes.

    Parameters
    ----------
    path : path
        Of the recording; it must end in .mcap.
    endpoint : str, optional
        Where to listen; by default `$TOLMAN_ENDPOINT` or `tcp://127.0.0.1:11948`.
    topics : collection of str, optional
        Only these; by default all.
    overwrite : bool
        Replace what stands at `path`, when the recording is complete.

    Attributes
    ----------
    refused : dict of str to str
        Topics that cannot be recorded, and why.

    Raises
    ------
    BusyPortError, EndpointError
        If the endpoint cannot be used.
    RecordingError
        If the file cannot be made.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        endpoint: str | None = None,
        *,
        topics: Collection[str] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.context = open_context(endpoint)
        try:
            self.node = Node("recorder", context=self.context)
            self.writer = RecordingWriter(path, overwrite=overwrite)
        except BaseException:
            self.context.try_shutdown()
            raise
        self.refused: dict[str, str] = {}
        self._wanted = None if topics is None else frozenset(topics)
        self._known = frozenset(known_types())
        self._subscriptions: dict[str, Subscription[Any]] = {}
        self._offered: dict[str, QoSProfile] = {}  # by the first publisher met
        self._waiting: list[_Arrival] = []
        self._last_write = time.time_ns()
        self._look_again = 0.0

    @property
    def counts(self) -> Counter[str]:
        """Messages written, by topic."""
        return self.writer.counts

    @property
    def losses(self) -> dict[str, int]:
        """Messages that were sent and not written, by topic; only those of which there were any."""
        found = {topic: s.statistics for topic, s in self._subscriptions.items()}
        return {topic: s.missed for topic, s in found.items() if s.missed}

    def record(self, seconds: float | None = None, *, stop: Callable[[], bool] = lambda: False) -> None:
        """Write what comes, for some seconds of wall time or until `stop` says so.

        Raises
        ------
        RecordingError
            If the file cannot be written.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while not stop() and (end is None or time.monotonic() < end):
            self.gather()
            time.sleep(POLL)
        self.gather(all_of_it=True)

    def gather(self, *, all_of_it: bool = False) -> int:
        """Write what has arrived, in the order of its arrival; return how many messages.

        The last few milliseconds are left for the next time unless `all_of_it` is wanted.
        """
        if time.monotonic() >= self._look_again:
            self._discover()
            self._look_again = time.monotonic() + DISCOVER_EVERY
        now = time.time_ns()
        for topic, subscription in self._subscriptions.items():
            kind = subscription.msg_type.TYPE_NAME
            while (taken := subscription.take()) is not None:
                payload, info, header = taken
                assert isinstance(payload, bytes)
                self._waiting.append(_Arrival(info["received_timestamp"], topic, kind, payload, header))
        self._waiting.sort(key=lambda arrival: arrival.received)
        due = len(self._waiting)
        if not all_of_it:
            due = sum(arrival.received <= now - SETTLED for arrival in self._waiting)
        for arrival in self._waiting[:due]:
            self._write(arrival)
        del self._waiting[:due]
        if due:
            self._last_write = now
        elif now - self._last_write > FLUSH_AFTER:
            self.writer.flush()
            self._last_write = now
        return due

    def close(self) -> None:
        """Stop, complete the file and give it its name.

        Raises
        ------
        RecordingError
            If the file cannot be written.
        """
        losses = self.losses
        self.context.try_shutdown()
        self.writer.close(losses)

    def _write(self, arrival: _Arrival) -> None:
        topic, header = arrival.topic, arrival.header
        self.writer.write(
            self.writer.channel(topic, arrival.type_name, self._offered[topic]),
            arrival.payload,
            log_time=arrival.received,
            publish_time=header.source_stamp,
            simulation_time=header.simulation_time,
            sequence=header.sequence,
        )

    def _discover(self) -> None:
        """Subscribe to what has begun to be published."""
        for participant in self.context.graph.participants:
            for end in participant.ends:
                topic, kind = end.topic, end.type_name
                if end.kind != "publisher" or (self._wanted is not None and topic not in self._wanted):
                    continue
                subscription = self._subscriptions.get(topic)
                if subscription is not None:
                    if kind != subscription.msg_type.TYPE_NAME:
                        self.refused[topic] = (
                            f"published as {kind} too; only {subscription.msg_type.TYPE_NAME}"
                        )
                    continue
                if kind not in self._known or end.type_hash != type_hash(kind):
                    self.refused[topic] = f"its type {kind} is unknown here, or has other fields"
                    continue
                self._offered[topic] = _offered(end)
                self._subscriptions[topic] = self.node.create_subscription(
                    message_class(kind), topic, lambda _: None, _QOS, raw=True
                )
                self.refused.pop(topic, None)


def _offered(end: TopicEnd) -> QoSProfile:
    """Return the quality of service that a publisher announces, or the default one."""
    try:
        return unpacked(end.qos)
    except ValueError:
        return QoSProfile(depth=10)
