"""`tolman analyze DIR --probe N`: the pose that drives a cell most, beside the peak of its map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..agent import Navigator
from ..analysis.place_scores import FIELD_LEVEL
from ..memory.inversion import Inversion, Inverted
from . import checkpoint as checkpoints
from .errors import UserError, asked
from .frames import out_of_frame, wrap
from .run_folder import RunFolder
from .session import Session
from .terminal import make_console


def probe(folder: Path, population: str, cell: int, seed: int) -> dict[str, Any]:
    """Search the pose that drives `cell` of `population` most in the agent of a run; say and return it.

    Raises
    ------
    UserError
        If the folder is no finished run of an agent with neurons, or holds no such population or cell.
    """
    run = RunFolder(folder)
    if population not in run.populations:
        raise UserError(f"no population {population!r} in {folder}; there are: {', '.join(run.populations)}")
    with Session(run.checkpoint.config) as session:
        session.adopt(checkpoints.load(folder))
        agent = session.agent
    if not isinstance(agent, Navigator):
        raise UserError("--probe needs an agent with neurons, not a baseline")
    inversion = Inversion(agent.memory, seed)
    with asked("--probe"):
        found = _invert(inversion, population, cell)
    result: dict[str, Any] = {
        "population": population,
        "cell": cell,
        "rate_hz": found.rate,
        "tried": found.tried,
    }
    origin = session.frames[agent.map_number]
    console = make_console()
    if found.pose.size == 1:
        heading = float(wrap(found.pose[0] + origin[2]))
        result["heading_rad"] = heading
        console.print(f"{population} {cell} is driven most by heading {np.degrees(heading):.0f} degrees")
        return result
    x, y, _ = out_of_frame(origin, np.array([*found.pose, 0.0]))
    result["place_m"] = [float(x), float(y)]
    maps = run.cells(population)
    rate = np.nan_to_num(maps.rate[cell], nan=0.0)
    if rate.max() <= 0.0:
        console.print(
            f"{population} {cell} is driven most at ({x:.2f}, {y:.2f}) m; it never fired in this run"
        )
        return result
    above = rate > FIELD_LEVEL * rate.max()
    columns, rows = maps.bins.centres
    fields = np.stack(np.meshgrid(columns, rows), axis=-1)
    # Of a cell with several fields any will do: the peak nearest to the answer, of those as high as half.
    high = (
        fields[rate >= 0.5 * rate.max()] if population.startswith("grid") else maps.field_centre[cell][None]
    )
    peak = high[int(np.argmin(np.hypot(*(high - (x, y)).T)))]
    radius = float(np.sqrt(above.sum() * maps.bins.size**2 / np.pi))
    off = float(np.hypot(*(peak - (x, y))))
    result |= {"peak_m": peak.tolist(), "off_m": off, "field_radius_m": radius, "within": off <= radius}
    console.print(
        f"{population} {cell} is driven most at ({x:.2f}, {y:.2f}) m, {found.rate:.0f} Hz; its map peaks at"
        f" ({peak[0]:.2f}, {peak[1]:.2f}) m, {off:.2f} m away; radius of its field {radius:.2f} m"
    )
    return result


def _invert(inversion: Inversion, population: str, cell: int) -> Inverted:
    if population == "place":
        return inversion.place_cell(cell)
    if population == "head_direction":
        return inversion.heading_cell(cell)
    name, _, number = population.partition("_")
    if name == "grid" and number.isdigit():
        return inversion.grid_cell(int(number), cell)
    raise ValueError(f"cells of {population!r} code no pose of their own")
