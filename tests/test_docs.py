"""The pages on spiking networks, on vision and on analysis run as they stand, and name all that is public."""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import Any

import pytest
import tolman.agent.vision
import tolman.spiking

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _blocks(text: str) -> list[tuple[int, str]]:
    """Return the code blocks of a page with the line of each one's first statement, from 1."""
    return [(text.count("\n", 0, found.start(1)) + 1, found[1]) for found in BLOCK.finditer(text)]


@pytest.mark.parametrize(("name", "least"), [("spiking.md", 8), ("vision.md", 5), ("analysis.md", 1)])
def test_every_block_runs_in_order(name: str, least: int) -> None:
    page = DOCS / name
    names: dict[str, Any] = {"__name__": page.stem}
    blocks = _blocks(page.read_text())
    assert len(blocks) >= least
    for line, code in blocks:
        try:
            # Empty lines in front, so that lines count as on the page.
            exec(compile("\n" * (line - 1) + code, str(page), "exec"), names)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in frames if frame.filename == str(page)]
            at = lines[-1] if lines else getattr(error, "lineno", line)
            raise AssertionError(f"{page.name}:{at}: {type(error).__name__}: {error}") from error


@pytest.mark.parametrize(
    ("name", "public"), [("spiking.md", tolman.spiking.__all__), ("vision.md", tolman.agent.vision.__all__)]
)
def test_the_page_names_all_that_is_public(name: str, public: list[str]) -> None:
    named = set(re.findall(r"\w+", (DOCS / name).read_text()))
    assert set(public) <= named, sorted(set(public) - named)
