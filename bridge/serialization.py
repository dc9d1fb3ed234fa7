"""Messages to CDR and back, as rclpy has it."""

from typing import TypeVar

from .messages import Message, deserialize, serialize
from .type_support import check_is_valid_msg_type

M = TypeVar("M", bound=Message)


def serialize_message(message: Message) -> bytes:
    """The CDR form of a message; raises MessageError if a field holds something its type cannot."""
    check_is_valid_msg_type(type(message))
    return bytes(serialize(message))


def deserialize_message(serialized_message: bytes, message_type: type[M]) -> M:
    """The message of a CDR form; raises MessageError if it is not one of that type."""
    check_is_valid_msg_type(message_type)
    return deserialize(serialized_message, message_type)
