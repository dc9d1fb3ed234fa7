"""A point in time on one of the clocks, as rclpy has it."""

from enum import IntEnum
from typing import Self, overload

from .constants import S_TO_NS
from .duration import Duration
from .messages import Message, message_class

_LIMIT = 2**63


class ClockType(IntEnum):
    """Where time comes from."""

    UNINITIALIZED = 0
    ROS_TIME = 1  #: simulation time while somebody sets it, system time otherwise
    SYSTEM_TIME = 2
    STEADY_TIME = 3


class Time:
    """A point in time.

    Raises
    ------
    ValueError
        If seconds or nanoseconds are negative.
    OverflowError
        If the sum does not fit a signed 64-bit number of nanoseconds.
    """

    __slots__ = ("_clock_type", "_nanoseconds")

    def __init__(
        self, *, seconds: float = 0, nanoseconds: int = 0, clock_type: ClockType = ClockType.SYSTEM_TIME
    ) -> None:
        if not isinstance(clock_type, ClockType):
            raise TypeError("Clock type must be a ClockType enum")
        if seconds < 0:
            raise ValueError("Seconds value must not be negative")
        if nanoseconds < 0:
            raise ValueError("Nanoseconds value must not be negative")
        total = int(seconds * S_TO_NS) + int(nanoseconds)
        if total >= _LIMIT:
            raise OverflowError("Total nanoseconds value is too large to store in C time point.")
        self._nanoseconds, self._clock_type = total, clock_type

    @property
    def nanoseconds(self) -> int:
        """Since the clock's zero, ns."""
        return self._nanoseconds

    @property
    def clock_type(self) -> ClockType:
        """The clock it was read from."""
        return self._clock_type

    def seconds_nanoseconds(self) -> tuple[int, int]:
        """Whole seconds, and the rest in ns."""
        return divmod(self._nanoseconds, S_TO_NS)

    def __repr__(self) -> str:
        return f"Time(nanoseconds={self.nanoseconds}, clock_type={self.clock_type.name})"

    def __add__(self, other: Duration) -> "Time":
        if isinstance(other, Duration):
            return _checked(self.nanoseconds + other.nanoseconds, self.clock_type, "addition")
        return NotImplemented

    def __radd__(self, other: Duration) -> "Time":
        return self.__add__(other)

    @overload
    def __sub__(self, other: "Time") -> Duration: ...
    @overload
    def __sub__(self, other: Duration) -> "Time": ...
    def __sub__(self, other: "Time | Duration") -> "Time | Duration":
        if isinstance(other, Time):
            self._same_clock(other, "Can't subtract times with different clock types")
            return Duration(nanoseconds=self.nanoseconds - other.nanoseconds)
        if isinstance(other, Duration):
            return _checked(self.nanoseconds - other.nanoseconds, self.clock_type, "subtraction")
        return NotImplemented

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Time):
            self._same_clock(other)
            return self.nanoseconds == other.nanoseconds
        return NotImplemented

    def __lt__(self, other: "Time") -> bool:
        if isinstance(other, Time):
            self._same_clock(other)
            return self.nanoseconds < other.nanoseconds
        return NotImplemented

    def __le__(self, other: "Time") -> bool:
        if isinstance(other, Time):
            self._same_clock(other)
            return self.nanoseconds <= other.nanoseconds
        return NotImplemented

    def __gt__(self, other: "Time") -> bool:
        if isinstance(other, Time):
            self._same_clock(other)
            return self.nanoseconds > other.nanoseconds
        return NotImplemented

    def __ge__(self, other: "Time") -> bool:
        if isinstance(other, Time):
            self._same_clock(other)
            return self.nanoseconds >= other.nanoseconds
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as in rclpy

    def _same_clock(
        self, other: "Time", message: str = "Can't compare times with different clock types"
    ) -> None:
        if self.clock_type != other.clock_type:
            raise TypeError(message)

    def to_msg(self) -> Message:
        """As `builtin_interfaces/Time`."""
        seconds, nanoseconds = self.seconds_nanoseconds()
        return message_class("builtin_interfaces/msg/Time")(sec=seconds, nanosec=nanoseconds)

    @classmethod
    def from_msg(cls, msg: Message, clock_type: ClockType = ClockType.ROS_TIME) -> Self:
        """From `builtin_interfaces/Time`."""
        if getattr(msg, "TYPE_NAME", None) != "builtin_interfaces/msg/Time":
            raise TypeError("Must pass a builtin_interfaces.msg.Time object")
        return cls(seconds=msg.sec, nanoseconds=msg.nanosec, clock_type=clock_type)


def _checked(nanoseconds: int, clock_type: ClockType, operation: str) -> Time:
    try:
        return Time(nanoseconds=nanoseconds, clock_type=clock_type)
    except ValueError:
        raise ValueError(f"{operation.capitalize()} leads to negative time") from None
    except OverflowError:
        raise OverflowError(f"{operation.capitalize()} leads to overflow in C time point.") from None
