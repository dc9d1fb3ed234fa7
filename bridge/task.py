"""A result that is not there yet, and work that makes one, as rclpy has them."""

import asyncio
import inspect
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    from .executors import Executor

T = TypeVar("T")


class Future(Generic[T]):
    """The outcome of something under way.

    Done callbacks run as tasks of `executor`; without one, in the thread that completes the future.
    """

    def __init__(self, *, executor: "Executor | None" = None) -> None:
        self._lock = threading.Lock()
        self._done = self._cancelled = self._fetched = False
        self._result: T | None = None
        self._exception: BaseException | None = None
        self._callbacks: list[Callable[[Future[T]], None]] = []
        self._executor: weakref.ref[Executor] | None = None
        self._set_executor(executor)

    def __del__(self) -> None:
        if self._exception is not None and not self._fetched:
            print(f"The following exception was never retrieved: {self._exception}", file=sys.stderr)

    def __await__(self) -> Generator["Future[T] | None", None, T | None]:
        while not self._done:
            # An executor resumes whoever waits when it is done; an event loop of asyncio wants None.
            yield None if _in_event_loop() else self
        return self.result()

    def cancel(self) -> None:
        """Give up, unless it is done."""
        with self._lock:
            if not self._done:
                self._cancelled = True
        self._run_callbacks()

    def cancelled(self) -> bool:
        """Whether it was given up."""
        return self._cancelled

    def done(self) -> bool:
        """Whether there is a result or an exception."""
        return self._done

    def result(self) -> T | None:
        """The result, None while there is none; raises the exception if there is one."""
        exception = self.exception()
        if exception is not None:
            raise exception
        return self._result

    def exception(self) -> BaseException | None:
        """The exception, if there is one."""
        self._fetched = True
        return self._exception

    def set_result(self, result: T) -> None:
        """Complete it with a result."""
        with self._lock:
            self._result = result
            self._done, self._cancelled = True, False
        self._run_callbacks()

    def set_exception(self, exception: BaseException) -> None:
        """Complete it with an exception."""
        with self._lock:
            self._exception = exception
            self._fetched = False
            self._done, self._cancelled = True, False
        self._run_callbacks()

    def add_done_callback(self, callback: Callable[["Future[T]"], None]) -> None:
        """Call `callback(self)` when it is done; now, if it is."""
        with self._lock:
            if not self._done:
                self._callbacks.append(callback)
                return
            executor = self._its_executor()
        if executor is None:
            callback(self)
        else:
            executor.create_task(callback, self)

    def remove_done_callback(self, callback: Callable[["Future[T]"], None]) -> bool:
        """Forget a callback; False if it is not there."""
        with self._lock:
            if callback not in self._callbacks:
                return False
            self._callbacks.remove(callback)
            return True

    def _its_executor(self) -> "Executor | None":
        return None if self._executor is None else self._executor()

    def _set_executor(self, executor: "Executor | None") -> None:
        with self._lock:
            self._executor = None if executor is None else weakref.ref(executor)

    def _run_callbacks(self) -> None:
        with self._lock:
            callbacks, self._callbacks = self._callbacks, []
            executor = self._its_executor()
        for callback in callbacks:
            if isinstance(callback, _Resume):
                callback(self)
            elif executor is not None:
                executor.create_task(callback, self)
            else:
                try:
                    callback(self)
                except Exception as error:  # the others must be called too
                    warnings.warn(f"Unhandled exception in done callback: {error}", stacklevel=2)


def _in_event_loop() -> bool:
    """Whether a loop of asyncio runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class _Resume:
    """A done callback that makes a task runnable again, and never becomes a task itself."""

    def __init__(self, resume: Callable[[], None]) -> None:
        self._resume = resume

    def __call__(self, _: Future[Any]) -> None:
        self._resume()


class Task(Future[T]):
    """Runs a function, or a coroutine step by step, each time it is called, until that is done."""

    def __init__(
        self,
        handler: Callable[..., T] | Callable[..., Coroutine[Any, Any, T]] | Coroutine[Any, Any, T] | None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        executor: "Executor | None" = None,
    ) -> None:
        super().__init__(executor=executor)
        self._handler: Any = handler
        self._args, self._kwargs = tuple(args or ()), dict(kwargs or {})
        if inspect.iscoroutinefunction(handler):
            self._handler = handler(*self._args, **self._kwargs)
            self._args, self._kwargs = (), {}
        self._executing = False
        self._task_lock = threading.Lock()
        self._thread = 0  #: that runs it
        self._awaited: Future[Any] | None = None

    def __call__(self) -> None:
        """Run it, or its next step; nothing if it is done or runs already."""
        if self._done or not self._task_lock.acquire(blocking=False):
            return
        try:
            self._executing, self._thread = True, threading.get_ident()
            if inspect.iscoroutine(self._handler):
                self._step(cast(Coroutine[Any, Any, T], self._handler))
            elif self._handler is not None:
                try:
                    result = self._handler(*self._args, **self._kwargs)
                except Exception as error:
                    self._finish(None, error)
                else:
                    self._finish(result, None)
        finally:
            self._executing, self._thread = False, 0
            self._task_lock.release()

    def executing(self) -> bool:
        """Whether it runs at this moment."""
        return self._executing

    @property
    def blocked(self) -> bool:
        """Whether it waits for a future that is not done, so that there is no use in calling it."""
        return self._awaited is not None and not self._awaited.done()

    def _step(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._awaited = None
        try:
            awaited = coroutine.send(None)
        except StopIteration as stop:
            self._finish(stop.value, None)
        except Exception as error:
            self._finish(None, error)
        else:
            executor = self._its_executor()
            if isinstance(awaited, Future) and executor is not None:
                self._awaited = awaited
                awaited.add_done_callback(_Resume(executor.wake))

    def _finish(self, result: T | None, error: BaseException | None) -> None:
        self._handler = None
        self._args, self._kwargs = (), {}
        if error is not None:
            self.set_exception(error)
        else:
            self.set_result(cast(T, result))
