"""The monitor of conflict: what it believes, when it jumps, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripts import load
from tolman.memory.conflict import ConflictConfig, ConflictMonitor, Held, Seen
from tolman.memory.conflict_race import Decision, Displacement, Race, RaceConfig, one_cause_reference

BENCH = load("conflict")
CONFIG = ConflictConfig()
STILL = np.zeros((2, 2))
PHASES = np.array([[0.2, 0.7], [0.9, 0.4]])


def verdicts(turn: float, shift: float, strength: float, cycles: int = 10, seed: int = 0) -> list:
    monitor = ConflictMonitor(CONFIG, seed)
    seen = Seen(0.5 + turn, PHASES + shift, strength, strength)
    return [monitor.judge(seen, Held(0.5, PHASES)) for _ in range(cycles)]


def test_agreement_conflict_and_weights() -> None:
    agree, astray = verdicts(0.0, 0.0, 0.75), verdicts(2.5, 1.0 / 3.0, 0.75)
    assert all(v.decision is Decision.AGREE for v in agree)
    assert np.mean([v.agreement for v in agree[1:]]) > 0.7
    assert np.mean([v.agreement for v in astray[1:]]) < 0.1
    assert max(v.heading_conflict for v in agree) < min(v.heading_conflict for v in astray)
    assert max(v.place_conflict for v in agree) < min(v.place_conflict for v in astray)
    assert max(v.heading_weight for v in astray[1:]) < 0.1
    weights = [
        float(np.mean([v.heading_weight for v in verdicts(0.0, 0.0, strength)]))
        for strength in (0.2, 0.4, 0.75, 1.0)
    ]
    assert np.all(np.diff(weights) > 0.0)


def test_noise_goes_on_where_it_was_saved_and_begins_anew_with_a_seed() -> None:
    seen, held = Seen(0.5, PHASES, 0.7, 0.7), Held(0.5, PHASES)
    first, second = ConflictMonitor(CONFIG, 0), ConflictMonitor(CONFIG, 1)
    for _ in range(3):
        first.judge(seen, held)
    first.clear()
    second.reseed(0)
    for name, array in second.arrays().items():
        array[...] = first.arrays()[name]
    assert first.judge(seen, held).heading_conflict == second.judge(seen, held).heading_conflict
    assert (
        first.judge(seen, held).heading_conflict
        != ConflictMonitor(CONFIG, 0).judge(seen, held).heading_conflict
    )


def test_a_lasting_displacement_is_jumped_to_and_named() -> None:
    last = verdicts(2.0, 0.3, 0.8, 20)[-1]
    assert last.decision is Decision.REANCHOR
    assert abs(last.turn - 2.0) < 0.3
    assert np.abs(last.shift - 0.3).max() < 0.1


def test_views_that_are_not_familiar_lead_to_a_new_map() -> None:
    assert verdicts(1.0, 0.4, 0.0, 20)[-1].decision is Decision.NEW_MAP


def test_an_outlier_changes_nothing_and_a_clear_forgets() -> None:
    race = Race(RaceConfig())
    for _ in range(20):
        race.add(0.0, STILL, 1.0, STILL)
    race.add(2.0, STILL + 0.4, 1.0, STILL)
    assert race.decision() is Decision.AGREE
    for _ in range(30):
        race.add(2.0, STILL + 0.4, 1.0, STILL)
    assert race.decision() is Decision.REANCHOR
    race.clear()
    assert race.evidence == (0.0, 0.0, 0.0)


def test_displacements_that_contradict_each_other_do_not_add_up() -> None:
    race, rng = Race(RaceConfig()), np.random.default_rng(0)
    for _ in range(60):
        race.add(float(rng.uniform(-np.pi, np.pi)), rng.random((2, 2)), 1.0, STILL)
        assert race.decision() is not Decision.REANCHOR
    assert race.decision() is Decision.NEW_MAP


@given(st.floats(-3.1, 3.1), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
@settings(deadline=None)
def test_a_displacement_moves_on_as_the_sheets_go_astray(turn: float, x: float, y: float) -> None:
    sheets, here = BENCH.modules(2), np.array([0.3, -0.2])
    step = np.array([x, y])
    rotated = BENCH.rotation(turn) @ step
    by = np.stack([module.phase_change(step) for module in sheets])
    displacement = Displacement(turn, np.stack([module.phase_of(here) for module in sheets]), 1.0)
    displacement.move(by)
    expected = np.stack([module.phase_of(here + rotated - step) for module in sheets])
    off = displacement.shift - expected
    np.testing.assert_allclose(off - np.round(off), 0.0, atol=1e-9)


@given(st.floats(-7.0, 7.0), st.lists(st.floats(-2.0, 2.0), min_size=4, max_size=4))
@settings(deadline=None)
def test_beliefs_are_those_of_their_numpy_twin(turn: float, shifts: list[float]) -> None:
    race, shift = Race(RaceConfig()), np.array(shifts).reshape(2, 2)
    expected = one_cause_reference(np.array([[turn]]), race.config.tolerance_heading, 0.05)
    assert race.same_heading(turn) == pytest.approx(expected, rel=1e-9)
    waves = 2.0 * np.pi * np.concatenate([shift, shift.sum(axis=1, keepdims=True)], axis=1)
    expected = one_cause_reference(waves, 2.0 * np.pi * race.config.tolerance_phase, 0.05)
    assert race.same_place(shift) == pytest.approx(expected, rel=1e-9)


def test_a_kidnapping_is_told_from_noise_and_the_usual_course() -> None:
    sheets = BENCH.modules(2)
    scores = {
        kind: np.array([BENCH.run(kind, 0.2, seed, CONFIG, sheets).score for seed in range(500, 506)])
        for kind in ("nothing", "noise", "moved", "kidnapped", "carried")
    }
    usual = np.concatenate([scores[kind] for kind in ("nothing", "noise", "moved")])
    for kind in ("kidnapped", "carried"):
        assert BENCH.roc_area(scores[kind], usual) >= 0.95


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"phases must have shape \(2, 2\)"):
        ConflictMonitor(CONFIG, 0).judge(Seen(0.0, np.zeros((3, 2)), 0.5, 0.5), Held(0.0, STILL))
    with pytest.raises(ValueError, match=r"heading_strength must be in \[0, 1\]"):
        Seen(0.0, STILL, 1.5, 0.5)
    with pytest.raises(ValueError, match=r"strength must be in \[0, 1\]"):
        Held(0.0, STILL, -0.1)
    for arguments, message in (
        ({"leak": 0.0}, r"leak must be in \(0, 1\)"),
        ({"bound": 0.0}, "bound must be > 0"),
        ({"lead": -1.0}, "lead must be >= 0"),
    ):
        with pytest.raises(ValueError, match=message):
            RaceConfig(**arguments)
    with pytest.raises(ValueError, match="modules must be >= 1"):
        ConflictConfig(modules=0)
