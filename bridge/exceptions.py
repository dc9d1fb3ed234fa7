"""What can go wrong in the bridge: names, endpoints, frames, messages.

The classes that rclpy has keep rclpy's names; `BridgeError` is the base of our own, each of which carries one
clear line for the person who started the program.
"""


class BridgeError(RuntimeError):
    """A failure whose text is one line that says what, where and what to do."""


class EndpointError(BridgeError):
    """An endpoint that cannot be used: malformed, or not on the loopback interface."""


class BusyPortError(BridgeError):
    """Another program, which is not a tolman hub, holds the port of the endpoint."""


class MessageError(BridgeError):
    """A message that cannot be serialised, or a payload that is not the message it should be."""


class NothingPublishing(BridgeError):
    """No publisher was found at the endpoint in the time allowed."""


class MissingExtraError(BridgeError):
    """A viewer needs a library that is not installed."""


class NoDisplayError(BridgeError):
    """A window was asked for where there is no display."""


class NotInitializedException(Exception):
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


class InvalidTopicNameException(NameValidationException):
    """Raised when a topic name is invalid."""

    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__("topic name", name, error_msg, invalid_index)
