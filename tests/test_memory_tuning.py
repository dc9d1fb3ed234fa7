"""Ring and sheets of unlike or missing neurons keep step after rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tolman.memory import grid
from tolman.memory.grid import GridConfig, GridModule, grid_modules
from tolman.memory.heading import HeadDirection, HeadingConfig

REST = 200.0  #: s, a third of what the configuration has


def ring(recovery: float, mismatch: float = 0.0, device: int = 1) -> HeadDirection:
    config = HeadingConfig()
    neurons = replace(config.neurons, recovery=recovery, mismatch=mismatch, device=device)
    return HeadDirection(replace(config, neurons=neurons), seed=1)


def sheet(recovery: float) -> GridModule:
    config = GridConfig(modules=1)
    neurons = replace(config.neurons, recovery=recovery)
    config = replace(config, neurons=neurons)
    return grid_modules(config, 1, grid.calibrate(config))[0]


def a_tenth(size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(size)[: size // 10]


def drift(heading: HeadDirection, seconds: float = 40.0) -> float:
    """Root mean square of the error, rad, over a walk with turns of all speeds."""
    random, rate, turned, errors = np.random.default_rng(0), 0.0, 0.0, []
    heading.set(0.0)
    start = heading.heading
    for _ in range(round(seconds / 0.04)):
        rate += -0.04 * rate + np.sqrt(0.08) * random.standard_normal()
        heading.advance(rate, 40)
        turned += 0.04 * rate
        errors.append(np.angle(np.exp(1j * (heading.heading - start - turned))))
    return float(np.sqrt(np.mean(np.square(errors))))


def astray(module: GridModule, seconds: float = 40.0) -> float:
    """Root mean square of the error, m, over a walk at 0.2 m/s that winds about."""
    random, direction, errors = np.random.default_rng(0), 0.0, []
    module.set(np.zeros(2))
    start, gone = module.phase, np.zeros(2)
    for _ in range(round(seconds / 0.04)):
        direction += 0.18 * random.standard_normal()
        step = 0.2 * np.array([np.cos(direction), np.sin(direction)])
        module.advance(step, 40)
        gone += 0.04 * step
        errors.append(np.hypot(*module.way(start + module.phase_change(gone), module.phase)) * module.scale)
    return float(np.sqrt(np.mean(np.square(errors))))


@pytest.mark.parametrize(("mismatch", "dead"), [(0.2, False), (0.0, True)])
def test_a_ring_of_unlike_or_missing_neurons_keeps_step_after_rest(mismatch: float, dead: bool) -> None:
    errors = {}
    for recovery in (0.0, REST):
        errors[recovery] = []
        for device in (1, 2):
            heading = ring(recovery, mismatch, device)
            if dead:
                heading.lesion(a_tenth(heading.size, device))
            errors[recovery].append(drift(heading))
    assert min(errors[0.0]) > 0.5
    assert np.mean(errors[REST]) < 0.5 * np.mean(errors[0.0])


def test_a_sheet_of_which_a_tenth_is_dead_keeps_step_after_rest() -> None:
    errors = {}
    for recovery in (0.0, REST):
        errors[recovery] = []
        for device in (1, 2):
            module = sheet(recovery)
            module.lesion(a_tenth(module.size, device))
            errors[recovery].append(astray(module))
    assert np.mean(errors[REST]) < 0.75 * np.mean(errors[0.0])


def test_equal_neurons_are_left_as_they_are() -> None:
    for made in (ring(REST), sheet(REST)):
        assert not made.state.excitability.any()  # type: ignore[union-attr]


def test_what_the_ring_holds_is_not_disturbed_by_its_recovery() -> None:
    heading = ring(50.0)
    heading.set(1.0)
    before = {name: part.copy() for name, part in heading.state._asdict().items()}
    heading.lesion(a_tenth(heading.size, 1))
    after = heading.state._asdict()
    for name in ("membrane", "field", "trace", "step"):
        np.testing.assert_array_equal(after[name], before[name])
    assert after["excitability"].any()


def test_recovery_is_the_same_every_time_and_speeds_follow_from_the_state() -> None:
    first, second = (ring(50.0) for _ in range(2))
    for heading in (first, second):
        heading.lesion(a_tenth(heading.size, 1))
    for name, part in first.state._asdict().items():
        np.testing.assert_array_equal(part, second.state._asdict()[name])
    assert first.table == second.table != ring(50.0).table
    other = ring(50.0)  # as when a checkpoint is taken up
    for name, part in other.state._asdict().items():
        part[...] = first.state._asdict()[name]
    other.measure()
    assert other.table == first.table
    healthy = ring(50.0)
    for name, part in other.state._asdict().items():
        part[...] = healthy.state._asdict()[name]
    other.measure()
    assert other.table == healthy.table


def test_a_ring_without_living_neurons_is_left_in_peace() -> None:
    heading = ring(50.0)
    table = heading.table
    heading.lesion(np.arange(heading.size))
    assert heading.table == table
    assert len(heading.advance(1.0, 40)) == 0


def test_an_impossible_recovery_is_refused() -> None:
    with pytest.raises(ValueError, match="recovery"):
        ring(-1.0)
