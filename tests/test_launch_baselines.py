"""What the agent is measured against: the oracle that knows everything."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tolman.agent.motor import MotorConfig
from tolman.envs.wrappers import BlindInfo
from tolman.launch.agents import Informed, make_agent
from tolman.launch.config import ExperimentConfig
from tolman.launch.environments import camera_of
from tolman.launch.episode import run_episode
from tolman.launch.errors import UserError
from tolman.launch.oracle import Oracle
from tolman.launch.scoring import spl
from tolman.launch.session import Session
from tolman.launch.training import train

Make = Callable[..., ExperimentConfig]


def test_the_oracle_drives_the_straight_way_at_once(short_experiment: Make) -> None:
    config = short_experiment("algorithm=oracle", "environment.time_limit=20", trials=4)
    with Session(config) as session:
        while session.trials_done < config.trials:
            session.next_trial()
    for record in session.records:
        assert record.success
        assert record.optimal_path_m is not None
        assert spl(record) > 0.95
        # The straight line at full speed, and at most the turn on the spot before it.
        assert record.latency_s < 1.05 * record.optimal_path_m / 0.3 + math.pi / 3.0 + 0.5
        assert record.localisation_error_m == pytest.approx(0.0, abs=1e-9)


def test_the_oracle_follows_waypoints() -> None:
    goal, corner = np.array([1.0, 1.0]), np.array([1.0, 0.0])

    def around(here: np.ndarray, to: np.ndarray) -> np.ndarray:
        return np.array([corner, to])

    oracle = Oracle(MotorConfig(), around)
    oracle.reset()
    oracle.inform({"pose": np.zeros(3), "goal": goal})
    assert oracle.act({}) == pytest.approx([0.3, 0.0])  # straight ahead lies the corner
    oracle.inform({"pose": np.array([1.0, 0.0, math.pi / 2]), "goal": goal})
    assert oracle.act({}) == pytest.approx([0.3, 0.0], abs=1e-6)  # and from the corner the goal
    oracle.inform({"pose": np.zeros(3)})
    assert oracle.act({}) == pytest.approx([0.0, 0.0])


def test_only_the_oracle_is_informed(short_experiment: Make) -> None:
    config = short_experiment("algorithm=oracle")
    with Session(config) as session:
        camera = camera_of(session.environment)
        told = {
            name: isinstance(make_agent(short_experiment(f"algorithm={name}"), camera, 0), Informed)
            for name in ("td-ltp", "random", "oracle")
        }
        assert told == {"td-ltp": False, "random": False, "oracle": True}
        with pytest.raises(ValueError, match="true pose"):
            run_episode(BlindInfo(session.environment), session.agent, 1, seed=1)


def test_an_oracle_resumes_and_refuses_a_task_without_a_goal(tmp_path: Path, short_experiment: Make) -> None:
    whole = train(short_experiment("algorithm=oracle", trials=3), tmp_path / "whole")
    train(short_experiment("algorithm=oracle", trials=1), tmp_path / "parts")
    parts = train(short_experiment("algorithm=oracle", trials=3), tmp_path / "parts", resume=True)
    assert parts.spike_hash == whole.spike_hash
    assert [r.localisation_error_m for r in parts.records] == [r.localisation_error_m for r in whole.records]
    with pytest.raises(UserError, match="goal to drive to"):
        Session(short_experiment("algorithm=oracle", "task=tolman/OpenField-v0"))
