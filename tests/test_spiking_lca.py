"""Sparse coding by competing spiking neurons, against iterated soft thresholding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tolman.spiking.lca import LCA, ista, objective

Floats = NDArray[np.float32]


def unit(rows: NDArray[np.floating]) -> Floats:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32), st.sampled_from([0.1, 0.2, 0.3]))
def test_rates_minimise_the_objective(seed: int, sparsity: float) -> None:
    rng = np.random.default_rng(seed)
    atoms, signals = unit(rng.normal(size=(96, 36))), unit(rng.normal(size=(20, 36)))
    coefficients, spikes = LCA(sparsity=sparsity).encode(signals, atoms)
    best = objective(signals, atoms, ista(signals, atoms, sparsity).astype(np.float32), sparsity).sum()
    reached = objective(signals, atoms, coefficients, sparsity).sum()
    assert best * (1.0 - 1e-6) <= reached <= 1.01 * best
    assert np.all((spikes > 0) | (coefficients.sum(axis=1) == 0.0))


def test_ista_finds_the_minimum() -> None:
    """At the minimum the gradient is -sparsity where a coefficient is active, and above elsewhere."""
    rng = np.random.default_rng(1)
    atoms, signals = unit(rng.normal(size=(48, 25))), unit(rng.normal(size=(8, 25)))
    a = ista(signals, atoms, 0.15, steps=5000)
    slope = (signals - a @ atoms) @ atoms.T
    np.testing.assert_allclose(slope[a > 1e-5], 0.15, atol=1e-4)
    assert np.all(slope[a <= 1e-5] <= 0.15 + 1e-4)


def test_one_atom_alone_is_found_by_its_own_neuron() -> None:
    atoms = np.eye(5, 16, dtype=np.float32)
    coefficients, _ = LCA(sparsity=0.2).encode(0.9 * atoms, atoms)
    np.testing.assert_allclose(coefficients, 0.7 * np.eye(5), atol=0.02)  # shrunk by the sparsity


def test_atoms_of_a_mixture_are_learned_back() -> None:
    rng = np.random.default_rng(0)
    true = unit(rng.normal(size=(24, 64)))

    def mixtures(n: int) -> Floats:
        share = rng.uniform(0.5, 1.0, (n, 24)) * (rng.random((n, 24)) < 0.08)
        share[share.sum(axis=1) == 0.0, 0] = 1.0
        return unit(share @ true)

    atoms = unit(rng.normal(size=(32, 64)))
    before = float((atoms @ true.T).max(axis=0).mean())
    lca = LCA(sparsity=0.1, quantum=0.1, settle=30e-3, seconds=90e-3)
    for _ in range(150):
        lca.learn(mixtures(100), atoms, 0.3)
    found = (atoms @ true.T).max(axis=0)
    assert before < 0.5
    assert np.mean(found > 0.95) > 0.8


@pytest.mark.parametrize(
    "change", [{"sparsity": 0.0}, {"tau": -1.0}, {"settle": -1.0}, {"dt": 0.1}, {"quantum": 0.0}]
)
def test_impossible_parameters_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        LCA(**change)
