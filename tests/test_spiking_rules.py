"""XOR and the random walk are learned from reward: the small version of `benchmarks/rules.py`."""

from __future__ import annotations

import numpy as np
import pytest
from scripts import load

RULES = load("rules")


@pytest.mark.parametrize(("kind", "trials"), [("rstdp", 250), ("both", 700)])
def test_xor_is_learned(kind: str, trials: int) -> None:
    learned = RULES.learned_at(RULES.xor(kind, 10, trials), 50, 0.9)
    assert sum(after is not None for after in learned) >= 9


def test_the_random_walk_is_learned_by_every_rule() -> None:
    for kind, walks in (("rstdp", 60), ("hedonistic", 140), ("both", 120)):
        learned = RULES.walks_learned(RULES.walk(kind, 5, walks))
        assert sum(after is not None for after in learned) >= 4, kind


def test_without_a_rule_nothing_is_learned() -> None:
    right = RULES.xor("none", 10, 200)
    assert abs(right.mean() - 0.5) < 0.06
    taken = RULES.walk("none", 10, 30)
    assert 0.25 < np.mean(taken > 0) < 0.75
    assert RULES.walks_learned(taken).count(None) >= 9
