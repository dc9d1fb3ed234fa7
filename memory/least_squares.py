"""One step of Gauss and Newton over a chain of poses with ties, by preconditioned conjugate gradients.

Unknown are corrections (n, 3) to the waypoints of a `pose_graph`. The chain of odometry is stiff, the ties by
recalls are soft and go anywhere: the normal equations of the chain with the ties' diagonal are block
tridiagonal and solved exactly in one pass, which makes a preconditioner that leaves little to iterate. The
first waypoint of all is held. Sums are in one order: the result does not depend on the machine's libraries.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .poses import place

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
HELD = 1e8  #: stiffness with which the first waypoint is held


@njit(cache=True)
def relax(
    pose: Floats,  # (n, 3), moved
    step: Floats,  # (n, 3), odometry from the pose before, in its frame
    linked: NDArray[np.bool_],  # (n,) whether there is any
    tie_memory: Ints,  # (n, k) or -1
    tie_count: Floats,  # (n, k)
    tie_from: Floats,  # (n, k, 3)
    tie_turn: Floats,  # (n, k)
    birth: Ints,  # (memories,) waypoint, or -1
    birth_from: Floats,  # (memories, 3)
    memory_pose: Floats,  # (memories, 3), moved where birth >= 0
    spreads: Floats,  # (4,) of odometry (m, rad) and of recalls (m, rad)
    witnesses: int,
    iterations: int,
) -> None:
    """Improve `pose` and `memory_pose` in place; see the module's docstring."""
    n = len(pose)
    a, b, ja, jb, residual = _ties(
        pose, tie_memory, tie_count, tie_from, tie_turn, birth, birth_from, memory_pose, spreads, witnesses
    )
    link, chain = _links(pose, step, linked, spreads)
    gradient = np.zeros((n, 3))
    for i in range(1, n):
        for r in range(3):
            for c in range(3):
                gradient[i - 1, c] -= link[i, r, c] * chain[i, r]
                gradient[i, c] -= link[i, r, 3 + c] * chain[i, r]
    for t in range(len(a)):
        for r in range(3):
            for c in range(3):
                gradient[a[t], c] -= ja[t, r, c] * residual[t, r]
                if b[t] >= 0:
                    gradient[b[t], c] -= jb[t, r, c] * residual[t, r]
    factors, below = _factorise(n, a, b, ja, jb, link)
    x, r_, z = np.zeros((n, 3)), gradient, np.empty((n, 3))
    _precondition(factors, below, r_, z)
    p = z.copy()
    power = _dot(r_, z)
    first = power
    q = np.empty((n, 3))
    for _ in range(iterations):
        if power <= 1e-12 * first or power <= 0.0:
            break
        _multiply(p, a, b, ja, jb, link, q)
        along = power / max(_dot(p, q), 1e-300)
        for i in range(n):
            for c in range(3):
                x[i, c] += along * p[i, c]
                r_[i, c] -= along * q[i, c]
        _precondition(factors, below, r_, z)
        fresh = _dot(r_, z)
        keep = fresh / power
        power = fresh
        for i in range(n):
            for c in range(3):
                p[i, c] = z[i, c] + keep * p[i, c]
    for i in range(n):
        for c in range(3):
            pose[i, c] += x[i, c]
    for m in range(len(birth)):
        if birth[m] >= 0:
            place(pose[birth[m]], birth_from[m], memory_pose[m])


@njit(cache=True)
def _ties(
    pose: Floats,
    tie_memory: Ints,
    tie_count: Floats,
    tie_from: Floats,
    tie_turn: Floats,
    birth: Ints,
    birth_from: Floats,
    memory_pose: Floats,
    spreads: Floats,
    witnesses: int,
) -> tuple[Ints, Ints, Floats, Floats, Floats]:
    """Both ends (t,), their Jacobians (t, 3, 3) and the residuals (t, 3) of recalls, in standard deviations.

    Far-off recalls count less (Cauchy): a wrong one must not bend the map.
    """
    n, k = tie_memory.shape
    total = 0
    for i in range(n):
        for s in range(k):
            total += tie_memory[i, s] >= 0
    a, b = np.empty(total, np.int64), np.empty(total, np.int64)
    ja, jb, residual = np.zeros((total, 3, 3)), np.zeros((total, 3, 3)), np.empty((total, 3))
    here, there, t = np.empty(3), np.empty(3), 0
    for i in range(n):
        for s in range(k):
            m = tie_memory[i, s]
            if m < 0:
                continue
            a[t], b[t] = i, birth[m]
            root = np.sqrt(min(tie_count[i, s], float(witnesses)))
            place(pose[i], tie_from[i, s], here)
            if b[t] >= 0:
                place(pose[b[t]], birth_from[m], there)
            else:
                there[:] = memory_pose[m]
            by_place, by_turn = root / spreads[2], root / spreads[3]
            dx, dy = by_place * (here[0] - there[0]), by_place * (here[1] - there[1])
            dh = pose[i, 2] - there[2] - tie_turn[i, s]
            dh = by_turn * np.arctan2(np.sin(dh), np.cos(dh))
            less, less_turn = 1.0 / np.sqrt(1.0 + 0.5 * (dx * dx + dy * dy)), 1.0 / np.sqrt(1.0 + dh * dh)
            residual[t, 0], residual[t, 1], residual[t, 2] = less * dx, less * dy, less_turn * dh
            by_place, by_turn = less * by_place, less_turn * by_turn
            ja[t, 0, 0] = ja[t, 1, 1] = by_place
            ja[t, 0, 2], ja[t, 1, 2] = -by_place * (here[1] - pose[i, 1]), by_place * (here[0] - pose[i, 0])
            ja[t, 2, 2] = by_turn
            if b[t] >= 0:
                jb[t, 0, 0] = jb[t, 1, 1] = -by_place
                jb[t, 0, 2] = by_place * (there[1] - pose[b[t], 1])
                jb[t, 1, 2] = -by_place * (there[0] - pose[b[t], 0])
                jb[t, 2, 2] = -by_turn
            t += 1
    return a, b, ja, jb, residual


@njit(cache=True)
def _links(pose: Floats, step: Floats, linked: NDArray[np.bool_], spreads: Floats) -> tuple[Floats, Floats]:
    """Jacobians (n, 3, 6), of the pose before and of the pose, and residuals (n, 3) of odometry."""
    n = len(pose)
    link, residual, wanted = np.zeros((n, 3, 6)), np.zeros((n, 3)), np.empty(3)
    by_place, by_turn = 1.0 / spreads[0], 1.0 / spreads[1]
    for i in range(1, n):
        if not linked[i]:
            continue
        before = pose[i - 1]
        place(before, step[i], wanted)
        turn = pose[i, 2] - wanted[2]
        residual[i, 0] = by_place * (pose[i, 0] - wanted[0])
        residual[i, 1] = by_place * (pose[i, 1] - wanted[1])
        residual[i, 2] = by_turn * np.arctan2(np.sin(turn), np.cos(turn))
        for c in range(2):
            link[i, c, c], link[i, c, 3 + c] = -by_place, by_place
        link[i, 0, 2] = by_place * (wanted[1] - before[1])
        link[i, 1, 2] = -by_place * (wanted[0] - before[0])
        link[i, 2, 2], link[i, 2, 5] = -by_turn, by_turn
    return link, residual


@njit(cache=True)
def _factorise(n: int, a: Ints, b: Ints, ja: Floats, jb: Floats, link: Floats) -> tuple[Floats, Floats]:
    """Inverse pivots (n, 3, 3) and blocks below the diagonal (n, 3, 3) of chain and ties' diagonal."""
    diagonal, below = np.zeros((n, 3, 3)), np.zeros((n, 3, 3))
    for i in range(n):
        for c in range(3):
            diagonal[i, c, c] = 1e-6  # what nothing ties is held where it is
        if i == 0:
            for c in range(3):
                diagonal[0, c, c] = HELD
    for i in range(1, n):
        left, right = link[i, :, :3], link[i, :, 3:]
        for r in range(3):
            for c in range(3):
                for k in range(3):
                    diagonal[i - 1, r, c] += left[k, r] * left[k, c]
                    diagonal[i, r, c] += right[k, r] * right[k, c]
                    below[i, r, c] += right[k, r] * left[k, c]
    for t in range(len(a)):
        for r in range(3):
            for c in range(3):
                for k in range(3):
                    diagonal[a[t], r, c] += ja[t, k, r] * ja[t, k, c]
                    if b[t] >= 0:
                        diagonal[b[t], r, c] += jb[t, k, r] * jb[t, k, c]
    pivots = np.empty((n, 3, 3))
    _invert(diagonal[0], pivots[0])
    carry = np.empty((3, 3))
    for i in range(1, n):
        for r in range(3):
            for c in range(3):
                carry[r, c] = 0.0
                for k in range(3):
                    carry[r, c] += below[i, r, k] * pivots[i - 1, k, c]
        for r in range(3):
            for c in range(3):
                for k in range(3):
                    diagonal[i, r, c] -= carry[r, k] * below[i, c, k]
        _invert(diagonal[i], pivots[i])
    return pivots, below


@njit(cache=True)
def _invert(m: Floats, out: Floats) -> None:
    """Inverse of a symmetric (3, 3) matrix by its cofactors."""
    out[0, 0] = m[1, 1] * m[2, 2] - m[1, 2] * m[2, 1]
    out[0, 1] = m[0, 2] * m[2, 1] - m[0, 1] * m[2, 2]
    out[0, 2] = m[0, 1] * m[1, 2] - m[0, 2] * m[1, 1]
    out[1, 1] = m[0, 0] * m[2, 2] - m[0, 2] * m[2, 0]
    out[1, 2] = m[0, 2] * m[1, 0] - m[0, 0] * m[1, 2]
    out[2, 2] = m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]
    size = m[0, 0] * out[0, 0] + m[1, 0] * out[0, 1] + m[2, 0] * out[0, 2]
    out[1, 0], out[2, 0], out[2, 1] = out[0, 1], out[0, 2], out[1, 2]
    for r in range(3):
        for c in range(3):
            out[r, c] /= size


@njit(cache=True)
def _precondition(pivots: Floats, below: Floats, r: Floats, z: Floats) -> None:
    """Solve the block tridiagonal system for `r` (n, 3), into `z` (n, 3)."""
    n = len(r)
    right = np.empty((n, 3))
    for i in range(n):
        for c in range(3):
            right[i, c] = r[i, c]
            if i > 0:
                for k in range(3):
                    right[i, c] -= below[i, c, k] * z[i - 1, k]
        for c in range(3):
            z[i, c] = 0.0
            for k in range(3):
                z[i, c] += pivots[i, c, k] * right[i, k]
    for i in range(n - 2, -1, -1):
        for c in range(3):
            right[i, c] = 0.0
            for k in range(3):
                right[i, c] += below[i + 1, k, c] * z[i + 1, k]
        for c in range(3):
            for k in range(3):
                z[i, c] -= pivots[i, c, k] * right[i, k]


@njit(cache=True)
def _multiply(p: Floats, a: Ints, b: Ints, ja: Floats, jb: Floats, link: Floats, out: Floats) -> None:
    """Apply the normal equations to `p` (n, 3), into `out` (n, 3)."""
    n = len(p)
    for i in range(n):
        held = HELD if i == 0 else 1e-6
        for c in range(3):
            out[i, c] = held * p[i, c]
    row = np.empty(3)
    for i in range(1, n):
        for r in range(3):
            row[r] = 0.0
            for c in range(3):
                row[r] += link[i, r, c] * p[i - 1, c] + link[i, r, 3 + c] * p[i, c]
        for c in range(3):
            for r in range(3):
                out[i - 1, c] += link[i, r, c] * row[r]
                out[i, c] += link[i, r, 3 + c] * row[r]
    for t in range(len(a)):
        for r in range(3):
            row[r] = 0.0
            for c in range(3):
                row[r] += ja[t, r, c] * p[a[t], c]
                if b[t] >= 0:
                    row[r] += jb[t, r, c] * p[b[t], c]
        for c in range(3):
            for r in range(3):
                out[a[t], c] += ja[t, r, c] * row[r]
                if b[t] >= 0:
                    out[b[t], c] += jb[t, r, c] * row[r]


@njit(cache=True)
def _dot(a: Floats, b: Floats) -> float:
    total = 0.0
    for i in range(len(a)):
        for c in range(3):
            total += a[i, c] * b[i, c]
    return total
