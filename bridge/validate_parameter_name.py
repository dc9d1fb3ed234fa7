"""What a parameter may be called, as rclpy has it: anything that is not empty."""

from typing import Literal

from .exceptions import InvalidParameterException


def validate_parameter_name(name: str) -> Literal[True]:
    """Return True, or raise InvalidParameterException if the name is empty."""
    if not name:
        raise InvalidParameterException(name)
    return True
