"""Time surfaces: how long ago each pixel had its last event, as exponentially fading memory.

    S_p(x, y, t) = exp(-(t - t_p(x, y)) / tau),   t_p: time of the pixel's last event of polarity p

A moving edge leaves a slope behind it, steep where it was fast; the patch of the surface around an event, its
context, tells what went by and where to. HOTS, Lagorce, Orchard, Galluppi, Shi & Benosman 2017, IEEE TPAMI
39:1346, eqs. 2-4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...envs.events import EventPacket

Surfaces = NDArray[np.float32]
Times = NDArray[np.int64]

NEVER = -(2**62)  #: µs, last event of a pixel that had none
FADED = 20.0  #: time constants after which a trace counts as 0 (2e-9)


@dataclass(frozen=True, slots=True)
class TimeSurfaceConfig:
    """How long a surface remembers, and how much of it an event looks at."""

    tau: float = 0.05  #: s; Lagorce et al. 2017 use 20 ms for a fast, near scene
    radius: int = 2  #: pixels; a patch has 2 radius + 1 on a side

    def __post_init__(self) -> None:
        if not self.tau > 0.0:
            raise ValueError(f"time surface tau must be > 0 s, got {self.tau}")
        if self.radius < 0:
            raise ValueError(f"time surface radius must be >= 0 pixels, got {self.radius}")


class TimeSurface:
    """The time surfaces of a `width` by `height` camera; packets are taken one after the other.

    Attributes
    ----------
    last : int64 (2, height, width)
        µs, last OFF (plane 0) and ON (plane 1) event of each pixel, `NEVER` for none.
    now : int
        µs, time of the last event that was taken.
    """

    def __init__(self, config: TimeSurfaceConfig, width: int, height: int) -> None:
        if width < 1 or height < 1:
            raise ValueError(f"a time surface needs at least 1 x 1 pixels, got {width} x {height}")
        self.config = config
        self.last = np.full((2, height, width), NEVER, np.int64)
        self.now = 0

    def reset(self) -> None:
        """Forget all events."""
        self.last[:] = NEVER
        self.now = 0

    def update(self, packet: EventPacket) -> None:
        """Take the events of `packet`."""
        self._require(packet)
        _update(self.last, *packet)
        self._advance(packet)

    def surface(self, time: int | None = None) -> Surfaces:
        """Return the surfaces (2, height, width) in [0, 1] at `time` µs, by default of the last event.

        Raises ValueError for a time before the last event: what was then is overwritten.
        """
        at = self.now if time is None else time
        if at < self.now:
            raise ValueError(f"time surface is of {self.now} µs and later, got {at} µs")
        faded: Surfaces = _surface(self.last, at, self.config.tau * 1e6)
        return faded

    def patches(self, packet: EventPacket) -> Surfaces:
        """Take the events of `packet`; return the context of each (n, side, side), 0 outside of the image.

        The context is the surface of the event's own polarity, around it and at its time, with the event
        itself: its centre is 1.
        """
        self._require(packet)
        side = 2 * self.config.radius + 1
        contexts = np.zeros((packet.size, side, side), np.float32)
        _patches(self.last, *packet, self.config.tau * 1e6, contexts)
        self._advance(packet)
        return contexts

    def arrays(self) -> dict[str, Times]:
        """Return the live arrays that last."""
        return {"last": self.last}

    def _require(self, packet: EventPacket) -> None:
        require_on_sensor(packet, self.last.shape[2], self.last.shape[1])

    def _advance(self, packet: EventPacket) -> None:
        if packet.size:
            self.now = int(packet.t[-1])


def require_on_sensor(packet: EventPacket, width: int, height: int) -> None:
    """Raise ValueError unless all events of `packet` lie on a `width` by `height` camera."""
    if packet.size and not (
        min(packet.x.min(), packet.y.min()) >= 0 and packet.x.max() < width and packet.y.max() < height
    ):
        raise ValueError(
            f"events must lie on {width} x {height} pixels, got x {packet.x.min()}..{packet.x.max()}"
            f" and y {packet.y.min()}..{packet.y.max()}"
        )


def surface_reference(packet: EventPacket, width: int, height: int, tau: float, time: int) -> Surfaces:
    """NumPy twin of `update` and `surface`, from all events at once; `tau` s, `time` µs."""
    last = np.full((2, height, width), NEVER, np.int64)
    np.maximum.at(last, (packet.p, packet.y, packet.x), packet.t)
    return np.exp(-np.minimum((time - last) / (1e6 * tau), 700.0)).astype(np.float32)


def patches_reference(packet: EventPacket, width: int, height: int, tau: float, radius: int) -> Surfaces:
    """NumPy twin of `patches`, from fresh surfaces."""
    contexts = []
    for k in range(packet.size):
        surface = surface_reference(packet.take(slice(k + 1)), width, height, tau, int(packet.t[k]))
        padded = np.pad(surface[packet.p[k]], radius)
        x, y, side = packet.x[k], packet.y[k], 2 * radius + 1
        contexts.append(padded[y : y + side, x : x + side])
    return np.array(contexts, np.float32).reshape(-1, 2 * radius + 1, 2 * radius + 1)


@njit(cache=True)
def _update(last: Times, t: Times, x: NDArray[np.int16], y: NDArray[np.int16], p: NDArray[np.uint8]) -> None:
    for k in range(t.size):
        last[p[k], y[k], x[k]] = t[k]


@njit(cache=True)
def _surface(last: Times, time: int, tau: float) -> Surfaces:
    surface = np.zeros(last.shape, np.float32)
    flat, times = surface.reshape(-1), last.reshape(-1)
    for k in range(flat.size):
        age = (time - times[k]) / tau
        if age < FADED:
            flat[k] = np.exp(-age)
    return surface


@njit(cache=True)
def _patches(
    last: Times,
    t: Times,
    x: NDArray[np.int16],
    y: NDArray[np.int16],
    p: NDArray[np.uint8],
    tau: float,
    contexts: Surfaces,  # out
) -> None:
    _, height, width = last.shape
    radius = contexts.shape[1] // 2
    for k in range(t.size):
        plane = last[p[k]]
        plane[y[k], x[k]] = t[k]
        for i in range(max(0, y[k] - radius), min(height, y[k] + radius + 1)):
            for j in range(max(0, x[k] - radius), min(width, x[k] + radius + 1)):
                age = (t[k] - plane[i, j]) / tau
                if age < FADED:
                    contexts[k, i - y[k] + radius, j - x[k] + radius] = np.exp(-age)
