"""Spike-timing-dependent plasticity with an eligibility trace and a third factor (R-STDP).

    dx_j/dt = -x_j / tau_plus  + presynaptic spikes,    dy_i/dt = -y_i / tau_minus + postsynaptic spikes
    dc_ji/dt = -c_ji / tau_c + A_plus x_j (at spikes of i) - A_minus y_i (at spikes of j)
    dw_ji/dt = eta c_ji m(t)

Izhikevich 2007, Cereb. Cortex 17:2443, with all pairs of spikes. The third factor m(t) is dopamine, a
temporal-difference error, or any other signal; it is constant within a step.

Between two spikes of its neurons a synapse needs no work: c only decays, and with M(t), the integral of
m(s) exp(-s / tau_c) ds, its weight grows by eta c(t0) exp(t0 / tau_c) (M(t) - M(t0)). So a synapse keeps the
eligibility in scaled form, c exp(t / tau_c), and the value of M when it was last touched: 8 bytes besides its
weight. Every 4 tau_c the origin of time is moved, in one sweep, so that single precision suffices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .checks import require_positive, require_shape, require_spikes
from .dense import DenseProjection
from .plasticity_kernel import advance
from .sparse import Indices, SparseProjection, narrow

Floats = NDArray[np.float32]

#: A trace below this is 0: the pair would be 14 time constants apart, and its neuron can be passed over.
FAINTEST = 1e-6


@dataclass(frozen=True, slots=True)
class RewardSTDP:
    """Parameters of the rule.

    Pair amplitudes of Song, Miller & Abbott 2000 (Nat. Neurosci. 3:919) as fractions of the largest weight;
    time constant of the eligibility of Izhikevich 2007.
    """

    a_plus: float = 0.01  #: eligibility of a pair pre before post at no distance
    a_minus: float = 0.0105  #: the same for post before pre, counted as depression
    tau_plus: float = 20e-3  #: s
    tau_minus: float = 20e-3  #: s
    tau_eligibility: float = 1.0  #: s, tau_c
    learning_rate: float = 1.0  #: eta, weight / (eligibility * third factor * s)
    low: float = 0.0  #: least weight
    high: float = 1.0  #: largest weight

    def __post_init__(self) -> None:
        for name in ("tau_plus", "tau_minus", "tau_eligibility"):
            require_positive("RewardSTDP", **{name: getattr(self, name)})
        if not self.low < self.high:
            raise ValueError(f"RewardSTDP bounds must be low < high, got {self.low} and {self.high}")

    def window(self, lag: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the eligibility of a single pair, `lag` = t_post - t_pre in s; 0 for coincident spikes."""
        before = self.a_plus * np.exp(-np.maximum(lag, 0.0) / self.tau_plus)
        after = -self.a_minus * np.exp(np.minimum(lag, 0.0) / self.tau_minus)
        return np.where(lag > 0.0, before, np.where(lag < 0.0, after, 0.0))


class PlasticityState(NamedTuple):
    """State of the plastic synapses of a projection."""

    eligibility: Floats  #: (synapses,) scaled: c exp((t - origin) / tau_c)
    seen: Floats  #: (synapses,) third-factor integral when the synapse was last touched
    pre_trace: Floats  #: (n_pre,) x
    post_trace: Floats  #: (n_post,) y
    clock: NDArray[np.int64]  #: (2,) steps since the start, and step of the origin of time
    integral: NDArray[np.float64]  #: (1,) M, third-factor integral since the origin, s


class PlasticProjection:
    """A sparse or dense projection whose weights the rule changes in place.

    Call `advance` once for each step, or for a block of steps, and `deliver` of the projection after it: the
    weights of a neuron that has just spiked are then up to date. Other entries of `projection.weights` wait
    for their next spike; `weights()` gives all of them at the present time. Pairs are timed by the emission
    of their spikes, so the delay of the projection is a dendritic one.

    Parameters
    ----------
    rule : parameters
    projection : its initial weights must lie within the bounds; a pair of neurons may have one synapse
    frozen : bool, like `projection.weights`: synapses that never change; None for none
    dt : step, s

    Raises
    ------
    ValueError
        For weights out of bounds, a repeated pair of neurons, and a mask of wrong shape or type.
    """

    def __init__(
        self,
        rule: RewardSTDP,
        projection: SparseProjection | DenseProjection,
        frozen: NDArray[np.bool_] | None = None,
        dt: float = 1e-3,
    ) -> None:
        require_positive("PlasticProjection", dt=dt)
        weights = projection.weights
        mask = np.zeros(0, np.bool_) if frozen is None else np.array(frozen)
        if frozen is not None:
            require_shape("the frozen mask", mask, weights.shape)
            if mask.dtype != np.bool_:
                raise ValueError(f"the frozen mask must be bool, got {mask.dtype}")
        plastic = weights if frozen is None else weights[~mask]
        if plastic.size and not (rule.low <= plastic.min() and plastic.max() <= rule.high):
            raise ValueError(
                f"plastic weights must be in [{rule.low}, {rule.high}], got {plastic.min()}..{plastic.max()}"
            )
        self.rule, self.projection, self.dt = rule, projection, dt
        self._frozen = mask.ravel()
        self._rows = _rows(projection)
        self._rebase = max(1, round(4.0 * rule.tau_eligibility / dt))
        self._constants = np.array(
            [
                rule.a_plus,
                rule.a_minus,
                np.exp(-dt / rule.tau_plus),
                np.exp(-dt / rule.tau_minus),
                dt / rule.tau_eligibility,
                -np.expm1(-dt / rule.tau_eligibility) * rule.tau_eligibility,
                rule.learning_rate,
                rule.low,
                rule.high,
                FAINTEST,
            ]
        )
        self.state = PlasticityState(
            np.zeros(weights.size, np.float32),
            np.zeros(weights.size, np.float32),
            np.zeros(projection.n_pre, np.float32),
            np.zeros(projection.n_post, np.float32),
            np.zeros(2, np.int64),
            np.zeros(1),
        )

    def advance(
        self, pre_spikes: NDArray[np.int32], post_spikes: NDArray[np.int32], factor: NDArray[np.float64]
    ) -> None:
        """Advance by the steps of `factor`.

        Parameters ---------- pre_spikes, post_spikes : (k, 2) of (step, neuron), ascending in the step, steps
        counted from this call
        factor : (steps,) third factor of each step, float64

        Raises
        ------
        ValueError
            For spikes of unknown neurons, outside the steps or out of order; nothing has changed then.
        """
        require_spikes("presynaptic spikes", pre_spikes)
        require_spikes("postsynaptic spikes", post_spikes)
        if factor.ndim != 1 or factor.dtype != np.float64:
            raise ValueError(f"the third factor must be (steps,) float64, got {factor.dtype} {factor.shape}")
        done: bool = advance(
            *self._rows,
            self._frozen,
            self.projection.weights.reshape(-1),
            self.state.eligibility,
            self.state.seen,
            self.state.pre_trace,
            self.state.post_trace,
            self.state.clock,
            self.state.integral,
            pre_spikes,
            post_spikes,
            factor,
            self._rebase,
            self._constants,
        )
        if not done:
            n_pre, n_post = self.projection.n_pre, self.projection.n_post
            raise ValueError(
                f"spikes must be of ascending steps in 0..{factor.size - 1}, and of neurons 0..{n_pre - 1} "
                f"before and 0..{n_post - 1} after the synapse"
            )

    def weights(self) -> Floats:
        """Return the weights at the present time, shaped as those of the projection."""
        state, rule = self.state, self.rule
        now = self.projection.weights.reshape(-1).copy()
        gain = state.eligibility * (np.float32(state.integral[0]) - state.seen)
        grown = np.clip(now + np.float32(rule.learning_rate) * gain, rule.low, rule.high)
        plastic = slice(None) if self._frozen.size == 0 else ~self._frozen
        now[plastic] = grown[plastic]
        return now.reshape(self.projection.weights.shape)

    def eligibility(self) -> Floats:
        """Return the eligibility c at the present time, shaped as the weights."""
        age = (self.state.clock[0] - self.state.clock[1]) * self.dt
        now = self.state.eligibility * np.float32(np.exp(-age / self.rule.tau_eligibility))
        return np.asarray(now.reshape(self.projection.weights.shape), np.float32)

    def clear(self) -> None:
        """Forget spikes and eligibilities, as between episodes; the weights stay as they are at present."""
        self.projection.weights[...] = self.weights()
        for array in self.state:
            array[...] = 0

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return copies of the state and of the weights, from which a run goes on bit for bit."""
        return {"weights": self.projection.weights.copy()} | {
            name: array.copy() for name, array in self.state._asdict().items()
        }

    def load(self, arrays: dict[str, NDArray[np.generic]]) -> None:
        """Take over what `arrays` returned for a projection of the same structure.

        Raises ValueError for missing entries and for wrong shapes; nothing has changed then.
        """
        own = {"weights": self.projection.weights} | self.state._asdict()
        missing = sorted(own.keys() - arrays.keys())
        if missing:
            raise ValueError(f"plasticity state lacks {', '.join(missing)}")
        for name, array in own.items():
            require_shape(f"plasticity state {name}", arrays[name], array.shape)
        for name, array in own.items():
            array[...] = arrays[name]


class _Rows(NamedTuple):
    """Where the synapses are: by row for presynaptic spikes, the sources of each target for its own."""

    row: NDArray[np.int64]  #: (n_pre + 1,), empty for a dense projection
    post: Indices  #: (synapses,), empty for a dense projection
    column: NDArray[np.int64]  #: (n_post + 1,), empty for a dense projection
    pre: Indices  #: (synapses,) sorted by target, empty for a dense projection


def _rows(projection: SparseProjection | DenseProjection) -> _Rows:
    if isinstance(projection, DenseProjection):
        none, nobody = np.zeros(0, np.int64), np.zeros(0, np.uint16)
        return _Rows(none, nobody, none, nobody)
    pre, post = projection.pre, projection.post
    repeated = np.flatnonzero((np.diff(pre) == 0) & (np.diff(post.astype(np.int64)) == 0))
    if repeated.size:
        first = repeated[0]
        raise ValueError(
            f"a plastic pair of neurons has one synapse; {pre[first]} -> {post[first]} has several"
        )
    column = np.zeros(projection.n_post + 1, np.int64)
    np.cumsum(np.bincount(post, minlength=projection.n_post), out=column[1:])
    partners = pre[np.argsort(post, kind="stable")]
    return _Rows(projection.row, post, column, narrow(partners, projection.n_pre))


def run_reference(
    rule: RewardSTDP,
    weights: ArrayLike,
    plastic: NDArray[np.bool_],
    pre_spikes: NDArray[np.int32],
    post_spikes: NDArray[np.int32],
    factor: NDArray[np.float64],
    dt: float = 1e-3,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weights and eligibilities (n_pre, n_post) after the steps of `factor`, from rest.

    The clock-driven NumPy twin of `PlasticProjection.advance`: every synapse in every step, in double
    precision. `plastic` (n_pre, n_post) is False where there is no synapse or a frozen one.
    """
    w = np.array(weights, np.float64)
    c, x, y = np.zeros_like(w), np.zeros(w.shape[0]), np.zeros(w.shape[1])
    keep = np.exp(-dt / rule.tau_eligibility)
    span = rule.tau_eligibility * (1.0 - keep)
    for step, m in enumerate(factor):
        pre = np.bincount(pre_spikes[pre_spikes[:, 0] == step, 1], minlength=x.size)
        post = np.bincount(post_spikes[post_spikes[:, 0] == step, 1], minlength=y.size)
        c += plastic * (rule.a_plus * np.outer(x, post) - rule.a_minus * np.outer(pre, y))
        x, y = (x + pre) * np.exp(-dt / rule.tau_plus), (y + post) * np.exp(-dt / rule.tau_minus)
        w[plastic] = np.clip(w + rule.learning_rate * m * span * c, rule.low, rule.high)[plastic]
        c *= keep
    return w, c
