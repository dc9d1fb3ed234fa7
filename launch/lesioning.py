"""Lesions that the command line or an experiment asks for."""

from __future__ import annotations

from ..agent import Navigator
from ..agent.lesions import PlannedLesion, lesion
from .agents import Agent
from .errors import UserError, asked


def lesioned(agent: Agent, wanted: str, seed: int) -> int:
    """Apply `wanted`, such as ``ca3`` or ``grid:0.3``, to `agent`; return how many neurons die.

    Raises
    ------
    UserError
        For a region or a fraction that cannot be, or an agent without neurons.
    """
    with asked("--lesion"):
        return inflict(agent, PlannedLesion.parse(wanted), seed)


def inflict(agent: Agent, planned: PlannedLesion, seed: int) -> int:
    """Do what is `planned` to `agent` now; return how many neurons die.

    Raises
    ------
    UserError
        For an agent without neurons.
    """
    if not isinstance(agent, Navigator):
        raise UserError("a lesion needs an agent with neurons, not a baseline")
    return lesion(agent, planned.region, planned.fraction, seed)
