"""`tolman view FILE --encoding`: a recording on its way to spikes, stage by stage."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..agent.vision import (
    Denoiser,
    DenoiserConfig,
    LogIntensity,
    OrientationChannels,
    OrientationConfig,
    TimeSurface,
    TimeSurfaceConfig,
)
from ..analysis.figure_encoding import draw_encoding
from ..envs.events import EventPacket

THRESHOLD = 0.2  #: log units; a recording does not tell its camera's, this is a usual one (ESIM, v2e)
FORGETTING = 0.5  #: s, in which the reconstructed log intensity of a pixel fades

Images = NDArray[np.float64]


class Stages:
    """All stages of the encoding of a camera of `size` pixels (width, height)."""

    def __init__(self, size: tuple[int, int]) -> None:
        width, height = self.size = size
        self.denoiser = Denoiser(DenoiserConfig(), width, height)
        self.surface = TimeSurface(TimeSurfaceConfig(), width, height)
        self.orientation = OrientationChannels(OrientationConfig(), width, height)
        self.light = LogIntensity(THRESHOLD, THRESHOLD, np.zeros((height, width)), FORGETTING)
        self.seen, self.kept = 0, 0

    def take(self, packet: EventPacket) -> Images:
        """Take a packet; return ON minus OFF events, those kept, and orientation spikes, in one stack."""
        kept = self.denoiser.advance(packet)
        self.surface.update(kept)
        spikes = self.orientation.advance(kept)
        self.light.update(kept)
        self.seen, self.kept = self.seen + packet.size, self.kept + kept.size
        width, height = self.size
        channels = spikes.counts(self.orientation.config.channels, width, height)
        return np.stack([self._signed(packet), self._signed(kept), *channels]).astype(np.float64)

    def held(self, time: int) -> Images:
        """Return time surfaces (OFF, ON) and log intensity at `time` µs, in one stack."""
        return np.stack([*self.surface.surface(time), self.light.image(time)]).astype(np.float64)

    def _signed(self, packet: EventPacket) -> NDArray[np.int32]:
        fewer, more = packet.counts(*self.size)
        return np.asarray(more - fewer, np.int32)


def draw_recording(
    packets: Iterable[EventPacket],
    size: tuple[int, int],
    first: int,
    ends: NDArray[np.int64],
    span: int,
    step: int,
    title: str,
) -> Figure:
    """Return a sheet of the stages at `ends` (n,), µs after `first`, each of the `span` µs before.

    Spans are ascending and apart; pictures are binned by `step` pixels.
    """
    stages = Stages(size)
    borders = first + np.stack([ends - span, ends], axis=1).ravel()
    sums: list[Images] = []
    snapshots: list[Images] = []
    for packet in packets:
        # Odd pieces lie in a span, even ones before it.
        piece = np.searchsorted(borders, packet.t, side="left")
        for k in np.unique(piece):
            _snap(stages, snapshots, ends + first, int(k) // 2)
            if k == borders.size:
                break
            taken = stages.take(packet.take(np.flatnonzero(piece == k)))
            if k % 2:
                while len(sums) <= k // 2:
                    sums.append(np.zeros_like(taken))
                sums[k // 2] += taken
        if len(snapshots) == len(ends):
            break
    _snap(stages, snapshots, ends + first, len(ends))
    empty = np.zeros((2 + stages.orientation.config.channels, size[1], size[0]))
    sums += [empty] * (len(ends) - len(sums))
    counted = np.stack([_binned(stack, step) * step**2 for stack in sums])
    held = np.stack([_binned(stack, step) for stack in snapshots])
    said = f"{title}; {100 * (1 - stages.kept / max(stages.seen, 1)):.0f} % dropped as noise"
    seconds = np.asarray(ends * 1e-6, np.float64)
    return draw_encoding(counted[:, 0], counted[:, 1], held[:, :2], counted[:, 2:], held[:, 2], seconds, said)


def _snap(stages: Stages, snapshots: list[Images], ends: NDArray[np.int64], until: int) -> None:
    """Keep what is held at all ends before piece `until` that have not been kept yet."""
    while len(snapshots) < until:
        snapshots.append(stages.held(int(ends[len(snapshots)])))


def _binned(stack: Images, step: int) -> Images:
    """Return the mean over `step` by `step` pixels of images (n, height, width); a rest is cut off."""
    n, height, width = stack.shape
    whole = stack[:, : height // step * step, : width // step * step]
    return np.asarray(
        whole.reshape(n, height // step, step, width // step, step).mean(axis=(2, 4)), np.float64
    )
