"""Arrays by address: how one compiled loop reaches the arrays of any number of populations and projections.

A compiled function cannot take a list of arrays of several types without being compiled again for each list.
So a network writes the addresses of its arrays to a table of integers, and the loop, compiled once for all
networks, views the memory behind them. The network keeps every array alive that is in its table.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, njit, types  # type: ignore[attr-defined]
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray


def _to_pointer(_context: Any, address: Any) -> Any:
    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


_pointer: Any = intrinsic(_to_pointer)


def _touch(_context: Any, at: Any) -> Any:
    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        integer, pointer = ir.IntType(32), cgutils.voidptr_t
        kind = ir.FunctionType(ir.VoidType(), [pointer, integer, integer, integer])
        function: Any = cgutils.get_or_insert_function
        function = function(builder.module, kind, "llvm.prefetch.p0i8")
        # To read, to be kept in all caches, data.
        how = [ir.Constant(integer, number) for number in (0, 3, 1)]
        builder.call(function, [builder.inttoptr(arguments[0], pointer), *how])
        return _target.get_dummy_value()

    return types.void(types.int64), generate


_prefetch: Any = intrinsic(_touch)
LINE = 64  #: bytes that memory hands over at once


@njit(cache=True, inline="always")
def prefetch(first: int, last: int) -> None:
    """Ask for the memory between two addresses, to be read soon; it need not exist."""
    for at in range(first, last, LINE):
        _prefetch(at)


def address(array: NDArray[Any]) -> int:
    """Return where the data of a C-ordered `array` begins; 0 for an empty one."""
    if not array.flags.c_contiguous:
        raise ValueError("only C-ordered arrays have one address")
    return int(array.ctypes.data) if array.size else 0


@njit(cache=True, inline="always")
def reals(at: int, n: int, like: NDArray[Any]) -> Any:
    """View (n,) numbers of the type of `like`."""
    return carray(_pointer(at), (n,), like.dtype)


@njit(cache=True, inline="always")
def table(at: int, rows: int, n: int, like: NDArray[Any]) -> Any:
    """View (rows, n) numbers of the type of `like`."""
    return carray(_pointer(at), (rows, n), like.dtype)


@njit(cache=True, inline="always")
def floats(at: int, n: int) -> Any:
    """View (n,) float32."""
    return carray(_pointer(at), (n,), np.float32)


@njit(cache=True, inline="always")
def doubles(at: int, n: int) -> Any:
    """View (n,) float64."""
    return carray(_pointer(at), (n,), np.float64)


@njit(cache=True, inline="always")
def int32s(at: int, n: int) -> Any:
    """View (n,) int32."""
    return carray(_pointer(at), (n,), np.int32)


@njit(cache=True, inline="always")
def int64s(at: int, n: int) -> Any:
    """View (n,) int64."""
    return carray(_pointer(at), (n,), np.int64)


@njit(cache=True, inline="always")
def uint16s(at: int, n: int) -> Any:
    """View (n,) uint16."""
    return carray(_pointer(at), (n,), np.uint16)


@njit(cache=True, inline="always")
def uint32s(at: int, n: int) -> Any:
    """View (n,) uint32."""
    return carray(_pointer(at), (n,), np.uint32)


@njit(cache=True, inline="always")
def bools(at: int, n: int) -> Any:
    """View (n,) bool."""
    return carray(_pointer(at), (n,), np.bool_)


@njit(cache=True, inline="always")
def index_at(at: int, wide: bool, i: int) -> int:
    """Return entry `i` of an index of uint32 or, if not `wide`, of uint16, which is empty at address 0."""
    if wide:
        return int(uint32s(at, i + 1)[i])
    return int(uint16s(at, i + 1)[i])
