"""Records of trials: what is kept of the spikes of a control period."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from tolman.agent.snapshot import AgentSnapshot
from tolman.launch.recorder import Recorder, read_trials


def moment(step: int, spikes: list[tuple[int, int, bool]]) -> Any:
    """Return control period `step` with spikes of (neuron, ms, in a sharp wave)."""
    neuron, time, ripple = zip(*spikes, strict=True)
    seen = AgentSnapshot(
        0.04 * step, np.zeros(3), True, np.array(neuron, np.uint32), np.array(time, np.uint16),
        np.zeros(4, np.float32), 0.0, 0.0, np.zeros(2, np.float32), spike_ripple=np.array(ripple),
    )  # fmt: skip
    none = np.zeros(0, np.int64)
    observation = {"odometry": np.zeros(2), "events": {"t": none, "x": none, "y": none, "p": none}}
    return SimpleNamespace(
        snapshot=seen, step=step, time=0.04 * step, pose=(0.0, 0.0, 0.0), reward=0.0,
        action=np.zeros(2), observation=observation,
    )  # fmt: skip


def test_spikes_of_other_places_are_kept_apart(tmp_path: Path) -> None:
    agent: Any = SimpleNamespace(populations={"view": slice(0, 10), "place": slice(10, 20)})
    recorder = Recorder(tmp_path, agent, 8, 4)
    recorder.watch(moment(2, [(3, 1, False), (11, 5, False), (12, 30, True), (13, 310, True)]))
    recorder.watch(moment(3, [(14, 0, False)]))
    recorder.end(SimpleNamespace(trial=1, extras={}))  # type: ignore[arg-type]
    kept = read_trials(tmp_path)[1]
    np.testing.assert_array_equal(kept["spike_neuron"], [11, 14])
    np.testing.assert_array_equal(kept["spike_step"], [2, 3])
    np.testing.assert_array_equal(kept["spike_ms"], [85, 120])
    np.testing.assert_array_equal(kept["ripple_neuron"], [12, 13])
    np.testing.assert_array_equal(kept["ripple_step"], [2, 2])
    np.testing.assert_array_equal(kept["ripple_ms"], [110, 390])
