"""Collisions among pillars with and without the looming reflex, and how well it sees the time to contact.

    python benchmarks/looming.py --json benchmarks/results/looming.json

Ten cluttered arenas, one a seed, and two drivers: the navigator, exploring, and a wanderer that drives
straight ahead and turns by chance when it has bumped. Either is run twice from the same start, with the
reflex and without; all else is the same. A collision is a contact after at least 0.2 s without. Area is what
squares of 0.2 m the robot's middle was in. Intervals: 95 %, bootstrap over seeds, pairs kept together.

Time to contact is compared in the runs without the reflex, where it looks on: the true one is that of the
robot's disc, driving straight ahead from the true pose at the true speed, in periods with more than 0.1 m/s.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import gymnasium
import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from tolman.agent import Navigator, NavigatorConfig
from tolman.agent.looming import LoomingConfig, LoomingReflex
from tolman.analysis.statistics import bootstrap_interval, roc_area
from tolman.envs import Arena, CameraSpec

Doubles = NDArray[np.float64]

PERIOD = 0.04  #: s
CELL = 0.2  #: m
SLOWEST = 0.1  #: m/s
SOON = 1.0  #: s, of the detection of a contact to come
FAR = 3.0  #: s, beyond which relative errors are not of interest


class Driver(Protocol):
    def act(self, observation: dict[str, Any]) -> NDArray[np.float32]: ...


class Wanderer:
    """Drives straight ahead; backs off and turns by chance after a bump."""

    def __init__(self, camera: CameraSpec, seed: int, reflex: bool) -> None:
        self._random = np.random.default_rng(seed)
        self._looming = LoomingReflex(LoomingConfig(), camera) if reflex else None
        self._escape, self._side = 0, 1

    def act(self, observation: dict[str, Any]) -> NDArray[np.float32]:
        if observation["bump"].any() and self._escape == 0:
            self._escape, self._side = int(self._random.integers(15, 30)), int(self._random.choice([-1, 1]))
        twist = np.array([0.3, 0.0], np.float32)
        if self._escape > 0:
            self._escape -= 1
            twist = np.array([-0.1 if self._escape > 12 else 0.0, 2.5 * self._side], np.float32)
        if self._looming is None:
            return twist
        speed, turn_rate = float(observation["odometry"][0]), float(observation["gyro"][0])
        self._looming.look(observation["events"], speed, turn_rate)
        return self._looming.override(twist)


def navigator(camera: CameraSpec, seed: int, reflex: bool) -> Driver:
    agent = Navigator(NavigatorConfig(looming=LoomingConfig(enabled=reflex)), camera, seed)
    agent.reset()
    return agent


DRIVERS: dict[str, Callable[[CameraSpec, int, bool], Driver]] = {"navigator": navigator, "wanderer": Wanderer}


@dataclass
class Run:
    collisions: int = 0
    path: float = 0.0  #: m
    area: float = 0.0  #: m²
    seen: list[tuple[float, float]] = field(default_factory=list)  #: times to contact, s: estimate, true


def true_gap(arena: Arena, pose: Doubles, radius: float) -> float:
    """Return how far, m, a disc of `radius` m can drive straight ahead from `pose` (3,) in a convex arena."""
    x, y, theta = (float(v) for v in pose)
    ahead, gap = np.array([np.cos(theta), np.sin(theta)]), np.inf
    for wall in arena.walls:
        inward = np.array([wall.y0 - wall.y1, wall.x1 - wall.x0]) / wall.length
        closing = -float(inward @ ahead)
        if closing > 1e-9:
            gap = min(gap, (float(inward @ (x - wall.x0, y - wall.y0)) - radius) / closing)
    for pillar in arena.pillars:
        dx, dy = pillar.x - x, pillar.y - y
        along, aside = float(ahead @ (dx, dy)), float(ahead[0] * dy - ahead[1] * dx)
        reach = pillar.radius + radius
        if along > 0.0 and abs(aside) < reach:
            gap = min(gap, along - float(np.sqrt(reach**2 - aside**2)))
    return max(gap, 0.0)


def drive(driver: str, seed: int, seconds: float, reflex: bool) -> Run:
    env = gymnasium.make("tolman/OpenField-v0", shape="clutter", arena_seed=seed, disable_env_checker=True)
    base: Any = env.unwrapped
    observation, info = env.reset(seed=seed)
    agent = DRIVERS[driver](base.camera, seed, reflex)
    onlooker = LoomingReflex(LoomingConfig(), base.camera)
    run, cells = Run(), set()
    for _ in range(round(seconds / PERIOD)):
        twist = agent.act(observation)
        before = info["pose"].copy()
        observation, _, _, _, info = env.step(twist)
        cells.add(tuple(np.floor(info["pose"][:2] / CELL).astype(int)))
        if not reflex:
            measured = float(observation["odometry"][0])
            onlooker.look(observation["events"], measured, float(observation["gyro"][0]))
            speed = float(np.hypot(*(info["pose"] - before)[:2])) / PERIOD
            if min(speed, measured) > SLOWEST:
                true = true_gap(base.arena, info["pose"], base.robot.radius) / speed
                run.seen.append((onlooker.gap() / measured, true))
    run.collisions, run.path, run.area = info["collisions"], info["path_m"], len(cells) * CELL**2
    env.close()
    return run


def compare(off: list[Run], on: list[Run], seconds: float) -> dict[str, Any]:
    """Return collisions, paths and areas of both arms, and ratios with their intervals."""
    numbers = {
        name: np.array([[getattr(run, name) for run in arm] for arm in (off, on)], np.float64)
        for name in ("collisions", "path", "area")
    }

    def ratio(above: Doubles, below: Doubles) -> dict[str, Any]:
        def of(units: Doubles, axis: int = -1) -> Doubles:
            del axis  # seeds are on the last one, behind that of the arms
            sums = [values[:, units.astype(int)].sum(axis=-1) for values in (above, below)]
            rate = sums[0] / np.maximum(sums[1], 1e-9)
            return np.asarray(rate[1] / np.maximum(rate[0], 1e-9))

        units = np.arange(len(off), dtype=np.float64)
        return {"ratio": float(of(units)), "interval": bootstrap_interval(units, of)}

    ones = np.ones_like(numbers["path"])
    arms = {
        arm: {
            "collisions_per_m": float(numbers["collisions"][k].sum() / numbers["path"][k].sum()),
            "collisions_per_min": float(numbers["collisions"][k].sum() / (len(off) * seconds / 60.0)),
            "path_m": float(numbers["path"][k].mean()),
            "area_m2": float(numbers["area"][k].mean()),
            "by_seed": {name: values[k].tolist() for name, values in numbers.items()},
        }
        for k, arm in enumerate(("off", "on"))
    }
    return arms | {
        "collisions_per_m": ratio(numbers["collisions"], numbers["path"]),
        "collisions_per_min": ratio(numbers["collisions"], ones),
        "path": ratio(numbers["path"], ones),
        "area": ratio(numbers["area"], ones),
        "time_to_contact": accuracy(off),
    }


def accuracy(runs: list[Run]) -> dict[str, Any]:
    """Compare estimated and true times to contact, pooled over `runs`; the interval is over runs."""
    estimate, true = np.concatenate([np.array(run.seen) for run in runs]).T
    near, shown = true < FAR, np.minimum(estimate, 1e3)
    error = np.abs(shown[near] - true[near]) / np.maximum(true[near], PERIOD)
    of_runs = np.array([auc(*np.array(run.seen).T) for run in runs])
    return {
        "periods": int(true.size),
        "periods_below_3_s": int(near.sum()),
        "median_relative_error": float(np.median(error)),
        "median_ratio": float(np.median(shown[near] / np.maximum(true[near], PERIOD))),
        "unseen": float(np.mean(np.isinf(estimate[near]))),
        "rank_correlation": float(spearmanr(shown, np.minimum(true, 1e3)).statistic),
        "auc_contact_within_1_s": auc(estimate, true),
        "auc_by_seed_interval": bootstrap_interval(of_runs[np.isfinite(of_runs)]),
        "alarm_if_contact_within_1_s": float(np.mean(estimate[true < SOON] < SOON)),
        "alarm_if_none_within_2_s": float(np.mean(estimate[true > 2.0 * SOON] < SOON)),
    }


def auc(estimate: Doubles, true: Doubles) -> float:
    """Area under the ROC of 'contact within `SOON`' by the estimate (Mann-Whitney)."""
    soon = true < SOON
    near = -np.minimum(estimate, 1e3)
    return roc_area(near[soon], near[~soon])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--drivers", nargs="+", choices=sorted(DRIVERS), default=list(DRIVERS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=90.0)
    arguments = parser.parse_args()
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    results: dict[str, Any] = {"seeds": list(seeds), "seconds": arguments.seconds}
    for driver in arguments.drivers:
        arms: dict[bool, list[Run]] = {False: [], True: []}
        for seed in seeds:
            for reflex, runs in arms.items():
                runs.append(drive(driver, seed, arguments.seconds, reflex))
                run = runs[-1]
                print(
                    driver, seed, "on" if reflex else "off", run.collisions, f"{run.path:.1f} m", flush=True
                )
        results[driver] = compare(arms[False], arms[True], arguments.seconds)
        print(json.dumps({k: v for k, v in results[driver].items() if k not in ("off", "on")}, indent=1))
        if arguments.json is not None:
            arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
