"""What runs callbacks, as rclpy has it: woken by whatever has something to do.

An executor asks its nodes' entities in turn whether they are ready, and hands out those that are, as tasks.
Where rclpy has a wait set, here every entity wakes the executor: messages and answers from the thread that
receives them, timers by the time until their next call.

A coroutine that waits for a future is resumed when that is done; one that merely yields, at the next turn. So
a callback may await the answer of a service in a single thread.
"""

import inspect
import os
import threading
import time
import warnings
from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from .callback_groups import CallbackGroup
from .context import Context, get_default_context
from .exceptions import InvalidHandle
from .task import Future, Task
from .waitable import Waitable

if TYPE_CHECKING:
    from .node import Node

_POLL_SHUTDOWN = 0.2  #: s between looks at the context while nothing else wakes the executor
_POLL_YIELDED = 0.001  #: s between looks at coroutines that yielded without saying what they wait for

Work = tuple[Task[Any], "Entity | None", "Node | None"]


class Entity(Protocol):
    """A timer, subscription, service, client, guard condition or waitable."""

    callback_group: Any
    _executor_event: bool  #: whether it was handed out and has not begun yet

    def is_ready(self) -> bool:
        """Whether it has something to do."""

    def _take_call(self) -> Callable[[], Any] | None:
        """Take what it has to do; None if there is nothing after all."""


class TimeoutException(Exception):
    """Nothing became ready in time."""


class ShutdownException(Exception):
    """The executor was shut down while it waited."""


class ExternalShutdownException(Exception):
    """The context was shut down while the executor waited."""

    def __init__(self, message: str = "context is not valid") -> None:
        super().__init__(message)


class ConditionReachedException(Exception):
    """What was waited for came true."""


class TimeoutObject:
    """A time-out, s, that may change while it is waited for."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    @property
    def timeout(self) -> float:
        """s."""
        return self._timeout

    @timeout.setter
    def timeout(self, timeout: float) -> None:
        self._timeout = timeout


async def await_or_execute(callback: Callable[..., Any] | Coroutine[Any, Any, Any], *args: Any) -> Any:
    """Await `callback(*args)` if it is a coroutine function, or call it."""
    if inspect.iscoroutine(callback):
        return await callback
    assert callable(callback)
    result = callback(*args)
    return await result if inspect.iscoroutine(result) else result


class Executor:
    """Base of the executors: finds work; those who inherit say which thread does it."""

    def __init__(self, *, context: Context | None = None) -> None:
        self._context = get_default_context() if context is None else context
        self._nodes: list[Node] = []
        self._nodes_lock = threading.RLock()
        self._tasks: list[Work] = []
        self._tasks_lock = threading.Lock()
        self._wake = threading.Event()
        self._is_shutdown = False
        self._ready: Generator[Work, None, None] | None = None
        self._ready_arguments: tuple[object, ...] = ()
        self._context.on_shutdown(self.wake)

    @property
    def context(self) -> Context:
        """The context whose shutdown ends the spinning."""
        return self._context

    def create_task(
        self, callback: Callable[..., Any] | Coroutine[Any, Any, Any], *args: Any, **kwargs: Any
    ) -> Task[Any]:
        """Run a function or coroutine while spinning; what it returns becomes the result of the task."""
        task: Task[Any] = Task(callback, args, kwargs, executor=self)
        with self._tasks_lock:
            self._tasks.append((task, None, None))
        self.wake()
        return task

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Stop for good; False if callbacks still run after `timeout_sec` (for ever if None or negative)."""
        first, self._is_shutdown = not self._is_shutdown, True
        self.wake()
        if first and not self._wait_until_idle(timeout_sec):
            return False
        with self._nodes_lock:
            self._nodes.clear()
        self._ready = None
        return True

    def add_node(self, node: "Node") -> bool:
        """Run this node's callbacks from now on; False if that was so already.

        Raises
        ------
        ShutdownException
            If the executor is shut down.
        """
        if self._is_shutdown:
            raise ShutdownException
        with self._nodes_lock:
            if node in self._nodes:
                return False
            self._nodes.append(node)
            node.executor = self
        self.wake()
        return True

    def remove_node(self, node: "Node") -> None:
        """Run this node's callbacks no longer."""
        with self._nodes_lock:
            if node in self._nodes:
                self._nodes.remove(node)
        self.wake()

    def get_nodes(self) -> "list[Node]":
        """The nodes it serves."""
        with self._nodes_lock:
            return list(self._nodes)

    def wake(self) -> None:
        """Have it look for work; from any thread."""
        self._wake.set()

    def spin(self) -> None:
        """Run callbacks until the context or the executor is shut down."""
        while self._context.ok() and not self._is_shutdown:
            self.spin_once()

    def spin_until_future_complete(self, future: Future[Any], timeout_sec: float | None = None) -> None:
        """Run callbacks until `future` is done, at most `timeout_sec` (for ever if None or negative)."""
        future.add_done_callback(lambda _: self.wake())
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        left = TimeoutObject(-1.0 if timeout_sec is None else timeout_sec)
        while self._context.ok() and not future.done() and not self._is_shutdown:
            self._spin_once_until_future_complete(future, left)
            if end is not None:
                left.timeout = end - time.monotonic()
                if left.timeout <= 0:
                    return

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Run one callback, or wait for one at most `timeout_sec` (for ever if None or negative)."""
        self._spin_once_impl(timeout_sec)

    def spin_once_until_future_complete(
        self, future: Future[Any], timeout_sec: float | TimeoutObject | None = None
    ) -> None:
        """As `spin_once`, but waits no longer once `future` is done."""
        future.add_done_callback(lambda _: self.wake())
        self._spin_once_until_future_complete(future, timeout_sec)

    def _spin_once_until_future_complete(
        self, future: Future[Any], timeout_sec: float | TimeoutObject | None = None
    ) -> None:
        self._spin_once_impl(timeout_sec, future.done)

    def _spin_once_impl(
        self,
        timeout_sec: float | TimeoutObject | None = None,
        wait_condition: Callable[[], bool] = lambda: False,
    ) -> None:
        try:
            handler, _, _ = self.wait_for_ready_callbacks(timeout_sec, None, wait_condition)
        except (ShutdownException, TimeoutException, ConditionReachedException):
            return
        self._perform(handler)

    def _perform(self, handler: Task[Any]) -> None:
        """Do what was found, here or elsewhere; raise what callbacks raised."""
        raise NotImplementedError

    def can_execute(self, entity: Entity) -> bool:
        """Whether it was not handed out already, and its group lets it run."""
        group: CallbackGroup | None = entity.callback_group
        return not entity._executor_event and (group is None or group.can_execute(entity))

    def wait_for_ready_callbacks(
        self,
        timeout_sec: float | TimeoutObject | None = None,
        nodes: "list[Node] | None" = None,
        condition: Callable[[], bool] = lambda: False,
    ) -> Work:
        """Return the next task that can run, with its entity and its node.

        Raises
        ------
        TimeoutException, ShutdownException, ExternalShutdownException, ConditionReachedException
            If there is none in time, the executor or the context is shut down, or `condition` holds.
        """
        while True:
            arguments = (timeout_sec, nodes, condition)
            if self._ready is None or self._ready_arguments != arguments:
                self._ready = self._wait_for_ready_callbacks(timeout_sec, nodes, condition)
                self._ready_arguments = arguments
            try:
                return next(self._ready)
            except StopIteration:  # all that was ready has been handed out
                self._ready = None
            except BaseException:
                self._ready = None
                raise
            if condition():
                raise ConditionReachedException

    def _wait_for_ready_callbacks(
        self,
        timeout_sec: float | TimeoutObject | None = None,
        nodes: "list[Node] | None" = None,
        condition: Callable[[], bool] = lambda: False,
    ) -> Generator[Work, None, None]:
        """Yield all that is ready, once there is something."""
        limit = timeout_sec.timeout if isinstance(timeout_sec, TimeoutObject) else timeout_sec
        end = None if limit is None or limit < 0 else time.monotonic() + limit
        found = False
        while not found:
            self._wake.clear()
            self._check()
            if condition():
                raise ConditionReachedException
            chosen = self.get_nodes() if nodes is None else nodes
            for work in self._tasks_to_run(chosen):
                found = True
                yield work
            for entity, node in self._entities(chosen):
                if self._is_shutdown:
                    raise ShutdownException
                if self.can_execute(entity) and self._is_ready(entity):
                    found = True
                    yield self._hand_out(entity, node)
            if found:
                return
            self._check()
            left = _POLL_SHUTDOWN if end is None else end - time.monotonic()
            if left <= 0:
                raise TimeoutException
            self._wake.wait(min(left, self._until_next(chosen), _POLL_SHUTDOWN))

    def _is_ready(self, entity: Entity) -> bool:
        return entity._asked(self.wake) if isinstance(entity, Waitable) else entity.is_ready()

    def _check(self) -> None:
        if self._is_shutdown:
            raise ShutdownException
        if not self._context.ok():
            raise ExternalShutdownException

    def _tasks_to_run(self, nodes: "list[Node]") -> Iterator[Work]:
        with self._tasks_lock:
            self._tasks = [work for work in self._tasks if not work[0].done()]
            waiting = list(self._tasks)
        for task, entity, node in waiting:
            idle = not (task.executing() or task.done() or task.blocked)
            if idle and (node is None or node in nodes):
                yield task, entity, node

    @staticmethod
    def _entities(nodes: "list[Node]") -> "Iterator[tuple[Entity, Node]]":
        for node in nodes:
            for kind in (
                node.waitables, node.timers, node.subscriptions, node.guards, node.clients, node.services
            ):  # fmt: skip
                for entity in kind:
                    yield entity, node

    def _until_next(self, nodes: "list[Node]") -> float:
        """s until a timer is due, or a coroutine wants to be asked again."""
        due = [
            wait
            for node in nodes
            for timer in node.timers
            if (wait := timer.time_until_next_call()) is not None and self.can_execute(timer)
        ]
        longest = max(min(due, default=10**9) / 1e9, 0.0)
        with self._tasks_lock:
            yielded = any(not (task.executing() or task.done() or task.blocked) for task, _, _ in self._tasks)
        return min(longest, _POLL_YIELDED) if yielded else longest

    def _hand_out(self, entity: Entity, node: "Node") -> Work:
        entity._executor_event = True
        task: Task[Any] = Task(self._run, (entity,), executor=self)
        work: Work = (task, entity, node)
        with self._tasks_lock:
            self._tasks.append(work)
        return work

    async def _run(self, entity: Entity) -> None:
        group: CallbackGroup | None = entity.callback_group
        if self._is_shutdown or not (group is None or group.beginning_execution(entity)):
            entity._executor_event = False
            self.wake()
            return
        try:
            try:
                call = entity._take_call()
            except InvalidHandle:  # destroyed meanwhile
                call = None
            finally:
                entity._executor_event = False
            if call is not None:
                outcome = call()
                if inspect.iscoroutine(outcome):
                    await outcome
        finally:
            if group is not None:
                group.ending_execution(entity)
            self.wake()

    def _wait_until_idle(self, timeout_sec: float | None) -> bool:
        """Wait until no callback runs in another thread; coroutines that wait for something do not count."""
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        own = threading.get_ident()
        while True:
            with self._tasks_lock:
                busy = any(task._thread not in (0, own) for task, _, _ in self._tasks)
            if not busy:
                return True
            if end is not None and time.monotonic() >= end:
                return False
            time.sleep(_POLL_YIELDED)

    def _inside(self) -> bool:
        """Whether a callback of this executor runs in this very thread."""
        with self._tasks_lock:
            return any(task._thread == threading.get_ident() for task, _, _ in self._tasks)

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

    def _perform(self, handler: Task[Any]) -> None:
        handler()
        if (error := handler.exception()) is not None:
            raise error


class MultiThreadedExecutor(Executor):
    """Runs callbacks in a pool of threads: those of one mutually exclusive group one after the other.

    Parameters
    ----------
    num_threads : int, optional
        By default as many as the process has cores.
    """

    def __init__(self, num_threads: int | None = None, *, context: Context | None = None) -> None:
        super().__init__(context=context)
        if num_threads is None:
            num_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        if num_threads == 1:
            warnings.warn(
                "MultiThreadedExecutor with a single thread: use the SingleThreadedExecutor instead",
                stacklevel=2,
            )
        self._futures: list[Task[Any]] = []
        self._executor = ThreadPoolExecutor(num_threads)

    def _perform(self, handler: Task[Any]) -> None:
        handler._executing = True  # so that it is not handed out again before its thread begins
        self._executor.submit(handler)
        self._futures.append(handler)
        for done in [task for task in self._futures if task.done()]:
            self._futures.remove(done)
            done.result()

    def shutdown(self, timeout_sec: float | None = None, *, wait_for_threads: bool = True) -> bool:
        """Stop for good; `wait_for_threads`: until all threads have ended."""
        done = super().shutdown(timeout_sec)
        self._executor.shutdown(wait=wait_for_threads and not self._inside())
        return done


__all__ = [
    "ConditionReachedException",
    "Executor",
    "ExternalShutdownException",
    "MultiThreadedExecutor",
    "ShutdownException",
    "SingleThreadedExecutor",
    "TimeoutException",
    "TimeoutObject",
    "await_or_execute",
]
