"""Three environments learned one after the other: what is left of the first, and does the last help the next?

Each environment has places (patterns of entorhinal cells) and steps from each place to the next. Of every
place half of the cells are shared with the same place of the other environments, as similar mazes look alike.
The associative memory stores each place and step once, in the context of its environment. The network that
learns by back-propagation (one hidden layer, Adam) completes a place from half of its cells and names the
next place; it gets the context as an input, too, and repeats an environment until it knows it, then goes on
to the next. Retention is the score in A after learning C, over that right after learning A; backward transfer
the mean change of the scores in A and B (Lopez-Paz & Ranzato 2017). Interleaving all three is its upper
bound.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tolman.analysis.statistics import bootstrap_interval, set_f1
from tolman.memory.hippocampus import Hippocampus, HippocampusConfig

Cells = NDArray[np.int64]
Floats = NDArray[np.float64]
INPUTS, ACTIVE, PLACES, MAZES, CONTEXT = 500, 30, 40, 3, 20


def mazes(rng: np.random.Generator) -> list[list[Cells]]:
    """Return the places of each maze, half of whose cells are those of the same place in the others."""
    out: list[list[Cells]] = [[] for _ in range(MAZES)]
    for _ in range(PLACES):
        cells = rng.permutation(INPUTS)[: ACTIVE // 2 * (MAZES + 1)].reshape(MAZES + 1, -1)
        for maze in range(MAZES):
            out[maze].append(np.sort(np.concatenate((cells[0], cells[maze + 1]))))
    return out


class Backpropagation:
    """One hidden layer of ReLU, from cells and context to sigmoids of this place and the next."""

    def __init__(self, rng: np.random.Generator, hidden: int = 400) -> None:
        sizes = (INPUTS + MAZES * CONTEXT, hidden, 2 * INPUTS)
        self.weights = [rng.normal(0.0, np.sqrt(2.0 / a), (a, b)) for a, b in pairwise(sizes)]
        self.biases = [np.zeros(b) for b in sizes[1:]]
        self._moments = [[np.zeros_like(p), np.zeros_like(p)] for p in self.weights + self.biases]
        self._steps = 0

    def forward(self, x: Floats) -> tuple[Floats, Floats]:
        """Return hidden activities and outputs."""
        hidden = np.maximum(x @ self.weights[0] + self.biases[0], 0.0)
        return hidden, 1.0 / (1.0 + np.exp(-np.clip(hidden @ self.weights[1] + self.biases[1], -30.0, 30.0)))

    def learn(self, x: Floats, y: Floats, rate: float = 1e-3) -> None:
        """Take one step of Adam (Kingma & Ba 2015) on the cross-entropy."""
        hidden, out = self.forward(x)
        error = (out - y) / len(x)
        back = (error @ self.weights[1].T) * (hidden > 0.0)
        gradients = [x.T @ back, hidden.T @ error, back.sum(axis=0), error.sum(axis=0)]
        self._steps += 1
        for parameter, moment, gradient in zip(
            self.weights + self.biases, self._moments, gradients, strict=True
        ):
            moment[0] += 0.1 * (gradient - moment[0])
            moment[1] += 0.001 * (gradient**2 - moment[1])
            first, second = moment[0] / (1 - 0.9**self._steps), moment[1] / (1 - 0.999**self._steps)
            parameter -= rate * first / (np.sqrt(second) + 1e-8)


def vector(cells: NDArray[np.integer], maze: int) -> Floats:
    """Return the input of the network: cells and context."""
    x = np.zeros(INPUTS + MAZES * CONTEXT)
    x[cells] = 1.0
    x[INPUTS + maze * CONTEXT : INPUTS + (maze + 1) * CONTEXT] = 1.0
    return x


def target(places: list[Cells], k: int) -> Floats:
    """Return what the network is to say at place `k`: the place itself, and the next."""
    y = np.zeros(2 * INPUTS)
    y[places[k]] = 1.0
    y[INPUTS + places[(k + 1) % PLACES]] = 1.0
    return y


def score_network(net: Backpropagation, places: list[Cells], maze: int, seed: int) -> tuple[float, float]:
    """Return F1 of completing places and of the next places."""
    rng = np.random.default_rng(seed)
    x = np.stack([vector(rng.choice(p, ACTIVE // 2, replace=False), maze) for p in places])
    out = net.forward(x)[1]
    here = [set_f1(np.flatnonzero(row[:INPUTS] > 0.5), p) for row, p in zip(out, places, strict=True)]
    onward = [
        set_f1(np.flatnonzero(row[INPUTS:] > 0.5), places[(k + 1) % PLACES]) for k, row in enumerate(out)
    ]
    return float(np.mean(here)), float(np.mean(onward))


def score_memory(
    memory: Hippocampus, places: list[Cells], numbers: list[int], maze: int, seed: int
) -> tuple[float, float]:
    """Return F1 of completing places and of what a step of replay from each leads to."""
    rng, here, onward = np.random.default_rng(seed), [], []
    for k, place in enumerate(places):
        here.append(set_f1(memory.recall(rng.choice(place, ACTIVE // 2, replace=False), maze).pattern, place))
        step = memory.replay(numbers[k], 1, 1)
        onward.append(set_f1(step[0].pattern, places[(k + 1) % PLACES]) if step else 0.0)
    return float(np.mean(here)), float(np.mean(onward))


def train(
    net: Backpropagation, sets: list[tuple[int, list[Cells]]], rng: np.random.Generator, epochs: int
) -> None:
    """Train on the places of `sets`, from random halves, in batches of 20."""
    pairs = [(maze, places, k) for maze, places in sets for k in range(PLACES)]
    for _ in range(epochs):
        order = rng.permutation(len(pairs))
        for start in range(0, len(order), 20):
            batch = [pairs[i] for i in order[start : start + 20]]
            x = [vector(rng.choice(places[k], ACTIVE // 2, replace=False), maze) for maze, places, k in batch]
            net.learn(np.stack(x), np.stack([target(places, k) for _, places, k in batch]))


def run(seed: int, epochs: int, context: bool) -> dict[str, list[list[list[float]]]]:
    """Return scores [after learning which maze][in which maze][completion, next place] of each learner."""
    rng = np.random.default_rng(seed)
    worlds = mazes(rng)
    config = HippocampusConfig(inputs=INPUTS, contexts=MAZES, context_cells=CONTEXT if context else 0)
    memory, net, joint = Hippocampus(config, seed), Backpropagation(rng), Backpropagation(rng)
    numbers: list[list[int]] = []
    out: dict[str, list[list[list[float]]]] = {"memory": [], "back-propagation": [], "interleaved": []}
    for maze, places in enumerate(worlds):
        numbers.append([memory.store(place, maze) for place in places])
        for k in range(PLACES):
            memory.link(numbers[maze][k], numbers[maze][(k + 1) % PLACES])
        train(net, [(maze, places)], rng, epochs)
        out["memory"].append(
            [list(score_memory(memory, worlds[m], numbers[m], m, seed)) for m in range(maze + 1)]
        )
        out["back-propagation"].append(
            [list(score_network(net, worlds[m], m, seed)) for m in range(maze + 1)]
        )
    train(joint, list(enumerate(worlds)), rng, epochs)
    out["interleaved"].append([list(score_network(joint, worlds[m], m, seed)) for m in range(MAZES)])
    return out


def interval(values: list[float]) -> dict[str, Any]:
    """Return mean, 95 % interval over seeds, and the seeds."""
    return {"value": float(np.mean(values)), "ci95": bootstrap_interval(np.array(values)), "seeds": values}


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=150, help="rounds of back-propagation in each maze")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results: dict[str, Any] = {
        "command": "python benchmarks/forgetting.py --json benchmarks/results/forgetting.json",
        "seeds": options.seeds,
        "epochs": options.epochs,
    }
    runs = [run(seed, options.epochs, context=True) for seed in range(options.seeds)]
    for learner in ("memory", "back-propagation"):
        results[learner] = {}
        for task, name in enumerate(("completion", "next place")):
            first = [r[learner][0][0][task] for r in runs]
            last = [r[learner][2][0][task] for r in runs]
            moved = [0.5 * sum(r[learner][2][m][task] - r[learner][m][m][task] for m in (0, 1)) for r in runs]
            table = {
                "A after A": interval(first),
                "A after C": interval(last),
                "C after C": interval([r[learner][2][2][task] for r in runs]),
                "retention of A": interval([b / max(a, 1e-9) for a, b in zip(first, last, strict=True)]),
                "backward transfer": interval(moved),
            }
            results[learner][name] = table
            for label, score in table.items():
                low, high = score["ci95"]
                print(f"{learner:18} {name:11} {label:18} {score['value']:6.3f} ({low:.3f} to {high:.3f})")
    for task, name in enumerate(("completion", "next place")):
        score = interval([float(np.mean([m[task] for m in r["interleaved"][0]])) for r in runs])
        results.setdefault("interleaved back-propagation", {})[name] = score
        print(f"interleaved back-propagation, all mazes, {name}: {score['value']:.3f}")
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
