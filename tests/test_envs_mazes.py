"""Cruciform and TMaze: zones, cues, the blank centre, the held robot, alternation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from math import asin, hypot, pi, sqrt
from typing import Any

import gymnasium
import numpy as np
import pytest
from tolman.envs import CameraSpec, EventPacket, NavigationEnv, SensorNoise
from tolman.envs.registration import cruciform, t_maze
from tolman.envs.wrappers import EventFrame

SMALL = CameraSpec(width=32, height=8)
R = 0.075
STILL = np.zeros(2, np.float32)
AHEAD = np.array([0.3, 0.0], np.float32)
FOODS = ("milk", "cheese", "apples")
ENDS = {"milk": (-0.85, 0.0), "cheese": (0.0, 0.85), "apples": (0.85, 0.0)}
ARMS = {"left": (-0.85, 0.0), "right": (0.85, 0.0)}
Make = Callable[..., NavigationEnv]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[NavigationEnv] = []

    def build(name: str, **options: Any) -> NavigationEnv:
        options = {"camera": SMALL} | options
        env = gymnasium.make(f"tolman/{name}-v0", disable_env_checker=True, **options).unwrapped
        assert isinstance(env, NavigationEnv)
        made.append(env)
        return env

    yield build
    for env in made:
        env.close()


def visit(env: NavigationEnv, place: tuple[float, float]) -> tuple[float, bool, dict[str, Any]]:
    """Carry the robot to `place`, wait a control period there."""
    env.kidnap((*place, 0.0))
    _, reward, terminated, truncated, info = env.step(STILL)
    assert not truncated
    return reward, terminated, info


def corner_path(start: float, zone: float, corner: float) -> float:
    """The taut string from (0, start), south of the centre, around (corner, -corner) to x = zone.

    The tangent to the corner's circle of the robot's radius, the arc until the way runs along x, the rest.
    """
    dx, dy = corner, -corner - start
    d = hypot(dx, dy)
    heading = asin(dx / d) - asin(R / d)  # of the tangent, from north towards the east
    return sqrt(d * d - R * R) + R * (0.5 * pi - heading) + zone - corner


def test_cruciform_starts_ask_and_face_the_centre(make: Make) -> None:
    env = make("Cruciform")
    asked = []
    for seed in range(30):
        observation, info = env.reset(seed=seed)
        x, y, theta = info["pose"]
        assert abs(x) <= 0.031
        assert y == pytest.approx(-0.85, abs=0.031)
        assert theta == pytest.approx(pi / 2, abs=0.21)
        assert observation["cue"].tolist() == [float(food == info["asked"]) for food in FOODS]
        assert observation["cue"].dtype == np.float32
        assert info["reached"] == ""
        asked.append(info["asked"])
    assert set(asked) == set(FOODS)


@pytest.mark.parametrize("food", FOODS)
def test_cruciform_ends_at_any_food_and_pays_for_the_one_asked_for(make: Make, food: str) -> None:
    env = make("Cruciform")
    for seed in range(6):
        _, info = env.reset(seed=seed)
        reward, terminated, after = visit(env, ENDS[food])
        assert terminated
        assert after["reached"] == food
        assert reward == float(info["asked"] == food)
        assert after["success"] == (info["asked"] == food)
    env.reset(seed=0)
    for place in ((0.0, -0.85), (0.0, 0.0), (0.7, 0.0), (0.0, 0.7), (-0.7, 0.0)):
        assert visit(env, place)[:2] == (0.0, False)


def test_cruciform_optimal_paths(make: Make) -> None:
    env = make("Cruciform")
    seen = set()
    for seed in range(12):
        env.reset(seed=seed)
        _, info = env.reset(options={"pose": (0.0, -0.85, pi / 2)})
        by_hand = 1.65 if info["asked"] == "cheese" else corner_path(-0.85, 0.8, 0.2)
        assert info["optimal_path_m"] == pytest.approx(by_hand, rel=1e-3)
        seen.add(info["asked"])
    assert len(seen) == 3


def test_the_centre_is_blank(make: Make) -> None:
    """Nothing comes out of any camera within the centre, and outside all is as if it had never been blank."""
    quiet = {"noise": SensorNoise.none(), "cameras": {"aside": CameraSpec(width=16, height=8, yaw=1.0)}}
    blank, sighted = make("Cruciform", **quiet), make("Cruciform", blank_radius=0.0, **quiet)
    for env in (blank, sighted):
        env.reset(seed=0, options={"pose": (0.0, -0.6, pi / 2)})
    inside = outside = 0
    for _ in range(110):
        (a, *_, info), (b, *_) = blank.step(AHEAD), sighted.step(AHEAD)
        far = hypot(*info["pose"][:2])
        for entry in ("events", "events_aside"):
            here, there = EventPacket.from_observation(a[entry]), EventPacket.from_observation(b[entry])
            if far < 0.28:
                assert here.size == 0
                inside += there.size
            elif far > 0.32:
                np.testing.assert_array_equal(here.t, there.t)
                np.testing.assert_array_equal(here.x, there.x)
                outside += int(info["pose"][1] > 0.0) * here.size
    assert inside > 100
    assert outside > 100


def test_blank_noise_is_blank_too(make: Make) -> None:
    env = make("Cruciform", camera=CameraSpec(width=32, height=8, shot_rate=50.0))
    env.reset(seed=0, options={"pose": (0.0, 0.0, 0.0)})
    assert env.step(STILL)[0]["events"]["t"].size == 0
    env.kidnap((0.0, -0.6, 0.0))
    env.step(STILL)
    assert env.step(STILL)[0]["events"]["t"].size > 0


def test_a_cue_is_no_business_of_event_frames(make: Make) -> None:
    framed = EventFrame(make("Cruciform"))
    observation, _ = framed.reset(seed=0)
    assert observation in framed.observation_space
    assert observation["cue"].sum() == 1.0
    flat = EventFrame(make("Cruciform"), flatten=True)
    vector, _ = flat.reset(seed=0)
    assert vector in flat.observation_space
    np.testing.assert_array_equal(vector[-3:], observation["cue"])


def test_the_robot_is_held_and_then_free(make: Make) -> None:
    env = make("TMaze", delay=0.4)
    _, info = env.reset(seed=0)
    assert info["held"]
    start = info["pose"]
    for k in range(10):
        assert info["held"]
        observation, _, _, _, info = env.step(AHEAD)
        assert info["free_time_s"] == 0.0
        np.testing.assert_allclose(info["pose"], start, atol=2e-3)
        np.testing.assert_allclose(observation["odometry"], 0.0, atol=0.01)
        assert info["time_s"] == pytest.approx(0.04 * (k + 1))
    assert not info["held"]
    for _ in range(10):
        observation, _, _, _, info = env.step(AHEAD)
    assert info["free_time_s"] == pytest.approx(0.4)
    assert observation["odometry"][0] > 0.2
    assert hypot(*(info["pose"][:2] - start[:2])) > 0.05


def test_a_held_robot_still_reads_its_gyro(make: Make) -> None:
    env = make("TMaze")
    env.reset(seed=0)
    readings = [float(env.step(AHEAD)[0]["gyro"][0]) for _ in range(20)]
    assert 1e-3 < np.std(readings) < 0.05


def run(env: NavigationEnv, arm: str) -> tuple[str, float]:
    """One run into `arm`; return which arm was rewarded, and the reward."""
    _, info = env.reset()
    reward, terminated, after = visit(env, ARMS[arm])
    assert terminated
    assert after["arm"] == arm
    assert after["success"] == bool(reward)
    return info["rewarded_arm"], reward


def test_alternation(make: Make) -> None:
    env = make("TMaze")
    env.reset(seed=3)
    assert visit(env, ARMS["left"])[0] == 1.0
    assert run(env, "right") == ("right", 1.0)
    assert run(env, "right") == ("left", 0.0)  # an error counts as the arm reached last ...
    assert run(env, "right") == ("left", 0.0)
    env.reset()  # ... a run that is cut off does not
    env.step(STILL)
    assert run(env, "left") == ("left", 1.0)
    _, info = env.reset(seed=3)
    assert info["rewarded_arm"] == "either"
    assert visit(env, ARMS["right"])[0] == 1.0


def test_the_last_arm_survives_a_checkpoint(make: Make) -> None:
    env = make("TMaze")
    env.reset(seed=3)
    visit(env, ARMS["left"])
    state = json.loads(json.dumps(env.get_random_state()))
    other = make("TMaze")
    other.reset(seed=9)
    other.set_random_state(state)
    poses = [e.reset()[1] for e in (env, other)]
    np.testing.assert_array_equal(poses[0]["pose"], poses[1]["pose"])
    assert poses[0]["rewarded_arm"] == poses[1]["rewarded_arm"] == "right"
    with pytest.raises(ValueError, match="last_arm must be empty or one of"):
        env.set_random_state({**state, "task": {"last_arm": "up"}})


def test_t_maze_starts_and_optimal_paths(make: Make) -> None:
    env = make("TMaze")
    for seed in range(10):
        _, info = env.reset(seed=seed)
        assert abs(info["pose"][0]) <= 0.031
        assert info["pose"][1] == pytest.approx(-0.85, abs=0.031)
    _, info = env.reset(options={"pose": (0.0, -0.85, pi / 2)})
    assert info["optimal_path_m"] == pytest.approx(corner_path(-0.85, 0.8, 0.2), rel=1e-3)


@pytest.mark.parametrize(
    ("maze", "options", "message"),
    [
        (cruciform, {"width": 0.3}, "arm must be >= 0.35 m wide"),
        (cruciform, {"arm_length": -1.0}, "arm length must be > 0"),
        (cruciform, {"end_zone": 0.05}, "end_zone must be in"),
        (cruciform, {"end_zone": 0.9}, "end_zone must be in"),
        (cruciform, {"blank_radius": 0.8}, "blank_radius must be in"),
        (cruciform, {"blank_radius": -0.1}, "blank_radius must be in"),
        (cruciform, {"start_jitter": 0.2}, "leave no room for the robot"),
        (cruciform, {"start_jitter": -0.2}, "start_jitter must be >= 0"),
        (cruciform, {"heading_jitter": 9.0}, "heading_jitter must be in"),
        (t_maze, {"delay": 60.0}, "delay must be in"),
        (t_maze, {"delay": -1.0}, "delay must be in"),
        (t_maze, {"width": 0.2}, "arm must be >= 0.35 m wide"),
        (t_maze, {"stem": 0.0}, "stem length must be > 0"),
        (t_maze, {"end_zone": 0.0}, "end_zone must be in"),
        (t_maze, {"time_limit": 0.0}, "time_limit must be > 0"),
    ],
)
def test_impossible_mazes_are_refused(
    maze: Callable[..., NavigationEnv], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        maze(camera=SMALL, **options)
    assert "\n" not in str(caught.value)


def test_corridors_hold_the_robot(make: Make) -> None:
    """The walls of the arms, the re-entrant corners included, are solid."""
    for name in ("Cruciform", "TMaze"):
        env = make(name, **({"delay": 0.0} if name == "TMaze" else {}))
        for heading in (0.3, 0.8, pi / 2, 2.4):
            env.reset(seed=0, options={"pose": (0.0, -0.7, heading)})
            for _ in range(70):
                *_, info = env.step(AHEAD)
                assert env.arena.clearance(*info["pose"][:2]) > R - 0.01
