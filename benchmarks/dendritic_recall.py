"""What dendrites buy the associative memory: recall from half a cue, beside point cells, same synapses.

    python benchmarks/dendritic_recall.py --json benchmarks/results/dendritic_recall.json

The default memory (1,000 entorhinal, 2,000 CA3 and 1,000 CA1 cells) holds up to 3,000 patterns of 30 cells.
What is stored and every synapse is the same in all arms, only what cells do with their input differs:

    point         both inputs added; CA1 does not hear what is sensed (the default)
    point tuned   both inputs added, in CA3 and in CA1
    dendrites     a plateau on the apical dendrite, the basal one linear or with a plateau, in CA3 and in CA1
    dendrites in CA3, dendrites in CA1    in one of them only, the other as in point tuned

The gains of the second and third and the shape of the plateaus are the best of `--draws` random ones each, by
F1 over loads and cues on a seed that is not measured. A cue is half of a pattern, without or with 5 strange
cells (of 20 then). F1 is of the entorhinal pattern that CA1 reads, and of the CA3 assembly. AUC: mismatch
tells new patterns from known ones that are cued by half and 5 strange cells.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tolman.analysis.statistics import bootstrap_interval, improvement_interval, roc_area, set_f1
from tolman.memory.associative import AssociativeConfig
from tolman.memory.dendrites import DendriteConfig
from tolman.memory.hippocampus import Hippocampus, HippocampusConfig

Cells = NDArray[np.int32]
LOADS = (500, 1000, 1500, 2000, 2500, 3000)
CELLS, ACTIVE, STRAY, PROBES = 1000, 30, 5, 100
FIRST_TUNED = 1000  #: seed


class Stored:
    """Patterns of one seed, and the memories that hold the first 500, 1,000, ... of them."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.seed, self.memory = seed, Hippocampus(HippocampusConfig(), seed)
        self.known = [np.sort(rng.choice(CELLS, ACTIVE, replace=False)) for _ in range(LOADS[-1])]
        self.states: list[dict[str, NDArray[Any]]] = []
        for first, load in zip((0, *LOADS[:-1]), LOADS, strict=True):
            for pattern in self.known[first:load]:
                self.memory.store(pattern)
            self.states.append({name: array.copy() for name, array in self.memory.arrays().items()})

    def score(self, config: HippocampusConfig) -> dict[str, list[float]]:
        """Return the scores at each of `LOADS` where cells are those of `config`."""
        memory, rng = Hippocampus(config, self.seed), np.random.default_rng(self.seed + 1)
        out: dict[str, list[float]] = {}
        for load, state in zip(LOADS, self.states, strict=True):
            memory.load(state)
            rows: dict[str, list[float]] = {"half": [], "half ca3": [], "stray": [], "stray ca3": []}
            old = []
            for k in rng.choice(load, PROBES, replace=False):
                half = rng.choice(self.known[k], ACTIVE // 2, replace=False)
                for name, cue in (("half", half), ("stray", np.union1d(half, rng.choice(CELLS, STRAY)))):
                    recall = memory.recall(cue)
                    rows[name].append(set_f1(recall.pattern, self.known[k]))
                    rows[f"{name} ca3"].append(set_f1(recall.neurons, memory.assembly(k)))
                old.append(recall.mismatch)
            new = [memory.recall(rng.choice(CELLS, ACTIVE, replace=False)).mismatch for _ in range(PROBES)]
            for name, values in (rows | {"auc": [roc_area(np.array(new), np.array(old))]}).items():
                out.setdefault(name, []).append(float(np.mean(values)))
        return out


def drawn(rng: np.random.Generator, dendrites: bool) -> HippocampusConfig:
    """Return a memory with gains and, where it has them, plateaus drawn at random."""

    def shape() -> DendriteConfig:
        onset, width, basal = rng.uniform(0.2, 0.9), rng.uniform(0.05, 0.3), rng.integers(2)
        if not dendrites:
            return DendriteConfig()
        return DendriteConfig("plateau" if basal else "linear", "plateau", onset, width)

    ca3 = AssociativeConfig(sustained=float(np.exp(rng.uniform(0.0, 4.5))), dendrites=shape())
    return HippocampusConfig(
        read=float(np.exp(rng.uniform(0.05, 2.5))),
        direct=rng.uniform(0.0, 0.95),
        ca3=ca3,
        ca1_dendrites=shape(),
    )


def tuned(dendrites: bool, draws: int, stored: list[Stored]) -> tuple[HippocampusConfig, float]:
    """Return the best of `draws` memories, and its F1 over loads and cues."""
    rng, best, most = np.random.default_rng(5), HippocampusConfig(), -1.0
    for _ in range(draws):
        config = drawn(rng, dendrites)
        scores = [one.score(config) for one in stored]
        mean = float(np.mean([score[name] for score in scores for name in ("half", "stray")]))
        if mean > most:
            best, most = config, mean
    return best, most


def main() -> None:
    """Tune, measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results: dict[str, Any] = {
        "command": "python benchmarks/dendritic_recall.py --json benchmarks/results/dendritic_recall.json",
        "loads": LOADS, "seeds": options.seeds, "draws": options.draws, "arms": {},
    }  # fmt: skip
    practice = [Stored(FIRST_TUNED)]
    arms = {"point": HippocampusConfig()}
    for name, dendrites in (("point tuned", False), ("dendrites", True)):
        arms[name], best = tuned(dendrites, options.draws, practice)
        print(f"{name}: F1 {best:.3f} in tuning; {arms[name]}", flush=True)
    arms["dendrites in CA3"] = replace(arms["point tuned"], ca3=arms["dendrites"].ca3)
    arms["dendrites in CA1"] = replace(arms["dendrites"], ca3=arms["point tuned"].ca3)
    runs: dict[str, list[dict[str, list[float]]]] = {name: [] for name in arms}
    for seed in range(options.seeds):
        stored = Stored(seed)
        for name, config in arms.items():
            runs[name].append(stored.score(config))
    for name, config in arms.items():
        table = {key: np.array([run[key] for run in runs[name]]) for key in runs[name][0]}
        results["arms"][name] = {
            "config": repr(config),
            "scores": {
                key: [
                    {"value": float(column.mean()), "ci95": bootstrap_interval(column)} for column in values.T
                ]
                for key, values in table.items()
            },
        }
        print(name)
        for key, values in table.items():
            print(
                f"  {key:10}",
                "  ".join(f"{load}: {v:.3f}" for load, v in zip(LOADS, values.mean(0), strict=True)),
            )
    greater, lesser = (
        np.array([np.mean([run["half"], run["stray"]]) for run in runs[name]])
        for name in ("dendrites", "point tuned")
    )
    results["improvement"] = {
        "of": "mean F1 over loads and cues, dendrites over point tuned",
        "probability": roc_area(greater, lesser), "ci95": improvement_interval(greater, lesser),
        "means": [float(greater.mean()), float(lesser.mean())],
    }  # fmt: skip
    print(results["improvement"])
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
