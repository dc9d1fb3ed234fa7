"""Event streams of known origin: a camera that drives through an arena, and noise added to what it sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import radians

import numpy as np
from numpy.typing import NDArray
from tolman.envs.arena import Arena
from tolman.envs.camera import CameraSpec
from tolman.envs.event_camera import EventCamera
from tolman.envs.events import EventPacket
from tolman.envs.raycast import Raycaster

Doubles = NDArray[np.float64]

STEP = 0.004  #: s, between two frames of the camera

CAMERAS = {
    "panorama 128 x 32": CameraSpec(),
    "pinhole 64 x 64, 60 deg": CameraSpec(64, 64, radians(60.0), radians(-20.0), radians(40.0), "pinhole"),
    "pinhole 128 x 128, 90 deg": CameraSpec(
        128, 128, radians(90.0), radians(-35.0), radians(55.0), "pinhole"
    ),
}


@dataclass(frozen=True)
class Labelled:
    """A packet and which of its events are signal (n,)."""

    packet: EventPacket
    signal: NDArray[np.bool_]


def path(speed: float, seconds: float, seed: int, most: float = 1.2, reach: float = 0.65) -> Doubles:
    """Return poses (steps, 3) of m, m and rad: from goal to goal within `reach` m, turning as it goes.

    The turning rate follows the bearing of the goal, up to `most` rad/s, and its change takes 0.3 s.
    """
    random = np.random.default_rng([seed, 2])

    def somewhere() -> Doubles:
        angle, share = random.uniform(0.0, 2.0 * np.pi), np.sqrt(random.random())
        return np.array([np.cos(angle), np.sin(angle)]) * reach * share

    x, y = somewhere()
    theta, turning, goal = random.uniform(-np.pi, np.pi), 0.0, somewhere()
    poses = np.empty((round(seconds / STEP), 3))
    for k in range(len(poses)):
        poses[k] = x, y, theta
        while np.hypot(goal[0] - x, goal[1] - y) < 0.15:
            goal = somewhere()
        bearing = np.arctan2(goal[1] - y, goal[0] - x) - theta
        wanted = np.clip(2.0 * ((bearing + np.pi) % (2.0 * np.pi) - np.pi), -most, most)
        turning += (wanted - turning) * STEP / 0.3
        theta += turning * STEP
        x, y = x + speed * STEP * np.cos(theta), y + speed * STEP * np.sin(theta)
        away = np.hypot(x, y)
        if away > 0.85:  # never into the wall
            x, y = 0.85 * x / away, 0.85 * y / away
    return poses


def see(arena: Arena, spec: CameraSpec, poses: Doubles) -> EventPacket:
    """Return what a camera without noise events sends along `poses` (n, 3)."""
    raycaster = Raycaster(arena, replace(spec, leak_rate=0.0, shot_rate=0.0))
    camera = EventCamera(replace(spec, leak_rate=0.0, shot_rate=0.0))
    camera.reset(raycaster.render(*poses[0]))
    for k, pose in enumerate(poses[1:], 1):
        camera.feed(raycaster.render(*pose), round(k * STEP * 1e6))
    return camera.collect()


def with_noise(signal: EventPacket, spec: CameraSpec, seconds: float, rate: float, seed: int) -> Labelled:
    """Return `signal` with Poisson events of `rate` Hz a pixel, half of them ON."""
    random = np.random.default_rng([seed, 3])
    n = random.poisson(rate * seconds * spec.width * spec.height)
    noise = EventPacket(
        np.sort(random.integers(0, round(seconds * 1e6), n)),
        random.integers(0, spec.width, n).astype(np.int16),
        random.integers(0, spec.height, n).astype(np.int16),
        random.integers(0, 2, n).astype(np.uint8),
    )
    order = np.argsort(np.concatenate([signal.t, noise.t]), kind="stable")
    both = EventPacket(*(np.concatenate(pair)[order] for pair in zip(signal, noise, strict=True)))
    return Labelled(both, order < signal.size)
