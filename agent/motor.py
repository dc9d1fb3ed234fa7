"""From a wanted direction to a twist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..spiking.checks import require_positive


@dataclass(frozen=True, slots=True)
class MotorConfig:
    """Speeds and gains of steering."""

    speed: float = 0.3  #: m/s, straight ahead
    turn_gain: float = 5.0  #: rad/s per rad of error
    turn_limit: float = 3.0  #: rad/s, the most that the robot can
    tau_vote: float = 0.08  #: s over which the actor's vote is smoothed before the wheels follow it
    scan_rate: float = 2.5  #: rad/s, of the look around after being carried
    scan_seconds: float = 3.0  #: s the look around lasts at most

    def __post_init__(self) -> None:
        require_positive("motor", self, "tau_vote")
        for name in ("speed", "turn_gain", "turn_limit", "scan_rate", "scan_seconds"):
            if getattr(self, name) < 0.0:
                raise ValueError(f"motor {name} must be >= 0, got {getattr(self, name)}")


def steer(config: MotorConfig, wanted: float, heading: float) -> NDArray[np.float32]:
    """Return the twist (2,) that turns from `heading` to `wanted` rad, driving the faster the straighter."""
    error = float(np.arctan2(np.sin(wanted - heading), np.cos(wanted - heading)))
    turn = float(np.clip(config.turn_gain * error, -config.turn_limit, config.turn_limit))
    return np.array([config.speed * max(0.0, float(np.cos(error))), turn], np.float32)


def scan(config: MotorConfig) -> NDArray[np.float32]:
    """Return the twist (2,) of looking around on the spot."""
    return np.array([0.0, config.scan_rate], np.float32)
