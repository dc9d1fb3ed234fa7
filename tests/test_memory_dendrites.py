"""Cells of CA3 and CA1 with dendrites: what they add up, and what they buy a full memory."""

from __future__ import annotations

import numpy as np
import pytest
from tolman.analysis.statistics import roc_area, set_f1
from tolman.memory.dendrites import DendriteConfig
from tolman.memory.hippocampus import Hippocampus, HippocampusConfig


def _shares(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.0, 1.5, 200).astype(np.float32)


def test_linear_dendrites_are_a_point_cell() -> None:
    senses, recall = _shares(1), _shares(2)
    drive = DendriteConfig().drive(senses, 2.0, recall, 4.0)
    assert drive == pytest.approx(2.0 * senses + 4.0 * recall, rel=1e-6)


def test_a_plateau_is_a_sigmoid_that_is_nothing_without_input() -> None:
    senses, recall = _shares(1), _shares(2)
    cell = DendriteConfig(apical="plateau", onset=0.6, width=0.1)
    drive = cell.drive(senses, 0.7, recall, 3.0)
    at_rest = 1.0 / (1.0 + np.exp(0.6 / 0.1))
    plateau = 1.0 / (1.0 + np.exp(-(recall.astype(np.float64) - 0.6) / 0.1)) - at_rest
    assert drive == pytest.approx(0.7 * senses + 3.0 * plateau, rel=1e-5, abs=1e-6)
    assert np.all(cell.drive(np.zeros(3, np.float32), 0.7, np.zeros(3, np.float32), 3.0) == 0.0)


def test_ca1_that_hears_the_cue_reads_a_full_memory_and_tells_new_from_known() -> None:
    """Point cells do it as well as dendrites when they need as much recall, with the cue and without."""
    shape, gain, direct = DendriteConfig("plateau", "plateau", 0.38, 0.13), 4.2, 0.76
    recall = np.linspace(0.0, 1.0, 10001, dtype=np.float32)
    needs = [
        recall[np.searchsorted(shape.drive(np.full_like(recall, cue), direct, recall, gain), 1.0)]
        for cue in (0.0, 1.0)
    ]
    read = 1.0 / float(needs[0])
    kinds = {
        "default": HippocampusConfig(),
        "dendrites": HippocampusConfig(read=gain, direct=direct, ca1_dendrites=shape),
        "point": HippocampusConfig(read=read, direct=1.0 - read * float(needs[1])),
    }
    rng = np.random.default_rng(5)
    known = [np.sort(rng.choice(1000, 30, replace=False)) for _ in range(1000)]
    new = [np.sort(rng.choice(1000, 30, replace=False)) for _ in range(40)]
    cues = [np.union1d(rng.choice(p, 15, replace=False), rng.choice(1000, 5)) for p in known[::25]]
    f1, told = {}, {}
    for name, config in kinds.items():
        memory = Hippocampus(config, 3)
        for pattern in known:
            memory.store(pattern)
        recalls = [memory.recall(cue) for cue in cues]
        pairs = zip(recalls, known[::25], strict=True)
        f1[name] = np.mean([set_f1(got.pattern, pattern) for got, pattern in pairs])
        fresh = np.array([memory.recall(pattern).mismatch for pattern in new])
        told[name] = roc_area(fresh, np.array([got.mismatch for got in recalls]))
    assert f1["default"] < 0.5
    assert f1["dendrites"] > 0.95
    assert told["dendrites"] > 0.99
    assert f1["point"] == pytest.approx(f1["dendrites"], abs=0.01)
    assert told["point"] == pytest.approx(told["dendrites"], abs=0.01)
