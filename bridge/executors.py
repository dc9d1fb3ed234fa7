"""The executors, as rclpy has them: which thread runs the callbacks that `executor.Executor` finds."""

import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .context import Context
from .executor import Executor, _never, await_or_execute
from .executor_waiting import (
    ConditionReachedException,
    ExternalShutdownException,
    ShutdownException,
    TimeoutException,
    TimeoutObject,
)
from .task import Task


class SingleThreadedExecutor(Executor):
    """Runs callbacks in the thread that spins it."""

    def __init__(self, *, context: Context | None = None) -> None:
        super().__init__(context=context)

    def _spin_once_impl(
        self,
        timeout_sec: float | TimeoutObject | None = None,
        wait_condition: Callable[[], bool] = _never,
    ) -> None:
        try:
            task, entity, node = self._next_ready(timeout_sec, None, wait_condition)
        except (ShutdownException, TimeoutException, ConditionReachedException):
            return
        if task is not None:
            self._perform(task)
        elif entity is not None:
            self._call(entity, node)

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
