"""Renderers: the ray caster against brute force and against PyBullet, and that it does not flicker."""

from __future__ import annotations

from dataclasses import replace
from math import pi, radians

import numpy as np
import pytest
from tolman.envs.arena import Arena, Landmark, Pillar, TextureSpec, Wall
from tolman.envs.builders import circular_arena, inner_wall, linear_track, square_arena, with_inner_walls
from tolman.envs.camera import CameraSpec
from tolman.envs.elementary import logarithm
from tolman.envs.event_camera import EventCamera
from tolman.envs.lighting import Lamp
from tolman.envs.raycast import Raycaster
from tolman.envs.reference import render as brute_force
from tolman.envs.renderers import make_renderer, make_renderers
from tolman.envs.textures import mip_pyramid, summed_area, wall_texture

PANORAMA = CameraSpec()
PINHOLE = CameraSpec(
    width=64,
    height=48,
    projection="pinhole",
    fov_azimuth=radians(90),
    elevation_low=radians(-25),
    elevation_high=radians(30),
)
POSES = [(0.0, 0.0, 0.3), (0.4, 0.3, 1.0), (-0.7, 0.5, 2.0), (0.88, 0.05, 4.0)]


def with_pillars() -> Arena:
    arena = circular_arena(seed=3)
    textures = (*arena.textures, TextureSpec(2 * pi * 0.08, 0.4, 5), TextureSpec(2 * pi * 0.1, 0.3, 6))
    pillars = (Pillar(0.5, -0.2, 0.08, 0.4, 1), Pillar(-0.3, 0.5, 0.1, 0.3, 2))
    return replace(arena, textures=textures, pillars=pillars)


def with_walls() -> Arena:
    """Free-standing walls, lower than those around them, among pillars."""
    return with_inner_walls(with_pillars(), ((-0.5, -0.5, -0.5, 0.2), (0.1, 0.5, 0.5, 0.45)), 0.35, seed=9)


def with_screens() -> Arena:
    """Walls without thickness, each with a pattern of its own on either side."""
    arena = square_arena(seed=2)
    textures = (*arena.textures, TextureSpec(1.0, 0.5, 5), TextureSpec(1.0, 0.5, 6))
    screens = (
        Wall(-0.5, -0.5, -0.4, 0.4, 0.5, 1),
        Wall(-0.4, 0.4, -0.5, -0.5, 0.5, 2),
        Wall(0.7, 0.45, 0.1, 0.2, 0.35, 2, 0.3),
        Wall(0.1, 0.2, 0.7, 0.45, 0.35, 1),
    )
    return replace(arena, walls=(*arena.walls, *screens), textures=textures)


ARENAS = {"circular": circular_arena(), "pillars": with_pillars(), "square": square_arena(seed=2)}


@pytest.mark.parametrize("camera", [PANORAMA, PINHOLE], ids=["panorama", "pinhole"])
@pytest.mark.parametrize("arena", ARENAS.values(), ids=ARENAS)
def test_raycaster_agrees_with_brute_force(arena: Arena, camera: CameraSpec) -> None:
    """Mean absolute difference of radiance (0..1) and correlation, against 36 rays a pixel."""
    caster = Raycaster(arena, camera)
    for pose in POSES[:3]:
        ours, theirs = np.exp(caster.render(*pose)), brute_force(arena, camera, *pose)
        assert np.abs(ours - theirs).mean() < 0.015
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("camera", [PANORAMA, PINHOLE], ids=["panorama", "pinhole"])
@pytest.mark.parametrize("arena", ARENAS.values(), ids=ARENAS)
def test_raycaster_agrees_with_pybullet(arena: Arena, camera: CameraSpec) -> None:
    """Mean absolute difference of radiance below 0.03 and correlation above 0.98, as documented."""
    caster, tiny = make_renderer("raycast", arena, camera), make_renderer("pybullet", arena, camera)
    for pose in POSES:
        ours, theirs = np.exp(caster.render(*pose)), np.exp(tiny.render(*pose))
        assert np.abs(ours - theirs).mean() < 0.03
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.98
    tiny.close()
    caster.close()


def eyes(size: int) -> list[CameraSpec]:
    low, high = radians(-30), radians(40)  # nearer, PyBullet drops tiles of the floor that reach behind it
    around = CameraSpec(
        width=size, height=size, fov_azimuth=2 * pi, elevation_low=low, elevation_high=high, mismatch=0.0
    )
    return [around, replace(around, projection="pinhole", fov_azimuth=radians(90))]


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize(
    "arena", [with_pillars(), with_walls(), with_screens()], ids=["pillars", "walls", "screens"]
)
def test_what_stands_inside_is_drawn_right(arena: Arena, size: int) -> None:
    """Mean absolute difference of log intensity to 36 rays a pixel, and to PyBullet's oversampled image.

    Ours is nearer to the rays than PyBullet's is.
    """
    for camera in eyes(size):
        caster, tiny = make_renderer("raycast", arena, camera), make_renderer("pybullet", arena, camera)
        for pose in [(-0.8, 0.0, 0.2), (0.0, 0.0, 2.9), (0.1, -0.7, 1.7)]:
            ours, theirs = caster.render(*pose), tiny.render(*pose)
            rays = np.log(brute_force(arena, camera, *pose))
            assert np.abs(ours - rays).mean() < 0.03
            assert np.abs(ours - theirs).mean() < 0.05
            assert np.abs(ours - rays).mean() < np.abs(theirs - rays).mean()
        tiny.close()


def watched(arena: Arena, camera: CameraSpec, renderer: str, poses: list[tuple[float, float, float]]) -> int:
    """Count the events of a slow motion."""
    eye, drawer = EventCamera(camera), make_renderer(renderer, arena, camera)
    eye.reset(drawer.render(*poses[0]))
    for k, pose in enumerate(poses[1:]):
        eye.feed(drawer.render(*pose), 4000 * (k + 1))
    drawer.close()
    return eye.collect().size


def test_slow_motion_makes_no_false_events() -> None:
    """No more than PyBullet's oversampled images, which move by quarters of a pixel; none at rest."""
    arena, camera = with_walls(), eyes(64)[1]
    turning = [(-0.1, -0.7, 1.7 + 1e-3 * k) for k in range(25)]
    driving = [(-0.1, -0.7 + 3e-4 * k, 1.7) for k in range(25)]
    for poses in (turning, driving):
        ours = watched(arena, camera, "raycast", poses)
        assert 0 < ours <= watched(arena, camera, "pybullet", poses)
    assert watched(arena, camera, "raycast", [turning[0]] * 25) == 0


def test_a_higher_wall_is_seen_over_a_lower_one() -> None:
    """Straight ahead: floor, a black wall 0.3 m high, then the white wall 1 m behind, then the sky."""
    camera = replace(
        PINHOLE, width=3, height=90, fov_azimuth=radians(2), elevation_low=-0.6, elevation_high=0.6
    )
    square = square_arena(height=1.5)
    far, near = len(square.textures), len(square.textures) + 1
    walls = tuple(replace(w, texture=far) for w in square.walls)
    arena = replace(
        square,
        walls=(*walls, *inner_wall(0.0, -0.5, 0.0, 0.5, 0.3, near)),
        textures=(*square.textures, TextureSpec(8.0, 1.5, 0), TextureSpec(3.0, 0.3, 0)),
        landmarks=(
            Landmark(far, 4.0, 8.0, 0.0, 1.5, bright=0.9),
            Landmark(near, 1.5, 3.0, 0.0, 0.3, bright=0.1),
        ),
        sky=0.5,
    )
    slope = 0.5 * (camera.slope_edges[1:] + camera.slope_edges[:-1])
    column = np.exp(Raycaster(arena, camera).render(-0.5, 0.0, 0.0))[:, 1]
    near_top, near_foot, far_top = 0.2 / 0.475, -0.1 / 0.475, 1.4 / 1.5
    margin = 0.02
    on_near = (slope > near_foot + margin) & (slope < near_top - margin)
    on_far = (slope > near_top + margin) & (slope < far_top - margin)
    np.testing.assert_allclose(column[on_near], 0.1, atol=1e-3)
    np.testing.assert_allclose(column[on_far], 0.9, atol=1e-3)
    assert np.count_nonzero(on_near) > 20
    assert np.count_nonzero(on_far) > 10


@pytest.mark.parametrize("renderer", ["raycast", "pybullet"])
@pytest.mark.parametrize("camera", [PANORAMA, PINHOLE], ids=["panorama", "pinhole"])
def test_a_turned_camera_sees_what_a_turned_robot_sees(renderer: str, camera: CameraSpec) -> None:
    arena = with_walls()
    straight, aside = make_renderers(renderer, arena, [camera, replace(camera, yaw=0.7)])
    np.testing.assert_allclose(aside.render(0.1, -0.7, 0.4), straight.render(0.1, -0.7, 1.1), atol=1e-6)
    assert not np.allclose(aside.render(0.1, -0.7, 0.4), straight.render(0.1, -0.7, 0.4), atol=0.1)
    straight.close()
    aside.close()


@pytest.mark.parametrize(
    ("arena", "most"),
    [
        (circular_arena(), 0.012),
        (with_pillars(), 0.06),
        (replace(circular_arena(), lamp=Lamp(0.4, 0.3, 1.0, shadows=True)), 0.02),
    ],
)
def test_edges_do_not_flicker(arena: Arena, most: float) -> None:
    """Turning by a hundredth of a pixel changes no pixel by more than its share of the full contrast (0.84).

    Flanks of pillars change a little faster, because there the distance changes abruptly with the angle.
    """
    caster = Raycaster(arena, PANORAMA)
    pixel = PANORAMA.fov_azimuth / PANORAMA.width
    turning = np.array([np.exp(caster.render(0.31, -0.22, 0.01 * pixel * k)) for k in range(200)])
    assert np.abs(np.diff(turning, axis=0)).max() < most
    driving = np.array([np.exp(caster.render(0.1 + 2e-5 * k, 0.2, 0.4)) for k in range(200)])
    assert np.abs(np.diff(driving, axis=0)).max() < 0.1 * most


def test_views_turn_with_the_robot() -> None:
    """Turning left by n columns shifts a full panorama right by n columns."""
    camera = CameraSpec(width=120, height=16, fov_azimuth=2 * pi)
    caster = Raycaster(circular_arena(), camera)
    ahead = caster.render(0.2, -0.4, 0.5)
    turned = caster.render(0.2, -0.4, 0.5 + 7 * camera.fov_azimuth / camera.width)
    np.testing.assert_allclose(np.exp(turned), np.exp(np.roll(ahead, 7, axis=1)), atol=2e-4)


def test_a_poster_is_seen_where_it_hangs() -> None:
    arena = circular_arena()
    length = arena.textures[0].length
    poster = Landmark(0, centre=0.25 * length, width=0.3, bottom=0.0, top=0.5, bright=1.0)
    lone = replace(arena, landmarks=(poster,), textures=arena.textures)
    bare = replace(arena, landmarks=())
    camera = CameraSpec()
    for theta in (0.0, 1.1, 2.5):
        # A quarter around the wall: due +y from the centre.
        difference = np.exp(Raycaster(lone, camera).render(0, 0, theta))
        difference -= np.exp(Raycaster(bare, camera).render(0, 0, theta))
        columns = np.flatnonzero(np.abs(difference).max(axis=0) > 0.02)
        bearing = (0.5 * pi - theta + pi) % (2 * pi) - pi
        assert camera.azimuths[columns].mean() == pytest.approx(bearing, abs=0.05)


def test_views_tell_places_apart() -> None:
    caster, rng = Raycaster(circular_arena(), PANORAMA), np.random.default_rng(0)

    def likeness(distance: float) -> float:
        values = []
        for x, y, angle in rng.uniform([-0.5, -0.5, 0], [0.5, 0.5, 2 * pi], (40, 3)):
            a = caster.render(x, y, 0.0)
            b = caster.render(x + distance * np.cos(angle), y + distance * np.sin(angle), 0.0)
            values.append(np.corrcoef(a.ravel(), b.ravel())[0, 1])
        return float(np.mean(values))

    near, far = likeness(0.03), likeness(0.35)
    assert near > 0.8
    assert far < 0.3


def test_light_scales_radiance() -> None:
    caster = Raycaster(circular_arena(), PANORAMA)
    full = caster.render(0.1, 0.2, 0.3)
    caster.light = 0.25
    np.testing.assert_allclose(caster.render(0.1, 0.2, 0.3), full + np.log(0.25), atol=1e-5)
    caster.light = 0.0
    assert np.ptp(caster.render(0.1, 0.2, 0.3)) == 0.0


def test_every_pose_gives_a_picture() -> None:
    """Also outside, on a wall, inside a pillar: no crash, nothing but finite numbers."""
    rng = np.random.default_rng(5)
    for arena in (with_pillars(), linear_track()):
        for camera in (PANORAMA, PINHOLE, CameraSpec(width=3, height=2, fov_azimuth=2 * pi)):
            caster = Raycaster(arena, camera)
            poses = [(1.0, 0.0, 0.0), (0.5, -0.2, 1.0), *rng.uniform(-1.5, 1.5, (60, 3))]
            for pose in poses:
                image = caster.render(*pose)
                assert np.all(np.isfinite(image))
                assert image.max() <= 0.01


def test_logarithm() -> None:
    values = np.exp(np.random.default_rng(0).uniform(-9, 3, 20_000)).astype(np.float32)
    ours = values.copy()
    logarithm(ours, 1.0)
    np.testing.assert_allclose(ours, np.log(values), atol=2e-6)


def test_textures() -> None:
    texture = wall_texture(TextureSpec(6.28, 0.5, 1))
    assert texture.shape == (804, 64)
    assert 0.05 <= texture.min() < 0.12
    assert 0.88 < texture.max() <= 0.95
    assert texture.std() > 0.25
    assert not np.array_equal(texture, wall_texture(TextureSpec(6.28, 0.5, 2)))
    # no stretch of half a metre looks like another one
    windows = np.array([texture[k : k + 64, 8:56].ravel() for k in range(0, 704, 32)])
    alike = np.corrcoef(windows)[np.abs(np.subtract.outer(np.arange(22), np.arange(22))) > 2]
    assert alike.max() < 0.8
    table = summed_area(texture)
    mean = (table[50, 30] - table[10, 30] - table[50, 5] + table[10, 5]) / (40 * 25)
    assert mean == pytest.approx(texture[10:50, 5:30].mean())
    levels = mip_pyramid(np.arange(16.0).reshape(4, 4))
    assert [level.shape for level in levels] == [(4, 4), (2, 2), (1, 1)]
    assert levels[2][0, 0] == 7.5
    with pytest.raises(ValueError, match="power-of-two"):
        mip_pyramid(np.zeros((3, 3)))


def test_unknown_renderer_is_refused() -> None:
    with pytest.raises(ValueError, match="renderer must be one of"):
        make_renderer("opengl", circular_arena(), PANORAMA)


def test_impossible_arenas_are_refused() -> None:
    with pytest.raises(ValueError, match="radius must be > 0"):
        circular_arena(radius=-1.0)
    with pytest.raises(ValueError, match="segments"):
        circular_arena(segments=2)
    with pytest.raises(ValueError, match="a pillar names 4"):
        replace(circular_arena(), pillars=(Pillar(0, 0, 0.1, 0.3, 4),))
    with pytest.raises(ValueError, match="pattern must be one of"):
        Landmark(0, 1.0, 0.3, 0.1, 0.4, pattern="mona lisa")
    with pytest.raises(ValueError, match="thickness"):
        inner_wall(0, 0, 1, 0, thickness=0.01)
    with pytest.raises(ValueError, match="higher than the camera"):
        Raycaster(circular_arena(height=0.08), PANORAMA)


def test_clearance() -> None:
    arena = with_pillars()
    assert arena.clearance(0.0, -0.6) == pytest.approx(0.4, abs=0.01)
    assert arena.clearance(0.5, 0.0) == pytest.approx(0.12, abs=0.001)
    assert arena.clearance(0.5, -0.2) < 0.0
    assert arena.clearance(1.3, 0.0) < 0.0
    assert arena.contains(0.0, 0.0, 0.1)
    assert not arena.contains(float("nan"), 0.0)
