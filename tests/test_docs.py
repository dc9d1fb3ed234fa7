"""The page on spiking networks runs as it stands, and names all that is public."""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import Any

import tolman.spiking

PAGE = Path(__file__).parent.parent / "docs" / "spiking.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _blocks(text: str) -> list[tuple[int, str]]:
    """Return the code blocks of a page with the line of each one's first statement, from 1."""
    return [(text.count("\n", 0, found.start(1)) + 1, found[1]) for found in BLOCK.finditer(text)]


def test_every_block_runs_in_order() -> None:
    names: dict[str, Any] = {"__name__": "spiking_page"}
    blocks = _blocks(PAGE.read_text())
    assert len(blocks) >= 8
    for line, code in blocks:
        try:
            # Empty lines in front, so that lines count as on the page.
            exec(compile("\n" * (line - 1) + code, str(PAGE), "exec"), names)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in frames if frame.filename == str(PAGE)]
            at = lines[-1] if lines else getattr(error, "lineno", line)
            raise AssertionError(f"{PAGE.name}:{at}: {type(error).__name__}: {error}") from error


def test_the_page_names_all_that_is_public() -> None:
    named = set(re.findall(r"\w+", PAGE.read_text()))
    assert set(tolman.spiking.__all__) <= named, sorted(set(tolman.spiking.__all__) - named)
