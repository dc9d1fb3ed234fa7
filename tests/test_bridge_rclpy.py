"""The surface is rclpy's: signatures, names, quality of service, clocks, timers, executors."""

import inspect
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tolman import bridge
from tolman.bridge.clock import Clock, ClockType, ROSClock
from tolman.bridge.context import Context
from tolman.bridge.duration import Duration, Infinite
from tolman.bridge.event_handler import SubscriptionEventCallbacks
from tolman.bridge.exceptions import (
    InvalidNodeNameException,
    InvalidTopicNameException,
)
from tolman.bridge.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from tolman.bridge.interfaces import service_class
from tolman.bridge.logging import LoggingSeverity, RcutilsLogger, get_logger
from tolman.bridge.messages import message_class
from tolman.bridge.names import expand_topic_name
from tolman.bridge.node import Node
from tolman.bridge.publisher import Publisher
from tolman.bridge.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    InvalidQoSProfileException,
    QoSPresetProfiles,
    QoSProfile,
    ReliabilityPolicy,
)
from tolman.bridge.subscription import MessageInfo, Subscription
from tolman.bridge.task import Future
from tolman.bridge.time import Time
from tolman.bridge.timer import Timer, TimerInfo

String = message_class("std_msgs/msg/String")

#: rclpy 8.0, without annotations
SIGNATURES: list[tuple[Callable[..., Any], str]] = [
    (bridge.init, "(*, args=None, context=None, domain_id=None, signal_handler_options=None)"),
    (bridge.shutdown, "(*, context=None, uninstall_handlers=None)"),
    (bridge.try_shutdown, "(*, context=None, uninstall_handlers=None)"),
    (bridge.ok, "(*, context=None)"),
    (
        bridge.create_node,
        "(node_name, *, context=None, cli_args=None, namespace=None, use_global_arguments=True, "
        "enable_rosout=True, start_parameter_services=True, parameter_overrides=None, "
        "allow_undeclared_parameters=False, automatically_declare_parameters_from_overrides=False, "
        "enable_logger_service=False)",
    ),
    (bridge.spin, "(node, executor=None)"),
    (bridge.spin_once, "(node, *, executor=None, timeout_sec=None)"),
    (bridge.spin_until_future_complete, "(node, future, executor=None, timeout_sec=None)"),
    (bridge.get_global_executor, "()"),
    (
        Node.__init__,
        "(self, node_name, *, context=None, cli_args=None, namespace=None, use_global_arguments=True, "
        "enable_rosout=True, start_parameter_services=True, parameter_overrides=None, "
        "allow_undeclared_parameters=False, automatically_declare_parameters_from_overrides=False, "
        "enable_logger_service=False)",
    ),
    (
        Node.create_publisher,
        "(self, msg_type, topic, qos_profile, *, callback_group=None, event_callbacks=None, "
        "qos_overriding_options=None, publisher_class=Publisher)",
    ),
    (
        Node.create_subscription,
        "(self, msg_type, topic, callback, qos_profile, *, callback_group=None, event_callbacks=None, "
        "qos_overriding_options=None, raw=False)",
    ),
    (
        Node.create_timer,
        "(self, timer_period_sec, callback, callback_group=None, clock=None, autostart=True)",
    ),
    (Node.create_guard_condition, "(self, callback, callback_group=None)"),
    (Node.destroy_publisher, "(self, publisher)"),
    (Node.destroy_subscription, "(self, subscription)"),
    (Node.destroy_timer, "(self, timer)"),
    (Node.destroy_guard_condition, "(self, guard)"),
    (Node.destroy_node, "(self)"),
    (Node.resolve_topic_name, "(self, topic, *, only_expand=False)"),
    (Node.get_topic_names_and_types, "(self, no_demangle=False)"),
    (Node.count_publishers, "(self, topic_name)"),
    (Node.count_subscribers, "(self, topic_name)"),
    (Publisher.publish, "(self, msg)"),
    (Executor.__init__, "(self, *, context=None)"),
    (SingleThreadedExecutor.__init__, "(self, *, context=None)"),
    (Executor.spin_once, "(self, timeout_sec=None)"),
    (Executor.spin_until_future_complete, "(self, future, timeout_sec=None)"),
    (Executor.spin_once_until_future_complete, "(self, future, timeout_sec=None)"),
    (Executor.shutdown, "(self, timeout_sec=None)"),
    (Executor.add_node, "(self, node)"),
    (Executor.remove_node, "(self, node)"),
    (Context.init, "(self, args=None, *, initialize_logging=True, domain_id=None)"),
    (Context.on_shutdown, "(self, callback)"),
    (Time.__init__, "(self, *, seconds=0, nanoseconds=0, clock_type=ClockType.SYSTEM_TIME)"),
    (Time.from_msg, "(msg, clock_type=ClockType.ROS_TIME)"),
    (Duration.__init__, "(self, *, seconds=0, nanoseconds=0)"),
    (Clock.sleep_until, "(self, until, context=None)"),
    (
        QoSProfile.__init__,
        "(self, history=None, depth=None, reliability=None, durability=None, lifespan=None, deadline=None, "
        "liveliness=None, liveliness_lease_duration=None, avoid_ros_namespace_conventions=None)",
    ),
    (Future.__init__, "(self, *, executor=None)"),
    (Future.add_done_callback, "(self, callback)"),
    (
        Timer.__init__,
        "(self, callback, callback_group, timer_period_ns, clock, *, context=None, autostart=True)",
    ),
    (RcutilsLogger.info, "(self, message, **kwargs)"),
    (RcutilsLogger.log, "(self, message, severity, name=None, **kwargs)"),
]
PROPERTIES = {
    Node: [
        "publishers",
        "subscriptions",
        "timers",
        "guards",
        "executor",
        "context",
        "default_callback_group",
    ],
    Publisher: ["topic_name"],
    Subscription: ["topic_name"],
    Timer: ["clock", "timer_period_ns"],
}


def plain(function: Callable[..., Any]) -> str:
    """Its signature without annotations, defaults as they are written."""

    def default(value: object) -> str:
        return (
            value.__name__
            if isinstance(value, type)
            else str(value)
            if isinstance(value, ClockType)
            else repr(value)
        )

    parts, star = [], False
    for p in inspect.signature(function).parameters.values():
        if p.kind is p.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        name = f"**{p.name}" if p.kind is p.VAR_KEYWORD else p.name
        shown = f"ClockType.{p.default.name}" if isinstance(p.default, ClockType) else default(p.default)
        parts.append(name if p.default is p.empty else f"{name}={shown}")
    return f"({', '.join(parts)})"


@pytest.mark.parametrize(("function", "expected"), SIGNATURES, ids=lambda v: getattr(v, "__qualname__", ""))
def test_signatures_are_those_of_rclpy(function: Callable[..., Any], expected: str) -> None:
    assert plain(function) == expected


def test_properties_are_those_of_rclpy() -> None:
    for kind, names in PROPERTIES.items():
        assert all(isinstance(inspect.getattr_static(kind, name), property) for name in names)


@pytest.fixture
def context(endpoint: str) -> Iterator[Context]:
    made = bridge.open_context(endpoint)
    yield made
    made.try_shutdown()


def test_talker_and_listener_as_every_tutorial_has_them(context: Context) -> None:
    class Talker(Node):
        def __init__(self) -> None:
            super().__init__("talker", context=context)
            self.publisher = self.create_publisher(String, "chatter", 10)
            self.timer = self.create_timer(0.01, self.talk)
            self.said = 0

        def talk(self) -> None:
            self.said += 1
            self.publisher.publish(String(data=f"hello {self.said}"))

    heard: list[str] = []
    infos: list[MessageInfo] = []
    talker, listener = Talker(), Node("listener", context=context)

    def listen(message: Any, info: MessageInfo) -> None:
        heard.append(message.data)
        infos.append(info)

    subscription = listener.create_subscription(String, "chatter", listen, 10)
    assert talker.publisher.wait_for_subscriptions(1)
    with SingleThreadedExecutor(context=context) as executor:
        executor.add_node(talker)
        executor.add_node(listener)
        end = time.monotonic() + 5
        while len(heard) < 5 and time.monotonic() < end:
            executor.spin_once(timeout_sec=0.1)
    assert heard[:5] == [f"hello {n}" for n in range(1, 6)]
    assert [i["publication_sequence_number"] for i in infos[:5]] == [1, 2, 3, 4, 5]
    assert subscription.statistics.lost == 0
    assert ("/chatter", ["std_msgs/msg/String"]) in listener.get_topic_names_and_types()
    assert listener.count_publishers("chatter") == 1
    assert sorted(listener.get_node_names()) == ["listener", "talker"]
    assert listener.destroy_subscription(subscription)
    assert not listener.destroy_subscription(subscription)


def test_keep_last_keeps_the_last(context: Context) -> None:
    node = Node("n", context=context)
    heard: list[str] = []
    subscription = node.create_subscription(String, "t", lambda m: heard.append(m.data), 3)
    publisher = node.create_publisher(String, "t", 10)
    assert publisher.wait_for_subscriptions(1)
    for number in range(10):
        publisher.publish(String(data=str(number)))
    end = time.monotonic() + 5
    while subscription.statistics.received < 10 and time.monotonic() < end:
        time.sleep(0.01)
    executor = SingleThreadedExecutor(context=context)
    for _ in range(4):
        bridge.spin_once(node, executor=executor, timeout_sec=0)
    assert heard == ["7", "8", "9"]
    assert subscription.statistics.overwritten == 7


def test_publish_checks_its_argument(context: Context) -> None:
    node = Node("n", context=context)
    publisher = node.create_publisher(String, "t", 10)
    with pytest.raises(TypeError):
        publisher.publish("text")
    with pytest.raises(TypeError):
        publisher.publish(message_class("std_msgs/Bool")())
    publisher.publish(b"\0\1\0\0\2\0\0\0x\0")
    assert publisher.sequence == 1


def test_what_is_not_supported_is_refused(context: Context) -> None:
    node = Node("n", context=context)
    with pytest.raises(TypeError, match="event_callbacks"):
        node.create_subscription(String, "t", print, 1, event_callbacks=object())
    with pytest.raises(TypeError, match="PublisherEventCallbacks"):
        node.create_publisher(String, "t", 1, event_callbacks=SubscriptionEventCallbacks())
    with pytest.raises(TypeError, match="message type"):
        node.create_publisher(str, "t", 10)
    with pytest.raises(RuntimeError, match="one argument"):
        node.create_subscription(String, "t", lambda: None, 10)


def test_executor_runs_timers_guards_and_futures(context: Context) -> None:
    node = Node("n", context=context)
    calls: list[str] = []

    def timed(info: TimerInfo) -> None:
        assert info.actual_call_time >= info.expected_call_time
        calls.append("timer")

    node.create_timer(0.01, timed)
    guard = node.create_guard_condition(lambda: calls.append("guard"))
    future: Future[int] = Future()
    threading.Timer(0.1, lambda: (guard.trigger(), future.set_result(7))).start()
    executor = SingleThreadedExecutor(context=context)
    bridge.spin_until_future_complete(node, future, executor, timeout_sec=5)
    bridge.spin_once(node, executor=executor, timeout_sec=0)
    bridge.spin_once(node, executor=executor, timeout_sec=0)
    assert future.result() == 7
    assert "guard" in calls
    assert 3 <= calls.count("timer") <= 12


def test_a_canceled_timer_is_silent_until_reset(context: Context) -> None:
    node = Node("n", context=context)
    timer = node.create_timer(0.0, lambda: None, autostart=False)
    assert not timer.is_ready()
    assert timer.time_until_next_call() is None
    timer.reset()
    assert timer.is_ready()
    timer.cancel()
    assert timer.is_canceled()


def test_spinning_ends_with_the_context(context: Context) -> None:
    node = Node("n", context=context)
    executor = SingleThreadedExecutor(context=context)
    threading.Timer(0.05, context.request_shutdown).start()
    with pytest.raises(ExternalShutdownException):
        bridge.spin(node, executor)
    with pytest.raises(bridge.NotInitializedException):
        Node("late", context=context)


def test_module_functions_on_the_default_context(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("TOLMAN_ENDPOINT", endpoint)
    assert not bridge.ok()
    with bridge.init():
        assert bridge.ok()
        node = bridge.create_node("one", namespace="/robot")
        assert node.get_fully_qualified_name() == "/robot/one"
        assert node.resolve_topic_name("~/odom") == "/robot/one/odom"
        fired: list[int] = []
        node.create_timer(0.001, lambda: fired.append(1))
        bridge.spin_once(node, timeout_sec=1.0)
        assert fired
    assert not bridge.ok()
    with pytest.raises(bridge.NotInitializedException):
        bridge.shutdown()


def test_names() -> None:
    assert expand_topic_name("odom", "n", "/") == "/odom"
    assert expand_topic_name("odom", "n", "/a/b") == "/a/b/odom"
    assert expand_topic_name("/odom", "n", "/a") == "/odom"
    assert expand_topic_name("~/odom", "n", "/") == "/n/odom"
    assert expand_topic_name("{node}/odom", "n", "/a") == "/a/n/odom"
    for bad in ("", "/", "a b", "1a", "a//b", "a/", "é"):
        with pytest.raises(InvalidTopicNameException):
            expand_topic_name(bad, "n", "/")


def test_bad_node_names_are_refused(context: Context) -> None:
    for bad in ("", "a b", "1a", "a/b"):
        with pytest.raises(InvalidNodeNameException):
            Node(bad, context=context)


def test_quality_of_service() -> None:
    with pytest.raises(InvalidQoSProfileException):
        QoSProfile()
    with pytest.raises(InvalidQoSProfileException):
        QoSProfile(history=HistoryPolicy.KEEP_LAST)
    profile = QoSProfile(depth=3, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    assert profile.history is HistoryPolicy.KEEP_LAST
    assert profile.reliability is ReliabilityPolicy.RELIABLE
    assert profile == QoSProfile(depth=3, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    assert QoSPresetProfiles.get_from_short_key("sensor_data").depth == 5


def test_time_and_duration() -> None:
    assert Time(seconds=1, nanoseconds=5).seconds_nanoseconds() == (1, 5)
    assert Time(seconds=2) - Time(seconds=1) == Duration(seconds=1)
    assert (Time(seconds=2) - Duration(seconds=0.5)).nanoseconds == 1_500_000_000
    assert Duration(seconds=1) * 2.5 == Duration(seconds=2.5)
    assert str(Infinite) == "Infinite"
    stamp = Time(seconds=3, nanoseconds=4, clock_type=ClockType.ROS_TIME)
    assert Time.from_msg(stamp.to_msg()) == stamp
    assert Duration.from_msg(Duration(nanoseconds=-1).to_msg()) == Duration(nanoseconds=-1)
    with pytest.raises(TypeError, match="different clock types"):
        _ = stamp < Time(seconds=1)
    with pytest.raises(ValueError, match="negative"):
        Time(nanoseconds=-1)
    with pytest.raises(ValueError, match="negative"):
        _ = Time() - Duration(seconds=1)
    with pytest.raises(OverflowError):
        Duration(seconds=2**40)


def test_clocks() -> None:
    assert isinstance(Clock(clock_type=ClockType.ROS_TIME), ROSClock)
    steady = Clock(clock_type=ClockType.STEADY_TIME)
    assert steady.now() <= steady.now()
    clock = ROSClock()
    assert abs(clock.now().nanoseconds - time.time_ns()) < 10**9
    clock.set_ros_time_override(Time(seconds=5))
    clock._set_ros_time_is_active(True)
    assert clock.now().nanoseconds == 5 * 10**9


def test_logging_filters(capsys: pytest.CaptureFixture[str]) -> None:
    logger = get_logger("test_logging_filters")
    shown = [logger.info(f"line {n}", once=True) for n in range(3)]
    assert shown == [True, False, False]
    assert [logger.warning("x", skip_first=True) for _ in range(3)] == [False, True, True]
    assert [logger.error("x", throttle_duration_sec=60) for _ in range(3)] == [True, False, False]
    assert not logger.debug("silent")
    logger.set_level(LoggingSeverity.ERROR)
    assert not logger.get_child("child").info("silent")
    assert get_logger("test_logging_filters") is logger
    assert "[INFO]" in capsys.readouterr().err.splitlines()[0]
    with pytest.raises(TypeError, match="whenever"):
        logger.fatal("x", whenever=True)


def test_the_first_message_to_an_announced_subscription_is_not_lost(context: Context) -> None:
    node = Node("n", context=context)
    other = bridge.open_context(context.endpoint)
    try:
        for k in range(20):
            topic = f"/first_{k}"
            publisher = node.create_publisher(String, topic, 10)
            listener = Node(f"listener_{k}", context=other)
            heard: list[str] = []
            listener.create_subscription(String, topic, lambda m, heard=heard: heard.append(m.data), 10)
            deadline = time.monotonic() + 5
            while node.count_subscribers(topic) == 0 and time.monotonic() < deadline:
                time.sleep(0.001)
            publisher.publish(String(data="first"))  # its subscription may not have arrived here yet
            publisher.destroy()
            executor = SingleThreadedExecutor(context=other)
            while not heard and time.monotonic() < deadline:
                bridge.spin_once(listener, executor=executor, timeout_sec=0.1)
            executor.shutdown()
            listener.destroy_node()
            assert heard == ["first"]
    finally:
        other.try_shutdown()


def test_services_answer_across_processes_and_coroutines_wait_for_them(context: Context) -> None:
    adder = service_class("example_interfaces/srv/AddTwoInts")
    server = Node("server", context=context)
    other = bridge.open_context(context.endpoint)
    client_node = Node("client", context=other)
    try:

        async def add(request: Any, response: Any) -> Any:
            response.sum = request.a + request.b
            return response

        server.create_service(adder, "add", add)
        client = client_node.create_client(adder, "add")
        spinner = SingleThreadedExecutor(context=context)
        spinner.add_node(server)
        thread = threading.Thread(target=spinner.spin, daemon=True)
        thread.start()
        assert client.wait_for_service(5.0)
        sums: list[int] = []

        async def ask() -> None:
            for k in range(3):
                answer = await client.call_async(adder.Request(a=k, b=10))
                sums.append(answer.sum)

        executor = SingleThreadedExecutor(context=other)
        executor.add_node(client_node)
        executor.spin_until_future_complete(executor.create_task(ask), timeout_sec=5)
        assert sums == [10, 11, 12]
        with pytest.raises(TypeError, match="AddTwoInts"):
            client.call_async(adder.Response())
        spinner.shutdown()
        thread.join(5.0)
        assert not thread.is_alive()
    finally:
        other.try_shutdown()


def test_what_one_subscription_refuses_the_others_on_the_topic_get(context: Context) -> None:
    node = Node("n", context=context)
    wrong = node.create_subscription(message_class("std_msgs/msg/Bool"), "t", print, 10)
    heard: list[str] = []
    node.create_subscription(String, "t", lambda m: heard.append(m.data), 10)
    publisher = node.create_publisher(String, "t", 10)
    assert publisher.wait_for_subscriptions(1)
    publisher.publish(String(data="x"))
    executor = SingleThreadedExecutor(context=context)
    deadline = time.monotonic() + 5
    while not heard and time.monotonic() < deadline:
        bridge.spin_once(node, executor=executor, timeout_sec=0.1)
    assert heard == ["x"]
    assert wrong.statistics.refused == 1
