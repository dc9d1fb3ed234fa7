"""Services, actions and the interfaces of users: parts, hashes, round the CDR and back."""

from pathlib import Path

import numpy as np
import pytest
from tolman.bridge import typestore
from tolman.bridge.exceptions import MessageError
from tolman.bridge.interface_files import add_from_environment, add_interfaces
from tolman.bridge.interfaces import (
    action_class,
    interface_hash,
    known_actions,
    known_services,
    service_class,
)
from tolman.bridge.messages import Message, deserialize, message_class, serialize, type_hash

FIBONACCI = "int32 order\n---\nint32[] sequence\n---\nint32[] sequence\n"


@pytest.fixture(autouse=True)
def _own_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typestore, "_texts", dict(typestore._texts))


def there_and_back(message: Message) -> Message:
    return deserialize(serialize(message), type(message))


def write(folder: Path, package: str, name: str, text: str) -> None:
    file = folder / package / name.rpartition(".")[2] / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_every_service_and_action_can_be_made_empty_and_read_back() -> None:
    kinds = [service_class(name) for name in known_services()]
    for name in known_actions():
        action = action_class(name)
        kinds += [action.Impl.SendGoalService, action.Impl.GetResultService, action.Impl.CancelGoalService]
        for part in (action.Goal, action.Result, action.Feedback, action.Impl.FeedbackMessage):
            assert there_and_back(part()) == part()
    assert len(kinds) > 25
    for service in kinds:
        for part in (service.Request, service.Response, service.Event):
            assert there_and_back(part()) == part()


def test_a_service_is_made_of_its_messages() -> None:
    add = service_class("example_interfaces/srv/AddTwoInts")
    assert add.Request.TYPE_NAME == "example_interfaces/srv/AddTwoInts_Request"
    assert add.Request.get_fields_and_field_types() == {"a": "int64", "b": "int64"}
    assert there_and_back(add.Request(a=2, b=-3)).b == -3
    assert message_class("example_interfaces/srv/AddTwoInts_Response") is add.Response
    assert service_class("example_interfaces/AddTwoInts") is add
    event = add.Event(request=[add.Request(a=1)])
    assert there_and_back(event).request[0].a == 1
    with pytest.raises(NotImplementedError, match="Service classes"):
        add()


def test_an_action_is_made_of_services_and_messages() -> None:
    fibonacci = action_class("example_interfaces/action/Fibonacci")
    request = fibonacci.Impl.SendGoalService.Request(goal=fibonacci.Goal(order=5))
    request.goal_id.uuid = list(range(16))
    back = there_and_back(request)
    assert back.goal.order == 5
    np.testing.assert_array_equal(back.goal_id.uuid, range(16))
    assert list(fibonacci.Impl.SendGoalService.Response.FIELD_TYPES) == ["accepted", "stamp"]
    assert list(fibonacci.Impl.GetResultService.Response.FIELD_TYPES) == ["status", "result"]
    assert fibonacci.Impl.CancelGoalService.Response.ERROR_REJECTED == 1
    assert fibonacci.Impl.GoalStatusMessage().status_list == []
    with pytest.raises(NotImplementedError, match="Action classes"):
        fibonacci()


def test_hashes_are_those_of_ros() -> None:
    # as the generated packages of ROS 2 state them
    typestore.add_text("test_msgs/action/Fibonacci", FIBONACCI)
    assert interface_hash(action_class("test_msgs/action/Fibonacci")) == (
        "RIHS01_be9273e3557225044b4a040811112491f7079326e3a573f83258b0b4c30bd069"
    )
    assert interface_hash(service_class("example_interfaces/srv/AddTwoInts")) == (
        "RIHS01_e118de6bf5eeb66a2491b5bda11202e7b68f198d6f67922cf30364858239c81a"
    )
    assert type_hash("std_msgs/msg/String") == (
        "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18"
    )


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (message_class, "std_srvs/srv/SetBool"),
        (message_class, "example_interfaces/action/Fibonacci"),
        (service_class, "std_srvs/srv/Nothing"),
        (service_class, "std_msgs/msg/String"),
        (action_class, "std_srvs/srv/SetBool"),
        (action_class, "Fibonacci"),
    ],
)
def test_what_is_of_another_kind_or_unknown_is_refused(ask: object, name: str) -> None:
    with pytest.raises(ValueError, match=r"unknown .* type .*; known_\w+\(\) lists"):
        ask(name)  # type: ignore[operator]


def test_constants_defaults_and_text_are_as_in_rclpy() -> None:
    assert message_class("rcl_interfaces/msg/ParameterType").PARAMETER_BOOL == 1
    assert message_class("rcl_interfaces/msg/Log").INFO == 20
    assert service_class("type_description_interfaces/srv/GetTypeDescription").Request().include_type_sources
    assert repr(message_class("std_msgs/msg/String")(data="hello")) == "std_msgs.msg.String(data='hello')"
    assert repr(message_class("std_msgs/msg/Empty")()) == "std_msgs.msg.Empty()"
    array = message_class("std_msgs/msg/Float32MultiArray")(data=np.float32([1.5, 2.0]))
    assert repr(array).endswith("data=[1.5, 2.0])")
    assert message_class("std_msgs/msg/MultiArrayLayout").__module__ == "std_msgs.msg._multi_array_layout"
    assert message_class("std_msgs/msg/UInt8").__module__ == "std_msgs.msg._u_int8"


def test_a_byte_is_bytes_of_length_one() -> None:
    status = message_class("diagnostic_msgs/msg/DiagnosticStatus")
    assert status.ERROR == b"\2"
    assert status().level == status.OK == b"\0"
    for level in (b"\2", 2, status.ERROR):
        message = status(level=level)
        assert there_and_back(message).level == b"\2"
        message.level = b"\1"
        assert there_and_back(message).level == b"\1"
    message = status()
    for message.level in (256, b"12", "a"):
        with pytest.raises(MessageError, match="DiagnosticStatus"):
            serialize(message)
    assert there_and_back(status(level=b"\xff")).level == b"\xff"
    several = message_class("std_msgs/msg/ByteMultiArray")(data=[b"\0", b"\xff"])
    np.testing.assert_array_equal(there_and_back(several).data, [0, 255])
    assert there_and_back(there_and_back(several)) == several
    array = message_class("diagnostic_msgs/msg/DiagnosticArray")(status=[status(level=b"\3")])
    assert there_and_back(array).status[0].level == status.STALE


def test_serialising_leaves_the_senders_lists_alone() -> None:
    feedback = action_class("example_interfaces/action/Fibonacci").Impl.FeedbackMessage()
    feedback.feedback.sequence = [0, 1]
    for value in (1, 2):
        back = there_and_back(feedback)
        feedback.feedback.sequence.append(value)
        np.testing.assert_array_equal([*back.feedback.sequence, value], feedback.feedback.sequence)


def test_lists_of_numbers_equal_the_arrays_they_become() -> None:
    floats = message_class("std_msgs/msg/Float32MultiArray")
    message = floats(data=[0.1, 2.0])
    assert there_and_back(message) == message
    assert message.data == [0.1, 2.0]
    assert message != floats(data=[0.2, 2.0])
    assert message != floats(data="no numbers")
    large = message_class("std_msgs/msg/UInt64MultiArray")(data=[0, 2**64 - 1])
    assert there_and_back(large).data.tolist() == [0, 2**64 - 1]
    for wrong in ([2**64], [-1], [0.5]):
        large.data = wrong
        with pytest.raises(MessageError, match="do not fit"):
            serialize(large)


def test_interfaces_of_users_come_from_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        tmp_path,
        "tint_msgs",
        "Tint.msg",
        "# of light\nuint8 DARK=0\nfloat32[3] rgb [0.5, 1, 0]\nstring name red\n",
    )
    write(tmp_path, "tint_msgs", "Paint.srv", "Tint tint\r\n---\r\nbool done\r\n")
    write(tmp_path, "tint_msgs", "Cover.action", "Tint[] tints\n---\nwstring<=4 word\n---\nTint last\n")
    monkeypatch.setenv("TOLMAN_INTERFACES", str(tmp_path))
    added = add_from_environment()
    assert added == ["tint_msgs/action/Cover", "tint_msgs/msg/Tint", "tint_msgs/srv/Paint"]
    assert add_interfaces(tmp_path / "tint_msgs") == added  # again: nothing contradicts
    request = service_class("tint_msgs/srv/Paint").Request()
    assert request.tint.name == "red"
    np.testing.assert_array_equal(there_and_back(request).tint.rgb, [0.5, 1.0, 0.0])
    request.tint.rgb[0] = 9.0
    assert message_class("tint_msgs/Tint")().rgb[0] == 0.5  # a default of its own in each message
    assert action_class("tint_msgs/action/Cover").Goal(tints=[request.tint]).tints[0].DARK == 0
    assert "tint_msgs/srv/Paint" in known_services()


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("Bad.msg", "float32 \n", "cannot read the definition"),
        ("Bad.srv", "bool a\n", "1 line.s. of ---"),
        ("Bad.action", "---\n", "2 line.s. of ---"),
        ("String.msg", "int32 data\n", "defined already"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, text: str, reason: str) -> None:
    write(tmp_path, "std_msgs", name, text)
    with pytest.raises(ValueError, match=rf"{name}: .*{reason}") as caught:
        add_interfaces(tmp_path)
    assert "\n" not in str(caught.value)


def test_folders_without_interfaces_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(ValueError, match=str(path)):
            add_interfaces(path)


def test_unknown_parts_of_a_definition_are_named() -> None:
    typestore.add_text("broken_msgs/msg/Broken", "nowhere_msgs/Thing thing\n")
    with pytest.raises(ValueError, match="nowhere_msgs/msg/Thing"):
        message_class("broken_msgs/msg/Broken")


def test_nested_types_of_services_are_named_as_in_rclpy() -> None:
    fields = service_class("std_srvs/srv/SetBool").Event.get_fields_and_field_types()
    assert fields["request"] == "sequence<std_srvs/SetBool_Request, 1>"


def test_quotation_marks_in_default_values_may_have_a_backslash() -> None:
    typestore.add_text("quoting_msgs/msg/Quoted", 'string one \'it\\\'s\'\nstring two "a \\"b\\""')
    made = message_class("quoting_msgs/msg/Quoted")()
    assert (made.one, made.two) == ("it's", 'a "b"')
