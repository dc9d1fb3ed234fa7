"""What can go wrong in the bridge: names, endpoints, frames, messages.

The classes that rclpy has keep rclpy's names; `BridgeError` is the base of our own, each of which carries one
clear line for the person who started the program.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .parameter import AllowableParameterValue, Parameter


class BridgeError(RuntimeError):
    """A failure whose text is one line that says what, where and what to do."""


class EndpointError(BridgeError):
    """An endpoint that cannot be used: malformed, or beyond the loopback interface without keys."""


class BusyPortError(BridgeError):
    """Another program, which is not a tolman hub, holds the port of the endpoint."""


class KeysError(BridgeError):
    """Keys that are missing, malformed or open to others, or a hub that does not take ours."""


class MessageError(BridgeError):
    """A message that cannot be serialised, or a payload that is not the message it should be."""


class NothingPublishing(BridgeError):
    """No publisher was found at the endpoint in the time allowed."""


class MissingExtraError(BridgeError):
    """A viewer needs a library that is not installed."""


class NoDisplayError(BridgeError):
    """A window was asked for where there is no display."""


class RecordingError(BridgeError):
    """A recording that cannot be written, read or replayed."""


class InvalidHandle(RuntimeError):
    """Raised when something is used that was destroyed."""


class ROSInterruptException(Exception):
    """Raised by what slept when the context was shut down."""

    def __init__(self) -> None:
        super().__init__("rclpy.shutdown() has been called")


class NotInitializedException(RuntimeError):
    """Raised when a context is used before `init`."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__("init() has not been called" + (f": {message}" if message else ""))


class NameValidationException(Exception):
    """Raised when a node name, namespace or topic is not a valid ROS name."""

    def __init__(self, name_type: str, name: str, error_msg: str, invalid_index: int) -> None:
        self.name_type = name_type
        self.name = name
        self.error_msg = error_msg
        self.invalid_index = invalid_index
        caret = " " * (invalid_index + 1) + "^"
        super().__init__(f"Invalid {name_type}: {error_msg}:\n  '{name}'\n  {caret}")


class InvalidNamespaceException(NameValidationException):
    """Raised when a namespace is invalid."""

    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__("namespace", name, error_msg, invalid_index)


class InvalidNodeNameException(NameValidationException):
    """Raised when a node name is invalid."""

    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__("node name", name, error_msg, invalid_index)


class InvalidServiceNameException(NameValidationException):
    """Raised when a service name is invalid."""

    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__("service name", name, error_msg, invalid_index)


class InvalidTopicNameException(NameValidationException):
    """Raised when a topic name is invalid."""

    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__("topic name", name, error_msg, invalid_index)


class ParameterException(Exception):
    """Base of what can go wrong with parameters."""

    def __init__(self, error_msg: str, parameters: str | list[str]) -> None:
        super().__init__(f"{error_msg}: {parameters}")


class ParameterNotDeclaredException(ParameterException):
    """Raised when a parameter is used that was not declared, on a node that demands it."""

    def __init__(self, parameters: str | list[str]) -> None:
        super().__init__("Invalid access to undeclared parameter(s)", parameters)


class ParameterAlreadyDeclaredException(ParameterException):
    """Raised when a parameter is declared twice."""

    def __init__(self, parameters: str | list[str]) -> None:
        super().__init__("Parameter(s) already declared", parameters)


class InvalidParameterException(ParameterException):
    """Raised when the name of a parameter is invalid."""

    def __init__(self, parameter_name: str) -> None:
        super().__init__("Invalid parameter name", parameter_name)


class InvalidParameterTypeException(ParameterException):
    """Raised when a parameter is declared with one type and set to a value of another."""

    def __init__(self, desired_parameter: "Parameter[AllowableParameterValue]", expected_type: str) -> None:
        given = f"{desired_parameter.value!r} of type {desired_parameter.type_.name}"
        name = desired_parameter.name
        super().__init__(f"parameter '{name}' takes a value of type {expected_type}, got {given}", name)


class InvalidParameterValueException(ParameterException):
    """Raised when a callback or a descriptor rejects the value of a parameter."""

    def __init__(self, parameter: str, value: "AllowableParameterValue", reason: str) -> None:
        super().__init__(f"Invalid parameter value ({value}), reason: {reason}", parameter)


class ParameterImmutableException(ParameterException):
    """Raised when a read-only parameter would be changed."""

    def __init__(self, parameter_name: str) -> None:
        super().__init__("Attempted to modify read-only parameter", parameter_name)


class ParameterUninitializedException(ParameterException):
    """Raised when a parameter is read that has a type and no value yet."""

    def __init__(self, parameter_name: str) -> None:
        super().__init__("The parameter has no value yet", parameter_name)


class NoTypeSupportImportedException(Exception):
    """Raised when a class that is no message or service is used as one."""

    def __init__(self) -> None:
        super().__init__("no type support: this is not a message or service class")


class NodeNameNonExistentError(RuntimeError):
    """Raised when the graph is asked about a node that is not there."""


class UnsupportedEventTypeError(RuntimeError):
    """Raised for event callbacks that would never be called."""
