"""How much what is sensed resembles what is stored.

Sums are taken in sixteen lanes whatever the processor: left to the compiler, the width of the processor's
vectors would decide the order of the additions, so last bits, and with them spikes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils as untyped
from numba.extending import intrinsic
from numpy.typing import NDArray

Floats = NDArray[np.float32]

cgutils: Any = untyped
LANES = 16  #: a vector of the widest processors; narrower ones take several


def _multiplied(typing: Any, row: Any, cue: Any) -> Any:
    """Return the product of contiguous float32 vectors of equal size: lanes, then halves, then the rest."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        row, cue = (
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        )
        size = cgutils.unpack_tuple(builder, row.shape, 1)[0]
        index, single = size.type, ir.FloatType()
        vector = ir.VectorType(single, LANES)

        def accumulate(total: Any, j: Any, kind: Any) -> None:
            at = (builder.bitcast(builder.gep(side.data, [j]), kind.as_pointer()) for side in (row, cue))
            factors = [builder.load(place, align=4) for place in at]
            builder.store(builder.fadd(builder.load(total), builder.fmul(*factors)), total)

        lanes = cgutils.alloca_once_value(builder, ir.Constant(vector, [0.0] * LANES))
        whole = builder.and_(size, index(-LANES))
        with cgutils.for_range_slice(builder, index(0), whole, index(LANES), index) as (j, _):
            accumulate(lanes, j, vector)
        sums, width = builder.load(lanes), LANES
        while width > 1:
            width //= 2
            which = ir.VectorType(ir.IntType(32), width)
            halves = (list(range(width)), list(range(width, 2 * width)))
            sums = builder.fadd(*(builder.shuffle_vector(sums, sums, ir.Constant(which, h)) for h in halves))
        total = cgutils.alloca_once_value(builder, builder.extract_element(sums, ir.IntType(32)(0)))
        with cgutils.for_range_slice(builder, whole, size, index(1), index) as (j, _):
            accumulate(total, j, single)
        return builder.load(total)

    return types.float32(row, cue), generate


_dot: Any = intrinsic(_multiplied)


@njit(cache=True)
def dots(
    cues: Floats,
    weights: Floats,
    who: NDArray[np.bool_],
    out: Floats,
) -> None:
    """Put products of `cues` (h, j) and rows of `weights` (n, j) in `out` (h, n), for rows in `who`."""
    for i in range(weights.shape[0]):
        if who[i]:
            row = weights[i]
            for h in range(cues.shape[0]):
                out[h, i] = _dot(row, cues[h])
