"""The event camera's description, its kernel against the plain reference, and what it promises."""

from __future__ import annotations

from dataclasses import replace
from math import pi, radians

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tolman.envs.camera import CameraSpec
from tolman.envs.elementary import exponential
from tolman.envs.event_camera import TIE, EventCamera
from tolman.envs.events import EventPacket
from tolman.envs.photoreceptor import lin_log
from tolman.envs.presets import SENSORS, sensor_camera, with_sensor
from tolman.envs.reference import events as reference_events

Video = NDArray[np.float32]
SMALL = CameraSpec(width=5, height=4)
EXACT = replace(SMALL, mismatch=0.0, refractory=0.0)


@st.composite
def videos(draw: st.DrawFn) -> tuple[Video, NDArray[np.int64]]:
    """Random walks of log intensity, from gentle to violent, at uneven times."""
    seed, size = draw(st.integers(0, 2**32)), draw(st.sampled_from([0.05, 0.3, 2.0]))
    rng, n = np.random.default_rng(seed), draw(st.integers(2, 12))
    frames = np.cumsum(rng.normal(0, size, (n, SMALL.height, SMALL.width)), axis=0).astype(np.float32)
    times = np.cumsum(rng.integers(1, 6000, n))
    return frames, times.astype(np.int64)


def watch(camera: EventCamera, frames: Video, times: NDArray[np.int64]) -> EventPacket:
    camera.reset(frames[0], int(times[0]))
    for frame, time in zip(frames[1:], times[1:], strict=True):
        camera.feed(frame, int(time))
    return camera.collect()


def reconstruct(first: NDArray[np.float32], packet: EventPacket, camera: EventCamera) -> NDArray[np.float64]:
    off, on = packet.counts(camera.spec.width, camera.spec.height)
    result: NDArray[np.float64] = first + on * camera.on - off * camera.off
    return result


@settings(deadline=None, max_examples=60)
@given(videos(), st.sampled_from([0.0, 0.5e-3, 3e-3]), st.integers(0, 5))
def test_kernel_equals_reference_event_for_event(
    video: tuple[Video, NDArray[np.int64]], refractory: float, seed: int
) -> None:
    spec = replace(SMALL, refractory=refractory, mismatch_seed=seed)
    packet, expected = watch(EventCamera(spec), *video), reference_events(spec, *video)
    for ours, theirs in zip(packet, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


@settings(deadline=None, max_examples=60)
@given(videos(), st.sampled_from([0.0, 0.5e-3, 3e-3]))
def test_events_are_in_order_in_the_interval_and_apart(
    video: tuple[Video, NDArray[np.int64]], refractory: float
) -> None:
    frames, times = video
    camera = EventCamera(replace(SMALL, refractory=refractory))
    camera.reset(frames[0], int(times[0]))
    last = np.full((SMALL.height, SMALL.width), -(10**9))
    for k in range(1, len(times)):
        camera.feed(frames[k], int(times[k]))
        packet = camera.collect().validate(SMALL.width, SMALL.height)
        assert np.all(packet.t > times[k - 1])
        assert np.all(packet.t <= times[k])
        for t, x, y, _ in zip(*packet, strict=True):
            assert t - last[y, x] >= round(refractory * 1e6)
            last[y, x] = t


@settings(deadline=None, max_examples=60)
@given(videos())
def test_reconstruction_stays_within_one_threshold(video: tuple[Video, NDArray[np.int64]]) -> None:
    frames, times = video
    camera = EventCamera(replace(SMALL, refractory=0.0))
    packet = watch(camera, frames, times)
    levels = reconstruct(frames[0], packet, camera)
    np.testing.assert_allclose(levels, camera.reference, atol=1e-9)
    error = frames[-1] - levels
    assert np.all(error < camera.on)
    assert np.all(error > -camera.off)


def test_refractory_pixels_catch_up() -> None:
    camera = EventCamera(replace(SMALL, refractory=2e-3))
    frames = np.zeros((2, SMALL.height, SMALL.width), np.float32)
    frames[1] = 3.0  # 15 thresholds at once
    camera.reset(frames[0], 0)
    camera.feed(frames[1], 4000)
    assert camera.collect().size <= 3 * SMALL.width * SMALL.height
    for k in range(2, 12):
        camera.feed(frames[1], 4000 * k)
    assert np.all(np.abs(frames[1] - camera.reference) < np.maximum(camera.on, camera.off))


def test_a_ramp_fires_at_even_times() -> None:
    frames = np.zeros((2, SMALL.height, SMALL.width), np.float32)
    frames[1, 1, 2] = 1.0  # one log unit in 4 ms: a threshold of 0.2 every 800 µs
    frames[1, 3, 0] = -0.5
    packet = watch(EventCamera(EXACT), frames, np.array([1000, 5000]))
    rising = packet.take(np.flatnonzero(packet.p == 1))
    np.testing.assert_allclose(rising.t, 1000 + 800 * np.arange(1, 6), atol=1)
    assert set(zip(rising.x.tolist(), rising.y.tolist(), strict=True)) == {(2, 1)}
    falling = packet.take(np.flatnonzero(packet.p == 0))
    np.testing.assert_allclose(falling.t, 1000 + 1600 * np.arange(1, 3), atol=1)
    assert set(zip(falling.x.tolist(), falling.y.tolist(), strict=True)) == {(0, 3)}


def test_counts_of_a_long_ramp_are_exact() -> None:
    """Float32 steps add up to multiples of the threshold only nearly; none may be lost to that."""
    spec = replace(EXACT, refractory=0.0)
    frames = np.zeros((401, SMALL.height, SMALL.width), np.float32)
    frames += (0.05 * np.arange(401, dtype=np.float32))[:, None, None]
    packet = watch(EventCamera(spec), frames, 4000 * np.arange(401))
    assert packet.size == 100 * SMALL.width * SMALL.height
    assert spec.threshold > 1e3 * TIE


def test_a_still_scene_is_silent() -> None:
    frame = np.random.default_rng(0).normal(size=(SMALL.height, SMALL.width)).astype(np.float32)
    assert watch(EventCamera(SMALL), np.repeat(frame[None], 9, axis=0), 4000 * np.arange(9)).size == 0


def test_buffers_grow_and_lose_nothing() -> None:
    spec = CameraSpec(width=64, height=64, mismatch=0.0, refractory=0.0)
    camera = EventCamera(spec)
    frames = np.zeros((4, 64, 64), np.float32)
    frames[1], frames[2], frames[3] = 4.05, -4.05, 0.05
    packet = watch(camera, frames, 4000 * np.arange(4))
    assert packet.size == 64 * 64 * (20 + 40 + 20)
    assert camera.collect().size == 0


def test_mismatch_belongs_to_the_camera() -> None:
    spec = CameraSpec(mismatch=0.03)
    on, off = spec.thresholds()
    assert on.mean() == pytest.approx(0.2, abs=0.002)
    assert off.std() == pytest.approx(0.03, abs=0.002)
    assert abs(np.corrcoef(on.ravel(), off.ravel())[0, 1]) < 0.06
    np.testing.assert_array_equal(spec.thresholds()[0], on)
    assert not np.array_equal(replace(spec, mismatch_seed=1).thresholds()[0], on)


def noise(spec: CameraSpec, level: float = 0.0, frames: int = 500) -> tuple[EventCamera, EventPacket]:
    """Events of a still scene of one brightness, 4 ms a frame."""
    camera, still = EventCamera(spec), np.full((spec.height, spec.width), level, np.float32)
    camera.reset(still, 0, np.random.default_rng(1))
    for k in range(1, frames + 1):
        camera.feed(still, 4000 * k)
    return camera, camera.collect().validate(spec.width, spec.height)


@pytest.mark.parametrize(("level", "share"), [(0.0, 0.25), (-9.2, 1.0 - 0.75 * 20 / 275)])
def test_shot_noise_is_of_both_polarities_and_strongest_in_the_dark(level: float, share: float) -> None:
    spec = CameraSpec(width=64, height=64, shot_rate=5.0, mismatch=0.0)
    _, packet = noise(spec, level)
    assert packet.size / (64 * 64 * 2.0) == pytest.approx(5.0 * share, rel=0.05)
    assert np.mean(packet.p) == pytest.approx(0.5, abs=0.02)


def test_shot_noise_is_stronger_where_the_threshold_is_low() -> None:
    spec = CameraSpec(width=64, height=64, shot_rate=50.0, mismatch=0.05)
    camera, packet = noise(spec)
    off, on = packet.counts(64, 64)
    for counts, thresholds in ((on, camera.on), (off, camera.off)):
        low, high = (counts[thresholds < 0.15].mean(), counts[thresholds > 0.25].mean())
        assert low / high == pytest.approx(
            (1 / thresholds[thresholds < 0.15]).mean() / (1 / thresholds[thresholds > 0.25]).mean(), rel=0.1
        )


def test_leak_makes_on_events_at_its_rate() -> None:
    spec = CameraSpec(width=64, height=64, leak_rate=2.0, leak_jitter=0.1, rate_spread=0.1)
    _, packet = noise(spec, frames=1000)
    assert np.all(packet.p == 1)
    # The first event of a pixel comes after a whole interval, so that 4 s have 7.5 on average and not 8;
    # rates are log-normal with a mean of exp(0.23**2 / 2).
    assert packet.size / (64 * 64) == pytest.approx(2.0 * 4.0 * 1.027 - 0.5, rel=0.03)
    counts = packet.counts(64, 64)[1]
    assert counts.std() / counts.mean() == pytest.approx(0.23, abs=0.05)


def test_hot_pixels_fire_and_others_do_not() -> None:
    spec = CameraSpec(width=64, height=64, hot_pixels=0.005, hot_rate=100.0)
    _, packet = noise(spec)
    counts = packet.counts(64, 64).sum(axis=0)
    hot = counts > 0
    assert 10 <= np.count_nonzero(hot) <= 32
    assert counts[hot].mean() == pytest.approx(200.0, rel=0.1)
    _, again = noise(spec)
    np.testing.assert_array_equal(again.t, packet.t)


def test_a_dim_pixel_is_slow() -> None:
    """The output after a step of light rises with the time constant of the light (v2e's discrete filter)."""
    spec = replace(EXACT, cutoff=100.0)
    for bright in (0.0, -2.0):
        camera = EventCamera(spec)
        camera.reset(np.full((4, 5), bright - 1.0, np.float32), 0)
        share = (np.exp(bright) + 20 / 255) / (1 + 20 / 255)
        for k in range(1, 9):
            camera.feed(np.full((4, 5), bright, np.float32), 250 * k)
            level = bright - (1.0 - 2 * pi * 100.0 * share * 250e-6) ** k
            assert camera.reference[0, 0] == pytest.approx(level, abs=0.2)
        assert abs(camera._previous[0] - level) < 1e-4
        rest = EventCamera(replace(spec, cutoff=0.0))
        rest.reset(np.full((4, 5), bright - 1.0, np.float32), 0)
        rest.feed(np.full((4, 5), bright, np.float32), 250)
        assert rest.collect().size == 5 * 20


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.floats(-9.0, 6.0))
def test_compiled_exponential(seed: int, shift: float) -> None:
    values = np.random.default_rng(seed).uniform(-12.0, 7.0, 33).astype(np.float32)
    out, bits = np.empty(33, np.float32), np.empty(33, np.int32)
    exponential(values, np.float32(shift), out, bits)
    np.testing.assert_allclose(out, np.exp(values.astype(np.float64) - np.float32(shift)), rtol=1e-5)


def test_lin_log_meets_itself() -> None:
    numbers = np.arange(256.0)
    levels = lin_log(numbers)
    assert levels.dtype == np.float32
    assert np.all(np.diff(levels) > 0)
    assert levels[20] == pytest.approx(np.log(20.0), abs=1e-6)
    assert levels[10] == pytest.approx(0.5 * np.log(20.0), abs=1e-6)


@pytest.mark.parametrize("name", SENSORS)
def test_sensors(name: str) -> None:
    camera = with_sensor(CameraSpec(), name.lower())
    assert camera.sensor == name
    assert (camera.width, camera.projection) == (128, "panorama")
    assert with_sensor(camera, "ideal") == CameraSpec()
    if name != "ideal":
        whole = sensor_camera(name)
        assert whole.threshold == camera.threshold
        steps = -np.diff(np.tan(whole.azimuth_edges)), -np.diff(whole.slope_edges)
        assert steps[0][0] == pytest.approx(steps[1][0])  # square pixels


def test_unknown_sensors_are_refused() -> None:
    with pytest.raises(ValueError, match="DAVIS346"):
        with_sensor(CameraSpec(), "kodak")
    with pytest.raises(ValueError, match="no resolution"):
        sensor_camera("ideal")


def test_adaptive_sampling_adds_images_where_much_changes() -> None:
    """Turning fast, an image each physics step jumps from one place to the next."""
    makes = {}
    for sampling in (0.0, 0.1):
        fine = CameraSpec(width=512, height=16, mismatch=0.0, refractory=0.0, sampling=sampling)
        env = gymnasium.make("tolman/OpenField-v0", camera=fine)
        env.reset(seed=3)
        packets = [env.step(np.array([0.2, 3.0], np.float32))[0]["events"] for _ in range(5)]
        env.close()
        makes[sampling] = EventPacket.concatenate([EventPacket.from_observation(p) for p in packets])
        makes[sampling].validate(512, 16)
    assert makes[0.1].size > 1.01 * makes[0.0].size
    assert makes[0.1].t.max() <= 200_000


def test_bad_frames_are_refused() -> None:
    camera = EventCamera(SMALL)
    with pytest.raises(ValueError, match="shape"):
        camera.reset(np.zeros((3, 3), np.float32))
    camera.reset(np.zeros((4, 5), np.float32), 10)
    with pytest.raises(ValueError, match="ascend"):
        camera.feed(np.zeros((4, 5), np.float32), 10)


@pytest.mark.parametrize("projection", ["panorama", "pinhole"])
def test_pixel_directions(projection: str) -> None:
    spec = CameraSpec(width=10, height=6, projection=projection, fov_azimuth=radians(120))
    assert spec.azimuths.shape == (10,)
    assert spec.elevations.shape == (6,)
    assert np.all(np.diff(spec.azimuths) < 0)  # left is counter-clockwise of right
    assert np.all(np.diff(spec.elevations) < 0)  # the top row looks up
    np.testing.assert_allclose(spec.azimuths, -spec.azimuths[::-1], atol=1e-12)
    np.testing.assert_allclose(replace(spec, yaw=0.3).azimuths, spec.azimuths + 0.3)
    assert np.all((spec.azimuth_edges[:-1] > spec.azimuths) & (spec.azimuths > spec.azimuth_edges[1:]))
    slopes = np.tan(spec.elevations)
    assert np.all((spec.slope_edges[:-1] > slopes) & (slopes > spec.slope_edges[1:]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0}, "width"),
        ({"height": -3}, "height"),
        ({"width": 12.5}, "width"),
        ({"fov_azimuth": 7.0}, "fov_azimuth"),
        ({"fov_azimuth": pi, "projection": "pinhole"}, "fov_azimuth"),
        ({"projection": "fisheye"}, "projection must be one of"),
        ({"elevation_low": 0.6}, "elevations"),
        ({"threshold": 0.0}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"mismatch": 0.5}, "mismatch"),
        ({"refractory": -1e-3}, "refractory"),
        ({"shot_rate": float("inf")}, "shot_rate"),
        ({"mount": 0.0}, "mount"),
        ({"asymmetry": 0.0}, "asymmetry"),
        ({"cutoff": -1.0}, "cutoff"),
        ({"hot_pixels": 1.5}, "hot_pixels"),
        ({"yaw": float("inf")}, "yaw"),
    ],
)
def test_impossible_cameras_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CameraSpec(**change)  # type: ignore[arg-type]


@pytest.mark.parametrize("light", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("cutoff", [0.0, 100.0])
def test_light_that_is_no_number_is_refused_and_does_no_harm(light: float, cutoff: float) -> None:
    camera = EventCamera(replace(SMALL, refractory=0.0, cutoff=cutoff))
    frame = np.zeros((4, 5), np.float32)
    camera.reset(frame)
    frame[1, 2] = light
    with pytest.raises(ValueError, match="finite"):
        camera.feed(frame, 4000)
    for k in range(2, 30):
        camera.feed(np.ones((4, 5), np.float32), 4000 * k)
    assert np.all(np.abs(1.0 - camera.reference) < np.maximum(camera.on, camera.off))


def test_the_leak_is_spread_over_the_time_between_frames() -> None:
    _, packet = noise(CameraSpec(width=64, height=64, leak_rate=5.0, rate_spread=0.1))
    phase = packet.t % 4000
    assert np.std(phase) == pytest.approx(4000 / np.sqrt(12), rel=0.1)
