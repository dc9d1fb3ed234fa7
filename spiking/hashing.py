"""A digest of every spike: two runs with the same digest had the same spikes in the same order."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


class SpikeHash:
    """Chained BLAKE2b: each period's digest covers the one before, so 32 bytes are the whole state.

    The state is that of the last `mark`; spikes added since then are not in it.
    """

    def __init__(self) -> None:
        self._digest = bytes(32)
        self._open = hashlib.blake2b(self._digest, digest_size=32)

    def add(self, spikes: NDArray[np.int32]) -> None:
        """Add spikes (k, 2) of (ms, neuron) of the current period."""
        self._open.update(np.ascontiguousarray(spikes, "<i4").data)

    def mark(self) -> None:
        """End the period."""
        self._digest = self._open.digest()
        self._open = hashlib.blake2b(self._digest, digest_size=32)

    @property
    def hexdigest(self) -> str:
        """Digest of all periods ended so far."""
        return self._digest.hex()

    @property
    def state(self) -> NDArray[np.uint8]:
        """The digest as bytes (32,)."""
        return np.frombuffer(self._digest, np.uint8).copy()

    @state.setter
    def state(self, value: NDArray[np.uint8]) -> None:
        digest = bytes(np.asarray(value, np.uint8))
        if len(digest) != 32:
            raise ValueError(f"the state of a spike hash has 32 bytes, got {len(digest)}")
        self._digest = digest
        self._open = hashlib.blake2b(self._digest, digest_size=32)
