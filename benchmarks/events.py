"""Speed of the event camera against v2e and ESIM, and its counts against an exact simulation.

    python benchmarks/events.py [--peers PYTHON ...] [--v2e CHECKOUT] [--esim FOLDER] [--runs 5] [--json FILE]

A texture drifts at 20 or 100 pixels/s (8 or 38 events/s a pixel) before 128 x 128 and 346 x 260 pixels, 250
frames/s. `plain` has thresholds and nothing else, `noise` all that v2e has: mismatch, refractory period,
bandwidth, leak and shot noise. Times are processor times of a frame, which other programs on the machine
change little, without rendering or decoding: medians of `--runs` runs in which ours and the peer take turns,
one thread each. v2e is given digital numbers and maps them to log units itself, so ours does there, too; ESIM
is given our log units. `peers/README.md` says how to install both.

`exact` counts with a simulation in double precision, pixel states as arrays and time continuous.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tolman.envs.camera import CameraSpec
from tolman.envs.event_camera import EventCamera
from tolman.envs.photoreceptor import lin_log

HERE = Path(__file__).parent
Doubles = NDArray[np.float64]
Frames = NDArray[np.float32]
Peer = tuple[str, str, tuple[str, ...]]  #: Python, script, first arguments

SIZES = ((128, 128), (346, 260))  #: width, height
SPEEDS = (20.0, 100.0)  #: pixels/s
RATE, FRAMES = 250, 100  #: Hz, number
WHITE = 255.0
PLAIN = CameraSpec(mismatch=0.0, refractory=0.0, white=WHITE)
NOISE = replace(
    PLAIN, mismatch=0.03, refractory=0.5e-3, cutoff=300.0, leak_rate=0.1, leak_jitter=0.1, rate_spread=0.1,
    shot_rate=1.0,
)  # fmt: skip
CASES = {"plain": PLAIN, "noise": NOISE}


def video(width: int, height: int, speed: float, frames: int = FRAMES) -> Frames:
    """Return (frames + 1, height, width) digital numbers: waves 7 to 20 pixels long that drift."""
    noise = np.fft.rfft2(np.random.default_rng(3).standard_normal((height, width)))
    across = np.fft.rfftfreq(width)[None, :]
    f = np.hypot(np.fft.fftfreq(height)[:, None], across)
    noise[(f < 1 / 20) | (f > 1 / 7)] = 0.0
    noise *= 0.3 / np.fft.irfft2(noise, s=(height, width)).std()
    result = np.empty((frames + 1, height, width), np.float32)
    for k in range(frames + 1):
        moved = noise * np.exp(-2j * np.pi * across * speed * k / RATE)
        result[k] = np.clip(80.0 * np.exp(np.fft.irfft2(moved, s=(height, width))), 0.0, WHITE)
    return result


def instants(frames: Frames) -> NDArray[np.int64]:
    """Return the time of each frame, µs."""
    return np.arange(len(frames)) * (1_000_000 // RATE)


def watch(spec: CameraSpec, frames: Frames, digital: bool) -> tuple[float, int]:
    """Return s a frame and the number of events of our camera.

    `digital` frames are digital numbers, which are mapped to log units within the time.
    """
    camera, times = EventCamera(spec), instants(frames)
    camera.reset(lin_log(frames[0]) if digital else frames[0], 0, np.random.default_rng(0))
    events, began = 0, time.process_time()
    for frame, instant in zip(frames[1:], times[1:].tolist(), strict=True):
        camera.feed(lin_log(frame) if digital else frame, instant)
        events += camera.collect().size
    return (time.process_time() - began) / (len(frames) - 1), events


def installed(pythons: Sequence[str], v2e: str | None, esim: str | None) -> list[Peer]:
    """Return the peers that one of `pythons` can run, with the checkout of v2e and the folder of ESIM."""
    found: list[Peer] = []
    for script, module, folder in (("v2e_events.py", "torch", v2e), ("esim_events.py", "esim_memory", esim)):
        for python in pythons:
            search = f"sys.path.insert(0, {folder!r})"
            command = f"import importlib.util as u, sys; {search}; sys.exit(u.find_spec({module!r}) is None)"
            if folder and subprocess.run([python, "-c", command], capture_output=True).returncode == 0:
                found.append((python, script, (folder,)))
                break
    return found


def measure(
    runs: int, peers: Sequence[Peer], sizes: Sequence[tuple[int, int]] = SIZES
) -> list[dict[str, Any]]:
    """Time every size, speed and case in turn here and in each peer; return one record for each.

    Times are processor seconds a frame; `ratio` says how many times as fast ours is. ESIM knows no noise.
    """
    records: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for (width, height), speed in product(sizes, SPEEDS):
            digital = video(width, height, speed)
            log = lin_log(digital)
            path = Path(folder) / f"{width}.npz"
            np.savez(path, digital=digital, log=log, times=1e-6 * instants(digital))
            for case, general in CASES.items():
                spec = replace(general, width=width, height=height)
                for python, script, arguments in peers or [("", "", ())]:
                    esim = script == "esim_events.py"
                    if esim and case == "noise":
                        continue
                    shown = log if esim else digital
                    watch(spec, shown[:4], not esim)  # compiles
                    ours, theirs = [], []
                    for _ in range(runs):
                        ours.append(watch(spec, shown, not esim))
                        if script:
                            program = str(HERE / "peers" / script)
                            theirs.append(_run_peer([python, program, *arguments, str(path), case]))
                    records.append(_record(f"{width} x {height}, {speed:g} px/s, {case}", ours, theirs))
                    _print(records[-1])
    return records


def _run_peer(command: list[str]) -> dict[str, Any]:
    environment = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return report


def _record(name: str, ours: list[tuple[float, int]], theirs: list[dict[str, Any]]) -> dict[str, Any]:
    times = [seconds for seconds, _ in ours]
    record: dict[str, Any] = {
        "name": name, "ours_s": statistics.median(times), "ours_events": ours[0][1], "peer": None,
        "peer_s": None, "peer_events": None, "ratio": None, "runs": {"ours": times, "peer": []},
    }  # fmt: skip
    if theirs:
        slow = [report["frame_s"] for report in theirs]
        record |= {
            "peer": theirs[0]["peer"], "peer_s": statistics.median(slow), "peer_events": theirs[0]["events"],
            "ratio": statistics.median(slow) / record["ours_s"], "runs": {"ours": times, "peer": slow},
        }  # fmt: skip
    return record


def _print(record: dict[str, Any]) -> None:
    against = ""
    if record["peer"] is not None:
        against = (
            f"  {record['peer']} {1e6 * record['peer_s']:8.1f} us, {record['peer_events']} events,"
            f" {record['ratio']:6.1f} x"
        )
    print(
        f"{record['name']:28} {1e6 * record['ours_s']:7.1f} us, {record['ours_events']} events{against}",
        flush=True,
    )


@dataclass
class Exact:
    """Event pixels in double precision: arrays of states, continuous time, a pass for each event of a pixel.

    The same model as the camera's: light changes linearly between the samples of the photoreceptor, the leak
    goes on all the time, a crossing within the refractory period waits for its end.
    """

    spec: CameraSpec

    def counts(self, frames: Frames, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return (2, height, width): OFF and ON events of a video in log units."""
        spec = self.spec
        on, off = spec.thresholds()
        seconds: Doubles = 1e-6 * times.astype(np.float64)
        levels = self._levels(frames, seconds)
        memory, free = levels[0].copy(), np.full(on.shape, -np.inf)
        leak = spec.leak_rate * on
        counts = np.zeros((2, *on.shape), np.int64)
        for k in range(1, len(frames)):
            begin, end = float(seconds[k - 1]), float(seconds[k])
            # With the leak the difference to the remembered level is linear in time, too.
            now, start = np.full(on.shape, begin), levels[k - 1] - memory
            slope = (levels[k] - levels[k - 1]) / (end - begin) + leak
            active = np.ones(on.shape, bool)
            while active.any():
                since = np.maximum(now, free)
                difference = start + slope * (since - begin)
                rising, falling = difference >= on, -difference >= off
                with np.errstate(divide="ignore", invalid="ignore"):
                    wait = np.where(slope > 0.0, (on - difference) / slope, (-off - difference) / slope)
                wait = np.where(rising | falling, 0.0, np.where(slope == 0.0, np.inf, wait))
                when = since + wait
                active &= (when <= end) & (since <= end)
                up = active & (rising | (~falling & (slope > 0.0)))
                down = active & ~up
                counts[0] += down
                counts[1] += up
                start += np.where(down, off, 0.0) - np.where(up, on, 0.0)
                now = np.where(active, when, now)
                free = np.where(active, when + spec.refractory, free)
            memory = levels[k] - (start + slope * (end - begin))
        return counts

    def _levels(self, frames: Frames, seconds: Doubles) -> Doubles:
        """Return the photoreceptor's output, a first-order low pass with one step a frame (v2e)."""
        levels = frames.astype(np.float64)
        if self.spec.cutoff > 0.0:
            for k in range(1, len(levels)):
                share = (np.exp(levels[k]) / self.spec.white * 255.0 + 20.0) / 275.0
                step = np.minimum(2.0 * np.pi * self.spec.cutoff * share * (seconds[k] - seconds[k - 1]), 1.0)
                levels[k] = levels[k - 1] + step * (levels[k] - levels[k - 1])
        return levels


def sure_cameras(width: int, height: int) -> dict[str, CameraSpec]:
    """Return cameras in which nothing is left to chance."""
    ideal = replace(PLAIN, width=width, height=height)
    return {
        "ideal": ideal, "mismatch": replace(ideal, mismatch=0.03), "unequal": replace(ideal, asymmetry=1.5),
        "refractory 0.5 ms": replace(ideal, refractory=0.5e-3),
        "refractory 5 ms": replace(ideal, refractory=5e-3), "cutoff 30 Hz": replace(ideal, cutoff=30.0),
        "leak 10 Hz": replace(ideal, leak_rate=10.0),
        "all": replace(ideal, mismatch=0.03, refractory=0.5e-3, cutoff=30.0, leak_rate=0.1),
    }  # fmt: skip


def exactness(width: int = 128, height: int = 128) -> list[dict[str, Any]]:
    """Compare our counts with the exact ones, for what needs no chance; return one record for each camera."""
    frames = lin_log(video(width, height, 300.0))
    records = []
    for name, spec in sure_cameras(width, height).items():
        _, ours = watch(spec, frames, False)
        exact = int(Exact(spec).counts(frames, instants(frames)).sum())
        difference = ours / exact - 1.0
        records.append({"name": name, "ours": ours, "exact": exact, "difference": difference})
        print(f"exact {name:18} {ours:8} of {exact:8} events, {100 * difference:+.4f} %", flush=True)
    return records


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--peers", nargs="*", default=[], help="Pythons that have torch, or that ESIM was built for"
    )
    parser.add_argument("--v2e", help="checkout of v2e")
    parser.add_argument("--esim", help="folder of esim_memory")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    pythons = [*options.peers, *map(str, sorted(HERE.parent.glob(".peers/*/bin/python")))]
    peers = installed(pythons, options.v2e, options.esim)
    if not peers:
        print("no other simulator found: times of this one alone (see benchmarks/peers/README.md)")
    result = {"exact": exactness(), "speed": measure(options.runs, peers)}
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
