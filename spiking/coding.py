"""Codes: how values become spikes, and how spikes are read back as values.

Every code is a frozen record with `encode(values, ...)` to spikes (k, 2) of (step, neuron), ascending, and
`decode(spikes, n)` back to values; what is lost on the way is stated with each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .checks import require_spikes
from .parameters import require_positive
from .random import generator

Doubles = NDArray[np.float64]
Spikes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class RateCode:
    """A value in [0, 1] is the rate of a Poisson train, as a share of `highest` (Adrian 1926).

    Decoding counts; with r = highest * value its standard deviation is sqrt(r / duration) / highest.
    """

    highest: float = 100.0  #: Hz
    steps: int = 1000
    dt: float = 1e-3  #: s

    def __post_init__(self) -> None:
        require_positive("RateCode", highest=self.highest, dt=self.dt)
        _require_steps("RateCode", self.steps)
        if self.highest * self.dt > 1.0:
            raise ValueError(f"RateCode highest must be <= {1.0 / self.dt:g} Hz at dt = {self.dt:g} s")

    def encode(self, values: ArrayLike, seed: int, name: str = "rate code") -> Spikes:
        """Return the spikes of `values` (n,); drawn from the stream `name` under `seed`."""
        shares = _unit_values("RateCode", values)
        draws = generator(seed, name).random((self.steps, shares.size))
        return _rows(*np.nonzero(draws < shares * self.highest * self.dt))

    def decode(self, spikes: Spikes, n: int) -> Doubles:
        """Return the values (n,) that the counts speak for."""
        return _counts(spikes, n) / (self.highest * self.steps * self.dt)


@dataclass(frozen=True, slots=True)
class LatencyCode:
    """A value in (0, 1] is one spike at t = T (1 - value): the stronger the earlier; 0 is silence.

    Thorpe & Gautrais 1998. Decoding is exact to half a step of T, and a neuron that is silent reads as 0.
    """

    steps: int = 50  #: T

    def __post_init__(self) -> None:
        _require_steps("LatencyCode", self.steps)

    def encode(self, values: ArrayLike) -> Spikes:
        """Return the spikes of `values` (n,)."""
        shares = _unit_values("LatencyCode", values)
        step = np.minimum(np.round(self.steps * (1.0 - shares)), self.steps - 1).astype(int)
        neuron = np.flatnonzero(shares > 0.0)
        return _rows(step[neuron], neuron)

    def decode(self, spikes: Spikes, n: int) -> Doubles:
        """Return the values (n,) of the first spike of each neuron."""
        step, neuron = _columns(spikes, n)
        first = np.full(n, self.steps)
        np.minimum.at(first, neuron, step)
        return np.asarray(1.0 - first / self.steps, np.float64)


@dataclass(frozen=True, slots=True)
class PhaseCode:
    """A value in [0, 1] is the phase of one spike in every cycle of an oscillation.

    The stronger a neuron is driven, the earlier in the cycle it fires (Hopfield 1995). Phases span `span` of
    the cycle, so that the largest and the smallest value do not meet. Decoding averages over cycles on the
    circle; it is exact to half a step of span * period.
    """

    period: int = 120  #: steps; 120 ms is theta
    cycles: int = 1
    span: float = 0.75  #: share of the cycle that values use

    def __post_init__(self) -> None:
        _require_steps("PhaseCode", self.period)
        if self.cycles < 1:
            raise ValueError(f"PhaseCode cycles must be >= 1, got {self.cycles}")
        if not 0.0 < self.span < 1.0:
            raise ValueError(f"PhaseCode span must be in (0, 1), got {self.span}")

    def encode(
        self, values: ArrayLike, jitter: float = 0.0, seed: int = 0, name: str = "phase code"
    ) -> Spikes:
        """Return the spikes of `values` (n,), each moved by a normal deviate of `jitter` steps."""
        shares = _unit_values("PhaseCode", values)
        phase = self.span * (1.0 - shares) * self.period
        step = phase + self.period * np.arange(self.cycles)[:, None]
        if jitter > 0.0:
            step = step + generator(seed, name).normal(0.0, jitter, step.shape)
        at = np.clip(np.round(step), 0, self.period * self.cycles - 1).astype(int)
        return _rows(at.ravel(), np.tile(np.arange(shares.size), self.cycles))

    def decode(self, spikes: Spikes, n: int) -> Doubles:
        """Return the values (n,) of the mean phase of each neuron; NaN for one that is silent."""
        step, neuron = _columns(spikes, n)
        turn = np.exp(2j * np.pi * (step % self.period) / self.period)
        vector = np.bincount(neuron, turn.real, n) + 1j * np.bincount(neuron, turn.imag, n)
        # Phases a little before 0 are early spikes and not late ones: the gap lies in the unused part.
        gap = np.pi * (1.0 - self.span)
        phase = (np.angle(vector) + gap) % (2.0 * np.pi) - gap
        value = 1.0 - phase / (2.0 * np.pi * self.span)
        return np.where(np.abs(vector) > 0.0, np.clip(value, 0.0, 1.0), np.nan)


@dataclass(frozen=True, slots=True)
class PopulationCode:
    """A value in [low, high] is spread over cells with Gaussian tuning that fire as Poisson trains.

    Decoding is maximum likelihood: with evenly spaced tuning curves the sum of all rates is the same for all
    values, so the centre of mass of the counts is the most likely value (Dayan & Abbott 2001, ch. 3.3). Its
    variance reaches the Cramer-Rao bound `width^2 / expected spikes` away from the ends of a range that is
    not circular.
    """

    low: float
    high: float
    cells: int = 20
    width: float = 0.0  #: standard deviation of a tuning curve; 0: the distance of two cells
    highest: float = 100.0  #: Hz
    steps: int = 100
    dt: float = 1e-3  #: s
    circular: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"PopulationCode range must be low < high, got {self.low} and {self.high}")
        if self.cells < 2:
            raise ValueError(f"PopulationCode cells must be >= 2, got {self.cells}")
        if self.width < 0.0:
            raise ValueError(f"PopulationCode width must be >= 0, got {self.width}")
        require_positive("PopulationCode", highest=self.highest, dt=self.dt)
        _require_steps("PopulationCode", self.steps)
        if self.highest * self.dt > 1.0:
            raise ValueError(f"PopulationCode highest must be <= {1.0 / self.dt:g} Hz at dt = {self.dt:g} s")

    @property
    def centres(self) -> Doubles:
        """Preferred values (cells,)."""
        return np.linspace(self.low, self.high, self.cells, endpoint=not self.circular)

    @property
    def tuning_width(self) -> float:
        """Standard deviation of a tuning curve."""
        return self.width if self.width > 0.0 else float(self.centres[1] - self.centres[0])

    def rates(self, values: ArrayLike) -> Doubles:
        """Return the rates (n, cells), Hz, at `values` (n,)."""
        x = np.atleast_1d(np.asarray(values, np.float64))
        if not np.all((x >= self.low) & (x <= self.high)):
            raise ValueError(f"PopulationCode values must be in [{self.low}, {self.high}]")
        apart = x[:, None] - self.centres
        if self.circular:
            span = self.high - self.low
            apart = (apart + span / 2.0) % span - span / 2.0
        return np.asarray(self.highest * np.exp(-0.5 * (apart / self.tuning_width) ** 2), np.float64)

    def encode(self, values: ArrayLike, seed: int, name: str = "population code") -> Spikes:
        """Return the spikes of `values` (n,); neuron = value's index * cells + cell."""
        rates = self.rates(values).ravel()
        draws = generator(seed, name).random((self.steps, rates.size))
        return _rows(*np.nonzero(draws < rates * self.dt))

    def decode(self, spikes: Spikes, n: int) -> Doubles:
        """Return the most likely values (n,); NaN where no cell fired."""
        counts = _counts(spikes, n * self.cells).reshape(n, self.cells)
        total = counts.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            if not self.circular:
                return np.asarray(counts @ self.centres / total, np.float64)
            span = self.high - self.low
            vector = counts @ np.exp(2j * np.pi * (self.centres - self.low) / span)
            value = self.low + (np.angle(vector) / (2.0 * np.pi) % 1.0) * span
        return np.where(total > 0.0, value, np.nan)


def _require_steps(owner: str, steps: int) -> None:
    if steps < 1:
        raise ValueError(f"{owner} needs >= 1 step, got {steps}")


def _unit_values(owner: str, values: ArrayLike) -> Doubles:
    array = np.atleast_1d(np.asarray(values, np.float64))
    if array.ndim != 1 or not np.all((array >= 0.0) & (array <= 1.0)):
        raise ValueError(f"{owner} values must be (n,) in [0, 1]")
    return array


def _rows(step: NDArray[np.integer], neuron: NDArray[np.integer]) -> Spikes:
    """Return spikes (k, 2), ascending in the step, then in the neuron."""
    order = np.lexsort((neuron, step))
    return np.stack([step[order], neuron[order]], axis=1).astype(np.int32)


def _columns(spikes: Spikes, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    require_spikes("spikes", spikes)
    step, neuron = spikes[:, 0].astype(np.int64), spikes[:, 1].astype(np.int64)
    if neuron.size and not (neuron.min() >= 0 and neuron.max() < n):
        raise ValueError(f"neurons are 0..{n - 1}, got {neuron.min()}..{neuron.max()}")
    return step, neuron


def _counts(spikes: Spikes, n: int) -> Doubles:
    return np.bincount(_columns(spikes, n)[1], minlength=n).astype(np.float64)
