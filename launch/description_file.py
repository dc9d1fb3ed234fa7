"""Descriptions of processes from TOML or from Python, checked before anything starts."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
import tomllib
import traceback
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import msgspec

from .config import load
from .description import (
    KINDS,
    AgentProcess,
    CommandProcess,
    Description,
    EnvironmentProcess,
    Process,
    check_timeout,
)
from .environments import resolve_task, task_options
from .errors import UserError

#: Descriptions that ship with the package, by name.
SHIPPED = Path(__file__).parent / "descriptions"


def read(file: str) -> Description:
    """Return the description in `file`, .toml or .py, or the shipped one of that name.

    Raises
    ------
    UserError
        For a file that cannot be read, and for every key or value that is refused, by name.
    """
    path = _find(file)
    if path.suffix == ".py":
        return _from_python(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}") from error
    return parse(document, str(path))


def parse(document: Mapping[str, Any], source: str) -> Description:
    """Turn nested dictionaries into a description; `source` names them in errors.

    Raises
    ------
    UserError
        As `read`.
    """
    _refuse_unknown(document, Description, source, "")
    tables = document.get("processes")
    if not isinstance(tables, Mapping) or not tables:
        raise UserError(f"{source}: there are no processes; a description needs [processes.NAME]")
    processes = {name: _process(name, table, source) for name, table in tables.items()}
    rest = {key: value for key, value in document.items() if key != "processes"}
    shared = _convert(rest, _Shared, source)
    description = Description(processes=processes, **vars(shared))
    _check_order(description, source)
    _check_experiment(description, source)
    return description


def shipped_names() -> list[str]:
    """Return the names of the descriptions that ship with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


@dataclass(frozen=True, kw_only=True)
class _Shared:
    """`Description` without its processes, whose kinds `msgspec` cannot tell apart."""

    endpoint: str | None = None
    stop_timeout: float = 5.0
    config: str | None = None
    experiment: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_timeout(self.stop_timeout)


def _find(file: str) -> Path:
    path, shipped = Path(file), SHIPPED / f"{file}.toml"
    if path.is_file():
        if path.suffix not in (".toml", ".py"):
            raise UserError(f"{path} must end in .toml or .py")
        return path
    if path.suffix == "" and path.parent == Path() and shipped.is_file():
        return shipped
    raise UserError(f"no description {file} (descriptions that ship: {', '.join(shipped_names())})")


def _process(name: str, table: object, source: str) -> Process:
    where = f"processes.{name}"
    if not name or not all(letter.isalnum() or letter in "_-" for letter in name):
        raise UserError(f"{source}: {where}: a name has letters, digits, _ and - only")
    if not isinstance(table, Mapping):
        raise UserError(f"{source}: {where} must be a table, as [{where}]")
    run = table.get("run")
    if (run is None) == ("command" not in table):
        raise UserError(f"{source}: {where} needs either run or command")
    kind: type[Process] = CommandProcess
    if run is not None:
        if not isinstance(run, str) or run not in KINDS:
            raise UserError(f"{source}: {where}.run is {run!r}; allowed: {', '.join(KINDS)}")
        kind = KINDS[run]
    values = {key: value for key, value in table.items() if key != "run"}
    _refuse_unknown(values, kind, source, f"{where}.", also=("run",) if run is not None else ())
    return _convert(values, kind, f"{source}: {where}")


def _refuse_unknown(
    data: Mapping[str, Any], schema: type, source: str, prefix: str, also: tuple[str, ...] = ()
) -> None:
    allowed = sorted([*also, *(item.name for item in fields(schema))])
    for key in data:
        if key not in allowed:
            place = f"[{prefix.rstrip('.')}]" if prefix else "the top level"
            raise UserError(f"{source}: unknown key {prefix}{key}; allowed in {place}: {', '.join(allowed)}")


T = typing.TypeVar("T")


def _convert(data: Mapping[str, Any], schema: type[T], source: str) -> T:
    try:
        return msgspec.convert(data, schema)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        key = path.rstrip("`").lstrip(".")
        if text.startswith("Invalid enum value"):
            allowed = typing.get_args(typing.get_type_hints(schema)[key])
            text = f"{text}; allowed: {', '.join(map(repr, allowed))}"
        raise UserError(f"{source}: {key}: {text}" if key else f"{source}: {text}") from error


def _check_order(description: Description, source: str) -> None:
    names = description.processes
    for name, process in names.items():
        for before in process.after:
            if before not in names:
                raise UserError(
                    f"{source}: processes.{name}.after names {before!r}; there are {', '.join(names)}"
                )

    def walk(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " after ".join((*path[path.index(name) :], name))
            raise UserError(f"{source}: the order goes in a circle: {circle}")
        for before in names[name].after:
            walk(before, (*path, name))

    for name in names:
        walk(name, ())


def _check_experiment(description: Description, source: str) -> None:
    file = None if description.config is None else Path(description.config)
    try:
        config = load(file, settings_of(description.experiment))
        task_options(resolve_task(config.task), config.environment)
    except UserError as error:
        raise UserError(f"{source}: experiment: {error}") from error
    if config.algorithm == "oracle" and any(
        isinstance(process, AgentProcess | EnvironmentProcess) for process in description.processes.values()
    ):
        raise UserError(f"{source}: experiment: the oracle reads the true pose, which no message carries")


def settings_of(experiment: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the values of an experiment as what `--set` takes, such as `agent.learning=false`."""
    return [f"{key}={_toml(value)}" for key, value in _leaves(experiment, prefix)]


def _leaves(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _toml(value: object) -> str:
    """Return a value as TOML has it, which is JSON but for numbers that are not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, default=str)


def _from_python(path: Path) -> Description:
    """Run a file of the user's; what goes wrong in it is told with its line."""
    spec = importlib.util.spec_from_file_location(f"_tolman_description_{path.stem}", path.absolute())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
        make: Callable[[], object] | None = getattr(module, "description", None)
        if make is None:
            raise UserError(f"{path} defines no function description()")
        made = make()
    except UserError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(path.absolute())]
        line = lines[-1] if lines else getattr(error, "lineno", None)
        place = f"{path}:{line}" if line else str(path)
        raise UserError(f"{place}: {type(error).__name__}: {error}") from error
    if not isinstance(made, Description):
        raise UserError(f"{path}: description() must return a Description, got {type(made).__name__}")
    return parse(_plain(made), str(path))


def _plain(description: Description) -> dict[str, Any]:
    """Return what a TOML file of the same meaning would hold: records do not check their types themselves."""
    processes: dict[str, Any] = {}
    for name, process in dict(description.processes).items():
        if not isinstance(process, Process):
            raise UserError(
                f"processes.{name} must be one of {', '.join(k.__name__ for k in KINDS.values())}"
            )
        table = {key: value for key, value in asdict(process).items() if value is not None}
        processes[name] = table if isinstance(process, CommandProcess) else {"run": process.kind, **table}
    shared = {item.name: getattr(description, item.name) for item in fields(description)}
    return {key: value for key, value in shared.items() if value is not None} | {"processes": processes}
