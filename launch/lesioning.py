"""Lesions that the command line asks for."""

from __future__ import annotations

from ..agent import Navigator
from ..agent.lesions import lesion
from .agents import Agent
from .errors import UserError, asked


def lesioned(agent: Agent, wanted: str, seed: int) -> int:
    """Apply `wanted`, such as ``ca3`` or ``grid:0.3``, to `agent`; return how many neurons are dead of it.

    Raises
    ------
    UserError
        For a region or a fraction that cannot be, or an agent without neurons.
    """
    if not isinstance(agent, Navigator):
        raise UserError("--lesion needs an agent with neurons, not a baseline")
    region, colon, share = wanted.partition(":")
    with asked("--lesion"):
        try:
            fraction = float(share) if colon else 1.0
        except ValueError:
            raise UserError(
                f"--lesion {wanted!r}: expected REGION or REGION:FRACTION, such as ca3:0.5"
            ) from None
        return lesion(agent, region, fraction, seed)
