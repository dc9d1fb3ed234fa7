"""Gridness against the scorer that Banino et al. (2018) published, on the same maps.

    python benchmarks/gridness.py FOLDER --peer scores.py --json benchmarks/results/gridness.json

FOLDER is a run of `tolman train OpenField`, whose grid cells are scored, every tenth one; with them go
lattices stretched and drowned in noise by degrees, on a full square. `scores.py` is from
google-deepmind/grid-cells, commit d1a2304, taken as it is. The two differ where the definition is silent: the
peer takes unvisited places for silent ones, and its rings begin at a fifth of the map. `r_in_the_same_rings`
is with our score in the peer's rings.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray
from tolman.analysis.grid_scores import autocorrelograms, gridness
from tolman.analysis.rate_maps import Bins
from tolman.launch.run_folder import RunFolder

Doubles = NDArray[np.float64]
EVERY = 10  #: grid cells of a run
LATTICES = 200
RINGS = (0.2, np.linspace(0.4, 1.0, 10))  #: of the peer's training script, in widths of the map


def peer_module(file: Path) -> ModuleType:
    """Load the peer's file; it names a module of scipy that newer versions have moved."""
    if not hasattr(scipy.ndimage, "interpolation"):
        scipy.ndimage.interpolation = scipy.ndimage
    spec = importlib.util.spec_from_file_location("peer_scores", file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"cannot load {file}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def peer_scores(module: ModuleType, maps: Doubles, minmax: bool) -> Doubles:
    """Score maps (n, k, k) with the peer, in the rings that its own training script uses."""
    rings = [(RINGS[0], float(end)) for end in RINGS[1]]
    size = maps.shape[1]
    scorer = module.GridScorer(size, ((-1.0, 1.0), (-1.0, 1.0)), rings, min_max=minmax)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.array([float(scorer.get_scores(np.nan_to_num(one))[0]) for one in maps])


def lattices(n: int, seed: int = 0) -> Doubles:
    """Return lattices (n, 40, 40) of 0.35 to 0.8 m on 2 m, each stretched and noisier than the one before."""
    rng, bins = np.random.default_rng(seed), Bins.over((-1.0, -1.0), (1.0, 1.0))
    x, y = np.meshgrid(*bins.centres)
    maps = []
    for share in np.linspace(0.0, 1.0, n):
        wave = 4 * np.pi / np.sqrt(3) / rng.uniform(0.35, 0.8)
        angles = rng.uniform(0.0, np.pi) + np.arange(3) * np.pi / 3
        at = x * (1.0 + 0.6 * share * rng.random()) + rng.random(), y + rng.random()
        sheet = np.clip(
            sum(np.cos(wave * (at[0] * np.cos(a) + at[1] * np.sin(a))) for a in angles), 0.0, None
        )
        noise = scipy.ndimage.gaussian_filter(rng.standard_normal(x.shape), 2.0)
        maps.append(np.clip(sheet / sheet.std() + 2.0 * share * noise / noise.std() + 1.0, 0.0, None))
    return np.array(maps)


def main() -> None:
    """Run, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, metavar="FOLDER")
    parser.add_argument("--peer", type=Path, required=True, metavar="FILE")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    module, run = peer_module(arguments.peer), RunFolder(arguments.run)
    modules = {name: run.cells(name).rate[::EVERY] for name in run.populations if name.startswith("grid")}
    sets = {"lattices": lattices(LATTICES)} | modules | {"all cells": np.concatenate(list(modules.values()))}
    result = []
    for name, maps in sets.items():
        correlograms, size = autocorrelograms(maps), maps.shape[1]
        ours = gridness(correlograms)
        same = gridness(correlograms, (RINGS[0] * size, RINGS[1] * size))
        for kind, mine, ringed in zip(("minmax", "mean"), ours, same, strict=True):
            theirs = peer_scores(module, maps, kind == "minmax")
            known = np.isfinite(mine) & np.isfinite(theirs) & np.isfinite(ringed)
            row = {
                "maps": name, "definition": kind, "n": int(known.sum()),
                "r": round(float(np.corrcoef(mine[known], theirs[known])[0, 1]), 4),
                "r_in_the_same_rings": round(float(np.corrcoef(ringed[known], theirs[known])[0, 1]), 4),
                "ours_above_0.4": round(float(np.mean(mine[known] > 0.4)), 3),
                "peer_above_0.4": round(float(np.mean(theirs[known] > 0.4)), 3),
            }  # fmt: skip
            result.append(row)
            print(json.dumps(row), flush=True)
    if arguments.json is not None:
        report = {"peer": "google-deepmind/grid-cells d1a2304", "rows": result}
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
