"""What each lesion breaks, and what it leaves: a table of regions by abilities.

    python benchmarks/lesions.py --json benchmarks/results/lesions.json

Three abilities of the same agent, with all neurons of a region dead:

path      A naive agent roams for 90 s from a known pose. Mean error of place and heading in the last 30 s.
found     An agent that learned a water maze (300 s of exploring, 20 trials) is carried into it six times.
          Share of times when within 10 s it believes itself to be, in its old map, where it is to 0.2 m.
maze      The same agent, not learning any more, in six trials of 60 s: share of goals found, and latency.

Wheels and gyro alone, from the same known pose, are the reference of path; an agent that never learned is
that of maze. Intervals: 95 %, bootstrap over seeds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from tolman.agent import Navigator, NavigatorConfig
from tolman.agent.lesions import lesion
from tolman.analysis.statistics import bootstrap_interval
from tolman.launch.executor import make_executor
from tolman.launch.frames import into_frame, wrap

Doubles = NDArray[np.float64]
PERIOD = 0.04  #: s
LESIONS = ("none", "ca3", "grid", "heading", "vision")
TRIALS = 6


def make(task: str, seconds: float) -> Any:
    return gymnasium.make(f"tolman/{task}-v0", disable_env_checker=True, time_limit=seconds)


def wound(agent: Navigator, region: str, seed: int) -> Navigator:
    if region not in ("none", "naive"):
        lesion(agent, region, seed=seed)
    return agent


def path(region: str, seed: int) -> dict[str, float]:
    """Return errors of a naive agent that roams from a known pose, and those of its odometry."""
    env = make("OpenField", 91.0)
    observation, info = env.reset(seed=seed)
    agent = wound(Navigator(NavigatorConfig(), env.unwrapped.camera, seed), region, seed)
    agent.reset()
    origin = info["pose"].copy()
    reckoned, rows = np.zeros(3), []
    for _ in range(round(90.0 / PERIOD)):
        twist = agent.act(observation)
        truth = into_frame(origin, info["pose"])
        believed = agent.pose_estimate
        # An agent that began another map meanwhile does not know where it is in its first one.
        place = np.hypot(*(believed - truth)[:2]) if agent.map_number == 0 else np.nan
        rows.append((place, abs(float(wrap(believed[2] - truth[2]))), np.hypot(*(reckoned - truth)[:2])))
        observation, _, _, _, info = env.step(twist)
        speed, turn = float(observation["odometry"][0]), float(observation["gyro"][0])
        reckoned += PERIOD * np.array([speed * np.cos(reckoned[2]), speed * np.sin(reckoned[2]), turn])
    env.close()
    last = np.array(rows)[-750:]
    known = np.isfinite(last[:, 0]).any()
    return {
        "place_m": float(np.nanmean(last[:, 0])) if known else float("inf"),
        "heading_rad": float(last[:, 1].mean()),
        "reckoned_m": float(last[:, 2].mean()),
    }


def episode(
    agent: Navigator, env: Any, seed: int | None, told: bool, watch: Callable[[Doubles], None] | None = None
) -> dict[str, Any]:
    observation, info = env.reset(seed=seed)
    agent.reset()
    ended = False
    while not ended:
        twist = agent.act(observation)
        if watch is not None:
            watch(info["pose"])
        observation, reward, terminated, truncated, info = env.step(twist)
        agent.reward(float(reward) if told else 0.0, terminated and told)
        ended = terminated or truncated
    return dict(info)


def learned(seed: int) -> tuple[Navigator, Doubles]:
    """Return an agent that has learned the water maze, and the world pose at which its map begins."""
    field, maze = make("OpenField", 300.0), make("WaterMaze", 60.0)
    agent = Navigator(NavigatorConfig(), maze.unwrapped.camera, seed)
    origin: list[Doubles] = []
    episode(agent, field, seed, False, lambda pose: origin.append(pose.copy()) if not origin else None)
    for trial in range(20):
        episode(agent, maze, seed if trial == 0 else None, True)
    field.close()
    maze.close()
    return agent, origin[0]


def maze(agent: Navigator, origin: Doubles, seed: int) -> dict[str, Any]:
    """Return what an agent whose first map begins at the world pose `origin` can."""
    env = make("WaterMaze", 60.0)
    right: list[bool] = []

    def watch(pose: Doubles) -> None:
        off = float(np.hypot(*(agent.pose_estimate - into_frame(origin, pose))[:2]))
        right.append(agent.localised and agent.map_number == 0 and off < 0.2)

    found, success, latency = [], [], []
    for trial in range(TRIALS):
        right.clear()
        info = episode(agent, env, 500 + seed if trial == 0 else None, False, watch)
        found.append(any(right[: round(10.0 / PERIOD)]))
        success.append(bool(info["success"]))
        latency.append(float(info["time_s"]))
    env.close()
    return {
        "found": float(np.mean(found)),
        "goals": float(np.mean(success)),
        "latency_s": float(np.median(latency)),
    }


def live(seed: int) -> dict[str, Any]:
    agent, origin = learned(seed)
    agent.config = replace(agent.config, learning=False)
    state, table = agent.state_dict(), {}
    for region in LESIONS:
        agent.load_state_dict(state)
        table[region] = path(region, seed) | maze(wound(agent, region, seed), origin, seed)
    naive = Navigator(agent.config, make("WaterMaze", 60.0).unwrapped.camera, seed)
    return table | {"naive": maze(naive, np.zeros(3), seed)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int)
    arguments = parser.parse_args()
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    results: dict[str, Any] = {"seeds": list(seeds)}
    tables: list[dict[str, Any]] = [{}] * len(seeds)
    began = time.perf_counter()
    for index, table in make_executor(arguments.jobs, len(seeds)).run(live, list(seeds)):
        tables[index] = table
        print(seeds[index], f"{time.perf_counter() - began:.0f} s", json.dumps(table), flush=True)
    for region in (*LESIONS, "naive"):
        table = {}
        for name in tables[0][region]:
            values = np.array([each[region][name] for each in tables])
            finite = bool(np.isfinite(values).all())
            table[name] = {
                "mean": float(values.mean()) if finite else None,
                "interval": bootstrap_interval(values) if finite else None,
                "by_seed": values.tolist()
                if finite
                else [v if np.isfinite(v) else None for v in values.tolist()],
            }
        results[region] = table
        print(region, {name: cell["mean"] for name, cell in table.items()}, flush=True)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
