"""Phase precession and theta sequences of the agent's place cells, with the links between places and without.

    python benchmarks/theta.py --seeds 3 --json benchmarks/results/theta.json

On the linear track a script drives back and forth and the memory lives on the robot's own sensors. After
`WARM` s, every traversal of a field counts for itself: the circular-linear correlation of phase and position
(Kempter et al. 2012) over its spikes. Pooled: all traversals of a field at once, median over fields.
Sequences: a Bayesian decoder trained on the same laps reads a position from each sixth of a cycle; reported
is the slope of decoded less true position along the course, over the part of the cycle in which cells fire.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from lived import Drive, Life, record
from numpy.typing import NDArray
from tolman.analysis.decoding import directions
from tolman.analysis.precession import crossings, fields_of
from tolman.analysis.precession import precession as score_crossings
from tolman.analysis.rate_maps import rate_maps
from tolman.analysis.recording import Recording, bins_over, counts_in, seconds_in
from tolman.memory.config import MemoryConfig
from tolman.memory.place import PlaceConfig
from tolman.memory.theta import ThetaConfig

Doubles = NDArray[np.float64]
WARM = 100.0  #: s of laps before anything is counted
BIN = 0.03  #: m


def phase_position(x: Doubles, phase: Doubles, most: float) -> tuple[float, float]:
    """Return correlation and slope, cycles per unit of `x`, searched in +-`most` (Kempter et al. 2012)."""
    slopes = np.linspace(-most, most, 401)
    fit = np.abs(np.exp(2j * np.pi * (phase[None] - slopes[:, None] * x[None])).mean(axis=1))
    slope = float(slopes[int(np.argmax(fit))])
    theta, phi = 2.0 * np.pi * abs(slope) * x, 2.0 * np.pi * phase
    a = np.sin(phi - np.angle(np.exp(1j * phi).mean()))
    b = np.sin(theta - np.angle(np.exp(1j * theta).mean()))
    below = np.sqrt((a * a).sum() * (b * b).sum())
    return (float((a * b).sum() / below) if below > 0.0 else 0.0), slope


def runs_of(drive: Drive, first: int) -> list[tuple[int, int, int]]:
    """Return (from, to, direction) of periods in which the robot runs straight along the track."""
    along = np.where(drive.motion[:, 0] > 0.15, np.sign(np.cos(drive.pose[:, 2])), 0.0)
    along[np.abs(np.cos(drive.pose[:, 2])) < 0.95] = 0.0
    along[:first] = 0.0
    edges = np.flatnonzero(np.diff(along, prepend=0.0, append=0.0))
    return [(int(a), int(b), int(along[a])) for a, b in pairwise(edges) if along[a] and b - a > 40]


def precession(drive: Drive, life: Life) -> dict[str, float]:
    """Score phase precession over the traversals of all fields."""
    ms, cells = life.spikes[:, 0], life.spikes[:, 1]
    x_at = np.interp(ms / 40.0, np.arange(len(drive.pose)) + 1.0, drive.pose[:, 0])
    phase, first = life.phases(), round(WARM / 0.04)
    edges = np.arange(-0.85, 0.86, BIN)
    single, pooled, slopes, ranges, sizes = [], [], [], [], []
    for way in (-1, 1):
        runs = [(a, b) for a, b, d in runs_of(drive, first) if d == way]
        inside = np.zeros(len(ms), np.int64) - 1
        for n, (a, b) in enumerate(runs):
            inside[(ms >= a * 40) & (ms < b * 40)] = n
        lived = np.histogram(np.concatenate([drive.pose[a:b, 0] for a, b in runs]), edges)[0] * 0.04
        for cell in np.unique(cells[inside >= 0]):
            mine = (cells == cell) & (inside >= 0)
            rate = np.histogram(x_at[mine], edges)[0] / np.maximum(lived, 0.04)
            top = int(np.argmax(rate))
            if rate[top] < 3.0:
                continue
            low = high = top
            while low > 0 and rate[low - 1] > 0.15 * rate[top]:
                low -= 1
            while high < len(rate) - 1 and rate[high + 1] > 0.15 * rate[top]:
                high += 1
            if low == 0 or high == len(rate) - 1:
                continue  # cut off by the end of the track
            size = edges[high + 1] - edges[low]
            field = mine & (x_at >= edges[low]) & (x_at < edges[high + 1])
            through = way * (x_at - edges[low]) / size + (1.0 if way < 0 else 0.0)
            enough = []
            for n in range(len(runs)):
                part = field & (inside == n)
                if part.sum() < 6 or len(np.unique(ms[part] // 120)) < 4:
                    continue
                r, slope = phase_position(through[part], phase[part], 1.5)
                single.append(r)
                slopes.append(slope)
                enough.append(part)
            if len(enough) >= 5:
                everything = np.any(enough, axis=0)
                pooled.append(phase_position(through[everything], phase[everything], 1.5)[0])
                ranges.append(np.ptp(np.quantile(phase[everything], [0.05, 0.95])))
                sizes.append(size)
    return {
        "traversals": len(single), "fields": len(pooled),
        "single": float(np.median(single)) if single else 0.0,
        "pooled": float(np.median(pooled)) if pooled else 0.0,
        "slope": float(np.median(slopes)) if slopes else 0.0,
        "phase_range": float(np.median(ranges)) if ranges else 0.0,
        "field_m": float(np.median(sizes)) if sizes else 0.0,
    }  # fmt: skip


def by_analyze(drive: Drive, life: Life) -> dict[str, float | int | None]:
    """Score the same laps as `tolman analyze` does."""
    ms, cell = life.spikes[:, 0], life.spikes[:, 1].astype(np.int64)
    n = len(drive.pose)
    t = 0.04 * np.arange(n)
    straight = (drive.motion[:, 0] > 0.15) & (np.abs(np.cos(drive.pose[:, 2])) > 0.95) & (t > WARM)
    recording = Recording(
        t, drive.pose[:, :1], np.full(n, 0.04), straight, np.zeros(n, np.int64), None,
        1e-3 * ms, cell, (ms // 40).astype(np.int64), life.memory.place.size,
    )  # fmt: skip
    bins, found = bins_over(recording, BIN), []
    for way in directions(recording):
        part = recording.among(way)
        rate = rate_maps(counts_in(part, bins), seconds_in(part, bins), bins, BIN, 0.25)
        strong = np.nan_to_num(rate).reshape(len(rate), -1).max(axis=1) > 1.0
        fields = fields_of(rate) & strong[:, None, None]
        found += crossings(part, bins, fields, life.phases() + ms // 120)
    return score_crossings(found).summary()


def sweep(drive: Drive, life: Life, parts: int = 6) -> dict[str, object]:
    """Score how the decoded place moves within a cycle, m ahead of the true place along the course."""
    ms, cells = life.spikes[:, 0], life.spikes[:, 1]
    edges = np.arange(-0.85, 0.86, BIN)
    middle = 0.5 * (edges[1:] + edges[:-1])
    phase, first = life.phases(), round(WARM / 0.04)
    period, ahead, inside = ms // 40, [[] for _ in range(parts)], []
    slopes = []
    for way in (-1, 1):
        runs = [(a, b) for a, b, d in runs_of(drive, first) if d == way]
        keep = np.zeros(len(drive.pose), np.bool_)
        for a, b in runs:
            keep[a:b] = True
        lived = np.histogram(drive.pose[keep, 0], edges)[0] * 0.04 + 0.04
        rates = np.full((life.memory.place.size, len(middle)), 0.05)
        for cell in np.unique(cells):
            mine = (cells == cell) & keep[period]
            rates[cell] += np.histogram(drive.pose[period[mine], 0], edges)[0] / lived
        total = rates.sum(axis=0)
        starts = [
            k for k in range(len(keep) - 2) if keep[k] and keep[k + 2] and life.theta[k - life.first] == 0
        ]
        for k in starts:
            a, b = np.searchsorted(ms, (k * 40, (k + 3) * 40))
            part = np.minimum((phase[a:b] * parts).astype(int), parts - 1)
            found = []
            for p in range(parts):
                fired = cells[a:b][part == p]
                if len(fired) < 3:
                    continue
                score = np.log(rates[fired]).sum(axis=0) - 0.12 / parts * total
                error = way * (middle[int(np.argmax(score))] - drive.pose[k + p * 3 // parts, 0])
                ahead[p].append(error)
                found.append((p / parts, error))
            if len(found) >= 3:
                inside.append(found)
                slopes.append(np.polyfit(*np.array(found).T, 1)[0])
    return {
        "ahead_by_phase": [round(float(np.mean(a)), 3) if len(a) > 20 else None for a in ahead],
        "forward_share": float(np.mean(np.array(slopes) > 0.0)) if slopes else 0.0,
        "m_per_cycle": float(np.median(slopes)) if slopes else 0.0,
        "cycles": len(slopes),
    }


def memory_config(theta: ThetaConfig) -> MemoryConfig:
    """Return the default memory with this theta."""
    return replace(MemoryConfig(), place=replace(PlaceConfig(), theta=theta))


ARMS = {
    "theta": replace(ThetaConfig(), enabled=True),
    "links off": replace(ThetaConfig(), enabled=True, links=0.0),
}


def main() -> None:
    """Run, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--seconds", type=float, default=240.0, metavar="S")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    runs = []
    for seed in range(1, 1 + arguments.seeds):  # drive 0 was used to choose parameters
        begin = time.perf_counter()
        drive = record("LinearTrack", arguments.seconds, seed)
        for name, theta in ARMS.items():
            life = drive.live(memory_config(theta), seed)
            score = {"seed": seed, "arm": name, **precession(drive, life), **sweep(drive, life)}
            score["analyze"] = by_analyze(drive, life)
            error = np.hypot(*(life.beliefs[-1000:, :2] - (drive.pose[-1000:, :2] - drive.pose[0, :2])).T)
            score["place_cells"], score["last_error_m"] = life.memory.place.used, float(np.median(error))
            runs.append(score)
            print(json.dumps(score), flush=True)
        print(f"seed {seed}: {time.perf_counter() - begin:.0f} s", flush=True)
    if arguments.json is not None:
        command = "python benchmarks/theta.py --seeds 3 --json benchmarks/results/theta.json"
        arguments.json.write_text(json.dumps({"command": command, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
