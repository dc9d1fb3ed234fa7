"""The robot's body and kinematics: a differential drive of 0.15 m."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RobotSpec:
    """Dimensions and limits of the robot described by ``envs/data/robot.urdf``.

    Attributes
    ----------
    radius : m, of the body, which is round.
    wheel_radius, track : m, wheel radius and distance between the wheels.
    max_speed, max_yaw_rate : m/s and rad/s, largest twist that can be commanded.
    wheel_torque : N m, largest torque of a wheel's motor. Below what the tyres can pass on, so that a robot
        pushing against a wall stalls instead of spinning its wheels.
    mass_behind, mass_below : m, where the centre of mass lies from the middle of the axle.
    """

    radius: float = 0.075
    wheel_radius: float = 0.03
    track: float = 0.12
    max_speed: float = 0.3
    max_yaw_rate: float = 3.0
    wheel_torque: float = 0.03
    mass_behind: float = 0.012
    mass_below: float = 0.005

    @property
    def max_wheel_rate(self) -> float:
        """rad/s, wheel speed at the largest twist."""
        return (self.max_speed + 0.5 * self.track * self.max_yaw_rate) / self.wheel_radius

    def wheel_rates(self, v: float, w: float) -> tuple[float, float]:
        """Return the left and right wheel rates (rad/s) that make twist `v` (m/s), `w` (rad/s)."""
        half = 0.5 * self.track * w
        return (v - half) / self.wheel_radius, (v + half) / self.wheel_radius

    def twist(self, left: float, right: float) -> tuple[float, float]:
        """Return the twist `v` (m/s), `w` (rad/s) that wheel rates `left` and `right` (rad/s) make."""
        return (
            0.5 * self.wheel_radius * (left + right),
            self.wheel_radius * (right - left) / self.track,
        )


def urdf_path() -> Path:
    """Return where the robot's URDF lies (an installed package's data file)."""
    with as_file(files("tolman.envs") / "data" / "robot.urdf") as path:
        return path


def integrate_twist(pose: NDArray[np.float64], v: float, w: float, dt: float) -> NDArray[np.float64]:
    """Move `pose` (x, y, theta) on the exact arc of twist (v, w) for `dt` s; theta is not wrapped."""
    x, y, theta = pose
    turn = w * dt
    # sin(a)/a and (1 - cos(a))/a, by series where the quotient would lose digits
    if abs(turn) < 1e-4:
        ahead, aside = 1.0 - turn * turn / 6.0, 0.5 * turn
    else:
        ahead, aside = np.sin(turn) / turn, (1.0 - np.cos(turn)) / turn
    c, s = np.cos(theta), np.sin(theta)
    step = v * dt
    return np.array([x + step * (ahead * c - aside * s), y + step * (ahead * s + aside * c), theta + turn])
