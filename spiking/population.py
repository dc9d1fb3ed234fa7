"""Populations of a network: neurons of one model with their receptors, and sources of spikes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import layout
from .addresses import address
from .checks import require_population
from .model import NeuronModel
from .parameters import Distribution, drawn
from .random import generator, key
from .receptors import ALPHA, Receptor

Arrays = dict[str, NDArray[Any]]


class _Spiking:
    """What neurons and sources share: a name, a size, and the spikes that wait to be delivered."""

    def __init__(self, name: str, size: int, copies: int, seed: int) -> None:
        require_population(size)
        self.name, self.size, self.copies, self.seed = name, size, copies, seed
        self.key = key(seed, name)
        self._ring = np.zeros((1, size * copies), np.int32)
        self._counts = np.zeros(1, np.int64)

    @property
    def neurons(self) -> int:
        """Neurons of all copies together."""
        return self.size * self.copies

    def remember(self, depth: int) -> None:
        """Keep the spikes of the last `depth` steps; only before the first step."""
        if depth > len(self._ring):
            self._ring = np.zeros((depth, self.neurons), np.int32)
            self._counts = np.zeros(depth, np.int64)

    @property
    def depth(self) -> int:
        """Steps of which the spikes are kept."""
        return len(self._ring)

    def __getitem__(self, part: slice) -> Group:
        start, stop, stride = part.indices(self.size)
        if stride != 1 or stop <= start:
            raise ValueError(f"a group of {self.name} is a slice of neighbours, got {part}")
        return Group(self, start, stop)

    def _fill(self, row: NDArray[np.int64]) -> None:
        row[layout.SIZE] = self.neurons
        row[layout.KEY] = int(self.key)
        row[layout.FIRED], row[layout.COUNTS] = address(self._ring), address(self._counts)
        row[layout.DEPTH] = len(self._ring)


class Population(_Spiking):
    """Neurons of one `model` and what they receive; made by `Network.population`."""

    def __init__(
        self,
        name: str,
        size: int,
        model: NeuronModel,
        receptors: Mapping[str, Receptor],
        start: Mapping[str, float | ArrayLike | Distribution],
        *,
        dt: float,
        real: type[np.floating[Any]],
        copies: int,
        seed: int,
    ) -> None:
        super().__init__(name, size, copies, seed)
        if model.double and real is np.float32:
            raise ValueError(
                f"{type(model).__name__} needs double precision: Network(..., precision='double')"
            )
        self.model = drawn(model, size, seed, name)
        self.receptors = dict(receptors)
        n, channels = self.neurons, len(model.channels)
        initial = np.tile(self.model.initial(size), copies)
        self._state = np.ascontiguousarray(initial, real)
        self._silent = np.zeros(n, np.int32)
        self._drive = np.zeros((channels, n), real)
        self._constants = self._tiled(self.model.constants(dt)).astype(real)
        noise = self._tiled(self.model.noise_drive(dt)).astype(real)
        self._noise = noise if np.any(noise) else np.zeros(0, real)
        self._loaded = any(receptor.reversal is not None for receptor in self.receptors.values())
        self._load = np.zeros((channels, n if self._loaded else 0), real)
        self._series, self._series_every = np.zeros((0, 1), real), 1
        self._inputs = {name: np.zeros((2, n), real) for name in self.receptors}
        self._reach, self._decay = {}, {}
        for receptor_name, receptor in self.receptors.items():
            if receptor.compartment is not None and receptor.compartment not in model.channels:
                raise ValueError(
                    f"{name} has the compartments {', '.join(model.channels)}, not {receptor.compartment!r}"
                )
            scale = np.e / receptor.tau if receptor.shape == ALPHA else 1.0
            reach = self.model.reach(dt, receptor.tau)
            reach[1::2] *= scale
            self._reach[receptor_name] = self._tiled(reach).astype(real)
            keep = np.exp(-dt / receptor.tau)
            self._decay[receptor_name] = np.array([keep, scale * dt * keep, receptor.reversal or 0.0])
        self._echoes = int(any(len(reach) > 2 for reach in self._reach.values()))
        self._total = np.zeros((channels + self._echoes, n), real)
        for variable, value in start.items():
            if variable not in model.variables:
                raise ValueError(f"{name} has the variables {', '.join(model.variables)}, not {variable!r}")
            if isinstance(value, Distribution):
                value = value.draw(n, generator(seed, f"{name} {variable}")).reshape(copies, size)
            self.state[variable][...] = value

    @property
    def state(self) -> Mapping[str, NDArray[Any]]:
        """State variables by name, live: (n,), or (copies, n) in a batch."""
        return {name: self._shaped(row) for name, row in zip(self.model.variables, self._state, strict=True)}

    @property
    def inputs(self) -> Mapping[str, NDArray[Any]]:
        """Synaptic inputs by receptor, live, shaped like `state`: current, or conductance."""
        return {name: self._shaped(rows[0]) for name, rows in self._inputs.items()}

    @property
    def drive(self) -> NDArray[Any]:
        """Constant input of the first compartment, live, shaped like `state`; yours to write."""
        return self._shaped(self._drive[0])

    def set_drive(self, drive: float | ArrayLike | Distribution) -> None:
        """Set the constant input of the first compartment: a number, (n,), (copies, n) or a distribution."""
        if isinstance(drive, Distribution):
            drive = drive.draw(self.size, generator(self.seed, f"{self.name} drive"))
        array = np.asarray(drive, np.float64)
        if array.shape not in ((), (self.size,), (self.copies, self.size)):
            raise ValueError(f"drive of {self.name} must be a number or ({self.size},), got {array.shape}")
        self._drive[0].reshape(self.copies, self.size)[...] = array

    def drive_of(self, compartment: str) -> NDArray[Any]:
        """Return the constant input of `compartment`, live."""
        return self._shaped(self._drive[self.model.channels.index(compartment)])

    def set_series(self, series: ArrayLike, every: int = 1) -> None:
        """Add input (T,) or (T, n) to the drive of the first compartment, one row each `every` steps from 0.

        After the last row it stays. Raises ValueError for another shape.
        """
        array = np.asarray(series, self._state.dtype)
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim == 2 and array.shape[1] == self.size > 1:
            array = np.tile(array, self.copies)
        if array.ndim != 2 or array.shape[1] not in (1, self.neurons) or len(array) == 0 or every < 1:
            raise ValueError(
                f"series for {self.name} must be (T,) or (T, {self.neurons}) and every >= 1, "
                f"got shape {array.shape} and {every}"
            )
        self._series, self._series_every = np.ascontiguousarray(array), every

    def rest(self) -> None:
        """Return the neurons to where models start, without input on its way; what was drawn stays."""
        self._state[...] = np.tile(self.model.initial(self.size), self.copies)
        self._silent[:] = 0
        self._counts[:] = 0
        for rows in self._inputs.values():
            rows[...] = 0.0

    def target(self, receptor: str) -> NDArray[Any]:
        """Return where spikes over `receptor` arrive, (neurons,)."""
        if receptor not in self.receptors:
            raise ValueError(f"{self.name} has the receptors {', '.join(self.receptors)}, not {receptor!r}")
        rows: NDArray[Any] = self._inputs[receptor]
        return np.asarray(rows[1 if self.receptors[receptor].shape == ALPHA else 0])

    def arrays(self) -> Arrays:
        """Return the live arrays that make up the state."""
        inputs = {f"input {name}": rows for name, rows in self._inputs.items()}
        return {
            "state": self._state, "silent": self._silent, "drive": self._drive, "ring": self._ring,
            "counts": self._counts, **inputs,
        }  # fmt: skip

    def describe(self, row: NDArray[np.int64], receptors: list[NDArray[np.int64]]) -> None:
        """Fill the population's row of the engine's table, and append the rows of its receptors."""
        self._fill(row)
        row[layout.KIND] = self.model.kind
        row[layout.STATE], row[layout.VARIABLES] = address(self._state), len(self._state)
        row[layout.SILENT], row[layout.CHANNELS] = address(self._silent), len(self._drive)
        row[layout.DRIVE], row[layout.TOTAL] = address(self._drive), address(self._total)
        row[layout.LOAD], row[layout.LOADED] = address(self._load), int(self._loaded)
        row[layout.ECHOES] = self._echoes
        row[layout.CONSTANTS] = address(self._constants)
        row[layout.N_CONSTANTS], row[layout.CONSTANT_WIDTH] = self._constants.shape
        row[layout.NOISE], row[layout.NOISE_WIDTH] = address(self._noise), self._noise.size
        row[layout.SERIES], row[layout.SERIES_STEPS] = address(self._series), len(self._series)
        row[layout.SERIES_EVERY], row[layout.SERIES_WIDTH] = self._series_every, self._series.shape[1]
        row[layout.RECEPTORS], row[layout.N_RECEPTORS] = len(receptors), len(self.receptors)
        for name, receptor in self.receptors.items():
            entry = np.zeros(layout.RECEPTOR_COLUMNS, np.int64)
            entry[layout.SHAPE] = receptor.shape
            entry[layout.CHANNEL] = self.model.channels.index(receptor.compartment or self.model.channels[0])
            entry[layout.CURRENT] = address(self._inputs[name][0])
            entry[layout.FEED] = address(self._inputs[name][1])
            entry[layout.REACH] = address(self._reach[name])
            entry[layout.REACH_ROWS], entry[layout.REACH_WIDTH] = self._reach[name].shape
            entry[layout.DECAY] = address(self._decay[name])
            entry[layout.CONDUCTANCE] = int(receptor.reversal is not None)
            receptors.append(entry)

    def _shaped(self, row: NDArray[Any]) -> NDArray[Any]:
        return row if self.copies == 1 else row.reshape(self.copies, self.size)

    def _tiled(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Repeat what differs between neurons for each copy; leave alone what does not."""
        own = rows.shape[-1] == self.size > 1
        return np.ascontiguousarray(np.tile(rows, self.copies) if own else rows)


class Poisson(_Spiking):
    """Independent Poisson trains; made by `Network.poisson`.

    A step holds a spike with probability rate * dt and never two: the mean rate is exact, and the variance of
    a count over its mean is 1 - rate * dt.
    """

    def __init__(self, name: str, size: int, rates: ArrayLike, *, dt: float, copies: int, seed: int) -> None:
        super().__init__(name, size, copies, seed)
        self._dt, self._chances = dt, np.zeros(self.neurons, np.float32)
        self.rates = rates

    @property
    def rates(self) -> NDArray[np.float64]:
        """Rates, Hz, (n,) or (copies, n); set a number or an array in [0, 1 / dt]."""
        rates = self._chances.astype(np.float64) / self._dt
        return rates if self.copies == 1 else rates.reshape(self.copies, self.size)

    @rates.setter
    def rates(self, rates: ArrayLike) -> None:
        wanted = np.asarray(rates, np.float64)
        if wanted.shape not in ((), (self.size,), (self.copies, self.size)):
            raise ValueError(f"rates of {self.name} must be a number or ({self.size},), got {wanted.shape}")
        wrong = wanted[~((wanted >= 0.0) & (wanted * self._dt <= 1.0))]
        if wrong.size:
            raise ValueError(
                f"rates must be in [0, {1.0 / self._dt:g}] Hz for dt = {self._dt:g} s, got {wrong.flat[0]:g}"
            )
        self._chances.reshape(self.copies, self.size)[...] = wanted * self._dt

    def arrays(self) -> Arrays:
        """Return the live arrays that make up the state."""
        return {"chances": self._chances, "ring": self._ring, "counts": self._counts}

    def describe(self, row: NDArray[np.int64], receptors: list[NDArray[np.int64]]) -> None:
        """Fill the source's row of the engine's table."""
        self._fill(row)
        row[layout.KIND], row[layout.DRIVE] = layout.POISSON, address(self._chances)


class SpikeSource(_Spiking):
    """Spikes that are given: trains known beforehand, and `fire` while the network runs."""

    def __init__(
        self, name: str, size: int, steps: ArrayLike, neurons: ArrayLike, *, copies: int, seed: int
    ) -> None:
        super().__init__(name, size, copies, seed)
        times, cells = np.asarray(steps, np.int64), np.asarray(neurons, np.int32)
        if times.ndim != 1 or times.shape != cells.shape:
            raise ValueError(f"trains of {name} need one time a spike, got {times.shape} and {cells.shape}")
        if cells.size and not (times.min() >= 0 and cells.min() >= 0 and cells.max() < self.neurons):
            raise ValueError(f"trains of {name} need times >= 0 and neurons in 0..{self.neurons - 1}")
        order = np.lexsort((cells, times))
        keep = np.ones(times.size, np.bool_)
        times, cells = times[order], cells[order]
        keep[1:] = (np.diff(times) > 0) | (np.diff(cells) > 0)
        self._times, self._cells = times[keep], cells[keep]
        self._cursor, self._pending = np.zeros(1, np.int64), np.zeros(self.neurons, np.int32)

    def fire(self, neurons: ArrayLike) -> None:
        """Let `neurons` (k,) spike in the next step; raises ValueError for unknown ones."""
        wanted = np.atleast_1d(np.asarray(neurons))
        if wanted.size and not (
            wanted.dtype.kind in "iu" and wanted.min() >= 0 and wanted.max() < self.neurons
        ):
            raise ValueError(f"{self.name} has the neurons 0..{self.neurons - 1}, got {wanted}")
        self._pending[wanted.astype(np.int64)] = 1

    def arrays(self) -> Arrays:
        """Return the live arrays that make up the state."""
        return {"cursor": self._cursor, "pending": self._pending, "ring": self._ring, "counts": self._counts}

    def describe(self, row: NDArray[np.int64], receptors: list[NDArray[np.int64]]) -> None:
        """Fill the source's row of the engine's table."""
        self._fill(row)
        row[layout.KIND], row[layout.N_TIMES] = layout.PLAYED, self._times.size
        row[layout.TIMES], row[layout.NEURONS] = address(self._times), address(self._cells)
        row[layout.CURSOR], row[layout.PENDING] = address(self._cursor), address(self._pending)


Source = Population | Poisson | SpikeSource


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring neurons of a population, `cells[:800]`: one end of a projection."""

    population: Any
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Number of neurons, of one copy."""
        return self.stop - self.start
