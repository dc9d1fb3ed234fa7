"""Heading ring, grid sheets and their decoder: integration, scale, cues, and the kernel against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from tolman.memory.attractor import AttractorNeurons, AttractorState, advance
from tolman.memory.calibration import DriveTable
from tolman.memory.decoder import GridDecoder
from tolman.memory.grid import GridConfig, GridModule, calibrate
from tolman.memory.heading import HeadDirection, HeadingConfig
from tolman.spiking.random import gaussian_reference, key


def wrapped(angle: float) -> float:
    return float(np.arctan2(np.sin(angle), np.cos(angle)))


@pytest.fixture(scope="module")
def table() -> DriveTable:
    return calibrate(GridConfig())


@pytest.fixture(scope="module")
def ring() -> HeadDirection:
    return HeadDirection(HeadingConfig(), seed=3)


def modules(table: DriveTable) -> list[GridModule]:
    config = GridConfig()
    pairs = zip(config.scales(), config.orientations(), strict=True)
    return [GridModule(config, float(s), float(o), f"grid_{k}", 5, table) for k, (s, o) in enumerate(pairs)]


def test_kernel_spikes_as_its_numpy_twin() -> None:
    rng = np.random.default_rng(0)
    neurons, layers, n = AttractorNeurons(noise=0.1), 2, 12
    kernels = np.tile(rng.normal(0.0, 0.05, (layers, 1, n)), (1, 2, 2)).astype(np.float32)
    drive = np.array([0.2, -0.1], np.float32)
    cue = rng.normal(0.0, 0.2, n).astype(np.float32)
    state = AttractorState.zeros(layers, n)
    spikes = np.zeros((5000, 2), np.int32)
    count = advance(neurons, state, kernels, drive, cue, 60, np.uint32(7), spikes)

    membrane, hold = np.zeros((layers, n), np.float32), np.zeros((layers, n), np.int32)
    field, expected = np.zeros(n, np.float32), []
    keep = np.float32(np.exp(-1e-3 / neurons.tau_membrane))
    decay = np.float32(np.exp(-1e-3 / neurons.tau_synapse))
    for step in range(60):
        noise = gaussian_reference(np.uint32(7), step, layers * n).reshape(layers, n)
        current = np.float32(neurons.drive) + drive[:, None] + field + cue
        v = keep * membrane + (np.float32(1.0) - keep) * current + np.float32(neurons.noise) * noise
        v = np.maximum(v, np.float32(-1.0))
        v[hold > 0] = 0.0
        hold = np.maximum(hold - 1, 0)
        fired = v >= 1.0
        v[fired], hold[fired] = 0.0, 3
        membrane, field = v, field * decay
        for layer, i in np.argwhere(fired):
            expected.append((step, layer * n + i))
            field = field + np.roll(kernels[layer, 0, :n], i)
    assert count > 50
    np.testing.assert_array_equal(spikes[:count], np.array(expected))


def test_a_full_buffer_is_an_error() -> None:
    state = AttractorState.zeros(1, 8)
    zero = np.zeros(8, np.float32)
    kernels, drive = np.zeros((1, 2, 16), np.float32), np.array([5.0], np.float32)
    with pytest.raises(ValueError, match="exceed the buffer of 2"):
        advance(AttractorNeurons(), state, kernels, drive, zero, 50, np.uint32(0), np.zeros((2, 2), np.int32))


@pytest.mark.parametrize("rate", [-2.5, -0.8, 0.3, 1.5])
def test_ring_integrates_turns(ring: HeadDirection, rate: float) -> None:
    ring.set(0.4)
    for _ in range(100):
        ring.advance(rate, 40)
    assert abs(wrapped(ring.heading - (0.4 + 4.0 * rate))) < 0.05 + 0.04 * abs(4.0 * rate)


def test_a_weak_cue_pulls_and_a_strong_one_sets(ring: HeadDirection) -> None:
    ring.set(0.0)
    for _ in range(12):
        ring.advance(0.0, 40, ring.cue(0.3, 0.4))
    assert 0.08 < ring.heading < 0.28
    for _ in range(8):
        ring.advance(0.0, 40, ring.cue(2.5, 3.0))
    assert abs(wrapped(ring.heading - 2.5)) < 0.2


def test_grid_scale_is_the_spacing_of_neighbouring_fields(table: DriveTable) -> None:
    for module in modules(table):
        for turn in np.arange(6) * np.pi / 3.0:
            angle = module.orientation + turn
            neighbour = module.scale * np.array([np.cos(angle), np.sin(angle)])
            difference = module.phase_of(neighbour) - module.phase_of(np.zeros(2))
            np.testing.assert_allclose(difference - np.round(difference), 0.0, atol=1e-9)


@pytest.mark.parametrize("direction", [0.0, 0.7, 2.0, 4.0])
def test_sheets_integrate_paths(table: DriveTable, direction: float) -> None:
    sheets = modules(table)
    velocity = 0.25 * np.array([np.cos(direction), np.sin(direction)])
    for module in sheets:
        module.set(np.zeros(2))
        for _ in range(75):
            module.advance(velocity, 40)
    decoder = GridDecoder(sheets)
    place = decoder.global_estimate(np.stack([module.phase for module in sheets]))
    assert float(np.hypot(*(place - 3.0 * velocity))) < 0.06


def test_decoder_finds_the_place_from_phases_alone(table: DriveTable) -> None:
    sheets = modules(table)
    decoder = GridDecoder(sheets)
    rng = np.random.default_rng(1)
    for place in rng.uniform(-1.8, 1.8, (40, 2)):
        phases = np.stack([module.phase_of(place) for module in sheets])
        noisy = phases + rng.normal(0.0, 0.02, phases.shape)
        assert float(np.hypot(*(decoder.global_estimate(noisy) - place))) < 0.08


def test_cue_sets_the_phase_it_stands_for(table: DriveTable) -> None:
    module = modules(table)[1]
    target = module.phase_of(np.array([0.3, -0.4]))
    module.set(np.array([0.3, -0.4]))
    difference = module.phase - target
    assert np.abs(difference - np.round(difference)).max() < 0.04


def test_noise_is_drawn_from_the_seed(table: DriveTable) -> None:
    config = GridConfig()
    runs = []
    for seed in (1, 1, 2):
        module = GridModule(config, 0.6, 0.0, "grid_0", seed, table)
        module.set(np.zeros(2))
        runs.append(module.advance(np.array([0.2, 0.0]), 40).copy())
    np.testing.assert_array_equal(runs[0], runs[1])
    assert runs[0].shape != runs[2].shape or not np.array_equal(runs[0], runs[2])
    assert key(1, "grid_0") != key(2, "grid_0")


def test_impossible_sizes_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"grid scale must be > 0 m, got -0\.3"):
        GridConfig(smallest_scale=-0.3)
    with pytest.raises(ValueError, match="heading phases must be >= 16"):
        HeadingConfig(phases=2)
    with pytest.raises(ValueError, match="attractor tau_membrane must be > 0 s"):
        AttractorNeurons(tau_membrane=0.0)
