"""Checks of what programs give as types of messages, services and actions, as rclpy has them."""

from typing import Any

from .exceptions import NoTypeSupportImportedException
from .messages import Message


def check_for_type_support(msg_or_srv_type: Any) -> None:
    """Raise AttributeError unless it is an interface, NoTypeSupportImportedException if it has no code."""
    if getattr(msg_or_srv_type, "_TYPE_SUPPORT", None) is None:
        msg_or_srv_type.__import_type_support__()
        if getattr(msg_or_srv_type, "_TYPE_SUPPORT", None) is None:
            raise NoTypeSupportImportedException


def is_message_class(msg_type: Any) -> bool:
    """Whether it is the class of a message."""
    return isinstance(msg_type, type) and issubclass(msg_type, Message) and msg_type is not Message


def check_is_valid_msg_type(msg_type: Any) -> None:
    """Raise RuntimeError unless it is a message class."""
    if not is_message_class(msg_type):
        raise RuntimeError(
            f"The message type provided is not valid ({msg_type!r}), it may be a service or action"
        )


def check_is_valid_srv_type(srv_type: Any) -> None:
    """Raise RuntimeError unless it is a service class."""
    if not (
        hasattr(srv_type, "Request") and hasattr(srv_type, "Response") and hasattr(srv_type, "TYPE_NAME")
    ):
        raise RuntimeError(
            f"The service type provided is not valid ({srv_type!r}), it may be a message or action"
        )


def check_is_valid_action_type(action_type: Any) -> None:
    """Raise RuntimeError unless it is an action class."""
    if not all(hasattr(action_type, name) for name in ("Goal", "Result", "Feedback", "Impl")):
        raise RuntimeError(f"The action type provided is not valid ({action_type!r})")
