"""The composed agent on the real environment: contract, determinism, saving, being carried."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import tolman.envs  # noqa: F401  # registers the tasks
from tolman.agent import Navigator, NavigatorConfig
from tolman.agent.looming import LoomingConfig
from tolman.envs import with_sensor


def world() -> Any:
    return gymnasium.make("tolman/OpenField-v0", disable_env_checker=True)


def live(agent: Navigator, env: Any, periods: int, seed: int | None) -> list[float]:
    """Drive for `periods`; return the localisation errors in the frame of the start pose, m."""
    observation, info = env.reset(seed=seed)
    agent.reset()
    start = info["pose"].copy()
    turn = np.array([[np.cos(start[2]), np.sin(start[2])], [-np.sin(start[2]), np.cos(start[2])]])
    errors = []
    for _ in range(periods):
        observation, reward, terminated, _, info = env.step(agent.act(observation))
        agent.reward(float(reward), terminated)
        errors.append(float(np.hypot(*(agent.pose_estimate[:2] - turn @ (info["pose"][:2] - start[:2])))))
    return errors


@pytest.fixture(scope="module")
def env() -> Any:
    return world()


@pytest.fixture(scope="module")
def travelled(env: Any) -> tuple[Navigator, list[float]]:
    agent = Navigator(NavigatorConfig(), env.unwrapped.camera, seed=1)
    return agent, live(agent, env, 1000, seed=1)


def test_it_knows_where_it_is(travelled: tuple[Navigator, list[float]]) -> None:
    agent, errors = travelled
    assert np.mean(errors) < 0.2, "m over 40 s"
    assert agent.memory.ca3.memories > 10
    assert agent.memory.place.used > 10


def test_it_has_the_size_that_is_claimed(travelled: tuple[Navigator, list[float]]) -> None:
    agent, _ = travelled
    assert agent.neurons >= 5000
    assert agent.neurons == sum(part.stop - part.start for part in agent.populations.values())
    assert agent.synapses > 1_000_000
    assert agent.spike_count > 0
    assert agent.synaptic_operations > agent.spike_count


def test_the_snapshot_is_plain_and_in_range(travelled: tuple[Navigator, list[float]]) -> None:
    agent, _ = travelled
    snapshot = agent.snapshot()
    assert snapshot.time == pytest.approx(40.0)
    assert snapshot.spike_neuron.size == snapshot.spike_time.size > 0
    assert int(snapshot.spike_neuron.max()) < agent.neurons
    assert int(snapshot.spike_time.max()) < 40
    assert (np.diff(snapshot.spike_time.astype(int)) >= 0).all()
    assert snapshot.pose_estimate.shape == (3,)


def test_same_seed_same_spikes_other_seed_others() -> None:
    hashes = []
    for seed in (3, 3, 4):
        env = world()
        agent = Navigator(NavigatorConfig(), env.unwrapped.camera, seed=seed)
        live(agent, env, 60, seed=3)
        hashes.append(agent.spike_hash)
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_saved_agent_goes_on_as_if_it_had_never_stopped(env: Any, tmp_path: Path) -> None:
    first = Navigator(NavigatorConfig(), env.unwrapped.camera, seed=5)
    live(first, env, 80, seed=5)
    first.reward(1.0, True)
    first.save(tmp_path / "agent.npz")
    second = Navigator(NavigatorConfig(), env.unwrapped.camera, seed=5)
    second.load(tmp_path / "agent.npz")
    assert second.spike_hash == first.spike_hash
    assert second.localised == first.localised
    np.testing.assert_array_equal(second.pose_estimate, first.pose_estimate)
    for agent in (first, second):
        live(agent, env, 80, seed=6)
    assert first.spike_hash == second.spike_hash
    assert not first.localised or first.memory.ca3.memories > 0


def test_a_state_that_does_not_fit_changes_nothing(env: Any, tmp_path: Path) -> None:
    agent = Navigator(NavigatorConfig(), env.unwrapped.camera, seed=5)
    state = agent.state_dict()
    before = agent.spike_hash
    short = {name: array for name, array in state.items() if name != "agent.counters"}
    with pytest.raises(ValueError, match=r"agent\.counters"):
        agent.load_state_dict(short)
    moved = state | {"memory.position": np.full(2, 7.0)}
    for name, odd in (
        ("memory.position", np.zeros(3)), ("memory.time", np.array(["x"])), ("reflex.random", np.zeros(5)),
        ("hash", np.zeros(32)),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="does not fit"):
            agent.load_state_dict(moved | {name: odd})
    assert agent.spike_hash == before
    assert not (agent.memory.position == 7.0).any()
    path = tmp_path / "not-an-agent.npz"
    path.write_bytes(b"PK\x03\x04 but not really")
    with pytest.raises(ValueError, match="damaged or not an agent file"):
        agent.load(path)


def test_spikes_ahead_of_the_robot_are_told_from_those_of_its_place(env: Any, monkeypatch: Any) -> None:
    agent = Navigator(NavigatorConfig(), env.unwrapped.camera, seed=5)
    ahead = np.array([[100, 3], [250, 4]], np.int32)
    monkeypatch.setattr(agent.guidance, "advance", lambda *_, **__: ahead)
    live(agent, env, 20, seed=5)
    seen = agent.snapshot()
    assert seen.spike_ripple is not None
    assert seen.spike_ripple.sum() == 2
    np.testing.assert_array_equal(seen.spike_time[seen.spike_ripple], [100, 250])
    first = agent.populations["place"].start
    np.testing.assert_array_equal(seen.spike_neuron[seen.spike_ripple] - first, [3, 4])
    assert seen.spike_time[~seen.spike_ripple].max() < 40


def test_the_looming_reflex_lets_a_robot_stand_that_sets_its_map(env: Any, monkeypatch: Any) -> None:
    config = NavigatorConfig(looming=LoomingConfig(enabled=True))
    agent = Navigator(config, env.unwrapped.camera, seed=5)
    live(agent, env, 5, seed=5)
    monkeypatch.setattr(agent.looming, "override", lambda _: np.array([0.3, 1.0], np.float32))
    observation, _ = env.reset(seed=5)
    assert agent.act(observation)[0] == np.float32(0.3)
    monkeypatch.setattr(type(agent.memory), "anchoring", property(lambda _: True))
    np.testing.assert_array_equal(agent.act(observation), [0.0, 0.0])


def test_act_before_reset_is_refused(env: Any) -> None:
    agent = Navigator(NavigatorConfig(), env.unwrapped.camera, seed=0)
    observation, _ = env.reset(seed=0)
    with pytest.raises(RuntimeError, match="reset"):
        agent.act(observation)


def test_carried_it_is_lost_until_it_recognises_a_view(travelled: tuple[Navigator, list[float]]) -> None:
    agent, _ = travelled
    env = world()
    observation, _ = env.reset(seed=1)
    agent.reset()
    assert not agent.localised
    twist = agent.act(observation)
    assert twist[0] == 0.0
    assert twist[1] == pytest.approx(agent.config.motor.scan_rate)
    for _ in range(250):
        observation, *_ = env.step(agent.act(observation))
    assert agent.localised


def test_impossible_configurations_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="third_factor must be"):
        NavigatorConfig(third_factor="luck")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"gyro_share must be in \[0, 1\]"):
        NavigatorConfig(gyro_share=2.0)


def test_a_new_seed_reaches_every_stream(env: Any) -> None:
    """An agent that is reset with a seed draws what an agent that was made with it draws."""
    first, second = (Navigator(NavigatorConfig(), env.unwrapped.camera, seed=seed) for seed in (3, 4))
    second.reset(seed=3)
    for name in ("memory.heading", "memory.place", "memory.grids", "actor_critic.controller"):
        keys = []
        for agent in (first, second):
            part: Any = agent
            for step in name.split("."):
                part = getattr(part, step)
            keys.append([p.key for p in part] if isinstance(part, list) else part.key)
        assert keys[0] == keys[1], name


def test_another_camera_is_noticed(env: Any) -> None:
    state = Navigator(NavigatorConfig(), env.unwrapped.camera, seed=1).state_dict()
    for camera, said in (
        (replace(env.unwrapped.camera, threshold=0.3), "threshold 0.2 against 0.3"),
        (with_sensor(env.unwrapped.camera, "DVS128"), "sensor ideal against DVS128"),
    ):
        with pytest.raises(ValueError, match=said):
            Navigator(NavigatorConfig(), camera, seed=1).load_state_dict(state)
        Navigator(NavigatorConfig(same_camera=False), camera, seed=1).load_state_dict(state)
