"""The contract of every registered environment, and what is particular to each task."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from math import hypot
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from tolman.envs import CameraSpec, EventPacket, NavigationEnv, SensorNoise, square_arena
from tolman.envs.registration import ENVIRONMENTS, register_all
from tolman.envs.wrappers import BlindInfo, EventFrame

IDS = list(ENVIRONMENTS)
SMALL = CameraSpec(width=32, height=8)
AT_ONCE: dict[str, dict[str, Any]] = {"tolman/TMaze-v0": {"delay": 0.0}}  #: the robot may drive at once
Make = Callable[..., gymnasium.Env[Any, Any]]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[gymnasium.Env[Any, Any]] = []

    def build(name: str, **kwargs: Any) -> gymnasium.Env[Any, Any]:
        made.append(gymnasium.make(name, **({"camera": SMALL} | AT_ONCE.get(name, {}) | kwargs)))
        return made[-1]

    yield build
    for env in made:
        env.close()


def world(env: gymnasium.Env[Any, Any]) -> NavigationEnv:
    inner = env.unwrapped
    assert isinstance(inner, NavigationEnv)
    return inner


def digest(env: gymnasium.Env[Any, Any], steps: int, seed: int | None) -> str:
    """Hash all observations of an episode driven by fixed actions."""
    total, rng = hashlib.blake2b(digest_size=16), np.random.default_rng(9)

    def add(observation: dict[str, Any]) -> None:
        for array in (*EventPacket.from_observation(observation), observation["odometry"],
                      observation["gyro"], observation["bump"]):  # fmt: skip
            total.update(array.tobytes())

    observation, _ = env.reset(seed=seed)
    add(observation)
    for _ in range(steps):
        action = rng.uniform(env.action_space.low, env.action_space.high).astype(np.float32)  # type: ignore[attr-defined]
        observation, *_ = env.step(action)
        add(observation)
    return total.hexdigest()


@pytest.mark.parametrize("name", IDS)
def test_gymnasium_accepts_it(make: Make, name: str) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*symmetric and normalized.*")
        check_env(make(name, render_mode="rgb_array", render_size=64).unwrapped)


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("control", ["twist", "wheels"])
def test_observations_keep_their_promises(make: Make, name: str, control: str) -> None:
    env = make(name, control=control)
    observation, info = env.reset(seed=3)
    assert set(observation) - {"cue"} == {"events", "odometry", "gyro", "bump"}
    assert ("cue" in observation) == bool(world(env).task.cues)
    assert observation["events"]["t"].size == 0
    action = env.action_space.high * np.array([0.6, 0.5], np.float32)  # type: ignore[attr-defined]
    for k in range(25):
        assert observation in env.observation_space
        observation, reward, terminated, truncated, info = env.step(action)
        packet = EventPacket.from_observation(observation).validate(SMALL.width, SMALL.height)
        assert np.all(packet.t > 40_000 * k)
        assert np.all(packet.t <= 40_000 * (k + 1))
        assert isinstance(reward, float)
        assert not (terminated and truncated)
        assert info["time_s"] == pytest.approx(0.04 * (k + 1))
        if terminated:
            break
    assert info["pose"].shape == (3,)
    assert info["pose"].dtype == np.float64
    assert {"success", "collision", "collisions", "path_m", "optimal_path_m"} <= set(info)
    assert info["path_m"] > 0.02


@pytest.mark.parametrize("name", IDS)
def test_an_episode_depends_on_the_seed_alone(make: Make, name: str) -> None:
    env = make(name)
    first = digest(env, 30, seed=11)
    digest(env, 17, seed=None)
    world(env).set_light(0.5)
    assert digest(env, 30, seed=11) == first
    assert digest(make(name), 30, seed=11) == first
    assert digest(env, 30, seed=12) != first


def test_another_process_sees_the_same(make: Make) -> None:
    env = make("tolman/WaterMaze-v0")
    digest(env, 10, seed=1)
    script = (
        "import sys, gymnasium, tolman.envs, importlib.util as u\n"
        "spec = u.spec_from_file_location('suite', sys.argv[1]); suite = u.module_from_spec(spec)\n"
        "spec.loader.exec_module(suite)\n"
        "print('digest', suite.digest(gymnasium.make('tolman/WaterMaze-v0', camera=suite.SMALL), 40, 5))"
    )
    out = subprocess.run(
        [sys.executable, "-c", script, __file__], capture_output=True, text=True, check=True, timeout=120
    )
    assert out.stdout.split("digest ")[1].strip() == digest(env, 40, seed=5)


@pytest.mark.parametrize("name", IDS)
def test_the_random_state_can_be_kept_as_json(make: Make, name: str) -> None:
    env = make(name)
    env.reset(seed=4)
    state = json.loads(json.dumps(world(env).get_random_state()))
    after = digest(env, 8, seed=None)
    assert digest(env, 8, seed=None) != after
    world(env).set_random_state(state)
    assert digest(env, 8, seed=None) == after
    with pytest.raises(ValueError, match="not a random state"):
        world(env).set_random_state({"bit_generator": "MT1"})


@pytest.mark.parametrize("name", IDS)
def test_the_time_limit_truncates(make: Make, name: str) -> None:
    env = make(name, time_limit=0.2)
    env.reset(seed=0)
    ends = [env.step(np.zeros(2, np.float32))[2:4] for _ in range(5)]
    assert ends == [(False, False)] * 4 + [(False, True)]


@pytest.mark.parametrize("name", IDS)
def test_a_robot_at_rest_sees_nothing(make: Make, name: str) -> None:
    env = make(name, noise=SensorNoise.none())
    env.reset(seed=0)
    for _ in range(25):
        observation, *_ = env.step(np.zeros(2, np.float32))
    assert observation["events"]["t"].size == 0
    np.testing.assert_allclose(observation["odometry"], 0.0, atol=1e-3)


def towards_goal(env: gymnasium.Env[Any, Any]) -> None:
    env.reset(seed=0, options={"pose": (0.35, 0.15, np.pi / 2)})


def test_water_maze_success_on_the_last_step_is_no_truncation(make: Make) -> None:
    env = make("tolman/WaterMaze-v0")
    towards_goal(env)
    steps, done = 0, False
    while not done:
        _, reward, done, truncated, info = env.step(np.array([0.3, 0.0], np.float32))
        steps += 1
        assert reward == float(done)
        assert info["success"] is done
        assert not truncated
    assert hypot(*(info["pose"][:2] - info["goal"])) <= 0.1
    assert info["optimal_path_m"] == pytest.approx(0.1, abs=1e-3)
    short = make("tolman/WaterMaze-v0", time_limit=round(0.04 * steps, 2))
    towards_goal(short)
    for _ in range(steps):
        _, reward, terminated, truncated, info = short.step(np.array([0.3, 0.0], np.float32))
    assert (reward, terminated, truncated, info["success"]) == (1.0, True, False, True)


def test_water_maze_starts(make: Make) -> None:
    env = make("tolman/WaterMaze-v0", goal=(-0.5, 0.1))
    starts = []
    for seed in range(40):
        _, info = env.reset(seed=seed)
        starts.append(info["pose"])
        np.testing.assert_array_equal(info["goal"], [-0.5, 0.1])
        assert hypot(*info["pose"][:2]) == pytest.approx(0.85, abs=1e-6)
        assert hypot(*(info["pose"][:2] - info["goal"])) >= 0.5
        assert info["optimal_path_m"] == pytest.approx(hypot(*(info["pose"][:2] - info["goal"])) - 0.1)
    assert np.std(np.array(starts), axis=0).min() > 0.3


def test_linear_track_rewards_alternate_ends(make: Make) -> None:
    env = make("tolman/LinearTrack-v0")
    env.reset(seed=0, options={"pose": (0.7, 0.0, 0.0)})
    rewards = []
    for v in (0.3,) * 30 + (-0.3,) * 160 + (0.3,) * 160:
        _, reward, terminated, _, info = env.step(np.array([v, 0.0], np.float32))
        assert not terminated
        if reward:
            rewards.append(float(np.sign(info["pose"][0])))
    assert rewards == [1.0, -1.0, 1.0]
    assert info["success"]


def test_open_field_shapes(make: Make) -> None:
    assert world(make("tolman/OpenField-v0", shape="square")).arena.name == "square"
    assert "goal" not in make("tolman/OpenField-v0").reset(seed=0)[1]
    with pytest.raises(ValueError, match="shape must be one of"):
        make("tolman/OpenField-v0", shape="hexagon")


def test_collisions_are_counted_once(make: Make) -> None:
    env = make("tolman/OpenField-v0")
    env.reset(seed=0, options={"pose": (0.7, 0.0, 0.0)})
    began, bumped = 0, 0
    for _ in range(75):
        observation, _, _, _, info = env.step(np.array([0.3, 0.0], np.float32))
        began += info["collision"]
        bumped += int(observation["bump"].any())
    assert began == info["collisions"] == 1
    assert bumped > 20
    assert observation["bump"][0] == 1


def test_kidnap_light_and_goal(make: Make) -> None:
    env = make("tolman/WaterMaze-v0", noise=SensorNoise.none())
    env.reset(seed=0)
    still = np.zeros(2, np.float32)
    env.step(still)
    world(env).kidnap((0.0, -0.5, 1.0))
    observation, _, _, _, info = env.step(still)
    np.testing.assert_allclose(info["pose"], [0.0, -0.5, 1.0], atol=0.01)
    assert observation["events"]["t"].size > 200
    np.testing.assert_allclose(observation["odometry"], 0.0, atol=0.05)
    for _ in range(5):
        observation, *_ = env.step(still)
    world(env).set_light(0.5)
    packet = EventPacket.from_observation(env.step(still)[0])
    assert packet.size > 2 * SMALL.width * SMALL.height
    assert np.mean(packet.p == 0) > 0.99
    assert world(env).arena.light == 0.5
    world(env).set_light(0.0)
    for _ in range(5):
        observation, *_ = env.step(still)
    assert observation["events"]["t"].size == 0
    assert world(env).arena.light == 0.0
    world(env).move_goal((0.0, -0.45))
    _, reward, terminated, _, info = env.step(still)
    assert (reward, terminated) == (1.0, True)
    np.testing.assert_array_equal(info["goal"], [0.0, -0.45])
    _, info = env.reset()
    np.testing.assert_array_equal(info["goal"], [0.35, 0.35])
    assert world(env).arena.light == 1.0


def test_renderers_give_like_event_counts(make: Make) -> None:
    counts = {}
    for renderer in ("raycast", "pybullet"):
        env = make("tolman/OpenField-v0", renderer=renderer, camera=CameraSpec(width=64, height=16))
        env.reset(seed=2)
        counts[renderer] = sum(
            env.step(np.array([0.1, 0.8], np.float32))[0]["events"]["t"].size for _ in range(15)
        )
    assert counts["pybullet"] == pytest.approx(counts["raycast"], rel=0.25)


def test_view_from_above(make: Make) -> None:
    env = make("tolman/WaterMaze-v0", render_mode="rgb_array", render_size=120)
    env.reset(seed=0)
    before = env.render()
    for _ in range(30):
        env.step(np.array([0.3, 0.3], np.float32))
    after = env.render()
    assert isinstance(before, np.ndarray)
    assert isinstance(after, np.ndarray)
    assert after.shape == (120, 120, 3)
    assert after.dtype == np.uint8
    assert np.any(before != after)
    plain = make("tolman/WaterMaze-v0")
    plain.reset(seed=0)
    assert world(plain).render() is None


@pytest.mark.parametrize("flatten", [False, True])
def test_event_frame(make: Make, flatten: bool) -> None:
    env = EventFrame(make("tolman/WaterMaze-v0"), pool=2, flatten=flatten)
    observation, _ = env.reset(seed=0)
    seen = 0.0
    for _ in range(10):
        assert observation in env.observation_space
        observation, *_ = env.step(np.array([0.2, 1.0], np.float32))
        seen += float(np.sum(observation if flatten else observation["events"]))
    assert seen > 1.0
    if flatten:
        assert observation.shape == (2 * 4 * 16 + 2 + 1 + 8,)
    else:
        assert observation["events"].shape == (2, 4, 16)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*symmetric and normalized.*")
        warnings.filterwarnings("ignore", message=".*different from the unwrapped.*")
        check_env(env, skip_render_check=True)


def test_event_frame_counts(make: Make) -> None:
    plain = make("tolman/WaterMaze-v0", noise=SensorNoise.none())
    framed = EventFrame(make("tolman/WaterMaze-v0", noise=SensorNoise.none()), most=1000)
    plain.reset(seed=0)
    framed.reset(seed=0)
    action = np.array([0.2, 1.0], np.float32)
    for _ in range(5):
        packet = EventPacket.from_observation(plain.step(action)[0])
        frame = framed.step(action)[0]["events"]
        np.testing.assert_allclose(frame * 1000, packet.counts(SMALL.width, SMALL.height), atol=1e-3)
    for wrong in ({"pool": 3}, {"pool": 0}, {"most": 0}):
        with pytest.raises(ValueError, match="EventFrame"):
            EventFrame(plain, **wrong)


def test_blind_info(make: Make) -> None:
    sighted, blind = make("tolman/WaterMaze-v0"), BlindInfo(make("tolman/WaterMaze-v0"))
    assert digest(blind, 12, 6) == digest(sighted, 12, 6)
    assert blind.reset(seed=0)[1] == {}
    assert blind.step(np.zeros(2, np.float32))[4] == {}


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"goal": (2.0, 0.0)}, "goal .* is not inside the arena"),
        ({"goal": (0.95, 0.0)}, "goal .* is not inside the arena"),
        ({"time_limit": -1.0}, "time_limit must be > 0"),
        ({"time_limit": 0.05}, "time_limit must be a whole multiple of control_period"),
        ({"control": "thoughts"}, "control must be one of"),
        ({"renderer": "opengl"}, "renderer must be one of"),
        ({"render_mode": "human"}, "render_mode must be"),
        ({"control_period": 0.041}, "control_period must be a whole multiple of physics_step"),
        ({"physics_step": 0.0}, "whole multiple of physics_step"),
        ({"render_mode": "rgb_array", "render_size": -5}, "render_size must be"),
        ({"arena": square_arena(0.5)}, "goal .* is not inside the arena"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        ENVIRONMENTS["tolman/WaterMaze-v0"](**kwargs)
    assert "\n" not in str(caught.value)


def test_bad_use_is_refused(make: Make) -> None:
    env = world(make("tolman/WaterMaze-v0"))
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(2, np.float32))
    env.reset(seed=0)
    for action in (np.array([np.nan, 0.0]), np.zeros(3), np.array([np.inf, 0.0])):
        with pytest.raises(ValueError, match="action must be 2 finite numbers"):
            env.step(action.astype(np.float32))
    with pytest.raises(ValueError, match="leaves no room"):
        env.kidnap((0.99, 0.0, 0.0))
    with pytest.raises(ValueError, match="3 finite numbers"):
        env.kidnap((0.0, float("nan"), 0.0))
    with pytest.raises(ValueError, match="light level"):
        env.set_light(-0.1)
    with pytest.raises(ValueError, match="not inside the arena"):
        env.move_goal((3.0, 0.0))
    with pytest.raises(ValueError, match="has no goal"):
        world(make("tolman/OpenField-v0")).move_goal((0.0, 0.0))


def test_registration() -> None:
    register_all()  # harmless when repeated
    assert set(IDS) <= set(gymnasium.registry)
    env = gymnasium.make("tolman.envs:tolman/WaterMaze-v0", camera=SMALL)
    env.close()
    env.close()


PAIR = {"left": CameraSpec(width=16, height=8, yaw=0.5), "right": CameraSpec(width=16, height=12, yaw=-0.5)}


@pytest.mark.parametrize("name", IDS)
def test_several_cameras_keep_the_promises_of_one(make: Make, name: str) -> None:
    env = make(name, cameras=PAIR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*symmetric and normalized.*")
        check_env(env.unwrapped, skip_render_check=True)
    observation, _ = env.reset(seed=3)
    action = env.action_space.high * np.array([0.6, 0.5], np.float32)  # type: ignore[attr-defined]
    seen = dict.fromkeys(PAIR, 0)
    for k in range(15):
        assert observation in env.observation_space
        observation, *_ = env.step(action)
        for camera, spec in PAIR.items():
            packet = EventPacket.from_observation(observation[f"events_{camera}"])
            packet.validate(spec.width, spec.height)
            assert np.all((packet.t > 40_000 * k) & (packet.t <= 40_000 * (k + 1)))
            seen[camera] += packet.size
    assert min(seen.values()) > 0


def test_further_cameras_leave_the_first_as_it_was(make: Make) -> None:
    """Also its noise; and a camera sees the same whatever others there are."""
    noisy = CameraSpec(width=32, height=8, shot_rate=5.0)
    alone, among = (
        make("tolman/OpenField-v0", camera=noisy),
        make("tolman/OpenField-v0", camera=noisy, cameras=PAIR | {"again": noisy}),
    )
    twice = make("tolman/OpenField-v0", camera=SMALL, cameras={"again": noisy})
    assert digest(alone, 10, seed=2) == digest(among, 10, seed=2)
    first, second = ((env.reset(seed=4), [env.step(np.array([0.2, 0.8], np.float32)) for _ in range(5)])[1]
                     for env in (among, twice))  # fmt: skip
    for one, other in zip(first, second, strict=True):
        for a, b in zip(one[0]["events_again"].values(), other[0]["events_again"].values(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_light_reaches_all_cameras(make: Make) -> None:
    env = make("tolman/OpenField-v0", cameras=PAIR)
    env.reset(seed=0)
    world(env).set_light(0.5)
    observation, *_ = env.step(np.zeros(2, np.float32))
    for name in ("events", "events_left", "events_right"):
        assert observation[name]["t"].size > 50
        assert np.all(observation[name]["p"] == 0)


def test_event_frames_of_several_cameras(make: Make) -> None:
    env = EventFrame(make("tolman/OpenField-v0", cameras=PAIR), pool=4)
    observation, _ = env.reset(seed=0)
    for _ in range(5):
        observation, *_ = env.step(np.array([0.2, 1.0], np.float32))
        assert observation in env.observation_space
    assert observation["events_right"].shape == (2, 3, 4)
    assert observation["events_left"].max() > 0.0
    flat = EventFrame(make("tolman/OpenField-v0", cameras=PAIR), pool=4, flatten=True)
    vector, _ = flat.reset(seed=0)
    assert vector in flat.observation_space
    assert vector.shape == (2 * (2 * 8 + 2 * 4 + 3 * 4) + 11,)
    with pytest.raises(ValueError, match="16 x 12 camera"):
        EventFrame(make("tolman/OpenField-v0", cameras=PAIR), pool=8)


def test_a_camera_needs_a_name(make: Make) -> None:
    with pytest.raises(ValueError, match="identifier"):
        make("tolman/OpenField-v0", cameras={"far left": SMALL})
