"""Replay of the places of a track by links alone: order, speed, directions, shuffled links, a goal.

    python benchmarks/replay.py --seeds 3 --json benchmarks/results/replay.json

After `--seconds` s of laps every place near one end starts an event forward and every place near the other
end one in reverse (the course is always towards the far end). Order: Spearman's correlation of time and the
fields' true centres along the course. Speed: slope of a line
through the first spike of every place (m/s) over the lived 0.3 m/s.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from lived import Drive, Life, record
from numpy.typing import NDArray
from scipy.stats import spearmanr
from tolman.memory.config import MemoryConfig

Doubles = NDArray[np.float64]
LIVED = 0.3  #: m/s


def centres(drive: Drive, life: Life) -> Doubles:
    """Return the true mean position (used, 2) at which each cell fired; nan for those that did not."""
    period, cells = life.spikes[:, 0] // 40, life.spikes[:, 1]
    out = np.full((life.memory.place.used, 2), np.nan)
    for cell in np.unique(cells):
        out[cell] = drive.pose[period[cells == cell], :2].mean(axis=0)
    return out


def score(spikes: NDArray[np.int32], along: Doubles) -> dict[str, float]:
    """Score an event against where fields lie `along` (used,) the way it should run."""
    first = {int(c): int(t) for t, c in spikes[::-1]}
    ahead = along[spikes[:, 1]]
    if len(first) < 3 or np.ptp(ahead) == 0.0:
        return {"places": len(first), "order": 0.0, "speed_up": 0.0, "ms": 0.0}
    order = float(spearmanr(list(first.values()), along[list(first)]).statistic)
    slope = float(np.polyfit([t * 1e-3 for t in first.values()], along[list(first)], 1)[0])
    return {
        "places": len(first), "order": order, "speed_up": slope / LIVED, "ms": float(np.ptp(spikes[:, 0])),
    }  # fmt: skip


def events(drive: Drive, life: Life, rng: np.random.Generator, shuffled: bool) -> list[dict[str, object]]:
    """Run events in both directions for courses both ways."""
    memory, where = life.memory, centres(drive, life)[:, 0]
    links, used = memory.place.links, memory.place.used
    kept = links.forward.copy(), links.near.copy()
    if shuffled:
        to = rng.permutation(used)
        links.forward[:used, :used] = links.forward[:used, to]
        links.near[:used, :used] = links.near[:used, to]
    out: list[dict[str, object]] = []
    for way in (1.0, -1.0):
        # The frame of the map is that of the start pose.
        course = float((0.0 if way > 0 else np.pi) - drive.pose[0, 2])
        for direction, sign in (("forward", 1.0), ("reverse", -1.0)):
            along = sign * way * where
            for start in np.flatnonzero(along < np.nanquantile(along, 0.2)):
                spikes = memory.recollection.replay(int(start), direction, course=course)  # type: ignore[arg-type]
                out.append({"kind": direction, **score(spikes, along)})
        along = way * where
        goal = int(np.nanargmax(along))
        for start in np.flatnonzero(along < np.nanquantile(along, 0.2)):
            spikes = memory.recollection.replay(int(start), to=goal)
            out.append(
                {"kind": "to goal", "arrived": bool((spikes[:, 1] == goal).any()), **score(spikes, along)}
            )
    links.forward[:], links.near[:] = kept
    return out


def summary(runs: list[dict[str, object]], rng: np.random.Generator) -> dict[str, object]:
    """Return means with bootstrap intervals of 95 %."""
    out: dict[str, object] = {"events": len(runs)}
    for name in ("places", "order", "speed_up", "ms"):
        values = np.array([float(run[name]) for run in runs])  # type: ignore[arg-type]
        draws = rng.choice(values, (2000, len(values))).mean(axis=1)
        out[name] = [round(float(v), 2) for v in (values.mean(), *np.quantile(draws, [0.025, 0.975]))]
    good = [run for run in runs if run["places"] >= 5 and run["order"] >= 0.9]  # type: ignore[operator]
    out["five_in_order"] = round(len(good) / len(runs), 2)
    if "arrived" in runs[0]:
        out["arrived"] = round(float(np.mean([bool(run["arrived"]) for run in runs])), 2)
    return out


def main() -> None:
    """Run, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--seconds", type=float, default=240.0, metavar="S")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    runs: dict[str, list[dict[str, object]]] = {}
    rng = np.random.default_rng(0)
    for seed in range(1, 1 + arguments.seeds):  # drive 0 was used to choose parameters
        drive = record("LinearTrack", arguments.seconds, seed)
        life = drive.live(MemoryConfig(), seed)
        for shuffled in (False, True):
            for event in events(drive, life, rng, shuffled):
                runs.setdefault(f"{event['kind']}{', links shuffled' if shuffled else ''}", []).append(event)
    result = {name: summary(of, rng) for name, of in runs.items()}
    for name, of in result.items():
        print(name, json.dumps(of))
    if arguments.json is not None:
        command = "python benchmarks/replay.py --seeds 3 --json benchmarks/results/replay.json"
        arguments.json.write_text(json.dumps({"command": command, "results": result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
