"""CDR writers and readers of message types, compiled from their definitions.

`rosbags` reads and writes every field of every nested message by a call of its own. Here a type becomes one
function: nested messages are unfolded into it, and neighbouring fields of fixed size are packed by one
`struct.Struct`, with the padding between them. Where the distance from the start of the message is not known
beforehand, after a string for example, there is one `Struct` for each of the eight places it can begin at.

Plain CDR, little endian: each number is aligned to its own size, counted from the end of the 4-byte
encapsulation; strings are a length with the NUL counted, UTF-8 and a NUL; sequences a length and the
elements. Wide strings have the form that Fast CDR gives them, since the standard leaves it open: the number
of UTF-16 code units, and each unit in four bytes.
"""

import functools
import struct
import threading
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from rosbags.interfaces import Nodetype

from . import typestore
from .message_base import ARRAYS, Octet, to_array, to_octet
from .number_sequence import NumberSequence
from .type_description import TEXTS

ENCAPSULATION = b"\x00\x01\x00\x00"
BODY = 8  #: where readers begin: behind four bytes of filling, so that arrays are aligned in memory too

Field = tuple[str, Any]  #: attribute and rosbags' description of its type
Writer = Callable[[Any], bytes]
Reader = Callable[[bytearray], tuple[Any, int]]

#: format character and size of what is not a string
_NUMBERS = {
    "bool": ("?", 1),
    "byte": ("B", 1),
    "char": ("B", 1),
    "int8": ("b", 1),
    "uint8": ("B", 1),
    "int16": ("h", 2),
    "uint16": ("H", 2),
    "int32": ("i", 4),
    "uint32": ("I", 4),
    "int64": ("q", 8),
    "uint64": ("Q", 8),
    "float32": ("f", 4),
    "float64": ("d", 8),
}
_PADDING = [bytes(count) for count in range(8)]
_compiling = threading.RLock()


def dtype_of(base: str) -> np.dtype[Any]:
    """Of the array that holds a sequence of numbers."""
    return np.dtype({"bool": "?", "char": "u1", "byte": "u1"}.get(base, base)).newbyteorder("<")


def writer(name: str) -> Writer:
    """The function that makes the payload of a message of type `name`, encapsulation included."""
    return cast(Writer, _compiled("write", name, True))


def reader(name: str) -> Reader:
    """The function that makes a message of type `name` of a buffer, and tells where it ends there.

    The buffer is four bytes of filling and the payload; the message keeps it as the memory of its arrays.
    """
    return cast(Reader, _compiled("read", name, True))


def _compiled(task: str, name: str, whole: bool) -> Callable[..., Any]:
    with _compiling:
        return _compile(task, name, whole)


@functools.cache
def _compile(task: str, name: str, whole: bool) -> Callable[..., Any]:
    return (_WriterCode if task == "write" else _ReaderCode)(whole).compile(name)


class _Code:
    """Lines of a function, the objects they name, and what is known of the place they have come to.

    A whole message begins at a known place; one in a sequence is given its place, the variable `pos`, and
    returns the place behind it.
    """

    def __init__(self, whole: bool) -> None:
        self.whole = whole
        self.names: dict[str, Any] = {"padding": _PADDING}
        self.lines: list[str] = []
        self.place: int | None = 0 if whole else None  #: modulo 8; None if it is not known
        self.run: list[tuple[str, int, str]] = []  #: (format, size, variable or value), not emitted yet
        self._count = 0

    def compile(self, name: str) -> Callable[..., Any]:
        raise NotImplementedError

    def function(self, name: str, head: str) -> Callable[..., Any]:
        source = "\n".join((head, *(f"    {line}" for line in self.lines)))
        exec(compile(source, f"<CDR of {name}>", "exec"), self.names)
        return cast("Callable[..., Any]", self.names["run"])

    def fresh(self) -> str:
        """A name that is not used yet."""
        self._count += 1
        return f"v{self._count}"

    def named(self, value: object) -> str:
        """A name for an object."""
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name

    def number(self, base: str, variable: str) -> None:
        self.run.append((*_NUMBERS[base], variable))

    def aligned(self, size: int) -> None:
        """The next thing begins at a multiple of `size`."""
        self.run.append(("", size, ""))

    def layout(self) -> str | None:
        """The name of the run's Struct, or of the eight of them; moves the place. None if there is no run."""
        if not self.run:
            return None
        start = self.place
        if start is not None:
            made, self.place = self._packed(start)
            return self.named(made)
        tables = [self._packed(start) for start in range(8)]
        ends = {end for _, end in tables}
        self.place = ends.pop() if len(ends) == 1 else None
        return self.named([made for made, _ in tables])

    def _packed(self, start: int) -> tuple[struct.Struct, int]:
        text, at = "<", start
        for form, size, _ in self.run:
            padding = -at % size
            text += "x" * padding + form
            at += padding + (size if form else 0)
        return struct.Struct(text), at % 8


class _WriterCode(_Code):
    """`parts`, the list of what is joined in the end, is filled by `put`."""

    def compile(self, name: str) -> Callable[..., Any]:
        self.names |= {"fitted": _fitted, "ARRAYS": ARRAYS, "octet": to_octet, "Octet": Octet}
        self.names |= {"Exactly": _exactly, "wide": _wide}
        if self.whole:
            self.lines += ["parts = [begin]", "put = parts.append", "pos = 0"]
            self.names |= {"begin": ENCAPSULATION, "join": b"".join}
        self.message(name, "message")
        self.flush()
        self.lines.append("return join(parts)" if self.whole else "return pos")
        return self.function(name, "def run(message):" if self.whole else "def run(put, pos, message):")

    def flush(self) -> None:
        """Emit what has gathered."""
        known = self.place is not None
        name = self.layout()
        if name is None:
            return
        values = ", ".join(value for form, _, value in self.run if form)
        if known:
            self.lines += [f"put({name}.pack({values}))", f"pos += {self.names[name].size}"]
        else:
            self.lines += [f"s = {name}[pos & 7]", f"put(s.pack({values}))", "pos += s.size"]
        self.run = []

    def message(self, name: str, variable: str) -> None:
        for field, kind in _fields(name):
            self.field(field, kind, f"{variable}.{field}")

    def field(self, field: str, kind: Any, value: str) -> None:
        tag, detail = kind
        if tag == Nodetype.NAME:
            child = self.fresh()
            self.lines.append(f"{child} = {value}")
            self.message(detail, child)
        elif tag != Nodetype.BASE:
            element, length = detail
            self.sequence(field, tag == Nodetype.ARRAY, element, length, value)
        elif detail[0] in TEXTS:
            self.string(detail[0], value)
        elif detail[0] == "byte":
            octet = self.fresh()
            self.lines += [f"{octet} = {value}", f"if type({octet}) is not Octet:"]
            self.lines.append(f"    {octet} = octet({octet}, {field!r})")
            self.number("byte", f"{octet}[0]")
        else:
            self.number(detail[0], value)

    def string(self, base: str, value: str) -> None:
        text = self.fresh()
        if base == "wstring":
            self.lines.append(f"{text} = wide({value})")
            self.number("uint32", f"len({text}) // 4")
            self.flush()
            self.lines += [f"put({text})", f"pos += len({text})"]
            self.place = None
            return
        self.lines.append(f"{text} = {value}.encode()")
        self.number("uint32", f"len({text}) + 1")
        self.flush()
        self.lines += [f"put({text})", "put(b'\\0')", f"pos += len({text}) + 1"]
        self.place = None

    def sequence(self, field: str, fixed: bool, element: Any, length: int, value: str) -> None:
        held = self.fresh()
        tag, detail = element
        self.lines.append(f"{held} = {value}")
        numbers = tag == Nodetype.BASE and detail[0] not in TEXTS
        if numbers:
            self.fit(field, held, detail[0], length, fixed)
        elif fixed:
            self.lines.append(f"Exactly({length}, {held}, {field!r})")
        if not fixed:
            self.number("uint32", f"len({held})")
        if numbers:
            self.elements(held, _NUMBERS[detail[0]][1], length, fixed)
            return
        self.flush()
        self.place = None
        item = self.fresh()
        self.lines.append(f"for {item} in {held}:")
        if tag == Nodetype.NAME:
            child = self.named(_compiled("write", str(detail), False))
            self.lines.append(f"    pos = {child}(put, pos, {item})")
        else:
            before, self.lines = self.lines, []
            self.string(detail[0], item)
            self.lines = before + [f"    {line}" for line in self.lines]

    def fit(self, field: str, held: str, base: str, length: int, fixed: bool) -> None:
        """An array of the exact type, or bytes: what `join` copies as it is."""
        dtype = self.named(dtype_of(base))
        right = (
            f"type({held}) in ARRAYS and {held}.dtype == {dtype} and {held}.ndim == 1 "
            f"and {held}.flags.c_contiguous"
        )
        if length:
            right = f"{right} and len({held}) {'==' if fixed else '<='} {length}"
        elif dtype_of(base) == np.uint8:
            right = f"type({held}) is bytes or {right}"
        self.lines.append(f"if not ({right}):")
        self.lines.append(f"    {held} = fitted({held}, {dtype}, {field!r}, {length}, {fixed})")

    def elements(self, held: str, size: int, length: int, fixed: bool) -> None:
        if fixed:
            self.aligned(size)
            self.flush()
            self.lines += [f"put({held})", f"pos += {size * length}"]
            if self.place is not None:
                self.place = (self.place + size * length) % 8
            elif size == 8:
                self.place = 0
            return
        self.flush()
        if size == 8:
            self.lines += [f"if len({held}) and pos & 7:", "    put(padding[-pos & 7])"]
            self.lines.append("    pos += -pos & 7")
        self.lines += [f"put({held})", f"pos += {size} * len({held})"]
        self.place = None


class _ReaderCode(_Code):
    """Values go into variables; the messages that hold them are made at the end, innermost first."""

    def compile(self, name: str) -> Callable[..., Any]:
        self.names |= {"text": _text, "count": _count, "array": np.frombuffer, "new": object.__new__}
        self.names |= {"Octet": Octet, "numbers": NumberSequence, "wide": _wide_text}
        self.making: list[str] = []
        if self.whole:
            self.lines.append(f"pos = {BODY}")
        made = self.message(name)
        self.flush()
        self.lines += [*self.making, f"return {made}, pos"]
        return self.function(name, "def run(data):" if self.whole else "def run(data, pos):")

    def flush(self) -> None:
        """Emit what has gathered."""
        known = self.place is not None
        name = self.layout()
        if name is None:
            return
        variables = "".join(f"{variable}, " for form, _, variable in self.run if form)
        target = f"{variables}= " if variables else ""
        if known:
            self.lines += [f"{target}{name}.unpack_from(data, pos)", f"pos += {self.names[name].size}"]
        else:
            self.lines += [f"s = {name}[pos & 7]", f"{target}s.unpack_from(data, pos)", "pos += s.size"]
        self.run = []

    def message(self, name: str) -> str:
        made = self.fresh()
        values = [(field, self.field(kind)) for field, kind in _fields(name)]
        self.making.append(f"{made} = new({self.named(typestore.store().types[name])})")
        self.making += [f"{made}.{field} = {value}" for field, value in values]
        return made

    def field(self, kind: Any) -> str:
        tag, detail = kind
        if tag == Nodetype.NAME:
            return self.message(str(detail))
        if tag != Nodetype.BASE:
            return self.sequence(tag == Nodetype.ARRAY, *detail)
        if detail[0] in TEXTS:
            return self.string(detail[0])
        value = self.fresh()
        self.number(detail[0], value)
        return f"Octet(({value},))" if detail[0] == "byte" else value

    def string(self, base: str) -> str:
        value, size = self.fresh(), self.fresh()
        self.number("uint32", size)
        self.flush()
        if base == "wstring":
            self.lines += [f"{value} = wide(data, pos, {size})", f"pos += 4 * {size}"]
        else:
            self.lines += [f"{value} = text(data, pos, {size})", f"pos += {size}"]
        self.place = None
        return value

    def sequence(self, fixed: bool, element: Any, length: int) -> str:
        value, size = self.fresh(), str(length)
        tag, detail = element
        if not fixed:
            size = self.fresh()
            self.number("uint32", size)
        if tag == Nodetype.BASE and detail[0] not in TEXTS:
            self.elements(value, size, detail[0], length, fixed)
            return value
        self.flush()
        if not fixed:
            self.lines += [f"if {size}:", f"    count(data, pos, {size})"]
        self.place = None
        self.lines += [f"{value} = []", f"for _ in range({size}):"]
        if tag == Nodetype.NAME:
            child = self.named(_compiled("read", str(detail), False))
            self.lines += [f"    item, pos = {child}(data, pos)", f"    {value}.append(item)"]
        else:
            before, self.lines = self.lines, []
            item = self.string(detail[0])
            self.lines = before + [f"    {line}" for line in (*self.lines, f"{value}.append({item})")]
        return value

    def elements(self, value: str, size: str, base: str, length: int, fixed: bool) -> None:
        each = _NUMBERS[base][1]
        if fixed:
            self.aligned(each)
        self.flush()
        if not fixed and each == 8:
            self.lines += [f"if {size}:", "    pos += -pos & 7"]
        dtype = self.named(dtype_of(base))
        made = f"array(data, {dtype}, {size}, pos)" if fixed else f"numbers({size}, {dtype}, data, pos)"
        self.lines.append(f"{value} = {made}")
        self.lines.append(f"pos += {each} * {size}")
        if not fixed:
            self.place = None
        elif self.place is not None:
            self.place = (self.place + each * length) % 8
        elif each == 8:
            self.place = 0


def _fields(name: str) -> list[Field]:
    """Attributes of a message and the types of what they hold."""
    typestore.ensure(name)
    kind: Any = typestore.store().types[name]
    fields = typestore.store().fielddefs[name][1]
    return list(zip(kind.__dataclass_fields__, (description for _, description in fields), strict=True))


def _fitted(value: object, dtype: np.dtype[Any], field: str, length: int, fixed: bool) -> NDArray[Any]:
    array = value
    if (
        not isinstance(array, np.ndarray)
        or array.dtype != dtype
        or not array.flags.c_contiguous
        or array.ndim != 1
    ):
        array = to_array(value, dtype, field)
    if (length and array.size > length) or (fixed and array.size != length):
        bound = f"exactly {length}" if fixed else f"at most {length}"
        raise ValueError(f"field {field!r} takes {bound} values, got {array.size}")
    return array


def _exactly(length: int, value: Any, field: str) -> None:
    if len(value) != length:
        raise ValueError(f"field {field!r} takes exactly {length} values, got {len(value)}")


def _text(data: bytearray, start: int, size: int) -> str:
    end = start + size - 1
    if size < 1 or end >= len(data) or data[end]:
        raise ValueError(f"a string of {size} bytes at {start - BODY} is cut short or does not end in NUL")
    return str(data[start:end], "utf-8")


def _wide(text: str) -> bytes:
    return np.frombuffer(text.encode("utf-16-le"), "<u2").astype("<u4").tobytes()


def _wide_text(data: bytearray, start: int, count: int) -> str:
    if 4 * count > len(data) - start:
        raise ValueError(f"a wide string of {count} units at {start - BODY} is cut short")
    units = np.frombuffer(data, "<u4", count, start) if count else np.zeros(0, "<u4")
    if (units > 0xFFFF).any():
        raise ValueError(f"a wide string at {start - BODY} has units of more than 16 bits")
    return units.astype("<u2").tobytes().decode("utf-16-le")


def _count(data: bytearray, start: int, count: int) -> None:
    """Refuse the length of a sequence that the rest of the payload cannot hold."""
    if count > len(data) - start or count > typestore.store().max_sequence_length:
        raise ValueError(f"a sequence of {count} elements at {start - BODY} is cut short")
