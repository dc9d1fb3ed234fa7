"""Synapses between two populations of a network: structure, weights, and what changes them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import layout
from .addresses import address
from .dense import DenseProjection
from .hedonistic import Hedonistic, Release
from .modulators import Level
from .parameters import Distribution
from .plasticity import Plasticity
from .population import Group, Population, Source
from .random import generator
from .rules import STDP, RewardSTDP, Rule
from .short_term import ShortTerm, ShortTermState
from .sparse import SparseProjection
from .torus import TorusProjection

Structure = SparseProjection | DenseProjection | TorusProjection
Wiring = Literal["dense", "one to one"] | tuple[ArrayLike, ArrayLike] | Structure
Number = float | ArrayLike | Distribution


class Connection:
    """Synapses with the state they need; made by `Network.connect`, which documents the arguments."""

    def __init__(
        self,
        name: str,
        pre: Source | Group,
        post: Source | Group,
        receptor: str | None,
        wiring: Wiring | None,
        *,
        weight: Number,
        delay: Number | None,
        probability: float | None,
        in_degree: int | None,
        loops: bool,
        short_term: ShortTerm | None,
        rule: Rule | None,
        release: Hedonistic | None,
        third_factor: Level | None,
        gate: Level | None,
        frozen: NDArray[np.bool_] | None,
        dt: float,
        real: type[np.floating[Any]],
        copies: int,
        seed: int,
    ) -> None:
        self.name, self.copies = name, copies
        self.source: Source = pre.population if isinstance(pre, Group) else pre
        self.goal: Source = post.population if isinstance(post, Group) else post
        self._third_factor, self._gate = third_factor, gate
        self._target = self._find_target(receptor)
        chosen = [wiring is not None, probability is not None, in_degree is not None]
        if sum(chosen) != 1:
            raise ValueError(f"{name}: give one of wiring, probability and in_degree")
        random = generator(seed, name)
        if wiring is None:
            wiring = _drawn_pairs(pre, post, probability, in_degree, loops, random)
        self.projection = _structure(name, pre, post, wiring, weight, delay, dt, random, real)
        if (self.projection.n_pre, self.projection.n_post) != (self.source.size, self.goal.size):
            raise ValueError(
                f"{name}: the projection joins {self.projection.n_pre} to {self.projection.n_post} neurons, "
                f"the populations have {self.source.size} and {self.goal.size}"
            )
        self._weights: NDArray[Any] = np.ascontiguousarray(self.projection.weights, real)
        if rule is not None and copies > 1:
            self._weights = np.repeat(self._weights[None], copies, axis=0)
        self.short_term = short_term
        self._short: ShortTermState | None = None
        self._short_constants = np.zeros(0)
        if short_term is not None:
            self._short = ShortTermState.zeros(self.source.neurons)
            self._short_constants = short_term.constants(dt)
        self._release = np.zeros((0, 0), np.float32)
        self._ring = np.zeros((0, 0), real)
        if self.late or release is not None:
            self._ring = np.zeros((self.depth, self.goal.neurons), real)
        self.plasticity: Plasticity | None = None
        if rule is not None:
            if isinstance(self.projection, TorusProjection):
                raise ValueError(f"{name}: synapses that share their weights cannot learn")
            unused = third_factor if isinstance(rule, STDP) else None
            unused = gate if isinstance(rule, RewardSTDP) else unused
            if unused is not None and not (unused is third_factor and release is not None):
                raise ValueError(f"{name}: {type(rule).__name__} takes no heed of {unused.name!r}")
            self.plasticity = Plasticity(rule, self.projection, self._weights, copies, dt, frozen)
        elif gate is not None or frozen is not None or (third_factor is not None and release is None):
            raise ValueError(f"{name}: third_factor, gate and frozen belong to a rule")
        self.release: Release | None = None
        if release is not None:
            if isinstance(self.projection, TorusProjection) or self.late or short_term is not None:
                raise ValueError(
                    f"{name}: release by chance needs synapses of their own weights, of one delay, "
                    "and without short-term plasticity"
                )
            self.release = Release(release, self.projection, copies, real, dt, seed, f"{name} release")
        self._short_record = np.zeros(layout.SHORT_COLUMNS, np.int64)

    @property
    def late(self) -> bool:
        """Whether synapses have delays of their own."""
        return isinstance(self.projection, SparseProjection) and self.projection.delays.size > 1

    @property
    def depth(self) -> int:
        """Longest delay, steps."""
        if isinstance(self.projection, SparseProjection):
            return self.projection.longest_delay
        return self.projection.delay

    @property
    def synapses(self) -> int:
        """Number of synapses, of one copy."""
        return self.projection.synapses

    @property
    def weights(self) -> NDArray[Any]:
        """Weights at the present time: (synapses,), sorted by source and target, or (n_pre, n_post) if dense.

        In a batch with plasticity there is one more axis in front. To set them, write `set_weights`.
        """
        return self._weights if self.plasticity is None else self.plasticity.weights()

    def set_weights(self, weights: ArrayLike) -> None:
        """Take over `weights`, finite and of the same shape or a number; learning goes on from there."""
        array = np.asarray(weights, self._weights.dtype)
        if not np.all(np.isfinite(array)):
            raise ValueError(f"{self.name}: weights must be finite")
        if self.plasticity is not None:
            rule = self.plasticity.rule
            if array.size and not (rule.low <= array.min() and array.max() <= rule.high):
                raise ValueError(f"{self.name}: weights must be in [{rule.low}, {rule.high}]")
            self.plasticity.settle()
        self._weights[...] = array

    @property
    def nbytes(self) -> int:
        """Bytes of all that grows with the number of synapses."""
        total = self._weights.nbytes
        if isinstance(self.projection, SparseProjection):
            total += self.projection.post.nbytes
            total += self.projection.delays.nbytes if self.late else 0
        total += self.release.nbytes if self.release is not None else 0
        return total + (self.plasticity.nbytes if self.plasticity is not None else 0)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that make up the state."""
        live: dict[str, NDArray[Any]] = {"weights": self._weights, "ring": self._ring}
        if self._short is not None:
            live |= self._short._asdict() | {"release": self._release}
        if self.plasticity is not None:
            live |= self.plasticity.arrays()
        if self.release is not None:
            live |= self.release.arrays()
        return live

    def describe(self, row: NDArray[np.int64], sources: dict[str, int], levels: dict[str, int]) -> None:
        """Fill the row of the engine's table."""
        projection = self.projection
        row[layout.J_PRE], row[layout.J_POST] = sources[self.source.name], sources[self.goal.name]
        row[layout.J_PRE_SIZE], row[layout.J_POST_SIZE] = self.source.size, self.goal.size
        row[layout.J_SYNAPSES], row[layout.J_WEIGHTS] = projection.synapses, address(self._weights)
        row[layout.J_COPY] = projection.synapses if self._weights.ndim > projection.weights.ndim else 0
        row[layout.J_TARGET] = 0 if self._target is None else address(self._target)
        row[layout.J_DELAY] = 0 if self.late else self.depth
        if isinstance(projection, SparseProjection):
            row[layout.J_KIND], row[layout.J_ROWS] = layout.SPARSE, address(projection.row)
            row[layout.J_INDEX] = address(projection.post)
            row[layout.J_WIDE] = int(projection.post.dtype == np.uint32)
            row[layout.J_DELAYS] = address(projection.delays)
        elif isinstance(projection, TorusProjection):
            row[layout.J_KIND], row[layout.J_SYNAPSES] = layout.TORUS, projection.weights.size
            row[layout.J_HEIGHT], row[layout.J_WIDTH] = projection.height, projection.width
        else:
            row[layout.J_KIND] = layout.DENSE
        row[layout.J_RING], row[layout.J_LONGEST] = address(self._ring), len(self._ring)
        if self._short is not None:
            if self._release.shape != (self.source.depth, self.source.neurons):
                self._release = np.zeros((self.source.depth, self.source.neurons), np.float32)
            record = self._short_record
            record[layout.S_RESOURCES] = address(self._short.resources)
            record[layout.S_USE], record[layout.S_LAST] = address(self._short.use), address(self._short.last)
            record[layout.S_CONSTANTS] = address(self._short_constants)
            row[layout.J_SHORT], row[layout.J_RELEASE] = address(record), address(self._release)
        if self.plasticity is not None:
            row[layout.J_RULE], row[layout.J_RECORD] = 1, self.plasticity.describe()
        if self.release is not None:
            row[layout.J_CHANCE] = self.release.describe()
        for column, level in ((layout.J_FACTOR, self._third_factor), (layout.J_GATE, self._gate)):
            row[column] = -1 if level is None else levels[level.name]

    def _find_target(self, receptor: str | None) -> NDArray[Any] | None:
        if receptor is None:
            return None
        if not isinstance(self.goal, Population):
            raise ValueError(f"{self.goal.name} is a source of spikes: nothing arrives there")
        return self.goal.target(receptor)


def _size(end: Source | Group) -> int:
    return end.size


def _offset(end: Source | Group) -> int:
    return end.start if isinstance(end, Group) else 0


def _whole(end: Source | Group) -> int:
    return int(end.population.size) if isinstance(end, Group) else end.size


def _drawn_pairs(
    pre: Source | Group,
    post: Source | Group,
    probability: float | None,
    in_degree: int | None,
    loops: bool,
    random: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    n_pre, n_post, shift = _size(pre), _size(post), _offset(pre) - _offset(post)
    ends = [end.population if isinstance(end, Group) else end for end in (pre, post)]
    if not loops and ends[0] is not ends[1]:
        raise ValueError("loops=False needs a population that is joined to itself")
    if probability is not None:
        sources, goals = SparseProjection.pairs_by_probability(n_pre, n_post, probability, random)
        kept = np.ones(sources.size, np.bool_) if loops else sources + shift != goals
        return sources[kept], goals[kept]
    assert in_degree is not None
    if not loops and (shift != 0 or n_pre != n_post):
        raise ValueError("loops=False with an in-degree needs the same neurons on both sides")
    return SparseProjection.pairs_by_in_degree(n_pre, n_post, in_degree, random, loops=loops)


def _structure(
    name: str,
    pre: Source | Group,
    post: Source | Group,
    wiring: Wiring,
    weight: Number,
    delay: Number | None,
    dt: float,
    random: np.random.Generator,
    real: type[np.floating[Any]],
) -> Structure:
    if isinstance(wiring, SparseProjection | DenseProjection | TorusProjection):
        return wiring
    n_pre, n_post = _size(pre), _size(post)
    whole = n_pre == _whole(pre) and n_post == _whole(post)
    if isinstance(wiring, str) and wiring == "dense" and whole and _uniform(delay):
        given = weight.draw(n_pre * n_post, random) if isinstance(weight, Distribution) else weight
        table = np.asarray(given, np.float64)
        table = table.reshape(n_pre, n_post) if table.size == n_pre * n_post else table
        if table.shape not in ((), (n_pre, n_post)):
            raise ValueError(f"{name}: dense weights must be ({n_pre}, {n_post}), got {table.shape}")
        return DenseProjection.from_array(
            np.broadcast_to(table, (n_pre, n_post)), int(_steps(delay, 1, dt, random)), real
        )
    if isinstance(wiring, str):
        if wiring == "one to one":
            if n_pre != n_post:
                raise ValueError(f"{name}: one to one needs equal sizes, got {n_pre} and {n_post}")
            sources = goals = np.arange(n_pre)
        elif wiring == "dense":
            sources, goals = np.divmod(np.arange(n_pre * n_post), n_post)
        else:
            raise ValueError(f"{name}: wiring must be 'dense', 'one to one' or pairs, got {wiring!r}")
    else:
        sources, goals = np.asarray(wiring[0]), np.asarray(wiring[1])
    count = int(np.size(sources))
    weights = weight.draw(count, random) if isinstance(weight, Distribution) else np.asarray(weight)
    return SparseProjection.from_arrays(
        _whole(pre), _whole(post), sources, goals, weights.ravel() if weights.ndim > 1 else weights,
        _steps(delay, count, dt, random), shift=(_offset(pre), _offset(post)), real=real,
    )  # fmt: skip


def _uniform(delay: Number | None) -> bool:
    return delay is None or (not isinstance(delay, Distribution) and np.ndim(delay) == 0)


def _steps(delay: Number | None, count: int, dt: float, random: np.random.Generator) -> NDArray[np.int64]:
    """Return `delay`, s, in steps: at least one."""
    if delay is None:
        return np.array(1)
    seconds = delay.draw(count, random) if isinstance(delay, Distribution) else np.asarray(delay, np.float64)
    if not np.all(np.isfinite(seconds) & (seconds >= 0.0)):
        raise ValueError("delay must be finite and >= 0 s")
    return np.maximum(np.round(seconds / dt), 1).astype(np.int64)
