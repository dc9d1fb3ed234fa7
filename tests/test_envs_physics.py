"""The robot's body, its contacts, and how far dead reckoning goes astray."""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot, pi

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.envs.builders import circular_arena
from tolman.envs.physics import BUMP_SECTORS, Physics
from tolman.envs.robot import RobotSpec, integrate_twist
from tolman.envs.sensors import Proprioception, SensorNoise

ROBOT = RobotSpec()
STEP, PERIOD = 0.004, 0.04
NOTHING = np.zeros(BUMP_SECTORS, np.uint8)


@pytest.fixture
def physics() -> Iterator[Physics]:
    world = Physics(circular_arena(), ROBOT, STEP)
    yield world
    world.close()


def drive(physics: Physics, v: float, w: float, seconds: float) -> float:
    """Drive at a twist; return how far the heading turned, unwrapped."""
    physics.drive(*ROBOT.wheel_rates(v, w))
    turned, theta = 0.0, physics.pose()[2]
    for _ in range(round(seconds / STEP)):
        physics.step()
        now = physics.pose()[2]
        turned += (now - theta + pi) % (2 * pi) - pi
        theta = now
    return turned


@pytest.mark.parametrize(("v", "w"), [(0.3, 0.0), (0.2, 1.0), (0.0, 3.0), (-0.2, -0.5), (0.3, -3.0)])
def test_the_robot_follows_its_command(physics: Physics, v: float, w: float) -> None:
    physics.reset(np.array([0.0, 0.0, 0.7]))
    drive(physics, v, w, 0.4)  # get up to speed
    physics.wheel_travel()
    start = np.array(physics.pose())
    turned = drive(physics, v, w, 1.0)
    end = integrate_twist(start, v, w, 1.0)
    assert turned == pytest.approx(w, abs=0.03)
    assert hypot(physics.pose()[0] - end[0], physics.pose()[1] - end[1]) < 0.01
    speed, rate = ROBOT.twist(*physics.wheel_travel())
    assert speed == pytest.approx(v, abs=0.003)
    assert rate == pytest.approx(w, abs=0.05)


def test_twist_and_wheels_are_inverse() -> None:
    assert ROBOT.twist(*ROBOT.wheel_rates(0.21, -1.3)) == pytest.approx((0.21, -1.3))
    assert max(ROBOT.wheel_rates(0.3, 3.0)) == pytest.approx(ROBOT.max_wheel_rate)


def test_integrate_twist_matches_small_steps() -> None:
    pose = fine = np.array([0.1, -0.2, 0.4])
    for v, w in ((0.3, 2.0), (0.2, 0.0), (0.25, 1e-5), (-0.1, -3.0)):
        pose = integrate_twist(pose, v, w, 0.5)
        for _ in range(5000):
            fine = fine + 1e-4 * np.array([v * np.cos(fine[2]), v * np.sin(fine[2]), w])
    np.testing.assert_allclose(pose, fine, atol=1e-4)


@pytest.mark.parametrize("sector", range(BUMP_SECTORS))
def test_bump_sectors(physics: Physics, sector: int) -> None:
    """A robot put against the east wall feels it in the sector that faces east."""
    physics.reset(np.array([1.0 - ROBOT.radius + 0.001, 0.0, -sector * pi / 4]))
    touched = NOTHING
    for _ in range(5):
        physics.step()
        touched = touched | physics.contacts()
    assert touched[sector] == 1
    assert touched.sum() == 1


def test_walls_hold_and_wheels_stall(physics: Physics) -> None:
    physics.reset(np.array([0.6, 0.0, 0.1]))
    drive(physics, 0.3, 0.0, 4.0)
    x, y, _ = physics.pose()
    assert hypot(x, y) == pytest.approx(1.0 - ROBOT.radius, abs=0.005)
    assert physics.contacts().any()
    physics.wheel_travel()
    drive(physics, 0.3, 0.0, 1.0)
    speed, _ = ROBOT.twist(*physics.wheel_travel())
    assert abs(speed) < 0.02
    drive(physics, -0.3, 0.0, 1.0)
    assert not physics.contacts().any()


def test_teleport(physics: Physics) -> None:
    physics.reset(np.array([0.0, 0.0, 0.0]))
    drive(physics, 0.3, 0.0, 0.5)
    physics.drive(0.0, 0.0)
    physics.wheel_travel()
    physics.teleport(np.array([-0.5, 0.3, 2.0]))
    np.testing.assert_allclose(physics.pose(), [-0.5, 0.3, 2.0], atol=1e-9)
    assert np.abs(physics.wheel_travel()).max() == 0.0


def test_perfect_sensors_tell_the_truth(physics: Physics) -> None:
    physics.reset(np.array([0.0, 0.0, 0.0]))
    senses = Proprioception(SensorNoise.none(), ROBOT)
    senses.reset(np.random.default_rng(0))
    estimate, rng = np.array(physics.pose()), np.random.default_rng(1)
    w = 0.0
    for _ in range(500):
        w = 0.96 * w + 0.25 * rng.standard_normal()
        x, y, theta = physics.pose()
        outward = (theta - np.arctan2(y, x) + pi) % (2 * pi) - pi
        if hypot(x, y) > 0.6 and abs(outward) < 1.8:
            w = 2.0 if outward > 0 else -2.0
        turned = drive(physics, 0.2, w, PERIOD)
        reading = senses.read(physics.wheel_travel(), turned, NOTHING, PERIOD)
        estimate = integrate_twist(estimate, reading.speed, reading.gyro, PERIOD)
    assert hypot(*(estimate - physics.pose())[:2]) < 0.02


def explore(seed: int, seconds: float = 300.0) -> NDArray[np.float64]:
    """Wander through a round arena of 2 m without slip: true x, y, theta, v, w per control period."""
    rng, pose, w = np.random.default_rng(seed), np.zeros(3), 0.0
    track = np.empty((round(seconds / PERIOD), 5))
    for k in range(len(track)):
        w += -w * PERIOD + 0.8 * np.sqrt(2.0 * PERIOD) * rng.standard_normal()
        v, turn, r = 0.25, w, hypot(pose[0], pose[1])
        outward = (pose[2] - np.arctan2(pose[1], pose[0]) + pi) % (2 * pi) - pi
        if r > 0.7 and abs(outward) < pi / 2 + 0.2:
            turn = (2.0 if outward > 0 else -2.0) * min(1.0, (r - 0.7) / 0.15 + 0.3)
            v = 0.1 if r > 0.88 else 0.25
        turn = float(np.clip(turn, -3.0, 3.0))
        pose = integrate_twist(pose, v, turn, PERIOD)
        track[k] = (*pose, v, turn)
    return track


def dead_reckoning_rms(track: NDArray[np.float64], noise: SensorNoise, seed: int) -> tuple[float, float]:
    """RMS of the position error over all samples, with the wheels' and with the gyro's turning rate."""
    senses = Proprioception(noise, ROBOT)
    senses.reset(np.random.default_rng(seed))
    wheels, gyro = np.zeros(3), np.zeros(3)
    errors = np.empty((len(track), 2))
    for k, (x, y, _, v, w) in enumerate(track):
        travel = np.array(ROBOT.wheel_rates(v, w)) * PERIOD
        reading = senses.read(travel, w * PERIOD, NOTHING, PERIOD)
        wheels = integrate_twist(wheels, reading.speed, reading.yaw_rate, PERIOD)
        gyro = integrate_twist(gyro, reading.speed, reading.gyro, PERIOD)
        errors[k] = (wheels[0] - x) ** 2 + (wheels[1] - y) ** 2, (gyro[0] - x) ** 2 + (gyro[1] - y) ** 2
    by_wheels, by_gyro = np.sqrt(errors.mean(axis=0))
    return float(by_wheels), float(by_gyro)


def test_default_noise_drifts_as_recorded_robots_do() -> None:
    """Position RMS over 300 s by the wheels alone, mean of seeds; recorded robots: 0.81-0.85 m."""
    rms = np.array([dead_reckoning_rms(explore(s), SensorNoise(), 100 + s) for s in range(12)])
    by_wheels, by_gyro = rms.mean(axis=0)
    assert 0.6 <= by_wheels <= 1.0
    assert 0.08 <= by_gyro <= 0.25  # the heading of a MEMS gyro, the speed of the wheels


def test_without_noise_dead_reckoning_is_exact() -> None:
    assert max(dead_reckoning_rms(explore(1, 60.0), SensorNoise.none(), 0)) < 1e-9


def test_noise_scales_and_is_seeded() -> None:
    track = explore(2, 60.0)
    half, full = (dead_reckoning_rms(track, SensorNoise().scaled(k), 5) for k in (0.5, 1.0))
    assert dead_reckoning_rms(track, SensorNoise(), 5) == full
    assert dead_reckoning_rms(track, SensorNoise(), 6) != full
    assert half[0] < full[0]
    assert half[1] < full[1]


def test_impossible_noise_is_refused() -> None:
    with pytest.raises(ValueError, match="gyro_bias must be >= 0"):
        SensorNoise(gyro_bias=-0.1)
    with pytest.raises(ValueError, match="slip_time must be > 0"):
        SensorNoise(slip_time=0.0)
