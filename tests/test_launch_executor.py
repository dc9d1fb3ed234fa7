"""The seam to processes: fresh ones, that end with their parent, and any backend that joblib knows.

Functions go to workers by name, so the tasks are expressions and the function is `eval`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import joblib
import pytest
from joblib._parallel_backends import SequentialBackend
from tolman.launch.errors import UserError
from tolman.launch.executor import ONE_THREAD, Parallel, Serial, make_executor

PID = "__import__('os').getpid()"


def test_results_come_as_they_are_ready_from_fresh_processes_of_one_thread() -> None:
    slow = f"(__import__('time').sleep(1.0), {PID})"
    rest = [f"dict(__import__('os').environ, pid={PID}, loaded=sorted(__import__('sys').modules))"] * 2
    came = list(Parallel(2).run(eval, [slow, *rest]))
    assert [index for index, _ in came] == [1, 2, 0]
    assert came[0][1]["pid"] not in (os.getpid(), came[2][1][1])
    assert [came[0][1][name] for name in ONE_THREAD] == ["1"] * 4
    assert "pytest" not in came[0][1]["loaded"]  # nothing of this process was copied


def test_the_first_failure_stops_the_rest(tmp_path: Path) -> None:
    def started(k: int) -> str:
        return f"(open({str(tmp_path / str(k))!r}, 'w').close(), __import__('time').sleep(30))"

    began = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        list(Parallel(2).run(eval, ["1 / 0", *map(started, range(6))]))
    assert time.monotonic() - began < 15.0
    assert len(list(tmp_path.iterdir())) < 6


def test_a_consumer_that_stops_stops_the_rest() -> None:
    began = time.monotonic()
    results = Parallel(2).run(eval, ["1", *["__import__('time').sleep(30)"] * 3])
    assert next(results) == (0, 1)
    results.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 15.0


def test_a_dead_worker_is_one_clear_line() -> None:
    with pytest.raises(UserError, match="a worker process died"):
        list(Parallel(2).run(eval, ["__import__('os')._exit(1)", "__import__('time').sleep(30)"]))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX only")
def test_a_killed_parent_leaves_no_worker_computing(tmp_path: Path) -> None:
    def task(k: int) -> str:
        name = str(tmp_path / str(k))
        return f"(open({name!r}, 'w').write(str({PID})), __import__('time').sleep(60))"

    code = f"from tolman.launch.executor import Parallel; list(Parallel(2).run(eval, {[task(0), task(1)]}))"
    parent = subprocess.Popen([sys.executable, "-c", code])
    try:
        workers = [_pid(tmp_path / str(k)) for k in range(2)]
    finally:
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 10.0
    while any(map(_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(_alive, workers))


def _pid(file: Path) -> int:
    deadline = time.monotonic() + 30.0
    while time.monotonic() < deadline:
        if file.exists() and (text := file.read_text()):
            return int(text)
        time.sleep(0.05)
    raise AssertionError(f"no worker wrote {file}")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_any_registered_backend_takes_over() -> None:
    made = []

    class Elsewhere(SequentialBackend):
        def configure(self, *arguments: object, **named: object) -> int:
            made.append(self)
            return int(super().configure(*arguments, **named))

    joblib.register_parallel_backend("elsewhere", Elsewhere)
    try:
        executor = make_executor(None, 1, "elsewhere")
        assert list(executor.run(eval, ["1 + 1", "2 + 2"])) == [(0, 2), (1, 4)]
        assert made
    finally:
        del joblib.parallel.BACKENDS["elsewhere"]


def test_one_task_or_one_job_stays_here() -> None:
    assert isinstance(make_executor(4, 1), Serial)
    assert isinstance(make_executor(1, 4), Serial)
    assert isinstance(make_executor(2, 4), Parallel)


@pytest.mark.parametrize(
    ("backend", "parts"),
    [
        ("magic", ["'magic'", "loky", "ray"]),
        ("threading", ["fresh processes", "loky"]),
        ("multiprocessing", ["fresh processes"]),
        ("ray", ["'ray'", "not installed"]),
    ],
)
def test_a_backend_that_cannot_be_used_is_one_line(
    tolman: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
    backend: str,
    parts: list[str],
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    code, out, err = tolman("evaluate", "WaterMaze", "--seeds", "0,1", "--backend", backend)
    assert (code, out, err.count("\n")) == (2, "", 1)
    for part in parts:
        assert part in err
