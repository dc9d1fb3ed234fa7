"""The associative memory: separation, completion, capacity, order, novelty, contexts, what is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tolman.memory.associative import Associative, AssociativeConfig
from tolman.memory.dentate import Dentate, DentateConfig
from tolman.memory.hippocampus import Hippocampus, HippocampusConfig
from tolman.memory.neurons import NeuronConfig
from tolman.memory.synapses import Synapses
from tolman.memory.volley import CYCLE, TAU, volley
from tolman.spiking.lif import relax

Cells = NDArray[np.int32]
ACTIVE = 30


def f1(got: Cells, wanted: Cells) -> float:
    return 2.0 * np.intersect1d(got, wanted).size / max(1, got.size + wanted.size)


def patterns(n: int, seed: int, size: int = 1000, active: int = ACTIVE) -> list[Cells]:
    rng = np.random.default_rng(seed)
    return [np.sort(rng.choice(size, active, replace=False)).astype(np.int32) for _ in range(n)]


def filled(seed: int, n: int = 200, **options: Any) -> tuple[Hippocampus, list[Cells]]:
    memory, known = Hippocampus(HippocampusConfig(**options), seed), patterns(n, seed)
    for k, pattern in enumerate(known):
        assert memory.store(pattern) == k
    return memory, known


def test_a_volley_is_that_of_integrate_and_fire_cells_step_by_step() -> None:
    rng = np.random.default_rng(0)
    drive = rng.permutation(np.linspace(0.0, 4.0, 300)).astype(np.float32)
    fired, latency = volley(drive, 40)
    dt = 1e-6
    neurons = NeuronConfig(tau_membrane=1e-3 * TAU)
    constants = neurons.lif().constants(dt).astype(np.float64)
    membrane, heard = np.zeros(300), 0
    times, order = [], []
    for step in range(round(1e-3 * CYCLE / dt)):
        relax(membrane, drive.astype(np.float64), np.zeros(0), constants)
        for cell in np.flatnonzero(membrane >= 1.0):
            times.append(1e3 * dt * (step + 1))
            order.append(cell)
            membrane[cell] = -np.inf
            heard += 1
        if heard >= 40:
            break
    assert order[:40] == fired.tolist()
    np.testing.assert_allclose(latency, times[:40], atol=2e3 * dt)


def test_a_weak_drive_makes_no_spike_in_the_cycle() -> None:
    fired, latency = volley(np.array([0.5, 1.0, 1.05, 1.2], np.float32), 4)
    assert fired.tolist() == [3]
    assert latency[0] < CYCLE


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 2**31),
    ceiling=st.sampled_from([1, 2, 127]),
    connectivity=st.floats(0.05, 1.0),
    loops=st.booleans(),
    unset=st.sampled_from([0.0, 0.7]),
)
def test_synapses_equal_loops_over_all_pairs(
    seed: int, ceiling: int, connectivity: float, loops: bool, unset: float
) -> None:
    rng = np.random.default_rng(seed)
    synapses = Synapses(20, 20, connectivity, ceiling, seed, "test", loops, unset)
    exists, wanted = synapses.exists, np.zeros((20, 20))
    for _ in range(5):
        pre, post = (rng.choice(20, 6, replace=False).astype(np.int32) for _ in range(2))
        synapses.bind(pre, post)
        for i in pre:
            for j in post:
                wanted[i, j] = min(ceiling, wanted[i, j] + exists[i, j])
    np.testing.assert_array_equal(synapses.weights, wanted)
    assert loops or not exists.diagonal().any()
    active = rng.choice(20, 7, replace=False).astype(np.int32)
    total = (wanted[active].sum(axis=0) - unset * exists[active].sum(axis=0)) / (1.0 - unset)
    expected = (total - max(total.mean(), 0.0)) / (connectivity * 7)
    np.testing.assert_allclose(synapses.drive(active), expected, rtol=1e-4, atol=1e-5)


def test_many_strong_synapses_add_up() -> None:
    synapses = Synapses(600, 2, 1.0, 127, 0, "test")
    pre = np.arange(600, dtype=np.int32)
    for _ in range(127):
        synapses.bind(pre, np.zeros(1, np.int32))
    np.testing.assert_allclose(synapses.drive(pre), [63.5, -63.5])


def test_synapses_are_as_many_as_wanted() -> None:
    exists = Synapses(1000, 1000, 0.2, 1, 0, "test").exists
    assert exists.mean() == pytest.approx(0.2, abs=0.002)
    assert np.abs(exists.mean(axis=0) - 0.2).max() < 6.0 * np.sqrt(0.2 * 0.8 / 1000.0)
    assert np.abs(exists.mean(axis=1) - 0.2).max() < 6.0 * np.sqrt(0.2 * 0.8 / 1000.0)


@pytest.mark.parametrize("shared", [0.8, 0.5, 0.2])
def test_the_dentate_gyrus_separates(shared: float) -> None:
    dentate, rng = Dentate(DentateConfig(), 1000, 2000, 0), np.random.default_rng(1)
    out, chosen = [], []
    for pattern in patterns(20, 2):
        other = np.setdiff1d(np.arange(1000), pattern)
        twin = np.concatenate(
            (
                rng.permutation(pattern)[: round(shared * ACTIVE)],
                rng.choice(other, ACTIVE - round(shared * ACTIVE), replace=False),
            )
        ).astype(np.int32)
        codes = [dentate.code(cells) for cells in (pattern, twin)]
        assert [code.size for code in codes] == [100, 100], "1 % of 10,000"
        out.append(f1(*codes))
        chosen.append(f1(*(dentate.choose(code, 40) for code in codes)))
    assert np.mean(out) < 0.85 * shared
    assert np.mean(chosen) < np.mean(out), "CA3 once more"


def test_the_same_input_has_the_same_code() -> None:
    codes = [Dentate(DentateConfig(), 1000, 500, 3).code(patterns(1, 0)[0]) for _ in range(2)]
    np.testing.assert_array_equal(*codes)


@pytest.mark.parametrize("seed", range(3))
def test_half_a_pattern_brings_back_all_of_it(seed: int) -> None:
    memory, known = filled(seed)
    rng, half, noisy = np.random.default_rng(seed), [], []
    for pattern in known:
        cue = rng.choice(pattern, ACTIVE // 2, replace=False)
        half.append(f1(memory.recall(cue).pattern, pattern))
        noisy.append(f1(memory.recall(np.union1d(cue, rng.choice(1000, 5))).pattern, pattern))
    assert np.mean(half) > 0.98
    assert np.mean(noisy) > 0.95


def test_recurrent_synapses_complete_what_the_cue_alone_does_not() -> None:
    net, rng = Associative(AssociativeConfig(neurons=1000, assembly=40), 0), np.random.default_rng(0)
    assemblies = patterns(40, 1, 1000, 40)
    for assembly in assemblies:
        net.bind(assembly)
    for assembly in assemblies:
        cue = np.sort(rng.choice(assembly, 12, replace=False))
        active, spikes = net.complete(cue)
        assert f1(cue, assembly) < 0.5
        assert f1(active, assembly) > 0.95
        assert spikes[:, 0].max() < 6 * CYCLE
        assert np.all(np.diff(spikes[:, 0]) >= 0.0)


@pytest.mark.parametrize("connectivity", [0.25, 0.5])
def test_capacity_is_where_theory_has_it_within_a_factor(connectivity: float) -> None:
    """F1 from half an assembly is high at 0.07 C / (a ln 1/a) and low at 0.3, where theory ends."""
    neurons, size = 1000, 30
    a = size / neurons
    unit = connectivity * neurons / (a * np.log(1.0 / a))
    for load, low, high in ((0.07, 0.9, 1.0), (0.3, 0.0, 0.5)):
        scores = []
        for seed in range(3):
            net, rng = (
                Associative(AssociativeConfig(neurons, size, connectivity), seed),
                np.random.default_rng(seed),
            )
            assemblies = patterns(round(load * unit), seed, neurons, size)
            for assembly in assemblies:
                net.bind(assembly)
            for assembly in assemblies[:30]:
                cue = np.sort(rng.choice(assembly, size // 2, replace=False))
                scores.append(f1(net.complete(cue)[0], assembly))
        assert low <= np.mean(scores) <= high, load


@pytest.mark.parametrize("seed", range(3))
def test_places_are_replayed_in_order_both_ways(seed: int) -> None:
    memory, known = filled(seed)
    for k in range(20, 30):
        memory.link(k, k + 1)
    for start, direction in ((20, 1), (30, -1)):
        steps = memory.replay(start, direction, 15)
        assert len(steps) == 10, "it ends where the links end"
        for k, step in enumerate(steps):
            there = start + direction * (k + 1)
            assert f1(step.neurons, memory.assembly(there)) > 0.9
            assert f1(step.pattern, known[there]) > 0.9
    assert memory.replay(20, -1, 5) == []


def test_links_leave_auto_association_alone() -> None:
    memory, _ = filled(0, 20)
    before = memory.ca3.auto.weights.copy()
    memory.link(3, 4)
    np.testing.assert_array_equal(memory.ca3.auto.weights, before)
    np.testing.assert_array_equal(
        memory.ca3.ahead.weights[memory.assembly(4)][:, memory.assembly(3)].max(), 0
    )


def test_mismatch_tells_new_from_known_and_gates_storing() -> None:
    memory, known = filled(0)
    rng = np.random.default_rng(1)
    old = [memory.recall(rng.choice(pattern, 20, replace=False)).mismatch for pattern in known]
    new = [memory.recall(pattern).mismatch for pattern in patterns(200, 99)]
    area = np.mean(np.array(new)[:, None] > np.array(old)) + 0.5 * np.mean(
        np.array(new)[:, None] == np.array(old)
    )
    assert area > 0.99
    count = memory.memories
    assert memory.meet(known[5])[1] is None
    assert memory.memories == count
    assert memory.meet(patterns(1, 77)[0])[1] == count


def test_contexts_take_separate_assemblies() -> None:
    config = HippocampusConfig(contexts=2, context_cells=30)
    memory, known = Hippocampus(config, 0), patterns(60, 0)
    pairs = [[memory.store(pattern, context) for pattern in known] for context in (0, 1)]
    overlap = [f1(memory.assembly(a), memory.assembly(b)) for a, b in zip(*pairs, strict=True)]
    assert np.mean(overlap) < 0.5
    rng, right = np.random.default_rng(0), []
    for k, pattern in enumerate(known):
        recall = memory.recall(rng.choice(pattern, 20, replace=False), 0)
        right.append(
            f1(recall.neurons, memory.assembly(pairs[0][k]))
            > f1(recall.neurons, memory.assembly(pairs[1][k]))
        )
    assert np.mean(right) > 0.95


def test_what_was_stored_can_be_kept() -> None:
    memory, known = filled(0, 50)
    memory.link(0, 1)
    other = Hippocampus(memory.config, 0)
    other.load({name: array.copy() for name, array in memory.arrays().items()})
    for a, b in zip(memory.recall(known[7][:15]), other.recall(known[7][:15]), strict=True):
        np.testing.assert_array_equal(a, b)
    assert other.store(patterns(1, 5)[0]) == 50
    np.testing.assert_array_equal(other.replay(0)[0].neurons, memory.replay(0)[0].neurons)
    small = Hippocampus(HippocampusConfig(inputs=900), 0)
    with pytest.raises(ValueError, match="must have shape"):
        small.load(memory.arrays())


def test_what_cannot_be_is_refused_by_name() -> None:
    memory, _ = filled(0, 3)
    with pytest.raises(ValueError, match=r"cells must be in 0\.\.999, got 5\.\.1000"):
        memory.store([5, 1000])
    with pytest.raises(ValueError, match="non-empty"):
        memory.recall([])
    with pytest.raises(ValueError, match="context must be"):
        memory.recall([1], 1)
    with pytest.raises(ValueError, match="memory must be"):
        memory.link(0, 3)
    with pytest.raises(ValueError, match="direction"):
        memory.replay(0, 2)
    with pytest.raises(ValueError, match="assembly must be"):
        AssociativeConfig(neurons=10, assembly=11)
    with pytest.raises(ValueError, match="connectivity"):
        Associative(AssociativeConfig(connectivity=0.0), 0)
    with pytest.raises(ValueError, match="dentate active"):
        DentateConfig(active=0.0)
