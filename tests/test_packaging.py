"""What the wheel holds is what stands in the source tree."""

import tomllib
from pathlib import Path

import pytest
import tolman

ROOT = Path(tolman.__file__).resolve().parent


@pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="installed from a wheel")
def test_every_package_is_named_in_pyproject() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    parts = ("agent", "analysis", "bridge", "envs", "launch", "memory", "spiking")
    found = {path.parent for part in parts for path in (ROOT / part).rglob("__init__.py")}
    names = {".".join(("tolman", *path.relative_to(ROOT).parts)) for path in found}
    assert names <= set(packages)
