"""The reference renderer: the same arena as textured meshes in PyBullet's own software renderer.

It exists to check the ray caster and takes milliseconds an image. It has no anti-aliasing, so each pixel is
the mean of several samples; a panorama is resampled from pinhole views around the camera.
"""

from __future__ import annotations

from math import ceil, cos, pi, sin, tan
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pybullet
from numpy.typing import NDArray
from PIL import Image

from .arena import Arena
from .camera import CameraSpec
from .elementary import DARKEST
from .light_maps import paint

NEAR, FAR_PLANE = 0.01, 30.0  #: m
PILLAR_SIDES = 48
FLOOR_TILES = 16  #: per side; small tiles, because the renderer drops triangles that reach far behind it

Mesh = tuple[list[list[float]], list[list[float]], list[int]]  # corners, texture coordinates, triangles


class TinyRenderer:
    """Renders one arena through one camera with PyBullet's TinyRenderer; a lamp's light is in the textures.

    Parameters
    ----------
    arena, camera
        What is seen, and through what.
    oversampling : int
        Samples per pixel along each axis.

    Attributes
    ----------
    light : float
        Illumination, 1 is nominal; may be changed at any time.
    """

    def __init__(self, arena: Arena, camera: CameraSpec, oversampling: int = 4) -> None:
        if oversampling < 1:
            raise ValueError(f"oversampling must be >= 1, got {oversampling}")
        self.light = arena.light
        self._sky, self._full = arena.sky, 1.0
        self._camera, self._oversampling = camera, oversampling
        self._client = pybullet.connect(pybullet.DIRECT)
        with TemporaryDirectory() as folder:
            self._build(arena, Path(folder))
        self._plan_views()

    def render(
        self, x: float, y: float, theta: float, out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return log(radiance), float32 (height, width), seen from (x, y) m, heading `theta` rad."""
        views = np.concatenate([self._grey(*view).ravel() for view in self.views(x, y, theta)])
        n, camera = self._oversampling, self._camera
        samples = views[self._sample].reshape(camera.height, n, camera.width, n)
        image = np.empty((camera.height, camera.width), np.float32) if out is None else out
        image[:] = np.log(np.maximum(self.light * samples.mean(axis=(1, 3)), DARKEST))
        return image

    def views(self, x: float, y: float, theta: float) -> list[tuple[object, object]]:
        """Return what PyBullet draws for an image: the colours and the bodies of each pinhole view."""
        return [self._view(x, y, theta + self._camera.yaw + turn) for turn in self._turns]

    def close(self) -> None:
        """Stop this renderer's PyBullet server; further calls do nothing."""
        if self._client >= 0 and pybullet.isConnected(self._client):
            pybullet.disconnect(self._client)
        self._client = -1

    def __del__(self) -> None:
        # A process has room for a limited number of PyBullet servers.
        if getattr(self, "_client", -1) >= 0:
            self.close()

    def _plan_views(self) -> None:
        """Choose the pinhole views and where in them each sample of the image lies."""
        camera, n = self._camera, self._oversampling
        part = (np.arange(n) + 0.5) / n
        low, high = camera.slope_edges[-1], camera.slope_edges[0]
        rows = (np.arange(camera.height)[:, None] + part).ravel() / camera.height  # 0 top .. 1 bottom
        columns = (np.arange(camera.width)[:, None] + part).ravel() / camera.width
        if camera.projection == "pinhole":
            side = tan(0.5 * camera.fov_azimuth)
            self._turns = [0.0]
            self._frustum = (-side, side, low, high)
            self._pixels = (camera.width * n, camera.height * n)
            index = np.arange(rows.size * columns.size).reshape(rows.size, columns.size)
            self._sample = index
            return
        azimuth = camera.fov_azimuth * (0.5 - columns)
        slope = np.tan(camera.elevation_high + rows * (camera.elevation_low - camera.elevation_high))
        count = max(1, ceil(camera.fov_azimuth / (pi / 3.0) - 1e-9))
        wide = camera.fov_azimuth / count
        self._turns = [0.5 * camera.fov_azimuth - wide * (k + 0.5) for k in range(count)]
        side, reach = tan(0.5 * wide), 1.0 / cos(0.5 * wide)
        bottom, top = min(low * reach, low), max(high * reach, high)
        self._frustum = (-side, side, bottom, top)
        # As many view pixels per radian as samples, where the view is coarsest: at its centre.
        per_unit = max(columns.size / camera.fov_azimuth, rows.size / (high - low))
        width, height = ceil(2.0 * side * per_unit), ceil((top - bottom) * per_unit)
        self._pixels = (width, height)
        view = np.minimum((0.5 * camera.fov_azimuth - azimuth) / wide, count - 1).astype(np.intp)
        local = azimuth - np.asarray(self._turns)[view]
        px = np.clip((side - np.tan(local)) / (2.0 * side) * width, 0, width - 1).astype(np.intp)
        across = (top - slope[:, None] / np.cos(local)) / (top - bottom) * height
        py = np.clip(across, 0, height - 1).astype(np.intp)
        self._sample = view * (width * height) + py * width + px

    def _view(self, x: float, y: float, heading: float) -> tuple[object, object]:
        mount, (width, height) = self._camera.mount, self._pixels
        left, right, bottom, top = (NEAR * v for v in self._frustum)
        target = [x + cos(heading), y + sin(heading), mount]
        _, _, colour, _, body = pybullet.getCameraImage(
            width,
            height,
            viewMatrix=pybullet.computeViewMatrix([x, y, mount], target, [0.0, 0.0, 1.0]),
            projectionMatrix=pybullet.computeProjectionMatrix(left, right, bottom, top, NEAR, FAR_PLANE),
            shadow=0,
            lightAmbientCoeff=1.0,
            lightDiffuseCoeff=0.0,
            lightSpecularCoeff=0.0,
            renderer=pybullet.ER_TINY_RENDERER,
            physicsClientId=self._client,
        )
        return colour, body

    def _grey(self, colour: object, body: object) -> NDArray[np.float64]:
        """Return the radiance at unit light, (height, width), of one pinhole view."""
        width, height = self._pixels
        grey = np.asarray(colour, np.float64).reshape(height, width, 4)[..., 0] * (self._full / 255.0)
        return np.where(np.asarray(body).reshape(height, width) < 0, self._sky, grey)

    def _build(self, arena: Arena, folder: Path) -> None:
        """Make one mesh per wall texture and one for the floor."""
        arena, patterns, ground = paint(arena)
        if arena.lamp is not None:  # eight bits hold up to the brightest place
            self._full = max(1.0, ground.max(), *(pattern.max() for pattern in patterns))
        for k, pattern in enumerate(patterns):
            self._add(_surfaces(arena, k), pattern.T[::-1] / self._full, folder / f"wall{k}.png")
        self._add(_floor(arena), ground.T[::-1] / self._full, folder / "floor.png")

    def _add(self, mesh: Mesh, texture: NDArray[np.float64], file: Path) -> None:
        """Show `mesh` with `texture` (rows from the top down)."""
        corners, uvs, triangles = mesh
        if not corners:
            return
        grey = np.rint(255.0 * texture).astype(np.uint8)
        Image.fromarray(np.repeat(grey[..., None], 3, axis=2)).save(file)
        shape = pybullet.createVisualShape(
            pybullet.GEOM_MESH,
            vertices=corners,
            indices=triangles,
            uvs=uvs,
            normals=[[0.0, 0.0, 1.0]] * len(corners),
            rgbaColor=[1.0, 1.0, 1.0, 1.0],
            physicsClientId=self._client,
        )
        body = pybullet.createMultiBody(0.0, baseVisualShapeIndex=shape, physicsClientId=self._client)
        image = pybullet.loadTexture(str(file), physicsClientId=self._client)
        pybullet.changeVisualShape(body, -1, textureUniqueId=image, physicsClientId=self._client)


def _surfaces(arena: Arena, texture: int) -> Mesh:
    """Return the walls and pillars that show texture `texture`."""
    length = arena.textures[texture].length
    tall = arena.textures[texture].height
    # Two walls at one place would fight for each pixel: each shows its face only.
    segments = {(w.x0, w.y0, w.x1, w.y1) for w in arena.walls}
    quads = [
        (*ends, w.height, w.offset, w.offset + w.length, (*ends[2:], *ends[:2]) not in segments)
        for w in arena.walls
        if w.texture == texture
        for ends in [(w.x0, w.y0, w.x1, w.y1)]
    ]
    for pillar in arena.pillars:
        if pillar.texture == texture:
            angles = np.linspace(-pi, pi, PILLAR_SIDES + 1)
            xs, ys = pillar.x + pillar.radius * np.cos(angles), pillar.y + pillar.radius * np.sin(angles)
            along = length * angles / (2.0 * pi)
            for k in range(PILLAR_SIDES):
                quads.append(
                    (xs[k], ys[k], xs[k + 1], ys[k + 1], pillar.height, along[k], along[k + 1], True)
                )
    corners: list[list[float]] = []
    uvs: list[list[float]] = []
    triangles: list[int] = []
    for x0, y0, x1, y1, height, u0, u1, both in quads:
        lap = np.floor(0.5 * (u0 + u1) / length)
        a, b, top = u0 / length - lap, u1 / length - lap, height / tall
        _quad(
            corners,
            uvs,
            triangles,
            [[x0, y0, 0.0], [x1, y1, 0.0], [x1, y1, height], [x0, y0, height]],
            [[a, 0.0], [b, 0.0], [b, top], [a, top]],
            both,
        )
    return corners, uvs, triangles


def _floor(arena: Arena) -> Mesh:
    """Return the floor under the arena's bounds, in tiles."""
    low_x, low_y, high_x, high_y = arena.bounds
    half = arena.floor.half_width
    xs, ys = np.linspace(low_x, high_x, FLOOR_TILES + 1), np.linspace(low_y, high_y, FLOOR_TILES + 1)
    corners: list[list[float]] = []
    uvs: list[list[float]] = []
    triangles: list[int] = []
    for i in range(FLOOR_TILES):
        for j in range(FLOOR_TILES):
            square = [(xs[i], ys[j]), (xs[i + 1], ys[j]), (xs[i + 1], ys[j + 1]), (xs[i], ys[j + 1])]
            _quad(
                corners,
                uvs,
                triangles,
                [[x, y, 0.0] for x, y in square],
                [[(x + half) / (2.0 * half), (y + half) / (2.0 * half)] for x, y in square],
            )
    return corners, uvs, triangles


def _quad(
    corners: list[list[float]],
    uvs: list[list[float]],
    triangles: list[int],
    square: list[list[float]],
    texture: list[list[float]],
    both: bool = True,
) -> None:
    """Add a four-cornered face that is seen from both sides, or only from where it runs clockwise."""
    k = len(corners)
    corners += square
    uvs += texture
    triangles += [k, k + 2, k + 1, k, k + 3, k + 2]
    if both:
        triangles += [k, k + 1, k + 2, k, k + 2, k + 3]
