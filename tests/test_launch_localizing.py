"""`tolman localize`: two traverses in a file, recordings against each other, one recording alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from tolman.envs.events import EventPacket
from tolman.envs.recordings import save_npz
from tolman.launch.cli import main

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
PLACES = 24


def route(seed: int) -> NDArray[np.float64]:
    """Event rates along a route, (places, 32, 64): twice as wide as what is seen of it."""
    rng = np.random.default_rng(seed)
    rates = gaussian_filter(rng.normal(size=(PLACES, 32, 64)), (0.6, 1.5, 1.5))
    return np.exp(1.2 * rates / rates.std())


def traverse(rates: NDArray[np.float64], shift: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).poisson(rates[:, :, 16 + shift : 48 + shift])


def recording(file: Path, frames: NDArray[np.int64], window: int) -> Path:
    k, y, x = np.nonzero(frames)
    n = frames[k, y, x]
    t = np.repeat(k, n) * window + np.random.default_rng(0).integers(1, window, n.sum())
    packet = EventPacket(
        t, np.repeat(x, n).astype(np.int16), np.repeat(y, n).astype(np.int16), np.ones(n.sum(), np.uint8)
    )
    save_npz(file, packet.take(np.argsort(t, kind="stable")), frames.shape[2], frames.shape[1])
    return file


def run(tmp_path: Path, *arguments: str) -> dict[str, object]:
    out = tmp_path / "out.json"
    assert main(["localize", *arguments, "--json", str(out)]) == 0
    result: dict[str, object] = json.loads(out.read_text())
    return result


def test_a_file_of_two_traverses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rates = route(0)
    file = tmp_path / "route.npz"
    np.savez(
        file,
        reference=traverse(rates, 0, 1),
        query=traverse(2.0 * rates, 6, 2),
        ground_truth=np.eye(PLACES, dtype=np.uint8),
    )
    result = run(tmp_path, str(file), "--output", str(tmp_path / "evidence.png"))
    scores = result["scores"]
    assert scores["single"]["within_0"] >= 0.9  # type: ignore[index]
    assert scores["sequence"]["within_1"] == 1.0  # type: ignore[index]
    assert (tmp_path / "evidence.png").stat().st_size > 10_000
    assert "recall@1" in capsys.readouterr().out
    again = run(tmp_path, str(file))
    assert again["places"] == result["places"]


def test_one_recording_among_the_places_of_another(tmp_path: Path) -> None:
    rates = route(1)
    first = recording(tmp_path / "a.npz", traverse(rates, 0, 1), 50_000)
    second = recording(tmp_path / "b.npz", traverse(rates, -4, 2)[8:], 50_000)
    result = run(tmp_path, str(second), "--reference", str(first), "--window", "0.05")
    # A recording ends within its last window, which is left out.
    assert result["places_enrolled"] == PLACES - 1
    places = np.array(result["single_places"])
    assert np.mean(np.abs(places - np.arange(8, 8 + len(places))) <= 1) >= 0.9


def test_one_recording_alone_recognises_its_own_places(tmp_path: Path) -> None:
    rates = 8.0 * route(2)  # enough events for a view to resemble itself
    twice = np.concatenate((traverse(rates, 0, 1), traverse(rates, 3, 2), traverse(rates, 0, 3)[:1]))
    result = run(tmp_path, str(recording(tmp_path / "loop.npz", twice, 50_000)), "--window", "0.05")
    first, second = np.array(result["single_places"])[:PLACES], np.array(result["single_places"])[PLACES:]
    assert len(np.unique(first)) >= 0.9 * PLACES
    assert np.mean(first == second[:PLACES]) >= 0.9


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"reference": np.ones((3, 16, 16)), "query": np.ones((3, 16, 20))}, "differ"),
        ({"reference": np.ones((3, 16)), "query": np.ones((3, 16, 16))}, "height, width"),
        ({"reference": -np.ones((3, 16, 16)), "query": np.ones((3, 16, 16))}, ">= 0"),
        ({"reference": np.ones((3, 16, 16)), "query": np.ones((3, 16, 16))}, "contrast"),
        ({"reference": np.ones((3, 4, 4)), "query": np.ones((3, 4, 4))}, "smaller than a patch"),
        (
            {
                "reference": np.ones((3, 16, 16)),
                "query": np.ones((3, 16, 16)),
                "ground_truth": np.ones((2, 2)),
            },
            "ground_truth",
        ),
    ],
)
def test_bad_files_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arrays: dict[str, NDArray[np.float64]], said: str
) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)  # type: ignore[arg-type]
    assert main(["localize", str(tmp_path / "bad.npz")]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "\n" not in error


@pytest.mark.skipif(not (SHARED / "lens_davis128.npz").is_file(), reason="needs the public recordings")
def test_a_recorded_route(tmp_path: Path) -> None:
    """Two drives with an event camera along one route (LENS, Hines, Milford & Fischer 2024)."""
    scores = run(tmp_path, str(SHARED / "lens_davis128.npz"))["scores"]
    assert scores["single"]["within_2"] >= 0.85  # type: ignore[index]
    assert scores["sequence"]["within_2"] >= 0.95  # type: ignore[index]


def drive_arrays(seconds: float = 12.0) -> dict[str, NDArray[np.float64]]:
    t = np.arange(0.0, seconds, 0.02)
    theta = 0.2 * t
    x, y = 0.5 * np.sin(theta), 0.5 * (1.0 - np.cos(theta))  # 0.1 m/s around a circle
    look = np.arange(0.5, seconds - 0.5, 0.5)
    at = np.array([2.0, 1.0])
    dx, dy = at[0] - 0.5 * np.sin(0.2 * look), at[1] - 0.5 * (1.0 - np.cos(0.2 * look))
    return {
        "odometry_t": t,
        "odometry_v": np.full(t.size, 0.1),
        "odometry_w": np.full(t.size, 0.2),
        "ground_truth_t": t,
        "ground_truth_x": x,
        "ground_truth_y": y,
        "ground_truth_theta": theta,
        "measurement_t": look,
        "measurement_subject": np.full(look.size, 9.0),
        "measurement_range": np.hypot(dx, dy),
        "measurement_bearing": np.arctan2(dy, dx) - 0.2 * look,
    }


def test_a_drive_with_sightings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "drive.npz", **drive_arrays())  # type: ignore[arg-type]
    picture = tmp_path / "drive.png"
    result: Any = run(tmp_path, str(tmp_path / "drive.npz"), "--output", str(picture))
    assert result["form"] == "odometry"
    assert result["scores"]["whole"]["rms_m"] < 0.06
    (landmark,) = result["landmarks"]
    assert landmark["landmark"] == 9
    assert abs(landmark["x"] - 2.0) + abs(landmark["y"] - 1.0) < 0.15
    trajectory = result["trajectory"]
    assert len(trajectory["t"]) == len(trajectory["x"]) == len(trajectory["y"]) == len(trajectory["heading"])
    assert result["spikes"] > 1000
    assert len(result["spike_hash"]) == 64
    assert picture.stat().st_size > 10_000
    assert "whole run" in capsys.readouterr().out
    truthless = {name: a for name, a in drive_arrays().items() if not name.startswith("ground_truth")}
    np.savez(tmp_path / "bare.npz", **truthless)  # type: ignore[arg-type]
    bare: Any = run(tmp_path, str(tmp_path / "bare.npz"))
    assert "scores" not in bare
    assert bare["spike_hash"] == result["spike_hash"], "ground truth must not change what the memory does"


def test_a_bare_trajectory(tmp_path: Path) -> None:
    whole = drive_arrays()
    pos = np.column_stack([whole["ground_truth_x"], whole["ground_truth_y"]])
    np.savez(tmp_path / "rat.npz", t=whole["ground_truth_t"], pos=pos)
    result: Any = run(tmp_path, str(tmp_path / "rat.npz"), "--output", str(tmp_path / "rat.svg"))
    assert result["form"] == "trajectory"
    assert result["landmarks"] == []
    assert "ratio" not in result["scores"]["whole"]
    assert result["scores"]["end_error_m"] < 0.1
    assert abs(result["scores"]["path_m"] - 1.2) < 0.02


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        ({"odometry_w": np.full(600, np.nan)}, [], "odometry_w is nan at sample 0"),
        ({"measurement_range": np.zeros(22)}, [], "measurement_range must be > 0 m"),
        ({}, ["--lag", "9"], "--lag must lie between 0 and 2 s"),
        ({}, ["--reference", "other.npz"], "--reference is for recorded events"),
        ({}, ["--output", "map.jpeg"], "must end in .png, .pdf or .svg"),
    ],
)
def test_bad_drives_are_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, NDArray[np.float64]],
    options: list[str],
    said: str,
) -> None:
    np.savez(tmp_path / "bad.npz", **(drive_arrays() | change))  # type: ignore[arg-type]
    assert main(["localize", str(tmp_path / "bad.npz"), *options]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "\n" not in error
