"""UMaze and DelayedMatch: geometry, starts, optimal paths, days that survive a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import acos, atan2, hypot, pi, remainder, sqrt
from typing import Any

import gymnasium
import numpy as np
import pytest
from tolman.envs import CameraSpec, NavigationEnv
from tolman.envs.registration import delayed_match, u_maze

SMALL = CameraSpec(width=16, height=4)
R = 0.075
STILL = np.zeros(2, np.float32)
Make = Callable[..., NavigationEnv]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[NavigationEnv] = []

    def build(name: str, **options: Any) -> NavigationEnv:
        env = gymnasium.make(f"tolman/{name}-v0", camera=SMALL, disable_env_checker=True, **options).unwrapped
        assert isinstance(env, NavigationEnv)
        made.append(env)
        return env

    yield build
    for env in made:
        env.close()


def test_u_maze_starts_are_the_four_places(make: Make) -> None:
    env = make("UMaze")
    infos = [env.reset(seed=seed)[1] for seed in range(40)]
    places = {(round(float(i["pose"][0]), 3), round(float(i["pose"][1]), 3)) for i in infos}
    assert places == {(0.725, 0.0), (0.0, 0.725), (-0.725, 0.0), (0.0, -0.725)}
    assert np.std([i["pose"][2] for i in infos]) > 1.0
    for info in infos:
        np.testing.assert_array_equal(info["goal"], [0.0, 0.0])


def by_hand(start: tuple[float, float]) -> float:
    """The taut string from `start`, west or south of the U, over the tips of its left arm to the goal's rim.

    Corners of the U at x = -0.45 and -0.4, its tips at y = 0.45; each grown by the robot's radius.
    """
    outer, inner = (-0.45, 0.45), (-0.40, 0.45)

    def tangent(x: float, y: float, corner: tuple[float, float]) -> tuple[float, float]:
        """Length of the tangent from (x, y), and the angle of its point of contact on either side."""
        d = hypot(x - corner[0], y - corner[1])
        return sqrt(d * d - R * R), acos(R / d)

    leave, off = tangent(*start, outer)
    arrive, on = tangent(0.0, 0.0, inner)
    # Contact angles seen from the corners: the way turns clockwise over the tip, from the west to the east.
    first = atan2(start[1] - outer[1], start[0] - outer[0]) - off
    last = atan2(-inner[1], -inner[0]) + on
    return leave + R * (first % (2 * pi) - 0.5 * pi) + 0.05 + R * (0.5 * pi - last) + arrive - 0.1


def test_u_maze_optimal_paths(make: Make) -> None:
    env = make("UMaze")
    north = env.task.optimal_path(np.array([0.0, 0.725, 0.0]))
    assert north == pytest.approx(0.625, abs=1e-6)
    west = env.task.optimal_path(np.array([-0.725, 0.0, 0.0]))
    assert west == pytest.approx(by_hand((-0.725, 0.0)), rel=1e-3)
    assert env.task.optimal_path(np.array([0.725, 0.0, 0.0])) == pytest.approx(west, abs=1e-6)
    # From the south there is one bend more, around (-0.45, -0.45); then straight up beside the arm.
    d = hypot(0.45, 0.275)
    south = env.task.optimal_path(np.array([0.0, -0.725, 0.0]))
    turned = sqrt(d * d - R * R) + R * _turn_to_north((0.0, -0.725)) + by_hand((-0.45 - R, -0.45))
    assert south == pytest.approx(turned, rel=1e-3)
    info = env.reset(seed=1, options={"pose": (0.0, -0.725, 0.0)})[1]
    assert info["optimal_path_m"] == pytest.approx(south, abs=1e-3)


def _turn_to_north(start: tuple[float, float]) -> float:
    """How far the tangent from `start`, south of the corner (-0.45, -0.45), turns until it points north."""
    x, y = start[0] + 0.45, start[1] + 0.45
    contact = atan2(y, x) - acos(R / hypot(x, y))  # the circle lies to the right of the way
    return remainder(contact - pi, 2.0 * pi) % (2.0 * pi)


def test_u_maze_reward_and_walls(make: Make) -> None:
    env = make("UMaze")
    env.reset(seed=0, options={"pose": (0.0, 0.6, -pi / 2)})
    for _ in range(60):
        _, reward, terminated, _, info = env.step(np.array([0.3, 0.0], np.float32))
        if terminated:
            break
    assert (reward, terminated, info["success"]) == (1.0, True, True)
    assert hypot(*info["pose"][:2]) <= 0.1
    env.reset(seed=0, options={"pose": (0.0, -0.7, pi / 2)})  # the base of the U stands in the way
    for _ in range(75):
        _, reward, terminated, _, info = env.step(np.array([0.3, 0.0], np.float32))
    assert (reward, terminated) == (0.0, False)
    assert info["pose"][1] < -0.45 - R + 0.005
    assert info["collisions"] >= 1


def test_u_maze_walls_look_different(make: Make) -> None:
    arena = make("UMaze").arena
    inner = [w for w in arena.walls if w.texture == 1]
    hung = {m.pattern for m in arena.landmarks if m.texture == 1}
    assert len(inner) == 8
    assert len(hung) == 6
    spans = sorted((w.offset, w.offset + w.length) for w in inner)
    assert all(a[1] <= b[0] + 1e-9 for a, b in pairwise(spans))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"u_width": 0.4}, "inside of the U must be >= 0.35 m wide"),
        ({"u_width": 1.5}, "corridor between U and wall must be >= 0.35 m wide"),
        ({"goal": (0.42, 0.0)}, "goal .* is not inside the arena"),
        ({"goal_radius": 0.0}, "goal_radius must be > 0"),
        ({"start_radius": 0.45}, "start_radius 0.45 m puts a start"),
        ({"robot_radius": 0.45}, "start_radius"),
        ({"time_limit": 0.0}, "time_limit must be > 0"),
    ],
)
def test_u_maze_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        u_maze(camera=SMALL, **options)


def days(env: NavigationEnv, trials: int, seed: int | None) -> list[tuple[int, int, float, float]]:
    seen = []
    for k in range(trials):
        _, info = env.reset(seed=seed if k == 0 else None)
        seen.append((info["day"], info["trial_of_day"], *(float(v) for v in info["goal"])))
    return seen


def test_the_goal_moves_every_day(make: Make) -> None:
    env = make("DelayedMatch", trials_per_day=3)
    seen = days(env, 12, seed=5)
    assert [row[:2] for row in seen] == [(d, t) for d in (1, 2, 3, 4) for t in (1, 2, 3)]
    goals = [row[2:] for row in seen]
    assert all(goals[k] == goals[k - k % 3] for k in range(12))
    for a, b in zip(goals[::3], goals[3::3], strict=False):
        assert hypot(a[0] - b[0], a[1] - b[1]) >= 0.5
    assert all(hypot(*goal) <= 0.75 for goal in goals)
    assert days(env, 12, seed=5) == seen
    assert days(make("DelayedMatch", trials_per_day=3), 12, seed=5) == seen
    assert days(env, 12, seed=6) != seen


def test_starts_of_a_day_differ(make: Make) -> None:
    env = make("DelayedMatch")
    for seed in range(10):
        angles: list[float] = []
        for k in range(4):
            _, info = env.reset(seed=seed if k == 0 else None)
            x, y = info["pose"][:2]
            assert hypot(x, y) == pytest.approx(0.85, abs=1e-6)
            assert hypot(x - info["goal"][0], y - info["goal"][1]) >= 0.5 - 1e-6
            assert info["optimal_path_m"] == pytest.approx(hypot(*(info["pose"][:2] - info["goal"])) - 0.1)
            assert all(abs(remainder(atan2(y, x) - a, 2 * pi)) >= pi / 8 - 1e-6 for a in angles)
            angles.append(atan2(y, x))


def test_days_go_on_after_a_checkpoint(make: Make) -> None:
    env = make("DelayedMatch", trials_per_day=2)
    days(env, 3, seed=2)
    state = json.loads(json.dumps(env.get_random_state()))
    rest = days(env, 6, seed=None)
    assert rest[0][:2] == (2, 2)
    other = make("DelayedMatch", trials_per_day=2)
    other.reset(seed=77)
    other.set_random_state(state)
    assert days(other, 6, seed=None) == rest
    env.move_goal((0.0, 0.0))
    assert env.reset()[1]["day"] == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"day": "two"}, "day must be a whole number"),
        ({"goal": [0.1]}, "no day 1 with trial 1"),
        ({"trial_of_day": 9}, "no day 1 with trial 9"),
        ({"goal": [3.0, 0.0]}, "not inside the arena"),
        ({"more": 1}, "keeps .* from episode to episode"),
    ],
)
def test_a_wrong_day_is_refused_and_changes_nothing(make: Make, change: dict[str, Any], message: str) -> None:
    env = make("DelayedMatch")
    env.reset(seed=0)
    state = json.loads(json.dumps(env.get_random_state()))
    with pytest.raises(ValueError, match=message):
        env.set_random_state({**state, "state": {"state": 1, "inc": 1}, "task": {**state["task"], **change}})
    assert json.loads(json.dumps(env.get_random_state())) == state
    with pytest.raises(ValueError, match="this state holds nothing"):
        env.set_random_state({key: value for key, value in state.items() if key != "task"})
    plain = make("WaterMaze")
    plain.reset(seed=0)
    with pytest.raises(ValueError, match="WaterMaze keeps nothing"):
        plain.set_random_state(state)


def test_who_does_not_find_it_is_led_to_it_and_that_is_no_success(make: Make) -> None:
    env = make("DelayedMatch", search=1.0)
    for control in range(3):
        env.reset(seed=control)
        env.step(np.array([0.3, 0.0], np.float32))
        ended, periods = False, 1
        while not ended:
            _, reward, terminated, truncated, info = env.step(np.array([-0.3, 1.0], np.float32))
            periods, ended = periods + 1, terminated or truncated
            assert info["led"] == (periods > 25)
            assert (reward == 1.0) == ended
        assert terminated
        assert not truncated
        assert not info["success"]
        assert info["time_s"] < 1.0 + 10.0
    env.reset()
    assert not env.step(np.zeros(2, np.float32))[4]["led"]


def test_a_search_without_lead_is_cut_off(make: Make) -> None:
    env = make("DelayedMatch", time_limit=0.4, search=None)
    env.reset(seed=0)
    ends = [env.step(np.zeros(2, np.float32))[1:4] for _ in range(10)]
    assert ends[-1] == (0.0, False, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trials_per_day": 0}, "trials_per_day must be a whole number >= 1"),
        ({"trials_per_day": 2.5}, "trials_per_day must be a whole number >= 1"),
        ({"least_move": 0.8}, "least_move must be in"),
        ({"goal_range": 1.2}, "goal_range must be in"),
        ({"goal_range": 0.95}, "goal .* is not inside"),
        ({"start_radius": 1.5}, "no start at 1.5 m"),
        ({"time_limit": -3.0}, "time_limit must be > 0"),
        ({"search": 0.0}, "search must be > 0 s"),
    ],
)
def test_delayed_match_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        delayed_match(camera=SMALL, **options)


def test_arena_seed_paints_the_walls(make: Make) -> None:
    for name in ("UMaze", "DelayedMatch"):
        assert make(name, arena_seed=3).arena != make(name).arena == make(name, arena_seed=0).arena
