"""The numbers of a message, as nested dictionaries: what can be plotted."""

import math

import numpy as np

from .messages import Message

Numbers = dict[str, "Number | Numbers | list[Number | None]"]
Number = int | float
_INSTANTS = ("builtin_interfaces/msg/Time", "builtin_interfaces/msg/Duration")


def numbers_of(message: Message, limit: int) -> Numbers:
    """Fields of a message that are numbers, by name; nested messages as dictionaries.

    Times and durations are s, truth values 0 or 1. Numbers that are not finite are left out, within an array
    None takes their place. Of an array with more than `limit` elements only its size is kept, and of one
    whose size may vary, the size besides: `NAME_size`. Text, and lists of messages but for their size, are
    left out.
    """
    found: Numbers = {}
    for name, kind in message.FIELD_TYPES.items():
        value = getattr(message, name)
        if isinstance(value, Message):
            if value.TYPE_NAME in _INSTANTS:
                found[name] = value.sec + value.nanosec * 1e-9
            elif inner := numbers_of(value, limit):
                found[name] = inner
        elif isinstance(value, np.ndarray):
            if kind.startswith("sequence"):
                found[f"{name}_size"] = value.size
            if 0 < value.size <= limit:
                found[name] = _elements(value)
        elif isinstance(value, list):
            if kind.startswith("sequence") and not kind.startswith(("sequence<string", "sequence<wstring")):
                found[f"{name}_size"] = len(value)
        elif isinstance(value, bool | np.bool_):
            found[name] = int(value)
        elif isinstance(value, int | float | np.number) and math.isfinite(value):
            found[name] = value if isinstance(value, int | float) else value.item()
    return found


def _elements(array: "np.ndarray[tuple[int], np.dtype[np.generic]]") -> list[Number | None]:
    if array.dtype.kind == "f":
        return [x if math.isfinite(x) else None for x in array.tolist()]
    return [int(x) for x in array.tolist()]
