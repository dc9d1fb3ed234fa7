"""`tolman analyze`: runs of an agent and recorded units through the same measures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
Run = Callable[..., tuple[int, str, str]]
Arrays = dict[str, NDArray[Any]]


def units(seconds: float = 160.0, wide: bool = False, seed: int = 0) -> Arrays:
    """Return place cells of an animal on a track of 400 px, or in a box as `wide`, seen at 50 Hz."""
    rng = np.random.default_rng(seed)
    t = np.arange(0.0, seconds, 0.02)
    speed = np.repeat(rng.uniform(40.0, 160.0, len(t) // 100 + 1), 100)[: len(t)]
    x = 400.0 * np.abs((np.cumsum(0.02 * speed) / 400.0 + 1.0) % 2.0 - 1.0)
    y = 400.0 * np.abs((np.cumsum(0.02 * speed) / 633.0 + 1.0) % 2.0 - 1.0) if wide else 0.01 * x
    side = np.linspace(20.0, 380.0, 5 if wide else 20)
    centres = (
        np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
        if wide
        else np.column_stack((side, 0.01 * side))
    )
    away = (x[:, None] - centres[:, 0]) ** 2 + (y[:, None] - centres[:, 1]) ** 2
    sample, unit = np.nonzero(rng.random(away.shape) < 0.02 * 15.0 * np.exp(-away / (2.0 * 40.0**2)))
    return {
        "spike_times": t[sample] + 0.01, "unit_index": unit.astype(np.int32),
        "position_t": t, "position_x": x.astype(np.float32), "position_y": y.astype(np.float32),
    }  # fmt: skip


def saved(file: Path, arrays: Arrays) -> Path:
    np.savez(file, **arrays)
    return file


def analyzed(tolman: Run, tmp_path: Path, *arguments: str | Path) -> tuple[dict[str, Any], str]:
    code, out, err = tolman("analyze", *arguments, "--json", tmp_path / "out.json")
    assert (code, err) == (0, "")
    return json.loads((tmp_path / "out.json").read_text()), out


def test_units_on_a_track(tmp_path: Path, tolman: Run) -> None:
    file = saved(tmp_path / "track.npz", units())
    result, out = analyzed(
        tolman,
        tmp_path,
        file,
        "--track-length",
        "2",
        "--theta",
        "8",
        "--shuffles",
        "10",
        "--output",
        tmp_path / "f",
    )
    found = result["populations"]["units"]
    assert result["linear"]
    assert result["unit"] == "m"
    assert found["place_cells"] == found["units"] == 20
    assert found["decoding"]["median_error"] < 0.1
    assert found["decoding"]["chance_error"] > 0.3
    assert found["shuffles"]["bits_per_spike"]["above_p95"] > 0.8
    assert abs(found["precession"]["single_r"]) < 0.4  # spikes know nothing of a steady rhythm
    assert found["replay"]["replays"] == 0
    assert "20 of 20 are place cells" in out
    assert {f.name for f in (tmp_path / "f").iterdir()} >= {"rate_maps_units.png", "decoding_units.png"}


def test_units_in_a_box_against_another_session(tmp_path: Path, tolman: Run) -> None:
    arrays = units(300.0, wide=True)
    one = saved(tmp_path / "one.npz", arrays)
    moved = np.random.default_rng(5).permutation(25)
    two = saved(tmp_path / "two.npz", arrays | {"unit_index": moved[arrays["unit_index"]]})
    result, _ = analyzed(tolman, tmp_path, one, "--against", one, "--scale", "0.005", "--shuffles", "0")
    found = result["populations"]["units"]
    assert not result["linear"]
    assert {"gridness_minmax", "border"} <= set(found["cells"])
    assert found["decoding"]["median_error"] < 0.3
    assert result["against"]["units"]["spatial_correlation"] == pytest.approx(1.0)
    result, _ = analyzed(tolman, tmp_path, one, "--against", two, "--scale", "0.005", "--shuffles", "0")
    assert result["against"]["units"]["spatial_correlation"] < 0.3


def test_a_run_folder_new_and_old(tmp_path: Path, tolman: Run, spiking_double: None) -> None:
    run = tmp_path / "run"
    settings = ("--set", "environment.time_limit=30", "--set", "agent.memory.place.theta.enabled=true")
    code, _, err = tolman("train", "OpenField", "--trials", "1", "--output", run, "--no-figures", *settings)
    assert (code, err) == (0, "")
    result, out = analyzed(tolman, tmp_path, run, "--shuffles", "2", "--cells", "10")
    assert set(result["populations"]) == {"place", "grid_0", "grid_1"}
    assert result["populations"]["place"]["median"]["bits_per_spike"] > 1.0
    assert "precession" in result["populations"]["place"]
    assert result["populations"]["grid_0"]["gridness_minmax_share"] is not None
    assert result["grid_cells"]["scored"] > 20
    assert "all grid modules" in out
    again, _ = analyzed(tolman, tmp_path, run, "--shuffles", "2", "--cells", "10")
    assert again == result
    pictures = tmp_path / "pictures"
    grid, _ = analyzed(
        tolman,
        tmp_path,
        run,
        "--population",
        "grid_1",
        "--shuffles",
        "0",
        "--cells",
        "6",
        "--output",
        pictures,
    )
    assert set(grid["populations"]) == {"grid_1"}
    assert {file.name for file in pictures.iterdir()} >= {
        "rate_maps_grid_1.png",
        "autocorrelograms_grid_1.png",
    }
    record = run / "trials" / "trial_0001.npz"
    with np.load(record) as archive:
        arrays = {name: archive[name] for name in archive.files}
    assert np.array_equal(arrays.pop("spike_ms") // 40, arrays["spike_step"])
    np.savez(record, **arrays)
    old, out = analyzed(tolman, tmp_path, run, "--shuffles", "0")
    assert "lack milliseconds" in out
    for name, one in old["populations"].items():
        assert one["median"]["bits_per_spike"] == result["populations"][name]["median"]["bits_per_spike"]


def test_bad_input_is_one_line(tmp_path: Path, tolman: Run) -> None:
    good = units(20.0)
    file = tmp_path / "bad.npz"
    cases: list[tuple[Arrays, str]] = [
        ({k: v for k, v in good.items() if k != "position_y"}, "array position_y is missing"),
        (
            good | {"position_x": np.zeros_like(good["position_x"]), "position_y": good["position_y"] * 0},
            "frozen",
        ),
        (good | {"spike_times": np.zeros(0), "unit_index": np.zeros(0, np.int32)}, "no spikes"),
        (good | {"unit_index": good["unit_index"][:-1]}, "one length"),
        (good | {"unit_index": good["unit_index"] - 5}, "whole numbers from 0"),
        (good | {"position_t": good["position_t"][:5]}, "one length"),
        (
            good | {"spike_times": good["spike_times"][:9], "unit_index": good["unit_index"][:9]},
            "no cell fires",
        ),
    ]
    for arrays, said in cases:
        code, out, err = tolman("analyze", saved(file, arrays))
        assert (code, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1
    saved(file, good)
    text = tmp_path / "text.npz"
    text.write_text("no archive")
    for arguments, said in (
        ((file, "--population", "grid"), "no population 'grid'"),
        ((file, "--window", "0"), "--window must be > 0"),
        ((file, "--theta", "90"), "from 1 to 20 Hz"),
        ((file, "--theta", file), "array theta_t is missing"),
        ((file, "--scale", "0.1", "--track-length", "1"), "not allowed with"),
        ((file, "--speed", "1e6"), "never faster"),
        ((text,), "neither a run folder nor an npz file"),
        ((tmp_path / "nothing",), "no file or folder"),
        ((tmp_path,), "no checkpoint"),
        ((file, "--bin", "nan"), "--bin must be > 0"),
    ):
        code, out, err = tolman("analyze", *arguments)
        assert (code, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1


@pytest.mark.skipif(not (SHARED / "nelpy_linear_track.npz").is_file(), reason="needs the public recordings")
def test_the_recorded_linear_track_has_eleven_place_cells(tmp_path: Path, tolman: Run) -> None:
    result, out = analyzed(tolman, tmp_path, SHARED / "nelpy_linear_track.npz", "--shuffles", "2")
    found = result["populations"]["units"]
    assert result["running_s"] == pytest.approx(250.0, abs=2.0)
    assert found["place_cells"] == 11
    assert found["units"] == 31
    assert found["scored"] == 19
    assert found["median"]["bits_per_spike"] == pytest.approx(0.85, abs=0.12)
    assert found["decoding"]["median_error_share"] < 0.06
    assert "no theta in the file" in out
