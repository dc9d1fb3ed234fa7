"""An agent's topics at their full rate for as long as one likes: memory of each process, and what was lost.

    python benchmarks/bridge_soak.py --minutes 45 --json soak.json

Three processes: one publishes every topic of an agent, 25 times a second, with messages as large as those
of a water maze (`--agent` has a real agent do it, which learns, and whose memory therefore grows); one
subscribes to them all and must lose nothing; `tolman record` writes them to a file, which is read at the
end. Resident memory and processor time are sampled from /proc. The slope is that of the means of twenty
blocks of time, without the first fifth, with the 95 % interval of a line through them.
"""

import argparse
import json
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import stats

PERIOD = 0.04  #: s
EVERY = 5.0  #: s between samples
BLOCKS = 20
WARM_UP = 0.2  #: of the time, left out of the slope
CELLS, SPIKES, EVENTS = 2000, 1000, 700  #: of a period in a water maze
MIB = 2.0**20
TICKS = os.sysconf("SC_CLK_TCK")
TOLMAN = (sys.executable, "-c", "from tolman.launch.cli import main; raise SystemExit(main())")


def free_port() -> int:
    """A port of loopback that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def publish(endpoint: str) -> None:
    """Publish an agent's topics in real time until SIGINT; tell how many periods there were."""
    from tolman.bridge.state import StatePublisher

    generator = np.random.default_rng(1)
    angles = np.linspace(0.0, 2 * math.pi, 65)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    walls = np.stack([circle[:-1], circle[1:]], axis=1)
    number, late = 0, 0
    with StatePublisher(endpoint, width=128, height=32) as publisher:
        publisher.set_populations({"place": slice(0, CELLS), "ca3": slice(CELLS, 3 * CELLS)})
        publisher.set_arena(walls, goal=(0.3, 0.2), goal_radius=0.1, map_origin=(0.0, 0.0, 0.0))
        print("publishing", flush=True)
        due = time.monotonic()
        try:
            while True:
                spikes, events = (int(generator.poisson(mean)) for mean in (SPIKES, EVENTS))
                now, angle = number * PERIOD, 0.3 * number * PERIOD
                pose = np.array([0.5 * math.cos(angle), 0.5 * math.sin(angle), angle + math.pi / 2])
                snapshot = SimpleNamespace(
                    time=now,
                    pose_estimate=pose,
                    spike_neuron=generator.integers(0, 3 * CELLS, spikes).astype(np.uint32),
                    spike_time=np.sort(generator.integers(0, 40, spikes)).astype(np.uint16),
                    place_activity=generator.random(CELLS, np.float32),
                    dopamine=math.sin(now),
                    value=math.cos(now),
                    twist=np.array([0.15, 0.3], np.float32),
                )
                seen = {
                    "t": np.sort(generator.integers(0, 40_000, events)),
                    "x": generator.integers(0, 128, events).astype(np.int16),
                    "y": generator.integers(0, 32, events).astype(np.int16),
                    "p": generator.integers(0, 2, events).astype(np.uint8),
                }
                observation = {"events": seen, "odometry": np.array([0.14, 0.31], np.float32)}
                publisher.publish(snapshot, observation, reward=0.0, true_pose=pose)
                number += 1
                if number % 1500 == 0:  # what is kept for late joiners changes too
                    publisher.set_arena(walls, goal=pose[:2], goal_radius=0.1, map_origin=(0.0, 0.0, 0.0))
                due += PERIOD
                late += time.monotonic() > due + PERIOD
                time.sleep(max(due - time.monotonic(), 0.0))
        except KeyboardInterrupt:
            pass
    print(json.dumps({"periods": number, "late_periods": late}))


def subscribe(endpoint: str) -> None:
    """Count what comes on every topic, in callbacks, until SIGINT; tell what came and what did not."""
    from tolman import bridge
    from tolman.bridge.executors import SingleThreadedExecutor
    from tolman.bridge.node import Node
    from tolman.bridge.qos import DurabilityPolicy, QoSProfile
    from tolman.bridge.topics import TOPICS

    context = bridge.open_context(endpoint)
    node = Node("soak", context=context)
    counts: Counter[str] = Counter()
    subscriptions = []
    for name, topic in TOPICS.items():
        durability = DurabilityPolicy.VOLATILE if topic.each_period else DurabilityPolicy.TRANSIENT_LOCAL
        profile = QoSProfile(depth=1000 if topic.each_period else 1, durability=durability)

        def heard(message: Any, name: str = name) -> None:
            counts[name] += 1

        kind = bridge.message_class(topic.type_name)
        subscriptions.append(node.create_subscription(kind, name, heard, profile))
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    print("subscribed", flush=True)
    try:
        while True:
            executor.spin_once(timeout_sec=1.0)
    except KeyboardInterrupt:
        pass
    lost = {s.topic: s.statistics.missed for s in subscriptions if s.statistics.missed}
    refused = sum(s.statistics.refused for s in subscriptions)
    context.try_shutdown()
    print(json.dumps({"messages": dict(sorted(counts.items())), "lost": lost, "refused": refused}))


def resident(process: int) -> float:
    """Resident memory, MiB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(process)


def processor(process: int) -> float:
    """Processor time so far, s."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def slope(times: list[float], memory: list[float]) -> dict[str, float]:
    """MiB an hour, with its interval, over the means of blocks; nothing where there are too few samples."""
    kept = [(t, m) for t, m in zip(times, memory, strict=True) if t >= WARM_UP * times[-1]]
    if len(kept) < 2 * BLOCKS:
        return {}
    blocks = np.array([np.mean(block, axis=0) for block in np.array_split(np.array(kept), BLOCKS)])
    line = stats.linregress(blocks[:, 0] / 3600.0, blocks[:, 1])
    reach = float(stats.t.ppf(0.975, BLOCKS - 2) * line.stderr)
    middle = float(line.slope)
    return {"mib_per_hour": middle, "low": middle - reach, "high": middle + reach}


def started(command: list[str], **environment: str) -> "subprocess.Popen[str]":
    """A process whose lines can be read."""
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1", **environment}
    )


def ended(process: "subprocess.Popen[str]") -> str:
    """What a process says when it is asked to end."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=60.0)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def last_json(text: str) -> dict[str, Any]:
    """The object in the last line."""
    lines = text.strip().splitlines()
    try:
        found: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError):
        return {}
    return found


def soak(minutes: float, agent: bool, folder: Path) -> dict[str, Any]:
    """Run the three processes and sample them."""
    from tolman.bridge.recording.reader import Recording

    endpoint = f"tcp://127.0.0.1:{free_port()}"
    this = [sys.executable, os.path.abspath(__file__), "--endpoint", endpoint, "--role"]
    if agent:
        run = ["run", "WaterMaze", "--real-time", "--publish", endpoint, "--episodes", "100000"]
        publisher = started([*TOLMAN, *run, "--set", "habituation=60"])
    else:
        publisher = started([*this, "publish"])
    processes = {"publisher": publisher}
    assert publisher.stdout is not None
    publisher.stdout.readline()  # it publishes
    processes["subscriber"] = started([*this, "subscribe"])
    file = folder / "soak.mcap"
    processes["recorder"] = started([*TOLMAN, "record", str(file), endpoint])
    times: list[float] = []
    memory: dict[str, list[float]] = {name: [] for name in processes}
    begin = time.monotonic()
    died: list[str] = []
    used: dict[str, float] = {}
    while time.monotonic() - begin < minutes * 60.0 and not died:
        time.sleep(EVERY)
        died = [name for name, process in processes.items() if process.poll() is not None]
        if died:
            break
        times.append(time.monotonic() - begin)
        for name, process in processes.items():
            memory[name].append(resident(process.pid))
            used[name] = processor(process.pid)
    heard, recorded = ended(processes["subscriber"]), ended(processes["recorder"])
    sent = ended(publisher)
    if died:
        raise SystemExit(f"{', '.join(died)} ended before its time:\n{sent}\n{heard}\n{recorded}")
    with Recording(file) as recording:
        written = {topic.name: topic.messages for topic in recording.topics}
        missed, trouble = recording.missed, recording.trouble
    result: dict[str, Any] = {
        "minutes": times[-1] / 60.0,
        "source": "agent" if agent else "messages of an agent's size",
        "published": {} if agent else last_json(sent),
        "subscriber": last_json(heard),
        "recorder": {
            "messages": written,
            "lost": missed,
            "trouble": trouble,
            "file_mib": file.stat().st_size / MIB,
        },
        "memory_mib": {
            name: {"first": kept[0], "last": kept[-1], "most": max(kept), "slope": slope(times, kept)}
            for name, kept in memory.items()
        },
        "processor_share": {name: spent / times[-1] for name, spent in used.items()},
        "samples": {
            "seconds": [round(t) for t in times[::12]],
            **{name: [round(m, 2) for m in kept[::12]] for name, kept in memory.items()},
        },
    }
    told = result["subscriber"].get("lost")  # nothing if it had to be killed
    result["lost"] = None if told is None else sum(told.values()) + sum(missed.values())
    return result


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=45.0)
    parser.add_argument("--agent", action="store_true", help="publish from `tolman run` in real time")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--role", choices=("publish", "subscribe"), help=argparse.SUPPRESS)
    parser.add_argument("--endpoint", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role:
        {"publish": publish, "subscribe": subscribe}[arguments.role](arguments.endpoint)
        return
    # what a shell starts in the background ignores SIGINT, and so would all that is started here
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        result = soak(arguments.minutes, arguments.agent, Path(folder))
    for name, numbers in result["memory_mib"].items():
        line = numbers["slope"]
        trend = f"{line['mib_per_hour']:+.2f} ({line['low']:+.2f} to {line['high']:+.2f})" if line else "?"
        share = result["processor_share"][name]
        print(f"{name}: {numbers['last']:.1f} MiB, {trend} MiB an hour, {share:.0%} of a core")
    heard = sum(result["subscriber"].get("messages", {}).values())
    print(f"{result['minutes']:.1f} min, {heard} messages in callbacks, {result['lost']} lost")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
