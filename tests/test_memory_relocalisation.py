"""Finding oneself again: evidence for rival places, the search through memories, the decoder's last step."""

from __future__ import annotations

import numpy as np
import pytest
from tolman.memory.ca3 import CA3, CA3Config
from tolman.memory.config import STEPS, CorrectionConfig
from tolman.memory.decoder import GridDecoder
from tolman.memory.evidence import Candidate, Evidence
from tolman.memory.grid import GridConfig, GridModule, calibrate, grid_modules, lattice_bump
from tolman.memory.heading import HeadDirection, HeadingConfig
from tolman.memory.poses import wrap
from tolman.memory.relay import merge
from tolman.memory.target import Target


def recalled(turn: float, x: float, y: float, evidence: float = 1.0) -> Candidate:
    return Candidate(turn, np.array([x, y]), np.zeros((4, 2)), evidence)


def test_recalls_that_agree_reach_the_bound_and_single_ones_do_not() -> None:
    evidence = Evidence(leak=0.05, most=100.0)
    agreeing = [recalled(0.1 * k, 0.05 * k, 0.0) for k in range(4)]
    for candidate in agreeing:
        assert evidence.decided(bound=3.0, lead=2.0) is None
        evidence.add(candidate)
    assert evidence.decided(bound=3.0, lead=2.0) is agreeing[-1], "the latest recall is the one believed"
    evidence.clear()
    for k in range(10):
        evidence.add(recalled(0.6 * k, 0.0, 0.0))
    assert evidence.decided(bound=3.0, lead=2.0) is None


def test_two_places_that_look_alike_are_not_believed_until_one_leads() -> None:
    evidence = Evidence(leak=0.0, most=100.0)
    for _ in range(5):
        evidence.add(recalled(0.0, 0.5, 0.0))
        evidence.add(recalled(3.1, -0.5, 0.0))
    assert evidence.decided(bound=3.0, lead=2.0) is None
    for _ in range(2):
        evidence.add(recalled(0.0, 0.5, 0.0))
    best = evidence.decided(bound=3.0, lead=2.0)
    assert best is not None
    assert best.place[0] == 0.5


def test_angles_agree_across_the_seam_and_poor_recalls_only_let_evidence_leak() -> None:
    evidence = Evidence(leak=0.1, most=100.0)
    evidence.add(recalled(np.pi - 0.05, 0.0, 0.0, 2.0))
    evidence.add(recalled(-np.pi + 0.05, 0.0, 0.0, 2.0))
    assert evidence.decided(bound=3.5, lead=1.0) is not None
    for _ in range(3):
        evidence.add(recalled(0.0, 0.0, 0.0, -1.0))
    assert evidence.decided(bound=3.5, lead=1.0) is None


def test_search_finds_what_comparing_with_every_memory_finds() -> None:
    rng = np.random.default_rng(0)
    memory = CA3(CA3Config(neurons=1000), 600, 256, seed=0)
    apart = np.minimum(np.arange(600), 600 - np.arange(600))
    blur = np.fft.rfft(np.exp(-0.5 * (apart / 1.2) ** 2))  # neighbouring directions resemble each other
    views = np.fft.irfft(np.fft.rfft(rng.random((150, 600)) ** 3, axis=1) * blur, 600, axis=1)
    views -= views.mean(axis=1, keepdims=True)
    views = np.asarray(views / np.linalg.norm(views, axis=1, keepdims=True), np.float32)
    for view in views:
        memory.store(view, np.full(256, 1.0 / 16.0, np.float32))
    assert np.count_nonzero(memory.heads) == memory.memories
    for k in range(0, 150, 10):
        noisy = views[k] + 0.02 * rng.random(600).astype(np.float32)
        cues = np.stack([np.roll(noisy, shift) for shift in range(-3, 5)])
        every, some = memory.view_similarity(cues), memory.search(cues)
        assert np.argmax(some.max(axis=1)) == np.argmax(every.max(axis=1)) == 3
        compared = some.any(axis=0)
        np.testing.assert_array_equal(some[:, compared], every[:, compared])
        assert np.count_nonzero(compared) == 24 * 5
        assert set(np.flatnonzero(memory.recall(some[3]).counts)) == set(
            np.flatnonzero(memory.recall(every[3]).counts)
        )


def test_spikes_of_all_sheets_are_merged_in_time() -> None:
    rng = np.random.default_rng(1)
    sheets = []
    for _ in range(3):
        time = np.sort(rng.integers(0, STEPS, 50))
        sheets.append(np.stack([time, rng.integers(0, 4 * 16, 50)], axis=1).astype(np.int32))
    merged, counts = merge(sheets, 16, STEPS)
    expected = np.concatenate(
        [np.stack([s[:, 0], s[:, 1] % 16 + k * 16], axis=1) for k, s in enumerate(sheets)]
    )
    order = np.argsort(expected[:, 0], kind="stable")
    np.testing.assert_array_equal(merged, expected[order])
    np.testing.assert_array_equal(counts, np.bincount(expected[:, 1], minlength=48))


def test_cue_is_a_bump_on_the_lattice_and_the_decoder_reads_the_place_it_stands_for() -> None:
    config = GridConfig()
    table = calibrate(config)
    scales, turns = config.scales(), config.orientations()
    modules = [
        GridModule(config, float(s), float(t), str(k), 0, table)
        for k, (s, t) in enumerate(zip(scales, turns, strict=True))
    ]
    place = np.array([0.4, -0.7])
    n = config.phases
    v, u = np.meshgrid(np.arange(n) / n, np.arange(n) / n, indexing="ij")
    for module in modules:
        phase = module.phase_of(place)
        bump = lattice_bump(u - phase[0], v - phase[1], config.cue_width)
        np.testing.assert_allclose(module.cue_at(phase, 2.0), 2.0 * (bump - bump.mean()).ravel(), atol=1e-6)
    phases = np.stack([module.phase_of(place) for module in modules])
    decoder = GridDecoder(modules)
    np.testing.assert_allclose(decoder.refine(phases, place + np.array([0.08, -0.05])), place, atol=1e-9)


def test_a_good_past_does_not_hold_off_what_is_true_now() -> None:
    evidence = Evidence(leak=0.05, most=5.0)
    for _ in range(50):
        evidence.add(recalled(0.0, 0.0, 0.0, 1.0))
    here = np.zeros(2)
    assert evidence.against(here) < -4.0
    for _ in range(8):
        evidence.add(recalled(2.0, 1.0, 0.5, 1.0))
    assert evidence.against(here) > 1.0
    chosen = evidence.decided(bound=3.4, lead=1.0)
    assert chosen is not None
    assert chosen.turn == 2.0


def test_a_place_between_two_periods_is_left_where_refinement_stays() -> None:
    config = GridConfig()
    modules = grid_modules(config, 0, calibrate(config))
    decoder, truth = GridDecoder(modules), np.array([0.0, 0.1])
    phases = np.stack([module.phase_of(truth) for module in modules])
    stuck = [
        start
        for x in np.arange(-1.0, 1.0, 0.02)
        for start in [np.array([x, 0.1])]
        if float(np.hypot(*(decoder.refine(phases, start) - truth))) > 0.2
    ]
    assert stuck  # the trap is there
    for start in stuck:
        np.testing.assert_allclose(decoder.follow(phases, start, 0), truth, atol=1e-6)
    near = truth + np.array([0.03, 0.0])
    np.testing.assert_array_equal(decoder.follow(phases, near, 0), decoder.refine(phases, near))


@pytest.mark.parametrize("turn", [0.5, 2.0, 3.0, -2.5])
def test_a_silenced_ring_takes_up_a_far_heading_in_the_time_of_a_snap(turn: float) -> None:
    correction, errors = CorrectionConfig(), []
    for silenced in (True, False):
        ring = HeadDirection(HeadingConfig(), seed=3)
        ring.set(0.3)
        if silenced:
            ring.silence()
        pull = correction.snap_pull
        target = Target(0.3 + turn, np.zeros((0, 2)), 0, pull, pull, correction.snap_periods)
        for _ in range(correction.snap_periods):
            ring.advance(0.0, STEPS, target.ring_cue(ring, 0.0, 0.0))
            done = target.tick(fading=True)
        assert done
        errors.append(abs(wrap(ring.heading - 0.3 - turn)))
    assert errors[0] < 0.1
    assert errors[0] < errors[1] + 0.05
    if abs(turn) >= 2.0:
        assert errors[1] > 0.2, "what silence is for"
