"""What `tolman launch` runs: processes by name, and what they share, as plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

Restart = Literal["never", "on-failure", "always"]
LONGEST = 3600.0  #: s, of any time in a description


@dataclass(frozen=True, kw_only=True)
class Process:
    """What all processes have."""

    kind: ClassVar[str]

    restart: Restart = "never"  #: `on-failure`: unless it ended with exit code 0
    max_restarts: int = 5  #: in a row; a process that ran for a minute begins a new row
    back_off: float = 0.5  #: s before the first restart, twice as long before each next one
    after: tuple[str, ...] = ()  #: started once these have been started
    environment: dict[str, str] = field(default_factory=dict)  #: variables besides those of the launcher
    required: bool = False  #: whether all end when it has ended
    stop_timeout: float | None = None  #: s; `None`: that of the description

    def __post_init__(self) -> None:
        if self.max_restarts < 0:
            raise ValueError(f"max_restarts must be >= 0, got {self.max_restarts}")
        if not 0.0 < self.back_off <= LONGEST:
            raise ValueError(f"back_off must be > 0 s and at most {LONGEST:g} s, got {self.back_off}")
        check_timeout(self.stop_timeout)
        for name in self.environment:
            if not name or "=" in name or "\0" in name + self.environment[name]:
                raise ValueError(f"environment: {name!r} cannot be the name of a variable")


@dataclass(frozen=True, kw_only=True)
class EnvironmentProcess(Process):
    """`run = "environment"`: `tolman node environment`."""

    kind: ClassVar[str] = "environment"

    episodes: int = 1  #: trials; habituation, if the experiment has it, comes before them
    mode: Literal["lockstep", "real-time"] = "lockstep"
    command_timeout: float = 0.5  #: s without a command after which, in real time, the robot stops

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.episodes < 1:
            raise ValueError(f"episodes must be >= 1, got {self.episodes}")
        if not 0.0 < self.command_timeout <= LONGEST:
            raise ValueError(f"command_timeout must be > 0 s, got {self.command_timeout}")


@dataclass(frozen=True, kw_only=True)
class AgentProcess(Process):
    """`run = "agent"`: `tolman node agent`."""

    kind: ClassVar[str] = "agent"

    checkpoint: str | None = None  #: a file, or the folder of a training run


@dataclass(frozen=True, kw_only=True)
class ViewProcess(Process):
    """`run = "view"`: `tolman view`."""

    kind: ClassVar[str] = "view"

    output: str | None = None  #: pictures instead of a window
    seconds: float | None = None  #: how long

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.seconds is not None and not self.seconds > 0.0:
            raise ValueError(f"seconds must be > 0, got {self.seconds}")


@dataclass(frozen=True, kw_only=True)
class RecordProcess(Process):
    """`run = "record"`: `tolman record`."""

    kind: ClassVar[str] = "record"

    output: str  #: the file


@dataclass(frozen=True, kw_only=True)
class CommandProcess(Process):
    """`command = [...]`: any program; `python` is the interpreter that runs tolman."""

    kind: ClassVar[str] = "command"

    command: tuple[str, ...]
    directory: str | None = None  #: to run it in

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.command or not self.command[0]:
            raise ValueError("command must name a program")


KINDS: dict[str, type[Process]] = {
    kind.kind: kind for kind in (EnvironmentProcess, AgentProcess, ViewProcess, RecordProcess)
}


@dataclass(frozen=True, kw_only=True)
class Description:
    """Processes, and what they share."""

    processes: Mapping[str, Process]
    endpoint: str | None = None  #: where they meet; `None`: $TOLMAN_ENDPOINT or the bridge's own
    stop_timeout: float = 5.0  #: s from SIGINT to SIGTERM, and from that to SIGKILL
    config: str | None = None  #: experiment of environment and agent: a TOML file, or a shipped one
    experiment: Mapping[str, Any] = field(default_factory=dict)  #: values that override it

    def __post_init__(self) -> None:
        check_timeout(self.stop_timeout)
        if not self.processes:
            raise ValueError("there are no processes")


def started_in_order(description: Description) -> list[str]:
    """Return the names so that each comes after those it is to be started after."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name not in order:
            for before in description.processes[name].after:
                visit(before)
            order.append(name)

    for name in description.processes:
        visit(name)
    return order


def check_timeout(seconds: float | None) -> None:
    if seconds is not None and not 0.0 < seconds <= LONGEST:
        raise ValueError(f"stop_timeout must be > 0 s and at most {LONGEST:g} s, got {seconds}")
