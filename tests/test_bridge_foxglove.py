"""The Foxglove server, as a client of its protocol sees it."""

import contextlib
import itertools
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from live_agent import driving, listening, period
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from tolman.bridge.context import open_context
from tolman.bridge.discovery import published_topics
from tolman.bridge.exceptions import BridgeError, BusyPortError, EndpointError
from tolman.bridge.messages import message_class, type_hash
from tolman.bridge.network.graph import TopicEnd
from tolman.bridge.node import Node
from tolman.bridge.state import StatePublisher
from tolman.bridge.topics import TOPICS
from tolman.launch.cli import main

pytest.importorskip("foxglove")
client_library = pytest.importorskip("websockets.sync.client")

from tolman.bridge.viewers.foxglove import FoxgloveServer  # noqa: E402  # after the skip

PROTOCOL = "foxglove.sdk.v1"
MESSAGE_DATA = 1


class Client:
    """Speaks the Foxglove WebSocket protocol; decodes with nothing but what the server announces."""

    def __init__(self, url: str) -> None:
        self._socket = client_library.connect(url, subprotocols=[PROTOCOL], close_timeout=0.3)
        self.channels: dict[str, dict[str, Any]] = {}
        self.closed: list[int] = []
        self._topics: dict[int, str] = {}
        self._numbers = itertools.count(100)

    def __enter__(self) -> "Client":
        self._socket.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def receive(self, timeout: float = 3.0) -> tuple[str, int, bytes] | None:
        """Topic, time in ns and payload of a message; None for anything else."""
        frame = self._socket.recv(timeout=timeout)
        if isinstance(frame, bytes):
            opcode, subscription, stamp = struct.unpack_from("<BIQ", frame)
            assert opcode == MESSAGE_DATA
            return self._topics[subscription], stamp, frame[13:]
        said = json.loads(frame)
        for channel in said.get("channels", ()):
            self.channels[channel["topic"]] = channel
        self.closed += said.get("channelIds", ())
        if said["op"] == "status" and said["message"].startswith("Unknown channel"):
            self._subscribe_again(int(said["message"].rsplit(" ", 1)[1]))
        return None

    def wait_for_topics(self, topics: set[str]) -> None:
        while not topics <= set(self.channels):
            self.receive()

    def subscribe(self, topic: str) -> None:
        number = next(self._numbers)
        self._topics[number] = topic
        wanted = [{"id": number, "channelId": self.channels[topic]["id"]}]
        self._socket.send(json.dumps({"op": "subscribe", "subscriptions": wanted}))

    def _subscribe_again(self, channel: int) -> None:
        """The SDK tells clients of a channel before it takes subscriptions to it."""
        time.sleep(0.001)
        for number, topic in list(self._topics.items()):
            if self.channels[topic]["id"] == channel:
                del self._topics[number]
                self.subscribe(topic)

    def unsubscribe(self, topic: str) -> None:
        number = next(n for n, t in self._topics.items() if t == topic)
        self._socket.send(json.dumps({"op": "unsubscribe", "subscriptionIds": [number]}))

    def next(self, topic: str) -> tuple[int, bytes]:
        """Time and payload of the next message of a topic."""
        while True:
            message = self.receive()
            if message is not None and message[0] == topic:
                return message[1:]

    def collect(self, topics: set[str]) -> dict[str, bytes]:
        """The first payload of each topic."""
        found: dict[str, bytes] = {}
        while set(found) != topics:
            message = self.receive()
            if message is not None:
                found.setdefault(message[0], message[2])
        return found

    def decode(self, topic: str, payload: bytes) -> Any:
        channel = self.channels[topic]
        store = get_typestore(Stores.EMPTY)
        store.register(get_types_from_msg(channel["schema"], channel["schemaName"]))
        return store.deserialize_cdr(payload, channel["schemaName"])


@contextlib.contextmanager
def serving(endpoint: str) -> Iterator[FoxgloveServer]:
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            server.serve(0.05)

    with FoxgloveServer(endpoint, port=0) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server
        finally:
            stop.set()
            thread.join()


def test_a_client_decodes_a_message_of_every_topic(endpoint: str) -> None:
    with driving(endpoint), serving(endpoint) as server, Client(server.url) as client:
        client.wait_for_topics(set(TOPICS))
        for topic in TOPICS:
            client.subscribe(topic)
        payloads = client.collect(set(TOPICS))
        messages = {topic: client.decode(topic, payload) for topic, payload in payloads.items()}
        assert server.lost == 0
    for topic, kind in TOPICS.items():
        channel = client.channels[topic]
        assert channel["schemaName"] == kind.type_name
        assert (channel["encoding"], channel["schemaEncoding"]) == ("cdr", "ros2msg")
    events, clock = messages["/camera/events"], messages["/clock"].clock
    assert (events.width, events.height, events.t.size) == (128, 32, 300)
    stamp = events.header.stamp
    _, observation = period(round((stamp.sec + stamp.nanosec * 1e-9) / 0.04))
    np.testing.assert_array_equal(events.x, observation["events"]["x"])
    assert clock.sec + clock.nanosec > 0
    assert messages["/place_cells"].data.max() == 20.0
    assert messages["/spikes"].neuron.size == 50
    assert json.loads(messages["/arena"].data)["goal"] == [0.3, 0.2]
    assert abs(messages["/pose_estimate"].pose.position.x) <= 0.5
    assert messages["/odom"].twist.twist.linear.x == pytest.approx(0.14)


def test_only_what_a_client_wants_is_subscribed_to(endpoint: str) -> None:
    with StatePublisher(endpoint) as publisher, serving(endpoint) as server, Client(server.url) as client:
        client.wait_for_topics(set(TOPICS))

        def subscribed() -> set[str]:
            return {t for t in TOPICS if publisher.node.count_subscribers(t)}

        def settles_at(topics: set[str]) -> bool:
            end = time.monotonic() + 3.0
            while subscribed() != topics and time.monotonic() < end:
                time.sleep(0.02)
            return subscribed() == topics

        time.sleep(0.3)
        assert subscribed() == set()
        client.subscribe("/dopamine")
        client.subscribe("/value")
        assert settles_at({"/dopamine", "/value"})
        client.unsubscribe("/dopamine")
        assert settles_at({"/value"})
        client._socket.close()
        assert settles_at(set())


def test_a_latched_topic_reaches_late_clients_and_only_these(endpoint: str) -> None:
    with StatePublisher(endpoint) as publisher, serving(endpoint) as server:
        publisher.set_populations({"place": slice(0, 3)})
        with Client(server.url) as early, Client(server.url) as late:
            for client in (early, late):
                client.wait_for_topics({"/populations"})
            early.subscribe("/populations")
            _, payload = early.next("/populations")
            assert json.loads(early.decode("/populations", payload).data) == {"place": [0, 3]}
            begin = time.time_ns()
            late.subscribe("/populations")
            stamp, repeated = late.next("/populations")
            assert repeated == payload
            assert stamp >= begin
            with pytest.raises(TimeoutError):
                early.receive(timeout=0.3)
            publisher.set_populations({"place": slice(0, 4)})
            for client in (early, late):
                assert b"4" in client.next("/populations")[1]


def test_topics_appear_as_they_are_announced_and_change_their_type(endpoint: str) -> None:
    with serving(endpoint) as server, Client(server.url) as client:
        context = open_context(endpoint)
        try:
            node = Node("newcomer", context=context)
            first = node.create_publisher(message_class("std_msgs/msg/Int32"), "/count", 1)
            client.wait_for_topics({"/count"})
            assert client.channels["/count"]["schemaName"] == "std_msgs/msg/Int32"
            client.subscribe("/count")
            old = client.channels["/count"]["id"]
            node.destroy_publisher(first)
            second = node.create_publisher(message_class("std_msgs/msg/Int64"), "/count", 1)
            while client.channels["/count"]["schemaName"] != "std_msgs/msg/Int64":
                client.receive()
            assert client.closed == [old]
            client.subscribe("/count")
            assert second.wait_for_subscriptions(1, 5.0)
            second.publish(message_class("std_msgs/msg/Int64")(data=2**40))
            assert client.decode("/count", client.next("/count")[1]).data == 2**40
        finally:
            context.try_shutdown()


def test_what_cannot_be_read_is_named() -> None:
    def end(topic: str, name: str, of: str | None = None, kind: str = "publisher") -> TopicEnd:
        return TopicEnd("/n", topic, name, type_hash(of or name) if of != "" else "RIHS01_0", kind)

    ends = (
        end("/good", "std_msgs/msg/Bool"),
        end("/strange", "their_msgs/msg/Own", ""),
        end("/changed", "std_msgs/msg/Bool", "std_msgs/msg/Int8"),
        end("/both", "a_msgs/msg/A", ""),
        end("/both", "std_msgs/msg/Int8"),
        end("/heard", "std_msgs/msg/Int8", kind="subscription"),
    )
    context: Any = SimpleNamespace(graph=SimpleNamespace(participants=[SimpleNamespace(ends=ends)]))
    found = published_topics(context)
    assert found.types == {"/good": "std_msgs/msg/Bool", "/both": "std_msgs/msg/Int8"}
    assert set(found.unreadable) == {"/strange", "/changed"}
    assert "not known here" in found.unreadable["/strange"]
    assert "another definition" in found.unreadable["/changed"]


def test_messages_are_dated_when_they_were_sent(endpoint: str) -> None:
    with driving(endpoint), serving(endpoint) as server, Client(server.url) as client:
        client.wait_for_topics({"/clock"})
        client.subscribe("/clock")
        stamps = [client.next("/clock")[0] for _ in range(20)]
    assert stamps == sorted(set(stamps))
    assert abs(stamps[-1] - time.time_ns()) < 5e9


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/net/tcp")
def test_only_the_loopback_interface_is_bound(endpoint: str) -> None:
    with FoxgloveServer(endpoint, port=0) as server:
        bound = listening(os.getpid())
        assert int(server.url.rsplit(":", 1)[1]) in bound
        assert set(bound.values()) == {"0100007F"}


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "example.org", ""])
def test_another_host_is_refused(endpoint: str, host: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EndpointError, match="loopback"):
        FoxgloveServer(endpoint, host=host, port=0)
    assert main(["foxglove", endpoint, "--host", host, "--seconds", "0.1"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("tolman: error: host ")
    assert error.count("\n") == 1


def test_busy_ports_are_refused(endpoint: str) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        with pytest.raises(BridgeError, match=f"cannot serve viewers at 127.0.0.1:{port}"):
            FoxgloveServer(endpoint, port=port)
        with pytest.raises(BusyPortError):
            FoxgloveServer(f"tcp://127.0.0.1:{port}", port=0)
    with pytest.raises(EndpointError, match="port"):
        FoxgloveServer(endpoint, port=70_000)


def test_the_verb_serves_for_the_seconds_asked_for(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["foxglove", endpoint, "--port", "0", "--seconds", "0.3"]) == 0
    text = capsys.readouterr().out
    assert "ws://127.0.0.1:" in text
    assert "forwarded 0 messages of 0 topics, 0 lost" in text
    assert main(["foxglove", endpoint, "--seconds", "-1"]) == 2


def test_a_missing_library_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "foxglove", None)
    monkeypatch.delitem(sys.modules, "tolman.bridge.viewers.foxglove")
    assert main(["foxglove", "--seconds", "1"]) == 2
    error = capsys.readouterr().err
    assert "pip install 'tolman[foxglove]'" in error
    assert error.count("\n") == 1


NODE_CLIENT = """
const { parse } = require("@foxglove/rosmsg");
const { MessageReader } = require("@foxglove/rosmsg2-serialization");
const { FoxgloveClient } = require("@foxglove/ws-protocol");
const { WebSocket } = require("ws");
const wanted = process.argv.slice(3);
const client = new FoxgloveClient({ ws: new WebSocket(process.argv[2], ["foxglove.sdk.v1"]) });
const channels = new Map(), seen = {};
let done = false;
client.on("error", (error) => { throw error; });
client.on("advertise", (list) => {
  for (const channel of list) {
    const reader = new MessageReader(parse(channel.schema, { ros2: true }));
    channels.set(client.subscribe(channel.id), [channel.topic, reader]);
  }
});
client.on("message", ({ subscriptionId, data }) => {
  const [topic, reader] = channels.get(subscriptionId);
  seen[topic] ??= reader.readMessage(data);
  if (!done && wanted.every((name) => name in seen)) {
    done = true;
    const text = (key, value) => typeof value === "bigint" ? Number(value)
      : ArrayBuffer.isView(value) ? Array.from(value, (v) => typeof v === "bigint" ? Number(v) : v) : value;
    process.stdout.write(JSON.stringify(seen, text), () => process.exit(0));
  }
});
setTimeout(() => { console.error("only", Object.keys(seen)); process.exit(1); }, 15000);
"""


def test_the_viewers_own_library_reads_every_topic(endpoint: str, tmp_path: Path) -> None:
    """Needs node and, in $NODE_PATH, @foxglove/{ws-protocol,rosmsg,rosmsg2-serialization} and ws."""
    node = shutil.which("node")
    names = ("@foxglove/ws-protocol", "@foxglove/rosmsg", "@foxglove/rosmsg2-serialization", "ws")
    probe = "".join(f"require('{name}');" for name in names)
    if node is None or subprocess.run([node, "-e", probe], capture_output=True, cwd=tmp_path).returncode:
        pytest.skip("node or its packages are not installed")
    script = tmp_path / "client.js"
    script.write_text(NODE_CLIENT)
    with driving(endpoint), serving(endpoint) as server:
        command = [node, str(script), server.url, *TOPICS]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert set(seen) == set(TOPICS)
    assert len(seen["/camera/events"]["t"]) == 300
    assert seen["/place_cells"]["layout"]["dim"][0]["size"] == 100
    assert json.loads(seen["/arena"]["data"])["goal_radius"] == 0.1
