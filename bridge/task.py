"""A result that is not there yet, as rclpy has it."""

import threading
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from .executors import Executor

T = TypeVar("T")


class Future(Generic[T]):
    """The outcome of something under way; done callbacks run in the thread that completes it."""

    def __init__(self, *, executor: "Executor | None" = None) -> None:
        self._executor = executor
        self._lock = threading.Lock()
        self._done = self._cancelled = False
        self._result: T | None = None
        self._exception: BaseException | None = None
        self._callbacks: list[Callable[[Future[T]], None]] = []

    def __await__(self) -> Generator[None, None, T | None]:
        while not self._done:
            yield
        return self.result()

    def cancel(self) -> None:
        """Give up, unless it is done."""
        with self._lock:
            if self._done:
                return
            self._cancelled = True
        self._finish()

    def cancelled(self) -> bool:
        """Whether it was given up."""
        return self._cancelled

    def done(self) -> bool:
        """Whether there is a result, an exception or a cancellation."""
        return self._done

    def result(self) -> T | None:
        """The result, None while there is none; raises the exception if there is one."""
        if self._exception is not None:
            raise self._exception
        return self._result

    def exception(self) -> BaseException | None:
        """The exception, if there is one."""
        return self._exception

    def set_result(self, result: T) -> None:
        """Complete it with a result."""
        self._result = result
        self._finish()

    def set_exception(self, exception: BaseException) -> None:
        """Complete it with an exception."""
        self._exception = exception
        self._finish()

    def add_done_callback(self, callback: Callable[["Future[T]"], None]) -> None:
        """Call `callback(self)` when it is done; now, if it is."""
        with self._lock:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback(self)

    def _finish(self) -> None:
        with self._lock:
            self._done = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)
