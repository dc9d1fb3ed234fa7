"""Spike-timing-dependent plasticity, one engine for all kinds of third factor.

    dx_j/dt = -x_j / tau_plus  + presynaptic spikes,    dy_i/dt = -y_i / tau_minus + postsynaptic spikes

    1          STDP        dw_ji = A_plus x_j at spikes of i, -A_minus y_i at spikes of j
    dopamine   RewardSTDP  the same amounts go to an eligibility c, and dw_ji/dt = eta c_ji m(t),
                           dc_ji/dt = -c_ji / tau_c
    TD error   TDLTP       potentiation only, by the potential that j has left when i spikes
    acetylcholine and dopamine   SequentialSTDP  acetylcholine scales changes that depress at once, dopamine
                           what the same pairs have left in c

All pairs of spikes count. The third factor m(t) is a modulator's level, a temporal-difference error, or any
other signal that is constant within a step.

Between two spikes of its neurons a synapse needs no work: c only decays, and with M(t), the integral of
m(s) exp(-s / tau_c) ds, its weight grows by eta c(t0) exp(t0 / tau_c) (M(t) - M(t0)). So a synapse keeps the
eligibility in scaled form, c exp(t / tau_c), and the value of M when it was last touched: 8 bytes besides its
weight. Every 4 tau_c the origin of time is moved, in one sweep, so that single precision suffices.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import layout
from .addresses import address
from .checks import require_shape
from .deferred import Pending, settle_all, slope_of
from .dense import DenseProjection
from .rules import STDP, TDLTP, Rule, constants, eligibility_time
from .sparse import Indices, SparseProjection, narrow

Reals = NDArray[np.float32] | NDArray[np.float64]
Doubles = NDArray[np.float64]


class Plasticity:
    """State of the plastic synapses of one projection, in `copies` of a batch.

    Parameters
    ----------
    frozen : bool, like the weights of the projection: synapses that never change; None for none

    Raises
    ------
    ValueError
        For weights out of bounds, a repeated pair of neurons, and a mask of wrong shape or type.
    """

    def __init__(
        self,
        rule: Rule,
        projection: SparseProjection | DenseProjection,
        weights: Reals,
        copies: int,
        dt: float,
        frozen: NDArray[np.bool_] | None = None,
    ) -> None:
        self.rule, self.dt, self.copies, self._weights = rule, dt, copies, weights
        self._constants = constants(rule, dt)
        count = projection.synapses
        self._frozen = _mask(rule, projection, frozen, copies)
        plastic = weights if self._frozen.size == 0 else weights[~self._frozen.reshape(weights.shape)]
        if plastic.size and not (rule.low <= plastic.min() and plastic.max() <= rule.high):
            raise ValueError(
                f"plastic weights must be in [{rule.low}, {rule.high}], got {plastic.min()}..{plastic.max()}"
            )
        self._sources = _sources(projection)
        traced, real = 0 if isinstance(rule, STDP) else count * copies, weights.dtype
        double = isinstance(rule, TDLTP)
        # Dense rows wait for their source, unless the rule looks at single synapses.
        waits = isinstance(projection, DenseProjection) and not (
            double or self._frozen.size or rule.homeostasis
        )
        self._pending = Pending.empty(projection.n_pre, projection.n_post, copies) if waits else None
        self._n_pre, self._n_post = projection.n_pre, projection.n_post
        self._scratch = np.zeros(projection.n_post, real)
        self._eligibility, self._seen = np.zeros(traced, real), np.zeros(0 if waits else traced, real)
        self._pre_trace = np.zeros(projection.n_pre * copies, real)
        self._post_trace = np.zeros(projection.n_post * copies, real)
        self._eligibility_2, self._seen_2 = np.zeros(traced * double, real), np.zeros(traced * double, real)
        self._pre_trace_2 = np.zeros(self._pre_trace.size * double, real)
        self._integral_2 = np.zeros(copies * double)
        #: steps since the start, and step of the origin of time
        self._clock, self._integral = np.zeros(2, np.int64), np.zeros(copies)
        self._rates = np.zeros(projection.n_post * copies if rule.homeostasis is not None else 0, real)
        if rule.homeostasis is not None:
            self._rates[:] = self._constants[12]
        self.record = np.zeros(layout.L_COLUMNS, np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes of what the synapses keep besides their weights and targets."""
        per_synapse = (
            self._eligibility, self._seen, self._eligibility_2, self._seen_2, self._frozen, self._sources.pre,
        )  # fmt: skip
        return sum(array.nbytes for array in per_synapse)

    def describe(self) -> int:
        """Return the address of the record of addresses that `learning` reads."""
        record = self.record
        for column, array in (
            (layout.L_CONSTANTS, self._constants), (layout.L_ELIGIBILITY, self._eligibility),
            (layout.L_SEEN, self._seen), (layout.L_PRE_TRACE, self._pre_trace),
            (layout.L_POST_TRACE, self._post_trace), (layout.L_CLOCK, self._clock),
            (layout.L_INTEGRAL, self._integral), (layout.L_FROZEN, self._frozen),
            (layout.L_COLUMN, self._sources.column), (layout.L_PRE, self._sources.pre),
            (layout.L_RATE, self._rates), (layout.L_ELIGIBILITY_2, self._eligibility_2),
            (layout.L_SEEN_2, self._seen_2), (layout.L_PRE_TRACE_2, self._pre_trace_2),
            (layout.L_INTEGRAL_2, self._integral_2),
        ):  # fmt: skip
            record[column] = address(array)
        record[layout.L_MASKED], record[layout.L_COPIES] = int(self._frozen.size > 0), self.copies
        record[layout.L_PRE_WIDE] = int(self._sources.pre.dtype == np.uint32)
        if self._pending is not None:
            record[layout.L_SCRATCH] = address(self._scratch)
            record[layout.L_ROOM] = self._pending.event_target.size
            record[layout.L_PENDING :] = [address(array) for array in self._pending]
        return address(record)

    def weights(self) -> Reals:
        """Return the weights at the present time, shaped as those of the connection."""
        now = self._weights.copy()
        if self._pending is not None:
            self._catch_up(now, self._eligibility.copy(), self._pre_trace.copy(), self._pending.copied())
        elif self._eligibility.size:
            gain = self._eligibility * (self._gone(self._integral) - self._seen)
            if self._eligibility_2.size:
                gain -= self._eligibility_2 * (self._gone(self._integral_2) - self._seen_2)
            rate = now.dtype.type(self._constants[8])
            grown = np.clip(now.reshape(-1) + rate * gain, self.rule.low, self.rule.high)
            plastic = slice(None) if self._frozen.size == 0 else ~self._frozen
            now.reshape(-1)[plastic] = grown[plastic]
        return now

    def eligibility(self) -> Reals:
        """Return the eligibility c at the present time, shaped as the weights; zeros where there is none."""
        if not self._eligibility.size:
            return np.zeros_like(self._weights)
        age = (self._clock[0] - self._clock[1]) * self.dt
        real, now = self._weights.dtype.type, self._eligibility
        if self._pending is not None:
            now = now.copy()
            self._catch_up(self._weights.copy(), now, self._pre_trace.copy(), self._pending.copied())
        now = now * real(np.exp(-age / eligibility_time(self.rule)))
        if isinstance(self.rule, TDLTP):
            now = now - self._eligibility_2 * real(np.exp(-age / self.rule.tau_rise))
        return np.asarray(now.reshape(self._weights.shape))

    def _gone(self, integral: Doubles) -> Reals:
        """Integral of the third factor up to now, for each synapse."""
        each = integral.astype(self._weights.dtype)
        return np.repeat(each, self._weights.size // self.copies)

    def _catch_up(self, weights: Reals, eligibility: Reals, trace: Reals, pending: Pending) -> None:
        """Let rows that wait for their source work through what they have missed."""
        real, c = weights.dtype.type, self._constants
        settle_all(
            pending, weights.reshape(-1), eligibility, trace, self._n_pre, self._n_post,
            int(self._clock[0]), slope_of(c[4]), real(c[8]), self._integral, real(c[9]), real(c[10]),
            self._scratch,
        )  # fmt: skip

    def settle(self) -> None:
        """Bring the weights up to date, so that they can be written to."""
        if self._pending is not None:
            self._catch_up(self._weights, self._eligibility, self._pre_trace, self._pending)
            return
        self._weights[...] = self.weights()
        for seen, integral in ((self._seen, self._integral), (self._seen_2, self._integral_2)):
            if seen.size:
                seen[:] = self._gone(integral)

    def clear(self) -> None:
        """Forget spikes and eligibilities, as between episodes; the weights stay as they are at present."""
        self.settle()
        for name, array in self.arrays().items():
            if name not in ("frozen", "rates"):
                array[...] = 0

    def forget(self, copies: ArrayLike) -> None:
        """Forget spikes and eligibilities of some `copies`, (copies,) bool, as their episodes end."""
        chosen = np.asarray(copies, np.bool_)
        require_shape("copies", chosen, (self.copies,))
        self.settle()
        for array in (
            self._eligibility, self._eligibility_2, self._pre_trace, self._pre_trace_2, self._post_trace,
        ):  # fmt: skip
            array.reshape(self.copies, -1)[chosen] = 0.0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that make up the state."""
        return {
            "eligibility": self._eligibility, "seen": self._seen, "pre_trace": self._pre_trace,
            "post_trace": self._post_trace, "clock": self._clock, "integral": self._integral,
            "eligibility_2": self._eligibility_2, "seen_2": self._seen_2, "pre_trace_2": self._pre_trace_2,
            "integral_2": self._integral_2, "frozen": self._frozen, "rates": self._rates,
        } | self._waiting()  # fmt: skip

    def _waiting(self) -> dict[str, NDArray[Any]]:
        if self._pending is None:
            return {}
        return {f"pending {name}": array for name, array in self._pending._asdict().items()}


class _Sources(NamedTuple):
    """The sources of each target, for its own spikes."""

    column: NDArray[np.int64]  #: (n_post + 1,), empty for a dense projection
    pre: Indices  #: (synapses,) sorted by target, empty for a dense projection


def _mask(
    rule: Rule, projection: SparseProjection | DenseProjection, frozen: NDArray[np.bool_] | None, copies: int
) -> NDArray[np.bool_]:
    if frozen is None:
        return np.zeros(projection.synapses * copies if rule.dies else 0, np.bool_)
    mask = np.asarray(frozen)
    require_shape("the frozen mask", mask, projection.weights.shape)
    if mask.dtype != np.bool_:
        raise ValueError(f"the frozen mask must be bool, got {mask.dtype}")
    return np.tile(mask.ravel(), copies)


def _sources(projection: SparseProjection | DenseProjection) -> _Sources:
    if isinstance(projection, DenseProjection):
        return _Sources(np.zeros(0, np.int64), np.zeros(0, np.uint16))
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
    return _Sources(column, narrow(partners, projection.n_pre))


def run_reference(
    rule: Rule,
    weights: ArrayLike,
    plastic: NDArray[np.bool_],
    pre_spikes: NDArray[np.int32],
    post_spikes: NDArray[np.int32],
    factor: Doubles,
    gate: Doubles | None = None,
    dt: float = 1e-3,
) -> tuple[Doubles, Doubles]:
    """Return weights and eligibilities (n_pre, n_post) after the steps of `factor`, from rest.

    The clock-driven NumPy twin of the compiled side: every synapse in every step, in double precision, for
    spikes (k, 2) of (step, neuron); without homeostasis. `plastic` (n_pre, n_post) is False where there is no
    synapse or a frozen one. Raises ValueError for `TDLTP`.
    """
    if isinstance(rule, TDLTP):
        raise ValueError("run_reference knows traces of one exponential, not TDLTP")
    w = np.array(weights, np.float64)
    c, x, y = np.zeros_like(w), np.zeros(w.shape[0]), np.zeros(w.shape[1])
    c_plus, c_minus, now_plus, now_minus, keep_x, keep_y, leak, span, rate = constants(rule, dt)[:9]
    for step, m in enumerate(factor):
        g = 1.0 if gate is None else gate[step]
        pre = np.bincount(pre_spikes[pre_spikes[:, 0] == step, 1], minlength=x.size)
        post = np.bincount(post_spikes[post_spikes[:, 0] == step, 1], minlength=y.size)
        together, apart = np.outer(x, post), np.outer(pre, y)
        c += plastic * (c_plus * together - c_minus * apart)
        w += plastic * g * (now_plus * together - now_minus * apart)
        w[plastic] = np.clip(w + rate * m * span * c, rule.low, rule.high)[plastic]
        x, y = (x + pre) * keep_x, (y + post) * keep_y
        c *= np.exp(-leak)
    return w, c
