"""Walks of a simulated rat in a square box, as many at a time as wanted.

Speed is Rayleigh distributed, as in Raudies & Hasselmo 2012 (PLoS Comput. Biol. 8:e1002553), whose rat Banino
et al. 2018 drive their network with; it and the turn rate change with the coherence times that George et al.
2024 (eLife 13:e85274) measured on a recorded rat. Unlike that rat of 2012 this one does not turn on the spot
at a wall: within `Rat.sight` of it, it slows down and turns along it, no faster than a rat can.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
from rat_paths import PERIOD, Motion, along

Doubles = NDArray[np.float64]
SKIN = 0.02  #: m from the wall that the rat's middle keeps


@dataclass(frozen=True)
class Rat:
    """How the rat moves."""

    speed: float = 0.13  #: m/s, scale of the Rayleigh distribution; the mean is 1.25 times that
    speed_time: float = 0.7  #: s of coherence
    turn: float = 2.1  #: rad/s, standard deviation of the turn rate
    turn_time: float = 0.08  #: s of coherence
    avoid: float = 6.0  #: rad/s added to turn away at the wall
    fastest_turn: float = 8.0  #: rad/s
    sight: float = 0.2  #: m from the wall at which it begins to turn away


def walk(n: int, seconds: float, side: float, rat: Rat, seed: int) -> tuple[Doubles, Doubles]:
    """Return places (n, k + 1, 2), m from the middle of a box of `side` m, and unwrapped headings (n, k + 1).

    There are k periods of `PERIOD`; in each the rat moves along its mean heading.
    """
    rng, k = np.random.default_rng([seed, 18]), round(seconds / PERIOD)
    half = 0.5 * side - SKIN
    places, headings = np.empty((k + 1, n, 2)), np.empty((k + 1, n))
    place, heading = rng.uniform(-half, half, (n, 2)), rng.uniform(-np.pi, np.pi, n)
    pair, turn = rng.standard_normal((2, n)), rng.standard_normal(n)
    keep_speed, keep_turn = np.exp(-PERIOD / rat.speed_time), np.exp(-PERIOD / rat.turn_time)
    places[0], headings[0] = place, heading
    for step in range(1, k + 1):
        pair = keep_speed * pair + np.sqrt(1.0 - keep_speed**2) * rng.standard_normal((2, n))
        turn = keep_turn * turn + np.sqrt(1.0 - keep_turn**2) * rng.standard_normal(n)
        ahead = along(heading)
        # Towards the walls that lie ahead, 0 out of their sight and 1 at them.
        near = np.clip(1.0 - (half - np.sign(ahead) * place) / rat.sight, 0.0, 1.0)
        push = -np.sign(ahead) * near * np.abs(ahead)
        side_ways = ahead[:, 0] * push[:, 1] - ahead[:, 1] * push[:, 0]
        into = -(ahead * push).sum(axis=1)
        away = np.where(np.abs(side_ways) > 1e-3, np.sign(side_ways), 1.0) * np.minimum(1.0, 2.0 * into)
        rate = np.clip(rat.turn * turn + rat.avoid * away, -rat.fastest_turn, rat.fastest_turn)
        speed = rat.speed * np.hypot(*pair) * (1.0 - 0.75 * np.minimum(1.0, into))
        next_heading = heading + rate * PERIOD
        place = place + speed[:, None] * PERIOD * along(0.5 * (heading + next_heading))
        place, heading = np.clip(place, -half, half), next_heading
        places[step], headings[step] = place, heading
    return places.transpose(1, 0, 2), headings.T


def as_motion(place: Doubles, heading: Doubles) -> Motion:
    """Return the motion along places (k + 1, 2), as they lie in the box, with `heading` (k + 1,)."""
    velocity, mean = np.diff(place, axis=0) / PERIOD, 0.5 * (heading[1:] + heading[:-1])
    axes = along(mean), along(mean + 0.5 * np.pi)
    return Motion(
        place, velocity, heading, np.stack([(velocity * axis).sum(axis=1) for axis in axes], axis=1)
    )
