"""An agent that drives in a circle and publishes every topic, for tests of viewers."""

import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
from tolman.bridge.state import StatePublisher

PERIOD = 0.04
ANGLES = np.linspace(0, 2 * math.pi, 25)
CIRCLE = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])
WALLS = np.stack([CIRCLE[:-1], CIRCLE[1:]], axis=1)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody holds."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    """Wait for `condition`; whether it came to hold in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def listening(process: int) -> dict[int, str]:
    """Ports that a process listens on, and the address in the notation of /proc/net/tcp."""
    inodes = set()
    for descriptor in os.listdir(f"/proc/{process}/fd"):
        try:
            inodes.add(os.readlink(f"/proc/{process}/fd/{descriptor}"))
        except OSError:  # closed meanwhile
            continue
    found = {}
    for table in ("tcp", "tcp6"):
        with open(f"/proc/net/{table}") as lines:
            for line in list(lines)[1:]:
                _, local, _, state, *rest = line.split()
                if state == "0A" and f"socket:[{rest[5]}]" in inodes:
                    address, port = local.split(":")
                    found[int(port, 16)] = address
    return found


def period(number: int, events: int = 300) -> tuple[Any, dict[str, Any]]:
    """Snapshot and observation of control period `number`."""
    generator = np.random.default_rng(number)
    time, angle = number * PERIOD, 0.3 * number * PERIOD
    snapshot = SimpleNamespace(
        time=time,
        pose_estimate=np.array([0.5 * math.cos(angle), 0.5 * math.sin(angle), angle + math.pi / 2]),
        spike_neuron=generator.integers(0, 1000, 50).astype(np.uint32),
        spike_time=np.sort(generator.integers(0, 40, 50)).astype(np.uint16),
        place_activity=np.roll(np.array([20.0, 8.0] + [0.0] * 98, np.float32), number % 100),
        dopamine=math.sin(time),
        value=math.cos(time),
        twist=np.array([0.15, 0.3], np.float32),
    )
    observation = {
        "events": {
            "t": np.sort(generator.integers(0, 40_000, events)),
            "x": generator.integers(0, 128, events).astype(np.int16),
            "y": generator.integers(0, 32, events).astype(np.int16),
            "p": generator.integers(0, 2, events).astype(np.uint8),
        },
        "odometry": np.array([0.14, 0.31], np.float32),
    }
    return snapshot, observation


@contextmanager
def driving(endpoint: str, pause: float = 0.005) -> Iterator[StatePublisher]:
    """An agent that publishes from a thread until the block ends; `pause` s between periods."""
    stop = threading.Event()
    with StatePublisher(endpoint, width=128, height=32) as publisher:
        publisher.set_arena(WALLS, goal=(0.3, 0.2), goal_radius=0.1, map_origin=(0.0, 0.0, 0.0))
        publisher.set_populations({"place": slice(0, 100), "ca3": slice(100, 1000)})

        def drive() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                snapshot, observation = period(number)
                publisher.publish(
                    snapshot, observation, reward=float(number % 50 == 0), true_pose=snapshot.pose_estimate
                )
                time.sleep(pause)

        agent = threading.Thread(target=drive)
        agent.start()
        try:
            yield publisher
        finally:
            stop.set()
            agent.join()
