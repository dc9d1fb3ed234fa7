"""The loop of one episode: observe, act, step, reward; observers look on and change nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import gymnasium
import numpy as np
from numpy.typing import NDArray

from ..agent import AgentSnapshot
from .agents import Agent, Informed
from .frames import MapFrames, Pose
from .scoring import LocalisationScore, TrialRecord, extras, number, true_pose

Environment = gymnasium.Env[Any, Any]
CONTROL_PERIOD = 0.04  #: s


@dataclass(frozen=True, slots=True)
class Moment:
    """One control period, as observers see it.

    `observation`, `pose` and `snapshot` belong to the time `time`, at which the agent acted; `reward`,
    `terminated`, `truncated` and `info` are what the action led to one control period later.
    """

    trial: int
    step: int
    time: float  #: s since the start of the episode
    observation: Mapping[str, Any]
    pose: Pose  #: (3,) true, world frame
    snapshot: AgentSnapshot
    action: NDArray[np.float32]
    reward: float
    terminated: bool
    truncated: bool
    info: Mapping[str, Any]


class Observer(Protocol):
    """Watches episodes: a recorder, a publisher, a progress bar."""

    def begin(self, trial: int, pose: Pose, info: Mapping[str, Any]) -> None:
        """An episode begins at the true world `pose` (3,)."""

    def watch(self, moment: Moment) -> None:
        """A control period has passed."""

    def end(self, record: TrialRecord) -> None:
        """The episode is over."""


def run_episode(
    environment: Environment,
    agent: Agent,
    trial: int,
    *,
    frames: MapFrames | None = None,
    seed: int | None = None,
    observers: Sequence[Observer] = (),
    rewarded: bool = True,
) -> tuple[TrialRecord, MapFrames]:
    """Run one episode to its end.

    Parameters
    ----------
    frames
        Where the agent's maps begin; empty or `None` if this is its first episode. Maps begun now are added.
    seed
        Seeds the environment; `None` continues its random stream.
    rewarded
        `False` withholds reward and its end signal from the agent (habituation).

    Returns
    -------
    TrialRecord, MapFrames
        The scores, and `frames` to hand to the next episode.
    """
    observation, info = environment.reset(seed=seed)
    agent.reset()
    pose = true_pose(info)
    frames = MapFrames() if frames is None else frames
    first = len(frames) == 0
    score = LocalisationScore(frames.at(0, pose), first, pose)
    spikes, operations = agent.spike_count, agent.synaptic_operations
    start = (float(pose[0]), float(pose[1]))
    for observer in observers:
        observer.begin(trial, pose, info)
    informed = agent if isinstance(agent, Informed) else None
    step, total, ended = 0, 0.0, False
    wall = wall_of_first = 0.0
    began = time.perf_counter()
    while not ended:
        if informed is not None:
            informed.inform(info)
        action = agent.act(observation)
        score.origin = frames.at(agent.map_number, pose)
        score.add(pose, agent.pose_estimate, agent.localised)
        snapshot = agent.snapshot() if observers else None
        acted_on, at = observation, pose
        observation, reward, terminated, truncated, info = environment.step(action)
        agent.reward(float(reward) if rewarded else 0.0, terminated and rewarded)
        pose = true_pose(info)
        odometry = np.asarray(observation["odometry"], np.float64)
        score.reckon(odometry, float(observation["gyro"][0]), CONTROL_PERIOD)
        ended = terminated or truncated
        total += float(reward)
        if snapshot is not None:
            moment = Moment(
                trial, step, step * CONTROL_PERIOD, acted_on, at, snapshot, action,
                float(reward), terminated, truncated, info,
            )  # fmt: skip
            for observer in observers:
                observer.watch(moment)
        step += 1
        if step == 1:
            wall_of_first = time.perf_counter() - began
    wall = time.perf_counter() - began - wall_of_first
    record = TrialRecord(
        trial=trial,
        latency_s=number(info, "time_s") or step * CONTROL_PERIOD,
        path_m=number(info, "path_m") or 0.0,
        optimal_path_m=number(info, "optimal_path_m") or None,  # 0 where there is nothing to reach
        success=bool(info.get("success", False)),
        collisions=int(info.get("collisions", 0)),
        reward=total,
        steps=step,
        start=start,
        spikes=agent.spike_count - spikes,
        synaptic_operations=agent.synaptic_operations - operations,
        wall_s=wall,
        timed_s=(step - 1) * CONTROL_PERIOD,
        extras=extras(info),
        **score.summary(),  # type: ignore[arg-type]  # the keys are those of the record, None only where allowed
    )
    for observer in observers:
        observer.end(record)
    return record, frames
