"""`tolman launch`: the processes of a description, watched over until they have ended."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shlex
import shutil
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..bridge.exceptions import BridgeError
from ..bridge.network import endpoint as endpoints
from .description import (
    AgentProcess,
    CommandProcess,
    Description,
    EnvironmentProcess,
    Process,
    RecordProcess,
    ViewProcess,
    started_in_order,
)
from .description_file import read, settings_of
from .errors import UserError, asked
from .files import check_writable
from .output import Output
from .supervisor import Job, Supervisor
from .terminal import make_console

_TOLMAN = (sys.executable, "-m", "tolman.launch.cli")


def command(arguments: Namespace) -> int:
    """Run `tolman launch`; return its exit code."""
    if os.name != "posix":
        raise UserError("tolman launch needs process groups, which this system does not have")
    description = read(arguments.file)
    if arguments.endpoint is not None:
        description = replace(description, endpoint=arguments.endpoint)
    jobs = jobs_of(description)
    console = make_console()
    output = Output(console, [job.name for job in jobs])
    if arguments.check:
        for job in jobs:
            output.line(job.name, shlex.join(job.command))
        return 0
    output.say(f"endpoint {_endpoint(description)}; watch with: tolman view {_endpoint(description)}")

    async def run() -> int:
        return await Supervisor(jobs, output).run()

    return asyncio.run(run())


def jobs_of(description: Description) -> list[Job]:
    """Return the processes as they are started, in order.

    Raises
    ------
    UserError
        For what would keep one from starting.
    """
    variables = {
        **os.environ,
        endpoints.ENVIRONMENT: _endpoint(description),
        "PYTHONUNBUFFERED": "1",  # lines come when they are written
    }
    jobs = []
    for name in started_in_order(description):
        process = description.processes[name]
        with asked(f"processes.{name}", UserError):
            jobs.append(
                Job(
                    name,
                    _command(process, description, variables | process.environment),
                    process,
                    variables | process.environment,
                    process.stop_timeout or description.stop_timeout,
                    process.directory if isinstance(process, CommandProcess) else None,
                )
            )
    return jobs


def _endpoint(description: Description) -> str:
    with asked("endpoint", BridgeError):
        return endpoints.resolve(description.endpoint).url


def _command(process: Process, description: Description, variables: Mapping[str, str]) -> tuple[str, ...]:
    match process:
        case EnvironmentProcess():
            return (
                *_TOLMAN, "node", "environment", "--mode", process.mode, "--episodes", str(process.episodes),
                "--command-timeout", str(process.command_timeout),
                *_experiment(description, with_agent=False),
            )  # fmt: skip
        case AgentProcess():
            learned: tuple[str, ...] = ()
            if process.checkpoint is not None:
                if not Path(process.checkpoint).exists():
                    raise UserError(f"no checkpoint at {process.checkpoint}")
                learned = ("--checkpoint", process.checkpoint)
            return (*_TOLMAN, "node", "agent", *learned, *_experiment(description, with_agent=True))
        case ViewProcess():
            output: tuple[str, ...] = ()
            if process.output is not None:
                output = ("--output", str(check_writable(Path(process.output), "output")))
            seconds = () if process.seconds is None else ("--seconds", str(process.seconds))
            return (*_TOLMAN, "view", _endpoint(description), *output, *seconds)
        case RecordProcess():
            if importlib.util.find_spec("tolman.launch.recording") is None:
                raise UserError("this version of tolman has no verb record")
            target = str(check_writable(Path(process.output), "output"))
            return (*_TOLMAN, "record", target, _endpoint(description))
        case CommandProcess():
            return _program(process, variables)
    raise AssertionError(process)


def _experiment(description: Description, *, with_agent: bool) -> tuple[str, ...]:
    """Return the options that tell a node its experiment."""
    settings = settings_of(description.experiment)
    learned = any(
        isinstance(process, AgentProcess) and process.checkpoint is not None
        for process in description.processes.values()
    )
    if learned and not with_agent:  # as in `tolman run`: habituation belongs to a new agent
        settings.append("habituation=0")
    file = () if description.config is None else ("--config", description.config)
    return (*file, *(part for setting in settings for part in ("--set", setting)))


def _program(process: CommandProcess, variables: Mapping[str, str]) -> tuple[str, ...]:
    directory = process.directory
    if directory is not None and not Path(directory).is_dir():
        raise UserError(f"directory {directory} does not exist")
    program, *rest = process.command
    if program == "python":
        return (sys.executable, *rest)
    where = program if directory is None or os.sep not in program else str(Path(directory) / program)
    if shutil.which(where, path=variables.get("PATH")) is None:
        raise UserError(f"there is no program {program}")
    return (program, *rest)
