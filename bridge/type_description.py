"""Definitions as text and as a hash, `wstring` included, which `rosbags` can neither parse nor hash.

Both are made of the descriptions of fields that `rosbags` has: `(Nodetype.BASE, ("string", bound))` and the
like, by the name of the message.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from rosbags.interfaces import Nodetype
from rosbags.typesys.base import BaseName, BaseType, Type, make_typesdict
from rosbags.typesys.msg import MSGParser
from rosbags.typesys.peg import Failure, Success

#: constants and fields of messages, by name
Definitions = Mapping[str, tuple[list[Any], list[tuple[str, Any]]]]

TEXTS = ("string", "wstring")
#: the member that ROS 2 gives to a message without fields, which C structures cannot be
EMPTY_MEMBER = "structure_needs_at_least_one_member"

#: type_description_interfaces/msg/FieldType: FIELD_TYPE_...
_IDS = {
    **{name: number for number, name in enumerate(("int8", "uint8", "int16", "uint16", "int32"), 2)},
    **{name: number for number, name in enumerate(("uint32", "int64", "uint64", "float32", "float64"), 7)},
    **{"char": 13, "bool": 15, "byte": 16, "string": 17, "wstring": 18},
}
_NESTED = 1
_BOUNDED_TEXT = 4  #: from a text to one with a bound
_ARRAY, _BOUNDED_SEQUENCE, _SEQUENCE = 48, 96, 144


class _Parser(MSGParser):
    def base_type(self, pos: int) -> Success[Type] | Failure:
        wide = self.regex(pos, r"wstring\b(?:<=\d+)?")
        if isinstance(wide, Failure):
            return super().base_type(pos)
        bound = int(wide.value.partition("<=")[2] or 0)
        return Success(wide.pos, Type(BaseType(BaseName.WSTRING), str_size=bound))


def parsed(name: str, text: str) -> list[Any]:
    """Messages, as the parser of `rosbags` has them, in a text such as `definition` makes; `name` first.

    Raises
    ------
    TypesysError, ValueError
        If it cannot be read.
    """
    return list(_Parser(f"MSG: {name}\n{text}").specification())


def definitions(name: str, text: str) -> Definitions:
    """Constants and fields of the messages in such a text; errors as those of `parsed`."""
    return make_typesdict(parsed(name, text))


def definition(name: str, known: Definitions) -> str:
    """Text of a type in the language of .msg files, followed by the types in it, as ROS 2 tools store it."""
    texts: dict[str, str] = {}

    def write(kind: str) -> None:
        texts[kind] = ""  # its place in the order: before what is in it
        constants, fields = known[kind]
        lines = [f"{base} {constant}={value}" for constant, base, value in constants]
        for field, description in fields:
            if field == EMPTY_MEMBER:
                continue
            lines.append(f"{_type_text(description)} {field}")
            nested = _nested(description)
            if nested and nested not in texts:
                write(nested)
        texts[kind] = "".join(f"{line}\n" for line in lines)

    write(name)
    whole = texts.pop(name)
    parts = (f"{'=' * 80}\nMSG: {_short_name(kind)}\n{text}" for kind, text in texts.items())
    return "".join((whole, *parts))


def rihs01(name: str, known: Definitions) -> str:
    """Hash of a type, a service or an action: `RIHS01_` and 64 hexadecimal digits (REP 2016)."""
    described: dict[str, Any] = {}

    def describe(kind: str) -> None:
        fields = known[kind][1] or [(EMPTY_MEMBER, (Nodetype.BASE, ("uint8", 0)))]
        described[kind] = {
            "type_name": kind,
            "fields": [{"name": field, "type": _type_numbers(description)} for field, description in fields],
        }
        for _, description in fields:
            nested = _nested(description)
            if nested and nested not in described:
                describe(nested)

    describe(name)
    whole = described.pop(name)
    parts = [described[kind] for kind in sorted(described)]
    text = json.dumps({"type_description": whole, "referenced_type_descriptions": parts})
    return f"RIHS01_{hashlib.sha256(text.encode()).hexdigest()}"


def _short_name(kind: str) -> str:
    package, _, short = kind.split("/")
    return f"{package}/{short}"


def _nested(description: Any) -> str:
    tag, detail = description
    if tag in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        return _nested(detail[0])
    return str(detail) if tag == Nodetype.NAME else ""


def _type_text(description: Any) -> str:
    tag, detail = description
    if tag == Nodetype.NAME:
        return _short_name(detail)
    if tag == Nodetype.BASE:
        base, bound = detail
        return f"{base}<={bound}" if bound else str(base)
    element, length = detail
    size = f"{'' if tag == Nodetype.ARRAY else '<='}{length}" if length else ""
    return f"{_type_text(element)}[{size}]"


def _type_numbers(description: Any) -> dict[str, Any]:
    tag, detail = description
    many = capacity = 0
    if tag in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        many = _ARRAY if tag == Nodetype.ARRAY else _BOUNDED_SEQUENCE if detail[1] else _SEQUENCE
        (tag, detail), capacity = detail
    nested = str(detail) if tag == Nodetype.NAME else ""
    number, bound = (_NESTED, 0) if nested else (_IDS[detail[0]], detail[1])
    return {
        "type_id": many + number + (_BOUNDED_TEXT if bound else 0),
        "capacity": capacity,
        "string_capacity": bound,
        "nested_type_name": nested,
    }
