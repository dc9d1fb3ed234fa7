"""Value diffused over the links among places, from wherever something is worth going.

    v_i = s_i + keep sum_j P_ij v_j,    P: links `near`, both ways together, each row summing to 1

What a random walk along the links collects from the source s, if it is lost with 1 - keep a step: a successor
representation (Dayan 1993) that is read for any source without learning it for each. Uphill leads to the
nearest source on ways that were lived.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

FAINT = np.float32(0.02)  #: links below it join places that followed each other by mistake


def diffuse(near: Floats, source: Doubles, keep: float = 0.95, tolerance: float = 1e-9) -> Doubles:
    """Return the value (n,) of all places for `source` (n,), at most 1; 0 where no way leads to it.

    `near` (n, n) are the links. Raises ValueError for a source below 0 or nowhere above it.
    """
    if source.min(initial=0.0) < 0.0 or not source.max(initial=0.0) > 0.0:
        raise ValueError("a source of value must be >= 0 everywhere and > 0 somewhere")
    value = np.zeros(len(source))
    _sweep(near, np.asarray(source, np.float64), keep, tolerance, value)
    return np.asarray(value / value.max())


@njit(cache=True)
def _sweep(near: Floats, source: Doubles, keep: float, tolerance: float, value: Doubles) -> None:
    n = len(source)
    start, to, share = np.zeros(n + 1, np.int64), np.empty(n * n, np.int32), np.empty(n * n)
    count = 0
    for i in range(n):
        total = 0.0
        for j in range(n):
            link = max(near[i, j], near[j, i])
            if i != j and link >= FAINT:
                to[count], share[count] = j, link
                total += link
                count += 1
        for k in range(start[i], count):
            share[k] *= keep / total
        start[i + 1] = count
    # Relative change, or places far from the source would be left without their first value.
    for _ in range(2000):
        change = 0.0
        for i in range(n):
            fresh = source[i]
            for k in range(start[i], start[i + 1]):
                fresh += share[k] * value[to[k]]
            change = max(change, abs(fresh - value[i]) / max(fresh, 1e-30))
            value[i] = fresh
        if change < tolerance:
            break
