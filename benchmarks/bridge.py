"""Latency and throughput of the bridge through callbacks, against bare ZeroMQ in the same run.

    python benchmarks/bridge.py --json bridge.json

Latency: a publisher in a process of its own sends 1 kB at 500 Hz; the median time from just before `publish`
to the callback, over all messages but the first fifth. Throughput: 1 kB as fast as the publisher can; those
that arrived per second. Bare ZeroMQ sends as many bytes over PUB and SUB on loopback, and unpacks a stamp.
Medians of --runs runs in which the two take turns.
"""

import argparse
import json
import multiprocessing
import os
import socket
import statistics
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZE = 1000
STAMP = struct.Struct("<q")


def free_port() -> int:
    """A port of loopback that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pace(send: Callable[[], None], rate: float, seconds: float) -> None:
    """Send at `rate` Hz for `seconds`; as fast as possible if the rate is 0."""
    end = time.monotonic() + seconds
    due = time.monotonic()
    while time.monotonic() < end:
        send()
        if rate:
            due += 1.0 / rate
            time.sleep(max(due - time.monotonic(), 0.0))


def bare_sender(port: int, rate: float, seconds: float) -> None:
    """Publish with pyzmq."""
    import zmq

    out = zmq.Context().socket(zmq.PUB)
    out.setsockopt(zmq.SNDHWM, 1000)
    out.bind(f"tcp://127.0.0.1:{port}")
    time.sleep(0.5)
    filling = bytes(SIZE - STAMP.size)
    pace(lambda: out.send(b"t\0" + STAMP.pack(time.time_ns()) + filling), rate, seconds)


def bare_receiver(port: int, take: Callable[[int], None], idle: float) -> None:
    """Hand the stamp of each message to `take` until none came for `idle` s."""
    import zmq

    into = zmq.Context().socket(zmq.SUB)
    into.setsockopt(zmq.SUBSCRIBE, b"t\0")
    into.setsockopt(zmq.RCVTIMEO, int(idle * 1000))
    into.connect(f"tcp://127.0.0.1:{port}")
    while True:
        try:
            data = into.recv()
        except zmq.Again:
            return
        take(STAMP.unpack_from(data, 2)[0])


def bridge_sender(port: int, rate: float, seconds: float) -> None:
    """Publish with the bridge."""
    from tolman import bridge
    from tolman.bridge.node import Node

    context = bridge.open_context(f"tcp://127.0.0.1:{port}")
    node = Node("sender", context=context, start_parameter_services=False)
    kind = bridge.message_class("std_msgs/msg/UInt8MultiArray")
    publisher = node.create_publisher(kind, "t", 1000)
    publisher.wait_for_subscriptions(1, 10.0)
    filling = bytes(SIZE - STAMP.size)
    message = kind()

    def send() -> None:
        message.data = STAMP.pack(time.time_ns()) + filling
        publisher.publish(message)

    pace(send, rate, seconds)
    context.try_shutdown()


def bridge_receiver(port: int, take: Callable[[int], None], idle: float) -> None:
    """As `bare_receiver`, through a callback of an executor."""
    from tolman import bridge
    from tolman.bridge.executors import SingleThreadedExecutor
    from tolman.bridge.node import Node

    context = bridge.open_context(f"tcp://127.0.0.1:{port}")
    node = Node("receiver", context=context, start_parameter_services=False)
    last = time.monotonic() + 5.0

    def heard(message: Any) -> None:
        nonlocal last
        take(STAMP.unpack_from(message.data)[0])
        last = time.monotonic()

    node.create_subscription(bridge.message_class("std_msgs/msg/UInt8MultiArray"), "t", heard, 1000)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    while time.monotonic() - last < idle:
        executor.spin_once(timeout_sec=idle / 4)
    executor.shutdown()
    context.try_shutdown()


SIDES = {"bare": (bare_sender, bare_receiver), "bridge": (bridge_sender, bridge_receiver)}


def measure(side: str, rate: float, seconds: float) -> tuple[float, float]:
    """Return the median latency in s and the messages per second that arrived."""
    sender, receiver = SIDES[side]
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=sender, args=(port, rate, seconds))
    delays: list[int] = []
    arrived: list[float] = []

    def take(stamp: int) -> None:
        delays.append(time.time_ns() - stamp)
        arrived.append(time.monotonic())

    process.start()
    receiver(port, take, 3.0)
    process.join()
    kept = delays[len(delays) // 5 :]
    spent = arrived[-1] - arrived[0] if len(arrived) > 1 else float("inf")
    return statistics.median(kept) / 1e9, len(arrived) / spent


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    latency: dict[str, list[float]] = {side: [] for side in SIDES}
    rate: dict[str, list[float]] = {side: [] for side in SIDES}
    for _ in range(arguments.runs):
        for side in SIDES:
            latency[side].append(measure(side, 500.0, arguments.seconds)[0])
            rate[side].append(measure(side, 0.0, arguments.seconds / 2)[1])
    middle = {side: statistics.median(latency[side]) for side in SIDES}
    through = {side: statistics.median(rate[side]) for side in SIDES}
    result = {
        "latency_s": middle,
        "latency_ratio": middle["bridge"] / middle["bare"],
        "messages_per_s": through,
        "throughput_ratio": through["bridge"] / through["bare"],
        "runs": {"latency_s": latency, "messages_per_s": rate},
        "cores": os.cpu_count(),
    }
    print(
        f"1 kB at 500 Hz, median: bridge {middle['bridge'] * 1e6:.0f} us, bare {middle['bare'] * 1e6:.0f} us"
    )
    print(f"as fast as possible: bridge {through['bridge']:.0f}/s, bare {through['bare']:.0f}/s")
    print(f"ratios: latency {result['latency_ratio']:.2f}, throughput {result['throughput_ratio']:.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
