"""Clients, services, subscriptions, timers and guard conditions as rclpy's C extension has them.

For programs that put them into a `Waitable` of their own: no executor calls them back.
"""

from typing import TYPE_CHECKING, Any, cast

from ..callback_groups import ReentrantCallbackGroup
from ..clock import Clock
from ..context import Context
from ..guard_condition import GuardCondition as BridgeGuardCondition
from ..handles import Handle
from ..qos import QoSProfile
from ..service import RequestId, ServiceInfo
from ..subscription import MessageInfo
from ..task import Future
from ..timer import Timer as BridgeTimer
from ..timer import TimerInfo

if TYPE_CHECKING:
    from ..node import Node


class _Entity(Handle):
    """Base: a context manager that refuses once it is destroyed."""

    def __init__(self, entity: Any) -> None:
        super().__init__(f"a {type(self).__name__.lower()}")
        self._entity = entity

    def is_ready(self) -> bool:
        """Whether it has something to do."""
        return not self.destroyed and bool(self._entity.is_ready())

    def destroy_when_not_in_use(self) -> None:
        """Be of no more use."""
        super().destroy_when_not_in_use()
        self._entity.destroy()


def _unused(*_: Any) -> Any:
    """Never called."""


class Client(_Entity):
    """Calls a service, and is asked for the answers."""

    def __init__(self, node: Handle, srv_type: type[Any], name: str, qos: QoSProfile) -> None:
        owner = cast("Node", node.owner)
        full = owner.resolve_service_name(name)
        made = owner._new_client(srv_type, full, qos, ReentrantCallbackGroup(), owner._hidden_ends)
        made._executor = lambda: None
        super().__init__(made)
        self._answers: dict[int, Future[Any]] = {}
        owner._announce()

    def service_server_is_available(self) -> bool:
        """Whether somebody serves."""
        return bool(self._entity.service_is_ready())

    def send_request(self, request: Any) -> int:
        """Send; return the number of the request."""
        future = self._entity.call_async(request)
        number = int(self._entity._outlet.sequence)
        self._answers[number] = future
        return number

    def take_response(self, response_type: type[Any]) -> tuple[RequestId, Any] | tuple[None, None]:
        """The next answer and what it answers; (None, None) if there is none."""
        if (call := self._entity._take_call()) is not None:
            call()
        for number, future in list(self._answers.items()):
            if future.done():
                del self._answers[number]
                return RequestId(self._entity._outlet.publisher, number), future.result()
        return None, None


class Service(_Entity):
    """Is asked for requests, and answers them."""

    def __init__(self, node: Handle, srv_type: type[Any], name: str, qos: QoSProfile) -> None:
        owner = cast("Node", node.owner)
        full, group = owner.resolve_service_name(name), ReentrantCallbackGroup()
        super().__init__(owner._new_service(srv_type, full, _unused, qos, group, owner._hidden_ends))
        owner._announce()

    def service_take_request(self, request_type: type[Any]) -> tuple[Any, ServiceInfo] | tuple[None, None]:
        """The next request and what is known of it; (None, None) if there is none."""
        return self._entity.take() or (None, None)

    def service_send_response(self, response: Any, header: ServiceInfo | RequestId) -> None:
        """Answer a request."""
        self._entity.send_response(response, header)


class Subscription(_Entity):
    """Is asked for messages."""

    def __init__(self, node: Handle, msg_type: type[Any], topic: str, qos: QoSProfile) -> None:
        owner = cast("Node", node.owner)
        full, group = owner.resolve_topic_name(topic), ReentrantCallbackGroup()

        def unused(message: Any) -> None:
            """Never called."""

        super().__init__(owner._new_subscription(msg_type, full, unused, qos, group, owner._hidden_ends))
        owner._announce()

    def take_message(self, msg_type: type[Any], raw: bool) -> tuple[Any, MessageInfo] | None:
        """The oldest message waiting and what is known of it; None if there is none."""
        self._entity.raw = raw
        taken = self._entity.take()
        return None if taken is None else (taken[0], taken[1])


class Timer(_Entity):
    """Is asked whether it is time."""

    def __init__(self, clock: Handle, context: Handle, period_nsec: int, autostart: bool) -> None:
        its_clock, its_context = cast(Clock, clock.owner), cast(Context, context.owner)
        made = BridgeTimer(None, None, period_nsec, its_clock, context=its_context, autostart=autostart)
        super().__init__(made)

    def call_timer_with_info(self) -> TimerInfo:
        """Count a call now and plan the next."""
        info: TimerInfo = self._entity.take()
        return info

    def is_timer_ready(self) -> bool:
        """Whether it is time."""
        return self.is_ready()


class GuardCondition(_Entity):
    """Is ready once it was triggered, until a waitable has seen it."""

    def __init__(self, context: Handle) -> None:
        super().__init__(BridgeGuardCondition(None, None, context=cast(Context, context.owner)))
        self.wake = _unused  #: set by the wait set

    def is_ready(self) -> bool:
        """Whether it was triggered since it was asked last."""
        triggered = super().is_ready()
        if triggered:
            self._entity._take_call()
        return triggered

    def trigger_guard_condition(self) -> None:
        """Be ready."""
        self._entity.trigger()
        self.wake()
