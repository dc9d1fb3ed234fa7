"""Sparse views: images of contrast or event counts as maps of few active features, learned without labels.

An image is cut into overlapping patches. Each is explained by few atoms of a dictionary that is learned from
what the robot itself has seen, in the competition of spiking neurons of `spiking.lca`. As all patches share
one dictionary, a view that moves sideways moves the map sideways, which is what lets `memory.recognition`
compare views at displaced headings.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...spiking.lca import LCA
from ...spiking.random import generator

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SparseViewConfig:
    """Patches, dictionary and how it is learned."""

    patch: int = 6  #: pixels a side
    stride: int = 2  #: pixels between neighbouring patches
    atoms: int = 192
    pooling: float = 0.5  #: how much of a feature its neighbours on each side, above and below, take over
    blank: float = 1.0  #: length of a patch (root of summed squares) below which it counts as little contrast
    lessons: int = 200  #: batches of patches from which the atoms are learned
    batch: int = 200  #: patches
    rate: float = 0.3  #: of learning; a third of it in the last third of the lessons
    lca: LCA = field(default_factory=lambda: LCA(sparsity=0.22, quantum=0.1, settle=30e-3, seconds=90e-3))

    def __post_init__(self) -> None:
        for name in ("patch", "stride", "atoms", "lessons", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"sparse views: {name} must be >= 1, got {getattr(self, name)}")
        if not 0.0 <= self.pooling <= 1.0:
            raise ValueError(f"sparse views: pooling must be in [0, 1], got {self.pooling}")
        for name in ("blank", "rate"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"sparse views: {name} must be > 0, got {getattr(self, name)}")


class SparseViews:
    """Codes images of `shape` (height, width); atoms are random until `learn` was called."""

    def __init__(self, config: SparseViewConfig, shape: tuple[int, int], seed: int) -> None:
        if min(shape) < config.patch:
            raise ValueError(
                f"an image of {shape[0]} x {shape[1]} pixels is smaller than a patch of {config.patch}"
            )
        self.config = config
        self._rng = generator(seed, "sparse views")
        self.atoms = _unit(self._rng.standard_normal((config.atoms, config.patch**2)).astype(np.float32))
        rows, columns = ((side - config.patch) // config.stride + 1 for side in shape)
        self.image_shape, self.shape = shape, (config.atoms, rows, columns)

    def learn(self, images: Floats) -> float:
        """Learn the atoms from `images` (n, height, width); return the share of active coefficients at the
        end.

        Patches with little contrast teach nothing and are passed over.
        """
        patches = self._patches(images).reshape(-1, self.config.patch**2)
        patches = patches[np.linalg.norm(patches, axis=1) > 0.5]
        if not len(patches):
            raise ValueError("the images have too little contrast to learn from")
        active = 0.0
        for lesson in range(self.config.lessons):
            rate = self.config.rate * (1.0 if lesson < 0.67 * self.config.lessons else 0.33)
            batch = patches[self._rng.integers(len(patches), size=self.config.batch)]
            coefficients = self.config.lca.learn(batch, self.atoms, rate)
            unused = np.flatnonzero(~(coefficients > 0.0).any(axis=0))
            if lesson < 0.67 * self.config.lessons and unused.size:
                # A neuron that never fires learns nothing: it takes over what was explained worst.
                worst = np.argsort(-((batch - coefficients @ self.atoms) ** 2).sum(axis=1))
                taken = worst[: min(unused.size, len(worst)) // 4 + 1]
                self.atoms[unused[: taken.size]] = _unit(batch[taken])
            active = float((coefficients > 0.0).mean())
        return active

    def code(self, image: Floats) -> Floats:
        """Return the coefficients (atoms, rows, columns) of `image` (height, width): simple cells."""
        patches = self._patches(image[None])[0]
        rows, columns = patches.shape[:2]
        coefficients, _ = self.config.lca.encode(patches.reshape(rows * columns, -1), self.atoms)
        code: Floats = np.ascontiguousarray(coefficients.reshape(rows, columns, -1).transpose(2, 0, 1))
        return code

    def encode(self, image: Floats) -> Floats:
        """Return the map (atoms, rows, columns) of `image` (height, width): complex cells."""
        view = self.code(image)
        share = np.float32(self.config.pooling)
        for axis in (1, 2):
            simple = np.moveaxis(view, axis, -1)
            view = view.copy()
            pooled = np.moveaxis(view, axis, -1)
            pooled[..., 1:] += share * simple[..., :-1]
            pooled[..., :-1] += share * simple[..., 1:]
        return view

    def decode(self, code: Floats) -> Floats:
        """Return what `code` (atoms, rows, columns) says of the image: (height, width), patches averaged."""
        _, rows, columns = code.shape
        p, s = self.config.patch, self.config.stride
        out, cover = np.zeros(self.image_shape, np.float32), np.zeros(self.image_shape, np.float32)
        for i in range(rows):
            for j in range(columns):
                part = slice(i * s, i * s + p), slice(j * s, j * s + p)
                out[part] += (code[:, i, j] @ self.atoms).reshape(p, p)
                cover[part] += 1.0
        return np.asarray(out / np.maximum(cover, 1.0), np.float32)

    def _patches(self, images: Floats) -> Floats:
        """Return all patches (n, rows, columns, patch²) without their mean, at most of unit length."""
        p, s = self.config.patch, self.config.stride
        if images.shape[1:] != self.image_shape:
            raise ValueError(f"images must have shape {self.image_shape}, got {images.shape[1:]}")
        windows = np.lib.stride_tricks.sliding_window_view(images, (p, p), axis=(1, 2))[:, ::s, ::s]
        patches = windows.reshape(*windows.shape[:3], p * p).astype(np.float32)
        patches -= patches.mean(axis=3, keepdims=True)
        length = np.linalg.norm(patches, axis=3, keepdims=True)
        return np.asarray(patches / np.maximum(length, np.float32(self.config.blank)), np.float32)


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)
