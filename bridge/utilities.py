"""Small functions of the module rclpy.utilities."""

import os
import sys
from collections.abc import Sequence

from . import context as contexts
from .constants import S_TO_NS
from .context import Context

#: what `get_rmw_implementation_identifier` answers: messages travel over ZeroMQ
RMW_IMPLEMENTATION = "rmw_tolman_zmq"


def get_default_context(*, shutting_down: bool = False) -> Context:
    """The context that everything uses which is given none.

    `shutting_down` is there for compatibility: a context that was shut down can be initialised again, and
    so is never replaced.
    """
    return contexts.get_default_context()


def remove_ros_args(args: Sequence[str] | None = None) -> list[str]:
    """The arguments outside the sections from `--ros-args` to `--` or the end; of `sys.argv` by default."""
    kept, inside = [], False
    for argument in sys.argv if args is None else args:
        if argument == "--ros-args":
            inside = True
        elif inside:
            inside = argument != "--"
        else:
            kept.append(argument)
    return kept


def ok(*, context: Context | None = None) -> bool:
    """Whether the context is initialised and not shut down."""
    return (get_default_context() if context is None else context).ok()


def shutdown(*, context: Context | None = None) -> None:
    """End a context, the default one if none is given."""
    (get_default_context() if context is None else context).shutdown()


def try_shutdown(*, context: Context | None = None) -> None:
    """End a context, if there is anything to end."""
    (get_default_context() if context is None else context).try_shutdown()


def get_rmw_implementation_identifier() -> str:
    """The name of what carries the messages."""
    return RMW_IMPLEMENTATION


def get_available_rmw_implementations() -> set[str]:
    """The names of everything that can carry messages: ours.

    Raises
    ------
    RuntimeError
        If the environment variable RMW_IMPLEMENTATIONS names others.
    """
    wanted = {name for name in os.environ.get("RMW_IMPLEMENTATIONS", "").split(os.pathsep) if name}
    if missing := wanted - {RMW_IMPLEMENTATION}:
        names = ", ".join(sorted(missing))
        raise RuntimeError(f"RMW_IMPLEMENTATIONS names {names}; there is only {RMW_IMPLEMENTATION}")
    return {RMW_IMPLEMENTATION}


def timeout_sec_to_nsec(timeout_sec: float | None) -> int:
    """Seconds as whole nanoseconds; -1, which means for ever, for None and negative values."""
    if timeout_sec is None or timeout_sec < 0:
        return -1
    return int(float(timeout_sec) * S_TO_NS)
