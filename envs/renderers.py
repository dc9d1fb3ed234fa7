"""Renderers behind one interface: what a camera at a pose sees of an arena, as log intensity."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .arena import Arena
from .camera import CameraSpec
from .raycast import Raycaster
from .tinyrenderer import TinyRenderer

RENDERERS = ("raycast", "pybullet")


class Renderer(Protocol):
    """Draws one arena through one camera; `light` may be changed at any time."""

    light: float

    def render(
        self, x: float, y: float, theta: float, out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return log(radiance), float32 (height, width), seen from (x, y) m heading `theta` rad."""

    def close(self) -> None:
        """Give back what the renderer holds."""


def make_renderer(name: str, arena: Arena, camera: CameraSpec) -> Renderer:
    """Make renderer `name`: ``"raycast"`` (compiled, the default) or ``"pybullet"`` (the reference).

    Raises
    ------
    ValueError
        For an unknown name.
    """
    if name == "raycast":
        return Raycaster(arena, camera)
    if name == "pybullet":
        return TinyRenderer(arena, camera)
    raise ValueError(f"renderer must be one of {RENDERERS}, got {name!r}")
