"""Theta in the open field, where links of many courses meet: phase against place, cost, localisation error.

    python benchmarks/theta_field.py --seeds 1 --json benchmarks/results/theta_field.json

Place: distance from the true centre of the cell's field along the running direction. Single: runs of
a cell's spikes with pauses of less than 0.5 s, at least 6 spikes in 4 cycles. `across` is the same with the
distance across the course, where no correlation is expected. Time: of the memory's periods, in turn for each
arm in the same process; the smallest of five blocks.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from lived import Drive, Life, record
from theta import ARMS, memory_config, phase_position
from tolman.launch.frames import into_frame
from tolman.memory.config import MemoryConfig
from tolman.memory.sequence_links import LinkConfig
from tolman.memory.spatial import SpatialMemory
from tolman.memory.theta import ThetaConfig
from tolman.memory.travels import TravelConfig


def precession(drive: Drive, life: Life, warm: float = 200.0) -> dict[str, float]:
    """Score phase against place along and across the course."""
    keep = life.spikes[:, 0] >= warm * 1000
    (ms, cells), phase = life.spikes[keep].T, life.phases()[keep]
    pose = drive.pose[ms // 40]
    ahead = np.stack([np.cos(pose[:, 2]), np.sin(pose[:, 2])], axis=1)
    single: dict[str, list[float]] = {"along": [], "across": []}
    pooled: dict[str, list[float]] = {"along": [], "across": []}
    for cell in np.unique(cells):
        mine = np.flatnonzero(cells == cell)
        if len(mine) < 60:
            continue
        off = pose[mine, :2] - pose[mine, :2].mean(axis=0)
        places = {
            "along": (off * ahead[mine]).sum(axis=1),
            "across": off[:, 0] * ahead[mine, 1] - off[:, 1] * ahead[mine, 0],
        }
        for name, place in places.items():
            pooled[name].append(phase_position(place / 0.4, phase[mine], 1.5)[0])
            for part in np.split(np.arange(len(mine)), np.flatnonzero(np.diff(ms[mine]) > 500) + 1):
                if len(part) >= 6 and len(np.unique(ms[mine[part]] // 120)) >= 4:
                    single[name].append(phase_position(place[part] / 0.4, phase[mine[part]], 1.5)[0])
    return {
        "cells": len(pooled["along"]), "traversals": len(single["along"]),
        **{f"single_{name}": float(np.median(r)) for name, r in single.items()},
        **{f"pooled_{name}": float(np.median(r)) for name, r in pooled.items()},
    }  # fmt: skip


def seconds(drive: Drive, blocks: int = 5, periods: int = 500) -> dict[str, float]:
    """Return the least time of a period, ms, after 200 s of life, of memories with and without the parts."""
    bare = memory_config(ThetaConfig())
    bare = replace(
        bare,
        place=replace(bare.place, links=LinkConfig(enabled=False)),
        travels=TravelConfig(enabled=False),
    )
    arms = {
        "neither": bare,
        "links": memory_config(ThetaConfig()),
        "links and theta": memory_config(ARMS["theta"]),
    }
    lives: dict[str, SpatialMemory] = {n: drive.live(c, 0, slice(0, 5000)).memory for n, c in arms.items()}
    least = dict.fromkeys(arms, np.inf)
    for block in range(blocks):
        at = slice(5000 + block * periods, 5000 + (block + 1) * periods)
        for name, memory in lives.items():
            begin = time.process_time()
            drive.go_on(memory, at)
            least[name] = min(least[name], (time.process_time() - begin) / periods * 1000.0)
    return {name: round(value, 3) for name, value in least.items()}


def main() -> None:
    """Run, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    runs, cost = [], {}
    for seed in range(arguments.seeds):
        drive = record("OpenField", 600.0, seed)
        truth = into_frame(drive.pose[0], drive.pose)[:, :2]
        for name, config in {"off": MemoryConfig(), **{n: memory_config(t) for n, t in ARMS.items()}}.items():
            life = drive.live(config, seed)
            error = np.hypot(*(life.beliefs[:, :2] - truth).T)
            run = {"seed": seed, "arm": name, "spikes_per_s": round(len(life.spikes) / 600.0, 1)}
            runs.append({**run, **precession(drive, life), "error_m": float(np.median(error[5000:]))})
            print(json.dumps(runs[-1]), flush=True)
        cost = seconds(drive)
        print(json.dumps(cost), flush=True)
    if arguments.json is not None:
        command = "python benchmarks/theta_field.py --seeds 1 --json benchmarks/results/theta_field.json"
        result = {"command": command, "runs": runs, "ms_a_period": cost}
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
