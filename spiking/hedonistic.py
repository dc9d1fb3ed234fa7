"""Hedonistic synapses: each is an agent that learns whether to release, from a reward that all of them share.

    at a presynaptic spike a synapse releases with probability p = 1 / (1 + exp(-q))
    e := e + 1 - p on release, e := e - p on failure;   de/dt = -e / tau_e,   dq/dt = eta e m(t)

Seung 2003, Neuron 40:1063. On average q climbs the gradient of the reward m, because e is the derivative of
the log-probability of what the synapse did. Together with a rule for the weight (`plasticity`) both kinds of
plasticity work on one synapse (Yuan, Wu, Yan & Tang 2019, Neural Comput. 31:2368).

All synapses of a neuron are touched together, when it spikes; in between, q grows by eta times the scaled e
times what the integral of m(s) exp(-s / tau_e) has gained, as in `plasticity`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from . import layout
from .addresses import address, doubles, index_at, int64s, reals, table
from .checks import require_shape
from .dense import DenseProjection
from .parameters import require_positive
from .random import key, step_key, uniform
from .sparse import SparseProjection

Table = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Hedonistic:
    """Parameters of synapses that release by chance."""

    probability: float = 0.5  #: of release at the start
    tau_eligibility: float = 0.5  #: s, tau_e
    learning_rate: float = 1.0  #: eta, q per (eligibility * third factor * s)
    limit: float = 4.0  #: largest |q|, so that p stays within 1.8 % of 0 and 1 and can come back

    def __post_init__(self) -> None:
        if not 0.0 < self.probability < 1.0:
            raise ValueError(f"Hedonistic probability must be in (0, 1), got {self.probability}")
        require_positive("Hedonistic", tau_eligibility=self.tau_eligibility, limit=self.limit)
        if abs(math.log(self.probability / (1.0 - self.probability))) > self.limit:
            raise ValueError(f"Hedonistic probability {self.probability} lies outside of limit {self.limit}")


class Release:
    """State of the hedonistic synapses of one projection, in `copies` of a batch."""

    def __init__(
        self,
        rule: Hedonistic,
        projection: SparseProjection | DenseProjection,
        copies: int,
        real: type[np.floating[Any]],
        dt: float,
        seed: int,
        name: str,
    ) -> None:
        self.rule, self.dt, self.copies, self._name = rule, dt, copies, name
        size = projection.synapses * copies
        start = math.log(rule.probability / (1.0 - rule.probability))
        self._drive, self._eligibility = np.full(size, start, real), np.zeros(size, real)
        self._seen = np.zeros(projection.n_pre * copies, real)
        self._clock, self._integral = np.zeros(2, np.int64), np.zeros(copies)
        self._per_pre = (
            np.diff(projection.row)
            if isinstance(projection, SparseProjection)
            else np.full(projection.n_pre, projection.n_post)
        )
        leak = dt / rule.tau_eligibility
        span = -np.expm1(-leak) * rule.tau_eligibility
        rebase = max(1, round(4.0 / leak))
        self._constants = np.array([leak, span, rule.learning_rate, rule.limit, rebase])
        self._record = np.zeros(layout.H_COLUMNS, np.int64)
        self.key = key(seed, name)

    @property
    def nbytes(self) -> int:
        """Bytes of what the synapses keep besides their weights and targets."""
        return self._drive.nbytes + self._eligibility.nbytes

    def drive(self) -> NDArray[Any]:
        """Return q at the present time, (synapses,) or (copies, synapses)."""
        gone = np.repeat(self._integral, self._seen.size // self.copies) - self._seen
        change = self._eligibility * np.repeat(gone, np.tile(self._per_pre, self.copies))
        now = np.clip(self._drive + self.rule.learning_rate * change, -self.rule.limit, self.rule.limit)
        return now if self.copies == 1 else now.reshape(self.copies, -1)

    def probability(self) -> NDArray[np.float64]:
        """Return the probability of release at the present time, shaped like `drive`."""
        return 1.0 / (1.0 + np.exp(-self.drive().astype(np.float64)))

    def set_probability(self, probability: ArrayLike) -> None:
        """Set the probability of release, a number or shaped like `drive`; learning goes on from there."""
        wanted = np.asarray(probability, np.float64)
        if not np.all((wanted > 0.0) & (wanted < 1.0)):
            raise ValueError(f"{self._name}: the probability of release must be in (0, 1)")
        settled = np.clip(np.log(wanted / (1.0 - wanted)), -self.rule.limit, self.rule.limit)
        self._drive.reshape(self.drive().shape)[...] = settled
        self._eligibility[:] = 0.0

    def reseed(self, seed: int) -> None:
        """Draw from the stream of `seed`."""
        self.key = key(seed, self._name)

    def settle(self) -> None:
        """Bring the drives up to date, and count the integral of the third factor from here."""
        self._drive[:] = self.drive().reshape(-1)
        for array in (self._seen, self._integral):
            array[...] = 0

    def clear(self) -> None:
        """Forget eligibilities, as between episodes; probabilities stay as they are at present."""
        self.settle()
        for array in (self._eligibility, self._clock):
            array[...] = 0

    def forget(self, copies: ArrayLike) -> None:
        """Forget eligibilities of some `copies`, (copies,) bool, as their episodes end."""
        chosen = np.asarray(copies, np.bool_)
        require_shape("copies", chosen, (self.copies,))
        self._drive[:] = self.drive().reshape(-1)
        self._seen.reshape(self.copies, -1)[...] = self._integral[:, None]
        self._eligibility.reshape(self.copies, -1)[chosen] = 0.0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that make up the state."""
        return {
            "release drive": self._drive, "release eligibility": self._eligibility,
            "release seen": self._seen, "release clock": self._clock, "release integral": self._integral,
        }  # fmt: skip

    def describe(self) -> int:
        """Return the address of the record that `deliver` reads."""
        record = self._record
        for column, array in (
            (layout.H_CONSTANTS, self._constants), (layout.H_DRIVE, self._drive),
            (layout.H_ELIGIBILITY, self._eligibility), (layout.H_SEEN, self._seen),
            (layout.H_CLOCK, self._clock), (layout.H_INTEGRAL, self._integral),
        ):  # fmt: skip
            record[column] = address(array)
        record[layout.H_KEY] = int(self.key)
        return address(record)


@njit(cache=True, error_model="numpy")
def deliver(
    row: Table, spikes: Any, weights: Any, target: Any, factors: NDArray[np.float64], now: int, like: Any
) -> None:
    """Let the synapses of `spikes` release or fail; what is released waits in the ring for its delay."""
    n_pre, n_post, synapses = row[layout.J_PRE_SIZE], row[layout.J_POST_SIZE], row[layout.J_SYNAPSES]
    real, copies, dense = like.dtype.type, factors.size, row[layout.J_KIND] != layout.SPARSE
    record = int64s(row[layout.J_CHANCE], layout.H_COLUMNS)
    c = doubles(record[layout.H_CONSTANTS], 5)
    drive = reals(record[layout.H_DRIVE], synapses * copies, like)
    eligibility = reals(record[layout.H_ELIGIBILITY], synapses * copies, like)
    seen = reals(record[layout.H_SEEN], n_pre * copies, like)
    clock, integral = int64s(record[layout.H_CLOCK], 2), doubles(record[layout.H_INTEGRAL], copies)
    rows = int64s(row[layout.J_ROWS], 0 if dense else n_pre + 1)
    longest = row[layout.J_LONGEST]
    ring = table(row[layout.J_RING], longest, target.size, like)
    into = ring[(now + longest - 1) % longest]
    at = step_key(np.uint32(record[layout.H_KEY]), np.uint32(now & 0xFFFFFFFF))
    scale = math.exp((clock[0] - clock[1]) * c[0])
    for k in range(spikes.size):
        copy, j = divmod(int(spikes[k]), n_pre)
        start, stop = (j * n_post, (j + 1) * n_post) if dense else (rows[j], rows[j + 1])
        gone = integral[copy] - seen[copy * n_pre + j]
        seen[copy * n_pre + j] = real(integral[copy])
        for s in range(start, stop):
            x = copy * synapses + s
            q = min(max(drive[x] + c[2] * eligibility[x] * gone, -c[3]), c[3])
            drive[x] = real(q)
            chance = 1.0 / (1.0 + math.exp(-q))
            released = np.float64(uniform(at, np.uint32(x))) < chance
            eligibility[x] += real(scale * ((1.0 if released else 0.0) - chance))
            if released:
                i = s - start if dense else index_at(row[layout.J_INDEX], row[layout.J_WIDE] != 0, s)
                into[copy * n_post + i] += weights[(x if row[layout.J_COPY] > 0 else s)]
    for copy in range(copies):
        integral[copy] += factors[copy] * c[1] / scale
    clock[0] += 1
    if clock[0] - clock[1] >= c[4]:
        _move_origin(drive, eligibility, seen, clock, integral, rows, n_pre, n_post, c)
    due = ring[now % longest]
    for i in range(target.size):
        target[i] += due[i]
        due[i] = real(0.0)


@njit(cache=True, error_model="numpy")
def _move_origin(
    drive: Any,
    eligibility: Any,
    seen: Any,
    clock: Any,
    integral: Any,
    rows: Any,
    n_pre: int,
    n_post: int,
    c: Any,
) -> None:
    """Bring every synapse up to date, and count time and the integral of the third factor from here."""
    shrink = math.exp(-(clock[0] - clock[1]) * c[0])
    real, synapses = drive.dtype.type, drive.size // integral.size
    for neuron in range(seen.size):
        copy, j = divmod(neuron, n_pre)
        start, stop = (rows[j], rows[j + 1]) if rows.size > 0 else (j * n_post, (j + 1) * n_post)
        gone = integral[copy] - seen[neuron]
        seen[neuron] = real(0.0)
        for x in range(copy * synapses + start, copy * synapses + stop):
            drive[x] = real(min(max(drive[x] + c[2] * eligibility[x] * gone, -c[3]), c[3]))
            eligibility[x] = real(eligibility[x] * shrink)
    clock[1] = clock[0]
    integral[:] = 0.0
