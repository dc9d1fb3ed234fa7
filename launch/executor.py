"""The seam between a sweep and the processes that work through it; another executor may take over here."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from .errors import UserError
from .terminal import import_quietly

Task = TypeVar("Task")
Result = TypeVar("Result")

#: A process of ours keeps one core busy; libraries that start a thread a core would only get in the way, and
#: sums of linear algebra would depend on the number of cores in their last bit.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class Executor(Protocol):
    """Applies a function to independent tasks."""

    def run(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[tuple[int, Result]]:
        """Yield (index of the task, result) as results come."""


class Serial:
    """One task after the other, in this process."""

    def run(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[tuple[int, Result]]:
        """Yield results in the order of the tasks."""
        for index, task in enumerate(tasks):
            yield index, function(task)


class Processes:
    """At most `jobs` fresh processes; function and tasks must be picklable."""

    def __init__(self, jobs: int) -> None:
        if jobs < 1:
            raise ValueError(f"jobs must be >= 1, got {jobs}")
        self._jobs = jobs

    def run(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[tuple[int, Result]]:
        """Yield results in the order in which they are ready; the first failure stops the rest."""
        # Fork would copy the state of compiled kernels and of PyBullet; a fresh process has none to copy.
        context = multiprocessing.get_context("spawn")
        workers = min(self._jobs, max(1, len(tasks)))
        with (
            _one_thread_each(),
            concurrent.futures.ProcessPoolExecutor(
                workers, mp_context=context, initializer=_begin_worker, initargs=(os.getpid(),)
            ) as pool,
        ):
            futures = {pool.submit(function, task): index for index, task in enumerate(tasks)}
            try:
                for future in concurrent.futures.as_completed(futures):
                    yield futures[future], future.result()
            except concurrent.futures.process.BrokenProcessPool as error:
                raise UserError(
                    "a worker process died (out of memory?); try again with a smaller --jobs"
                ) from error
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


def make_executor(jobs: int | None, tasks: int) -> Executor:
    """Return an executor for `tasks` tasks on `jobs` processes (default: one for each core we may use)."""
    jobs = jobs or available_cores()
    return Processes(jobs) if jobs > 1 and tasks > 1 else Serial()


def available_cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin_worker(parent: int) -> None:
    """Prepare a worker, which is not to outlive its `parent`: a killed sweep would leave it computing."""
    import_quietly("pybullet")

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _one_thread_each() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
