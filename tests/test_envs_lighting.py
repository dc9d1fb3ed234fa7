"""The lamp: Lambert's law and the inverse square, shadows, the mean brightness, and images of it all."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolman.envs import Arena, CameraSpec, FloorSpec, circular_arena, square_arena
from tolman.envs.arena import Pillar, Wall
from tolman.envs.builders import with_inner_walls
from tolman.envs.light_maps import UP, Illumination, paint, pillar_points, wall_points
from tolman.envs.lighting import Lamp, in_light, lambert
from tolman.envs.raycast import Raycaster
from tolman.envs.reference import render as brute_force
from tolman.envs.reference import shadows
from tolman.envs.textures import floor_texture, wall_texture

CAMERA = CameraSpec(width=96, height=48, fov_azimuth=2 * pi, elevation_low=-0.8, elevation_high=0.5)
LAMP = Lamp(0.3, -0.4, 1.5, ambient=0.3)


def furnished(lamp: Lamp | None = None) -> Arena:
    arena = with_inner_walls(
        square_arena(seed=2), ((-0.5, -0.5, -0.5, 0.3), (0.1, 0.3, 0.7, 0.4)), 0.35, seed=9
    )
    return replace(
        arena, pillars=(Pillar(0.1, -0.5, 0.1, 0.4, 1), Pillar(-0.2, 0.6, 0.06, 0.5, 1)), lamp=lamp
    )


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.2, 4), st.floats(0, 2 * pi))
def test_lambert_and_the_inverse_square(x: float, y: float, height: float, bearing: float) -> None:
    lamp = Lamp(x, y, height)
    under = lambert(lamp, np.array([x, y, 0.0]), UP)
    assert under == pytest.approx(1 / height**2)
    # a metre aside on the floor: cos = h / r
    c, s = np.cos(bearing), np.sin(bearing)
    aside = lambert(lamp, np.array([x + c, y + s, 0.0]), UP)
    assert aside == pytest.approx(height / (height**2 + 1) ** 1.5)
    # a wall a metre away, facing the lamp, at the lamp's height: at a right angle
    toward = np.array([-c, -s, 0.0])
    assert lambert(lamp, np.array([x + c, y + s, height]), toward) == pytest.approx(1.0)
    assert lambert(lamp, np.array([x + c, y + s, 0.0]), toward) == pytest.approx((1 + height**2) ** -1.5)
    assert lambert(lamp, np.array([x + c, y + s, height]), -toward) == 0.0


@pytest.mark.parametrize("lamp", [LAMP, Lamp(-0.8, 0.7, 0.9, strength=1.3, ambient=0.0)])
def test_the_mean_is_the_strength(lamp: Lamp) -> None:
    """Over surfaces drawn by area, at random places."""
    arena, rng = (
        replace(circular_arena(), lamp=lamp, pillars=(Pillar(0.2, 0.2, 0.15, 0.4),)),
        np.random.default_rng(0),
    )
    light, n = Illumination(arena), 400
    x, y = rng.uniform(-1, 1, (2, 40_000))
    ground = (np.hypot(x, y) < 1.0) & (np.hypot(x - 0.2, y - 0.2) > 0.15)
    spots = np.stack([x, y, np.zeros(x.size)], -1)[ground]
    parts = [(4.0 * np.mean(ground), light.at(spots, UP).mean())]
    for wall in arena.walls:
        points, normals = wall_points(wall, rng.uniform(0, wall.length, n), rng.uniform(0, wall.height, 20))
        parts.append((wall.length * wall.height, light.at(points, normals).mean()))
    for pillar in arena.pillars:
        points, normals = pillar_points(pillar, rng.uniform(0, 2 * pi, n), rng.uniform(0, pillar.height, 20))
        parts.append((2 * pi * pillar.radius * pillar.height, light.at(points, normals).mean()))
    area, mean = np.array(parts).T
    assert area @ mean / area.sum() == pytest.approx(lamp.strength, rel=0.01)


def test_a_shadow_is_as_long_as_geometry_says() -> None:
    """A wall 0.3 m high, 0.5 m from a lamp at 1.2 m, shades 0.3 x 0.5 / (1.2 - 0.3) m behind it."""
    wall = Wall(0.5, -1.0, 0.5, 1.0, 0.3)
    walls = np.array([(wall.x0, wall.y0, wall.x1, wall.y1, wall.height)])
    end = 0.5 + 0.3 * 0.5 / 0.9
    x = np.array([0.49, 0.51, end - 1e-4, end + 1e-4, 0.9])
    spots = np.stack([x, np.full(5, 0.2), np.zeros(5)], -1)
    lit = in_light(spots, 0.0, 0.0, 1.2, walls, np.empty((0, 4)))
    np.testing.assert_array_equal(lit, [1, 0, 0, 1, 1])
    # a pillar: sideways the tangent from the lamp bounds the shadow, far away it is lit again
    pillars = np.array([(0.5, 0.0, 0.1, 0.3)])
    edge = np.tan(np.arcsin(0.1 / 0.5))
    spots = np.array([(0.62, 0.62 * edge * f, 0.0) for f in (0.0, 0.99, 1.01, -0.99)] + [(1.0, 0.0, 0.0)])
    lit = in_light(spots, 0.0, 0.0, 1.2, np.empty((0, 5)), pillars)
    np.testing.assert_array_equal(lit, [0, 0, 1, 0, 1])


def test_shadows_agree_with_the_reference() -> None:
    arena, rng = furnished(), np.random.default_rng(1)
    spots = rng.uniform([-0.98, -0.98, 0.0], [0.98, 0.98, 0.5], (400, 3))
    walls = np.array([(w.x0, w.y0, w.x1, w.y1, w.height) for w in arena.walls])
    pillars = np.array([(c.x, c.y, c.radius, c.height) for c in arena.pillars])
    lit, walked = in_light(spots, 0.3, -0.2, 0.8, walls, pillars), shadows(spots, 0.3, -0.2, 0.8, arena)
    assert 0.1 < lit.mean() < 0.95
    assert np.mean(lit != walked) < 0.01  # the walk steps over corners


@pytest.mark.parametrize("shaded", [False, True])
@pytest.mark.parametrize("pose", [(-0.1, -0.8, 1.7), (0.5, 0.75, -2.0)])
def test_images_show_the_light(shaded: bool, pose: tuple[float, float, float]) -> None:
    """Against a light computed for each ray: hardly worse than images without a lamp.

    The edges of shadows are as wide as texture cells, which are up to a centimetre on the floor.
    """
    arena = furnished(replace(LAMP, shadows=shaded))
    ours, theirs = Raycaster(arena, CAMERA).render(*pose), np.log(brute_force(arena, CAMERA, *pose))
    plain = np.log(brute_force(replace(arena, lamp=None), CAMERA, *pose))
    unlit = np.abs(Raycaster(replace(arena, lamp=None), CAMERA).render(*pose) - plain).mean()
    assert np.abs(ours - theirs).mean() < unlit + 0.01
    assert np.abs(plain - theirs).mean() > 0.12  # what ignoring the lamp would cost


def test_the_floor_is_lit_beyond_its_pattern() -> None:
    """A pattern of 0.8 m repeats over the arena; the light must not."""
    arena = replace(
        square_arena(), floor=FloorSpec(half_width=0.4, cells=64), lamp=Lamp(0.7, 0.7, 0.8, ambient=0.1)
    )
    ours, theirs = Raycaster(arena, CAMERA).render(-0.2, 0.1, 0.6), brute_force(arena, CAMERA, -0.2, 0.1, 0.6)
    below = CAMERA.elevations < -0.3
    assert np.abs(ours - np.log(theirs))[below].mean() < 0.03
    plain = replace(arena, lamp=None)
    _, _, tiled = paint(replace(plain, lamp=Lamp(ambient=1.0)))
    once = floor_texture(plain.floor)
    np.testing.assert_allclose(tiled, once[np.ix_(*2 * [(np.arange(256) - 96) % 64])])


def test_without_a_lamp_nothing_changes() -> None:
    arena = circular_arena()
    painted, patterns, floor = paint(arena)
    assert painted is arena
    np.testing.assert_array_equal(patterns[0], wall_texture(arena.textures[0], arena.landmarks))
    np.testing.assert_array_equal(floor, floor_texture(arena.floor))
    # ambient light alone is what there is without a lamp
    ambient = Raycaster(replace(furnished(), lamp=Lamp(ambient=1.0)), CAMERA).render(-0.1, -0.8, 1.7)
    np.testing.assert_allclose(ambient, Raycaster(furnished(), CAMERA).render(-0.1, -0.8, 1.7), atol=1e-4)


def test_walls_that_share_a_pattern_have_their_own_light() -> None:
    """All walls of this room show the same metre of pattern; the one by the lamp is the brightest."""
    corners = ((1, -1), (1, 1), (-1, 1), (-1, -1))
    walls = tuple(Wall(*a, *b, height=0.5) for a, b in zip(corners, corners[1:] + corners[:1], strict=True))
    arena = replace(square_arena(), walls=walls, landmarks=(), lamp=Lamp(0.7, 0.0, 1.0, ambient=0.0))
    _, patterns, _ = paint(arena)
    bright = [float(pattern.mean()) for pattern in patterns]
    assert len(bright) == 4
    assert np.argmax(bright) == 0
    assert np.argmin(bright) == 2
    assert bright[1] == pytest.approx(bright[3], rel=0.3)
    ours, theirs = Raycaster(arena, CAMERA).render(0.1, 0.2, 0.5), brute_force(arena, CAMERA, 0.1, 0.2, 0.5)
    assert np.abs(ours - np.log(theirs)).mean() < 0.03


@settings(max_examples=5, deadline=None)
@given(st.floats(-0.9, 0.9), st.floats(-0.9, 0.9), st.floats(0.6, 3.0), st.booleans())
def test_every_lamp_gives_a_picture(x: float, y: float, height: float, shaded: bool) -> None:
    arena = furnished(Lamp(x, y, height, ambient=0.2, shadows=shaded))
    image = Raycaster(arena, CAMERA).render(-0.1, -0.8, 1.7)
    assert np.all(np.isfinite(image))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"height": 0.0}, "lamp height"),
        ({"strength": -1.0}, "lamp strength"),
        ({"ambient": 1.2}, "lamp ambient"),
        ({"x": float("nan")}, "lamp position"),
    ],
)
def test_impossible_lamps_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(LAMP, **change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="above all walls"):
        replace(circular_arena(height=0.5), lamp=Lamp(height=0.5))
