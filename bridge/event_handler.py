"""Callbacks for events of topics, as rclpy has them: executors run them like any other callback."""

import warnings
from collections.abc import Callable
from enum import IntEnum
from typing import Any, ClassVar

from .callback_groups import CallbackGroup
from .end_events import EventHandle
from .event_status import (
    IncompatibleTypeInfo,
    QoSLivelinessChangedInfo,
    QoSLivelinessLostInfo,
    QoSMessageLostInfo,
    QoSOfferedDeadlineMissedInfo,
    QoSOfferedIncompatibleQoSInfo,
    QoSPublisherEventType,
    QoSPublisherMatchedInfo,
    QoSRequestedDeadlineMissedInfo,
    QoSRequestedIncompatibleQoSInfo,
    QoSSubscriptionEventType,
    QoSSubscriptionMatchedInfo,
    Status,
)
from .exceptions import UnsupportedEventTypeError
from .executors import await_or_execute
from .handles import Handle
from .logging import get_logger
from .qos import qos_policy_name_from_kind
from .waitable import NumberOfEntities, Waitable

__all__ = [
    "EventHandler",
    "IncompatibleTypeInfo",
    "PublisherEventCallbacks",
    "QoSEventHandler",
    "QoSLivelinessChangedInfo",
    "QoSLivelinessLostInfo",
    "QoSMessageLostInfo",
    "QoSOfferedDeadlineMissedInfo",
    "QoSOfferedIncompatibleQoSInfo",
    "QoSPublisherEventType",
    "QoSPublisherMatchedInfo",
    "QoSRequestedDeadlineMissedInfo",
    "QoSRequestedIncompatibleQoSInfo",
    "QoSSubscriptionEventType",
    "QoSSubscriptionMatchedInfo",
    "SubscriptionEventCallbacks",
    "UnsupportedEventTypeError",
]

Callback = Callable[[Any], Any]


class EventHandler(Waitable[Status | None]):
    """Calls back with the events of one kind; its node shows it to executors while there is one."""

    def __init__(
        self, *, callback_group: CallbackGroup, callback: Callback, event_type: IntEnum, parent_impl: Handle
    ) -> None:
        super().__init__(callback_group)
        self.event_type = event_type
        self.callback = callback
        self._event = EventHandle(parent_impl, event_type)
        self._take_off: Callable[[], None] = lambda: None

    def show(self, put_on: Callable[[], None], take_off: Callable[[], None]) -> None:
        """Have `put_on` called when there is an event, and `take_off` when it is taken or will be no more."""
        self._take_off = take_off
        self._event.on_ready = put_on
        if self._event.is_ready():
            put_on()

    def is_ready(self, wait_set: Any = None) -> bool:
        """Whether there is an event."""
        return self._event.is_ready()

    def _asked(self, wake: Callable[[], None]) -> bool:
        return self.is_ready()

    def take_data(self) -> Status | None:
        """Take the event."""
        self._take_off()  # before the event is taken: it is put on again by the next
        return self._event.take_event() if self._event.is_ready() else None

    async def execute(self, taken_data: Status | None) -> None:
        """Call back."""
        if taken_data is not None:
            await await_or_execute(self.callback, taken_data)

    def get_num_entities(self) -> NumberOfEntities:
        """One event."""
        return NumberOfEntities(num_events=1)

    def add_to_wait_set(self, wait_set: Any) -> None:
        """Add the event."""
        wait_set.add_event(self._event)

    def destroy(self) -> None:
        """Call back no more."""
        self._event.destroy_when_not_in_use()
        self._take_off()


class QoSEventHandler(EventHandler):
    """Old name of `EventHandler`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        _warn_of_old_name()
        super().__init_subclass__(**kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _warn_of_old_name()
        super().__init__(*args, **kwargs)


def _warn_of_old_name() -> None:
    warnings.warn(
        "QoSEventHandler is deprecated, use EventHandler instead.", DeprecationWarning, stacklevel=3
    )


class _EventCallbacks:
    """What both kinds have in common: makes handlers of what was given."""

    #: attribute to event, in the order in which handlers are made
    _events: ClassVar[dict[str, IntEnum]]
    _found = _silence = ""  #: what is logged of incompatible profiles, where there is no callback

    use_default_callbacks: bool

    def _create(self, callback_group: CallbackGroup, parent: Handle, topic_name: str) -> list[EventHandler]:
        defaults = self._default_callbacks(parent, topic_name) if self.use_default_callbacks else {}
        callbacks = {name: getattr(self, name) or defaults.get(name) for name in self._events}
        return [
            EventHandler(
                callback_group=callback_group,
                callback=callback,
                event_type=self._events[name],
                parent_impl=parent,
            )
            for name, callback in callbacks.items()
            if callback is not None
        ]

    def _default_callbacks(self, parent: Handle, topic_name: str) -> dict[str, Callback]:
        logger = get_logger(parent.get_logger_name())

        def incompatible_qos(event: Any) -> None:
            policy = qos_policy_name_from_kind(event.last_policy_kind)
            logger.warning(
                f"New {self._found.format(topic_name)} incompatible QoS. {self._silence} it. "
                f"Last incompatible policy: {policy}"
            )

        def incompatible_type(_: Any) -> None:
            logger.warning(f"Incompatible type on topic '{topic_name}', no messages will be sent to it.")

        return {"incompatible_qos": incompatible_qos, "incompatible_type": incompatible_type}


class SubscriptionEventCallbacks(_EventCallbacks):
    """Callbacks of a subscription."""

    _events: ClassVar[dict[str, IntEnum]] = {
        "deadline": QoSSubscriptionEventType.RCL_SUBSCRIPTION_REQUESTED_DEADLINE_MISSED,
        "incompatible_qos": QoSSubscriptionEventType.RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS,
        "liveliness": QoSSubscriptionEventType.RCL_SUBSCRIPTION_LIVELINESS_CHANGED,
        "message_lost": QoSSubscriptionEventType.RCL_SUBSCRIPTION_MESSAGE_LOST,
        "incompatible_type": QoSSubscriptionEventType.RCL_SUBSCRIPTION_INCOMPATIBLE_TYPE,
        "matched": QoSSubscriptionEventType.RCL_SUBSCRIPTION_MATCHED,
    }
    _found = "publisher discovered on topic '{}', offering"
    _silence = "No messages will be received from"

    def __init__(
        self,
        *,
        deadline: Callback | None = None,
        incompatible_qos: Callback | None = None,
        liveliness: Callback | None = None,
        message_lost: Callback | None = None,
        incompatible_type: Callback | None = None,
        matched: Callback | None = None,
        use_default_callbacks: bool = True,
    ) -> None:
        self.deadline = deadline
        self.incompatible_qos = incompatible_qos
        self.liveliness = liveliness
        self.message_lost = message_lost
        self.incompatible_type = incompatible_type
        self.matched = matched
        self.use_default_callbacks = use_default_callbacks

    def create_event_handlers(
        self, callback_group: CallbackGroup, subscription: Handle, topic_name: str
    ) -> list[EventHandler]:
        """Make a handler of each callback; what does not fit is logged if no callback is given for it."""
        return self._create(callback_group, subscription, topic_name)


class PublisherEventCallbacks(_EventCallbacks):
    """Callbacks of a publisher."""

    _events: ClassVar[dict[str, IntEnum]] = {
        "deadline": QoSPublisherEventType.RCL_PUBLISHER_OFFERED_DEADLINE_MISSED,
        "liveliness": QoSPublisherEventType.RCL_PUBLISHER_LIVELINESS_LOST,
        "incompatible_qos": QoSPublisherEventType.RCL_PUBLISHER_OFFERED_INCOMPATIBLE_QOS,
        "incompatible_type": QoSPublisherEventType.RCL_PUBLISHER_INCOMPATIBLE_TYPE,
        "matched": QoSPublisherEventType.RCL_PUBLISHER_MATCHED,
    }
    _found = "subscription discovered on topic '{}', requesting"
    _silence = "No messages will be sent to"

    def __init__(
        self,
        *,
        deadline: Callback | None = None,
        liveliness: Callback | None = None,
        incompatible_qos: Callback | None = None,
        incompatible_type: Callback | None = None,
        matched: Callback | None = None,
        use_default_callbacks: bool = True,
    ) -> None:
        self.deadline = deadline
        self.liveliness = liveliness
        self.incompatible_qos = incompatible_qos
        self.incompatible_type = incompatible_type
        self.matched = matched
        self.use_default_callbacks = use_default_callbacks

    def create_event_handlers(
        self, callback_group: CallbackGroup, publisher: Handle, topic_name: str
    ) -> list[EventHandler]:
        """Make a handler of each callback; what does not fit is logged if no callback is given for it."""
        return self._create(callback_group, publisher, topic_name)
