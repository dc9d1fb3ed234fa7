"""Latency and throughput of the bridge through callbacks, against bare ZeroMQ in the same run.

    python benchmarks/bridge.py --json bridge.json [--ros PYTHON]

Both sides send 1 kB from one process to another over PUB and SUB on loopback, as one frame (the bridge has
no others), with the wall clock in it; bare pyzmq uses `send` and `recv` and unpacks the stamp, the bridge
publishes `std_msgs/msg/UInt8MultiArray` and calls back under `spin`. The receiver counts.

Latency: at 500 Hz, the median time from just before `publish` to the callback, over all messages but the
first fifth. Throughput: as fast as can be without loss: the sender has at most 250 messages under way, a
quarter of what ZeroMQ queues, which it knows from a counter in shared memory. Flood: the same without that
limit, where ZeroMQ drops what is too much. Only what arrived counts, and how much that was of what was sent
is in the results for both.

Medians of --runs runs in which all take turns; the ratios are medians of those within each run. `--ros`
names a Python that has real rclpy (`ros-rclpy[fastrtps]`, `ros-std-msgs`), measured in the same way for its
latency.
"""

import argparse
import json
import multiprocessing
import os
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

SIZE = 1000
WINDOW = 250  #: messages under way at most; ZeroMQ, which learns late what was taken, drops from 500 on
RATE = 500.0  #: Hz
STAMP = struct.Struct("<q")
DEPTH = 1000
QUIET = 1.0  #: s after the last message until a run is over

Counter = Any  #: of what has arrived, shared; a `ctypes.c_int64`


def free_port() -> int:
    """A port of loopback that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pace(send: Callable[[], None], mode: str, seconds: float, arrived: Counter, sent: Counter) -> None:
    """Send for `seconds`: at `RATE` ("latency"), with a window ("windowed") or without ("flood")."""
    number = 0
    clock = time.monotonic
    end = due = clock()
    end += seconds
    while clock() < end:
        if mode == "windowed" and number - arrived.value >= WINDOW:
            time.sleep(5e-5)
            continue
        send()
        number += 1
        if mode == "latency":
            due += 1.0 / RATE
            time.sleep(max(due - clock(), 0.0))
    sent.value = number
    time.sleep(QUIET)  # until all that is queued has left


def bare_sender(port: int, *how: Any) -> None:
    """Publish with pyzmq."""
    import zmq

    out = zmq.Context().socket(zmq.XPUB)  # a PUB that tells of subscriptions
    out.setsockopt(zmq.SNDHWM, DEPTH)
    out.bind(f"tcp://127.0.0.1:{port}")
    out.recv()
    filling = bytes(SIZE - STAMP.size)
    pace(lambda: out.send(b"t\0" + STAMP.pack(time.time_ns()) + filling), *how)


def bare_receiver(port: int, take: Callable[[int], None], over: Callable[[], bool]) -> None:
    """Hand the stamp of each message to `take` until it is `over`."""
    import zmq

    into = zmq.Context().socket(zmq.SUB)
    into.setsockopt(zmq.SUBSCRIBE, b"t\0")
    into.setsockopt(zmq.RCVTIMEO, 200)
    into.connect(f"tcp://127.0.0.1:{port}")
    while True:
        try:
            data = into.recv()
        except zmq.Again:
            if over():
                return
            continue
        take(STAMP.unpack_from(data, 2)[0])


def bridge_sender(port: int, *how: Any) -> None:
    """Publish with the bridge."""
    from tolman import bridge
    from tolman.bridge.node import Node

    context = bridge.open_context(f"tcp://127.0.0.1:{port}")
    node = Node("sender", context=context, start_parameter_services=False)
    kind = bridge.message_class("std_msgs/msg/UInt8MultiArray")
    publisher = node.create_publisher(kind, "t", DEPTH)
    publisher.wait_for_subscriptions(1, 10.0)
    filling = bytes(SIZE - STAMP.size)
    message = kind()

    def send() -> None:
        message.data = STAMP.pack(time.time_ns()) + filling
        publisher.publish(message)

    pace(send, *how)
    context.try_shutdown()


def bridge_receiver(port: int, take: Callable[[int], None], over: Callable[[], bool]) -> None:
    """As `bare_receiver`, through a callback of a node that is spun."""
    from tolman import bridge
    from tolman.bridge.executors import SingleThreadedExecutor
    from tolman.bridge.node import Node

    context = bridge.open_context(f"tcp://127.0.0.1:{port}")
    node = Node("receiver", context=context)

    def heard(message: Any) -> None:
        take(STAMP.unpack_from(message.data)[0])

    executor = SingleThreadedExecutor(context=context)
    node.create_subscription(bridge.message_class("std_msgs/msg/UInt8MultiArray"), "t", heard, DEPTH)
    node.create_timer(0.2, lambda: context.request_shutdown() if over() else None)
    bridge.spin(node, executor)
    context.try_shutdown()


SIDES = {"bare": (bare_sender, bare_receiver), "bridge": (bridge_sender, bridge_receiver)}


def measure(side: str, mode: str, seconds: float) -> dict[str, float]:
    """Median latency in s, messages per second that arrived, and how many were sent and arrived."""
    sender, receiver = SIDES[side]
    port = free_port()
    spawn = multiprocessing.get_context("spawn")
    arrived: Synchronized[int] = spawn.Value("q", 0, lock=False)  # type: ignore[assignment]
    sent: Synchronized[int] = spawn.Value("q", -1, lock=False)  # type: ignore[assignment]
    process = spawn.Process(target=sender, args=(port, mode, seconds, arrived, sent))
    delays: list[int] = []
    last = first = 0.0

    def take(stamp: int) -> None:
        nonlocal first, last
        delays.append(time.time_ns() - stamp)
        last = time.monotonic()
        first = first or last
        arrived.value += 1

    process.start()

    def over() -> bool:
        stopped = sent.value >= 0 or not process.is_alive()
        return stopped and time.monotonic() - last > QUIET

    receiver(port, take, over)
    process.join()
    kept = delays[len(delays) // 5 :]
    return {
        "latency_s": statistics.median(kept) / 1e9,
        "messages_per_s": (len(delays) - 1) / (last - first),
        "sent": sent.value,
        "arrived": len(delays),
    }


def measure_ros(python: str, seconds: float) -> float:
    """Median latency of real rclpy, s."""
    here = Path(__file__).with_name("bridge_ros.py")
    said = subprocess.run(
        [python, str(here), str(seconds)], check=True, capture_output=True, text=True, timeout=seconds + 60
    )
    return float(said.stdout.split()[-1])


def run_all(seconds: float, ros: str | None) -> dict[str, Any]:
    """One run of everything."""
    found: dict[str, Any] = {}
    for mode, share in (("latency", 1.0), ("windowed", 0.5), ("flood", 0.5)):
        found[mode] = {side: measure(side, mode, seconds * share) for side in SIDES}
    if ros is not None:
        found["latency"]["ros"] = {"latency_s": measure_ros(ros, seconds)}
    return found


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the runs, and of the ratios within each."""

    def median(mode: str, side: str, number: str) -> float:
        return statistics.median(run[mode][side][number] for run in runs)

    def ratio(mode: str, number: str) -> float:
        return statistics.median(run[mode]["bridge"][number] / run[mode]["bare"][number] for run in runs)

    result = {
        "latency_s": {side: median("latency", side, "latency_s") for side in runs[0]["latency"]},
        "latency_ratio": ratio("latency", "latency_s"),
    }
    for mode in ("windowed", "flood"):
        result[f"{mode}_per_s"] = {side: median(mode, side, "messages_per_s") for side in SIDES}
        result[f"{mode}_ratio"] = ratio(mode, "messages_per_s")
        result[f"{mode}_arrived"] = {
            side: statistics.median(run[mode][side]["arrived"] / run[mode][side]["sent"] for run in runs)
            for side in SIDES
        }
    return result


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--ros", metavar="PYTHON", help="a Python that has real rclpy")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    runs = []
    for number in range(arguments.runs):
        runs.append(run_all(arguments.seconds, arguments.ros))
        print(f"run {number + 1}: {summary(runs[-1:])}", file=sys.stderr, flush=True)
    result = summary(runs) | {"runs": runs, "cores": os.cpu_count()}
    for side, latency in result["latency_s"].items():
        print(f"1 kB at 500 Hz, median, {side}: {latency * 1e6:.0f} us")
    for mode in ("windowed", "flood"):
        for side, rate in result[f"{mode}_per_s"].items():
            print(f"1 kB, {mode}, {side}: {rate:.0f}/s")
    print(
        f"ratios to bare: latency {result['latency_ratio']:.2f}, windowed {result['windowed_ratio']:.2f}, "
        f"flood {result['flood_ratio']:.2f}"
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
