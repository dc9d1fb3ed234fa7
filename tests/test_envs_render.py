"""Renderers: the ray caster against brute force and against PyBullet, and that it does not flicker."""

from __future__ import annotations

from dataclasses import replace
from math import pi, radians

import numpy as np
import pytest
from tolman.envs.arena import Arena, Landmark, Pillar, TextureSpec, circular_arena, linear_track, square_arena
from tolman.envs.camera import CameraSpec
from tolman.envs.raycast import Raycaster, logarithm
from tolman.envs.reference import render as brute_force
from tolman.envs.renderers import make_renderer
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


@pytest.mark.parametrize(("arena", "most"), [(circular_arena(), 0.012), (with_pillars(), 0.06)])
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


def test_clearance() -> None:
    arena = with_pillars()
    assert arena.clearance(0.0, -0.6) == pytest.approx(0.4, abs=0.01)
    assert arena.clearance(0.5, 0.0) == pytest.approx(0.12, abs=0.001)
    assert arena.clearance(0.5, -0.2) < 0.0
    assert arena.clearance(1.3, 0.0) < 0.0
    assert arena.contains(0.0, 0.0, 0.1)
    assert not arena.contains(float("nan"), 0.0)
