"""How many events v2e makes of generated videos, for `tests/test_envs_v2e.py`.

    PEER/bin/python benchmarks/oracles/v2e_counts.py V2E tests/data/v2e_counts.json

V2E is a checkout of github.com/SensorsINI/v2e; PEER needs torch and numpy. What its emulator imports besides,
for windows and files, is replaced by empty modules. Frames are floats in 8-bit range (DN), 64 x 64, and the
same here and in the test, which loads this file for `VIDEOS`, `CASES` and `lin_log`.

Where chance takes part, counts are means over `SEEDS`. v2e tests its refractory period at a few times a frame
(emulator.py 793-846: the frame interval over the events of its busiest pixel), so with 5 ms and a frame each
4 ms a pixel waits 8 ms. `fine` cases therefore show it the same linear change in steps of `STEP`, as its
authors advise (829).
"""

from __future__ import annotations

import importlib
import json
import logging
import subprocess
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Frames = NDArray[np.float32]

SIZE = 64  #: pixels, width and height
QUARTERS = 4
SEEDS = (1, 2, 3, 4)
STEP = 62.5e-6  #: s, between the frames of a fine case


@dataclass(frozen=True)
class Video:
    """`kind` of picture that moves at `speed`, seen `rate` times a second."""

    kind: str
    rate: int  #: Hz
    speed: float = 0.0  #: pixels/s, or Hz for a flicker
    contrast: float = 0.0  #: log units, standard deviation over pixels
    seconds: float = 1.0

    @property
    def name(self) -> str:
        """Key of the counts."""
        return f"{self.kind} {self.speed:g} at {self.rate} Hz"

    def frames(self) -> Frames:
        """Return (rate * seconds + 1, SIZE, SIZE) DN, one frame each 1/rate from time 0."""
        times = np.arange(round(self.rate * self.seconds) + 1) / self.rate
        return np.stack([self._at(time) for time in times]).astype(np.float32)

    def _at(self, time: float) -> Doubles:
        rows, columns = np.mgrid[:SIZE, :SIZE]
        if self.kind == "edge":
            edge: Doubles = 30.0 + 170.0 / (1.0 + np.exp(-(columns - 5.0 - self.speed * time + 0.1 * rows)))
            return edge
        if self.kind == "flicker":
            picture = 80.0 * np.exp(self.contrast * shifted(BANDS, 0.0, 0.0))
            patch = slice(SIZE // 4, -SIZE // 4)
            depth = 0.1 + 0.8 * rows[patch, patch] / SIZE  # no two rows with the same swing
            picture[patch, patch] *= 1.0 + depth * np.sin(2.0 * np.pi * self.speed * time)
            return np.clip(picture, 0.0, 255.0)
        spectrum, mean = (PINK, 60.0) if self.kind in ("pan", "still") else (BANDS, 80.0)
        moved = self.speed * time
        picture = shifted(spectrum, 0.8 * moved, 0.6 * moved)[:SIZE, :SIZE]
        return np.clip(mean * np.exp(self.contrast * picture), 0.0, 255.0)


def _spectrum(size: int, seed: int, power: float, low: float, high: float) -> NDArray[np.complex128]:
    """Return the transform of noise, unit variance, with amplitudes f^-power between two frequencies."""
    noise = np.fft.rfft2(np.random.default_rng(seed).standard_normal((size, size)))
    f = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :])
    inside = (f >= low) & (f <= high)
    noise *= np.where(inside, np.where(inside, f, 1.0) ** -power, 0.0)
    result: NDArray[np.complex128] = noise / np.fft.irfft2(noise).std()
    return result


def shifted(spectrum: NDArray[np.complex128], right: float, down: float) -> Doubles:
    """Return the picture moved by parts of a pixel, around the borders."""
    size = spectrum.shape[0]
    phase = np.fft.rfftfreq(size)[None, :] * right + np.fft.fftfreq(size)[:, None] * down
    picture: Doubles = np.fft.irfft2(spectrum * np.exp(-2j * np.pi * phase), s=(size, size))
    return picture


BANDS = _spectrum(SIZE, 1, 0.0, 1 / 20, 1 / 7)  #: texture of waves 7 to 20 pixels long
PINK = _spectrum(2 * SIZE, 2, 1.0, 1 / 128, 0.3)  #: amplitudes as in photographs, 1/f

RATES = (250, 1000)
STILL = Video("still", 250, 0.0, 0.8, 4.0)
VIDEOS: tuple[Video, ...] = (
    *(Video("drift", rate, 30.0, 0.3) for rate in RATES),
    *(Video("drift", rate, 300.0, 0.3) for rate in RATES),
    *(Video("strong drift", rate, 100.0, 0.8) for rate in RATES),
    *(Video("edge", rate, 60.0) for rate in RATES),
    # Not a whole number of periods: exact returns to a level are ties, which v2e decides in single precision.
    *(Video("flicker", rate, 9.7, 0.3) for rate in RATES),
    *(Video("pan", rate, 120.0, 0.8) for rate in RATES),
    STILL,
)


@dataclass(frozen=True)
class Case:
    """Arguments of v2e's emulator (its names and units), and how it is shown the video."""

    parameters: dict[str, float] = field(default_factory=dict)
    fine: bool = False

    @property
    def arguments(self) -> dict[str, float]:
        """All that matter, with everything off that the case does not name."""
        nothing = dict.fromkeys(
            ("sigma_thres", "cutoff_hz", "leak_rate_hz", "refractory_period_s", "shot_noise_rate_hz"), 0.0
        )
        return {"pos_thres": 0.2, "neg_thres": 0.2, **nothing, **self.parameters}

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds over which counts are averaged: one where nothing is drawn."""
        drawn = ("sigma_thres", "leak_rate_hz", "shot_noise_rate_hz")
        return SEEDS if any(self.arguments[name] > 0.0 for name in drawn) else SEEDS[:1]


CASES: dict[str, Case] = {
    "ideal": Case(),
    "mismatch": Case({"sigma_thres": 0.03}),
    "unequal": Case({"pos_thres": 0.15, "neg_thres": 0.3}),
    "refractory 0.5 ms": Case({"refractory_period_s": 0.5e-3}, fine=True),
    "refractory 5 ms": Case({"refractory_period_s": 5e-3}, fine=True),
    "refractory 5 ms, coarse": Case({"refractory_period_s": 5e-3}),
    "cutoff 30 Hz": Case({"cutoff_hz": 30.0}),
    "cutoff 300 Hz": Case({"cutoff_hz": 300.0}),
    "leak 0.1 Hz": Case({"leak_rate_hz": 0.1}),
    "leak 2 Hz": Case({"leak_rate_hz": 2.0}),
    "shot 1 Hz": Case({"shot_noise_rate_hz": 1.0}),
    "shot 5 Hz": Case({"shot_noise_rate_hz": 5.0}),
    "all": Case(
        {
            "pos_thres": 0.2, "neg_thres": 0.25, "sigma_thres": 0.03, "refractory_period_s": 0.5e-3,
            "cutoff_hz": 100.0, "leak_rate_hz": 0.1, "shot_noise_rate_hz": 2.0,
        }
    ),
}  # fmt: skip
#: What a still picture is for: nothing else makes events of it.
STILL_CASES = ("leak 2 Hz", "shot 1 Hz", "shot 5 Hz", "all")


def pairs() -> Iterator[tuple[Video, str]]:
    """Yield every video with the names of the cases it is shown to."""
    for video in VIDEOS:
        for case in CASES:
            if video is not STILL or case in STILL_CASES:
                yield video, case


def lin_log(frames: Frames) -> Frames:
    """Return what the pixels see of DN: the natural logarithm, linear below 20 (emulator_utils.py 18-45)."""
    dn = frames.astype(np.float64)
    light = np.where(dn <= 20.0, dn * np.log(20.0) / 20.0, np.log(np.maximum(dn, 20.0)))
    return np.asarray(np.round(light, 8), np.float32)


def emulator(checkout: Path) -> Any:
    """Return v2e's `EventEmulator` class without what it needs for windows and files."""
    for name in ("cv2", "h5py", "screeninfo", "v2ecore", "v2ecore.v2e_utils", "v2ecore.output"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["screeninfo"].get_monitors = list  # type: ignore[attr-defined]
    sys.modules["v2ecore"].__path__ = [str(checkout / "v2ecore")]
    for name, thing in (
        ("output.ae_text_output", "DVSTextOutput"), ("output.aedat2_output", "AEDat2Output"),
        ("output.aedat4_output", "AEDat4Output"),
    ):  # fmt: skip
        module = sys.modules.setdefault(f"v2ecore.{name}", types.ModuleType(name))
        setattr(module, thing, object)
    for thing in ("checkAddSuffix", "v2e_quit", "video_writer"):
        setattr(sys.modules["v2ecore.v2e_utils"], thing, None)
    logging.disable(logging.WARNING)
    return importlib.import_module("v2ecore.emulator").EventEmulator


def count(emulator_class: Any, case: Case, video: Video, frames: Frames, seed: int) -> NDArray[np.int64]:
    """Return (2, QUARTERS): OFF and ON events in each quarter of the video."""
    log_input = case.fine
    pixel = emulator_class(device="cpu", seed=seed, hdr=log_input, **case.arguments)
    shown = lin_log(frames).astype(np.float64) if log_input else frames
    parts = round(1.0 / (video.rate * STEP)) if case.fine else 1
    counts, last = np.zeros((2, QUARTERS), np.int64), len(frames) - 1
    pixel.generate_events(shown[0], 0.0)
    for k in range(1, len(frames)):
        for part in range(1, parts + 1):
            share = part / parts
            frame = shown[k] if part == parts else (1.0 - share) * shown[k - 1] + share * shown[k]
            events = pixel.generate_events(frame, (k - 1 + share) / video.rate)
            if events is not None:
                on = int(np.sum(events[:, 3] > 0))
                counts[:, (k - 1) * QUARTERS // last] += (len(events) - on, on)
    return counts


def main() -> None:
    """Run all cases and store the counts."""
    checkout, target = Path(sys.argv[1]), Path(sys.argv[2])
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    emulator_class = emulator(checkout)
    commit = (checkout / "COMMIT").read_text().strip() if (checkout / "COMMIT").exists() else ""
    commit = commit or subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()  # fmt: skip
    counts: dict[str, dict[str, Any]] = {}
    seen = ("", np.zeros(0, np.float32))
    for video, name in pairs():
        case = CASES[name]
        if seen[0] != video.name:
            seen = (video.name, video.frames())
        mean = np.mean([count(emulator_class, case, video, seen[1], seed) for seed in case.seeds], axis=0)
        counts.setdefault(video.name, {})[name] = {"off": mean[0].tolist(), "on": mean[1].tolist()}
        print(f"{video.name:26} {name:24} off {mean[0].sum():9.1f} on {mean[1].sum():9.1f}", flush=True)
    result = {"v2e": commit, "torch": torch.__version__, "counts": counts}
    target.write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
