"""The observation space of event packets: as many events as happened, in ascending time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .events import EventPacket

EventArrays = dict[str, NDArray[Any]]
_DTYPES = {"t": np.int64, "x": np.int16, "y": np.int16, "p": np.uint8}


class EventSpace(spaces.Space[EventArrays]):
    """All event packets of a `width` by `height` camera: a dict of the arrays t, x, y, p of one length.

    Gymnasium's own spaces cannot say that four arrays of any length share it and that times ascend.

    Parameters
    ----------
    width, height : int
        Pixels.
    seed : int | numpy.random.Generator | None
        For `sample`.
    """

    def __init__(self, width: int, height: int, seed: int | np.random.Generator | None = None) -> None:
        if width < 1 or height < 1:
            raise ValueError(f"event space needs at least 1 x 1 pixels, got {width} x {height}")
        self.width, self.height = width, height
        super().__init__(shape=None, dtype=None, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """A packet has no fixed size."""
        return False

    def sample(self, mask: Any | None = None, probability: Any | None = None) -> EventArrays:
        """Return up to 64 random events within 40 ms."""
        n = int(self.np_random.integers(0, 65))
        return EventPacket(
            np.sort(self.np_random.integers(1, 40_001, n)),
            self.np_random.integers(0, self.width, n).astype(np.int16),
            self.np_random.integers(0, self.height, n).astype(np.int16),
            self.np_random.integers(0, 2, n).astype(np.uint8),
        ).to_observation()

    def contains(self, x: Any) -> bool:
        """Tell whether `x` holds t, x, y, p of the right types, in range, in time order."""
        if not isinstance(x, Mapping) or set(x) != set(_DTYPES):
            return False
        if any(not isinstance(x[k], np.ndarray) or x[k].dtype != dtype for k, dtype in _DTYPES.items()):
            return False
        try:
            EventPacket.from_observation(x).validate(self.width, self.height)
        except ValueError:
            return False
        return bool(x["t"].size == 0 or x["t"][0] >= 0)

    def to_jsonable(self, sample_n: Iterable[EventArrays]) -> list[dict[str, list[int]]]:
        """Turn packets into lists of numbers."""
        return [{name: array.tolist() for name, array in sample.items()} for sample in sample_n]

    def from_jsonable(self, sample_n: list[dict[str, list[int]]]) -> list[EventArrays]:
        """Turn lists of numbers back into packets."""
        return [{k: np.array(sample[k], dtype) for k, dtype in _DTYPES.items()} for sample in sample_n]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventSpace) and (self.width, self.height) == (other.width, other.height)

    def __repr__(self) -> str:
        return f"EventSpace({self.width}, {self.height})"
