"""Timers, as rclpy has them."""

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any

from .callback_groups import CallbackGroup
from .clock import Clock, ClockType
from .context import Context, get_default_context
from .exceptions import InvalidHandle, ROSInterruptException
from .handles import Destroyable, Handle
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
        if not isinstance(clock_type, ClockType):
            raise TypeError("Clock type must be a ClockType enum")
        if expected_call_time < 0 or actual_call_time < 0:
            raise ValueError("call time values must not be negative")
        self._expected_call_time = Time(nanoseconds=expected_call_time, clock_type=clock_type)
        self._actual_call_time = Time(nanoseconds=actual_call_time, clock_type=clock_type)

    @property
    def expected_call_time(self) -> Time:
        """When it should have been called."""
        return self._expected_call_time

    @property
    def actual_call_time(self) -> Time:
        """When it was called."""
        return self._actual_call_time


class Timer(Destroyable):
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
        if self._context.handle is None:
            raise RuntimeError("the context must be initialised before a timer is made")
        self._executor_event = False
        self._handle = Handle("timer")
        self.callback = callback
        self.callback_group = callback_group
        self._clock = clock
        self._period = int(timer_period_ns)
        self._canceled = not autostart
        self._last = clock.now().nanoseconds
        self._next = self._last + self._period

    @property
    def handle(self) -> Handle:
        """Refuses once the timer is destroyed."""
        return self._handle

    @property
    def clock(self) -> Clock:
        """The clock it follows."""
        return self._clock

    @property
    def timer_period_ns(self) -> int:
        """The period, ns; a new one counts from the next call on."""
        with self._handle:
            return self._period

    @timer_period_ns.setter
    def timer_period_ns(self, value: int) -> None:
        self._period = int(value)

    def is_ready(self) -> bool:
        """Whether a call is due."""
        return not self._canceled and self._clock._now_ns() >= self._next

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
        return None if self._canceled else self._next - self._clock._now_ns()

    def _take_call(self) -> Callable[[], Any] | None:
        callback, info = self.callback, self.take()
        if callback is None:
            return None
        name = _info_argument(callback)
        return functools.partial(callback, **({} if name is None else {name: info}))

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
        self._handle.destroy_when_not_in_use()


class Rate:
    """Sleeps until the next beat of a timer. Users make rates with `Node.create_rate`.

    Somebody else has to spin the node meanwhile: in a callback of a single-threaded executor it never wakes.
    """

    def __init__(self, timer: Timer, *, context: Context) -> None:
        self._timer = timer
        self._is_shutdown = self._is_destroyed = False
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._sleepers = 0
        timer.callback = self._event.set
        context.on_shutdown(self._on_shutdown)

    def destroy(self) -> None:
        """Wake whoever sleeps, for good; use `Node.destroy_rate`."""
        self._is_destroyed = True
        self._event.set()

    def sleep(self) -> None:
        """Wait for the next beat.

        Raises
        ------
        ROSInterruptException
            If the context is shut down, before or meanwhile.
        RuntimeError
            If the rate was destroyed.
        InvalidHandle
            If its timer was.
        """
        if self._is_shutdown:
            raise ROSInterruptException
        if self._is_destroyed:
            raise RuntimeError("Rate cannot sleep because it has been destroyed")
        if self._timer.handle.destroyed:
            self.destroy()
            raise InvalidHandle("Rate cannot sleep because the timer has been destroyed")
        with self._lock:
            self._sleepers += 1
        try:
            self._event.wait()
        finally:
            with self._lock:
                self._sleepers -= 1
                if self._sleepers == 0:
                    self._event.clear()
        if self._is_shutdown:
            self.destroy()
            raise ROSInterruptException

    def _on_shutdown(self) -> None:
        self._is_shutdown = True
        self.destroy()


def _info_argument(callback: Callable[..., Any]) -> str | None:
    """The parameter that is annotated to take a `TimerInfo`."""
    try:
        parameters = inspect.signature(callback).parameters.values()
    except (TypeError, ValueError):  # a built-in without a signature
        return None
    return next((p.name for p in parameters if p.annotation in (TimerInfo, "TimerInfo")), None)
