"""The map read from the agent's place cells, against the true arena: distances, a detour, a drawing.

    python benchmarks/topology.py --seeds 3 --json benchmarks/results/topology.json

The robot roams a square of 2 m that a wall divides but for a gap. True distances are shortest paths around
the wall between the fields' true centres. Across the wall the straight line is far shorter than the way, and
a map is worth its name if it knows. Node positions, relaxed and as first chained, are compared with the true
centres after the best turn and shift (no scaling).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib
import numpy as np
from lived import WALL, Drive, Life, record, walled
from numpy.typing import NDArray
from replay import centres
from tolman.memory.config import MemoryConfig
from tolman.memory.map import PlaceMap

matplotlib.use("Agg")
import matplotlib.pyplot as plt

Doubles = NDArray[np.float64]
ROUND = np.array([0.0, WALL[0][3] + 0.1])  #: where ways round the wall turn


def true_distances(where: Doubles) -> Doubles:
    """Return the length (n, n) of the shortest way around the wall between points (n, 2)."""
    straight = np.hypot(*(where[:, None] - where[None]).transpose(2, 0, 1))
    x, y = where.T
    with np.errstate(divide="ignore", invalid="ignore"):
        share = x[:, None] / (x[:, None] - x[None])
        height = y[:, None] + share * (y[None] - y[:, None])
    across = (x[:, None] * x[None] < 0.0) & (height < ROUND[1])
    to_turn = np.hypot(*(where - ROUND).T)
    return np.where(across, to_turn[:, None] + to_turn[None], straight)


def aligned(points: Doubles, truth: Doubles) -> Doubles:
    """Turn and shift `points` (n, 2) onto `truth` (Procrustes without scaling)."""
    a, b = points - points.mean(axis=0), truth - truth.mean(axis=0)
    u, _, vt = np.linalg.svd(a.T @ b)
    turn = u @ np.diag([1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    return np.asarray(a @ turn + truth.mean(axis=0))


def score(drive: Drive, life: Life) -> tuple[dict[str, object], PlaceMap, Doubles]:
    """Return the scores, the map and the true centres."""
    graph, where = life.memory.recollection.map, centres(drive, life)
    distances = np.array([graph.distances(k) for k in range(graph.size)])
    known = ~np.isnan(where[:, 0]) & (np.isfinite(distances).sum(axis=1) > graph.size // 2)
    truth = true_distances(where)
    straight = np.hypot(*(where[:, None] - where[None]).transpose(2, 0, 1))
    pairs = np.triu(known[:, None] & known[None] & np.isfinite(distances), 1)
    across = pairs & (truth > 1.5 * straight) & (truth > 0.8)
    a, b = np.nonzero(pairs & graph.edges)
    through = float((truth[a, b] > straight[a, b] + 0.3).mean())
    out: dict[str, object] = {
        "places": graph.size, "joined": int(known.sum()), "edges": len(a),
        "edges_through_the_wall": round(through, 3),
        "r_with_true_way": round(float(np.corrcoef(distances[pairs], truth[pairs])[0, 1]), 3),
        "r_with_straight_line": round(float(np.corrcoef(distances[pairs], straight[pairs])[0, 1]), 3),
        "length_over_true": round(float(np.median(distances[pairs] / truth[pairs])), 3),
        "pairs_across": int(across.sum()),
    }  # fmt: skip
    if across.any():
        ways = {"map": distances, "true": truth, "straight": straight}
        out["m_across"] = {n: round(float(d[across].mean()), 2) for n, d in ways.items()}
    for name, points in (("chained", graph.chained()), ("relaxed", graph.positions())):
        ok = known & ~np.isnan(points[:, 0])
        error = np.hypot(*(aligned(points[ok], where[ok]) - where[ok]).T)
        out[f"error_{name}_m"] = round(float(error.mean()), 3)
        out[f"strain_{name}_m"] = round(graph.strain(points), 3)
    short = graph.shortcuts(within=0.5)
    behind = [true_distances(where[[s.a, s.b]])[0, 1] > s.straight + 0.3 for s in short]
    out["shortcuts"] = {"guessed": len(short), "wall_between": int(np.sum(behind))}
    # The busiest edge on a way is reported as blocked: the way must change and grow.
    far = np.where(pairs, distances, 0.0)
    a0, b0 = (int(k) for k in np.unravel_index(int(np.argmax(far)), far.shape))
    way = graph.route(a0, b0)
    middle = len(way) // 2
    blocked = graph.block(way[middle - 1], way[middle])
    out["blocked"] = {
        "before_m": round(float(graph.distances(a0)[b0]), 2),
        "after_m": round(float(blocked.distances(a0)[b0]), 2),
        "value_before": float(graph.value(b0)[way[middle - 1]]),
        "value_after": float(blocked.value(b0)[way[middle - 1]]),
    }  # fmt: skip
    return out, graph, where


def draw(graph: PlaceMap, where: Doubles, path: Path) -> None:
    """Draw the relaxed map over the wall."""
    points = graph.positions()
    ok = ~np.isnan(points[:, 0]) & ~np.isnan(where[:, 0])
    placed = np.full_like(points, np.nan)
    placed[ok] = aligned(points[ok], where[ok])
    figure, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
    for axis, at, title in ((axes[0], placed, "map, relaxed"), (axes[1], where, "true centres of fields")):
        for a, b in zip(*np.nonzero(np.triu(graph.edges)), strict=True):
            axis.plot(*at[[a, b]].T, color="0.7", lw=0.8, zorder=1)
        value = graph.value(int(np.nanargmax(where[:, 0] - where[:, 1])))
        axis.scatter(*at.T, c=np.log(np.maximum(value, 1e-9)), s=26, zorder=2)
        axis.plot(WALL[0][::2], WALL[0][1::2], color="k", lw=3)
        axis.set(title=title, xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xlabel="x (m)", ylabel="y (m)")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Run, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--seconds", type=float, default=600.0, metavar="S")
    parser.add_argument("--figure", type=Path, metavar="PNG", help="draw the last map")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    runs = []
    for seed in range(1, 1 + arguments.seeds):
        drive = record("OpenField", arguments.seconds, seed, arena=walled())
        life = drive.live(MemoryConfig(), seed)
        scored, graph, where = score(drive, life)
        runs.append({"seed": seed, **scored})
        print(json.dumps(runs[-1]), flush=True)
        if arguments.figure is not None:
            draw(graph, where, arguments.figure)
    if arguments.json is not None:
        command = "python benchmarks/topology.py --seeds 3 --json benchmarks/results/topology.json"
        arguments.json.write_text(json.dumps({"command": command, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
