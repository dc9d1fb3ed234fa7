"""Recorded events: encoders of the tests against the readers, real recordings, and damage of all kinds."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tolman.envs.events import EventPacket
from tolman.envs.recordings import Recording, RecordingError, open_recording, save_npz

#: Public recordings; they are not part of the project (see docs/events.md).
DATA = Path(os.environ.get("TOLMAN_DATA", Path(__file__).parents[2] / "shared" / "data")) / "events"


def drawn(n: int, seed: int = 0, width: int = 320, height: int = 240, span: int = 40_000_000) -> EventPacket:
    rng = np.random.default_rng(seed)
    return EventPacket(
        np.sort(rng.integers(0, span, n)),
        rng.integers(0, width, n).astype(np.int16),
        rng.integers(0, height, n).astype(np.int16),
        rng.integers(0, 2, n).astype(np.uint8),
    )


def evt2(events: EventPacket, header: bytes = b"% evt 2.0\n% geometry 320x240\n") -> bytes:
    words, high = [], -1
    for t, x, y, p in zip(*(array.tolist() for array in events), strict=True):
        if t >> 6 != high:
            high = t >> 6
            words.append(0x8 << 28 | (high & 0xFFFFFFF))
        words.append(p << 28 | (t & 63) << 22 | x << 11 | y)
    return header + np.array(words, "<u4").tobytes()


def evt3(events: EventPacket, header: bytes = b"% evt 3.0\n% geometry 320x240\n") -> bytes:
    words: list[int] = []
    high = low = row = -1
    for t, x, y, p in zip(*(array.tolist() for array in events), strict=True):
        if t >> 12 != high:
            high = t >> 12
            words.append(0x8000 | (high & 0xFFF))
            low = -1
        if t & 0xFFF != low:
            low = t & 0xFFF
            words.append(0x6000 | low)
        if y != row:
            row = y
            words.append(row)
        words.append(0x2000 | p << 11 | x)
    return header + np.array(words, "<u2").tobytes()


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def same(a: EventPacket, b: EventPacket) -> None:
    for ours, theirs in zip(a, b, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("encode", [evt2, evt3])
def test_raw_files_come_back_beyond_a_turn_of_the_clock(
    tmp_path: Path, encode: Callable[[EventPacket], bytes]
) -> None:
    events = drawn(5000)  # 40 s: EVT 3 counts to 16.8 s
    recording = open_recording(written(tmp_path / "a.raw", encode(events)))
    assert recording.size == (320, 240)
    same(recording.read(), events)
    same(recording.read(), events)
    assert recording.trouble is None


def test_packets_are_of_bounded_size_and_vectors_are_read(tmp_path: Path) -> None:
    words = [0x8001, 0x6002, 0x0007, 0x3805, 0x4FFF, 0x5081, 0x2003]
    recording = open_recording(
        written(
            tmp_path / "a.raw", b"% format EVT3;height=720;width=1280\n" + np.array(words, "<u2").tobytes()
        )
    )
    events = recording.read()
    assert recording.size == (1280, 720)
    assert events.x.tolist() == [*range(5, 17), 17, 24, 3]
    assert events.p.tolist() == [1] * 14 + [0]
    assert set(events.t.tolist()) == {4098}
    assert set(events.y.tolist()) == {7}
    big = written(tmp_path / "b.raw", evt3(drawn(300_000)))
    assert max(packet.size for packet in open_recording(big)) <= 65_536


def test_a_clock_that_steps_back_is_no_turn(tmp_path: Path) -> None:
    words = [0x8001, 0x6064, 0x0001, 0x2001, 0x6059, 0x2002, 0x6065, 0x2003]
    recording = open_recording(written(tmp_path / "a.raw", b"% evt 3.0\n" + np.array(words, "<u2").tobytes()))
    assert recording.read().t.tolist() == [4196, 4196, 4197]
    assert recording.trouble is not None
    assert "1 events with times before" in recording.trouble


@pytest.mark.parametrize("kind", ["npz", "h5", "h5 group"])
def test_arrays_come_back(tmp_path: Path, kind: str) -> None:
    events = drawn(200_000)
    path = tmp_path / f"a.{kind.split()[0]}"
    if kind == "npz":
        save_npz(path, events, 320, 240)
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            group = file.create_group("events") if kind == "h5 group" else file
            for name, array in events._asdict().items():
                group[name] = array
            file["width"], file["height"] = 320, 240
    recording = open_recording(path)
    assert recording.size == (320, 240)
    same(recording.read(), events)


def made_by_faery(path: Path, events: EventPacket) -> Path:
    faery = pytest.importorskip("faery")
    rows = np.zeros(events.size, faery.EVENTS_DTYPE)
    for name, array in zip(("t", "x", "y", "on"), events, strict=True):
        rows[name] = array
    faery.events_stream_from_array(rows, (320, 240)).to_file(path)
    return path


def test_event_streams_come_back_and_rows_count_from_the_top(tmp_path: Path) -> None:
    events = drawn(100_000)
    events.t[:] -= events.t[0]  # the writer counts from the first event
    path = made_by_faery(tmp_path / "a.es", events)
    same(open_recording(path).read(), events)
    stored = open_recording(path, as_stored=True).read()
    np.testing.assert_array_equal(stored.y, 239 - events.y)
    recording = open_recording(written(tmp_path / "b.es", path.read_bytes()[:-1000]))
    read = recording.read()
    assert 90_000 < read.size < 100_000
    same(read, events.take(slice(0, read.size)))


@pytest.mark.parametrize(
    ("name", "count", "first", "last", "on", "x", "y"),
    [
        ("evt3_sample.raw", 219_596, 11_718_656, 11_727_457, 115_532, 159_113_225, 85_638_051),
        (
            "sample.aedat4", 111_954, 1_605_537_493_718_345, 1_605_537_494_308_262, 55_023,
            18_342_405, 15_105_898,
        ),
        ("dvs.es", 473_225, 0, 999_000, 270_001, 72_946_016, 57_092_979),
    ],
)  # fmt: skip
def test_real_recordings(name: str, count: int, first: int, last: int, on: int, x: int, y: int) -> None:
    """Counts, times and sums that were found from the definitions of the formats."""
    if not (DATA / name).exists():
        pytest.skip("the public recordings are not here; set TOLMAN_DATA")
    recording = open_recording(DATA / name, as_stored=True)
    events = recording.read()
    assert recording.size is not None
    events.validate(*recording.size)
    found = (
        events.size,
        events.t[0],
        events.t[-1],
        *(int(a.sum(dtype=int)) for a in (events.p, events.x, events.y)),
    )
    assert found == (count, first, last, on, x, y)
    assert recording.trouble is None


def test_rows_count_from_the_top() -> None:
    if not (DATA / "dvs.es").exists():
        pytest.skip("the public recordings are not here; set TOLMAN_DATA")
    upright, stored = open_recording(DATA / "dvs.es").read(), open_recording(DATA / "dvs.es", True).read()
    np.testing.assert_array_equal(upright.y, 239 - stored.y)


def _readable(path: Path) -> Recording | None:
    """Read a damaged file: packets are sound, and whatever is wrong is one line."""
    try:
        recording = open_recording(path)
    except RecordingError as error:
        if "\n" in str(error):
            raise
        return None
    latest = -(2**62)
    for packet in recording:
        width, height = recording.size or (2048, 2048)
        packet.validate(width, height)
        assert packet.t[0] >= latest
        latest = int(packet.t[-1])
    assert recording.trouble is None or "\n" not in recording.trouble
    return recording


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([evt2, evt3]), st.integers(0, 6000), st.lists(st.integers(0, 8 * 6000 - 1), max_size=8)
)
@example(evt2, 29, [183])  # the width in the header becomes 3²0
def test_damage_never_crashes(
    tmp_path_factory: pytest.TempPathFactory,
    encode: Callable[[EventPacket], bytes],
    length: int,
    bits: list[int],
) -> None:
    content = bytearray(encode(drawn(2000)))
    for bit in bits:
        if bit // 8 < len(content):
            content[bit // 8] ^= 1 << bit % 8
    _readable(written(tmp_path_factory.mktemp("damage") / "a.raw", bytes(content[:length])))


@pytest.mark.parametrize("name", ["sample.aedat4", "dvs.es", "evt3_sample.raw", "made.npz", "made.h5"])
def test_damaged_files_give_what_is_readable(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "made.npz":
        save_npz(path, drawn(100_000), 320, 240)
    elif name == "made.h5":
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            for key, array in drawn(100_000)._asdict().items():
                file.create_dataset(key, data=array, chunks=(4096,), compression="gzip")
    elif (DATA / name).exists():
        path.write_bytes((DATA / name).read_bytes())
    else:
        pytest.skip("the public recordings are not here; set TOLMAN_DATA")
    content: NDArray[np.uint8] = np.frombuffer(path.read_bytes(), np.uint8)
    rng, told = np.random.default_rng(0), 0
    for k in range(12):
        damaged = content.copy()
        if k % 2:
            damaged[rng.integers(0, len(damaged), 5)] ^= np.uint8(1 << k % 8)
        else:
            damaged = damaged[: rng.integers(1, len(damaged))]
        recording = _readable(written(tmp_path / f"{k}{path.suffix}", damaged.tobytes()))
        told += recording is None or recording.trouble is not None
    if (
        path.suffix != ".raw"
    ):  # cut between two words, or changed within one, EVT is another file that is whole
        assert told >= 6


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    for content, message in (
        (b"", "is empty"),
        (b"hello", "no recording of events that is known"),
        (b"% evt 4.0\n", "names EVT 4; EVT 2 and EVT 3 can be read"),
        (b"% date\n", "names no version of EVT"),
        (b"#!AER-DAT4.0\r\n", "no readable AEDAT 4 file"),
        (b"PK\x03\x04", "no readable NPZ file"),
    ):
        with pytest.raises(RecordingError, match=message):
            open_recording(written(tmp_path / "a", content))
    with pytest.raises(RecordingError, match="cannot read"):
        open_recording(tmp_path / "none.raw")
    np.savez(tmp_path / "b.npz", t=np.zeros(3), x=np.zeros(2), y=np.zeros(3), p=np.zeros(3))
    with pytest.raises(RecordingError, match="must share one length"):
        open_recording(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", t=np.zeros(3))
    with pytest.raises(RecordingError, match="has no array 'x'"):
        open_recording(tmp_path / "c.npz")
