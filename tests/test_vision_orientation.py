"""Orientation channels: moving bars of known orientation."""

from __future__ import annotations

import numpy as np
import pytest
from tolman.agent.vision.denoise import Denoiser, DenoiserConfig
from tolman.agent.vision.orientation import (
    OrientationChannels,
    OrientationConfig,
    drive_reference,
    oriented_filters,
)
from tolman.agent.vision.time_surface import TimeSurfaceConfig, surface_reference
from tolman.envs.camera import CameraSpec
from tolman.envs.event_camera import EventCamera
from tolman.envs.events import EventPacket

SIZE = 32


def moving_bar(angle: float, speed: float, bright: bool, seed: int = 0) -> EventPacket:
    """Events of a bar 3 pixels wide at `angle` (counter-clockwise, as seen), moving across itself, px/s."""
    camera = EventCamera(CameraSpec(SIZE, SIZE, mismatch_seed=seed))
    x, y = np.meshgrid(np.arange(SIZE) - SIZE / 2 + 0.5, SIZE / 2 - 0.5 - np.arange(SIZE))
    across = y * np.cos(angle) - x * np.sin(angle)

    def frame(position: float) -> np.ndarray:
        bar = 1.0 / (1.0 + np.exp(4.0 * (np.abs(across - position) - 1.5)))
        return np.log(0.2 + 0.6 * bar if bright else 0.8 - 0.6 * bar).astype(np.float32)

    steps = round(24 / speed / 0.004)
    for k in range(steps + 1):
        image = frame(-12 + 24 * k / steps)
        if k == 0:
            camera.reset(image)
        else:
            camera.feed(image, 4000 * k)
    return camera.collect()


def tuned(channels: OrientationChannels, packet: EventPacket) -> np.ndarray:
    """Return the number of spikes of each channel (channels,)."""
    return np.bincount(channels.advance(packet).channel, minlength=channels.config.channels)


@pytest.mark.parametrize("channels", [4, 6, 8])
def test_bars_drive_their_own_channel(channels: int) -> None:
    """At all orientations, speeds, both contrasts and with mismatched pixels: >= 95 % are told right."""
    config = OrientationConfig(channels=channels)
    right = []
    for k, angle in enumerate(config.angles):
        for speed in (20.0, 60.0, 200.0):
            for direction in (0.0, np.pi):
                for bright in (True, False):
                    packet = moving_bar(angle + direction, speed, bright, seed=k)
                    counts = tuned(OrientationChannels(config, SIZE, SIZE), packet)
                    assert counts.sum() > 50
                    right.append(counts.argmax() == k)
    assert np.mean(right) >= 0.95


def test_most_spikes_are_of_the_right_channel() -> None:
    config = OrientationConfig()
    shares = []
    for k, angle in enumerate(config.angles):
        counts = tuned(OrientationChannels(config, SIZE, SIZE), moving_bar(angle, 60.0, True))
        shares.append(counts[k] / counts.sum())
    print(np.round(shares, 2))
    assert min(shares) > 0.5  # chance is 1 / 8


def test_noise_is_no_bar() -> None:
    """Random events drive no channel more than the others, and fire less often than a bar."""
    random = np.random.default_rng(0)
    n, config = 4000, OrientationConfig(channels=4)
    packet = EventPacket(
        np.sort(random.integers(0, 1_000_000, n)),
        random.integers(0, SIZE, n).astype(np.int16),
        random.integers(0, SIZE, n).astype(np.int16),
        random.integers(0, 2, n).astype(np.uint8),
    )
    counts = tuned(OrientationChannels(config, SIZE, SIZE), packet)
    bar = moving_bar(0.0, 60.0, True)
    fired = tuned(OrientationChannels(config, SIZE, SIZE), bar).sum() / bar.size
    assert counts.max() < 1.4 * counts.mean() + 10
    assert counts.sum() / n < 0.7 * fired


def test_drive_is_that_of_the_reference() -> None:
    """With a threshold that nothing reaches and no memory, the membrane holds the drive of the last event."""
    config = OrientationConfig(
        channels=5, surface=TimeSurfaceConfig(tau=0.02, radius=3), tau_membrane=1e-9, threshold=1e9
    )
    packet = moving_bar(0.7, 60.0, True)
    packet = packet.take(slice(0, packet.size // 2))
    channels = OrientationChannels(config, SIZE, SIZE)
    assert channels.advance(packet).t.size == 0
    surface = surface_reference(packet, SIZE, SIZE, 0.02, int(packet.t[-1]))
    x, y = int(packet.x[-1]), int(packet.y[-1])
    context = np.pad(surface, ((0, 0), (3, 3), (3, 3)))[:, y : y + 7, x : x + 7]
    expected = np.maximum(drive_reference(context, channels.filters), 0.0)
    np.testing.assert_allclose(channels.arrays()["membrane"][y, x], expected, atol=1e-5)


def test_packets_may_be_cut_anywhere() -> None:
    config, packet = OrientationConfig(), moving_bar(0.4, 100.0, True)
    whole = OrientationChannels(config, SIZE, SIZE).advance(packet)
    channels = OrientationChannels(config, SIZE, SIZE)
    cut = packet.size // 3
    parts = [channels.advance(packet.take(slice(0, cut))), channels.advance(packet.take(slice(cut, None)))]
    for k, array in enumerate(whole):
        np.testing.assert_array_equal(np.concatenate([part[k] for part in parts]), array)
    channels.reset()
    np.testing.assert_array_equal(channels.advance(packet).t, whole.t)
    assert whole.counts(8, SIZE, SIZE).sum() == whole.t.size


def test_filters_and_refusals() -> None:
    filters = oriented_filters(OrientationConfig(channels=4))
    np.testing.assert_allclose(filters.sum(axis=(1, 2)), 0.0, atol=1e-6)
    np.testing.assert_allclose(filters[0], filters[2].T, atol=1e-6)
    np.testing.assert_allclose(filters[1], filters[3][:, ::-1], atol=1e-6)
    assert filters[0][4, 7] > 0.0 > filters[0][1, 4]  # a horizontal bar lies along the row
    assert filters[1][1, 7] > 0.0  # counter-clockwise: up and to the right
    assert Denoiser(DenoiserConfig(), 4, 4).keep(EventPacket.empty()).size == 0
    for arguments, message in (
        ({"channels": 1}, "channels must be >= 2"),
        ({"spread": 0.0}, "spread must be > 0"),
        ({"surface": TimeSurfaceConfig(radius=0)}, "radius >= 1"),
    ):
        with pytest.raises(ValueError, match=message):
            OrientationConfig(**arguments)
