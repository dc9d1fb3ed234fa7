"""Command-line arguments that several verbs share, and the experiment they describe."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from .errors import UserError
from .files import check_apart


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are `UserError`s: one line, without the usage text."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # A value may begin with a minus and be more than a number, as in --move-goal -0.3,0.2@20.
        self._negative_number_matcher = re.compile(r"^-\.?\d")

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see {self.prog} --help)")


def add_task(parser: argparse.ArgumentParser) -> None:
    """Add the positional task; it may be left out where a configuration file names it."""
    parser.add_argument("task", nargs="?", help="task, such as WaterMaze or tolman/WaterMaze-v0")


def add_experiment(parser: argparse.ArgumentParser, *, seed: bool = True) -> None:
    """Add the arguments that change the experiment."""
    parser.add_argument(
        "--config", metavar="FILE", help="experiment as a TOML file, or the name of a shipped one"
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="settings",
        help="override one value, such as agent.learning=false; repeatable",
    )
    parser.add_argument(
        "--algorithm", metavar="NAME", help="what drives: td-ltp (default) or another of docs/learning.md"
    )
    if seed:
        parser.add_argument(
            "--seed", type=natural("--seed"), metavar="S", help="top seed of everything random"
        )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json FILE`."""
    parser.add_argument("--json", metavar="FILE", help="also write the results as one JSON object")


def add_keys(parser: argparse.ArgumentParser, *, insecure: bool = True) -> None:
    """Add what all who meet at an endpoint share: `--keys DIR` and `--insecure`; see `protected`."""
    parser.add_argument("--keys", metavar="DIR", help="key folder (default: $TOLMAN_KEYS; none: no keys)")
    if insecure:
        parser.add_argument(
            "--insecure", action="store_true", help="without keys, use an address of the network all the same"
        )


#: Arguments that name files or folders, as options and as positions, and those of them that are written.
_FILES = ("json", "output", "record", "save", "checkpoint", "config", "reference", "against", "theta", "keys")
_PLACES = ("endpoint", "file", "folder", "path", "run")
_WRITTEN = ("--json", "--output", "--record", "--save")


def check_files(arguments: argparse.Namespace) -> None:
    """Refuse empty names of files, and an output that is another of the files named.

    Raises
    ------
    UserError
        It names the argument.
    """
    given = {f"--{name}": getattr(arguments, name, None) for name in _FILES}
    given |= {name.upper(): getattr(arguments, name, None) for name in _PLACES}
    check_apart(given, _WRITTEN)


@contextlib.contextmanager
def protected(arguments: argparse.Namespace) -> Iterator[None]:
    """Have `--keys` and `--insecure` hold in the block, and for processes started there, as variables."""
    wanted = {}
    if getattr(arguments, "keys", None) is not None:
        wanted["TOLMAN_KEYS"] = str(Path(arguments.keys).absolute())
    if getattr(arguments, "insecure", False):
        wanted["TOLMAN_INSECURE"] = "1"
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def add_live(parser: argparse.ArgumentParser, *, recording: bool = False, insecure: bool = True) -> None:
    """Add what viewers of a running agent share: where it publishes, and for how long to look.

    Some take a recording in its place.
    """
    where = "where `tolman run --publish` publishes"
    if recording:
        where += ", or FILE.mcap: a recording"
    parser.add_argument("endpoint", nargs="?", metavar="ENDPOINT", help=where)
    parser.add_argument("--seconds", type=seconds("--seconds"), metavar="S", help="end after S seconds")
    add_keys(parser, insecure=insecure)


def natural(what: str, least: int = 0) -> Any:
    """Return a type for argparse: a whole number of at least `least`."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise UserError(f"{what} must be a whole number, got {text!r}") from None
        if value < least:
            raise UserError(f"{what} must be >= {least}, got {value}")
        return value

    return convert


def _number(what: str, text: str, unit: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{what} must be a number of {unit}, got {text!r}") from None


def length(what: str) -> Any:
    """Return a type for argparse: a number of m, 0 or more."""

    def convert(text: str) -> float:
        value = _number(what, text, "m")
        if not 0.0 <= value < math.inf:
            raise UserError(f"{what} must be >= 0 m, got {value:g}")
        return value

    return convert


def refuse_setting(arguments: argparse.Namespace, key: str, instead: str) -> None:
    """Raise `UserError` if `--set` gives `key`, which this verb would not heed."""
    if any(setting.partition("=")[0].strip() == key for setting in arguments.settings):
        raise UserError(f"--set {key} has no effect here; {instead}")


LONGEST = 1e9  #: s that anything may take or be put off: 30 years


def seconds(what: str, least: float = 0.0, *, above: bool = True) -> Any:
    """Return a type for argparse: a time in s, `least` or more, or with `above` more than that."""

    def convert(text: str) -> float:
        value = _number(what, text, "s")
        if not (value > least if above else value >= least):
            raise UserError(f"{what} must be {'>' if above else '>='} {least:g} s, got {value:g}")
        if value > LONGEST:
            raise UserError(f"{what} must be <= {LONGEST:g} s, got {value:g}")
        return value

    return convert


def experiment_of(arguments: argparse.Namespace, **changes: object) -> Any:
    """Return the `ExperimentConfig` that file, settings and arguments describe, with the task resolved.

    Arguments (`task`, `algorithm`, `trials`, `seed`) win over `--set`, which wins over the file.
    """
    from .config import load, to_builtins
    from .environments import resolve_task

    file = None if arguments.config is None else Path(arguments.config)
    config = to_builtins(load(file, arguments.settings))
    for key in ("task", "algorithm", "trials", "seed"):
        value = getattr(arguments, key, None)
        if value is not None:
            config[key] = value
    config.update(changes)
    config["task"] = resolve_task(str(config["task"]))
    return load(base=config)
