"""The compiled CDR code against that of `rosbags`: the same bytes and the same messages, for every type."""

import random

import numpy as np
import pytest
from tolman.bridge import typestore
from tolman.bridge.exceptions import MessageError
from tolman.bridge.interfaces import service_class
from tolman.bridge.messages import Message, deserialize, known_types, message_class, serialize

#: what rosbags has code for: not for `wstring`; before any test has added types
NARROW = sorted({*known_types()} - {"example_interfaces/msg/WString"})
LENGTHS = (0, 1, 2, 3, 7)
INTEGERS = {f"{sign}int{bits}": (sign, bits) for sign in ("", "u") for bits in (8, 16, 32, 64)}


def some_number(kind: str, chance: random.Random) -> object:
    if kind == "boolean":
        return chance.random() < 0.5
    if kind == "octet":
        return chance.randrange(256)
    if kind in INTEGERS:
        sign, bits = INTEGERS[kind]
        return chance.randrange(2**bits) if sign else chance.randrange(-(2 ** (bits - 1)), 2 ** (bits - 1))
    return float(np.float32(chance.uniform(-1e3, 1e3)))


def some_value(kind: str, chance: random.Random) -> object:
    """What a field of this ROS type may hold."""
    if kind.startswith("sequence<"):
        inside, _, bound = kind[9:-1].partition(", ")
        count = min(chance.choice(LENGTHS), int(bound or 100))
        return [some_value(inside, chance) for _ in range(count)]
    if kind.endswith("]"):
        inside, _, count_text = kind[:-1].rpartition("[")
        return [some_value(inside, chance) for _ in range(int(count_text))]
    if kind.startswith(("string", "wstring")):
        return "".join(chance.choice("aä水🐀 ") for _ in range(chance.choice(LENGTHS)))
    if "/" in kind:
        return some_message(kind, chance)
    return some_number(kind, chance)


def some_message(name: str, chance: random.Random) -> Message:
    kind = message_class(name)
    return kind(**{field: some_value(text, chance) for field, text in kind.FIELD_TYPES.items()})


@pytest.mark.parametrize("seed", range(3))
def test_every_type_is_written_and_read_as_by_rosbags(seed: int) -> None:
    chance, store = random.Random(seed), typestore.store()
    for name in NARROW:
        message = some_message(name, chance)
        payload = serialize(message)
        theirs = store.deserialize_cdr(memoryview(bytearray(4) + payload)[4:], name)
        assert theirs == message, name
        assert bytes(store.serialize_cdr(theirs, name)) == payload, name
        assert deserialize(payload, type(message)) == message, name


@pytest.mark.parametrize("seed", range(3))
def test_a_payload_cut_short_is_refused_and_a_tail_is_not(seed: int) -> None:
    chance = random.Random(seed)
    for name in chance.sample(known_types(), 40):
        message = some_message(name, chance)
        payload = serialize(message)
        with pytest.raises(MessageError):
            deserialize(payload[: chance.randrange(4, len(payload))], type(message))
        assert deserialize(payload + bytes(12), type(message)) == message  # rclpy's own have such a tail


def test_big_endian_payloads_are_read_too() -> None:
    chance, store = random.Random(1), typestore.store()
    for name in ("nav_msgs/msg/Odometry", "sensor_msgs/msg/JointState", "std_msgs/msg/UInt8MultiArray"):
        message = some_message(name, chance)
        little = store.deserialize_cdr(serialize(message), name)
        big = store.serialize_cdr(little, name, little_endian=False)
        assert deserialize(big, type(message)) == message


def test_parts_of_services_are_read_and_written() -> None:
    request = service_class("std_srvs/srv/SetBool").Request(data=True)
    assert deserialize(serialize(request), type(request)) == request


def test_a_message_keeps_its_arrays_when_others_are_read() -> None:
    kind = message_class("std_msgs/msg/Float64MultiArray")
    read = [deserialize(serialize(kind(data=[float(k), 1.0])), kind) for k in range(3)]
    assert [message.data.tolist() for message in read] == [[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]]
    assert all(m.data.flags.writeable and m.data.flags.aligned for m in read)


def test_wide_strings_have_the_form_that_rclpy_gives_them() -> None:
    """The payload is that of rclpy 9.1.2 with Fast DDS, but for what stands behind it."""
    typestore.add_text(
        "wide_msgs/msg/Wide", "string<=9 a\nwstring b\nwstring<=4[2] c\nwstring[<=3] d\nwstring[] e\n"
    )
    kind = message_class("wide_msgs/msg/Wide")
    assert kind.get_fields_and_field_types() == {
        "a": "string<9>", "b": "wstring", "c": "wstring<4>[2]", "d": "sequence<wstring, 3>",
        "e": "sequence<wstring>"
    }  # fmt: skip
    message = kind(a="a", b="é🐀", c=["", "x"], d=[], e=["y", ""])
    by_hand = """00010000 02000000 6100 0000 03000000 e9000000 3dd80000 00dc0000
        00000000 01000000 78000000 00000000 02000000 01000000 79000000 00000000"""
    assert serialize(message) == bytes.fromhex(by_hand)
    assert deserialize(serialize(message), kind) == message


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("03000000 61000000", "cut short"),
        ("ffffffff 61000000", "cut short"),
        ("01000000 00000100", "more than 16 bits"),
        ("01000000 3dd80000", "unexpected end of data"),  # half of a surrogate pair
    ],
)
def test_wide_strings_that_are_none_are_refused(body: str, reason: str) -> None:
    kind = message_class("example_interfaces/msg/WString")
    with pytest.raises(MessageError, match=reason):
        deserialize(bytes.fromhex(f"00010000 {body}"), kind)
    with pytest.raises(MessageError, match="surrogates"):
        serialize(kind(data="\ud83d"))
    with pytest.raises(MessageError, match="little-endian"):
        deserialize(bytes.fromhex("00000000 00000000"), kind)  # big-endian
