"""`tolman view FILE`: what it says, what it draws, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tolman.envs.events import EventPacket
from tolman.envs.recordings import open_recording, save_npz
from tolman.launch.cli import main
from tolman.launch.encoded import draw_recording
from tolman.launch.recorded import Survey, collect, look_through


def moving_edge(path: Path, width: int = 64, height: int = 48) -> Path:
    """A vertical edge that moves one column every 10 ms: ON events in front of it, OFF events behind."""
    columns, rows = np.repeat(np.arange(width), 2 * height), np.tile(np.repeat(np.arange(height), 2), width)
    polarity = np.tile([1, 0], width * height)
    x = np.clip(columns - (polarity == 0), 0, width - 1)
    events = EventPacket(
        10_000 * columns.astype(np.int64),
        x.astype(np.int16),
        rows.astype(np.int16),
        polarity.astype(np.uint8),
    )
    save_npz(path, events, width, height)
    return path


def test_images_and_counts_hold_every_event_once(tmp_path: Path) -> None:
    recording = open_recording(moving_edge(tmp_path / "edge.npz"))
    survey = look_through(recording)
    assert survey == Survey(64 * 48 * 2, 64 * 48, 0, 630_000, (64, 48))
    span = survey.seconds / 9
    images, counts = collect(recording, survey, np.arange(9) * span, span)
    assert images.shape == (9, 48, 64)
    assert images.sum() == 0
    assert counts.sum(axis=1).tolist() == [64 * 48, 64 * 48]
    fronts = [int(np.argmax(image.sum(axis=0))) for image in images]
    assert fronts == sorted(fronts)


def test_a_large_sensor_is_binned(tmp_path: Path) -> None:
    recording = open_recording(moving_edge(tmp_path / "edge.npz", 700, 20))
    survey = look_through(recording)
    assert survey is not None
    images, _ = collect(recording, survey, np.array([0.0]), survey.seconds)
    assert images.shape == (1, 7, 234)


@pytest.mark.parametrize("name", ["sheet.png", "film.gif"])
def test_pictures_show_something(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = moving_edge(tmp_path / "edge.npz")
    assert main(["view", str(path), "--output", str(tmp_path / name)]) in (0, None)
    said = capsys.readouterr().out
    assert "NPZ, 64 x 48 pixels, 6144 events (50 % ON) in 0.630 s" in said
    with Image.open(tmp_path / name) as picture:
        assert getattr(picture, "n_frames", 1) == (16 if name == "film.gif" else 1)
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 2


def test_encoding_draws_all_stages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = moving_edge(tmp_path / "edge.npz")
    assert main(["view", str(path), "--encoding", "--output", str(tmp_path / "sheet.png")]) in (0, None)
    assert "6144 events" in capsys.readouterr().out
    with Image.open(tmp_path / "sheet.png") as picture:
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 50
    for arguments, message in (
        ([str(path), "--encoding", "--output", "film.gif"], "must end in .png, .pdf or .svg with --encoding"),
        (["--encoding"], "--encoding is for a recording"),
    ):
        assert main(["view", *arguments]) == 2
        assert message in capsys.readouterr().err


def test_stages_do_not_depend_on_the_packets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures of a moment are the same for one packet as for many, and hold the events of its span."""
    drawn: list[tuple[np.ndarray, ...]] = []

    def remember(*arrays: object) -> None:
        drawn.append(tuple(np.asarray(array) for array in arrays[:-1]))

    monkeypatch.setattr("tolman.launch.encoded.draw_encoding", remember)
    recording = open_recording(moving_edge(tmp_path / "edge.npz"))
    whole = recording.read()
    pieces = [whole.take(slice(k, k + 77)) for k in range(0, whole.size, 77)]
    ends = np.array([100_000, 300_000, 620_000])
    for packets in ([whole], pieces):
        draw_recording(packets, (64, 48), 0, ends, 30_000, 1, "")
    for one, many in zip(*drawn, strict=True):
        np.testing.assert_allclose(one, many, atol=1e-6)
    raw, kept = drawn[0][:2]
    for image, end in zip(raw, ends, strict=True):
        inside = whole.between(int(end) - 30_000, int(end))
        fewer, more = inside.counts(64, 48).astype(int)
        np.testing.assert_array_equal(image, more - fewer)
    assert np.abs(kept).sum() > 0.5 * np.abs(raw).sum()


def test_damage_is_told_and_the_rest_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [0x8001, 0x6002, 0x0007, 0x2003, 0x2FFF, 0x9000]
    path = tmp_path / "a.raw"
    path.write_bytes(b"% evt 3.0\n% geometry 64x48\n" + np.array(words, "<u2").tobytes() + b"\1")
    assert main(["view", str(path), "--output", str(tmp_path / "a.png")]) in (0, None)
    said = capsys.readouterr()
    assert said.err == "warning: a.raw: the last word is cut off\n"
    assert "1 events" in said.out


def test_what_cannot_be_shown_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = moving_edge(tmp_path / "edge.npz")
    empty = tmp_path / "empty.npz"
    save_npz(empty, EventPacket.empty(), 4, 4)
    for arguments, message in (
        (["view", str(tmp_path / "none.raw")], "cannot read"),
        (["view", str(path), "--output", "a.txt"], "must end in .png"),
        (["view", str(path), "--seconds", "3"], "--seconds is for a live agent"),
        (["view", str(empty), "--output", str(tmp_path / "b.png")], "holds no events that can be read"),
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert not (tmp_path / "b.png").exists()
