"""The seam between a sweep and the processes that work through it: joblib, and whatever backend it knows."""

from __future__ import annotations

import concurrent.futures.process
import importlib
import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from .errors import UserError
from .terminal import import_quietly

Task = TypeVar("Task")
Result = TypeVar("Result")

#: A process of ours keeps one core busy; libraries that start a thread a core would only get in the way, and
#: sums of linear algebra would depend on the number of cores in their last bit.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

#: joblib's own processes. They begin anew: a fork would copy the state of compiled kernels and of PyBullet.
PROCESSES = "loky"
_COPYING = ("multiprocessing", "threading")  #: backends of joblib whose workers share or copy that state


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


class Parallel:
    """At most `jobs` workers of a joblib `backend`; function and tasks must be picklable.

    Parameters
    ----------
    jobs
        Workers; `None` for as many as the backend has.
    backend
        Any name that is registered with joblib (`joblib.register_parallel_backend`), or ``ray``.

    Raises
    ------
    UserError
        If there is no such backend, or its package is missing.
    """

    def __init__(self, jobs: int | None = None, backend: str = PROCESSES) -> None:
        if jobs is not None and jobs < 1:
            raise ValueError(f"jobs must be >= 1, got {jobs}")
        self._jobs, self._backend = jobs, backend
        _check(backend)

    def run(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[tuple[int, Result]]:
        """Yield results in the order in which they are ready; the first failure stops the rest.

        A backend that cannot hand out results one by one (as of Ray 2.60) gets as many tasks at a time as it
        has workers: what is done is not lost with what follows.
        """
        import joblib  # late: `tolman --help` does not need it

        options = {}
        if self._backend == PROCESSES:
            options = {"inner_max_num_threads": 1, "initializer": _begin_worker, "initargs": (os.getpid(),)}
        jobs = -1 if self._jobs is None else min(self._jobs, max(1, len(tasks)))
        with joblib.parallel_config(self._backend, n_jobs=jobs, **options) as config:
            streams = config["backend"].supports_return_generator
            # Tasks are long, and what they hold is theirs: no batches, no arrays shared read-only.
            workers = joblib.Parallel(
                batch_size=1, max_nbytes=None, return_as="generator_unordered" if streams else "list"
            )
            size = len(tasks) if streams else joblib.effective_n_jobs(jobs)
        calls = [joblib.delayed(_numbered)(function, task, index) for index, task in enumerate(tasks)]
        for first in range(0, len(calls), size):
            results = workers(calls[first : first + size])
            try:
                for result in results:  # noqa: UP028  (`yield from` would close it before the filter below)
                    yield result
            except concurrent.futures.process.BrokenProcessPool as error:
                raise UserError(
                    "a worker process died (out of memory?); try again with a smaller --jobs"
                ) from error
            finally:
                if streams:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")  # that results are missing is known
                        results.close()


def make_executor(jobs: int | None, tasks: int, backend: str | None = None) -> Executor:
    """Return an executor for `tasks` tasks on `jobs` workers (default: one for each core we may use).

    A `backend` that is named is used whatever the number of tasks, by default with all workers it has.

    Raises
    ------
    UserError
        As `Parallel`.
    """
    if backend is not None:
        return Parallel(jobs, backend)
    jobs = jobs or available_cores()
    return Parallel(jobs) if jobs > 1 and tasks > 1 else Serial()


def available_cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check(backend: str) -> None:
    """Raise `UserError` unless joblib can use `backend`; register it where another package has to."""
    import joblib

    if backend in _COPYING:
        raise UserError(f"backend {backend!r} does not begin with fresh processes; use {PROCESSES}")
    try:
        if backend == "ray":
            _register_ray()
        with joblib.parallel_config(backend):
            pass
    except ImportError as error:
        raise UserError(f"backend {backend!r} needs a package that is not installed ({error})") from error
    except ValueError as error:
        known = sorted({*joblib.parallel.BACKENDS, "ray"}.difference(_COPYING))
        reason = str(error) if backend in joblib.parallel.BACKENDS else f"known: {', '.join(known)}"
        raise UserError(f"joblib has no backend {backend!r} to use; {reason}") from error


def _register_ray() -> None:
    """Make ``ray`` a backend, on the cluster at RAY_ADDRESS or else on this machine."""
    ray = importlib.import_module("ray")
    importlib.import_module("ray.util.joblib").register_ray()
    if not ray.is_initialized():  # its backend asks for the number of cores before it starts Ray
        ray.init(logging_level=logging.WARNING)


def _numbered(function: Callable[[Task], Result], task: Task, index: int) -> tuple[int, Result]:
    return index, function(task)


def _begin_worker(parent: int) -> None:
    """Prepare a worker, which is not to outlive its `parent`: a killed sweep would leave it computing."""
    import_quietly("pybullet")

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
