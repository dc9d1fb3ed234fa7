"""How well events of a drive are told from noise events, by camera, speed and noise.

    python benchmarks/denoising.py --json benchmarks/results/denoising.json

A camera drives through the round arena from goal to goal and turns at up to 1.2 rad/s, as the agent does; or
at up to 0.5 rad/s, in wide curves, so that little moves in the image. What the noise-free camera sends is
signal; Poisson events of 1, 5 or 10 Hz a pixel, half of them ON, are noise. F1 is that of keeping signal.
Parameters of both filters are chosen on arenas 100 and 101 (mean F1 at 5 Hz over cameras and drives), one set
for all; the arenas 0 to 4 are for testing. Beside them: keep all; and the background-activity filter.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Protocol

import numpy as np
from drives import CAMERAS, Labelled, path, see, with_noise
from numpy.typing import NDArray
from tolman.agent.vision.denoise import BackgroundActivityFilter, Denoiser, DenoiserConfig
from tolman.analysis.statistics import bootstrap_interval
from tolman.envs.builders import circular_arena
from tolman.envs.events import EventPacket

DRIVES = ((0.1, 1.2), (0.2, 1.2), (0.3, 1.2), (0.1, 0.5), (0.2, 0.5))  #: m/s and rad/s
RATES = (1.0, 5.0, 10.0)  #: Hz a pixel
CHOOSING, TESTING = (100, 101), (0, 1, 2, 3, 4)
SECONDS = {"panorama 128 x 32": 10.0, "pinhole 64 x 64, 60 deg": 10.0, "pinhole 128 x 128, 90 deg": 4.0}

Setting = tuple[str, float, float, float]  # camera, speed, turning, rate
Drives = dict[Setting, list[Labelled]]


class Filter(Protocol):
    """What tells signal from noise, packet by packet."""

    def keep(self, packet: EventPacket) -> NDArray[np.bool_]: ...


Make = Callable[[int, int], Filter]  #: from width and height


def drives(seeds: tuple[int, ...], rates: tuple[float, ...]) -> Drives:
    """Return the labelled packets of each setting, one for each seed."""
    made: Drives = {}
    for (name, spec), (speed, turning), seed in product(CAMERAS.items(), DRIVES, seeds):
        signal = see(circular_arena(seed=seed), spec, path(speed, SECONDS[name], seed, turning))
        for rate in rates:
            noisy = with_noise(signal, spec, SECONDS[name], rate, seed)
            made.setdefault((name, speed, turning, rate), []).append(noisy)
    return made


def scores(kept: NDArray[np.bool_], signal: NDArray[np.bool_]) -> dict[str, float]:
    """Return F1 of keeping signal, the share of signal kept and of noise removed."""
    right = np.count_nonzero(kept & signal)
    return {
        "f1": 2.0 * right / (np.count_nonzero(kept) + np.count_nonzero(signal)),
        "signal_kept": right / np.count_nonzero(signal),
        "noise_removed": np.count_nonzero(~kept & ~signal) / np.count_nonzero(~signal),
    }


def candidates() -> Iterator[DenoiserConfig]:
    """Yield what is tried."""
    for tau, threshold, doubt in product((0.02, 0.03, 0.045), (0.6, 0.7, 0.8), (0.5, 1.0)):
        yield DenoiserConfig(tau=tau, threshold=threshold, doubt=doubt)


def choose(data: Drives) -> tuple[DenoiserConfig, float, list[tuple[str, float]]]:
    """Return the best parameters, the best window of the baseline, and what each candidate reached."""

    def mean(make: Make) -> float:
        found = []
        for (name, *_), packets in data.items():
            spec = CAMERAS[name]
            for item in packets:
                kept = make(spec.width, spec.height).keep(item.packet)
                found.append(scores(kept, item.signal)["f1"])
        return float(np.mean(found))

    tried = [(config, mean(partial(Denoiser, config))) for config in candidates()]
    windows = [
        (window, mean(partial(BackgroundActivityFilter, window)))
        for window in (0.001, 0.002, 0.004, 0.006, 0.010, 0.015)
    ]
    log = [(str(c), f) for c, f in tried] + [(f"background activity {w}", f) for w, f in windows]
    return max(tried, key=lambda pair: pair[1])[0], max(windows, key=lambda pair: pair[1])[0], log


def table(data: Drives, config: DenoiserConfig, window: float) -> list[dict[str, object]]:
    """Return a row of scores for each setting."""
    rows: list[dict[str, object]] = []
    for (name, speed, turning, rate), packets in data.items():
        spec = CAMERAS[name]
        each: dict[str, list[dict[str, float]]] = {"keep all": [], "background activity": [], "denoiser": []}
        for item in packets:
            kept = {
                "keep all": np.ones(item.packet.size, np.bool_),
                "background activity": BackgroundActivityFilter(window, spec.width, spec.height).keep(
                    item.packet
                ),
                "denoiser": Denoiser(config, spec.width, spec.height).keep(item.packet),
            }
            for method, mask in kept.items():
                each[method].append(scores(mask, item.signal))
        signal = sum(np.count_nonzero(item.signal) for item in packets)
        row: dict[str, object] = {
            "camera": name,
            "speed_m_s": speed,
            "turning_rad_s": turning,
            "noise_hz": rate,
            "signal_hz": signal / (len(packets) * SECONDS[name] * spec.width * spec.height),
        }
        for method, found in each.items():
            f1 = np.array([score["f1"] for score in found])
            row[method] = {key: float(np.mean([score[key] for score in found])) for key in found[0]} | {
                "f1_interval": list(bootstrap_interval(f1)[:2]),
                "f1_worst": float(f1.min()),
            }
        rows.append(row)
        means = "  ".join(f"{m} {row[m]['f1']:.3f}" for m in each)  # type: ignore[index]
        print(f"{name}, {speed} m/s, {turning} rad/s, {rate:g} Hz: {means}", flush=True)
    return rows


def speed(config: DenoiserConfig, data: Drives) -> float:
    """Return events per second of the denoiser, compiled before."""
    name, item = next((key[0], value[0]) for key, value in data.items() if "128 x 128" in key[0])
    spec = CAMERAS[name]
    begin = time.perf_counter()
    Denoiser(config, spec.width, spec.height).keep(item.packet)
    return item.packet.size / (time.perf_counter() - begin)


def main() -> None:
    """Choose, test, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    config, window, log = choose(drives(CHOOSING, (5.0,)))
    for line, f1 in log:
        print(f"{f1:.4f} {line}")
    print(f"chosen: {config}, background activity {window} s", flush=True)
    data = drives(TESTING, RATES)
    rows = table(data, config, window)
    result = {
        "command": "python benchmarks/denoising.py --json benchmarks/results/denoising.json",
        "chosen": {name: getattr(config, name) for name in DenoiserConfig.__slots__},
        "background_activity_window_s": window,
        "tried": log,
        "arenas": {"choosing": CHOOSING, "testing": TESTING},
        "events_per_s": speed(config, data),
        "settings": rows,
    }
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
