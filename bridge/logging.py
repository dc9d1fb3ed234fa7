"""Loggers, as rclpy has them: `[INFO] [stamp] [name]: text` on standard error; once, throttle, skip-first."""

import functools
import sys
import time
from collections.abc import Hashable
from enum import IntEnum

_FILTERS = ("once", "skip_first", "throttle_duration_sec", "throttle_time_source_type", "name")


class LoggingSeverity(IntEnum):
    """How serious a line is."""

    UNSET = 0
    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40
    FATAL = 50


class RcutilsLogger:
    """A named logger; its level is its own or that of the nearest parent that has one.

    Every method takes rclpy's filters as keywords: `once`, `skip_first`, `throttle_duration_sec`; they act
    per calling line.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self._level = LoggingSeverity.UNSET
        self._seen: dict[Hashable, float] = {}

    def get_child(self, name: str) -> "RcutilsLogger":
        """The logger `parent.name`.

        Raises
        ------
        ValueError
            If the name is empty.
        """
        if not name:
            raise ValueError("Need a non-empty child logger name.")
        return get_logger(f"{self.name}.{name}" if self.name else name)

    def set_level(self, level: int) -> None:
        """Show lines of this severity and above."""
        self._level = LoggingSeverity(level)

    def get_effective_level(self) -> LoggingSeverity:
        """The level in force: INFO where nobody set one."""
        logger = self
        while not logger._level and logger.name:
            logger = get_logger(logger.name.rpartition(".")[0])
        return logger._level or LoggingSeverity.INFO

    def is_enabled_for(self, severity: int) -> bool:
        """Whether a line of this severity would be shown."""
        return severity >= self.get_effective_level()

    def log(self, message: str, severity: int, name: str | None = None, **kwargs: object) -> bool:
        """Write a line; return whether it was shown.

        Raises
        ------
        TypeError
            If a keyword is not a filter.
        """
        unknown = kwargs.keys() - set(_FILTERS)
        if unknown:
            raise TypeError(
                f"unexpected logging filters {sorted(unknown)}; there are {', '.join(_FILTERS[:4])}"
            )
        severity = LoggingSeverity(severity)
        if not self.is_enabled_for(severity) or (kwargs and self._filtered(kwargs)):
            return False
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        sys.stderr.write(
            f"[{severity.name}] [{seconds}.{nanoseconds:09d}] [{name or self.name}]: {message}\n"
        )
        return True

    def debug(self, message: str, **kwargs: object) -> bool:
        """Write a line of severity DEBUG."""
        return self.log(message, LoggingSeverity.DEBUG, None, **kwargs)

    def info(self, message: str, **kwargs: object) -> bool:
        """Write a line of severity INFO."""
        return self.log(message, LoggingSeverity.INFO, None, **kwargs)

    def warning(self, message: str, **kwargs: object) -> bool:
        """Write a line of severity WARN."""
        return self.log(message, LoggingSeverity.WARN, None, **kwargs)

    def warn(self, message: str, **kwargs: object) -> bool:
        """Old name of `warning`."""
        return self.log(message, LoggingSeverity.WARN, None, **kwargs)

    def error(self, message: str, **kwargs: object) -> bool:
        """Write a line of severity ERROR."""
        return self.log(message, LoggingSeverity.ERROR, None, **kwargs)

    def fatal(self, message: str, **kwargs: object) -> bool:
        """Write a line of severity FATAL."""
        return self.log(message, LoggingSeverity.FATAL, None, **kwargs)

    def _filtered(self, filters: dict[str, object]) -> bool:
        frame = sys._getframe(2)  # debug() or log()'s caller ...
        if frame.f_code.co_filename == __file__:
            frame = frame.f_back or frame  # ... of which the line outside this file counts
        where = (frame.f_code.co_filename, frame.f_lineno)
        now, before = time.monotonic(), self._seen.get(where)
        period = filters.get("throttle_duration_sec")
        if isinstance(period, int | float) and before is not None and now - before < period:
            return True
        self._seen[where] = now
        if before is None:
            return bool(filters.get("skip_first"))
        return bool(filters.get("once"))


@functools.cache
def get_logger(name: str) -> RcutilsLogger:
    """The logger of that name; the same object every time."""
    return RcutilsLogger(name)


def set_logger_level(name: str, level: int, detailed_error: bool = False) -> bool:
    """Set the level of a logger; False if there is no such level."""
    try:
        get_logger(name).set_level(level)
    except ValueError:
        if detailed_error:
            raise
        return False
    return True


def get_logger_effective_level(name: str) -> LoggingSeverity:
    """The level in force for a logger."""
    return get_logger(name).get_effective_level()
