"""Landmark cells: a cell that fires n spikes when the robot looks at landmark n, and none for no landmark.

    events ─denoised─▶ log intensity ─receptive fields─▶ multispike code ─▶ view cells ─burst─▶ landmark cell

Receptive fields pool the contrast of the middle of the image, in standard deviations, ON and OFF apart. Their
multispike code drives view cells, which compete: the one with the highest potential answers with a burst. A
view that none of them matches makes a new one, whose synapses take on what its afferents have left in the
membrane, at once and for good (one-shot Hebbian, as in the adaptive resonance of Carpenter & Grossberg 1987;
vigilance says how much alike two views must be). Nobody tells view cells what they see. The landmark cell
reads their bursts and learns from the number of spikes wanted alone, as a multi-spike tempotron (Gütig 2016;
Xiao, Tang et al. 2020 read their multispike codes so). Nothing is propagated back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...spiking import MultiSpikeTempotron, SpikeResponse, generator
from .encoding import MultiSpikeCode

Doubles = NDArray[np.float64]
Spikes = NDArray[np.int32]
Steps = NDArray[np.int64]

REST = 60  #: steps of a trial after the last spike of a burst can have come


@dataclass(frozen=True, slots=True)
class LandmarkConfig:
    """Receptive fields, view cells, landmark cell; times in steps of 1 ms."""

    columns: int = 48  #: pixels in the middle of the image that are looked at; all rows are
    pool: int = 4  #: pixels, side of a receptive field
    strongest: float = 2.5  #: standard deviations of contrast that are coded as 1
    code: MultiSpikeCode = field(default_factory=MultiSpikeCode)
    membrane: SpikeResponse = field(default_factory=lambda: SpikeResponse(0.1, 5e-3))  #: of view cells
    vigilance: float = 0.7  #: cosine of two views that count as one
    cells: int = 600  #: view cells there are
    burst: int = 8  #: spikes of the view cell that wins
    interval: int = 5  #: steps between them
    rule: MultiSpikeTempotron = field(default_factory=lambda: MultiSpikeTempotron(rate=0.01, momentum=0.0))

    def __post_init__(self) -> None:
        for name in ("columns", "pool", "cells", "burst", "interval"):
            if getattr(self, name) < 1:
                raise ValueError(f"landmark {name} must be >= 1, got {getattr(self, name)}")
        if not 0.0 < self.vigilance < 1.0:
            raise ValueError(f"landmark vigilance must be in (0, 1), got {self.vigilance}")
        if not self.strongest > 0.0:
            raise ValueError(f"landmark strongest must be > 0 standard deviations, got {self.strongest}")


class LandmarkCell:
    """View cells and the landmark cell that reads them, for a `width` by `height` camera.

    Attributes
    ----------
    afferents : int
        Receptive fields, ON and OFF.
    known : int
        View cells that have a view.
    weights : float64 (cells,)
        Synapses of view cells on the landmark cell.
    """

    def __init__(self, config: LandmarkConfig, width: int, height: int) -> None:
        if config.columns > width or config.columns < config.pool or height < config.pool:
            raise ValueError(
                f"landmark columns = {config.columns} and pool = {config.pool} must fit into"
                f" {width} x {height} pixels"
            )
        self.config, self.size = config, (width, height)
        self._grid = (height // config.pool, config.columns // config.pool)
        self.afferents = 2 * self._grid[0] * self._grid[1]
        self.known = 0
        self.weights = np.zeros(config.cells)
        self._views = np.zeros((config.cells, self.afferents))

    def look(self, light: ArrayLike) -> Spikes:
        """Return the multispike code (k, 2) of a log intensity (height, width): ON fields first, by rows."""
        image = np.asarray(light, np.float64)
        width, height = self.size
        if image.shape != (height, width):
            raise ValueError(f"log intensity must have shape {(height, width)}, got {image.shape}")
        (rows, columns), pool = self._grid, self.config.pool
        left = (width - columns * pool) // 2
        seen = image[: rows * pool, left : left + columns * pool]
        pooled = seen.reshape(rows, pool, columns, pool).mean(axis=(1, 3))
        contrast = pooled - pooled.mean()
        # A floor: an image with next to no contrast must not be blown up to full contrast.
        contrast /= self.config.strongest * (contrast.std() + 0.1)
        return self.config.code.encode(np.clip([contrast, -contrast], 0.0, 1.0))

    def winner(self, spikes: Spikes) -> int:
        """Return the view cell that a code (k, 2) drives most; -1 as long as there is none."""
        return int((self._views[: self.known] @ self._trace(spikes)).argmax()) if self.known else -1

    def store(self, spikes: Spikes) -> int:
        """Return the view cell of a code; a view unlike all others gets a new one, if any is left."""
        trace = self._trace(spikes)
        match = self._views[: self.known] @ trace
        if self.known == self.config.cells or (self.known and match.max() >= self.config.vigilance):
            return int(match.argmax())
        self._views[self.known] = trace
        self.known += 1
        return self.known - 1

    def respond(self, spikes: Spikes) -> Steps:
        """Return the steps at which the landmark cell fires after a code (k, 2), ascending."""
        steps: Steps = self.config.rule.output(self.weights, self._burst(self.winner(spikes)), self.steps)
        return steps

    def learn(
        self, views: Sequence[Spikes], wanted: ArrayLike, epochs: int, seed: int
    ) -> NDArray[np.float64]:
        """Store `views`, learn to fire `wanted` (n,) spikes; return the mean count error of each epoch."""
        counts = np.asarray(wanted, np.int64)
        if counts.shape != (len(views),):
            raise ValueError(f"wanted counts must be ({len(views)},), got shape {counts.shape}")
        for spikes in views:
            self.store(spikes)
        bursts = [self._burst(self.winner(spikes)) for spikes in views]
        random, errors = generator(seed, "landmark trials"), np.empty(epochs)
        for epoch in range(epochs):
            wrong = 0
            for k in random.permutation(len(views)):
                fired = self.config.rule.train_step(self.weights, bursts[k], self.steps, int(counts[k]))
                wrong += abs(fired - int(counts[k]))
            errors[epoch] = wrong / max(len(views), 1)
        return errors

    @property
    def steps(self) -> int:
        """Steps of a trial of the landmark cell; it starts when the window of the code is over."""
        return (self.config.burst - 1) * self.config.interval + 1 + REST

    def arrays(self) -> dict[str, Doubles]:
        """Return the live arrays that last."""
        return {"views": self._views, "weights": self.weights, "known": np.array([self.known], np.float64)}

    def _trace(self, spikes: Spikes) -> Doubles:
        """Return what each afferent has left in a membrane at the end of the window, of length 1."""
        trace = self.config.membrane.slope(spikes, self.config.code.steps, self.afferents)
        return np.asarray(trace / max(float(np.linalg.norm(trace)), 1e-12), np.float64)

    def _burst(self, cell: int) -> Spikes:
        if cell < 0:
            return np.zeros((0, 2), np.int32)
        at = self.config.interval * np.arange(self.config.burst)
        return np.stack([at, np.full(at.size, cell)], axis=1).astype(np.int32)
