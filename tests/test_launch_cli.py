"""The command line: every mistake is one clear line and exit code 2, and leaves what was there as it was."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from refused import QUICK, Tolman, assert_refused, quick_run
from tolman.agent.lesions import PlannedLesion
from tolman.bridge.state import StatePublisher


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ("", ["VERB"]),
        ("dance", ["dance", "train"]),
        ("run Nowhere", ["unknown task 'Nowhere'", "WaterMaze"]),
        ("run WaterMaze --frobnicate", ["--frobnicate"]),
        ("run WaterMaze --set agent.nonsense=1", ["unknown key agent.nonsense", "learning"]),
        ("run WaterMaze --set environment.camera.width=-3", ["camera width"]),
        ("run WaterMaze --set environment.time_limit=0.05", ["time_limit"]),
        ("train WaterMaze --output x --set habituation=0.05", ["habituation", "0.05 s"]),
        ("train WaterMaze --output x --set agent.memory.place.cells=-3", ["place cells", "-3"]),
        ("run WaterMaze --set environment.goal=[5,5]", ["goal (5, 5)"]),
        (
            "run OpenField --set environment.goal=[0,0]",
            ["environment.goal is not an option of tolman/OpenField-v0"],
        ),
        ("run WaterMaze --config missing.toml", ["missing.toml"]),
        ("run WaterMaze --checkpoint missing", ["no checkpoint at missing"]),
        ("run WaterMaze --episodes 0", ["--episodes must be >= 1, got 0"]),
        ("run WaterMaze --seed -1", ["--seed must be >= 0, got -1"]),
        ("run WaterMaze --kidnap -2", ["--kidnap"]),
        ("run WaterMaze --move-goal 1,2", ["--move-goal", "X,Y@T"]),
        ("run WaterMaze --publish tcp://10.0.0.1:4000", ["loopback"]),
        ("run WaterMaze --publish nonsense", ["nonsense"]),
        ("train WaterMaze", ["--output"]),
        ("train WaterMaze --output nowhere --resume", ["nothing to resume"]),
        ("evaluate WaterMaze --seeds 5..1", ["5..1"]),
        ("evaluate WaterMaze --jobs 0", ["--jobs"]),
        ("compare WaterMaze --arms td-ltp,magic", ["magic", "no-learning"]),
        ("plot nowhere", ["no folder nowhere"]),
        ("bench --seconds 0", ["--seconds"]),
    ],
)
def test_bad_input_is_one_line(
    tolman: Tolman, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, parts: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(tolman(*arguments.split()), *parts)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_refused_before_anything_runs(
    tolman: Tolman, tmp_path: Path
) -> None:
    assert_refused(tolman("run", "WaterMaze", "--json", tmp_path), "is a folder")
    file = tmp_path / "file"
    file.write_text("precious")
    assert_refused(tolman("run", "WaterMaze", "--json", file / "result.json"), "is not a folder")
    assert_refused(tolman("train", "WaterMaze", "--output", file), "is a file")
    assert file.read_text() == "precious"


def test_a_busy_port_is_refused(tolman: Tolman) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert_refused(tolman("run", "WaterMaze", *QUICK, "--publish", f"tcp://127.0.0.1:{port}"), str(port))


@pytest.fixture
def trained(tolman: Tolman, tmp_path: Path) -> Path:
    return quick_run(tolman, tmp_path / "run", 1)


def test_checkpoints_that_do_not_fit_are_refused(tolman: Tolman, trained: Path) -> None:
    file = trained / "checkpoint.npz"
    whole = file.read_bytes()
    again = ("train", "WaterMaze", *QUICK, "--output", trained)
    assert_refused(tolman(*again), "already holds a run", "--resume")
    assert_refused(tolman("run", "OpenField", "--checkpoint", trained), "checkpoint of tolman/WaterMaze-v0")
    assert_refused(
        tolman("train", "OpenField", *QUICK, "--output", trained, "--resume"), "not of tolman/OpenField"
    )
    assert_refused(
        tolman(*again, "--resume", "--seed", 4), "another configuration", "seed (there 0, asked 4)"
    )
    fewer = ("run", "WaterMaze", "--checkpoint", trained, "--set", "algorithm=td-ltp")
    assert_refused(tolman(*fewer), "another configuration", "algorithm")
    assert file.read_bytes() == whole


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "text", "array", "another npz"])
def test_a_damaged_checkpoint_is_refused_and_kept(tolman: Tolman, trained: Path, damage: str) -> None:
    file = trained / "checkpoint.npz"
    whole = file.read_bytes()
    middle = len(whole) // 2
    if damage == "array":
        with file.open("wb") as stream:
            np.save(stream, np.zeros(3))
    elif damage == "another npz":
        np.savez(file, a=np.zeros(3))
    else:
        file.write_bytes({
            "truncated": whole[:middle],
            "flipped": whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :],
            "empty": b"",
            "text": b"not a checkpoint",
        }[damage])  # fmt: skip
    broken = file.read_bytes()
    for verb in (("run", "WaterMaze", "--checkpoint", trained), ("plot", trained),
                 ("train", "WaterMaze", *QUICK, "--output", trained, "--resume")):  # fmt: skip
        assert_refused(tolman(*verb), str(file))
    assert file.read_bytes() == broken


def test_a_second_publisher_at_an_endpoint_is_warned_of(tolman: Tolman, endpoint: str) -> None:
    with StatePublisher(endpoint) as first:
        assert first.others == 0
        code, out, err = tolman("run", "WaterMaze", *QUICK, "--publish", endpoint)
    assert (code, err) == (0, "")
    assert out.count("warning: 1 other agent(s) publish") == 1


def test_a_lesion_that_names_a_trial_waits_for_it(tolman: Tolman, monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[PlannedLesion] = []
    monkeypatch.setattr("tolman.launch.session.inflict", lambda agent, lesion, seed: planned.append(lesion))
    code, out, err = tolman("run", "WaterMaze", *QUICK, "--lesion", "place:0.5@2", "--episodes", 1)
    assert (code, err, planned) == (0, "", [])
    assert "warning: --lesion place:0.5@2 has no effect" in out
    assert "will not fire" not in out
    code, _, err = tolman("run", "WaterMaze", *QUICK, "--lesion", "place:0.5@2", "--episodes", 2)
    assert (code, err, planned) == (0, "", [PlannedLesion("place", 0.5, 2)])
    assert_refused(tolman("run", "WaterMaze", *QUICK, "--lesion", "spleen@2"), "spleen")


def test_bench_charges_every_part_of_the_navigator(tolman: Tolman, tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    code, _, err = tolman("bench", "--seconds", 1, "--runs", 1, "--set", "habituation=2", "--json", file)
    assert (code, err) == (0, "")
    result = json.loads(file.read_text())
    assert result["neurons"] >= 5000
    assert result["real_time_factor"] > 0.0
    assert sum(result["shares"].values()) == pytest.approx(1.0)
    parts = {"physics", "camera", "events", "perception", "memory: grid cells", "memory: CA3", "actor-critic"}
    assert all(result["shares"][part] > 0.0 for part in parts)


def test_run_with_everything_on(tolman: Tolman, trained: Path, tmp_path: Path, endpoint: str) -> None:
    file = tmp_path / "new" / "run.json"
    code, out, err = tolman(
        "run", "--checkpoint", trained, "--episodes", 2, "--json", file, "--publish", endpoint,
        "--kidnap", 0.4, "--lights-off", 0.8, "--move-goal", "-0.3,0.2@0.2",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert endpoint in out
    assert "trial   2" in out
    result = json.loads(file.read_text())
    assert result["command"] == "run"
    assert len(result["trials"]["0"]) == 2
    assert result["trials"]["0"][0]["optimal_path_m"] > 0.0


def test_doctor_and_version_in_a_process_of_their_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tolman.launch.cli"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.startswith("tolman ")
    file = tmp_path / "doctor.json"
    done = subprocess.run(
        [*command, "doctor", "--json", str(file)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "pybullet" in done.stdout
    versions = {row["name"]: row["version"] for row in json.loads(file.read_text())["packages"]}
    assert versions["numpy"] == np.__version__


def test_doctor_explains_newer_pythons() -> None:
    from tolman.launch.doctor import notes

    assert any("compiles" in note for note in notes((3, 13, 0)))
    assert not any("compiles" in note for note in notes((3, 11, 7)))


def test_errors_of_a_process_are_one_line_and_code_2(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tolman.launch.cli", "run", "Nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "unknown task 'Nowhere'" in done.stderr
