"""The neuron that supervised rules train: its potential, and how the potential depends on the weights.

    U(t) = sum_i w_i sum_j K(t - t_ij),   K(t) = V0 (exp(-t / tau_m) - exp(-t / tau_s)),   max K = 1

is the potential that input spikes leave in a leaky membrane (Gütig & Sompolinsky 2006, Nat. Neurosci. 9:420).
It is linear in the weights, so that dU(t)/dw_i = sum_j K(t - t_ij) is all that a rule needs to know. Input
spikes are rows (step, afferent) in any order, on a grid of `dt`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from .checks import require_spikes
from .parameters import require_positive

Doubles: TypeAlias = NDArray[np.float64]
Weights: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
Spikes: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class SpikeResponse:
    """The kernel K; the defaults are those of `lif`."""

    tau_membrane: float = 20e-3  #: s, tau_m
    tau_synapse: float = 5e-3  #: s, tau_s
    dt: float = 1e-3  #: s, one step

    def __post_init__(self) -> None:
        require_positive(
            "SpikeResponse", tau_membrane=self.tau_membrane, tau_synapse=self.tau_synapse, dt=self.dt
        )
        if not self.tau_synapse < self.tau_membrane:
            raise ValueError(
                f"SpikeResponse tau_synapse must be < tau_membrane = {self.tau_membrane} s, "
                f"got {self.tau_synapse}"
            )

    @property
    def peak_time(self) -> float:
        """Time of the maximum of K, s: tau_m tau_s / (tau_m - tau_s) ln(tau_m / tau_s)."""
        slow, fast = self.tau_membrane, self.tau_synapse
        return slow * fast / (slow - fast) * float(np.log(slow / fast))

    @property
    def scale(self) -> float:
        """V0, which brings the maximum of K to 1."""
        peak = self.peak_time
        return 1.0 / float(np.exp(-peak / self.tau_membrane) - np.exp(-peak / self.tau_synapse))

    @property
    def decays(self) -> tuple[float, float]:
        """What is left of the slow and of the fast exponential after one step."""
        return float(np.exp(-self.dt / self.tau_membrane)), float(np.exp(-self.dt / self.tau_synapse))

    def kernel(self, time: ArrayLike) -> Doubles:
        """Return K at `time`, s, any shape; 0 before the spike."""
        later = np.maximum(np.asarray(time, np.float64), 0.0)
        return self.scale * (np.exp(-later / self.tau_membrane) - np.exp(-later / self.tau_synapse))

    def potential(self, weights: Weights, spikes: Spikes, steps: int) -> Doubles:
        """Return U (steps,) under `weights` (n,) and `spikes` (k, 2).

        Raises ValueError for spikes outside of the steps or of the afferents.
        """
        require_inputs(weights, spikes, steps)
        potential: Doubles = _potential(weights, spikes, steps, *self.decays, self.scale)
        return potential

    def potential_reference(self, weights: Weights, spikes: Spikes, steps: int) -> Doubles:
        """NumPy twin of `potential`, by the sum over all spikes at each step."""
        since = (np.arange(steps)[:, None] - spikes[:, 0]) * self.dt
        return np.asarray(self.kernel(since) @ weights[spikes[:, 1]].astype(np.float64), np.float64)

    def peak(self, potential: Doubles, spikes: Spikes, afferents: int) -> int:
        """Return the step at which U is highest; if it never is above 0, at which equal weights have it so.

        A neuron without positive potential is highest before its input, where no weight has any effect.
        """
        if potential.max() <= 0.0:
            potential = self.potential(np.ones(afferents), spikes, potential.size)
        return int(potential.argmax())

    def slope(self, spikes: Spikes, step: int, afferents: int) -> Doubles:
        """Return dU/dw (afferents,) at `step`; `spikes` are those that `potential` has accepted."""
        slope: Doubles = _slope(spikes, step, afferents, *self.decays, self.scale)
        return slope

    def slope_reference(self, spikes: Spikes, step: int, afferents: int) -> Doubles:
        """NumPy twin of `slope`."""
        each = self.kernel((step - spikes[:, 0]) * self.dt)
        return np.bincount(spikes[:, 1], each, afferents).astype(np.float64)


def update(weights: Weights, change: Doubles, velocity: Weights | None, momentum: float) -> None:
    """Add `change` (n,) to `weights` in place, with `momentum` where a `velocity` (n,) is kept.

    The velocity moves only when there is something to learn, as in Gütig & Sompolinsky 2006.
    """
    if velocity is None:
        weights += change
        return
    if velocity.shape != weights.shape:
        raise ValueError(f"velocity must have shape {weights.shape}, got {velocity.shape}")
    velocity *= momentum
    velocity += change
    weights += velocity


def require_inputs(weights: Weights, spikes: Spikes, steps: int) -> None:
    """Raise ValueError unless `weights` (n,) and `spikes` (k, 2) belong to a trial of `steps` steps."""
    if weights.ndim != 1 or weights.size == 0 or not np.issubdtype(weights.dtype, np.floating):
        raise ValueError(f"weights must be (n,) floats, got shape {weights.shape} of {weights.dtype}")
    if steps < 1:
        raise ValueError(f"a trial needs >= 1 step, got {steps}")
    require_spikes("spikes", spikes)
    if not spikes.size:
        return
    for column, name, limit in ((0, "steps", steps), (1, "afferents", weights.size)):
        least, most = int(spikes[:, column].min()), int(spikes[:, column].max())
        if least < 0 or most >= limit:
            raise ValueError(f"{name} of the spikes are 0..{limit - 1}, got {least}..{most}")


def require_rule(owner: str, threshold: float, rate: float, momentum: float) -> None:
    """Raise ValueError unless these can be the parameters of a rule called `owner`."""
    require_positive(owner, threshold=threshold, rate=rate)
    if not 0.0 <= momentum < 1.0:
        raise ValueError(f"{owner} momentum must be in [0, 1), got {momentum}")


@njit(cache=True)
def _potential(
    weights: Weights, spikes: Spikes, steps: int, keep_slow: float, keep_fast: float, scale: float
) -> Doubles:
    potential = np.zeros(steps)
    for k in range(spikes.shape[0]):
        potential[spikes[k, 0]] += weights[spikes[k, 1]]
    slow = fast = 0.0
    for t in range(steps):
        slow = slow * keep_slow + potential[t]
        fast = fast * keep_fast + potential[t]
        potential[t] = scale * (slow - fast)
    return potential


@njit(cache=True)
def _slope(
    spikes: Spikes, step: int, afferents: int, keep_slow: float, keep_fast: float, scale: float
) -> Doubles:
    slope = np.zeros(afferents)
    for k in range(spikes.shape[0]):
        since = step - spikes[k, 0]
        if since > 0:
            slope[spikes[k, 1]] += scale * (keep_slow**since - keep_fast**since)
    return slope
