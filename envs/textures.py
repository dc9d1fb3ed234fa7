"""Procedural surface patterns: reflectances of walls, pillars and floors, drawn from a seed.

Patterns never repeat along a wall and hold detail from a few centimetres to half a metre, so that every
place of an arena has a view of its own, near the wall as well as in the middle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from .arena import FloorSpec, Landmark, TextureSpec

Floats = NDArray[np.float64]

TEXEL = 1.0 / 128.0  #: m, edge of a texture cell of walls and pillars
DARK, BRIGHT = 0.08, 0.92  #: reflectances of black and white paint
WALL_SCALES = (0.50, 0.25, 0.12, 0.06)  #: m, sizes of the blobs that make a wall pattern
FLOOR_SCALES = (0.60, 0.25, 0.10)  #: m


def wall_texture(spec: TextureSpec, landmarks: tuple[Landmark, ...] = ()) -> Floats:
    """Paint a wall: reflectance (columns along the wall, rows from the floor up), each cell about `TEXEL`.

    Panels of random width and brightness, each overlaid with blobs of several sizes, then `landmarks` as
    posters on top. The pattern closes on itself, so that it can run around an arena or a pillar.
    """
    columns = max(1, round(spec.length / TEXEL))
    rows = max(1, round(spec.height / TEXEL))
    rng = np.random.default_rng(spec.seed)
    blobs = _blobs(rng, (columns, rows), TEXEL, WALL_SCALES, ("wrap", "nearest"))
    panels = _panels(rng, columns, spec.length)
    # A steep squash turns smooth noise into painted patches: mostly black or white, few greys.
    pattern = 0.5 + 0.5 * np.tanh(2.5 * (blobs + panels[:, None]))
    reflectance = DARK + (BRIGHT - DARK) * pattern
    for landmark in landmarks:
        _paint(reflectance, spec, landmark)
    return reflectance


def floor_texture(spec: FloorSpec) -> Floats:
    """Paint the floor: reflectance (cells, cells) over the square that `spec` covers, first axis is x."""
    cells = spec.cells
    rng = np.random.default_rng(spec.seed)
    blobs = _blobs(rng, (cells, cells), 2.0 * spec.half_width / cells, FLOOR_SCALES, ("wrap", "wrap"))
    return np.clip(spec.reflectance * (1.0 + spec.contrast * np.tanh(1.5 * blobs)), 0.02, 1.0)


def summed_area(texture: Floats) -> Floats:
    """Integrate a texture over both axes: (n + 1, m + 1) with zeros first (Crow 1984).

    The mean over any rectangle then costs four look-ups, which is exact anti-aliasing at every distance.
    """
    table = np.zeros((texture.shape[0] + 1, texture.shape[1] + 1))
    table[1:, 1:] = texture.cumsum(axis=0).cumsum(axis=1)
    return table


def mip_pyramid(texture: Floats) -> list[NDArray[np.float32]]:
    """Halve a square power-of-two texture again and again, down to one cell (Williams 1983)."""
    size = texture.shape[0]
    if texture.shape != (size, size) or size & (size - 1):
        raise ValueError(f"a mip pyramid needs a square power-of-two texture, got {texture.shape}")
    levels = [texture]
    while levels[-1].shape[0] > 1:
        fine = levels[-1]
        half = fine.shape[0] // 2
        levels.append(fine.reshape(half, 2, half, 2).mean(axis=(1, 3)))
    return [level.astype(np.float32) for level in levels]


def with_neighbours(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each cell (i, j) of (n, n) with (i, j + 1), (i + 1, j), (i + 1, j + 1), wrapped: (n, n, 4).

    Bilinear interpolation then reads one place of the memory instead of four.
    """
    beyond = np.roll(level, -1, axis=0)
    return np.stack([level, np.roll(level, -1, axis=1), beyond, np.roll(beyond, -1, axis=1)], axis=-1)


def _blobs(
    rng: np.random.Generator,
    shape: tuple[int, int],
    texel: float,
    scales: tuple[float, ...],
    modes: tuple[Literal["wrap", "nearest"], Literal["wrap", "nearest"]],
) -> Floats:
    """Sum low-passed noise of unit variance, coarse scales weighing more; a blob is as wide as its scale."""
    total = np.zeros(shape)
    for scale in scales:
        noise = gaussian_filter(rng.standard_normal(shape), 0.25 * scale / texel, mode=modes)
        total += (scale / scales[0]) ** 0.75 * noise / noise.std()
    result: Floats = total / total.std()
    return result


def _panels(rng: np.random.Generator, columns: int, length: float) -> Floats:
    """Cut the wall into panels of 0.12 to 0.5 m and give each a brightness of its own, in ±0.6."""
    borders = np.cumsum(rng.uniform(0.12, 0.5, size=int(length / 0.12) + 2))
    levels = rng.uniform(-0.6, 0.6, size=borders.size + 1)
    position = (np.arange(columns) + 0.5) * (length / columns)
    result: Floats = levels[np.searchsorted(borders, position)]
    return result


def _paint(reflectance: Floats, spec: TextureSpec, landmark: Landmark) -> None:
    """Paint one poster into the wall pattern, in place."""
    columns, rows = reflectance.shape
    along = (np.arange(columns) + 0.5) * (spec.length / columns)
    up = (np.arange(rows) + 0.5) * (spec.height / rows)
    # Distances along the wall wrap: a poster may hang across the seam.
    offset = (along - landmark.centre + 0.5 * spec.length) % spec.length - 0.5 * spec.length
    a = offset[:, None] / landmark.width + 0.5  # 0..1 across the poster
    b = (up[None, :] - landmark.bottom) / (landmark.top - landmark.bottom)  # 0..1 up the poster
    inside = (a >= 0.0) & (a < 1.0) & (b >= 0.0) & (b < 1.0)
    figure = np.broadcast_to(_figure(landmark, a, b), reflectance.shape)
    colour = np.where(figure > 0.0, landmark.bright, landmark.dark)
    reflectance[inside] = colour[inside]


def _figure(landmark: Landmark, a: Floats, b: Floats) -> Floats:
    """Return the poster's figure, positive where bright, in coordinates 0..1 across (n, 1) and up (1, m)."""
    n = landmark.repeats
    stripes_a, stripes_b = np.floor(2 * n * a), np.floor(2 * n * b)
    figures = {
        "plain": np.ones_like(a),
        "vertical": 0.5 - stripes_a % 2,
        "horizontal": 0.5 - stripes_b % 2,
        "checker": 0.5 - (stripes_a + stripes_b) % 2,
        "diagonal": 0.5 - np.floor(2 * n * (a + b)) % 2,
        "disc": 0.16 - (a - 0.5) ** 2 - (b - 0.5) ** 2,
        "ring": 0.5 - np.floor(4 * n * np.hypot(a - 0.5, b - 0.5)) % 2,
        "cross": 0.14 - np.minimum(np.abs(a - 0.5), np.abs(b - 0.5)),
    }
    figure: Floats = figures[landmark.pattern]
    return figure
