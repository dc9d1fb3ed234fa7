"""Publishers, as rclpy has them."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from .duration import Duration
from .handles import Destroyable, Handle
from .messages import Message, serialize
from .network.transport import Outlet
from .qos import QoSProfile

if TYPE_CHECKING:
    from .event_handler import EventHandler

MsgT = TypeVar("MsgT", bound=Message)
FOR_EVER = Duration(seconds=-1)


class Publisher(Destroyable, Generic[MsgT]):
    """Sends messages on one topic and never waits. Users make publishers with `Node.create_publisher`."""

    def __init__(self, outlet: Outlet, msg_type: type[MsgT], topic: str, qos_profile: QoSProfile) -> None:
        self._outlet = outlet
        self.msg_type = msg_type
        self.topic = topic
        self.qos_profile = qos_profile
        self._handle = Handle(f"publisher of {topic}")
        self.event_handlers: list[EventHandler] = []
        self.on_message: Callable[[], None] | None = None  #: set by the node, if there is a deadline or lease
        self.on_alive: Callable[[], None] = lambda: None  #: set by the node, if there is a lease
        self.count_subscriptions: Callable[[], int] = lambda: outlet.subscribers  #: set by the node
        self.remove: Callable[[], None] = lambda: None  #: set by the node: it is its publisher no more

    @property
    def handle(self) -> Handle:
        """Refuses once the publisher is destroyed."""
        return self._handle

    @property
    def topic_name(self) -> str:
        """The topic, fully qualified."""
        with self._handle:
            return self.topic

    @property
    def sequence(self) -> int:
        """How many messages were published."""
        return self._outlet.sequence

    def publish(self, msg: MsgT | bytes) -> None:
        """Send a message, or its CDR form. Without subscribers it only counts.

        Raises
        ------
        TypeError
            If it is neither a message of the publisher's type nor bytes.
        MessageError
            If a field holds something its type cannot.
        ValueError
            If it is larger than a frame may be.
        """
        if self._handle.destroyed:
            self._handle.__enter__()  # raises
        if isinstance(msg, bytes):
            self._outlet.send(msg if self._outlet.wanted else None)
        elif isinstance(msg, self.msg_type):
            self._outlet.send(serialize(msg) if self._outlet.wanted else None)
        else:
            raise TypeError(f"Expected {self.msg_type}, got {type(msg)}")
        if self.on_message is not None:
            self.on_message()

    def skip(self) -> None:
        """Count a message that was not made because nobody wanted it; a late joiner sees no false loss."""
        self._outlet.send(None)

    @property
    def wanted(self) -> bool:
        """Whether anybody listens: filling in a large message for nobody is a waste."""
        return self._outlet.wanted

    def get_subscription_count(self) -> int:
        """How many subscriptions there are, over all processes."""
        with self._handle:
            return self.count_subscriptions()

    def assert_liveliness(self) -> None:
        """Show that it is alive; needed where its profile has liveliness MANUAL_BY_TOPIC and a lease."""
        with self._handle:
            self.on_alive()

    def wait_for_all_acked(self, timeout: Duration = FOR_EVER) -> bool:
        """True at once: what was published is with ZeroMQ, which sends it; nobody acknowledges."""
        with self._handle:
            return True

    def wait_for_subscriptions(self, count: int = 1, timeout: float = 5.0) -> bool:
        """Wait until `count` processes subscribe: the first message reaches them. False after `timeout` s."""
        deadline = time.monotonic() + timeout
        while self._outlet.subscribers < count:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.001)
        return True

    def destroy(self) -> None:
        """Stop publishing; use `Node.destroy_publisher`."""
        if not self._handle.destroyed:
            self._handle.destroy_when_not_in_use()
            for handler in self.event_handlers:
                handler.destroy()
            self._outlet.close()
            self.remove()
