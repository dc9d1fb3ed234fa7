"""A span of time with nanosecond precision, as rclpy has it."""

import functools
import math
from typing import Self

from .constants import S_TO_NS
from .messages import Message, message_class

_LIMIT = 2**63


@functools.total_ordering
class Duration:
    """A span of time.

    Parameters
    ----------
    seconds : float
        The fractional part counts.
    nanoseconds : int
        Added to the seconds.

    Raises
    ------
    OverflowError
        If the sum does not fit a signed 64-bit number of nanoseconds.
    """

    __slots__ = ("_nanoseconds",)

    def __init__(self, *, seconds: float = 0, nanoseconds: int = 0) -> None:
        total = int(seconds * S_TO_NS) + int(nanoseconds)
        if not -_LIMIT <= total < _LIMIT:
            raise OverflowError("Total nanoseconds value is too large to store in C duration.")
        self._nanoseconds = total

    @property
    def nanoseconds(self) -> int:
        """The span, ns."""
        return self._nanoseconds

    def __repr__(self) -> str:
        return f"Duration(nanoseconds={self.nanoseconds})"

    def __str__(self) -> str:
        return "Infinite" if self == Infinite else f"{self.nanoseconds} nanoseconds"

    def __add__(self, other: "Duration") -> "Duration":
        if isinstance(other, Duration):
            return Duration(nanoseconds=self.nanoseconds + other.nanoseconds)
        return NotImplemented

    def __sub__(self, other: "Duration") -> "Duration":
        if isinstance(other, Duration):
            return Duration(nanoseconds=self.nanoseconds - other.nanoseconds)
        return NotImplemented

    def __mul__(self, other: float) -> "Duration":
        if isinstance(other, int):
            return Duration(nanoseconds=self.nanoseconds * other)
        if isinstance(other, float):
            if math.isnan(other):
                raise ValueError("Can't multiply duration with nan")
            return Infinite if math.isinf(other) else Duration(nanoseconds=int(self.nanoseconds * other))
        return NotImplemented

    def __eq__(self, other: object) -> bool:
        return self.nanoseconds == other.nanoseconds if isinstance(other, Duration) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self.nanoseconds < other.nanoseconds if isinstance(other, Duration) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as in rclpy

    def to_msg(self) -> Message:
        """As `builtin_interfaces/Duration`."""
        seconds, nanoseconds = divmod(self.nanoseconds, S_TO_NS)
        return message_class("builtin_interfaces/msg/Duration")(sec=seconds, nanosec=nanoseconds)

    @classmethod
    def from_msg(cls, msg: Message) -> Self:
        """From `builtin_interfaces/Duration`."""
        if msg.TYPE_NAME != "builtin_interfaces/msg/Duration":
            raise TypeError("Must pass a builtin_interfaces.msg.Duration object")
        return cls(seconds=msg.sec, nanoseconds=msg.nanosec)


Infinite = Duration(nanoseconds=_LIMIT - 1)
