"""What all message classes have: values that compare, print, and are made fit for the serialiser."""

import copy
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from .number_sequence import NumberSequence

ARRAYS = (np.ndarray, NumberSequence)


class Octet(bytes):
    """The value of a `byte` field, one byte as in rclpy; the serialiser takes it for a number, -128..127."""

    __slots__ = ()

    def __int__(self) -> int:
        return self[0]

    def __index__(self) -> int:
        return self[0] - 256 if self[0] > 127 else self[0]


class Message:
    """Base of all message classes; fields are plain attributes."""

    __slots__ = ()
    TYPE_NAME: ClassVar[str]  #: such as `std_msgs/msg/String`
    FIELD_TYPES: ClassVar[dict[str, str]]  #: field name to ROS type, in the order of the definition
    _arrays: ClassVar[tuple[tuple[str, np.dtype[Any], int, bool], ...]]
    _octets: ClassVar[tuple[str, ...]]
    _octet_arrays: ClassVar[tuple[str, ...]]
    _sequences: ClassVar[tuple[str, ...]]  # of numbers
    _TYPE_SUPPORT: ClassVar[object]  # not None: the type can be used

    if TYPE_CHECKING:  # the made classes have an __init__ of their own: every field a keyword, none needed

        def __init__(self, *values: Any, **fields: Any) -> None: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    @classmethod
    def get_fields_and_field_types(cls) -> dict[str, str]:
        """Field names and their ROS types, as generated rclpy classes have it."""
        return dict(cls.FIELD_TYPES)

    @classmethod
    def __import_type_support__(cls) -> None:
        """Nothing to import: here every type is usable from the start."""

    def __repr__(self) -> str:
        module = type(self).__module__.rpartition(".")[0]
        fields = (
            f"{name}={_value_text(getattr(self, name), kind)}" for name, kind in self.FIELD_TYPES.items()
        )
        return f"{module}.{type(self).__name__}({', '.join(fields)})"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        try:  # a list, and an array of the field's type, may hold the same numbers
            mine, theirs = self._with_arrays(), other._with_arrays()
        except (TypeError, ValueError):
            mine, theirs = self, other
        for name in self.FIELD_TYPES:
            one, two = getattr(mine, name), getattr(theirs, name)
            if isinstance(one, np.ndarray) or isinstance(two, np.ndarray):
                if not np.array_equal(one, two):
                    return False
            elif one != two:
                return False
        return True

    __hash__ = None  # type: ignore[assignment]  # mutable, as rclpy's messages are

    def _with_arrays(self) -> Self:
        """The message with arrays of the exact type, whose bytes the serialiser copies, but for its children.

        Itself if all is right already; else a copy, so that the user's own lists stay what they are.
        """
        fitting = self
        for name, dtype, length, fixed in self._arrays:
            value = getattr(self, name)
            if (
                type(value) not in ARRAYS
                or value.dtype != dtype
                or not value.flags.c_contiguous
                or value.ndim != 1
            ):
                fitting = self._replaced(fitting, name, value := to_array(value, dtype, name))
            if (length and value.size > length) or (fixed and value.size != length):
                bound = f"exactly {length}" if fixed else f"at most {length}"
                raise ValueError(f"field {name!r} takes {bound} values, got {value.size}")
        return fitting

    def _replaced(self, fitting: Self, name: str, value: object) -> Self:
        if fitting is self:
            fitting = copy.copy(self)
        setattr(fitting, name, value)
        return fitting

    def _fit_fields(self) -> None:
        """After construction: bytes for what the deserialiser reads as signed numbers, arrays that grow."""
        for name in self._octets:
            value = getattr(self, name)
            if type(value) is int:
                setattr(self, name, to_octet(value, name))
        for name in self._octet_arrays:
            value = getattr(self, name)
            if type(value) is np.ndarray and value.dtype == np.int8:
                setattr(self, name, value.view(np.uint8))
        for name in self._sequences:
            value = getattr(self, name)
            if type(value) is np.ndarray and value.ndim == 1:
                setattr(self, name, value.view(NumberSequence))

    # Fields are made at run time from the definitions: a type checker cannot know them.
    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{self.TYPE_NAME} has no field {name!r}; it has {', '.join(self.FIELD_TYPES)}")


def _value_text(value: object, kind: str) -> str:
    if isinstance(value, np.ndarray) and kind.startswith("sequence"):
        return repr(value.tolist()) if value.size <= 1000 else np.array2string(value, separator=", ")
    return repr(value)


def to_octet(value: object, name: str) -> Octet:
    """What a `byte` field, `name`, may be given, as it holds it; raises ValueError if it is not one byte."""
    octet = Octet([value % 256] if isinstance(value, int) and -128 <= value < 256 else cast(bytes, value))
    if len(octet) != 1:
        raise ValueError(f"field {name!r} takes one byte, got {value!r}")
    return octet


def to_array(value: object, dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    """What a field of numbers, `name`, may be given, as an array; raises ValueError if it does not fit."""
    source = np.frombuffer(value, np.uint8) if isinstance(value, bytes | bytearray) else np.asarray(value)
    if source.dtype.kind == "S":  # a list of single bytes
        source = np.frombuffer(b"".join(cast("list[bytes]", value)), np.uint8)
    if source.size == 0:
        return np.zeros(0, dtype)
    if dtype.kind in "iu" and source.dtype.kind == "f" and isinstance(value, list | tuple):
        # NumPy makes floats of integers that no one integer type holds
        source = np.array(value, object)
    with np.errstate(all="ignore"):
        try:
            array = np.ascontiguousarray(source.ravel(), dtype)
        except OverflowError:
            array = np.zeros(0, dtype)
    if dtype.kind in "iu" and not np.array_equal(array, source.ravel()):
        raise ValueError(f"field {name!r} holds {dtype.name} values; some of those given do not fit")
    return array
