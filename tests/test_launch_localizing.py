"""`tolman localize`: two traverses in a file, recordings against each other, one recording alone."""

from __future__ import annotations

import json
from pathlib import Path

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
