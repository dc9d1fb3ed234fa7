"""A robot that is carried elsewhere in the middle of its way notices it, and finds itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import tolman.envs  # noqa: F401  registers the tasks
from tolman.agent import Navigator, NavigatorConfig
from tolman.launch.frames import into_frame

POSES = ((0.45, 0.3, 2.5), (-0.4, -0.35, -1.0), (0.1, 0.5, 0.4), (-0.5, 0.2, 3.0))


def test_kidnapped_robots_find_themselves() -> None:
    env: Any = gymnasium.make("tolman/OpenField-v0", disable_env_checker=True, time_limit=200.0)
    config = replace(NavigatorConfig(), learning=False)
    agent = Navigator(config, env.unwrapped.camera, 1)
    observation, info = env.reset(seed=1)
    agent.reset()
    origin = info["pose"].copy()
    errors: list[float] = []
    conflict: list[float] = []

    def roam(seconds: float) -> None:
        nonlocal observation, info
        for _ in range(round(seconds / 0.04)):
            twist = agent.act(observation)
            off = float(np.hypot(*(agent.pose_estimate - into_frame(origin, info["pose"]))[:2]))
            errors.append(off if agent.localised else np.inf)
            conflict.append(agent.memory.conflict if agent.localised else 10.0)
            observation, _, _, _, info = env.step(twist)

    roam(100.0)
    assert agent.map_number == 0
    # Of a hundred robots 92 find themselves within 3 s, and some jump away once more.
    recovered = settled = 0
    for pose in POSES:
        env.unwrapped.kidnap(pose)
        info = {**info, "pose": np.array(pose)}
        at = len(errors)
        roam(7.0)
        assert max(conflict[at:]) > 2.0  # noticed
        recovered += min(errors[at + 20 : at + 75]) < 0.2
        settled += min(errors[-50:]) < 0.35
    assert recovered >= 3
    assert settled >= 3
    assert agent.map_number == 0
    env.close()
