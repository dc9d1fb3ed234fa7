"""Synapses that come one by one: arrays that double, so that adding costs the same however many there are."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)


def room_for(array: NDArray[Scalar], size: int) -> NDArray[Scalar]:
    """Return `array` (n,), or a copy of at least twice the room if it has less than `size`; the rest is 0."""
    if array.size >= size:
        return array
    larger = np.zeros(max(size, 2 * array.size), array.dtype)
    larger[: array.size] = array
    return larger


class Rows:
    """Lists of integers, one a row, in one pool; a list that outgrows its place moves to the end.

    Parameters
    ----------
    rows : int
    """

    def __init__(self, rows: int) -> None:
        self.start = np.zeros(rows, np.int64)
        self.length, self.room = np.zeros(rows, np.int32), np.zeros(rows, np.int32)
        self.pool = np.zeros(1024, np.int32)
        self._used = np.zeros(1, np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.start.nbytes + self.length.nbytes + self.room.nbytes + self.pool.nbytes

    def append(self, rows: Ints, value: int) -> None:
        """Append `value` to each of `rows` (k,)."""
        if not _append(self.start, self.length, self.room, self.pool, self._used, rows, value):
            most = int(self.length[rows].max(initial=0))
            self.pool = room_for(self.pool, int(self._used[0]) + rows.size * 2 * max(2, most + 1))
            _append(self.start, self.length, self.room, self.pool, self._used, rows, value)

    def __getitem__(self, row: int) -> NDArray[np.int32]:
        """Return what `row` holds, (k,), in the order in which it came."""
        return self.pool[self.start[row] : self.start[row] + self.length[row]]


@njit(cache=True)
def _append(
    start: Ints,
    length: NDArray[np.int32],
    room: NDArray[np.int32],
    pool: NDArray[np.int32],
    used: Ints,
    rows: Ints,
    value: int,
) -> bool:
    need = 0
    for r in rows:
        need += 2 * max(2, length[r] + 1) if length[r] == room[r] else 0
    if used[0] + need > pool.size:
        return False
    for r in rows:
        if length[r] == room[r]:
            fresh, more = used[0], max(2, 2 * length[r])
            for s in range(length[r]):
                pool[fresh + s] = pool[start[r] + s]
            start[r], room[r] = fresh, more
            used[0] += more
        pool[start[r] + length[r]] = value
        length[r] += 1
    return True
