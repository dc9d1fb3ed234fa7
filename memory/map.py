"""A topological map read from what is learned among place cells.

Nodes are places, edges are links that were lived, each with its mean displacement, length and time. Ways are
shortest paths over the lengths; the value of places is what a random walk that ends with distance would
collect at the goal (the successor representation of Dayan 1993, discounted by metres). Node positions are
those that fit all displacements lived best, with the first node held: closing a loop spreads its error
over the loop (Lu & Milios 1997).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from .sequence_links import SequenceLinks
from .travels import Travels

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


class Shortcut(NamedTuple):
    """Two places that path integration says are near, though nobody went from one to the other."""

    a: int
    b: int
    straight: float  #: m, between their relaxed positions
    lived: float  #: m, shortest way over edges that were lived


@dataclass(frozen=True)
class PlaceMap:
    """An undirected graph over `n` places. `length` is inf where no edge is."""

    seen: Doubles  #: (n, n) transitions lived, both ways together
    displacement: Doubles  #: (n, n, 2) m from row to column
    length: Doubles  #: (n, n) m
    seconds: Doubles  #: (n, n)
    related: Doubles  #: (n, n, 3) how often two places were lived in one span, and m from row to column
    guessed: NDArray[np.bool_]  #: (n, n) edges that were not lived: shortcuts taken up
    blocked: NDArray[np.bool_]  #: (n, n) edges reported as impassable

    @classmethod
    def read(
        cls, links: SequenceLinks, travels: Travels, used: int, least: int = 1, nearness: float = 0.02
    ) -> PlaceMap:
        """Read the map of the first `used` cells.

        An edge needs `least` transitions, and synapses of `nearness` or more: where a localisation error
        was set right places follow each other that are not neighbours, and such links fade.
        """
        part = travels.sums[:used, :used].astype(np.float64)
        seen = part[:, :, 0] + part[:, :, 0].T
        total = np.maximum(seen, 1.0)
        near = np.maximum(links.near[:used, :used], links.near[:used, :used].T)
        edge = (seen >= least) & (near >= nearness)
        displacement = (part[:, :, 1:3] - part[:, :, 1:3].transpose(1, 0, 2)) / total[:, :, None]
        length, seconds = ((part[:, :, k] + part[:, :, k].T) / total for k in (3, 4))
        return cls(
            np.where(edge, seen, 0.0), displacement, np.where(edge, length, np.inf),
            np.where(edge, seconds, np.inf), _related(travels, used),
            np.zeros_like(edge), np.zeros_like(edge),
        )  # fmt: skip

    @property
    def size(self) -> int:
        """Number of nodes, those without edges included."""
        return len(self.seen)

    @property
    def edges(self) -> NDArray[np.bool_]:
        """Which places (n, n) are joined and not blocked."""
        return np.asarray(np.isfinite(self.length) & ~self.blocked, np.bool_)

    def block(self, a: int, b: int) -> PlaceMap:
        """Return the map with the edge between `a` and `b` impassable; ValueError where there is none."""
        if not self.edges[a, b]:
            raise ValueError(f"no edge between places {a} and {b} to block")
        blocked = self.blocked.copy()
        blocked[a, b] = blocked[b, a] = True
        return replace(self, blocked=blocked)

    def distances(self, start: int) -> Doubles:
        """Return the length (n,) m of the shortest way from `start`; inf where none leads."""
        return self._shortest(start)[0]

    def route(self, a: int, b: int) -> list[int]:
        """Return the places of the shortest way from `a` to `b`, both included; empty when there is none."""
        far, come_from = self._shortest(a)
        if not np.isfinite(far[self._node(b)]):
            return []
        way = [b]
        while way[-1] != a:
            way.append(int(come_from[way[-1]]))
        return way[::-1]

    def value(self, goal: int, reach: float = 1.0) -> Doubles:
        """Return the value (n,) of all places for `goal`, 1 there, by diffusion over the edges.

        A walker goes along any edge with equal probability and is lost with exp(-length / `reach`).
        """
        self._node(goal)
        edges = self.edges
        step = np.where(edges, np.exp(-np.where(edges, self.length, 0.0) / reach), 0.0)
        walk = step / np.maximum(edges.sum(axis=1), 1)[:, None]
        collected = np.linalg.solve(np.eye(self.size) - walk, np.eye(self.size)[goal])
        return np.asarray(collected / collected[goal])

    def chained(self) -> Doubles:
        """Return positions (n, 2) m as each place was first reached: hung on the latest neighbour before it.

        Nothing is relaxed; nan for places that no edge joins to the first.
        """
        out, edges = np.full((self.size, 2), np.nan), self.edges
        out[self._first] = 0.0
        for _ in range(self.size):
            hung = 0
            for node in np.flatnonzero(np.isnan(out[:, 0])):
                known = np.flatnonzero(edges[node] & ~np.isnan(out[:, 0]))
                if not len(known):
                    continue
                older = known[known < node]
                on = int(older[-1]) if len(older) else int(known[0])
                out[node] = out[on] + self.displacement[on, node]
                hung += 1
            if not hung:
                break
        return out

    def positions(self, tolerance: float = 1e-6, sweeps: int = 5000) -> Doubles:
        """Return positions (n, 2) m that fit what was lived best, relaxed by Gauss-Seidel from `chained`."""
        out, weight, moved = self.chained(), self.related[:, :, 0], self.related[:, :, 1:]
        known = ~np.isnan(out[:, 0])
        nodes = [int(k) for k in np.flatnonzero(known) if k != self._first]
        around = {k: np.flatnonzero((weight[k] > 0.0) & known) for k in nodes}
        nodes = [k for k in nodes if len(around[k])]
        for _ in range(sweeps):
            change = 0.0
            for k in nodes:
                near = around[k]
                where = weight[k, near] @ (out[near] + moved[near, k]) / weight[k, near].sum()
                change = max(change, float(np.abs(where - out[k]).max()))
                out[k] = where
            if change < tolerance:
                break
        return out

    def strain(self, positions: Doubles) -> float:
        """Return by how many m (root mean square) what was lived and `positions` (n, 2) disagree."""
        a, b = np.nonzero(np.triu(self.related[:, :, 0]))
        off = positions[b] - positions[a] - self.related[a, b, 1:]
        return float(np.sqrt(np.nanmean((off * off).sum(axis=1)))) if len(a) else 0.0

    def shortcuts(self, within: float = 0.25, saving: float = 2.0) -> list[Shortcut]:
        """Return unlived pairs at most `within` m apart whose lived way is `saving` times longer or more.

        They are guesses: a wall may stand between. The best saving comes first.
        """
        where, found = self.positions(), []
        for a in range(self.size):
            lived = self.distances(a)
            straight = np.hypot(*(where - where[a]).T)
            near = (straight <= within) & (lived >= saving * straight) & ~np.isfinite(self.length[a])
            found += [
                Shortcut(a, int(b), float(straight[b]), float(lived[b]))
                for b in np.flatnonzero(near)
                if b > a
            ]
        return sorted(found, key=lambda s: s.straight - s.lived)

    def with_shortcut(self, shortcut: Shortcut) -> PlaceMap:
        """Return the map with an edge for `shortcut`, marked as guessed."""
        a, b = shortcut.a, shortcut.b
        where = self.positions()
        length, displacement, guessed = self.length.copy(), self.displacement.copy(), self.guessed.copy()
        length[a, b] = length[b, a] = shortcut.straight
        displacement[a, b], displacement[b, a] = where[b] - where[a], where[a] - where[b]
        guessed[a, b] = guessed[b, a] = True
        return replace(self, length=length, displacement=displacement, guessed=guessed)

    @property
    def _first(self) -> int:
        joined = np.flatnonzero(self.edges.any(axis=1))
        return int(joined[0]) if len(joined) else 0

    def _node(self, node: int) -> int:
        if not 0 <= node < self.size:
            raise ValueError(f"place {node} is not one of the map's {self.size}")
        return node

    def _shortest(self, start: int) -> tuple[Doubles, Ints]:
        self._node(start)
        a, b = np.nonzero(self.edges)  # listed, because a matrix would take an edge of no length for none
        graph = coo_array((self.length[a, b], (a, b)), shape=(self.size, self.size)).tocsr()
        far, come_from = dijkstra(graph, indices=[start], return_predecessors=True)
        return far[0], come_from[0].astype(np.int64)


def _related(travels: Travels, used: int) -> Doubles:
    part = travels.relations[:used, :used].astype(np.float64)
    back = part.transpose(1, 0, 2) * np.array([1.0, -1.0, -1.0])
    total: Doubles = part + back
    total[:, :, 1:] /= np.maximum(total[:, :, :1], 1.0)
    return total
