"""Three water mazes learned one after the other: what is left of the first when the others have been learned?

    python benchmarks/mazes.py --json benchmarks/results/mazes.json

The mazes A, B, C have the same shape, other patterns on the wall and another goal. In each the agent explores
for 200 s and has `trials` trials, then goes on to the next; nothing tells it that it has been carried to
another maze, it begins another map when nothing is familiar. The probe is 8 trials from the same starts with
a controller that does not learn: in A right after A was learned, and in A, B and C at the end. Kept is the
SPL of the last probe of A over that of the first (success times shortest path over path: Anderson et al.
2018).

one map           the same agent, but with room for one map only
back-propagation  a network (one hidden layer of 256 ReLU, Adam) that is told the goal's true bearing in
                  all that was seen while the agent explored: from view cells (smoothed over 150 ms) to the
                  bearing in the robot's frame. It learns a maze in 40 epochs, then the next, and steers the
                  same robot in the same probes.

Intervals: 95 %, bootstrap over seeds.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from tolman.agent import Navigator, NavigatorConfig
from tolman.agent.motor import MotorConfig, steer
from tolman.agent.perception import Perception, PerceptionConfig
from tolman.analysis.statistics import bootstrap_interval
from tolman.envs import circular_arena
from tolman.launch.executor import make_executor

Floats = NDArray[np.float32]
PERIOD, TAU = 0.04, 0.15  #: s
GOALS = ((0.35, 0.35), (-0.45, 0.2), (0.1, -0.5))
EXPLORING = 200.0  #: s
PROBES = 8


@dataclass(frozen=True)
class Task:
    seed: int
    arm: str
    trials: int


@dataclass(frozen=True)
class Maze:
    number: int
    seed: int

    def trial(self, **options: Any) -> gymnasium.Env[Any, Any]:
        arena = circular_arena(seed=100 * self.seed + self.number)
        return gymnasium.make(
            "tolman/WaterMaze-v0", disable_env_checker=True, arena=arena, goal=GOALS[self.number], **options
        )

    def open_field(self) -> gymnasium.Env[Any, Any]:
        arena = circular_arena(seed=100 * self.seed + self.number)
        return gymnasium.make(
            "tolman/OpenField-v0", disable_env_checker=True, arena=arena, time_limit=EXPLORING
        )


def agent_of(task: Task, camera: Any) -> Navigator:
    """An agent with room for the places of three mazes."""
    config = NavigatorConfig()
    ca3, place = replace(config.memory.ca3, neurons=6000), replace(config.memory.place, cells=1200)
    maps = 1 if task.arm == "one map" else 8
    return Navigator(
        replace(config, memory=replace(config.memory, ca3=ca3, place=place, maps=maps)), camera, task.seed
    )


class Frozen:
    """The agent while its controller does not learn."""

    def __init__(self, agent: Navigator) -> None:
        self.agent = agent

    def __enter__(self) -> None:
        self.config = self.agent.config
        self.agent.config = replace(self.config, learning=False)

    def __exit__(self, *_: object) -> None:
        self.agent.config = self.config


def drive(
    agent: Any, env: gymnasium.Env[Any, Any], seed: int, episodes: int, told: bool = True
) -> list[dict[str, float]]:
    """Run `episodes` and return latency, success and SPL of each."""
    out = []
    for episode in range(episodes):
        observation, _ = env.reset(seed=seed if episode == 0 else None)
        agent.reset()
        ended = False
        while not ended:
            observation, reward, terminated, truncated, info = env.step(agent.act(observation))
            agent.reward(float(reward) if told else 0.0, terminated and told)
            ended = terminated or truncated
        short = info["optimal_path_m"] / max(info["path_m"], info["optimal_path_m"], 1e-9)
        success = bool(info["success"])
        out.append({"s": info["time_s"], "found": float(success), "spl": short if success else 0.0})
    env.close()
    return out


def probe(agent: Any, maze: Maze) -> dict[str, float]:
    """Return means over the probes in `maze`, from the same starts whenever it is called."""
    runs = drive(agent, maze.trial(), 7000 + maze.seed, PROBES)
    return {name: float(np.mean([run[name] for run in runs])) for name in ("s", "found", "spl")}


def spiking(task: Task, mazes: list[Maze]) -> dict[str, Any]:
    agent = agent_of(task, mazes[0].open_field().unwrapped.camera)  # type: ignore[attr-defined]
    probes: dict[str, Any] = {}
    for k, maze in enumerate(mazes):
        drive(agent, maze.open_field(), 1000 * task.seed + k, 1, told=False)
        drive(agent, maze.trial(), 2000 * task.seed + k, task.trials)
        if k == 0:
            with Frozen(agent):
                probes["A first"] = probe(agent, maze)
    with Frozen(agent):
        for name, maze in zip("ABC", mazes, strict=True):
            probes[f"{name} last"] = probe(agent, maze)
            probes[f"{name} last"]["map"] = agent.map_number
    memory = agent.memory
    return probes | {
        "maps": memory.charts.begun,
        "memories": memory.ca3.memories,
        "place cells": memory.place.used,
    }


class Steersman:
    """Drives where a network says that the goal lies, from what view cells see."""

    def __init__(self, camera: Any, seed: int) -> None:
        self.perception = Perception(PerceptionConfig(), camera, seed)
        self.trace = np.zeros(self.perception.size, np.float32)
        rng = np.random.default_rng([seed, 5])
        sizes = (self.perception.size, 256, 2)
        self.weights = [rng.normal(0.0, np.sqrt(2.0 / a), (a, b)) for a, b in pairwise(sizes)]
        self.biases = [np.zeros(b) for b in sizes[1:]]
        self.motor = MotorConfig()
        self._rng = rng

    def reset(self) -> None:
        self.perception.reset()
        self.trace[:] = 0.0

    def see(self, observation: dict[str, Any]) -> Floats:
        spikes = self.perception.advance(observation["events"], 40)
        self.trace *= np.float32(np.exp(-PERIOD / TAU))
        self.trace += np.bincount(spikes[:, 1], minlength=self.trace.size).astype(np.float32)
        return self.trace

    def act(self, observation: dict[str, Any]) -> Floats:
        hidden = np.maximum(scaled(self.see(observation)) @ self.weights[0] + self.biases[0], 0.0)
        cosine, sine = hidden @ self.weights[1] + self.biases[1]
        return steer(self.motor, float(np.arctan2(sine, cosine)), 0.0)

    def reward(self, r: float, terminated: bool) -> None:
        """Learn nothing while driving."""

    def learn(self, seen: Floats, wanted: NDArray[np.float64], epochs: int = 40, rate: float = 1e-3) -> float:
        """Descend the squared error by Adam; return the mean cosine of the bearing's error."""
        parameters = [*self.weights, *self.biases]
        moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
        step = 0
        for _ in range(epochs):
            for batch in np.array_split(self._rng.permutation(len(seen)), max(1, len(seen) // 64)):
                step += 1
                x, y = seen[batch], wanted[batch]
                hidden = np.maximum(x @ self.weights[0] + self.biases[0], 0.0)
                error = (hidden @ self.weights[1] + self.biases[1] - y) / len(batch)
                back = (error @ self.weights[1].T) * (hidden > 0.0)
                slopes = [x.T @ back, hidden.T @ error, back.sum(axis=0), error.sum(axis=0)]
                for p, g, (m, v) in zip(parameters, slopes, moments, strict=True):
                    m += 0.1 * (g - m)
                    v += 0.001 * (g * g - v)
                    p -= rate * (m / (1.0 - 0.9**step)) / (np.sqrt(v / (1.0 - 0.999**step)) + 1e-8)
        said = np.maximum(seen @ self.weights[0] + self.biases[0], 0.0) @ self.weights[1] + self.biases[1]
        return float(np.mean((said * wanted).sum(axis=1) / np.maximum(np.hypot(*said.T), 1e-9)))


def scaled(trace: Floats) -> Floats:
    return np.asarray(trace / np.float32(max(float(np.linalg.norm(trace)), 1e-6)) * 10.0, np.float32)


def lesson(eye: Steersman, maze: Maze, seed: int) -> tuple[Floats, NDArray[np.float64]]:
    """Explore as the agent does; return what was seen (n, inputs) and the goal's bearing (n, 2)."""
    env = maze.open_field()
    agent = Navigator(NavigatorConfig(), env.unwrapped.camera, seed)  # type: ignore[attr-defined]
    observation, info = env.reset(seed=seed)
    agent.reset()
    eye.reset()
    seen, wanted, goal, ended = [], [], np.array(GOALS[maze.number]), False
    while not ended:
        twist = agent.act(observation)
        seen.append(scaled(eye.see(observation)).copy())
        x, y, theta = info["pose"]
        bearing = np.arctan2(goal[1] - y, goal[0] - x) - theta
        wanted.append((np.cos(bearing), np.sin(bearing)))
        observation, _, terminated, truncated, info = env.step(twist)
        ended = terminated or truncated
    env.close()
    return np.array(seen), np.array(wanted)


def backpropagation(task: Task, mazes: list[Maze]) -> dict[str, Any]:
    eye = Steersman(mazes[0].open_field().unwrapped.camera, task.seed)  # type: ignore[attr-defined]
    probes: dict[str, Any] = {"fit": []}
    for k, maze in enumerate(mazes):
        probes["fit"].append(eye.learn(*lesson(eye, maze, 1000 * task.seed + k)))
        if k == 0:
            probes["A first"] = probe(eye, maze)
    return probes | {f"{name} last": probe(eye, maze) for name, maze in zip("ABC", mazes, strict=True)}


def live(task: Task) -> dict[str, Any]:
    mazes = [Maze(number, task.seed) for number in range(3)]
    return (backpropagation if task.arm == "back-propagation" else spiking)(task, mazes)


ARMS = ("maps", "one map", "back-propagation")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--jobs", type=int)
    arguments = parser.parse_args()
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    results: dict[str, Any] = {"seeds": list(seeds), "trials": arguments.trials}
    for arm in arguments.arms:
        began = time.perf_counter()
        tasks = [Task(seed, arm, arguments.trials) for seed in seeds]
        runs: list[dict[str, Any]] = [{}] * len(tasks)
        for index, run in make_executor(arguments.jobs, len(tasks)).run(live, tasks):
            runs[index] = run
            print(arm, seeds[index], json.dumps(run), flush=True)
        units = np.array([[run[name]["spl"] for run in runs] for name in ("A first", "A last")])

        def kept(
            who: NDArray[np.float64], axis: int = -1, units: NDArray[np.float64] = units
        ) -> NDArray[np.float64]:
            del axis  # seeds are on the last one
            first, last = (values[who.astype(int)].mean(axis=-1) for values in units)
            return np.asarray(last / np.maximum(first, 1e-9))

        who = np.arange(len(runs), dtype=np.float64)
        means = {
            name: {key: float(np.mean([run[name][key] for run in runs])) for key in ("s", "found", "spl")}
            for name in ("A first", "A last", "B last", "C last")
        }
        results[arm] = (
            {"kept": float(kept(who)), "interval": bootstrap_interval(who, kept)} | means | {"runs": runs}
        )
        shown = {name: value for name, value in results[arm].items() if name != "runs"}
        print(arm, f"{time.perf_counter() - began:.0f} s", json.dumps(shown), flush=True)
        if arguments.json is not None:
            arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
