"""Paths of recorded rats, as they lie in an installed `ratinabox`, and the motion a body would feel on them.

Nothing of the package is imported or copied; only its data file is read. sargolini: 600 s in a box of 1 m
(Sargolini et al. 2006); tanni: 7323 s in 2.5 m x 3.5 m (Tanni et al. 2022).
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Doubles = NDArray[np.float64]

PERIOD = 0.04  #: s
SMOOTHING = 0.3  #: s, standard deviation of the Gaussian that takes the tracker's jitter off the course
STILL = 0.05  #: m/s of the smoothed path below which there is no course


class MissingPathError(Exception):
    """There is no recorded path to read; says in one line what to do."""


@dataclass(frozen=True)
class Motion:
    """A path and its motion: what integrates exactly to it, period by period."""

    place: Doubles  #: (n + 1, 2) m from the start
    velocity: Doubles  #: (n, 2) m/s in the room's frame
    heading: Doubles  #: (n + 1,) rad, unwrapped
    body: Doubles  #: (n, 2) m/s forward and to the left of the mean heading of the period

    @property
    def turn_rate(self) -> Doubles:
        """(n,) rad/s."""
        return np.asarray(np.diff(self.heading) / PERIOD)

    @property
    def travelled(self) -> Doubles:
        """(n,) m of path up to the end of each period."""
        return np.asarray(np.cumsum(np.hypot(*self.velocity.T)) * PERIOD)


def find(name: str = "sargolini", file: Path | None = None) -> Path:
    """Return the file of a path: `file`, or the one beside an installed `ratinabox`."""
    if file is not None:
        if not file.is_file():
            raise MissingPathError(f"no recorded path at {file}")
        return file
    package = importlib.util.find_spec("ratinabox")
    for folder in (package.submodule_search_locations or ()) if package is not None else ():
        candidate = Path(folder) / "data" / f"{name}.npz"
        if candidate.is_file():
            return candidate
    raise MissingPathError(f"no {name}.npz: install ratinabox, or name the file with --path")


def load(file: Path, seconds: float | None = None) -> Doubles:
    """Return places (n, 2), m, every `PERIOD`, relative to the first; gaps are bridged straight."""
    with np.load(file) as data:
        t, places = data["t"] - data["t"][0], data["pos"]
    seen = np.isfinite(places).all(axis=1)
    end = t[-1] if seconds is None else min(seconds, t[-1])
    at = np.arange(0.0, end + 1e-9, PERIOD)
    path = np.stack([np.interp(at, t[seen], places[seen, k]) for k in (0, 1)], axis=1)
    return np.asarray(path - path[0])


def motion(place: Doubles) -> Motion:
    """Return the motion along `place` (n + 1, 2).

    The heading is the course of the smoothed path. Where that stands still there is no course: the heading
    turns evenly from the last one to the next, the short way. What the body then does that is not straight
    ahead (a rat also goes sideways and backs up) is motion to the side, so that no displacement is lost.
    """
    smooth = gaussian_filter1d(place, SMOOTHING / PERIOD, axis=0, mode="nearest")
    velocity = np.gradient(smooth, PERIOD, axis=0)
    moving = np.flatnonzero(np.hypot(*velocity.T) > STILL)
    if moving.size == 0:
        raise ValueError(f"the path never moves faster than {STILL} m/s")
    course = np.unwrap(np.arctan2(velocity[moving, 1], velocity[moving, 0]))
    heading = np.interp(np.arange(len(place)), moving, course)
    mean = 0.5 * (heading[1:] + heading[:-1])
    v = np.diff(place, axis=0) / PERIOD
    body = np.stack([(v * axis).sum(axis=1) for axis in (along(mean), along(mean + 0.5 * np.pi))], axis=1)
    return Motion(place, v, heading, body)


def along(angle: Doubles | float) -> Doubles:
    """Return unit vectors (..., 2) at `angle` rad."""
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)
