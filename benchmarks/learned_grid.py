"""Grid cells that are built in against grid cells that are to be learned, on the same paths.

    python benchmarks/learned_grid.py --json benchmarks/results/learned_grid.json --figure maps.png

Trains the recipes of `learned_integrator` (15 minutes for one seed of both, on one core), then drives the
networks and the agent's spiking ring and sheets along walks of a simulated rat (`rat_walks`) that none has
met, and along a recorded rat's path, whose box of 1 m lies in the middle of the trained one of 2.2 m. Nobody
sees anything: start pose and motion are all there is. `--networks FOLDER` keeps networks, and trains only
what is not there.

path integration  distance of the decoded place from the true one so long after the start, m; intervals over
                  walks. `turns` are given speed and turns, as the gaussian recipe is, `velocity` the
                  velocity in the room's frame, as the dog recipe is.
gridness          of mean activity by place over 100 walks of 12 s, begun anew every 12 s, or as often as in
                  training; shuffles shift each unit's activity in time, round and round; intervals over
                  units. `grid` is the share above 0.4, `significant` that above 95 % of shuffles.
modules           modes of a density, with a kernel of 8 %, over the logarithms of the scales of units with
                  gridness (mean of the rotations) above 0.4
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tolman.analysis.grid_scores import autocorrelograms, grid_scales, gridness
from tolman.analysis.rate_maps import Bins, mean_map
from tolman.analysis.shuffles import LEAST_SHIFT, against
from tolman.analysis.statistics import bootstrap_interval
from tolman.analysis.style import RATE_MAP, house_style, new_figure
from tolman.memory.grid import GridConfig, calibrate
from tolman.memory.heading import HeadDirection, HeadingConfig

sys.path.insert(0, str(Path(__file__).parent))
from path_integration import Sheets, given_turns
from rat_paths import PERIOD, MissingPathError, Motion, find, load, motion
from rat_walks import Rat, as_motion, walk

if TYPE_CHECKING:
    from learned_integrator import Codes, Integrator

Doubles = NDArray[np.float64]

SIDE = 2.2  #: m, the box
HORIZONS = (1.2, 4.8, 15.0, 60.0)  #: s; whole steps of a network
SECONDS = 60.0  #: of a walk on which path integration is measured
MAPPED, STRETCH = (
    100,
    12.0,
)  #: walks and s of each that maps are made of, as long as the LSTM's training walks
EVERY = 10  #: cells of the spiking modules that are mapped
SHEETS = 16  #: of the calibration, as in `path_integration`
GRID = 0.4  #: gridness above which a unit counts as a grid cell
KERNEL = 0.08  #: of the density of log scales
#: Walks like those of training, and walks unlike them. The robot's turns are what the ring is made for.
RATS = {
    "as trained": Rat(),
    "a third of the speed": Rat(speed=0.13 / 3.0),
    "twice the speed": Rat(speed=0.26),
    "three times the speed": Rat(speed=0.39),
    "turns of a robot": Rat(turn=1.0, turn_time=0.3, avoid=2.5, fastest_turn=3.0, sight=0.4),
}


def recorded(walks: int) -> list[Motion]:
    """Return pieces of the recorded rat's path in the middle of the box, none where it is not installed."""
    try:
        path = motion(load(find("sargolini")))
    except MissingPathError as missing:
        print(f"{missing}; going on without", flush=True)
        return []
    middle = 0.5 * (path.place.min(axis=0) + path.place.max(axis=0))
    return pieces([replace(path, place=path.place - middle)], round(SECONDS / PERIOD))[:walks]


def pieces(paths: list[Motion], periods: int) -> list[Motion]:
    """Return `paths` cut into pieces of `periods`; what is left over at the ends goes."""
    return [
        Motion(
            path.place[first : first + periods + 1],
            path.velocity[first : first + periods],
            path.heading[first : first + periods + 1],
            path.body[first : first + periods],
        )
        for path in paths
        for first in range(0, len(path.velocity) - periods + 1, periods)
    ]


def simulated(rat: Rat, walks: int, seconds: float, seed: int) -> list[Motion]:
    """Return walks that no network was trained on."""
    places, headings = walk(walks, seconds, SIDE, rat, 10_000 + seed)
    return [as_motion(*pair) for pair in zip(places, headings, strict=True)]


class SpikingModules:
    """The agent's ring and sheets, with gains from constant drives."""

    def __init__(self, seed: int) -> None:
        begun = time.process_time()
        self.sheets = Sheets(GridConfig(), calibrate(GridConfig(), SHEETS), seed)
        self.ring = HeadDirection(HeadingConfig(), seed)
        self.needed = {"cpu_s": round(time.process_time() - begun, 1)}
        ring, modules = self.ring, self.sheets.modules
        self.needed |= {
            "neurons": ring.size + sum(m.size for m in modules),
            "synapses": ring.synapses + sum(m.synapses for m in modules),
            "free_numbers_measured": len(ring.table.drives) + len(modules[0].table.drives),
        }

    def velocity(self, path: Motion) -> Doubles:
        """Return places (k, 2) of the sheets, given the velocity."""
        self.sheets.set(path.place[0])
        return np.array([self.sheets.advance(v) for v in path.velocity])

    def turns(self, path: Motion) -> Doubles:
        """Return places (k, 2) of the sheets, given the body's velocity along the ring's heading."""
        self.sheets.set(path.place[0])
        return given_turns(self.ring, self.sheets, float(path.heading[0]), path.turn_rate, path.body)[0]

    def activity(self, paths: list[Motion], turning: bool) -> Doubles:
        """Return spikes (periods of all paths, cells) of every tenth cell."""
        sheets, size = self.sheets, self.sheets.modules[0].size
        chosen = np.arange(0, size * len(sheets.modules), EVERY)
        rows: list[NDArray[np.uint8]] = []
        advance = sheets.advance

        def noted(velocity: Doubles) -> Doubles:
            place = advance(velocity)
            counts = [np.bincount(s[:, 1], minlength=size) for s in sheets.spikes]
            rows.append(np.concatenate(counts)[chosen].astype(np.uint8))
            return place

        sheets.advance = noted  # type: ignore[method-assign]
        for path in paths:
            self.turns(path) if turning else self.velocity(path)
        del sheets.advance
        return np.array(rows, np.float64)


def learned_places(network: Integrator, codes: Codes, paths: list[Motion]) -> Doubles:
    """Return decoded places (walks, horizons, 2)."""
    import torch
    from learned_integrator import STEP, Decoder

    path, decoder = given(codes, paths), Decoder(codes)
    with torch.no_grad():
        output = network(path.start, path.motion)[1]
    at = [round(seconds / STEP) - 1 for seconds in HORIZONS]
    return np.stack([decoder(output[:, k]) for k in at], axis=1)


def given(codes: Codes, paths: list[Motion]) -> Any:
    """Return `paths` as a network is given them."""
    from learned_integrator import PERIODS, stretch

    places = np.stack([path.place[::PERIODS] for path in paths])
    return stretch(codes, places, np.array([path.heading[0] for path in paths]))


def distances(decoded: Doubles, paths: list[Motion]) -> Doubles:
    """Return errors (walks, horizons), m, of `decoded` (walks, horizons, 2)."""
    true = np.stack([[path.place[round(t / PERIOD)] for t in HORIZONS] for path in paths])
    return np.asarray(np.hypot(*(decoded - true).transpose(2, 0, 1)))


def at_horizons(places: Doubles) -> Doubles:
    """Return of places (k, 2), one a period, those at the horizons."""
    return np.asarray(places[[round(t / PERIOD) - 1 for t in HORIZONS]])


def chance(paths: list[Motion]) -> Doubles:
    """Return errors (walks, horizons) of whoever believes to be in the middle of the box."""
    return distances(np.zeros((len(paths), len(HORIZONS), 2)), paths)


def summary(errors: Doubles) -> list[dict[str, Any]]:
    """Return mean and interval over walks of `errors` (walks, horizons)."""
    return [
        {
            "after_s": t,
            "mean_m": round(float(column.mean()), 4),
            "ci95": [round(x, 4) for x in bootstrap_interval(column)],
        }
        for t, column in zip(HORIZONS, errors.T, strict=True)
    ]


def modes(scales: Doubles) -> list[float]:
    """Return the modes, m, of a density over the logarithms of `scales` (n,), none below a tenth of the top.

    Modules of grid cells are told from each other like that in Stensola et al. 2012, Nature 492:72.
    """
    if scales.size < 5:
        return []
    axis = np.linspace(np.log(0.1), np.log(4.0), 800)
    density = np.exp(-0.5 * ((axis[:, None] - np.log(scales)) / KERNEL) ** 2).sum(axis=1)
    top = (
        (density[1:-1] > density[:-2])
        & (density[1:-1] >= density[2:])
        & (density[1:-1] > 0.1 * density.max())
    )
    return np.exp(axis[1:-1][top]).round(3).tolist()


def score(at: Doubles, values: Doubles, dt: float, shuffles: int) -> tuple[dict[str, Any], Doubles, Doubles]:
    """Score activity `values` (n, units) at places `at` (n, 2); return the scores, maps and mean gridness."""
    bins = Bins.over((-0.5 * SIDE, -0.5 * SIDE), (0.5 * SIDE, 0.5 * SIDE))
    values = values[
        :, values.std(axis=0) > 1e-6 * max(1e-12, float(values.std()))
    ]  # silent units have no map
    rng, least = np.random.default_rng(0), round(LEAST_SHIFT / dt)
    maps = mean_map(bins, at, values)
    correlograms = autocorrelograms(maps)
    found = dict(zip(("minmax", "mean"), gridness(correlograms), strict=True))
    pool: dict[str, list[Doubles]] = {name: [] for name in found}
    for _ in range(shuffles):
        by = rng.integers(least, len(at) - least, values.shape[1])
        moved = np.take_along_axis(values, (np.arange(len(at))[:, None] + by) % len(at), axis=0)
        scores = gridness(autocorrelograms(mean_map(bins, at, moved)))
        for kept, one in zip(pool.values(), scores, strict=True):
            kept.append(one)
    scales = grid_scales(correlograms, bins.size)
    out: dict[str, Any] = {"active_units": len(maps)}
    for name, cells in found.items():
        beside = against(cells, np.array(pool[name]))
        if beside is None:
            continue
        known = cells[np.isfinite(cells)]
        out[name] = {
            "median": round(float(np.median(known)), 3),
            "best": round(float(known.max()), 3),
            "shuffles_95th": round(beside.low, 3),
            "shuffles_above_0.4": round(float(np.mean(np.array(pool[name]) > GRID)), 3),
            "grid": _share(known > GRID),
            "significant": _share(known > beside.low),
        }
    chosen = np.isfinite(scales) & (found["mean"] > GRID)
    out["modules_m"] = modes(scales[chosen])
    out["scales_m"] = np.quantile(scales[chosen], (0.1, 0.5, 0.9)).round(3).tolist() if chosen.any() else []
    return out, maps, found["mean"]


def _share(units: NDArray[np.bool_]) -> dict[str, Any]:
    interval = bootstrap_interval(units.astype(np.float64))
    return {"share": round(float(units.mean()), 3), "ci95": [round(x, 3) for x in interval]}


def draw(sheets: dict[str, tuple[Doubles, Doubles]], columns: int = 8) -> Figure:
    """Draw maps of units of high gridness, a row for each of `sheets`: maps and gridness by name."""
    with house_style():
        figure = new_figure(1.15 * columns, 1.65 * len(sheets))
        axes = figure.subplots(len(sheets), columns, squeeze=False)
        for row, (name, (maps, scores)) in zip(axes, sheets.items(), strict=True):
            order = np.argsort(np.nan_to_num(scores, nan=-9.0))[::-1]
            # Spread over all that count as grid cells, so that one module does not fill the row.
            last = max(columns - 1, int(np.sum(scores > GRID)) - 1)
            best = order[np.linspace(0, last, columns).astype(int)]
            for ax, unit in zip(row, best, strict=True):
                ax.imshow(maps[unit], origin="lower", cmap=RATE_MAP)
                ax.set_title(f"{scores[unit]:.2f}", fontsize=8)
                ax.set_axis_off()
            row[0].set_title(f"{name}\n\n{row[0].get_title(loc='left')}", fontsize=8)
    return figure


def _network(name: str, seed: int, folder: Path | None, updates: int | None) -> tuple[Any, ...]:
    """Return network, codes, losses and the processor's seconds, trained or from `folder`."""
    import learned_integrator as learned

    recipe = learned.RECIPES[name]
    if updates is not None:
        recipe = replace(recipe, updates=updates)
    file = None if folder is None else folder / f"{name}_{seed}.npz"
    if file is not None and file.is_file():
        return learned.load(file, recipe, seed)
    begun = time.process_time()
    network, codes, losses = learned.train(recipe, seed, lambda line: print(line, flush=True))
    spent = time.process_time() - begun
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        learned.save(file, network, losses, spent)
    return network, codes, losses, spent


def main(arguments: list[str] | None = None) -> None:
    """Train, drive, score, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--targets", default="gaussian,dog", help="recipes, with commas")
    parser.add_argument("--seeds", type=int, default=1, help="networks of each recipe")
    parser.add_argument("--updates", type=int, help="instead of each recipe's own")
    parser.add_argument("--networks", type=Path, metavar="FOLDER")
    parser.add_argument("--walks", type=int, default=12, help="of each kind for the spiking modules")
    parser.add_argument("--learned-walks", type=int, default=200, help="of each kind for the networks")
    parser.add_argument("--shuffles", type=int, default=20)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--figure", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        import torch
        from learned_integrator import PERIODS, RECIPES, STEP, least_loss
    except ModuleNotFoundError as error:
        sys.exit(f"the learned network needs {error.name}: pip install 'tolman[baselines]'")
    names = options.targets.split(",")
    if not set(names) <= set(RECIPES):
        sys.exit(f"targets must be among {', '.join(RECIPES)}, got {options.targets}")
    torch.set_num_threads(1)
    result: dict[str, Any] = {
        "seeds": options.seeds, "box_m": SIDE, "walks": options.walks, "learned_walks": options.learned_walks,
        "path_integration": {}, "gridness": {}, "needed": {},
    }  # fmt: skip
    pictures: dict[str, tuple[Doubles, Doubles]] = {}

    def note(group: str, arm: str, value: Any) -> None:
        result[group][arm] = value
        print(group, arm, json.dumps(value), flush=True)
        if options.json is not None:
            options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")

    many = {kind: simulated(rat, options.learned_walks, SECONDS, 1) for kind, rat in RATS.items()}
    many["recorded rat"] = recorded(options.walks)
    kinds = {kind: paths for kind, paths in many.items() if paths}
    mapped = simulated(Rat(), MAPPED, STRETCH, 2)
    at = np.concatenate([path.place[1:] for path in mapped])
    note("path_integration", "middle of the box", {k: summary(chance(paths)) for k, paths in kinds.items()})

    for name in names:
        errors: dict[str, list[Doubles]] = {kind: [] for kind in kinds}
        for seed in range(options.seeds):
            network, codes, losses, spent = _network(name, seed, options.networks, options.updates)
            recipe = network.recipe
            for kind, paths in kinds.items():
                errors[kind].append(distances(learned_places(network, codes, paths), paths))
            torch.manual_seed(1000 + seed)
            untrained = type(network)(recipe).eval()
            whole = round(STRETCH / STEP)
            for title, one, steps in (
                (f"{name} {seed}", network, recipe.length),
                (f"{name} {seed}, walks of 12 s", network, whole),
                (f"{name} {seed}, untrained", untrained, recipe.length),
            ):
                if title.endswith("12 s") and recipe.length == whole:
                    continue  # those are its training walks
                where = given(codes, pieces(mapped, steps * PERIODS))
                with torch.no_grad():
                    activity = one(where.start, where.motion)[0].flatten(0, 1).numpy().astype(np.float64)
                reached = where.place.flatten(0, 1).numpy().astype(np.float64)
                scores, maps, of_units = score(reached, activity, STEP, options.shuffles)
                note("gridness", title, scores)
                if title == f"{name} 0":
                    pictures[f"learned, {name}"] = maps, of_units
            parameters = sum(p.numel() for p in network.parameters())
            walked = recipe.updates * recipe.batch * recipe.length * STEP / 3600.0
            note("needed", f"{name} {seed}", {
                "parameters": parameters, "updates": recipe.updates, "hours_walked": round(walked, 1),
                "cpu_s": round(spent), "loss": [round(x, 4) for x in losses[9::10]],
                "least_loss": round(least_loss(codes, given(codes, mapped)), 4), **asdict(recipe),
            })  # fmt: skip
        pooled = {kind: np.mean(runs, axis=0) for kind, runs in errors.items()}
        by_seed = {kind: [r.mean(axis=0).round(4).tolist() for r in runs] for kind, runs in errors.items()}
        note("path_integration", name, {k: summary(v) for k, v in pooled.items()} | {"by_seed": by_seed})

    spiking = SpikingModules(0)
    note("needed", "spiking", spiking.needed)
    for turning, arm in ((False, "spiking, velocity"), (True, "spiking, turns")):
        run = spiking.turns if turning else spiking.velocity
        found = {}
        for kind, paths in kinds.items():
            few = paths[: options.walks]
            places = np.stack([at_horizons(run(path)) for path in few])
            found[kind] = summary(distances(places, few))
        note("path_integration", arm, found)
        scores, maps, of_units = score(at, spiking.activity(mapped, turning), PERIOD, options.shuffles)
        note("gridness", arm, scores)
        pictures[arm] = maps, of_units
    if options.figure is not None:
        draw(pictures).savefig(options.figure)


if __name__ == "__main__":
    main()
