"""Seeds as typed on the command line, and the seed of the environment under the top seed."""

from __future__ import annotations

import re

import numpy as np

from ..spiking.random import stream
from .errors import UserError


def parse_seeds(text: str) -> list[int]:
    """Parse `7`, `0,3,9` or `100..104` (inclusive), also mixed, into a list without repeats."""
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:\.\.(\d+))?\s*", part)
        if match is None:
            raise UserError(f"seeds {text!r}: expected 7, 0,3,9 or 100..104 (inclusive)")
        first = int(match[1])
        last = first if match[2] is None else int(match[2])
        if last < first:
            raise UserError(f"seeds {text!r}: the range {part.strip()} runs backwards")
        if last - first >= 100_000:
            raise UserError(f"seeds {text!r}: at most 100000 seeds in a range")
        seeds.extend(range(first, last + 1))
    return list(dict.fromkeys(seeds))


def environment_seed(seed: int) -> int:
    """Return the seed of the environment's own stream: independent of the agent's, the same in every arm."""
    return int(stream(seed, "environment").generate_state(1, np.uint32)[0])
