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
    OrientationSpikes,
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

    def take(self, packet: EventPacket) -> tuple[EventPacket, OrientationSpikes]:
        """Take a packet; return what is kept of it and the spikes of the orientation channels."""
        kept = self.denoiser.advance(packet)
        self.surface.update(kept)
        spikes = self.orientation.advance(kept)
        self.light.update(kept)
        self.seen, self.kept = self.seen + packet.size, self.kept + kept.size
        return kept, spikes

    def picture(self, packet: EventPacket, kept: EventPacket, spikes: OrientationSpikes) -> Images:
        """Return ON minus OFF events, those kept, and the spikes of each channel, in one stack."""
        channels = spikes.counts(self.orientation.config.channels, *self.size)
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
    sums = np.zeros((len(ends), 2 + stages.orientation.config.channels, size[1] // step, size[0] // step))
    snapshots: list[Images] = []
    for packet in packets:
        # Odd pieces lie in a span, even ones before it.
        piece = np.searchsorted(borders, packet.t, side="left")
        for k in np.unique(piece):
            _snap(stages, snapshots, ends + first, int(k) // 2)
            if k == borders.size:
                break
            part = packet.take(np.flatnonzero(piece == k))
            taken = stages.take(part)
            if k % 2:
                sums[k // 2] += _blocks(stages.picture(part, *taken), step).sum(axis=(2, 4))
        if len(snapshots) == len(ends):
            break
    _snap(stages, snapshots, ends + first, len(ends))
    surfaces = np.stack([_blocks(stack[:2], step).max(axis=(2, 4)) for stack in snapshots])
    light = np.stack([_blocks(stack[2:], step).mean(axis=(2, 4)) for stack in snapshots])
    said = f"{title}; {100 * (1 - stages.kept / max(stages.seen, 1)):.0f} % dropped as noise"
    seconds = np.asarray(ends * 1e-6, np.float64)
    return draw_encoding(sums[:, 0], sums[:, 1], surfaces, sums[:, 2:], light[:, 0], seconds, said)


def _snap(stages: Stages, snapshots: list[Images], ends: NDArray[np.int64], until: int) -> None:
    """Keep what is held at all ends before piece `until` that have not been kept yet."""
    while len(snapshots) < until:
        snapshots.append(stages.held(int(ends[len(snapshots)])))


def _blocks(stack: Images, step: int) -> Images:
    """Return images (n, height, width) as (n, rows, step, columns, step); a rest is cut off."""
    n, height, width = stack.shape
    whole = stack[:, : height // step * step, : width // step * step]
    return whole.reshape(n, height // step, step, width // step, step)
