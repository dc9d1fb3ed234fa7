"""Windows of trials, over which a comparison says how good an arm is."""

from __future__ import annotations

import re

from .errors import UserError
from .results import BLOCK

Window = tuple[int, int]  #: first and last trial, from 1, both included


def parse_windows(text: str | None, trials: int) -> list[Window]:
    """Return the windows in `text`, such as ``1-5,16-20``; by default the first and the last block of trials.

    Raises
    ------
    UserError
        If one is not a window of 1 to `trials`.
    """
    if text is None:
        return [(1, BLOCK), (trials - BLOCK + 1, trials)] if trials >= 2 * BLOCK else [(1, trials)]
    windows: list[Window] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)
        if match is None:
            raise UserError(f"--windows {text}: expected trials such as 1-5,16-20")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= trials:
            raise UserError(f"--windows {text}: {part.strip()} is not a window of trials 1 to {trials}")
        windows.append((first, last))
    return list(dict.fromkeys(windows))


def named(window: Window) -> str:
    """Return a window as it is typed."""
    first, last = window
    return str(first) if first == last else f"{first}-{last}"
