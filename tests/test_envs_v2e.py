"""The event camera makes as many events as v2e's emulator (`benchmarks/oracles/v2e_counts.py`)."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scripts import load
from tolman.envs.camera import CameraSpec
from tolman.envs.event_camera import EventCamera
from tolman.envs.photoreceptor import lin_log

ROOT = Path(__file__).parent
#: Relative difference that is allowed, less where nothing is drawn; the count from which on it is asked for.
TOLERANCE, SURE, FEW = 0.05, 0.01, 500


ORACLE = load("oracles/v2e_counts")
STORED = json.loads((ROOT / "data" / "v2e_counts.json").read_text())["counts"]
PAIRS = list(ORACLE.pairs())
VIDEOS = {video.name: video for video, _ in PAIRS}


@lru_cache(maxsize=2)
def _frames(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the log intensities of a video and its shares of full light, (n, 64, 64)."""
    frames = VIDEOS[name].frames()
    return lin_log(frames), frames / np.float32(255.0)


def _spec(case: Any, seed: int) -> CameraSpec:
    """Return the camera that is told what v2e is told."""
    told = case.arguments
    return CameraSpec(
        width=ORACLE.SIZE,
        height=ORACLE.SIZE,
        threshold=told["pos_thres"],
        asymmetry=told["neg_thres"] / told["pos_thres"],
        mismatch=told["sigma_thres"],
        refractory=told["refractory_period_s"],
        cutoff=told["cutoff_hz"],
        white=255.0,
        leak_rate=told["leak_rate_hz"],
        leak_jitter=0.1,  # the emulator's defaults
        rate_spread=0.1,
        shot_rate=told["shot_noise_rate_hz"],
        mismatch_seed=seed,
    )


def _count(video: Any, case: Any, seed: int) -> NDArray[np.int64]:
    """Return (2, quarters): OFF and ON events of our camera."""
    frames, light = _frames(video.name)
    camera = EventCamera(_spec(case, seed))
    camera.reset(frames[0], 0, np.random.default_rng(seed))
    counts, last = np.zeros((2, ORACLE.QUARTERS), np.int64), len(frames) - 1
    for k in range(1, len(frames)):
        camera.feed(frames[k], round(1e6 * k / video.rate), light[k])
        quarter = (k - 1) * ORACLE.QUARTERS // last
        if k * ORACLE.QUARTERS // last > quarter:  # the next frame is of another quarter
            polarity = camera.collect().p
            on = np.count_nonzero(polarity)
            counts[:, quarter] = polarity.size - on, on
    return counts


def _compared(video: Any, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return our mean counts and v2e's, (3, quarters + 1): OFF, ON and both; in each quarter and in all."""
    case = ORACLE.CASES[name]
    # Ours is drawn more often than the stored counts, whose own chance is then what is left.
    seeds = range(3 * len(case.seeds)) if len(case.seeds) > 1 else case.seeds
    ours = np.mean([_count(video, case, seed) for seed in seeds], axis=0)
    theirs = np.array([STORED[video.name][name][key] for key in ("off", "on")])
    both = [np.vstack([counts, counts.sum(axis=0)]) for counts in (ours, theirs)]
    first, second = (np.column_stack([counts, counts.sum(axis=1)]) for counts in both)
    return first, second


@pytest.mark.parametrize(
    ("video", "name"),
    [pytest.param(video, name, id=f"{video.name}, {name}") for video, name in PAIRS if "coarse" not in name],
)
def test_counts_are_those_of_v2e(video: Any, name: str) -> None:
    ours, theirs = _compared(video, name)
    seeds = ORACLE.CASES[name].seeds
    allowed = (TOLERANCE if len(seeds) > 1 else SURE) * np.maximum(theirs, FEW)
    if len(seeds) > 1:  # the means of few seeds: three standard deviations of the difference of two counts
        allowed += 3.0 * np.sqrt(2.0 * theirs / len(seeds))
    assert np.all(np.abs(ours - theirs) <= allowed), f"{ours} ours, {theirs} theirs"
