"""An eye: a renderer and an event camera that move together."""

from __future__ import annotations

from math import ceil, hypot, pi, remainder

import numpy as np

from .camera import CameraSpec
from .event_camera import EventCamera
from .events import EventPacket
from .renderers import Renderer

Pose = tuple[float, float, float]

MOST_IMAGES = 16  #: of a physics step, with adaptive sampling


class Eye:
    """What one camera of the robot sees.

    With the camera's `sampling` above 0 images are drawn so often that no pixel changes by more than that
    from one to the next (adaptive sampling: Rebecq, Gehrig & Scaramuzza 2018).

    Parameters
    ----------
    spec : CameraSpec
    renderer : Renderer
        Draws what a robot at a pose sees through that camera.
    stride : float
        m; a longer way between two looks is a jump, on which nothing is seen.
    """

    def __init__(self, spec: CameraSpec, renderer: Renderer, stride: float) -> None:
        self.spec, self.renderer, self._stride = spec, renderer, stride
        self.events = EventCamera(spec)
        self._frame, self._spare = np.empty((2, spec.height, spec.width), np.float32)
        self._pose: Pose = (0.0, 0.0, 0.0)
        self._time = 0

    def open(self, pose: Pose, rng: np.random.Generator) -> None:
        """Look from `pose` (x m, y m, heading rad) at time 0; `rng` draws the noise from now on."""
        self._pose, self._time = pose, 0
        self.renderer.render(*pose, out=self._frame)
        self.events.reset(self._frame, 0, rng)

    def look(self, pose: Pose, time: int, blank: bool = False) -> None:
        """Look from `pose` at `time` µs, and on the way there if much changes.

        While `blank`, no event comes out, but the pixels go on seeing: what they remember follows the light,
        so that afterwards they do not fire at all that has changed meanwhile.
        """
        kept = self.events.size
        old, self._frame, self._spare = self._frame, self._spare, self._frame
        self.renderer.render(*pose, out=self._frame)
        (x0, y0, theta0), (x, y, theta), began = self._pose, pose, self._time
        if self.spec.sampling > 0.0 and hypot(x - x0, y - y0) <= self._stride:
            images = min(ceil(float(np.abs(self._frame - old).max()) / self.spec.sampling), MOST_IMAGES)
            turn = remainder(theta - theta0, 2.0 * pi)
            for k in range(1, min(images, time - began)):
                share = k / images
                between = (x0 + share * (x - x0), y0 + share * (y - y0), theta0 + share * turn)
                self.renderer.render(*between, out=old)
                self.events.feed(old, began + round(share * (time - began)))
        self.events.feed(self._frame, time)
        if blank:
            self.events.drop(kept)
        self._pose, self._time = pose, time

    def collect(self) -> EventPacket:
        """Return the events since the last call."""
        return self.events.collect()

    def close(self) -> None:
        """Stop the renderer."""
        self.renderer.close()
