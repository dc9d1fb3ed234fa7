"""Boundary cells: spiking cells that fire at a distance and direction from walls the robot has felt.

Nobody tells the robot where walls are. What it has are bumps: each contact, with the pose the robot believes
in, leaves a point of wall in the map's frame (`ContactMap`). Seen from the present place, these points excite
boundary vector cells, each tuned to a distance and an allocentric direction (O'Keefe & Burgess 1996; Hartley
et al. 2000, Hippocampus 10:369; cells found by Lever et al. 2009, J. Neurosci. 29:9771). Optional: no other
part reads them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..spiking.lif import relax
from ..spiking.model import add_noise, fire, write
from ..spiking.random import key, step_key
from .contacts import touched
from .neurons import NeuronConfig

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BoundaryConfig:
    """Cells on a grid of distances and directions, and the map of contacts they read."""

    directions: int = 8
    distances: tuple[float, ...] = (0.0, 0.10, 0.25)  #: m from the wall to the body's edge
    radius: float = 0.10  #: m, from the robot's middle to where it touches
    spread_angle: float = 0.2  #: rad, sigma_ang of Hartley et al. 2000
    spread_base: float = 0.05  #: m, sigma_rad at no distance
    spread_slope: float = 0.15  #: growth of sigma_rad with distance: (d / beta + 1) sigma_0 in Hartley et al.
    merge: float = 0.05  #: m within which a contact confirms a point instead of adding one
    points: int = 512  #: capacity; the oldest goes first
    gain: float = 1.8  #: drive of a cell whose wall is just where it prefers it, in units of threshold
    neurons: NeuronConfig = field(default_factory=lambda: NeuronConfig(noise=0.06))

    def __post_init__(self) -> None:
        if self.directions < 4:
            raise ValueError(f"boundary directions must be >= 4, got {self.directions}")
        if not self.distances or min(self.distances) < 0.0:
            raise ValueError(f"boundary distances must be >= 0 m and not empty, got {self.distances}")
        for name in ("spread_angle", "spread_base", "merge", "points"):
            if getattr(self, name) <= 0:
                raise ValueError(f"boundary {name} must be > 0, got {getattr(self, name)}")


class ContactMap:
    """Points of wall (n, 2), m in the map's frame, as contacts have laid them down."""

    def __init__(self, merge: float, capacity: int) -> None:
        self.merge, self._capacity = merge, capacity
        self.points = np.zeros((0, 2))

    def touch(self, position: Doubles, heading: float, bump: NDArray[np.uint8], radius: float) -> None:
        """Note a contact of the sectors `bump` (8,), felt at the believed `position` (2,) and `heading`."""
        for angle in touched(bump, heading):
            self.add(position + radius * np.array([np.cos(angle), np.sin(angle)]))

    def add(self, point: Doubles) -> None:
        """Add `point` (2,), or move the one within reach half-way towards it."""
        if len(self.points):
            away = np.hypot(*(self.points - point).T)
            nearest = int(np.argmin(away))
            if away[nearest] < self.merge:
                self.points[nearest] += 0.5 * (point - self.points[nearest])
                return
        self.points = np.concatenate((self.points, point[None]))[-self._capacity :]


class BoundaryCells:
    """LIF cells (distances * directions), direction fastest, driven by the map at the believed place."""

    def __init__(self, config: BoundaryConfig, seed: int) -> None:
        self.config, self.key = config, key(seed, "boundary")
        angle = np.arange(config.directions) * (2.0 * np.pi / config.directions)
        self.direction = np.tile(angle, len(config.distances))
        self.distance = np.repeat(np.asarray(config.distances, np.float64), config.directions)
        self.size = self.direction.size
        self.map = ContactMap(config.merge, config.points)
        self._membrane, self._silent = np.zeros(self.size, np.float32), np.zeros(self.size, np.int32)
        self._clock = 0

    def tuning(self, position: Doubles) -> Floats:
        """Return the drive (size,) at `position` (2,): the best match among the points of wall, in [0, 1]."""
        if len(self.map.points) == 0:
            return np.zeros(self.size, np.float32)
        c, offset = self.config, self.map.points - position
        away = np.maximum(np.hypot(*offset.T) - c.radius, 0.0)[:, None]
        bearing = np.arctan2(offset[:, 1], offset[:, 0])[:, None]
        turn = np.angle(np.exp(1j * (bearing - self.direction)))
        spread = c.spread_base + c.spread_slope * self.distance
        # A point stands for `merge` m of wall; seen from close by that is wider than the cell's own tuning.
        wide = np.hypot(c.spread_angle, c.merge / (away + c.radius))
        match = np.exp(-((away - self.distance) ** 2) / (2.0 * spread**2) - turn**2 / (2.0 * wide**2))
        # The largest and not the sum, so that a wall touched often excites no more than one touched once.
        return np.asarray(match.max(axis=0), np.float32)

    def advance(
        self, position: Doubles, heading: float, bump: NDArray[np.uint8], steps: int
    ) -> NDArray[np.int32]:
        """Take the contacts `bump` (8,) of a period of `steps` ms; return spikes (k, 2) of (ms, cell)."""
        if bump.any():
            self.map.touch(position, heading, bump, self.config.radius)
        drive = np.float32(self.config.gain) * self.tuning(position)
        constants, noise = self.config.neurons.constants(self.size), self.config.neurons.noise_drive()
        spikes, count = np.zeros((self.size * steps, 2), np.int32), 0
        fired, nothing = np.empty(self.size, np.int32), np.zeros(0, np.float32)
        for step in range(steps):
            inputs = drive.copy()
            add_noise(inputs, noise, step_key(self.key, np.uint32(self._clock & 0xFFFFFFFF)))
            relax(self._membrane, inputs, nothing, constants)
            n = fire(self._membrane, self._silent, constants[3], constants[4], constants[5], fired)
            count = write(spikes, count, step, fired, n)
            self._clock += 1
        return spikes[:count]
