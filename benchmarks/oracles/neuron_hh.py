"""Spike times of NEURON's `hh` under constant currents, the oracle of `spiking.hodgkin_huxley`.

Run with a Python that has NEURON (not a dependency of this project):

    python benchmarks/oracles/neuron_hh.py tests/data/neuron_hh.json

Rates are computed and not read from NEURON's tables, whose interpolation moves spikes by up to 0.6 ms in
200 ms.
"""

import json
import math
import sys

from neuron import h

STEP, DURATION = 0.001, 200.0  # ms
AREA = 1e-4  # cm2


def spike_times(current: float) -> list[float]:
    """Spike times (ms) at `current` uA / cm2."""
    soma = h.Section(name="soma")
    soma.L = soma.diam = math.sqrt(AREA * 1e8 / math.pi)  # um
    soma.insert("hh")
    soma(0.5).hh.el = -54.387
    clamp = h.IClamp(soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = 0.0, 1e9, current * AREA * 1e3  # nA
    counter, times = h.APCount(soma(0.5)), h.Vector()
    counter.thresh = 0.0
    counter.record(times)
    h.finitialize(-65.0)
    h.continuerun(DURATION)
    return [round(t, 3) for t in times]


if __name__ == "__main__":
    h.load_file("stdrun.hoc")
    h.celsius, h.usetable_hh, h.secondorder, h.steps_per_ms, h.dt = 6.3, 0, 2, 1.0 / STEP, STEP
    result = {
        "neuron": h.nrnversion(0),
        "step_ms": STEP,
        "duration_ms": DURATION,
        "spikes_ms": {str(current): spike_times(current) for current in (7.0, 10.0, 20.0, 50.0)},
    }
    with open(sys.argv[1], "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
