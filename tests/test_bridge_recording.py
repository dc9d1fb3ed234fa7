"""Recordings as files: whole, cut off anywhere, damaged; read here, by mcap and by rosbags."""

import hashlib
import random
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tolman.bridge.exceptions import RecordingError
from tolman.bridge.messages import agrees, definition, deserialize, known_types, message_class, serialize
from tolman.bridge.qos import DurabilityPolicy, QoSProfile
from tolman.bridge.recording.chunks import Layout, messages, walk
from tolman.bridge.recording.reader import Recording
from tolman.bridge.recording.view import view_recording
from tolman.bridge.recording.writer import SIMULATION_TOPIC, RecordingWriter, qos_text
from tolman.bridge.state_recording import StateRecorder
from tolman.bridge.topics import TOPICS

pytest.importorskip("mcap")

EPOCH = 1_700_000_000_000_000_000
PERIOD = 40_000_000  #: ns
LATCHED = QoSProfile(depth=3, durability=DurabilityPolicy.TRANSIENT_LOCAL)
Written = tuple[str, bytes, int, int, int, int]


def some_message(type_name: str, number: int) -> bytes:
    """A message of the agent's state, each another."""
    message = message_class(type_name)()
    generator = np.random.default_rng(number)
    match type_name:
        case "tolman_msgs/msg/EventPacket":
            n = int(generator.integers(0, 400))
            message.t, message.p = np.sort(generator.integers(0, 40_000, n)), generator.integers(0, 2, n)
            message.x, message.y = generator.integers(0, 128, n), generator.integers(0, 32, n)
        case "tolman_msgs/msg/Spikes":
            message.neuron, message.time_ms = generator.integers(0, 900, 50), generator.integers(0, 40, 50)
        case "std_msgs/msg/String":
            message.data = f"text {number}"
        case "std_msgs/msg/Float32":
            message.data = float(number)
    return bytes(serialize(message))


def write(path: Path, periods: int = 60) -> list[Written]:
    """A recording like that of a running agent; what was written, in its order."""
    written: list[Written] = []
    with RecordingWriter(path) as writer:
        for k in range(periods):
            for topic in TOPICS.values():
                if not topic.each_period and k % 20:
                    continue
                profile = QoSProfile(depth=5) if topic.each_period else LATCHED
                channel = writer.channel(topic.name, topic.type_name, profile)
                payload = some_message(topic.type_name, k)
                log, simulation = EPOCH + k * PERIOD + len(written) % 7, k * PERIOD if k % 3 else -1
                writer.write(
                    channel, payload, log_time=log, publish_time=log - 5,
                    simulation_time=simulation, sequence=k + 1,
                )  # fmt: skip
                written.append((topic.name, payload, log, log - 5, simulation, k + 1))
    return written


def read(path: Path) -> list[Written]:
    with Recording(path) as recording:
        return [
            (m.topic, m.payload, m.log_time, m.publish_time, m.simulation_time, m.sequence)
            for m in recording.messages()
        ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Written]]:
    path = tmp_path_factory.mktemp("recording") / "drive.mcap"
    return path, write(path)


def by_time(written: list[Written]) -> list[Written]:
    return sorted(written, key=lambda m: m[2])


def test_what_is_written_is_read(whole: tuple[Path, list[Written]]) -> None:
    path, written = whole
    assert read(path) == by_time(written)
    assert not path.with_name("drive.partial.mcap").exists()
    with Recording(path) as recording:
        assert recording.complete
        assert not recording.trouble
        assert (recording.count, recording.lost, recording.damaged) == (len(written), 0, 0)
        assert recording.chunks > 2
        assert (recording.start, recording.end) == (min(m[2] for m in written), max(m[2] for m in written))
        arena = next(t for t in recording.topics if t.name == "/arena")
        assert (arena.messages, arena.profile.depth) == (3, 3)
        assert arena.profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
        assert all(not t.obstacle for t in recording.topics)
        assert [m.topic for m in recording.messages({"/odom"})] == ["/odom"] * 60


def test_the_mcap_reader_finds_the_same(whole: tuple[Path, list[Written]]) -> None:
    from mcap.reader import make_reader

    path, written = whole
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        assert reader.get_header().profile == "ros2"
        found = []
        for schema, channel, message in reader.iter_messages(log_time_order=True):
            assert schema is not None
            assert schema.encoding == "ros2msg"
            assert channel.message_encoding == "cdr"
            assert "offered_qos_profiles" in channel.metadata
            if channel.topic != SIMULATION_TOPIC:
                found.append((channel.topic, message.data, message.log_time, message.publish_time))
    assert sorted(found) == sorted(m[:4] for m in written)


def test_rosbags_decodes_every_message_with_the_definitions_in_the_file(
    whole: tuple[Path, list[Written]],
) -> None:
    from rosbags.highlevel import AnyReader

    path, written = whole
    expected: dict[str, list[bytes]] = {}
    for topic, payload, *_ in by_time(written):
        expected.setdefault(topic, []).append(payload)
    found: dict[str, list[bytes]] = {}
    with AnyReader([path]) as reader:  # no type store of ours: types come from the file
        for connection, _, raw in reader.messages():
            assert connection.msgdef.data == definition(connection.msgtype)
            theirs = reader.deserialize(raw, connection.msgtype)
            ours = deserialize(raw, message_class(connection.msgtype))
            assert_equal(theirs, ours)
            found.setdefault(connection.topic, []).append(raw)
        profiles = {c.topic: c.ext.offered_qos_profiles for c in reader.connections}
    clocks = found.pop(SIMULATION_TOPIC)
    assert len(clocks) >= 60
    assert found == expected
    (arena,) = profiles["/arena"]
    assert (arena.durability.name, arena.depth, arena.reliability.name) == ("TRANSIENT_LOCAL", 3, "RELIABLE")


def assert_equal(theirs: Any, ours: Any) -> None:
    for name in ours.FIELD_TYPES:
        a, b = getattr(theirs, name), getattr(ours, name)
        if hasattr(b, "FIELD_TYPES"):
            assert_equal(a, b)
        elif isinstance(b, list):
            for x, y in zip(a, b, strict=True):
                assert_equal(x, y) if hasattr(y, "FIELD_TYPES") else None
        else:
            np.testing.assert_array_equal(a, b)


def ends_of_chunks(path: Path) -> list[tuple[int, int]]:
    """Where each chunk ends, and how many messages, marks aside, the file holds until there."""
    with path.open("rb") as file:
        layout, ends, total = walk(file), [], 0
        for segment in layout.segments:
            names = [layout.channels[m.channel].topic for m in messages(file, segment, layout)]
            total += sum(name != SIMULATION_TOPIC for name in names)
            ends.append((segment.offset + segment.length, total))
    return ends


def test_cut_off_at_any_byte_it_gives_all_complete_chunks(
    whole: tuple[Path, list[Written]], tmp_path: Path
) -> None:
    path, written = whole
    data, ends = path.read_bytes(), ends_of_chunks(path)
    assert ends[-1][1] == len(written)
    generator = random.Random(1)
    cuts = {8, 9, len(data) - 1, len(data) - 8, *(e for e, _ in ends), *(e - 1 for e, _ in ends)}
    cuts |= {generator.randrange(8, len(data)) for _ in range(60)}
    cut = tmp_path / "cut.mcap"
    for end in sorted(cuts):
        cut.write_bytes(data[:end])
        expected = max((count for at, count in ends if at <= end), default=0)
        with Recording(cut) as recording:
            found = [m.payload for m in recording.messages()]
            assert recording.count == len(found) == expected
            assert not recording.complete
            assert "cut off" in recording.trouble
        assert found == [m[1] for m in by_time(written[:expected])]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), flips=st.integers(1, 12), end=st.floats(0.0, 1.0))
def test_damage_is_reported_in_one_line_and_invents_nothing(
    whole: tuple[Path, list[Written]], tmp_path: Path, seed: int, flips: int, end: float
) -> None:
    path, written = whole
    data, generator = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(flips):
        data[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
    broken = tmp_path / "broken.mcap"
    broken.write_bytes(data[: round(end * len(data))])
    payloads, said = [], ""
    try:
        with Recording(broken) as recording:
            payloads, said = [m.payload for m in recording.messages()], recording.trouble
    except RecordingError as error:
        said = str(error)
    assert "\n" not in said
    assert set(payloads) <= {m[1] for m in written}  # every chunk has a checksum


@pytest.mark.parametrize("content", [b"", b"\x89MCAP", b"#!/bin/sh\n" * 50, b"\x00" * 4096])
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.mcap"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="is not an MCAP file"):
        Recording(path)
    with pytest.raises(RecordingError, match="cannot read"):
        Recording(tmp_path / "absent.mcap")


def test_a_chunk_that_unpacks_to_more_than_it_says_is_damage(tmp_path: Path) -> None:
    import zstandard
    from mcap.data_stream import RecordBuilder
    from mcap.records import Chunk, Header

    builder = RecordBuilder()
    Header("ros2", "").write(builder)
    bomb = zstandard.compress(bytes(200_000_000))
    Chunk("zstd", bomb, 0, 0, 0, 1000).write(builder)
    Chunk("zstd", bomb, 0, 0, 0, 2**60).write(builder)
    path = tmp_path / "bomb.mcap"
    path.write_bytes(b"\x89MCAP0\r\n" + builder.end())
    with Recording(path) as recording:
        assert (recording.damaged, recording.count) == (2, 0)


@pytest.mark.parametrize("compression", ["NONE", "LZ4", "ZSTD", "unchunked"])
def test_files_of_others_are_read(tmp_path: Path, compression: str) -> None:
    from mcap.writer import CompressionType, Writer

    path = tmp_path / "theirs.mcap"
    chunked = compression != "unchunked"
    kind = CompressionType[compression] if chunked else CompressionType.NONE
    clock = message_class("rosgraph_msgs/msg/Clock")
    with path.open("wb") as file:
        writer = Writer(file, chunk_size=400, compression=kind, use_chunking=chunked)
        writer.start("ros2")
        text = definition("std_msgs/msg/String").encode()
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", text)
        other = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string text\nint32 number")
        tick = writer.register_schema(
            "rosgraph_msgs/msg/Clock", "ros2msg", definition("rosgraph_msgs/msg/Clock").encode()
        )
        channels = [
            writer.register_channel(
                "/a", "cdr", schema, {"offered_qos_profiles": "- durability: 1\n  depth: 7"}
            ),
            writer.register_channel("/b", "cdr", other),
            writer.register_channel("/c", "json", 0),
            writer.register_channel("/clock", "cdr", tick),
        ]
        order = list(range(200))
        random.Random(3).shuffle(order)
        for k in order:  # chunks overlap in time
            message = clock()
            message.clock.sec = k
            payload = bytes(serialize(message)) if k % 4 == 3 else some_message("std_msgs/msg/String", k)
            writer.add_message(channels[k % 4], k, payload, k)
        writer.finish()
    with Recording(path) as recording:
        assert recording.complete
        found = list(recording.messages())
        assert [m.log_time for m in found] == list(range(200))
        assert [m.simulation_time for m in found[:6]] == [-1, -1, -1, 3 * 10**9, 3 * 10**9, 3 * 10**9]
        a, b, c, _ = recording.topics
        assert (a.obstacle, a.profile) == (
            "",
            QoSProfile(depth=7, durability=DurabilityPolicy.TRANSIENT_LOCAL),
        )
        assert "other fields" in b.obstacle
        assert "json" in c.obstacle


def test_every_type_agrees_with_its_own_definition_and_no_other() -> None:
    assert all(agrees(name, definition(name)) for name in known_types())
    text = definition("geometry_msgs/msg/PoseStamped")
    assert agrees("geometry_msgs/msg/PoseStamped", text.replace("Pose pose", "Pose pose  # of the robot"))
    assert not agrees("geometry_msgs/msg/PoseStamped", text.replace("float64 z", "float32 z"))
    assert not agrees("geometry_msgs/msg/PoseStamped", text.replace("pose\n", "place\n"))
    assert not agrees("geometry_msgs/msg/PoseStamped", "one two three ((((\n= = =")
    assert not agrees("other_msgs/msg/Thing", "int32 x")


def test_names_that_cannot_be_used(tmp_path: Path) -> None:
    for name, reason in (("drive.bag", "ends in .mcap"), ("no/drive.mcap", "does not exist")):
        with pytest.raises(RecordingError, match=reason):
            RecordingWriter(tmp_path / name)
    path = tmp_path / "drive.mcap"
    write(path, 1)
    before = path.read_bytes()
    with pytest.raises(RecordingError, match="exists already"):
        RecordingWriter(path)
    with RecordingWriter(path, overwrite=True):
        with pytest.raises(RecordingError, match="being made, or was cut off"):
            RecordingWriter(path, overwrite=True)
        assert path.read_bytes() == before
    assert path.read_bytes() == before  # nothing was written: nothing replaces what was there
    assert sorted(p.name for p in tmp_path.iterdir()) == ["drive.mcap"]


def test_a_recording_without_messages_leaves_no_file(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "empty.mcap") as writer:
        writer.channel("/odom", "nav_msgs/msg/Odometry")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "drive.mcap")
    writer._writer._Writer__stream = writer._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115
    channel = writer.channel("/a", "std_msgs/msg/String")
    writer.write(channel, some_message("std_msgs/msg/String", 1), log_time=1, publish_time=1)
    with pytest.raises(RecordingError, match=r"cannot write .*drive\.partial\.mcap: No space left"):
        writer.flush()
    writer.close()  # says it once
    assert not (tmp_path / "drive.mcap").exists()


def test_the_qos_text_is_what_rosbags_parses() -> None:
    from rosbags.rosbag2.metadata import parse_qos

    (profile,) = parse_qos(qos_text(QoSProfile(depth=4)))
    assert (profile.depth, profile.durability.name, profile.history.name) == (4, "VOLATILE", "KEEP_LAST")


def drive(path: Path, periods: int = 40, start: float = 0.0) -> None:
    """An agent's state, recorded without sockets."""
    with StateRecorder(path, width=64, height=16) as recorder:
        recorder.set_populations({"place": slice(0, 90)})
        recorder.set_arena([[[-1, -1], [1, -1]]], goal=(0.5, 0.5), goal_radius=0.1, map_origin=(0, 0, 0))
        generator = np.random.default_rng(0)
        for k in range(periods):
            snapshot = SimpleNamespace(
                time=start + 0.04 * k,
                pose_estimate=np.array([0.01 * k, 0.0, 0.0]),
                spike_neuron=generator.integers(0, 90, 9).astype(np.uint32),
                spike_time=generator.integers(0, 40, 9).astype(np.uint16),
                place_activity=np.full(90, 2.0, np.float32),
                dopamine=0.1 * k,
                value=0.5,
                twist=np.array([0.1, 0.0], np.float32),
            )
            packet = {"t": np.arange(5), "x": np.arange(5), "y": np.arange(5), "p": np.ones(5)}
            recorder.publish(
                snapshot, {"events": packet, "odometry": (0.25, 0.0)}, reward=1.0, true_pose=(0.0, 0.0, 0.0)
            )


def test_the_state_of_an_agent_is_recorded_in_its_own_time_and_alike_each_time(tmp_path: Path) -> None:
    paths = [tmp_path / "a.mcap", tmp_path / "b.mcap"]
    for path in paths:
        drive(path, start=100.0)
    assert len({hashlib.sha256(p.read_bytes()).digest() for p in paths}) == 1
    with Recording(paths[0]) as recording:
        assert {t.name: t.messages for t in recording.topics} == {
            t.name: 40 if t.each_period else 1 for t in TOPICS.values()
        }
        assert recording.start == 100 * 10**9
        assert recording.seconds == pytest.approx(39 * 0.04)
        assert all(m.simulation_time == m.log_time for m in recording.messages())


def test_a_recording_is_drawn(tmp_path: Path) -> None:
    path, picture = tmp_path / "drive.mcap", tmp_path / "drive.png"
    drive(path)
    report = view_recording(path, picture)
    assert (report.messages, report.unreadable) == (11 * 40 + 2, 0)
    assert report.agent_seconds == pytest.approx(39 * 0.04)
    assert picture.stat().st_size > 20_000
    half = view_recording(path, picture, 0.8)
    assert half.agent_seconds == pytest.approx(0.8)
    cut = tmp_path / "cut.mcap"
    shutil.copy(path, cut)
    with cut.open("rb+") as file:
        file.truncate(ends_of_chunks(path)[0][0])
    assert "cut off" in view_recording(cut, picture).trouble


def test_a_recording_of_something_else_is_not_drawn(tmp_path: Path) -> None:
    path = tmp_path / "other.mcap"
    with RecordingWriter(path) as writer:
        channel = writer.channel("/chatter", "std_msgs/msg/String")
        writer.write(channel, some_message("std_msgs/msg/String", 1), log_time=1, publish_time=1)
    with pytest.raises(RecordingError, match="no state of an agent to show; its topics: /chatter"):
        view_recording(path, tmp_path / "x.png")


def test_a_walk_of_nothing_is_a_layout(tmp_path: Path) -> None:
    path = tmp_path / "start.mcap"
    path.write_bytes(b"\x89MCAP0\r\n")
    with path.open("rb") as file:
        assert walk(file) == Layout()
