"""Path integration along a recorded rat's path: spiking and rate attractors, without any correction.

    python benchmarks/path_integration.py --json benchmarks/results/path_integration.json

The path is that of a rat in a box of 1 m for 600 s, in periods of 40 ms (`rat_paths`). The start pose is
known; there is no view, no later alignment, and nothing is fitted to the path: gains come from the automatic
calibration under constant drives alone. Errors are means over all periods. Intervals: 95 %, bootstrap over
seeds.

sheets           the modules are given the true velocity
ring and sheets  the ring is given the turn rate, the sheets the body's velocity along the ring's heading
dead reckoning   the same signals, integrated as they come
sensors          the signals with the errors of the simulated robot's wheels and gyro; how the error grows
                 with the path is fitted as a * path^b to the root mean square over seeds, from 1 m on
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tolman.analysis.statistics import bootstrap_interval
from tolman.envs.robot import RobotSpec
from tolman.envs.sensors import Proprioception, SensorNoise
from tolman.memory.attractor import AttractorNeurons
from tolman.memory.calibration import DriveTable
from tolman.memory.decoder import GridDecoder
from tolman.memory.grid import GridConfig, calibrate, grid_modules
from tolman.memory.heading import HeadDirection, HeadingConfig
from tolman.memory.rate_attractor import RateNeurons

sys.path.insert(0, str(Path(__file__).parent))
from rat_paths import PERIOD, MissingPathError, Motion, along, find, load, motion

Doubles = NDArray[np.float64]

SHEETS = 16  #: sheets on which the gain is measured

SLOW = 2.0 / 3.0  #: of the kernels, for synapses of 150 instead of 100 ms: the same charge a spike
GRIDS: dict[str, tuple[GridConfig, int]] = {
    "rate": (GridConfig(rates=RateNeurons()), 1),
    "spiking": (GridConfig(), SHEETS),
    "spiking, one calibration sheet": (GridConfig(), 1),
    "spiking, noise-free": (GridConfig(neurons=AttractorNeurons(noise=0.0)), SHEETS),
    "spiking, synapses of 150 ms": (
        replace(
            GridConfig(),
            excitation=SLOW * 1.0,
            inhibition=SLOW * 0.4,
            neurons=AttractorNeurons(tau_synapse=0.15),
        ),
        SHEETS,
    ),
    "spiking, 20 x 20 phases": (GridConfig(phases=20), SHEETS),
}
RINGS = {"rate": HeadingConfig(rates=RateNeurons()), "spiking": HeadingConfig()}


class Sheets:
    """The modules of one seed and their decoder."""

    def __init__(self, config: GridConfig, table: DriveTable, seed: int) -> None:
        self.modules = grid_modules(config, seed, table)
        self._decoder = GridDecoder(self.modules)
        #: of the last period, (k, 2) of (ms, neuron) for each module; overwritten in the next one
        self.spikes: list[NDArray[np.int32]] = []
        self.set(np.zeros(2))

    def set(self, place: Doubles) -> None:
        """Begin anew at `place` (2,), m."""
        self.place = place
        for module in self.modules:
            module.set(place)

    def advance(self, velocity: Doubles) -> Doubles:
        """Integrate `velocity` (2,), m/s, for a period; return the place (2,), m."""
        self.spikes = [module.advance(velocity, 40) for module in self.modules]
        phases = np.stack([module.phase for module in self.modules])
        self.place = self._decoder.refine(phases, self.place + velocity * PERIOD)
        return self.place


def given_velocity(config: GridConfig, table: DriveTable, seed: int, velocity: Doubles) -> Doubles:
    """Return the places (n, 2) of sheets that are given `velocity` (n, 2)."""
    sheets = Sheets(config, table, seed)
    return np.array([sheets.advance(v) for v in velocity])


def given_turns(
    ring: HeadDirection, sheets: Sheets | None, start: float, turn_rate: Doubles, body: Doubles
) -> tuple[Doubles, Doubles]:
    """Return places (n, 2) and headings (n,) of a ring; without sheets, exact sums along its heading."""
    ring.set(start)
    place, places, headings = np.zeros(2), [], []
    for turn, moved in zip(turn_rate, body, strict=True):
        ring.advance(float(turn), 40)
        ahead = along(ring.heading - 0.5 * float(turn) * PERIOD)
        velocity = moved[0] * ahead + moved[1] * np.array([-ahead[1], ahead[0]])
        place = place + velocity * PERIOD if sheets is None else sheets.advance(velocity)
        places.append(place)
        headings.append(ring.heading)
    return np.array(places), np.array(headings)


def dead_reckoning(start: float, turn_rate: Doubles, body: Doubles) -> Doubles:
    """Return the places (n, 2) that the signals sum to."""
    heading = start + np.concatenate(([0.0], np.cumsum(turn_rate * PERIOD)))
    mean = 0.5 * (heading[1:] + heading[:-1])
    velocity = body[:, :1] * along(mean) + body[:, 1:] * along(mean + 0.5 * np.pi)
    return np.asarray(np.cumsum(velocity, axis=0) * PERIOD)


def sensed(path: Motion, seed: int) -> tuple[Doubles, Doubles]:
    """Return turn rates (n,) and body velocities (n, 2) with the simulated robot's sensor errors."""
    robot = RobotSpec()
    sensors, straight, nothing = Proprioception(SensorNoise(), robot), np.ones(2), np.zeros(8, np.uint8)
    sensors.reset(np.random.default_rng([seed, 7]))
    true_speed = robot.twist(1.0, 1.0)[0]
    turns, factors = [], []
    for turn in path.turn_rate:
        reading = sensors.read(straight * PERIOD, float(turn) * PERIOD, nothing, PERIOD)
        turns.append(reading.gyro)
        factors.append(reading.speed / true_speed)
    return np.array(turns), path.body * np.array(factors)[:, None]


def error(places: Doubles, path: Motion) -> Doubles:
    """Return the distance (n,), m, of `places` from the path."""
    return np.asarray(np.hypot(*(places - path.place[1:]).T))


def summary(errors: Doubles) -> dict[str, Any]:
    """Return statistics of `errors` (seeds, n), m."""
    means = errors.mean(axis=1)
    return {
        "mean_m": float(means.mean()),
        "interval": bootstrap_interval(means),
        "worst_seed_m": float(means.max()),
        "end_m": float(errors[:, -1].mean()),
        "by_seed": means.round(5).tolist(),
    }


def growth(errors: Doubles, travelled: Doubles) -> dict[str, float]:
    """Fit a * path^b to the RMS over seeds of `errors` (seeds, n) where `travelled` (n,) > 1 m."""
    at = np.geomspace(1.0, travelled[-1] * 0.999, 40)
    rms = np.sqrt((errors**2).mean(axis=0))
    b, log_a = np.polyfit(np.log(at), np.log(np.interp(at, travelled, rms)), 1)
    return {"a": float(np.exp(log_a)), "b": float(b)}


def measure(path: Motion, seeds: list[int], say: Callable[[str], None]) -> dict[str, Any]:
    """Run all arms."""
    tables = {name: calibrate(config, sheets) for name, (config, sheets) in GRIDS.items()}
    out: dict[str, Any] = {"sheets": {}, "ring and sheets": {}, "dead reckoning": {}, "sensors": {}}

    def note(group: str, arm: str, errors: list[Doubles], **more: Any) -> None:
        out[group][arm] = summary(np.array(errors)) | more
        low, high = out[group][arm]["interval"]
        say(f"{group}, {arm}: {out[group][arm]['mean_m']:.4f} m [{low:.4f}, {high:.4f}] {more or ''}")

    def repeated(name: str) -> list[int]:
        return seeds[:1] if name == "rate" else seeds  # nothing is drawn

    start, clean = float(path.heading[0]), (path.turn_rate, path.body)
    note("dead reckoning", "exact signals", [error(dead_reckoning(start, *clean), path)])
    for name, (config, _) in GRIDS.items():
        runs = [given_velocity(config, tables[name], seed, path.velocity) for seed in repeated(name)]
        errors = [error(run, path) for run in runs]
        growing = growth(np.array(errors), path.travelled)
        note(
            "sheets",
            name,
            errors,
            systematic_m=float(error(np.mean(runs, axis=0), path).mean()),
            growth=growing,
        )
    for name, ring_config in RINGS.items():
        errors, alone, turned = [], [], []
        for seed in repeated(name):
            ring, sheets = HeadDirection(ring_config, seed), Sheets(GRIDS[name][0], tables[name], seed)
            places, headings = given_turns(ring, sheets, start, *clean)
            errors.append(error(places, path))
            turned.append(float(np.abs(np.angle(np.exp(1j * (headings - path.heading[1:])))).mean()))
            alone.append(error(given_turns(HeadDirection(ring_config, seed), None, start, *clean)[0], path))
        note("ring and sheets", name, errors, heading_error_rad=float(np.mean(turned)))
        note("ring and sheets", f"{name}, ring alone", alone)
    noisy = {seed: sensed(path, seed) for seed in seeds}
    reckoned = [error(dead_reckoning(start, *noisy[seed]), path) for seed in seeds]
    note("sensors", "dead reckoning", reckoned, growth=growth(np.array(reckoned), path.travelled))
    errors = []
    for seed in seeds:
        sheets = Sheets(GRIDS["spiking"][0], tables["spiking"], seed)
        places, _ = given_turns(HeadDirection(RINGS["spiking"], seed), sheets, start, *noisy[seed])
        errors.append(error(places, path))
    note("sensors", "ring and sheets", errors, growth=growth(np.array(errors), path.travelled))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--path", type=Path, help="an .npz with t (n,) and pos (n, 2)")
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--seconds", type=float, help="of the path; all of it by default")
    arguments = parser.parse_args()
    try:
        path = motion(load(find("sargolini", arguments.path), arguments.seconds))
    except MissingPathError as missing:
        sys.exit(str(missing))
    turn_rate = np.abs(path.turn_rate)
    results: dict[str, Any] = {
        "seeds": list(range(arguments.seeds)),
        "seconds": len(path.velocity) * PERIOD,
        "path_m": float(path.travelled[-1]),
        "turn_rate_rad_s": {
            q: float(np.quantile(turn_rate, float(q))) for q in ("0.5", "0.9", "0.99", "1.0")
        },
        "sideways_share": float(np.abs(path.body[:, 1]).sum() / np.hypot(*path.body.T).sum()),
    }
    print(json.dumps(results))
    results |= measure(path, results["seeds"], lambda line: print(line, flush=True))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
