"""Timers, as rclpy has them."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from .callback_groups import CallbackGroup
from .clock import Clock, ClockType
from .context import Context, get_default_context
from .time import Time


class TimerInfo:
    """When a timer should have been called, and when it was; for callbacks annotated to take one."""

    def __init__(
        self,
        *,
        expected_call_time: int = 0,
        actual_call_time: int = 0,
        clock_type: ClockType = ClockType.SYSTEM_TIME,
    ) -> None:
        self.expected_call_time = Time(nanoseconds=expected_call_time, clock_type=clock_type)
        self.actual_call_time = Time(nanoseconds=actual_call_time, clock_type=clock_type)


class Timer:
    """Calls back every `timer_period_ns` of its clock; calls that were missed are left out, not made up for.

    Users make timers with `Node.create_timer`.
    """

    def __init__(
        self,
        callback: Callable[[], None] | Callable[[TimerInfo], None] | None,
        callback_group: CallbackGroup | None,
        timer_period_ns: int,
        clock: Clock,
        *,
        context: Context | None = None,
        autostart: bool = True,
    ) -> None:
        if timer_period_ns < 0:
            raise ValueError(f"the period of a timer must be >= 0, got {timer_period_ns} ns")
        self._context = get_default_context() if context is None else context
        self.callback = callback
        self.callback_group = callback_group
        self._clock = clock
        self._period = int(timer_period_ns)
        self._canceled = not autostart
        self._last = clock.now().nanoseconds
        self._next = self._last + self._period

    @property
    def clock(self) -> Clock:
        """The clock it follows."""
        return self._clock

    @property
    def timer_period_ns(self) -> int:
        """The period, ns; a new one counts from the next call on."""
        return self._period

    @timer_period_ns.setter
    def timer_period_ns(self, value: int) -> None:
        self._period = int(value)

    def is_ready(self) -> bool:
        """Whether a call is due."""
        return not self._canceled and self._clock.now().nanoseconds >= self._next

    def is_canceled(self) -> bool:
        """Whether it is stopped."""
        return self._canceled

    def cancel(self) -> None:
        """Stop it."""
        self._canceled = True

    def reset(self) -> None:
        """Start it anew: the next call is one period from now."""
        self._canceled = False
        self._last = self._clock.now().nanoseconds
        self._next = self._last + self._period

    def time_since_last_call(self) -> int:
        """ns."""
        return self._clock.now().nanoseconds - self._last

    def time_until_next_call(self) -> int | None:
        """ns, negative if it is overdue; None if it is stopped."""
        return None if self._canceled else self._next - self._clock.now().nanoseconds

    def take(self) -> TimerInfo:
        """Count a call now and plan the next; the executor does this right before the callback."""
        now, expected = self._clock.now().nanoseconds, self._next
        self._last = now
        self._next += self._period
        if self._next < now:
            missed = (now - self._next) // self._period + 1 if self._period else 0
            self._next = self._next + missed * self._period if self._period else now
        return TimerInfo(
            expected_call_time=max(expected, 0), actual_call_time=now, clock_type=self._clock.clock_type
        )

    def destroy(self) -> None:
        """Stop it for good."""
        self._canceled = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.destroy()
