"""Randomly drawn networks spike and learn as in Brian2 (`benchmarks/oracles/brian_networks.py`)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scripts import load
from tolman.spiking import STDP, AdaptiveLIF, Network

ROOT = Path(__file__).parent


ORACLE = load("oracles/brian_networks")
STORED = json.loads((ROOT / "data" / "brian_networks.json").read_text())["networks"]


@pytest.mark.parametrize("seed", ORACLE.SEEDS)
def test_a_random_network_spikes_and_learns_as_in_brian2(seed: int) -> None:
    made, n, excitatory = ORACLE.draw(seed), 200, np.arange(200) < ORACLE.EXCITATORY
    net = Network(dt=ORACLE.DT, precision="double")
    model = AdaptiveLIF(
        tau_adaptation=made["tau_adaptation"], coupling=made["coupling"] * excitatory, jump=0.1 * excitatory
    )
    cells = net.population("cells", n, model, drive=made["drive"], membrane=made["start"])
    net.connect(
        cells,
        cells,
        wiring=(made["pre"], made["post"]),
        weight=made["weight"],
        delay=made["delay"] * ORACLE.DT,
    )
    steps, sources = made["trains"].T
    outside = net.trains("outside", ORACLE.OUTSIDE, steps * ORACLE.DT, sources)
    plastic = net.connect(outside, cells, wiring="dense", weight=made["plastic"], rule=STDP(high=0.5))
    record = net.record(cells)
    net.step(ORACLE.STEPS)
    ours, theirs = record.rows, np.array(STORED[str(seed)]["spikes"])
    assert len(theirs) > 1000
    assert abs(len(ours) - len(theirs)) <= 0.01 * len(theirs)
    matched = 0
    for i in range(n):
        a, b = ours[ours[:, 1] == i, 0], theirs[theirs[:, 1] == i, 0]
        if a.size and b.size:
            matched += np.count_nonzero(np.abs(b[:, None] - a).min(axis=1) <= 1)
    assert matched >= 0.99 * len(theirs)
    np.testing.assert_allclose(plastic.weights.ravel(), STORED[str(seed)]["weights"], atol=2e-4)
