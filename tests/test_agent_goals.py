"""Goals, guidance and the value that diffuses over links, each on its own."""

from __future__ import annotations

import numpy as np
import pytest
from known_corridor import corridor, known_corridor
from numpy.typing import NDArray
from tolman.agent.goals import GoalConfig, Goals
from tolman.agent.guidance import Guidance, GuidanceConfig
from tolman.memory.diffusion import diffuse

Floats = NDArray[np.float32]


def at(cell: int, places: int = 10) -> Floats:
    """How near each field (places,) is for a robot in that of `cell`, which none overlaps."""
    return np.eye(1, places, cell, dtype=np.float32)[0]


def test_value_is_what_a_random_walk_collects() -> None:
    rng = np.random.default_rng(1)
    near = (rng.random((30, 30)) * (rng.random((30, 30)) < 0.2)).astype(np.float32)
    source = np.where(rng.random(30) < 0.1, rng.random(30), 0.0)
    link = np.maximum(near, near.T)
    np.fill_diagonal(link, 0.0)
    link[link < 0.02] = 0.0
    walk = link / np.maximum(link.sum(axis=1), 1e-9)[:, None]
    exact = np.linalg.solve(np.eye(30) - 0.9 * walk, source)
    np.testing.assert_allclose(diffuse(near, source, 0.9, 1e-12), exact / exact.max(), rtol=1e-6, atol=1e-12)


def test_value_falls_with_distance_from_every_source_and_is_none_where_no_way_leads() -> None:
    near = corridor(9)
    near[5, 6] = 0.0
    value = diffuse(near, np.eye(9)[2], 0.9)
    assert np.all(np.diff(value[2:6]) < 0.0)
    assert np.all(np.diff(value[:3]) > 0.0)
    assert not value[6:].any()
    with pytest.raises(ValueError, match="source of value"):
        diffuse(near, np.zeros(9), 0.9)


def test_one_reward_is_enough_and_its_absence_undoes_it() -> None:
    goals = Goals(GoalConfig(extinction=4.0), 10)
    goals.advance(at(3), 0, True)
    goals.reward(1.0, True, at(3))
    assert goals.worth[3] == pytest.approx(1.0)
    assert np.flatnonzero(goals.wanted).tolist() == [3]
    for _ in range(100):  # 4 s
        goals.advance(at(3), 0, True)
    assert goals.worth[3] == pytest.approx(np.exp(-1.0), rel=1e-3)
    for _ in range(200):
        goals.advance(at(3), 0, True)
    assert not goals.wanted.any()


def test_alternation_is_learned_from_where_the_last_episode_ended() -> None:
    goals = Goals(GoalConfig(), 10)
    arms, last, right = {2: "left", 7: "right"}, 2, []
    rng = np.random.default_rng(0)
    for _ in range(40):
        wanted = goals.wanted[list(arms)]
        arm = list(arms)[
            int(np.argmax(wanted + 1e-3 * rng.random(2) + np.minimum(goals.worth[list(arms)], 0.0)))
        ]
        goals.reset()
        goals.advance(at(arm), 0, True)
        goals.reward(float(arm != last), True, at(arm))
        right.append(arm != last)
        last = arm
    assert all(right[6:])
    blank = Goals(GoalConfig(context=0.0, displaced=0.0), 10)
    for arm in (2, 7) * 20:  # without context, arms that are right half of the time are worth the same
        blank.advance(at(arm), 0, True)
        blank.reward(1.0, True, at(arm))
    assert blank.worth[2] == blank.worth[7]


def test_worth_is_learned_by_cue_and_an_end_without_reward_is_worse_than_unknown() -> None:
    goals = Goals(GoalConfig(), 10)
    goals.advance(at(3), 1, True)
    goals.reward(1.0, True, at(3))
    goals.reset()
    goals.advance(at(5), 2, True)
    goals.reward(0.0, True, at(5))
    assert goals.always[2, 5] == pytest.approx(
        -0.5
    )  # nothing was expected: not because of having come from 3
    assert goals.worth[5] == pytest.approx(-0.5)
    assert not goals.wanted.any()
    goals.advance(at(0), 1, True)
    assert np.flatnonzero(goals.wanted).tolist() == [3]
    with pytest.raises(ValueError, match=r"cue must be in 0\.\.3"):
        goals.advance(at(0), 4, True)


def test_an_end_without_an_expected_reward_makes_where_one_came_from_matter() -> None:
    goals = Goals(GoalConfig(context=0.8, ambiguity=1.0, disappointment=0.5), 10)
    goals.reward(1.0, True, at(3))
    goals.reward(0.0, True, at(3))
    assert goals.ambiguous[0] == pytest.approx(1.0)
    assert goals.worth[3] == pytest.approx(-0.5)
    goals.ended[:] = at(6)  # having come from elsewhere
    assert goals.worth[3] == pytest.approx(1.0 - 0.2 * 1.5)
    assert goals.ambiguous[1:].max() == 0.0


def test_a_reward_that_ends_an_episode_displaces_goals_elsewhere() -> None:
    goals = Goals(GoalConfig(displaced=0.75), 10)
    goals.reward(1.0, True, at(3))
    goals.reward(1.0, False, at(5))  # one of several on the way
    assert goals.worth[3] == pytest.approx(1.0)
    goals.reward(1.0, True, at(8))
    assert goals.worth[[3, 5, 8]].tolist() == pytest.approx([0.25, 0.25, 1.0])
    assert np.flatnonzero(goals.wanted).tolist() == [8]


def test_goals_of_other_maps_are_neither_wanted_nor_displaced() -> None:
    goals, mine = Goals(GoalConfig(), 8), np.arange(8) < 4
    goals.always[0, [1, 3, 6]] = 0.3, 0.2, 1.0
    assert np.flatnonzero(goals.wanted).tolist() == [6]
    assert np.flatnonzero(goals.wanted_among(mine)).tolist() == [1, 3]
    around = np.zeros(8, np.float32)
    around[3] = 1.0
    goals.reward(1.0, True, around, on_map=mine)
    np.testing.assert_allclose(goals.always[0, [1, 3, 6]], [0.075, 1.0, 1.0], rtol=1e-6)
    goals.reward(1.0, True, np.zeros(8, np.float32), on_map=mine)  # lost: it does not know from where
    np.testing.assert_allclose(goals.always[0, [1, 3, 6]], [0.075, 1.0, 1.0], rtol=1e-6)


def test_a_robot_that_is_nowhere_learns_of_no_place() -> None:
    goals = Goals(GoalConfig(), 10)
    goals.advance(np.zeros(10, np.float32), 0, True)
    goals.reward(1.0, True, np.zeros(10, np.float32))
    assert not goals.worth.any()
    assert not goals.visited.any()


def test_a_search_in_vain_is_remembered_for_minutes_and_ends_with_a_reward() -> None:
    goals = Goals(GoalConfig(searched=120.0), 10)
    goals.advance(at(5), 0, False, searching=False)
    assert not goals.visited.any()
    for _ in range(25):
        goals.advance(at(3), 0, False)
    assert goals.visited[3] == pytest.approx(1.0, rel=0.01)
    goals.reset()
    for _ in range(3000):  # 120 s elsewhere
        goals.advance(at(7), 0, False)
    assert goals.visited[3] == pytest.approx(np.exp(-1.0), rel=0.02)
    goals.reward(1.0, True, at(7))
    assert not goals.visited.any()


def test_what_was_searched_for_one_thing_was_not_searched_for_another() -> None:
    goals = Goals(GoalConfig(), 10)
    for _ in range(25):
        goals.advance(at(3), 1, False)
    assert goals.visited[3] == pytest.approx(1.0, rel=0.01)
    goals.advance(at(7), 2, False)
    assert goals.visited[3] == 0.0
    goals.obstruct(np.array([5]), 1.0)  # but a wall is a wall
    goals.reward(1.0, True, at(7))
    assert not goals.visited.any()
    goals.advance(at(8), 1, False)
    assert goals.visited[[3, 5]].tolist() == pytest.approx([1.0, 1.0], rel=0.02)


@pytest.mark.parametrize(
    "change", [{"rate": 0.0}, {"rate": 1.1}, {"extinction": 0.0}, {"cues": 0}], ids=lambda c: next(iter(c))
)
def test_impossible_goals_are_refused_by_name(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        GoalConfig(**change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [{"interval": 0.0}, {"first": 400, "last": 300}, {"keep": 1.0}, {"patience": 0.0}, {"novelty": -1.0}],
    ids=lambda c: next(iter(c)),
)
def test_impossible_guidance_is_refused_by_name(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        GuidanceConfig(**change)  # type: ignore[arg-type]


def test_the_actor_hears_where_preplay_to_the_goal_leads() -> None:
    memory = known_corridor()
    goals, guidance = (
        Goals(GoalConfig(), memory.place.size),
        Guidance(GuidanceConfig(), np.arange(8) * np.pi / 4),
    )
    goals.always[0, 11] = 1.0
    spikes = guidance.advance(memory, goals, True)
    assert len(np.unique(spikes[:, 1])) >= 5  # it runs along
    assert guidance.target is not None
    assert guidance.target[0] > 0.1
    assert abs(guidance.target[1]) < 1e-9
    currents = guidance.currents(memory.pose)
    assert int(np.argmax(currents)) == 0
    assert currents[0] == pytest.approx(GuidanceConfig().drive)
    assert not len(guidance.advance(memory, goals, True))  # not again before the interval is over


def test_a_robot_that_gets_to_know_the_place_aims_at_nothing() -> None:
    memory = known_corridor()
    goals, guidance = Goals(GoalConfig(), memory.place.size), Guidance(GuidanceConfig(), np.zeros(8))
    assert not len(guidance.advance(memory, goals, False))
    assert not guidance.currents(memory.pose).any()


def test_where_no_goal_is_left_the_robot_looks_where_it_has_not_been() -> None:
    memory = known_corridor()
    goals, guidance = Goals(GoalConfig(), memory.place.size), Guidance(GuidanceConfig(), np.zeros(8))
    goals.visited[:8] = 5.0
    for _ in range(40):
        guidance.advance(memory, goals, True)
    assert guidance.target is not None
    assert guidance.target[0] > 0.1


def test_a_robot_that_bumps_looks_for_another_way() -> None:
    memory = known_corridor()
    front = np.eye(1, 8, 0, dtype=np.uint8)[0]
    guidance, goals = Guidance(GuidanceConfig(), np.zeros(8)), Goals(GoalConfig(), memory.place.size)
    goals.always[0, 11] = 1.0
    before = memory.place.links.near.copy()
    for _ in range(10):
        guidance.bump(memory, goals, front)
    changed = np.argwhere(memory.place.links.near != before)
    assert set(map(tuple, changed.tolist())) <= {(0, 1), (1, 0), (0, 2), (2, 0), (0, 3), (3, 0)}
    assert guidance.advance(memory, goals, False).size == 0  # the only way is blocked
    assert np.flatnonzero(goals.visited).tolist() == [1, 2, 3]  # what lies behind it was looked for
    behind = known_corridor()
    guidance.bump(behind, goals, np.eye(1, 8, 4, dtype=np.uint8)[0])
    np.testing.assert_array_equal(behind.place.links.near, before)
