"""Starts processes, watches over them, starts them again, and ends them all: none is left behind.

Each process leads a group of its own, which is signalled as a whole. Should the launcher be killed, the
kernel kills its children (Linux) and the warden what is left of their groups.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from .description import Process
from .output import Output

HEALTHY = 60.0  #: s after which a process that ends is not said to fail again and again
LONGEST_BACK_OFF = 30.0  #: s
LAST_WORDS = 0.5  #: s for what a process that has ended wrote
POLL = 0.02  #: s between looks at a group that is to end
NOT_STARTED = 127  #: exit code that shells give a program that is not there
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


@dataclass(frozen=True)
class Job:
    """A process as it is started."""

    name: str
    command: tuple[str, ...]
    settings: Process
    variables: Mapping[str, str]  #: all of its environment
    stop_timeout: float  #: s
    directory: str | None = None


class Supervisor:
    """Runs `jobs`, in this order, until all have ended, a required one has, or a signal comes."""

    def __init__(self, jobs: Sequence[Job], output: Output) -> None:
        self._jobs, self._output = jobs, output
        self._stopping, self._hurried = asyncio.Event(), asyncio.Event()
        self._started = {job.name: asyncio.Event() for job in jobs}
        self._codes: dict[str, int] = {}  # of those that ended by themselves
        self._signal: int | None = None
        self._warden = Warden()
        self._before_exec = dies_with_parent()

    async def run(self) -> int:
        """Return the exit code.

        0 if all that ended by themselves ended well, 1 if not, 128 and the signal's number if one came.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._signalled, number)
        with self._warden, adopting():
            keepers = [asyncio.create_task(self._keep(job)) for job in self._jobs]
            try:
                await asyncio.gather(*keepers)
            finally:
                for keeper in keepers:
                    keeper.cancel()
                await asyncio.gather(*keepers, return_exceptions=True)
        if self._signal is not None:
            return 128 + self._signal
        return int(any(self._codes.values()))

    def _signalled(self, number: int) -> None:
        if self._stopping.is_set():
            self._hurried.set()  # asked twice
            return
        self._signal = number
        self._stop(f"{signal.Signals(number).name}: stopping all")

    def _stop(self, reason: str) -> None:
        if not self._stopping.is_set():
            self._output.say(reason)
            self._stopping.set()

    async def _keep(self, job: Job) -> None:
        """Run a job until it is not to be started again."""
        for before in job.settings.after:
            await self._started[before].wait()
        settings, row, clock = job.settings, 0, asyncio.get_running_loop().time
        while not self._stopping.is_set():
            began = clock()
            code = await self._live(job)
            if self._stopping.is_set():
                return
            row = 0 if clock() - began >= HEALTHY else row
            again = settings.restart == "always" or (settings.restart == "on-failure" and code != 0)
            if not again or row >= settings.max_restarts:
                gave_up = f"; gave up after {_times(row)}" if again else ""
                self._output.say(f"{job.name} {_how(code)}{gave_up}")
                self._codes[job.name] = code
                if settings.required:
                    self._stop(f"{job.name} is required: stopping all")
                return
            delay = min(settings.back_off * 2.0**row, LONGEST_BACK_OFF)
            row += 1
            self._output.say(
                f"{job.name} {_how(code)}; restart {row} of {settings.max_restarts} in {delay:g} s"
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)

    async def _live(self, job: Job) -> int:
        """Start a job and see it through to its end; return its exit code, negative for a signal."""
        # A pipe of our own: with that of asyncio, the end of a process is told only when all who have its
        # output have ended too.
        ours, its = os.pipe()
        try:
            with self._warden.enlisting() as enlist:
                process = await asyncio.create_subprocess_exec(
                    *job.command,
                    stdin=subprocess.DEVNULL,
                    stdout=its,
                    stderr=subprocess.STDOUT,
                    env=job.variables,
                    cwd=job.directory,
                    start_new_session=True,
                    preexec_fn=lambda: (self._before_exec(), enlist()),
                )
        except OSError as error:
            os.close(ours)
            self._started[job.name].set()
            self._output.say(f"{job.name} cannot be started: {error.strerror or error}")
            return NOT_STARTED
        finally:
            os.close(its)
        self._started[job.name].set()
        follower = asyncio.create_task(self._follow(job.name, ours))
        ended, stopped = asyncio.create_task(process.wait()), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((ended, stopped, follower), return_when=asyncio.FIRST_COMPLETED)
            if follower.done():
                follower.result()  # raises if nobody takes our output any more
                await asyncio.wait((ended, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await self._end(job, process.pid, ended)
            return await ended
        finally:
            stopped.cancel()
            signal_group(process.pid, signal.SIGKILL)  # it, or whom it left behind
            await ended
            for _ in range(round(LAST_WORDS / POLL)):
                if not alive(process.pid):
                    break
                await asyncio.sleep(POLL)
            self._warden.remove(process.pid)
            # Who left the group may hold the pipe open for ever.
            await asyncio.wait((follower,), timeout=LAST_WORDS)
            follower.cancel()

    async def _follow(self, name: str, pipe: int) -> None:
        """Show what comes out of `pipe` until it is closed at the other end."""
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", 0)
        )
        try:
            await self._output.follow(name, reader)
        finally:
            transport.close()

    async def _end(self, job: Job, group: int, ended: asyncio.Task[int]) -> None:
        """Ask the group of a job to end, and then make it."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal_group(group, number)
            end = asyncio.get_running_loop().time() + job.stop_timeout
            while asyncio.get_running_loop().time() < end and not self._hurried.is_set():
                if ended.done() and not alive(group):
                    return
                await asyncio.sleep(POLL)
        if not self._hurried.is_set():
            self._output.say(f"{job.name} did not end within {2 * job.stop_timeout:g} s and is killed")
        signal_group(group, signal.SIGKILL)


class Warden:
    """The process that kills all groups should this one be gone. See `warden`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        program = Path(__file__).with_name("warden.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(program)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.communicate()

    @contextlib.contextmanager
    def enlisting(self) -> Iterator[Callable[[], None]]:
        """Give what a child does before its program: its group is watched over from its first moment on.

        Were it told from here, a launcher killed in between would leave what the child had started. The group
        of a program that could not be started is taken back.
        """
        assert self._process is not None
        assert self._process.stdin is not None
        warden = self._process.stdin.fileno()
        ours, its = os.pipe()

        def enlist() -> None:
            line = b"+%d\n" % os.getpid()
            os.write(its, line)
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
            with contextlib.suppress(BrokenPipeError):  # somebody killed the warden
                os.write(warden, line)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)

        try:
            yield enlist
        except OSError:
            os.set_blocking(ours, False)
            with contextlib.suppress(BlockingIOError):  # there was not even a child
                self.remove(int(os.read(ours, 32)))
            raise
        finally:
            os.close(ours)
            os.close(its)

    def remove(self, group: int) -> None:
        """Leave a group alone: it is over, and its number may be given to another."""
        self._write(f"-{group}\n")

    def _write(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # somebody killed the warden
            self._process.stdin.write(line)
            self._process.stdin.flush()


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; False if there is nobody in it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def alive(group: int) -> bool:
    """Whether anybody is left in a group whose leader has ended; buries those that have been adopted."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass
    return signal_group(group, 0)


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Let processes whose parent ends become children of this one (Linux): else nobody may bury them."""
    if sys.platform != "linux":
        yield
        return
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0)


def dies_with_parent() -> Callable[[], None]:
    """Return what a child does before its program: have the kernel kill it with its parent (Linux)."""
    if sys.platform != "linux":
        return lambda: None
    prctl, parent = ctypes.CDLL(None, use_errno=True).prctl, os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != parent:  # it went before it could be asked
            os._exit(1)

    return ask


def _how(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _times(count: int) -> str:
    return "1 restart" if count == 1 else f"{count} restarts"
