"""The frame: what goes in comes out, and nothing else gets through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolman.bridge.exceptions import EndpointError
from tolman.bridge.network import endpoint
from tolman.bridge.network.wire import (
    HEADER_BYTES,
    MAX_FRAME,
    FrameError,
    Header,
    Refusal,
    decode,
    encode,
    is_topic_prefix,
    topic_prefix,
)

names = st.from_regex(r"(/[A-Za-z_][A-Za-z0-9_]{0,20}){1,4}", fullmatch=True)
headers = st.builds(
    Header,
    sequence=st.integers(1, 2**64 - 1),
    source_stamp=st.integers(0, 2**63 - 1),
    simulation_time=st.integers(-1, 2**63 - 1),
    type_hash=st.binary(min_size=8, max_size=8),
    publisher=st.binary(min_size=8, max_size=8),
    flags=st.integers(0, 1),
)
payloads = st.builds(
    lambda head, body: head + body, st.sampled_from([b"\0\1\0\0", b"\0\0\0\0"]), st.binary(max_size=64)
)
SAMPLE = Header(1, 0, -1, b"typehash", b"sender00")
BODY = b"\0\1\0\0body"


@given(names, headers, payloads)
def test_a_frame_survives_the_wire(topic: str, header: Header, payload: bytes) -> None:
    frame = decode(encode(topic_prefix(topic), header, payload))
    assert frame.topic == topic_prefix(topic)
    assert frame.header == header
    assert frame.payload == payload


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        decode(data)


@given(st.data())
def test_a_truncated_frame_is_refused(data: st.DataObject) -> None:
    whole = encode(topic_prefix("/odom"), SAMPLE, b"\0\1\0\0")
    with pytest.raises(FrameError):
        decode(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize(
    ("position", "value", "reason"),
    [
        (0, b"x", Refusal.TOPIC),
        (6, b"NOPE", Refusal.MAGIC),
        (10, b"\x63", Refusal.VERSION),
        (11, b"\x80", Refusal.FLAGS),
        (12, b"\x01", Refusal.FLAGS),
        (14, bytes(8), Refusal.SEQUENCE),
        (22, b"\xff" * 8, Refusal.STAMP),
        (30, b"\0" * 7 + b"\x80", Refusal.STAMP),
        (6 + HEADER_BYTES, b"\0\2", Refusal.ENCAPSULATION),
    ],
)
def test_each_field_is_checked(position: int, value: bytes, reason: Refusal) -> None:
    frame = bytearray(encode(topic_prefix("/odom"), SAMPLE, BODY))
    frame[position : position + len(value)] = value
    with pytest.raises(FrameError) as caught:
        decode(bytes(frame))
    assert caught.value.reason is reason


def test_an_oversize_payload_is_refused() -> None:
    with pytest.raises(FrameError) as caught:
        decode(encode(topic_prefix("/odom"), SAMPLE, b"\0\1" + bytes(MAX_FRAME)))
    assert caught.value.reason is Refusal.PAYLOAD


@pytest.mark.parametrize(
    "topic", ["", "/", "odom", "/odom/", "//odom", "/1odom", "/od om", "/ödom", "/" + "a" * 300, "/a\0"]
)
def test_bad_topics_are_refused(topic: str) -> None:
    assert not is_topic_prefix(topic.encode() + b"\0")
    with pytest.raises(ValueError, match="topic must look like"):
        topic_prefix(topic)


@pytest.mark.parametrize(
    "text",
    [
        "tcp://0.0.0.0:5000",
        "tcp://192.168.1.4:5000",
        "tcp://example.org:5000",
        "tcp://[::]:5000",
        "tcp://*:5000",
        "udp://127.0.0.1:5000",
        "ipc:///tmp/x",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1:5000/path",
        "nonsense",
    ],
)
def test_only_loopback_endpoints_are_accepted(text: str) -> None:
    with pytest.raises(EndpointError) as caught:
        endpoint.parse(text)
    assert "\n" not in str(caught.value)


def test_endpoints_are_read_and_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(endpoint.ENVIRONMENT, raising=False)
    assert endpoint.resolve().url == endpoint.DEFAULT_ENDPOINT
    assert endpoint.resolve(domain_id=3).port == endpoint.DEFAULT_PORT + 3
    assert endpoint.parse("localhost:5000").url == "tcp://127.0.0.1:5000"
    assert endpoint.parse("tcp://[::1]:5000").url == "tcp://[::1]:5000"
    monkeypatch.setenv(endpoint.ENVIRONMENT, "tcp://127.0.0.1:5001")
    assert endpoint.resolve().port == 5001
    assert endpoint.resolve("tcp://127.0.0.1:5002").port == 5002
