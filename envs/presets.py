"""Known event sensors: what their pixels are like, as far as it was published.

Thresholds are the natural logarithm of the contrast at which half of the pixels respond. Where a figure is
not published the emulator v2e's default stands in, and the comment says so. Rates hold for an ordinary room;
bandwidths for bright light. Biases change all of them on the real sensors: measure yours and override.
"""

from __future__ import annotations

from dataclasses import replace
from math import atan, log, radians, tan
from typing import Literal

from .camera import CameraSpec

SensorName = Literal["ideal", "DVS128", "DAVIS346", "DVXplorer", "Speck"]

#: What v2e assumes of noise where nothing else is known (Hu, Liu & Delbruck 2021).
_V2E_NOISE = {"leak_rate": 0.1, "leak_jitter": 0.1, "rate_spread": 0.1, "hot_pixels": 1e-4, "hot_rate": 100.0}

_PIXELS: dict[str, dict[str, float]] = {
    "ideal": {},
    # Lichtsteiner, Posch & Delbruck (2008): 15 % contrast, threshold mismatch 2.1 %, 3 kHz in bright light,
    # 0.05 Hz of leak events; the refractory period is a bias, 0.5 ms is usual.
    "DVS128": {
        "threshold": log(1.15), "mismatch": 0.021, "refractory": 0.5e-3, "cutoff": 3000.0, **_V2E_NOISE,
        "leak_rate": 0.05, "shot_rate": 0.1,
    },
    # Taverni et al. (2018) and the maker's sheet: 14.3 % ON and 22.5 % OFF contrast; mismatch 3.5 % of its
    # forerunner (Brandli et al. 2014). Bandwidth, leak and shot noise: v2e.
    "DAVIS346": {
        "threshold": log(1.143), "asymmetry": -log(1.0 - 0.225) / log(1.143), "mismatch": 0.035,
        "refractory": 0.5e-3, "cutoff": 300.0, **_V2E_NOISE, "shot_rate": 0.5,
    },
    # The maker's sheet: 13 % ON and 27.5 % OFF contrast, time stamps every 200 us. The rest: v2e.
    "DVXplorer": {
        "threshold": log(1.13), "asymmetry": -log(1.0 - 0.275) / log(1.13), "mismatch": 0.03,
        "refractory": 0.2e-3, "cutoff": 300.0, **_V2E_NOISE, "shot_rate": 0.1,
    },
    # A DVS of 128 x 128 on the chip of a spiking processor (Yao et al. 2024); its pixels' figures are not
    # published, so all are v2e's defaults.
    "Speck": {
        "threshold": 0.2, "mismatch": 0.03, "refractory": 0.5e-3, "cutoff": 300.0, **_V2E_NOISE,
        "shot_rate": 0.1,
    },
}  # fmt: skip

#: Pixels of each sensor, (width, height).
RESOLUTIONS = {"DVS128": (128, 128), "DAVIS346": (346, 260), "DVXplorer": (640, 480), "Speck": (128, 128)}

SENSORS = tuple(_PIXELS)


def with_sensor(camera: CameraSpec, name: str) -> CameraSpec:
    """Return `camera` with pixels like those of the sensor `name`; its geometry stays.

    Raises
    ------
    ValueError
        If no such sensor is known; the message lists those that are.
    """
    known = _known(name)
    pixels = {field: getattr(_DEFAULT, field) for field in _PIXEL_FIELDS} | _PIXELS[known]
    return replace(camera, sensor=known, **pixels)


def sensor_camera(name: str, fov_azimuth: float = radians(70.0)) -> CameraSpec:
    """Return a pinhole camera with the resolution and the pixels of the sensor `name`, looking straight
    ahead.

    `fov_azimuth` rad is that of the lens; pixels are square.

    Raises
    ------
    ValueError
        If no such sensor is known, or for an impossible field of view.
    """
    known = _known(name)
    if known not in RESOLUTIONS:
        raise ValueError(f"sensor {known!r} has no resolution of its own; use with_sensor(camera, {known!r})")
    width, height = RESOLUTIONS[known]
    up = atan(tan(0.5 * fov_azimuth) * height / width)
    camera = CameraSpec(
        width, height, fov_azimuth, elevation_low=-up, elevation_high=up, projection="pinhole"
    )
    return with_sensor(camera, known)


def _known(name: str) -> str:
    for known in SENSORS:
        if known.lower() == name.lower():
            return known
    raise ValueError(f"sensor must be one of {', '.join(SENSORS)}, got {name!r}")


_DEFAULT = CameraSpec()
_PIXEL_FIELDS = (
    "threshold", "asymmetry", "mismatch", "refractory", "cutoff", "leak_rate", "leak_jitter", "shot_rate",
    "rate_spread", "hot_pixels", "hot_rate",
)  # fmt: skip
