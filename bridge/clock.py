"""Clocks, as rclpy has them: system, steady, and ROS time, which somebody may set from a simulation."""

import time as _time
from typing import TYPE_CHECKING

from .duration import S_TO_NS, Duration
from .time import ClockType, Time

if TYPE_CHECKING:
    from .context import Context

__all__ = ["Clock", "ClockType", "ROSClock"]


class Clock:
    """A source of time; of type ROS_TIME it is a `ROSClock`."""

    _clock_type: ClockType

    def __new__(cls, *, clock_type: ClockType = ClockType.SYSTEM_TIME) -> "Clock":
        if not isinstance(clock_type, ClockType):
            raise TypeError("Clock type must be a ClockType enum")
        made = super().__new__(ROSClock if clock_type is ClockType.ROS_TIME else cls)
        made._clock_type = clock_type
        return made

    @property
    def clock_type(self) -> ClockType:
        """Where its time comes from."""
        return self._clock_type

    def __repr__(self) -> str:
        return f"Clock(clock_type={self.clock_type.name})"

    def now(self) -> Time:
        """The time it shows."""
        return Time(nanoseconds=self._now_ns(), clock_type=self.clock_type)

    def sleep_until(self, until: Time, context: "Context | None" = None) -> bool:
        """Sleep until the clock shows `until`; False if the context shut down before.

        Raises
        ------
        ValueError
            If `until` is of another clock type.
        """
        from .context import get_default_context

        if until.clock_type != self.clock_type:
            raise ValueError("until's clock type does not match this clock's type")
        context = context or get_default_context()
        while context.ok():
            left = until.nanoseconds - self._now_ns()
            if left <= 0:
                return True
            context.wait_for_shutdown(min(left / S_TO_NS, 0.05))
        return False

    def sleep_for(self, rel_time: Duration, context: "Context | None" = None) -> bool:
        """Sleep for a span of this clock's time; False if the context shut down before."""
        return self.sleep_until(self.now() + rel_time, context)

    def _now_ns(self) -> int:
        return _time.monotonic_ns() if self._clock_type is ClockType.STEADY_TIME else _time.time_ns()


class ROSClock(Clock):
    """System time, or the time somebody sets once that is switched on."""

    _override_ns: int
    _active: bool

    def __new__(cls) -> "ROSClock":
        made = super().__new__(cls, clock_type=ClockType.ROS_TIME)
        assert isinstance(made, ROSClock)
        return made

    def __init__(self, *, clock_type: ClockType = ClockType.ROS_TIME) -> None:
        self._override_ns, self._active = 0, False

    @property
    def ros_time_is_active(self) -> bool:
        """Whether the time that somebody set is shown."""
        return self._active

    def _set_ros_time_is_active(self, enabled: bool) -> None:
        self._active = enabled

    def set_ros_time_override(self, time: Time) -> None:
        """Set the time to show.

        Raises
        ------
        TypeError
            If `time` is not a Time.
        """
        if not isinstance(time, Time):
            raise TypeError(f"time must be a Time, got {type(time).__name__}")
        self._override_ns = time.nanoseconds

    def _now_ns(self) -> int:
        return self._override_ns if self._active else _time.time_ns()
