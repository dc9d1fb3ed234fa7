"""How well the three supervised rules learn: how often, whether and when a neuron is to fire.

    python benchmarks/supervision.py --json benchmarks/results/supervision.json

Counting: 500 afferents at 5 Hz for 2 s. Six cues of 50 ms, fixed spikes at 5 Hz, are laid into the trial at
random places, each any number of times; one of them counts. An occurrence loses 10 % of its spikes and moves
the others by 2 ms. Noise fills up the rate to 5 Hz, so that the rate of the population tells nothing; and all
cues consist of the same spikes at other times, so that the rate of an afferent does not tell the cues apart.
Only the count is told. Trained on trials that never come again, tested on 200 others for each count 0 to 5.

Ranking: six landmarks n = 0..5; the neuron is to fire n spikes for landmark n, and is told only the sum over
a trial of some of them. Tested with one landmark in a trial.

Errors are |count - wanted|, a mean over trials; intervals are 95 % bootstraps over seeds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tolman.analysis.statistics import bootstrap_interval
from tolman.spiking.aggregate_label import MultiSpikeTempotron
from tolman.spiking.random import generator
from tolman.spiking.supervision import SpikeResponse
from tolman.spiking.tempotron import PSD, Tempotron

Doubles = NDArray[np.float64]
Spikes = NDArray[np.int32]
Trial = tuple[Spikes, int]


@dataclass(frozen=True)
class Cues:
    """Trials with cues in noise; `effects` are the spikes that each cue is worth."""

    effects: tuple[int, ...] = (1, 0, 0, 0, 0, 0)
    afferents: int = 500
    steps: int = 2000  #: ms
    cue_steps: int = 50  #: ms
    rate: float = 5e-3  #: spikes a ms, of an afferent
    jitter: float = 2.0  #: ms, standard deviation
    deletion: float = 0.1  #: share of a cue's spikes
    same_spikes: bool = True  #: all cues consist of the same spikes at other times

    def patterns(self, random: np.random.Generator) -> list[Spikes]:
        """Return one (k, 2) of (step, afferent) for each cue."""
        patterns = []
        for cue in range(len(self.effects)):
            if cue == 0 or not self.same_spikes:
                count = random.poisson(self.afferents * self.cue_steps * self.rate)
                afferent = random.integers(0, self.afferents, count)
            step = random.integers(0, self.cue_steps, afferent.size)
            patterns.append(np.stack([step, afferent], axis=1).astype(np.int32))
        return patterns

    def trial(self, patterns: list[Spikes], counts: NDArray[np.int64], random: np.random.Generator) -> Trial:
        """Return a trial with cue i `counts[i]` times, without overlap, and what it is worth."""
        order = random.permutation(np.repeat(np.arange(counts.size), counts))
        gaps = np.sort(random.integers(0, self.steps - order.size * self.cue_steps + 1, order.size))
        begins = gaps + self.cue_steps * np.arange(order.size)
        noise = random.integers(0, self.steps, random.poisson(self.afferents * self.steps * self.rate))
        share = np.ones(self.steps)  # of the noise that is kept: in a cue it stands for what is deleted
        rows = []
        for cue, begin in zip(order, begins, strict=True):
            share[begin : begin + self.cue_steps] = self.deletion
            kept = patterns[cue][random.random(len(patterns[cue])) >= self.deletion]
            moved = kept[:, 0] + begin + np.rint(random.normal(0.0, self.jitter, len(kept)))
            rows.append(np.stack([np.clip(moved, 0, self.steps - 1), kept[:, 1]], axis=1))
        noise = noise[random.random(noise.size) < share[noise]]
        rows.append(np.stack([noise, random.integers(0, self.afferents, noise.size)], axis=1))
        return np.concatenate(rows).astype(np.int32), int(counts @ np.array(self.effects))

    def counting(self, patterns: list[Spikes], worth: int, random: np.random.Generator) -> Trial:
        """Return a trial worth `worth` spikes, with distractors; effective cues are worth one spike each."""
        effects = np.array(self.effects)
        effective = np.flatnonzero(effects)
        counts = np.where(effects > 0, 0, random.poisson(1.0, effects.size))
        counts += np.bincount(random.choice(effective, worth), minlength=effects.size)
        return self.trial(patterns, counts, random)


#: The counting task in variants, and the ranking task in two amounts of noise.
COUNTING = {
    "counting": Cues(),
    "counting, two of six cues effective": Cues((1, 1, 0, 0, 0, 0)),
    "counting, each cue its own spikes": Cues(same_spikes=False),
    "counting, no jitter, no deletion": Cues(jitter=0.0, deletion=0.0),
    "counting, 20 % deletion": Cues(deletion=0.2),
}
_RANKS = (0, 1, 2, 3, 4, 5)
RANKING = {
    "ranking, 100 ms, 5 % deletion": Cues(_RANKS, cue_steps=100, deletion=0.05, same_spikes=False),
    "ranking, 50 ms, 5 % deletion": Cues(_RANKS, deletion=0.05, same_spikes=False),
    "ranking, 50 ms, 10 % deletion": Cues(_RANKS, same_spikes=False),
}


def counting_trials(cues: Cues, patterns: list[Spikes], trials: int, seed: int) -> Iterator[Trial]:
    """Yield `trials` trials of 0 to 5 effective cues."""
    random = generator(seed, "training")
    for _ in range(trials):
        yield cues.counting(patterns, int(random.integers(0, 6)), random)


def ranking_trials(cues: Cues, patterns: list[Spikes], trials: int, seed: int) -> Iterator[Trial]:
    """Yield `trials` trials in which each landmark comes 0.5 times on average."""
    random = generator(seed, "training")
    for _ in range(trials):
        yield cues.trial(patterns, random.poisson(0.5, len(patterns)), random)


def train(rule: MultiSpikeTempotron, trials: Iterator[Trial], count: int, cues: Cues, seed: int) -> Doubles:
    """Return weights (afferents,) after `count` trials, at a rate that falls linearly to 0."""
    weights = generator(seed, "weights").normal(0.0, 0.01, cues.afferents)
    velocity = np.zeros_like(weights)
    for k, (spikes, wanted) in enumerate(trials):
        slower = replace(rule, rate=rule.rate * (1.0 - k / count))
        slower.train_step(weights, spikes, cues.steps, wanted, velocity)
    return weights


def train_binary(rule: MultiSpikeTempotron, trials: Iterator[Trial], cues: Cues, seed: int) -> Doubles:
    """Return weights that a tempotron learns which is told only whether there was a cue."""
    tempotron = Tempotron(rule.response, rule.threshold, rule.rate, rule.momentum)
    weights = generator(seed, "weights").normal(0.0, 0.01, cues.afferents)
    velocity = np.zeros_like(weights)
    for spikes, wanted in trials:
        tempotron.train_step(weights, spikes, cues.steps, wanted > 0, velocity)
    return weights


def rate_readout(trials: Iterator[Trial], cues: Cues) -> Doubles:
    """Return ridge weights (afferents + 1,) from the spike counts of a trial, constant last."""
    counts, wanted = zip(*((_counts(spikes, cues), worth) for spikes, worth in trials), strict=True)
    x, y = np.array(counts), np.array(wanted, np.float64)
    solution = np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ y)
    return np.asarray(solution, np.float64)


def _counts(spikes: Spikes, cues: Cues) -> Doubles:
    return np.append(np.bincount(spikes[:, 1], minlength=cues.afferents), 1.0)


def test_set(cues: Cues, patterns: list[Spikes], each: int, ranking: bool, seed: int) -> list[list[Trial]]:
    """Return `each` trials for every wanted count of 0 to 5."""
    random = generator(seed, "test")
    if ranking:
        alone = np.eye(6, dtype=np.int64)
        return [[cues.trial(patterns, alone[n], random) for _ in range(each)] for n in range(6)]
    return [[cues.counting(patterns, n, random) for _ in range(each)] for n in range(6)]


def spike_errors(
    rule: MultiSpikeTempotron, weights: Doubles, tests: list[list[Trial]], cues: Cues
) -> Doubles:
    """Return the mean |count error| of the neuron at each wanted count (6,)."""
    return np.array(
        [np.mean([abs(rule.output(weights, s, cues.steps).size - n) for s, n in group]) for group in tests]
    )


def rate_errors(readout: Doubles, tests: list[list[Trial]], cues: Cues) -> Doubles:
    """Return the mean |count error| of the rounded regression at each wanted count (6,)."""
    return np.array(
        [np.mean([abs(max(0, round(float(_counts(s, cues) @ readout))) - n) for s, n in g]) for g in tests]
    )


def counting_run(seed: int, trials: int, each: int) -> dict[str, Doubles]:
    """Return the errors (6,) of every arm of the counting task."""
    rule, errors = MultiSpikeTempotron(), {}
    for name, cues in COUNTING.items():
        patterns = cues.patterns(generator(seed, "patterns"))
        tests = test_set(cues, patterns, each, False, seed)
        weights = train(rule, counting_trials(cues, patterns, trials, seed), trials, cues, seed)
        errors[name] = spike_errors(rule, weights, tests, cues)
        if name in ("counting", "counting, each cue its own spikes"):
            readout = rate_readout(counting_trials(cues, patterns, trials, seed), cues)
            errors[f"{name}: regression on rates"] = rate_errors(readout, tests, cues)
        if name == "counting":
            untrained = generator(seed, "weights").normal(0.0, 0.01, cues.afferents)
            errors[f"{name}: untrained"] = spike_errors(rule, untrained, tests, cues)
            binary = train_binary(rule, counting_trials(cues, patterns, trials, seed), cues, seed)
            errors[f"{name}: told only whether"] = spike_errors(rule, binary, tests, cues)
    return errors


def ranking_run(seed: int, trials: int, each: int) -> dict[str, Doubles]:
    """Return the errors (6,) of every arm of the ranking task, of a neuron twice as fast as the default."""
    rule, errors = MultiSpikeTempotron(SpikeResponse(10e-3, 2.5e-3)), {}
    for name, cues in RANKING.items():
        patterns = cues.patterns(generator(seed, "patterns"))
        weights = train(rule, ranking_trials(cues, patterns, trials, seed), trials, cues, seed)
        tests = test_set(cues, patterns, each, True, seed)
        errors[name] = spike_errors(rule, weights, tests, cues)
        if name == "ranking, 100 ms, 5 % deletion":
            binary = train_binary(rule, ranking_trials(cues, patterns, trials, seed), cues, seed)
            errors[f"{name}: told only whether"] = spike_errors(rule, binary, tests, cues)
            readout = rate_readout(ranking_trials(cues, patterns, trials, seed), cues)
            errors[f"{name}: regression on rates"] = rate_errors(readout, tests, cues)
    return errors


def tempotron_cycles(load: float, seed: int, afferents: int = 500, limit: int = 1000) -> tuple[int, float]:
    """Return (cycles, share right) on `load` * `afferents` patterns of one spike an afferent in 500 ms.

    Half of the patterns want a spike. Learning ends with the first cycle without an error.
    """
    random = generator(seed, "tempotron")
    steps, count = 500, round(load * afferents)
    afferent = np.arange(afferents)
    patterns = [
        np.stack([random.integers(0, steps, afferents), afferent], 1).astype(np.int32) for _ in range(count)
    ]
    wanted = [k % 2 == 0 for k in range(count)]
    rule, weights = Tempotron(), random.normal(0.0, 0.01, afferents)
    velocity = np.zeros_like(weights)
    for cycle in range(1, limit + 1):
        wrong = 0
        for k in random.permutation(count):
            wrong += rule.train_step(weights, patterns[k], steps, wanted[k], velocity) != wanted[k]
        if wrong == 0:
            return cycle, 1.0
    right = [rule.output(weights, patterns[k], steps) == wanted[k] for k in range(count)]
    return limit, float(np.mean(right))


def psd_error(seed: int, jitter: float = 0.0, afferents: int = 500) -> tuple[float, float]:
    """Return (share of trials with as many spikes as wanted, mean |time error| in ms of those).

    One spike an afferent in 200 ms, moved by `jitter` ms anew in each of 200 training and 100 test trials;
    four wanted spikes, at least 20 ms from the start and from each other.
    """
    random, steps = generator(seed, "psd"), 200
    afferent = np.arange(afferents)
    at = random.integers(0, steps, afferents)
    wanted = np.sort(random.integers(20, steps - 60, 4)) + 20 * np.arange(4)
    rule, weights = PSD(), random.normal(0.01, 0.01, afferents)

    def trial() -> Spikes:
        moved = np.clip(np.rint(at + random.normal(0.0, jitter, afferents)), 0, steps - 1)
        return np.stack([moved, afferent], 1).astype(np.int32)

    for k in range(200):
        replace(rule, rate=rule.rate * (1.0 - k / 200)).train_step(weights, trial(), steps, wanted)
    outputs = [rule.output(weights, trial(), steps) for _ in range(100)]
    errors = [float(np.abs(fired - wanted).mean()) for fired in outputs if fired.size == wanted.size]
    return len(errors) / len(outputs), float(np.mean(errors)) if errors else float("nan")


def main() -> None:
    """Run everything and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=10_000, help="of training")
    parser.add_argument("--each", type=int, default=200, help="test trials a count")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    began, seeds = time.perf_counter(), range(options.seeds)
    runs: list[dict[str, Doubles]] = []
    for seed in seeds:
        counting = counting_run(seed, options.trials, options.each)
        runs.append(counting | ranking_run(seed, 2 * options.trials, options.each))
        print(f"seed {seed}: {time.perf_counter() - began:.0f} s", flush=True)
    report: dict[str, object] = {
        "seeds": options.seeds, "training_trials": options.trials, "test_trials_a_count": options.each
    }  # fmt: skip
    print(
        f"\n{'mean |count error|':45s} {'n = 0':>6s}" + "".join(f"{n:7d}" for n in range(1, 6)) + "    mean"
    )
    for name in runs[0]:
        errors = np.array([run[name] for run in runs])
        low, high = bootstrap_interval(errors.mean(axis=1))
        print(f"{name:55s} " + " ".join(f"{e:6.3f}" for e in errors.mean(axis=0)), end="  ")
        print(f"{errors.mean():6.3f} ({low:.3f} to {high:.3f})")
        report[name] = {"of_seeds_and_counts": errors.round(4).tolist(), "interval": [low, high]}
    print("\ntempotron, 500 afferents: cycles (median, largest) until all patterns are right, share right")
    for load in (1.0, 2.0, 2.5):
        cycles, right = zip(*(tempotron_cycles(load, seed) for seed in seeds), strict=True)
        print(f"load {load}: {np.median(cycles):.0f}, {max(cycles)}, {np.mean(right):.4f}", flush=True)
        report[f"tempotron, load {load}"] = {"cycles": cycles, "right": right}
    print("\nPSD: share of trials with the four spikes, |time error| in ms (mean, largest of a seed)")
    for jitter in (0.0, 1.0, 2.0):
        share, error = zip(*(psd_error(seed, jitter) for seed in seeds), strict=True)
        print(f"jitter {jitter} ms: {np.mean(share):.3f}, {np.nanmean(error):.2f}, {np.nanmax(error):.2f}")
        report[f"PSD, jitter {jitter} ms"] = {"four_spikes": share, "error_ms": error}
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
