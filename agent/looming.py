"""The fast path: what is about to be hit turns the robot away, whatever the policy wants.

The time to contact is that of the robot's disc, driving straight ahead at the speed that the policy asks for,
with what `vision.looming` says is near. Below a bound the reflex brakes and turns to the side on which the
smaller turn leads to free ground; flies turn away from expansion in the same way (Tammero & Dickinson 2002,
J. Exp. Biol. 205:2785). For a moment after the turn the robot drives on and may not turn back, since a policy
that still wants what it wanted would be in front of the same thing again. It needs no cortex and no memory of
places: events and gyro in, twist out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..memory.config import PERIOD
from .perception import CameraGeometry
from .vision.looming import FlowConfig, LoomingFlow

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

TURNS = (0.35, 0.7, 1.05, 1.4, 1.75)  #: rad, turns that are compared
REACH = 1.0  #: m, beyond which more room is not better


@dataclass(frozen=True, slots=True)
class LoomingConfig:
    """The looming reflex. Values without a source were chosen in cluttered arenas 100 to 103."""

    enabled: bool = False  #: off, because it lengthens the way to the goal of the water maze
    bound: float = 0.8  #: s to contact below which the reflex takes over
    stop: float = 0.25  #: s to contact below which it stands still while it turns
    turn_rate: float = 3.0  #: rad/s of turning away
    hold: float = 0.8  #: s after the alarm during which it drives on without turning back
    cruise: float = 0.3  #: m/s while it drives on
    radius: float = 0.075  #: m, of the robot
    margin: float = 0.04  #: m to pass things at
    flow: FlowConfig = field(default_factory=FlowConfig)

    def __post_init__(self) -> None:
        for name in ("bound", "turn_rate", "radius"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"looming {name} must be > 0, got {getattr(self, name)}")
        for name in ("hold", "cruise", "margin"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"looming {name} must be >= 0, got {getattr(self, name)}")
        if not 0.0 <= self.stop < self.bound:
            raise ValueError(f"looming stop must be in [0, bound), got {self.stop} of {self.bound} s")


class LoomingReflex:
    """Looks on in every control period, and changes the twist when something looms.

    Attributes
    ----------
    time_to_contact : float
        s, straight ahead at the speed wanted, in the last period; inf if nothing is in the way.
    active : bool
        Whether the reflex, not the policy, drives.
    """

    def __init__(self, config: LoomingConfig, camera: CameraGeometry) -> None:
        self.config = config
        self.flow = LoomingFlow(config.flow, camera)
        self.time_to_contact = np.inf
        self._side, self._hold = 0, 0.0

    def reset(self) -> None:
        """Begin an episode: nothing looms."""
        self.flow.reset()
        self.time_to_contact = np.inf
        self._side, self._hold = 0, 0.0

    @property
    def active(self) -> bool:
        return self._hold > 0.0

    def look(self, events: Mapping[str, NDArray[Any]], speed: float, turn_rate: float) -> None:
        """See the events of a control period in which the robot drove at `speed` m/s, `turn_rate` rad/s."""
        self.flow.advance(events, speed, turn_rate)

    def override(self, twist: Floats) -> Floats:
        """Return the twist (2,) to drive, m/s and rad/s, when the policy wants `twist`.

        Not for a robot that stands or turns on the spot on purpose: nothing looms then, and it has to stay.
        """
        config = self.config
        speed, turn = float(twist[0]), float(twist[1])
        self._hold = max(0.0, self._hold - PERIOD)
        if self.active:
            speed, turn = max(speed, config.cruise), self._side * max(0.0, self._side * turn)
        ahead = self.gap(0.0)
        self.time_to_contact = ahead / speed if speed > 0.0 else np.inf
        if self.time_to_contact >= config.bound:
            return np.array([speed, turn], np.float32)
        if not self.active:
            self._side = self._freer_side(config.bound * max(speed, config.cruise))
        self._hold = config.hold
        brake = max(0.0, self.time_to_contact - config.stop) / (config.bound - config.stop)
        return np.array([speed * brake, self._side * config.turn_rate], np.float32)

    def gap(self, heading: float = 0.0) -> float:
        """Return how far, m, the robot and its margin can drive in a direction, rad from straight ahead."""
        width = self.config.radius + self.config.margin
        return float(_gap(self.flow.nearness, self.flow.directions, heading, width))

    def _freer_side(self, enough: float) -> int:
        """Return 1 (left) or -1: where the smaller turn leads to `enough` m, or else to more of them."""
        left = [self.gap(angle) for angle in TURNS]
        right = [self.gap(-angle) for angle in TURNS]
        for a, b in zip(left, right, strict=True):
            if (a >= enough) != (b >= enough):
                return 1 if a >= enough else -1
            if a >= enough:
                break
        return 1 if np.minimum(left, REACH).sum() >= np.minimum(right, REACH).sum() else -1


@njit(cache=True)
def _gap(nearness: Doubles, directions: Doubles, heading: float, width: float) -> float:
    """Return how far, m, a disc of radius `width` m can drive along `heading` before it meets a sector."""
    gap = np.inf
    for k in range(nearness.size):
        along = np.cos(directions[k] - heading)
        if nearness[k] <= 0.0 or along <= 0.0:
            continue
        distance = 1.0 / nearness[k]
        aside = distance * np.sin(directions[k] - heading)
        if abs(aside) < width:
            gap = min(gap, max(0.0, distance * along - np.sqrt(width * width - aside * aside)))
    return gap
