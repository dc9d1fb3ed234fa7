"""What the bridge bears: floods, garbage, wrong keys, a killed hub, a subscriber that stops reading.

    python benchmarks/bridge_abuse.py --json benchmarks/results/bridge_abuse.json

Each attack is on a publisher and a subscription that do their work before and after; times are until messages
flow again. Memory is resident, of the process that is attacked.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import zmq
from tolman import bridge
from tolman.bridge.exceptions import BridgeError
from tolman.bridge.interfaces import service_class
from tolman.bridge.messages import message_class, serialize, type_hash_prefix
from tolman.bridge.network import keys
from tolman.bridge.network.announcements import PROTOCOL, Participant
from tolman.bridge.network.wire import MAX_FRAME, Header, encode, topic_prefix
from tolman.bridge.node import Node

String = message_class("std_msgs/msg/String")
MIB = 2**20
SUBSCRIPTIONS = 300_000


def free_endpoint() -> str:
    """An endpoint of loopback that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


def resident() -> float:
    """Memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def seconds_until(condition: Callable[[], object], limit: float = 30.0) -> float:
    """How long it took until something held; infinite beyond `limit` s."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > limit:
            return float("inf")
        time.sleep(0.002)
    return time.monotonic() - start


class Pair:
    """A publisher and a subscription in two contexts that meet at an endpoint of their own."""

    def __init__(self, folder: Path | None = None) -> None:
        self.endpoint = free_endpoint()
        self.sender, self.receiver = (bridge.open_context(self.endpoint, keys=folder) for _ in range(2))
        self.publisher = Node("sender", context=self.sender).create_publisher(String, "/odom", 10)
        self.node = Node("receiver", context=self.receiver)
        self.heard = self.node.create_subscription(String, "/odom", print, 10)
        self.publisher.wait_for_subscriptions(1)

    def recovery(self) -> float:
        """s until a message that is published from now on arrives."""
        before = self.heard.statistics.received

        def flows() -> bool:
            self.publisher.publish(String(data="x"))
            return self.heard.statistics.received > before

        return seconds_until(flows)

    def refused(self) -> dict[str, int]:
        """What both refused."""
        counts: dict[str, int] = {}
        for context in (self.sender, self.receiver):
            for reason, count in context.refused.items():
                counts[reason.value] = counts.get(reason.value, 0) + count
        return counts

    def close(self) -> None:
        """End both."""
        self.receiver.try_shutdown()
        self.sender.try_shutdown()


class Rogue:
    """Knows the protocol, and is connected to by all."""

    def __init__(self, endpoint: str) -> None:
        self.zmq = zmq.Context()
        self.out = self.zmq.socket(zmq.PUB)
        self.out.setsockopt(zmq.SNDHWM, 0)
        port = self.out.bind_to_random_port("tcp://127.0.0.1")
        self.hub = self.zmq.socket(zmq.DEALER)
        self.hub.connect(endpoint)
        own = Participant(id="00000000deadbeef", data=f"tcp://127.0.0.1:{port}")
        self.hub.send_multipart([PROTOCOL, msgspec.json.encode(own)])

    def frame(self, sequence: int, publisher: bytes = b"rogue 01") -> bytes:
        """A frame in order, but for what is asked."""
        header = Header(sequence, 1, -1, type_hash_prefix("std_msgs/msg/String"), publisher)
        return encode(topic_prefix("/odom"), header, serialize(String(data="x")))

    def connect(self, pair: Pair) -> int:
        """Send until heard; return the next sequence number."""
        before, numbers = pair.heard.statistics.received, iter(range(1, 10**9))

        def flows() -> bool:
            self.out.send(self.frame(next(numbers)))
            return pair.heard.statistics.received > before

        seconds_until(flows)
        return next(numbers)

    def close(self) -> None:
        """End it."""
        self.zmq.destroy(linger=0)


def oversize() -> dict[str, Any]:
    """One message above the limit: silence of its sender, as far as other messages of it go."""
    pair = Pair()
    rogue = Rogue(pair.endpoint)
    number = rogue.connect(pair)
    rogue.out.send(b"/odom\0" + bytes(MAX_FRAME + 1))
    time.sleep(0.05)
    before = pair.heard.statistics.received
    numbers = iter(range(number + 1, 10**9))

    def flows() -> bool:
        rogue.out.send(rogue.frame(next(numbers)))
        return pair.heard.statistics.received > before

    found = {"sender_heard_again_s": seconds_until(flows), "others_s": pair.recovery()}
    rogue.close()
    pair.close()
    return found


def garbage(folder: Path | None) -> dict[str, Any]:
    """1000 TCP connections that send random bytes, to the hub and to a data socket."""
    pair, generator = Pair(folder), random.Random(1)
    before = resident()
    for _ in range(500):
        for where in (pair.endpoint, pair.sender.transport.data_endpoint):
            with socket.create_connection(("127.0.0.1", int(where.rsplit(":", 1)[1]))) as raw:
                raw.sendall(generator.randbytes(1000))
    found: dict[str, Any] = {"recovery_s": pair.recovery(), "grown_mib": resident() - before}
    time.sleep(2.0)  # the last ones are still being counted
    found["refused"] = pair.refused()
    pair.close()
    return found


def wrong_key(folder: Path, strange: Path) -> dict[str, Any]:
    """Somebody with another key, and somebody with none."""
    pair, lines = Pair(folder), []
    for other in (strange, None):
        try:
            Node("enemy", context=bridge.open_context(pair.endpoint, keys=other))
        except BridgeError as error:
            lines.append(type(error).__name__)
    time.sleep(1.0)
    found = {"answers": lines, "recovery_s": pair.recovery(), "refused": pair.refused()}
    found["participants"] = len(pair.sender.graph.participants)
    pair.close()
    return found


def subscriptions() -> dict[str, Any]:
    """`SUBSCRIPTIONS` topics subscribed to by one connection, which comes back when it is cut off."""
    pair = Pair()
    before = peak = resident()
    enemy = subprocess.Popen(
        [sys.executable, "-c", _GREEDY, pair.sender.transport.data_endpoint, str(SUBSCRIPTIONS)]
    )
    slowest = 0.0
    while enemy.poll() is None:
        slowest = max(slowest, pair.recovery())
        peak = max(peak, resident())
    found = {
        "grown_mib": peak - before,
        "slowest_message_s": slowest,
        "recovery_s": pair.recovery(),
        "refused": pair.refused(),
    }
    pair.close()
    return found


_GREEDY = """
import sys, time, zmq
out = zmq.Context().socket(zmq.XSUB)
out.setsockopt(zmq.SNDHWM, 0)
out.setsockopt(zmq.LINGER, 0)
out.connect(sys.argv[1])
time.sleep(0.3)
for number in range(int(sys.argv[2])):
    out.send(b"\\1/t%d\\0" % number)
time.sleep(5.0)
"""


def forged() -> dict[str, Any]:
    """Frames that are replayed, spoofed, of unknown kinds, of another type, or cut short: 1000 of each."""
    pair = Pair()
    pair.publisher.publish(String(data="x"))
    rogue = Rogue(pair.endpoint)
    number = rogue.connect(pair) + 1000
    good, start = rogue.frame(number), len(b"/odom\0")
    rogue.out.send(good)
    publisher = pair.publisher._outlet.publisher
    for step in range(1000):
        if step % 50 == 0:
            time.sleep(0.05)  # or the queue would lose them: it holds a thousand
        rogue.out.send(good)  # replayed
        rogue.out.send(rogue.frame(1))  # going back
        rogue.out.send(rogue.frame(2**40, publisher))
        rogue.out.send(good[:start] + b"XXXX" + good[start + 4 :])
        rogue.out.send(good[: start + 4] + b"\x63" + good[start + 5 :])
        rogue.out.send(good[: start + 5] + b"\xff" + good[start + 6 :])
        rogue.out.send(good[: start + 32] + b"othertyp" + good[start + 40 :])
        rogue.out.send(good[: start + 30])
    for _ in range(1000):
        number += 1
        cut = rogue.frame(number)[:-3]
        before = pair.heard.statistics.received
        rogue.out.send(cut)
        seconds_until(lambda before=before: pair.heard.statistics.received > before, 1.0)
        pair.heard.take()
    found = {"recovery_s": pair.recovery()}
    while pair.heard.take() is not None:
        pass
    found["refused"] = pair.refused()
    rogue.close()
    pair.close()
    return found


_HUB = """
import sys, time
from tolman import bridge
context = bridge.open_context(sys.argv[1])
node = bridge.Node("hub", context=context)
assert context.graph.is_hub
print("ready", flush=True)
time.sleep(600)
"""


def killed_hub(folder: Path | None) -> dict[str, Any]:
    """The hub gets SIGKILL: s until a new topic and a new service work between two others."""
    endpoint = free_endpoint()
    variables = os.environ | ({} if folder is None else {keys.ENVIRONMENT: str(folder)})
    hub = subprocess.Popen([sys.executable, "-c", _HUB, endpoint], stdout=subprocess.PIPE, env=variables)
    assert hub.stdout is not None
    hub.stdout.readline()
    one, two = (bridge.open_context(endpoint, keys=folder) for _ in range(2))
    node, other = Node("one", context=one), Node("two", context=two)
    hub.send_signal(signal.SIGKILL)
    hub.wait()
    start = time.monotonic()
    service = service_class("std_srvs/srv/Trigger")
    publisher = node.create_publisher(String, "/new", 10)
    heard = other.create_subscription(String, "/new", print, 10)
    node.create_service(service, "/serve", lambda request, response: response)
    client = other.create_client(service, "/serve")
    publisher.wait_for_subscriptions(1, 30.0)
    publisher.publish(String(data="x"))
    seconds_until(lambda: heard.statistics.received)
    topic = time.monotonic() - start
    client.wait_for_service(30.0)
    executors = [bridge.SingleThreadedExecutor(context=context) for context in (one, two)]
    for executor, each in zip(executors, (node, other), strict=True):
        executor.add_node(each)
    future = client.call_async(service.Request())

    def answered() -> bool:
        for executor in executors:
            executor.spin_once(timeout_sec=0.0)
        return bool(future.done())

    seconds_until(answered)
    found = {"new_topic_s": topic, "new_service_s": time.monotonic() - start}
    seconds = seconds_until(
        lambda: len(one.graph.participants) == 2 and (one.graph.is_hub or two.graph.is_hub)
    )
    found["graph_whole_s"] = time.monotonic() - start if seconds < 30 else seconds
    for context in (one, two):
        context.try_shutdown()
    return found


_STALLED = """
import sys, time
from tolman import bridge
from tolman.bridge.messages import message_class
context = bridge.open_context(sys.argv[1])
node = bridge.Node("stalled", context=context)
node.create_subscription(message_class("std_msgs/msg/UInt8MultiArray"), "/large", print, 1)
print("ready", flush=True)
time.sleep(600)
"""


def stalled(size: int, total: int) -> dict[str, Any]:
    """A subscriber is stopped, and `total` bytes in messages of `size` are published to it."""
    context = bridge.open_context(free_endpoint())
    kind = message_class("std_msgs/msg/UInt8MultiArray")
    publisher = Node("n", context=context).create_publisher(kind, "/large", 1)
    process = subprocess.Popen([sys.executable, "-c", _STALLED, context.endpoint], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    publisher.wait_for_subscriptions(1, 10.0)
    message = kind(data=bytes(size))
    publisher.publish(message)
    time.sleep(0.5)
    process.send_signal(signal.SIGSTOP)
    before = peak = resident()
    for _ in range(total // size):
        publisher.publish(message)
        peak = max(peak, resident())
    process.kill()
    process.wait()
    context.try_shutdown()
    return {"message_bytes": size, "published_mib": total / MIB, "grown_mib": peak - before}


def listening(command: list[str], settle: float) -> list[str] | None:
    """Addresses at which a command line of tolman and its children listen; None if it ends at once."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tolman.launch.cli", *command],
        env=os.environ | {"TOLMAN_ENDPOINT": free_endpoint()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    seconds_until(lambda: _listening(process.pid) or process.poll() is not None, 60.0)
    time.sleep(settle)
    if process.poll() is not None:  # rerun-sdk is not installed, say
        return None
    found = _listening(process.pid)
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    return sorted(found)


def _listening(root: int) -> list[str]:
    """Addresses at which a process and its descendants listen."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    ours, before = {root}, 0
    while len(ours) > before:
        before = len(ours)
        ours |= {pid for pid, parent in parents.items() if parent in ours}
    table = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout
    return [
        line.split()[3].rsplit(":", 1)[0]
        for line in table.splitlines()
        if any(f"pid={pid}," in line for pid in ours)
    ]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", action="append", help="some of the measurements, by name")
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="tolman-abuse-"))
    folder, strange = home / "keys", home / "strange"
    keys.create(folder)
    keys.create(strange)
    measurements: dict[str, Callable[[], Any]] = {
        "oversize": oversize,
        "garbage": lambda: garbage(None),
        "garbage_with_keys": lambda: garbage(folder),
        "wrong_key": lambda: wrong_key(folder, strange),
        "subscriptions": subscriptions,
        "forged": forged,
        "killed_hub": lambda: killed_hub(None),
        "killed_hub_with_keys": lambda: killed_hub(folder),
        "stalled_large": lambda: stalled(4 * MIB, 2048 * MIB),
        "stalled_small": lambda: stalled(50_000, 500_000_000),
        "listening_run": lambda: listening(["run", "WaterMaze", "--publish", "--real-time"], 3.0),
        "listening_launch": lambda: listening(["launch", "water_maze"], 15.0),
        "listening_foxglove": lambda: listening(["foxglove", "--port", "28765"], 3.0),
        "listening_dashboard": lambda: listening(
            ["dashboard", "--port", "29090", "--data-port", "29876"], 10.0
        ),
    }
    results: dict[str, Any] = {"cores": os.cpu_count()}
    for name, measure in measurements.items():
        if arguments.only and name not in arguments.only:
            continue
        load = os.getloadavg()[0]
        results[name] = measure()
        print(f"{name} (load {load:.0f}): {json.dumps(results[name])}", flush=True)
        results.setdefault("load", {})[name] = load
    shutil.rmtree(home)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
