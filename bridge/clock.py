"""Clocks, as rclpy has them: system, steady, and ROS time, which somebody may set from a simulation."""

import threading
import time as _time
from collections.abc import Callable
from enum import IntEnum
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .constants import S_TO_NS
from .duration import Duration
from .exceptions import NotInitializedException
from .handles import Handle
from .time import ClockType, Time

if TYPE_CHECKING:
    from .context import Context

__all__ = ["Clock", "ClockChange", "ClockType", "JumpHandle", "JumpThreshold", "ROSClock", "TimeJump"]


class ClockChange(IntEnum):
    """What happened to where a clock's time comes from."""

    ROS_TIME_NO_CHANGE = 1  #: it was simulated before, and is
    ROS_TIME_ACTIVATED = 2
    ROS_TIME_DEACTIVATED = 3
    SYSTEM_TIME_NO_CHANGE = 4


class JumpThreshold:
    """How large a jump has to be for callbacks to be called.

    Raises
    ------
    ValueError
        If a span has the wrong sign, or nothing at all would call.
    """

    def __init__(
        self, *, min_forward: Duration | None, min_backward: Duration | None, on_clock_change: bool = True
    ) -> None:
        if min_forward is not None and min_forward.nanoseconds <= 0:
            raise ValueError("min_forward must be a positive non-zero duration")
        if min_backward is not None and min_backward.nanoseconds >= 0:
            raise ValueError("min_backward must be a negative non-zero duration")
        if min_forward is None and min_backward is None and not on_clock_change:
            raise ValueError("At least one jump threshold must be enabled")
        self.min_forward = min_forward
        self.min_backward = min_backward
        self.on_clock_change = on_clock_change

    def reached(self, change: ClockChange, delta: int) -> bool:
        """Whether a jump of `delta` ns is large enough."""
        if change in (ClockChange.ROS_TIME_ACTIVATED, ClockChange.ROS_TIME_DEACTIVATED):
            return self.on_clock_change
        forward = self.min_forward is not None and delta >= self.min_forward.nanoseconds
        backward = self.min_backward is not None and delta <= self.min_backward.nanoseconds
        return forward or backward


class TimeJump:
    """A jump: its kind and its size."""

    def __init__(self, clock_change: ClockChange, delta: Duration) -> None:
        if not isinstance(clock_change, ClockChange):
            raise TypeError("clock_change must be an instance of rclpy.clock.ClockChange")
        self._clock_change, self._delta = clock_change, delta

    @property
    def clock_change(self) -> ClockChange:
        """Its kind."""
        return self._clock_change

    @property
    def delta(self) -> Duration:
        """Its size."""
        return self._delta


class JumpHandle:
    """Has callbacks called before and after a jump of a clock, until it is unregistered.

    Raises
    ------
    ValueError
        If there is no callback, or one cannot be called.
    """

    def __init__(
        self,
        *,
        clock: "Clock",
        threshold: JumpThreshold,
        pre_callback: Callable[[], None] | None,
        post_callback: Callable[[TimeJump], None] | None,
    ) -> None:
        if pre_callback is None and post_callback is None:
            raise ValueError("One of pre_callback or post_callback must be callable")
        for name, callback in (("pre_callback", pre_callback), ("post_callback", post_callback)):
            if callback is not None and not callable(callback):
                raise ValueError(f"{name} must be callable if given")
        self._clock: Clock | None = clock
        self.threshold, self.pre_callback, self.post_callback = threshold, pre_callback, post_callback
        clock._jumps.append(self)

    def unregister(self) -> None:
        """Call no more."""
        if self._clock is not None:
            self._clock._jumps.remove(self)
            self._clock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.unregister()


class Clock:
    """A source of time; of type ROS_TIME it is a `ROSClock`."""

    _clock_type: ClockType
    _jumps: list[JumpHandle]
    _handle: Handle
    _last: int

    def __new__(cls, *, clock_type: ClockType = ClockType.SYSTEM_TIME) -> "Clock":
        if not isinstance(clock_type, ClockType):
            raise TypeError("Clock type must be a ClockType enum")
        made = super().__new__(ROSClock if clock_type is ClockType.ROS_TIME else cls)
        made._clock_type, made._jumps, made._handle, made._last = clock_type, [], Handle("clock"), 0
        made._handle.owner = made
        return made

    @property
    def clock_type(self) -> ClockType:
        """Where its time comes from."""
        return self._clock_type

    @property
    def handle(self) -> Handle:
        """Never refuses: clocks are not destroyed."""
        return self._handle

    def __repr__(self) -> str:
        return f"Clock(clock_type={self.clock_type.name})"

    def now(self) -> Time:
        """The time it shows."""
        return Time(nanoseconds=self._now_ns(), clock_type=self.clock_type)

    def create_jump_callback(
        self,
        threshold: JumpThreshold,
        *,
        pre_callback: Callable[[], None] | None = None,
        post_callback: Callable[[TimeJump], None] | None = None,
    ) -> JumpHandle:
        """Have callbacks called before and after this clock jumps, while the handle is registered."""
        return JumpHandle(
            clock=self, threshold=threshold, pre_callback=pre_callback, post_callback=post_callback
        )

    def sleep_until(self, until: Time, context: "Context | None" = None) -> bool:
        """Sleep until the clock shows `until`; False if it woke for another reason.

        Other reasons are a shutdown of the context, and ROS time being switched on or off.

        Raises
        ------
        ValueError
            If `until` is of another clock type.
        NotInitializedException
            If the context is not initialised.
        """
        from .context import get_default_context

        context = context or get_default_context()
        if not context.ok():
            raise NotInitializedException
        if until.clock_type != self.clock_type:
            raise ValueError("until's clock type does not match this clock's type")
        woken, changed = threading.Event(), False

        def jumped(jump: TimeJump) -> None:
            nonlocal changed
            changed |= jump.clock_change in (ClockChange.ROS_TIME_ACTIVATED, ClockChange.ROS_TIME_DEACTIVATED)
            woken.set()

        context.on_shutdown(woken.set)
        threshold = JumpThreshold(min_forward=Duration(nanoseconds=1), min_backward=None)
        with self.create_jump_callback(threshold, post_callback=jumped):
            while context.ok() and not changed:
                left = until.nanoseconds - self._now_ns()
                if left <= 0:
                    return True
                woken.clear()
                woken.wait(min(left / S_TO_NS, 0.05))  # a signal handler may only mark the context
        return False

    def sleep_for(self, rel_time: Duration, context: "Context | None" = None) -> bool:
        """Sleep for a span of this clock's time; False if it woke for another reason."""
        return self.sleep_until(self.now() + rel_time, context)

    def _now_ns(self) -> int:
        now = _time.monotonic_ns() if self._clock_type is ClockType.STEADY_TIME else _time.time_ns()
        if self._clock_type is ClockType.STEADY_TIME:  # later than the last time even in the same tick
            self._last = now = max(now, self._last + 1)
        return now


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
        if enabled == self._active:
            return
        change = ClockChange.ROS_TIME_ACTIVATED if enabled else ClockChange.ROS_TIME_DEACTIVATED
        before = self._now_ns()
        after = self._override_ns if enabled else _time.time_ns()
        self._jump(change, after - before, active=enabled, override=self._override_ns)

    def set_ros_time_override(self, time: Time) -> None:
        """Set the time to show.

        Raises
        ------
        TypeError
            If `time` is not a Time.
        """
        if not isinstance(time, Time):
            raise TypeError(f"time must be a Time, got {type(time).__name__}")
        new = time.nanoseconds
        if self._active:
            delta = new - self._override_ns
            self._jump(ClockChange.ROS_TIME_NO_CHANGE, delta, active=True, override=new)
        else:
            self._override_ns = new

    def _jump(self, change: ClockChange, delta: int, *, active: bool, override: int) -> None:
        called = [jump for jump in list(self._jumps) if jump.threshold.reached(change, delta)]
        for jump in called:
            if jump.pre_callback is not None:
                jump.pre_callback()
        self._active, self._override_ns = active, override
        for jump in called:
            if jump.post_callback is not None:
                jump.post_callback(TimeJump(change, Duration(nanoseconds=delta)))

    def _now_ns(self) -> int:
        return self._override_ns if self._active else _time.time_ns()
