"""What every neuron model is, and what their compiled updates share.

A model is a frozen record of parameters. It says how many state variables a neuron has and where they start,
turns its parameters into the constants of one step, and has a compiled `update` in its module:

    update(state, silent, drive, load, constants, at, fired) -> number of spikes

    state (variables, n)   silent (n,) steps left of the refractory period
    drive (channels, n)    input of this step, held over it
    load (channels, n)     conductance that comes with it, so that the input is drive - load * membrane, or
                           (channels, 0) where there is none
    constants (c, 1 or n)  of one step, for all neurons or for each
    at                     key of this step's random draws
    fired (n,)             filled with the neurons that spiked, ascending

`engine` calls the update of a model by its `kind`. A new model is one file, one line there, and one in
`MODELS`, which the contract tests run over.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import numpy as np
from numba import njit, types
from numba.extending import overload
from numpy.typing import NDArray

from .random import gaussian

Doubles = NDArray[np.float64]
Reals = NDArray[np.float32] | NDArray[np.float64]


class NeuronModel(Protocol):
    """Parameters of a population; see the module for its compiled side."""

    kind: ClassVar[int]
    variables: ClassVar[tuple[str, ...]]  #: names of the state variables, the membrane first
    channels: ClassVar[tuple[str, ...]]  #: compartments that take input
    double: ClassVar[bool]  #: whether single precision would falsify it

    def initial(self, n: int) -> Doubles:
        """Return the state at rest (variables, n)."""
        ...

    def constants(self, dt: float) -> Doubles:
        """Return the constants of one step of `dt` s, (c, 1 or n)."""
        ...

    def reach(self, dt: float, tau: float) -> Doubles:
        """Return (2, 1 or n): the constant drive that does in a step of `dt` s what two currents do.

        The first is exp(-t / tau), the second t exp(-t / tau); so linear models stay exact. Two more rows say
        how much more of each a second variable sees, which the engine adds up in a row of `drive` of its own.
        """
        ...

    def noise_drive(self, dt: float) -> Doubles:
        """Return (1 or n,): standard deviation of the drive that makes the model's noise in one step."""
        ...


def linear_reach(dt: float, tau: float, tau_membrane: Any) -> Doubles:
    """Return `reach` of a membrane that only leaks, tau_m dv/dt = -v + I.

    Its response to I(t) at the end of a step is the integral of exp(-(dt - s) / tau_m) I(s) / tau_m over the
    step, and 1 - exp(-dt / tau_m) to a constant I.
    """
    tau_m = np.atleast_1d(np.asarray(tau_membrane, np.float64))
    difference = 1.0 / tau - 1.0 / tau_m
    # Where the two time constants meet, the integrals go to dt and dt**2 / 2.
    near = np.abs(difference * dt) < 1e-5
    safe = np.where(near, 1.0, difference)
    first = np.where(near, dt * (1.0 - 0.5 * difference * dt), -np.expm1(-safe * dt) / safe)
    late = (-np.expm1(-safe * dt) - safe * dt * np.exp(-safe * dt)) / safe**2
    second = np.where(near, 0.5 * dt**2, late)
    scale = np.exp(-dt / tau_m) / tau_m / -np.expm1(-dt / tau_m)
    return np.stack([first * scale, second * scale])


def mean_reach(dt: float, tau: float) -> Doubles:
    """Return `reach` as the means of the two currents over the step, for models that are not linear."""
    keep, lost = np.exp(-dt / tau), -np.expm1(-dt / tau)
    return np.array([[tau * lost / dt], [(tau**2 * lost - tau * dt * keep) / dt]])


def shrink(x: Any) -> Any:
    """Return exp(-x) for x >= 0 by products only, so that a loop over neurons is vectorised.

    Taylor's series of order 8 at x / 16, to the 16th power: exact to single precision below x = 8 and within
    0.1 % of exp(-x) at 20, where it is 2e-9. The same on every machine, which exp is not. Compiled code only.
    """
    raise NotImplementedError("for compiled code")


@overload(shrink)
def _shrink(x: Any) -> Any:
    # Constants of the type of x: a literal would turn single precision into double.
    real = np.float32 if x == types.float32 else np.float64
    one, part = real(1.0), real(-1.0 / 16.0)
    c2, c3, c4, c5 = real(1.0 / 2.0), real(1.0 / 6.0), real(1.0 / 24.0), real(1.0 / 120.0)
    c6, c7, c8 = real(1.0 / 720.0), real(1.0 / 5040.0), real(1.0 / 40320.0)

    def series(x: Any) -> Any:
        y = x * part
        e = y * c8 + c7
        e = y * e + c6
        e = y * e + c5
        e = y * e + c4
        e = y * e + c3
        e = y * e + c2
        e = y * e + one
        e = y * e + one
        e *= e
        e *= e
        e *= e
        return e * e

    return series


#: Neurons in one pass of the threshold: what they are marked in stays in the nearest cache.
BLOCK = 128


@njit(cache=True, error_model="numpy")
def fire(
    membrane: Reals, silent: NDArray[np.int32], threshold: Reals, reset: Reals, refractory: Reals, fired: Any
) -> int:
    """Hold neurons that are refractory, reset those at threshold; return how many spiked, in `fired`.

    `threshold`, `reset` and `refractory` (steps) are (1,) or (n,).
    """
    zero, one, count = np.int32(0), np.int32(1), 0
    each = threshold.size > 1
    level, floor, hold = threshold[0], reset[0], np.int32(refractory[0])
    for start in range(0, membrane.size, BLOCK):
        stop = min(start + BLOCK, membrane.size)
        v, s, hits = membrane[start:stop], silent[start:stop], zero
        if each:
            levels, floors = threshold[start:stop], reset[start:stop]
            for i in range(v.size):
                held = s[i]
                x = floors[i] if held > zero else v[i]
                s[i] = held - one if held > zero else zero
                v[i] = x
                hits += one if x >= levels[i] else zero
        else:
            for i in range(v.size):
                held = s[i]
                x = floor if held > zero else v[i]
                s[i] = held - one if held > zero else zero
                v[i] = x
                hits += one if x >= level else zero
        if hits == zero:
            continue
        # Once more for the few blocks with a spike, which is cheaper than a mark for every neuron.
        marks, first = marks_of(fired, start, stop), count
        for i in range(v.size):
            marks[i] = one if v[i] >= (threshold[start + i] if each else level) else zero
        count = collect(marks, start, fired, count)
        for k in range(first, count):
            i = fired[k]
            membrane[i] = reset[i] if each else floor
            silent[i] = np.int32(refractory[i]) if each else hold
    return count


@njit(cache=True, inline="always")
def marks_of(fired: Any, start: int, stop: int) -> Any:
    """Return a byte for each neuron from `start` to `stop`, in the last quarter of their room in `fired`.

    `collect` reads a mark before what it finds can come to lie there.
    """
    return fired[start:stop].view(np.uint8)[3 * (stop - start) :]


@njit(cache=True, error_model="numpy")
def collect(marks: Any, start: int, fired: Any, count: int) -> int:
    """Append the marked neurons to the `count` in `fired`, marks being 0 or 1; return how many there are."""
    whole = marks.size // 4 * 4
    words = marks[:whole].view(np.uint32)
    for w in range(words.size):
        if words[w] != np.uint32(0):
            for i in range(4 * w, 4 * w + 4):
                mark = marks[i]  # before it is written over
                fired[count] = start + i
                count += mark
    for i in range(whole, marks.size):
        mark = marks[i]
        fired[count] = start + i
        count += mark
    return count


@njit(cache=True, error_model="numpy")
def add_noise(drive: Reals, spread: Reals, at: np.uint32) -> None:
    """Add Gaussian noise of standard deviation `spread`, (1,) or (n,), drawn under the key `at` of a step."""
    if spread.size == 1:
        width = spread[0]
        for i in range(drive.size):
            drive[i] += width * gaussian(at, np.uint32(i))
    else:
        for i in range(drive.size):
            drive[i] += spread[i] * gaussian(at, np.uint32(i))


@njit(cache=True)
def write(spikes: NDArray[np.int32], count: int, step: int, fired: NDArray[np.int32], n_fired: int) -> int:
    """Append the spikes of a step as rows (step, neuron); return how many there are, -1 if too many."""
    if count + n_fired > spikes.shape[0]:
        return -1
    for f in range(n_fired):
        spikes[count + f, 0] = step
        spikes[count + f, 1] = fired[f]
    return count + n_fired
