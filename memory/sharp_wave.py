"""Sharp-wave replay: place cells run along their links while no input reaches them.

A few cells are kicked; their spikes drive the cells that links lead to on the present course, inhibition lets
few of them fire, and tired cells do not fire again, so one assembly after the other does. The course is
carried along by the links that were just used: a packet follows the bends of the ways lived. Read against the
course the same links lead back: reverse replay. With a `bias` over places the successor of more value wins
(value-guided preplay, Pfeiffer & Foster 2013; Mattar & Daw 2018).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking.lif import relax
from ..spiking.model import add_noise, fire, write
from ..spiking.random import step_key
from .engines import FOREVER
from .neurons import NeuronConfig
from .sequence_links import SequenceLinks

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SharpWaveConfig:
    """Dynamics of a ripple event. Drives are in units of the firing threshold."""

    enabled: bool = True  #: whether replay can be asked for
    events: int = 0  #: an agent has of itself: in reverse at a reward, forward in rest; they teach nothing
    longest: int = (
        600  #: ms; ripples last 50-120 ms, chains of them longer (Davidson, Kloosterman & Wilson 2009)
    )
    kick: float = 6.0  #: drive of the first place
    kicked: int = 10  #: ms for which it lasts
    drive: float = 4.0  #: current that a spike sends over the strongest of its links
    inhibition: float = 1.6  #: drive that a spike takes from all
    tau_inhibition: float = 0.016  #: s
    tau_synapse: float = 0.040  #: s, rise and decay of what a link brings; paces the event
    fatigue: float = 0.6  #: drive that a cell's spike takes from it
    tau_fatigue: float = 0.200  #: s
    momentum: float = 0.6  #: share of the course that a spike leaves as it was
    bias: float = 4.0  #: with a goal, share of a link that is felt per unit of log value it leads uphill
    contrast: float = 2.0  #: power of a link's strength, relative to the strongest: near successors win
    neurons: NeuronConfig = field(default_factory=lambda: NeuronConfig(tau_membrane=0.020, noise=0.02))

    def __post_init__(self) -> None:
        if self.events < 0:
            raise ValueError(f"sharp_wave events must be >= 0, got {self.events}")
        if self.longest < 1:
            raise ValueError(f"sharp_wave longest must be >= 1 ms, got {self.longest}")
        if not 0.0 <= self.momentum <= 1.0:
            raise ValueError(f"sharp_wave momentum must be in [0, 1], got {self.momentum}")
        for name in ("tau_inhibition", "tau_synapse", "tau_fatigue"):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"sharp_wave {name} must be > 0 s, got {getattr(self, name)}")


def sharp_wave(
    config: SharpWaveConfig,
    links: SequenceLinks,
    used: int,
    start: int,
    course: float,
    reverse: bool,
    value: NDArray[np.float64] | None,
    stream: np.uint32,
    dead: NDArray[np.bool_] | None = None,
) -> NDArray[np.int32]:
    """Run one event from cell `start`; return its spikes (k, 2) of (ms, cell), ascending.

    `course` (rad) is the way a forward event sets out; a reverse one goes the other way. With `value` (used,)
    the course plays no part: spikes drive what lies uphill. `stream` is the key of the noise, cells that are
    `dead` (used,) do not fire.
    """
    if not 0 <= start < used:
        raise ValueError(f"replay must start from one of the {used} places in use, got {start}")
    sign = -1.0 if reverse else 1.0
    heading = np.array([sign * np.cos(course), sign * np.sin(course)], np.float32)
    guided = value is not None
    uphill = np.zeros(used, np.float32)
    if value is not None:
        uphill[:] = np.log(np.maximum(value[:used], 1e-12))
    spikes = np.zeros((used * config.longest, 2), np.int32)
    silent = np.zeros(used, np.int32)
    if dead is not None:
        silent[dead] = FOREVER
    constants = np.array(
        [
            config.kick, config.kicked, config.drive, config.inhibition,
            np.exp(-1e-3 / config.tau_inhibition), np.exp(-1e-3 / config.tau_synapse), config.fatigue,
            np.exp(-1e-3 / config.tau_fatigue), config.momentum, config.bias,
            config.contrast,
        ],
        np.float32,
    )  # fmt: skip
    neurons = np.ascontiguousarray(config.neurons.constants(len(links.near))[:, :used])
    count = _run(
        links.forward[:used, :used], links.near[:used, :used], start, heading, guided, uphill, config.longest,
        neurons, config.neurons.noise_drive(), constants, stream, silent, spikes,
    )  # fmt: skip
    return spikes[: max(count, 0)].copy()


@njit(cache=True)
def _run(
    forward: Floats,
    near: Floats,
    start: int,
    heading: Floats,  # (2,), changed
    guided: bool,
    uphill: Floats,
    steps: int,
    neurons: Floats,
    noise: Floats,
    constants: Floats,
    stream: np.uint32,
    silent: NDArray[np.int32],  # ms of the refractory period, changed
    spikes: NDArray[np.int32],
) -> int:
    n = len(uphill)
    zero, one = np.float32(0.0), np.float32(1.0)
    membrane, current, drive = np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32)
    tired, share, nothing = np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(0, np.float32)
    risen = np.zeros(n, np.float32)
    fired = np.zeros(n, np.int32)
    hold, count, last, quiet = zero, 0, start, 0
    for step in range(steps):
        for i in range(n):
            drive[i] = max(risen[i] - hold - tired[i], zero)
            risen[i] += (one - constants[5]) * (current[i] - risen[i])
            current[i] *= constants[5]
            tired[i] *= constants[7]
        if step < constants[1]:
            drive[start] += constants[0]
        add_noise(drive, noise, step_key(stream, np.uint32(step)))
        relax(membrane, drive, nothing, neurons)
        n_fired = fire(membrane, silent, neurons[3], neurons[4], neurons[5], fired)
        hold = constants[4] * hold + constants[3] * n_fired
        quiet = 0 if n_fired else quiet + 1
        for f in range(n_fired):
            j = fired[f]
            tired[j] += constants[6]
            if j != last:
                fx, fy = forward[last, j, 0], forward[last, j, 1]
                size = np.sqrt(fx * fx + fy * fy)
                # A link from last to j points there, however lived; stragglers turn nothing round.
                if size > zero and fx * heading[0] + fy * heading[1] > zero:
                    heading[0] = constants[8] * heading[0] + (one - constants[8]) * fx / size
                    heading[1] = constants[8] * heading[1] + (one - constants[8]) * fy / size
                    size = np.sqrt(heading[0] * heading[0] + heading[1] * heading[1])
                    if size > zero:
                        heading[0] /= size
                        heading[1] /= size
                last = j
            most = zero
            for i in range(n):
                if guided:
                    gain = uphill[i] - uphill[j]
                    share[i] = near[j, i] * min(constants[9] * gain, one) if gain > zero else zero
                else:
                    share[i] = max(forward[j, i, 0] * heading[0] + forward[j, i, 1] * heading[1], zero)
                most = max(most, share[i])
            # Feed-forward inhibition: what counts is how strong a link is against the strongest.
            if most > np.float32(1e-4):
                for i in range(n):
                    current[i] += constants[2] * (share[i] / most) ** constants[10]
        count = write(spikes, count, step, fired, n_fired)
        if count < 0 or quiet > 60:
            break
    return count
