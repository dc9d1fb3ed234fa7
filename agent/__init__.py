"""The agent: perception, dopamine, actor-critic, reflexes, and the navigator that composes them."""

from .config import NavigatorConfig
from .navigator import Navigator
from .snapshot import AgentSnapshot

__all__ = ["AgentSnapshot", "Navigator", "NavigatorConfig"]
