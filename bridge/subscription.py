"""Subscriptions, as rclpy has them: keep the last `depth` messages until an executor takes them."""

import dataclasses
import functools
import inspect
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypedDict, TypeVar

from .callback_groups import CallbackGroup
from .exceptions import MessageError
from .handles import Destroyable, Handle
from .messages import Message, deserialize
from .network.wire import Flags, FrameError, Header, Refusal, Refusals
from .qos import DurabilityPolicy, QoSProfile, kept

if TYPE_CHECKING:
    from .event_handler import EventHandler

MsgT = TypeVar("MsgT", bound=Message)
_new = tuple.__new__  # see `wire`
MAX_PUBLISHERS = 256  #: whose sequence numbers one subscription remembers


class MessageInfo(TypedDict):
    """What rclpy tells callbacks that take two arguments; stamps in ns."""

    source_timestamp: int
    received_timestamp: int
    publication_sequence_number: int | None
    reception_sequence_number: int | None


@dataclasses.dataclass
class Statistics:
    """What became of the messages of one subscription."""

    received: int = 0  #: valid frames
    lost: int = 0  #: missing from the sequence numbers: dropped on the way
    overwritten: int = 0  #: arrived, but newer ones took their place before they were taken
    refused: int = 0  #: of the wrong type, repeated, or unreadable

    @property
    def missed(self) -> int:
        """Messages that were sent and never taken: lost or overwritten."""
        return self.lost + self.overwritten


class Sample(NamedTuple):
    """A message waiting to be taken."""

    header: Header
    payload: memoryview
    received: int  #: ns since the epoch


class SubscriptionHandle(Handle):
    """What programs get from `subscription.handle`."""

    def __init__(self, subscription: "Subscription[Any]") -> None:
        super().__init__(f"subscription to {subscription.topic}")
        self._subscription = subscription

    def take_message(self, msg_type: type[Message], raw: bool) -> tuple[Any, MessageInfo] | None:
        """The oldest message waiting and what is known of it; None if there is none."""
        taken = self._subscription.take()
        return None if taken is None else (taken[0], taken[1])


class Subscription(Destroyable, Generic[MsgT]):
    """Receives one topic. Users make subscriptions with `Node.create_subscription`."""

    class CallbackType(Enum):
        """What a callback takes."""

        MessageOnly = 0
        WithMessageInfo = 1

    def __init__(
        self,
        msg_type: type[MsgT],
        topic: str,
        callback: Callable[[MsgT], None] | Callable[[MsgT, MessageInfo], None],
        callback_group: CallbackGroup,
        qos_profile: QoSProfile,
        raw: bool,
        type_hash: bytes,
        wake: Callable[[], None],
        refusals: Refusals,
    ) -> None:
        self.msg_type = msg_type
        self.topic = topic
        self.callback = callback
        self.callback_group = callback_group
        self.qos_profile = qos_profile
        self.raw = raw
        self.statistics = Statistics()
        self._type_hash = type_hash
        self._wake = wake
        self._refusals = refusals
        self._latched = qos_profile.durability in (
            DurabilityPolicy.TRANSIENT_LOCAL,
            DurabilityPolicy.BEST_AVAILABLE,
        )
        self._barred: frozenset[bytes] = frozenset()  # publishers whose profile does not fit
        self.event_handlers: list[EventHandler] = []
        self.on_message: Callable[[], None] | None = None  #: set by the node, if there is a deadline
        self.on_lost: Callable[[int], None] = lambda number: None  #: set by the node
        self._queue: deque[Sample] = deque(maxlen=kept(qos_profile))
        self._sequences: OrderedDict[bytes, int] = OrderedDict()
        self._executor_event = False
        self._handle = SubscriptionHandle(self)
        self.count_publishers: Callable[[], int] = lambda: 0  #: set by the node
        self.remove: Callable[[], None] = lambda: None  #: set by the node: takes it off the transport

    @property
    def handle(self) -> "SubscriptionHandle":
        """Refuses once the subscription is destroyed."""
        return self._handle

    @property
    def callback(self) -> Callable[[MsgT], None] | Callable[[MsgT, MessageInfo], None]:
        """What is called with each message; a coroutine function is awaited."""
        return self._callback

    @callback.setter
    def callback(self, value: Callable[[MsgT], None] | Callable[[MsgT, MessageInfo], None]) -> None:
        kinds = Subscription.CallbackType
        self._callback_type = kinds.WithMessageInfo if _takes_two(value) else kinds.MessageOnly
        self._callback = value

    def get_publisher_count(self) -> int:
        """How many publishers there are, over all processes."""
        with self._handle:
            return self.count_publishers()

    @property
    def topic_name(self) -> str:
        """The topic, fully qualified."""
        with self._handle:
            return self.topic

    @property
    def waiting(self) -> int:
        """Messages that no executor has taken yet."""
        return len(self._queue)

    def deliver(self, header: Header, payload: memoryview) -> None:
        """Take a valid frame from the receiver thread.

        Raises
        ------
        FrameError
            If it is of another type, or not newer than what came before from that publisher.
        """
        if header.type_hash != self._type_hash:
            self.statistics.refused += 1
            raise FrameError(Refusal.TYPE)
        if header.publisher in self._barred:
            return
        old = header.flags  # sent again
        if old and old == Flags.LATCHED and not self._latched:
            return
        last = self._sequences.get(header.publisher)
        if last is not None and header.sequence <= last:
            if old:
                return
            self.statistics.refused += 1
            raise FrameError(Refusal.SEQUENCE)
        if last is not None:
            if lost := header.sequence - last - 1:
                self.statistics.lost += lost
                self.on_lost(lost)
        elif len(self._sequences) >= MAX_PUBLISHERS:
            self._sequences.popitem(last=False)
        self._sequences[header.publisher] = header.sequence
        self.statistics.received += 1
        queue = self._queue
        if len(queue) == queue.maxlen:
            self.statistics.overwritten += 1
        queue.append(_new(Sample, (header, payload, time.time_ns())))
        if self.on_message is not None:
            self.on_message()
        if len(queue) == 1:  # an executor that was woken for the others looks again before it waits
            self._wake()

    def take(self) -> tuple[MsgT | bytes, MessageInfo, Header] | None:
        """The oldest readable message waiting, or None. Unreadable ones are counted and dropped."""
        taken = self._take()
        return None if taken is None else (taken[0], _info(taken[1]), taken[1].header)

    def _take(self) -> tuple[MsgT | bytes, Sample] | None:
        while self._queue:
            try:
                sample = self._queue.popleft()
            except IndexError:  # another thread was faster
                return None
            if self.raw:
                return bytes(sample.payload), sample
            try:
                return deserialize(sample.payload, self.msg_type), sample
            except MessageError:
                self.statistics.refused += 1
                self._refusals.add(Refusal.MESSAGE)
        return None

    def is_ready(self) -> bool:
        """Whether a message waits."""
        return bool(self._queue)

    def execute(self) -> bool:
        """Take a message and call back with it; False if there was none."""
        call = self._take_call()
        if call is None:
            return False
        call()
        return True

    def _take_call(self) -> Callable[[], Any] | None:
        taken = self._take()
        if taken is None:
            return None
        message, sample = taken
        callback: Any = self._callback
        if self._callback_type is Subscription.CallbackType.WithMessageInfo:
            return functools.partial(callback, message, _info(sample))
        return functools.partial(callback, message)

    def destroy(self) -> None:
        """Receive nothing more; use `Node.destroy_subscription`."""
        if not self._handle.destroyed:
            self._handle.destroy_when_not_in_use()
            for handler in self.event_handlers:
                handler.destroy()
            self.remove()
        self._queue.clear()


def _info(sample: Sample) -> MessageInfo:
    return {
        "source_timestamp": sample.header.source_stamp,
        "received_timestamp": sample.received,
        "publication_sequence_number": sample.header.sequence,
        "reception_sequence_number": None,
    }


def _takes_two(callback: Callable[..., None]) -> bool:
    try:
        inspect.signature(callback).bind(object())
    except TypeError:
        try:
            inspect.signature(callback).bind(object(), object())
        except TypeError:
            raise RuntimeError(
                "a subscription callback takes one argument, the message, "
                "or two, the message and its MessageInfo"
            ) from None
        return True
    except ValueError:  # a built-in without a signature
        return False
    return False
