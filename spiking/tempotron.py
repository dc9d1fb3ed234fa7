"""Two rules for one neuron and its labels: the tempotron learns whether to fire, PSD learns when.

Tempotron, Gütig & Sompolinsky 2006, Nat. Neurosci. 9:420: the neuron says yes by firing at least once, so all
that counts is the maximum of its potential. When the decision is wrong the weights move along its slope,

    dw_i = +-rate sum_{t_ij < t_max} K(t_max - t_ij),   t_max = argmax U

PSD, Yu, Tang, Tan & Li 2013, PLoS ONE 8:e78318: an afferent's current I_i(t) = sum_j K(t - t_ij) says how
much it has to do with a spike at t; a wanted spike adds it, a spike that was fired takes it away,

    dw_i = rate (sum_d I_i(t_d) - sum_o I_i(t_o)),   t_d wanted, t_o fired

The neuron of PSD is a LIF, tau_m dV/dt = -V + sum_i w_i I_i, with V := 0 at threshold, held for t_ref.
`aggregate_label` is the third rule of the kind: how often to fire.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from .parameters import require_positive
from .supervision import Doubles, SpikeResponse, Spikes, Weights, require_rule, update

Steps = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tempotron:
    """Parameters; time constants 15 ms and a quarter of that (Gütig & Sompolinsky 2006)."""

    response: SpikeResponse = field(default_factory=lambda: SpikeResponse(15e-3, 3.75e-3))
    threshold: float = 1.0  #: units of K's maximum times a weight
    rate: float = 1e-3  #: of learning, a weight per unit of slope
    momentum: float = 0.9  #: share of the last change, where a velocity is kept

    def __post_init__(self) -> None:
        require_rule("Tempotron", self.threshold, self.rate, self.momentum)

    def potential(self, weights: Weights, spikes: Spikes, steps: int) -> Doubles:
        """Return the potential (steps,) of a neuron that does not reset."""
        return self.response.potential(weights, spikes, steps)

    def output(self, weights: Weights, spikes: Spikes, steps: int) -> bool:
        """Return whether `spikes` (k, 2) make the neuron fire."""
        return bool(self.potential(weights, spikes, steps).max() >= self.threshold)

    def train_step(
        self, weights: Weights, spikes: Spikes, steps: int, wanted: bool, velocity: Weights | None = None
    ) -> bool:
        """Return whether the neuron fired; if that is not what was `wanted`, change `weights` in place."""
        potential = self.potential(weights, spikes, steps)
        peak = self.response.peak(potential, spikes, weights.size)
        fired = bool(potential[peak] >= self.threshold)
        if fired != wanted:
            towards = self.rate if wanted else -self.rate
            slope = self.response.slope(spikes, peak, weights.size)
            update(weights, towards * slope, velocity, self.momentum)
        return fired


@dataclass(frozen=True, slots=True)
class PSD:
    """Parameters of the precise-spike-driven rule; the refractory period and the rate are ours."""

    current: SpikeResponse = field(default_factory=lambda: SpikeResponse(10e-3, 2.5e-3))
    tau_membrane: float = 10e-3  #: s
    threshold: float = 1.0  #: above rest, in units of the current
    refractory: float = 3e-3  #: s
    rate: float = 1e-2  #: of learning, a weight per unit of current
    momentum: float = 0.0  #: share of the last change, where a velocity is kept

    def __post_init__(self) -> None:
        require_rule("PSD", self.threshold, self.rate, self.momentum)
        require_positive("PSD", tau_membrane=self.tau_membrane)
        if not self.refractory >= 0.0:
            raise ValueError(f"PSD refractory must be >= 0 s, got {self.refractory}")

    def potential(self, weights: Weights, spikes: Spikes, steps: int) -> Doubles:
        """Return V (steps,); at the step of an output spike it is what crossed the threshold."""
        return self._fire(weights, spikes, steps)[0]

    def output(self, weights: Weights, spikes: Spikes, steps: int) -> Steps:
        """Return the steps at which the neuron fires, ascending."""
        return self._fire(weights, spikes, steps)[1]

    def output_reference(self, weights: Weights, spikes: Spikes, steps: int) -> Steps:
        """NumPy twin of `output`."""
        current = self.current.potential_reference(weights, spikes, steps)
        keep, silent = np.exp(-self.current.dt / self.tau_membrane), round(self.refractory / self.current.dt)
        v, free, fired = 0.0, 0, []
        for t in range(steps):
            v = keep * v + (1.0 - keep) * current[t] if t >= free else 0.0
            if v >= self.threshold:
                fired.append(t)
                v, free = 0.0, t + 1 + silent
        return np.array(fired, np.int64)

    def train_step(
        self,
        weights: Weights,
        spikes: Spikes,
        steps: int,
        wanted: ArrayLike,
        velocity: Weights | None = None,
    ) -> Steps:
        """Return the steps of the output; change `weights` in place towards spikes at the `wanted` steps.

        Raises ValueError for wanted steps outside of the trial.
        """
        targets = np.asarray(wanted, np.int64).reshape(-1)
        if targets.size and not (targets.min() >= 0 and targets.max() < steps):
            raise ValueError(f"wanted steps are 0..{steps - 1}, got {targets.min()}..{targets.max()}")
        fired = self.output(weights, spikes, steps)
        if not np.array_equal(fired, targets):
            change = np.zeros(weights.size)
            for step in targets:
                change += self.current.slope(spikes, int(step), weights.size)
            for step in fired:
                change -= self.current.slope(spikes, int(step), weights.size)
            update(weights, self.rate * change, velocity, self.momentum)
        return fired

    def _fire(self, weights: Weights, spikes: Spikes, steps: int) -> tuple[Doubles, Steps]:
        potential = self.current.potential(weights, spikes, steps)  # the current, until it is integrated
        keep = float(np.exp(-self.current.dt / self.tau_membrane))
        fired = np.empty(steps, np.int64)
        count = _integrate(potential, keep, self.threshold, round(self.refractory / self.current.dt), fired)
        return potential, fired[:count]


@njit(cache=True)
def _integrate(current: Doubles, keep: float, threshold: float, refractory: int, fired: Steps) -> int:
    """Turn `current` into the potential, in place; return the number of spikes written to `fired`."""
    v, silent, count = 0.0, 0, 0
    for t in range(current.size):
        if silent > 0:
            silent -= 1
            v = 0.0
        else:
            v = keep * v + (1.0 - keep) * current[t]
        current[t] = v
        if v >= threshold:
            fired[count] = t
            count += 1
            v, silent = 0.0, refractory
    return count
