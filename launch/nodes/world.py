"""The world of an experiment without its agent: episode after episode, as in a session of one process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ...spiking.random import stream
from ..config import ExperimentConfig, short_name
from ..environments import camera_of, make_environment, make_habituation, scene_of, task_of
from ..episode import Environment
from ..frames import Pose
from ..scoring import number, true_pose
from ..seeds import environment_seed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one control period led to."""

    observation: Mapping[str, Any]
    reward: float  #: 0 where it is withheld
    terminated: bool
    truncated: bool
    pose: Pose  #: (3,) true, for viewers and scores


class World:
    """Habituation if the experiment asks for it, then its trials.

    Raises
    ------
    UserError
        If the environment refuses its configuration.
    """

    def __init__(self, config: ExperimentConfig) -> None:
        self.config = config
        self._task: Environment = make_environment(config.task, config.environment)
        self._now = self._task
        self._info: Mapping[str, Any] = {}
        self._explores = config.exploration > 0.0
        self.episode = 0 if self._explores else 1  #: 0 is habituation
        self.steps = 0
        try:
            if self._explores:
                make_habituation(self._task, config).close()  # refuses a bad length now
        except BaseException:
            self._task.close()
            raise

    @property
    def camera(self) -> tuple[int, int]:
        """Width and height of the event camera, pixels."""
        camera = camera_of(self._task)
        return camera.width, camera.height

    @property
    def cued(self) -> bool:
        """Whether the task gives cues."""
        return bool(task_of(self._task).cues)

    @property
    def first(self) -> bool:
        """Whether the present episode is the first one."""
        return self.episode == (0 if self._explores else 1)

    @property
    def scene(self) -> dict[str, Any]:
        """The arena of now, see `scene_of`; the goal of now."""
        scene = scene_of(self._now)
        return scene | {"goal": self._info.get("goal", scene["goal"])}

    @property
    def last(self) -> bool:
        """Whether the present episode is the last one."""
        return self.episode >= self.config.trials

    def begin(self) -> tuple[Mapping[str, Any], Pose]:
        """Begin the present episode; return the first observation and the true pose."""
        self.steps = 0
        if self.episode == 0:
            self._now = make_habituation(self._task, self.config)
            seed: int | None = int(stream(self.config.seed, "habituation").generate_state(1, np.uint32)[0])
        else:
            self._now = self._task
            seed = environment_seed(self.config.seed) if self.episode == 1 else None
        observation, self._info = self._now.reset(seed=seed)
        return observation, true_pose(self._info)

    def step(self, action: NDArray[np.float32]) -> Outcome:
        """Drive for one control period with the twist `action` (2,)."""
        observation, reward, terminated, truncated, self._info = self._now.step(action)
        self.steps += 1
        rewarded = self.episode > 0
        return Outcome(
            observation,
            float(reward) if rewarded else 0.0,
            terminated and rewarded,
            truncated or (terminated and not rewarded),
            true_pose(self._info),
        )

    def advance(self) -> None:
        """Go on to the next episode, which `begin` begins."""
        if self._now is not self._task:
            self._now.close()
            self._now = self._task
        self.episode += 1

    def report(self) -> str:
        """Return what the present episode came to, in one line."""
        time = number(self._info, "time_s") or 0.0
        path = number(self._info, "path_m") or 0.0
        if self.episode == 0:
            return f"habituation: {time:.1f} s, {path:.2f} m"
        how = "success" if self._info.get("success") else "no success"
        return f"{short_name(self.config.task)}, trial {self.episode}: {how} in {time:.1f} s, {path:.2f} m"

    def close(self) -> None:
        """Close the environments."""
        if self._now is not self._task:
            self._now.close()
        self._task.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
