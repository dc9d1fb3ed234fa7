"""Arms as typed, windows, and what a comparison says of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from rich.console import Console
from tolman.launch.arm_scores import against, criterion, day_scores, window_scores
from tolman.launch.arms import ARMS, arms_of
from tolman.launch.comparison import compare, notes, tables_of
from tolman.launch.config import load
from tolman.launch.errors import UserError
from tolman.launch.results import SeedRun
from tolman.launch.scoring import TrialRecord
from tolman.launch.windows import parse_windows

RECORD = TrialRecord(
    trial=1, latency_s=10.0, path_m=2.0, optimal_path_m=0.9, success=True, collisions=0, reward=1.0,
    steps=100, start=(0.0, 0.0), localisation_error_m=0.1, localisation_error_all_m=0.2,
    localised_fraction=0.5, heading_error_rad=0.05, dead_reckoning_error_m=None, spikes=1000,
    synaptic_operations=5000, wall_s=1.0, timed_s=10.0,
)  # fmt: skip


def arm(latencies: np.ndarray) -> list[SeedRun]:
    """Runs of latencies (seeds, trials) in s on ways of 0.9 m, which take 3 s."""
    exploring = dataclasses.replace(RECORD, trial=0, optimal_path_m=None, success=False, steps=1000)

    def trial(number: int, latency: float) -> TrialRecord:
        return dataclasses.replace(RECORD, trial=number, latency_s=latency, success=latency < 60.0)

    return [
        SeedRun(seed, (exploring, *(trial(k, x) for k, x in enumerate(row, 1))), "", 100, 2000)
        for seed, row in enumerate(latencies.tolist())
    ]


def test_arms_by_name_and_as_typed() -> None:
    arms = arms_of(
        load(), "td-ltp, fast:agent.actor_critic.actor_rate=0.02 ,"
        "habit:no-replay;environment.goal=[0.1,-0.2];agent.third_factor='reward'"
    )  # fmt: skip
    assert list(arms) == ["td-ltp", "fast", "habit"]
    assert arms["td-ltp"] == load()
    assert arms["fast"] == load(settings=["agent.actor_critic.actor_rate=0.02"])
    settings = [*ARMS["no-replay"], "environment.goal=[0.1,-0.2]", "agent.third_factor='reward'"]
    assert arms["habit"] == load(settings=settings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("magic", "unknown arm 'magic'; known: td-ltp"),
        ("a:magic", "unknown arm 'magic'"),
        ("a:agent.nonsense=1", "arm 'a': .*unknown key agent.nonsense"),
        ("td-ltp:agent.learning=false", "'td-ltp' is an arm already"),
        ("../a:agent.learning=false", "a name has letters"),
        ("a:trials=3,a:trials=4", "two arms are called 'a'"),
        ("a:", "unknown arm ''"),
    ],
)
def test_bad_arms_are_one_line(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        arms_of(load(), text)


def test_windows() -> None:
    assert parse_windows(None, 20) == [(1, 5), (16, 20)]
    assert parse_windows(None, 7) == [(1, 7)]
    assert parse_windows("2, 4-6", 6) == [(2, 2), (4, 6)]
    for text in ("5-3", "0-2", "4-7", "a", "1..3", ""):
        with pytest.raises(UserError, match="--windows"):
            parse_windows(text, 6)


def test_window_scores() -> None:
    runs = arm(np.array([[60.0, 6.0, 3.0], [60.0, 60.0, 9.0]]))
    scores = window_scores(runs, (2, 3), 0.5)
    assert scores["success_rate"]["value"] == 0.75
    assert scores["latency_s"]["median"]["value"] == 7.5
    assert scores["latency_s"]["iqm"]["value"] == 7.5
    assert scores["ratio"]["median"]["value"] == pytest.approx(2.5)
    assert scores["spl"]["median"]["value"] == pytest.approx(0.45)
    assert scores["latency_s"]["median"]["ci95"] == [4.5, 34.5]  # either seed alone
    near = window_scores(runs, (2, 3), 1.0)["ratio"]
    assert near["median"] == {"value": None, "ci95": [None, None]}
    assert near["trials_left_out"] == 4


def test_criterion_by_trials_and_by_steps_with_censored_seeds() -> None:
    latencies = np.full((3, 14), 30.0)
    latencies[0, 2:], latencies[1, 4:] = 4.0, 4.5
    found = criterion(arm(latencies), 0.5)
    assert found is not None
    assert [(x["ratio"], x["value"]) for x in found["trial"]] == [(1.5, 5), (2.0, 5)]
    # Of trials 1 to 10 eight and six are good, enough for the median; 1000 steps of exploring before.
    assert found["steps"]["by_seed"] == {"0": 2000, "1": 2000, "2": None}
    assert found["steps"]["run_by_seed"]["2"] == 2400
    assert (found["steps"]["value"], found["steps"]["reached"]) == (2000.0, 2)
    assert found["steps"]["ci95"] == [2000.0, None]  # all three draws may be the seed that never did


def test_trials_that_were_cut_off_do_not_meet_the_criterion_however_short_their_limit() -> None:
    runs = [
        dataclasses.replace(run, records=tuple(dataclasses.replace(x, success=False) for x in run.records))
        for run in arm(np.full((2, 12), 3.0))
    ]
    found = criterion(runs, 0.5)
    assert found is not None
    assert [bound["value"] for bound in found["trial"]] == [None, None]
    assert found["steps"]["reached"] == 0


def test_where_nothing_is_to_be_reached_there_is_no_criterion() -> None:
    runs = [
        dataclasses.replace(
            run, records=tuple(dataclasses.replace(x, optimal_path_m=None) for x in run.records)
        )
        for run in arm(np.full((2, 4), 9.0))
    ]
    assert criterion(runs, 0.5) is None
    summary = compare(load(), {"a": load()}, {"a": runs}, [(1, 4)])
    assert not any("atio" in line for line in notes(summary))


def test_days_of_delayed_match() -> None:
    day = np.array([40.0, 10.0, 8.0, 8.0])
    latencies = np.stack([np.concatenate([day, day / 2, day, day]), np.concatenate([day, day, day, day])])
    runs = arm(latencies)
    assert day_scores(runs, 0.5) is None  # a task without days

    def placed(record: TrialRecord) -> TrialRecord:
        day, before = divmod(record.trial - 1, 4)
        return dataclasses.replace(record, extras={"day": day + 1, "trial_of_day": before + 1})

    runs = [dataclasses.replace(run, records=tuple(map(placed, run.records))) for run in runs]
    scores = day_scores(runs, 0.5)
    assert scores is not None
    assert [score["days"] for score in scores] == [[1, 1], [2, 2], [3, 3], [4, 4], [3, 4]]
    assert [score["savings"]["value"] for score in scores] == [0.75] * 5
    assert scores[1]["first_latency_s"]["value"] == 30.0
    assert scores[0]["second_ratio"]["value"] == pytest.approx(10.0 / 3.0)
    assert scores[0]["second_success_rate"]["value"] == 1.0


def test_against_the_first_arm() -> None:
    slow = arm(np.array([[60.0, 10.0 + k] for k in range(8)]))
    fast = arm(np.array([[60.0, 5.0 + k] for k in range(8)]))
    test = against(slow, fast, (2, 2))
    assert test["ratio"] == pytest.approx(8.5 / 13.5)
    # 10..17 against 5..12: greater in all but those of 10, 11, 12 against 10, 11, 12 or more.
    assert test["probability_of_improvement"]["value"] == pytest.approx((64 - 6 + 3 * 0.5) / 64)
    assert test["p_value"] == pytest.approx(2.0 / 2**8)
    assert against(slow, slow, (1, 2))["p_value"] == 1.0


def test_many_arms_are_printed_within_100_columns_and_written_as_json() -> None:
    rng = np.random.default_rng(0)
    names = ["td-ltp", "no-preplay", "an-arm-with-a-long-name", "random", "ppo"]
    runs = {name: arm(rng.uniform(3.0, 60.0, (4, 20))) for name in names}
    config = load()
    summary = compare(config, dict.fromkeys(names, config), runs, [(1, 5), (16, 20)])
    assert json.loads(msgspec.json.encode(summary))["tests"]["ppo against td-ltp"]["trials"] == [16, 20]
    console = Console(width=200, markup=False, highlight=False)
    with console.capture() as capture:
        for table in tables_of(summary):
            console.print(table)
    lines = [line.rstrip() for line in capture.get().splitlines()] + notes(summary)
    assert max(map(len, lines)) <= 100
    assert not any("…" in line for line in lines)
    assert all(any(name in line for line in lines) for name in names)


def test_compare_from_the_command_line(tmp_path: Path, tolman: Callable[..., tuple[int, str, str]]) -> None:
    short = ("--set", "algorithm=random", "--set", "environment.time_limit=1.2", "--set", "habituation=0")
    common = ("compare", "WaterMaze", "--seeds", "0", "--trials", "3", "--jobs", "1", *short)
    arms = ("--arms", "td-ltp,bright:environment.renderer=raycast;trials=2", "--windows", "1,2")
    file = tmp_path / "compare.json"
    code, out, err = tolman(*common, *arms, "--json", file)
    assert (code, err) == (0, "")
    assert "trials 2" in out
    written = json.loads(file.read_text())
    assert "--windows 1,2" in written["command_line"]
    assert [window["trials"] for window in written["arms"]["bright"]["windows"]] == [[1, 1], [2, 2]]
    assert written["config_hash"] == written["arms"]["td-ltp"]["config_hash"]
    for bad, part in ((("--windows", "1-3"), "trials 1 to 2"), (("--nearest", "-1"), "--nearest")):
        code, out, err = tolman(*common, *arms[:2], *bad)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert part in err
