"""A continuous attractor with slow negative feedback: it leads what it follows, or travels by itself.

    tau du/dt   = -u + rho sum_x' J(x - x') r(x') dx + I - v
    tau_v dv/dt = -v + m u
    r = u^2 / (1 + k rho sum u^2 dx),  u >= 0,   J(d) = J0 / (sqrt(2 pi) a) exp(-d^2 / 2 a^2)

Source: Mi, Fung, Wong & Wu 2014, NIPS 27; bump at rest: Fung, Wong & Wu 2010, Neural Comput. 22:752. Sums
over cells are written as integrals over the ring (rho dx = 1 a cell, absorbed in J0 and k), so that behaviour
does not depend on the number of cells. Where feedback is stronger than m = tau / tau_v the bump cannot rest
and travels with an intrinsic speed; a moving input slower than that is led, a faster one is followed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import brentq

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AnticipationConfig:
    """Parameters of the ring."""

    cells: int = 128
    tau: float = 0.003  #: s, synapses
    tau_v: float = 0.144  #: s, negative feedback (48 tau in Mi et al. 2014)
    feedback: float = 0.0  #: m, strength of the negative feedback
    inhibition: float = 0.1  #: k, divisive; in units of 1 / (current^2 rad)
    excitation: float = 1.0  #: J0, strength of the connections
    width: float = 0.4  #: a, rad, range of the connections

    def __post_init__(self) -> None:
        if self.cells < 16:
            raise ValueError(f"anticipation cells must be >= 16, got {self.cells}")
        for name in ("tau", "tau_v", "inhibition", "excitation", "width"):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"anticipation {name} must be > 0, got {getattr(self, name)}")
        if self.feedback < 0.0:
            raise ValueError(f"anticipation feedback must be >= 0, got {self.feedback}")
        if self.inhibition >= self.critical_inhibition:
            raise ValueError(
                f"anticipation inhibition must be < {self.critical_inhibition:.3f} for a bump to last, "
                f"got {self.inhibition}"
            )

    @property
    def critical_inhibition(self) -> float:
        """k at which the resting bump of m = 0 ceases to exist: J0^2 / (8 sqrt(2 pi) a)."""
        return float(self.excitation**2 / (8.0 * np.sqrt(2.0 * np.pi) * self.width))

    @property
    def threshold(self) -> float:
        """Feedback m above which the bump travels by itself: tau / tau_v (Mi et al. 2014)."""
        return self.tau / self.tau_v

    @property
    def intrinsic_speed(self) -> float:
        """Speed of the travelling wave of a bump that keeps its shape, rad/s; 0 below threshold.

        The wave's feedback is the bump filtered over tau_v s behind it. That it pushes the bump along as fast
        as it travels asks for tau / (m tau_v) = <1 / (1 + (tau_v s k)^2)>, the mean over wave numbers k
        weighted by k^2 exp(-2 a^2 k^2), the power of the bump's slope.
        """
        ratio = self.feedback / self.threshold
        if ratio <= 1.0:
            return 0.0
        k = np.linspace(0.0, 6.0 / self.width, 2000)
        weight = k**2 * np.exp(-2.0 * (self.width * k) ** 2)
        weight /= weight.sum()

        def push(lag: float) -> float:
            return float(np.sum(weight / (1.0 + (lag * k) ** 2))) * ratio - 1.0

        return float(brentq(push, 0.0, 20.0 * self.width * ratio)) / self.tau_v


class AnticipatingRing:
    """A ring of rate units under the dynamics above; angles in rad, counter-clockwise."""

    def __init__(self, config: AnticipationConfig, dt: float = 2e-4) -> None:
        if not 0.0 < dt <= 0.2 * config.tau:
            raise ValueError(f"anticipation dt must be in (0, tau / 5], got {dt}")
        self.config, self.dt = config, dt
        self.angle = np.asarray(np.arange(config.cells) * (2.0 * np.pi / config.cells), np.float64)
        distance = np.angle(np.exp(1j * self.angle))
        spacing = 2.0 * np.pi / config.cells
        peak = config.excitation / (np.sqrt(2.0 * np.pi) * config.width)
        bump = np.exp(-(distance**2) / (2.0 * config.width**2))
        self.kernel = np.asarray(peak * bump * spacing, np.float64)
        self.current: Doubles = np.zeros(config.cells)
        self.fatigue: Doubles = np.zeros(config.cells)

    def rest_at(self, angle: float) -> None:
        """Put the bump that rests without feedback at `angle`, and the feedback at its balance."""
        c = self.config
        root = np.sqrt(max(0.0, 1.0 - c.inhibition / c.critical_inhibition))
        height = c.excitation * (1.0 + root) / (4.0 * np.sqrt(np.pi) * c.width * c.inhibition)
        self.current[:] = height * self._bump(angle)
        self.fatigue[:] = c.feedback * self.current

    def input_at(self, angle: float, strength: float) -> Doubles:
        """Return the input (cells,) of an outside cue of `strength` at `angle`, as wide as the bump."""
        return np.asarray(strength * self._bump(angle))

    def advance(self, seconds: float, start: float = 0.0, speed: float = 0.0, strength: float = 0.0) -> None:
        """Advance by `seconds` under a cue of `strength` that moves from `start` rad with `speed` rad/s."""
        c, steps = self.config, round(seconds / self.dt)
        _advance(
            self.current, self.fatigue, self.kernel, self.angle, steps, self.dt, c.tau, c.tau_v,
            c.feedback, c.inhibition, c.width, start, speed, strength,
        )  # fmt: skip

    @property
    def centre(self) -> float:
        """Direction of the population vector of the bump, rad in (-pi, pi]."""
        rate = np.maximum(self.current, 0.0) ** 2
        return float(np.angle(np.sum(rate * np.exp(1j * self.angle))))

    def _bump(self, angle: float) -> Doubles:
        distance = np.angle(np.exp(1j * (self.angle - angle)))
        return np.asarray(np.exp(-(distance**2) / (4.0 * self.config.width**2)))


def anticipation_time(
    config: AnticipationConfig, speed: float, strength: float, seconds: float = 3.0
) -> float:
    """Return by how many s a ring leads (> 0) or lags (< 0) a cue moving at `speed` rad/s.

    The mean over the second half of `seconds`.
    """
    if speed == 0.0:
        raise ValueError("anticipation speed must not be 0")
    ring, ahead, at = AnticipatingRing(config), [], 0.0
    ring.rest_at(0.0)
    period = 0.01
    for k in range(round(seconds / period)):
        ring.advance(period, at, speed, strength)
        at += speed * period
        if k >= round(0.5 * seconds / period):
            ahead.append(float(np.angle(np.exp(1j * (ring.centre - at)))) / speed)
    return float(np.mean(ahead))


@njit(cache=True)
def _advance(
    current: Doubles,
    fatigue: Doubles,
    kernel: Doubles,
    angle: Doubles,
    steps: int,
    dt: float,
    tau: float,
    tau_v: float,
    feedback: float,
    inhibition: float,
    width: float,
    start: float,
    speed: float,
    strength: float,
) -> None:
    n = current.size
    rate, spacing = np.empty(n), 2.0 * np.pi / n
    total = np.empty(n)
    for step in range(steps):
        centre, power = start + speed * step * dt, 0.0
        for i in range(n):
            rate[i] = max(current[i], 0.0) ** 2
            power += rate[i] * spacing
        scale = 1.0 / (1.0 + inhibition * power)
        total[:] = 0.0
        for j in range(n):
            r = rate[j] * scale
            if r > 1e-12:
                for i in range(n):
                    total[i] += kernel[i - j if i >= j else i - j + n] * r
        for i in range(n):
            outside = 0.0
            if strength != 0.0:
                d = angle[i] - centre
                d -= 2.0 * np.pi * np.round(d / (2.0 * np.pi))
                outside = strength * np.exp(-d * d / (4.0 * width * width))
            u = current[i]
            current[i] += dt / tau * (total[i] + outside - u - fatigue[i])
            fatigue[i] += dt / tau_v * (feedback * u - fatigue[i])
