"""Parameters of nodes: types, YAML, declaring, setting, describing; services, client, events; names."""

import array
import inspect
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tolman.bridge import names
from tolman.bridge.context import Context, open_context
from tolman.bridge.exceptions import (
    InvalidParameterException,
    InvalidParameterTypeException,
    InvalidParameterValueException,
    InvalidServiceNameException,
    InvalidTopicNameException,
    ParameterAlreadyDeclaredException,
    ParameterImmutableException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
)
from tolman.bridge.executors import SingleThreadedExecutor
from tolman.bridge.expand_topic_name import expand_topic_name
from tolman.bridge.messages import Message, deserialize, serialize
from tolman.bridge.node import Node
from tolman.bridge.node_parameters import NodeParameters
from tolman.bridge.parameter import (
    Parameter,
    get_parameter_value,
    parameter_dict_from_yaml_file,
    parameter_from_text,
    parameter_value_to_python,
    parameters_of_node,
    rcl_message,
)
from tolman.bridge.parameter_client import AsyncParameterClient
from tolman.bridge.parameter_event_handler import ParameterEventHandler
from tolman.bridge.parameter_yaml import matches, parameters_in
from tolman.bridge.publisher import Publisher
from tolman.bridge.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from tolman.bridge.qos_overriding_options import (
    InvalidQosOverridesError,
    QoSOverridingOptions,
    QoSPolicyKind,
    declare_qos_parameters,
)
from tolman.bridge.ros_arguments import RCLInvalidROSArgsError, parse
from tolman.bridge.subscription import Subscription
from tolman.bridge.task import Future
from tolman.bridge.topic_endpoint_info import TopicEndpointInfo, TopicEndpointTypeEnum
from tolman.bridge.type_hash import TypeHash
from tolman.bridge.utilities import get_available_rmw_implementations, remove_ros_args, timeout_sec_to_nsec

Descriptor = rcl_message("ParameterDescriptor")
Result = rcl_message("SetParametersResult")
Type = Parameter.Type

#: rclpy 8.0, without annotations
SIGNATURES: list[tuple[Callable[..., Any], str]] = [
    (NodeParameters.declare_parameter, "(self, name, value=None, descriptor=None, ignore_override=False)"),
    (NodeParameters.declare_parameters, "(self, namespace, parameters, ignore_override=False)"),
    (NodeParameters.get_parameter_or, "(self, name, alternative_value=None)"),
    (NodeParameters.list_parameters, "(self, prefixes, depth)"),
    (NodeParameters.set_parameters, "(self, parameter_list)"),
    (NodeParameters.set_parameters_atomically, "(self, parameter_list)"),
    (NodeParameters.set_descriptor, "(self, name, descriptor, alternative_value=None)"),
    (Parameter.__init__, "(self, name, type_=None, value=None)"),
    (
        parameter_dict_from_yaml_file,
        "(parameter_file, use_wildcard=False, target_nodes=None, namespace='')",
    ),
    (AsyncParameterClient.list_parameters, "(self, prefixes=None, depth=None, callback=None)"),
    (AsyncParameterClient.load_parameter_file, "(self, parameter_file, use_wildcard=False, callback=None)"),
    (ParameterEventHandler.add_parameter_callback, "(self, parameter_name, node_name, callback)"),
    (QoSOverridingOptions.__init__, "(self, policy_kinds, *, callback=None, entity_id=None)"),
]


@pytest.mark.parametrize(("function", "expected"), SIGNATURES, ids=lambda v: getattr(v, "__qualname__", ""))
def test_signatures_are_those_of_rclpy(function: Callable[..., Any], expected: str) -> None:
    signature = inspect.signature(function)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    assert str(inspect.Signature(bare)) == expected


@pytest.fixture
def context() -> Iterator[Context]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = open_context(f"tcp://127.0.0.1:{port}")
    yield made
    made.try_shutdown()


class Alone(NodeParameters):
    """A node that has nothing but parameters, and keeps its events."""

    class Now:
        def now(self) -> "Alone.Now":
            return self

        def to_msg(self) -> Message:
            return rcl_message("ParameterEvent")().stamp  # type: ignore[no-any-return]

    def __init__(self, *overrides: Parameter[Any], undeclared: bool = False, automatic: bool = False) -> None:
        self.events: list[Message] = []
        self._init_parameters(
            parameter_overrides=overrides,
            allow_undeclared_parameters=undeclared,
            automatically_declare_parameters_from_overrides=automatic,
        )

    def create_publisher(self, *_: Any) -> Any:
        return self

    def publish(self, event: Message) -> None:
        self.events.append(event)

    def get_clock(self) -> Any:
        return self.Now()

    def get_fully_qualified_name(self) -> str:
        return "/robot/alone"


VALUES: list[tuple[Any, Parameter.Type]] = [
    (None, Type.NOT_SET),
    (True, Type.BOOL),
    (3, Type.INTEGER),
    (0.5, Type.DOUBLE),
    ("a", Type.STRING),
    ([b"a", b"\xff"], Type.BYTE_ARRAY),
    ([True, False], Type.BOOL_ARRAY),
    (array.array("q", [1, -2]), Type.INTEGER_ARRAY),
    (array.array("d", [1.0, 0.5]), Type.DOUBLE_ARRAY),
    (["a", ""], Type.STRING_ARRAY),
]


@pytest.mark.parametrize(("value", "type_"), VALUES)
def test_a_parameter_survives_the_wire(value: Any, type_: Parameter.Type) -> None:
    sent = Parameter("x", value=value)
    assert sent.type_ == type_
    message = sent.to_parameter_msg()
    received = Parameter.from_parameter_msg(deserialize(serialize(message), type(message)))
    assert (received.name, received.type_, received.value) == ("x", type_, value)


def test_tuples_pass_for_lists_and_type_and_value_must_agree() -> None:
    assert Parameter("x", value=(1, 2)).type_ == Type.INTEGER_ARRAY
    assert list(Parameter("x", value=(1, 2)).get_parameter_value().integer_array_value) == [1, 2]
    with pytest.raises(ValueError, match="'x' is not of type BOOL"):
        Parameter("x", Type.BOOL, 1)
    for bad in ({}, [1, "a"], [1, 2.0], object()):
        with pytest.raises(TypeError, match="none of the allowed types"):
            Parameter("x", value=bad)
    with pytest.raises(RuntimeError, match="unexpected parameter type 42"):
        parameter_value_to_python(rcl_message("ParameterValue")(type=42))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("7", 7),
        ("1.", 1.0),
        ("1e5", 1e5),
        ("'7'", "7"),
        ("", ""),
        ("[1, 2]", [1, 2]),
        ("[1, a]", "[1, a]"),
        ("a: 1", "a: 1"),
        ("a: b: c", "a: b: c"),
        ("[1", "[1"),
        ("null", "null"),
        ("2001-01-01", "2001-01-01"),
    ],
)
def test_what_a_text_means(text: str, value: object) -> None:
    assert parameter_value_to_python(get_parameter_value(text)) == value
    assert parameter_from_text("x", text).value == value


FILE = """
/**: {ros__parameters: {speed: 0.1, name: "7", grid: {scales: [0.3, 0.5]}}}
/robot/agent: {ros__parameters: {speed: 0.2}}
/other: {ros__parameters: {speed: 9.0}}
/*:
  agent: {ros__parameters: {speed: 0.3}}
"""


def test_a_parameter_file(tmp_path: Path) -> None:
    file = tmp_path / "parameters.yaml"
    file.write_text(FILE)
    found = {p.name: p.value for p in parameters_of_node(str(file), "/robot/agent")}
    assert found == {"speed": 0.3, "name": "7", "grid.scales": [0.3, 0.5]}
    assert {p.name: p.value for p in parameters_of_node(str(file), "/other")}["speed"] == 9.0
    given = parameter_dict_from_yaml_file(str(file), True, ["/robot/agent"], "my_")
    assert {name: parameter_value_to_python(m.value) for name, m in given.items()} == {
        "my_speed": 0.2,
        "my_name": "7",
        "my_grid.scales": [0.3, 0.5],
    }
    assert "grid.scales" not in parameter_dict_from_yaml_file(str(file))
    with pytest.raises(RuntimeError, match="no parameters for /none"):
        parameter_dict_from_yaml_file(str(file), target_nodes=["/none"])


@pytest.mark.parametrize(
    "text", ["a: 1", "a: [", "ros__parameters: {a: 1}", "[1]", "a: {ros__parameters: 3}"]
)
def test_a_bad_parameter_file_gives_one_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"bad\.yaml") as caught:
        parameters_of_node(str(file), "/a")
    assert "\n" not in str(caught.value)
    with pytest.raises(RuntimeError):
        parameter_dict_from_yaml_file(str(file))


def test_patterns_of_nodes() -> None:
    for pattern in ("/**", "/**/c", "/a/*/c", "a/b/c", "/a/**", "/**/b/*"):
        assert matches(pattern, "/a/b/c"), pattern
    for pattern in ("/*", "c", "/a/*", "/a/b/c/*", "/b/**"):
        assert not matches(pattern, "/a/b/c"), pattern
    assert matches("/**/c", "/c")
    # a key that stands twice is read twice
    text = "a: {ros__parameters: {x: 1}}\na: {ros__parameters: {x: 2}}"
    assert [value for *_, value in parameters_in(text, "text")] == [1, 2]


def test_declaring_and_overriding() -> None:
    node = Alone(Parameter("a.x", value=5), Parameter("wrong", value="text"))
    x, y = node.declare_parameters("a", [("x", 1), ("y", 2.0, Descriptor(description="why"))])
    assert (x.value, y.value) == (5, 2.0)
    assert node.describe_parameter("a.y") == Descriptor(name="a.y", type=int(Type.DOUBLE), description="why")
    assert node.declare_parameter("a.z", 1, ignore_override=True).value == 1
    with pytest.raises(ParameterAlreadyDeclaredException, match=r"a\.x"):
        node.declare_parameters("", [("new", 1), ("a.x", 1)])
    assert not node.has_parameter("new")
    with pytest.raises(InvalidParameterTypeException, match="INTEGER"):
        node.declare_parameter("wrong", 1)
    with pytest.raises(InvalidParameterException):
        node.declare_parameter("", 1)
    with pytest.warns(UserWarning, match="name only"):
        assert node.declare_parameter("bare").value is None
    for bad in [(1, 2), (), ("n", 1, Descriptor(), 4), ("n", 1, 2), ("n", {})]:
        with pytest.raises(TypeError):
            node.declare_parameters("", [bad])
    for contradiction in [
        ("n", None, Descriptor()),
        ("n", Type.NOT_SET),
        ("n", Type.BOOL, Descriptor(dynamic_typing=True)),
        ("n", get_parameter_value("1")),
    ]:
        with pytest.raises(ValueError, match="'n'"):
            node.declare_parameters("", [contradiction])
    assert [p.value for p in Alone(Parameter("q", value=1), automatic=True).get_parameters(["q"])] == [1]


def test_reading() -> None:
    node = Alone()
    with pytest.raises(ParameterNotDeclaredException):
        node.get_parameter("x")
    node.declare_parameter("x", Type.STRING)
    with pytest.raises(ParameterUninitializedException):
        node.get_parameter("x")
    other = Parameter("x", value="other")
    assert node.get_parameter_or("x", other) is other
    assert node.get_parameter_type("x") == Type.NOT_SET
    assert node.set_parameters([other])[0].successful
    assert node.get_parameter_or("x").value == "other"
    assert node.get_parameter_types(["x"]) == [Type.STRING]
    assert Alone(undeclared=True).get_parameter("x").type_ == Type.NOT_SET
    with pytest.raises(TypeError):
        node.get_parameters([1])  # type: ignore[list-item]


def test_listing() -> None:
    node = Alone()
    node.declare_parameters("", [(name, 1) for name in ("a", "b.c", "b.d.e", "bb.c")])

    def listed(prefixes: list[str], depth: int) -> tuple[list[str], list[str]]:
        result = node.list_parameters(prefixes, depth)
        return result.names, result.prefixes

    assert listed([], 0) == (["a", "b.c", "b.d.e", "bb.c"], ["b", "b.d", "bb"])
    assert listed([], 1) == (["a"], [])
    assert listed(["b"], 1) == (["b.c"], ["b"])
    assert listed(["b", "a"], 0) == (["a", "b.c", "b.d.e"], ["b", "b.d"])
    assert node.get_parameters_by_prefix("b").keys() == {"c", "d.e"}
    with pytest.raises(ValueError, match="depth"):
        node.list_parameters([], -1)
    with pytest.raises(TypeError):
        node.list_parameters("b", 0)  # type: ignore[arg-type]


def test_ranges() -> None:
    node = Alone()
    whole = rcl_message("IntegerRange")(from_value=10, to_value=-10, step=3)
    node.declare_parameter("i", -7, Descriptor(integer_range=[whole]))
    real = rcl_message("FloatingPointRange")(from_value=0.0, to_value=1.0, step=0.1)
    node.declare_parameter("f", 0.3, Descriptor(floating_point_range=[real]))

    def accepted(name: str, value: object) -> bool:
        return bool(node.set_parameters([Parameter(name, value=value)])[0].successful)

    assert [accepted("i", i) for i in (-10, -9, -7, 10, 11)] == [True, False, True, True, False]
    values = (0.0, 0.7000000001, 0.75, 1.0, 1.1, -0.1, float("nan"))
    assert [accepted("f", f) for f in values] == [True, True, False, True, False, False, False]
    with pytest.raises(InvalidParameterValueException, match="out of range"):
        node.declare_parameter("g", 2.0, Descriptor(floating_point_range=[real]))


def test_read_only_and_descriptors() -> None:
    node = Alone()
    node.declare_parameter("fixed", 1, Descriptor(read_only=True))
    result = node.set_parameters([Parameter("fixed", value=2)])[0]
    assert not result.successful
    assert "read-only" in result.reason
    with pytest.raises(ParameterImmutableException):
        node.undeclare_parameter("fixed")
    with pytest.raises(ParameterImmutableException):
        node.set_descriptor("fixed", Descriptor())
    node.declare_parameter("free", 1)
    whole = rcl_message("IntegerRange")(from_value=5, to_value=9)
    narrow = Descriptor(type=int(Type.INTEGER), integer_range=[whole])
    with pytest.raises(InvalidParameterValueException):
        node.set_descriptor("free", narrow)
    assert node.get_parameter("free").value == 1
    assert node.set_descriptor("free", narrow, get_parameter_value("7")).integer_value == 7
    assert node.get_parameter("free").value == 7
    assert node.describe_parameter("free").name == "free"
    node.undeclare_parameter("free")
    with pytest.raises(ParameterNotDeclaredException):
        node.describe_parameter("free")


def test_types_are_fixed_unless_dynamic_and_unsetting_removes() -> None:
    node = Alone(undeclared=True)
    node.declare_parameter("fixed", 1)
    assert not node.set_parameters([Parameter("fixed", value=1.0)])[0].successful
    assert not node.set_parameters([Parameter("fixed")])[0].successful
    for value in (1, "text", [1.0]):
        assert node.set_parameters([Parameter("free", value=value)])[0].successful
    assert node.set_parameters([Parameter("free")])[0].successful
    assert not node.has_parameter("free")
    told = [
        [[p.name for p in getattr(event, kind)] for kind in ("new_parameters", "changed_parameters")]
        + [[p.name for p in event.deleted_parameters]]
        for event in node.events
    ]
    assert told == [
        [["fixed"], [], []],
        [["free"], [], []],
        [[], ["free"], []],
        [[], ["free"], []],
        [[], [], ["free"]],
    ]
    assert {event.node for event in node.events} == {"/robot/alone"}


def test_setting_atomically_is_all_or_nothing() -> None:
    node = Alone()
    node.declare_parameters("", [("a", 1), ("b", 1)])
    bad = [Parameter("a", value=2), Parameter("b", value="text")]
    assert not node.set_parameters_atomically(bad).successful
    assert node.get_parameter("a").value == 1
    with pytest.raises(ParameterNotDeclaredException, match=r"\['c'\]"):
        node.set_parameters_atomically([Parameter("a", value=2), Parameter("c", value=1)])
    assert node.get_parameter("a").value == 1
    with pytest.raises(TypeError):
        node.set_parameters([3])  # type: ignore[list-item]


def test_callbacks() -> None:
    node, calls = Alone(), []
    node.declare_parameters("", [("a", 1), ("b", 1)])

    def double(parameters: list[Parameter[Any]]) -> list[Parameter[Any]]:
        calls.append("pre")
        return [Parameter(p.name, value=2 * p.value) for p in parameters]

    def judge(parameters: list[Parameter[Any]]) -> Message:
        calls.append("on")
        return Result(successful=all(p.value < 100 for p in parameters), reason="too much")

    def note(parameters: list[Parameter[Any]]) -> None:
        calls.append(f"post {node.get_parameter('a').value}")

    node.add_pre_set_parameters_callback(double)
    node.add_on_set_parameters_callback(judge)
    node.add_post_set_parameters_callback(note)
    assert node.set_parameters([Parameter("a", value=4)])[0].successful
    assert calls == ["pre", "on", "post 8"]
    assert node.set_parameters([Parameter("a", value=60)])[0].reason == "too much"
    assert node.get_parameter("a").value == 8
    with pytest.raises(InvalidParameterValueException, match="too much"):
        node.declare_parameter("c", 100)
    node.remove_pre_set_parameters_callback(double)
    node.add_pre_set_parameters_callback(lambda parameters: [])
    assert "empty" in node.set_parameters_atomically([Parameter("a", value=1)]).reason
    node.remove_on_set_parameters_callback(judge)
    node.remove_post_set_parameters_callback(note)
    with pytest.raises(ValueError, match="not in list"):
        node.remove_post_set_parameters_callback(note)


def test_services_client_and_events(context: Context, tmp_path: Path) -> None:
    node = Node("target", context=context, namespace="/robot")
    asking = Node("asking", context=context, namespace="/robot")
    node.declare_parameter("x", 1)
    node.declare_parameter("unset", Type.STRING)
    node.declare_parameter("free", "a", Descriptor(dynamic_typing=True))
    client = AsyncParameterClient(asking, "target")
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    executor.add_node(asking)
    heard: list[tuple[str, int]] = []
    handler = ParameterEventHandler(asking)
    handle = handler.add_parameter_callback(
        "x", "target", lambda p: heard.append((p.name, p.value.integer_value))
    )
    assert client.wait_for_services(5.0)
    assert node._parameter_event_publisher is not None
    assert node._parameter_event_publisher.wait_for_subscriptions(1)

    def answer(future: Future[Any]) -> Any:
        executor.spin_until_future_complete(future, 5.0)
        assert future.done()
        return future.result()

    assert answer(client.get_parameters(["x"])).values[0].integer_value == 1
    assert answer(client.get_parameters(["x", "unset"])).values == []
    assert answer(client.get_parameters(["x", "none"])).values == []
    assert list(answer(client.get_parameter_types(["x", "free"])).types) == [Type.INTEGER, Type.STRING]
    assert answer(client.describe_parameters(["unset"])).descriptors[0].type == Type.STRING
    assert answer(client.list_parameters(["x"], 1)).result.names == ["x"]
    done: list[bool] = []
    future = client.set_parameters(
        [Parameter("x", value=2), Parameter("x", value="a").to_parameter_msg(), Parameter("none", value=1)],
        lambda future: done.append(future.done()),
    )
    assert [r.successful for r in answer(future).results] == [True, False, False]
    both = [Parameter("x", value=3), Parameter("none", value=1)]
    assert not answer(client.set_parameters_atomically(both)).result.successful
    odd = rcl_message("Parameter")(name="x", value=rcl_message("ParameterValue")(type=42))
    assert not answer(client.set_parameters([odd])).results[0].successful
    assert [r.successful for r in answer(client.delete_parameters(["x", "free"])).results] == [False, True]
    file = tmp_path / "parameters.yaml"
    file.write_text("any: {ros__parameters: {x: 4}}")
    assert answer(client.load_parameter_file_atomically(str(file))).result.successful
    assert node.get_parameter("x").value == 4
    for _ in range(100):
        if len(heard) == 2 and done:
            break
        executor.spin_once(timeout_sec=0.05)
    assert heard == [("x", 2), ("x", 4)]
    assert done == [True]
    handler.remove_parameter_callback(handle)
    with pytest.raises(RuntimeError, match="removed already"):
        handler.remove_parameter_callback(handle)
    handler.destroy()
    executor.shutdown()


def test_event_callbacks_may_remove_themselves(context: Context) -> None:
    node = Node("n", context=context, namespace="/ns")
    handler, calls = ParameterEventHandler(node), []
    first = handler.add_parameter_event_callback(lambda event: calls.append("first"))

    def second(event: Message) -> None:
        calls.append("second")
        handler.remove_parameter_event_callback(first)

    handler.add_parameter_event_callback(second)
    event = rcl_message("ParameterEvent")(node="/ns/n")
    handler._callbacks.event_callback(event)
    assert calls == ["second", "first"]  # the last added is called first
    assert [handler._resolve_path(p) for p in (None, "m", "/m")] == ["/ns/n", "/ns/m", "/m"]


def test_quality_of_service_from_parameters() -> None:
    node = Alone(
        Parameter("qos_overrides./t.publisher.depth", value=3),
        Parameter("qos_overrides./t.publisher.reliability", value="best_effort"),
        Parameter("qos_overrides./t.subscription_a.durability", value="transient"),
    )
    given, options = QoSProfile(depth=10), QoSOverridingOptions.with_default_policies()
    for _ in range(2):  # the second publisher of a topic finds the parameters declared
        profile = declare_qos_parameters(Publisher, node, "/t", given, options)
        assert (profile.depth, profile.reliability) == (3, ReliabilityPolicy.BEST_EFFORT)
    assert given == QoSProfile(depth=10)
    assert node.describe_parameter("qos_overrides./t.publisher.depth").read_only
    kinds = [QoSPolicyKind.LIFESPAN, QoSPolicyKind.DURABILITY]
    with pytest.raises(RuntimeError, match=r"durability must be one of .*transient_local"):
        declare_qos_parameters(Subscription, node, "/t", given, QoSOverridingOptions(kinds, entity_id="a"))
    assert not node.has_parameter("qos_overrides./t.subscription_a.lifespan")
    rejecting = QoSOverridingOptions([], callback=lambda _: Result(successful=False, reason="no"))
    with pytest.raises(InvalidQosOverridesError, match="no"):
        declare_qos_parameters(Publisher, node, "/v", given, rejecting)
    unknown = QoSProfile(depth=1, durability=DurabilityPolicy.UNKNOWN)
    with pytest.raises(ValueError, match="unknown durability"):
        declare_qos_parameters(Publisher, node, "/v", unknown, QoSOverridingOptions(kinds[1:]))
    assert declare_qos_parameters(Publisher, node, "/v", given, None) is given


@pytest.mark.parametrize(
    ("name", "fault", "index"),
    [
        ("", "empty", 0),
        ("a/", "end with", 1),
        ("a b", "characters other", 1),
        ("é", "characters other", 0),
        ("a//b", "repeated", 1),
        ("a/1b", "start with a number", 2),
        ("a~", "tilde", 1),
        ("~a", "tilde", 1),
        ("a{", "curly", 1),
        ("{1}", "substitution", 0),
    ],
)
def test_bad_topic_names(name: str, fault: str, index: int) -> None:
    for is_service, error in ((False, InvalidTopicNameException), (True, InvalidServiceNameException)):
        with pytest.raises(error, match=fault) as caught:
            names.expand_topic_name(name, "n", "/", is_service=is_service)
        assert caught.value.invalid_index == index
    with pytest.raises(ValueError, match="topic name"):
        expand_topic_name(name, "n", "/")


def test_full_names() -> None:
    assert expand_topic_name("{ns}/a/{node}", "n", "/b") == "/b/a/n"
    assert expand_topic_name("~", "n", "/b") == "/b/n"
    assert names.validate_full_topic_name("/a/b_2")
    for bad in ("", "a", "/", "/a/", "/a//b", "/1", "/a~", "/" + 255 * "a"):
        with pytest.raises(InvalidTopicNameException):
            names.validate_full_topic_name(bad)
    for expand in (names.expand_topic_name, expand_topic_name):
        with pytest.raises(ValueError, match=r"unknown substitution \{what\}"):
            expand("a/{what}", "n", "/b")
    with pytest.raises(TypeError):
        names.expand_topic_name(1, "n", "/b")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="namespace"):
        expand_topic_name("a", "n", "b")
    with pytest.raises(ValueError, match="node name"):
        expand_topic_name("a", "n?", "/")


def test_small_things() -> None:
    text = "RIHS01_" + 31 * "00" + "ff"
    assert str(TypeHash.from_text(text)) == text
    assert str(TypeHash()) == "INVALID"
    with pytest.raises(ValueError, match="RIHS01"):
        TypeHash.from_text("RIHS01_00")
    info = TopicEndpointInfo(
        "n", "/", endpoint_type=2, endpoint_gid=[1, 255], qos_profile=QoSProfile(depth=4)
    )
    assert info.endpoint_type is TopicEndpointTypeEnum.SUBSCRIPTION
    assert "GID: 01.ff" in str(info)
    assert "KEEP_LAST (4)" in str(info)
    assert info != TopicEndpointInfo()
    assert TopicEndpointInfo() == TopicEndpointInfo()
    line = ["p", "--ros-args", "-r", "a:=b", "--", "x", "--ros-args", "-p", "y:=1"]
    assert remove_ros_args(line) == ["p", "x"]
    assert [timeout_sec_to_nsec(t) for t in (None, -1.0, 0.0, 1.5)] == [-1, -1, 0, 1_500_000_000]


def test_transports_of_ros_that_are_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(get_available_rmw_implementations()) == 1
    monkeypatch.setenv("RMW_IMPLEMENTATIONS", "rmw_other")
    with pytest.raises(RuntimeError, match="rmw_other"):
        get_available_rmw_implementations()


def test_parameters_of_a_command_line(tmp_path: Path) -> None:
    file = tmp_path / "parameters.yaml"
    file.write_text(FILE)
    line = ["--ros-args", "-p", "speed:=1.5", "-p", "agent:mode:=text", "-p", "other:x:=1"]

    def given(args: list[str]) -> dict[str, object]:
        return {p.name: p.value for p in parse(args).parameters_of("agent", "/robot")}

    assert given(line) == {"speed": 1.5, "mode": "text"}
    assert given([*line, "--params-file", str(file)])["speed"] == 0.3  # the later wins
    assert given(["--ros-args", "--params-file", str(file), *line[1:]])["speed"] == 1.5
    file.write_text("a: [")
    with pytest.raises(RCLInvalidROSArgsError, match=r"--params-file .*parameters\.yaml, line 1: not YAML"):
        given(["--ros-args", "--params-file", str(file)])
