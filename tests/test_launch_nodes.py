"""Agent and world as nodes: the spikes of one process in lockstep, and any robot that tells its odometry."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.agent import AgentSnapshot
from tolman.envs import CameraSpec
from tolman.envs.robot import integrate_twist
from tolman.launch.agents import Agent
from tolman.launch.config import ExperimentConfig, load
from tolman.launch.environments import camera_of, configured_camera, make_environment
from tolman.launch.nodes.agent import AgentNode
from tolman.launch.nodes.environment import EnvironmentNode
from tolman.launch.nodes.ros import PERIODIC, Node, message, opened, spin
from tolman.launch.nodes.running import build_agent
from tolman.launch.nodes.topics import TYPES, EpisodeText, from_json, to_json
from tolman.launch.nodes.world import World
from tolman.launch.session import Session

Tolman = Callable[..., tuple[int, str, str]]
PERIOD = 40_000_000  #: ns


@contextmanager
def connected(endpoint: str) -> Iterator[Any]:
    context = opened(endpoint)
    try:
        yield context
    finally:
        context.try_shutdown()


class Probe:
    """An agent that keeps what it was shown, and drives at 0.1 m/s."""

    populations: Mapping[str, slice] = {"place": slice(0, 3)}
    spike_count, spike_hash = 0, ""

    def __init__(self) -> None:
        self.seen: list[Mapping[str, Any]] = []
        self.rewards: list[tuple[float, bool]] = []
        self.resets = 0

    def reset(self, seed: int | None = None) -> None:
        self.resets += 1

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        self.seen.append(observation)
        return np.array([0.1, -0.2], np.float32)

    def reward(self, r: float, terminated: bool) -> None:
        self.rewards.append((r, terminated))

    def snapshot(self) -> AgentSnapshot:
        nothing = np.zeros(0)
        spikes, times = nothing.astype(np.uint32), nothing.astype(np.uint16)
        twist = np.zeros(2, np.float32)
        return AgentSnapshot(0.0, np.zeros(3), True, spikes, times, np.zeros(3, np.float32), 0.0, 0.0, twist)


def probing(probe: Probe, camera: CameraSpec, context: Any) -> AgentNode:
    return AgentNode(probe, camera, context=context)  # type: ignore[arg-type]  # all that a node asks for


@contextmanager
def in_thread(
    endpoint: str, make: Callable[[Any], Any], seconds: float = 60.0
) -> Iterator[Callable[[], None]]:
    """Run a node, that `make(context)` makes, in a thread; yields what ends it."""
    stop, context, failures = threading.Event(), opened(endpoint), []

    def run() -> None:
        try:
            node = make(context)
            spin(node, lambda: node.finished or stop.is_set(), seconds)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(30)
        context.try_shutdown()

    try:
        yield end
    finally:
        end()
    assert not failures


def in_one_process(config: ExperimentConfig) -> tuple[str, int]:
    with Session(config) as session:
        while session.trials_done < config.trials:
            session.next_trial()
        return session.agent.spike_hash, session.agent.spike_count


def as_nodes(config: ExperimentConfig, endpoint: str, mode: Any = "lockstep") -> Agent:
    camera = configured_camera(config.environment)
    agent = build_agent(config, camera)
    with (
        World(config) as world,
        in_thread(endpoint, lambda c: EnvironmentNode(world, mode, context=c)),
        connected(endpoint) as context,
    ):
        node = AgentNode(agent, camera, context=context)
        spin(node, lambda: node.finished, 60)
        assert node.finished
    return agent


@pytest.mark.usefixtures("spiking_double")
@pytest.mark.parametrize("task", ["WaterMaze", "Cruciform"])
def test_lockstep_has_the_spikes_of_one_process(task: str, endpoint: str) -> None:
    """Habituation, trials, rewards, cues: hundreds of periods."""
    config = load(settings=[f"task={task}", "environment.time_limit=4.0", "trials=3", "habituation=4.0"])
    agent = as_nodes(config, endpoint)
    assert (agent.spike_hash, agent.spike_count) == in_one_process(config)


@pytest.mark.usefixtures("spiking_double")
def test_a_reward_arrives_in_its_period(endpoint: str) -> None:
    """The goal is everywhere: the first step earns it and ends the trial."""
    config = load(
        settings=[
            "environment.options.goal_radius=0.9",
            "environment.goal=[0,0]",
            "trials=4",
            "habituation=0",
        ]
    )
    agent = as_nodes(config, endpoint)
    assert (agent.spike_hash, agent.spike_count) == in_one_process(config)


def test_lockstep_has_the_spikes_of_the_navigator(endpoint: str) -> None:
    config = load(settings=["environment.time_limit=3.2", "trials=2", "habituation=3.2", "seed=3"])
    agent = as_nodes(config, endpoint)
    assert (agent.spike_hash, agent.spike_count) == in_one_process(config)


@pytest.mark.usefixtures("spiking_double")
def test_real_time_keeps_to_the_wall_clock(endpoint: str) -> None:
    config = load(settings=["environment.time_limit=2.0", "trials=1", "habituation=0"])
    began = time.monotonic()
    agent = as_nodes(config, endpoint, "real-time")
    assert time.monotonic() - began >= 1.9
    assert 40 <= agent._steps <= 51  # type: ignore[attr-defined]


class FakeWorld:
    """Keeps the commands; never ends."""

    cued, first, last, episode, steps, camera = False, True, True, 1, 0, (128, 32)
    scene: Mapping[str, Any] = {"walls": [], "goal": None, "goal_radius": 0.0}

    def __init__(self) -> None:
        self.commands: list[tuple[float, ...]] = []
        nothing: NDArray[Any] = np.zeros(0)
        self._observation = {
            "events": dict.fromkeys("txyp", nothing), "odometry": np.array([0.2, 0.5], np.float32),
            "gyro": np.zeros(1, np.float32), "bump": np.zeros(8, np.uint8),
        }  # fmt: skip

    def begin(self) -> tuple[Mapping[str, Any], NDArray[np.float64]]:
        return self._observation, np.array([1.0, 2.0, 3.0])

    def step(self, action: NDArray[np.float32]) -> Any:
        from tolman.launch.nodes.world import Outcome

        self.commands.append(tuple(float(v) for v in action))
        return Outcome(self._observation, 0.25, False, False, np.array([1.0, 2.0, 3.0]))


@contextmanager
def driver(endpoint: str, world: FakeWorld, mode: Any, **options: Any) -> Iterator[tuple[Any, Any, Any]]:
    """A program that drives the environment without knowing of episodes: node, send(v, w), odometry heard."""
    heard: list[Any] = []
    made = in_thread(endpoint, lambda c: EnvironmentNode(world, mode, context=c, **options))  # type: ignore[arg-type]
    with made, connected(endpoint) as context:
        node = Node("driver", context=context)
        node.create_subscription(message(TYPES["/odom"]), "/odom", heard.append, PERIODIC)
        twist = message(TYPES["/cmd_vel"])
        publisher = node.create_publisher(twist, "/cmd_vel", PERIODIC)

        def send(v: float, w: float) -> None:
            command = twist()
            command.linear.x, command.angular.z = v, w
            publisher.publish(command)

        spin(node, lambda: publisher.get_subscription_count() > 0 and node.count_publishers("/odom") > 0, 10)
        time.sleep(0.3)  # our subscription reaches the other side
        yield node, send, heard


def test_lockstep_drives_one_period_for_each_command(endpoint: str) -> None:
    world = FakeWorld()
    with driver(endpoint, world, "lockstep") as (node, send, heard):
        send(0.9, 0.9)  # begins the episode
        spin(node, lambda: len(heard) == 1, 5)
        for k, (v, w) in enumerate([(0.1, 0.0), (0.2, -1.0), (math.nan, 0.0)]):
            send(v, w)
            spin(node, lambda k=k: len(heard) == k + 2, 5)  # type: ignore[misc]
        spin(node, lambda: False, 0.2)
        assert world.commands == [pytest.approx((0.1, 0.0)), pytest.approx((0.2, -1.0)), (0.0, 0.0)]
        assert [m.header.stamp.nanosec for m in heard] == [0, PERIOD, 2 * PERIOD, 3 * PERIOD]
        # The pose is reckoned from the measured twist, and far from the true one.
        pose = np.zeros(3)
        for _ in heard:
            pose = integrate_twist(pose, float(np.float32(0.2)), 0.5, 0.04)
        told = heard[-1].pose.pose
        assert (told.position.x, told.position.y) == (pytest.approx(pose[0]), pytest.approx(pose[1]))


def test_real_time_stops_the_robot_when_commands_stop(endpoint: str) -> None:
    world = FakeWorld()
    with driver(endpoint, world, "real-time", command_timeout=0.3) as (node, send, _):
        send(0.0, 0.0)
        spin(node, lambda: len(world.commands) > 0, 5)
        send(0.2, 0.1)
        spin(node, lambda: False, 1.2)
    driven = [command != (0.0, 0.0) for command in world.commands]
    assert 3 <= sum(driven) <= 12  # 0.3 s, on a busy machine
    assert not any(driven[-5:])


class Robot:
    """Another robot: publishes /odom, and /imu and /camera/events if it has them; hears /cmd_vel."""

    def __init__(self, endpoint: str, *topics: str, start: int = 1_700_000_000 * 10**9) -> None:
        self.context = opened(endpoint)
        self.node = Node("robot", context=self.context)
        self.commands: list[tuple[float, float]] = []
        self.start = start
        self._types = {topic: message(TYPES[topic]) for topic in topics}
        self._outlets = {t: self.node.create_publisher(kind, t, PERIODIC) for t, kind in self._types.items()}
        self.node.create_subscription(message(TYPES["/cmd_vel"]), "/cmd_vel", self._hear, PERIODIC)

    def _hear(self, command: Any) -> None:
        self.commands.append((command.linear.x, command.angular.z))

    def wait(self) -> None:
        outlets = self._outlets.values()
        spin(self.node, lambda: all(o.get_subscription_count() for o in outlets), 10)
        spin(self.node, lambda: self.node.count_publishers("/cmd_vel") > 0, 10)
        time.sleep(0.2)

    def tell(self, topic: str, at: int, **fields: Any) -> None:
        read = self._types[topic]()
        if hasattr(read, "header"):
            read.header.stamp.sec, read.header.stamp.nanosec = divmod(self.start + at, 10**9)
        if topic == "/odom":
            read.twist.twist.linear.x, read.twist.twist.angular.z = fields["twist"]
        elif topic == "/imu":
            read.angular_velocity.z = fields["z"]
        else:
            for name, value in fields.items():
                setattr(read, name, value)
        self._outlets[topic].publish(read)

    def listen(self, done: Callable[[], bool] = lambda: False, seconds: float = 0.2) -> None:
        spin(self.node, done, seconds)

    def close(self) -> None:
        self.context.try_shutdown()


@contextmanager
def driven(endpoint: str, *topics: str) -> Iterator[tuple[Robot, Probe]]:
    probe, robot = Probe(), Robot(endpoint, *topics)
    camera = CameraSpec(width=64, height=16)
    try:
        with in_thread(endpoint, lambda context: probing(probe, camera, context)):
            robot.wait()
            yield robot, probe
    finally:
        robot.close()


def packet(first: int, n: int, width: int = 64) -> dict[str, Any]:
    """Events, one each ms from `first` µs on the camera's own clock."""
    t = first + 1000 * np.arange(n, dtype=np.int64)
    return {
        "t": t, "x": np.arange(n, dtype=np.int16) % 64, "y": np.zeros(n, np.int16), "p": np.ones(n, np.uint8),
        "width": width, "height": 16,
    }  # fmt: skip


def test_a_robot_with_other_rates_and_clocks_is_driven(endpoint: str) -> None:
    """Odometry at 50 Hz, gyro at 100 Hz, packets each 10 ms whose clock began elsewhere; no episodes."""
    with driven(endpoint, "/odom", "/imu", "/camera/events") as (robot, probe):
        for ms in range(0, 2001, 10):
            if ms % 20 == 0:
                robot.tell("/odom", ms * 10**6, twist=(ms / 1000, 0.5))
            robot.tell("/imu", ms * 10**6, z=-ms / 1000)
            if ms:
                robot.tell("/camera/events", ms * 10**6, **packet(77_000_000 + 1000 * (ms - 9), 10))
        robot.listen(lambda: len(robot.commands) == 51, 10)
        assert len(probe.seen) == len(robot.commands) == 51  # 2 s, and what was perceived before moving
        assert robot.commands == [pytest.approx((0.1, -0.2))] * 51
    assert probe.resets == 1
    for k, seen in enumerate(probe.seen[1:], 1):
        assert seen["odometry"] == pytest.approx([0.04 * k - 0.01, 0.5], abs=1e-6)
        assert seen["gyro"][0] == pytest.approx(-(0.04 * k - 0.015), abs=1e-6)
        assert list(seen["events"]["t"]) == list(range(40_000 * k - 39_000, 40_000 * k + 1, 1000))
        assert not seen["bump"].any()


def test_a_robot_with_odometry_alone_turns_as_its_wheels_say(endpoint: str) -> None:
    with driven(endpoint, "/odom") as (robot, probe):
        for k in range(26):
            robot.tell("/odom", k * PERIOD, twist=(0.1, 0.01 * k))
        robot.listen(lambda: len(robot.commands) == 26, 10)
    assert [float(seen["gyro"][0]) for seen in probe.seen] == pytest.approx([0.01 * k for k in range(26)])
    assert all(seen["events"]["t"].size == 0 for seen in probe.seen)


def test_a_sensor_that_falls_silent_is_not_waited_for(endpoint: str) -> None:
    with driven(endpoint, "/odom", "/imu", "/camera/events") as (robot, probe):
        for k in range(40):
            if k < 10:
                robot.tell("/imu", k * PERIOD, z=2.0)
                robot.tell("/camera/events", k * PERIOD, **packet(40_000 * k + 1000, 40))
            robot.tell("/odom", k * PERIOD, twist=(0.1, 0.3))
        robot.listen(lambda: len(robot.commands) >= 34, 10)
    turning = [float(seen["gyro"][0]) for seen in probe.seen]
    assert turning[:10] == pytest.approx([2.0] * 10)
    assert turning[-10:] == pytest.approx([0.3] * 10)
    assert len(probe.seen) == 34  # those behind the odometry by more than 0.2 s


def test_packets_that_cannot_be_are_ignored(endpoint: str) -> None:
    with driven(endpoint, "/odom", "/camera/events") as (robot, probe):
        robot.tell("/odom", 0, twist=(0.0, 0.0))
        good = packet(1000, 30)
        bad: list[dict[str, Any]] = [
            packet(1000, 30, width=640), good | {"x": np.full(30, 64, np.int16)},
            good | {"y": np.full(30, -1, np.int16)}, good | {"p": np.ones(29, np.uint8)},
            good | {"t": good["t"][:3]},
        ]  # fmt: skip
        for fields in bad:
            robot.tell("/camera/events", 30_000_000, **fields)
        order = np.random.default_rng(0).permutation(30)
        robot.tell("/camera/events", PERIOD, **{k: v[order] if k in "txyp" else v for k, v in good.items()})
        robot.tell("/odom", PERIOD, twist=(math.nan, 0.0))
        robot.tell("/odom", PERIOD, twist=(0.2, 0.0))
        robot.listen(lambda: len(robot.commands) == 2, 10)
    assert len(probe.seen) == 2
    assert list(probe.seen[1]["events"]["x"]) == list(range(30))
    assert np.isfinite(probe.seen[1]["odometry"]).all()


def test_time_goes_on_after_a_gap_and_after_the_clock_is_set_back(endpoint: str) -> None:
    with driven(endpoint, "/odom") as (robot, probe):
        for at in (0, PERIOD, 5 * 10**9, 5 * 10**9 + PERIOD):
            robot.tell("/odom", at, twist=(0.1, 0.0))
        robot.listen(lambda: len(robot.commands) == 4, 5)
        robot.start = 10**9
        for k in range(3):
            robot.tell("/odom", k * PERIOD, twist=(0.1, 0.0))
        robot.listen(lambda: len(robot.commands) == 7, 5)
    assert len(probe.seen) == 7


def test_an_agent_that_was_restarted_takes_its_world_up(endpoint: str) -> None:
    config = load(settings=["environment.time_limit=4.0", "trials=1", "habituation=0"])
    camera = configured_camera(config.environment)
    with World(config) as world, in_thread(endpoint, lambda c: EnvironmentNode(world, context=c)):
        first = Probe()
        with connected(endpoint) as context:
            node = probing(first, camera, context)
            spin(node, lambda: len(first.seen) == 20, 20)
        second = Probe()
        with connected(endpoint) as context:
            node = probing(second, camera, context)
            spin(node, lambda: node.finished, 20)
            assert node.finished
        assert world.steps == 100
    assert 78 <= len(second.seen) <= 81


def test_a_world_that_was_restarted_is_taken_up(endpoint: str) -> None:
    config = load(settings=["environment.time_limit=4.0", "trials=1", "habituation=0"])
    probe = Probe()
    with connected(endpoint) as context:
        node = probing(probe, configured_camera(config.environment), context)
        with World(config) as world, in_thread(endpoint, lambda c: EnvironmentNode(world, context=c)):
            spin(node, lambda: len(probe.seen) == 60, 20)
        with World(config) as world, in_thread(endpoint, lambda c: EnvironmentNode(world, context=c)):
            spin(node, lambda: node.finished, 20)
            assert node.finished
    assert probe.resets == 2
    assert 160 <= len(probe.seen) <= 161  # one more if the first world answered before it went


def test_the_camera_of_an_experiment_is_known_without_its_world() -> None:
    for settings in ([], ["environment.sensor=DVS128"], ["environment.camera.width=64"]):
        config = load(settings=settings)
        environment = make_environment(config.task, config.environment)
        assert configured_camera(config.environment) == camera_of(environment)
        environment.close()


def test_what_is_said_of_episodes_can_be_read_back() -> None:
    text = EpisodeText("ended", 3, 1948, True, ("/odom",), 250, True, False)
    assert from_json(to_json(text)) == text
    for broken in ("", "{}", '{"state": "dancing"}', '{"state": "running", "episode": "one"}'):
        with pytest.raises(ValueError, match=r".+"):
            from_json(broken)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ("agent --algorithm oracle", "true pose"),
        ("agent --endpoint tcp://10.0.0.1:5", "loopback"),
        ("environment Nowhere", "unknown task"),
        ("environment --command-timeout nan", "--command-timeout must be > 0 s"),
        ("environment --mode fast", "--mode"),
        ("dance", "dance"),
    ],
)
def test_mistakes_are_one_line(arguments: str, part: str, tolman: Tolman) -> None:
    code, out, err = tolman("node", *arguments.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert part in err
