"""Keys, permissions and abuse: what is refused is counted, and what is right goes on."""

import os
import random
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import zmq
from live_agent import until
from tolman import bridge
from tolman.bridge.context import Context
from tolman.bridge.exceptions import BusyPortError, EndpointError, KeysError
from tolman.bridge.messages import message_class, serialize, type_hash_prefix
from tolman.bridge.network import endpoint as endpoints
from tolman.bridge.network import keys, subscribers
from tolman.bridge.network.announcements import PROTOCOL, Participant, TopicEnd
from tolman.bridge.network.hub import Hub
from tolman.bridge.network.permissions import KeyRules, Permissions, Rules, matches
from tolman.bridge.network.wire import MAX_FRAME, Header, Refusal, Refusals, encode, topic_prefix
from tolman.bridge.node import Node
from tolman.bridge.qos import QoSProfile
from tolman.launch.cli import main

String = message_class("std_msgs/msg/String")


Open = Callable[..., Context]


def frame(sequence: int, publisher: bytes = b"rogue 01", topic: str = "/odom") -> bytes:
    header = Header(sequence, 1, -1, type_hash_prefix("std_msgs/msg/String"), publisher)
    return encode(topic_prefix(topic), header, serialize(String(data="x")))


class Rogue:
    """Knows the protocol and sends what it likes; with keys, whose it has stolen or been given."""

    def __init__(self, endpoint: str, own: keys.Keys | None = None) -> None:
        self.zmq, self.own = zmq.Context(), own
        self.out = self.zmq.socket(zmq.PUB)
        if own is not None:
            own.as_server(self.out)
        port = self.out.bind_to_random_port("tcp://127.0.0.1")
        self.participant = Participant(id="00000000deadbeef", data=f"tcp://127.0.0.1:{port}")
        self.hub = self.zmq.socket(zmq.DEALER)
        self.secure(self.hub, own.hub_public if own else b"")
        self.hub.connect(endpoint)
        self.announce(self.participant)

    def secure(self, socket: "zmq.Socket[bytes]", server: bytes) -> None:
        if self.own is not None:
            self.own.as_client(socket)
            socket.setsockopt(zmq.CURVE_SERVERKEY, server)

    def announce(self, participant: Participant) -> None:
        self.hub.send_multipart([PROTOCOL, msgspec.json.encode(participant)])

    def subscriber(self, data: str, server: bytes = b"") -> "zmq.Socket[bytes]":
        made = self.zmq.socket(zmq.XSUB)
        made.setsockopt(zmq.SNDHWM, 0)
        self.secure(made, server)
        made.connect(data)
        return made

    def close(self) -> None:
        self.zmq.destroy(linger=0)


@pytest.fixture
def rogue(endpoint: str) -> Iterator[Callable[..., Rogue]]:
    made: list[Rogue] = []

    def make(own: keys.Keys | None = None) -> Rogue:
        made.append(Rogue(endpoint, own))
        return made[-1]

    yield make
    for each in made:
        each.close()


def loaded(key_folder: Path) -> keys.Keys:
    found = keys.load(key_folder)
    assert found is not None
    return found


# Key folders


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize("mask", [0o000, 0o077, 0o777])
def test_secrets_are_readable_by_their_owner_alone_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(0o022)
    key_folder = tmp_path / "keys"
    os.umask(mask)
    try:
        keys.create(key_folder)
        client = keys.add_client(key_folder, "viewer")
    finally:
        os.umask(before)
    for secret in (key_folder / "own.key", key_folder / "hub.key", client / "own.key"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert loaded(client).hub_secret is None
    assert loaded(client).hub_public == loaded(key_folder).hub_public
    assert sorted(loaded(key_folder).authorised().values()) == ["local", "viewer"]


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize("name", ["own.key", "hub.key"])
def test_a_secret_that_others_can_read_is_refused_in_one_line(
    key_folder: Path, name: str, opened: Open
) -> None:
    (key_folder / name).chmod(0o644)
    with pytest.raises(KeysError, match=f"mode 644.*chmod 600.*{name}") as caught:
        Node("n", context=opened(key_folder))
    assert "\n" not in str(caught.value)


def test_the_command_makes_shows_adds_and_revokes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key_folder = tmp_path / "keys"
    assert main(["keys", str(key_folder)]) == 0
    assert main(["keys", str(key_folder), "--client", "viewer"]) == 0
    assert main(["keys", str(key_folder)]) == 0
    assert "local, viewer" in capsys.readouterr().out
    assert main(["keys", str(key_folder), "--client", "viewer"]) == 2
    assert main(["keys", str(key_folder), "--client", "../x"]) == 2
    assert main(["keys", str(key_folder), "--revoke", "viewer"]) == 0
    assert list(loaded(key_folder).authorised().values()) == ["local"]
    assert main(["keys", str(key_folder), "--revoke", "viewer"]) == 2
    assert all(line.count("\n") == 0 for line in capsys.readouterr().err.splitlines())


def test_the_option_holds_for_the_verb_and_no_longer(tmp_path: Path, endpoint: str) -> None:
    missing = str(tmp_path / "none")
    before = os.environ.get(keys.ENVIRONMENT)
    assert main(["record", str(tmp_path / "x.mcap"), endpoint, "--seconds", "0.1", "--keys", missing]) == 2
    assert os.environ.get(keys.ENVIRONMENT) == before


# Keys


def test_topics_flow_between_keys_that_are_authorised(key_folder: Path, opened: Open) -> None:
    viewer = keys.add_client(key_folder, "viewer")
    hub, other = opened(key_folder), opened(viewer)
    publisher = Node("hub", context=hub).create_publisher(String, "/t", 10)
    heard = Node("viewer", context=other).create_subscription(String, "/t", print, 10)
    assert until(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(String(data="perhaps on its way"))
    assert until(lambda: heard.statistics.received == 1)
    assert hub.graph.is_hub
    assert (hub.refused, other.refused) == ({}, {})


@pytest.mark.parametrize("kind", ["none", "strange", "strange that trusts our hub"])
def test_a_peer_without_a_right_key_is_refused_at_the_hub(
    kind: str, key_folder: Path, tmp_path: Path, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    hub = opened(key_folder)
    Node("hub", context=hub)
    strange = tmp_path / "strange"
    keys.create(strange)
    if kind == "strange that trusts our hub":
        (strange / "hub.pub").write_bytes((key_folder / "hub.pub").read_bytes())
        (strange / "hub.key").unlink()
    enemy = opened(None if kind == "none" else strange)
    with pytest.raises((KeysError, BusyPortError)) as caught:
        Node("enemy", context=enemy)
    assert "\n" not in str(caught.value)
    reason = Refusal.KEY if kind == "strange that trusts our hub" else Refusal.HANDSHAKE
    assert hub.refused.get(reason, 0) >= 1
    assert len(hub.graph.participants) == 1
    lines = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert lines
    assert "\n" not in lines[0]


@pytest.mark.parametrize("kind", ["none", "strange"])
def test_a_peer_without_a_right_key_is_refused_at_data_sockets(
    kind: str, key_folder: Path, tmp_path: Path, opened: Open, rogue: Callable[..., Rogue]
) -> None:
    context = opened(key_folder)
    publisher = Node("n", context=context).create_publisher(String, "/t", 10)
    keys.create(tmp_path / "strange")
    enemy = rogue(None if kind == "none" else loaded(tmp_path / "strange"))
    spy = enemy.subscriber(context.transport.data_endpoint, loaded(key_folder).public)
    spy.send(b"\1/t\0")
    reason = Refusal.HANDSHAKE if kind == "none" else Refusal.KEY
    assert until(lambda: context.transport.refusals.as_dict().get(reason))
    publisher.publish(String(data="secret"))
    assert not spy.poll(100)
    assert publisher._outlet.subscribers == 0


def test_with_keys_nobody_talks_to_a_hub_without(endpoint: str, key_folder: Path, opened: Open) -> None:
    """No fallback: what squats on the port and speaks plain ZeroMQ learns nothing."""
    plain = zmq.Context()
    squatter = plain.socket(zmq.ROUTER)
    squatter.bind(endpoint)
    with pytest.raises(KeysError, match="has not the hub's key"):
        Node("n", context=opened(key_folder))
    assert not squatter.poll(0)
    plain.destroy(linger=0)


def test_a_client_may_not_be_the_hub(key_folder: Path, opened: Open) -> None:
    with pytest.raises(KeysError, match=r"holds no hub\.key"):
        Node("n", context=opened(keys.add_client(key_folder, "viewer")))


def test_a_revoked_key_is_cut_off(key_folder: Path, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tolman.bridge.network.transport.CUT_OFF_AFTER", 0.2)
    hub, viewer = opened(key_folder), opened(keys.add_client(key_folder, "viewer"))
    publisher = Node("hub", context=hub).create_publisher(String, "/t", 10)
    heard = Node("viewer", context=viewer).create_subscription(String, "/t", print, 10)
    assert publisher.wait_for_subscriptions(1)
    keys.revoke(key_folder, "viewer")
    assert until(lambda: publisher._outlet.subscribers == 0)
    publisher.publish(String(data="secret"))
    assert until(lambda: hub.refused.get(Refusal.KEY))
    assert heard.statistics.received == 0


# Addresses


def test_beyond_the_loopback_only_with_keys_or_on_request(
    key_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(EndpointError, match="--insecure"):
        endpoints.parse("tcp://192.0.2.1:5000")
    monkeypatch.setenv(endpoints.INSECURE, "1")
    assert endpoints.parse("tcp://192.0.2.1:5000").host == "192.0.2.1"
    monkeypatch.setenv(endpoints.INSECURE, "")
    monkeypatch.setenv(keys.ENVIRONMENT, str(key_folder))
    assert endpoints.parse("tcp://192.0.2.1:5000").host == "192.0.2.1"
    for address in ("0.0.0.0", "[::]", "224.0.0.1", "example"):
        with pytest.raises(EndpointError):
            endpoints.parse(f"tcp://{address}:5000")


def test_without_keys_a_network_address_gives_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
        address = probe.getsockname()[0]
    with socket.socket() as free:
        free.bind((address, 0))
        where = f"tcp://{address}:{free.getsockname()[1]}"
    monkeypatch.setenv(endpoints.INSECURE, "1")
    context = bridge.open_context(where)
    Node("n", context=context)
    assert context.transport.data_endpoint.startswith(f"tcp://{address}:")
    assert [r.getMessage().count("--insecure") for r in caplog.records] == [1]
    context.shutdown()


# Permissions


def test_patterns() -> None:
    assert matches(("/a/*",), "/a/b")
    assert not matches(("/a/*",), "/a/b/c")
    assert matches(("/a/**",), "/a/b/c")
    assert matches(("/**",), "/a")
    assert not matches(("/a",), "/ab")
    assert not matches((), "/a")


def test_rules_of_keys_and_of_nodes_must_both_allow() -> None:
    permissions = Permissions(
        keys={"robot": KeyRules(publish=("/**",), nodes=("/camera", "/drive"))},
        nodes={"/camera": Rules(publish=("/camera/*",))},
    )
    assert permissions.allow("robot", "/drive", "publish", "/odom")
    assert permissions.allow("robot", "/camera", "publish", "/camera/image")
    assert not permissions.allow("robot", "/camera", "publish", "/odom")
    assert not permissions.allow("robot", "/other", "publish", "/odom")
    assert not permissions.allow("robot", "/drive", "subscribe", "/odom")
    assert not permissions.allow("stranger", "/drive", "publish", "/odom")


@pytest.mark.parametrize(
    "text", ["x", "[keys.a]\npublis = []", '[keys.a]\npublish = ["odom"]', "[keys]\na = 1"]
)
def test_permissions_that_mean_nothing_are_one_line(key_folder: Path, text: str, opened: Open) -> None:
    (key_folder / "permissions.toml").write_text(text)
    with pytest.raises(KeysError, match=r"permissions\.toml") as caught:
        Node("n", context=opened(key_folder))
    assert "\n" not in str(caught.value)


ALL = '["/**"]'
PERMISSIONS = f"""
[keys.local]
publish = {ALL}
subscribe = {ALL}
call = {ALL}
serve = {ALL}
[keys.viewer]
subscribe = ["/open/*"]
publish = ["/from_viewer"]
"""


def test_the_hub_strikes_out_what_a_key_may_not_do(key_folder: Path, opened: Open) -> None:
    (key_folder / "permissions.toml").write_text(PERMISSIONS)
    hub, viewer = opened(key_folder), opened(keys.add_client(key_folder, "viewer"))
    node, other = Node("hub", context=hub), Node("viewer", context=viewer)
    allowed, denied = (node.create_publisher(String, name, 10) for name in ("/open/a", "/closed"))
    heard = [other.create_subscription(String, name, print, 10) for name in ("/open/a", "/closed")]
    other.create_publisher(String, "/closed", 10)
    assert allowed.wait_for_subscriptions(1)
    denied.publish(String(data="secret"))
    allowed.publish(String(data="open"))
    assert until(lambda: heard[0].statistics.received == 1)
    assert heard[1].statistics.received == 0
    assert denied.get_subscription_count() == 0
    assert node.count_publishers("/closed") == 1
    assert until(lambda: hub.graph.refusals.as_dict().get(Refusal.PERMISSION, 0) >= 2)
    assert until(lambda: hub.transport.refusals.as_dict().get(Refusal.PERMISSION, 0) >= 1)


def test_publishers_and_subscriptions_check_for_themselves_who_goes_past_the_hub(
    key_folder: Path, opened: Open, rogue: Callable[..., Rogue]
) -> None:
    """One that has the right key and speaks the protocol, but takes no notice of its permissions."""
    (key_folder / "permissions.toml").write_text(PERMISSIONS)
    own = loaded(keys.add_client(key_folder, "viewer"))
    context = opened(key_folder)
    node = Node("hub", context=context)
    node.create_publisher(String, "/closed", 10)
    closed = node.create_subscription(String, "/closed", print, 10)
    free = node.create_subscription(String, "/from_viewer", print, 10)
    enemy = rogue(own)
    refusals = context.transport.refusals

    def flows() -> bool:
        enemy.out.send(frame(next(numbers), topic="/from_viewer"))
        return free.statistics.received > 0

    numbers = iter(range(1, 10_000))
    assert until(flows)
    before = refusals.as_dict().get(Refusal.PERMISSION, 0)
    enemy.out.send(frame(20_000, topic="/closed"))
    assert until(lambda: refusals.as_dict().get(Refusal.PERMISSION, 0) > before)
    assert closed.statistics.received == 0
    before = refusals.as_dict()[Refusal.PERMISSION]
    spy = enemy.subscriber(context.transport.data_endpoint, loaded(key_folder).public)
    spy.send(b"\1/closed\0")
    assert until(lambda: refusals.as_dict()[Refusal.PERMISSION] > before)
    assert not spy.poll(50)


# Spoofing


def test_frames_in_the_name_of_another_publisher_are_refused(
    opened: Open, rogue: Callable[..., Rogue]
) -> None:
    sender, receiver = opened(), opened()
    publisher = Node("sender", context=sender).create_publisher(String, "/odom", 10)
    heard = Node("receiver", context=receiver).create_subscription(String, "/odom", print, 10)
    assert publisher.wait_for_subscriptions(1)
    publisher.publish(String(data="1"))
    assert until(lambda: heard.statistics.received == 1)
    enemy = rogue()

    def spoofed() -> bool:
        enemy.out.send(frame(2**40, publisher._outlet.publisher))
        return receiver.transport.refusals.as_dict().get(Refusal.SPOOFED, 0) > 0

    assert until(spoofed)
    publisher.publish(String(data="2"))
    assert until(lambda: heard.statistics.received == 2)
    assert heard.statistics.lost == 0


def announcement(**changes: object) -> bytes:
    return msgspec.json.encode(
        msgspec.structs.replace(Participant(id="0123456789abcdef", data="tcp://127.0.0.1:4000"), **changes)
    )


def test_the_hub_lets_nobody_take_the_place_of_another() -> None:
    refusals = Refusals()
    hub = Hub(refusals)
    end = TopicEnd("/n", "/t", "std_msgs/msg/String", "", "publisher", "0011223344556677")
    assert hub.announce([b"1", PROTOCOL, announcement(ends=(end,))], 0.0)
    other = {"id": "fedcba9876543210", "data": "tcp://127.0.0.1:4001"}
    assert not hub.announce([b"2", PROTOCOL, announcement(leaving=True)], 0.1)
    assert not hub.announce([b"2", PROTOCOL, announcement(data="tcp://127.0.0.1:4002")], 0.1)
    assert not hub.announce([b"2", PROTOCOL, announcement(**other | {"data": "tcp://127.0.0.1:4000"})], 0.1)
    assert not hub.announce([b"2", PROTOCOL, announcement(**other, ends=(end,))], 0.1)
    assert not hub.announce([b"1", PROTOCOL, announcement(**other)], 0.1)
    assert refusals.as_dict() == {Refusal.SPOOFED: 5}
    assert hub.announce([b"2", PROTOCOL, announcement(**other)], 0.1)
    assert hub.announce([b"3", PROTOCOL, announcement(data="tcp://127.0.0.1:4003")], 2.0)  # it fell silent


def test_a_hub_believes_no_claims_about_keys_and_rights() -> None:
    hub = Hub(Refusals())
    hub.announce([b"1", PROTOCOL, announcement(key="x" * 40, may=Rules(publish=("/**",)))], 0.0)
    assert b"xxxx" not in hub.table
    assert b'"may":null' in hub.table


# Floods


def test_a_peer_with_too_many_subscriptions_is_cut_off(
    opened: Open, rogue: Callable[..., Rogue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers, "MAX_TOPICS_OF_ONE", 100)
    monkeypatch.setattr(subscribers, "MAX_REFUSED", 50)
    context, other = opened(), opened()
    publisher = Node("n", context=context).create_publisher(String, "/odom", 10)
    enemy = rogue()
    greedy = enemy.zmq.socket(zmq.XSUB)
    greedy.setsockopt(zmq.RECONNECT_IVL, -1)
    monitor = greedy.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    greedy.connect(context.transport.data_endpoint)
    for number in range(1000):
        greedy.send(b"\1/t%d\0" % number)
    assert monitor.poll(5000)
    assert context.transport.refusals.as_dict()[Refusal.SUBSCRIPTION] >= 50
    assert until(lambda: not any(topic.startswith(b"/t") for topic in context.transport._subscriptions))
    heard = Node("m", context=other).create_subscription(String, "/odom", print, 10)
    assert publisher.wait_for_subscriptions(1)
    publisher.publish(String(data="x"))
    assert until(lambda: heard.statistics.received == 1)


def test_subscriptions_of_a_peer_that_is_gone_are_forgotten(
    opened: Open, rogue: Callable[..., Rogue]
) -> None:
    context = opened()
    Node("n", context=context).create_publisher(String, "/odom", 10)
    spies = [rogue().subscriber(context.transport.data_endpoint) for _ in range(3)]
    for spy in spies:
        spy.send(b"\1/odom\0")
    counts = context.transport._subscriptions
    assert until(lambda: counts.get(b"/odom\0") == 3)
    spies[0].close(0)
    assert until(lambda: counts.get(b"/odom\0") == 2)
    spies[1].send(b"\0/odom\0")
    assert until(lambda: counts.get(b"/odom\0") == 1)
    spies[2].close(0)
    assert until(lambda: b"/odom\0" not in counts)


def test_raw_garbage_is_counted_and_everybody_goes_on(endpoint: str, opened: Open) -> None:
    hub, other = opened(), opened()
    publisher = Node("n", context=hub).create_publisher(String, "/t", 10)
    heard = Node("m", context=other).create_subscription(String, "/t", print, 10)
    assert publisher.wait_for_subscriptions(1)
    generator = random.Random(3)
    for number in range(80):
        for where in (endpoint, hub.transport.data_endpoint):
            with socket.create_connection(("127.0.0.1", int(where.rsplit(":", 1)[1]))) as raw:
                raw.sendall(generator.randbytes(300) if number % 2 else b"GET / HTTP/1.1\r\n\r\n")
    # Some of the random bytes look like ZeroMQ's first version, and count as what they say in it.
    assert until(lambda: hub.graph.refusals.as_dict().get(Refusal.HANDSHAKE, 0) >= 60)
    assert until(lambda: hub.transport.refusals.as_dict().get(Refusal.HANDSHAKE, 0) >= 60)
    publisher.publish(String(data="x"))
    assert until(lambda: heard.statistics.received == 1, 2.0)
    assert hub.refused[Refusal.HANDSHAKE] >= 120


@pytest.mark.parametrize("secured", [False, True])
def test_an_oversize_message_is_refused_and_its_sender_heard_again(
    secured: bool, key_folder: Path, opened: Open, rogue: Callable[..., Rogue]
) -> None:
    context = opened(key_folder if secured else None)
    heard = Node("n", context=context).create_subscription(String, "/odom", print, 10)
    enemy = rogue(loaded(keys.add_client(key_folder, "enemy")) if secured else None)
    numbers = iter(range(1, 1_000_000))

    def flows(count: int) -> bool:
        enemy.out.send(frame(next(numbers)))
        return heard.statistics.received >= count

    assert until(lambda: flows(1))
    enemy.out.send(b"/odom\0" + bytes(MAX_FRAME + 1))
    time.sleep(0.1)
    before = heard.statistics.received
    assert until(lambda: flows(before + 5), 2.0)


def test_few_large_messages_wait_for_one_who_does_not_read(opened: Open) -> None:
    context = opened()
    node = Node("n", context=context)
    publisher = node.create_publisher(String, "/t", 10)
    node.create_subscription(String, "/t", print, 1)
    assert publisher.wait_for_subscriptions(1)
    limit = context.transport._out.getsockopt(zmq.SNDHWM)
    publisher.publish(String(data="x" * 1000))
    assert context.transport._out.getsockopt(zmq.SNDHWM) == limit == 1000
    publisher.publish(String(data="x" * 8_000_000))
    assert 20 <= context.transport._out.getsockopt(zmq.SNDHWM) <= 32


# The hub is killed

HUB = textwrap.dedent("""
    import sys, time
    from tolman import bridge
    context = bridge.open_context(sys.argv[1])
    node = bridge.Node("hub", context=context)
    assert context.graph.is_hub
    print("ready", flush=True)
    time.sleep(60)
""")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("secured", [False, True])
def test_new_topics_flow_within_two_seconds_of_a_killed_hub(
    secured: bool, endpoint: str, key_folder: Path, opened: Open
) -> None:
    environment = os.environ | ({keys.ENVIRONMENT: str(key_folder)} if secured else {})
    process = subprocess.Popen([sys.executable, "-c", HUB, endpoint], stdout=subprocess.PIPE, env=environment)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        sender, receiver = (opened(key_folder if secured else None) for _ in range(2))
        node, listener = Node("sender", context=sender), Node("receiver", context=receiver)
        old = node.create_publisher(String, "/old", QoSProfile(depth=10))
        heard = listener.create_subscription(String, "/old", print, 10)
        assert old.wait_for_subscriptions(1)
    finally:
        process.kill()
        process.wait()
    start = time.monotonic()
    new = node.create_publisher(String, "/new", 10)
    fresh = listener.create_subscription(String, "/new", print, 10)
    old.publish(String(data="x"))
    assert until(lambda: heard.statistics.received == 1, 2.0)
    assert new.wait_for_subscriptions(1, 2.0)
    newcomer = opened(key_folder if secured else None)
    late = Node("newcomer", context=newcomer).create_subscription(String, "/new", print, 10)
    assert new.wait_for_subscriptions(2, 2.0)
    new.publish(String(data="x"))
    assert until(lambda: fresh.statistics.received == 1 and late.statistics.received == 1, 2.0)
    assert time.monotonic() - start < 2.0
