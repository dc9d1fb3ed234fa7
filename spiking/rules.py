"""Rules by which synapses learn from the timing of spikes: what each asks for, and its constants.

`plasticity` runs them, and has their equations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .parameters import require_finite, require_not_negative, require_positive

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Homeostasis:
    """Synaptic scaling: a neuron's synapses grow together when it fires less than `rate`, and shrink above.

    dw/dt = (w / tau) (1 - r / rate), r the running rate; van Rossum, Bi & Turrigiano 2000, J. Neurosci.
    20:8812. Applied every `every` s.
    """

    rate: float = 5.0  #: Hz, wanted of each postsynaptic neuron
    tau: float = 10.0  #: s
    tau_rate: float = 5.0  #: s, over which the rate is measured
    every: float = 0.1  #: s

    def __post_init__(self) -> None:
        require_positive(
            "Homeostasis", rate=self.rate, tau=self.tau, tau_rate=self.tau_rate, every=self.every
        )


@dataclass(frozen=True, slots=True)
class STDP:
    """Pair STDP. Amplitudes of Song, Miller & Abbott 2000, Nat. Neurosci. 3:919, who have weights up to 1."""

    a_plus: float = 0.01  #: change by a pair pre before post at no distance
    a_minus: float = 0.0105  #: the same for post before pre, counted as depression
    tau_plus: float = 20e-3  #: s
    tau_minus: float = 20e-3  #: s
    low: float = 0.0  #: least weight
    high: float = 1.0  #: largest weight
    homeostasis: Homeostasis | None = None
    dies: bool = False  #: whether a synapse that has come down to `low` is gone for good

    def __post_init__(self) -> None:
        _require_rule("STDP", self)

    def window(self, lag: Doubles) -> Doubles:
        """Return the change by a single pair, `lag` = t_post - t_pre in s; 0 for coincident spikes."""
        return _window(self, lag)


@dataclass(frozen=True, slots=True)
class RewardSTDP:
    """STDP whose changes wait for a third factor. Izhikevich 2007, Cereb. Cortex 17:2443."""

    a_plus: float = 0.01  #: eligibility of a pair pre before post at no distance
    a_minus: float = 0.0105  #: the same for post before pre, counted as depression
    tau_plus: float = 20e-3  #: s
    tau_minus: float = 20e-3  #: s
    tau_eligibility: float = 1.0  #: s, tau_c
    learning_rate: float = 1.0  #: eta, weight / (eligibility * third factor * s)
    low: float = 0.0  #: least weight
    high: float = 1.0  #: largest weight
    homeostasis: Homeostasis | None = None
    dies: bool = False  #: whether a synapse that has come down to `low` is gone for good

    def __post_init__(self) -> None:
        _require_rule("RewardSTDP", self)
        require_positive("RewardSTDP", tau_eligibility=self.tau_eligibility)

    def window(self, lag: Doubles) -> Doubles:
        """Return the eligibility of a single pair, `lag` = t_post - t_pre in s; 0 for coincident spikes."""
        return _window(self, lag)


@dataclass(frozen=True, slots=True)
class SequentialSTDP:
    """Depression while exploring, turned into potentiation by a later reward.

    Under acetylcholine each pair depresses at once, whichever spike came first; dopamine potentiates what the
    pairs of the last seconds have left in the eligibility. Brzosko, Zannone et al. 2017, eLife 6:e27756;
    Zannone et al. 2018, Sci. Rep. 8:9486, whose rates and time constants are the defaults. The modulator of
    the projection's `gate` is acetylcholine, that of its `third_factor` dopamine.
    """

    a_plus: float = 1.0  #: pair pre before post at no distance
    a_minus: float = 1.0  #: pair post before pre at no distance
    tau_plus: float = 20e-3  #: s
    tau_minus: float = 20e-3  #: s
    tau_eligibility: float = 2.0  #: s
    dopamine_rate: float = 0.01  #: eta_DA
    acetylcholine_rate: float = 0.002  #: eta_ACh
    low: float = 0.0  #: least weight
    high: float = 1.0  #: largest weight
    homeostasis: Homeostasis | None = None
    dies: bool = False  #: whether a synapse that has come down to `low` is gone for good

    def __post_init__(self) -> None:
        _require_rule("SequentialSTDP", self)
        require_positive("SequentialSTDP", tau_eligibility=self.tau_eligibility)
        require_not_negative(
            "SequentialSTDP", dopamine_rate=self.dopamine_rate, acetylcholine_rate=self.acetylcholine_rate
        )


@dataclass(frozen=True, slots=True)
class TDLTP:
    """Potentiation of what was active before a spike, by the temporal-difference error; for actor and critic.

        dw_ji/dt = eta delta(t) [Y_i (X_j o epsilon)] o kappa

    X and Y are spike trains, o a convolution, epsilon the postsynaptic potential and kappa the eligibility's
    kernel, both differences of two exponentials, of which kappa has area 1. The third factor is delta.
    Fremaux, Sprekeler & Gerstner 2013, PLoS Comput. Biol. 9:e1003024.
    """

    tau_membrane: float = 20e-3  #: s, slow time constant of epsilon
    tau_synapse: float = 5e-3  #: s, fast time constant of epsilon
    psp_area: float = 20e-3  #: mV s, epsilon_0, area of epsilon
    tau_eligibility: float = 0.2  #: s, slow time constant of kappa
    tau_rise: float = 0.05  #: s, fast time constant of kappa
    learning_rate: float = 0.01  #: eta
    low: float = 1.0  #: least weight
    high: float = 3.0  #: largest weight
    homeostasis: Homeostasis | None = None
    dies: bool = False  #: whether a synapse that has come down to `low` is gone for good

    def __post_init__(self) -> None:
        owner = "TDLTP"
        require_positive(owner, tau_synapse=self.tau_synapse, tau_rise=self.tau_rise, psp_area=self.psp_area)
        if not self.tau_synapse < self.tau_membrane or not self.tau_rise < self.tau_eligibility:
            raise ValueError("TDLTP tau_synapse must be < tau_membrane, and tau_rise < tau_eligibility")
        if not self.low < self.high:
            raise ValueError(f"TDLTP bounds must be low < high, got {self.low} and {self.high}")

    @property
    def tau_plus(self) -> float:
        """Time constant of the slow presynaptic trace, s."""
        return self.tau_membrane

    @property
    def tau_minus(self) -> float:
        """Time constant of the postsynaptic trace, s, which this rule does not use."""
        return self.tau_membrane


Rule = STDP | RewardSTDP | SequentialSTDP | TDLTP


def _window(rule: STDP | RewardSTDP, lag: Doubles) -> Doubles:
    before = rule.a_plus * np.exp(-np.maximum(lag, 0.0) / rule.tau_plus)
    after = -rule.a_minus * np.exp(np.minimum(lag, 0.0) / rule.tau_minus)
    return np.where(lag > 0.0, before, np.where(lag < 0.0, after, 0.0))


def _require_rule(owner: str, rule: STDP | RewardSTDP | SequentialSTDP) -> None:
    require_positive(owner, tau_plus=rule.tau_plus, tau_minus=rule.tau_minus)
    require_finite(owner, a_plus=rule.a_plus, a_minus=rule.a_minus)
    if not rule.low < rule.high:
        raise ValueError(f"{owner} bounds must be low < high, got {rule.low} and {rule.high}")


def eligibility_time(rule: Rule) -> float:
    """Return tau_c, s; infinite for a rule without eligibility."""
    return np.inf if isinstance(rule, STDP) else rule.tau_eligibility


def constants(rule: Rule, dt: float) -> Doubles:
    """Return what the compiled side needs of `rule` for steps of `dt` s, in the order of `learning`."""
    tau, slow, second = eligibility_time(rule), rule.homeostasis, [0.0, 0.0, 0.0]
    if isinstance(rule, STDP):
        eligible, now, rate = (0.0, 0.0), (rule.a_plus, rule.a_minus), 0.0
    elif isinstance(rule, RewardSTDP):
        eligible, now, rate = (rule.a_plus, rule.a_minus), (0.0, 0.0), rule.learning_rate
    elif isinstance(rule, TDLTP):
        potential = rule.psp_area / (rule.tau_membrane - rule.tau_synapse)
        eligible, now, rate = (potential / (tau - rule.tau_rise), 0.0), (0.0, 0.0), rule.learning_rate
        fast = dt / rule.tau_rise
        second = [np.exp(-dt / rule.tau_synapse), fast, -np.expm1(-fast) * rule.tau_rise]
    else:
        depress = rule.acetylcholine_rate
        eligible, rate = (rule.a_plus, -rule.a_minus), rule.dopamine_rate
        now = (-depress * rule.a_plus, depress * rule.a_minus)
    leak, span = (dt / tau, -np.expm1(-dt / tau) * tau) if np.isfinite(tau) else (0.0, dt)
    scaling = [0.0, 0.0, 0.0, 0.0]
    if slow is not None:
        every = max(1, round(slow.every / dt))
        keep = np.exp(-every * dt / slow.tau_rate)
        # In the steady state a sweep finds rate * every / (1 - keep) spikes in the count that decays by keep.
        scaling = [slow.rate * every * dt / (1.0 - keep), every * dt / slow.tau, float(every), keep]
    # Often enough that what decays fastest stays within the range of single precision.
    least = 2.0 * rule.tau_rise if isinstance(rule, TDLTP) else tau
    rebase = max(1, round(4.0 * least / dt)) if np.isfinite(tau) else np.inf
    return np.array(
        [
            *eligible, *now, np.exp(-dt / rule.tau_plus), np.exp(-dt / rule.tau_minus), leak, span, rate,
            rule.low, rule.high, float(rule.dies), *scaling, rebase, *second,
        ]
    )  # fmt: skip
