"""Loggers, as rclpy has them: `[INFO] [stamp] [name]: text` on standard error; once, throttle, skip-first.

A node registers where lines of its logger, and of that logger's children, go besides: to `/rosout`.
"""

import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from .constants import S_TO_NS

#: filters in the order in which they are asked, with what each needs and what it may be given
_FILTERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "throttle": (("throttle_duration_sec",), ("throttle_time_source_type",)),
    "skip_first": (("skip_first",), ()),
    "once": (("once",), ()),
}
_OPTIONS = {name for needed, optional in _FILTERS.values() for name in (*needed, *optional)}


class LoggingSeverity(IntEnum):
    """How serious a line is."""

    UNSET = 0
    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40
    FATAL = 50


class Line(NamedTuple):
    """A line that was logged, and where."""

    stamp: int  #: ns since the epoch
    severity: LoggingSeverity
    name: str
    message: str
    file: str
    function: str
    line: int


@dataclass
class _Caller:
    """What one calling line asked for, and what became of it."""

    severity: LoggingSeverity
    name: str
    options: Mapping[str, Any]
    passed: set[str] = field(default_factory=set)
    last: int = 0  #: ns of its clock at which it was last let through


class RcutilsLogger:
    """A named logger; its level is its own or that of the nearest parent that has one.

    Every method takes rclpy's filters as keywords: `once`, `skip_first`, `throttle_duration_sec` (and
    `throttle_time_source_type`, a clock); they act per calling line.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self._level = LoggingSeverity.UNSET
        self._callers: dict[tuple[str, str, int], _Caller] = {}

    def get_child(self, name: str) -> "RcutilsLogger":
        """The logger `parent.name`.

        Raises
        ------
        ValueError
            If the name is empty.
        """
        if not name:
            raise ValueError("Child logger name must not be empty.")
        return _logger(f"{self.name}.{name}" if self.name else name)

    def set_level(self, level: int) -> None:
        """Show lines of this severity and above."""
        self._level = LoggingSeverity(level)

    def get_effective_level(self) -> LoggingSeverity:
        """The level in force: INFO where nobody set one."""
        logger = self
        if not logger.name:
            return self._level
        while not logger._level and logger.name:
            logger = _logger(logger.name.rpartition(".")[0])
        return logger._level or LoggingSeverity.INFO

    def is_enabled_for(self, severity: int) -> bool:
        """Whether a line of this severity would be shown."""
        return severity >= (self.get_effective_level() or LoggingSeverity.INFO)

    def log(self, message: str, severity: int, name: str | None = None, **kwargs: Any) -> bool:
        """Write a line; return whether it was shown.

        Raises
        ------
        TypeError
            If a keyword is not a filter, or a filter lacks what it needs.
        ValueError
            If a calling line changes severity, name or filters between two calls.
        """
        severity, name = LoggingSeverity(severity), name or self.name
        frame = _caller()
        code = frame.f_code
        passes = self._passes((code.co_filename, code.co_name, frame.f_lineno), severity, name, kwargs)
        if not passes or not self.is_enabled_for(severity):
            return False
        line = Line(
            time.time_ns(), severity, name, str(message), code.co_filename, code.co_name, frame.f_lineno
        )
        seconds, nanoseconds = divmod(line.stamp, S_TO_NS)
        sys.stderr.write(f"[{severity.name}] [{seconds}.{nanoseconds:09d}] [{name}]: {line.message}\n")
        _tell(line)
        return True

    def debug(self, message: str, **kwargs: Any) -> bool:
        """Write a line of severity DEBUG."""
        return self.log(message, LoggingSeverity.DEBUG, **kwargs)

    def info(self, message: str, **kwargs: Any) -> bool:
        """Write a line of severity INFO."""
        return self.log(message, LoggingSeverity.INFO, **kwargs)

    def warning(self, message: str, **kwargs: Any) -> bool:
        """Write a line of severity WARN."""
        return self.log(message, LoggingSeverity.WARN, **kwargs)

    def warn(self, message: str, **kwargs: Any) -> bool:
        """Old name of `warning`, deprecated."""
        warnings.warn("warn() is deprecated; call warning()", DeprecationWarning, stacklevel=2)
        return self.log(message, LoggingSeverity.WARN, **kwargs)

    def error(self, message: str, **kwargs: Any) -> bool:
        """Write a line of severity ERROR."""
        return self.log(message, LoggingSeverity.ERROR, **kwargs)

    def fatal(self, message: str, **kwargs: Any) -> bool:
        """Write a line of severity FATAL."""
        return self.log(message, LoggingSeverity.FATAL, **kwargs)

    def _passes(
        self, where: tuple[str, str, int], severity: LoggingSeverity, name: str, options: Mapping[str, Any]
    ) -> bool:
        for option in options:
            if option not in _OPTIONS:
                raise TypeError(f'parameter "{option}" is not one of the recognized logging options')
        caller = self._callers.get(where)
        if caller is None:
            for kind, (needed, optional) in _FILTERS.items():
                if any(o in options for o in optional) and not all(n in options for n in needed):
                    missing = next(n for n in needed if n not in options)
                    raise TypeError(
                        f'required parameter "{missing}" not specified for logging filter "{kind}"'
                    )
            caller = self._callers[where] = _Caller(severity, name, dict(options))
        elif caller.severity != severity:
            raise ValueError("Logger severity cannot be changed between calls.")
        elif caller.name != name:
            raise ValueError("Logger name cannot be changed between calls.")
        elif caller.options != options:
            raise ValueError("Logger filter parameters cannot be changed between calls.")
        return not options or all(
            _lets_through(kind, caller)
            for kind, (needed, _) in _FILTERS.items()
            if all(options.get(n) for n in needed)
        )


def _lets_through(kind: str, caller: _Caller) -> bool:
    if kind == "throttle":
        clock = caller.options.get("throttle_time_source_type")
        now = time.monotonic_ns() if clock is None else clock.now().nanoseconds
        if now < caller.last + int(float(caller.options["throttle_duration_sec"]) * 1e9):
            return False
        caller.last = now
        return True
    first = kind not in caller.passed
    caller.passed.add(kind)
    return first if kind == "once" else not first


def _caller() -> FrameType:
    """The frame outside this file that asked for the line."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename == __file__ and frame.f_back is not None:
        frame = frame.f_back
    return frame


_loggers: dict[str, RcutilsLogger] = {}


def _logger(name: str) -> RcutilsLogger:
    return _loggers.setdefault(name, RcutilsLogger(name)) if name not in _loggers else _loggers[name]


_root_logger = _logger("")
_root_logger.set_level(LoggingSeverity.INFO)
_sinks: dict[str, list[Callable[[Line], None]]] = {}


def add_sink(name: str, sink: Callable[[Line], None]) -> None:
    """Have `sink` called with the lines of logger `name` and of its children."""
    _sinks.setdefault(name, []).append(sink)


def remove_sink(name: str, sink: Callable[[Line], None]) -> None:
    """Undo `add_sink`."""
    left = [other for other in _sinks.get(name, []) if other != sink]
    if left:
        _sinks[name] = left
    else:
        _sinks.pop(name, None)


def _tell(line: Line) -> None:
    name = line.name
    while name and name not in _sinks:
        name = name.rpartition(".")[0]
    for sink in _sinks.get(name, ())[:1]:
        sink(line)


def get_logger(name: str) -> RcutilsLogger:
    """The logger of that name; the same object every time.

    Raises
    ------
    ValueError
        If the name is empty.
    """
    if not name:
        raise ValueError("Logger name must not be empty.")
    return _root_logger.get_child(name)


def initialize() -> None:
    """Nothing to do: loggers are ready."""


def shutdown() -> None:
    """Nothing to do: lines are written at once."""


def clear_config() -> None:
    """Forget all levels and what filters remember."""
    for logger in list(_loggers.values()):
        logger._level = LoggingSeverity.UNSET
        logger._callers.clear()
    _root_logger.set_level(LoggingSeverity.INFO)


def set_logger_level(name: str, level: int, detailed_error: bool = False) -> bool:
    """Set the level of a logger; False if there is no such level."""
    try:
        _logger(name).set_level(level)
    except ValueError as error:
        if detailed_error:
            raise RuntimeError("Invalid logger level.") from error
        return False
    return True


def get_logger_effective_level(name: str) -> LoggingSeverity:
    """The level in force for a logger."""
    return _logger(name).get_effective_level()


def get_logger_level(name: str) -> LoggingSeverity:
    """The level of a logger itself; UNSET where it follows its parent."""
    return _logger(name)._level


def get_logging_severity_from_string(log_severity: str) -> LoggingSeverity:
    """The severity of a name such as WARN; raises RuntimeError if there is none."""
    try:
        return LoggingSeverity[log_severity.upper()]
    except KeyError:
        raise RuntimeError(
            f"there is no severity {log_severity!r}; there are {', '.join(LoggingSeverity.__members__)}"
        ) from None


def get_logging_directory() -> Path:
    """Where ROS would keep log files: $ROS_LOG_DIR, $ROS_HOME/log, or ~/.ros/log. The bridge writes none."""
    if directory := os.environ.get("ROS_LOG_DIR"):
        return Path(directory).expanduser()
    return Path(os.environ.get("ROS_HOME") or "~/.ros").expanduser() / "log"
