"""How sure the agent is of its pose and of its landmarks, and how their errors go together.

Cues are worth their precision (Ernst & Banks 2002, Nature 415:429; Zhang, Wu et al. 2019, eLife 8:e43753).
In a map that is made on the way that is not enough: landmarks stored on one stretch share that stretch's
error, and when one of them turns out to be off, so are the others. Held here is the covariance of all these
errors, which says what share of a surprise belongs to the heading, to the place and to each landmark
(Smith, Self & Cheeseman 1990). It holds uncertainties only: where anything *is* stands in the ring, the
sheets and the landmarks' codes. Without the links between landmarks the same memory was four times as far
off on one of two recorded drives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NoiseConfig:
    """Spread of what the senses say."""

    range_floor: float = 0.07  #: m, standard deviation of a sighting's range
    range_share: float = 0.05  #: of the range, added to it
    bearing: float = 0.015  #: rad, standard deviation of a sighting's bearing
    drift_along: float = 0.03  #: m² of variance for each m driven
    drift_turn: float = 0.025  #: rad² for each rad turned
    drift_moving: float = 2e-4  #: rad²/s while moving
    ring: float = 5e-5  #: rad²/s by which the ring's bump diffuses (measured)
    sheet: float = 1e-5  #: m²/s by which the place read from the sheets diffuses
    gate: float = 25.0  #: squared, scaled surprise beyond which a sighting is not believed (2 dof: 4e-6)

    def __post_init__(self) -> None:
        for name in ("range_floor", "bearing", "gate"):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"sighting {name} must be > 0, got {getattr(self, name)}")
        for name in ("range_share", "drift_along", "drift_turn", "drift_moving", "ring", "sheet"):
            if getattr(self, name) < 0.0:
                raise ValueError(f"sighting {name} must be >= 0, got {getattr(self, name)}")


class Weighed(NamedTuple):
    """What a sighting is worth."""

    believed: bool
    surprise: float  #: squared difference between seen and expected, in units of its variance
    shift: Floats  #: (3 + 2 n,) by how much to move x, y, heading and each landmark's x and y


class Reliability:
    """Covariance of x, y (m), heading (rad) and the places of n landmarks (m), all in the map's frame."""

    def __init__(self, noise: NoiseConfig) -> None:
        self.noise = noise
        self.covariance = np.zeros((3, 3))

    @property
    def landmarks(self) -> int:
        """Number of landmarks known."""
        return (len(self.covariance) - 3) // 2

    def spread(self) -> tuple[float, float]:
        """Return the variances of place, m² (sum of both axes), and heading, rad²."""
        p = self.covariance
        return float(p[0, 0] + p[1, 1]), float(p[2, 2])

    def move(self, step: Floats, turn: float, seconds: float) -> None:
        """Grow less sure after moving by `step` (2,) m, map's frame, and turning by `turn` rad."""
        noise, p = self.noise, self.covariance
        # A wrong heading sends the step the wrong way.
        p[:2] += np.outer((-step[1], step[0]), p[2])
        p[:, :2] += np.outer(p[:, 2], (-step[1], step[0]))
        length = float(np.hypot(step[0], step[1]))
        if length > 0.0:
            along = step / length
            p[:2, :2] += noise.drift_along * length * np.outer(along, along)
        p[[0, 1], [0, 1]] += noise.sheet * seconds
        moving = noise.drift_moving * seconds if length > 0.0 or turn != 0.0 else 0.0
        p[2, 2] += noise.drift_turn * abs(turn) + moving + noise.ring * seconds

    def add(self, offset: Floats) -> int:
        """Take up a landmark seen at `offset` (2,) m from the robot, map's frame; return its number."""
        at = len(self.covariance)
        grown = np.zeros((at + 2, at + 2))
        grown[:at, :at] = self.covariance
        self.covariance = grown
        self.renew((at - 3) // 2, offset)
        return (at - 3) // 2

    def renew(self, landmark: int, offset: Floats) -> None:
        """Forget how sure the place of a landmark was; it is seen anew at `offset` (2,) m."""
        p, at = self.covariance, 3 + 2 * landmark
        p[at : at + 2] = 0.0
        p[:, at : at + 2] = 0.0
        carry = np.array([[1.0, 0.0, -offset[1]], [0.0, 1.0, offset[0]]])
        rows = carry @ p[:3]
        p[at : at + 2] = rows
        p[:, at : at + 2] = rows.T
        distance = max(float(np.hypot(*offset)), 1e-6)
        radial = offset / distance
        turned = np.array([[radial[0], -offset[1]], [radial[1], offset[0]]])
        seen = turned @ np.diag(self._sighting(distance)) @ turned.T
        p[at : at + 2, at : at + 2] = rows[:, :3] @ carry.T + seen

    def doubt(self) -> None:
        """Give up being sure of the pose: nothing seen agrees with it."""
        self.covariance[[0, 1], [0, 1]] += 0.5
        self.covariance[2, 2] += 0.3

    def weigh(self, landmark: int, expected: Floats, seen: Floats) -> Weighed:
        """Weigh a sighting of `landmark`, `expected` and `seen` at (2,) m from the robot, map's frame.

        If it is believed, everything grows surer by what it tells.
        """
        p, at = self.covariance, 3 + 2 * landmark
        distance = max(float(np.hypot(*expected)), 0.05)
        x, y = expected
        h = np.zeros((2, len(p)))
        h[0, 0], h[0, 1] = -x / distance, -y / distance
        h[1, 0], h[1, 1], h[1, 2] = y / distance**2, -x / distance**2, -1.0
        h[:, at : at + 2] = -h[:, :2]
        seen_at = float(np.hypot(*seen))
        angle = np.arctan2(x * seen[1] - y * seen[0], x * seen[0] + y * seen[1])
        difference = np.array([seen_at - distance, angle])
        carried = p @ h.T
        spread = h @ carried + np.diag(self._sighting(seen_at))
        inverse = np.linalg.inv(spread)
        surprise = float(difference @ inverse @ difference)
        if surprise > self.noise.gate:
            return Weighed(False, surprise, np.zeros(len(p)))
        gain = carried @ inverse
        p -= gain @ carried.T
        self.covariance = 0.5 * (p + p.T)
        return Weighed(True, surprise, gain @ difference)

    def _sighting(self, distance: float) -> tuple[float, float]:
        """Return the variances of range, m², and bearing, rad², at `distance` m."""
        noise = self.noise
        return (noise.range_floor + noise.range_share * distance) ** 2, noise.bearing**2
