"""`tolman analyze DIR|FILE`: what cells code, by the same measures for an agent's run and for an animal."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from .analysis_pictures import draw
from .analysis_report import say
from .analysis_sessions import Session, open_run
from .errors import UserError, asked
from .files import atomic, check_folder, check_result, write_json
from .population import GRIDNESS, LEAST_SPIKES, Examined, Options, examine
from .probing import probe
from .remapped import check_alike, compare
from .terminal import make_console
from .units_file import UnitsOptions, open_units


def command(arguments: Namespace) -> None:
    """Run `tolman analyze`."""
    path = Path(arguments.path)
    json_file = check_result(arguments.json, "analyze")
    output = check_folder(Path(arguments.output), "--output") if arguments.output else None
    for name in ("scale", "track_length", "bin", "speed", "max_rate"):
        value = getattr(arguments, name)
        if value is not None and not (
            math.isfinite(value) and (value > 0.0 or (name == "speed" and value == 0.0))
        ):
            raise UserError(f"--{name.replace('_', '-')} must be > 0, got {value}")
    if arguments.probe is not None:
        if not path.is_dir():
            raise UserError(f"--probe is for runs of an agent, and {path} is none")
        for name in ("against", "output", "scale", "track_length", "bin", "speed", "theta"):
            if getattr(arguments, name) is not None:
                raise UserError(f"--{name.replace('_', '-')} has no effect with --probe")
        found = probe(path, arguments.population or "place", arguments.probe, arguments.seed)
        if json_file is not None:
            write_json(
                json_file, {"version": __version__, "command": "analyze", "file": path.name, "probe": found}
            )
        return
    options = Options(
        arguments.window,
        arguments.cells,
        arguments.shuffles,
        arguments.seed,
        arguments.population is not None,
    )
    session = open_session(path, arguments).asked(arguments.population)
    other = None if arguments.against is None else open_session(Path(arguments.against), arguments)
    if other is not None:
        other = other.asked(arguments.population)
        check_alike(session, other)
    console = make_console()
    examined: dict[str, Examined] = {}
    with console.status("analysing"):
        for name in session.populations:
            examined[name] = examine(session, name, options)
    if not any(one.cells.size for one in examined.values()):
        raise UserError(f"{path}: no cell fires {LEAST_SPIKES} spikes or more while running")
    recording = session.recording
    run = recording.running
    result: dict[str, Any] = {
        "version": __version__,
        "command": "analyze",
        "file": path.name,
        "kind": session.kind,
        "seed": arguments.seed,
        "unit": recording.unit,
        "linear": recording.linear,
        "running_s": float(recording.stay[run].sum()),
        "bin": session.bins.size,
        "notes": list(session.notes),
        "populations": {name: one.numbers for name, one in examined.items()},
    }
    grids = [
        one for name, one in examined.items() if name.startswith("grid") and "gridness_minmax" in one.scores
    ]
    if grids:
        result["grid_cells"] = _all_modules(grids)
    if other is not None:
        result["against"] = compare(session, other, arguments.seed)
    say(result)
    if output is not None:
        for name, figure in draw(session, examined):
            with atomic(output / name) as temporary:
                figure.savefig(temporary)
            console.print(str(output / name))
    if json_file is not None:
        write_json(json_file, result)


def _all_modules(modules: Sequence[Examined]) -> dict[str, Any]:
    """Return how many grid cells there are over all modules."""
    found: dict[str, Any] = {"scored": sum(one.cells.size for one in modules)}
    for key in ("gridness_minmax", "gridness_mean"):
        scores = np.nan_to_num(np.concatenate([one.scores[key] for one in modules]), nan=-1.0)
        found[f"{key}_share"] = float(np.mean(scores > GRIDNESS)) if scores.size else None
    return found


def open_session(path: Path, arguments: Namespace) -> Session:
    """Open a run folder or a file of units with the user's options."""
    if path.is_dir():
        for name in ("scale", "track_length", "theta"):
            if getattr(arguments, name) is not None:
                raise UserError(f"--{name.replace('_', '-')} is for files of units, and {path} is a run")
        return open_run(path, arguments.bin, arguments.speed)
    if not path.exists():
        raise UserError(f"no file or folder {path}")
    options = UnitsOptions(
        arguments.scale, arguments.track_length, arguments.bin, arguments.speed, arguments.max_rate,
        arguments.theta,
    )  # fmt: skip
    with asked(str(path)):
        return open_units(path, options)
