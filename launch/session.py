"""A session: one agent, one environment, trial after trial; saved and taken up at any trial boundary."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np

from .. import __version__
from ..agent.lesions import PlannedLesion
from ..spiking.random import stream
from .agents import Agent, make_agent
from .checkpoint import Checkpoint
from .config import ExperimentConfig
from .environments import (
    camera_of,
    make_environment,
    make_habituation,
    random_state,
    set_random_state,
    task_of,
)
from .episode import Environment, Observer, run_episode
from .errors import UserError, asked
from .frames import MapFrames
from .lesioning import inflict
from .oracle import shortest
from .results import SeedRun
from .scoring import TrialRecord
from .seeds import environment_seed


class Session:
    """Builds environment and agent, runs trials, and knows how to make and take up checkpoints.

    Raises
    ------
    UserError
        If the environment or the agent refuses its configuration.
    """

    def __init__(self, config: ExperimentConfig, *, render: bool = False) -> None:
        self.config = config
        self.environment: Environment = make_environment(config.task, config.environment, render=render)
        try:
            if config.exploration > 0.0:
                make_habituation(
                    self.environment, config
                ).close()  # refuses a bad length before anything runs
            task = task_of(self.environment)
            if config.algorithm == "oracle" and not task.seeks:
                raise UserError(f"an oracle needs a goal to drive to, and {config.task} has none")
            self.agent: Agent = make_agent(config, camera_of(self.environment), config.seed, shortest(task))
        except BaseException:
            self.environment.close()
            raise
        self.records: list[TrialRecord] = []
        self._frames = MapFrames()
        self._seeded = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.environment.close()

    @property
    def trials_done(self) -> int:
        """Trials run so far, habituation not counted."""
        return sum(record.trial > 0 for record in self.records)

    @property
    def frames(self) -> MapFrames:
        """True world poses at which the agent began its maps."""
        return self._frames

    @property
    def habituation_due(self) -> bool:
        """Whether the next episode is the habituation that the configuration asks for."""
        return self.config.exploration > 0.0 and not self.records

    def next_trial(self, observers: Sequence[Observer] = ()) -> TrialRecord:
        """Run habituation if it is due, or else the next trial, with the lesions that are due before it."""
        self._lesion()
        if self.habituation_due:
            return self._habituate(observers)
        seed = None if self._seeded else environment_seed(self.config.seed)
        record = self._episode(self.environment, self.trials_done + 1, seed, observers, rewarded=True)
        self._seeded = True
        return record

    def _lesion(self) -> None:
        """Do what was planned for the beginning of the next episode; what was done before lasts."""
        due = 0 if not self.records else self.trials_done + 1
        for planned in map(PlannedLesion.parse, self.config.lesions):
            # Without habituation the first episode is trial 1.
            if planned.trial == due or (not self.records and planned.trial == 1 and not self.habituation_due):
                inflict(self.agent, planned, self.config.seed)

    def _habituate(self, observers: Sequence[Observer]) -> TrialRecord:
        arena = make_habituation(self.environment, self.config)
        seed = int(stream(self.config.seed, "habituation").generate_state(1, np.uint32)[0])
        try:
            return self._episode(arena, 0, seed, observers, rewarded=False)
        finally:
            arena.close()

    def _episode(
        self,
        environment: Environment,
        trial: int,
        seed: int | None,
        observers: Sequence[Observer],
        rewarded: bool,
    ) -> TrialRecord:
        record, self._frames = run_episode(
            environment,
            self.agent,
            trial,
            frames=self._frames,
            seed=seed,
            observers=observers,
            rewarded=rewarded,
        )
        self.records.append(record)
        return record

    def checkpoint(self) -> Checkpoint:
        """Return the state at this trial boundary."""
        return Checkpoint(
            version=__version__,
            config=self.config,
            agent_state=self.agent.state_dict(),
            environment_state=random_state(self.environment) if self._seeded else {},
            map_origins=self._frames.plain(),
            records=tuple(self.records),
            spike_hash=self.agent.spike_hash,
        )

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on exactly where `checkpoint` was made: the rest is what would have followed there."""
        if not getattr(self.agent, "resumable", True):
            raise UserError(
                f"a run with {self.config.algorithm} cannot be resumed: the steps that it learns from are not"
                " in the checkpoint; --overwrite starts again"
            )
        self.adopt(checkpoint)
        self.records = list(checkpoint.records)
        if checkpoint.environment_state:
            with asked("the checkpoint's environment state", ValueError, KeyError, TypeError):
                set_random_state(self.environment, checkpoint.environment_state)
            self._seeded = True

    def adopt(self, checkpoint: Checkpoint) -> None:
        """Take what the agent of `checkpoint` learned, and its frame; the environment starts afresh."""
        try:
            self.agent.load_state_dict(checkpoint.agent_state)
        except (ValueError, KeyError) as error:
            raise UserError(f"the checkpoint does not fit this agent: {error}") from error
        self._frames = MapFrames(checkpoint.map_origins)

    def result(self) -> SeedRun:
        """Return the trials of this session."""
        return SeedRun(
            seed=self.config.seed,
            records=tuple(self.records),
            spike_hash=self.agent.spike_hash,
            neurons=self.agent.neurons,
            synapses=self.agent.synapses,
        )
