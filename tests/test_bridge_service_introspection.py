"""Services and clients tell of requests and answers, as much as they are told to."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tolman import bridge
from tolman.bridge.context import Context
from tolman.bridge.executors import SingleThreadedExecutor
from tolman.bridge.interfaces import service_class
from tolman.bridge.node import Node
from tolman.bridge.qos import QoSProfile, qos_profile_system_default
from tolman.bridge.service_introspection import ServiceIntrospectionState

AddTwoInts = service_class("example_interfaces/srv/AddTwoInts")
OFF, METADATA, CONTENTS = ServiceIntrospectionState


@pytest.fixture
def context() -> Iterator[Context]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = bridge.open_context(f"tcp://127.0.0.1:{port}")
    yield made
    made.try_shutdown()


def add(request: Any, response: Any) -> Any:
    response.sum = request.a + request.b
    return response


@pytest.mark.parametrize("state", [METADATA, CONTENTS])
def test_events_tell_who_asked_and_what(context: Context, state: ServiceIntrospectionState) -> None:
    node = Node("n", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    told: list[Any] = []
    node.create_subscription(AddTwoInts.Event, "add/_service_event", told.append, 10)
    service, client = node.create_service(AddTwoInts, "add", add), node.create_client(AddTwoInts, "add")

    def ask(expected: int) -> None:
        future = client.call_async(AddTwoInts.Request(a=2, b=3))
        executor.spin_until_future_complete(future, 10)
        assert future.result().sum == 5
        end = time.monotonic() + 10
        while len(told) < expected and time.monotonic() < end:
            executor.spin_once(0.01)
        assert len(told) == expected

    ask(0)
    for one in (service, client):
        one.configure_introspection(node.get_clock(), qos_profile_system_default, state)
    ask(4)
    by_kind = {event.info.event_type: event for event in told}
    assert sorted(by_kind) == [0, 1, 2, 3]
    assert {event.info.sequence_number for event in told} == {2}
    gids = {bytes(event.info.client_gid) for event in told}
    assert gids == {client._outlet.publisher + bytes(8)}
    requests = {kind: [(r.a, r.b) for r in event.request] for kind, event in by_kind.items()}
    responses = {kind: [r.sum for r in event.response] for kind, event in by_kind.items()}
    whole = state == CONTENTS
    assert requests == {kind: [(2, 3)] if whole and kind in (0, 1) else [] for kind in range(4)}
    assert responses == {kind: [5] if whole and kind in (2, 3) else [] for kind in range(4)}
    for one in (service, client):
        one.configure_introspection(node.get_clock(), qos_profile_system_default, OFF)
    assert node.count_publishers("add/_service_event") == 0
    ask(4)


def test_what_is_no_state_is_refused(context: Context) -> None:
    service = Node("n", context=context).create_service(AddTwoInts, "add", add)
    with pytest.raises(TypeError, match="ServiceIntrospectionState"):
        service.configure_introspection(None, QoSProfile(depth=1), "contents")  # type: ignore[arg-type]
