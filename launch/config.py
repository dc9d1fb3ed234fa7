"""The experiment: typed frozen records are the schema; a TOML file and command-line settings override them.

An unknown key, a wrong type or an impossible value is refused by name before anything starts.
"""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from ..agent import NavigatorConfig
from ..agent.lesions import PlannedLesion
from ..envs import CameraSpec, SensorNoise
from ..envs.presets import SensorName
from .errors import UserError

#: Experiment files that ship with the package, by name.
SHIPPED = Path(__file__).parent / "experiments"


@dataclass(frozen=True)
class EnvironmentConfig:
    """What the task's environment is built with; `None` leaves the task's own default."""

    renderer: Literal["raycast", "pybullet"] = "raycast"  #: which camera implementation
    time_limit: float | None = None  #: s until a trial is cut off
    goal: tuple[float, float] | None = None  #: m, world frame; tasks with a goal only
    noise: SensorNoise | None = None
    camera: CameraSpec | None = None
    sensor: SensorName | None = None  #: gives the camera the pixels of a known sensor
    shape: Literal["circle", "square", "clutter"] | None = None  #: of the open field
    arena_seed: int | None = None  #: draws the patterns on the walls, and pillars
    #: what the task is built with besides, such as `delay` of TMaze (docs/tasks.md)
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.time_limit is not None and not self.time_limit > 0.0:
            raise ValueError(f"time_limit must be > 0 s, got {self.time_limit}")
        if self.arena_seed is not None and self.arena_seed < 0:
            raise ValueError(f"arena_seed must be >= 0, got {self.arena_seed}")


NAMESPACE = "tolman/"  #: of the tasks, in the registry of Gymnasium

#: s of free exploration before trial 1 unless the experiment says otherwise. Without a map there is no place
#: to learn the value of (latent learning: Tolman 1948, Psychological Review 55:189-208).
_HABITUATION = {
    "WaterMaze": 300.0,
    "DelayedMatch": 300.0,
    "UMaze": 300.0,
    "Detour": 300.0,
    "Cruciform": 300.0,
    "TMaze": 180.0,
}


@dataclass(frozen=True)
class ExperimentConfig:
    """Everything that decides the outcome of a run, but for the seeds of `evaluate` and `compare`."""

    task: str = "tolman/WaterMaze-v0"
    algorithm: Literal[
        "td-ltp", "rstdp", "hedonistic", "both", "random", "oracle", "surrogate", "ppo", "sac"
    ] = "td-ltp"
    trials: int = 20
    seed: int = 0
    habituation: float | None = None  #: s of exploring without reward before trial 1; `None`: the task's own
    environment: EnvironmentConfig = field(default_factory=EnvironmentConfig)
    agent: NavigatorConfig = field(default_factory=NavigatorConfig)
    #: REGION[:FRACTION][@TRIAL]: neurons that are dead from the start, or from the beginning of a trial on
    lesions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise ValueError(f"trials must be >= 1, got {self.trials}")
        if self.seed < 0:
            raise ValueError(f"seed must be >= 0, got {self.seed}")
        if self.habituation is not None and not 0.0 <= self.habituation < math.inf:
            raise ValueError(f"habituation must be >= 0 s, got {self.habituation}")
        for text in self.lesions:
            PlannedLesion.parse(text)

    @property
    def exploration(self) -> float:
        """s of exploring without reward before trial 1: by default the task's own, 0 for those without.

        An oracle has nothing to explore.
        """
        if self.habituation is not None:
            return self.habituation
        if self.algorithm == "oracle":
            return 0.0
        return _HABITUATION.get(short_name(self.task), 0.0)


def short_name(task: str) -> str:
    """Return `WaterMaze` for `tolman/WaterMaze-v0`, and for what lacks namespace or version."""
    return re.sub(r"-v\d+$", "", task.removeprefix(NAMESPACE))


def load(
    file: Path | None = None,
    settings: Sequence[str] = (),
    base: Mapping[str, object] | None = None,
) -> ExperimentConfig:
    """Build the experiment from `base` (a plain mapping), then a TOML `file`, then `key.path=value` settings.

    Raises
    ------
    UserError
        For a file that is missing or not TOML, and for every key or value that the schema refuses.
    """
    merged: dict[str, Any] = {}
    if base is not None:
        _merge(merged, base)
    if file is not None:
        where = _find(file)
        try:
            document = tomllib.loads(where.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UserError(f"{where} is not valid TOML: {error}") from error
        except OSError as error:
            raise UserError(f"cannot read the configuration {where}: {error.strerror}") from error
        _check(document, str(where))
        _merge(merged, document)
    for setting in settings:
        document = parse_setting(setting)
        _check(document, f"--set {setting}")
        _merge(merged, document)
    return _convert(merged, "the configuration")


def from_builtins(data: Mapping[str, object], source: str) -> ExperimentConfig:
    """Rebuild an experiment from what `to_builtins` gave; `source` names it in errors."""
    _refuse_unknown(data, ExperimentConfig, "", source)
    return _convert(dict(data), source)


def to_builtins(config: ExperimentConfig) -> dict[str, Any]:
    """Return the experiment as nested dictionaries of plain values."""
    return asdict(config)


def flatten(config: ExperimentConfig) -> dict[str, object]:
    """Return every value of the experiment under its dotted key."""
    return dict(_leaves(to_builtins(config), ""))


def config_hash(config: ExperimentConfig) -> str:
    """Return a short digest of everything but the seed, which results list separately."""
    values = {key: value for key, value in flatten(config).items() if key != "seed"}
    return hashlib.blake2b(msgspec.json.encode(values, order="sorted"), digest_size=8).hexdigest()


def differences(ours: ExperimentConfig, theirs: ExperimentConfig) -> list[str]:
    """Return the dotted keys in which two experiments differ, ascending."""
    a, b = flatten(ours), flatten(theirs)
    return sorted(key for key in a.keys() | b.keys() if a.get(key) != b.get(key))


def parse_setting(text: str) -> dict[str, Any]:
    """Turn `agent.grid.modules=4` into nested dictionaries; the value is TOML, or else a bare word."""
    key, equals, value = text.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise UserError(f"--set {text}: expected key=value, such as agent.learning=false")
    try:
        document = tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError:
        document = {"value": value.strip()}
    parsed: Any = document.pop("value")
    if document or (isinstance(parsed, str) and "\n" in parsed):
        raise UserError(f"--set {text.splitlines()[0]}: more lines follow; give each a --set of its own")
    for part in reversed(parts):
        parsed = {part: parsed}
    return typing.cast(dict[str, Any], parsed)


def shipped_names() -> list[str]:
    """Return the names of the experiment files that ship with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def _find(file: Path) -> Path:
    if file.is_file():
        return file
    shipped = SHIPPED / f"{file}.toml"
    if file.suffix == "" and file.parent == Path() and shipped.is_file():
        return shipped
    raise UserError(f"no configuration file {file} (experiments that ship: {', '.join(shipped_names())})")


def _check(document: Mapping[str, object], source: str) -> None:
    """Refuse unknown keys and wrong values of one source alone, so that the message can name it."""
    _refuse_unknown(document, ExperimentConfig, "", source)
    _convert(dict(document), source)


def _convert(data: dict[str, Any], source: str) -> ExperimentConfig:
    for key, value in _leaves(data, ""):
        if isinstance(value, (int, float)) and (reason := _impossible(key, value)):
            raise UserError(f"{source}: {key} {reason}")
    try:
        return msgspec.convert(data, ExperimentConfig)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        key = path.rstrip("`").lstrip(".")
        if message.startswith("Invalid enum value") and (allowed := _allowed(key)):
            message += f"; allowed: {', '.join(allowed)}"
        raise UserError(f"{source}: {key}: {message}" if key else f"{source}: {message}") from error


def _impossible(key: str, value: float) -> str:
    """Return what is wrong with a number wherever it stands in the experiment, or nothing."""
    if math.isnan(value):
        return "is not a number"
    if key.startswith("agent.") and math.isinf(value):
        return f"must be finite, got {value}"
    if key.startswith("agent.") and key.rpartition(".")[2].startswith("tau") and not value > 0.0:
        return f"must be > 0 s, got {value}"
    return ""


def _allowed(key: str) -> list[str]:
    """Return the words that are allowed for `key`, if it takes words."""
    hint: object = ExperimentConfig
    for part in key.split("."):
        record = _record_in(hint)
        if record is None:
            return []
        hint = typing.get_type_hints(record)[part]
    choices = [hint, *typing.get_args(hint)]
    return [
        str(word)
        for choice in choices
        if typing.get_origin(choice) is Literal
        for word in typing.get_args(choice)
    ]


def _merge(into: dict[str, Any], update: Mapping[str, object]) -> None:
    for key, value in update.items():
        if isinstance(value, Mapping):
            inner = into.get(key)
            into[key] = dict(inner) if isinstance(inner, Mapping) else {}
            _merge(into[key], value)
        else:
            into[key] = value


def _leaves(data: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _refuse_unknown(data: Mapping[str, object], schema: type, prefix: str, source: str) -> None:
    """Compare the keys of `data` with the fields of the dataclass `schema`, recursively.

    `msgspec` ignores unknown keys of dataclasses, so a misspelt key would silently do nothing.
    """
    hints = typing.get_type_hints(schema)
    allowed = [item.name for item in fields(schema) if item.init]
    for key, value in data.items():
        if key not in allowed:
            place = f"[{prefix.rstrip('.')}]" if prefix else "the top level"
            raise UserError(
                f"{source}: unknown key {prefix}{key}; allowed in {place}: {', '.join(sorted(allowed))}"
            )
        inner = _record_in(hints[key])
        if inner is not None and isinstance(value, Mapping):
            _refuse_unknown(value, inner, f"{prefix}{key}.", source)


def _record_in(hint: object) -> type | None:
    """Return the dataclass in a hint such as `Record` or `Record | None`."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return next((option for option in options if isinstance(option, type) and is_dataclass(option)), None)
