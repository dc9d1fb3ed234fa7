"""Aggregate labels: a neuron learns to fire n spikes when only n is told, and not where the n cues were.

    V(t) = U(t) - theta sum_{o < t} exp(-(t - o) / tau_m),   o: its own spikes, at V(o) >= theta

is a LIF whose reset takes the threshold away from the potential (U: see `supervision`). The rule is that of
the multi-spike tempotron, Gütig 2016, Science 351:aab4113. Lower the threshold, and the neuron fires more
often; theta* is where its count comes to k. There one step t* just reaches the threshold,

    V(t*) = theta*,   thus   theta* = U(t*) / C,   C = 1 + sum_{o < t*} exp(-(t* - o) / tau_m)

On a grid of steps the earlier spikes do not move with an infinitesimal change of a weight, and the gradient

    dtheta* / dw_i = sum_j K(t* - t_ij) / C

is exact; with continuous spike times, as in the source, it has further terms for the shift of earlier spikes.
Too few spikes: theta* of k = n is below theta and goes up. Too many: theta* of k = n + 1 is above it and goes
down. Either moves one peak of the potential across the threshold, as EML does (Xiao, Yu, Yan & Tang, IJCAI
2019), which finds the peak in the potential at the present threshold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .supervision import Doubles, SpikeResponse, Spikes, Weights, require_rule, update

Steps = NDArray[np.int64]


class Critical(NamedTuple):
    """Where the count of output spikes passes a number, as the threshold is lowered."""

    threshold: float  #: theta*
    step: int  #: t*, the step that just reaches it
    share: float  #: C


@dataclass(frozen=True, slots=True)
class MultiSpikeTempotron:
    """Parameters; the time constants are those of Gütig 2016, the rates are ours."""

    response: SpikeResponse = field(default_factory=SpikeResponse)
    threshold: float = 1.0  #: units of K's maximum times a weight
    rate: float = 3e-4  #: of learning, a weight per unit of slope
    momentum: float = 0.9  #: share of the last change, where a velocity is kept

    def __post_init__(self) -> None:
        require_rule("MultiSpikeTempotron", self.threshold, self.rate, self.momentum)

    def potential(self, weights: Weights, spikes: Spikes, steps: int) -> Doubles:
        """Return V (steps,); at the step of an output spike it is what crossed the threshold."""
        potential = self.response.potential(weights, spikes, steps)
        for o in _fired(potential, self.threshold, self._keep):
            potential[o + 1 :] -= self.threshold * self._keep ** np.arange(1, steps - o)
        return potential

    def output(self, weights: Weights, spikes: Spikes, steps: int) -> Steps:
        """Return the steps at which the neuron fires, ascending, under `weights` (n,) and `spikes` (k, 2)."""
        fired: Steps = _fired(self.response.potential(weights, spikes, steps), self.threshold, self._keep)
        return fired

    def output_reference(self, weights: Weights, spikes: Spikes, steps: int) -> Steps:
        """NumPy twin of `output`, by the sum over all earlier output spikes at each step."""
        free, fired = self.response.potential_reference(weights, spikes, steps), np.zeros(0, np.int64)
        for t in range(steps):
            reset = np.exp(-(t - fired) * self.response.dt / self.response.tau_membrane).sum()
            if free[t] - self.threshold * reset >= self.threshold:
                fired = np.append(fired, t)
        return fired

    def critical(self, weights: Weights, spikes: Spikes, steps: int, count: int) -> Critical | None:
        """Return the critical threshold of `count` spikes on its side of the neuron's threshold.

        None if no threshold above 0 brings as many, as in a trial without spikes.
        Raises ValueError unless count >= 1.
        """
        if count < 1:
            raise ValueError(f"a critical threshold needs a count >= 1, got {count}")
        return self._critical(self.response.potential(weights, spikes, steps), count)

    def train_step(
        self,
        weights: Weights,
        spikes: Spikes,
        steps: int,
        wanted_count: int,
        velocity: Weights | None = None,
    ) -> int:
        """Return how often the neuron fired; unless that is `wanted_count`, change `weights` in place.

        Raises ValueError for a count below 0.
        """
        if wanted_count < 0:
            raise ValueError(f"wanted_count must be >= 0, got {wanted_count}")
        free = self.response.potential(weights, spikes, steps)
        count = int(_fired(free, self.threshold, self._keep).size)
        if count == wanted_count:
            return count
        towards, k = (self.rate, wanted_count) if count < wanted_count else (-self.rate, wanted_count + 1)
        at = self._critical(free, k)
        # Where no threshold above 0 brings as many spikes, one peak is raised until there is one.
        step, share = (at.step, at.share) if at else (self.response.peak(free, spikes, weights.size), 1.0)
        slope = self.response.slope(spikes, step, weights.size)
        update(weights, towards / share * slope, velocity, self.momentum)
        return count

    @property
    def _keep(self) -> float:
        return self.response.decays[0]

    def _critical(self, free: Doubles, count: int) -> Critical | None:
        threshold, step, share = _search(free, count, self.threshold, self._keep)
        return Critical(threshold, step, share) if step >= 0 else None


@njit(cache=True)
def _fired(free: Doubles, threshold: float, keep: float) -> Steps:
    fired = np.empty(free.size, np.int64)
    reset, count = 0.0, 0
    for t in range(free.size):
        reset *= keep
        if free[t] >= threshold * (1.0 + reset):
            fired[count] = t
            count += 1
            reset += 1.0
    return fired[:count]


@njit(cache=True)
def _search(free: Doubles, count: int, threshold: float, keep: float) -> tuple[float, int, float]:
    """Bisect for the threshold at which `count` spikes come to be; the step is -1 if there is none."""
    low, high = threshold, threshold
    if _fired(free, threshold, keep).size >= count:
        high = 2.0 * free.max()
    else:
        while _fired(free, low, keep).size < count:
            high, low = low, 0.7 * low
            if low < 1e-6 * threshold:
                return 0.0, -1, 1.0
    while high - low > 1e-9 * low:
        middle = 0.5 * (low + high)
        if _fired(free, middle, keep).size >= count:
            low = middle
        else:
            high = middle
    # The first spike that only the lower threshold lets through is the one on the edge.
    below, above, same = _fired(free, low, keep), _fired(free, high, keep), 0
    while same < above.size and below[same] == above[same]:
        same += 1
    step, share = below[same], 1.0
    for o in below[:same]:
        share += keep ** (step - o)
    return free[step] / share, step, share
