"""Rate attractors beside NumPy, automatic gains for drawn sheets, grid scale from spikes, a recorded path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripts import load
from tolman.analysis.grid_scores import autocorrelograms
from tolman.analysis.rate_maps import Bins, occupancy, rate_maps, spike_counts
from tolman.memory.attractor import AttractorNeurons
from tolman.memory.calibration import DriveTable
from tolman.memory.grid import GridConfig, GridModule, calibrate
from tolman.memory.heading import HeadDirection, HeadingConfig
from tolman.memory.rate_attractor import RateNeurons, RateState, advance_rates, loop_gain

RATES = GridConfig(rates=RateNeurons())


def test_kernel_agrees_with_its_numpy_twin() -> None:
    rng = np.random.default_rng(0)
    neurons, layers, ny, nx = RateNeurons(), 3, 4, 6
    kernels = np.tile(rng.normal(0.0, 0.05, (layers, ny, nx)), (1, 2, 2)).astype(np.float32)
    drive, cue = np.array([0.2, -0.1, 0.05]), rng.normal(0.0, 0.2, ny * nx)
    state = RateState.zeros(ny * nx)
    advance_rates(neurons, state, kernels, drive, cue, 80)
    spectra = np.fft.fft2(kernels[:, :ny, :nx].astype(np.float64))
    keep, read = np.exp(-0.004 / neurons.tau_synapse), np.exp(-0.004 / neurons.tau_readout)
    field, trace = np.zeros(ny * nx), np.zeros(ny * nx)
    for _ in range(20):
        rate = np.maximum(neurons.gain * (neurons.drive - 1.0 + drive[:, None] + field + cue), 0.0)
        total = np.fft.ifft2((spectra * np.fft.fft2(rate.reshape(layers, ny, nx))).sum(axis=0)).real.ravel()
        field = keep * field + neurons.tau_synapse * (1.0 - keep) * total
        trace = read * trace + (1.0 - read) * rate.mean(axis=0)
    np.testing.assert_allclose(state.field, field, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(state.trace, trace, rtol=1e-9, atol=1e-12)


def test_a_loop_gain_of_one_or_less_is_refused() -> None:
    with pytest.raises(ValueError, match="loop gain must be > 1"):
        calibrate(GridConfig(rates=RateNeurons(gain=15.0)))
    kernels = np.tile(np.eye(8)[:1][None], (1, 2, 2)).astype(np.float32)
    assert loop_gain(RateNeurons(gain=10.0, tau_synapse=0.1), kernels) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="multiple of 4 ms"):
        advance_rates(RateNeurons(), RateState.zeros(8), kernels, np.zeros(1), np.zeros(8), 3)


@pytest.mark.parametrize("rate", [-3.0, 0.1, 1.5])
def test_a_ring_of_rates_turns_as_it_is_told(rate: float) -> None:
    ring = HeadDirection(HeadingConfig(rates=RateNeurons()), seed=0)
    ring.set(0.4)
    headings = [ring.heading]
    for _ in range(100):
        assert len(ring.advance(rate, 40)) == 0
        headings.append(ring.heading)
    assert np.unwrap(headings)[-1] - 0.4 == pytest.approx(4.0 * rate, rel=0.015)


def end_error(config: GridConfig, scale: float, turn: float, velocity: np.ndarray) -> float:
    """Distance of a sheet's bump from the end of a path (n, 2), m/s, in shares of its length."""
    module = GridModule(config, scale, turn, "grid", 3, calibrate(config, 4))
    module.set(np.zeros(2))
    phases = [module.phase]
    for v in velocity:
        module.advance(v, 40)
        phases.append(module.phase)
    moved = np.unwrap(np.array(phases), axis=0, period=1.0)[-1] - phases[0]
    place = moved @ np.linalg.inv(module.phase_change(np.eye(2)))
    wrong = place - velocity.sum(axis=0) * 0.04
    return float(np.hypot(*wrong) / (np.hypot(*velocity.T).sum() * 0.04))


@given(
    scale=st.floats(0.4, 2.0),
    turn=st.floats(0.0, 1.0),
    tau=st.floats(0.08, 0.2),
    phases=st.sampled_from([16, 20]),
    spiking=st.booleans(),
    course=st.floats(0.0, 6.2),
)
@settings(max_examples=8, deadline=None, derandomize=True)
def test_gains_are_found_for_drawn_sheets(
    scale: float, turn: float, tau: float, phases: int, spiking: bool, course: float
) -> None:
    """A line of a period and a half and a circle, in sheets of any scale, size and time constant."""
    share = 0.1 / tau  # the same charge a spike
    neurons, rates = AttractorNeurons(tau_synapse=tau), None if spiking else RateNeurons(tau_synapse=tau)
    config = GridConfig(phases=phases, excitation=share, inhibition=0.4 * share, neurons=neurons, rates=rates)
    speed = 0.25 * scale  # a quarter of a period a second
    line = np.tile(speed * np.array([np.cos(course), np.sin(course)]), (150, 1))
    angle = course + np.arange(314) * (2.0 * np.pi / 314)
    circle = speed * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for path in (line, circle):
        assert end_error(config, scale, turn, path) < 0.05


@given(st.lists(st.floats(-1.0, 1.0), min_size=4, max_size=8), st.floats(-3.0, 3.0), st.floats(1e-3, 2.0))
def test_drive_tables_rise_and_are_odd(steps: list[float], speed: float, more: float) -> None:
    drives, speeds = np.arange(len(steps) + 1.0), np.concatenate(([0.0], np.cumsum(steps)))
    try:
        table = DriveTable.fit(drives, speeds)
    except ValueError:
        return
    assert table.drive(speed + more) > table.drive(speed)
    assert table.drive(-speed) == -table.drive(speed)


def spacing(correlogram: np.ndarray, size: float, scale: float) -> float:
    """Mean distance, m, of the six peaks around the centre, each the middle of its top."""
    rows, columns = correlogram.shape
    y, x = np.indices(correlogram.shape, np.float64)
    dy, dx = (y - (rows - 1) / 2) * size, (x - (columns - 1) / 2) * size
    filled, distances = np.where(np.isfinite(correlogram), correlogram, -1.0), []
    ring = np.abs(np.hypot(dx, dy) - scale) < 0.3 * scale
    for _ in range(6):
        best = int(np.argmax(np.where(ring, filled, -np.inf)))
        near = np.hypot(dx - dx.ravel()[best], dy - dy.ravel()[best]) < 0.2 * scale
        weight = np.where(near, np.maximum(filled - 0.5 * filled.ravel()[best], 0.0), 0.0)
        distances.append(np.hypot((weight * dx).sum(), (weight * dy).sum()) / weight.sum())
        ring &= np.hypot(dx - dx.ravel()[best], dy - dy.ravel()[best]) > 0.5 * scale
    return float(np.mean(distances))


def measured_scale(table: DriveTable, number: int) -> float:
    """Return the spacing of a module's fields, m, from its spikes while it is driven up and down a box."""
    config = GridConfig()
    scale, turn = float(config.scales()[number]), float(config.orientations()[number])
    module, half, speed = GridModule(config, scale, turn, "grid", 1, table), 1.25 * scale, 0.3 * scale
    lanes = np.arange(-half, half + 1e-9, 0.1 * scale)
    counts, seconds, bins = 0.0, 0.0, Bins.over((-half, -half), (half, half), 0.04 * scale)
    for k, lane in enumerate(lanes):  # each lane from a known start, so that drift does not add up
        x = np.arange(-half, half, speed * 0.04)
        path = np.stack([x, np.full(x.size, lane)], axis=1)
        path = path if k % 2 == 0 else path[:, ::-1].copy()
        module.set(path[0])
        spikes, at = [], []
        for place, step in zip(path[1:], np.diff(path, axis=0), strict=True):
            fired = module.advance(step / 0.04, 40)[:, 1] % module.cells
            spikes.append(fired.copy())
            at.append(np.tile(place - 0.5 * step, (fired.size, 1)))
        chosen = np.concatenate(spikes) % 16 == 5
        cell, where = np.concatenate(spikes)[chosen] // 16, np.concatenate(at)[chosen]
        counts = counts + spike_counts(bins, where, cell, 16)
        seconds = seconds + occupancy(bins, path[1:], 0.04)
    rates = rate_maps(counts, seconds, bins, 0.06 * scale, 0.01)
    mean = autocorrelograms(rates).mean(axis=0)  # lags seldom seen are NaN
    return spacing(mean, bins.size, scale)


def test_spikes_have_the_scale_of_their_module() -> None:
    table = calibrate(GridConfig(), 8)
    nominal = GridConfig().scales()
    measured = np.array([measured_scale(table, number) for number in range(4)])
    np.testing.assert_allclose(measured, nominal, rtol=0.03)
    np.testing.assert_allclose(measured[1:] / measured[:-1], GridConfig().scale_ratio, rtol=0.03)


def test_rates_follow_a_recorded_rat() -> None:
    paths, script = load("rat_paths"), load("path_integration")
    try:
        file = paths.find("sargolini")
    except paths.MissingPathError as missing:
        pytest.skip(str(missing))
    path = paths.motion(paths.load(file))
    places = script.given_velocity(RATES, calibrate(RATES), 0, path.velocity)
    assert script.error(places, path).mean() < 0.03
    reckoned = script.dead_reckoning(float(path.heading[0]), path.turn_rate, path.body)
    assert script.error(reckoned, path).max() < 1e-9


def test_a_missing_path_is_one_line(tmp_path: Path) -> None:
    paths = load("rat_paths")
    with pytest.raises(paths.MissingPathError, match="no recorded path at"):
        paths.find("sargolini", tmp_path / "none.npz")
