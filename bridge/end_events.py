"""What happens to one publisher or subscription: who fits it, who does not, and what it misses.

The counts are kept whether or not anybody asks. Who asks has an `EventHandle`, which remembers what it has
read, so that several may ask.
"""

import secrets
import threading
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

from .event_status import (
    PUBLISHER_STATUS,
    SUBSCRIPTION_STATUS,
    IncompatiblePolicy,
    QoSLivelinessChangedInfo,
    QoSPublisherEventType,
    QoSRequestedIncompatibleQoSInfo,
    QoSSubscriptionEventType,
    QoSSubscriptionMatchedInfo,
    Status,
    _Counted,
)
from .exceptions import UnsupportedEventTypeError
from .handles import Handle
from .qos import conflict

if TYPE_CHECKING:
    from .network.graph import TopicEnd
    from .watchdogs import Watchdog

_P, _S = QoSPublisherEventType, QoSSubscriptionEventType
GID_BYTES = 8
Key = tuple[str, str]  #: of an end: participant and gid


class EndEvents:
    """The events of one end of a topic.

    Parameters
    ----------
    is_publisher : bool
        Which end.
    topic, type_hash : str
        What it publishes or hears.
    qos : tuple of int
        What it offers or asks for, see `qos.packed`.
    gid : bytes, optional
        What tells it from other ends; random by default.

    Attributes
    ----------
    alive : bool
        Whether a publisher shows that it is alive.
    barred : frozenset of bytes
        Publishers that a subscription does not hear, because their quality of service does not fit.
    """

    def __init__(
        self, is_publisher: bool, topic: str, type_hash: str, qos: tuple[int, ...], gid: bytes | None = None
    ) -> None:
        self.is_publisher = is_publisher
        self.topic, self.type_hash, self.qos = topic, type_hash, qos
        self.gid = secrets.token_bytes(GID_BYTES) if gid is None else gid
        self.alive = True
        self.barred: frozenset[bytes] = frozenset()
        self.watchdogs: list[Watchdog] = []
        self.on_barred: Callable[[frozenset[bytes]], None] = lambda barred: None
        kinds = PUBLISHER_STATUS if is_publisher else SUBSCRIPTION_STATUS
        self._statuses: dict[IntEnum, Status] = {kind: made() for kind, made in kinds.items()}
        self._versions: dict[IntEnum, int] = dict.fromkeys(kinds, 0)
        self._handles: list[EventHandle] = []
        self._lock = threading.Lock()
        self._matched: dict[Key, TopicEnd] = {}
        self._refused: frozenset[Key] = frozenset()
        self._mistyped: frozenset[Key] = frozenset()

    @property
    def matched(self) -> int:
        """How many other ends fit."""
        return len(self._matched)

    def meet(self, others: "Iterable[tuple[str, TopicEnd]]") -> None:
        """Take notice of all opposite ends of the topic there are now, with their participants."""
        matched: dict[Key, TopicEnd] = {}
        refused, mistyped, barred = set(), set(), set()
        policy = None
        for participant, end in others:
            key = (participant, end.gid)
            if end.type_hash != self.type_hash:
                mistyped.add(key)
                continue
            found = conflict(self.qos, end.qos) if self.is_publisher else conflict(end.qos, self.qos)
            if found is None:
                matched[key] = end
                continue
            refused.add(key)
            policy = policy if key in self._refused else found
            if not self.is_publisher:
                barred.add(_publisher_of(end))
        if barred != self.barred:
            self.barred = frozenset(barred)
            self.on_barred(self.barred)
        new, gone = matched.keys() - self._matched.keys(), self._matched.keys() - matched.keys()
        new_refused, new_mistyped = refused - self._refused, mistyped - self._mistyped
        self._matched, self._refused, self._mistyped = matched, frozenset(refused), frozenset(mistyped)
        if new or gone:
            self._count_matched(len(new))
        if not self.is_publisher:
            self._count_alive()
        if new_refused and policy is not None:
            kind = (
                _P.RCL_PUBLISHER_OFFERED_INCOMPATIBLE_QOS
                if self.is_publisher
                else _S.RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS
            )
            status = self._statuses[kind]
            assert isinstance(status, QoSRequestedIncompatibleQoSInfo)
            status.last_policy_kind = IncompatiblePolicy(policy)
            self.count(kind, len(new_refused))
        if new_mistyped:
            publisher, subscription = (
                _P.RCL_PUBLISHER_INCOMPATIBLE_TYPE,
                _S.RCL_SUBSCRIPTION_INCOMPATIBLE_TYPE,
            )
            self.count(publisher if self.is_publisher else subscription, len(new_mistyped))

    def count(self, kind: IntEnum, number: int = 1) -> None:
        """Count events of a kind that has only a total."""
        with self._lock:
            status = self._statuses[kind]
            assert isinstance(status, _Counted)
            status.total_count += number
        self._changed(kind)

    def close(self) -> None:
        """Watch nothing more."""
        for watchdog in self.watchdogs:
            watchdog.close()

    def _count_matched(self, new: int) -> None:
        kind = _P.RCL_PUBLISHER_MATCHED if self.is_publisher else _S.RCL_SUBSCRIPTION_MATCHED
        with self._lock:
            status = self._statuses[kind]
            assert isinstance(status, QoSSubscriptionMatchedInfo)
            status.total_count += new
            status.current_count = len(self._matched)
        self._changed(kind)

    def _count_alive(self) -> None:
        alive = sum(end.alive for end in self._matched.values())
        dead = len(self._matched) - alive
        kind = _S.RCL_SUBSCRIPTION_LIVELINESS_CHANGED
        with self._lock:
            status = self._statuses[kind]
            assert isinstance(status, QoSLivelinessChangedInfo)
            if (status.alive_count, status.not_alive_count) == (alive, dead):
                return
            status.alive_count, status.not_alive_count = alive, dead
        self._changed(kind)

    def _changed(self, kind: IntEnum) -> None:
        with self._lock:
            self._versions[kind] += 1
            handles = [handle for handle in self._handles if handle.event_type is kind]
        for handle in handles:
            handle.on_ready()

    def _read(self, kind: IntEnum, before: Status | None) -> tuple[Status, int]:
        with self._lock:
            now = self._statuses[kind]
            return now.since(type(now)() if before is None else before), self._versions[kind]


def _publisher_of(end: "TopicEnd") -> bytes:
    """How its messages name a publisher; nothing for one that was announced with nonsense."""
    try:
        return bytes.fromhex(end.gid)
    except ValueError:
        return b""


class EventHandle:
    """Reads the events of one kind, as rclpy's C extension has it.

    Parameters
    ----------
    parent : Handle
        Of a publisher or subscription.

    Raises
    ------
    UnsupportedEventTypeError
        If it has no events of that kind.
    """

    def __init__(self, parent: Handle, event_type: IntEnum) -> None:
        events = parent.events
        kinds = PUBLISHER_STATUS if events is not None and events.is_publisher else SUBSCRIPTION_STATUS
        if events is None or not any(event_type is kind for kind in kinds):
            raise UnsupportedEventTypeError(f"there are no events of the kind {event_type!r} here")
        self.event_type = event_type
        self.on_ready: Callable[[], None] = lambda: None  #: called, from any thread, when there is one
        self._events = events
        self._handle = Handle("event")
        self._before: Status | None = None
        self._version = 0
        with events._lock:
            events._handles.append(self)

    def is_ready(self) -> bool:
        """Whether there is one that was not taken."""
        return self._version != self._events._versions[self.event_type] and not self._handle.destroyed

    def take_event(self) -> Status:
        """The counts, and how they changed since the last time."""
        self._before, self._version = self._events._read(self.event_type, self._before)
        return self._before

    def destroy_when_not_in_use(self) -> None:
        """Hear of no more events."""
        self._handle.destroy_when_not_in_use()
        with self._events._lock:
            if self in self._events._handles:
                self._events._handles.remove(self)

    def __enter__(self) -> "EventHandle":
        self._handle.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        return None
