"""How far four leaky units replace a Hodgkin-Huxley neuron (He et al. 2024, Nat. Comput. Sci. 4:584).

    python benchmarks/complexity.py --json benchmarks/results/complexity.json

tv-LIF: constant currents of 5 to 50 uA/cm2 for 100 ms from rest, steps of 1 us. Differences of spike times
(upward crossings of -40 mV, between samples by a line) and of the voltage at any time, of

    TimeVaryingLIF and HodgkinHuxley, the same step;
    TimeVaryingLIF and an integration of the Hodgkin-Huxley equations of order 8 (DOP853, tolerance 1e-11);
    the paper's scheme and the neuron beside it from which its units take their conductances, both by Euler
    steps from the paper's start. It hands the new f to the fourth unit and reads out f + u_4 before that
    unit has moved; handing on the old f would make both sides equal to rounding.

s-LIF2HH: spikes in 80 ms in steps of 1 ms, and of a Hodgkin-Huxley neuron above 70 mV from rest, which starts
where the paper's does (m 0.0489, n 0.6446, h 0.1341: just after a spike) or at rest; inputs of the paper.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from tolman.spiking import HodgkinHuxley, Network, SimplifiedHH, TimeVaryingLIF
from tolman.spiking.hodgkin_huxley import gate_rates, steady_gates
from tolman.spiking.model import NeuronModel

Doubles = NDArray[np.float64]

CURRENTS = (5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0)  #: uA/cm2
SECONDS, DT, THRESHOLD = 0.1, 1e-6, -40.0  #: s, s, mV
#: Membrane, mV, and gates with which the paper's simulations of s-LIF2HH begin, and rest.
PAPER_START = {"membrane": -65.0, "m": 0.0489, "n": 0.6446, "h": 0.1341}
PERIOD = 8.5  #: ms, of the paper's waves


def voltages(model: NeuronModel, currents: Doubles) -> Doubles:
    """Return the membranes (steps + 1, k) under `currents` (k,), from rest."""
    net = Network(dt=DT, precision="double")
    cells = net.population("cells", currents.size, model, {}, drive=currents)
    start, membrane = cells.state["membrane"].copy(), net.watch(cells, "membrane")
    net.run(SECONDS)
    return np.concatenate([start[None], membrane.values])


def reference(current: float) -> Doubles:
    """Return the membrane (steps + 1,) by an integration of high order, sampled each step."""

    def slope(t: float, y: Doubles) -> Doubles:
        volts, gates = y[0], y[1:]
        rates = [
            float((alpha * (1.0 - gate) - beta * gate)[0])
            for (alpha, beta), gate in zip(gate_rates(np.array([volts])), gates, strict=True)
        ]
        m, h, n = gates
        sodium, potassium = 120.0 * m**3 * h * (volts - 50.0), 36.0 * n**4 * (volts + 77.0)
        return np.array([current - sodium - potassium - 0.3 * (volts + 54.387), *rates])

    start = np.array([-65.0, *(float(gate[0]) for gate in steady_gates(np.array([-65.0])))])
    times = np.arange(round(SECONDS / DT) + 1) * DT * 1e3
    solved = solve_ivp(slope, (0.0, times[-1]), start, "DOP853", times, rtol=1e-11, atol=1e-11)
    return np.asarray(solved.y[0], np.float64)


@njit(cache=True)
def paper_scheme(current: float, steps: int, dt: float) -> Doubles:
    """Return membranes (steps, 2) of a neuron and of four units, by Euler steps of `dt` ms on 1 uF/cm2."""
    v, m, h, n = -70.0, 0.0289, 0.7541, 0.2446
    first, second, third, passed, fourth = 0.0, 0.0, 0.0, 0.0, v
    out = np.empty((steps, 2))
    for step in range(steps):
        sodium, potassium, leak = 120.0 * m**3 * h, 36.0 * n**4, 0.3
        total = sodium + potassium + leak
        alpha_m = 0.1 * (v + 40.0) / (1.0 - math.exp(-(v + 40.0) / 10.0))
        alpha_n = 0.01 * (v + 55.0) / (1.0 - math.exp(-(v + 55.0) / 10.0))
        alpha_h, beta_m = 0.07 * math.exp(-(v + 65.0) / 20.0), 4.0 * math.exp(-(v + 65.0) / 18.0)
        beta_h, beta_n = 1.0 / (1.0 + math.exp(-(v + 35.0) / 10.0)), 0.125 * math.exp(-(v + 65.0) / 80.0)
        inward = sodium * (50.0 - v) + potassium * (-77.0 - v) + leak * (-54.387 - v)
        weighted = sodium * first + potassium * second + leak * third
        d_first, d_second = 50.0 - first + current / total, -77.0 - second + current / total
        d_third = -54.387 - third + current / total
        passed += dt * (sodium * d_first + potassium * d_second + leak * d_third)
        out[step, 0], out[step, 1] = v, passed + fourth
        fourth += dt * (weighted - total * (fourth + passed))
        first, second, third = first + dt * d_first, second + dt * d_second, third + dt * d_third
        v += dt * (inward + current)
        m += dt * (alpha_m * (1.0 - m) - beta_m * m)
        h += dt * (alpha_h * (1.0 - h) - beta_h * h)
        n += dt * (alpha_n * (1.0 - n) - beta_n * n)
    return out


def crossings(volts: Doubles) -> Doubles:
    """Return when `volts` (T,) rises through the threshold, us."""
    before = np.flatnonzero((volts[:-1] < THRESHOLD) & (volts[1:] >= THRESHOLD))
    part = (THRESHOLD - volts[before]) / (volts[before + 1] - volts[before])
    return np.asarray((before + part) * DT * 1e6, np.float64)


def differences(volts: Doubles, others: Doubles) -> tuple[int, int, float, float]:
    """Return spikes of both, and the largest differences of spike times, us, and of voltage, mV."""
    times, expected = crossings(volts), crossings(others)
    apart = np.abs(times - expected).max(initial=0.0) if times.size == expected.size else math.nan
    return times.size, expected.size, float(apart), float(np.abs(volts - others).max())


def waves() -> dict[str, Callable[[Doubles], Doubles]]:
    """Return the inputs of the paper's simulations, uA/cm2 at times in ms, and other constants."""

    def square(t: Doubles) -> Doubles:
        return 9.0 - 15.5 * np.sign(np.floor(t) % PERIOD - (PERIOD - 1.0) / 2.0 - 0.001)

    def constant(level: float) -> Callable[[Doubles], Doubles]:
        return lambda t: np.full_like(t, level)

    levels = (5.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 15.0, 20.0, 30.0, 50.0)
    waves = {f"constant {level:g}": constant(level) for level in levels}
    waves["sine"] = lambda t: 11.5 - 19.0 * np.sin(1.2 * t)
    waves["square"] = square
    waves["sawtooth"] = lambda t: 6.5 + 11.0 / PERIOD * np.abs(t % PERIOD + PERIOD / 2.0)
    waves["triangle"] = lambda t: 7.0 + 7.0 / PERIOD * np.abs(t % PERIOD - PERIOD / 2.0)
    return waves


def spike_times(
    model: NeuronModel, wave: Callable[[Doubles], Doubles], dt: float, **start: float
) -> list[float]:
    """Return the spikes, ms, of a neuron that gets the mean of `wave` in each step of `dt` s, for 80 ms."""
    steps, inner = round(80e-3 / dt), 200
    ms = (np.arange(steps * inner) + 0.5) * dt * 1e3 / inner
    net = Network(dt=dt, precision="double")
    cells = net.population("cells", 1, model, {}, **start)
    net.play(cells, wave(ms).reshape(steps, inner).mean(axis=1))
    spikes = net.record(cells)
    net.step(steps)
    return [round(float(t), 3) for t in (spikes.rows[:, 0] + 1) * dt * 1e3]


def main() -> None:
    """Run everything and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    currents = np.array(CURRENTS)
    units, neuron = voltages(TimeVaryingLIF(), currents), voltages(HodgkinHuxley(), currents)
    names = ("HodgkinHuxley", "order 8", "paper's scheme")
    print(f"{'':7s}" + "".join(f"{name:>34s}" for name in names))
    print(f"{'uA/cm2':7s}" + 3 * f"{'spikes':>12s}{'us':>10s}{'mV':>12s}")
    table: dict[str, dict[str, tuple[int, int, float, float]]] = {}
    for k, current in enumerate(CURRENTS):
        scheme = paper_scheme(current, round(SECONDS / DT), DT * 1e3)
        rows = {
            names[0]: differences(units[:, k], neuron[:, k]),
            names[1]: differences(units[:, k], reference(current)),
            names[2]: differences(scheme[:, 1], scheme[:, 0]),
        }
        table[f"{current:g}"] = rows
        cells = [f"{f'{a} {b}':>12s}{us:10.2g}{mv:12.2g}" for a, b, us, mv in rows.values()]
        print(f"{current:<7g}" + "".join(cells), flush=True)
    largest = {n: [max(table[i][n][c] for i in table) for c in (2, 3)] for n in names}
    print("largest" + "".join(f"{us:22.2g}{mv:12.2g}" for us, mv in largest.values()))

    print(
        f"\n{'spikes in 80 ms':16s} {'s-LIF2HH':>9s} {'HH, as the paper starts':>24s} {'HH, from rest':>14s}"
    )
    report: dict[str, dict[str, list[float]]] = {}
    for name, wave in waves().items():
        cell = HodgkinHuxley(threshold=5.0)
        report[name] = {
            "s-LIF2HH": spike_times(SimplifiedHH(), wave, 1e-3),
            "HH, as the paper starts": spike_times(cell, wave, 1e-5, **PAPER_START),
            "HH, from rest": spike_times(cell, wave, 1e-5),
        }
        simple, paper, rest = (len(times) for times in report[name].values())
        print(f"{name:16s} {simple:9d} {paper:24d} {rest:14d}")
    if options.json:
        units_of = ["spikes", "spikes of the other", "largest time difference, us", "largest difference, mV"]
        result = {"columns": units_of, "tv-LIF": table, "largest": largest, "spike times, ms": report}
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
