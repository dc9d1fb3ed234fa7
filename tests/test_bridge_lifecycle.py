"""Nodes with a managed life: their states, their callbacks, and how other nodes change them."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tolman import bridge
from tolman.bridge.context import Context
from tolman.bridge.executors import SingleThreadedExecutor
from tolman.bridge.interfaces import service_class
from tolman.bridge.lifecycle import (
    LifecycleNode,
    LifecycleState,
    ManagedEntity,
    SimpleManagedEntity,
    TransitionCallbackReturn,
)
from tolman.bridge.lifecycle.state_machine import STATES, TRANSITIONS
from tolman.bridge.messages import message_class
from tolman.bridge.node import Node

SUCCESS, FAILURE, ERROR = TransitionCallbackReturn
String = message_class("std_msgs/msg/String")
TIMEOUT = 10.0  #: s


@pytest.fixture
def context() -> Iterator[Context]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = bridge.open_context(f"tcp://127.0.0.1:{port}")
    yield made
    made.try_shutdown()


class Recorded(LifecycleNode):
    """Returns what it was told to, and remembers what it was asked."""

    def __init__(self, context: Context, **outcomes: object) -> None:
        self.asked: list[tuple[str, LifecycleState]] = []
        self.outcomes = outcomes
        super().__init__("managed", context=context)

    def answer(self, name: str, state: LifecycleState) -> Any:
        self.asked.append((name, state))
        outcome = self.outcomes.get(name, SUCCESS)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self.answer("configure", state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self.answer("activate", state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self.answer("error", state)


def label(node: LifecycleNode) -> str:
    return node._state_machine.current_state[1]


def test_a_whole_life(context: Context) -> None:
    node = LifecycleNode("managed", context=context)
    path = []
    for name in ("configure", "activate", "deactivate", "cleanup", "configure", "shutdown"):
        assert getattr(node, f"trigger_{name}")() == SUCCESS
        path.append(label(node))
    assert path == ["inactive", "active", "inactive", "unconfigured", "inactive", "finalized"]
    assert node.trigger_configure() == ERROR  # there is no way back
    with pytest.raises(RuntimeError, match="finalized"):
        node.trigger_shutdown()


@pytest.mark.parametrize(
    ("outcomes", "answer", "state"),
    [
        ({"configure": FAILURE}, FAILURE, "unconfigured"),
        ({"configure": ERROR}, ERROR, "unconfigured"),
        ({"configure": ERROR, "error": FAILURE}, ERROR, "finalized"),
        ({"configure": ValueError("on purpose"), "error": ERROR}, ERROR, "finalized"),
        ({"configure": "no such answer"}, ERROR, "unconfigured"),
    ],
)
def test_what_callbacks_return_decides(
    context: Context, outcomes: dict[str, object], answer: TransitionCallbackReturn, state: str
) -> None:
    node = Recorded(context, **outcomes)
    assert node.trigger_configure() == answer
    assert label(node) == state
    before = LifecycleState(label="unconfigured", state_id=1)
    asked = ["configure"] if answer == FAILURE else ["configure", "error"]
    assert node.asked == [(name, before) for name in asked]


def test_managed_entities_are_told_until_one_does_not_succeed(context: Context) -> None:
    class Stubborn(ManagedEntity):
        def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
            return FAILURE

    node = LifecycleNode("managed", context=context)
    simple, calls = SimpleManagedEntity(), []
    node.add_managed_entity(simple)

    class Device(SimpleManagedEntity):
        @SimpleManagedEntity.when_enabled
        def go(self, how: str) -> None:
            calls.append(how)

        @SimpleManagedEntity.when_enabled(when_not_enabled=lambda: calls.append("not enabled"))
        def stop(self) -> None:
            calls.append("stopped")

    device = Device()
    node.add_managed_entity(device)
    device.go("early")
    device.stop()
    node.trigger_configure()
    node.trigger_activate()
    device.go("now")
    device.stop()
    assert calls == ["not enabled", "now", "stopped"]
    assert simple.is_activated
    node.trigger_deactivate()
    assert not simple.is_activated
    node.add_managed_entity(Stubborn())
    assert node.trigger_activate() == FAILURE
    assert label(node) == "inactive"
    with pytest.raises(TypeError):
        node.add_managed_entity(object())  # type: ignore[arg-type]


def test_publishers_are_silent_while_the_node_is_not_active(context: Context) -> None:
    node = LifecycleNode("managed", context=context)
    publisher = node.create_lifecycle_publisher(String, "t", 10)
    publisher.publish(String())
    assert publisher.sequence == 0
    node.trigger_configure()
    node.trigger_activate()
    publisher.publish(String())
    assert publisher.sequence == 1
    node.destroy_publisher(publisher)
    assert node.trigger_deactivate() == SUCCESS
    assert not node._managed_entities
    other = node.create_lifecycle_publisher(String, "t", 10)
    assert node.destroy_lifecycle_publisher(other)
    with pytest.raises(TypeError, match="publisher_class"):
        node.create_lifecycle_publisher(String, "t", 10, publisher_class=int)  # type: ignore[arg-type]


def test_other_nodes_see_and_change_the_state(context: Context) -> None:
    node, other = LifecycleNode("managed", context=context), Node("manager", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    executor.add_node(other)
    told: list[Any] = []
    event = message_class("lifecycle_msgs/msg/TransitionEvent")
    other.create_subscription(event, "/managed/transition_event", told.append, 10)

    def ask(name: str, kind: str, **fields: Any) -> Any:
        service = service_class(f"lifecycle_msgs/srv/{kind}")
        client = other.create_client(service, f"/managed/{name}")
        assert client.wait_for_service(TIMEOUT)
        request = service.Request()
        for field, value in fields.items():
            setattr(request.transition, field, value)
        future = client.call_async(request)
        executor.spin_until_future_complete(future, TIMEOUT)
        return future.result()

    assert ask("get_state", "GetState").current_state.label == "unconfigured"
    assert len(ask("get_available_states", "GetAvailableStates").available_states) == len(STATES) == 11
    ways = ask("get_available_transitions", "GetAvailableTransitions").available_transitions
    assert [(way.transition.id, way.goal_state.label) for way in ways] == [
        (1, "configuring"),
        (5, "shuttingdown"),
    ]
    graph = ask("get_transition_graph", "GetAvailableTransitions").available_transitions
    assert len(graph) == len(TRANSITIONS) == 25
    assert ask("change_state", "ChangeState", id=1).success
    assert not ask("change_state", "ChangeState", id=1).success
    assert ask("change_state", "ChangeState", label="activate").success
    assert not ask("change_state", "ChangeState", label="activate").success
    assert label(node) == "active"
    spin_until(executor, lambda: len(told) >= 4)
    assert [message.goal_state.label for message in told] == [
        "configuring",
        "inactive",
        "activating",
        "active",
    ]


def test_without_an_interface_nobody_sees_it(context: Context) -> None:
    before = Node("plain", context=context)
    node = LifecycleNode("managed", enable_communication_interface=False, context=context)
    assert len(list(node.services)) == len(list(before.services))
    assert node.trigger_configure() == SUCCESS
    with pytest.raises(TypeError, match="True or False"):
        LifecycleNode("other", enable_communication_interface="x", context=context)  # type: ignore[arg-type]


def spin_until(executor: SingleThreadedExecutor, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end
        executor.spin_once(0.01)
