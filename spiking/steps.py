"""Steps of a network's clock that are too long for a neuron."""

from __future__ import annotations

import math

from .parameters import require_positive


def split(dt: float, longest: float) -> tuple[int, float]:
    """Return into how many equal parts a step of `dt` s is cut, none above `longest` s, and a part in ms."""
    require_positive("a step", dt=dt)
    parts = math.ceil(dt / longest - 1e-9)
    return parts, dt * 1e3 / parts
