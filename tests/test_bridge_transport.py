"""The transport under attack and under load: garbage, stalled peers, late joiners, a lost hub."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest
import zmq
from live_agent import until
from tolman import bridge
from tolman.bridge.context import Context
from tolman.bridge.exceptions import BusyPortError, EndpointError
from tolman.bridge.messages import message_class, serialize, type_hash_prefix
from tolman.bridge.network.graph import PROTOCOL, Participant
from tolman.bridge.network.transport import Transport
from tolman.bridge.network.wire import MAX_FRAME, Header, Refusal, encode, topic_prefix
from tolman.bridge.node import Node
from tolman.bridge.qos import DurabilityPolicy, QoSProfile

String = message_class("std_msgs/msg/String")
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.fixture
def contexts(endpoint: str) -> Iterator[Callable[[], Context]]:
    made: list[Context] = []

    def make() -> Context:
        made.append(bridge.open_context(endpoint))
        return made[-1]

    yield make
    for context in made:
        context.try_shutdown()


@pytest.fixture
def zmq_context() -> Iterator["zmq.Context[zmq.Socket[bytes]]"]:
    """Sockets of no bridge; closed even where a test fails, for a plain context waits for those left open."""
    made: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    yield made
    made.destroy(linger=0)


class Rogue:
    """A program that knows the protocol well enough to be connected to, and sends what it likes."""

    def __init__(self, endpoint: str) -> None:
        self._zmq = zmq.Context()
        self.out = self._zmq.socket(zmq.PUB)
        self.out.setsockopt(zmq.SNDHWM, 0)
        port = self.out.bind_to_random_port("tcp://127.0.0.1")
        self.hub = self._zmq.socket(zmq.DEALER)
        self.hub.connect(endpoint)
        own = Participant(id="00000000deadbeef", data=f"tcp://127.0.0.1:{port}")
        self.hub.send_multipart([PROTOCOL, msgspec.json.encode(own)])

    def sends_until(self, make: Callable[[], bytes], condition: Callable[[], object]) -> bool:
        """Send frames until something happens, 5 s at most."""

        def step() -> object:
            self.out.send(make())
            return condition()

        return until(step)

    def close(self) -> None:
        self._zmq.destroy(linger=0)


@pytest.fixture
def rogue(endpoint: str) -> Iterator[Callable[[], Rogue]]:
    made: list[Rogue] = []

    def make() -> Rogue:
        made.append(Rogue(endpoint))
        return made[-1]

    yield make
    for each in made:
        each.close()


def good_frame(sequence: int, text: str = "good") -> bytes:
    header = Header(sequence, 1, -1, type_hash_prefix("std_msgs/msg/String"), b"rogue 01")
    return encode(topic_prefix("/odom"), header, serialize(String(data=text)))


def malformed(generator: random.Random, sequence: int) -> bytes:
    """One of the ways in which a frame that begins as /odom can be wrong."""
    good, start = good_frame(sequence), len(b"/odom\0")
    way = generator.randrange(7)
    if way == 0:
        return b"/odom\0" + generator.randbytes(generator.randrange(200))
    if way == 1:
        return good[: generator.randrange(start, start + 48)]
    if way == 2:
        return good[:start] + b"XXXX" + good[start + 4 :]
    if way == 3:
        return good[: start + 32] + b"othertyp" + good[start + 40 :]
    if way == 4:
        return good[: start + 48] + b"\0\1\0\0" + b"\xff\xff\xff\xff" + generator.randbytes(20)
    if way == 5:
        return b"/odom\0/odom\0" + good[start:]
    return good[: start + 48] + generator.randbytes(8)


def test_a_thousand_malformed_frames_only_count_at_the_subscriber(
    endpoint: str, contexts: Callable[[], Context], rogue: Callable[[], Rogue]
) -> None:
    context = contexts()
    node = Node("victim", context=context)
    heard: list[str] = []
    subscription = node.create_subscription(String, "/odom", lambda m: heard.append(m.data), 2000)
    enemy = rogue()
    refusals = context.transport.refusals
    assert enemy.sends_until(lambda: b"/odom\0", lambda: refusals.total)
    time.sleep(0.1)
    before, generator = refusals.total, random.Random(1)
    executor = bridge.SingleThreadedExecutor(context=context)
    executor.add_node(node)
    for number in range(1000):
        if number % 10 == 9:
            enemy.out.send_multipart([malformed(generator, number + 1), b"part", b"part"])
        else:
            enemy.out.send(malformed(generator, number + 1))

    def counted() -> bool:
        executor.spin_once(timeout_sec=0.0)
        return refusals.total - before >= 1000

    assert until(counted)
    assert refusals.total - before == 1000
    assert heard == []
    counts = refusals.as_dict()
    wanted = (
        Refusal.PARTS,
        Refusal.HEADER,
        Refusal.MAGIC,
        Refusal.TYPE,
        Refusal.MESSAGE,
        Refusal.ENCAPSULATION,
    )
    assert all(counts.get(reason, 0) > 10 for reason in wanted), counts
    enemy.out.send(good_frame(10_000))

    def listened() -> list[str]:
        executor.spin_once(timeout_sec=0.0)
        return heard

    assert until(listened)
    assert heard == ["good"]
    assert subscription.statistics.received >= 1


def test_replayed_frames_are_refused(contexts: Callable[[], Context], rogue: Callable[[], Rogue]) -> None:
    context = contexts()
    subscription = Node("victim", context=context).create_subscription(String, "/odom", print, 10)
    enemy = rogue()
    assert enemy.sends_until(lambda: good_frame(5), lambda: subscription.statistics.received)
    for _ in range(10):
        enemy.out.send(good_frame(5))
    enemy.out.send(good_frame(9))
    assert until(lambda: subscription.statistics.received == 2)
    assert subscription.statistics.lost == 3
    assert context.transport.refusals.as_dict()[Refusal.SEQUENCE] >= 10


def test_an_oversize_message_silences_its_sender_only_for_a_moment(
    contexts: Callable[[], Context], rogue: Callable[[], Rogue]
) -> None:
    context = contexts()
    subscription = Node("victim", context=context).create_subscription(String, "/odom", print, 10)
    enemy = rogue()
    sequence = iter(range(1, 10_000))
    assert enemy.sends_until(lambda: good_frame(next(sequence)), lambda: subscription.statistics.received)
    enemy.out.send(b"/odom\0" + bytes(MAX_FRAME + 1))
    time.sleep(0.1)
    before = subscription.statistics.received
    start = time.monotonic()
    assert enemy.sends_until(
        lambda: good_frame(next(sequence)), lambda: subscription.statistics.received > before + 5
    )
    assert time.monotonic() - start < 2.0


def test_a_thousand_pieces_of_garbage_only_count_at_the_publisher(
    endpoint: str, contexts: Callable[[], Context], zmq_context: "zmq.Context[zmq.Socket[bytes]]"
) -> None:
    context, other = contexts(), contexts()
    node = Node("victim", context=context)
    publisher = node.create_publisher(String, "/odom", 10)
    host, port = context.transport.data_endpoint.removeprefix("tcp://").split(":")
    generator = random.Random(2)
    # One that is refused 256 times is cut off, and then it is chance what still arrives.
    garblers, dealer = [zmq_context.socket(zmq.XSUB) for _ in range(3)], zmq_context.socket(zmq.DEALER)
    for garbler in garblers:
        garbler.connect(context.transport.data_endpoint)
    dealer.connect(endpoint)
    for number in range(500):
        garblers[number % 3].send(
            generator.choice([b"\1", b"\1/odom", b"\1odom\0", b"\1/o\0\0", b"\2"]) + generator.randbytes(8)
        )
        body = generator.choice([b"", generator.randbytes(40), b"{}", b'{"id":"x"}', b"[" * 500])
        dealer.send_multipart(generator.choice([[PROTOCOL, body], [body], [PROTOCOL, body, body]]))
        if number % 50 == 0:
            for target in (port, endpoint.rsplit(":", 1)[1]):
                with socket.create_connection((host, int(target))) as raw:
                    raw.sendall(generator.randbytes(300))
    assert until(lambda: context.transport.refusals.as_dict().get(Refusal.SUBSCRIPTION, 0) >= 500)
    assert until(lambda: context.graph.refusals.as_dict().get(Refusal.GRAPH, 0) >= 500)
    assert publisher.get_subscription_count() == 0
    subscription = Node("listener", context=other).create_subscription(String, "/odom", print, 10)
    assert publisher.wait_for_subscriptions(1)
    publisher.publish(String(data="still here"))
    assert until(lambda: subscription.statistics.received == 1)


def test_a_hub_refuses_peers_beyond_the_loopback(
    endpoint: str, contexts: Callable[[], Context], zmq_context: "zmq.Context[zmq.Socket[bytes]]"
) -> None:
    context = contexts()
    Node("hub", context=context)
    dealer = zmq_context.socket(zmq.DEALER)
    dealer.connect(endpoint)
    far = Participant(id="00000000deadbeef", data="tcp://192.0.2.1:4000")
    dealer.send_multipart([PROTOCOL, msgspec.json.encode(far)])
    assert until(lambda: context.graph.refusals.total == 1)
    assert len(context.graph.participants) == 1


def test_topics_are_matched_exactly(contexts: Callable[[], Context]) -> None:
    sender, receiver = contexts(), contexts()
    node, listener = Node("sender", context=sender), Node("receiver", context=receiver)
    odometry, odom = (node.create_publisher(String, name, 10) for name in ("/odometry", "/odom"))
    heard = listener.create_subscription(String, "/odom", print, 10)
    assert odom.wait_for_subscriptions(1)
    assert odometry.get_subscription_count() == 0
    for _ in range(20):
        odometry.publish(String(data="odometry"))
    odom.publish(String(data="odom"))
    assert until(lambda: heard.statistics.received)
    assert heard.statistics.received == 1
    assert receiver.transport.refusals.total == 0


def test_the_first_message_arrives(contexts: Callable[[], Context]) -> None:
    sender, receiver = contexts(), contexts()
    node, listener = Node("sender", context=sender), Node("receiver", context=receiver)
    for number in range(30):
        publisher = node.create_publisher(String, f"/t{number}", 1)
        heard = listener.create_subscription(String, f"/t{number}", print, 1)
        assert publisher.wait_for_subscriptions(1)
        publisher.publish(String(data="first"))
        assert until(lambda heard=heard: heard.statistics.received == 1)


def test_late_joiners_get_what_is_latched_once(contexts: Callable[[], Context]) -> None:
    sender, receiver = contexts(), contexts()
    node, listener = Node("sender", context=sender), Node("receiver", context=receiver)
    publisher = node.create_publisher(String, "/arena", LATCHED)
    for text in ("old", "new"):
        publisher.publish(String(data=text))
    heard: list[str] = []
    first = listener.create_subscription(String, "/arena", lambda m: heard.append(m.data), LATCHED)
    assert until(lambda: first.statistics.received == 1)
    second = listener.create_subscription(String, "/arena", lambda m: heard.append(m.data), LATCHED)
    volatile = listener.create_subscription(String, "/arena", print, 1)
    assert until(lambda: second.statistics.received == 1)
    time.sleep(0.2)
    assert (first.statistics.received, volatile.statistics.received) == (1, 0)
    executor = bridge.SingleThreadedExecutor(context=receiver)
    for _ in range(2):
        bridge.spin_once(listener, executor=executor, timeout_sec=0)
    assert heard == ["new", "new"]
    assert receiver.transport.refusals.total == 0


def test_a_busy_port_is_one_clear_line() -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        context = bridge.open_context(f"tcp://127.0.0.1:{port}")
        with pytest.raises(BusyPortError, match=f"port {port}") as caught:
            Node("n", context=context)
        assert "\n" not in str(caught.value)
        context.try_shutdown()


def test_other_interfaces_are_refused_and_not_listened_on(contexts: Callable[[], Context]) -> None:
    with pytest.raises(EndpointError, match="loopback"):
        bridge.open_context("tcp://0.0.0.0:5000")
    context = contexts()
    Node("n", context=context)
    port = int(context.transport.data_endpoint.rsplit(":", 1)[1])
    assert context.transport.data_endpoint.startswith("tcp://127.0.0.1:")
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", port))  # would be taken if the socket listened on all addresses


def test_topics_flow_on_and_newcomers_are_found_when_the_hub_is_gone(contexts: Callable[[], Context]) -> None:
    hub, sender, receiver = contexts(), contexts(), contexts()
    Node("hub", context=hub)
    publisher = Node("sender", context=sender).create_publisher(String, "/t", 10)
    heard = Node("receiver", context=receiver).create_subscription(String, "/t", print, 10)
    assert hub.graph.is_hub
    assert publisher.wait_for_subscriptions(1)
    hub.shutdown()
    publisher.publish(String(data="without a hub"))
    assert until(lambda: heard.statistics.received == 1)
    assert until(lambda: sender.graph.is_hub or receiver.graph.is_hub)
    newcomer = contexts()
    late = Node("late", context=newcomer).create_subscription(String, "/t", print, 10)
    assert publisher.wait_for_subscriptions(2)
    publisher.publish(String(data="to both"))
    assert until(lambda: late.statistics.received == 1 and heard.statistics.received == 2)


SUBSCRIBER = textwrap.dedent("""
    import sys, time
    from tolman import bridge
    from tolman.bridge.messages import message_class
    context = bridge.open_context(sys.argv[1])
    node = bridge.Node("stalled", context=context)
    node.create_subscription(message_class("sensor_msgs/msg/Image"), "/image", print, 1)
    print("ready", flush=True)
    time.sleep(60)
""")


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")
def test_a_stalled_subscriber_does_not_slow_the_publisher(
    endpoint: str, contexts: Callable[[], Context]
) -> None:
    """Costs are CPU time of the publishing thread: the machine may be busy with other things."""
    context = contexts()
    publisher = Node("agent", context=context).create_publisher(
        message_class("sensor_msgs/msg/Image"), "/image", 10
    )
    image = message_class("sensor_msgs/msg/Image")(data=bytes(50_000))

    def cost(messages: int = 3000) -> float:
        start, longest = time.thread_time(), 0.0
        for _ in range(messages):
            one = time.thread_time()
            publisher.publish(image)
            longest = max(longest, time.thread_time() - one)
        assert longest < 0.1
        return (time.thread_time() - start) / messages

    process = subprocess.Popen([sys.executable, "-c", SUBSCRIBER, endpoint], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert publisher.wait_for_subscriptions(1)
        reading = cost()
        os.kill(process.pid, signal.SIGSTOP)
        start = time.monotonic()
        stalled = cost()  # 150 MB: far more than any buffer on the way holds
        assert time.monotonic() - start < 10.0
        assert stalled < 2 * reading + 100e-6
    finally:
        process.kill()
        process.wait()
    assert until(lambda: publisher.get_subscription_count() == 0)
    assert publisher.sequence == 6000


def test_sequence_gaps_are_counted_as_lost(contexts: Callable[[], Context]) -> None:
    sender, receiver = contexts(), contexts()
    node, listener = Node("sender", context=sender), Node("receiver", context=receiver)
    publisher = node.create_publisher(String, "/t", 10)
    heard = listener.create_subscription(String, "/t", print, 10)
    assert publisher.wait_for_subscriptions(1)
    publisher.publish(String(data="1"))
    publisher._outlet.sequence += 7
    publisher.publish(String(data="9"))
    assert until(lambda: heard.statistics.received == 2)
    assert heard.statistics.lost == 7


def test_messages_above_the_limit_are_refused_at_the_sender(contexts: Callable[[], Context]) -> None:
    publisher = Node("n", context=contexts()).create_publisher(String, "/t", LATCHED)
    with pytest.raises(ValueError, match="bytes"):
        publisher.publish(b"\0\1\0\0" + bytes(MAX_FRAME))


def test_announcements_are_plain_json() -> None:
    """Anything may take part that can speak JSON; the schema is the contract."""
    own = Participant(id="0123456789abcdef", data="tcp://127.0.0.1:4000", nodes=(("n", "/"),))
    assert json.loads(msgspec.json.encode(own)) == {
        "id": "0123456789abcdef",
        "data": "tcp://127.0.0.1:4000",
        "nodes": [["n", "/"]],
        "ends": [],
        "revision": 0,
        "leaving": False,
        "key": "",
        "may": None,
    }


def test_a_transport_that_cannot_bind_leaves_nothing_open() -> None:
    gates = {thread for thread in threading.enumerate() if thread.name == "tolman-gate"}
    with pytest.raises(zmq.ZMQError):
        Transport("192.0.2.1")  # an address for documentation: no machine has it
    assert {thread for thread in threading.enumerate() if thread.name == "tolman-gate"} <= gates
