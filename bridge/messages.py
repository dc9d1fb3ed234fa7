"""ROS 2 messages: classes that can be made without arguments, and their CDR form.

The definitions, the CDR code and the type hashes are those of `rosbags`, whose own classes demand every
argument and drop default values; the classes made here are what an rclpy user expects: `Twist()`,
`String(data="hello")`. Types are only ever made from the definitions that ship with the bridge, never from
what arrives on the wire.

Sequences and fixed arrays of numbers are NumPy arrays; other sequences are lists.
"""

import dataclasses
import functools
import keyword
import struct
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from rosbags.interfaces import Nodetype
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from .exceptions import MessageError
from .wire import ID_BYTES

#: ROS 2 distribution whose definitions (and therefore type hashes) are used
DISTRIBUTION = Stores.ROS2_JAZZY

#: our own definitions, in the language of .msg files
OWN_DEFINITIONS = {
    "tolman_msgs/msg/EventPacket": """
# Events of an event camera in one control period, by ascending time.
std_msgs/Header header
uint32 width   # of the sensor, pixels
uint32 height
int64[] t      # microseconds since the start of the episode
int16[] x      # column, 0 is leftmost
int16[] y      # row, 0 is the top
uint8[] p      # 0 darker (OFF), 1 brighter (ON)
""",
    "tolman_msgs/msg/Spikes": """
# Spikes of one control period.
std_msgs/Header header   # stamp: start of the period
uint32[] neuron          # global index
uint16[] time_ms         # since the start of the period
""",
}

#: default values that rosbags does not keep. ROS 2 Jazzy: Quaternion.msg, NavSatStatus.msg.
_DEFAULTS: dict[tuple[str, str], float | int] = {
    ("geometry_msgs/msg/Quaternion", "w"): 1.0,
    ("sensor_msgs/msg/NavSatStatus", "status"): -2,
}

_ZEROS: dict[str, bool | int | float | str] = {"bool": False, "float32": 0.0, "float64": 0.0, "string": ""}
_DTYPES = {"bool": np.dtype(np.bool_), "char": np.dtype(np.uint8), "byte": np.dtype(np.uint8)}
_FAILURES = (
    SerdeError,
    struct.error,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    MemoryError,
)

M = TypeVar("M", bound="Message")
_making = threading.RLock()


class Message:
    """Base of all message classes; fields are plain attributes."""

    __slots__ = ()
    TYPE_NAME: ClassVar[str]  #: such as `std_msgs/msg/String`
    FIELD_TYPES: ClassVar[dict[str, str]]  #: field name to ROS type, in the order of the definition
    _arrays: ClassVar[tuple[tuple[str, np.dtype[Any], int, bool], ...]]
    _children: ClassVar[tuple[tuple[str, bool], ...]]

    if TYPE_CHECKING:  # the made classes have an __init__ of their own: every field a keyword, none needed

        def __init__(self, *values: Any, **fields: Any) -> None: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    @classmethod
    def get_fields_and_field_types(cls) -> dict[str, str]:
        """Field names and their ROS types, as generated rclpy classes have it."""
        return dict(cls.FIELD_TYPES)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        for name in self.FIELD_TYPES:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, np.ndarray) or isinstance(theirs, np.ndarray):
                if not np.array_equal(mine, theirs):
                    return False
            elif mine != theirs:
                return False
        return True

    __hash__ = None  # type: ignore[assignment]  # mutable, as rclpy's messages are

    def _coerced(self) -> Self:
        """Bring array fields to the exact type and layout that the serialiser copies bytes from."""
        for name, dtype, length, fixed in self._arrays:
            value = getattr(self, name)
            if (
                type(value) is not np.ndarray
                or value.dtype != dtype
                or not value.flags.c_contiguous
                or value.ndim != 1
            ):
                setattr(self, name, value := _to_array(value, dtype, name))
            if (length and value.size > length) or (fixed and value.size != length):
                bound = f"exactly {length}" if fixed else f"at most {length}"
                raise ValueError(f"field {name!r} takes {bound} values, got {value.size}")
        for name, is_list in self._children:
            child = getattr(self, name)
            for item in child if is_list else (child,):
                item._coerced()
        return self

    # Fields are made at run time from the definitions: a type checker cannot know them.
    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{self.TYPE_NAME} has no field {name!r}; it has {', '.join(self.FIELD_TYPES)}")


def _to_array(value: object, dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    source = np.frombuffer(value, np.uint8) if isinstance(value, bytes | bytearray) else np.asarray(value)
    if source.size == 0:
        return np.zeros(0, dtype)
    with np.errstate(all="ignore"):
        array = np.ascontiguousarray(source.ravel(), dtype)
    if dtype.kind in "iu" and not np.array_equal(array, source.ravel()):
        raise ValueError(f"field {name!r} holds {dtype.name} values; some of those given do not fit")
    return array


@functools.cache
def _typestore() -> Typestore:
    store = get_typestore(DISTRIBUTION)
    for name, text in OWN_DEFINITIONS.items():
        store.register(get_types_from_msg(text, name))
    return store


def canonical_name(name: str) -> str:
    """`std_msgs/String` and `std_msgs/msg/String` are both `std_msgs/msg/String`."""
    parts = name.split("/")
    return f"{parts[0]}/msg/{parts[1]}" if len(parts) == 2 else name


def known_types() -> list[str]:
    """Names of all messages that can be made, sorted."""
    return sorted(_typestore().fielddefs)


def message_class(name: str) -> type[Message]:
    """The class of a message type.

    Parameters
    ----------
    name : str
        Such as `geometry_msgs/msg/Twist` or `geometry_msgs/Twist`.

    Raises
    ------
    ValueError
        If the type is not one of `known_types()`.
    """
    with _making:
        return _message_class(canonical_name(name))


@functools.cache
def _message_class(name: str) -> type[Message]:
    store = _typestore()
    if name not in store.fielddefs:
        raise ValueError(f"unknown message type {name!r}; known_types() lists those that exist")
    constants, fields = store.fielddefs[name]
    made: list[tuple[str, type, Any]] = []
    types: dict[str, str] = {}
    arrays: list[tuple[str, np.dtype[Any], int, bool]] = []
    children: list[tuple[str, bool]] = []
    for raw_name, description in fields:
        field = f"{raw_name}_" if keyword.iskeyword(raw_name) else raw_name
        kind = description[0]
        types[field] = _type_text(description)
        if kind == Nodetype.BASE:
            default = _DEFAULTS.get((name, raw_name), _ZEROS.get(str(description[1][0]), 0))
            made.append((field, type(default), dataclasses.field(default=default)))
        elif kind == Nodetype.NAME:
            child = _message_class(str(description[1]))
            made.append((field, child, dataclasses.field(default_factory=child)))
            children.append((field, False))
        else:
            element, length = cast("tuple[tuple[Nodetype, Any], int]", description[1])
            fixed = kind == Nodetype.ARRAY
            factory = _sequence_factory(element, length if fixed else 0)
            made.append((field, object, dataclasses.field(default_factory=factory)))
            if element[0] == Nodetype.NAME:
                children.append((field, True))
            elif element[1][0] != "string":
                arrays.append((field, _dtype(element[1][0]), length, fixed))
    namespace: dict[str, Any] = {constant: value for constant, _, value in constants}
    namespace |= {
        "__doc__": f"Message {name}.",
        "__module__": __name__,
        "TYPE_NAME": name,
        "FIELD_TYPES": types,
        "_arrays": tuple(arrays),
        "_children": tuple(c for c in children if _needs_coercion(store, fields, c[0])),
    }
    short = name.rsplit("/", 1)[1]
    made_class = dataclasses.make_dataclass(
        short, made, bases=(Message,), namespace=namespace, slots=True, eq=False
    )
    # the deserialiser builds messages with the class the store names
    store.types[name] = cast(Any, made_class)
    return cast("type[Message]", made_class)


def _needs_coercion(store: Typestore, fields: Any, field: str) -> bool:
    """Whether the messages in `field` have arrays anywhere below: only then are they walked through."""
    description = next(d for n, d in fields if n == field or f"{n}_" == field)
    child = description[1] if description[0] == Nodetype.NAME else description[1][0][1]
    made = _message_class(str(child))
    return bool(made._arrays or made._children)


def _dtype(base: str) -> np.dtype[Any]:
    return _DTYPES.get(base) or np.dtype(base)


def _sequence_factory(element: tuple[Nodetype, Any], count: int) -> Callable[[], object]:
    if element[0] == Nodetype.NAME:
        child = _message_class(str(element[1]))
        return lambda: [child() for _ in range(count)]
    if element[1][0] == "string":
        return lambda: [""] * count
    dtype = _dtype(element[1][0])
    return lambda: np.zeros(count, dtype)


def _type_text(description: Any) -> str:
    kind, detail = description
    if kind == Nodetype.BASE:
        base, bound = detail
        text = {
            "float32": "float",
            "float64": "double",
            "bool": "boolean",
            "byte": "octet",
            "char": "uint8",
        }.get(base, base)
        return f"{text}<{bound}>" if bound else str(text)
    if kind == Nodetype.NAME:
        return str(detail).replace("/msg/", "/")
    element, length = detail
    if kind == Nodetype.ARRAY:
        return f"{_type_text(element)}[{length}]"
    return f"sequence<{_type_text(element)}, {length}>" if length else f"sequence<{_type_text(element)}>"


@functools.cache
def type_hash(name: str) -> str:
    """RIHS01 hash of a type (REP 2016), the same that ROS 2 computes: `RIHS01_` and 64 hexadecimal digits."""
    return _typestore().hash_rihs01(message_class(name).TYPE_NAME)


def type_hash_prefix(name: str) -> bytes:
    """The first 8 bytes of the hash, which travel in every frame."""
    return bytes.fromhex(type_hash(name).removeprefix("RIHS01_"))[:ID_BYTES]


def definition(name: str) -> str:
    """Definition of a type in the language of .msg files, with those of all types that it contains.

    The form that recordings and viewers take (`ros2msg`): each further type follows a line of `=` signs and
    a line `MSG: its name`. Comments and default values are left out.

    Raises
    ------
    ValueError
        If the type is not one of `known_types()`.
    """
    text, _ = _typestore().generate_msgdef(message_class(name).TYPE_NAME, ros_version=2)
    return text


def serialize(message: Message) -> memoryview:
    """CDR form of `message`, with its 4-byte encapsulation header.

    Raises
    ------
    MessageError
        If a field holds something its type cannot; the text names the message and the reason.
    """
    try:
        return _typestore().serialize_cdr(message._coerced(), message.TYPE_NAME)
    except _FAILURES as error:
        raise MessageError(f"cannot serialise {message.TYPE_NAME}: {error}") from error


def deserialize(payload: bytes | memoryview, message_type: type[M]) -> M:
    """The message that a CDR payload holds. Its arrays are writable and belong to it.

    Raises
    ------
    MessageError
        If the payload is not a whole message of that type.
    """
    # CDR aligns from the end of the 4-byte encapsulation: at offset 8 every array is aligned in memory too.
    buffer = bytearray(len(payload) + 4)
    view = memoryview(buffer)[4:]
    view[:] = payload
    try:
        return cast(M, _typestore().deserialize_cdr(view, message_type.TYPE_NAME))
    except _FAILURES as error:
        raise MessageError(f"cannot read {message_type.TYPE_NAME}: {error}") from error
