"""The landmark memory: pulls, bursts, reliability, maps, and whole drives, simulated and recorded."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scripts import load
from tolman.envs.drives import Drive, open_drive
from tolman.launch.localizing_drives import config_for, lag_of, live, score
from tolman.memory.landmark_cells import RING, SHEETS, LandmarkCellConfig, LandmarkCells
from tolman.memory.landmark_config import LandmarkMemoryConfig
from tolman.memory.landmark_memory import LandmarkMemory
from tolman.memory.pulls import PullTable
from tolman.memory.reliability import NoiseConfig, Reliability
from tolman.spiking.random import gaussian_reference, key

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
STILL = np.zeros(2)
Floats = NDArray[np.float64]


@cache
def memory() -> LandmarkMemory:
    """One memory for all tests; `start` and `reseed` make it new."""
    return LandmarkMemory(LandmarkMemoryConfig(), 0)


def fresh(seed: int, noise: NoiseConfig | None = None, heading: float = 0.0) -> LandmarkMemory:
    made = memory()
    made.config = replace(made.config, noise=noise or NoiseConfig())
    made.reseed(seed)
    made.start(np.array([0.0, 0.0, heading]))
    return made


def wait(made: LandmarkMemory, periods: int) -> None:
    for _ in range(periods):
        made.advance(STILL, 0.0)


# -- parts


def test_a_burst_makes_the_current_asked_for() -> None:
    cells = LandmarkCells(LandmarkCellConfig(), 3)
    cells.grow(2)
    for asked in (0.2, 0.8, 2.0, 4.0):
        made = []
        for _ in range(40):
            current, spikes = cells.burst(1, SHEETS, asked)
            assert np.all(spikes[:, 1] // cells.config.cells == 3)
            made.append(current)
            cells.tick()
        assert abs(np.mean(made) - asked) < 0.1 * asked + 0.05
    assert cells.burst(0, RING, 0.0)[0] == 0.0
    with pytest.raises(ValueError, match="landmark cells must be >= 1"):
        LandmarkCellConfig(cells=0)


def test_bursts_fire_as_their_numpy_twin() -> None:
    config = LandmarkCellConfig(cells=8)
    cells = LandmarkCells(config, 5)
    cells.grow(1)
    _, spikes = cells.burst(0, SHEETS, 3.0)
    drive = np.interp(3.0 / cells.weight, cells._counts, np.linspace(0.0, 12.0, 25))
    inputs = np.float32(drive) * np.linspace(config.faintest, 1.0, 8).astype(np.float32)
    constants, noise = config.neurons.constants(), config.neurons.noise_drive()
    membrane, hold, expected = np.zeros(8, np.float32), np.zeros(8, np.int32), []
    for step in range(40):
        drawn = gaussian_reference(np.uint32(key(5, "landmark_cells") + np.uint32(8)), step, 8)
        membrane = constants[0] * membrane + constants[1] * (inputs + noise * drawn)
        membrane[hold > 0] = 0.0
        hold = np.maximum(hold - 1, 0)
        fired = membrane >= 1.0
        membrane[fired], hold[fired] = 0.0, 3
        expected += [(step, 8 + i) for i in np.flatnonzero(fired)]
    assert len(spikes) > 20
    np.testing.assert_array_equal(spikes, np.array(expected))


def test_a_pull_table_gives_the_current_of_a_share() -> None:
    table = PullTable.fit(np.array([0.1, 0.5, 2.0]), np.array([0.2, 0.15, 0.8]))
    assert table.strength(0.1) == pytest.approx(0.05)
    assert table.strength(0.5) == pytest.approx(1.05)
    assert table.strength(1.0) == 2.0
    with pytest.raises(ValueError, match="do not pull"):
        PullTable.fit(np.array([0.1, 1.0]), np.array([0.0, 0.1]))


def test_pulls_close_the_share_that_was_asked_for() -> None:
    for share in (0.1, 0.3, 0.5):
        closed = []
        for seed in range(6):
            made = fresh(seed)
            side = (-1.0) ** seed
            made._ring_cue = None
            cue = made.ring.cue(made.ring.heading + 0.15 * side, made._ring_pull.strength(share))
            start = made.ring.heading
            for k in range(10):
                made.ring.advance(0.0, 40, cue if k < made.config.pull_periods else None)
            closed.append(side * (made.ring.heading - start) / 0.15)
        assert abs(np.mean(closed) - share) < 0.06


# -- reliability


def test_one_landmark_seen_twice_is_worth_what_probability_says() -> None:
    """A robot known to 1 m in x meets a landmark known to 1e-3 m, straight ahead: shares go by variances."""
    reliability = Reliability(NoiseConfig(range_floor=0.5, range_share=0.0, bearing=0.01))
    reliability.add(np.array([3.0, 0.0]))
    reliability.covariance[:] = np.diag([1.0, 1e-9, 1e-9, 1e-6, 1e-6])
    weighed = reliability.weigh(0, np.array([3.0, 0.0]), np.array([2.0, 0.0]))
    assert weighed.believed
    assert weighed.shift[0] == pytest.approx(1.0 / (1.0 + 0.25), rel=1e-3)  # nearer than thought: go forward
    assert reliability.covariance[0, 0] == pytest.approx(0.2, rel=1e-3)


def test_landmarks_of_one_stretch_move_together() -> None:
    reliability = Reliability(NoiseConfig())
    reliability.move(np.array([5.0, 0.0]), 1.0, 10.0)
    first, second = reliability.add(np.array([2.0, 0.0])), reliability.add(np.array([2.0, 1.0]))
    reliability.covariance[:3, :3] = np.eye(3) * 1e-8  # carried back to where all is known
    reliability.covariance[:3, 3:] = 0.0
    reliability.covariance[3:, :3] = 0.0
    weighed = reliability.weigh(first, np.array([2.0, 0.0]), np.array([2.3, 0.0]))
    moved = weighed.shift[3:].reshape(-1, 2)
    assert moved[first, 0] > 0.15
    assert moved[second, 0] > 0.7 * moved[first, 0]


def test_the_covariance_stays_one_and_implausible_sightings_change_nothing() -> None:
    rng = np.random.default_rng(0)
    reliability, places = Reliability(NoiseConfig()), rng.uniform(-3.0, 3.0, (5, 2))
    for place in places:
        reliability.add(place)
    for k in range(300):
        reliability.move(rng.normal(0.0, 0.05, 2), float(rng.normal(0.0, 0.05)), 0.04)
        landmark = k % 5
        reliability.weigh(landmark, places[landmark], places[landmark] + rng.normal(0.0, 0.02, 2))
        assert np.linalg.eigvalsh(reliability.covariance).min() > -1e-9
    before = reliability.covariance.copy()
    assert not reliability.weigh(0, places[0], -places[0]).believed
    np.testing.assert_array_equal(reliability.covariance, before)


@pytest.mark.parametrize("change", [{"bearing": 0.0}, {"gate": -1.0}, {"drift_turn": -0.1}])
def test_impossible_noise_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        NoiseConfig(**change)


# -- the memory


def displaced(noise: NoiseConfig, seed: int) -> float:
    """Return how far a landmark seen 0.2 m nearer than it is stored moves a robot that drove blindly."""
    made = fresh(seed, noise)
    made.advance(STILL, 0.0, [(6, np.array([3.0, 0.0]))])
    for _ in range(50):
        made.advance(np.array([0.02, 0.0]), 0.0)
    start = made.position[0]
    made.advance(STILL, 0.0, [(6, np.array([3.0 - start - 0.2, 0.0]))])
    wait(made, 12)
    return float(made.position[0] - start)


def test_noisier_sightings_pull_less() -> None:
    exact, noisy = NoiseConfig(range_floor=0.05), NoiseConfig(range_floor=0.6)
    near = np.array([displaced(exact, seed) for seed in range(6)])
    far = np.array([displaced(noisy, seed) for seed in range(6)])
    # After 1 m the robot is known to 0.173 m, the landmark to 0.2 m, its range to 0.15 m: 0.32 of 0.2 m.
    assert 0.75 * 0.065 < near.mean() < 1.25 * 0.065
    assert far.mean() < 0.5 * near.mean()
    assert np.all(far < near)


def test_one_wrong_sighting_ruins_nothing() -> None:
    made = fresh(1)
    places = {6: np.array([3.0, 0.5]), 7: np.array([2.5, -1.0]), 8: np.array([4.0, 0.0])}
    for _ in range(8):
        made.advance(STILL, 0.0, list(places.items()))
        wait(made, 5)
    pose, known = made.pose.copy(), made.map.places.copy()
    made.advance(STILL, 0.0, [(6, places[6] + (2.0, 3.0))])
    wait(made, 12)
    assert made.disbelieved == 1
    assert np.hypot(*(made.pose - pose)[:2]) < 0.03
    np.testing.assert_allclose(made.map.places, known, atol=1e-9)


def test_a_landmark_stored_wrongly_is_given_up() -> None:
    made = fresh(2)
    places = {6: np.array([3.0, 0.5]), 7: np.array([2.5, -1.0])}
    made.advance(STILL, 0.0, [(9, np.array([1.0, 3.0]))])  # it really stands elsewhere
    places[9] = np.array([3.5, -0.5])
    for _ in range(12):
        made.advance(STILL, 0.0, [(6, places[6]), (7, places[7]), (9, places[9])])
        wait(made, 6)
    assert made.given_up == 1
    for name, place in places.items():
        at = made.map.find(name)
        assert at is not None
        assert np.hypot(*(made.map.places[at] - place)) < 0.15


def test_a_correction_larger_than_a_bump_sets_it_anew() -> None:
    made = fresh(3)
    made.advance(STILL, 0.0, [(6, np.array([3.0, 0.0]))])
    wait(made, 12)
    made.reliability.covariance[:2, :2] += 4.0 * np.eye(2)  # carried away
    made.advance(STILL, 0.0, [(6, np.array([1.6, 0.0]))])
    wait(made, 20)
    assert abs(made.position[0] - 1.4) < 0.25
    assert abs(made.position[1]) < 0.15


def test_the_same_seed_gives_the_same_spikes_whatever_went_before() -> None:
    simulated = load("simulated_drive").simulated_drive
    drive = simulated(1, 12.0)
    runs = []
    for seed in (4, 5, 4):
        made = fresh(seed)
        runs.append(live(drive, made, 0.0))
    assert runs[0].spike_hash == runs[2].spike_hash != runs[1].spike_hash
    np.testing.assert_array_equal(runs[0].estimate.pose, runs[2].estimate.pose)
    assert live(drive, LandmarkMemory(LandmarkMemoryConfig(), 4), 0.0).spike_hash == runs[0].spike_hash


def test_the_truth_is_not_read() -> None:
    drive = load("simulated_drive").simulated_drive(2, 12.0)
    with_truth, without = (live(each, fresh(0), 0.0).spike_hash for each in (drive, drive.without_truth()))
    assert with_truth == without


# -- whole drives


def errors(drive: Drive, seed: int) -> tuple[dict[str, Any], LandmarkMemory]:
    made = fresh(seed)
    return score(drive, live(drive, made, lag_of(drive)).estimate), made


def test_simulated_drives_beat_dead_reckoning_and_keep_up_with_a_filter() -> None:
    simulated, slam = load("simulated_drive"), load("ekf_slam")
    ours, dead, filtered = [], [], []
    for seed in range(3):
        drive = simulated.simulated_drive(seed, 120.0)
        scores, made = errors(drive, seed)
        ours.append(scores["whole"]["rms_m"])
        dead.append(scores["whole"]["dead_reckoning_rms_m"])
        filtered.append(score(drive, slam.ekf_slam(drive, lag_of(drive)))["whole"]["rms_m"])
        assert len(made.map.identities) >= 8
        wrong = made.map.places - drive.surveyed[np.array(made.map.identities) - 6]
        assert np.sqrt(np.mean((wrong**2).sum(axis=1))) < 0.6
    assert np.mean(ours) <= 0.3 * np.mean(dead)
    assert np.mean(ours) <= 1.5 * np.mean(filtered)


@pytest.mark.skipif(not (SHARED / "mrclam6_robot1.npz").is_file(), reason="needs the public recordings")
@pytest.mark.parametrize("robot", [1, 2])
def test_recorded_drives_keep_up_with_a_filter(robot: int) -> None:
    """MRCLAM 6 (Leung, Barfoot & Liu 2011), its first 300 s."""
    drive = open_drive(SHARED / f"mrclam6_robot{robot}.npz")
    assert drive is not None
    drive = replace(drive, end_time=drive.start_time + 301.0)
    assert config_for(drive).grid == memory().config.grid
    lag = lag_of(drive)
    assert 0.1 <= lag <= 0.26
    scores = score(drive, live(drive, fresh(0), lag).estimate)["300_s"]
    filtered = score(drive, load("ekf_slam").ekf_slam(drive, lag))["300_s"]["rms_m"]
    assert scores["rms_m"] <= 1.5 * filtered
    assert scores["ratio"] <= 0.5
