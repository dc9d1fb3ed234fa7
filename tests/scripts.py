"""Scripts of `benchmarks/` as modules, for the tests that share their tasks and reference values."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def load(name: str) -> Any:
    """Return the script `name`, a path below `benchmarks/` without its ending, as a module."""
    title = f"benchmark_{name.replace('/', '_')}"
    specification = importlib.util.spec_from_file_location(title, BENCHMARKS / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[title] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module
