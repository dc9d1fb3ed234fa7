"""What drive moves a bump at what speed: measured once for each sheet, then looked up."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class DriveTable:
    """Monotone, odd relation between the layers' drive and the bump's speed."""

    drives: tuple[float, ...]  #: threshold units, ascending from 0
    speeds: tuple[float, ...]  #: rad/s or periods/s, ascending from 0
    lag: float = 0.0  #: s by which the bump trails its input

    @classmethod
    def fit(cls, drives: NDArray[np.float64], speeds: NDArray[np.float64]) -> DriveTable:
        """Build the table from measurements (n,); raise ValueError if the sheet does not follow its drive."""
        rising = np.maximum.accumulate(speeds)
        keep = np.concatenate(([True], np.diff(rising) > 1e-9))
        if keep.sum() < 3:
            raise ValueError(f"attractor does not move with its drive: speeds {np.round(speeds, 3).tolist()}")
        return cls(tuple(map(float, drives[keep])), tuple(map(float, rising[keep])))

    def with_lag(self, lag: float) -> DriveTable:
        """Return the table with the measured lag, s."""
        return replace(self, lag=lag)

    def drive(self, speed: float) -> float:
        """Return the drive for a signed `speed`; beyond the table the last slope goes on."""
        size = abs(speed)
        at = min(bisect_right(self.speeds, size), len(self.speeds) - 1)
        slope = (self.drives[at] - self.drives[at - 1]) / (self.speeds[at] - self.speeds[at - 1])
        return math.copysign(self.drives[at - 1] + slope * (size - self.speeds[at - 1]), speed)


def circular_speed(angles: NDArray[np.float64], interval: float, period: float = 2.0 * np.pi) -> float:
    """Return the least-squares speed of `angles` (n,) sampled every `interval` s on a circle of `period`."""
    turned = np.unwrap(angles, period=period)
    return float(np.polyfit(np.arange(len(turned)) * interval, turned, 1)[0])
