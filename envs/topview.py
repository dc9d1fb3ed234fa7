"""The arena from above, as a picture: for animations and for people, never for the agent."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .arena import Arena
from .tasks import Zone
from .textures import floor_texture, wall_texture

OVERSAMPLING = 2  #: drawn this many times larger and averaged down
TRAIL = 1500  #: control periods of path that are shown
ROBOT, TRACE, GOAL = (38, 84, 148), (232, 119, 34), (46, 139, 87)
ZONE = (120, 120, 132)


class TopView:
    """Draws the robot, its path and the goal on a picture of the arena that is painted once.

    Parameters
    ----------
    arena : Arena
    size : int
        Pixels per side of the (square) picture.
    robot_radius : float
        m.
    """

    def __init__(self, arena: Arena, size: int, robot_radius: float = 0.075) -> None:
        if not 32 <= size <= 4096:
            raise ValueError(f"render_size must be in 32..4096 pixels, got {size}")
        self._size, self._radius = size, robot_radius
        low_x, low_y, high_x, high_y = arena.bounds
        self._centre = (0.5 * (low_x + high_x), 0.5 * (low_y + high_y))
        self._per_metre = OVERSAMPLING * size / (1.16 * max(high_x - low_x, high_y - low_y))
        self._trail: list[tuple[float, float]] = []
        self._ground = self._paint(arena)

    def clear(self) -> None:
        """Forget the path."""
        self._trail.clear()

    def follow(self, pose: NDArray[np.float64]) -> None:
        """Lengthen the path."""
        self._trail.append((float(pose[0]), float(pose[1])))
        del self._trail[:-TRAIL]

    def draw(
        self,
        pose: NDArray[np.float64],
        goal: NDArray[np.float64] | None,
        goal_radius: float,
        light: float,
        zones: Sequence[Zone] = (),
        wanted: Sequence[str] = (),
    ) -> NDArray[np.uint8]:
        """Return the picture of now, uint8 (size, size, 3), with `zones` by name, the `wanted` ones green."""
        picture = self._ground.copy()
        if light != 1.0:
            picture = picture.point(lambda value: value * min(1.0, 0.25 + 0.75 * light))
        pen = ImageDraw.Draw(picture, "RGBA")
        for zone in zones:
            colour = GOAL if zone.name in wanted else ZONE
            corners = (*self._pixel(zone.x0, zone.y1), *self._pixel(zone.x1, zone.y0))
            pen.rectangle(corners, fill=(*colour, 90), outline=colour, width=4)
            middle = self._pixel(0.5 * (zone.x0 + zone.x1), 0.5 * (zone.y0 + zone.y1))
            pen.text(middle, zone.name, fill=(20, 20, 20), font_size=0.075 * self._per_metre, anchor="mm")
        if goal is not None:
            pen.ellipse(self._disc(goal[0], goal[1], goal_radius), fill=(*GOAL, 90), outline=GOAL, width=4)
        if len(self._trail) > 1:
            pen.line([self._pixel(x, y) for x, y in self._trail], fill=(*TRACE, 220), width=4, joint="curve")
        x, y, theta = (float(v) for v in pose)
        pen.ellipse(self._disc(x, y, self._radius), fill=ROBOT, outline=(255, 255, 255), width=3)
        nose, wing = self._radius * 0.8, self._radius * 0.45
        pen.polygon(
            [
                self._pixel(x + nose * cos(theta), y + nose * sin(theta)),
                self._pixel(x + wing * cos(theta + 2.4), y + wing * sin(theta + 2.4)),
                self._pixel(x + wing * cos(theta - 2.4), y + wing * sin(theta - 2.4)),
            ],
            fill=(255, 255, 255),
        )
        return np.asarray(picture.resize((self._size, self._size), Image.Resampling.BOX), np.uint8)

    def _pixel(self, x: float, y: float) -> tuple[float, float]:
        middle = 0.5 * OVERSAMPLING * self._size
        return (
            middle + (x - self._centre[0]) * self._per_metre,
            middle - (y - self._centre[1]) * self._per_metre,
        )

    def _disc(self, x: float, y: float, radius: float) -> tuple[float, float, float, float]:
        px, py = self._pixel(x, y)
        r = radius * self._per_metre
        return px - r, py - r, px + r, py + r

    def _paint(self, arena: Arena) -> Image.Image:
        """Paint the floor inside the outline and the walls, as bands that show their pattern, around it."""
        side = OVERSAMPLING * self._size
        floor = floor_texture(arena.floor)
        axis = (np.arange(side) + 0.5 - 0.5 * side) / self._per_metre
        cells, half = floor.shape[0], arena.floor.half_width
        i = ((axis + self._centre[0] + half) / (2 * half) * cells).astype(int) % cells
        j = ((self._centre[1] - axis + half) / (2 * half) * cells).astype(int) % cells
        grey = 120.0 + 130.0 * floor[i[None, :], j[:, None]]
        ground = Image.fromarray(np.stack([grey * 0.98, grey, grey * 1.02], -1).clip(0, 255).astype(np.uint8))
        mask = Image.new("L", (side, side), 0)
        outline = [self._pixel(x, y) for x, y in arena.outline]
        ImageDraw.Draw(mask).polygon(outline, fill=255)
        picture = Image.new("RGB", (side, side), (255, 255, 255))
        picture.paste(ground, (0, 0), mask)
        pen = ImageDraw.Draw(picture)
        textures = [
            wall_texture(spec, tuple(m for m in arena.landmarks if m.texture == k)).mean(axis=1)
            for k, spec in enumerate(arena.textures)
        ]
        band = 0.03 * max(high - low for low, high in zip(arena.bounds[:2], arena.bounds[2:], strict=True))
        for wall in arena.walls:
            column, spec = textures[wall.texture], arena.textures[wall.texture]
            ux, uy = (wall.x1 - wall.x0) / wall.length, (wall.y1 - wall.y0) / wall.length
            pieces = max(1, round(wall.length / 0.03))
            for k in range(pieces):
                a, b = k / pieces * wall.length, (k + 1) / pieces * wall.length + 0.004
                shade = column[int((wall.offset + 0.5 * (a + b)) / spec.length * column.size) % column.size]
                corners = [(a, 0.0), (b, 0.0), (b, band), (a, band)]
                pen.polygon(
                    [self._pixel(wall.x0 + s * ux + o * uy, wall.y0 + s * uy - o * ux) for s, o in corners],
                    fill=(int(250 * shade),) * 3,
                )
        for pillar in arena.pillars:
            pen.ellipse(self._disc(pillar.x, pillar.y, pillar.radius), fill=(90, 90, 96))
        return picture
