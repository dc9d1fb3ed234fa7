"""Spike steps of Izhikevich neurons in Brian2 under constant inputs, the oracle of `spiking.izhikevich`.

Run with a Python that has Brian2 (not a dependency of this project):

    python benchmarks/oracles/brian_izhikevich.py tests/data/brian_izhikevich.json
"""

import json
import sys

import brian2 as b2
import numpy as np

#: (a, b, c, d, drive): firing types of figure 2 of Izhikevich 2003.
CELLS = [
    (0.02, 0.2, -65.0, 8.0, 10.0),
    (0.02, 0.2, -55.0, 4.0, 10.0),
    (0.02, 0.2, -50.0, 2.0, 10.0),
    (0.1, 0.2, -65.0, 2.0, 10.0),
    (0.02, 0.25, -65.0, 2.0, 10.0),
]

if __name__ == "__main__":
    b2.prefs.codegen.target = "numpy"
    b2.defaultclock.dt = 0.05 * b2.ms
    equations = """
    dv/dt = (0.04 * v**2 + 5 * v + 140 - u + drive) / ms : 1
    du/dt = a * (b * v - u) / ms : 1
    a : 1
    b : 1
    c : 1
    d : 1
    drive : 1
    """
    group = b2.NeuronGroup(len(CELLS), equations, threshold="v >= 30", reset="v = c; u += d", method="euler")
    for k, name in enumerate("abcd"):
        setattr(group, name, [cell[k] for cell in CELLS])
    group.drive = [cell[4] for cell in CELLS]
    b = np.array([cell[1] for cell in CELLS])
    group.v = (-(5 - b) - np.sqrt((5 - b) ** 2 - 0.16 * 140)) / 0.08
    group.u = b * np.array(group.v)
    monitor = b2.SpikeMonitor(group)
    b2.Network(group, monitor).run(1 * b2.second)
    steps = np.round(np.array(monitor.t / b2.ms) / 0.05).astype(int)
    trains = [
        {"cell": cell, "spike_steps": steps[np.array(monitor.i) == k].tolist()}
        for k, cell in enumerate(CELLS)
    ]
    with open(sys.argv[1], "w") as file:
        json.dump({"brian2": b2.__version__, "dt_ms": 0.05, "trains": trains}, file)
        file.write("\n")
