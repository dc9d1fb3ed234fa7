"""Publishers that are silent while their node is not active, as rclpy has them."""

from typing import Any, TypeVar

from ..messages import Message
from ..publisher import Publisher
from .managed_entity import SimpleManagedEntity

MsgT = TypeVar("MsgT", bound=Message)


class LifecyclePublisher(SimpleManagedEntity, Publisher[MsgT]):
    """Publishes while its node is active. Made with `LifecycleNode.create_lifecycle_publisher`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        SimpleManagedEntity.__init__(self)
        Publisher.__init__(self, *args, **kwargs)

    @SimpleManagedEntity.when_enabled
    def publish(self, msg: MsgT | bytes) -> None:
        """As `Publisher.publish` while the node is active, else nothing."""
        Publisher.publish(self, msg)
