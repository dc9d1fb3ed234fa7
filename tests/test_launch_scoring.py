"""Scores against cases worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tolman.launch.config import ExperimentConfig, load
from tolman.launch.energy import CHIPS, energy_per_decision
from tolman.launch.frames import into_frame, out_of_frame, wrap
from tolman.launch.results import SeedRun, latency_matrix, learning, summarise
from tolman.launch.scoring import LocalisationScore, TrialRecord, extras, spl

RECORD = TrialRecord(
    trial=1, latency_s=10.0, path_m=2.0, optimal_path_m=1.0, success=True, collisions=2, reward=1.0,
    steps=250, start=(0.0, 0.0), localisation_error_m=0.1, localisation_error_all_m=0.2,
    localised_fraction=0.5,
    heading_error_rad=0.05, dead_reckoning_error_m=None, spikes=1000, synaptic_operations=5000, wall_s=1.0,
    timed_s=10.0,
)  # fmt: skip


def run_of(seed: int, latencies: list[float]) -> SeedRun:
    records = tuple(replace(RECORD, trial=k + 1, latency_s=x) for k, x in enumerate(latencies))
    return SeedRun(seed, records, f"hash{seed}", 100, 2000)


def test_frames_are_inverse_and_turn_with_the_start() -> None:
    origin = np.array([1.0, 2.0, np.pi / 2])
    np.testing.assert_allclose(
        into_frame(origin, np.array([1.0, 5.0, np.pi])), [3.0, 0.0, np.pi / 2], atol=1e-12
    )
    poses = np.random.default_rng(0).uniform(-3, 3, (50, 3))
    np.testing.assert_allclose(out_of_frame(origin, into_frame(origin, poses)), poses, atol=1e-12)
    assert wrap(3 * np.pi) == pytest.approx(-np.pi)


def test_localisation_error_counts_localised_periods_in_the_frame_of_the_start() -> None:
    origin = np.array([1.0, 0.0, np.pi / 2])
    score = LocalisationScore(origin, first_episode=False, start=np.array([0.0, 0.0, 0.0]))
    score.add(np.array([1.0, 1.0, np.pi / 2]), np.array([1.0, 0.3, 0.1]), localised=True)
    score.add(np.array([1.0, 1.0, np.pi / 2]), np.array([9.0, 9.0, 0.0]), localised=False)
    result = score.summary()
    assert result["localisation_error_m"] == pytest.approx(0.3)
    assert result["heading_error_rad"] == pytest.approx(0.1)
    assert result["localised_fraction"] == 0.5
    assert result["localisation_error_all_m"] == pytest.approx((0.3 + np.hypot(8.0, 9.0)) / 2)
    assert result["dead_reckoning_error_m"] is None


def test_dead_reckoning_of_perfect_odometry_is_exact_on_a_circle() -> None:
    """v = 0.2 m/s and 0.5 rad/s: a circle of 0.4 m around a point to the left of the start."""
    start, dt = np.array([0.3, -0.2, 1.0]), 0.04
    score = LocalisationScore(start, first_episode=True, start=start)
    for step in range(400):
        angle = 0.5 * dt * step
        x = start[0] + 0.4 * (np.sin(start[2] + angle) - np.sin(start[2]))
        y = start[1] - 0.4 * (np.cos(start[2] + angle) - np.cos(start[2]))
        score.add(np.array([x, y, start[2] + angle]), np.zeros(3), localised=True)
        score.reckon(np.array([0.2, 0.5]), 0.5, dt)
    for name in ("dead_reckoning_error_m", "dead_reckoning_gyro_error_m"):
        error = score.summary()[name]
        assert error is not None
        assert error < 1e-12


def test_dead_reckoning_error_grows_with_a_wrong_scale() -> None:
    """Odometry 10 % too long on a straight line of 1 m: mean error over 25 periods is 0.1 m x 12 / 25."""
    score = LocalisationScore(np.zeros(3), first_episode=True, start=np.zeros(3))
    for step in range(25):
        score.add(np.array([step / 25, 0.0, 0.0]), np.zeros(3), localised=False)
        score.reckon(np.array([1.1, 0.0]), 0.0, 0.04)
    assert score.summary()["dead_reckoning_error_m"] == pytest.approx(0.1 * 12 / 25)
    assert score.summary()["localisation_error_m"] is None


def test_spl() -> None:
    assert spl(RECORD) == 0.5
    assert spl(replace(RECORD, success=False)) == 0.0
    assert (
        spl(replace(RECORD, path_m=0.5)) == 1.0
    )  # shorter than the shortest: a rounding matter, not a bonus
    assert spl(replace(RECORD, optimal_path_m=None)) is None


def test_summary_has_what_users_read(tmp_path: Path) -> None:
    runs = [run_of(1, [40.0, 20.0]), run_of(0, [60.0, 30.0])]
    summary = summarise("evaluate", load(), runs)
    assert summary["seeds"] == [0, 1]
    assert summary["success_rate"]["value"] == 1.0
    assert summary["spl"]["value"] == 0.5
    assert summary["latency_s"]["value"] == 37.5  # median of the seeds' medians 45 and 30
    assert summary["localisation_error_m"]["value"] == pytest.approx(0.1)
    assert summary["dead_reckoning_error_m"] == {"value": None, "ci95": [None, None]}
    assert summary["real_time_factor"] == 10.0
    assert summary["spikes"] == 4000
    assert summary["spike_hash"] == {"0": "hash0", "1": "hash1"}
    assert summary["synaptic_operations_per_decision"] == 20.0
    assert summary["energy_per_decision"]["Loihi"]["joule"] == pytest.approx(20 * 23.6e-12)
    assert summary["learning"] is None
    json.dumps(summary)


def test_learning_compares_the_ends_of_the_session() -> None:
    runs = [run_of(seed, [60.0] * 5 + [30.0] * 3 + [12.0 + seed] * 5) for seed in range(8)]
    result = learning(runs)
    assert result is not None
    assert result["last_trials"] == [9, 13]
    assert result["ratio"] == pytest.approx(15.5 / 60.0)
    assert result["p_value"] < 0.01
    assert latency_matrix(runs).shape == (8, 13)


def test_every_energy_states_its_kind_and_source() -> None:
    table = energy_per_decision(1e6)
    assert set(table) == {chip.chip for chip in CHIPS}
    for row in table.values():
        assert row["source"]
        assert row["kind"]
    assert table["Loihi 2"]["joule"] is None
    assert table["DYNAP-SE"]["joule"] == pytest.approx([17e-6, 30e-6])


def test_evaluate_and_compare_resume_and_write_their_results(
    tmp_path: Path,
    tolman: Callable[..., tuple[int, str, str]],
    spiking_double: None,
    short_experiment: Callable[..., ExperimentConfig],
) -> None:
    short = ("--set", "environment.time_limit=2", "--set", "habituation=0")
    common = ("WaterMaze", "--seeds", "0..1", "--trials", "2", *short, "--jobs", "1")
    file = tmp_path / "evaluate.json"
    code, out, err = tolman("evaluate", *common, "--json", file)
    assert (code, err) == (0, "")
    assert json.loads(file.read_text())["seeds"] == [0, 1]
    arms = ("--arms", "td-ltp,random", "--output", tmp_path / "compared")
    code, out, err = tolman("compare", *common, *arms, "--json", tmp_path / "compare.json")
    assert (code, err) == (0, "")
    first = json.loads((tmp_path / "compare.json").read_text())
    assert first.pop("command_line").startswith("tolman compare WaterMaze --seeds 0..1")
    assert set(first["arms"]) == {"td-ltp", "random"}
    starts = [[t["start"] for t in arm["trials"]["1"]] for arm in first["arms"].values()]
    assert starts[0] == starts[1]  # the arms face the same starts
    assert "random against td-ltp" in first["tests"]
    assert (tmp_path / "compared" / "comparison.png").stat().st_size > 10_000
    code, out, err = tolman("compare", *common, *arms, "--json", tmp_path / "again.json")
    assert "4 of 4 seeds are already" in out
    again = json.loads((tmp_path / "again.json").read_text())
    assert again.pop("command_line").endswith("again.json")
    assert again == first
    code, out, err = tolman("compare", *common, *arms, "--set", "environment.renderer=pybullet")
    assert code == 2
    assert "another configuration" in err


def test_seeds_run_in_parallel_give_what_they_give_alone(
    tmp_path: Path, tolman: Callable[..., tuple[int, str, str]]
) -> None:
    results = []
    for jobs in (1, 2):
        file = tmp_path / f"{jobs}.json"
        common = ("WaterMaze", "--seeds", "3,4", "--trials", "1", "--jobs", jobs, "--json", file)
        short = ("--set", "environment.time_limit=2", "--set", "habituation=2")
        code, _, err = tolman("evaluate", *common, "--set", "algorithm=random", *short)
        assert (code, err) == (0, "")
        results.append(json.loads(file.read_text()))
    assert results[0]["spike_hash"] == results[1]["spike_hash"]


def test_what_the_task_adds_is_kept_with_the_trial() -> None:
    info = {
        "pose": np.zeros(3), "success": True, "time_s": 1.0, "path_m": 0.0, "goal": np.ones(2),
        "day": np.int64(2), "asked": "milk", "held": np.bool_(False), "free_time_s": 0.5,
        "nothing": float("nan"), "gates": ["left"],
    }  # fmt: skip
    kept = extras(info)
    assert kept == {"day": 2, "asked": "milk", "held": False, "free_time_s": 0.5}
    assert [type(value) for value in kept.values()] == [int, str, bool, float]


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("DelayedMatch", [{"day": 1, "trial_of_day": k, "led": False} for k in (1, 2)]),
        ("WaterMaze", [{}, {}]),
    ],
)
def test_extras_lie_in_results_and_trial_files_and_older_results_load(
    tmp_path: Path,
    tolman: Callable[..., tuple[int, str, str]],
    task: str,
    expected: list[dict[str, int]],
) -> None:
    short = ("--set", "algorithm=random", "--set", "environment.time_limit=1.2", "--set", "habituation=0")
    common = (task, "--trials", "2", *short)
    out = tmp_path / "run"
    assert tolman("train", *common, "--seed", "0", "--output", out, "--no-figures")[0] == 0
    results = json.loads((out / "results.json").read_text())
    assert [trial["extras"] for trial in results["trials"]["0"]] == expected
    for trial, extras_ in enumerate(expected, 1):
        with np.load(out / "trials" / f"trial_{trial:04d}.npz", allow_pickle=False) as arrays:
            assert json.loads(str(arrays["extras"])) == extras_
    sweep = ("evaluate", *common, "--seeds", "0", "--output", tmp_path / "seeds")
    assert tolman(*sweep)[0] == 0
    file = tmp_path / "seeds" / "random" / "seed_0000.json"
    older = json.loads(file.read_text())
    assert [record.pop("extras") for record in older["run"]["records"]] == expected
    file.write_text(json.dumps(older))
    code, printed, err = tolman(*sweep, "--json", tmp_path / "again.json")
    assert (code, err) == (0, "")
    assert "1 of 1 seeds are already" in printed
    again = json.loads((tmp_path / "again.json").read_text())
    assert [trial["extras"] for trial in again["trials"]["0"]] == [{}, {}]
