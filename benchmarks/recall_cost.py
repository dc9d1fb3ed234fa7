"""Cost of a recall and of storing from 1,000 to 100,000 places, in the associative memory and by view.

The associative memory is one network whose size is that which 100,000 places need; patterns are random, cues
half of them. Recognition stores views in which the statistics of a recording are kept (`--recorded`, the LENS
traverses): its own 100 places, and others made of them by exchanging channels and joining halves of two
views; without a recording they are random. What is looked for are the recording's own queries, right within
two places, and other places whose view is turned by up to 4 columns and lacks a fifth of its features, with
as many strangers. Times are of the processor, medians over single calls, one thread; storage times are means
of blocks.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tolman.memory.associative import AssociativeConfig
from tolman.memory.dentate import DentateConfig
from tolman.memory.hippocampus import Hippocampus, HippocampusConfig
from tolman.memory.recognition import PlaceRecognition, RecognitionConfig

Floats = NDArray[np.float32]
SIZES = (1000, 3000, 10_000, 30_000, 100_000)
PROBES = 200


def slope(sizes: list[int], values: list[float]) -> float:
    """Return the slope of log `values` over log `sizes`."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def summary(rows: list[dict[str, float]]) -> dict[str, Any]:
    """Return rows and slopes of what grows."""
    sizes = [int(row["places"]) for row in rows]
    out: dict[str, Any] = {"rows": rows}
    for name in ("recall_ms", "store_ms", "mbytes"):
        out[f"slope of {name}"] = slope(sizes, [row[name] for row in rows])
        print(f"    slope of {name}: {out[f'slope of {name}']:.2f}")
    return out


def associative(sizes: list[int], seed: int) -> dict[str, Any]:
    """Fill one network and recall from half of a pattern at each size."""
    cells, active = 12_288, 20
    config = HippocampusConfig(
        inputs=cells,
        dentate=DentateConfig(granules=2 * cells, active=0.005),
        ca3=AssociativeConfig(neurons=cells, assembly=active, connectivity=1.0, cycles=4),
    )
    memory, rng = Hippocampus(config, seed), np.random.default_rng(seed)
    known: list[NDArray[np.int64]] = []
    rows: list[dict[str, float]] = []
    for size in sizes:
        fresh = [np.sort(rng.choice(cells, active, replace=False)) for _ in range(size - len(known))]
        begin = time.process_time()
        for pattern in fresh:
            memory.store(pattern)
        stored = 1e3 * (time.process_time() - begin) / max(1, len(fresh))
        known += fresh
        times, hits = [], []
        for k in rng.choice(size, PROBES, replace=False):
            cue = rng.choice(known[k], active // 2, replace=False)
            begin = time.process_time()
            recall = memory.recall(cue)
            times.append(1e3 * (time.process_time() - begin))
            shared = np.intersect1d(recall.pattern, known[k]).size
            hits.append(2.0 * shared / (recall.pattern.size + active) >= 0.9)
        rows.append(
            {
                "places": size,
                "recall_ms": float(np.median(times)),
                "store_ms": stored,
                "mbytes": memory.nbytes / 1e6,
                "recalled": float(np.mean(hits)),
            }
        )
        print(f"  associative {rows[-1]}", flush=True)
    return summary(rows)


class Views:
    """Places as sparse features, made of recorded views or drawn."""

    def __init__(self, maps: Floats, seed: int) -> None:
        self.maps, self.rng = maps, np.random.default_rng(seed)

    def other(self) -> Floats:
        """Return the view of another place: halves of two views, with channels exchanged."""
        a, b = self.rng.integers(len(self.maps), size=2)
        half = self.maps.shape[3] // 2
        view = np.concatenate((self.maps[a][:, :, half:], self.maps[b][:, :, :half]), axis=2)
        return np.ascontiguousarray(view[self.rng.permutation(view.shape[0])])

    def turned(self, view: Floats) -> Floats:
        """Return a view seen again: turned, with features lost and strangers in their place."""
        by = int(self.rng.integers(-4, 5))
        out = np.roll(view, by, axis=2)
        if by:
            out[:, :, slice(0, by) if by > 0 else slice(by, None)] = self.other()[:, :, : abs(by)]
        keep = self.rng.random(out.shape) < 0.8
        return np.asarray(np.where(keep, out, 0.2 * self.other()), np.float32)


def sparsest(views: Floats, features: int) -> Floats:
    """Return `views` with their strongest `features` alone."""
    flat = views.reshape(len(views), -1)
    bar = np.partition(flat, -features, axis=1)[:, -features, None]
    return np.where(flat >= bar, flat, 0.0).astype(np.float32).reshape(views.shape)


def recognition(
    sizes: list[int], features: int, maps: Floats, queries: Floats, truth: NDArray[np.bool_] | None, seed: int
) -> dict[str, Any]:
    """Enrol ever more places and look for some of them at each size."""
    views = Views(sparsest(maps, features), seed)
    memory = PlaceRecognition(RecognitionConfig(features=features), maps.shape[1:], seed=seed)
    for view in maps:
        memory.enrol(view)
    probes: dict[int, Floats] = {}
    rows: list[dict[str, float]] = []
    for size in sizes:
        spent, begin_places = 0.0, memory.places
        while memory.places < size:
            view = views.other()
            begin = time.process_time()
            place = memory.enrol(view)
            spent += time.process_time() - begin
            if place % max(1, sizes[0] // PROBES) == 0 and len(probes) < PROBES:
                probes[place] = views.turned(view)
        times, hits = [], []
        for place, cue in probes.items():
            begin = time.process_time()
            match = memory.find(cue)
            times.append(1e3 * (time.process_time() - begin))
            hits.append(match.place == place)
        row = {
            "places": size,
            "recall_ms": float(np.median(times)),
            "store_ms": 1e3 * spent / max(1, memory.places - begin_places),
            "mbytes": memory.nbytes / 1e6,
            "recalled": float(np.mean(hits)),
        }
        if truth is not None:
            found = np.array([memory.find(cue).place for cue in queries])
            apart = np.abs(np.arange(truth.shape[1])[None, :] - found[:, None]).astype(np.float64)
            row["recorded_within_2"] = float((np.where(truth, apart, np.inf).min(axis=1) <= 2.0).mean())
        rows.append(row)
        print(f"  {features} features {row}", flush=True)
    return summary(rows)


def recorded(file: Path) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return the sparse views of a recording's reference and queries, and the truth."""
    from tolman.agent.vision.recognizer import Recognizer, RecognizerConfig
    from tolman.launch.localizing import load_traverses

    traverses = load_traverses(file)
    if traverses is None or traverses[2] is None:
        raise SystemExit(f"{file} does not hold reference, query and ground_truth")
    reference, queries, truth = traverses
    recognizer = Recognizer(RecognizerConfig(), reference.shape[1:], 0)
    images = np.stack([recognizer.image(frame) for frame in reference])
    recognizer.study(images)
    encode = recognizer.views.encode
    return (
        np.stack([encode(x) for x in images]),
        np.stack([encode(recognizer.image(x)) for x in queries]),
        truth,
    )


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--most", type=int, default=SIZES[-1], help="places at most")
    parser.add_argument("--recorded", type=Path, metavar="FILE")
    parser.add_argument("--features", type=int, nargs="+", default=[400, 1500], help="features a view")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    sizes = [size for size in SIZES if size <= options.most]
    results: dict[str, Any] = {
        "command": "python benchmarks/recall_cost.py --recorded lens_davis128.npz "
        "--json benchmarks/results/recall_cost.json",
        "associative": associative(sizes, options.seed),
    }
    truth = None
    if options.recorded is not None:
        maps, queries, truth = recorded(options.recorded)
    else:
        rng = np.random.default_rng(options.seed)
        shape = (100, 96, 8, 24)
        maps = np.asarray(rng.random(shape) * (rng.random(shape) < 0.05), np.float32)
        queries = maps[:0]
    for features in options.features:
        results[f"recognition, {features} features"] = recognition(
            sizes, features, maps, queries, truth, options.seed
        )
        if options.json is not None:
            options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
