"""Parameters, as rclpy has them: a name, a type and a value; their messages; values from text and files."""

import array
from collections.abc import Callable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar, Union

from .messages import Message, message_class
from .parameter_yaml import PARAMETER_SEPARATOR_STRING, matches, parameters_in, value_from_text

__all__ = [
    "PARAMETER_SEPARATOR_STRING",
    "AllowableParameterValue",
    "Parameter",
    "get_parameter_value",
    "parameter_dict_from_yaml_file",
    "parameter_from_text",
    "parameter_value_to_python",
    "parameters_of_node",
    "rcl_message",
]

#: what a parameter can hold
AllowableParameterValue = Union[
    None,
    bool,
    int,
    float,
    str,
    Sequence[bytes],
    Sequence[bool],
    Sequence[int],
    Sequence[float],
    Sequence[str],
    "array.array[int]",
    "array.array[float]",
]
ValueT_co = TypeVar("ValueT_co", bound=AllowableParameterValue, covariant=True)


def rcl_message(name: str) -> type[Message]:
    """The class of a message of rcl_interfaces, such as ParameterDescriptor."""
    return message_class(f"rcl_interfaces/msg/{name}")


class ParameterType(IntEnum):
    """The type of a parameter; the numbers are those of rcl_interfaces/msg/ParameterType."""

    NOT_SET = 0
    BOOL = 1
    INTEGER = 2
    DOUBLE = 3
    STRING = 4
    BYTE_ARRAY = 5
    BOOL_ARRAY = 6
    INTEGER_ARRAY = 7
    DOUBLE_ARRAY = 8
    STRING_ARRAY = 9

    @classmethod
    def from_parameter_value(cls, parameter_value: object) -> "ParameterType":
        """The type that a value has; an empty list counts as one of bytes.

        Raises
        ------
        TypeError
            If no type fits.
        """
        for type_ in cls:
            if type_.check(parameter_value):
                return type_
        raise TypeError(f"a parameter cannot hold {parameter_value!r}: it is of none of the allowed types")

    def check(self, parameter_value: object) -> bool:
        """Whether a value is of this type. As in rclpy, a boolean also passes for an integer."""
        return _CHECKS[self](parameter_value)

    @property
    def field(self) -> str:
        """The field of a ParameterValue message that holds values of this type."""
        return f"{self.name.lower()}_value"


def _is(kind: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kind)


def _is_list(kind: type, *containers: type) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        items: Any = value  # mypy would take what is in one of the containers for an object
        return isinstance(value, containers) and all(isinstance(item, kind) for item in items)

    return check


def _is_byte_list(value: object) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(item, bytes) and len(item) == 1 for item in value
    )


_CHECKS: dict[ParameterType, Callable[[object], bool]] = {
    ParameterType.NOT_SET: lambda value: value is None,
    ParameterType.BOOL: _is(bool),
    ParameterType.INTEGER: _is(int),
    ParameterType.DOUBLE: _is(float),
    ParameterType.STRING: _is(str),
    ParameterType.BYTE_ARRAY: _is_byte_list,
    ParameterType.BOOL_ARRAY: _is_list(bool, list, tuple),
    ParameterType.INTEGER_ARRAY: _is_list(int, list, tuple, array.array),
    ParameterType.DOUBLE_ARRAY: _is_list(float, list, tuple, array.array),
    ParameterType.STRING_ARRAY: _is_list(str, list, tuple),
}

#: type codes of what comes out of a message, as generated rclpy messages have it
_CODES = {ParameterType.INTEGER_ARRAY: "q", ParameterType.DOUBLE_ARRAY: "d"}


class Parameter(Generic[ValueT_co]):
    """A named value. Immutable; two parameters are equal only if they are one.

    Parameters
    ----------
    name : str
    type_ : Parameter.Type, optional
        Default: the type of `value`.
    value : optional
        None for a parameter that is not set.

    Raises
    ------
    TypeError
        If `type_` is no Parameter.Type, or `value` is of none of the types.
    ValueError
        If type and value do not agree.
    """

    Type: TypeAlias = ParameterType

    def __init__(self, name: str, type_: ParameterType | None = None, value: Any = None) -> None:
        if type_ is None:
            type_ = ParameterType.from_parameter_value(value)
        if not isinstance(type_, ParameterType):
            raise TypeError(f"type must be an instance of {ParameterType!r}, got {type_!r}")
        if not type_.check(value):
            raise ValueError(f"the value of parameter {name!r} is not of type {type_.name}: {value!r}")
        self._type_, self._name, self._value = type_, name, value

    @classmethod
    def from_parameter_msg(cls, param_msg: Message) -> "Parameter[Any]":
        """The parameter in a message; numbers of an array come as `array.array`, as in rclpy.

        Raises
        ------
        ValueError
            If its type is none.
        """
        type_ = ParameterType(int(param_msg.value.type))
        value: Any = parameter_value_to_python(param_msg.value)
        if (code := _CODES.get(type_)) is not None:
            value = array.array(code, value)
        return cls(param_msg.name, type_, value)

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def type_(self) -> ParameterType:
        """The type of its value."""
        return self._type_

    @property
    def value(self) -> ValueT_co:
        """Its value."""
        return self._value  # type: ignore[no-any-return]  # checked against the type when it was made

    def get_parameter_value(self) -> Message:
        """Type and value as a ParameterValue message."""
        return _value_message(self._type_, self._value)

    def to_parameter_msg(self) -> Message:
        """The whole as a Parameter message."""
        return rcl_message("Parameter")(name=self._name, value=self.get_parameter_value())

    def __repr__(self) -> str:
        return f"Parameter(name={self._name!r}, type_={self._type_.name}, value={self._value!r})"


def _value_message(type_: ParameterType, value: Any) -> Message:
    message = rcl_message("ParameterValue")(type=int(type_))
    if type_ != ParameterType.NOT_SET:
        setattr(message, type_.field, list(value) if isinstance(value, tuple) else value)
    return message


def get_parameter_value(string_value: str) -> Message:
    """The ParameterValue message that a text means, read as YAML: `1`, `0.5`, `yes`, `[1, 2]`, `text`.

    A list of mixed types, a mapping and what is not YAML are taken for text.
    """
    return _message_from(value_from_text(string_value), string_value)


def _message_from(value: object, text: str) -> Message:
    """Type and value as a message; `text` where no type fits."""
    if isinstance(value, str):
        return _value_message(ParameterType.STRING, value)
    if value == []:  # a list without elements has no type in YAML; rclpy takes it for booleans
        return _value_message(ParameterType.BOOL_ARRAY, value)
    try:
        type_ = ParameterType.from_parameter_value(value)
    except TypeError:
        type_ = ParameterType.NOT_SET
    if type_ in (ParameterType.NOT_SET, ParameterType.BYTE_ARRAY):
        return _value_message(ParameterType.STRING, text)
    return _value_message(type_, value)


def parameter_value_to_python(parameter_value: Message) -> AllowableParameterValue:
    """The value in a ParameterValue message; arrays as lists, None if it is not set.

    Raises
    ------
    RuntimeError
        If its type is none.
    """
    try:
        type_ = ParameterType(int(parameter_value.type))
    except ValueError:
        raise RuntimeError(f"unexpected parameter type {parameter_value.type}") from None
    if type_ == ParameterType.NOT_SET:
        return None
    value: Any = getattr(parameter_value, type_.field)
    if type_ == ParameterType.BYTE_ARRAY:
        # out of a frame they come as signed numbers
        return [item if isinstance(item, bytes) else bytes([int(item) & 0xFF]) for item in value]
    if type_.name.endswith("_ARRAY"):
        value = value.tolist() if hasattr(value, "tolist") else list(value)
    result: AllowableParameterValue = value
    return result


def parameter_dict_from_yaml_file(
    parameter_file: str,
    use_wildcard: bool = False,
    target_nodes: list[str] | None = None,
    namespace: str = "",
) -> dict[str, Message]:
    """Read a parameter file; the keys of its nodes are compared as they stand there.

    Parameters
    ----------
    parameter_file : str
        Path of the file; see `parameter_yaml`.
    use_wildcard : bool
        Also take what stands under `/**`; parameters of nodes override it.
    target_nodes : list of str, optional
        The nodes to take. Default: all.
    namespace : str
        Put before each name as it is.

    Returns
    -------
    dict
        From names of parameters to Parameter messages.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    RuntimeError
        If it is no parameter file, a target node is not in it, or nothing is left.
    """
    text = Path(parameter_file).read_text(encoding="utf-8")
    try:
        entries = parameters_in(text, parameter_file)
    except ValueError as error:
        raise RuntimeError(str(error)) from error
    found: dict[str, dict[str, object]] = {}
    for node, name, value in entries:
        found.setdefault(node, {})[name] = value
    for node in target_nodes or []:
        if node not in found:
            raise RuntimeError(f"{parameter_file} has no parameters for {node}, only for {sorted(found)}")
    wanted = target_nodes or [node for node in found if node != "/**"]
    if use_wildcard and "/**" in found:
        wanted = ["/**", *wanted]
    if not wanted:
        raise RuntimeError(f"{parameter_file} has no parameters for the nodes that were asked for")
    values = {f"{namespace}{name}": value for node in wanted for name, value in found[node].items()}
    made = rcl_message("Parameter")
    return {name: made(name=name, value=_message_from(value, str(value))) for name, value in values.items()}


def parameter_from_text(name: str, text: str) -> Parameter[Any]:
    """The parameter that `name:=text` on a command line means; see `get_parameter_value`."""
    return Parameter(name, value=parameter_value_to_python(get_parameter_value(text)))


def parameters_of_node(parameter_file: str, node: str) -> list[Parameter[Any]]:
    """The parameters that a file has for a node, by name; of two that fit, the later in the file wins.

    Parameters
    ----------
    parameter_file : str
        Path of the file; see `parameter_yaml`, also for what `*` and `**` mean there.
    node : str
        Fully qualified name of the node, such as `/robot/agent`.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no parameter file.
    """
    text = Path(parameter_file).read_text(encoding="utf-8")
    entries = [
        (name, value) for key, name, value in parameters_in(text, parameter_file) if matches(key, node)
    ]
    messages = {name: _message_from(value, str(value)) for name, value in entries}
    return [Parameter(name, value=parameter_value_to_python(value)) for name, value in messages.items()]
