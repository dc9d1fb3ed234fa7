"""A monitor of conflict on synthetic walks: is a kidnapping told from a moved landmark and noise, and when?

    python benchmarks/conflict.py --json benchmarks/results/conflict.json

A walk is a random course at 0.3 m/s. Once a theta cycle a recall says where the robot is, with errors of
0.1 rad and 5 cm that last for 0.5 s, and path integration drifts. From 12 s on one of these happens:

    nothing    all goes on; a recall in twenty is of a place drawn by chance, in all walks
    noise      a recall in four is
    moved      of the cycles, `share` tell a pose that is displaced, always in the same way, in bouts of 0.7 s
    kidnapped  the robot is elsewhere and turned: all recalls are displaced in the same way
    carried    the robot is elsewhere, not turned
    new        nothing is familiar: recalls are weak and of places drawn by chance

The score is the evidence for a displacement less that for its rivals, the largest in 10 s after the event.
Seeds of walks are separate from those used to choose the parameters. Intervals: 95 %, bootstrap over walks.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tolman.analysis.statistics import bootstrap_interval, roc_area
from tolman.memory.calibration import DriveTable
from tolman.memory.conflict import ConflictConfig, ConflictMonitor, Held, Seen
from tolman.memory.conflict_race import Decision
from tolman.memory.grid import GridConfig, GridModule

Doubles = NDArray[np.float64]
CYCLE = 0.12  #: s
EVENT, END, WATCHED = 12.0, 22.5, 10.0  #: s
KINDS = ("nothing", "noise", "moved", "kidnapped", "carried", "new")


@dataclass
class Outcome:
    score: float  #: largest lead of a displacement after the event
    jumped: float  #: s after the event at which it was to jump, inf for never
    mapped: float  #: s after the event at which it was to map anew, inf for never
    early: bool  #: whether it was to do either before the event
    agreement: float  #: mean belief after the event
    turn_error: float  #: rad, of the jump
    shift_error: float  #: periods, of the jump
    heading_weight: float  #: mean after the event


def modules(count: int) -> list[GridModule]:
    """Return the `count` largest grid modules, for their phases only."""
    config, table = GridConfig(), DriveTable((0.0, 1.0), (0.0, 1.0))
    pairs = list(zip(config.scales(), config.orientations(), strict=True))[-count:]
    return [GridModule(config, float(s), float(o), "phases", 0, table) for s, o in pairs]


def walk(
    kind: str, share: float, seed: int, sheets: list[GridModule]
) -> Iterator[tuple[float, Seen, Held, Any]]:
    """Yield time, what is seen and held, and the true displacement (turn, shift), for each theta cycle."""
    rng = np.random.default_rng(seed)
    steps = round(END / CYCLE)
    heading, position = 0.0, np.zeros(2)
    drift_turn, drift = 0.0, np.zeros(2)
    error_turn, error = 0.0, np.zeros(2)
    jump = rng.choice([-1, 1]) * rng.uniform(0.7, np.pi)
    bearing, distance = rng.uniform(-np.pi, np.pi), rng.uniform(0.5, 1.5)
    away = distance * np.array([np.cos(bearing), np.sin(bearing)])
    keep, bout = np.exp(-CYCLE / 0.5), np.exp(-CYCLE / 0.7)
    displaced = False

    def phases(place: Doubles) -> Doubles:
        return np.stack([module.phase_of(place) for module in sheets])

    held_turn, held_shift = 0.0, np.zeros(2)  # how far the held pose is off since the event
    for step in range(steps):
        now = step * CYCLE
        after = now >= EVENT
        turn = rng.normal(0.0, 0.4)
        heading += turn * CYCLE * 2.0
        if np.hypot(*position) > 1.2:  # stay in the arena
            heading = float(np.arctan2(-position[1], -position[0]))
        velocity = 0.3 * CYCLE * np.array([np.cos(heading), np.sin(heading)])
        position = position + velocity
        drift_turn = 0.95 * drift_turn + rng.normal(0.0, 0.02)
        drift = 0.95 * drift + rng.normal(0.0, 0.01, 2)
        if after and kind in ("kidnapped", "carried"):
            if held_shift.any():
                off = velocity @ rotation(held_turn).T - velocity
                held_shift = held_shift + off
            else:
                held_turn, held_shift = (jump if kind == "kidnapped" else 0.0), away
        fresh = np.sqrt(1.0 - keep**2)
        error_turn = keep * error_turn + fresh * rng.normal(0.0, 0.1)
        error = keep * error + fresh * rng.normal(0.0, 0.05, 2)
        seen_turn, seen_place = heading + error_turn, position + error
        strength = rng.uniform(0.5, 1.0)
        outliers = 0.25 if after and kind == "noise" else 0.05
        if rng.random() > bout:
            displaced = rng.random() < share
        if after and kind == "moved" and displaced:
            seen_turn, seen_place, strength = seen_turn + jump, seen_place + away, 0.8 * strength
        if rng.random() < outliers or (after and kind == "new"):
            seen_turn, seen_place = rng.uniform(-np.pi, np.pi), rng.uniform(-1.5, 1.5, 2)
            strength = rng.uniform(0.0, 0.3) if kind == "new" and after else rng.uniform(0.3, 0.8)
        held = Held(heading + drift_turn + held_turn, phases(position + drift + held_shift))
        yield (
            now,
            Seen(seen_turn, phases(seen_place), strength, strength),
            held,
            (-held_turn - drift_turn, phases(-held_shift - drift)),
        )


def rotation(angle: float) -> Doubles:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def run(kind: str, share: float, seed: int, config: ConflictConfig, sheets: list[GridModule]) -> Outcome:
    """Let the monitor judge one walk; it is never cleared, so that what comes later shows too."""
    monitor = ConflictMonitor(config, seed)
    out = Outcome(-np.inf, np.inf, np.inf, False, 0.0, np.nan, np.nan, 0.0)
    beliefs, weights = [], []
    for now, seen, held, (turn, shift) in walk(kind, share, seed, sheets):
        verdict = monitor.judge(seen, held)
        if now < EVENT:
            out.early |= verdict.decision is not Decision.AGREE
            continue
        if now > EVENT + WATCHED:
            break
        agree, displaced, unknown = verdict.evidence
        out.score = max(out.score, displaced - max(agree, unknown))
        beliefs.append(verdict.agreement)
        weights.append(verdict.heading_weight)
        if verdict.decision is Decision.REANCHOR and np.isinf(out.jumped):
            out.jumped = now - EVENT
            out.turn_error = abs(float(np.angle(np.exp(1j * (verdict.turn - turn)))))
            off = verdict.shift - shift
            out.shift_error = float(np.abs(off - np.round(off)).max())
        if verdict.decision is Decision.NEW_MAP and np.isinf(out.mapped):
            out.mapped = now - EVENT
    out.agreement, out.heading_weight = float(np.mean(beliefs)), float(np.mean(weights))
    return out


def auc_interval(positive: Doubles, negative: Doubles) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    draws = [
        roc_area(rng.choice(positive, len(positive)), rng.choice(negative, len(negative)))
        for _ in range(1000)
    ]
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    jumped = np.array([o.jumped for o in outcomes])
    mapped = np.array([o.mapped for o in outcomes])
    found = {
        "jumped": float(np.isfinite(jumped).mean()),
        "jumped_interval": bootstrap_interval(np.isfinite(jumped).astype(float)),
        "mapped_anew": float(np.isfinite(mapped).mean()),
        "either_before_the_event": float(np.mean([o.early for o in outcomes])),
        "belief_in_one_cause": float(np.mean([o.agreement for o in outcomes])),
        "heading_weight": float(np.mean([o.heading_weight for o in outcomes])),
    }
    for name, times in (("jump", jumped), ("map", mapped)):
        if np.isfinite(times).mean() > 0.5:
            capped = np.minimum(times, WATCHED)
            found[f"{name}_after_s"] = {
                "median": float(np.median(capped)),
                "interval": bootstrap_interval(capped, np.median),
                "90_percent": float(np.quantile(capped, 0.9)),
            }
    if np.isfinite(jumped).mean() > 0.5:
        found["turn_error_degrees"] = float(np.degrees(np.nanmedian([o.turn_error for o in outcomes])))
        found["shift_error_periods"] = float(np.nanmedian([o.shift_error for o in outcomes]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--walks", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=1000)
    arguments = parser.parse_args()
    config = ConflictConfig()
    sheets = modules(config.modules)
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.walks)
    runs: dict[str, list[Outcome]] = {}
    for kind in KINDS:
        for share in (0.2, 0.4, 0.6) if kind == "moved" else (0.0,):
            name = f"moved, {share:g} of cycles" if kind == "moved" else kind
            runs[name] = [run(kind, share, seed, config, sheets) for seed in seeds]
            print(name, json.dumps(summary(runs[name])), flush=True)
    scores = {name: np.array([o.score for o in outcomes]) for name, outcomes in runs.items()}
    others = [name for name in scores if name not in ("kidnapped", "carried")]
    results: dict[str, Any] = {
        "seeds": [seeds.start, seeds.stop],
        "runs": {name: summary(outcomes) for name, outcomes in runs.items()},
        "auc": {
            event: {
                other: [roc_area(scores[event], scores[other]), *auc_interval(scores[event], scores[other])]
                for other in others
            }
            for event in ("kidnapped", "carried")
        },
    }
    for event in ("kidnapped", "carried"):
        pooled = np.concatenate([scores[name] for name in others])
        results["auc"][event]["all of these"] = [
            roc_area(scores[event], pooled),
            *auc_interval(scores[event], pooled),
        ]
    monitor, times = ConflictMonitor(config, 0), []
    for _, seen, held, _ in walk("nothing", 0.0, 0, sheets):
        start = time.perf_counter()
        monitor.judge(seen, held)
        times.append(time.perf_counter() - start)
    results["cost_us_a_period"] = float(np.median(times) * 1e6 * 0.04 / CYCLE)
    print(json.dumps({k: v for k, v in results.items() if k != "runs"}, indent=1))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
