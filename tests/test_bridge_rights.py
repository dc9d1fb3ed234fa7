"""What permissions say of services and actions, and what the hub and the ends make of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tolman.bridge.action import ActionClient, ActionServer
from tolman.bridge.context import Context
from tolman.bridge.executors import SingleThreadedExecutor
from tolman.bridge.interfaces import action_class, service_class
from tolman.bridge.network import keys
from tolman.bridge.network.wire import Refusal
from tolman.bridge.node import Node
from tolman.bridge.task import Future

AddTwoInts = service_class("example_interfaces/srv/AddTwoInts")
Fibonacci = action_class("example_interfaces/action/Fibonacci")
LOCAL = "".join(f'{deed} = ["/**"]\n' for deed in ("publish", "subscribe", "call", "serve"))
TIMEOUT = 10.0  #: s, far above what anything here takes

Open = Callable[..., Context]
Two = tuple[Node, Node, Callable[[Future[Any]], Any]]


@contextmanager
def two(folder: Path, opened: Open, rights: str | None) -> Iterator[Two]:
    """Nodes of the hub's key and of another, in contexts of their own, and what spins both for a future."""
    if rights is not None:
        (folder / "permissions.toml").write_text(f"[keys.local]\n{LOCAL}[keys.viewer]\n{rights}")
    contexts = opened(folder), opened(keys.add_client(folder, "viewer"))
    node, viewer = (Node(name, context=c) for name, c in zip(("hub", "viewer"), contexts, strict=True))
    executors = [SingleThreadedExecutor(context=context) for context in contexts]
    for executor, one in zip(executors, (node, viewer), strict=True):
        executor.add_node(one)

    def wait(future: Future[Any]) -> Any:
        for _ in range(int(TIMEOUT / 0.02)):
            if future.done():
                break
            for executor in executors:
                executor.spin_once(0.01)
        assert future.done()
        return future.result()

    yield node, viewer, wait
    for executor in executors:
        executor.shutdown()


def add(request: Any, response: Any) -> Any:
    response.sum = request.a + request.b
    return response


@pytest.mark.parametrize("rights", [None, 'call = ["/open/*"]\n'])
def test_a_service_is_called_by_a_key_that_may(key_folder: Path, opened: Open, rights: str | None) -> None:
    with two(key_folder, opened, rights) as (node, viewer, wait):
        node.create_service(AddTwoInts, "/open/add", add)
        client = viewer.create_client(AddTwoInts, "/open/add")
        assert client.wait_for_service(TIMEOUT)
        assert wait(client.call_async(AddTwoInts.Request(a=2, b=3))).sum == 5


def test_a_service_hears_nothing_of_a_key_that_may_not_call_it(key_folder: Path, opened: Open) -> None:
    with two(key_folder, opened, 'call = ["/open/*"]\n') as (node, viewer, wait):
        asked: list[Any] = []
        node.create_service(AddTwoInts, "/closed/add", lambda request, response: asked.append(request))
        node.create_service(AddTwoInts, "/open/add", add)
        client = viewer.create_client(AddTwoInts, "/closed/add")
        client.wait_for_service(TIMEOUT)  # that it is there is no secret
        denied = client.call_async(AddTwoInts.Request(a=2, b=3))
        free = viewer.create_client(AddTwoInts, "/open/add")
        assert free.wait_for_service(TIMEOUT)
        assert wait(free.call_async(AddTwoInts.Request(a=2, b=3))).sum == 5  # after the other, and answered
        assert not asked
        assert not denied.done()
        assert node.count_clients("/closed/add") == 0
        assert node.context.refused[Refusal.PERMISSION] >= 1


def test_a_key_that_may_not_serve_takes_nobody_in(key_folder: Path, opened: Open) -> None:
    with two(key_folder, opened, 'call = ["/**"]\n') as (node, viewer, wait):
        asked: list[Any] = []
        viewer.create_service(AddTwoInts, "/add", lambda request, response: asked.append(request))
        client = node.create_client(AddTwoInts, "/add")
        assert not client.wait_for_service(0.5)
        client.call_async(AddTwoInts.Request(a=2, b=3))
        node.create_service(AddTwoInts, "/other", add)
        other = viewer.create_client(AddTwoInts, "/other")
        assert other.wait_for_service(TIMEOUT)
        assert wait(other.call_async(AddTwoInts.Request(a=1, b=1))).sum == 2
        assert not asked


@pytest.mark.parametrize("rights", [None, 'call = ["/count/_action/*"]\nsubscribe = ["/count/_action/*"]\n'])
def test_an_action_needs_its_services_and_its_topics(
    key_folder: Path, opened: Open, rights: str | None
) -> None:
    def count(goal: Any) -> Any:
        goal.publish_feedback(Fibonacci.Feedback(sequence=[0]))
        goal.succeed()
        return Fibonacci.Result(sequence=[0, 1])

    with two(key_folder, opened, rights) as (node, viewer, wait):
        ActionServer(node, Fibonacci, "/count", count)
        client = ActionClient(viewer, Fibonacci, "/count")
        assert client.wait_for_server(TIMEOUT)
        told: list[Any] = []
        goal = wait(client.send_goal_async(Fibonacci.Goal(order=1), feedback_callback=told.append))
        assert goal.accepted
        assert list(wait(goal.get_result_async()).result.sequence) == [0, 1]
        assert len(told) == 1
