"""Cells of CA3 and CA1 with dendrites: what they add up, and what they buy a full memory."""

from __future__ import annotations

import numpy as np
import pytest
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


def test_a_full_memory_reads_more_and_still_tells_new_from_known() -> None:
    """At 1,000 memories point cells of CA1 fall silent; helped by the senses, they believe what is sensed."""
    shape = DendriteConfig("plateau", "plateau", 0.38, 0.13)
    kinds = {
        "point": HippocampusConfig(),
        "point, helped": HippocampusConfig(read=4.7, direct=0.88),
        "dendrites": HippocampusConfig(read=4.2, direct=0.76, ca1_dendrites=shape),
    }
    rng = np.random.default_rng(5)
    known = [np.sort(rng.choice(1000, 30, replace=False)) for _ in range(1000)]
    new = [np.sort(rng.choice(1000, 30, replace=False)) for _ in range(40)]
    read, told = {}, {}
    for name, config in kinds.items():
        memory = Hippocampus(config, 3)
        for pattern in known:
            memory.store(pattern)
        shared, surprise = [], []
        for pattern in known[::25]:
            cue = np.union1d(rng.choice(pattern, 15, replace=False), rng.choice(1000, 5))
            got, mismatch = memory.recall(cue).pattern, memory.recall(cue).mismatch
            shared.append(2.0 * np.intersect1d(got, pattern).size / (got.size + pattern.size))
            surprise.append(mismatch)
        read[name] = float(np.mean(shared))
        fresh = np.array([memory.recall(pattern).mismatch for pattern in new])
        beats = fresh[:, None] > np.array(surprise)
        ties = fresh[:, None] == np.array(surprise)
        told[name] = float(np.mean(beats + 0.5 * ties))
    assert read["dendrites"] > 0.9 > 0.5 > read["point"]
    assert read["dendrites"] > read["point, helped"]
    assert told["dendrites"] >= max(told["point, helped"], 0.99)
