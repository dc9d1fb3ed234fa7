"""EVT 2 and EVT 3, the raw formats of Prophesee's sensors.

EVT 2 is made of 32-bit words: the type in the upper 4 bits; a change of contrast carries the lower 6 bits of
its time, x and y; the upper 28 bits of time have words of their own. EVT 3 is made of 16-bit words that each
change one thing, the row, the base column, the lower or the upper 12 bits of time, or report up to twelve
neighbouring columns as a bit mask (Prophesee, "Data encoding formats", Metavision documentation).

Of what kept libraries make of EVT 3, none was right on a recording whose clock steps back a few microseconds
between events: one takes every step for a full turn of the counter, another holds times that follow. Here the
upper word alone tells a turn, which is a step of more than half its range.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

# What is known between words: upper and lower time, microseconds of full turns, row, base column, polarity,
# and whether a time has been seen; then how many events lay outside of the sensor and how many words meant
# nothing.
HIGH, LOW, TURNS, ROW, COLUMN, POLARITY, TIMED, OUTSIDE, UNKNOWN = range(9)
STATE = 9


@njit(cache=True)
def decode_evt3(
    words: NDArray[np.uint16], state: NDArray[np.int64], width: int, height: int,
    t: NDArray[np.int64], x: NDArray[np.int16], y: NDArray[np.int16], p: NDArray[np.uint8],
) -> int:  # fmt: skip
    """Decode `words` (n,) into arrays with room for 12 n events; return how many there are."""
    count = 0
    for k in range(words.size):
        kind, value = int(words[k]) >> 12, int(words[k]) & 0xFFF
        first, mask = 0, 0
        if kind == 0x0:
            state[ROW] = value & 0x7FF
        elif kind == 0x2:
            state[POLARITY] = value >> 11
            first, mask = value & 0x7FF, 1
        elif kind == 0x3:
            state[COLUMN], state[POLARITY] = value & 0x7FF, value >> 11
        elif kind == 0x4 or kind == 0x5:
            span = 12 if kind == 0x4 else 8
            first, mask = state[COLUMN], value & ((1 << span) - 1)
            state[COLUMN] += span
        elif kind == 0x6:
            state[LOW] = value
        elif kind == 0x8:
            if state[TIMED] == 0:
                state[TIMED], state[LOW] = 1, 0
            elif state[HIGH] - value > 0x800:
                state[TURNS] += 1 << 24
            state[HIGH] = value
        elif kind != 0x7 and kind != 0xA and kind != 0xE and kind != 0xF:
            state[UNKNOWN] += 1
        if mask == 0 or state[TIMED] == 0:
            continue
        now = state[TURNS] + (state[HIGH] << 12) + state[LOW]
        while mask != 0:
            if mask & 1:
                if first < width and state[ROW] < height:
                    t[count], x[count], y[count], p[count] = now, first, state[ROW], state[POLARITY]
                    count += 1
                else:
                    state[OUTSIDE] += 1
            mask >>= 1
            first += 1
    return count


@njit(cache=True)
def decode_evt2(
    words: NDArray[np.uint32], state: NDArray[np.int64], width: int, height: int,
    t: NDArray[np.int64], x: NDArray[np.int16], y: NDArray[np.int16], p: NDArray[np.uint8],
) -> int:  # fmt: skip
    """Decode `words` (n,) into arrays with room for n events; return how many there are."""
    count = 0
    for k in range(words.size):
        word = int(words[k])
        kind = word >> 28
        if kind == 0x8:
            value = word & 0xFFFFFFF
            if state[TIMED] != 0 and state[HIGH] - value > 1 << 27:
                state[TURNS] += 1 << 34
            state[TIMED], state[HIGH] = 1, value
        elif kind == 0x0 or kind == 0x1:
            if state[TIMED] == 0:
                continue
            column, row = (word >> 11) & 0x7FF, word & 0x7FF
            if column < width and row < height:
                t[count] = state[TURNS] + (state[HIGH] << 6) + ((word >> 22) & 0x3F)
                x[count], y[count], p[count] = column, row, kind
                count += 1
            else:
                state[OUTSIDE] += 1
        elif kind != 0xA and kind != 0xE and kind != 0xF:
            state[UNKNOWN] += 1
    return count


#: Sensors of cameras whose files do not say how large they are, by what is in their header.
SIZES = {
    "gen41": (1280, 720),
    "gen4": (1280, 720),
    "imx636": (1280, 720),
    "gen31": (640, 480),
    "gen3": (640, 480),
}


def read_header(start: bytes) -> tuple[int, dict[str, str]]:
    """Return the length of the text header of `start` and its entries; length 0 where there is none."""
    length, entries = 0, {}
    while start[length : length + 1] == b"%":
        end = start.find(b"\n", length)
        if end < 0:
            break
        words = start[length + 1 : end].decode("latin-1").strip().split(None, 1)
        if words:
            entries[words[0].lower()] = words[1] if len(words) > 1 else ""
        length = end + 1
    return length, entries


def version_of(header: dict[str, str]) -> str:
    """Return '2', '2.1', '3' or what else a header names, '' for nothing."""
    named = header.get("format", "").split(";")[0].upper().removeprefix("EVT")
    return named or header.get("evt", "").removesuffix(".0")


def size_of(header: dict[str, str]) -> tuple[int, int] | None:
    """Return width and height of the sensor, as far as the header tells."""
    options: dict[str, Any] = dict(
        part.split("=", 1) for part in header.get("format", "").split(";") if "=" in part
    )
    geometry = header.get("geometry", "").lower().split("x")
    if {"width", "height"} <= set(options):
        geometry = [options["width"], options["height"]]
    # `str.isdigit` lets other digits through, such as a superscript two, which are no numbers.
    if len(geometry) == 2 and all(re.fullmatch(r"\s*0*[1-9][0-9]{0,3}\s*", part) for part in geometry):
        return int(geometry[0]), int(geometry[1])
    plugin = " ".join(header.values()).lower()
    return next((size for name, size in SIZES.items() if name in plugin), None)
