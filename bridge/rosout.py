"""Lines of a node's logger, on `/rosout`."""

from typing import TYPE_CHECKING, Any

from .constants import S_TO_NS
from .exceptions import BridgeError, InvalidHandle
from .logging import Line, add_sink, remove_sink
from .messages import message_class
from .publisher import Publisher
from .qos import DurabilityPolicy, QoSProfile

if TYPE_CHECKING:
    from .node import Node

ROSOUT_TOPIC = "/rosout"
QOS = QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Rosout:
    """Publishes what the logger of `node`, and the children of that logger, write."""

    def __init__(self, node: "Node") -> None:
        self._kind = message_class("rcl_interfaces/msg/Log")
        self._name = node.get_logger().name
        self._publisher = node.create_publisher(self._kind, ROSOUT_TOPIC, QOS)
        self._closed = False
        node._publishers.remove(self._publisher)  # not one of those that the node's user made
        add_sink(self._name, self._publish)

    @property
    def publisher(self) -> Publisher[Any]:
        """What publishes."""
        return self._publisher

    def close(self) -> None:
        """Publish no more."""
        self._closed = True
        self._publisher.destroy()
        remove_sink(self._name, self._publish)

    def _publish(self, line: Line) -> None:
        if self._closed:
            return
        message = self._kind()
        message.stamp.sec, message.stamp.nanosec = divmod(line.stamp, S_TO_NS)
        message.level, message.name, message.msg = int(line.severity), line.name, line.message
        message.file, message.function, message.line = line.file, line.function, line.line
        try:
            self._publisher.publish(message)
        except (
            BridgeError,
            InvalidHandle,
            ValueError,
        ):  # it was written all the same
            return
