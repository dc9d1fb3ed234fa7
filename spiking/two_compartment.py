"""Neurons with a basal and an apical dendrite, each with a time constant of its own, that meet in the soma.

    tau_d dd/dt = -d + input     for d of the basal and of the apical dendrite
    tau_m dv/dt = rest - v + g_b f_b(d_b) + g_a f_a(d_a)
    spike at v >= threshold: v := reset, held for t_ref
    linear   f(d) = d
    plateau  f(d) = height (s((d - onset) / width) - s(-onset / width)),   s(x) = 1 / (1 + exp(-x))

Branches that filter and saturate before the soma sums them: Poirazi, Brannon & Mel 2003, Neuron 37:989; with
time constants that differ, Zheng et al. 2024, Nat. Commun. 15:277. The plateau is 0 where the dendrite is.

A receptor chooses its dendrite, `exponential(5e-3, compartment="apical")`; a conductance is in units of that
dendrite's leak. Under an input that is held over the step, linear dendrites and their soma are exact; a
plateau takes the dendrite at the level that would do to the soma, were it linear, what its course over the
step does: of second order, as are conductances. A spike lies on the grid of steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from .lif import LIF, require_reset
from .model import Doubles, Reals, fire, linear_reach, mean_reach, shrink
from .parameters import Parameter, require_finite, require_not_negative, require_positive, stack, values

Response = Literal["linear", "plateau"]

#: Widths beyond onset at which a plateau counts as full, or as none.
_FULL = 20.0


@dataclass(frozen=True, slots=True)
class TwoCompartment:
    """Parameters of a population, in membrane units of your choice; by default threshold is 1 above rest.

    `drive`, `noise` and series belong to the first channel, the basal dendrite. Time constants may differ
    between neurons, `tau_apical=Gamma(50e-3, 0.5)` (Perez-Nieves et al. 2021, Nat. Commun. 12:5791).
    """

    tau_membrane: Parameter = 20e-3  #: s
    tau_basal: Parameter = 5e-3  #: s
    tau_apical: Parameter = 50e-3  #: s
    gain_basal: Parameter = 1.0  #: membrane per unit of f, in the steady state
    gain_apical: Parameter = 1.0  #: likewise
    basal_response: Response = "linear"
    apical_response: Response = "linear"
    height: Parameter = 1.0  #: of a plateau
    onset: Parameter = 0.5  #: dendrite at half of it
    width: Parameter = 0.1  #: of its rise, in units of the dendrite
    threshold: Parameter = 1.0
    refractory: Parameter = 2e-3  #: s
    rest: Parameter = 0.0  #: membrane without input
    reset: Parameter = 0.0  #: membrane after a spike
    noise: Parameter = 0.0  #: standard deviation added to the basal dendrite each step

    kind: ClassVar[int] = 7
    variables: ClassVar[tuple[str, ...]] = ("membrane", "basal", "apical")
    channels: ClassVar[tuple[str, ...]] = ("basal", "apical")
    double: ClassVar[bool] = False

    def __post_init__(self) -> None:
        owner = "TwoCompartment"
        require_positive(
            owner, tau_membrane=self.tau_membrane, tau_basal=self.tau_basal, tau_apical=self.tau_apical,
            height=self.height, width=self.width,
        )  # fmt: skip
        require_finite(
            owner, gain_basal=self.gain_basal, gain_apical=self.gain_apical, onset=self.onset,
            threshold=self.threshold, rest=self.rest, reset=self.reset,
        )  # fmt: skip
        require_not_negative(owner, refractory=self.refractory, noise=self.noise)
        require_reset(owner, self.reset, self.threshold)
        for name, response in (("basal", self.basal_response), ("apical", self.apical_response)):
            if response not in ("linear", "plateau"):
                raise ValueError(f"{owner} {name}_response must be 'linear' or 'plateau', got {response!r}")

    def somatic_drive(self, basal: ArrayLike, apical: ArrayLike = 0.0) -> Doubles:
        """Return what the soma gets, membrane units, from dendrites at `basal` and `apical`, (k,) or (n,)."""
        dendrites = (
            (basal, self.basal_response, self.gain_basal),
            (apical, self.apical_response, self.gain_apical),
        )
        return np.asarray(
            sum(values(gain) * self._respond(np.asarray(d, np.float64), kind) for d, kind, gain in dendrites)
        )

    def _respond(self, dendrite: Doubles, response: Response) -> Doubles:
        if response == "linear":
            return dendrite
        onset, width = values(self.onset), values(self.width)
        risen = _sigmoid((dendrite - onset) / width) - _sigmoid(-onset / width)
        return np.asarray(values(self.height) * risen, np.float64)

    def rate(self, basal: ArrayLike, apical: ArrayLike = 0.0) -> Doubles:
        """Return the rate, Hz, under constant input to the dendrites once they are steady, without noise."""
        soma = LIF(self.tau_membrane, self.threshold, self.refractory, self.rest, self.reset)
        return soma.rate(self.somatic_drive(basal, apical))

    def initial(self, n: int) -> Doubles:
        """Return the membrane at rest and silent dendrites, (3, n)."""
        return np.stack([np.broadcast_to(values(self.rest), n), np.zeros(n), np.zeros(n)])

    def constants(self, dt: float) -> Doubles:
        """Return the constants of `update`."""
        soma, basal, apical = values(self.tau_membrane), values(self.tau_basal), values(self.tau_apical)
        gain = -np.expm1(-dt / soma)
        return stack(
            self.threshold, self.reset, np.round(values(self.refractory) / dt),
            np.exp(-dt / basal), _lasting(dt, basal, soma), dt / basal,
            float(self.basal_response == "plateau"),
            np.exp(-dt / apical), _lasting(dt, apical, soma), dt / apical,
            float(self.apical_response == "plateau"),
            np.exp(-dt / soma), gain * values(self.rest), gain * values(self.gain_basal),
            gain * values(self.gain_apical),
            self.height, self.onset, self.width, _sigmoid(-values(self.onset) / values(self.width)),
        )  # fmt: skip

    def reach(self, dt: float, tau: float) -> Doubles:
        """Return the mean drives of exponential and alpha currents, (2, 1)."""
        return mean_reach(dt, tau)

    def noise_drive(self, dt: float) -> Doubles:
        """Return the standard deviation of the basal drive that makes `noise`, (1 or n,)."""
        noise = values(self.noise) / -np.expm1(-dt / values(self.tau_basal))
        return np.atleast_1d(np.asarray(noise, np.float64))


def _sigmoid(x: Doubles) -> Doubles:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x), np.float64)


def _lasting(dt: float, tau: Doubles, tau_membrane: Doubles) -> Doubles:
    """Return the constant drive that does to a soma in a step what exp(-t / tau) does, (1 or n,)."""
    taus, somas = np.broadcast_arrays(np.atleast_1d(tau), np.atleast_1d(tau_membrane))
    pairs = zip(taus, somas, strict=True)
    return np.array([linear_reach(dt, float(fading), soma)[0, 0] for fading, soma in pairs])


@njit(cache=True, error_model="numpy")
def _move(dendrites: Reals, drive: Reals, load: Reals, c: Reals) -> None:
    """Let dendrites move for one step and put the level that the soma sees in the place of their input."""
    one, half = dendrites.dtype.type(1.0), dendrites.dtype.type(0.5)
    each = c.shape[1] > 1
    if load.size > 0:
        for i in range(dendrites.size):
            total = one + load[i]
            steady, lasting = drive[i] / total, shrink(half * c[2, i if each else 0] * total)
            away = dendrites[i] - steady
            drive[i] = steady + away * lasting
            dendrites[i] = steady + away * lasting * lasting
    elif each:
        for i in range(dendrites.size):
            steady, away = drive[i], dendrites[i] - drive[i]
            drive[i] = steady + away * c[1, i]
            dendrites[i] = steady + away * c[0, i]
    else:
        keep, lasting = c[0, 0], c[1, 0]
        for i in range(dendrites.size):
            steady, away = drive[i], dendrites[i] - drive[i]
            drive[i] = steady + away * lasting
            dendrites[i] = steady + away * keep


@njit(cache=True, error_model="numpy")
def _respond(level: Reals, c: Reals) -> None:
    """Turn the levels of dendrites into their plateaus."""
    real = level.dtype.type
    one, none, full = real(1.0), real(0.0), real(_FULL)
    for i in range(level.size):
        k = i if c.shape[1] > 1 else 0
        x = (level[i] - c[1, k]) / c[2, k]
        e = shrink(min(abs(x), full))
        level[i] = c[0, k] * ((one if x > none else e) / (one + e) - c[3, k])


@njit(cache=True, error_model="numpy")
def update(
    state: Reals, silent: NDArray[np.int32], drive: Reals, load: Reals, c: Reals, at: np.uint32, fired: Any
) -> int:
    """Advance by one step; see `model`."""
    membrane, basal, apical = state[0], drive[0], drive[1]
    soma, half = c[11:15], membrane.dtype.type(0.5)
    _move(state[1], basal, load[0], c[3:6])
    _move(state[2], apical, load[1], c[7:10])
    if c[6, 0] > half:
        _respond(basal, c[15:19])
    if c[10, 0] > half:
        _respond(apical, c[15:19])
    if c.shape[1] > 1:
        for i in range(membrane.size):
            into = soma[1, i] + soma[2, i] * basal[i] + soma[3, i] * apical[i]
            membrane[i] = soma[0, i] * membrane[i] + into
    else:
        keep, rest, of_basal, of_apical = soma[0, 0], soma[1, 0], soma[2, 0], soma[3, 0]
        for i in range(membrane.size):
            membrane[i] = keep * membrane[i] + (rest + of_basal * basal[i] + of_apical * apical[i])
    count: int = fire(membrane, silent, c[0], c[1], c[2], fired)
    return count
