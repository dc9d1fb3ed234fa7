"""A drive of known noise through a hall with landmarks, in the form of a recorded one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tolman.envs.drives import Drive, Odometry, Sightings, Trajectory

Floats = NDArray[np.float64]
HALL = np.array([6.0, 4.0])  #: m, half of each side
STEP = 0.02  #: s between commands
VIEW = 0.25  #: s between looks
WIDE = 0.9  #: rad to each side that the camera sees
FAR = 7.0  #: m


def simulated_drive(
    seed: int,
    seconds: float,
    landmarks: int = 12,
    range_noise: float = 0.15,
    bearing_noise: float = 0.015,
    turn_gain: float = 0.93,
    turn_noise: float = 0.02,
    speed_noise: float = 0.02,
) -> Drive:
    """Return a drive from goal to goal; odometry is what was commanded, truth what came of it.

    What is done differs from what is commanded by `turn_gain`, by white noise of `turn_noise` rad² for each
    rad turned and 1e-4 rad²/s, and by `speed_noise` m² for each m driven.
    """
    rng = np.random.default_rng([seed, 77])
    places = rng.uniform(-HALL, HALL, (landmarks, 2))
    steps = round(seconds / STEP)
    t = STEP * np.arange(steps)
    pose, goal = np.zeros((steps, 3)), rng.uniform(-0.75 * HALL, 0.75 * HALL)
    command = np.zeros((steps, 2))
    for k in range(steps - 1):
        to_goal = goal - pose[k, :2]
        if np.hypot(*to_goal) < 0.3:
            goal = rng.uniform(-0.75 * HALL, 0.75 * HALL)
        off = (np.arctan2(to_goal[1], to_goal[0]) - pose[k, 2] + np.pi) % (2.0 * np.pi) - np.pi
        turn_rate = float(np.clip(1.5 * off, -0.5, 0.5))
        speed = 0.15 if abs(off) < 1.0 else 0.05
        command[k] = speed, turn_rate
        turned = turn_gain * turn_rate * STEP
        turned += rng.normal() * np.sqrt(turn_noise * abs(turn_rate) * STEP + 1e-4 * STEP)
        moved = speed * STEP + rng.normal() * np.sqrt(speed_noise * speed * STEP)
        middle = pose[k, 2] + 0.5 * turned
        pose[k + 1] = pose[k] + (moved * np.cos(middle), moved * np.sin(middle), turned)
    seen: list[tuple[float, int, float, float]] = []
    for k in range(0, steps, round(VIEW / STEP)):
        apart = places - pose[k, :2]
        distance = np.hypot(*apart.T)
        bearing = (np.arctan2(apart[:, 1], apart[:, 0]) - pose[k, 2] + np.pi) % (2.0 * np.pi) - np.pi
        for i in np.flatnonzero((distance < FAR) & (np.abs(bearing) < WIDE) & (distance > 0.5)):
            seen.append(
                (
                    float(t[k]),
                    int(i) + 6,
                    max(0.1, float(distance[i] + rng.normal() * range_noise)),
                    float(bearing[i] + rng.normal() * bearing_noise),
                )
            )
    columns = list(zip(*seen, strict=True))
    sightings = Sightings(
        np.array(columns[0]), np.array(columns[1], np.int64), np.array(columns[2]), np.array(columns[3])
    )
    truth = Trajectory(t, pose)
    odometry = Odometry(t, command[:, 0], command[:, 1])
    return Drive("odometry", odometry, sightings, truth, 0.0, pose[0].copy(), float(t[-1]), surveyed=places)
