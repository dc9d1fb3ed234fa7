"""What publishing costs the agent's loop, with a subscriber to everything that has stopped reading.

    python benchmarks/bridge_agent_loop.py --json bridge_agent_loop.json

`tolman run`, with and without `--publish`, in turns, the same seed each time. In each published run another
process subscribes to all topics and is stopped with SIGSTOP once it has heard them, so that it stays
connected and takes nothing. Speed is simulated seconds per second of the loop, as the program itself reports
it; the loss is the median over the turns.
"""

import argparse
import json
import multiprocessing
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROGRAM = "from tolman.launch.cli import main; raise SystemExit(main())"


def free_port() -> int:
    """A port of loopback that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listen(port: int, heard: Any) -> None:
    """Subscribe to all topics of the agent once it is there; say how many were heard, and go on."""
    from tolman import bridge
    from tolman.bridge.executors import SingleThreadedExecutor
    from tolman.bridge.node import Node
    from tolman.bridge.topics import PERIODIC

    while True:  # not the first at the port: a stopped process must not be the hub
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    context = bridge.open_context(f"tcp://127.0.0.1:{port}")
    node = Node("stalled", context=context)
    names: set[str] = set()

    def note(name: str) -> None:
        names.add(name)
        heard.value = len(names)

    for topic in PERIODIC:
        kind = bridge.message_class(topic.type_name)
        node.create_subscription(kind, topic.name, lambda _, name=topic.name: note(name), 10)
    bridge.spin(node, SingleThreadedExecutor(context=context))


def speed(task: str, episodes: int, publish: bool) -> tuple[float, int]:
    """Simulated seconds per second, and how many topics were heard before the listener was stopped."""
    spawn = multiprocessing.get_context("spawn")
    heard = spawn.Value("q", 0, lock=False)
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.json"
        words = [sys.executable, "-c", PROGRAM, "run", task, "--episodes", str(episodes), "--json", str(file)]
        if publish:
            words += ["--publish", f"tcp://127.0.0.1:{port}"]
        listener = spawn.Process(target=listen, args=(port, heard))
        if publish:
            listener.start()
        try:
            run = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            stopped = False
            while run.poll() is None:
                time.sleep(0.02)
                if publish and not stopped and heard.value >= 10:
                    os.kill(listener.pid or 0, signal.SIGSTOP)
                    stopped = True
            if run.returncode:
                assert run.stderr is not None
                raise SystemExit(run.stderr.read().decode())
        finally:
            if listener.pid is not None:
                os.kill(listener.pid, signal.SIGKILL)
                listener.join()
        return _factor(json.loads(file.read_text())), int(heard.value)


def _factor(content: Any) -> float:
    """The number called `real_time_factor`, wherever it is."""
    if isinstance(content, dict):
        if content.get("real_time_factor") is not None:
            return float(content["real_time_factor"])
        content = list(content.values())
    for part in content if isinstance(content, list) else []:
        found = _factor(part)
        if found:
            return found
    return 0.0


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", default="WaterMaze")
    parser.add_argument("--episodes", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    alone: list[float] = []
    published: list[float] = []
    topics: list[int] = []
    for turn in range(arguments.runs):
        for publish in (False, True) if turn % 2 else (True, False):
            factor, heard = speed(arguments.task, arguments.episodes, publish)
            (published if publish else alone).append(factor)
            if publish:
                topics.append(heard)
        print(f"turn {turn + 1}: alone {alone[-1]:.2f}, published {published[-1]:.2f}", flush=True)
    losses = [1.0 - with_it / without for with_it, without in zip(published, alone, strict=True)]
    result = {
        "task": arguments.task,
        "episodes": arguments.episodes,
        "loss": statistics.median(losses),
        "loss_of_medians": 1.0 - statistics.median(published) / statistics.median(alone),
        "loss_of_fastest": 1.0 - max(published) / max(alone),
        "speed_alone": alone,
        "speed_published": published,
        "topics_heard_before_the_stop": topics,
    }
    print(
        f"loss: {result['loss']:.1%} (of medians {result['loss_of_medians']:.1%}, "
        f"of the fastest {result['loss_of_fastest']:.1%})"
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
