"""What the event camera promises of any video and any pixels: order, times, distances, levels, repetition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tolman.envs.camera import CameraSpec
from tolman.envs.event_camera import TIE, EventCamera
from tolman.envs.events import EventPacket

Video = tuple[NDArray[np.float32], NDArray[np.int64]]
WIDTH, HEIGHT = 6, 5
KINDS = ("walk", "jump", "ramp", "still")


@st.composite
def videos(draw: st.DrawFn) -> Video:
    """Walks, jumps or ramps of log intensity between dark and light, at uneven times."""
    rng, n = np.random.default_rng(draw(st.integers(0, 2**32))), draw(st.integers(2, 14))
    size, kind = draw(st.sampled_from([0.02, 0.3, 3.0])), draw(st.sampled_from(KINDS))
    steps = rng.normal(0.0, size, (n, HEIGHT, WIDTH))
    if kind == "jump":
        steps *= rng.random(steps.shape) < 0.2
    elif kind == "ramp":
        steps[:] = np.round(steps[0], 1)  # multiples of half a threshold: ties
    elif kind == "still":
        steps[1:] = 0.0
    frames = np.clip(np.cumsum(steps, axis=0), -12.0, 6.0).astype(np.float32)
    times = np.cumsum(rng.integers(1, draw(st.sampled_from([3, 400, 9000])), n)).astype(np.int64)
    return frames, times


@st.composite
def specs(draw: st.DrawFn, noise: bool = True) -> CameraSpec:
    """Any pixels; without `noise` those whose events come from light alone."""
    threshold = draw(st.sampled_from([0.05, 0.2, 0.7]))
    spec = CameraSpec(
        width=WIDTH,
        height=HEIGHT,
        threshold=threshold,
        asymmetry=draw(st.sampled_from([0.5, 1.0, 1.7])),
        mismatch=threshold * draw(st.sampled_from([0.0, 0.15, 0.5])),
        mismatch_seed=draw(st.integers(0, 9)),
        refractory=draw(st.sampled_from([0.0, 1e-6, 0.3e-3, 4e-3])),
        cutoff=draw(st.sampled_from([0.0, 3.0, 300.0])),
        white=draw(st.sampled_from([1.0, 255.0])),
    )
    if not noise:
        return spec
    return replace(
        spec,
        leak_rate=draw(st.sampled_from([0.0, 0.1, 300.0])),
        leak_jitter=draw(st.sampled_from([0.0, 0.1])),
        rate_spread=draw(st.sampled_from([0.0, 0.3])),
        shot_rate=draw(st.sampled_from([0.0, 1.0, 2000.0])),
        hot_pixels=draw(st.sampled_from([0.0, 0.3])),
        hot_rate=draw(st.sampled_from([100.0, 3000.0])),
    )


def start(camera: EventCamera, video: Video, seed: int = 0) -> None:
    camera.reset(video[0][0], int(video[1][0]), np.random.default_rng(seed))


def watch(camera: EventCamera, video: Video, seed: int = 0) -> EventPacket:
    start(camera, video, seed)
    for frame, time in zip(video[0][1:], video[1][1:], strict=True):
        camera.feed(frame, int(time))
    return camera.collect()


def same(a: EventPacket, b: EventPacket) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in EventPacket._fields)


def gaps(packet: EventPacket) -> NDArray[np.int64]:
    """Return the time from each event to the next one of its pixel, µs."""
    pixel = packet.y.astype(np.int64) * WIDTH + packet.x
    order = np.argsort(pixel, kind="stable")
    apart: NDArray[np.int64] = np.diff(packet.t[order])[np.diff(pixel[order]) == 0]
    return apart


@settings(deadline=None, max_examples=150)
@given(specs(), videos(), st.integers(0, 2**32))
def test_events_are_in_order_in_range_and_in_time(spec: CameraSpec, video: Video, seed: int) -> None:
    frames, times = video
    camera = EventCamera(spec)
    start(camera, video, seed)
    for k in range(1, len(times)):
        camera.feed(frames[k], int(times[k]))
        packet = camera.collect().validate(WIDTH, HEIGHT)
        assert np.all(np.diff(packet.t) >= 0)
        assert np.all((packet.t > times[k - 1]) & (packet.t <= times[k]))
        assert np.all((packet.x >= 0) & (packet.x < WIDTH) & (packet.y >= 0) & (packet.y < HEIGHT))
        assert np.all(packet.p <= 1)


@settings(deadline=None, max_examples=150)
@given(specs(), videos(), st.integers(0, 2**32))
def test_no_pixel_fires_within_its_refractory_period(spec: CameraSpec, video: Video, seed: int) -> None:
    assert np.all(gaps(watch(EventCamera(spec), video, seed)) >= round(1e6 * spec.refractory))


@settings(deadline=None, max_examples=150)
@given(specs(noise=False), videos())
def test_levels_follow_the_light_within_one_threshold(spec: CameraSpec, video: Video) -> None:
    """A still end is added, in which refractory pixels catch up and slow ones come to rest."""
    frames, times = video
    camera = EventCamera(spec)
    packet = watch(camera, video)
    found = [packet]
    jump = float(np.abs(np.diff(frames, axis=0)).sum(axis=0).max()) + 1.0
    wait = 1e-3 + 2.0 * spec.refractory * jump / min(camera.on.min(), camera.off.min())
    wait += 20.0 * 14.0 / (2.0 * np.pi * spec.cutoff) if spec.cutoff > 0.0 else 0.0
    end = int(times[-1])
    for k in range(1, 1001):
        camera.feed(frames[-1], end + max(1, round(1e3 * wait)) * k)
        found.append(camera.collect())
    off, on = EventPacket.concatenate(found).counts(WIDTH, HEIGHT)
    levels = frames[0] + on * camera.on - off * camera.off
    error = frames[-1] - levels
    rounding = 2.0 * TIE + 1e-6 * np.abs(frames).max()
    np.testing.assert_allclose(levels, camera.reference, atol=1e-9)
    assert np.all(error <= camera.on + rounding)
    assert np.all(-error <= camera.off + rounding)


@settings(deadline=None, max_examples=100)
@given(specs(noise=False), videos())
def test_levels_are_right_at_each_frame_without_refractory_period(spec: CameraSpec, video: Video) -> None:
    frames, times = video
    camera = EventCamera(replace(spec, refractory=0.0, cutoff=0.0))
    start(camera, video)
    for k in range(1, len(times)):
        camera.feed(frames[k], int(times[k]))
        error = frames[k] - camera.reference
        assert np.all((error < camera.on) & (-error < camera.off))


@settings(deadline=None, max_examples=60)
@given(specs(), videos(), st.integers(0, 2**32))
def test_same_seed_same_events(spec: CameraSpec, video: Video, seed: int) -> None:
    camera = EventCamera(spec)
    first = watch(camera, video, seed)
    assert same(watch(camera, video, seed), first)  # a reset leaves nothing behind
    assert same(watch(EventCamera(spec), video, seed), first)


@settings(deadline=None, max_examples=60)
@given(specs(), videos(), st.integers(0, 2**32), st.data())
def test_when_events_are_collected_does_not_matter(
    spec: CameraSpec, video: Video, seed: int, data: st.DataObject
) -> None:
    whole = watch(EventCamera(spec), video, seed)
    camera, parts = EventCamera(spec), []
    start(camera, video, seed)
    for frame, time in zip(video[0][1:], video[1][1:], strict=True):
        camera.feed(frame, int(time))
        if data.draw(st.booleans()):
            parts.append(camera.collect())
    parts.append(camera.collect())
    assert camera.collect().size == 0
    assert same(EventPacket.concatenate(parts), whole)


@settings(deadline=None, max_examples=60)
@given(specs(noise=False), videos())
def test_light_upside_down_swaps_polarities(spec: CameraSpec, video: Video) -> None:
    """With equal thresholds ON and OFF are one mechanism; bandwidth depends on light and is left out."""
    spec = replace(spec, asymmetry=1.0, mismatch=0.0, cutoff=0.0)
    bright, dark = watch(EventCamera(spec), video), watch(EventCamera(spec), (-video[0], video[1]))
    assert same(bright._replace(p=1 - bright.p), dark)


@settings(deadline=None, max_examples=60)
@given(specs(noise=False), st.integers(0, 2**32), st.integers(1, 3))
def test_frames_between_change_no_count(spec: CameraSpec, seed: int, halvings: int) -> None:
    """Light is linear between frames: to show points of the line as well changes nothing but rounding."""
    spec, rng = replace(spec, refractory=0.0, cutoff=0.0), np.random.default_rng(seed)
    frames = np.cumsum(rng.normal(0.0, 0.5, (8, HEIGHT, WIDTH)), axis=0)
    coarse = watch(EventCamera(spec), (frames.astype(np.float32), 4096 * np.arange(8)))
    for _ in range(halvings):
        middle = 0.5 * (frames[:-1] + frames[1:])
        frames = np.insert(frames, np.arange(1, len(frames)), middle, axis=0)
    times = 7 * 4096 // (len(frames) - 1) * np.arange(len(frames))
    fine = watch(EventCamera(spec), (frames.astype(np.float32), times))
    changed = np.any(coarse.counts(WIDTH, HEIGHT) != fine.counts(WIDTH, HEIGHT), axis=0)
    assert np.count_nonzero(changed) <= 1  # a peak that meets a threshold to the last digit
