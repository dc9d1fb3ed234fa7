"""A small stand-in for the navigator, so that the loop, checkpoints and figures are tested in seconds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_agent import free_port
from numpy.typing import NDArray
from tolman.agent import AgentSnapshot
from tolman.bridge.context import Context, open_context
from tolman.bridge.network import keys
from tolman.envs.robot import integrate_twist
from tolman.launch.config import ExperimentConfig, load

PLACE, GRID, MODULES = 120, 40, 2


class SpikingDouble:
    """Dead reckoning, spikes like those of place and grid cells, random driving; learns nothing."""

    localised = True
    map_number = 0

    def __init__(self, config: object, camera: object, seed: int, rule: str = "td-ltp") -> None:
        self._random = np.random.Generator(np.random.PCG64(seed))
        spans = {"place": slice(0, PLACE)}
        for module in range(MODULES):
            spans[f"grid_{module}"] = slice(PLACE + module * GRID, PLACE + (module + 1) * GRID)
        self.populations = spans
        self.neurons = PLACE + MODULES * GRID
        self.synapses = 10 * self.neurons
        self.spike_count = 0
        layout = np.random.default_rng(1)
        self._centre = layout.uniform(-1.5, 1.5, (PLACE, 2))
        self._phase = layout.uniform(-1.0, 1.0, (MODULES, GRID, 2))
        self._pose = np.zeros(3)
        self._digest = b""
        self._steps = 0
        self._yaw_rate = 0.0
        self._escape = 0
        self._spikes = np.zeros(0, np.uint32)
        self._rates = np.zeros(self.neurons)
        self._twist = np.zeros(2, np.float32)

    @property
    def spike_hash(self) -> str:
        return self._digest.hex()

    @property
    def pose_estimate(self) -> NDArray[np.float64]:
        return self._pose.copy()

    @property
    def synaptic_operations(self) -> int:
        return 10 * self.spike_count

    def reset(self, seed: int | None = None) -> None:
        self._pose = np.zeros(3)
        self._yaw_rate = 0.0
        self._escape = 0

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        self._pose = integrate_twist(self._pose, *map(float, observation["odometry"]), 0.04)
        at = self._pose[:2]
        rates = [20.0 * np.exp(-np.sum((self._centre - at) ** 2, axis=1) / (2 * 0.15**2))]
        for module, phases in enumerate(self._phase):
            wave = 4 * np.pi / np.sqrt(3) / (0.4 * 1.4**module)
            angles = np.arange(3) * np.pi / 3
            axes = np.stack((np.cos(angles), np.sin(angles)))
            rates.append(15.0 * np.clip(np.cos(wave * (at - phases) @ axes).mean(axis=1), 0.0, None))
        self._rates = np.concatenate(rates)
        self._spikes = np.flatnonzero(self._random.random(self.neurons) < 0.04 * self._rates).astype(
            np.uint32
        )
        self.spike_count += self._spikes.size
        self._digest = hashlib.blake2b(self._digest + self._spikes.tobytes(), digest_size=16).digest()
        self._yaw_rate = 0.9 * self._yaw_rate + 0.6 * self._random.standard_normal()
        if np.any(observation["bump"]):
            self._escape = 20
        self._escape = max(0, self._escape - 1)
        self._twist = np.array([0.25, self._yaw_rate] if self._escape == 0 else [-0.05, 2.5], np.float32)
        self._steps += 1
        return self._twist.copy()

    def reward(self, r: float, terminated: bool) -> None:
        self._digest = hashlib.blake2b(self._digest + bytes([r > 0.0, terminated]), digest_size=16).digest()

    def snapshot(self) -> AgentSnapshot:
        return AgentSnapshot(
            time=0.04 * self._steps,
            pose_estimate=self._pose.copy(),
            localised=True,
            spike_neuron=self._spikes,
            spike_time=np.zeros(self._spikes.size, np.uint16),
            place_activity=self._rates[:PLACE].astype(np.float32),
            dopamine=float(np.sin(0.1 * self._steps)),
            value=float(np.hypot(*self._pose[:2])),
            twist=self._twist,
        )

    def state_dict(self) -> dict[str, NDArray[Any]]:
        state = self._random.bit_generator.state["state"]
        words = [state[key] >> shift & (2**64 - 1) for key in ("state", "inc") for shift in (64, 0)]
        return {
            "random": np.array(words, np.uint64),
            "digest": np.frombuffer(self._digest, np.uint8).copy(),
            "counts": np.array([self.spike_count, self._steps]),
        }

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        if set(state) != {"random", "digest", "counts"}:
            raise ValueError(f"not a state of this agent: {sorted(state)}")
        words = [int(word) for word in state["random"]]
        bits = np.random.PCG64()
        inner = {"state": words[0] << 64 | words[1], "inc": words[2] << 64 | words[3]}
        bits.state = {"bit_generator": "PCG64", "state": inner, "has_uint32": 0, "uinteger": 0}
        self._random = np.random.Generator(bits)
        self._digest = state["digest"].tobytes()
        self.spike_count, self._steps = (int(count) for count in state["counts"])


@pytest.fixture
def spiking_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build `SpikingDouble` wherever the launcher would build the navigator."""
    monkeypatch.setattr("tolman.launch.agents.Navigator", SpikingDouble)


@pytest.fixture
def short_experiment() -> Callable[..., ExperimentConfig]:
    """Return a function that makes a water maze of few seconds a trial, with changed fields."""

    def make(*settings: str, **changes: Any) -> ExperimentConfig:
        config = load(settings=["environment.time_limit=3.2", "trials=2", "habituation=0", *settings])
        return replace(config, **changes)

    return make


@pytest.fixture
def tolman(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs the command line here: exit code, standard output, standard error."""
    from tolman.launch.cli import main

    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def endpoint() -> str:
    """Where processes of a test can meet, and nobody else does."""
    return f"tcp://127.0.0.1:{free_port()}"


@pytest.fixture
def key_folder(tmp_path: Path) -> Path:
    """A key folder of a user who may be the hub."""
    keys.create(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def opened(endpoint: str) -> Iterator[Callable[..., Context]]:
    """Return a function that makes contexts, with a key folder or without, that meet at `endpoint`."""
    made: list[Context] = []

    def make(folder: Path | None = None) -> Context:
        made.append(open_context(endpoint, keys=folder))
        return made[-1]

    yield make
    for context in made:
        context.try_shutdown()
