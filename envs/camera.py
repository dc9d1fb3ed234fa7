"""Where a camera looks and how its pixels react: the frozen description shared by renderer and sensor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite, pi, radians

import numpy as np
from numpy.typing import NDArray

PROJECTIONS = ("panorama", "pinhole")
_NOT_NEGATIVE = (
    "refractory", "leak_rate", "shot_rate", "cutoff", "leak_jitter", "rate_spread", "hot_pixels", "hot_rate",
    "sampling",
)  # fmt: skip


@dataclass(frozen=True)
class CameraSpec:
    """An event camera on top of the robot, looking along the robot's heading or `yaw` aside of it.

    The default field of view is a rodent's: nearly all around, mostly above the horizon. Pixel (0, 0) is the
    top left; azimuth counts counter-clockwise from straight ahead, so it *decreases* with the column.

    Attributes
    ----------
    width, height : int
        Pixels.
    fov_azimuth : float
        rad, full horizontal field of view; up to 2π for a panorama, below π for a pinhole.
    elevation_low, elevation_high : float
        rad, elevations of the lower edge of the lowest and the upper edge of the highest row (at azimuth 0).
    projection : str
        ``"panorama"``: equal steps of azimuth and of elevation. ``"pinhole"``: a flat image plane.
    mount : float
        m, height of the optical centre above the floor.
    yaw : float
        rad, where the camera looks from the robot's heading, counter-clockwise.
    threshold : float
        log units, contrast that makes an ON event (0.2: ESIM, v2e).
    asymmetry : float
        Threshold of OFF events as a multiple of that of ON events.
    mismatch : float
        log units, standard deviation of the threshold over pixels and polarities (0.03: v2e).
    refractory : float
        s, shortest interval between two events of a pixel.
    cutoff : float
        Hz, bandwidth of a pixel at full light, proportional to the light; 0: infinite.
    white : float
        Radiance of full light, on which bandwidth and shot noise depend.
    leak_rate, leak_jitter : float
        Hz, ON events of a leaking pixel, and the relative deviation of the leak from frame to frame (v2e:
        0.1).
    shot_rate : float
        Hz, random events of a pixel in darkness; a quarter of it at full light.
    rate_spread : float
        Decades, standard deviation over pixels of the rates of leak and of hot pixels (v2e: 0.1).
    hot_pixels, hot_rate : float
        Share of pixels that fire all the time, and how often, Hz.
    sampling : float
        log units, largest change of a pixel between two images; where it would be larger the environment
        draws images in between (adaptive sampling, ESIM). 0: one image each physics step.
    mismatch_seed : int
        Which camera of the series: draws the thresholds. A camera does not change between episodes.
    sensor : str
        Name of the sensor the pixels are like, for the record; see `presets`.

    Raises
    ------
    ValueError
        For an impossible value.
    """

    width: int = 128
    height: int = 32
    fov_azimuth: float = radians(320.0)
    elevation_low: float = radians(-20.0)
    elevation_high: float = radians(30.0)
    projection: str = "panorama"
    mount: float = 0.10
    yaw: float = 0.0
    threshold: float = 0.2
    mismatch: float = 0.03
    refractory: float = 0.5e-3
    leak_rate: float = 0.0
    shot_rate: float = 0.0
    mismatch_seed: int = 0
    asymmetry: float = 1.0
    cutoff: float = 0.0
    white: float = 1.0
    leak_jitter: float = 0.0
    rate_spread: float = 0.0
    hot_pixels: float = 0.0
    hot_rate: float = 100.0
    sampling: float = 0.0
    sensor: str = "ideal"

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            value = getattr(self, name)
            if not isinstance(value, int) or not 1 <= value <= 4096:
                raise ValueError(f"camera {name} must be a whole number of pixels in 1..4096, got {value!r}")
        if self.projection not in PROJECTIONS:
            raise ValueError(f"camera projection must be one of {PROJECTIONS}, got {self.projection!r}")
        widest = 2.0 * pi if self.projection == "panorama" else radians(170.0)
        if not 0.0 < self.fov_azimuth <= widest + 1e-9:
            raise ValueError(
                f"camera fov_azimuth of a {self.projection} must be in (0, {widest:.4g}] rad,"
                f" got {self.fov_azimuth}"
            )
        steepest = radians(85.0)
        if not -steepest <= self.elevation_low < self.elevation_high <= steepest:
            raise ValueError(
                f"camera elevations must satisfy -{steepest:.4g} <= low < high <= {steepest:.4g} rad,"
                f" got {self.elevation_low} and {self.elevation_high}"
            )
        if not self.mount > 0.0:
            raise ValueError(f"camera mount must be > 0 m, got {self.mount}")
        if not isfinite(self.yaw):
            raise ValueError(f"camera yaw must be finite, got {self.yaw}")
        if not (self.threshold > 0.0 and isfinite(self.threshold)):
            raise ValueError(f"camera threshold must be > 0 log units, got {self.threshold}")
        for name in ("asymmetry", "white"):
            value = getattr(self, name)
            if not (value > 0.0 and isfinite(value)):
                raise ValueError(f"camera {name} must be > 0, got {value}")
        if not 0.0 <= self.mismatch < self.threshold:
            raise ValueError(f"camera mismatch must be in [0, threshold), got {self.mismatch}")
        for name in _NOT_NEGATIVE:
            value = getattr(self, name)
            if not (value >= 0.0 and isfinite(value)):
                raise ValueError(f"camera {name} must be >= 0, got {value}")
        if self.hot_pixels > 1.0:
            raise ValueError(f"camera hot_pixels must be a share in [0, 1], got {self.hot_pixels}")

    @property
    def threshold_off(self) -> float:
        """log units, contrast that makes an OFF event."""
        return self.threshold * self.asymmetry

    @cached_property
    def azimuth_edges(self) -> NDArray[np.float64]:
        """rad, (width + 1,), azimuths of the column borders from the camera's axis, left first."""
        half = 0.5 * self.fov_azimuth
        if self.projection == "panorama":
            return np.linspace(half, -half, self.width + 1)
        edges: NDArray[np.float64] = np.arctan(np.linspace(np.tan(half), -np.tan(half), self.width + 1))
        return edges

    @cached_property
    def slope_edges(self) -> NDArray[np.float64]:
        """(height + 1,), tangents of elevation of the row borders at azimuth 0, top to bottom."""
        if self.projection == "panorama":
            return np.tan(np.linspace(self.elevation_high, self.elevation_low, self.height + 1))
        return np.linspace(np.tan(self.elevation_high), np.tan(self.elevation_low), self.height + 1)

    @cached_property
    def azimuths(self) -> NDArray[np.float64]:
        """rad, (width,), azimuth of each column's centre in the robot frame, counter-clockwise positive."""
        return self._from_axis + self.yaw

    @cached_property
    def _from_axis(self) -> NDArray[np.float64]:
        """rad, (width,), azimuth of each column's centre from where the camera looks."""
        half = 0.5 * self.fov_azimuth
        if self.projection == "panorama":
            edges = self.azimuth_edges
            return 0.5 * (edges[:-1] + edges[1:])
        offsets = np.tan(half) * (1.0 - (2.0 * np.arange(self.width) + 1.0) / self.width)
        centres: NDArray[np.float64] = np.arctan(offsets)
        return centres

    @cached_property
    def elevations(self) -> NDArray[np.float64]:
        """rad, (height,), elevation of each row's centre (at azimuth 0), highest first."""
        if self.projection == "panorama":
            edges = np.linspace(self.elevation_high, self.elevation_low, self.height + 1)
            return 0.5 * (edges[:-1] + edges[1:])
        return np.arctan(0.5 * (self.slope_edges[:-1] + self.slope_edges[1:]))

    @cached_property
    def slope_scale(self) -> NDArray[np.float64]:
        """(width,), factor on a row's slope in each column: 1 in a panorama, cos(azimuth) in a pinhole."""
        return np.ones(self.width) if self.projection == "panorama" else np.cos(self._from_axis)

    def thresholds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draw the contrast thresholds of this camera: ON and OFF, each (height, width), log units.

        Normal around `threshold` and `threshold_off`, kept above a tenth of them (a pixel cannot fire without
        a change).
        """
        draw = np.random.default_rng(self.mismatch_seed).standard_normal((2, self.height, self.width))
        on, off = (
            np.maximum(nominal + self.mismatch * deviation, 0.1 * nominal)
            for nominal, deviation in zip((self.threshold, self.threshold_off), draw, strict=True)
        )
        return on, off
