"""Proprioception: wheel encoders, gyro and bumpers, with the errors real ones have."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, isfinite, sqrt

import numpy as np
from numpy.typing import NDArray

from .robot import RobotSpec


@dataclass(frozen=True)
class SensorNoise:
    """Errors of the wheel encoders and of the gyro.

    A wheel's effective radius is wrong by a constant (wear, load), and it slips: its relative error wanders
    (an Ornstein-Uhlenbeck process). The gyro has a bias that wanders likewise, a scale error and white noise.
    Constants and first values are drawn at each reset.

    The wheels' defaults make dead reckoning by wheel odometry alone drift as recorded robots of this size do
    (0.81-0.85 m): over 300 s of exploring a round arena of 2 m at 0.25 m/s, its position RMS is 0.6-1.0 m
    averaged over seeds (0.80 m, mean of 40). The gyro is like a MEMS part: with the wheels' speed and the
    heading integrated from the gyro, the RMS is 0.16 m (mean of 40 seeds, 0.06-0.29 m). RMS over all samples
    from 0 to 300 s, in the frame of the start pose, without later alignment.

    Attributes
    ----------
    wheel_scale : float
        Standard deviation of each wheel's constant relative error.
    wheel_slip : float
        Standard deviation of each wheel's wandering relative error.
    slip_time : float
        s, how long a slip lasts (time constant).
    gyro_bias : float
        rad/s, standard deviation of the wandering bias.
    bias_time : float
        s, how long a bias lasts (time constant).
    gyro_noise : float
        rad/√s, angle random walk (white noise of the rate).
    gyro_scale : float
        Standard deviation of the constant relative error.
    """

    wheel_scale: float = 0.001
    wheel_slip: float = 0.014
    slip_time: float = 3.0
    gyro_bias: float = 0.003
    bias_time: float = 30.0
    gyro_noise: float = 0.002
    gyro_scale: float = 0.003

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if not (value >= 0.0 and isfinite(value)):
                raise ValueError(f"sensor noise {name} must be >= 0, got {value}")
        for name in ("slip_time", "bias_time"):
            if getattr(self, name) == 0.0:
                raise ValueError(f"sensor noise {name} must be > 0 s, got 0")

    @classmethod
    def none(cls) -> SensorNoise:
        """Return sensors without errors."""
        return cls().scaled(0.0)

    def scaled(self, factor: float) -> SensorNoise:
        """Return the same sensors with every error `factor` times as large (they last as long)."""
        return SensorNoise(
            wheel_scale=factor * self.wheel_scale,
            wheel_slip=factor * self.wheel_slip,
            slip_time=self.slip_time,
            gyro_bias=factor * self.gyro_bias,
            bias_time=self.bias_time,
            gyro_noise=factor * self.gyro_noise,
            gyro_scale=factor * self.gyro_scale,
        )


@dataclass(frozen=True)
class Reading:
    """What the sensors say about one control period.

    Attributes
    ----------
    speed : float
        m/s, mean forward speed from the wheel encoders.
    yaw_rate : float
        rad/s, mean turning rate from the wheel encoders, counter-clockwise positive.
    gyro : float
        rad/s, mean turning rate from the gyro.
    bump : uint8 (8,)
        1 where the sector centred k x 45° counter-clockwise from straight ahead touched something.
    """

    speed: float
    yaw_rate: float
    gyro: float
    bump: NDArray[np.uint8]


class Proprioception:
    """The sensors of one robot over one episode.

    Parameters
    ----------
    noise, robot
        The errors, and the body they sit in.
    """

    def __init__(self, noise: SensorNoise, robot: RobotSpec) -> None:
        self.noise, self.robot = noise, robot
        self.reset(np.random.default_rng(0))

    def reset(self, rng: np.random.Generator) -> None:
        """Draw this episode's constant errors from `rng`, which then drives the wandering ones."""
        noise, draw = self.noise, rng.standard_normal(6)
        self._rng = rng
        self._wheel_scale = noise.wheel_scale * draw[:2]
        self._slip = noise.wheel_slip * draw[2:4]
        self._gyro_scale = 1.0 + noise.gyro_scale * float(draw[4])
        self._gyro_bias = noise.gyro_bias * float(draw[5])

    def read(
        self, wheel_travel: NDArray[np.float64], turn: float, bump: NDArray[np.uint8], period: float
    ) -> Reading:
        """Read the sensors after a control period.

        Parameters
        ----------
        wheel_travel : float64 (2,)
            rad, how far the left and the right wheel have turned.
        turn : float
            rad, the body's true change of heading.
        bump : uint8 (8,)
            Sectors that touched something.
        period : float
            s.
        """
        noise, draw = self.noise, self._rng.standard_normal(4)
        keep = exp(-period / noise.slip_time)
        self._slip = keep * self._slip + noise.wheel_slip * sqrt(1.0 - keep * keep) * draw[:2]
        rates = wheel_travel / period * (1.0 + self._wheel_scale + self._slip)
        speed, yaw_rate = self.robot.twist(float(rates[0]), float(rates[1]))
        keep = exp(-period / noise.bias_time)
        self._gyro_bias = keep * self._gyro_bias + noise.gyro_bias * sqrt(1.0 - keep * keep) * float(draw[2])
        white = noise.gyro_noise / sqrt(period) * float(draw[3])
        return Reading(speed, yaw_rate, turn / period * self._gyro_scale + self._gyro_bias + white, bump)
