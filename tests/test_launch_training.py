"""Training: atomic checkpoints, exact resume, results, figures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tolman.launch import checkpoint as checkpoints
from tolman.launch.config import ExperimentConfig
from tolman.launch.errors import UserError
from tolman.launch.files import atomic, write_json
from tolman.launch.session import Session
from tolman.launch.training import train

Make = Callable[..., ExperimentConfig]


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    write_json(file, {"good": float("nan")})
    before = file.read_text()
    assert json.loads(before) == {"good": None}

    def interrupted() -> None:
        with atomic(file) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert file.read_text() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_checkpoint_survives_a_crash_while_the_next_is_written(
    tmp_path: Path, short_experiment: Make, spiking_double: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(short_experiment(trials=1), tmp_path)
    before = (tmp_path / checkpoints.FILE_NAME).read_bytes()

    def full_disk(*arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_arrays", full_disk)
    with pytest.raises(OSError, match="No space"):
        train(short_experiment(trials=2), tmp_path, resume=True)
    assert (tmp_path / checkpoints.FILE_NAME).read_bytes() == before


@pytest.mark.parametrize("habituation", [0.0, 2.0])
def test_resuming_at_any_trial_ends_like_an_uninterrupted_run(
    tmp_path: Path, short_experiment: Make, spiking_double: None, habituation: float
) -> None:
    config = short_experiment(trials=3, seed=5, habituation=habituation)
    whole = train(config, tmp_path / "whole")
    parts = tmp_path / "parts"
    for trials in (1, 2, 3):
        result = train(
            short_experiment(trials=trials, seed=5, habituation=habituation), parts, resume=trials > 1
        )
    assert result.spike_hash == whole.spike_hash
    for resumed, straight in zip(result.records, whole.records, strict=True):
        assert (resumed.start, resumed.path_m, resumed.spikes) == (
            straight.start,
            straight.path_m,
            straight.spikes,
        )
        assert resumed.dead_reckoning_error_m == straight.dead_reckoning_error_m
        assert resumed.localisation_error_m == straight.localisation_error_m
    assert [record.trial for record in whole.records] == ([0, 1, 2, 3] if habituation else [1, 2, 3])
    assert whole.records[0].dead_reckoning_error_m is not None
    assert whole.records[1].dead_reckoning_error_m is None


def test_seeds_decide_the_run(tmp_path: Path, short_experiment: Make, spiking_double: None) -> None:
    config = short_experiment(trials=1, seed=1)
    first, again = train(config, tmp_path / "a"), train(config, tmp_path / "b")
    other = train(short_experiment(trials=1, seed=2), tmp_path / "c")
    assert first.spike_hash == again.spike_hash != other.spike_hash


def test_a_killed_process_resumes_to_the_same_hash(tmp_path: Path) -> None:
    """The navigator itself: SIGKILL during trial 1 or 2, then resume; the reference runs in one go."""

    def command(folder: Path, *more: str) -> list[str]:
        return [
            sys.executable, "-m", "tolman.launch.cli", "train", "WaterMaze", "--output", str(folder),
            "--trials", "3", "--set", "environment.time_limit=4", "--set", "habituation=4",
            "--no-figures", *more,
        ]  # fmt: skip

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.Popen(command(killed), stdout=subprocess.DEVNULL, cwd=tmp_path)
    deadline = time.monotonic() + 300.0  # kernels may have to be compiled first
    while not (killed / checkpoints.FILE_NAME).exists() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.005)
    time.sleep(0.15)  # in the middle of the next trial
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert len(checkpoints.load(killed).records) < 4
    subprocess.run(command(killed, "--resume"), check=True, stdout=subprocess.DEVNULL, cwd=tmp_path)
    subprocess.run(command(whole), check=True, stdout=subprocess.DEVNULL, cwd=tmp_path)
    hashes = [json.loads((folder / "results.json").read_text())["spike_hash"] for folder in (killed, whole)]
    assert hashes[0] == hashes[1]
    assert not list(killed.glob(".*"))  # no temporary file was left by the resumed run


def test_overwriting_starts_again_only_once_the_start_is_good(
    tmp_path: Path, short_experiment: Make, spiking_double: None
) -> None:
    train(short_experiment(trials=2), tmp_path)
    before = (tmp_path / checkpoints.FILE_NAME).read_bytes()
    with pytest.raises(UserError, match="goal"):
        train(short_experiment("environment.goal=[9,9]"), tmp_path, overwrite=True)
    assert (tmp_path / checkpoints.FILE_NAME).read_bytes() == before
    train(short_experiment(trials=1), tmp_path, overwrite=True)
    assert len(checkpoints.load(tmp_path).records) == 1
    assert len(list((tmp_path / "trials").iterdir())) == 1


def test_state_of_another_agent_is_refused(
    tmp_path: Path, short_experiment: Make, spiking_double: None
) -> None:
    with Session(short_experiment("algorithm=random")) as session:
        session.next_trial()
        other = session.checkpoint()
    with Session(short_experiment()) as session, pytest.raises(UserError, match="does not fit this agent"):
        session.adopt(other)


def test_training_leaves_everything_there_is_to_see(
    tmp_path: Path, spiking_double: None, tolman: Callable[..., tuple[int, str, str]]
) -> None:
    settings = ("--set", "environment.time_limit=8", "--set", "habituation=24")
    code, out, err = tolman("train", "WaterMaze", *settings, "--trials", 3, "--output", tmp_path / "run")
    assert (code, err) == (0, "")
    for name in (
        "overview",
        "learning_curve",
        "trajectories",
        "rate_maps_place",
        "rate_maps_grid",
        "value_map",
    ):
        assert f"{name}.png" in out
        with Image.open(tmp_path / "run" / f"{name}.png") as image:
            assert min(image.size) >= 300
            assert np.asarray(image.convert("L")).std() > 5.0
    film = tmp_path / "run" / "animation.gif"
    assert film.stat().st_size <= 3_000_000
    with Image.open(film) as image:
        assert getattr(image, "n_frames", 1) > 20
    result = json.loads((tmp_path / "run" / "results.json").read_text())
    assert result["neurons"] == 200
    assert result["synaptic_operations"] == 10 * result["spikes"]
    assert set(result["trials"]["0"][0]) >= {"latency_s", "path_m", "optimal_path_m", "success", "collisions"}
    assert result["dead_reckoning_error_m"]["value"] >= 0.0
    (tmp_path / "run" / "overview.png").unlink()
    code, out, err = tolman("plot", tmp_path / "run")
    assert (code, err) == (0, "")
    assert (tmp_path / "run" / "overview.png").exists()
