"""Events to spikes: a retina that integrates events, ON and OFF cells that fire with the contrast held.

A pixel that has sent ON and OFF events since some moment has seen its log intensity rise by the sum of its
thresholds (reconstruction: L = L0 + sum p C). L0 is unknown and thresholds are mismatched, so the sum is
forgotten as it goes: every event multiplies what is held by (1 - forgetting). The pixel forgets with what it
sees and not with time, so the image held does not depend on the robot's speed, and stays while the robot
stands still.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..memory.neurons import NeuronConfig
from ..spiking import Network

Floats = NDArray[np.float32]


class CameraGeometry(Protocol):
    """What the agent must know of its camera."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def azimuths(self) -> NDArray[np.float64]: ...  #: (width,) rad, robot frame, counter-clockwise
    @property
    def elevations(self) -> NDArray[np.float64]: ...  #: (height,) rad, row 0 first
    @property
    def threshold(self) -> float: ...  #: nominal contrast threshold of ON events, log units
    @property
    def threshold_off(self) -> float: ...  #: nominal contrast threshold of OFF events, log units
    @property
    def sensor(self) -> str: ...  #: name of the sensor


STALE = 500  #: ms
FEW = 0.002  #: events a pixel and control period


@dataclass(frozen=True, slots=True)
class PerceptionConfig:
    """Retina and view cells."""

    forgetting: float = 0.08  #: share of the held contrast that one event erases
    azimuth_bins: int = 72  #: around the full circle
    elevation_bins: int = 8
    gain: float = 1.6  #: drive of a view cell per standard deviation of contrast, threshold units
    neurons: NeuronConfig = field(default_factory=lambda: NeuronConfig(noise=0.05))

    def __post_init__(self) -> None:
        if not 0.0 < self.forgetting < 1.0:
            raise ValueError(f"perception forgetting must be in (0, 1), got {self.forgetting}")
        for name in ("azimuth_bins", "elevation_bins"):
            if getattr(self, name) < 1:
                raise ValueError(f"perception {name} must be >= 1, got {getattr(self, name)}")


class Perception:
    """Retina and view cells; a view cell has an elevation band, an egocentric direction and a polarity."""

    def __init__(self, config: PerceptionConfig, camera: CameraGeometry, seed: int) -> None:
        self.config = config
        self.thresholds = float(camera.threshold), float(camera.threshold_off)
        self.shape = (camera.height, camera.width)
        self._pool, self.directions = _pooling(config, camera)
        self.bins = len(self.directions)
        self.size = 2 * config.elevation_bins * self.bins
        self._share = np.bincount(self._pool.ravel(), minlength=config.elevation_bins * self.bins).astype(
            np.float32
        )
        if self._share.min() == 0.0:
            raise ValueError(
                f"a camera of {camera.width} x {camera.height} pixels leaves view cells without any; "
                f"perception needs fewer azimuth_bins ({config.azimuth_bins}) or elevation_bins "
                f"({config.elevation_bins})"
            )
        self.held = np.zeros(self.shape, np.float32)
        self.seen = np.zeros(self.shape, np.float32)
        self._network = Network(dt=1e-3, seed=seed)
        self._cells = self._network.population("view", self.size, config.neurons.lif(self.size), {})
        self._record = self._network.record(self._cells)
        self.dead = np.zeros(self.size, np.bool_)
        self._quiet = 0  # ms without events

    def reset(self) -> None:
        """Forget what the retina holds, as after being carried to another place."""
        self.let_go()
        self._quiet = 0
        self._cells.rest()

    def let_go(self) -> None:
        """Forget the image, as after moving without seeing; what is seen from now on builds another."""
        self.held[:], self.seen[:] = 0.0, 0.0

    def advance(self, events: dict[str, NDArray[Any]], steps: int) -> NDArray[np.int32]:
        """Take the events of a control period; return the view cells' spikes (k, 2) of (ms, neuron).

        Neuron index: (polarity * elevation_bins + elevation) * bins + direction, polarity 0 = ON.
        """
        _integrate(
            self.held,
            self.seen,
            events["x"],
            events["y"],
            events["p"],
            np.float32(self.thresholds[0]),
            np.float32(self.thresholds[1]),
            np.float32(self.config.forgetting),
        )
        self._quiet = self._quiet + steps if len(events["x"]) < self.seen.size * FEW else 0
        drive = self._cells.drive
        _contrast(self.held, self._pool, self._share, self.bins, np.float32(self.config.gain), drive)
        begin = self._network.step_number
        self._network.step(steps)
        spikes = self._record.rows - np.array([begin, 0], np.int32)
        self._record.clear()
        return spikes[~self.dead[spikes[:, 1]]] if self.dead.any() else spikes

    def lesion(self, cells: NDArray[np.integer]) -> None:
        """Let view `cells` never be heard of again."""
        self.dead[cells] = True

    def reseed(self, seed: int) -> None:
        """Draw the noise of the cells from the stream of `seed`."""
        self._network.reseed(seed)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that last: the cells' state."""
        return {f"view_{name}": array for name, array in self._network.arrays().items()} | {"dead": self.dead}

    @property
    def blind(self) -> bool:
        """Whether hardly an event has come for long: it is dark, or nothing moves. What is held is stale."""
        return self._quiet > STALE

    @property
    def awake(self) -> float:
        """Share of pixels that have seen enough change for their contrast to be trusted, by live cells."""
        share = float(np.count_nonzero(self.seen >= 1.0)) / self.seen.size
        return share * (1.0 - float(np.count_nonzero(self.dead)) / self.size)


def _pooling(
    config: PerceptionConfig, camera: CameraGeometry
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Map every pixel to its cell; return the map (height, width) and the cells' directions (bins,), rad."""
    width = 2.0 * np.pi / config.azimuth_bins
    azimuths = np.asarray(camera.azimuths, np.float64)
    column = np.floor(azimuths / width).astype(np.int64)
    first, last = int(column.min()), int(column.max())
    column -= first
    row = np.arange(camera.height) * config.elevation_bins // camera.height
    bins = last - first + 1
    directions = (np.arange(first, last + 1) + 0.5) * width
    return (row[:, None] * bins + column[None, :]).astype(np.int64), directions.astype(np.float64)


@njit(cache=True)
def _integrate(
    held: Floats,
    seen: Floats,
    x: NDArray[Any],
    y: NDArray[Any],
    p: NDArray[Any],
    on: np.float32,
    off: np.float32,
    forgetting: np.float32,
) -> None:
    keep = np.float32(1.0) - forgetting
    more = np.float32(0.05)
    for k in range(x.size):
        i, j = y[k], x[k]
        step = on if p[k] else -off
        held[i, j] = held[i, j] * keep + step
        if seen[i, j] < np.float32(1.0):
            seen[i, j] += more


@njit(cache=True)
def _contrast(
    held: Floats,
    pool: NDArray[np.int64],
    share: Floats,  # pixels of each cell
    bins: int,  # directions of an elevation band
    gain: np.float32,
    drive: Floats,  # out: of ON, then OFF cells: contrast without the band's mean, in standard deviations
) -> None:
    pooled = np.zeros(share.size)
    for i in range(held.shape[0]):
        for j in range(held.shape[1]):
            pooled[pool[i, j]] += held[i, j]
    power = 0.0
    for band in range(share.size // bins):
        row = pooled[band * bins : (band + 1) * bins]
        row /= share[band * bins : (band + 1) * bins]
        row -= row.mean()
        power += (row * row).sum()
    spread = max(np.sqrt(power / pooled.size), 0.1)
    for k in range(pooled.size):
        value = np.float32(pooled[k] / spread)
        drive[k] = gain * max(value, np.float32(0.0))
        drive[pooled.size + k] = gain * max(-value, np.float32(0.0))
