"""Callbacks for events of topics, as rclpy has them. The bridge has none of these events: see `Node`."""

from collections.abc import Callable
from typing import Any

from .exceptions import UnsupportedEventTypeError

Callback = Callable[[Any], None]


class _EventCallbacks:
    """Holds what was given; nodes refuse what would never be called."""

    def __init__(self, use_default_callbacks: bool, callbacks: dict[str, Callback | None]) -> None:
        self.use_default_callbacks = use_default_callbacks
        self.__dict__.update(callbacks)


class SubscriptionEventCallbacks(_EventCallbacks):
    """Callbacks of a subscription."""

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
        super().__init__(
            use_default_callbacks,
            {
                "deadline": deadline,
                "incompatible_qos": incompatible_qos,
                "liveliness": liveliness,
                "message_lost": message_lost,
                "incompatible_type": incompatible_type,
                "matched": matched,
            },
        )


class PublisherEventCallbacks(_EventCallbacks):
    """Callbacks of a publisher."""

    def __init__(
        self,
        *,
        deadline: Callback | None = None,
        incompatible_qos: Callback | None = None,
        liveliness: Callback | None = None,
        incompatible_type: Callback | None = None,
        matched: Callback | None = None,
        use_default_callbacks: bool = True,
    ) -> None:
        super().__init__(
            use_default_callbacks,
            {
                "deadline": deadline,
                "incompatible_qos": incompatible_qos,
                "liveliness": liveliness,
                "incompatible_type": incompatible_type,
                "matched": matched,
            },
        )


__all__ = ["PublisherEventCallbacks", "SubscriptionEventCallbacks", "UnsupportedEventTypeError"]
