"""`tolman doctor`: what is installed, what is missing, and what that costs."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from argparse import Namespace
from pathlib import Path

from rich.table import Table

from .. import __version__
from .executor import available_cores
from .files import check_result, write_json
from .terminal import make_console

#: Core dependencies: without any of these nothing runs.
_CORE = (
    "gymnasium",
    "pybullet",
    "numpy",
    "scipy",
    "numba",
    "pyzmq",
    "rosbags",
    "matplotlib",
    "pillow",
    "rich",
    "msgspec",
    "joblib",
)
#: Optional distributions, and what is lost without each.
_EXTRAS = {
    "stable-baselines3": "no RL library to train on the same tasks (pip install 'tolman[baselines]')",
    "torch": "needed by stable-baselines3",
    "faery": "no AEDAT 4 and Event Stream recordings (pip install 'tolman[events]')",
    "mcap": "no recordings of topics (pip install 'tolman[record]')",
    "foxglove-sdk": "no server for Foxglove and Lichtblick (pip install 'tolman[foxglove]')",
    "rerun-sdk": "no dashboard in the browser (pip install 'tolman[rerun]')",
    "ray": "no sweeps over several machines (pip install ray)",
    "h5py": "no HDF5 recordings (pip install 'tolman[events]')",
}
_LAST_PYBULLET_WHEEL = (3, 11)


def command(arguments: Namespace) -> None:
    """Run `tolman doctor`."""
    json_file = check_result(arguments.json, "doctor")
    report = diagnose()
    console = make_console()
    table = Table(
        title=f"tolman {__version__}, Python {platform.python_version()}, {available_cores()} cores"
    )
    table.title_justify = "left"
    for heading in ("", "version", "what that means"):
        table.add_column(heading)
    for name, version, meaning in report:
        table.add_row(name, version or "missing", meaning)
    console.print(table)
    for note in notes():
        console.print(note)
    if json_file is not None:
        rows = [{"name": name, "version": version, "meaning": meaning} for name, version, meaning in report]
        described = {"version": __version__, "command": "doctor", "python": platform.python_version()}
        write_json(json_file, {**described, "packages": rows, "notes": notes()})


def diagnose() -> list[tuple[str, str | None, str]]:
    """Return (distribution, version or `None`, what that means) of everything tolman uses."""
    rows: list[tuple[str, str | None, str]] = []
    for name in _CORE:
        version = _version(name)
        rows.append((name, version, "" if version else "required: nothing runs without it"))
    for name, loss in _EXTRAS.items():
        version = _version(name)
        rows.append((name, version, "optional" if version else f"optional: {loss}"))
    return rows


def notes(version: tuple[int, ...] = sys.version_info[:3]) -> list[str]:
    """Return remarks on this machine, a sentence each."""
    remarks = []
    if version[:2] > _LAST_PYBULLET_WHEEL:
        remarks.append(
            "PyBullet has wheels up to Python 3.11; on this newer version pip compiles it, which takes a C++"
            " compiler and some minutes."
        )
    if (
        not os.environ.get("DISPLAY")
        and not os.environ.get("WAYLAND_DISPLAY")
        and sys.platform.startswith("linux")
    ):
        remarks.append("No display: `tolman view --output FILE` draws a picture instead of opening a window.")
    if not os.access(Path(__file__).parents[1], os.W_OK):
        remarks.append(
            "The installation is read-only: compiled kernels are kept in the user's cache, or compiled anew"
            " in every process where there is none (set NUMBA_CACHE_DIR)."
        )
    return remarks


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
