"""Networks that read like the methods section of a paper: populations, projections, inputs, probes.

    net = Network(dt=0.1e-3, seed=1)
    cells = net.population("cells", 4000, LIF(), {"ampa": exponential(5e-3)})
    net.connect(cells, cells, "ampa", probability=0.02, weight=0.1)
    spikes = net.record(cells)
    net.run(1.0)

`run` and `step` advance the same loop: a closed loop writes inputs, steps, and reads spikes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import engine, layout
from .caching import share_stamp
from .connection import Connection, Wiring
from .hedonistic import Hedonistic
from .model import NeuronModel
from .modulators import Level, Modulator
from .parameters import Distribution, require_positive
from .population import Group, Poisson, Population, Source, SpikeSource
from .probes import SpikeProbe, StateProbe
from .random import key
from .receptors import Receptor, exponential
from .rules import Rule
from .short_term import ShortTerm

Arrays = dict[str, NDArray[Any]]
Part = TypeVar("Part", Population, Poisson, SpikeSource)


class _Tables(NamedTuple):
    """What there is to do, for `engine`; see `layout` for the columns."""

    populations: NDArray[np.int64]
    receptors: NDArray[np.int64]
    projections: NDArray[np.int64]
    probes: NDArray[np.int64]


class Network:
    """Populations and projections with one clock.

    Parameters
    ----------
    dt : step, s
    seed : of everything that is drawn; each part draws from a stream of its own name
    batch : copies of the network that share its structure and differ in state, noise and plastic weights
    precision : of states, inputs and weights
    """

    def __init__(
        self,
        dt: float = 1e-3,
        seed: int = 0,
        batch: int = 1,
        precision: Literal["single", "double"] = "single",
    ) -> None:
        require_positive("Network", dt=dt)
        if batch < 1:
            raise ValueError(f"a batch needs >= 1 network, got {batch}")
        if precision not in ("single", "double"):
            raise ValueError(f"precision must be 'single' or 'double', got {precision!r}")
        share_stamp()
        self.dt, self.seed, self.batch = dt, seed, batch
        self._real: type[np.floating[Any]] = np.float32 if precision == "single" else np.float64
        self._like = np.zeros(0, self._real)
        self._clock = np.zeros(1, np.int64)
        self._sources: dict[str, Source] = {}
        self._connections: dict[str, Connection] = {}
        self._modulators: dict[str, Level] = {}
        self._levels = np.zeros((0, 5, batch))
        self._spike_probes: dict[str, SpikeProbe] = {}
        self._state_probes: list[StateProbe] = []
        self._agenda: list[tuple[int, Callable[[Network], None]]] = []
        self._tables: _Tables | None = None

    @property
    def step_number(self) -> int:
        """Steps made so far."""
        return int(self._clock[0])

    @property
    def time(self) -> float:
        """Seconds since the start."""
        return self.step_number * self.dt

    def steps(self, seconds: float) -> int:
        """Return the whole number of steps in `seconds`; raises ValueError where it is none."""
        steps = round(seconds / self.dt)
        if steps < 0 or abs(steps * self.dt - seconds) > 1e-6 * self.dt * max(1, steps):
            raise ValueError(f"{seconds:g} s are no whole number of steps of {self.dt:g} s")
        return steps

    def population(
        self,
        name: str,
        size: int,
        model: NeuronModel,
        receptors: Mapping[str, Receptor] | None = None,
        *,
        drive: float | ArrayLike | Distribution = 0.0,
        **start: float | ArrayLike | Distribution,
    ) -> Population:
        """Add `size` neurons; `receptors` by name, by default "current", an exponential one of 5 ms.

        `drive` is their constant input, and keywords named like state variables where those start: numbers,
        arrays or distributions.
        """
        kinds = {"current": exponential(5e-3)} if receptors is None else receptors
        cells = Population(
            name, size, model, kinds, start, dt=self.dt, real=self._real, copies=self.batch, seed=self.seed
        )
        cells.set_drive(drive)
        return self._add(cells)

    def poisson(self, name: str, size: int, rates: ArrayLike) -> Poisson:
        """Add `size` independent Poisson trains of `rates`, Hz, a number or (size,)."""
        return self._add(Poisson(name, size, rates, dt=self.dt, copies=self.batch, seed=self.seed))

    def trains(self, name: str, size: int, times: ArrayLike = (), neurons: ArrayLike = ()) -> SpikeSource:
        """Add `size` sources that spike at `times` (k,), s, of `neurons` (k,), or when told to `fire`."""
        steps = np.round(np.asarray(times, np.float64) / self.dt).astype(np.int64)
        return self._add(SpikeSource(name, size, steps, neurons, copies=self.batch, seed=self.seed))

    def modulator(self, name: str, modulator: Modulator | None = None) -> Level:
        """Add a neuromodulator, by default dopamine; its level is a third factor of plasticity."""
        self._refuse(name)
        level = Level(name, modulator or Modulator(), self.dt, self.batch)
        self._modulators[name] = level
        self._change()
        return level

    def connect(
        self,
        pre: Source | Group,
        post: Source | Group,
        receptor: str | None = "current",
        wiring: Wiring | None = None,
        *,
        name: str | None = None,
        weight: float | ArrayLike | Distribution = 1.0,
        delay: float | ArrayLike | Distribution | None = None,
        probability: float | None = None,
        in_degree: int | None = None,
        loops: bool = True,
        short_term: ShortTerm | None = None,
        rule: Rule | None = None,
        release: Hedonistic | None = None,
        third_factor: Level | None = None,
        gate: Level | None = None,
        frozen: NDArray[np.bool_] | None = None,
    ) -> Connection:
        """Add synapses from `pre` to the `receptor` of `post`.

        Parameters
        ----------
        wiring : "dense", "one to one", (pre (k,), post (k,)), or a projection object; or give
        probability : of each possible synapse, drawn independently, or
        in_degree : sources of each target
        weight : number, (k,) or (n_pre, n_post) for dense wiring, or a distribution
        delay : s, of all synapses, (k,) or a distribution; by default, and at least, one step
        loops : whether a neuron may reach the one of the same number
        short_term : depression and facilitation by use
        rule, third_factor, gate : plasticity and the modulators that steer it (`plasticity`)
        release : release by chance, which learns from the third factor too (`hedonistic`)
        frozen : synapses that the rule leaves alone, shaped like the weights
        receptor : None for synapses that only learn
        """
        label = name or f"{_name(pre)} to {_name(post)}"
        if name is None and label in self._connections:
            label += f" {len(self._connections)}"
        self._refuse(label)
        for end in (pre, post):
            self._own(end)
        connection = Connection(
            label, pre, post, receptor, wiring, weight=weight, delay=delay, probability=probability,
            in_degree=in_degree, loops=loops, short_term=short_term, rule=rule, release=release,
            third_factor=third_factor,
            gate=gate,
            frozen=frozen, dt=self.dt, real=self._real, copies=self.batch, seed=self.seed,
        )  # fmt: skip
        if self.step_number and connection.depth > connection.source.depth:
            raise ValueError("connect before the first step: spikes on their way would be lost")
        connection.source.remember(connection.depth)
        self._connections[label] = connection
        self._change()
        return connection

    def play(self, cells: Population, series: ArrayLike, every: float | None = None) -> None:
        """Add a known input to the drive of `cells`: (T,) for all or (T, n), one row each `every` s.

        In a batch, all copies get the same, or their own by (T, copies * n).

        The first row holds from the network's start, the last one stays. By default a row is one step.
        """
        self._own(cells)
        cells.set_series(series, 1 if every is None else self.steps(every))
        self._change()

    def source(self, name: str) -> Any:
        """Return the population or source called `name`."""
        return self._known(name, self._sources)

    def connection(self, name: str) -> Connection:
        """Return the connection called `name`."""
        found: Connection = self._known(name, self._connections)
        return found

    def _known(self, name: str, parts: Mapping[str, Any]) -> Any:
        if name not in parts:
            raise ValueError(f"the network has {', '.join(map(repr, parts)) or 'none'}, not {name!r}")
        return parts[name]

    def record(self, source: Source, last: float | None = None) -> SpikeProbe:
        """Record the spikes of `source`; with `last`, s, only those of the time just past are kept.

        A source has one record: asked again, it is the same one. Raises ValueError for another `last` then.
        """
        self._own(source)
        keep = None if last is None else self.steps(last)
        if source.name in self._spike_probes:
            if self._spike_probes[source.name].keep != keep:
                raise ValueError(f"{source.name} is recorded already, and keeps its spikes for another time")
            return self._spike_probes[source.name]
        probe = SpikeProbe(source, self.dt, keep, self._clock)
        self._spike_probes[source.name] = probe
        self._change()
        return probe

    def watch(
        self,
        cells: Population,
        variable: str,
        neurons: ArrayLike | None = None,
        every: float | None = None,
        last: float | None = None,
    ) -> StateProbe:
        """Record a state variable or the input of a receptor, of all or some `neurons`, `every` s.

        With `last`, s, only the latest values are kept.
        """
        self._own(cells)
        interval = 1 if every is None else max(1, self.steps(every))
        keep = None if last is None else max(1, self.steps(last) // interval)
        probe = StateProbe(cells, variable, neurons, interval, self.dt, keep, self._clock)
        self._state_probes.append(probe)
        self._change()
        return probe

    def every(self, seconds: float, action: Callable[[Network], None]) -> None:
        """Call `action(network)` before each step at a whole multiple of `seconds`, from now on."""
        interval = self.steps(seconds)
        if interval < 1:
            raise ValueError(f"an action needs an interval of >= 1 step, got {seconds:g} s")
        self._agenda.append((interval, action))

    def run(self, seconds: float) -> None:
        """Advance by `seconds`."""
        self.step(self.steps(seconds))

    def step(self, steps: int = 1) -> None:
        """Advance by `steps`."""
        if self._tables is None:
            self._build()
        end = self.step_number + steps
        while self.step_number < end:
            now = self.step_number
            for interval, action in self._agenda:
                if now % interval == 0:
                    action(self)
            stop = min([end, *(now + interval - now % interval for interval, _ in self._agenda)])
            self._advance(stop - now)

    def _advance(self, steps: int) -> None:
        if self._tables is None:
            self._build()
        while steps > 0:
            assert self._tables is not None
            tables = self._tables
            done: int = engine.advance(
                tables.populations, tables.receptors, tables.projections, tables.probes, self._levels,
                self._clock, steps, self._like,
            )  # fmt: skip
            steps -= done
            if steps > 0:
                self._drain()

    def _drain(self) -> None:
        for spikes in self._spike_probes.values():
            spikes.drain()
        for states in self._state_probes:
            states.drain()

    def arrays(self) -> Arrays:
        """Return the live arrays of all that changes; from copies of them a run goes on bit for bit."""
        live: Arrays = {"clock": self._clock}
        parts: list[tuple[str, Mapping[str, NDArray[Any]]]] = [
            (name, source.arrays()) for name, source in self._sources.items()
        ]
        parts += [(name, connection.arrays()) for name, connection in self._connections.items()]
        parts += [(name, level.arrays()) for name, level in self._modulators.items()]
        for name, arrays in parts:
            live |= {f"{name}/{key}": array for key, array in arrays.items()}
        return live

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `arrays` returned, or copies of it, for a network of the same structure.

        Raises ValueError for missing entries and for wrong shapes; nothing has changed then.
        """
        if self._tables is None:
            self._build()
        own = self.arrays()
        missing = sorted(own.keys() - arrays.keys())
        if missing:
            raise ValueError(f"the network's state lacks {', '.join(missing)}")
        for name, array in own.items():
            if arrays[name].shape != array.shape:
                raise ValueError(f"{name} must have shape {array.shape}, got {arrays[name].shape}")
        for name, array in own.items():
            array[...] = arrays[name]

    def reseed(self, seed: int) -> None:
        """Draw noise and sources from the streams of `seed` from now on; what was drawn once stays."""
        for source in self._sources.values():
            source.key = key(seed, source.name)
        for connection in self._connections.values():
            if connection.release is not None:
                connection.release.reseed(seed)
        self.seed = seed
        self._change()

    def _add(self, source: Part) -> Part:
        self._refuse(source.name)
        self._sources[source.name] = source
        self._change()
        return source

    def _refuse(self, name: str) -> None:
        if name in self._sources or name in self._connections or name in self._modulators:
            raise ValueError(f"the network already has {name!r}")

    def _own(self, end: Source | Group) -> None:
        source = end.population if isinstance(end, Group) else end
        if self._sources.get(source.name) is not source:
            raise ValueError(f"{source.name!r} is not part of this network")

    def _change(self) -> None:
        self._tables = None

    def _build(self) -> None:
        """Write the tables of the engine. Arrays stay where they are, so this is once for each structure."""
        index = {name: k for k, name in enumerate(self._sources)}
        populations = np.zeros((len(index), layout.POPULATION_COLUMNS), np.int64)
        receptors: list[NDArray[np.int64]] = []
        for name, k in index.items():
            self._sources[name].describe(populations[k], receptors)
            if name in self._spike_probes:
                self._spike_probes[name].describe(populations[k])
        levels = list(self._modulators)
        if len(levels) != len(self._levels):
            self._levels = np.zeros((len(levels), 5, self.batch))
            for k, name in enumerate(levels):
                self._modulators[name].move(self._levels[k])
        projections = np.zeros((len(self._connections), layout.PROJECTION_COLUMNS), np.int64)
        for row, connection in zip(projections, self._connections.values(), strict=True):
            connection.describe(row, index, {name: k for k, name in enumerate(levels)})
        probes = np.zeros((len(self._state_probes), layout.PROBE_COLUMNS), np.int64)
        for row, probe in zip(probes, self._state_probes, strict=True):
            probe.describe(row)
        rows = np.array(receptors, np.int64).reshape(-1, layout.RECEPTOR_COLUMNS)
        self._tables = _Tables(populations, rows, projections, probes)


def _name(end: Source | Group) -> str:
    if isinstance(end, Group):
        return f"{end.population.name}[{end.start}:{end.stop}]"
    return end.name
