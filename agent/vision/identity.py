"""What an agent remembers of the camera it learned with, so that another one is noticed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..perception import CameraGeometry

#: What is remembered, in this order; angles in rad, thresholds in log units.
_NAMES = (
    "width",
    "height",
    "threshold",
    "threshold_off",
    "left edge",
    "right edge",
    "highest row",
    "lowest row",
)


def identity(camera: CameraGeometry) -> dict[str, NDArray[np.generic]]:
    """Describe `camera` as plain arrays: "camera" float64 (8,) and "sensor", the letters of its name."""
    numbers = [
        camera.width, camera.height, camera.threshold, camera.threshold_off, camera.azimuths[0],
        camera.azimuths[-1], camera.elevations[0], camera.elevations[-1],
    ]  # fmt: skip
    return {
        "camera": np.array(numbers, np.float64),
        "sensor": np.frombuffer(camera.sensor.encode(), np.uint8).copy(),
    }


def difference(
    remembered: Mapping[str, NDArray[np.generic]], present: Mapping[str, NDArray[np.generic]]
) -> str | None:
    """Say in which points two cameras differ, in a few words; None where they do not."""
    points = [
        f"{name} {float(old):.4g} against {float(new):.4g}"
        for name, old, new in zip(_NAMES, remembered["camera"], present["camera"], strict=True)
        if abs(float(old) - float(new)) > 1e-9
    ]
    names = [bytes(np.asarray(side["sensor"], np.uint8)).decode() for side in (remembered, present)]
    if names[0] != names[1]:
        points.insert(0, f"sensor {names[0]} against {names[1]}")
    return ", ".join(points) or None
