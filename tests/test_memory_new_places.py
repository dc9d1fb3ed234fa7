"""A robot doubts its pose where what it sees should resemble what it knows, not beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tolman.memory.config import MemoryConfig
from tolman.memory.spatial import SpatialMemory

BANDS, PERIOD = 8, 0.04


class Drive:
    """Along a line of which 0.4 m become known; nothing is learned after that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.memory = SpatialMemory(MemoryConfig(), BANDS, np.zeros(BANDS), 0)
        self.memory.start()
        self.rng = np.random.default_rng(3)
        self.views = 3.0 * (self.rng.random((3, BANDS, self.memory.config.view_bins)) < 0.08)
        for speed in (*(0.15, -0.15) * 4, 0.15):
            for half in (0, 1) if speed > 0.0 else (1, 0):
                self.go(half, speed, 1.25)
        anchor = self.memory.anchor
        anchor.config = replace(anchor.config, store_below=0.0, view_below=0.0, doubt=0.8)
        self.searches = 0
        look = anchor._search

        def counted(*arguments: Any, **named: Any) -> Any:
            self.searches += 1
            return look(*arguments, **named)

        monkeypatch.setattr(anchor, "_search", counted)

    def go(self, view: int, speed: float, seconds: float) -> None:
        for _ in range(round(seconds / PERIOD)):
            fired = self.rng.poisson(self.views[view]).astype(np.float32)
            self.memory.advance(fired, True, speed, 0.0)

    @property
    def closest(self) -> float:
        """How much the place resembles that of the nearest memory."""
        return float(self.memory.ca3.grid_similarity(self.memory.grid_vector()).max())


def test_another_view_at_a_known_place_is_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    drive = Drive(monkeypatch)
    drive.go(1, -0.05, 1.0)
    assert drive.searches == 0
    drive.go(2, -0.05, 2.0)
    assert drive.closest > 0.6
    assert drive.searches > 1


def test_another_view_beside_known_places_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    drive = Drive(monkeypatch)
    drive.go(2, 0.6, 0.32)  # past what is known before a doubt has grown
    drive.go(2, 0.01, 3.0)
    assert 0.45 < drive.closest < 0.6
    assert drive.searches == 0


def test_a_view_that_is_known_of_elsewhere_is_doubted_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    drive = Drive(monkeypatch)
    drive.go(2, 0.6, 0.32)
    drive.go(0, 0.01, 3.0)
    assert drive.searches > 1
    assert abs(drive.memory.pose[0] - 0.09) < 0.2  # where that was seen
