"""What the peers' command lines share: arguments, clock, peak memory, and the one line of JSON.

Import it first: the clock starts here. From then on everything that is printed goes to stderr, so that stdout
holds the line of `publish` and nothing else, whatever the simulator or its compiler writes.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from networks import NETWORKS

STARTED = time.time()
RESULT = os.dup(1)
os.dup2(2, 1)
for threads in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[threads] = "1"


def arguments(peer: str, supported: tuple[str, ...]) -> argparse.ArgumentParser:
    """The arguments that every peer takes."""
    parser = argparse.ArgumentParser(description=f"One network in {peer}; prints one line of JSON.")
    parser.add_argument("network", help=", ".join(supported))
    parser.add_argument("--neurons", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    return parser


def parse(parser: argparse.ArgumentParser, peer: str, supported: tuple[str, ...]) -> argparse.Namespace:
    """Parsed arguments with the network's own defaults filled in; refuses what the peer cannot run."""
    options = parser.parse_args()
    if options.network not in supported:
        print(f"{peer} runs {', '.join(supported)} here, not {options.network}", file=sys.stderr)
        sys.exit(2)
    network = NETWORKS[options.network]
    options.neurons = options.neurons or network.neurons
    options.seconds = options.seconds or network.seconds
    return options


def peak_mb(status: str | None = None) -> float:
    """Peak resident memory of this process, or of the one whose /proc status file is given.

    Not `ru_maxrss`, which a process inherits from the one that started it.
    """
    text = Path("/proc/self/status").read_text() if status is None else status
    line = next(line for line in text.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def publish(
    peer: str,
    version: str,
    options: argparse.Namespace,
    *,
    synapses: int,
    start_s: float,
    run_s: float,
    spikes: int,
    peak: float,
    mean_weight: float | None = None,
) -> None:
    """Write the result as one line of JSON to the stdout that the process was started with."""
    record: dict[str, str | int | float] = {
        "peer": peer,
        "version": version,
        "network": options.network,
        "neurons": options.neurons,
        "synapses": synapses,
        "seconds": options.seconds,
        "dt": NETWORKS[options.network].dt,
        "start_s": round(start_s, 3),
        "run_s": round(run_s, 4),
        "spikes": spikes,
        "rate_hz": round(spikes / options.neurons / options.seconds, 3),
        "peak_mb": round(peak, 1),
    }
    if mean_weight is not None:
        record["mean_weight"] = round(mean_weight, 6)
    with os.fdopen(RESULT, "w") as stdout:
        print(json.dumps(record), file=stdout)
