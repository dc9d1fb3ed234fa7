"""What runs callbacks, as rclpy has it: one thread here, woken by whatever has something to do."""

import inspect
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .context import Context, get_default_context
from .guard_condition import GuardCondition
from .subscription import Subscription
from .task import Future
from .timer import Timer, TimerInfo

if TYPE_CHECKING:
    from .node import Node

Entity = Timer | Subscription[Any] | GuardCondition
_POLL_SHUTDOWN = 0.2  #: s between looks at the context while nothing else wakes the executor


class ShutdownException(Exception):
    """The executor was shut down while it waited."""


class ExternalShutdownException(Exception):
    """The context was shut down while the executor waited."""

    def __init__(self) -> None:
        super().__init__("context is not valid")


class TimeoutException(Exception):
    """Nothing became ready in time."""


class Executor:
    """Runs the callbacks of its nodes, one at a time, in the thread that spins it."""

    def __init__(self, *, context: Context | None = None) -> None:
        self._context = get_default_context() if context is None else context
        self._nodes: list[Node] = []
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._is_shutdown = False
        self._turn = 0
        self._context.on_shutdown(self.wake)

    @property
    def context(self) -> Context:
        """The context whose shutdown ends the spinning."""
        return self._context

    def add_node(self, node: "Node") -> bool:
        """Run this node's callbacks from now on; False if that was so already.

        Raises
        ------
        ShutdownException
            If the executor is shut down.
        """
        if self._is_shutdown:
            raise ShutdownException
        with self._lock:
            if node in self._nodes:
                return False
            self._nodes.append(node)
            node.executor = self
        self.wake()
        return True

    def remove_node(self, node: "Node") -> None:
        """Run this node's callbacks no longer."""
        with self._lock:
            if node in self._nodes:
                self._nodes.remove(node)
        self.wake()

    def get_nodes(self) -> "list[Node]":
        """The nodes it serves."""
        return list(self._nodes)

    def wake(self) -> None:
        """Have it look for work; from any thread."""
        self._wake.set()

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Stop for good."""
        self._is_shutdown = True
        with self._lock:
            self._nodes.clear()
        self.wake()
        return True

    def spin(self) -> None:
        """Run callbacks until the context or the executor is shut down."""
        while self._context.ok() and not self._is_shutdown:
            self.spin_once()

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Run one callback, or wait for one at most `timeout_sec` (for ever if None or negative)."""
        try:
            call = self._wait_for_work(timeout_sec, lambda: False)
        except (ShutdownException, TimeoutException):
            return
        call()

    def spin_until_future_complete(self, future: Future[Any], timeout_sec: float | None = None) -> None:
        """Run callbacks until `future` is done, at most `timeout_sec` (for ever if None or negative)."""
        future.add_done_callback(lambda _: self.wake())
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        while self._context.ok() and not future.done() and not self._is_shutdown:
            left = None if end is None else max(end - time.monotonic(), 0.0)
            self.spin_once_until_future_complete(future, left)
            if end is not None and time.monotonic() >= end:
                return

    def spin_once_until_future_complete(self, future: Future[Any], timeout_sec: float | None = None) -> None:
        """As `spin_once`, but waits no longer once `future` is done."""
        try:
            call = self._wait_for_work(timeout_sec, future.done)
        except (ShutdownException, TimeoutException):
            return
        call()

    def _wait_for_work(self, timeout_sec: float | None, condition: Callable[[], bool]) -> Callable[[], None]:
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        while True:
            self._wake.clear()
            call = self._next_call()
            if call is not None:
                return call
            if self._is_shutdown:
                raise ShutdownException
            if not self._context.ok():
                raise ExternalShutdownException
            left = _POLL_SHUTDOWN if end is None else end - time.monotonic()
            if left <= 0 or condition():
                raise TimeoutException
            self._wake.wait(min(left, self._until_timer(), _POLL_SHUTDOWN))

    def _entities(self) -> Iterator[Entity]:
        for node in list(self._nodes):
            yield from node.timers
            yield from node.subscriptions
            yield from node.guards

    def _until_timer(self) -> float:
        waits = [
            wait
            for node in list(self._nodes)
            for t in node.timers
            if (wait := t.time_until_next_call()) is not None
        ]
        return max(min(waits, default=10**9) / 1e9, 0.0)

    def _next_call(self) -> Callable[[], None] | None:
        """The next callback that is due; the search starts behind the last one, so that none starves."""
        entities = list(self._entities())
        for offset in range(len(entities)):
            index = (self._turn + offset) % len(entities)
            entity = entities[index]
            group = entity.callback_group
            if _ready(entity) and (group is None or group.beginning_execution(entity)):
                self._turn = index + 1
                return lambda: _run(entity)
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.shutdown()


class SingleThreadedExecutor(Executor):
    """Runs callbacks in the thread that spins it."""

    def __init__(self, *, context: Context | None = None) -> None:
        super().__init__(context=context)


def _ready(entity: Entity) -> bool:
    return entity.waiting > 0 if isinstance(entity, Subscription) else entity.is_ready()


def _run(entity: Entity) -> None:
    try:
        if isinstance(entity, Subscription):
            entity.execute()
            return
        info = entity.take()
        callback = entity.callback
        if callback is None:
            return
        if info is not None and any(
            p.annotation is TimerInfo for p in inspect.signature(callback).parameters.values()
        ):
            callback(info)  # type: ignore[call-arg]
        else:
            callback()  # type: ignore[call-arg]
    finally:
        if entity.callback_group is not None:
            entity.callback_group.ending_execution(entity)
