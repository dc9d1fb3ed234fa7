"""Random streams: one seed at the top, a named stream for each part, counter-based draws inside kernels.

A kernel never holds a generator. It hashes (key, step, index) instead, so a draw depends on where it is used
and not on how many were made before it: the order of loops, the batch size and a resume at any step leave it
unchanged.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

#: Standard deviation of the sum of four independent uniform bytes: sqrt(4 * (256**2 - 1) / 12).
_FOUR_BYTES_STD = 147.79942
_FOUR_BYTES_MEAN = 510.0


def stream(seed: int, name: str) -> np.random.SeedSequence:
    """Return the seed sequence of the part called `name` under the top `seed`.

    Two names give independent streams; adding a part leaves the streams of the others as they were.
    """
    if seed < 0:
        raise ValueError(f"seed must be >= 0, got {seed}")
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return np.random.SeedSequence([seed, int.from_bytes(digest, "little")])


def generator(seed: int, name: str) -> np.random.Generator:
    """Return a NumPy generator on the stream of `name`, for what is drawn once (weights, layouts)."""
    return np.random.Generator(np.random.PCG64(stream(seed, name)))


def words_of(source: np.random.Generator) -> NDArray[np.uint64]:
    """Return the state (6,) of a `generator`: two 128-bit numbers in halves, and its buffered half draw."""
    state: Any = source.bit_generator.state
    big, low = state["state"], (1 << 64) - 1
    parts = [big["state"] >> 64, big["state"] & low, big["inc"] >> 64, big["inc"] & low]
    return np.array([*parts, state["has_uint32"], state["uinteger"]], np.uint64)


def restore_words(source: np.random.Generator, words: NDArray[np.uint64]) -> None:
    """Let a `generator` go on from the state that `words_of` gave; ValueError if it is none."""
    if words.shape != (6,):
        raise ValueError(f"the state of a generator has 6 words, got shape {words.shape}")
    numbers = [int(word) for word in words]
    source.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": numbers[0] << 64 | numbers[1], "inc": numbers[2] << 64 | numbers[3]},
        "has_uint32": numbers[4],
        "uinteger": numbers[5],
    }


def key(seed: int, name: str) -> np.uint32:
    """Return the 32-bit key under which the kernels of the part `name` draw."""
    return np.uint32(stream(seed, name).generate_state(1, np.uint32)[0])


@njit(cache=True, inline="always")
def hash32(x: np.uint32) -> np.uint32:
    """Mix 32 bits (Wellons 2018, 'lowbias32': bias 0.17 of an ideal avalanche)."""
    x = np.uint32(x ^ (x >> np.uint32(16)))
    x = np.uint32(x * np.uint32(0x7FEB352D))
    x = np.uint32(x ^ (x >> np.uint32(15)))
    x = np.uint32(x * np.uint32(0x846CA68B))
    return np.uint32(x ^ (x >> np.uint32(16)))


@njit(cache=True, inline="always")
def step_key(key: np.uint32, step: np.uint32) -> np.uint32:
    """Return the key of one time step; draws of the step hash it with the neuron's index."""
    return np.uint32(key ^ hash32(np.uint32(step + np.uint32(0x9E3779B9))))


@njit(cache=True, inline="always")
def uniform(at: np.uint32, index: np.uint32) -> np.float32:
    """Draw from [0, 1) for neuron `index` under the step key `at`; 24 bits."""
    bits = hash32(np.uint32(at + index * np.uint32(0x85EBCA6B)))
    return np.float32(bits >> np.uint32(8)) * np.float32(5.9604645e-08)


@njit(cache=True, inline="always")
def gaussian(at: np.uint32, index: np.uint32) -> np.float32:
    """Draw a standard normal deviate: the sum of four uniform bytes (Irwin-Hall, |z| <= 3.45)."""
    bits = hash32(np.uint32(at + index * np.uint32(0x85EBCA6B)))
    # Two bytes at a time: half the instructions.
    pairs = (bits & np.uint32(0x00FF00FF)) + ((bits >> np.uint32(8)) & np.uint32(0x00FF00FF))
    total = np.float32(np.int32((pairs & np.uint32(0xFFFF)) + (pairs >> np.uint32(16))))
    return (total - np.float32(_FOUR_BYTES_MEAN)) * np.float32(1.0 / _FOUR_BYTES_STD)


def hash32_reference(x: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """NumPy twin of `hash32` for arrays (n,)."""
    x = x.astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x


def uniform_reference(key: np.uint32, step: int, n: int) -> NDArray[np.float32]:
    """NumPy twin of `uniform` for neurons 0..n-1 at `step`."""
    return (_bits_reference(key, step, n) >> np.uint32(8)).astype(np.float32) * np.float32(5.9604645e-08)


def gaussian_reference(key: np.uint32, step: int, n: int) -> NDArray[np.float32]:
    """NumPy twin of `gaussian` for neurons 0..n-1 at `step`."""
    octets = _bits_reference(key, step, n).view(np.uint8).reshape(n, 4).astype(np.float32)
    scale = np.float32(1.0 / _FOUR_BYTES_STD)
    return np.asarray((octets.sum(axis=1) - np.float32(_FOUR_BYTES_MEAN)) * scale, np.float32)


def _bits_reference(key: np.uint32, step: int, n: int) -> NDArray[np.uint32]:
    start = np.array([(step + 0x9E3779B9) & 0xFFFFFFFF], np.uint32)
    at = np.uint32(key) ^ hash32_reference(start)
    return hash32_reference(at + np.arange(n, dtype=np.uint32) * np.uint32(0x85EBCA6B))
