"""`tolman bench`: speed of the whole loop on one core, and the share of each part of it.

The agent first lives as long as it would explore before training, because memory costs more the more is
in it. Then the loop is timed bare. Shares come from another run in which the methods of each part are timed:
that costs some time itself, which is charged to the loop.
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from rich.table import Table

from .. import __version__
from ..agent import Navigator
from .config import ExperimentConfig, config_hash
from .environments import camera_of
from .episode import CONTROL_PERIOD
from .files import check_result, write_json
from .options import experiment_of
from .seeds import environment_seed
from .session import Session
from .terminal import make_console

#: (attribute path, methods, part): what is charged to which part, from the unwrapped environment ...
_ENVIRONMENT_PARTS = (
    ("_physics", ("step", "drive", "pose", "contacts", "wheel_travel", "reset"), "physics"),
    ("_eye.renderer", ("render",), "camera"),
    ("_eye.events", ("feed", "collect", "reset"), "events"),
    ("_senses", ("read", "reset"), "odometry and gyro"),
)
#: ... and from the agent.
_AGENT_PARTS = (
    ("perception", ("advance",), "perception"),
    ("memory.heading", ("advance",), "memory: heading"),
    ("memory.grids", ("advance",), "memory: grid cells"),
    ("memory.place", ("advance", "recruit", "similarity"), "memory: place cells"),
    ("memory.ca3", ("recall", "store", "view_similarity", "grid_similarity"), "memory: CA3"),
    ("memory", ("advance",), "memory: the rest"),
    ("actor_critic", ("advance",), "actor-critic"),
    ("reflexes", ("currents",), "reflexes"),
)
_LOOP = "python between the parts"


def command(arguments: Namespace) -> None:
    """Run `tolman bench`."""
    config = experiment_of(arguments)
    json_file = check_result(arguments.json, "bench")
    console = make_console()
    with console.status("timing"):
        result = bench(config, arguments.seconds, arguments.runs)
    table = Table(title=f"{config.task}, {result['neurons']} neurons, {result['synapses']} synapses")
    table.title_justify = "left"
    for heading in ("", "share of the loop", "ms a simulated second"):
        table.add_column(heading, justify="left" if heading == "" else "right")
    loop = result["measurements"][0]
    for part, share in result["shares"].items():
        table.add_row(part, f"{100 * share:.1f} %", f"{1000 * share * loop['ours_s']:.1f}")
    console.print(table)
    for other in result["measurements"][1:]:
        console.print(
            f"{other['name']}: {1e3 * other['ours_s']:.3f} ms,"
            f" {other['peer']} {1e3 * other['peer_s']:.3f} ms, {other['ratio']:.1f} x"
        )
    console.print(
        f"The whole loop runs at {result['real_time_factor']:.1f} x real time on one core"
        f" (median of {len(loop['runs'])} runs, {result['cores_busy']:.2f} cores busy)."
    )
    if json_file is not None:
        write_json(json_file, result)


def bench(config: ExperimentConfig, seconds: float, runs: int) -> dict[str, Any]:
    """Time `runs` runs of `seconds` simulated seconds each; return the JSON object."""
    steps = round(seconds / CONTROL_PERIOD)
    with Session(config) as session:
        environment, agent = session.environment, session.agent
        loop = _Loop(session)
        loop.run(
            max(25, round(config.exploration / CONTROL_PERIOD))
        )  # also compiles what is not in the cache
        times = []
        busy = time.process_time()
        for _ in range(runs):
            began = time.perf_counter()
            loop.run(steps)
            times.append((time.perf_counter() - began) / (steps * CONTROL_PERIOD))
        busy = (time.process_time() - busy) / (sum(times) * steps * CONTROL_PERIOD)
        timer = PhaseTimer()
        agent_parts = _AGENT_PARTS if isinstance(agent, Navigator) else ()
        for owner, parts in ((environment.unwrapped, _ENVIRONMENT_PARTS), (agent, agent_parts)):
            for path, methods, part in parts:
                for holder in _holders(owner, path):
                    for method in methods:
                        timer.wrap(holder, method, part)
        for method in ("act", "reward", "reset"):
            timer.wrap(agent, method, "agent, the rest")
        timer.wrap(loop, "run", _LOOP)
        loop.run(steps)
        total = sum(timer.seconds.values())
        shares = {part: spent / total for part, spent in sorted(timer.seconds.items(), key=lambda x: -x[1])}
        typical = float(np.median(times))
        return {
            "version": __version__,
            "command": "bench",
            "task": config.task,
            "algorithm": config.algorithm,
            "config_hash": config_hash(config),
            "neurons": agent.neurons,
            "synapses": agent.synapses,
            "real_time_factor": 1.0 / typical,
            "cores_busy": busy,
            "shares": shares,
            "measurements": [
                {
                    "name": "whole loop, wall seconds a simulated second",
                    "ours_s": typical,
                    "peer": None,
                    "peer_s": None,
                    "ratio": None,
                    "runs": times,
                },
                _camera(config, session, runs),
            ],
        }


def _holders(owner: object, path: str) -> list[object]:
    """Return what lies at a dotted attribute path: all of it where the last is a list."""
    holder = owner
    for name in path.split("."):
        holder = getattr(holder, name)
    return holder if isinstance(holder, list) else [holder]


def _camera(config: ExperimentConfig, session: Session, runs: int) -> dict[str, Any]:
    """Time one image of the compiled ray caster against PyBullet's own renderer, at the same poses."""
    from ..envs.renderers import make_renderer

    arena = session.environment.unwrapped.arena  # type: ignore[attr-defined]
    camera = camera_of(session.environment)
    poses = np.random.default_rng(0).uniform(-0.5, 0.5, (20, 3)) * (1.0, 1.0, 2.0 * np.pi)
    taken: dict[str, list[float]] = {}
    for name in ("raycast", "pybullet"):
        renderer = make_renderer(name, arena, camera)
        renderer.render(*poses[0])
        taken[name] = []
        for _ in range(runs):
            began = time.perf_counter()
            for pose in poses:
                renderer.render(*pose)
            taken[name].append((time.perf_counter() - began) / len(poses))
        renderer.close()
    ours, peer = float(np.median(taken["raycast"])), float(np.median(taken["pybullet"]))
    return {
        "name": f"camera image, {camera.width} x {camera.height} panorama",
        "ours_s": ours,
        "peer": "PyBullet TinyRenderer",
        "peer_s": peer,
        "ratio": peer / ours,
        "runs": taken["raycast"],
    }


class _Loop:
    """The loop of `episode.run_episode` without scores and observers, for a number of steps over episodes."""

    def __init__(self, session: Session) -> None:
        self._environment, self._agent = session.environment, session.agent
        self._observation, _ = self._environment.reset(seed=environment_seed(session.config.seed))
        self._agent.reset()

    def run(self, steps: int) -> None:
        for _ in range(steps):
            action = self._agent.act(self._observation)
            self._observation, reward, terminated, truncated, _ = self._environment.step(action)
            self._agent.reward(float(reward), terminated)
            if terminated or truncated:
                self._observation, _ = self._environment.reset()
                self._agent.reset()


class PhaseTimer:
    """Charges wall time to parts; time inside a nested part is charged to that part alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stack: list[str] = []
        self._since = 0.0

    def wrap(self, owner: object, method: str, part: str) -> None:
        """Charge every call of `owner.method` to `part`."""
        function: Callable[..., Any] = getattr(owner, method)
        self.seconds.setdefault(part, 0.0)

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._switch(part)
            try:
                return function(*args, **kwargs)
            finally:
                self._return()

        setattr(owner, method, timed)

    def _switch(self, part: str) -> None:
        now = time.perf_counter()
        if self._stack:
            self.seconds[self._stack[-1]] += now - self._since
        self._stack.append(part)
        self._since = now

    def _return(self) -> None:
        now = time.perf_counter()
        self.seconds[self._stack.pop()] += now - self._since
        self._since = now
