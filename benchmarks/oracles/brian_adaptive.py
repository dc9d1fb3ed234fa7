"""Spike steps of adaptive LIF neurons in Brian2 under constant inputs, the oracle of `spiking.adaptive`.

Run with a Python that has Brian2 (not a dependency of this project):

    python benchmarks/oracles/brian_adaptive.py tests/data/brian_adaptive.json

Brian2 holds a neuron for one step less than its refractory period says, so it is given one more.
"""

import json
import sys

import brian2 as b2
import numpy as np

DRIVES = [round(float(drive), 3) for drive in np.linspace(1.05, 4.0, 12)]

if __name__ == "__main__":
    b2.prefs.codegen.target = "numpy"
    b2.defaultclock.dt = 0.1 * b2.ms
    spikes_of: dict[str, dict[str, list[int]]] = {}
    for coupling in (0.0, 0.5):
        equations = """
        dv/dt = (-v - w + drive) / (20 * ms) : 1 (unless refractory)
        dw/dt = (COUPLING * v - w) / (150 * ms) : 1
        drive : 1
        """.replace("COUPLING", str(coupling))
        group = b2.NeuronGroup(
            len(DRIVES),
            equations,
            threshold="v >= 1",
            reset="v = 0; w += 0.2",
            refractory=2.1 * b2.ms,
            method="exact",
        )
        group.drive = DRIVES
        monitor = b2.SpikeMonitor(group)
        network = b2.Network(group, monitor)
        network.run(1 * b2.second)
        spikes_of[str(coupling)] = {
            str(drive): [round(t / 0.1) for t in np.array(monitor.t / b2.ms)[np.array(monitor.i) == k]]
            for k, drive in enumerate(DRIVES)
        }
    with open(sys.argv[1], "w") as file:
        json.dump({"brian2": b2.__version__, "dt_ms": 0.1, "spike_steps": spikes_of}, file)
        file.write("\n")
