"""Messages in CDR against a real rclpy: what one side writes the other reads, and the hashes of types.

    python -m venv ORACLE; ORACLE/bin/pip install 'ros-rclpy[fastrtps]' ros-nav-msgs ros-test-msgs ...
    python benchmarks/cdr_oracle.py ORACLE/bin/python --json cdr.json

For every type that both sides have (messages, and the messages that services and actions are made of): the
names, types and defaults of its fields, and its constants; then --messages random messages, whose fields
are drawn from the corners of their types as well (NaN, infinities, subnormal numbers, bounds, empty and
long sequences, text from all planes of Unicode). Each is built on both sides, written by both, and read by
the other. Values are compared bit by bit. The type hashes of messages, services and actions are those in
the descriptions that ROS 2 installs.

The two sides are processes that talk in lines of JSON; numbers with a fraction travel in hexadecimal.
Packages that are installed there but not here are read from their .msg files there (`test_msgs`, made to be
difficult).
"""

import argparse
import base64
import importlib
import json
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

KINDS = ("msg", "srv", "action")
PARTS = {
    "srv": ("Request", "Response", "Event"),
    "action": ("Goal", "Result", "Feedback", "SendGoal_Request", "SendGoal_Response", "GetResult_Request",
               "GetResult_Response", "FeedbackMessage"),
}  # fmt: skip
INTEGERS = re.compile(r"(u?)int(8|16|32|64)")
SEQUENCE = re.compile(r"sequence<(.+?)(?:, (\d+))?>")
ARRAY = re.compile(r"(.+)\[(\d+)\]")
TEXT = re.compile(r"(w?)string(?:<(\d+)>)?")
#: 7-bit, two, three and four bytes in UTF-8; combining, right to left, and the last of all
LETTERS = 'aZ0 ~\t\n"\\é߿ࠀ中￿́א😀\U0010ffff'
Find = Callable[[str], Any]


class Absent(LookupError):
    """The side has no such type."""


def plain(value: Any, kind: str, find: Find) -> Any:
    """A field's value as JSON takes it."""
    if sequence := SEQUENCE.fullmatch(kind) or ARRAY.fullmatch(kind):
        return [plain(item, sequence[1], find) for item in value]
    if "/" in kind:
        return plain_message(value, find)
    if kind in ("float", "double"):
        return float(value).hex()
    if kind == "boolean":
        return bool(value)
    if kind == "octet":
        return value[0] if isinstance(value, bytes) else int(value)
    return str(value) if TEXT.fullmatch(kind) else int(value)


def plain_message(message: Any, find: Find) -> dict[str, Any]:
    """A message as JSON takes it."""
    fields = type(message).get_fields_and_field_types()
    return {name: plain(getattr(message, name), kind, find) for name, kind in fields.items()}


def built(value: Any, kind: str, find: Find) -> Any:
    """What a user would assign to a field."""
    if sequence := SEQUENCE.fullmatch(kind) or ARRAY.fullmatch(kind):
        items = [built(item, sequence[1], find) for item in value]
        fixed = ARRAY.fullmatch(kind) and kind.split("[")[0] in DTYPES
        return np.array(items, DTYPES[sequence[1]]) if fixed else items  # rclpy wants arrays there
    if "/" in kind:
        return built_message(value, find(kind), find)
    if kind in ("float", "double"):
        return float.fromhex(value)
    return bytes([value]) if kind == "octet" else value


DTYPES = {
    "float": np.float32,
    "double": np.float64,
    **{f"{u}int{n}": np.dtype(f"{u}int{n}") for u in ("", "u") for n in (8, 16, 32, 64)},
}


def built_message(values: dict[str, Any], message_class: Any, find: Find) -> Any:
    """The message with these values."""
    message = message_class()
    for name, kind in message_class.get_fields_and_field_types().items():
        setattr(message, name, built(values[name], kind, find))
    return message


def constants(message_class: Any) -> dict[str, Any]:
    """Constants of a type, as JSON takes them."""
    found = {}
    for name in dir(message_class) + dir(type(message_class)):
        if re.fullmatch(r"[A-Z][A-Z0-9_]*", name) and name not in ("SLOT_TYPES", "FIELD_TYPES", "TYPE_NAME"):
            value = getattr(message_class, name)
            found[name.removesuffix("__DEFAULT")] = value[0] if isinstance(value, bytes) else value
    return {name: value for name, value in found.items() if isinstance(value, bool | int | float | str)}


def reply(request: dict[str, Any], find: Find, write: Any, read: Any) -> dict[str, Any]:
    """What a side has to say of a type, or of a message of it."""
    try:
        message_class = find(request["type"])
    except Absent:
        return {"absent": True}
    if "values" not in request:
        return {
            "fields": message_class.get_fields_and_field_types(),
            "defaults": plain_message(message_class(), find),
            "constants": constants(message_class),
            "module": message_class.__module__,
        }
    message = built_message(request["values"], message_class, find)
    answer = {
        "payload": base64.b64encode(write(message)).decode(),
        "values": plain_message(message, find),
        "text": repr(message),
    }
    if "payload" in request:
        other = read(base64.b64decode(request["payload"]), message_class)
        answer["read"] = plain_message(other, find)
        answer["equal"] = bool(other == message)
    return answer


def oracle() -> None:
    """The side of rclpy: answer requests from stdin until it ends."""
    from rclpy.serialization import deserialize_message, serialize_message

    def find(name: str) -> Any:
        package, *kind, short = name.split("/")
        whole, *parts = short.split("_")
        for module in kind or KINDS:
            try:
                found = getattr(importlib.import_module(f"{package}.{module}"), whole)
                for part in parts:
                    below = found if hasattr(found, part) else found.Impl
                    found = getattr(below, part, None) or getattr(below, f"{part}Service")
            except (ImportError, AttributeError):
                continue
            found.__class__.__import_type_support__()
            return found
        raise Absent(name)

    for line in sys.stdin:
        try:
            answer = reply(json.loads(line), find, serialize_message, deserialize_message)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


class Oracle:
    """The other side, in a process of its own."""

    def __init__(self, python: Path) -> None:
        command = [str(python), __file__, "--oracle"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **request: Any) -> dict[str, Any]:
        """One request and its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


class Draw:
    """Random values of the fields of ROS types, as JSON takes them."""

    def __init__(self, seed: int, find: Find) -> None:
        self._random = np.random.default_rng(seed)
        self._find = find

    def message(self, fields: dict[str, str], depth: int = 0) -> dict[str, Any]:
        """Values of all fields."""
        return {name: self.value(kind, depth) for name, kind in fields.items()}

    def value(self, kind: str, depth: int) -> Any:
        """A value of one field."""
        if sequence := SEQUENCE.fullmatch(kind):
            bound = int(sequence[2]) if sequence[2] else (3 if "/" in sequence[1] else 40) // (depth + 1)
            size = self._pick([0, 1, bound, int(self._random.integers(0, bound + 1))])
            return [self.value(sequence[1], depth + 1) for _ in range(size)]
        if array := ARRAY.fullmatch(kind):
            return [self.value(array[1], depth + 1) for _ in range(int(array[2]))]
        if "/" in kind:
            return self.message(self._find(kind).get_fields_and_field_types(), depth + 1)
        if text := TEXT.fullmatch(kind):
            size = int(self._random.integers(0, int(text[2] or 12) + 1))
            return "".join(LETTERS[i] for i in self._random.integers(0, len(LETTERS), size))
        if kind == "boolean":
            return bool(self._random.integers(2))
        if kind in ("float", "double"):
            return self._fraction(DTYPES[kind]).hex()
        signed = not kind.startswith("u") and kind != "octet"
        bits = 8 if kind == "octet" else int(INTEGERS.fullmatch(kind)[2])  # type: ignore[index]
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        spread = low + int.from_bytes(self._random.bytes(bits // 8), "little")
        return self._pick([low, high, 0, 1, spread, spread])

    def _fraction(self, dtype: Any) -> float:
        info = np.finfo(dtype)
        corners = [0.0, -0.0, math.nan, math.inf, -math.inf, info.max, info.min, info.tiny]
        corners.append(info.smallest_subnormal)
        drawn = [self._random.normal(scale=10.0 ** self._random.integers(-6, 7)) for _ in range(9)]
        return float(dtype(self._pick([*corners, *drawn])))

    def _pick(self, choices: list[Any]) -> Any:
        return choices[int(self._random.integers(len(choices)))]


def shared_types(share: Path) -> Iterator[tuple[str, Path]]:
    """Names and descriptions of all interfaces that ROS 2 has installed."""
    for kind in KINDS:
        for file in sorted(share.glob(f"*/{kind}/*.json")):
            yield f"{file.parent.parent.name}/{kind}/{file.stem}", file


def differences(name: str, other: Oracle, draw: Draw, count: int, find: Find) -> Iterator[tuple[str, str]]:
    """What differs in one message type: of which sort, and an example. Ends with the first that does."""
    from tolman.bridge.serialization import deserialize_message, serialize_message

    mine, theirs = reply({"type": name}, find, None, None), other.ask(type=name)
    if "error" in theirs or "absent" in theirs:
        yield "oracle", str(theirs)
        return
    for what in ("fields", "defaults", "constants", "module"):
        if mine[what] != theirs[what]:
            yield what, f"{mine[what]} here, {theirs[what]} in rclpy"
    for _ in range(count):
        values = draw.message(mine["fields"])
        # what rclpy refuses to hold, or holds differently, is no fault of the form on the wire: ask it first
        given = other.ask(type=name, values=values)
        if "error" in given:
            yield "oracle", given["error"]
            return
        request = {"type": name, "values": values, "payload": given["payload"]}
        try:
            made = reply(request, find, serialize_message, deserialize_message)
        except Exception as error:
            yield "reading", f"{type(error).__name__}: {error} for {values}"
            return
        taken = other.ask(type=name, values=values, payload=made["payload"])
        if "error" in taken:
            yield "writing", f"{taken['error']} for {values}"
            return
        for what, one, two in (
            ("reading", made["read"], given["values"]),
            ("writing", taken["read"], given["values"]),
            ("keeping", made["values"], given["values"]),
            ("equality", made["equal"], taken["equal"]),
            ("text", made["text"], given["text"]),
        ):
            if one != two:
                yield what, f"{one} here, {two} in rclpy"
                return


def parts_of(name: str) -> list[str]:
    """The messages that an interface is made of."""
    kind = name.split("/")[1]
    return [name] if kind == "msg" else [f"{name}_{part}" for part in PARTS[kind]]


def compare(python: Path, seed: int, count: int) -> dict[str, Any]:
    """Compare all types."""
    from tolman.bridge import typestore
    from tolman.bridge.interface_files import add_interfaces
    from tolman.bridge.interfaces import action_class, interface_hash, service_class
    from tolman.bridge.messages import message_class, type_hash

    def find(name: str) -> Any:
        package, *kind, short = name.split("/")
        for module in kind or KINDS:
            full = f"{package}/{module}/{short}"
            if typestore.ensure(full):
                return message_class(full)
        raise Absent(name)

    share = python.absolute().parent.parent / "share"
    known = {name.split("/")[0] for kind in KINDS for name in typestore.names(kind)}
    added = []
    for folder in sorted({file.parent.parent for _, file in shared_types(share)}):
        if folder.name not in known:
            add_interfaces(folder, package=folder.name)
            added.append(folder.name)
    here = {name for kind in KINDS for name in typestore.names(kind)}
    other, draw = Oracle(python), Draw(seed, find)
    types: Counter[str] = Counter()
    hashes: dict[str, Any] = {"equal": 0, "different": {}}
    found: dict[str, dict[str, str]] = {}
    absent: list[str] = []
    messages = 0
    for name, file in shared_types(share):
        if name not in here:
            absent.append(name)
            continue
        kind = name.split("/")[1]
        described = json.loads(file.read_text())["type_hashes"]
        theirs = {entry["type_name"]: entry["hash_string"] for entry in described}
        try:
            own = {"srv": service_class, "action": action_class}.get(kind)
            mine = type_hash(name) if own is None else interface_hash(own(name))  # type: ignore[operator]
        except Exception as error:
            mine = f"{type(error).__name__}: {error}"
        if mine == theirs[name]:
            hashes["equal"] += 1
        else:
            hashes["different"][name] = mine
        types[kind] += 1
        for part in parts_of(name):
            for what, example in differences(part, other, draw, count, find):
                found.setdefault(what, {}).setdefault(part, example[:400])
            types["compared"] += 1
            messages += count
    other.close()
    return {
        "seed": seed,
        "packages": sorted({name.split("/")[0] for name, _ in shared_types(share) if name in here}),
        "read_from_installed_files": added,
        "interfaces": dict(types),
        "messages_each_way": messages,
        "not_here": absent,
        "hashes": hashes,
        "differences": found,
    }


def main() -> int:
    """Run and print; 1 if there is a difference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("python", type=Path, nargs="?", help="interpreter of the environment with rclpy")
    parser.add_argument("--messages", type=int, default=30, help="of each type")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--oracle", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.oracle:
        oracle()
        return 0
    if arguments.python is None:
        parser.error("name the interpreter of an environment with rclpy")
    result = compare(arguments.python, arguments.seed, arguments.messages)
    print(
        f"{result['interfaces']['compared']} messages of {len(result['packages'])} packages,"
        f" {result['messages_each_way']} each way; hashes: {result['hashes']['equal']} equal,"
        f" {len(result['hashes']['different'])} not"
    )
    for what, examples in result["differences"].items():
        print(f"{what}: {len(examples)} types differ, such as")
        for name, example in list(examples.items())[:4]:
            print(f"  {name}: {example[:300]}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2, ensure_ascii=True) + "\n")
    return 1 if result["differences"] or result["hashes"]["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
