"""Event packets and their observation space."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolman.envs.events import EventPacket
from tolman.envs.spaces import EventSpace

WIDTH, HEIGHT = 12, 7


@st.composite
def packets(draw: st.DrawFn) -> EventPacket:
    events = draw(
        st.lists(
            st.tuples(
                st.integers(0, 10_000),
                st.integers(0, WIDTH - 1),
                st.integers(0, HEIGHT - 1),
                st.integers(0, 1),
            ),
            max_size=60,
        )
    )
    table = np.array(sorted(events, key=lambda e: e[0]), np.int64).reshape(-1, 4)
    return EventPacket(
        table[:, 0], table[:, 1].astype(np.int16), table[:, 2].astype(np.int16), table[:, 3].astype(np.uint8)
    )


def same(a: EventPacket, b: EventPacket) -> bool:
    return all(np.array_equal(x, y) and x.dtype == y.dtype for x, y in zip(a, b, strict=True))


@given(packets())
def test_observation_round_trip(packet: EventPacket) -> None:
    assert same(EventPacket.from_observation({"events": packet.to_observation()}), packet)
    assert same(EventPacket.from_observation(packet.to_observation()), packet)
    assert packet.validate(WIDTH, HEIGHT) is packet


@given(packets(), st.integers(-1, 10_001))
def test_cutting_and_joining_gives_the_packet_back(packet: EventPacket, cut: int) -> None:
    early, late = packet.between(-1, cut), packet.between(cut, 20_000)
    assert early.size + late.size == packet.size
    assert np.all(early.t <= cut)
    assert np.all(late.t > cut)
    assert same(EventPacket.concatenate([early, late]), packet)


@given(st.lists(packets(), max_size=4))
def test_concatenate_sorts_and_keeps_every_event(parts: list[EventPacket]) -> None:
    joined = EventPacket.concatenate(parts)
    joined.validate(WIDTH, HEIGHT)
    rows = [tuple(int(v) for v in row) for part in parts for row in zip(*part, strict=True)]
    assert sorted(rows) == sorted(tuple(int(v) for v in row) for row in zip(*joined, strict=True))
    # equal times keep the order of the packets: a stable sort of the plain concatenation
    assert [tuple(int(v) for v in row) for row in zip(*joined, strict=True)] == sorted(
        rows, key=lambda r: r[0]
    )


@given(packets())
def test_counts(packet: EventPacket) -> None:
    expected = np.zeros((2, HEIGHT, WIDTH), np.int32)
    for _, x, y, p in zip(*packet, strict=True):
        expected[p, y, x] += 1
    np.testing.assert_array_equal(packet.counts(WIDTH, HEIGHT), expected)


def test_validate_names_what_is_wrong() -> None:
    good = EventPacket(
        np.array([1, 2]), np.array([0, 11], np.int16), np.array([0, 6], np.int16), np.array([0, 1], np.uint8)
    )
    good.validate(WIDTH, HEIGHT)
    with pytest.raises(ValueError, match="ascend"):
        good._replace(t=np.array([2, 1])).validate(WIDTH, HEIGHT)
    with pytest.raises(ValueError, match=r"event x must be in 0\.\.10"):
        good.validate(WIDTH - 1, HEIGHT)
    with pytest.raises(ValueError, match="event y"):
        good._replace(y=np.array([0, -1], np.int16)).validate(WIDTH, HEIGHT)
    with pytest.raises(ValueError, match="event p"):
        good._replace(p=np.array([0, 2], np.uint8)).validate(WIDTH, HEIGHT)
    with pytest.raises(ValueError, match="one length"):
        good._replace(p=np.array([0], np.uint8)).validate(WIDTH, HEIGHT)
    with pytest.raises(ValueError, match="no event arrays"):
        EventPacket.from_observation({"t": good.t})


@given(packets())
def test_space_holds_packets(packet: EventPacket) -> None:
    space = EventSpace(WIDTH, HEIGHT)
    assert packet.to_observation() in space
    again = space.from_jsonable(space.to_jsonable([packet.to_observation()]))[0]
    assert same(EventPacket.from_observation(again), packet)


def test_space_samples_and_refuses() -> None:
    space = EventSpace(WIDTH, HEIGHT, seed=3)
    sample = next(s for s in iter(space.sample, None) if s["t"].size > 2)
    assert sample in space
    assert sample not in EventSpace(2, 2)
    assert sample | {"t": sample["t"].astype(np.int32)} not in space
    assert sample | {"t": sample["t"][::-1].copy()} not in space
    assert sample | {"p": sample["p"][1:]} not in space
    assert {k: v for k, v in sample.items() if k != "p"} not in space
    assert np.zeros(3) not in space
    assert space == EventSpace(WIDTH, HEIGHT)
    assert space != EventSpace(WIDTH, 8)
    with pytest.raises(ValueError, match="at least 1 x 1"):
        EventSpace(0, 4)
