"""Images and events to spikes and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tolman.agent.vision.encoding import (
    LogIntensity,
    MultiSpikeCode,
    encode,
    log_intensity_reference,
    reconstruct,
)
from tolman.envs.camera import CameraSpec
from tolman.envs.event_camera import EventCamera
from tolman.envs.events import EventPacket
from tolman.spiking import MultiSpikeTempotron

SPEC = CameraSpec(6, 4, refractory=0.0)

videos = hnp.arrays(
    np.float32,
    st.tuples(st.integers(2, 8), st.just(SPEC.height), st.just(SPEC.width)),
    elements=st.floats(-4.0, 2.0, width=32),
)


def film(video: np.ndarray) -> tuple[EventCamera, list[EventPacket]]:
    """Return a camera and its events between the frames, 4 ms apart."""
    camera = EventCamera(SPEC)
    camera.reset(video[0])
    packets = []
    for k, frame in enumerate(video[1:], 1):
        camera.feed(frame, 4000 * k)
        packets.append(camera.collect())
    return camera, packets


@settings(max_examples=60, deadline=None)
@given(videos)
def test_log_intensity_is_within_one_threshold_of_the_light(video: np.ndarray) -> None:
    camera, packets = film(video)
    seen = LogIntensity(camera.on, camera.off, video[0])
    largest = np.maximum(camera.on, camera.off)
    for frame, packet in zip(video[1:], packets, strict=True):
        seen.update(packet)
        assert np.all(np.abs(seen.image() - frame) <= largest + 1e-5)
    everything = EventPacket.concatenate(packets)
    expected = log_intensity_reference(everything, camera.on, camera.off, video[0].astype(float))
    np.testing.assert_allclose(seen.image(), expected, atol=1e-9)
    np.testing.assert_allclose(seen.image(), camera.reference, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(videos, st.data())
def test_log_intensity_holds_between_frames(video: np.ndarray, data: st.DataObject) -> None:
    """At any microsecond, with the light that is linear between two frames."""
    camera, packets = film(video)
    time = data.draw(st.integers(1, 4000 * (len(video) - 1)))
    seen = LogIntensity(camera.on, camera.off, video[0])
    seen.update(EventPacket.concatenate(packets).between(-1, time))
    k, share = divmod(time / 4000, 1.0)
    before, after = video[int(k)], video[min(int(k) + 1, len(video) - 1)]
    light = before + share * (after.astype(float) - before)
    rounding = np.abs(after.astype(float) - before) / 4000  # an event comes up to a microsecond late
    assert np.all(np.abs(seen.image() - light) <= np.maximum(camera.on, camera.off) + rounding + 1e-5)


def test_log_intensity_forgets_what_is_old() -> None:
    seen = LogIntensity(0.2, 0.3, np.zeros((2, 3)), tau=0.1)
    one = EventPacket(*(np.array([v]).astype(d) for v, d in ((1000, "i8"), (2, "i2"), (1, "i2"), (1, "u1"))))
    seen.update(one)
    seen.update(one._replace(t=one.t + 50_000, p=np.array([0], np.uint8)))
    expected = np.zeros((2, 3))
    expected[1, 2] = (0.2 * np.exp(-0.5) - 0.3) * np.exp(-0.2)
    np.testing.assert_allclose(seen.image(51_000 + 20_000), expected, atol=1e-12)


def test_log_intensity_refuses() -> None:
    for arguments, message in (
        ((0.2, 0.2, np.zeros(3)), "must be .height, width."),
        ((np.ones((2, 2)), 0.2, np.zeros((2, 3))), "thresholds on must have shape"),
        ((0.2, -0.1, np.zeros((2, 3))), "thresholds off must be > 0"),
        ((0.2, 0.2, np.zeros((2, 3)), 0.0), "tau must be > 0"),
    ):
        with pytest.raises(ValueError, match=message):
            LogIntensity(*arguments)


@given(hnp.arrays(np.float64, (3, 5), elements=st.floats(0.0, 1.0)), st.integers(2, 200))
def test_latency_code_of_an_image_and_back(image: np.ndarray, steps: int) -> None:
    spikes = encode(image, steps)
    assert len(spikes) == np.count_nonzero(image)
    error = np.abs(reconstruct(spikes, image.shape, steps) - image)
    assert np.all(error[image >= 0.5 / steps] <= 0.5 / steps + 1e-9)
    assert np.all(error <= 1.0 / steps + 1e-9)


@given(hnp.arrays(np.float64, 12, elements=st.floats(0.0, 1.0)), st.integers(1, 8), st.integers(40, 200))
def test_multispike_code(values: np.ndarray, most: int, steps: int) -> None:
    code = MultiSpikeCode(steps, most)
    spikes = code.encode(values)
    assert np.all(np.diff(spikes[:, 0]) >= 0)
    counts = np.bincount(spikes[:, 1], minlength=12)
    assert np.all(np.abs(counts - most * values) <= 0.5 + 1e-9)
    read = code.decode(spikes, 12)
    assert np.all(read[counts == 0] == 0.0)
    # Half a step of the last spike's time t = T (k - 1/2) / (most v); it may be moved by a whole step at T.
    spoke = counts > 0
    last = steps * (counts[spoke] - 0.5) / (most * values[spoke])
    error = np.abs(read[spoke] - values[spoke]) / values[spoke]
    assert np.all(error <= 1.0 / np.maximum(last - 1.0, 0.5) + 1e-9)


def test_stronger_is_earlier_and_more() -> None:
    spikes = MultiSpikeCode(100, 4).encode([0.1, 0.3, 0.6, 1.0])
    assert np.bincount(spikes[:, 1], minlength=4).tolist() == [0, 1, 2, 4]
    first = [spikes[spikes[:, 1] == k, 0].min() for k in (1, 2, 3)]
    assert first == sorted(first, reverse=True)
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        MultiSpikeCode().encode([1.1])
    with pytest.raises(ValueError, match="most must be <= steps"):
        MultiSpikeCode(3, 4)


def test_a_tempotron_reads_the_code() -> None:
    """Two patterns with the same values at other afferents: one spike for one, three for the other."""
    code, rule = MultiSpikeCode(60, 4), MultiSpikeTempotron(rate=0.01, momentum=0.0)
    values = np.linspace(0.0, 1.0, 20)
    trials = [(code.encode(values), 1), (code.encode(values[::-1]), 3)]
    weights = np.full(20, 0.01)
    for _ in range(2000):
        counts = [rule.train_step(weights, spikes, 100, wanted) for spikes, wanted in trials]
        if counts == [1, 3]:
            break
    assert counts == [1, 3]
