"""The definitions of all interfaces: those of `rosbags`, ours (`definitions.py`) and those added at run time.

A service or action is made of messages: `std_srvs/srv/SetBool` of `std_srvs/srv/SetBool_Request` and
`..._Response`. Texts are parsed when a type is first asked for.
"""

import functools
import re
import threading
from typing import Any, cast

from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, TypesysError, get_typestore
from rosbags.typesys.base import make_typesdict
from rosbags.typesys.store import Typestore

from .definitions import ACTIONS, MESSAGES, SERVICES
from .type_description import EMPTY_MEMBER, parsed

#: ROS 2 distribution whose definitions (and therefore type hashes) are used
DISTRIBUTION = Stores.ROS2_JAZZY

#: field name and rosbags' description of its type
Field = tuple[str, Any]

#: texts by name; `add_text` adds to them
_texts: dict[str, str] = {**MESSAGES, **SERVICES, **ACTIONS}

#: default values by message and field. rosbags does not keep those of its own definitions: as in ROS 2 Jazzy.
_defaults: dict[tuple[str, str], Any] = {
    ("geometry_msgs/msg/Quaternion", "x"): 0.0,
    ("geometry_msgs/msg/Quaternion", "y"): 0.0,
    ("geometry_msgs/msg/Quaternion", "z"): 0.0,
    ("geometry_msgs/msg/Quaternion", "w"): 1.0,
    ("rcl_interfaces/msg/ParameterDescriptor", "dynamic_typing"): False,
    ("rcl_interfaces/msg/ParameterDescriptor", "read_only"): False,
    ("sensor_msgs/msg/NavSatStatus", "status"): -2,
    ("type_description_interfaces/msg/FieldType", "type_id"): 0,
}

_NAME = re.compile(r"[a-z][a-z0-9_]*/(?:msg|srv|action)/[A-Z][A-Za-z0-9]*")
_PART = re.compile(r"(.+/(?:srv|action)/[A-Za-z0-9]+?)(?:_\w+)")
_defining = threading.RLock()
_UUID = ("goal_id", (Nodetype.NAME, "unique_identifier_msgs/msg/UUID"))


@functools.cache
def store() -> Typestore:
    """The store of rosbags that has the definitions and the CDR code."""
    made = get_typestore(DISTRIBUTION)
    for name, (constants, fields) in made.fielddefs.items():
        made.fielddefs[name] = (constants, [(field, without_char(kind)) for field, kind in fields])
    return made


def without_char(kind: Any) -> Any:
    """The same type with `uint8` for `char`, as ROS 2 has it; rosbags keeps `char`, which alters the hash."""
    tag, detail = kind
    if tag == Nodetype.BASE:
        return (tag, ("uint8", 0)) if detail[0] == "char" else kind
    return kind if tag == Nodetype.NAME else (tag, (without_char(detail[0]), detail[1]))


def names(kind: str) -> list[str]:
    """Names of all interfaces of a kind, `msg`, `srv` or `action`, sorted."""
    return sorted(name for name in (*_given(), *_texts) if name.split("/")[1] == kind)


@functools.cache
def _given() -> tuple[str, ...]:
    """Names of the messages that rosbags brings."""
    return tuple(get_typestore(DISTRIBUTION).fielddefs)


def canonical_name(name: str, kind: str = "msg") -> str:
    """`std_msgs/String` and `std_msgs/msg/String` are both `std_msgs/msg/String`."""
    parts = name.split("/")
    return f"{parts[0]}/{kind}/{parts[1]}" if len(parts) == 2 else name


def default_value(message: str, field: str) -> Any:
    """What the definition says a field begins with, or None."""
    return _defaults.get((message, field))


def add_text(name: str, text: str) -> None:
    """Add a definition: of a message, a service or an action, as `name` says (`my_pkg/srv/Name`).

    Raises
    ------
    ValueError
        If the name or the text cannot be read, or another definition has that name.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an interface; one looks like my_package/msg/Name")
    if _texts.get(name) == text:
        return
    known = name in _texts or name in store().fielddefs
    pieces = _pieces(name, text)  # raises before anything is kept
    if known:
        if name in _texts and pieces != _pieces(name, _texts[name]):
            raise ValueError(f"{name} is defined already, and differently")
        if name not in _texts and _without_empty(store().fielddefs[name][1]) != pieces[0][1]:
            raise ValueError(f"{name} is defined already, and differently")
        return
    _texts[name] = text


def ensure(name: str) -> bool:
    """Bring the definition of a message, service or action, or of a part of one, into the store.

    Returns
    -------
    bool
        Whether there is such a thing.
    """
    with _defining:
        return _ensure(name)


def is_message(name: str) -> bool:
    """Whether there is such a message, alone or as a part of a service or action."""
    return ensure(name) and name not in _wholes


def _ensure(name: str) -> bool:
    fielddefs = store().fielddefs
    if name in fielddefs:
        return True
    whole = name
    if whole not in _texts:
        match = _PART.fullmatch(name)
        if match is None or (whole := match[1]) not in _texts:
            return False
    kind = whole.split("/")[1]
    pieces = _pieces(whole, _texts[whole])
    if kind == "msg":
        _define(whole, pieces[0])
    elif kind == "srv":
        _define(f"{whole}_Request", pieces[0])
        _define(f"{whole}_Response", pieces[1])
        _define_service(whole)
    else:
        _define_action(whole, pieces)
    return name in fielddefs


#: names in the store that stand for a service or action: no messages, only described as such for the hash
_wholes: set[str] = set()

_Piece = tuple[list[Any], list[Field], dict[str, Any]]


def _define(name: str, piece: _Piece) -> None:
    constants, fields, defaults = piece
    store().fielddefs[name] = cast(
        Any, (constants, fields or [(EMPTY_MEMBER, (Nodetype.BASE, ("uint8", 0)))])
    )
    _defaults.update({(name, field): value for field, value in defaults.items()})


def _define_fields(name: str, fields: list[Field]) -> None:
    _define(name, ([], fields, {}))


def _define_service(name: str) -> None:
    """The event message and the description of a service whose request and response are defined."""
    request, response = (Nodetype.NAME, f"{name}_Request"), (Nodetype.NAME, f"{name}_Response")
    _define_fields(
        f"{name}_Event",
        [
            ("info", (Nodetype.NAME, "service_msgs/msg/ServiceEventInfo")),
            ("request", (Nodetype.SEQUENCE, (request, 1))),
            ("response", (Nodetype.SEQUENCE, (response, 1))),
        ],
    )
    _define_fields(
        name,
        [
            ("request_message", request),
            ("response_message", response),
            ("event_message", (Nodetype.NAME, f"{name}_Event")),
        ],
    )
    _wholes.add(name)


def _define_action(name: str, pieces: list[_Piece]) -> None:
    for part, piece in zip(("Goal", "Result", "Feedback"), pieces, strict=True):
        _define(f"{name}_{part}", piece)
    _define_fields(f"{name}_SendGoal_Request", [_UUID, ("goal", (Nodetype.NAME, f"{name}_Goal"))])
    _define_fields(
        f"{name}_SendGoal_Response",
        [
            ("accepted", (Nodetype.BASE, ("bool", 0))),
            ("stamp", (Nodetype.NAME, "builtin_interfaces/msg/Time")),
        ],
    )
    _define_fields(f"{name}_GetResult_Request", [_UUID])
    _define_fields(
        f"{name}_GetResult_Response",
        [("status", (Nodetype.BASE, ("int8", 0))), ("result", (Nodetype.NAME, f"{name}_Result"))],
    )
    _define_fields(f"{name}_FeedbackMessage", [_UUID, ("feedback", (Nodetype.NAME, f"{name}_Feedback"))])
    _define_service(f"{name}_SendGoal")
    _define_service(f"{name}_GetResult")
    _define_fields(
        name,
        [
            (field, (Nodetype.NAME, f"{name}_{part}"))
            for field, part in (
                ("goal", "Goal"),
                ("result", "Result"),
                ("feedback", "Feedback"),
                ("send_goal_service", "SendGoal"),
                ("get_result_service", "GetResult"),
                ("feedback_message", "FeedbackMessage"),
            )
        ],
    )
    _wholes.add(name)


def _without_empty(fields: list[Field]) -> list[Field]:
    return [field for field in fields if field[0] != EMPTY_MEMBER]


def _pieces(name: str, text: str) -> list[_Piece]:
    """What the text defines: one message, or the two of a service, or the three of an action."""
    package, kind, _ = name.split("/")
    sections = re.split(r"^---[^\n]*$", text.replace("\r\n", "\n"), flags=re.MULTILINE)
    wanted = {"msg": 1, "srv": 2, "action": 3}[kind]
    if len(sections) != wanted:
        raise ValueError(f"{name} should have {wanted - 1} line(s) of ---, and has {len(sections) - 1}")
    return [_parse(name, package, section.strip("\n") + "\n") for section in sections]


def _parse(name: str, package: str, text: str) -> _Piece:
    # In the name given to the parser, only the package counts: names without one are messages of it.
    try:
        message = parsed(f"{package}/msg/X", text)[0]
        ((constants, fields),) = make_typesdict([message]).values()
    except (TypesysError, ValueError) as error:
        raise ValueError(f"cannot read the definition of {name}: {error}".split("\n")[0]) from None
    defaults = {field.name: _unescaped(field.value) for field in message.fields if field.value is not None}
    return list(constants), [(field, without_char(kind)) for field, kind in fields], defaults


def _unescaped(value: Any) -> Any:
    """A default value whose quotation marks within text may have had a backslash before them."""
    if isinstance(value, list):
        return [_unescaped(item) for item in value]
    return re.sub(r"\\(['\"])", r"\1", value) if isinstance(value, str) else value
