"""XOR and the 19-state random walk, learned from reward by R-STDP, by hedonistic synapses, and by both.

Two neurons that inhibit each other choose; the synapses onto them learn, by what is called the rule: weights
(`rstdp`, Izhikevich 2007), release probabilities (`hedonistic`, Seung 2003), or both at once (Yuan, Wu, Yan &
Tang 2019, Neural Comput. 31:2368, who compare them on these two tasks). Every seed is one copy of a batch,
with inputs, noise and releases of its own.

    python benchmarks/rules.py [--seeds 10] [--json benchmarks/results/rules.json]

XOR: each bit drives one of two groups of 15 Poisson sources; 400 hidden neurons with fixed random weights
fire for few combinations. A trial of 250 ms is right when the neuron of the right answer fired more;
dopamine is the outcome, +1 or -1, less its running mean. Learned: 45 of 50 trials in a row are right.

Random walk: the state drives its own 10 sources; each 100 ms the choice moves one state left or right,
from the middle of 19. The outcome is +1 at the right end and -1 at the left, less 0.02 a step, and dopamine
the outcome less its running mean. Learned: ten walks in a row end right, in 20 steps on average at most,
which is twice the shortest way. Without learning half of all walks end right.

Without learning (`none`) both stay at chance.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tolman.spiking import LIF, Hedonistic, Modulator, Network, Population, RewardSTDP, exponential

RULES = ("rstdp", "hedonistic", "both", "none")
#: Weight at which learning starts, and its largest; a synapse that releases at p = 1/2 has twice the first.
START, LARGEST = 0.35, 0.7
#: What a step of the random walk costs, in units of the outcome.
STEP_COST = 0.02


class Chooser:
    """Two neurons that inhibit each other, and the plastic synapses onto them, in `copies`."""

    def __init__(
        self, net: Network, source: Any, kind: str, tau_eligibility: float, release_rate: float
    ) -> None:
        receptors = {"current": exponential(5e-3), "rival": exponential(20e-3)}
        self._net = net
        self._cells: Population = net.population("choosers", 2, LIF(noise=0.02), receptors, drive=0.4)
        self._reward = net.modulator("dopamine", Modulator(tau=0.05))
        self._mean, self._spikes = np.zeros(net.batch), net.record(self._cells)
        releases, weighs = kind in ("hedonistic", "both"), kind in ("rstdp", "both")
        self._synapses = net.connect(
            source,
            self._cells,
            wiring="dense",
            weight=START * {"hedonistic": 2.0, "both": 1.6}.get(kind, 1.0),
            rule=RewardSTDP(
                a_plus=0.05, a_minus=0.02, tau_eligibility=tau_eligibility, learning_rate=4.0, high=LARGEST
            )
            if weighs
            else None,
            release=Hedonistic(tau_eligibility=tau_eligibility, learning_rate=release_rate)
            if releases
            else None,
            third_factor=self._reward if releases or weighs else None,
        )
        net.connect(self._cells, self._cells, "rival", ([0, 1], [1, 0]), weight=-2.0)

    def choose(self, seconds: float, random: np.random.Generator) -> NDArray[np.int64]:
        """Run and return the choices, 0 or 1, (copies,): of the neuron that fired more."""
        self._spikes.clear()
        self._net.run(seconds)
        counts = self._spikes.counts().reshape(self._net.batch, 2)
        lead = counts[:, 1] - counts[:, 0] + random.uniform(-0.5, 0.5, self._net.batch)
        return (lead > 0.0).astype(np.int64)

    def reward(self, outcome: NDArray[np.float64], given: NDArray[np.bool_]) -> None:
        """Release dopamine in the copies where an `outcome` is `given`: by how much it surprises."""
        self._reward.release(np.where(given, outcome - self._mean, 0.0))
        self._mean += np.where(given, 0.05 * (outcome - self._mean), 0.0)

    def forget(self, copies: NDArray[np.bool_]) -> None:
        """Clear what the eligibilities of `copies` hold, as a walk ends."""
        for part in (self._synapses.plasticity, self._synapses.release):
            if part is not None:
                part.forget(copies)


def xor(kind: str, seeds: int, trials: int) -> NDArray[np.bool_]:
    """Return which trials (trials, seeds) were right."""
    net, random = Network(dt=1e-3, seed=1, batch=seeds), np.random.default_rng(2)
    bits = net.poisson("bits", 60, 0.0)
    hidden = net.population("hidden", 400, LIF(noise=0.05), drive=-2.2)
    net.connect(bits, hidden, wiring="dense", weight=random.normal(0.0, 1.2, (60, 400)))
    chooser, each = Chooser(net, hidden, kind, tau_eligibility=0.4, release_rate=3.0), np.arange(seeds)
    right = np.empty((trials, seeds), np.bool_)
    for trial in range(trials):
        first, second = random.integers(0, 2, (2, seeds))
        rates = np.zeros((seeds, 4, 15))
        rates[each, first] = rates[each, 2 + second] = 40.0
        bits.rates = rates.reshape(seeds, 60)
        right[trial] = chooser.choose(0.25, random) == (first ^ second)
        chooser.reward(np.where(right[trial], 1.0, -1.0), np.ones(seeds, np.bool_))
        bits.rates = 0.0
        net.run(0.25)
    return right


def walk(kind: str, seeds: int, walks: int, states: int = 19, limit: int = 400) -> NDArray[np.float64]:
    """Return the steps (walks, seeds) that each walk took; negative where it did not end right."""
    net, random = Network(dt=1e-3, seed=1, batch=seeds), np.random.default_rng(3)
    places = net.poisson("places", 10 * states, 0.0)
    chooser = Chooser(net, places, kind, tau_eligibility=0.5, release_rate=10.0)
    taken = np.zeros((walks, seeds))
    number, steps, state = np.zeros(seeds, np.int64), np.zeros(seeds), np.full(seeds, states // 2)
    while np.any(number < walks):
        rates = np.zeros((seeds, states, 10))
        rates[np.arange(seeds), state] = 50.0
        places.rates = rates.reshape(seeds, -1)
        state = state + 2 * chooser.choose(0.1, random) - 1
        steps += 1
        ended = (state < 0) | (state >= states) | (steps >= limit)
        if not np.any(ended):
            continue
        won = state >= states
        chooser.reward(np.where(won, 1.0, -1.0) - STEP_COST * steps, ended)
        places.rates = 0.0
        net.run(0.2)
        for k in np.flatnonzero(ended & (number < walks)):
            taken[number[k], k] = steps[k] if won[k] else -steps[k]
        number[ended] += 1
        steps[ended], state[ended] = 0, states // 2
        chooser.forget(ended)
    return taken


def learned_at(right: NDArray[np.bool_], window: int, wanted: float) -> list[int | None]:
    """Return, for each column, after how many rows the mean of the last `window` first reached `wanted`."""
    sums = np.cumsum(np.concatenate([np.zeros((1, right.shape[1])), right]), axis=0)
    means = (sums[window:] - sums[:-window]) / window
    reached = means >= wanted - 1e-9
    return [int(np.argmax(column)) + window if column.any() else None for column in reached.T]


def walks_learned(taken: NDArray[np.float64], mean: float = 20.0) -> list[int | None]:
    """Return after how many walks ten in a row had ended right within `mean` steps on average."""
    out: list[int | None] = []
    for column in taken.T:
        found = None
        for end in range(10, len(column) + 1):
            last = column[end - 10 : end]
            if np.all(last > 0) and last.mean() <= mean:
                found = end
                break
        out.append(found)
    return out


def summary(after: list[int | None], last: NDArray[np.float64]) -> dict[str, Any]:
    """Return how many seeds learned, after how many trials, and what the last trials were like."""
    done = np.array([n for n in after if n is not None], float)
    spread = np.quantile(done, [0.25, 0.5, 0.75]).tolist() if done.size else [None] * 3
    return {
        "seeds": len(after), "learned": int(done.size), "quartiles": spread, "after": after,
        "last": last.round(3).tolist(),
    }  # fmt: skip


def main() -> None:
    """Run both tasks with every rule and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=4000, help="of XOR, for hedonistic synapses")
    parser.add_argument("--walks", type=int, default=300)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results: dict[str, Any] = {}
    print(f"{'task':12} {'rule':11} learned   trials (quartiles)      the last 100")
    for kind in RULES:
        trials = options.trials if kind == "hedonistic" else min(1000, options.trials)
        right = xor(kind, options.seeds, trials)
        results[f"xor {kind}"] = summary(learned_at(right, 50, 0.9), right[-100:].mean(axis=0))
        _show("XOR", kind, results[f"xor {kind}"], "right")
    for kind in RULES:
        taken = walk(kind, options.seeds, options.walks if kind != "none" else 60)
        last = taken[-min(100, len(taken) // 2) :]
        results[f"walk {kind}"] = summary(walks_learned(taken), np.median(np.abs(last), axis=0))
        results[f"walk {kind}"]["right"] = (last > 0.0).mean(axis=0).round(3).tolist()
        _show("random walk", kind, results[f"walk {kind}"], "steps (median)")
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def _show(task: str, kind: str, result: dict[str, Any], unit: str) -> None:
    low, middle, high = result["quartiles"]
    when = "-" if middle is None else f"{middle:.0f} ({low:.0f} to {high:.0f})"
    last = np.array(result["last"])
    print(
        f"{task:12} {kind:11} {result['learned']:2}/{result['seeds']}     {when:22} "
        f"{last.mean():.2f} {unit}, worst seed {last.min() if task == 'XOR' else last.max():.2f}"
        + (f", {100 * np.mean(result['right']):.0f} % end right" if "right" in result else ""),
        flush=True,
    )


if __name__ == "__main__":
    main()
