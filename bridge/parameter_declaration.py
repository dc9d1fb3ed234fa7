"""One entry of `declare_parameters`: a tuple of name, value or type, and descriptor, checked."""

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

from .messages import Message
from .parameter import Parameter, rcl_message
from .validate_parameter_name import validate_parameter_name

_HOW_TO = (
    "give a value other than None, a Parameter.Type, or a descriptor with dynamic_typing=True; "
    "a name alone is deprecated"
)


class Declaration(NamedTuple):
    """What shall be declared."""

    parameter: Parameter[Any]
    descriptor: Message  #: a ParameterDescriptor


def read_declaration(
    entry: tuple[Any, ...], index: int, namespace: str, overrides: Mapping[str, Parameter[Any]]
) -> Declaration:
    """Check an entry and choose its value: that of `overrides`, else its own.

    Parameters
    ----------
    entry : tuple
        (name,), (name, value or Parameter.Type) or (name, value or Parameter.Type, ParameterDescriptor).
    index : int
        Its place in the list, for errors.
    namespace : str
        Put before the name, with a dot, unless empty.
    overrides : mapping
        Values that go before, by full name.

    Raises
    ------
    TypeError
        If the entry has another form or the value can be in no parameter.
    ValueError
        If type, value and descriptor do not go together.
    InvalidParameterException
        If the name is empty.
    """
    if not 1 <= len(entry) <= 3:
        raise TypeError(f"entry {index} of the parameters must have 1 to 3 elements, got {entry!r}")
    name, given, descriptor = (*entry, None, None)[:3] if len(entry) < 3 else entry
    if not isinstance(name, str):
        raise TypeError(f"entry {index} of the parameters must begin with a name, got {name!r}")
    name = f"{namespace}.{name}" if namespace else name
    validate_parameter_name(name)
    if len(entry) < 3:
        descriptor = rcl_message("ParameterDescriptor")()
    if not isinstance(descriptor, rcl_message("ParameterDescriptor")):
        raise TypeError(
            f"entry {index} of the parameters must end with a ParameterDescriptor, got {descriptor!r}"
        )
    if len(entry) == 1:
        warnings.warn(f"parameter {name!r} is declared by its name only: {_HOW_TO}", stacklevel=4)
        descriptor.dynamic_typing = True
    value = _settle_type(name, given, descriptor)
    if name in overrides:
        value = overrides[name].value
    if isinstance(value, rcl_message("ParameterValue")):
        raise ValueError(
            f"parameter {name!r} cannot be declared with a ParameterValue message that no override replaces"
        )
    return Declaration(Parameter(name, value=value), descriptor)


def _settle_type(name: str, given: Any, descriptor: Message) -> Any:
    """Set the type of `descriptor` and return the value that was given, None for a type alone."""
    if isinstance(given, Parameter.Type):
        if given == Parameter.Type.NOT_SET:
            raise ValueError(f"parameter {name!r} cannot be declared with the type NOT_SET: {_HOW_TO}")
        if descriptor.dynamic_typing:
            raise ValueError(f"parameter {name!r} is given a type and a descriptor with dynamic_typing=True")
        descriptor.type = int(given)
        return None
    if not descriptor.dynamic_typing:
        is_message = isinstance(given, rcl_message("ParameterValue"))
        descriptor.type = int(given.type if is_message else Parameter.Type.from_parameter_value(given))
        if descriptor.type == Parameter.Type.NOT_SET:
            raise ValueError(f"parameter {name!r} has neither a type nor a value: {_HOW_TO}")
    return given
