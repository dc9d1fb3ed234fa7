"""Where the bump of activity on a ring is: the angle of its population vector (Georgopoulos et al. 1986)."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def bearings(
    activity: NDArray[np.float32] | NDArray[np.float64], waves: NDArray[np.complex128]
) -> NDArray[np.float64]:
    """Return the angles (k,), rad in (-pi, pi], of `activity` (n,) on the k circles of `waves` (k, n).

    Summed in one order, which a library's matrix product is not: the last bit would depend on the machine.
    """
    out = np.empty(waves.shape[0])
    for k in range(waves.shape[0]):
        wave, total = waves[k], 0j
        for i in range(activity.size):
            total += activity[i] * wave[i]
        out[k] = np.arctan2(total.imag, total.real)
    return out
