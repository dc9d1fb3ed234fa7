"""Congruent and opposite cells against the theory: optimal variance, weights, conflict, on ring and torus.

    python benchmarks/cue_integration.py --json benchmarks/results/cue_integration.json

Every trial starts silent, settles for 0.5 s and is read over the next 0.24 s. Optimal is the combination of
the variances that the same ring has when either cue comes alone. Intervals: 95 %, bootstrap over seeds.

A cue's strength is the peak rate, Hz, of the cells that carry it; a pair of strengths is vision, path
integration. A ring has decided when it answers within a sixth of the conflict from one of the two cues.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from tolman.analysis.statistics import bootstrap_interval, roc_area
from tolman.memory.cue_code import HOLES, RingCode, TorusCode
from tolman.memory.cue_integration import CueConfig, CueNetwork, theory

Doubles = NDArray[np.float64]
Vectors = NDArray[np.complex128]
SETTLE, WINDOW = 500, 240  #: ms
RINGS = {"congruent_vision": 2, "opposite_vision": 3, "congruent_path": 4, "opposite_path": 5, "decision": 6}
RATIOS = {"1:1": (60.0, 60.0), "1:2": (40.0, 80.0), "1:4": (20.0, 80.0), "4:1": (80.0, 20.0)}
CONFLICTS = np.arange(0, 181, 15)  #: degrees


def trials(
    network: CueNetwork, places: Doubles, strengths: tuple[float, float], n: int, window: int = WINDOW
) -> Vectors:
    """Return the vectors (n, rows, waves) of `n` trials with cues at `places` (2, 1 or 2)."""
    cues = np.stack([network.cue(place, hz) for place, hz in zip(places, strengths, strict=True)])
    out = []
    for _ in range(n):
        network.clear()
        network.advance(cues, SETTLE)
        out.append(network.vectors(network.advance(cues, window)))
    return np.array(out)


def ring_places(conflict: float) -> Doubles:
    """Return the angles (2, 1) of two cues `conflict` degrees apart."""
    half = np.radians(conflict) / 2.0
    return np.array([[-half], [half]])


def variance(vectors: Vectors) -> Doubles:
    """Return the circular variances, rad^2, of the angles of `vectors` (n, ...)."""
    units = vectors / np.maximum(np.abs(vectors), 1e-12)
    return np.asarray(-2.0 * np.log(np.maximum(np.abs(units.mean(axis=0)), 1e-12)), np.float64)


def networks(seeds: range, config: CueConfig) -> list[CueNetwork]:
    return [CueNetwork(config, seed) for seed in seeds]


def optimality(seeds: range, n: int) -> dict[str, Any]:
    """Return, for each ratio and ring, the variance with both cues over the optimal one."""
    out: dict[str, Any] = {}
    for ratio, (first, second) in RATIOS.items():
        singles: dict[str, list[Doubles]] = {"first": [], "second": [], "both": [], "turned": []}
        for network in networks(seeds, CueConfig()):
            agree, apart = ring_places(0.0), ring_places(180.0)
            singles["first"].append(variance(trials(network, agree, (first, 0.0), n))[:, 0])
            singles["second"].append(variance(trials(network, agree, (0.0, second), n))[:, 0])
            singles["both"].append(variance(trials(network, agree, (first, second), n))[:, 0])
            singles["turned"].append(variance(trials(network, apart, (first, second), n))[:, 0])
        a, b = np.array(singles["first"]), np.array(singles["second"])
        out[ratio] = {}
        for ring, row in RINGS.items():
            # Opposite cells combine what lies half a turn apart.
            c = np.array(singles["turned" if ring.startswith("opposite") else "both"])

            def over(
                units: Doubles, axis: int = -1, all_three: tuple[Doubles, ...] = (a, b, c), row: int = row
            ) -> Doubles:
                del axis
                pick = units.astype(int)
                means = [v[pick, row].mean(axis=-1) for v in all_three]
                return np.asarray(means[2] * (1.0 / means[0] + 1.0 / means[1]))

            units = np.arange(len(a), dtype=np.float64)
            out[ratio][ring] = {
                "over_optimal": float(over(units)),
                "interval": bootstrap_interval(units, over),
                "degrees": [float(np.degrees(np.sqrt(v[:, row].mean()))) for v in (a, b, c)],
            }
    return out


def weights(seeds: range, n: int, conflict: float = 20.0) -> dict[str, Any]:
    """Return the slope of the measured weight of vision over the optimal one."""
    pairs = [(10.0, 80.0), (20.0, 80.0), (40.0, 80.0), (60.0, 60.0), (80.0, 40.0), (80.0, 20.0), (80.0, 10.0)]
    rings = [ring for ring in RINGS if not ring.startswith("opposite")]
    rows = [RINGS[ring] for ring in rings]
    measured, optimal = np.zeros((len(seeds), len(pairs), 3)), np.zeros((len(seeds), len(pairs), 3))
    for s, network in enumerate(networks(seeds, CueConfig())):
        for p, (first, second) in enumerate(pairs):
            a = variance(trials(network, ring_places(0.0), (first, 0.0), n))[rows, 0]
            b = variance(trials(network, ring_places(0.0), (0.0, second), n))[rows, 0]
            both = trials(network, ring_places(conflict), (first, second), n)[:, rows, 0]
            units = both / np.abs(both)
            measured[s, p] = 0.5 - np.degrees(np.angle(units.mean(axis=0))) / conflict
            optimal[s, p] = (1.0 / a) / (1.0 / a + 1.0 / b)
    out: dict[str, Any] = {"pairs_hz": pairs, "conflict_degrees": conflict}
    for k, ring in enumerate(rings):
        # The optimal weight of one seed is itself noisy: the mean over seeds is what the slope is over.
        x = optimal[:, :, k].mean(axis=0)
        slopes = np.array([np.polyfit(x, measured[s, :, k], 1)[0] for s in range(len(seeds))])
        out[ring] = {
            "slope": float(slopes.mean()),
            "interval": bootstrap_interval(slopes),
            "measured": measured[:, :, k].mean(axis=0).tolist(),
            "optimal": x.tolist(),
            "largest_difference": float(np.abs(measured[:, :, k].mean(axis=0) - x).max()),
        }
    return out


def transition(seeds: range, n: int) -> dict[str, Any]:
    """Return how the deciding ring answers as the conflict grows."""
    out: dict[str, Any] = {"conflict_degrees": CONFLICTS.tolist()}
    for ratio, strengths in RATIOS.items():
        decided, vision, mean, spread = [], [], [], []
        for conflict in CONFLICTS:
            angles = np.concatenate(
                [
                    np.angle(trials(network, ring_places(conflict), strengths, n)[:, RINGS["decision"], 0])
                    for network in networks(seeds, CueConfig())
                ]
            )
            half = np.radians(conflict) / 2.0
            to_vision = np.abs(np.angle(np.exp(1j * (angles + half))))
            to_path = np.abs(np.angle(np.exp(1j * (angles - half))))
            near = np.minimum(to_vision, to_path) < half / 3.0
            decided.append(float(near.mean()) if conflict > 0 else float("nan"))
            vision.append(float((to_vision < to_path).mean()))
            mean.append(float(np.degrees(np.angle(np.exp(1j * angles).mean()))))
            spread.append(float(np.degrees(np.sqrt(variance(np.exp(1j * angles))))))
        share = np.array(decided[1:])
        edge = np.interp(0.5, np.maximum.accumulate(share), CONFLICTS[1:])
        out[ratio] = {
            "decided": decided,
            "for_vision": vision,
            "mean_degrees": mean,
            "spread_degrees": spread,
            "half_decided_at_degrees": float(edge),
        }
    return out


def conflict_signal(seeds: range, n: int) -> dict[str, Any]:
    """Return opposite activity over conflict, and how well a conflict of >= 60 degrees is told from none."""
    out: dict[str, Any] = {"conflict_degrees": CONFLICTS.tolist()}
    for ratio, strengths in RATIOS.items():
        activity = []
        for conflict in CONFLICTS:
            z = np.abs(
                [trials(x, ring_places(conflict), strengths, n)[:, 2:6, 0] for x in networks(seeds, FOUR)]
            )
            activity.append(z.mean(axis=(0, 1)))
        opposite, congruent = np.array(activity)[:, 1::2].sum(axis=1), np.array(activity)[:, 0::2].sum(axis=1)
        out[ratio] = {
            "opposite_spikes": opposite.tolist(),
            "congruent_spikes": congruent.tolist(),
            "rises_at_every_step": bool(np.all(np.diff(opposite) > 0.0)),
            "rank_correlation": float(spearmanr(CONFLICTS, opposite).statistic),
        }
        for seconds in (0.12, 0.25, 0.5, 1.0):
            told = {"index": [], "opposite": []}  # type: dict[str, list[float]]
            for network in networks(seeds, FOUR):
                agree = onset(network, ring_places(0.0), strengths, seconds, n)
                for conflict in (60.0, 90.0, 180.0):
                    apart = onset(network, ring_places(conflict), strengths, seconds, n)
                    for name, column in (("index", 0), ("opposite", 1)):
                        told[name].append(roc_area(apart[:, column], agree[:, column]))
            for name, values in told.items():
                at = np.array(values).reshape(-1, 3)
                out[ratio][f"auc_{name}_within_{seconds:g}_s"] = {
                    f"{d:g}_degrees": [float(v.mean()), *bootstrap_interval(v)]
                    for d, v in zip((60.0, 90.0, 180.0), at.T, strict=True)
                }
    return out


def onset(
    network: CueNetwork, places: Doubles, strengths: tuple[float, float], seconds: float, n: int
) -> Doubles:
    """Return conflict index and opposite activity (n, 2) in the first `seconds` after the cues came."""
    cues = np.stack([network.cue(place, hz) for place, hz in zip(places, strengths, strict=True)])
    out = np.empty((n, 2))
    for k in range(n):
        network.clear()
        power = np.abs(network.vectors(network.advance(cues, round(seconds * 1000)))[2:6]) ** 2
        congruent, opposite = power[0::2].sum(), power[1::2].sum()
        out[k] = (opposite - congruent) / max(opposite + congruent, 1e-12), np.sqrt(opposite)
    return out


def against_theory(seeds: range, n: int) -> dict[str, Any]:
    """Compare the rings' vectors with the product and the quotient of what the cues' cells say."""
    out: dict[str, Any] = {"network": [], "theory": [], "turned_degrees": []}
    for strengths in RATIOS.values():
        for conflict in CONFLICTS:
            z = np.mean(
                [
                    trials(x, ring_places(conflict), strengths, n).mean(axis=0)[:, 0]
                    for x in networks(seeds, FOUR)
                ],
                axis=0,
            )
            expected = theory(z[0], z[1], FOUR.reciprocal)
            out["network"].append((RingCode().tuning * np.abs(z[2:6])).tolist())
            out["theory"].append((RingCode().tuning * np.abs(expected)).tolist())
            out["turned_degrees"].append(np.degrees(np.angle(z[2:6] / expected)).tolist())
    network, expected = np.array(out["network"]), np.array(out["theory"])
    large = expected > 0.1 * expected.max()
    out["r_squared"] = float(np.corrcoef(network.ravel(), expected.ravel())[0, 1] ** 2)
    out["slope"] = float(np.polyfit(expected.ravel(), network.ravel(), 1)[0])
    out["largest_relative_error"] = float(np.abs(network / expected - 1.0)[large].max())
    out["largest_turn_degrees"] = float(np.abs(np.array(out["turned_degrees"]))[large].max())
    return out


def torus(seeds: range, n: int) -> dict[str, Any]:
    """Compare three ways to be opposite on a torus, over shifts of the place cue in all directions."""
    ways = {"two holes": HOLES, "half a period along both axes": ((0.5, 0.5),), "one hole": (HOLES[0],)}
    out: dict[str, Any] = {}
    grid = [(a / 6.0, b / 6.0) for a in range(6) for b in range(6)]
    for name, holes in ways.items():
        config = CueConfig(TorusCode(holes=holes), decide=False)
        errors, index, told = [], [], []
        for shift in grid:
            places = np.array([[0.2, 0.1], [0.2 + shift[0], 0.1 + shift[1]]])
            z = np.mean(
                [trials(x, places, (60.0, 60.0), n).mean(axis=0) for x in networks(seeds, config)], axis=0
            )
            expected = theory(z[0], z[1], config.reciprocal)
            errors.append(np.abs(z[3::2][:2] - expected[1::2]).sum() / np.abs(expected[0::2]).sum())
            power = np.abs(z[2:6]) ** 2
            index.append((power[1::2].sum() - power[0::2].sum()) / power.sum())
            if shift == (0.0, 0.0):
                continue
            values = []
            for network in networks(seeds, config):
                same = onset(network, np.array([[0.2, 0.1]] * 2), (60.0, 60.0), 0.25, n)[:, 0]
                values.append(roc_area(onset(network, places, (60.0, 60.0), 0.25, n)[:, 0], same))
            told.append(float(np.mean(values)))
        out[name] = {
            "error_of_opposite_over_congruent": float(np.mean(errors)),
            "index_at_agreement": float(index[0]),
            "index_elsewhere": [float(min(index[1:])), float(max(index[1:]))],
            "auc_within_0.25_s_worst_shift": min(told),
            "auc_within_0.25_s_mean": float(np.mean(told)),
        }
    single: dict[str, Any] = {}
    for ratio, (first, second) in RATIOS.items():
        config, places = CueConfig(TorusCode(), decide=False), np.full((2, 2), 0.2)
        values = np.array(
            [
                [variance(trials(x, places, pair, 4 * n))[2, :2].mean() for x in networks(seeds, config)]
                for pair in ((first, 0.0), (0.0, second), (first, second))
            ]
        ).mean(axis=1)
        single[ratio] = float(values[2] * (1.0 / values[0] + 1.0 / values[1]))
    return out | {"variance_over_optimal": single}


def cost() -> dict[str, float]:
    """Return the microseconds of a control period of 40 ms, median of 300."""
    out = {}
    for name, config in (
        ("ring of 72", FOUR),
        ("ring of 72, deciding", CueConfig()),
        ("torus of 9 x 9", CueConfig(TorusCode(), decide=False)),
        ("torus of 9 x 9, deciding", CueConfig(TorusCode())),
    ):
        network = CueNetwork(config, 0)
        place = np.full(1 if isinstance(config.code, RingCode) else 2, 0.3)
        cues, times = np.stack([network.cue(place, 60.0)] * 2), []
        for _ in range(320):
            start = time.perf_counter()
            network.advance(cues, 40)
            times.append(time.perf_counter() - start)
        out[name] = float(np.median(times[20:]) * 1e6)
    return out


FOUR = CueConfig(decide=False)  #: without the ring that decides


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw sums against theory, weights, and how a growing conflict is met."""
    from tolman.analysis import style

    with style.house_style():
        figure = style.new_figure(9.0, 2.9)
        theory_ax, weight_ax, conflict_ax = figure.subplots(1, 3)
        found, expected = (np.array(results["theory"][k]) for k in ("network", "theory"))
        for columns, label, colour in (
            (slice(0, 4, 2), "congruent", style.BLUE),
            (slice(1, 4, 2), "opposite", style.VERMILION),
        ):
            theory_ax.plot(
                expected[:, columns].ravel(), found[:, columns].ravel(), "o", ms=3, color=colour, label=label
            )
        theory_ax.axline((0, 0), slope=1, color=style.MUTED, lw=0.8)
        theory_ax.set(
            xlabel="concentration, theory", ylabel="concentration, network", title="Product and quotient"
        )
        for ring, label in (
            ("congruent_vision", "vision"),
            ("congruent_path", "path"),
            ("decision", "decision"),
        ):
            w = results["weights"][ring]
            weight_ax.plot(w["optimal"], w["measured"], "o", ms=4, label=label)
        weight_ax.axline((0, 0), slope=1, color=style.MUTED, lw=0.8)
        weight_ax.set(xlabel="optimal weight", ylabel="measured weight", title="Weight of vision")
        for ratio in RATIOS:
            conflict_ax.plot(CONFLICTS, results["transition"][ratio]["decided"], label=ratio)
        conflict_ax.set(xlabel="conflict (degrees)", ylabel="trials decided", title="Averaged, then decided")
        for ax in (theory_ax, weight_ax, conflict_ax):
            ax.legend(fontsize=7.5)
        figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--trials", type=int, default=400)
    arguments = parser.parse_args()
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    n = arguments.trials
    results: dict[str, Any] = {"seeds": list(seeds), "trials": n, "strengths_hz": RATIOS, "cost_us": cost()}
    for name, part in (
        ("optimality", lambda: optimality(seeds, n)),
        ("weights", lambda: weights(seeds, n)),
        ("transition", lambda: transition(seeds, max(n // 10, 2))),
        ("signal", lambda: conflict_signal(seeds, max(n // 4, 2))),
        ("theory", lambda: against_theory(seeds, max(n // 10, 2))),
        ("torus", lambda: torus(seeds, max(n // 20, 2))),
    ):
        results[name] = part()
        print(name, json.dumps(results[name], indent=1), flush=True)
    print(json.dumps(results["cost_us"], indent=1))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if arguments.figure is not None:
        draw(results, arguments.figure)


if __name__ == "__main__":
    main()
