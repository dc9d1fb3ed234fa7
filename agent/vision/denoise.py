"""Denoising: an event is kept where other events nearby, recent and of its polarity support it.

    S = sum_j c_j exp(-d_j^2 / 2 s^2) exp(-(t - t_j) / tau),   keep if S >= threshold

over the last events of its polarity at its pixel and around it: what light does it does to neighbours, and
more than once; noise comes alone. The background-activity filter (Delbruck 2008) is the special case of one
neighbour within a time. Here support is graded and summed on the time surface, and c_j is 1 for an event that
was kept and `doubt` for one that was dropped: after the double window of Guo & Delbruck 2022 (IEEE
TPAMI), which stores both kinds apart. A dropped event still counts, or the first events of an edge, which
nothing supports, could not help those that follow.

Each event is decided at once, from the past alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...envs.events import EventPacket
from .time_surface import FADED, NEVER, Times, require_on_sensor

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DenoiserConfig:
    """Extent of support; the values are chosen on simulated drives (`benchmarks/denoising.py`)."""

    tau: float = 0.03  #: s, of the time surface
    radius: int = 2  #: pixels that count, in each direction
    spread: float = 1.0  #: pixels, standard deviation of the weight over distance
    threshold: float = 0.7  #: support that keeps an event; a fresh event at the same pixel gives 1
    doubt: float = 0.5  #: what a dropped event counts

    def __post_init__(self) -> None:
        for name in ("tau", "spread", "threshold"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"denoiser {name} must be > 0, got {getattr(self, name)}")
        if self.radius < 0:
            raise ValueError(f"denoiser radius must be >= 0 pixels, got {self.radius}")
        if not 0.0 <= self.doubt <= 1.0:
            raise ValueError(f"denoiser doubt must be in [0, 1], got {self.doubt}")

    def weights(self) -> NDArray[np.float64]:
        """Return the weight of each neighbour (side, side): 1 in the middle."""
        reach = np.arange(-self.radius, self.radius + 1)
        line = np.exp(-0.5 * (reach / self.spread) ** 2)
        return np.outer(line, line)


class Denoiser:
    """Tells signal from noise for a `width` by `height` camera; packets are taken one after the other."""

    def __init__(self, config: DenoiserConfig, width: int, height: int) -> None:
        if width < 1 or height < 1:
            raise ValueError(f"a denoiser needs at least 1 x 1 pixels, got {width} x {height}")
        self.config = config
        self._weights = config.weights()
        self._last = np.full((2, height, width), NEVER, np.int64)
        self._trust = np.zeros((2, height, width), np.float32)

    def reset(self) -> None:
        """Forget all events."""
        self._last[:], self._trust[:] = NEVER, 0.0

    def support(self, packet: EventPacket) -> Floats:
        """Take the events of `packet`; return the support (n,) that each found."""
        require_on_sensor(packet, self._last.shape[2], self._last.shape[1])
        support = np.empty(packet.size, np.float32)
        config = self.config
        _support(
            *packet, self._last, self._trust, self._weights, config.tau * 1e6, config.threshold,
            config.doubt, support,
        )  # fmt: skip
        return support

    def keep(self, packet: EventPacket) -> NDArray[np.bool_]:
        """Take the events of `packet`; return which are signal (n,)."""
        return np.asarray(self.support(packet) >= np.float32(self.config.threshold), np.bool_)

    def advance(self, packet: EventPacket) -> EventPacket:
        """Take the events of `packet`; return those that are signal."""
        return packet.take(np.flatnonzero(self.keep(packet)))

    def arrays(self) -> dict[str, NDArray[np.int64] | Floats]:
        """Return the live arrays that last."""
        return {"last": self._last, "trust": self._trust}


def support_reference(packet: EventPacket, config: DenoiserConfig, width: int, height: int) -> Floats:
    """NumPy twin of `Denoiser.support` for all events at once."""
    radius, weights = config.radius, config.weights()
    rows, columns = height + 2 * radius, width + 2 * radius  # a border that nothing ever comes from
    last, trust = np.full((2, rows, columns), -np.inf), np.zeros((2, rows, columns))
    support = np.empty(packet.size, np.float32)
    for k, (t, x, y, p) in enumerate(zip(*packet, strict=True)):
        near = (p, slice(y, y + 2 * radius + 1), slice(x, x + 2 * radius + 1))
        support[k] = (weights * trust[near] * np.exp((last[near] - t) / (1e6 * config.tau))).sum()
        last[p, y + radius, x + radius] = t
        trust[p, y + radius, x + radius] = 1.0 if support[k] >= config.threshold else config.doubt
    return support


class BackgroundActivityFilter:
    """Keeps an event if one of its 8 neighbours had one, ON or OFF, within `window` s (Delbruck 2008)."""

    def __init__(self, window: float, width: int, height: int) -> None:
        if not window > 0.0:
            raise ValueError(f"background-activity window must be > 0 s, got {window}")
        self._window = window
        self._supported = np.full((height, width), NEVER, np.int64)

    def reset(self) -> None:
        """Forget all events."""
        self._supported[:] = NEVER

    def keep(self, packet: EventPacket) -> NDArray[np.bool_]:
        """Take the events of `packet`; return which are kept (n,)."""
        require_on_sensor(packet, self._supported.shape[1], self._supported.shape[0])
        kept = np.empty(packet.size, np.bool_)
        _background(packet.t, packet.x, packet.y, self._supported, round(self._window * 1e6), kept)
        return kept


@njit(cache=True)
def _support(
    t: Times,
    x: NDArray[np.int16],
    y: NDArray[np.int16],
    p: NDArray[np.uint8],
    last: Times,
    trust: Floats,
    weights: NDArray[np.float64],
    tau: float,
    threshold: float,
    doubt: float,
    support: Floats,  # out
) -> None:
    _, height, width = last.shape
    radius = weights.shape[0] // 2
    for k in range(t.size):
        row, column = y[k], x[k]
        times, levels = last[p[k]], trust[p[k]]
        total = 0.0
        for i in range(max(0, row - radius), min(height, row + radius + 1)):
            for j in range(max(0, column - radius), min(width, column + radius + 1)):
                age = (t[k] - times[i, j]) / tau
                if age < FADED:
                    total += weights[i - row + radius, j - column + radius] * levels[i, j] * np.exp(-age)
        support[k] = total
        times[row, column] = t[k]
        levels[row, column] = 1.0 if support[k] >= np.float32(threshold) else doubt


@njit(cache=True)
def _background(
    t: Times,
    x: NDArray[np.int16],
    y: NDArray[np.int16],
    supported: Times,  # µs, last event next to each pixel
    window: int,
    kept: NDArray[np.bool_],  # out
) -> None:
    height, width = supported.shape
    for k in range(t.size):
        row, column = y[k], x[k]
        kept[k] = t[k] - supported[row, column] <= window
        for i in range(max(0, row - 1), min(height, row + 2)):
            for j in range(max(0, column - 1), min(width, column + 2)):
                if i != row or j != column:
                    supported[i, j] = t[k]
