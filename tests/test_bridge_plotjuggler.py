"""What PlotJuggler's ZeroMQ plugin receives: two frames, the topic and JSON of numbers."""

import contextlib
import json
import math
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import zmq
from live_agent import driving, free_port, listening
from tolman.bridge.context import open_context
from tolman.bridge.exceptions import BridgeError, EndpointError
from tolman.bridge.messages import message_class
from tolman.bridge.node import Node
from tolman.bridge.numbers import numbers_of
from tolman.bridge.state import StatePublisher
from tolman.bridge.topics import PERIODIC
from tolman.bridge.viewers.plotjuggler import PlotJugglerServer
from tolman.launch.cli import main


@contextlib.contextmanager
def serving(endpoint: str, limit: int = 64) -> Iterator[PlotJugglerServer]:
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            server.serve(0.05)

    with PlotJugglerServer(endpoint, bind=f"tcp://127.0.0.1:{free_port()}", limit=limit) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server
        finally:
            stop.set()
            thread.join()


@contextlib.contextmanager
def plotjuggler(url: str, prefix: str = "") -> Iterator["zmq.Socket[bytes]"]:
    context = zmq.Context()
    subscriber = context.socket(zmq.SUB)
    subscriber.setsockopt(zmq.RCVTIMEO, 3000)
    subscriber.connect(url)
    subscriber.subscribe(prefix)
    try:
        yield subscriber
    finally:
        subscriber.close(0)
        context.term()


def test_every_topic_with_numbers_arrives_in_two_frames(endpoint: str) -> None:
    topics = {topic.name for topic in PERIODIC}
    seen: dict[str, list[dict[str, object]]] = {}
    with driving(endpoint), serving(endpoint) as server, plotjuggler(server.url) as subscriber:
        while set(seen) != topics or len(seen["/clock"]) < 20:
            frames = subscriber.recv_multipart()
            assert len(frames) == 2
            seen.setdefault(frames[0].decode(), []).append(json.loads(frames[1]))
        assert server.lost == 0
    clock = [message["timestamp"] for message in seen["/clock"]]
    np.testing.assert_allclose(np.diff(clock), 0.04, atol=1e-6)  # the agent's time, none missing
    assert clock == pytest.approx([message["clock"] for message in seen["/clock"]])
    assert seen["/camera/events"][0]["t_size"] == 300
    assert "t" not in seen["/camera/events"][0]
    assert len(seen["/spikes"][0]["neuron"]) == 50
    assert seen["/odom"][0]["twist"]["twist"]["linear"]["x"] == pytest.approx(0.14)
    assert all(_only_numbers(message) for messages in seen.values() for message in messages)


def _only_numbers(value: object) -> bool:
    if isinstance(value, dict):
        return all(_only_numbers(v) for v in value.values())
    if isinstance(value, list):
        return all(_only_numbers(v) for v in value)
    return value is None or (type(value) in (int, float) and math.isfinite(value))


def test_only_what_is_wanted_is_subscribed_to(endpoint: str) -> None:
    with StatePublisher(endpoint) as publisher, serving(endpoint) as server:

        def subscribed() -> set[str]:
            return {t.name for t in PERIODIC if publisher.node.count_subscribers(t.name)}

        def settles_at(topics: set[str]) -> bool:
            end = time.monotonic() + 3.0
            while subscribed() != topics and time.monotonic() < end:
                time.sleep(0.02)
            return subscribed() == topics

        time.sleep(0.4)
        assert subscribed() == set()
        with plotjuggler(server.url, "/dop"):
            assert settles_at({"/dopamine"})
        assert settles_at(set())


def test_without_an_agents_time_the_wall_clock_counts(endpoint: str) -> None:
    context = open_context(endpoint)
    try:
        publisher = Node("plain", context=context).create_publisher(
            message_class("std_msgs/msg/Float64"), "/x", 10
        )
        with serving(endpoint) as server, plotjuggler(server.url) as subscriber:
            assert publisher.wait_for_subscriptions(1, 5.0)
            publisher.publish(message_class("std_msgs/msg/Float64")(data=math.nan))
            publisher.publish(message_class("std_msgs/msg/Float64")(data=2.5))
            topic, body = subscriber.recv_multipart()
            assert topic == b"/x"
            assert json.loads(body)["data"] == 2.5
            assert abs(json.loads(body)["timestamp"] - time.time()) < 5.0
    finally:
        context.try_shutdown()


def test_numbers_of_a_message() -> None:
    assert numbers_of(message_class("std_msgs/msg/Bool")(data=True), 9) == {"data": 1}
    assert numbers_of(message_class("std_msgs/msg/String")(data="7"), 9) == {}
    assert numbers_of(message_class("std_msgs/msg/Float32")(data=math.inf), 9) == {}
    header = message_class("std_msgs/msg/Header")(frame_id="map")
    header.stamp.sec, header.stamp.nanosec = 3, 500_000_000
    assert numbers_of(header, 9) == {"stamp": 3.5}
    array = message_class("std_msgs/msg/Float32MultiArray")(data=np.array([1.0, math.nan, -math.inf]))
    array.layout.dim = [message_class("std_msgs/msg/MultiArrayDimension")(size=3)]
    layout = {"dim_size": 1, "data_offset": 0}
    assert numbers_of(array, 3) == {"layout": layout, "data_size": 3, "data": [1.0, None, None]}
    assert numbers_of(array, 2) == {"layout": layout, "data_size": 3}
    covariance = numbers_of(message_class("geometry_msgs/msg/PoseWithCovariance")(), 36)["covariance"]
    assert covariance == [0.0] * 36


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/net/tcp")
def test_only_the_loopback_interface_is_bound(endpoint: str) -> None:
    with serving(endpoint) as server:
        bound = listening(os.getpid())
    assert int(server.url.rsplit(":", 1)[1]) in bound
    assert set(bound.values()) == {"0100007F"}


def test_what_cannot_be_bound_is_refused(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EndpointError, match="loopback"):
        PlotJugglerServer(endpoint, bind="tcp://0.0.0.0:9872")
    with pytest.raises(ValueError, match="limit"):
        PlotJugglerServer(endpoint, limit=-1)
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        url = f"tcp://127.0.0.1:{squatter.getsockname()[1]}"
        with pytest.raises(BridgeError, match="cannot serve PlotJuggler"):
            PlotJugglerServer(endpoint, bind=url)
        assert main(["plotjuggler", endpoint, "--bind", url]) == 2
    error = capsys.readouterr().err
    assert error.startswith("tolman: error: cannot serve PlotJuggler at ")
    assert error.count("\n") == 1


def test_the_verb_sends_for_the_seconds_asked_for(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    bind = f"tcp://127.0.0.1:{free_port()}"
    assert main(["plotjuggler", endpoint, "--bind", bind, "--seconds", "0.3"]) == 0
    text = capsys.readouterr().out
    assert bind in text
    assert "sent 0 messages of 0 topics, 0 lost" in text
