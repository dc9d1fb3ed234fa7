"""Where the map ends: what is open, what closes it, and that a search in vain leads there."""

from __future__ import annotations

import numpy as np
import pytest
from known_corridor import known_corridor
from tolman.agent.frontier import Frontier, FrontierConfig
from tolman.agent.goals import GoalConfig, Goals
from tolman.agent.guidance import Guidance, GuidanceConfig
from tolman.memory.place import PlaceCells, PlaceConfig

EAST, NORTH, WEST, SOUTH = 0, 2, 4, 6


def row(count: int, spacing: float = 0.2) -> PlaceCells:
    """Place cells with fields along x."""
    place = PlaceCells(PlaceConfig(cells=20), 1, 1, 1, 0)
    place.recruited[0] = count
    place.centres[:count, 0] = spacing * np.arange(count)
    return place


def test_a_direction_is_known_where_a_field_lies_and_open_elsewhere() -> None:
    ends = Frontier(FrontierConfig(), 20).open(row(3))
    assert not ends[1, EAST]
    assert not ends[1, WEST]
    assert ends[1, NORTH]
    assert ends[2, EAST]
    assert ends[0, WEST]
    assert not ends[0, EAST]


def test_fields_of_other_maps_say_nothing() -> None:
    place = row(3)
    place.chart[2] = 1
    ends = Frontier(FrontierConfig(), 20).open(place)
    assert ends[1, EAST]
    assert not ends[2].any()


def test_a_wall_that_is_touched_closes_its_direction_for_places_near_by() -> None:
    place, frontier = row(3), Frontier(FrontierConfig(), 20)
    frontier.touch(place, np.array([0.2, 0.05]), np.pi / 2)
    ends = frontier.open(place)
    assert not ends[1, NORTH]
    assert ends[1, SOUTH]
    assert ends[0, NORTH]
    assert ends[2, NORTH]


def test_what_cannot_be_reached_is_given_up() -> None:
    place, frontier = row(1), Frontier(FrontierConfig(trial=2.0), 20)
    frontier.aim(0, EAST, 1.9)
    assert frontier.open(place)[0, EAST]
    frontier.aim(0, EAST, 0.2)
    assert not frontier.open(place)[0, EAST]
    assert frontier.open(place)[0, WEST]


def test_nothing_is_open_when_it_is_switched_off_or_nothing_is_known() -> None:
    assert not Frontier(FrontierConfig(enabled=False), 20).open(row(3)).any()
    assert Frontier(FrontierConfig(), 20).open(row(0)).shape == (0, 8)


def test_a_robot_that_has_searched_its_map_in_vain_leaves_it() -> None:
    memory = known_corridor()
    goals, frontier = Goals(GoalConfig(), memory.place.size), Frontier(FrontierConfig(), memory.place.size)
    guidance = Guidance(GuidanceConfig(), np.zeros(8), frontier)
    goals.visited[:8] = 5.0
    for _ in range(40):
        guidance.advance(memory, goals, True)
    assert guidance.target is not None
    assert abs(guidance.target[1]) < 0.05  # the far end of the corridor was not seen of late
    goals.visited[:12] = 5.0
    guidance.reset()
    guidance.advance(memory, goals, True)
    assert guidance.target is not None
    assert np.hypot(*(guidance.target - memory.pose[:2])) == pytest.approx(FrontierConfig().step)
    assert abs(guidance.target[1]) > 0.2 or guidance.target[0] < -0.2
    for _ in range(600):  # nothing is found there: it turns to the next, and to the far end at last
        guidance.advance(memory, goals, True)
    assert not frontier.open(memory.place)[0].any()
    assert guidance.target is not None
    assert guidance.target[0] > 0.05


def test_a_goal_at_the_edge_of_the_map_that_is_not_found_is_looked_for_beyond() -> None:
    memory = known_corridor()
    goals, frontier = Goals(GoalConfig(), memory.place.size), Frontier(FrontierConfig(), memory.place.size)
    guidance = Guidance(GuidanceConfig(), np.zeros(8), frontier)
    goals.visited[:8] = 10.0  # nobody wishes to go there any more, and the rest was not seen
    goals.always[0, int(np.argmax(memory.place.activity))] = 0.5
    guidance.advance(memory, goals, True)
    assert guidance.target is not None
    assert np.hypot(*(guidance.target - memory.pose[:2])) == pytest.approx(FrontierConfig().step)
    assert abs(guidance.target[1]) > 0.2 or guidance.target[0] < -0.2


def test_failed_ends_are_the_last_resort() -> None:
    memory = known_corridor()
    goals = Goals(GoalConfig(), memory.place.size)
    guidance = Guidance(GuidanceConfig(), np.zeros(8))
    goals.visited[:8] = 5.0
    goals.always[0, 8:] = -0.5
    guidance.advance(memory, goals, True)
    assert guidance.target is not None  # all else was seen of late
    goals.always[0, 8:] = -0.1  # not enough to be left alone
    guidance.reset()
    guidance.advance(memory, goals, True)
    assert guidance.target is not None


def test_a_place_that_ended_an_episode_in_vain_is_no_end_to_go_to() -> None:
    memory = known_corridor()
    goals, frontier = Goals(GoalConfig(), memory.place.size), Frontier(FrontierConfig(), memory.place.size)
    guidance = Guidance(GuidanceConfig(), np.zeros(8), frontier)
    goals.visited[:12], goals.always[0, :12] = 5.0, -GoalConfig().disappointment
    guidance.advance(memory, goals, True)
    assert guidance.target is None


@pytest.mark.parametrize("change", [{"reach": 0.1}, {"step": 0.0}, {"trial": -1.0}, {"spread": 0.0}])
def test_an_impossible_frontier_is_refused_by_name(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        FrontierConfig(**change)
