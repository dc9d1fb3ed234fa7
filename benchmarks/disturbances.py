"""The agent roams the open field and is kidnapped, or left in the dark, or simply goes on for half an hour.

    python benchmarks/disturbances.py --json benchmarks/results/disturbances.json

kidnapped  After 300 s of exploring, ten times a seed, 12 to 18 s apart, the robot is put at a random place
           with a random heading. It is detected by `SpatialMemory.conflict`: the largest in 3 s after a
           kidnapping against the largest in 3 s just before one (AUC). It has recovered when it is within
           0.2 m, believes its estimate, and that lasts 0.5 s. All time counts as time of driving.
dark       Five times a seed the light is off for 30 s, and 30 s on. The error is compared with dead reckoning
           by wheels and gyro from the pose that the agent believed when the light went off.
long       30 minutes of roaming; the trend is that of the mean error of each minute after the fifth.

The agent does not learn to act, but goes on learning its map. Intervals: 95 %, bootstrap over seeds.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from tolman.agent import Navigator
from tolman.analysis.statistics import bootstrap_interval, roc_area
from tolman.launch.config import load
from tolman.launch.executor import make_executor
from tolman.launch.frames import into_frame
from tolman.launch.perturbations import free_pose

Doubles = NDArray[np.float64]
PERIOD = 0.04  #: s
EXPLORED = 300.0  #: s before the first disturbance
WATCHED = 3.0  #: s
NEAR, LASTING = 0.2, 0.5  #: m, s
JUMPED = 100.0  #: score of a jump


@dataclass(frozen=True)
class Task:
    kind: str
    seed: int
    settings: tuple[str, ...]


@dataclass
class Log:
    """What one agent lived, a row a control period."""

    error: list[float] = field(default_factory=list)  #: m
    known: list[bool] = field(default_factory=list)
    conflict: list[float] = field(default_factory=list)
    pose: list[Doubles] = field(default_factory=list)
    believed: list[Doubles] = field(default_factory=list)
    motion: list[tuple[float, float]] = field(default_factory=list)  #: m/s, rad/s by wheels and gyro


class Life:
    """An agent that roams; its log, and the environment to disturb."""

    def __init__(self, seed: int, seconds: float, settings: tuple[str, ...]) -> None:
        config = load(settings=("agent.learning=false", *settings), base={"task": "tolman/OpenField-v0"})
        self.env = gymnasium.make("tolman/OpenField-v0", disable_env_checker=True, time_limit=seconds + 1.0)
        self.world: Any = self.env.unwrapped
        self.observation, info = self.env.reset(seed=seed)
        self.agent = Navigator(config.agent, self.world.camera, seed)
        self.agent.reset()
        self.origin = self.pose = info["pose"].copy()
        self.log = Log()

    def live(self, seconds: float) -> None:
        log, agent = self.log, self.agent
        for _ in range(round(seconds / PERIOD)):
            action = agent.act(self.observation)
            here = into_frame(self.origin, self.pose)
            log.pose.append(here)
            log.believed.append(agent.pose_estimate)
            log.error.append(float(np.hypot(*(agent.pose_estimate - here)[:2])))
            log.known.append(agent.localised)
            log.conflict.append(agent.memory.conflict if agent.localised else JUMPED)
            self.observation, _, _, _, info = self.env.step(action)
            self.pose = info["pose"].copy()
            log.motion.append((float(self.observation["odometry"][0]), float(self.observation["gyro"][0])))


def kidnapped(task: Task) -> dict[str, Any]:
    rng = np.random.default_rng([task.seed, 31])
    life = Life(task.seed, EXPLORED + 200.0, task.settings)
    life.live(EXPLORED)
    window, lasting = round(WATCHED / PERIOD), round(LASTING / PERIOD)
    before, after, moved, times = [], [], [], []
    for _ in range(10):
        at = len(life.log.error)
        before.append(max(life.log.conflict[at - window :]))
        pose = free_pose(life.world, rng)
        moved.append(float(np.hypot(pose[0] - life.pose[0], pose[1] - life.pose[1])))
        life.world.kidnap(pose)
        life.pose = np.array(pose)
        life.live(float(rng.uniform(12.0, 18.0)))
        good = (np.array(life.log.error[at:]) <= NEAR) & np.array(life.log.known[at:])
        # A robot that was carried to where it was before has nothing to recover from; none is left out.
        held = np.lib.stride_tricks.sliding_window_view(good, lasting).all(axis=1)
        times.append(float(np.argmax(held)) * PERIOD if held.any() else float("inf"))
        after.append(max(life.log.conflict[at : at + window]))
    jumps = np.flatnonzero(~np.array(life.log.known[1:]) & np.array(life.log.known[:-1]))
    life.env.close()
    return {"before": before, "after": after, "moved": moved, "seconds": times, "jumps": len(jumps)}


def dark(task: Task) -> dict[str, Any]:
    life = Life(task.seed, EXPLORED + 310.0, task.settings)
    life.live(EXPLORED)
    errors, reckoned, back, before = [], [], [], []
    for _ in range(5):
        at = len(life.log.error)
        before.append(float(np.mean(life.log.error[at - 250 :])))
        life.world.set_light(0.0)
        life.live(30.0)
        off = len(life.log.error)
        errors.append(life.log.error[at:off])
        reckoned.append(reckon(life.log, at, off))
        life.world.set_light(1.0)
        life.live(30.0)
        good = np.array(life.log.error[off:]) <= NEAR
        held = np.lib.stride_tricks.sliding_window_view(good, 13).all(axis=1)
        back.append(float(np.argmax(held)) * PERIOD if held.any() else float("inf"))
    life.env.close()
    return {
        "before": before, "error": np.array(errors).mean(axis=0)[24::25].tolist(),
        "reckoned": np.array(reckoned).mean(axis=0)[24::25].tolist(), "seconds": back,
        "after": [float(np.mean(life.log.error[-250:]))],
    }  # fmt: skip


def reckon(log: Log, at: int, off: int) -> list[float]:
    """Return the error of dead reckoning over periods `at` to `off`, from the pose believed at `at`."""
    pose, errors = log.believed[at].copy(), []
    for k in range(at, off):
        errors.append(float(np.hypot(*(pose - log.pose[k])[:2])))
        speed, turn = log.motion[k]
        pose += PERIOD * np.array([speed * np.cos(pose[2]), speed * np.sin(pose[2]), turn])
    return errors


def long(task: Task) -> dict[str, Any]:
    life = Life(task.seed, 1800.0, task.settings)
    life.live(1800.0)
    life.env.close()
    minutes = np.array(life.log.error).reshape(30, -1).mean(axis=1)
    return {"error": minutes.tolist(), "known": float(np.mean(life.log.known))}


KINDS = {"kidnapped": kidnapped, "dark": dark, "long": long}


def live(task: Task) -> dict[str, Any]:
    return KINDS[task.kind](task)


def mean(values: Doubles) -> dict[str, Any]:
    return {"mean": float(values.mean()), "interval": bootstrap_interval(values)}


def summary(kind: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    if kind == "kidnapped":
        seconds = np.array([run["seconds"] for run in runs])
        scores = {name: np.array([run[name] for run in runs]).ravel() for name in ("after", "before")}
        return {
            "trials": int(seconds.size),
            "auc": roc_area(scores["after"], scores["before"]),
            "median_s": float(np.median(seconds)),
            "false_jumps": int(np.count_nonzero(scores["before"] >= JUMPED)),
        } | {f"within_{s:g}_s": mean((seconds <= s).mean(axis=1)) for s in (1.5, 3.0, 6.0)}
    if kind == "dark":
        ends = np.array([[run["error"][-1], run["reckoned"][-1]] for run in runs])
        seconds = np.array([run["seconds"] for run in runs])
        return {
            "before_m": float(np.mean([run["before"] for run in runs])),
            "after_30_s_dark_m": mean(ends[:, 0]),
            "reckoned_m": mean(ends[:, 1]),
            "recovery_median_s": float(np.median(seconds)),
            "recovery_90th_s": float(np.quantile(seconds, 0.9, method="higher")),
            "after_m": float(np.mean([run["after"] for run in runs])),
        }  # fmt: skip
    minutes = np.array([run["error"] for run in runs])
    slope = np.array([np.polyfit(np.arange(5, 30), row[5:], 1)[0] * 10.0 for row in minutes])
    return {
        "error_m": mean(minutes.mean(axis=1)),
        "trend_m_per_10_min": mean(slope),
        "known": float(np.mean([run["known"] for run in runs])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--kinds", nargs="+", choices=sorted(KINDS), default=list(KINDS))
    parser.add_argument("--seeds", type=int, help="default: 10, and 5 of the long life")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    results: dict[str, Any] = {"settings": arguments.settings}
    for kind in arguments.kinds:
        count = arguments.seeds or (5 if kind == "long" else 10)
        seeds = range(arguments.first_seed, arguments.first_seed + count)
        tasks = [Task(kind, seed, tuple(arguments.settings)) for seed in seeds]
        runs: list[dict[str, Any]] = [{}] * count
        began = time.perf_counter()
        for index, run in make_executor(arguments.jobs, count).run(live, tasks):
            runs[index] = run
        results[kind] = {"seeds": list(seeds)} | summary(kind, runs) | {"runs": runs}
        shown = {name: value for name, value in results[kind].items() if name != "runs"}
        print(kind, f"{time.perf_counter() - began:.0f} s", json.dumps(shown, indent=1), flush=True)
        if arguments.json is not None:
            arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
