"""What services and clients tell of their requests and answers, as rclpy has it: SERVICE/_service_event."""

from collections.abc import Callable
from enum import IntEnum
from typing import Any

from .clock import Clock
from .exceptions import InvalidHandle
from .messages import message_class
from .publisher import Publisher
from .qos import QoSProfile

GID_BYTES = 16  #: of service_msgs/msg/ServiceEventInfo


class ServiceIntrospectionState(IntEnum):
    """How much is told."""

    OFF = 0
    METADATA = 1  #: that there was a request or an answer
    CONTENTS = 2  #: and what it was


class ServiceEvent(IntEnum):
    """The numbers of service_msgs/msg/ServiceEventInfo."""

    REQUEST_SENT = 0
    REQUEST_RECEIVED = 1
    RESPONSE_SENT = 2
    RESPONSE_RECEIVED = 3


class Introspection:
    """Tells of the events of one service or client; nothing until it is configured.

    Parameters
    ----------
    event_type : type
        The event message of the service.
    make_publisher : callable
        Makes the publisher of a profile.
    """

    def __init__(
        self, event_type: Any, make_publisher: Callable[[QoSProfile], Publisher[Any]] | None
    ) -> None:
        self._event_type = event_type
        self._make_publisher = make_publisher
        self._clock: Clock | None = None
        self._publisher: Publisher[Any] | None = None
        self.state = ServiceIntrospectionState.OFF

    def configure(self, clock: Clock, profile: QoSProfile, state: ServiceIntrospectionState) -> None:
        """Tell as much as `state` says from now on.

        Raises
        ------
        TypeError
            If `state` is no `ServiceIntrospectionState`.
        RuntimeError
            If there is nobody to publish it.
        """
        if not isinstance(state, ServiceIntrospectionState):
            raise TypeError(f"a ServiceIntrospectionState is needed, got {state!r}")
        self.close()
        if state != ServiceIntrospectionState.OFF:
            if self._make_publisher is None:
                raise RuntimeError("only what a node has made can be introspected")
            self._publisher = self._make_publisher(profile)
        self._clock, self.state = clock, state

    def tell(
        self, kind: ServiceEvent, client: bytes, number: int, *, request: Any = None, response: Any = None
    ) -> None:
        """Tell of an event: of the request `number` of a client, or of its answer."""
        publisher, clock = self._publisher, self._clock
        if publisher is None or clock is None:
            return
        event = self._event_type()
        event.info = message_class("service_msgs/msg/ServiceEventInfo")(
            event_type=int(kind),
            stamp=clock.now().to_msg(),
            client_gid=list(client.ljust(GID_BYTES, b"\0")),
            sequence_number=number,
        )
        if self.state == ServiceIntrospectionState.CONTENTS:
            event.request = [] if request is None else [request]
            event.response = [] if response is None else [response]
        try:
            publisher.publish(event)
        except InvalidHandle:  # turned off meanwhile
            return

    def close(self) -> None:
        """Tell nothing more."""
        self.state = ServiceIntrospectionState.OFF
        if self._publisher is not None:
            self._publisher.destroy()
            self._publisher = None
