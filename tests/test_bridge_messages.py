"""Messages: made without arguments, round the CDR and back, refused when they do not fit."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolman.bridge.exceptions import MessageError
from tolman.bridge.messages import Message, deserialize, known_types, message_class, serialize, type_hash

FLOATS = {"float": st.floats(width=32, allow_nan=False), "double": st.floats(allow_nan=False)}
EXAMPLES = [
    "nav_msgs/msg/Odometry",
    "geometry_msgs/msg/Twist",
    "geometry_msgs/msg/PoseStamped",
    "sensor_msgs/msg/Image",
    "sensor_msgs/msg/Imu",
    "sensor_msgs/msg/LaserScan",
    "sensor_msgs/msg/JointState",
    "std_msgs/msg/Float32MultiArray",
    "std_msgs/msg/String",
    "rosgraph_msgs/msg/Clock",
    "tolman_msgs/msg/EventPacket",
    "tolman_msgs/msg/Spikes",
]


def values(kind: str) -> st.SearchStrategy[object]:
    """What a field of this ROS type may hold."""
    if match := re.fullmatch(r"sequence<(.+)>", kind):
        return st.lists(values(match[1]), max_size=5)
    if match := re.fullmatch(r"(.+)\[(\d+)\]", kind):
        return st.lists(values(match[1]), min_size=int(match[2]), max_size=int(match[2]))
    if kind in FLOATS:
        return FLOATS[kind]
    if match := re.fullmatch(r"(u?)int(\d+)", kind):
        bits = int(match[2])
        return (
            st.integers(0, 2**bits - 1) if match[1] else st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        )
    if kind == "boolean":
        return st.booleans()
    if kind == "octet":
        return st.integers(0, 255)
    if kind == "string":
        return st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
    return messages(kind)


def messages(name: str) -> st.SearchStrategy[Message]:
    """Messages of a type, every field filled in."""
    kind = message_class(name)
    return st.builds(kind, **{f: values(t) for f, t in kind.FIELD_TYPES.items()})


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(EXAMPLES).flatmap(messages))
def test_messages_survive_cdr(message: Message) -> None:
    payload = serialize(message)
    back = deserialize(payload, type(message))
    assert back == message
    assert serialize(back) == payload


@settings(deadline=None)
@given(st.sampled_from(EXAMPLES), st.binary(max_size=300))
def test_random_payloads_never_do_more_than_fail(name: str, body: bytes) -> None:
    for payload in (body, b"\0\1\0\0" + body):
        try:
            message = deserialize(payload, message_class(name))
        except MessageError:
            continue
        assert name == message.TYPE_NAME


def test_every_known_message_can_be_made_empty_and_read_back() -> None:
    for name in known_types():
        made = message_class(name)()
        assert deserialize(serialize(made), type(made)) == made


def test_defaults_and_names_are_those_of_ros() -> None:
    assert message_class("geometry_msgs/Quaternion")().w == 1.0
    assert message_class("geometry_msgs/Pose")().orientation.w == 1.0
    assert message_class("sensor_msgs/NavSatStatus")().status == -2
    assert message_class("sensor_msgs/msg/NavSatStatus").STATUS_FIX == 0
    assert message_class("std_msgs/String")(data="hello").data == "hello"
    fields = message_class("nav_msgs/msg/Odometry").get_fields_and_field_types()
    assert fields["child_frame_id"] == "string"
    assert fields["pose"] == "geometry_msgs/PoseWithCovariance"


def test_constants_for_defaults_are_those_of_generated_classes() -> None:
    assert message_class("geometry_msgs/Quaternion").W__DEFAULT == 1.0
    assert message_class("rcl_interfaces/msg/ParameterDescriptor").READ_ONLY__DEFAULT is False
    assert not hasattr(message_class("geometry_msgs/Point"), "X__DEFAULT")


def test_what_rclpy_leaves_behind_a_message_does_not_count() -> None:
    """`serialize_message` of rclpy 9.1.2 wrote this for JointState(velocity=[1.0]), 12 bytes too many."""
    payload = bytes.fromhex(
        "0001000000000000000000000100000000646c5f0000000000000000"
        "010000000000f03f000000000000f03f0000000040000000"
    )
    state = deserialize(payload, message_class("sensor_msgs/msg/JointState"))
    assert (state.velocity.tolist(), state.effort.size) == ([1.0], 0)
    with pytest.raises(MessageError, match="JointState"):
        deserialize(payload[:20], message_class("sensor_msgs/msg/JointState"))


def test_type_hashes_are_those_of_ros() -> None:
    """From the .json type descriptions of ROS 2 Jazzy."""
    expected = "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18"
    assert type_hash("std_msgs/msg/String") == expected
    goals = "RIHS01_02305a51633b5c04d8979b878a7577cafd422f8a07465c878b17a920af3759e9"
    assert type_hash("nav_msgs/msg/Goals") == goals
    assert type_hash("tolman_msgs/msg/Spikes") != type_hash("tolman_msgs/msg/EventPacket")


def test_cdr_is_byte_for_byte_what_the_standard_says() -> None:
    """Little-endian CDR by hand: sequence length, padding to 4, string with its NUL."""
    spikes = message_class("tolman_msgs/msg/Spikes")()
    spikes.header.stamp.sec, spikes.header.frame_id = 1, "ab"
    spikes.neuron, spikes.time_ms = np.array([7, 8], np.uint32), np.array([3, 4], np.uint16)
    by_hand = "00010000 01000000 00000000 03000000 61620000 02000000 07000000 08000000 02000000 0300 0400"
    assert bytes(serialize(spikes)) == bytes.fromhex(by_hand)


def test_arrays_of_other_layouts_are_brought_into_form() -> None:
    packet = message_class("tolman_msgs/msg/EventPacket")()
    packet.t = [1, 2, 3]
    packet.x = np.arange(6, dtype=np.int16)[::2]
    packet.y = np.array([1.0, 2.0, 3.0])
    packet.p = np.array([True, False, True])
    back = deserialize(serialize(packet), type(packet))
    assert back.t.tolist() == [1, 2, 3]
    assert back.x.tolist() == [0, 2, 4]
    assert back.p.dtype == np.uint8
    assert back.t.flags.writeable
    assert back.t.flags.aligned


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("std_msgs/UInt8", {"data": 256}),
        ("std_msgs/Float32", {"data": "x"}),
        ("std_msgs/String", {"data": 3}),
        ("std_msgs/UInt8MultiArray", {"data": [1, -1]}),
        ("std_msgs/UInt8MultiArray", {"data": np.array([300])}),
        ("geometry_msgs/PoseWithCovariance", {"covariance": np.zeros(35)}),
        ("geometry_msgs/Twist", {"linear": 3}),
    ],
)
def test_what_does_not_fit_is_refused(name: str, fields: dict[str, object]) -> None:
    with pytest.raises(MessageError, match=name.split("/")[1]):
        serialize(message_class(name)(**fields))


def test_unknown_types_and_fields_are_named() -> None:
    with pytest.raises(ValueError, match="no_such_msgs"):
        message_class("no_such_msgs/msg/Thing")
    with pytest.raises(AttributeError, match="linear, angular"):
        _ = message_class("geometry_msgs/Twist")().forward
    with pytest.raises(AttributeError):
        message_class("geometry_msgs/Twist")().forward = 1.0


@pytest.mark.parametrize(
    ("name", "numbers", "text"),
    [
        ("Int8", [-1], "array('b', [-1])"),
        ("UInt8", [255], "array('B', [255])"),
        ("Int16", [-1, 2], "array('h', [-1, 2])"),
        ("UInt16", [7], "array('H', [7])"),
        ("Int32", [0, 1], "array('i', [0, 1])"),
        ("UInt32", [3], "array('I', [3])"),
        ("Int64", [2**62], f"array('q', [{2**62}])"),
        ("UInt64", [2**63], f"array('Q', [{2**63}])"),
        ("Float32", [0.5], "array('f', [0.5])"),
        ("Float64", [0.1, float("inf")], "array('d', [0.1, inf])"),
        ("Float64", [], "array('d')"),
    ],
)
def test_sequences_of_numbers_print_as_in_rclpy(name: str, numbers: list[float], text: str) -> None:
    kind = message_class(f"std_msgs/msg/{name}MultiArray")
    for data in (deserialize(serialize(kind(data=numbers)), kind).data, kind(data=np.array(numbers)).data):
        if data.dtype == kind().data.dtype:  # an assigned array keeps its own until it is sent
            assert (repr(data), str(data), f"{data}") == (text,) * 3
    assert str(kind(data=numbers)).endswith(f"data={numbers})")


def test_other_sequences_print_as_lists_and_arrays() -> None:
    bools = message_class("rcl_interfaces/msg/ParameterValue")(bool_array_value=np.array([True, False]))
    assert str(bools.bool_array_value) == "[True, False]"
    numbers = message_class("std_msgs/msg/Int32MultiArray")(data=np.arange(4, dtype=np.int32)).data
    assert str(numbers[1:]) == "array('i', [1, 2, 3])"
    assert str(numbers + 1) == "[1 2 3 4]"  # what is computed is NumPy's
    assert str(numbers.reshape(2, 2)) == "[[0 1]\n [2 3]]"
