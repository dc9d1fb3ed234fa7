"""Planar poses: change of frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Pose = NDArray[np.float64]  #: (3,) or (n, 3): x, y in m and theta in rad


class MapFrames:
    """True world poses at which an agent began its maps: `origins` by the maps' numbers."""

    def __init__(self, origins: Iterable[Sequence[float] | Pose] = ()) -> None:
        self._origins = [np.array(origin, np.float64) for origin in origins]

    def __len__(self) -> int:
        return len(self._origins)

    def __getitem__(self, number: int) -> Pose:
        return self._origins[number]

    def at(self, number: int, pose: Pose) -> Pose:
        """Return the origin of map `number`; one that is new begins at `pose` (3,), where the robot is."""
        while len(self._origins) <= number:
            self._origins.append(np.array(pose, np.float64))
        return self._origins[number]

    def plain(self) -> tuple[tuple[float, float, float], ...]:
        """Return all origins as plain numbers."""
        return tuple((float(x), float(y), float(theta)) for x, y, theta in self._origins)


def into_frame(origin: Pose, pose: Pose) -> Pose:
    """Return world `pose` (3,) or (n, 3) in the frame whose origin and x axis are those of `origin` (3,)."""
    cosine, sine = np.cos(origin[2]), np.sin(origin[2])
    dx, dy = pose[..., 0] - origin[0], pose[..., 1] - origin[1]
    moved = (cosine * dx + sine * dy, cosine * dy - sine * dx, wrap(pose[..., 2] - origin[2]))
    return np.stack(moved, axis=-1)


def out_of_frame(origin: Pose, pose: Pose) -> Pose:
    """Inverse of `into_frame`: return `pose` given in the frame of `origin` in the world frame."""
    cosine, sine = np.cos(origin[2]), np.sin(origin[2])
    x = origin[0] + cosine * pose[..., 0] - sine * pose[..., 1]
    y = origin[1] + sine * pose[..., 0] + cosine * pose[..., 1]
    return np.stack((x, y, wrap(pose[..., 2] + origin[2])), axis=-1)


def wrap(angle: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return `angle` in rad wrapped into [-pi, pi)."""
    return np.asarray((np.asarray(angle, np.float64) + np.pi) % (2.0 * np.pi) - np.pi)
