"""CA3, place cells and views: one-shot storage, completion, firing at a place, turning with heading."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.memory.ca3 import CA3, CA3Config
from tolman.memory.place import PlaceCells, PlaceConfig
from tolman.memory.views import ViewFrame

VIEWS, GRIDS = 600, 256


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def patterns(n: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sparse random views and grid bumps, (n, VIEWS) and (n, GRIDS), unit vectors."""
    rng = np.random.default_rng(seed)
    views = rng.random((n, VIEWS)) * (rng.random((n, VIEWS)) < 0.3)
    places = rng.uniform(0.0, 1.0, (n, 1)) - np.arange(GRIDS) / GRIDS
    grids = np.exp(-((places - np.round(places)) ** 2) / (2.0 * 0.03**2))
    return unit(views), unit(grids)


def test_a_memory_stored_once_is_completed_from_half_a_view() -> None:
    memory = CA3(CA3Config(neurons=600, assembly=5), VIEWS, GRIDS, seed=0)
    views, grids = patterns(60, 1)
    assemblies = [memory.store(v, g) for v, g in zip(views, grids, strict=True)]
    rng = np.random.default_rng(2)
    right, completed = 0, []
    for view, grid, assembly in zip(views, grids, assemblies, strict=True):
        cue = unit((view * (rng.random(VIEWS) < 0.5))[None].astype(np.float64))
        recall = memory.recall(memory.view_similarity(cue)[0])
        active = np.flatnonzero(recall.counts)
        right += int(set(active) == set(assembly))
        completed.append(float(recall.grid @ grid / np.linalg.norm(recall.grid)))
    assert right >= 54, "F1 of the assembly, most cues must bring back exactly theirs"
    assert np.mean(completed) > 0.9


def test_recurrent_links_complete_an_assembly_that_the_cue_alone_does_not() -> None:
    views, grids = patterns(40, 3)
    active = {}
    for recurrent in (0.0, 0.25):
        memory = CA3(CA3Config(neurons=400, assembly=6, recurrent=recurrent), VIEWS, GRIDS, seed=0)
        assemblies = [memory.store(v, g) for v, g in zip(views, grids, strict=True)]
        rng, total = np.random.default_rng(4), 0
        for view, assembly in zip(views, assemblies, strict=True):
            cue = unit((view * (rng.random(VIEWS) < 0.08))[None].astype(np.float64))
            counts = memory.recall(memory.view_similarity(cue)[0]).counts
            total += int(np.count_nonzero(counts[assembly]))
        active[recurrent] = total
    assert active[0.25] > active[0.0]


def test_an_unknown_view_recalls_little() -> None:
    memory = CA3(CA3Config(neurons=300), VIEWS, GRIDS, seed=0)
    views, grids = patterns(30, 5)
    for view, grid in zip(views, grids, strict=True):
        memory.store(view, grid)
    strangers, _ = patterns(20, 6)
    similarity = [memory.recall(row).similarity for row in memory.view_similarity(strangers)]
    assert max(similarity) < 0.6


def test_memories_take_fresh_neurons_until_none_are_left() -> None:
    memory = CA3(CA3Config(neurons=52, assembly=5), VIEWS, GRIDS, seed=0)
    views, grids = patterns(10, 7)
    used: list[int] = []
    for view, grid in zip(views, grids, strict=True):
        assert not memory.full
        used += memory.store(view, grid).tolist()
    assert len(set(used)) == 50
    assert memory.full
    assert memory.memories == 10


def test_a_memory_is_found_as_long_as_one_of_its_neurons_lives() -> None:
    memory = CA3(CA3Config(neurons=300, assembly=5), VIEWS, GRIDS, seed=0)
    views, grids = patterns(40, 9)
    assemblies = [memory.store(v, g) for v, g in zip(views, grids, strict=True)]
    memory.lesion(np.flatnonzero(memory.heads))
    memory.lesion(assemblies[0][:4])
    for k in (0, 1, 39):
        found = memory.search(np.repeat(views[k][None], 3, axis=0))[0]
        assert int(np.argmax(found)) in assemblies[k]
    memory.lesion(assemblies[0])
    assert not memory.search(np.repeat(views[0][None], 3, axis=0))[0, assemblies[0]].any()


def test_similarity_is_the_cosine_over_the_inputs_seen() -> None:
    memory = CA3(CA3Config(neurons=20, connectivity=1.0), VIEWS, GRIDS, seed=0)
    views, grids = patterns(2, 8)
    neuron = int(memory.store(views[0], grids[0])[0])
    np.testing.assert_allclose(memory.view_similarity(views)[:, neuron], views @ views[0], atol=1e-5)
    np.testing.assert_allclose(memory.grid_similarity(grids[1])[neuron], grids[1] @ grids[0], atol=1e-5)


def test_a_place_cell_recruited_once_fires_there_and_not_elsewhere() -> None:
    cells = PlaceCells(PlaceConfig(cells=10, grid_share=1.0), modules=1, grids=GRIDS, ca3=50, seed=0)
    phase = np.arange(GRIDS) / GRIDS

    def rates(at: float) -> NDArray[np.float32]:
        apart = phase - at
        return (80.0 * np.exp(-((apart - np.round(apart)) ** 2) / (2.0 * 0.05**2))).astype(np.float32)

    for at in (0.2, 0.7):
        assert cells.recruit(rates(at) / np.linalg.norm(rates(at)), rates(at), np.zeros(50, np.float32))
    rng = np.random.default_rng(0)
    counts = np.zeros(10)
    for _ in range(50):
        fired = np.argwhere(rng.random((40, GRIDS)) < rates(0.2) * 1e-3).astype(np.int32)
        counts += np.bincount(cells.advance(fired, 40)[:, 1], minlength=10)
    assert counts[0] / 2.0 > 10.0, "Hz at its place"
    assert counts[1] / 2.0 < 1.0, "Hz at another"
    assert counts[2:].sum() == 0


def test_place_cells_run_out() -> None:
    cells = PlaceCells(PlaceConfig(cells=1), modules=1, grids=8, ca3=4, seed=0)
    one, none = np.ones(8, np.float32), np.zeros(4, np.float32)
    assert cells.recruit(one, one, none)
    assert not cells.recruit(one, one, none)


def test_the_dead_are_not_recruited_and_their_places_are_not_known() -> None:
    cells = PlaceCells(PlaceConfig(cells=6), modules=1, grids=8, ca3=4, seed=0)
    grids, none = np.eye(8, dtype=np.float32), np.zeros(4, np.float32)
    cells.lesion(np.array([0, 2, 3]))
    assert cells.recruit(grids[0], grids[0], none)
    assert cells.recruit(grids[1], grids[1], none)
    np.testing.assert_allclose(cells.similarity(grids[0]), [0.0, 1.0, 0.0, 0.0, 0.0])
    assert cells.around(np.zeros(2), 0.1)[[0, 2, 3]].max() == 0.0
    assert cells.recruit(grids[2], grids[2], none)
    assert not cells.recruit(grids[3], grids[3], none)
    cells.lesion(np.array([1]))
    assert cells.similarity(grids[0]).max() == 0.0


def test_views_turn_with_the_heading() -> None:
    directions = (np.arange(-30, 30) + 0.5) * 2.0 * np.pi / 72.0
    frame = ViewFrame(2, directions, 72)
    activity = np.random.default_rng(0).random(120).astype(np.float32)
    still, turned = frame.turned(activity, 0.0), frame.turned(activity, 10 * 2.0 * np.pi / 72.0)
    np.testing.assert_allclose(np.roll(still, 10, axis=1), turned, atol=1e-4)
    cues = frame.shifted(still, np.array([0, 10]))
    np.testing.assert_allclose(np.linalg.norm(cues[1]), np.linalg.norm(cues[0]), atol=1e-5)
    np.testing.assert_allclose(np.roll(cues[0].reshape(2, 72), 10, axis=1).ravel(), cues[1], atol=1e-5)


def test_impossible_sizes_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="ca3 neurons must be >= 1, got -5"):
        CA3Config(neurons=-5)
    with pytest.raises(ValueError, match=r"place grid_share must be in \[0, 1\]"):
        PlaceConfig(grid_share=1.5)
