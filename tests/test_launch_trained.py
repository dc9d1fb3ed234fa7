"""Trained agents that are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from tolman.launch import checkpoint as checkpoints
from tolman.launch.cli import main

SHORT = ("--set", "environment.time_limit=0.4", "--set", "habituation=0.4")


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOLMAN_AGENTS", str(tmp_path / "agents"))
    return tmp_path / "agents"


def test_an_agent_is_trained_when_it_is_first_asked_for_and_then_kept(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "UMaze", "--trained", *SHORT]) == 0
    assert "no trained agent for this yet" in " ".join(capsys.readouterr().out.split())
    (file,) = kept.iterdir()
    assert checkpoints.load(file).config.trials == 12
    made = file.stat().st_mtime_ns
    assert main(["run", "UMaze", "--trained", *SHORT]) == 0
    assert "no trained agent" not in capsys.readouterr().out
    assert file.stat().st_mtime_ns == made
    assert main(["run", "UMaze", "--trained", *SHORT, "--set", "agent.guidance.drive=44.0"]) == 0
    assert len(list(kept.iterdir())) == 2  # another agent


def test_agents_are_trained_by_one_command(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agents", "LinearTrack", "OpenField", *SHORT]) == 0
    assert len(list(kept.iterdir())) == 2
    assert "LinearTrack: success in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--trained", "--checkpoint", "x"], "two agents"),
        (["--trained", "--algorithm", "random"], "nothing to learn"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    options: list[str], why: str, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "WaterMaze", *options]) != 0
    assert why in capsys.readouterr().err
    assert not kept.exists()


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TOLMAN_AGENTS", str(tmp_path / "file"))
    assert main(["run", "WaterMaze", "--trained"]) != 0
    assert "TOLMAN_AGENTS" in " ".join(capsys.readouterr().err.split())
