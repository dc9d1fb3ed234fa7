"""The event camera's counts are those of an exact simulation (`benchmarks/events.py`)."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tolman.envs.event_camera import EventCamera
from tolman.envs.photoreceptor import lin_log

SIZE = 64  #: pixels; the texture does not come around to exactly the first frame, which would be all ties


def _benchmark() -> Any:
    path = Path(__file__).parent.parent / "benchmarks" / "events.py"
    specification = importlib.util.spec_from_file_location("events_benchmark", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["events_benchmark"] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


BENCHMARK = _benchmark()
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
