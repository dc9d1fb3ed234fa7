"""What a robot that looks for itself concludes from recalls."""

from __future__ import annotations

import numpy as np
import pytest
from tolman.memory.calibration import DriveTable
from tolman.memory.config import CorrectionConfig
from tolman.memory.conflict_race import RaceConfig
from tolman.memory.evidence import Candidate
from tolman.memory.grid import GridConfig, grid_modules
from tolman.memory.search import Finding, Search

MODULES = grid_modules(GridConfig(), 0, DriveTable((0.0, 1.0), (0.0, 1.0)))


def at(x: float, y: float, turn: float = 0.0, evidence: float = 1.0) -> Candidate:
    place = np.array([x, y])
    return Candidate(turn, place, np.stack([module.phase_of(place) for module in MODULES]), evidence)


@pytest.fixture(params=[None, RaceConfig(bound=3.4, lead=1.0)], ids=["evidence", "cells"])
def search(request: pytest.FixtureRequest) -> Search:
    return Search(CorrectionConfig(), request.param, seed=3)


def told(search: Search, recalled: Candidate, held: Candidate | None, times: int) -> list[Finding]:
    return [search.judge(Candidate(**_fields(recalled)), held, True) for _ in range(times)]


def _fields(candidate: Candidate) -> dict[str, object]:
    return {name: getattr(candidate, name) for name in ("turn", "place", "phases", "evidence", "chart")}


def test_recalls_of_here_mean_here(search: Search) -> None:
    held = at(0.2, 0.1)
    assert set(told(search, at(0.25, 0.05, 0.1), held, 10)) == {Finding.HERE}
    assert search.conflict(held.place) < 0.0


def test_recalls_of_elsewhere_are_believed_when_they_agree(search: Search) -> None:
    held = at(0.2, 0.1)
    found = told(search, at(-0.4, -0.3, 1.2), held, 12)
    assert Finding.ELSEWHERE in found
    assert 2 <= found.index(Finding.ELSEWHERE) <= 7
    assert found[0] is Finding.OPEN


def test_one_recall_of_elsewhere_changes_nothing(search: Search) -> None:
    held = at(0.2, 0.1)
    told(search, at(0.2, 0.1), held, 5)
    assert search.judge(at(-0.4, -0.3, 1.2), held, True) is Finding.OPEN
    assert search.judge(at(0.2, 0.1), held, True) is Finding.HERE


def test_where_nothing_is_familiar_it_is_strange(search: Search) -> None:
    rng = np.random.default_rng(0)
    held = at(0.2, 0.1)
    found = [
        search.judge(at(*rng.uniform(-0.8, 0.8, 2), rng.uniform(-3, 3), -0.3), held, True) for _ in range(60)
    ]
    assert Finding.STRANGE in found
    assert found.index(Finding.STRANGE) > 8


def test_a_lost_robot_is_easier_to_convince() -> None:
    lost, sure = Search(CorrectionConfig()), Search(CorrectionConfig())
    sooner = told(lost, at(-0.4, -0.3, 1.2), None, 8).index(Finding.ELSEWHERE)
    assert sooner < told(sure, at(-0.4, -0.3, 1.2), at(0.2, 0.1), 8).index(Finding.ELSEWHERE)
    weak = Search(CorrectionConfig())
    findings = told(weak, at(0.0, 0.0, 0.0, -0.5), None, 40)
    assert Finding.STRANGE in findings
    weak.clear()
    assert told(weak, at(0.0, 0.0, 0.0, -0.5), None, 3) == [Finding.OPEN] * 3
