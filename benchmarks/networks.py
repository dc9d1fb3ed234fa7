"""Speed of networks: against every simulator that is installed, against the machine, and with their size.

    python benchmarks/networks.py [--peers PYTHON ...] [--runs 3] [--json benchmarks/results/networks.json]

The four networks of `peers/networks.py` run here and in each peer, one after the other, in processes of their
own, `--runs` times over; medians count. A peer is a Python that has a simulator: those given, and those under
`.peers/*/bin/python`. `peers/README.md` says how to install them.

Against the machine: `ceiling` adds numbers at random places of an array as large as the targets, the least
that delivery has to do; `delivery` is what synapses cost beyond a network without them, per synaptic event.
With their size: 1,000 to 100,000 neurons with 100 targets each; cost should follow the events.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from tolman.spiking import LIF, Network, RewardSTDP, exponential

HERE = Path(__file__).parent
#: What is run: network, size (None for its own).
CASES: tuple[tuple[str, int | None], ...] = (
    ("cuba", 4000), ("cuba", 20_000), ("coba", 4000), ("coba", 20_000), ("sparse", None), ("plastic", None),
)  # fmt: skip
#: A peer that takes longer than this, s, is not asked for a larger network of the kind.
PATIENCE = 5.0
#: Script of a peer, module that it needs, further arguments.
PEERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("brian.py", "brian2", ("--mode", "standalone", "--float32")),
    ("brian.py", "brian2", ("--mode", "standalone")),
    ("brian.py", "brian2", ("--mode", "cython")),
    ("nest_simulator.py", "nest", ()),
    ("bindsnet_peer.py", "bindsnet", ()),
)


def installed(pythons: Sequence[str]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return (Python, script, arguments) of every peer that one of `pythons` can import."""
    found = []
    for python in pythons:
        for script, module, arguments in PEERS:
            command = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
            if subprocess.run([python, "-c", command], capture_output=True).returncode == 0:
                found.append((python, script, arguments))
    return found


def run_one(python: str, script: str, arguments: Sequence[str], network: str, size: int | None) -> Any:
    """Return what one process reports, or None where it does not run this network.

    `coba` may fall silent, and is then tried with the next seed.
    """
    for seed in range(1, 6):
        command = [python, str(HERE / "peers" / script), network, "--seed", str(seed), *arguments]
        command += [] if size is None else ["--neurons", str(size)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900)
        except subprocess.TimeoutExpired:
            return None
        if done.returncode != 0 or not done.stdout.strip():
            return None
        report = {"script": script, **json.loads(done.stdout.strip().splitlines()[-1])}
        if network != "coba" or report["rate_hz"] > 5.0:
            return report
    return None


def compare(peers: list[tuple[str, str, tuple[str, ...]]], runs: int, cases: Any = CASES) -> list[Any]:
    """Time every case here and in every peer; return one record a case and simulator."""
    records: list[Any] = []
    slow: set[tuple[str, str]] = set()
    ours = (sys.executable, "tolman_networks.py", ())
    for network, size in cases:
        reports: dict[str, list[Any]] = {}
        for _ in range(runs):
            for python, script, arguments in [ours, *peers]:
                if (network, script) in slow:
                    continue
                report = run_one(python, script, arguments, network, size)
                if report is not None:
                    reports.setdefault(report["peer"], []).append(report)
        base = statistics.median(report["run_s"] for report in reports["tolman"])
        for peer, several in reports.items():
            middle = statistics.median(report["run_s"] for report in several)
            first = several[0]
            events = first["rate_hz"] * first["seconds"] * first["synapses"]
            if network == "plastic":
                events = 10.0 * first["seconds"] * first["synapses"] * 2.0
            records.append(
                {
                    "network": network, "neurons": first["neurons"], "synapses": first["synapses"],
                    "peer": peer, "version": first["version"], "run_s": middle,
                    "runs": [report["run_s"] for report in several], "ratio": middle / base,
                    "real_time_factor": first["seconds"] / middle, "events_per_s": events / middle,
                    "start_s": statistics.median(report["start_s"] for report in several),
                    "peak_mb": first["peak_mb"], "rate_hz": first["rate_hz"],
                }
            )  # fmt: skip
            _print(records[-1])
        slow |= {
            (network, script)
            for _, script, _ in peers
            for report in chain.from_iterable(reports.values())
            if report["script"] == script and report["run_s"] > PATIENCE
        }
    return records


def _print(record: Any) -> None:
    print(
        f"{record['network']:8} {record['neurons']:6} {record['peer']:32} {record['run_s']:8.3f} s "
        f"{record['ratio']:7.1f} x  {record['real_time_factor']:7.1f} x real time  "
        f"{1e-6 * record['events_per_s']:7.1f} M events/s  start {record['start_s']:6.1f} s  "
        f"{record['peak_mb']:6.0f} MB  {record['rate_hz']:5.2f} Hz",
        flush=True,
    )


@njit(cache=False)
def _add_at(places: NDArray[np.uint32], amounts: NDArray[np.float32], goal: NDArray[np.float32]) -> None:
    for k in range(places.size):
        goal[places[k]] += amounts[k]


def ceiling(n: int, runs: int) -> float:
    """Return how many random additions to an array of `n` float32 the machine makes in a second."""
    random = np.random.default_rng(0)
    places, amounts = random.integers(0, n, 1 << 20).astype(np.uint32), np.ones(1 << 20, np.float32)
    goal = np.zeros(n, np.float32)
    _add_at(places, amounts, goal)
    return places.size / _fastest(lambda: _add_at(places, amounts, goal), runs)


def delivery(n: int, targets: int, runs: int, rate: float = 4.0) -> float:
    """Return synaptic events a second of delivery alone: a network less the same without synapses."""
    steps, random = 1000, np.random.default_rng(1)
    fired = np.argwhere(random.random((steps, n)) < rate * 1e-3)
    times = []
    for connected in (True, False):

        def once(connected: bool = connected) -> float:
            net = Network(dt=1e-3, seed=1)
            source = net.trains("source", n, fired[:, 0] * 1e-3, fired[:, 1])
            cells = net.population("cells", n, LIF(threshold=1e9))
            if connected:
                net.connect(source, cells, probability=targets / n, weight=0.1)
            net.step(0)
            began = time.perf_counter()
            net.step(steps)
            return time.perf_counter() - began

        once()
        times.append(statistics.median(once() for _ in range(runs)))
    return len(fired) * targets / max(times[0] - times[1], 1e-9)


def scaling(sizes: Sequence[int], runs: int, targets: int = 100) -> list[Any]:
    """Return seconds a simulated second, and events, of noise-driven networks of each size."""
    records = []
    for n in sizes:
        net = Network(dt=1e-3, seed=1)
        cells = net.population("cells", n, LIF(noise=0.05), {"i": exponential(5e-3)}, drive=0.74)
        made = net.connect(cells, cells, "i", probability=targets / n, weight=0.004)
        spikes = net.record(cells)
        net.run(0.2)
        spikes.clear()
        seconds = _fastest(lambda net=net: net.run(0.5), max(3, runs)) / 0.5  # type: ignore[misc]
        events = len(spikes.rows) * targets / (0.5 * max(3, runs))
        records.append(
            {
                "neurons": n, "synapses": made.synapses, "bytes_per_synapse": made.nbytes / made.synapses,
                "seconds": seconds, "events": events, "ceiling": ceiling(n, 3),
            }
        )  # fmt: skip
        print(
            f"{n:7} neurons {made.synapses:9} synapses {1e3 * seconds:8.2f} ms a second, "
            f"{1e9 * seconds / events:5.2f} ns an event, ceiling {1e9 / records[-1]['ceiling']:.2f} ns",
            flush=True,
        )
    return records


def slope(records: list[Any]) -> float:
    """Return the slope of the logarithm of cost over that of events."""
    logs = np.log([[record["events"], record["seconds"]] for record in records])
    return float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])


def plastic_bytes() -> float:
    """Return the bytes of one plastic sparse synapse: weight, eligibility, last touch, both indices."""
    net = Network(dt=1e-3)
    cells = net.population("cells", 2000, LIF())
    made = net.connect(cells, cells, probability=0.1, weight=0.5, rule=RewardSTDP())
    return made.nbytes / made.synapses


def _fastest(action: Callable[[], Any], runs: int) -> float:
    """Return the median time of `runs` calls, s."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", nargs="*", default=[], help="Pythons that have other simulators")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="networks to compare")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    pythons = [*options.peers, *map(str, sorted(HERE.parent.glob(".peers/*/bin/python")))]
    peers = installed(pythons)
    if not peers:
        print("no other simulator found: times of this one alone (see benchmarks/peers/README.md)")
    cases = [case for case in CASES if not options.only or case[0] in options.only]
    result: dict[str, Any] = {"networks": compare(peers, options.runs, cases)}
    limit, reached = ceiling(10_000, 5), delivery(10_000, 200, max(3, options.runs))
    result["delivery"] = {"events_per_s": reached, "ceiling_per_s": limit, "share": reached / limit}
    print(
        f"delivery {1e-6 * reached:.0f} M events/s, {100 * reached / limit:.0f} % of {1e-6 * limit:.0f} M/s"
    )
    sizes = (1000, 3000, 10_000, 30_000, 100_000)
    result["scaling"] = scaling(sizes, options.runs)
    result["slope"] = slope(result["scaling"])
    result["plastic_bytes_per_synapse"] = plastic_bytes()
    print(f"cost over events: slope {result['slope']:.2f}")
    static = result["scaling"][0]["bytes_per_synapse"]
    print(f"bytes a synapse: {static:.0f} static, {result['plastic_bytes_per_synapse']:.0f} plastic")
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
