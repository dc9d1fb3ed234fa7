"""What runs callbacks, as rclpy has it: woken by whatever has something to do.

An executor asks its nodes' entities in turn whether they are ready, and hands out those that are, as tasks.
Where rclpy has a wait set, here every entity wakes the executor: messages and answers from the thread that
receives them, timers by the time until their next call.

A coroutine that waits for a future is resumed when that is done; one that merely yields, at the next turn. So
a callback may await the answer of a service in a single thread.
"""

import inspect
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from .callback_groups import CallbackGroup
from .context import Context, get_default_context
from .exceptions import InvalidHandle
from .executor_waiting import (
    ConditionReachedException,
    ExternalShutdownException,
    ShutdownException,
    TimeoutException,
    TimeoutObject,
    Waiting,
)
from .task import Future, Task
from .waitable import Waitable

if TYPE_CHECKING:
    from .node import Node

_POLL_SHUTDOWN = 0.2  #: s between looks at the context while nothing else wakes the executor
_POLL_YIELDED = 0.001  #: s between looks at coroutines that yielded without saying what they wait for

Work = tuple[Task[Any], "Entity | None", "Node | None"]
#: the same, but for an entity that is ready there is no task yet
Found = tuple[Task[Any] | None, "Entity | None", "Node | None"]


class Entity(Protocol):
    """A timer, subscription, service, client, guard condition or waitable."""

    callback_group: Any
    _executor_event: bool  #: whether it was handed out and has not begun yet

    def is_ready(self) -> bool:
        """Whether it has something to do."""

    def _take_call(self) -> Callable[[], Any] | None:
        """Take what it has to do; None if there is nothing after all."""


async def await_or_execute(callback: Callable[..., Any] | Coroutine[Any, Any, Any], *args: Any) -> Any:
    """Await `callback(*args)` if it is a coroutine function, or call it."""
    if inspect.iscoroutine(callback):
        return await callback
    assert callable(callback)
    result = callback(*args)
    return await result if inspect.iscoroutine(result) else result


def _still_ready(entity: Entity) -> bool:
    """Whether what was ready is so yet: it may be destroyed. Waitables may be asked only once."""
    return isinstance(entity, Waitable) or entity.is_ready()


def _never() -> bool:
    return False


class Executor:
    """Base of the executors: finds work; those who inherit say which thread does it."""

    def __init__(self, *, context: Context | None = None) -> None:
        self._context = get_default_context() if context is None else context
        self._nodes: tuple[Node, ...] = ()  #: replaced as a whole: whoever looks needs no lock
        self._nodes_lock = threading.RLock()
        self._tasks: list[Work] = []
        self._tasks_lock = threading.Lock()
        self._waiting = Waiting(self._context)
        self._calling = 0  #: the thread in which a callback runs that is no task
        self._is_shutdown = False
        self._ready: Generator[Found, None, None] | None = None
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
            self._nodes = ()
        self._ready = None
        self._waiting.close()
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
            self._nodes = (*self._nodes, node)
            node.executor = self
        self.wake()
        return True

    def remove_node(self, node: "Node") -> None:
        """Run this node's callbacks no longer."""
        with self._nodes_lock:
            self._nodes = tuple(other for other in self._nodes if other is not node)
        self.wake()

    def get_nodes(self) -> "list[Node]":
        """The nodes it serves."""
        return list(self._nodes)

    def wake(self) -> None:
        """Have it look for work; from any thread."""
        self._waiting.wake()

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
        wait_condition: Callable[[], bool] = _never,
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
        condition: Callable[[], bool] = _never,
    ) -> Work:
        """Return the next task that can run, with its entity and its node.

        Raises
        ------
        TimeoutException, ShutdownException, ExternalShutdownException, ConditionReachedException
            If there is none in time, the executor or the context is shut down, or `condition` holds.
        """
        task, entity, node = self._next_ready(timeout_sec, nodes, condition)
        if task is None:
            assert entity is not None
            task = self._hand_out(entity, node)
        return task, entity, node

    def _next_ready(
        self,
        timeout_sec: float | TimeoutObject | None = None,
        nodes: "list[Node] | None" = None,
        condition: Callable[[], bool] = _never,
    ) -> Found:
        """As `wait_for_ready_callbacks`, and fails as that does."""
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
        condition: Callable[[], bool] = _never,
    ) -> Generator[Found, None, None]:
        """Yield all that is ready, once there is something."""
        limit = timeout_sec.timeout if isinstance(timeout_sec, TimeoutObject) else timeout_sec
        end = None if limit is None or limit < 0 else time.monotonic() + limit
        waiting = self._waiting
        while True:
            found = False
            waiting.expect()
            if self._is_shutdown or not self._context.ok():
                self._check()
            if condition is not _never and condition():
                raise ConditionReachedException
            chosen = self._nodes if nodes is None else nodes
            if not waiting.brief():
                waiting.receive()
            if self._tasks:
                for work in self._tasks_to_run(chosen):
                    found = True
                    yield work
            ready = self._entities_ready(chosen)
            for entity, node in ready:
                while self.can_execute(entity) and _still_ready(entity):
                    found = True
                    yield None, entity, node
                    if self._is_shutdown:
                        raise ShutdownException
                    if len(ready) > 1 or isinstance(entity, Waitable) or not waiting.brief():
                        break  # it is the turn of the others
            if found:
                if end is None:
                    continue
                return
            self._check()
            left = _POLL_SHUTDOWN if end is None else end - time.monotonic()
            if left <= 0:
                raise TimeoutException
            waiting.wait(min(left, self._until_next(chosen), _POLL_SHUTDOWN))

    def _entities_ready(self, nodes: "Sequence[Node]") -> "list[tuple[Entity, Node]]":
        ready: list[tuple[Entity, Node]] = []
        for node in nodes:
            for waitable in tuple(node._waitables):
                if self.can_execute(waitable) and waitable._asked(self.wake):
                    ready.append((waitable, node))
            kinds: tuple[Sequence[Entity], ...] = (
                node._timers, node._subscriptions, node._guards, node._clients, node._services
            )  # fmt: skip
            for kind in kinds:
                for entity in tuple(kind):
                    if entity.is_ready():
                        ready.append((entity, node))
        return ready

    def _check(self) -> None:
        if self._is_shutdown:
            raise ShutdownException
        if not self._context.ok():
            raise ExternalShutdownException

    def _tasks_to_run(self, nodes: "Sequence[Node]") -> Iterator[Work]:
        with self._tasks_lock:
            self._tasks = [work for work in self._tasks if not work[0].done()]
            waiting = list(self._tasks)
        for task, entity, node in waiting:
            idle = not (task.executing() or task.done() or task.blocked)
            if idle and (node is None or node in nodes):
                yield task, entity, node

    def _until_next(self, nodes: "Sequence[Node]") -> float:
        """s until a timer is due, or a coroutine wants to be asked again."""
        due = [
            wait
            for node in nodes
            for timer in tuple(node._timers)
            if (wait := timer.time_until_next_call()) is not None and self.can_execute(timer)
        ]
        longest = max(min(due, default=10**9) / 1e9, 0.0)
        if not self._tasks:
            return longest
        with self._tasks_lock:
            yielded = any(not (task.executing() or task.done() or task.blocked) for task, _, _ in self._tasks)
        return min(longest, _POLL_YIELDED) if yielded else longest

    def _hand_out(self, entity: Entity, node: "Node | None") -> Task[Any]:
        entity._executor_event = True
        task: Task[Any] = Task(self._run, (entity,), executor=self)
        with self._tasks_lock:
            self._tasks.append((task, entity, node))
        return task

    def _call(self, entity: Entity, node: "Node | None") -> None:
        """Run the callback of an entity that is ready, here and now: a task only if it is a coroutine."""
        group: CallbackGroup | None = entity.callback_group
        if not (group is None or group.beginning_execution(entity)):
            return
        outcome: Any = None
        outer, self._calling = self._calling, threading.get_ident()
        try:
            try:
                call = entity._take_call()
            except InvalidHandle:  # destroyed meanwhile
                call = None
            if call is not None:
                outcome = call()
        finally:
            self._calling = outer
            goes_on = outcome is not None and inspect.iscoroutine(outcome)
            if group is not None and not goes_on:
                group.ending_execution(entity)
        if goes_on:
            task: Task[Any] = Task(self._finish(outcome, entity), executor=self)
            with self._tasks_lock:
                self._tasks.append((task, entity, node))
            self._perform(task)

    async def _finish(self, outcome: Coroutine[Any, Any, Any], entity: Entity) -> None:
        """Await a callback that has begun."""
        try:
            await outcome
        finally:
            self._end(entity)

    def _end(self, entity: Entity) -> None:
        group: CallbackGroup | None = entity.callback_group
        if group is not None:
            group.ending_execution(entity)
        self.wake()

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
            self._end(entity)

    def _wait_until_idle(self, timeout_sec: float | None) -> bool:
        """Wait until no callback runs in another thread; coroutines that wait for something do not count."""
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        own = threading.get_ident()
        while True:
            with self._tasks_lock:
                busy = any(task._thread not in (0, own) for task, _, _ in self._tasks)
            if not busy and self._calling in (0, own):
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
