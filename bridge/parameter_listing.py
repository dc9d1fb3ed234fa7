"""Names of parameters below a prefix, as rclpy's Node.list_parameters gives them."""

from collections.abc import Iterable

from .messages import Message
from .parameter import PARAMETER_SEPARATOR_STRING, rcl_message

#: rcl_interfaces/srv/ListParameters, DEPTH_RECURSIVE: names of any number of parts
DEPTH_RECURSIVE = 0


def list_names(names: Iterable[str], prefixes: list[str], depth: int) -> Message:
    """A ListParametersResult with the names that are one of `prefixes` or below, and all their parents.

    Parameters
    ----------
    names : iterable of str
        All names, in the order of the answer.
    prefixes : list of str
        Empty: everything is below.
    depth : int
        How many parts a name may have below the prefix; DEPTH_RECURSIVE for any number.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or the depth negative.
    """
    if not isinstance(prefixes, list) or not all(isinstance(prefix, str) for prefix in prefixes):
        raise TypeError(f"prefixes must be a list of str, got {prefixes!r}")
    if not isinstance(depth, int):
        raise TypeError(f"depth must be an int, got {depth!r}")
    if depth < 0:
        raise ValueError(f"depth must be >= 0, got {depth}")

    def shallow(name: str) -> bool:
        return depth == DEPTH_RECURSIVE or name.count(PARAMETER_SEPARATOR_STRING) < depth

    def wanted(name: str) -> bool:
        if not prefixes:
            return shallow(name)
        starts = [f"{prefix}{PARAMETER_SEPARATOR_STRING}" for prefix in prefixes]
        below = any(name.startswith(start) and shallow(name[len(start) :]) for start in starts)
        return below or name in prefixes

    found = [name for name in names if wanted(name)]
    parents = [name.rpartition(PARAMETER_SEPARATOR_STRING)[0] for name in found if "." in name]
    return rcl_message("ListParametersResult")(names=found, prefixes=list(dict.fromkeys(parents)))
