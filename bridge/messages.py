"""ROS 2 messages: classes that can be made without arguments, and their CDR form.

The definitions are those of `rosbags`, whose own classes demand every
argument and drop default values; the classes made here are what an rclpy user expects: `Twist()`,
`String(data="hello")`. Types are only ever made from the definitions that ship with the bridge or that the
user adds, never from what arrives on the wire.

Fixed arrays of numbers are NumPy arrays, sequences of numbers are such as can grow (`NumberSequence`); other
sequences are lists.
"""

import dataclasses
import functools
import keyword
import re
import struct
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from rosbags.interfaces import Nodetype
from rosbags.serde import SerdeError
from rosbags.typesys import TypesysError

from . import cdr, type_description, typestore
from .cdr import dtype_of
from .exceptions import MessageError
from .message_base import Message, Octet
from .network.wire import ID_BYTES
from .number_sequence import NumberSequence
from .type_description import EMPTY_MEMBER, TEXTS
from .typestore import canonical_name

__all__ = [
    "Message",
    "canonical_name",
    "deserialize",
    "known_types",
    "message_class",
    "python_module",
    "serialize",
    "type_hash",
    "type_hash_prefix",
]

#: what rosbags, as ROS 2 does, gives a message without fields
_PLACEHOLDER = (EMPTY_MEMBER, (Nodetype.BASE, ("uint8", 0)))
_ZEROS: dict[str, bool | int | float | str] = {"bool": False, "float32": 0.0, "float64": 0.0} | dict.fromkeys(
    TEXTS, ""
)
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

_FILLING = bytes(cdr.BODY - len(cdr.ENCAPSULATION))
_ENCAPSULATIONS = (b"\0\0", b"\0\1")  #: CDR, big and little endian

M = TypeVar("M", bound=Message)
_writers: dict[str, cdr.Writer] = {}
_readers: dict[str, cdr.Reader] = {}
_making = threading.RLock()


def known_types() -> list[str]:
    """Names of all messages that can be made, sorted."""
    return typestore.names("msg")


def python_module(name: str) -> str:
    """The module that ROS 2 has a type in: `std_msgs.msg._bool` for `std_msgs/msg/Bool`."""
    package, kind, short = name.split("/")
    words = re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z0-9])(?=[A-Z])", "_", short.split("_")[0])
    return f"{package}.{kind}._{words.lower()}"


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
    store = typestore.store()
    if not typestore.is_message(name):
        raise ValueError(f"unknown message type {name!r}; known_types() lists those that exist")
    constants, fields = store.fielddefs[name]
    made: list[tuple[str, type, Any]] = []
    types: dict[str, str] = {}
    arrays: list[tuple[str, np.dtype[Any], int, bool]] = []
    octets: list[str] = []
    octet_arrays: list[str] = []
    defaults: dict[str, Any] = {}
    for raw_name, description in fields:
        field = f"{raw_name}_" if keyword.iskeyword(raw_name) else raw_name
        kind = description[0]
        given = typestore.default_value(name, raw_name)
        if given is not None and kind == Nodetype.BASE:
            defaults[f"{field.upper()}__DEFAULT"] = given
        if raw_name != EMPTY_MEMBER:
            types[field] = _type_text(description)
        if kind == Nodetype.BASE:
            base = str(description[1][0])
            default = _ZEROS.get(base, 0) if given is None else given
            if base == "byte":
                default = Octet([int(default)])
                octets.append(field)
            made.append((field, type(default), dataclasses.field(default=default)))
        elif kind == Nodetype.NAME:
            child = _message_class(str(description[1]))
            made.append((field, child, dataclasses.field(default_factory=child)))
        else:
            element, length = cast("tuple[tuple[Nodetype, Any], int]", description[1])
            fixed = kind == Nodetype.ARRAY
            factory = _sequence_factory(element, length if fixed else 0, given, fixed)
            made.append((field, object, dataclasses.field(default_factory=factory)))
            if element[0] == Nodetype.BASE and element[1][0] not in TEXTS:
                arrays.append((field, dtype_of(element[1][0]), length, fixed))
                if element[1][0] == "byte":
                    octet_arrays.append(field)
    namespace: dict[str, Any] = {
        constant: Octet([int(value)]) if base == "byte" else value for constant, base, value in constants
    }
    namespace |= defaults
    namespace |= {
        "__doc__": f"Message {name}.",
        "__module__": python_module(name),
        "TYPE_NAME": name,
        "FIELD_TYPES": types,
        "_TYPE_SUPPORT": name,
        "_arrays": tuple(arrays),
        "_octets": tuple(octets),
        "_octet_arrays": tuple(octet_arrays),
        "_sequences": tuple(name for name, _, _, fixed in arrays if not fixed),
    }
    if octets or octet_arrays or namespace["_sequences"]:
        namespace["__post_init__"] = Message._fit_fields
    short = name.rsplit("/", 1)[1]
    made_class = dataclasses.make_dataclass(
        short, made, bases=(Message,), namespace=namespace, slots=True, eq=False, repr=False
    )
    # the deserialiser builds messages with the class the store names
    store.types[name] = cast(Any, made_class)
    return cast("type[Message]", made_class)


def _sequence_factory(
    element: tuple[Nodetype, Any], count: int, given: Any, fixed: bool
) -> Callable[[], object]:
    if element[0] == Nodetype.NAME:
        child = _message_class(str(element[1]))
        return lambda: [child() for _ in range(count)]
    if element[1][0] in TEXTS:
        texts = [""] * count if given is None else list(given)
        return texts.copy
    dtype = dtype_of(element[1][0])
    numbers = [0] * count if given is None else list(given)
    made = np.array(numbers, dtype) if fixed else NumberSequence.of(numbers, dtype)
    return made.copy


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
        package, _, short = str(detail).split("/")
        return f"{package}/{short}"
    element, length = detail
    if kind == Nodetype.ARRAY:
        return f"{_type_text(element)}[{length}]"
    return f"sequence<{_type_text(element)}, {length}>" if length else f"sequence<{_type_text(element)}>"


@functools.cache
def type_hash(name: str) -> str:
    """RIHS01 hash of a type (REP 2016), the same that ROS 2 computes: `RIHS01_` and 64 hexadecimal digits."""
    return type_description.rihs01(message_class(name).TYPE_NAME, typestore.store().fielddefs)


def type_hash_prefix(name: str) -> bytes:
    """The first 8 bytes of the hash, which travel in every frame."""
    return bytes.fromhex(type_hash(name).removeprefix("RIHS01_"))[:ID_BYTES]


def definition(name: str) -> str:
    """Text of a type in the language of .msg files, followed by the types in it, as ROS 2 tools store it."""
    return type_description.definition(message_class(name).TYPE_NAME, typestore.store().fielddefs)


def agrees(name: str, text: str) -> bool:
    """Whether `text`, such as `definition` makes, describes the same fields that the type has here."""
    with _making:
        try:
            message_class(name)
            described = type_description.definitions(name, text)
        except (TypesysError, ValueError, RecursionError):
            return False
        known = typestore.store().fielddefs
    for kind, (_, fields) in described.items():
        plain = [(field, typestore.without_char(kind_of)) for field, kind_of in fields]
        if kind not in known or known[kind][1] not in (plain, [*plain, _PLACEHOLDER]):
            return False
    return True


def serialize(message: Message) -> bytes:
    """CDR form of `message`, with its 4-byte encapsulation header.

    Raises
    ------
    MessageError
        If a field holds something its type cannot; the text names the message and the reason.
    """
    name = message.TYPE_NAME
    try:
        write = _writers.get(name) or _writer(name)
        return write(message)
    except _FAILURES as error:
        raise MessageError(f"cannot serialise {name}: {error}") from error


def deserialize(payload: bytes | memoryview, message_type: type[M]) -> M:
    """The message that a CDR payload holds. Its arrays are writable and belong to it.

    What stands behind the message does not count, as in rclpy, whose own payloads may have a few bytes there.

    Raises
    ------
    MessageError
        If the payload does not begin with a whole message of that type.
    """
    name = message_type.TYPE_NAME
    try:
        buffer = bytearray(_FILLING)
        buffer += payload
        if bytes(payload[:2]) not in _ENCAPSULATIONS:
            raise ValueError("its encapsulation is not that of CDR")
        if payload[1] == 0:  # big-endian is read slowly
            store = typestore.store()
            try:
                code = store.get_msgdef(name)
            except KeyError:
                raise ValueError("wide strings are read in little-endian payloads only") from None
            body = memoryview(buffer)[len(_FILLING) + 4 :]
            return cast(M, code.deserialize_cdr_be(body, 0, code.cls, store)[0])
        read = _readers.get(name) or _reader(name)
        return cast(M, read(buffer)[0])  # rclpy leaves up to 12 bytes behind a message
    except _FAILURES as error:
        raise MessageError(f"cannot read {name}: {error}") from error


def _writer(name: str) -> cdr.Writer:
    message_class(name)
    return _writers.setdefault(name, cdr.writer(name))


def _reader(name: str) -> cdr.Reader:
    message_class(name)
    return _readers.setdefault(name, cdr.reader(name))
