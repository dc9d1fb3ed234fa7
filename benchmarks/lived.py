"""Drives whose course is scripted while the agent's memory lives on the robot's own sensors.

What the memory was told in each control period is kept, so that memories of other configurations can live
through the same drive without physics. The true pose steers the script and scores the result; no memory
reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import atan2, cos, hypot, sin

import gymnasium
import numpy as np
import tolman.envs  # noqa: F401  registers the tasks
from numpy.typing import NDArray
from tolman.agent import Navigator, NavigatorConfig
from tolman.envs import Arena, square_arena, with_inner_walls
from tolman.memory.config import PERIOD, MemoryConfig
from tolman.memory.spatial import SpatialMemory

Doubles = NDArray[np.float64]
#: One wall that leaves a gap at its upper end: from side to side the way is much longer than the line.
WALL = ((0.0, -1.0, 0.0, 0.45),)


@dataclass(frozen=True)
class Drive:
    """What the memory was told, period by period, and where the robot truly was at the end of it."""

    views: NDArray[np.float32]  #: (n, view inputs)
    seeing: NDArray[np.bool_]  #: (n,)
    motion: Doubles  #: (n, 2) m/s, rad/s, of odometry and gyro
    pose: Doubles  #: (n, 3) m, m, rad
    directions: Doubles  #: of the view
    bands: int

    def live(self, config: MemoryConfig, seed: int, periods: slice = slice(None)) -> Life:
        """Let a new memory live through `periods` of the drive."""
        return self.go_on(SpatialMemory(config, self.bands, self.directions, seed), periods)

    def go_on(self, memory: SpatialMemory, periods: slice = slice(None)) -> Life:
        """Let `memory` live through `periods`; times of spikes count from the drive's beginning."""
        first, last, _ = periods.indices(len(self.seeing))
        if first == 0:
            memory.start()
        spikes, beliefs, phase = [], np.zeros((last - first, 3)), np.zeros(last - first)
        for k in range(first, last):
            phase[k - first] = memory.theta_period
            fired = memory.advance(self.views[k], bool(self.seeing[k]), *(float(v) for v in self.motion[k]))
            part = fired["place"].astype(np.int64)
            part[:, 0] += round(k * PERIOD * 1000)
            spikes.append(part)
            beliefs[k - first] = memory.pose
        return Life(memory, np.concatenate(spikes), beliefs, phase, first)


@dataclass(frozen=True)
class Life:
    """What became of a memory on a drive."""

    memory: SpatialMemory
    spikes: NDArray[np.int64]  #: (k, 2) ms since the drive's beginning, place cell
    beliefs: Doubles  #: (n, 3) estimated pose
    theta: Doubles  #: (n,) which period of the theta cycle each was
    first: int  #: first period lived

    def phases(self) -> Doubles:
        """Theta phase of every spike, cycles in [0, 1)."""
        period = self.spikes[:, 0] // 40
        return np.asarray((self.theta[period - self.first] * 40 + self.spikes[:, 0] % 40) / 120.0)


def record(name: str, seconds: float, seed: int, speed: float = 0.3, arena: Arena | None = None) -> Drive:
    """Drive `seconds` in `name`: back and forth on the track, from point to point elsewhere."""
    options: dict[str, object] = {"time_limit": seconds + 1.0}
    if arena is not None:
        options["arena"] = arena
    env = gymnasium.make(f"tolman/{name}-v0", disable_env_checker=True, **options)
    config = replace(NavigatorConfig(), learning=False)
    agent = Navigator(config, env.unwrapped.camera, seed)  # type: ignore[attr-defined]
    observation, info = env.reset(seed=seed)
    agent.reset()
    told: list[tuple[NDArray[np.float32], bool, float, float]] = []
    advance = agent.memory.advance

    def listen(counts: NDArray[np.float32], seeing: bool, speed: float, turn_rate: float):  # type: ignore[no-untyped-def]
        told.append((counts.copy(), seeing, speed, turn_rate))
        return advance(counts, seeing, speed, turn_rate)

    agent.memory.advance = listen  # type: ignore[method-assign]
    script = Shuttle(speed) if name == "LinearTrack" else Roam(speed, seed, walls=WALL if arena else ())
    poses = []
    for _ in range(round(seconds / PERIOD)):
        agent.act(observation)
        poses.append(info["pose"].copy())
        observation, _, terminated, truncated, info = env.step(script(info["pose"]))
        if terminated or truncated:
            break
    env.close()
    return Drive(
        np.array([t[0] for t in told]), np.array([t[1] for t in told]), np.array([t[2:] for t in told]),
        np.array(poses), agent.perception.directions, 2 * config.perception.elevation_bins,
    )  # fmt: skip


class Shuttle:
    """Back and forth along x, turning on the spot `reach` m from the middle."""

    def __init__(self, speed: float, reach: float = 0.8) -> None:
        self.speed, self.reach, self.side = speed, reach, 1

    def __call__(self, pose: Doubles) -> NDArray[np.float32]:
        x, y, theta = (float(v) for v in pose)
        if self.side * x > self.reach:
            self.side = -self.side
        return drive_to((x + self.side * 0.3, 0.0), (x, y, theta), self.speed)


class Roam:
    """From one random point of a square to the next; where a wall lies between, through its gap."""

    def __init__(
        self, speed: float, seed: int, reach: float = 0.8, walls: tuple[tuple[float, ...], ...] = ()
    ) -> None:
        self.rng, self.speed, self.reach, self.walls = np.random.default_rng([seed, 9]), speed, reach, walls
        self.way: list[tuple[float, float]] = []

    def __call__(self, pose: Doubles) -> NDArray[np.float32]:
        x, y, theta = (float(v) for v in pose)
        if self.way and hypot(self.way[0][0] - x, self.way[0][1] - y) < 0.12:
            self.way.pop(0)
        while not self.way:
            u, v = (float(c) for c in self.rng.uniform(-self.reach, self.reach, 2))
            if self.walls and abs(u) < 0.2 and v < 0.6:
                continue
            if not self.walls and hypot(u, v) > self.reach:
                continue
            self.way = [(u, v)]
            if self.walls and u * x < 0.0:
                side = 0.25 if x > 0.0 else -0.25
                self.way = [(side, 0.72), (-side, 0.72), (u, v)]
        return drive_to(self.way[0], (x, y, theta), self.speed)


def drive_to(
    goal: tuple[float, float], pose: tuple[float, float, float], speed: float
) -> NDArray[np.float32]:
    """Return the twist towards `goal`, turning first where it lies behind."""
    x, y, theta = pose
    error = atan2(goal[1] - y, goal[0] - x) - theta
    error = atan2(sin(error), cos(error))
    forward = speed * max(0.0, cos(error)) if abs(error) < 0.8 else 0.0
    return np.array([forward, np.clip(4.0 * error, -2.5, 2.5)], np.float32)


def walled() -> Arena:
    """Return the square of 2 m with the wall."""
    return with_inner_walls(square_arena(2.0), WALL)
