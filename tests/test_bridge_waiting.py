"""Who receives: the thread that spins while it waits, the receiver's own while nobody does."""

import threading
import time
from collections.abc import Iterator

import pytest
from live_agent import until
from tolman import bridge
from tolman.bridge.executors import SingleThreadedExecutor
from tolman.bridge.network.wire import Header
from tolman.bridge.node import Node

String = bridge.message_class("std_msgs/msg/String")


@pytest.fixture
def node(endpoint: str) -> Iterator[Node]:
    with bridge.open_context(endpoint) as context:
        yield Node("waiting", context=context, start_parameter_services=False)


def delivering_threads(node: Node) -> list[int]:
    """The threads that hand out what arrives on /talk from now on, one for each message."""
    threads: list[int] = []
    receiver = node.context.receiver
    assert receiver is not None
    (deliver,) = receiver._table[b"/talk\0"]

    def noted(header: Header, payload: memoryview) -> None:
        threads.append(threading.get_ident())
        deliver(header, payload)

    receiver._table[b"/talk\0"] = (noted,)
    return threads


def test_the_thread_that_spins_receives_and_another_while_a_callback_takes_long(node: Node) -> None:
    """So that a queue of two has the last two of ten, although the executor never looked meanwhile."""
    entered, leave = threading.Event(), threading.Event()
    heard: list[str] = []

    def callback(message: bridge.Message) -> None:
        heard.append(message.data)
        if message.data == "long":
            entered.set()
            leave.wait(5.0)

    subscription = node.create_subscription(String, "talk", callback, 2)
    publisher = node.create_publisher(String, "talk", 100)
    assert publisher.wait_for_subscriptions(1)
    threads = delivering_threads(node)
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    spinning = threading.Thread(target=executor.spin)
    spinning.start()
    for number in range(20):  # the sockets change hands at the first
        publisher.publish(String(data=f"short {number}"))
        assert until(lambda number=number: len(heard) == number + 1)
    assert threads[-1] == spinning.ident
    publisher.publish(String(data="long"))
    assert entered.wait(5.0)
    for number in range(10):
        publisher.publish(String(data=str(number)))
    assert until(lambda: subscription.statistics.received == 31)
    assert threads[-1] != spinning.ident
    leave.set()
    assert until(lambda: len(heard) == 23)
    assert heard[-3:] == ["long", "8", "9"]
    assert subscription.statistics.overwritten == 8
    executor.shutdown()
    spinning.join()


def test_two_executors_that_spin_at_once_both_hear_soon(node: Node) -> None:
    other = Node("other", context=node.context, start_parameter_services=False)
    heard: dict[str, list[float]] = {"waiting": [], "other": []}
    for one in (node, other):
        stamps = heard[one.get_name()]
        one.create_subscription(String, "talk", lambda m, s=stamps: s.append(time.monotonic()), 100)
    publisher = node.create_publisher(String, "talk", 100)
    assert publisher.wait_for_subscriptions(1)
    executors = [SingleThreadedExecutor(context=node.context) for _ in range(2)]
    threads = []
    for executor, one in zip(executors, (node, other), strict=True):
        executor.add_node(one)
        threads.append(threading.Thread(target=executor.spin))
        threads[-1].start()
    for number in range(50):
        publisher.publish(String(data=str(number)))
        time.sleep(0.002)
    assert until(lambda: all(len(stamps) == 50 for stamps in heard.values()))
    for executor, thread in zip(executors, threads, strict=True):
        executor.shutdown()
        thread.join()


def test_a_trigger_ends_the_wait_for_messages(node: Node) -> None:
    """Of an executor that waits for sockets, at once and not at its next look."""
    node.create_subscription(String, "talk", lambda message: None, 1)
    triggered: list[float] = []
    guard = node.create_guard_condition(lambda: triggered.append(time.monotonic()))
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    spinning = threading.Thread(target=executor.spin)
    spinning.start()
    delays = []
    for number in range(9):
        assert until(lambda: executor._waiting._claimed is not None and executor._waiting._waits)
        began = time.monotonic()
        guard.trigger()
        assert until(lambda number=number: len(triggered) == number + 1)
        delays.append(triggered[-1] - began)
    assert sorted(delays)[4] < 0.1  # the next look would be after 0.2 s
    executor.shutdown()
    spinning.join()
