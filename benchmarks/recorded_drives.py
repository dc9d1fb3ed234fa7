"""Where a robot was, from commands and sightings: dead reckoning, EKF-SLAM and the spiking memory.

    python benchmarks/recorded_drives.py mrclam6_robot*.npz --json benchmarks/results/recorded_drives.json

Root-mean-square distance from the true place at the samples of the ground truth, from the true start pose
and without any alignment, up to 60 s, 300 s and over the whole run. The memory is run with several seeds of
its neurons' noise; mean and 95 % bootstrap interval over seeds. With `--simulate N`, N drives of known
noise are added, of which nothing was tuned.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tolman.analysis.statistics import bootstrap_interval
from tolman.envs.drives import Drive, open_drive
from tolman.launch.localizing_drives import config_for, lag_of, live, score
from tolman.memory.landmark_memory import LandmarkMemory

sys.path.insert(0, str(Path(__file__).parent))
from ekf_slam import ekf_slam
from simulated_drive import simulated_drive

PARTS = ("60_s", "300_s", "whole")


def measure(name: str, drive: Drive, seeds: int) -> dict[str, Any]:
    """Return the errors of all three on one drive."""
    lag = lag_of(drive)
    ekf = score(drive, ekf_slam(drive, lag))
    runs, hashes = [], []
    memory = LandmarkMemory(config_for(drive), 0)
    for seed in range(seeds):
        memory.reseed(seed)
        lived = live(drive, memory, lag)
        runs.append(score(drive, lived.estimate))
        hashes.append(lived.spike_hash)
    out: dict[str, Any] = {"drive": name, "lag_s": lag, "seeds": seeds, "spike_hash": hashes}
    for part in (part for part in PARTS if part in ekf):
        errors = np.array([run[part]["rms_m"] for run in runs])
        dead = ekf[part]["dead_reckoning_rms_m"]
        out[part] = {
            "dead_reckoning_m": dead,
            "ekf_slam_m": ekf[part]["rms_m"],
            "memory_m": {
                "value": float(errors.mean()),
                "ci95": list(bootstrap_interval(errors)),
                "seeds": errors.tolist(),
            },
            "of_dead_reckoning": float(errors.mean() / dead),
            "of_ekf_slam": float(errors.mean() / ekf[part]["rms_m"]),
        }
    return out


def say(result: dict[str, Any]) -> None:
    print(f"{result['drive']} (commands lead by {result['lag_s']:.2f} s, {result['seeds']} seeds)")
    for part in (part for part in PARTS if part in result):
        row = result[part]
        low, high = row["memory_m"]["ci95"]
        print(
            f"  {part:>5}: dead reckoning {row['dead_reckoning_m']:.3f} m, EKF {row['ekf_slam_m']:.3f} m,"
            f" memory {row['memory_m']['value']:.3f} m ({low:.3f} to {high:.3f}):"
            f" {100 * row['of_dead_reckoning']:.0f} % of dead reckoning, {row['of_ekf_slam']:.2f} x EKF",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--simulate", type=int, default=0, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    results = []
    for file in arguments.files:
        drive = open_drive(file)
        if drive is None:
            parser.error(f"{file} holds no drive")
        results.append(measure(file.name, drive, arguments.seeds))
        say(results[-1])
    for seed in range(arguments.simulate):
        results.append(measure(f"simulated {seed}", simulated_drive(seed, 300.0), 1))
        say(results[-1])
    if arguments.json:
        arguments.json.write_text(json.dumps({"drives": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
