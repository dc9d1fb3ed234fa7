"""The delayed T-maze with point cells and with cells of two compartments, at equal numbers of parameters.

    python benchmarks/dendrites.py --draws 200 --json benchmarks/results/dendrites.json

A trial, on the geometry of the task `TMaze`: 1 s at the end of one arm, drawn at random; a delay at the foot
of the stem; the way up the stem at 0.3 m/s (2.9 s); 0.3 s at the junction, in which the neuron of one side
fires more. Right is the other arm. (In the task the last arm is the robot's own choice; drawn, chance is a
half whatever a network does.) Input are Poisson place cells; CA3 hears them and itself, CA1 hears them and
CA3; two neurons that inhibit each other hear CA1 and choose. Recurrent synapses join CA3 cells of
neighbouring places, as Hebb's rule would; synapses onto CA1 are random; those onto the choice learn by R-STDP
from the outcome less its running mean.

    point             senses and recall on one membrane (`LIF`), one time constant
    point, Gamma      time constants drawn from a Gamma distribution
    dendrites         senses basal, recall on an apical dendrite with plateau (`TwoCompartment`)
    dendrites, Gamma  time constants of apical dendrites drawn from a Gamma distribution

Parameters are synapses and cell constants, counted for each cell; point networks have as many more CA3 cells
as bring them to the number of the others. The gains, time constants of 20 ms to 10 s (of membranes, or of
apical dendrites) and rates of learning of each arm are the best of `--draws` random ones, the best few of
them on more seeds; seeds measured are others. Tests after learning, with one part taken away, say what
carries the memory.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tolman.analysis.statistics import bootstrap_interval, improvement_interval, paired_p_value, roc_area
from tolman.envs.tasks.t_maze import TMaze
from tolman.spiking import LIF, Gamma, Modulator, Network, RewardSTDP, TwoCompartment, exponential

Doubles = NDArray[np.float64]

DT, SPEED, FIELD, PEAK = 2e-3, 0.3, 0.12, 50.0  #: s, m/s, m, Hz
SAMPLE, CHOICE, PAUSE = 1.0, 0.3, 0.5  #: s
DELAYS = (0.5, 2.0, 5.0, 10.0)  #: s
CA3, CA1 = 40, 40  #: cells of the networks with dendrites
REFRACTORY = 4e-3  #: s
SLOW = (20e-3, 10.0)  #: s, time constants to choose from
#: Constants of a cell: a point cell has tau, threshold, refractory; one with dendrites three taus, two gains,
#: and a plateau's height, onset and width.
CONSTANTS = {False: 3, True: 10}
ARMS = {
    "point": (False, False),
    "point, Gamma": (False, True),
    "dendrites": (True, False),
    "dendrites, Gamma": (True, True),
}
FIRST_TUNED = 1000  #: seed


class Maze:
    """Places along the T maze, and how a robot that runs a trial comes past them."""

    def __init__(self) -> None:
        task = TMaze(start_jitter=0.0)
        self.ends = [0.5 * np.array([zone.x0 + zone.x1, zone.y0 + zone.y1]) for zone in task.zones]
        self.foot = task.start(np.random.default_rng(0))[:2]
        ways = [self.ends[0], self.ends[1], self.foot]
        self.centres = np.unique(
            np.concatenate(
                [np.linspace(0.0, 1.0, round(np.linalg.norm(w) / 0.1) + 1)[:, None] * w for w in ways]
            )
            + 0.0,
            axis=0,
        )
        steps = round(float(np.linalg.norm(self.foot)) / SPEED / 0.04)
        self.run = np.linspace(1.0, 0.0, steps)[:, None] * self.foot  # one row each 40 ms

    def near(self, where: Doubles, others: Doubles, width: float = FIELD) -> Doubles:
        """Return how near `where` (k, 2) is to `others` (m, 2), (k, m) in 0..1."""
        apart = np.linalg.norm(where[:, None] - others, axis=2)
        return np.asarray(np.exp(-0.5 * (apart / width) ** 2))


@dataclass(frozen=True)
class Settings:
    """What may be tuned; weights are those of all synapses of a cell together."""

    senses: float  #: place cells on CA3
    recall: float  #: CA3 on CA3
    inhibition: float  #: CA3 on CA3
    direct: float  #: place cells on CA1
    rivalry: float  #: inhibition of CA1 by CA1
    schaffer: float  #: CA3 on CA1
    slow_ca3: float  #: s, of membranes or apical dendrites
    slow_ca1: float  #: s
    variation: float  #: of time constants, for those with a Gamma distribution
    readout: float  #: weight at which CA1 on choice starts
    rate: float  #: of learning
    plateau_ca3: float  #: height, in thresholds
    plateau_ca1: float
    onset_ca3: float  #: of plateaus, in units of the dendrite
    onset_ca1: float
    width: float  #: of their rise, over their onset

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Settings:
        """Draw each from its range, most evenly in the logarithm."""

        def between(low: float, high: float) -> float:
            return float(np.exp(rng.uniform(np.log(low), np.log(high))))

        return cls(
            senses=between(8.0, 60.0), recall=between(0.2, 3.0), inhibition=between(0.3, 30.0),
            direct=between(2.0, 40.0), rivalry=between(3.0, 300.0), schaffer=between(0.2, 20.0),
            slow_ca3=between(*SLOW), slow_ca1=between(*SLOW), variation=between(0.2, 1.0),
            readout=between(0.02, 1.0), rate=between(0.5, 30.0), plateau_ca3=between(0.3, 3.0),
            plateau_ca1=between(0.3, 3.0), onset_ca3=between(0.1, 2.0), onset_ca1=between(0.1, 10.0),
            width=between(0.1, 0.5),
        )  # fmt: skip


class Rat:
    """A network of one arm that runs trials."""

    def __init__(self, maze: Maze, arm: str, settings: Settings, seed: int) -> None:
        self.maze, self.random = maze, np.random.default_rng(seed)
        dendrites, gamma = ARMS[arm]
        n, at = cells_of(arm, maze), maze.centres
        net = self.net = Network(DT, seed)
        self.places = net.poisson("places", len(at), 0.0)
        receptors = {
            "senses": exponential(5e-3),
            "recall": exponential(0.1, compartment="apical" if dendrites else None),
            "inhibition": exponential(10e-3),
        }

        def model(slow: float, plateau: float, onset: float) -> LIF | TwoCompartment:
            tau = Gamma(slow, settings.variation) if gamma else slow
            if not dendrites:
                return LIF(tau_membrane=tau, refractory=REFRACTORY, noise=0.02)
            return TwoCompartment(
                tau_apical=tau, apical_response="plateau", height=plateau, onset=onset,
                width=settings.width * onset, refractory=REFRACTORY, noise=0.02,
            )  # fmt: skip

        inner = model(settings.slow_ca3, settings.plateau_ca3, settings.onset_ca3)
        outer = model(settings.slow_ca1, settings.plateau_ca1, settings.onset_ca1)
        self.ca3 = net.population("ca3", n, inner, receptors)
        self.ca1 = net.population("ca1", CA1, outer, receptors)
        # Half of the cells have fields where reward is, as places of goals have more (Hollup et al. 2001).
        spread = at[np.resize(self.random.permutation(len(at)), n - n // 2)]
        preferred = np.concatenate([np.resize(maze.ends, (n // 2, 2)), spread])
        heard, joined = maze.near(at, preferred), maze.near(preferred, preferred) * (1.0 - np.eye(n))
        net.connect(self.places, self.ca3, "senses", "dense", weight=settings.senses * heard / heard.sum(0))
        self.recurrent = net.connect(
            self.ca3, self.ca3, "recall", "dense", weight=settings.recall * joined / joined.sum(0)
        )
        net.connect(self.ca3, self.ca3, "inhibition", "dense", weight=-settings.inhibition / n)
        net.connect(self.ca1, self.ca1, "inhibition", "dense", weight=-settings.rivalry / CA1)
        for source, receptor, total in (
            (self.places, "senses", settings.direct),
            (self.ca3, "recall", settings.schaffer),
        ):
            drawn = self.random.exponential(1.0, (source.size, CA1))
            net.connect(source, self.ca1, receptor, "dense", weight=total * drawn / drawn.sum(0))
        kinds = {"current": exponential(5e-3), "rival": exponential(20e-3)}
        self.choosers = net.population("choosers", 2, LIF(noise=0.05), kinds)
        self.dopamine = net.modulator("dopamine", Modulator(tau=0.05))
        scale = settings.readout
        self.readout = net.connect(
            self.ca1, self.choosers, wiring="dense", weight=scale, third_factor=self.dopamine,
            rule=RewardSTDP(
                a_plus=0.05, a_minus=0.02, tau_eligibility=0.5, learning_rate=settings.rate * scale,
                high=2.0 * scale,
            ),
        )  # fmt: skip
        net.connect(self.choosers, self.choosers, "rival", ([0, 1], [1, 0]), weight=-2.0)
        self.spikes, self.expected = net.record(self.choosers), 0.0

    def trial(self, delay: float, learn: bool, harm: Callable[[Rat], None] | None = None) -> bool:
        """Run one trial, with `harm` done as the delay ends; tell whether the choice was right."""
        side, net, maze = int(self.random.integers(2)), self.net, self.maze
        self.choosers.drive[:] = -5.0
        self._stay(maze.ends[side], SAMPLE)
        self._stay(maze.foot, delay)
        if harm is not None:
            harm(self)
        for place in maze.run:
            self._stay(place, 0.04)
        self.choosers.drive[:] = 1.2
        self.spikes.clear()
        self._stay(maze.run[-1], CHOICE)
        left, right = self.spikes.counts() + self.random.uniform(0.0, 0.5, 2)
        correct = bool((right > left) != bool(side))
        if learn:
            outcome = 1.0 if correct else -1.0
            self.dopamine.release(outcome - self.expected)
            self.expected += 0.05 * (outcome - self.expected)
        self.places.rates = 0.0
        self._inhibit(-10.0)
        net.run(PAUSE)
        self._inhibit(0.0)
        return correct

    def _inhibit(self, drive: float) -> None:
        """Hold choosers, and CA3 and CA1 by `drive` of their first compartment."""
        self.choosers.drive[:] = -5.0
        self.ca3.drive[:] = self.ca1.drive[:] = drive

    def _stay(self, place: Doubles, seconds: float) -> None:
        self.places.rates = PEAK * self.maze.near(self.maze.centres, place[None])[:, 0]
        self.net.run(seconds)

    def learn(self, trials: int) -> None:
        """Learn over `trials`, of all delays in turn."""
        for k in range(trials):
            self.trial(DELAYS[k % len(DELAYS)], True)

    def test(self, delay: float, trials: int, harm: Callable[[Rat], None] | None = None) -> float:
        """Return the share of `trials` that are right without learning."""
        return float(np.mean([self.trial(delay, False, harm) for _ in range(trials)]))


def cut_recurrence(rat: Rat) -> None:
    """Take CA3's recurrent synapses away."""
    rat.recurrent.weights[...] = 0.0


def reset_cells(rat: Rat) -> None:
    """Return membranes and dendrites to rest: the memory of slow cells."""
    for cells in (rat.ca3, rat.ca1):
        for level in cells.state.values():
            level[...] = 0.0


def parameters(dendrites: bool, n: int, places: int) -> dict[str, int]:
    """Return how many parameters a network with `n` CA3 cells has, by kind."""
    return {
        "learned synapses": 2 * CA1,
        "other synapses": places * (n + CA1) + 2 * n * (n - 1) + n * CA1 + CA1 * CA1,
        "constants of cells": CONSTANTS[dendrites] * (n + CA1),
    }


def cells_of(arm: str, maze: Maze) -> int:
    """Return CA3's size: for point cells the least with no fewer parameters than with dendrites."""
    if ARMS[arm][0]:
        return CA3
    wanted, n, places = sum(parameters(True, CA3, len(maze.centres)).values()), CA3, len(maze.centres)
    while sum(parameters(False, n, places).values()) < wanted:
        n += 1
    return n


def tuned(maze: Maze, arm: str, draws: int) -> tuple[Settings, float]:
    """Return the best of `draws` settings and its accuracy on the seeds that choose it."""
    rng = np.random.default_rng(FIRST_TUNED)
    settings = [Settings.drawn(rng) for _ in range(draws)]

    def accuracy(one: Settings, seed: int, learned: int, tested: int) -> float:
        rat = Rat(maze, arm, one, seed)
        rat.learn(learned)
        return float(np.mean([rat.test(delay, tested) for delay in DELAYS]))

    first = np.array([accuracy(one, FIRST_TUNED + k, 40, 5) for k, one in enumerate(settings)])
    best = np.argsort(-first, kind="stable")[:5]
    again = [np.mean([accuracy(settings[k], 2 * FIRST_TUNED + seed, 80, 8) for seed in (0, 1)]) for k in best]
    return settings[int(best[np.argmax(again)])], float(np.max(again))


def measured(
    maze: Maze, arm: str, settings: Settings, seed: int, learned: int, tested: int
) -> dict[str, float]:
    """Return one seed's accuracy by delay, with parts taken away at the longest, and rates."""
    rat = Rat(maze, arm, settings, seed)
    rat.learn(learned)
    out = {f"{delay:g} s": rat.test(delay, tested) for delay in DELAYS}
    weights = rat.recurrent.weights.copy()
    out["10 s, cells reset"] = rat.test(DELAYS[-1], tested, reset_cells)
    out["10 s, recurrence cut"] = rat.test(DELAYS[-1], tested, cut_recurrence)
    rat.recurrent.weights[...] = weights
    return out


def main() -> None:
    """Tune, measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--trials", type=int, default=100, help="in which a network learns")
    parser.add_argument("--tested", type=int, default=20, help="trials of each delay without learning")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    begin, maze = time.time(), Maze()
    results: dict[str, Any] = {
        "command": "python benchmarks/dendrites.py --draws 200 --json benchmarks/results/dendrites.json",
        "seeds": options.seeds, "draws": options.draws, "trials": options.trials, "arms": {},
    }  # fmt: skip
    means: dict[str, Doubles] = {}
    for arm, (dendrites, _) in ARMS.items():
        count = parameters(dendrites, cells_of(arm, maze), len(maze.centres))
        settings, chosen = tuned(maze, arm, options.draws)
        runs = [
            measured(maze, arm, settings, seed, options.trials, options.tested)
            for seed in range(options.seeds)
        ]
        table = {name: np.array([run[name] for run in runs]) for name in runs[0]}
        means[arm] = np.mean([table[f"{delay:g} s"] for delay in DELAYS], axis=0)
        table["all delays"] = means[arm]
        results["arms"][arm] = {
            "ca3 cells": cells_of(arm, maze), "parameters": count, "total": sum(count.values()),
            "tuned": chosen, "settings": asdict(settings),
            "accuracy": {
                name: {"value": float(v.mean()), "ci95": bootstrap_interval(v), "seeds": v.tolist()}
                for name, v in table.items()
            },
        }  # fmt: skip
        print(f"{arm}: {count}, {sum(count.values())} in all; {chosen:.2f} in tuning")
        for name, score in results["arms"][arm]["accuracy"].items():
            low, high = score["ci95"]
            print(f"  {name:22} {score['value']:.3f} ({low:.3f} to {high:.3f})", flush=True)
    results["improvement"] = {}
    for arm in list(ARMS)[1:]:
        pair = means[arm], means["point"]
        results["improvement"][f"{arm} over point"] = {
            "probability": roc_area(*pair), "ci95": improvement_interval(*pair), "p": paired_p_value(*pair),
        }  # fmt: skip
        print(f"{arm} over point:", results["improvement"][f"{arm} over point"])
    results["seconds"] = round(time.time() - begin)
    print(f"{results['seconds']} s")
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
