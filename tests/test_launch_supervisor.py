"""Processes are started in order, again after a crash, and ended whatever they do; none is left behind."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from live_agent import until
from rich.console import Console
from tolman.launch.description import CommandProcess
from tolman.launch.output import Output
from tolman.launch.supervisor import NOT_STARTED, Job, Supervisor, Warden

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs process groups")


def job(name: str, *command: str, stop_timeout: float = 0.3, **settings: Any) -> Job:
    process = CommandProcess(command=command, **settings)
    return Job(name, command, process, dict(os.environ), stop_timeout)


def python(name: str, code: str, **settings: Any) -> Job:
    return job(name, sys.executable, "-S", "-u", "-c", code, **settings)


def supervise(*jobs: Job, during: Callable[[], None] | None = None) -> tuple[int, str]:
    """Run jobs in this process; return exit code and output. `during` runs in another thread meanwhile."""
    written = io.StringIO()

    async def run() -> int:
        supervisor = Supervisor(jobs, Output(Console(file=written, width=200), [j.name for j in jobs]))
        if during is not None:
            threading.Thread(target=during).start()
        return await asyncio.wait_for(supervisor.run(), 30)

    return asyncio.run(run()), written.getvalue()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def test_all_lines_carry_a_name_and_none_is_cut() -> None:
    long = "x" * 500
    code, text = supervise(
        python("one", f"print('[bold]a[/bold]'); print('{long}'); print('open', end='')"),
        python("second", "import sys; print('to stderr', file=sys.stderr)"),
    )
    assert code == 0
    lines = text.splitlines()
    assert {"   one | [bold]a[/bold]", f"   one | {long}", "   one | open", "second | to stderr"} <= {*lines}


def test_a_crash_is_followed_by_restarts_with_growing_pauses_up_to_the_limit() -> None:
    began = time.monotonic()
    code, text = supervise(
        python(
            "crash", "print('up'); raise SystemExit(3)", restart="on-failure", max_restarts=2, back_off=0.2
        )
    )
    assert code == 1
    assert text.count("crash | up") == 3
    assert "restart 1 of 2 in 0.2 s" in text
    assert "restart 2 of 2 in 0.4 s" in text
    assert "crash ended with exit code 3; gave up after 2 restarts" in text
    assert time.monotonic() - began > 0.6


def test_a_crash_that_heals_counts_as_well(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    heals = (
        f"import os, sys; seen = os.path.exists({str(mark)!r}); open({str(mark)!r}, 'w')\n"
        "sys.exit(0 if seen else 5)"
    )
    code, text = supervise(python("heals", heals, restart="on-failure", back_off=0.05))
    assert code == 0
    assert text.count("restart") == 1


@pytest.mark.parametrize(("restart", "starts"), [("never", 1), ("on-failure", 1), ("always", 3)])
def test_what_ends_well_is_started_again_only_if_always(restart: str, starts: int) -> None:
    code, text = supervise(python("fine", "print('up')", restart=restart, max_restarts=2, back_off=0.02))
    assert code == 0
    assert text.count("fine | up") == starts


def test_the_end_of_a_required_process_ends_all() -> None:
    began = time.monotonic()
    code, text = supervise(python("short", "pass", required=True), job("long", "sleep", "60"))
    assert code == 0
    assert "short is required" in text
    assert time.monotonic() - began < 10
    assert (
        supervise(python("short", "raise SystemExit(2)", required=True), job("long", "sleep", "60"))[0] == 1
    )


def test_a_program_that_is_gone_is_told() -> None:
    code, text = supervise(job("gone", "/no/such/program"), python("other", "print('still')"))
    assert code == 1
    assert "gone cannot be started: No such file or directory" in text
    assert f"exit code {NOT_STARTED}" in text
    assert "other | still" in text


def test_order_is_kept() -> None:
    _, text = supervise(
        job("late", "date", "+late %s%N", after=("early",)), job("early", "date", "+early %s%N")
    )
    found = dict(re.findall(r"\| (early|late) (\d+)", text))
    assert int(found["early"]) < int(found["late"])


STUBBORN = (
    "import signal, time\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\nprint('up')\ntime.sleep(60)"
)


def test_who_ignores_signals_is_killed_with_all_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    tree = f"trap '' INT TERM; sleep 61 & echo $! >> {pids}; echo $$ >> {pids}; while :; do sleep 0.1; done"

    ready = tmp_path / "ready"
    stubborn = STUBBORN.replace("print('up')", f"open({str(ready)!r}, 'w').close()")

    def interrupt() -> None:
        assert until(lambda: ready.exists() and pids.exists() and len(pids.read_text().split()) == 2)
        os.kill(os.getpid(), signal.SIGINT)

    code, text = supervise(python("stubborn", stubborn), job("tree", "sh", "-c", tree), during=interrupt)
    assert code == 130
    assert "stubborn did not end within 0.6 s and is killed" in text
    assert "tree did not end within 0.6 s and is killed" in text
    for pid in map(int, pids.read_text().split()):
        assert not alive(pid)


def test_who_listens_is_given_time_and_not_killed() -> None:
    polite = (
        "import signal, sys, time\n"
        "def bye(*_):\n    time.sleep(0.3); print('bye'); sys.exit(0)\n"
        "signal.signal(signal.SIGINT, bye); print('up'); time.sleep(60)"
    )
    code, text = supervise(
        python("polite", polite, stop_timeout=5.0),
        python("short", "import time; time.sleep(0.5)", required=True),
    )
    assert code == 0
    assert "polite | bye" in text
    assert "killed" not in text


def test_what_a_process_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    assert supervise(job("parent", "sh", "-c", f"sleep 62 & echo $! > {pid}"))[0] == 0
    assert not alive(int(pid.read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nobody_outlives_the_launcher(number: signal.Signals, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    tree = f"sleep 63 & echo $! >> {pids}; echo $$ >> {pids}; wait"
    (tmp_path / "d.toml").write_text(
        "stop_timeout = 0.5\n"
        f'[processes.tree]\ncommand = ["sh", "-c", "{tree}"]\n'
        f'[processes.plain]\ncommand = ["sh", "-c", "echo $$ >> {pids}; exec sleep 64"]\n'
    )
    command = [sys.executable, "-m", "tolman.launch.cli", "launch", str(tmp_path / "d.toml")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as launcher:
        assert until(lambda: pids.exists() and len(pids.read_text().split()) == 3, 30)
        started = [int(pid) for pid in pids.read_text().split()]
        assert all(map(alive, started))
        launcher.send_signal(number)
        assert launcher.wait(20) == (-9 if number == signal.SIGKILL else 143)
    assert until(lambda: not any(map(alive, started)), 5)


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_group_whose_program_cannot_be_started_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[int] = []
    with Warden() as warden:
        monkeypatch.setattr(warden, "remove", removed.append)
        with pytest.raises(FileNotFoundError), warden.enlisting() as enlist:
            subprocess.Popen(["/no/such/program"], start_new_session=True, preexec_fn=enlist)
    assert len(removed) == 1
    assert removed[0] > 1
