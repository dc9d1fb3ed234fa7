"""What a refusal of the command line looks like, and the smallest run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Tolman = Callable[..., tuple[int, str, str]]
QUICK = ("--set", "environment.time_limit=1.2", "--set", "algorithm=random", "--set", "habituation=0")


def assert_refused(result: tuple[int, str, str], *parts: str) -> None:
    """Check that a call ended in one line on standard error that holds all `parts`, and in nothing else."""
    code, out, err = result
    assert (code, out, err.count("\n")) == (2, "", 1), (out, err)
    assert err.startswith("tolman: error: ")
    for part in parts:
        assert part in err


def quick_run(tolman: Tolman, folder: Path, trials: int) -> Path:
    """Train for so many `trials` into `folder`, without figures; return the folder."""
    code, _, err = tolman(
        "train", "WaterMaze", *QUICK, "--trials", trials, "--output", folder, "--no-figures"
    )
    assert (code, err) == (0, "")
    return folder
