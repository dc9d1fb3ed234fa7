"""Orientation channels: simple cells on time surfaces, and what is left of them after competition.

A simple cell weighs the time surface around its pixel with an oriented filter, as simple cells of V1 weigh
the light (Hubel & Wiesel 1962; Jones & Palmer 1987). The even Gabor filters here have zero mean, so an evenly
active patch drives none of them:

    G_k(u, v) = exp(-(u^2 + (g v)^2) / 2 s^2) cos(2 pi u / l) - mean,   u across the bar, v along it

The drive of a cell is the larger of what the ON and the OFF surface give. At each event the cells of its
pixel are driven; they are leaky integrate-and-fire neurons that share one inhibition: the first to reach the
threshold fires and resets all of its pixel (winner takes all, as in Masquelier & Thorpe 2007). So a channel
is again a stream of events, sparser than the camera's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...envs.events import EventPacket
from .time_surface import FADED, NEVER, Surfaces, Times, TimeSurfaceConfig, require_on_sensor

Filters = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class OrientationConfig:
    """Simple cells and their competition; sizes in pixels."""

    channels: int = 8  #: orientations k pi / channels of a bar, from horizontal, counter-clockwise
    surface: TimeSurfaceConfig = field(default_factory=lambda: TimeSurfaceConfig(tau=0.05, radius=4))
    spread: float = 1.7  #: s, standard deviation of the filter across the bar
    elongation: float = 0.5  #: g, so that a filter is twice as long as wide
    wavelength: float = 6.0  #: l, of the filter across the bar
    tau_membrane: float = 0.02  #: s
    threshold: float = 0.4  #: of the membrane; a bar across the whole filter gives 1 at each event

    def __post_init__(self) -> None:
        if self.channels < 2:
            raise ValueError(f"orientation channels must be >= 2, got {self.channels}")
        if self.surface.radius < 1:
            raise ValueError(f"orientation filters need a radius >= 1 pixel, got {self.surface.radius}")
        for name in ("spread", "elongation", "wavelength", "tau_membrane", "threshold"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"orientation {name} must be > 0, got {getattr(self, name)}")

    @property
    def angles(self) -> NDArray[np.float64]:
        """Orientations (channels,), rad in [0, pi), counter-clockwise from horizontal as one sees it."""
        return np.arange(self.channels) * np.pi / self.channels


class OrientationSpikes(NamedTuple):
    """Spikes of simple cells, ascending in time, one entry in each of four arrays (n,)."""

    t: NDArray[np.int64]  #: µs
    x: NDArray[np.int16]
    y: NDArray[np.int16]
    channel: NDArray[np.uint8]

    def counts(self, channels: int, width: int, height: int) -> NDArray[np.int32]:
        """Count the spikes of each cell: (channels, height, width)."""
        index = (self.channel.astype(np.intp) * height + self.y) * width + self.x
        counted = np.bincount(index, minlength=channels * height * width)
        return counted.reshape(channels, height, width).astype(np.int32)


class OrientationChannels:
    """Simple cells at every pixel of a `width` by `height` camera; packets are taken one after the other."""

    def __init__(self, config: OrientationConfig, width: int, height: int) -> None:
        self.config = config
        self.filters = oriented_filters(config)
        self.shape = (height, width)
        self._last = np.full((2, height, width), NEVER, np.int64)
        self._membrane = np.zeros((height, width, config.channels), np.float32)
        self._visited = np.full((height, width), NEVER, np.int64)

    def reset(self) -> None:
        """Forget all events."""
        self._last[:], self._visited[:], self._membrane[:] = NEVER, NEVER, 0.0

    def advance(self, packet: EventPacket) -> OrientationSpikes:
        """Take the events of `packet`; return the spikes that they cause."""
        height, width = self.shape
        require_on_sensor(packet, width, height)
        winner = np.empty(packet.size, np.int8)
        config = self.config
        _compete(
            *packet, self._last, self._visited, self._membrane, self.filters,
            config.surface.tau * 1e6, config.tau_membrane * 1e6, config.threshold, winner,
        )  # fmt: skip
        at = np.flatnonzero(winner >= 0)
        return OrientationSpikes(packet.t[at], packet.x[at], packet.y[at], winner[at].astype(np.uint8))

    def arrays(self) -> dict[str, NDArray[np.int64] | NDArray[np.float32]]:
        """Return the live arrays that last."""
        return {"last": self._last, "visited": self._visited, "membrane": self._membrane}


def oriented_filters(config: OrientationConfig) -> Filters:
    """Return the filters (channels, side, side): zero mean, 1 for the positive part of each."""
    reach = np.arange(-config.surface.radius, config.surface.radius + 1, dtype=np.float64)
    right, up = np.meshgrid(reach, -reach)  # rows count down
    filters = []
    for angle in config.angles:
        along = right * np.cos(angle) + up * np.sin(angle)
        across = up * np.cos(angle) - right * np.sin(angle)
        envelope = np.exp(-0.5 * (across**2 + (config.elongation * along) ** 2) / config.spread**2)
        wave = envelope * np.cos(2.0 * np.pi * across / config.wavelength)
        wave -= envelope * (wave.sum() / envelope.sum())
        filters.append(wave / wave[wave > 0.0].sum())
    return np.array(filters, np.float32)


def drive_reference(contexts: Surfaces, filters: Filters) -> NDArray[np.float32]:
    """NumPy twin of the drive: contexts (2, side, side) of both polarities to (channels,)."""
    each = np.tensordot(contexts, filters, axes=([1, 2], [1, 2]))
    return np.asarray(each.max(axis=0), np.float32)


@njit(cache=True)
def _compete(
    t: Times,
    x: NDArray[np.int16],
    y: NDArray[np.int16],
    p: NDArray[np.uint8],
    last: Times,
    visited: Times,
    membrane: NDArray[np.float32],
    filters: Filters,
    tau: float,
    tau_membrane: float,
    threshold: float,
    winner: NDArray[np.int8],  # out: channel that fires at the event, -1 for none
) -> None:
    channels, side, _ = filters.shape
    _, height, width = last.shape
    radius = side // 2
    drive = np.empty((2, channels))
    for k in range(t.size):
        row, column = y[k], x[k]
        last[p[k], row, column] = t[k]
        drive[:] = 0.0
        for plane in range(2):
            for i in range(max(0, row - radius), min(height, row + radius + 1)):
                for j in range(max(0, column - radius), min(width, column + radius + 1)):
                    age = (t[k] - last[plane, i, j]) / tau
                    if age < FADED:
                        trace = np.exp(-age)
                        for c in range(channels):
                            drive[plane, c] += trace * filters[c, i - row + radius, j - column + radius]
        age = (t[k] - visited[row, column]) / tau_membrane
        keep = np.exp(-age) if age < FADED else 0.0
        visited[row, column] = t[k]
        best, most = -1, threshold
        for c in range(channels):
            level = membrane[row, column, c] * keep + max(drive[0, c], drive[1, c], 0.0)
            membrane[row, column, c] = level
            if level >= most:
                best, most = c, level
        winner[k] = best
        if best >= 0:
            membrane[row, column, :] = 0.0
