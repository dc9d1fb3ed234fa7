"""The event camera's counts are those of an exact simulation (`benchmarks/events.py`)."""

from __future__ import annotations

import numpy as np
import pytest
from scripts import load
from tolman.envs.event_camera import EventCamera
from tolman.envs.photoreceptor import lin_log

SIZE = 64  #: pixels; the texture does not come around to exactly the first frame, which would be all ties


BENCHMARK = load("events")
CAMERAS = BENCHMARK.sure_cameras(SIZE, SIZE)


@pytest.mark.parametrize("name", list(CAMERAS))
def test_counts_are_exact(name: str) -> None:
    frames = lin_log(BENCHMARK.video(SIZE, SIZE, 300.0))
    times, camera = BENCHMARK.instants(frames), EventCamera(CAMERAS[name])
    camera.reset(frames[0])
    for frame, time in zip(frames[1:], times[1:].tolist(), strict=True):
        camera.feed(frame, time)
    ours = camera.collect().counts(SIZE, SIZE)
    exact = BENCHMARK.Exact(CAMERAS[name]).counts(frames, times)
    assert exact.sum() > 10_000
    for polarity in (0, 1):
        assert ours[polarity].sum() == pytest.approx(exact[polarity].sum(), rel=1e-3)
    assert np.mean(ours != exact) < 0.01  # of the pixels: ties
