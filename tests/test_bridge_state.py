"""The agent's state, seen from another process: every topic, every period; and the viewer's picture of it."""

import json
import math
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_agent import PERIOD, WALLS, period
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tolman.bridge.exceptions import BridgeError, BusyPortError, NoDisplayError, NothingPublishing
from tolman.bridge.messages import message_class
from tolman.bridge.shared_ring import ORDERED
from tolman.bridge.state import StatePublisher
from tolman.bridge.state_process import DetachedPublisher
from tolman.bridge.topics import LATCHED, PERIODIC, TOPICS
from tolman.bridge.viewers.dashboard import Dashboard
from tolman.bridge.viewers.history import Arena, StateHistory
from tolman.bridge.viewers.observer import StateObserver
from tolman.bridge.viewers.window import view

Made = StatePublisher | DetachedPublisher
DETACHED = pytest.param(
    DetachedPublisher, marks=pytest.mark.skipif(not ORDERED, reason="needs stores that are seen in order")
)


@pytest.fixture(params=[StatePublisher, DETACHED])
def publisher(request: pytest.FixtureRequest, endpoint: str) -> Iterator[Made]:
    with request.param(endpoint, width=128, height=32) as made:
        yield made


OBSERVER = textwrap.dedent("""
    import json, sys
    from tolman.bridge.viewers.observer import StateObserver
    seen = {}
    def note(topic, message, time):
        seen.setdefault(topic, []).append(round(time / 0.04))
    with StateObserver(sys.argv[1], on_message=note) as observer:
        observer.wait_for_publisher(20)
        while observer.silence < 1.0 and seen["/clock"][-1] < int(sys.argv[2]):
            observer.gather_for(0.02)
        observer.gather_for(0.1)
        lost = {t: s.lost + s.overwritten + s.refused for t, s in observer.statistics.items()}
        arena = observer.latest["/arena"].data
    print(json.dumps({"seen": seen, "lost": lost, "arena": arena}))
""")


def test_another_process_receives_every_topic_at_the_control_rate(publisher: Made) -> None:
    """500 periods a second: twenty times real time."""
    periods = 300
    publisher.set_arena(WALLS, goal=(0.3, 0.2), goal_radius=0.1, map_origin=(0.0, 0.0, 0.0))
    publisher.set_populations({"place": slice(0, 100), "ca3": slice(100, 1000)})
    command = [sys.executable, "-c", OBSERVER, publisher.endpoint, str(periods)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert publisher.wait_for_viewer(20)
        time.sleep(0.2)  # the other topics are subscribed to in the same moment
        for number in range(1, periods + 1):
            snapshot, observation = period(number)
            publisher.publish(snapshot, observation, reward=0.0, true_pose=snapshot.pose_estimate)
            time.sleep(0.002)
        report = json.loads(process.communicate(timeout=30)[0])
    for topic in PERIODIC:
        assert report["seen"][topic.name] == list(range(1, periods + 1)), topic.name
    assert set(report["seen"]) == set(TOPICS)
    assert all(len(report["seen"][topic.name]) == 1 for topic in LATCHED)
    assert set(report["lost"].values()) == {0}
    assert json.loads(report["arena"])["goal"] == [0.3, 0.2]


def test_the_messages_carry_what_was_published(publisher: Made) -> None:
    with StateObserver(publisher.endpoint) as observer:
        assert publisher.wait_for_viewer()
        time.sleep(0.2)
        snapshot, observation = period(5)
        publisher.set_camera(64, 16)
        publisher.publish(snapshot, observation, reward=0.5, true_pose=(1.0, 2.0, -1.0))
        observer.wait_for_publisher(5)
        observer.gather_for(0.05)
        latest = observer.latest
    events = latest["/camera/events"]
    for name in "txyp":
        np.testing.assert_array_equal(getattr(events, name), observation["events"][name])
    assert (events.width, events.height) == (64, 16)
    np.testing.assert_array_equal(latest["/spikes"].neuron, snapshot.spike_neuron)
    np.testing.assert_array_equal(latest["/spikes"].time_ms, snapshot.spike_time)
    assert latest["/spikes"].header.stamp.nanosec == 160_000_000
    np.testing.assert_array_equal(latest["/place_cells"].data, snapshot.place_activity)
    assert latest["/place_cells"].layout.dim[0].size == 100
    assert latest["/reward"].data == 0.5
    assert latest["/dopamine"].data == pytest.approx(snapshot.dopamine)
    assert latest["/odom"].header.frame_id == "map"
    assert latest["/odom"].twist.twist.linear.x == pytest.approx(0.14)
    assert latest["/cmd_vel"].angular.z == pytest.approx(0.3)
    assert latest["/clock"].clock.nanosec == 200_000_000
    pose = latest["/true_pose"].pose
    assert (pose.position.x, pose.position.y) == (1.0, 2.0)
    assert 2 * math.atan2(pose.orientation.z, pose.orientation.w) == pytest.approx(-1.0)


def test_publishing_is_cheap(publisher: Made) -> None:
    """CPU time of the publishing thread, 11 topics a period; bounds are generous because machines differ."""

    def cost(events: int) -> float:
        periods = [period(number, events) for number in range(100)]
        publisher.publish(*periods[0], true_pose=(0.0, 0.0, 0.0))
        start = time.thread_time()
        for snapshot, observation in periods:
            publisher.publish(snapshot, observation, true_pose=(0.0, 0.0, 0.0))
        return (time.thread_time() - start) / len(periods)

    assert cost(4000) < 200e-6  # nobody listens
    with StateObserver(publisher.endpoint):
        assert publisher.wait_for_viewer()
        assert cost(4000) < 11 * 100e-6


def test_a_second_agent_at_the_same_endpoint_is_noticed(publisher: Made) -> None:
    time.sleep(0.2)  # the first one's announcement travels within 50 ms
    with StatePublisher(publisher.endpoint) as second:
        assert (publisher.others, second.others) == (0, 1)


def test_a_bad_arena_is_refused(publisher: Made) -> None:
    with pytest.raises(ValueError, match="walls"):
        publisher.set_arena(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="camera"):
        publisher.set_camera(-1, 3)
    with pytest.raises(ValueError, match="goal"):
        publisher.set_arena(WALLS, goal=(math.nan, 0.0))


def test_the_viewer_writes_a_picture_and_ends_with_the_agent(publisher: Made, tmp_path: Path) -> None:
    publisher.set_arena(WALLS, goal=(0.3, 0.2), goal_radius=0.1, map_origin=(0.1, 0.0, 0.5))
    publisher.set_populations({"place": slice(0, 100), "ca3": slice(100, 1000)})
    stop = threading.Event()

    def drive() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            publisher.publish(*period(number), true_pose=(0.0, 0.0, 0.0))
            time.sleep(0.005)

    agent = threading.Thread(target=drive)
    agent.start()
    try:
        report = view(publisher.endpoint, tmp_path / "view.png", seconds=1.0)
    finally:
        stop.set()
        agent.join()
    assert report.output is not None
    assert report.output.read_bytes().startswith(b"\x89PNG")
    assert report.refused == 0
    assert min(report.messages[topic.name] for topic in PERIODIC) > 50
    assert [path.name for path in tmp_path.iterdir()] == ["view.png"]


def test_every_pane_shows_something() -> None:
    history = StateHistory()
    string = message_class("std_msgs/msg/String")
    arena = {"walls": WALLS.tolist(), "goal": [0.3, 0.2], "goal_radius": 0.1, "map_origin": [0.0, 0.0, 0.0]}
    history.add("/arena", string(data=json.dumps(arena)), 0.0)
    history.add("/populations", string(data='{"place": [0, 100], "ca3": [100, 1000]}'), 0.0)
    for number in range(1, 60):
        snapshot, observation = period(number)
        _fill(history, snapshot, observation)
    figure = Figure(dpi=60)
    canvas = FigureCanvasAgg(figure)
    dashboard = Dashboard(figure)
    canvas.draw()
    empty = np.asarray(canvas.buffer_rgba()).astype(int)
    dashboard.draw(history, "headline", "status")
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba()).astype(int)
    height = drawn.shape[0]
    assert len(figure.axes) == 6
    for axes in figure.axes:
        box = axes.get_window_extent()
        rows, columns = (
            slice(int(height - box.y1) + 2, int(height - box.y0) - 2),
            slice(int(box.x0) + 2, int(box.x1) - 2),
        )
        changed = np.abs(drawn[rows, columns] - empty[rows, columns]).max(axis=2) > 30
        assert changed.mean() > 0.003, axes.get_title(loc="left")


def _fill(history: StateHistory, snapshot: Any, observation: dict[str, Any]) -> None:
    time = snapshot.time
    number = message_class("std_msgs/msg/Float32")
    pose = message_class("geometry_msgs/msg/PoseStamped")()
    pose.pose.position.x, pose.pose.position.y = snapshot.pose_estimate[:2]
    packet = message_class("tolman_msgs/msg/EventPacket")(width=128, height=32, **observation["events"])
    spikes = message_class("tolman_msgs/msg/Spikes")(
        neuron=snapshot.spike_neuron, time_ms=snapshot.spike_time
    )
    spikes.header.stamp.sec, spikes.header.stamp.nanosec = int(time), int(time % 1 * 1e9)
    places = message_class("std_msgs/msg/Float32MultiArray")(data=snapshot.place_activity)
    for topic, message in (
        ("/pose_estimate", pose),
        ("/true_pose", pose),
        ("/place_cells", places),
        ("/camera/events", packet),
        ("/spikes", spikes),
        ("/dopamine", number(data=snapshot.dopamine)),
        ("/value", number(data=snapshot.value)),
        ("/reward", number(data=0.1)),
        ("/clock", message_class("rosgraph_msgs/msg/Clock")()),
    ):
        history.add(topic, message, time)


def test_the_history_finds_the_place_fields_and_bounds_its_memory() -> None:
    history = StateHistory()
    for number in range(1, 3000):
        _fill(history, *period(number, 5))
    centres, _, _ = history.places.fields
    assert len(centres) == 100
    assert np.hypot(*centres.T).max() <= 0.5 + 1e-6
    assert history.dopamine.samples[0, 0] >= 2999 * PERIOD - 20.0 - 2 * PERIOD
    times, neurons = history.spikes
    assert times.size == neurons.size <= 52 * 50
    assert history.reward_total == pytest.approx(0.1 * 2999, rel=1e-3)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"walls": 3}', '{"walls": [], "goal": "x"}', "[" * 2000])
def test_a_malformed_arena_or_population_is_an_empty_one(text: str) -> None:
    history = StateHistory()
    for topic in ("/arena", "/populations"):
        history.add(topic, message_class("std_msgs/msg/String")(data=text), 0.0)
    assert history.arena.walls.size == 0
    assert history.arena.goal is None
    assert history.populations == {}


def test_malformed_events_and_spikes_are_left_out() -> None:
    history = StateHistory()
    packet = message_class("tolman_msgs/msg/EventPacket")
    history.add("/camera/events", packet(width=2**31, height=2**31), 0.0)
    assert history.event_image.size == 0
    zeros = np.zeros(3, np.int16)
    outside = packet(width=4, height=4, t=np.arange(3), x=np.array([0, 9, -1]), y=zeros, p=zeros + 1)
    history.add("/camera/events", outside, 0.0)
    assert history.event_image.sum() == 1
    spikes = message_class("tolman_msgs/msg/Spikes")(
        neuron=np.zeros(3, np.uint32), time_ms=np.zeros(2, np.uint16)
    )
    history.add("/spikes", spikes, 0.0)
    assert history.spikes[0].size == 0


def test_the_estimate_is_drawn_in_the_world() -> None:
    arena = Arena(map_origin=(1.0, 2.0, math.pi / 2))
    np.testing.assert_allclose(
        arena.to_world(np.array([[1.0, 0.0], [0.0, 1.0]])), [[1.0, 3.0], [0.0, 2.0]], atol=1e-12
    )


def test_nothing_publishing_is_one_clear_line(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(NothingPublishing, match="nothing is publishing") as caught:
        view(endpoint, tmp_path / "view.png", timeout=0.3)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_busy_port_is_refused_by_publisher_and_viewer(tmp_path: Path) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        endpoint = f"tcp://127.0.0.1:{squatter.getsockname()[1]}"
        with pytest.raises(BusyPortError):
            StatePublisher(endpoint)
        with pytest.raises(BusyPortError):
            view(endpoint, tmp_path / "view.png")


def test_a_picture_that_cannot_be_written_is_refused_at_once(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match="must end in"):
        view(endpoint, tmp_path / "view.xyz")
    with pytest.raises(BridgeError, match="does not exist"):
        view(endpoint, tmp_path / "nowhere" / "view.png")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="these always have a display")
def test_a_window_needs_a_display(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(NoDisplayError, match="output file"):
        view(endpoint)
