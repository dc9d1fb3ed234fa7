"""Capacity of the associative memory beside theory, and separation by the dentate gyrus.

Capacity is the load at which F1 of the assembly, recalled from half of its cells, falls below 0.5; it is
given in units of C / (a ln(1/a)), for which theory says 0.2 to 0.3 (Treves & Rolls 1991), from half an
assembly and from a whole one. The same patterns are recalled by a Willshaw net with all synapses and a fixed
threshold, and by the nearest neighbour among all patterns stored, which nothing can beat. One process of one
thread.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tolman.analysis.figure_capacity import draw_capacity
from tolman.analysis.statistics import bootstrap_interval, set_f1
from tolman.memory.associative import Associative, AssociativeConfig
from tolman.memory.dentate import Dentate, DentateConfig
from tolman.memory.hippocampus import Hippocampus, HippocampusConfig

Cells = NDArray[np.int32]
NEURONS = 2000
CASES = ((250, 0.02), (500, 0.02), (1000, 0.02), (500, 0.01), (1000, 0.01), (1000, 0.05))
LOADS = (0.02, 0.05, 0.08, 0.10, 0.12, 0.14, 0.16, 0.18, 0.20, 0.22, 0.25, 0.30)
PROBES = 40


def unit(synapses: float, activity: float) -> float:
    """Return C / (a ln(1/a))."""
    return synapses / (activity * np.log(1.0 / activity))


def crossing(loads: NDArray[np.float64], scores: NDArray[np.float64], level: float = 0.5) -> float:
    """Return the load at which `scores` first fall below `level`, between points; NaN if they do not."""
    below = np.flatnonzero(scores < level)
    if not below.size:
        return float("nan")
    k = int(below[0])
    if k == 0:
        return float(loads[0])
    share = (scores[k - 1] - level) / (scores[k - 1] - scores[k])
    return float(loads[k - 1] + share * (loads[k] - loads[k - 1]))


def curve(synapses: int, activity: float, ceiling: int, seed: int) -> dict[str, list[float]]:
    """Return F1 at each of `LOADS` by kind of cue and by method."""
    rng, size = np.random.default_rng(seed), round(activity * NEURONS)
    config = AssociativeConfig(NEURONS, size, synapses / NEURONS, ceiling)
    net, rows = Associative(config, seed), list[Cells]()
    dense = np.zeros((NEURONS, NEURONS), np.bool_)
    stored = np.zeros((round(LOADS[-1] * unit(synapses, activity)) + 1, NEURONS), np.bool_)
    out: dict[str, list[float]] = {name: [] for name in ("half", "noisy", "whole", "willshaw", "nearest")}
    for load in LOADS:
        while len(rows) < load * unit(synapses, activity):
            cells = np.sort(rng.choice(NEURONS, size, replace=False)).astype(np.int32)
            stored[len(rows), cells] = True
            rows.append(cells)
            net.bind(cells)
            if ceiling == 1:
                dense[np.ix_(cells, cells)] = True
        scores: dict[str, list[float]] = {name: [] for name in out}
        for k in rng.choice(len(rows), min(PROBES, len(rows)), replace=False):
            half = np.sort(rng.choice(rows[k], size // 2, replace=False))
            stray = rng.choice(NEURONS, max(1, size // 10), replace=False).astype(np.int32)
            scores["half"].append(set_f1(net.complete(half)[0], rows[k]))
            scores["noisy"].append(set_f1(net.complete(np.union1d(half, stray))[0], rows[k]))
            scores["whole"].append(set_f1(net.complete(rows[k])[0], rows[k]))
            if ceiling == 1:
                scores["willshaw"].append(
                    set_f1(np.flatnonzero(dense[half].all(axis=0)).astype(np.int32), rows[k])
                )
                nearest = rows[int(np.argmax(stored[: len(rows), half].sum(axis=1)))]
                scores["nearest"].append(set_f1(nearest, rows[k]))
        for name, values in scores.items():
            if values:
                out[name].append(float(np.mean(values)))
    return {name: values for name, values in out.items() if values}


def interval(values: list[float]) -> dict[str, Any]:
    """Return mean, 95 % interval over seeds, and the seeds."""
    array = np.array(values)
    return {"value": float(array.mean()), "ci95": bootstrap_interval(array), "seeds": values}


def case(synapses: int, activity: float, ceiling: int, seeds: int) -> dict[str, Any]:
    """Return curves, capacities and recall at half of capacity."""
    loads, runs = np.array(LOADS), [curve(synapses, activity, ceiling, seed) for seed in range(seeds)]
    result: dict[str, Any] = {
        "C": synapses,
        "a": activity,
        "ceiling": ceiling,
        "unit": unit(synapses, activity),
    }
    result["f1"] = {name: np.mean([run[name] for run in runs], axis=0).tolist() for name in runs[0]}
    for name in ("half", "whole"):
        result[f"k from {name}"] = interval([crossing(loads, np.array(run[name])) for run in runs])
    middle = [0.5 * crossing(loads, np.array(run["half"])) for run in runs]
    for name in ("half", "noisy"):
        result[f"f1 at half of capacity, {name}"] = interval(
            [float(np.interp(m, loads, run[name])) for m, run in zip(middle, runs, strict=True)]
        )
    half = result["f1 at half of capacity, half"]["value"]
    k = {name: result[f"k from {name}"]["value"] for name in ("half", "whole")}
    print(
        f"C {synapses:5} a {activity:.2f} ceiling {ceiling:3}: k {k['half']:.3f} from half, "
        f"{k['whole']:.3f} from whole ({k['half'] * result['unit']:.0f} patterns); F1 at half {half:.3f}, "
        f"with stray cells {result['f1 at half of capacity, noisy']['value']:.3f}",
        flush=True,
    )
    return result


def separation(seeds: int) -> dict[str, list[float]]:
    """Return overlap of two inputs, and of what dentate gyrus and CA3 make of them."""
    shares = [0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0]
    out: dict[str, list[float]] = {"in": shares, "dentate": [], "ca3": []}
    for share in shares:
        codes, chosen = [], []
        for seed in range(seeds):
            dentate, rng = Dentate(DentateConfig(), 1000, 2000, seed), np.random.default_rng(seed)
            for _ in range(20):
                cells = rng.permutation(1000)[:60].astype(np.int32)
                kept = round(30 * share)
                pair = [
                    dentate.code(x)
                    for x in (cells[:30], np.concatenate((cells[:kept], cells[30 : 60 - kept])))
                ]
                codes.append(set_f1(*pair))
                chosen.append(set_f1(*(dentate.choose(code, 40) for code in pair)))
        out["dentate"].append(float(np.mean(codes)))
        out["ca3"].append(float(np.mean(chosen)))
    print(
        "overlap in ",
        shares,
        "\n  dentate  ",
        np.round(out["dentate"], 3),
        "\n  CA3      ",
        np.round(out["ca3"], 3),
    )
    return out


def whole(seeds: int, memories: int = 600) -> dict[str, Any]:
    """Return recall through all parts, order of replay, and how well mismatch tells new from known."""
    names = (
        "f1 from half",
        "f1 with stray cells",
        "steps right ahead",
        "steps right back",
        "auc of mismatch",
    )
    scores: dict[str, list[float]] = {name: [] for name in names}
    for seed in range(seeds):
        memory, rng = Hippocampus(HippocampusConfig(), seed), np.random.default_rng(seed)
        known = [np.sort(rng.choice(1000, 30, replace=False)).astype(np.int32) for _ in range(memories)]
        for pattern in known:
            memory.store(pattern)
        half = [memory.recall(rng.choice(p, 15, replace=False)) for p in known]
        scores["f1 from half"].append(
            float(np.mean([set_f1(r.pattern, p) for r, p in zip(half, known, strict=True)]))
        )
        stray = [
            memory.recall(np.union1d(rng.choice(p, 15, replace=False), rng.choice(1000, 5))) for p in known
        ]
        scores["f1 with stray cells"].append(
            float(np.mean([set_f1(r.pattern, p) for r, p in zip(stray, known, strict=True)]))
        )
        for k in range(20):
            memory.link(k, k + 1)
        for name, start, way in (("ahead", 0, 1), ("back", 20, -1)):
            steps = memory.replay(start, way, 20)
            hits = sum(
                set_f1(s.neurons, memory.assembly(start + way * (k + 1))) >= 0.9 for k, s in enumerate(steps)
            )
            scores[f"steps right {name}"].append(hits / 20.0)
        fresh = np.array([memory.recall(rng.choice(1000, 30, replace=False)).mismatch for _ in range(200)])
        old = np.array([r.mismatch for r in stray])
        wins = (fresh[:, None] > old).mean() + 0.5 * (fresh[:, None] == old).mean()
        scores["auc of mismatch"].append(float(wins))
    table = {name: interval(values) for name, values in scores.items()}
    for name, score in table.items():
        print(f"{name:22} {score['value']:.3f} ({score['ci95'][0]:.3f}-{score['ci95'][1]:.3f})")
    return table


def main() -> None:
    """Run, print, write and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--output", type=Path, metavar="FILE", help="figure")
    options = parser.parse_args()
    results: dict[str, Any] = {
        "command": "python benchmarks/capacity.py --json benchmarks/results/capacity.json",
        "neurons": NEURONS,
        "seeds": options.seeds,
        "loads": LOADS,
        "separation": separation(options.seeds),
        "whole": whole(options.seeds),
        "cases": [case(c, a, 1, options.seeds) for c, a in CASES],
    }
    results["graded"] = [case(c, a, 127, options.seeds) for c, a in ((500, 0.02), (1000, 0.02))]
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    if options.output is not None:
        draw_capacity(results).savefig(options.output)


if __name__ == "__main__":
    main()
