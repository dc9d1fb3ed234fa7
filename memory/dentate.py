"""Dentate gyrus: a sparse code in which inputs that resemble each other resemble each other less.

Many more granule cells than inputs, of which few fire: 1-2 % of them are active in an environment (Chawla et
al. 2005), so the codes of two inputs share few cells unless the inputs are nearly the same. Each contacts few
CA3 cells with synapses strong enough to choose who takes part in a new memory (Treves & Rolls 1992).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking.random import generator
from .volley import volley

Floats = NDArray[np.float32]
Cells = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class DentateConfig:
    """Granule cells and their synapses."""

    granules: int = 10_000
    fan_in: int = 50  #: inputs a granule cell hears, on average
    active: float = 0.01  #: share of granule cells that fire
    mossy: int = 15  #: CA3 cells that a granule cell contacts (Amaral, Ishizuka & Claiborne 1990)

    def __post_init__(self) -> None:
        for name in ("granules", "fan_in", "mossy"):
            if getattr(self, name) < 1:
                raise ValueError(f"dentate {name} must be >= 1, got {getattr(self, name)}")
        if not 0.0 < self.active < 1.0:
            raise ValueError(f"dentate active must be in (0, 1), got {self.active}")


class Dentate:
    """Granule cells on `inputs` entorhinal cells, in front of `targets` CA3 cells."""

    def __init__(self, config: DentateConfig, inputs: int, targets: int, seed: int) -> None:
        self.config, self.targets = config, targets
        rng = generator(seed, "dentate")
        fan_out = max(1, round(config.granules * config.fan_in / inputs))
        self._post, self._weights = _wired(rng, inputs, fan_out, config.granules)
        self._mossy, self._strength = _wired(rng, config.granules, config.mossy, targets)

    def code(self, cells: Cells) -> Cells:
        """Return the granule cells that fire when the inputs `cells` (k,) do, ascending."""
        drive = _deliver(self._post, self._weights, cells, self.config.granules)
        return _winners(drive, max(1, round(self.config.active * self.config.granules)))

    def choose(self, granules: Cells, count: int) -> Cells:
        """Return the `count` CA3 cells that mossy fibres of `granules` (k,) drive most, ascending."""
        return _winners(_deliver(self._mossy, self._strength, granules, self.targets), count)


def _wired(random: np.random.Generator, n_pre: int, fan_out: int, n_post: int) -> tuple[Cells, Floats]:
    """Return targets and weights (n_pre, fan_out), such that all targets hear equally much.

    With chance alone cells with more synapses would win everywhere, and memories would share them.
    """
    targets = random.permutation(np.resize(np.arange(n_post, dtype=np.int32), n_pre * fan_out))
    weights = random.uniform(0.5, 1.5, targets.size)
    weights /= np.maximum(np.bincount(targets, weights, minlength=n_post)[targets], 1e-6)
    return targets.reshape(n_pre, fan_out), weights.astype(np.float32).reshape(n_pre, fan_out)


def _winners(drive: Floats, count: int) -> Cells:
    # Inhibition ahead of the cells scales the drive, whatever the number of active inputs.
    most = max(float(drive.max()), 1e-6)
    return np.sort(volley(np.asarray(1.1 + 3.0 * drive / most, np.float32) * (drive > 0.0), count)[0])


@njit(cache=True)
def _deliver(post: NDArray[np.int32], weights: Floats, active: Cells, size: int) -> Floats:
    drive = np.zeros(size, np.float32)
    for i in active:
        for s in range(post.shape[1]):
            drive[post[i, s]] += weights[i, s]
    return drive
