"""Recording from the bridge and publishing again: payloads, order, timing, late joiners, and sudden ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tolman import bridge
from tolman.bridge.context import Context
from tolman.bridge.duration import Duration
from tolman.bridge.exceptions import RecordingError
from tolman.bridge.messages import deserialize, message_class, serialize
from tolman.bridge.node import Node
from tolman.bridge.qos import DurabilityPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy
from tolman.bridge.recording.player import Player
from tolman.bridge.recording.reader import Recording
from tolman.bridge.recording.recorder import Recorder
from tolman.bridge.recording.writer import RecordingWriter

pytest.importorskip("mcap")

String = message_class("std_msgs/msg/String")
Spikes = message_class("tolman_msgs/msg/Spikes")
LATCHED = QoSProfile(depth=2, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.fixture
def endpoint() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def contexts(endpoint: str) -> Iterator[Callable[[], Context]]:
    made: list[Context] = []

    def make() -> Context:
        made.append(bridge.open_context(endpoint))
        return made[-1]

    yield make
    for context in made:
        context.try_shutdown()


def gather_until(recorder: Recorder, condition: Callable[[], object], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        recorder.gather()
        time.sleep(0.002)
    return True


def spikes(number: int) -> Any:
    message = Spikes()
    message.neuron, message.time_ms = range(number, number + 20), [number] * 20
    return message


class Listener:
    """Takes the raw messages of some topics, with when they came and their simulation clock."""

    def __init__(self, context: Context, *topics: tuple[type[Any], str]) -> None:
        node = Node("listener", context=context)
        profile = QoSProfile(depth=5000, durability=DurabilityPolicy.BEST_AVAILABLE)
        self._subscriptions = [
            node.create_subscription(kind, topic, lambda _: None, profile, raw=True) for kind, topic in topics
        ]

    def take(self) -> list[tuple[str, bytes, int, int]]:
        found = []
        for subscription in self._subscriptions:
            while (sample := subscription.take()) is not None:
                payload, info, header = sample
                found.append(
                    (subscription.topic, payload, info["received_timestamp"], header.simulation_time)
                )
        return sorted(found, key=lambda one: one[2])


def written(path: Path, gaps_ms: list[int]) -> list[tuple[str, bytes]]:
    """A recording with messages at these distances in time, and one latched message in front."""
    sent = []
    with RecordingWriter(path) as writer:
        arena = writer.channel("/arena", "std_msgs/msg/String", LATCHED)
        payload = bytes(serialize(String(data="walls")))
        writer.write(arena, payload, log_time=10**18, publish_time=10**18, simulation_time=0)
        sent.append(("/arena", payload))
        at = 10**18
        for k, gap in enumerate(gaps_ms):
            at += gap * 1_000_000
            channel = writer.channel("/spikes", "tolman_msgs/msg/Spikes")
            payload = bytes(serialize(spikes(k)))
            writer.write(channel, payload, log_time=at, publish_time=at, simulation_time=(k + 1) * 40)
            sent.append(("/spikes", payload))
    return sent


def test_all_topics_are_recorded_those_too_that_appear_later(
    endpoint: str, contexts: Callable[[], Context], tmp_path: Path
) -> None:
    context = contexts()
    agent = Node("agent", context=context)
    latched = agent.create_publisher(String, "/arena", LATCHED)
    latched.publish(String(data="long ago"))
    first = agent.create_publisher(Spikes, "/spikes", 10)
    path = tmp_path / "drive.mcap"
    with Recorder(path, endpoint) as recorder:
        assert gather_until(recorder, lambda: first.get_subscription_count())
        context.transport.simulation_time = 40_000_000
        before = time.time_ns()
        for k in range(100):
            first.publish(spikes(k))
        later = agent.create_publisher(String, "/later", 10)
        assert gather_until(recorder, lambda: later.get_subscription_count())
        context.transport.simulation_time = 80_000_000
        later.publish(String(data="new"))
        assert gather_until(recorder, lambda: recorder.counts["/later"])
        assert gather_until(recorder, lambda: recorder.counts["/spikes"] == 100)
        assert not recorder.losses
        assert not recorder.refused
    with Recording(path) as recording:
        found = list(recording.messages())
        kept = {t.name for t in recording.topics if t.profile.durability == DurabilityPolicy.TRANSIENT_LOCAL}
    assert kept == {"/arena"}
    assert [deserialize(m.payload, Spikes) for m in found if m.topic == "/spikes"] == [
        spikes(k) for k in range(100)
    ]
    assert [m.sequence for m in found if m.topic == "/spikes"] == list(range(1, 101))
    assert {m.topic: m.simulation_time for m in found} == {
        "/arena": -1,
        "/spikes": 40_000_000,
        "/later": 80_000_000,
    }
    assert all(m.publish_time <= m.log_time for m in found)
    assert all(before <= m.publish_time for m in found if m.topic != "/arena")


def test_only_named_topics_are_recorded_and_losses_are_written_down(
    endpoint: str, contexts: Callable[[], Context], tmp_path: Path
) -> None:
    agent = Node("agent", context=contexts())
    wanted = agent.create_publisher(String, "/wanted", 10)
    other = agent.create_publisher(String, "/other", 10)
    path = tmp_path / "drive.mcap"
    with Recorder(path, endpoint, topics=["/wanted"]) as recorder:
        assert gather_until(recorder, lambda: wanted.get_subscription_count())
        wanted.publish(String(data="1"))
        wanted.skip()  # as if the second had been dropped on the way
        other.publish(String(data="no"))
        wanted.publish(String(data="3"))
        assert gather_until(recorder, lambda: recorder.counts["/wanted"] == 2)
        assert recorder.losses == {"/wanted": 1}
    with Recording(path) as recording:
        assert [t.name for t in recording.topics] == ["/wanted"]
        assert recording.missed == {"/wanted": 1}


def test_a_recording_says_what_publishers_offer(
    endpoint: str, contexts: Callable[[], Context], tmp_path: Path
) -> None:
    from mcap.reader import make_reader

    offered = QoSProfile(
        depth=3,
        reliability=ReliabilityPolicy.BEST_EFFORT,
        deadline=Duration(seconds=1.5),
        liveliness=LivelinessPolicy.MANUAL_BY_TOPIC,
    )
    agent = Node("agent", context=contexts())
    chatter = agent.create_publisher(String, "/chatter", offered)
    path = tmp_path / "drive.mcap"
    with Recorder(path, endpoint) as recorder:
        assert gather_until(recorder, lambda: chatter.get_subscription_count())
        chatter.publish(String(data="1"))
        assert gather_until(recorder, lambda: recorder.counts["/chatter"])
    with path.open("rb") as file:
        (text,) = [
            channel.metadata["offered_qos_profiles"]
            for _, channel, _ in make_reader(file).iter_messages(topics=["/chatter"])
        ]
    for line in ("depth: 3", "best_effort", "deadline: {sec: 1, nsec: 500000000}", "manual_by_topic"):
        assert line in text


def test_a_replay_gives_the_same_payloads_at_about_the_right_times(
    endpoint: str, contexts: Callable[[], Context], tmp_path: Path
) -> None:
    path = tmp_path / "drive.mcap"
    sent = written(path, [0, 100, 100, 300, 100])
    listener = Listener(contexts(), (String, "/arena"), (Spikes, "/spikes"))
    with Recording(path) as recording, Player(recording, endpoint) as player:
        assert player.wait_for_subscriber(5.0)
        began = time.time_ns()
        player.play(2.0)
        time.sleep(0.2)
        found = listener.take()
        assert player.counts == {"/arena": 1, "/spikes": 5}
    assert [(topic, payload) for topic, payload, _, _ in found] == sent
    assert [clock for *_, clock in found] == [0, 40, 80, 120, 160, 200]
    times = [(received - began) * 1e-9 for _, _, received, _ in found]
    for at, expected in zip(times, [0.0, 0.0, 0.05, 0.1, 0.25, 0.3], strict=True):
        assert expected - 0.001 <= at < expected + 0.25


def test_as_fast_as_possible_loses_nothing_of_thousands(
    endpoint: str, contexts: Callable[[], Context], tmp_path: Path
) -> None:
    path = tmp_path / "drive.mcap"
    sent = written(path, [40] * 4000)
    listener = Listener(contexts(), (String, "/arena"), (Spikes, "/spikes"))
    with Recording(path) as recording, Player(recording, endpoint) as player:
        assert player.wait_for_subscriber(5.0)
        began = time.monotonic()
        player.play(0.0)
        assert time.monotonic() - began < 10.0  # 160 s as recorded
        found, end = listener.take(), time.monotonic() + 5.0
        while len(found) < len(sent) and time.monotonic() < end:
            time.sleep(0.01)
            found += listener.take()
    assert [(topic, payload) for topic, payload, _, _ in found] == sent


def test_late_joiners_get_latched_topics_and_a_loop_begins_again(
    endpoint: str, contexts: Callable[[], Context], tmp_path: Path
) -> None:
    path = tmp_path / "drive.mcap"
    written(path, [10, 10])
    with Recording(path) as recording, Player(recording, endpoint) as player:
        player.play(0.0)  # nobody listens yet
        late = Listener(contexts(), (String, "/arena"), (Spikes, "/spikes"))
        end = time.monotonic() + 5.0
        found: list[Any] = []
        while not found and time.monotonic() < end:
            time.sleep(0.005)
            found = late.take()
        assert [topic for topic, *_ in found] == ["/arena"]
        assert player.wait_for_subscriber(5.0)
        player.play(0.0, loop=True, stop=lambda: player.counts["/spikes"] >= 8)
        time.sleep(0.2)
        assert [topic for topic, *_ in late.take()] == ["/arena", "/spikes", "/spikes"] * 3
        assert player.counts == {"/arena": 4, "/spikes": 8}


def test_topics_can_be_chosen_and_what_cannot_be_published_is_named(endpoint: str, tmp_path: Path) -> None:
    path = tmp_path / "drive.mcap"
    written(path, [10])
    with Recording(path) as recording:
        with Player(recording, endpoint, topics=["/spikes"]) as player:
            player.play(0.0)
            assert player.counts == {"/spikes": 1}
            with pytest.raises(ValueError, match="speed"):
                player.play(-1.0)
        with pytest.raises(RecordingError, match="has no /nope; its topics: /arena, /spikes"):
            Player(recording, endpoint, topics=["/nope"])


RECORD = """
import sys
from tolman.launch.cli import main
sys.exit(main(["record", *sys.argv[1:]]))
"""


def start_recording(path: Path, endpoint: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RECORD, str(path), endpoint],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_a_recording_without_loss_of_what_is_complete(
    endpoint: str, contexts: Callable[[], Context], tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / "drive.mcap"
    publisher = Node("agent", context=contexts()).create_publisher(Spikes, "/spikes", 10)
    process = start_recording(path, endpoint)
    try:
        assert publisher.wait_for_subscriptions(1, 20.0)
        for k in range(150):
            publisher.publish(spikes(k))
            time.sleep(0.01)
        time.sleep(0.1)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert "Traceback" not in err
    if number != signal.SIGKILL:
        assert process.returncode == 0, err
        assert "150 messages of 1 topics, 0 lost" in out
    kept = path if number != signal.SIGKILL else tmp_path / "drive.partial.mcap"
    with Recording(kept) as recording:
        assert recording.complete == (number != signal.SIGKILL)
        found = [deserialize(m.payload, Spikes) for m in recording.messages()]
    assert found == [spikes(k) for k in range(len(found))]
    assert (
        len(found) == 150 if number != signal.SIGKILL else len(found) > 50
    )  # the last second may be missing
    assert [p.name for p in tmp_path.iterdir()] == [kept.name]
