"""Renderers behind one interface: what a camera at a pose sees of an arena, as log intensity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .arena import Arena
from .camera import CameraSpec
from .raycast import Raycaster
from .scene import build_scene
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
    return make_renderers(name, arena, [camera])[0]


def make_renderers(name: str, arena: Arena, cameras: Sequence[CameraSpec]) -> list[Renderer]:
    """Make one renderer for each of `cameras`; ray casters share the painted scene.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    if name == "raycast":
        scene = build_scene(arena)
        return [Raycaster(arena, camera, scene) for camera in cameras]
    if name == "pybullet":
        return [TinyRenderer(arena, camera) for camera in cameras]
    raise ValueError(f"renderer must be one of {RENDERERS}, got {name!r}")
