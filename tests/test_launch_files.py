"""Files that a verb reads, writes or finds: none is lost by a slip, damage is said in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from refused import QUICK, Tolman, assert_refused, quick_run
from tolman.envs.registration import ENVIRONMENTS, parameters
from tolman.launch.config import load
from tolman.launch.environments import make_environment, task_ids
from tolman.launch.errors import UserError
from tolman.launch.files import atomic, check_result


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of units whose path nobody can analyse; it is only to survive."""
    file = tmp_path_factory.mktemp("units") / "units.npz"
    np.savez(file, spike_times=np.arange(3.0))
    return file


@pytest.fixture
def run(tolman: Tolman, tmp_path: Path) -> Path:
    return quick_run(tolman, tmp_path / "run", 2)


def test_an_output_that_is_an_input_or_another_output_is_refused(
    tolman: Tolman, units: Path, tmp_path: Path
) -> None:
    before = units.read_bytes()
    same = units.parent / "." / units.name
    assert_refused(tolman("analyze", units, "--json", same), "--json", "PATH", "two files")
    assert_refused(tolman("localize", units, "--output", units), "--output", "FILE", "two files")
    link = tmp_path / "link.npz"
    link.symlink_to(units)
    assert_refused(tolman("analyze", units, "--json", link), "two files")
    both = tmp_path / "both.mcap"
    assert_refused(tolman("run", "WaterMaze", "--record", both, "--json", both), "--json", "--record")
    assert units.read_bytes() == before
    assert not both.exists()


def test_a_shipped_experiment_is_no_file(
    tolman: Tolman, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    demo = ("train", "--config", "demo", "--output", "demo", "--trials", 1, *QUICK, "--no-figures")
    code, _, err = tolman(*demo, "--json", "demo/results.json")
    assert (code, err) == (0, "")


@pytest.mark.parametrize("what", ["--json", "--output"])
def test_an_empty_name_is_refused(
    tolman: Tolman, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(tolman("compare", "WaterMaze", *QUICK, what, ""), f"{what} needs a name")
    assert list(tmp_path.iterdir()) == []


def test_json_replaces_results_and_nothing_else(tolman: Tolman, tmp_path: Path, run: Path) -> None:
    file = tmp_path / "notes.json"
    for precious in ('{"diary": 1}', "no JSON at all", "[1]"):
        file.write_text(precious)
        assert_refused(tolman("doctor", "--json", file), "notes.json", "no result of tolman")
        assert file.read_text() == precious
    for free in ("", '{"version": "0", "command": "run"}'):
        file.write_text(free)
        assert check_result(str(file), "doctor") == file
    for name in ("checkpoint.npz", "run.json"):
        assert_refused(tolman("doctor", "--json", run / name), "no result of tolman")
    assert_refused(tolman("doctor", "--json", run / "results.json"), "`tolman train`", "needs")
    assert check_result(str(run / "results.json"), "train") is not None


def test_pipes_are_written_to_and_links_stay_links(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tolman.launch.cli", "doctor", "--json", "/dev/stdout"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout[done.stdout.index("\n{") :])["command"] == "doctor"
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    link.symlink_to(target)
    with atomic(link) as temporary:
        temporary.write_text("through")
    assert link.is_symlink()
    assert target.read_text() == "through"


def test_what_is_left_of_a_run_is_not_overwritten_unasked(tolman: Tolman, run: Path) -> None:
    train = ("train", "WaterMaze", *QUICK, "--trials", 2, "--output", run, "--no-figures")
    (run / "checkpoint.npz").unlink()
    assert_refused(tolman(*train), "run.json", "--overwrite")
    assert_refused(tolman(*train, "--resume"), "not its checkpoint")
    for name in ("run.json", "results.json"):
        (run / name).unlink()
    assert_refused(tolman(*train), "trial_0001.npz", "--overwrite")
    for record in (run / "trials").iterdir():
        record.unlink()
    assert_refused(tolman(*train, "--resume"), "holds no run")
    assert tolman(*train)[0] == 0


def test_overwriting_a_run_leaves_what_others_put_there(tolman: Tolman, run: Path) -> None:
    mine = [run / "trials" / "notes.txt", run / "thesis.pdf"]
    for file in mine:
        file.write_text("mine")
    (run / "animation.gif").write_text("of the run before")
    code, _, err = tolman(
        "train", "WaterMaze", *QUICK, "--trials", 1, "--output", run, "--no-figures", "--overwrite"
    )
    assert (code, err) == (0, "")
    assert [file.read_text() for file in mine] == ["mine", "mine"]
    assert not (run / "animation.gif").exists()
    assert not (run / "trials" / "trial_0002.npz").exists()


def test_a_run_interrupted_before_its_first_checkpoint_begins_again(tolman: Tolman, run: Path) -> None:
    for file in (run / "checkpoint.npz", run / "results.json", run / "trials" / "trial_0002.npz"):
        file.unlink()
    code, out, _ = tolman(
        "train", "WaterMaze", *QUICK, "--trials", 2, "--output", run, "--no-figures", "--resume"
    )
    assert code == 0
    assert "no checkpoint yet" in out


def _without(file: Path, *names: str, **changed: np.ndarray) -> None:
    with np.load(file) as archive:
        arrays = {name: archive[name] for name in archive.files if name not in names}
    np.savez(file, **(arrays | changed))


@pytest.mark.parametrize(
    "damage", ["no pose", "short pose", "late spikes", "no scene", "odd scene", "strange map"]
)
def test_a_damaged_run_is_refused_in_one_line(tolman: Tolman, run: Path, damage: str) -> None:
    trial, description = run / "trials" / "trial_0001.npz", run / "run.json"
    scene = json.loads(description.read_text())
    match damage:
        case "no pose":
            _without(trial, "pose")
        case "short pose":
            _without(trial, pose=np.zeros((3, 3)))
        case "late spikes":
            late = np.array([10**6], np.uint32)
            _without(trial, spike_neuron=np.zeros(1, np.uint32), spike_step=late)
        case "strange map":
            _without(trial, map_number=np.full(30, 7))
        case "no scene":
            description.write_text(json.dumps({"version": "0"}))
        case "odd scene":
            scene["scene"]["outline"] = [1, 2]
            description.write_text(json.dumps(scene))
    assert_refused(tolman("plot", run), "run")
    assert_refused(tolman("analyze", run), "run")


@pytest.mark.parametrize(
    "content", ['{"arms": {}}', '{"arms": 3}', "[]", '{"windows": [[1]], "arms": {"a": {}}}']
)
def test_a_damaged_comparison_is_refused_in_one_line(tolman: Tolman, tmp_path: Path, content: str) -> None:
    (tmp_path / "comparison.json").write_text(content)
    assert_refused(tolman("plot", tmp_path), "comparison.json")


def test_a_file_whose_stream_is_damaged_is_refused(tolman: Tolman, tmp_path: Path) -> None:
    file = tmp_path / "counts.npz"
    np.savez_compressed(file, reference=np.arange(3000) % 7, query=np.arange(3000) % 5)
    data = bytearray(file.read_bytes())
    data[60:120] = bytes(60)
    file.write_bytes(data)
    for verb in ("localize", "analyze", "view"):
        assert_refused(tolman(verb, file, *(() if verb != "view" else ("--output", tmp_path / "p.png"))))


def test_options_of_a_task_are_checked_against_its_parameters() -> None:
    assert set(task_ids()) == set(ENVIRONMENTS)
    assert parameters("tolman/TMaze-v0")["delay"] is float
    refused = {
        "TMaze": ["delay='abc'", "delay=inf", "nosuch=1", "control_period=0.05", "delay=[1.0]"],
        "WaterMaze": ["start_distance=5.0", "start_radius=9.0", "robot={radius=0.1}"],
        "Detour": ["phases=3", "phases=[[2,['roof']]]"],
        "DelayedMatch": ["trials_per_day=1.5", "search='never'"],
    }
    for task, settings in refused.items():
        for setting in settings:
            config = load(settings=[f"environment.options.{setting}"])
            with pytest.raises(UserError, match=setting[:5]):
                make_environment(f"tolman/{task}-v0", config.environment)
    config = load(settings=["environment.options={delay=5,stem=1.0}"])
    make_environment("tolman/TMaze-v0", config.environment).close()


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("agent.motor.tau_vote=0", "must be > 0"),
        ("agent.memory.place.tau_input=-1.0", "must be > 0"),
        ("agent.looming.bound=inf", "must be finite"),
        ("agent.actor_critic.kappa_slow=0.01", "kappa_fast < kappa_slow"),
        ("agent.actor_critic.critic_start=9.0", "critic_high"),
        ("agent.memory.heading.neurons.mismatch=-1.0", "mismatch"),
        ("agent.third_factor=luck", "allowed: td, reward"),
        ("environment.sensor=eye", "allowed: ideal"),
        ("seed=1\ntrials=3", "a --set of its own"),
    ],
)
def test_impossible_settings_are_refused_by_name(setting: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as refused:
        load(settings=[setting])
    assert "\n" not in str(refused.value)


def test_what_would_not_be_heeded_is_refused(tolman: Tolman, run: Path) -> None:
    for arguments, part in (
        (("run", "WaterMaze", *QUICK, "--set", "trials=5"), "--episodes"),
        (("run", "--checkpoint", run, "--algorithm", "td-ltp"), "checkpoint of random"),
        (("evaluate", "WaterMaze", *QUICK, "--set", "seed=3"), "--seeds"),
        (("compare", "WaterMaze", *QUICK, "--arms", "a:seed=3"), "'a' changes the seed"),
        (("analyze", run, "--probe", 1, "--output", "x"), "--output has no effect"),
        (("agents", "WaterMaze", "Nowhere"), "unknown task 'Nowhere'"),
        (("run", "WaterMaze", "--kidnap", "1e300"), "--kidnap"),
        (("bench", "--seconds", "inf"), "--seconds"),
    ):
        assert_refused(tolman(*arguments), part)


@pytest.mark.skipif(os.name != "posix", reason="pipes of a shell")
def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m tolman.launch.cli doctor | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "141")
