"""Parameters of populations: one number for all neurons, one for each, or a distribution to draw them from.

    LIF(tau_membrane=20e-3)                           all alike
    LIF(tau_membrane=numpy.linspace(10e-3, 30e-3, n)) each its own
    LIF(tau_membrane=Gamma(20e-3, variation=0.4))     drawn from the network's seed

Device mismatch is the last of these: `mismatched` spreads parameters of a model around their nominal values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .random import generator

Doubles = NDArray[np.float64]


@runtime_checkable
class Distribution(Protocol):
    """Anything that draws n values."""

    def draw(self, n: int, random: np.random.Generator) -> Doubles:
        """Return (n,) draws."""
        ...


#: What a field of a model may be.
Parameter = float | Doubles | Distribution


@dataclass(frozen=True, slots=True)
class Uniform:
    """All values from `low` to `high` alike."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"Uniform must be low <= high, got {self.low} and {self.high}")

    def draw(self, n: int, random: np.random.Generator) -> Doubles:
        """Return (n,) draws."""
        return random.uniform(self.low, self.high, n)


@dataclass(frozen=True, slots=True)
class Normal:
    """Gaussian; for quantities that may be negative."""

    mean: float
    deviation: float

    def __post_init__(self) -> None:
        if not self.deviation >= 0.0:
            raise ValueError(f"Normal deviation must be >= 0, got {self.deviation}")

    def draw(self, n: int, random: np.random.Generator) -> Doubles:
        """Return (n,) draws."""
        return random.normal(self.mean, self.deviation, n)


@dataclass(frozen=True, slots=True)
class Gamma:
    """Gamma with a mean > 0 and a coefficient of variation; time constants in cortex (Perez-Nieves 2021)."""

    mean: float
    variation: float  #: standard deviation / mean

    def __post_init__(self) -> None:
        _require_spread("Gamma", self.mean, self.variation)

    def draw(self, n: int, random: np.random.Generator) -> Doubles:
        """Return (n,) draws."""
        if self.variation == 0.0:
            return np.full(n, self.mean)
        shape = self.variation**-2
        return random.gamma(shape, self.mean / shape, n)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Log-normal with a mean > 0 and a coefficient of variation; mismatch of transistors."""

    mean: float
    variation: float  #: standard deviation / mean

    def __post_init__(self) -> None:
        _require_spread("LogNormal", self.mean, self.variation)

    def draw(self, n: int, random: np.random.Generator) -> Doubles:
        """Return (n,) draws."""
        width = np.sqrt(np.log1p(self.variation**2))
        return np.asarray(self.mean * np.exp(width * random.normal(size=n) - 0.5 * width**2), np.float64)


def _require_spread(owner: str, mean: float, variation: float) -> None:
    if not (mean > 0.0 and variation >= 0.0):
        raise ValueError(f"{owner} needs mean > 0 and variation >= 0, got {mean} and {variation}")


def values(parameter: Parameter) -> Doubles:
    """Return the numbers of `parameter`, () or (n,). Raises ValueError while it still is a distribution."""
    if isinstance(parameter, Distribution):
        raise ValueError(f"{parameter} has not been drawn yet: a population draws it, or `drawn` does")
    return np.asarray(parameter, np.float64)


def stack(*rows: Parameter) -> Doubles:
    """Return the rows as (rows, 1) when all are scalars, else as (rows, n)."""
    return np.stack(np.broadcast_arrays(*[np.atleast_1d(values(row)) for row in rows]))


Model = TypeVar("Model")


def drawn(model: Model, n: int, seed: int, name: str) -> Model:
    """Return `model` with each distribution replaced by its (n,) draws, of the stream `name` and its field.

    Raises ValueError for an array that is not (n,), and for draws that the model refuses.
    """
    changes: dict[str, Doubles] = {}
    for field in fields(model):  # type: ignore[arg-type]
        value = getattr(model, field.name)
        if isinstance(value, Distribution):
            changes[field.name] = value.draw(n, generator(seed, f"{name} {field.name}"))
        elif isinstance(value, np.ndarray) and value.shape not in ((), (n,)):
            raise ValueError(
                f"{type(model).__name__} {field.name} must be a number or ({n},), got shape {value.shape}"
            )
    return replace(model, **changes) if changes else model  # type: ignore[type-var]


def mismatched(model: Model, variation: float, names: Sequence[str]) -> Model:
    """Return `model` with the fields `names`, numbers > 0, spread log-normally around their values.

    `variation` is the standard deviation over the mean: 0.2 is a common figure for analogue circuits.
    """
    changes: dict[str, Any] = {}
    for name in names:
        nominal = float(values(getattr(model, name)))
        changes[name] = LogNormal(nominal, variation)
    return replace(model, **changes)  # type: ignore[type-var]


def require_positive(owner: str, **parameters: Parameter) -> None:
    """Raise ValueError unless every number of the named parameters is finite and > 0."""
    _require(owner, parameters, "finite and > 0", lambda x: np.isfinite(x) & (x > 0.0))


def require_not_negative(owner: str, **parameters: Parameter) -> None:
    """Raise ValueError unless every number of the named parameters is finite and >= 0."""
    _require(owner, parameters, "finite and >= 0", lambda x: np.isfinite(x) & (x >= 0.0))


def require_finite(owner: str, **parameters: Parameter) -> None:
    """Raise ValueError unless every number of the named parameters is finite."""
    _require(owner, parameters, "finite", np.isfinite)


def _require(owner: str, parameters: dict[str, Parameter], what: str, holds: Any) -> None:
    for name, parameter in parameters.items():
        if isinstance(parameter, Distribution):
            continue
        numbers = np.atleast_1d(values(parameter))
        wrong = numbers[~holds(numbers)]
        if wrong.size:
            raise ValueError(f"{owner} {name} must be {what}, got {wrong[0]:g}")
