"""`tolman node`: one node in this process, until its work is done or a signal asks it to stop."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...envs import CameraSpec, EventPacket
from .. import checkpoint as checkpoints
from ..agents import Agent, Informed, make_agent
from ..config import ExperimentConfig
from ..environments import configured_camera
from ..errors import UserError, asked
from ..evaluation import with_checkpoint
from ..options import experiment_of
from ..signals import Stop
from .agent import AgentNode
from .environment import EnvironmentNode
from .periods import SECTORS
from .ros import BridgeError, Context, opened, spin
from .world import World


def environment(arguments: Namespace) -> None:
    """Run `tolman node environment`."""
    config = replace(experiment_of(arguments), trials=arguments.episodes)
    with World(config) as world, _context(arguments.endpoint) as context, Stop() as stop:
        with asked("", BridgeError):
            node = EnvironmentNode(
                world, arguments.mode, command_timeout=arguments.command_timeout, context=context
            )
        spin(node, lambda: node.finished or stop())


def agent(arguments: Namespace) -> None:
    """Run `tolman node agent`."""
    checkpoint = None if arguments.checkpoint is None else Path(arguments.checkpoint)
    config = experiment_of(arguments) if checkpoint is None else with_checkpoint(arguments, checkpoint)
    camera = configured_camera(config.environment)
    made = build_agent(config, camera)
    if checkpoint is not None:
        try:
            made.load_state_dict(checkpoints.load(checkpoint).agent_state)
        except (ValueError, KeyError) as error:
            raise UserError(f"the checkpoint does not fit this agent: {error}") from error
    warm_up(build_agent(config, camera))
    with _context(arguments.endpoint) as context, Stop() as stop:
        with asked("", BridgeError):
            node = AgentNode(made, camera, context=context)
        try:
            spin(node, lambda: node.finished or stop())
        finally:
            node.stop()


def build_agent(config: ExperimentConfig, camera: CameraSpec) -> Agent:
    """Return the agent that `config` asks for, under its seed.

    Raises
    ------
    UserError
        If there is none that lives on messages.
    """
    made = make_agent(config, camera, config.seed)
    if isinstance(made, Informed):
        raise UserError(f"algorithm {config.algorithm!r} reads the true pose, which no message carries")
    return made


def warm_up(spare: Agent) -> None:
    """Have the kernels compiled by an agent that is thrown away: a robot would not wait for them."""
    spare.reset()
    observation = {
        "events": EventPacket.empty().to_observation(),
        "odometry": np.zeros(2, np.float32),
        "gyro": np.zeros(1, np.float32),
        "bump": np.zeros(SECTORS, np.uint8),
    }
    for _ in range(3):
        spare.act(observation)
        spare.reward(0.0, False)


@contextmanager
def _context(endpoint: str | None) -> Iterator[Context]:
    with asked("", BridgeError):
        context = opened(endpoint)
    try:
        yield context
    finally:
        context.try_shutdown()
