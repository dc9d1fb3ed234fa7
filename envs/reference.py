"""Plain NumPy and Python twins of the compiled kernels: slow, short, and what the tests compare with."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from .arena import Arena, Pillar, Wall
from .camera import CameraSpec
from .event_camera import TIE
from .events import EventPacket
from .light_maps import UP, Illumination, paint

Floats = NDArray[np.float64]


def render(arena: Arena, camera: CameraSpec, x: float, y: float, theta: float, samples: int = 6) -> Floats:
    """Return radiance (height, width) by brute force: `samples`² rays per pixel, nearest texture cell.

    The lamp's light is computed anew for every ray.
    """
    theta += camera.yaw
    part = (np.arange(samples) + 0.5) / samples
    down = (np.arange(camera.height)[:, None] + part).ravel() / camera.height
    right = (np.arange(camera.width)[:, None] + part).ravel() / camera.width
    if camera.projection == "panorama":
        azimuth = camera.fov_azimuth * (0.5 - right)
        slope = np.tan(camera.elevation_high + down * (camera.elevation_low - camera.elevation_high))
        slope = np.repeat(slope[:, None], azimuth.size, axis=1)
    else:
        azimuth = np.arctan(np.tan(0.5 * camera.fov_azimuth) * (1.0 - 2.0 * right))
        high, low = np.tan(camera.elevation_high), np.tan(camera.elevation_low)
        slope = (high + down * (low - high))[:, None] * np.cos(azimuth)
    dx, dy = np.cos(theta + azimuth), np.sin(theta + azimuth)
    _, textures, floor = paint(replace(arena, lamp=None))
    light = Illumination(arena) if arena.lamp is not None else None

    nearest, radiance = np.full(slope.shape, np.inf), np.full(slope.shape, arena.sky)
    surfaces: tuple[Wall | Pillar, ...] = (*arena.walls, *arena.pillars)
    for surface in surfaces:
        spec, texture = arena.textures[surface.texture], textures[surface.texture]
        d, along = _meet(surface, spec.length, x, y, dx, dy)
        seen = d < np.inf
        if isinstance(surface, Wall) and _is_back(surface, arena, x, y):
            continue
        z = camera.mount + d[seen] * slope[:, seen]
        i = (along[seen] / spec.length * texture.shape[0]).astype(int) % texture.shape[0]
        j = np.clip(z / spec.height * texture.shape[1], 0, texture.shape[1] - 1).astype(int)
        shade = texture[i, j]
        if light is not None:
            points = np.empty((*z.shape, 3))
            points[..., 0], points[..., 1], points[..., 2] = x + d[seen] * dx[seen], y + d[seen] * dy[seen], z
            shade = shade * light.at(points, _normals(surface, points))
        mine = (d[seen] < nearest[:, seen]) & (z <= surface.height)
        radiance[:, seen] = np.where(mine, shade, radiance[:, seen])
        nearest[:, seen] = np.where(mine, d[seen], nearest[:, seen])

    half = arena.floor.half_width
    with np.errstate(divide="ignore"):
        t = np.where(slope < 0.0, -camera.mount / slope, np.inf)
    on_floor = t < nearest
    t = np.where(on_floor, t, 0.0)
    i = np.floor((x + t * dx + half) / (2.0 * half) * floor.shape[0]).astype(int) % floor.shape[0]
    j = np.floor((y + t * dy + half) / (2.0 * half) * floor.shape[0]).astype(int) % floor.shape[0]
    shade = floor[i, j]
    if light is not None:
        points = np.stack([x + t * dx, y + t * dy, np.zeros(t.shape)], -1)
        shade = shade * light.at(points, np.broadcast_to(UP, points.shape))
    radiance = np.where(on_floor, shade, radiance)
    mean: Floats = radiance.reshape(camera.height, samples, camera.width, samples).mean(axis=(1, 3))
    return arena.light * mean


def shadows(points: Floats, x: float, y: float, height: float, arena: Arena) -> Floats:
    """Tell which `points` (n, 3) see the lamp, 1 or 0: a twin of `lighting.in_light` that walks the way."""
    seen = np.ones(len(points))
    for i, point in enumerate(points):
        s = np.linspace(0.0, 1.0, 4001)[1:-1]
        way = point + s[:, None] * (np.array([x, y, height]) - point)
        stopped = False
        for c in arena.pillars:
            inside = np.hypot(way[:, 0] - c.x, way[:, 1] - c.y) < c.radius
            stopped |= bool(np.any(inside & (way[:, 2] < c.height)))
        for w in arena.walls:
            ahead = (way[:, 0] - w.x0) * (w.x1 - w.x0) + (way[:, 1] - w.y0) * (w.y1 - w.y0)
            aside = (way[:, 1] - w.y0) * (w.x1 - w.x0) - (way[:, 0] - w.x0) * (w.y1 - w.y0)
            beside = (ahead >= 0.0) & (ahead <= w.length**2) & (way[:, 2] < w.height)
            stopped |= bool(np.any((aside[1:] * aside[:-1] < 0.0) & beside[1:] & beside[:-1]))
        seen[i] = not stopped
    return seen


def _is_back(wall: Wall, arena: Arena, x: float, y: float) -> bool:
    """Tell whether `wall` shows its back to (x, y), and another wall at the same place its face."""
    faces = (wall.x1 - wall.x0) * (y - wall.y0) - (wall.y1 - wall.y0) * (x - wall.x0) > 0.0
    twin = (wall.x1, wall.y1, wall.x0, wall.y0)
    return not faces and any((w.x0, w.y0, w.x1, w.y1) == twin for w in arena.walls)


def _normals(surface: Wall | Pillar, points: Floats) -> Floats:
    """Return the unit normals of a surface at `points` (..., 3) on it."""
    normals = np.zeros(points.shape)
    if isinstance(surface, Wall):
        normals[..., 0] = (surface.y0 - surface.y1) / surface.length
        normals[..., 1] = (surface.x1 - surface.x0) / surface.length
    else:
        normals[..., 0] = (points[..., 0] - surface.x) / surface.radius
        normals[..., 1] = (points[..., 1] - surface.y) / surface.radius
    return normals


def _meet(
    surface: Wall | Pillar, length: float, x: float, y: float, dx: Floats, dy: Floats
) -> tuple[Floats, Floats]:
    """Return distance (inf: none) and place along the texture (m) where rays meet a wall or a pillar."""
    if isinstance(surface, Wall):
        ex, ey = surface.x1 - surface.x0, surface.y1 - surface.y0
        px, py = surface.x0 - x, surface.y0 - y
        with np.errstate(divide="ignore", invalid="ignore"):
            d = (px * ey - py * ex) / (dx * ey - dy * ex)
            s = (px * dy - py * dx) / (dx * ey - dy * ex)
        return np.where((d > 0) & (s >= 0) & (s <= 1), d, np.inf), surface.offset + s * surface.length
    px, py = surface.x - x, surface.y - y
    ahead = px * dx + py * dy
    inside = surface.radius**2 - (px**2 + py**2 - ahead**2)
    d = np.where(inside >= 0.0, ahead - np.sqrt(np.maximum(inside, 0.0)), np.inf)
    d = np.where(d > 0.0, d, np.inf)
    reach = np.where(np.isfinite(d), d, 0.0)
    bearing = np.arctan2(y + reach * dy - surface.y, x + reach * dx - surface.x)
    return d, bearing / (2.0 * np.pi) * length


def events(spec: CameraSpec, frames: NDArray[np.float32], times: NDArray[np.int64]) -> EventPacket:
    """Return all events of a video of log intensities (n, height, width) at `times` (n,) µs, pixel by pixel.

    Without leak and shot noise. Equal times are ordered as the camera orders them: by row, then column.
    """
    on, off = spec.thresholds()
    refractory = round(spec.refractory * 1e6)
    found: list[tuple[int, int, int, int]] = []
    for row in range(spec.height):
        for column in range(spec.width):
            memory, free = float(frames[0, row, column]), int(times[0])
            up, down = float(on[row, column]), float(off[row, column])
            for k in range(1, len(times)):
                t0, t1 = int(times[k - 1]), int(times[k])
                level0, level1 = float(frames[k - 1, row, column]), float(frames[k, row, column])
                slope = (level1 - level0) * (1.0 / (t1 - t0))
                free = max(free, t0)
                while free <= t1:
                    change = (level1 if free == t1 else level0 + slope * (free - t0)) - memory
                    if change >= up - TIE:
                        polarity, t = 1, free
                    elif -change >= down - TIE:
                        polarity, t = 0, free
                    elif slope > 0.0 and level1 - memory >= up - TIE:
                        polarity, t = 1, t0 + ceil((memory + (up - TIE) - level0) * (1.0 / slope))
                    elif slope < 0.0 and memory - level1 >= down - TIE:
                        polarity, t = 0, t0 + ceil((memory - (down - TIE) - level0) * (1.0 / slope))
                    else:
                        break
                    t = min(max(t, free, t0 + 1), t1)
                    memory += up if polarity else -down
                    found.append((t, row, column, polarity))
                    free = t + refractory
    found.sort(key=lambda event: event[0])
    table = np.array(found, np.int64).reshape(-1, 4)
    return EventPacket(
        table[:, 0],
        table[:, 2].astype(np.int16),
        table[:, 1].astype(np.int16),
        table[:, 3].astype(np.uint8),
    )
