"""Places recognised by view: displacement, the race and its confidence, sequences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tolman.memory.coarse import CoarseConfig, CoarseIndex
from tolman.memory.growing import Rows
from tolman.memory.recognition import PlaceRecognition, RecognitionConfig
from tolman.memory.sequence import SequenceConfig, SequenceEvidence

Floats = NDArray[np.float32]
SHAPE = (12, 4, 20)


def sparse(rng: np.random.Generator, shape: tuple[int, ...] = SHAPE, share: float = 0.08) -> Floats:
    return (rng.random(shape) * (rng.random(shape) < share)).astype(np.float32)


def brute(cue: Floats, view: Floats, reach: int, nod: int, around: int | None) -> tuple[float, int, int]:
    """Largest cosine over displacements, by loops over dense maps."""
    cue, view = (m / np.sqrt((m.astype(np.float64) ** 2).sum()) for m in (cue, view))
    rows, columns = cue.shape[1:]
    best = (0.0, 0, 0)
    for dy in range(-nod, nod + 1):
        for dx in range(-reach, reach + (around is None or 2 * reach < around)):
            dot = mine = theirs = 0.0
            for y in range(rows):
                for x in range(columns):
                    v, u = y - dy, x - dx
                    u = u % around if around is not None else u
                    if 0 <= v < rows and 0 <= u < columns:
                        dot += float(cue[:, y, x] @ view[:, v, u])
                        mine += float((cue[:, y, x] ** 2).sum())
                        theirs += float((view[:, v, u] ** 2).sum())
            cosine = dot / np.sqrt(max(mine, 0.25) * max(theirs, 0.25))
            if cosine > best[0] + 1e-9:
                best = (cosine, dx, dy)
    return best


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from([None, 20, 26]), st.sampled_from([0.0, 0.25, 0.5]))
def test_similarities_equal_those_of_loops(seed: int, around: int | None, turn: float) -> None:
    rng = np.random.default_rng(seed)
    config = RecognitionConfig(turn=turn, nod=1, features=10_000)
    memory = PlaceRecognition(config, SHAPE, around)
    views = [sparse(rng) for _ in range(3)]
    for view in views:
        memory.enrol(view)
    cue = sparse(rng)
    got = memory.recall(cue)
    reach = round(turn * (around or SHAPE[2]))
    for k, view in enumerate(views):
        cosine, _, _ = brute(cue, view, reach, 1, around)
        assert got.similarity[k] == pytest.approx(cosine, abs=2e-5)


@pytest.mark.parametrize("around", [None, 20, 30])
def test_a_turned_view_is_recognised_and_by_how_much(around: int | None) -> None:
    rng = np.random.default_rng(0)
    memory = PlaceRecognition(RecognitionConfig(), SHAPE, around)
    circles = [sparse(rng, (SHAPE[0], SHAPE[1], around or 40)) for _ in range(12)]
    for circle in circles:
        memory.enrol(circle[:, :, : SHAPE[2]])
    for place, circle in enumerate(circles):
        cue = np.roll(circle, -5, axis=2)[:, :, : SHAPE[2]]
        got = memory.recall(cue)
        assert got.place == place
        assert got.turned[place] == -5
        assert got.nodded[place] == 0


def test_the_race_is_won_by_the_most_similar_and_confidence_falls_with_rivals() -> None:
    rng = np.random.default_rng(0)
    memory = PlaceRecognition(RecognitionConfig(neighbours=0), SHAPE)
    views = [sparse(rng) for _ in range(30)]
    for view in views:
        memory.enrol(view)
    alone = memory.recall(views[7])
    assert alone.place == 7
    assert alone.spikes[0, 1] == 7
    assert alone.confidence > 0.6
    memory.enrol(views[7] + 0.3 * sparse(rng))  # much the same, far away
    doubled = memory.recall(views[7])
    assert doubled.place == 7
    assert doubled.confidence < 0.5 * alone.confidence


def test_nothing_enrolled_and_blank_views() -> None:
    memory = PlaceRecognition(RecognitionConfig(), SHAPE)
    blank = np.zeros(SHAPE, np.float32)
    assert memory.recall(blank).place == -1
    memory.enrol(blank)
    memory.enrol(sparse(np.random.default_rng(0)))
    got = memory.recall(blank)
    assert got.place in (0, 1)
    assert got.confidence == 0.0
    with pytest.raises(ValueError, match="shape"):
        memory.recall(np.zeros((1, 2, 3), np.float32))
    with pytest.raises(ValueError, match="wider"):
        PlaceRecognition(RecognitionConfig(), SHAPE, around=10)


def test_what_was_enrolled_can_be_kept() -> None:
    rng = np.random.default_rng(3)
    memory, other = (PlaceRecognition(RecognitionConfig(features=50), SHAPE) for _ in range(2))
    views = [sparse(rng) for _ in range(4)]
    for view in views:
        memory.enrol(view)
    other.load(memory.arrays())
    assert other.synapses == memory.synapses == 200
    np.testing.assert_array_equal(other.recall(views[2]).similarity, memory.recall(views[2]).similarity)
    with pytest.raises(ValueError, match="do not fit"):
        PlaceRecognition(RecognitionConfig(), (1, 2, 3)).load(memory.arrays())


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_sequences_find_what_single_views_miss(speed: float) -> None:
    rng = np.random.default_rng(0)
    places = 120
    evidence = SequenceEvidence(SequenceConfig(), places)
    single, joint = [], []
    for k in range(40):
        true = round(10 + speed * k)
        similarity = rng.normal(0.0, 1.0, places).astype(np.float32)
        similarity += 1.8 * np.exp(-0.5 * ((np.arange(places) - true) / 1.5) ** 2)  # neighbours look alike
        joint.append(abs(int(evidence.add(similarity).argmax()) - true) <= 1)
        single.append(abs(int(similarity.argmax()) - true) <= 1)
    assert np.mean(single) < 0.6
    assert np.mean(joint[12:]) > 0.9
    evidence.clear()
    assert int(evidence.add(np.eye(places, dtype=np.float32)[3]).argmax()) == 3


def many(n: int, seed: int = 0) -> list[Floats]:
    rng = np.random.default_rng(seed)
    return [sparse(rng) for _ in range(n)]


def test_among_many_places_only_candidates_are_compared_and_the_right_one_is_among_them() -> None:
    config = RecognitionConfig(exhaustive=50, candidates=10, features=200)
    memory, whole = (
        PlaceRecognition(c, SHAPE) for c in (config, RecognitionConfig(exhaustive=1000, features=200))
    )
    views = many(400)
    for view in views:
        memory.enrol(view)
        whole.enrol(view)
    rng, right = np.random.default_rng(1), []
    for place in range(0, 400, 4):
        cue = np.roll(views[place] * (rng.random(SHAPE) < 0.8), int(rng.integers(-3, 4)), axis=2)
        match = memory.find(cue.astype(np.float32))
        assert match.compared.size <= 10
        exact = whole.recall(cue.astype(np.float32))
        np.testing.assert_array_equal(match.similarity, exact.similarity[match.compared])
        right.append(match.place == exact.place == place)
    assert np.mean(right) > 0.9


def test_an_index_that_grew_equals_one_built_at_once() -> None:
    config = RecognitionConfig(exhaustive=20, features=60)
    grown, loaded = (PlaceRecognition(config, SHAPE) for _ in range(2))
    for view in many(300):
        grown.enrol(view)
    loaded.load(grown.arrays())
    assert grown._index is not None
    assert loaded._index is not None
    assert grown._index.order == loaded._index.order == 2
    for row in range(grown._index.rows.length.size):
        np.testing.assert_array_equal(grown._index.rows[row], loaded._index.rows[row])
    for view in many(5, 9):
        for a, b in zip(grown.find(view), loaded.find(view), strict=True):
            np.testing.assert_array_equal(a, b)


def test_cells_join_more_groups_as_places_become_many_and_lists_stay_short() -> None:
    config = CoarseConfig(touched=500)
    index = CoarseIndex(config, SHAPE)
    summaries = list(np.random.default_rng(0).random((1000, SHAPE[0] * 4)).astype(np.float32))
    for _ in summaries:
        index.add(summaries.__getitem__)
    assert index.order == config.order(1000) == 3
    assert index.rows.length.sum() == 1000 * config.active
    touched = [index.rows.length[index.cells(summary)].sum() - config.active for summary in summaries[:100]]
    assert np.mean(touched) < 2 * config.touched
    for place in range(0, 1000, 50):
        assert place in index.candidates(summaries[place], 1)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.integers(0, 6), max_size=7, unique=True), max_size=60))
def test_rows_hold_what_was_appended_in_order(calls: list[list[int]]) -> None:
    rows, wanted = Rows(7), [list[int]() for _ in range(7)]
    for value, where in enumerate(calls):
        rows.append(np.array(where, np.int64), value)
        for row in where:
            wanted[row].append(value)
    assert [rows[row].tolist() for row in range(7)] == wanted
