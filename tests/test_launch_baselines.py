"""What the agent is measured against: an oracle that knows everything, and learners on the same map."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tolman.agent.motor import MotorConfig
from tolman.envs.wrappers import BlindInfo
from tolman.launch.agents import Informed, make_agent
from tolman.launch.config import ExperimentConfig
from tolman.launch.environments import camera_of
from tolman.launch.episode import run_episode
from tolman.launch.errors import UserError
from tolman.launch.learner import Learner
from tolman.launch.mapped import MappedBody, MappedEnv
from tolman.launch.oracle import Oracle
from tolman.launch.scoring import spl
from tolman.launch.session import Session
from tolman.launch.training import train

Make = Callable[..., ExperimentConfig]


def test_the_oracle_drives_the_straight_way_at_once(short_experiment: Make) -> None:
    config = short_experiment("algorithm=oracle", "environment.time_limit=20", trials=4)
    with Session(config) as session:
        while session.trials_done < config.trials:
            session.next_trial()
    for record in session.records:
        assert record.success
        assert record.optimal_path_m is not None
        assert spl(record) > 0.95
        # The straight line at full speed, and at most the turn on the spot before it.
        assert record.latency_s < 1.05 * record.optimal_path_m / 0.3 + math.pi / 3.0 + 0.5
        assert record.localisation_error_m == pytest.approx(0.0, abs=1e-9)


def test_the_oracle_follows_waypoints() -> None:
    way = np.array([[1.0, 0.0], [1.0, 1.0]])
    oracle = Oracle(MotorConfig(), lambda here: way)
    oracle.reset()
    oracle.inform({"pose": np.zeros(3)})
    assert oracle.act({}) == pytest.approx([0.3, 0.0])  # straight ahead lies the corner
    oracle.inform({"pose": np.array([1.0, 0.0, math.pi / 2])})
    assert oracle.act({}) == pytest.approx([0.3, 0.0], abs=1e-6)  # and from the corner the goal
    way = np.empty((0, 2))
    assert oracle.act({}) == pytest.approx([0.0, 0.0])


@pytest.mark.parametrize("task", ["DelayedMatch", "UMaze", "Cruciform", "Detour", "TMaze"])
def test_the_oracle_solves_every_task(task: str, short_experiment: Make) -> None:
    options = ["environment.options.delay=0.0"] if task == "TMaze" else []
    config = short_experiment(
        "algorithm=oracle", f"task=tolman/{task}-v0", "environment.time_limit=30", *options
    )
    with Session(config) as session:
        for _ in range(3):
            record = session.next_trial()
            assert record.success
            assert spl(record) > 0.9
            assert record.collisions == 0


def test_only_the_oracle_is_informed(short_experiment: Make) -> None:
    config = short_experiment("algorithm=oracle")
    with Session(config) as session:
        camera = camera_of(session.environment)
        told = {
            name: isinstance(make_agent(short_experiment(f"algorithm={name}"), camera, 0), Informed)
            for name in ("td-ltp", "random", "oracle")
        }
        assert told == {"td-ltp": False, "random": False, "oracle": True}
        with pytest.raises(ValueError, match="true pose"):
            run_episode(BlindInfo(session.environment), session.agent, 1, seed=1)


def test_an_oracle_resumes_and_refuses_a_task_without_a_goal(tmp_path: Path, short_experiment: Make) -> None:
    whole = train(short_experiment("algorithm=oracle", trials=3), tmp_path / "whole")
    train(short_experiment("algorithm=oracle", trials=1), tmp_path / "parts")
    parts = train(short_experiment("algorithm=oracle", trials=3), tmp_path / "parts", resume=True)
    assert parts.spike_hash == whole.spike_hash
    assert [r.localisation_error_m for r in parts.records] == [r.localisation_error_m for r in whole.records]
    with pytest.raises(UserError, match="goal to drive to"):
        Session(short_experiment("algorithm=oracle", "task=tolman/OpenField-v0"))


def test_a_missing_extra_is_named(short_experiment: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tolman.launch.policies", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it fails, as where it is not installed
    with pytest.raises(UserError, match=r"'ppo' needs torch: pip install 'tolman\[baselines\]'"):
        Session(short_experiment("algorithm=ppo"))


@pytest.mark.parametrize("name", ["torch", "snntorch"])
def test_the_surrogate_names_what_it_lacks(
    name: str, short_experiment: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "snntorch":
        pytest.importorskip("stable_baselines3")
    for module in ("policies", "surrogate"):
        monkeypatch.delitem(sys.modules, f"tolman.launch.{module}", raising=False)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=rf"'surrogate' needs {name}: pip install 'tolman\[baselines\]'"):
        Session(short_experiment("algorithm=surrogate"))


def test_the_navigator_can_lend_its_body_to_another_controller(short_experiment: Make) -> None:
    """A wrapped environment and a `Learner` with the same body give and take the same."""
    config = short_experiment("algorithm=random", habituation=0.0)
    seen: list[np.ndarray] = []

    class Steady:
        exact, value = True, 0.0

        def begin(self) -> None: ...

        def act(self, observation: np.ndarray) -> np.ndarray:
            seen.append(observation)
            return np.array([0.6, 0.8], np.float32)

        def reward(self, r: float, terminated: bool) -> None: ...

        def arrays(self) -> dict[str, np.ndarray]:
            return {}

        def take_up(self, arrays: Mapping[str, np.ndarray]) -> None: ...

    with Session(config) as session:
        camera = camera_of(session.environment)
        learner = Learner(MappedBody(config.agent, camera, 4), Steady(), explores=False)
        record, frames = run_episode(session.environment, learner, 1, seed=3)
        wrapped = MappedEnv(session.environment, MappedBody(config.agent, camera, 4))
        given, ended = [], False
        observation, _ = wrapped.reset(seed=3)
        while not ended:
            assert wrapped.observation_space.contains(observation)
            given.append(observation)
            observation, _, terminated, truncated, info = wrapped.step(np.array([0.6, 0.8], np.float32))
            ended = terminated or truncated
        assert info["path_m"] == record.path_m
        assert len(seen) == record.steps == 80
        np.testing.assert_array_equal(seen, given)
        # Carried elsewhere, it looks around first, and the policy is not asked meanwhile.
        run_episode(session.environment, learner, 2, frames=frames)
        assert len(seen) < 160


class TestPPO:
    """With Stable-Baselines3, where it is installed."""

    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("stable_baselines3")

    @staticmethod
    def bandit(kind: str, steps: int, seed: int = 0, **options: Any) -> tuple[Any, float]:
        """Reward for going east, at every step, in episodes of 20; return the policy and its last mean."""
        from importlib import import_module

        from gymnasium import spaces

        observation = spaces.Box(0.0, 1.0, (3,), np.float32)
        action = spaces.Box(-1.0, 1.0, (2,), np.float32)
        module = import_module(f"tolman.launch.{'surrogate' if kind == 'OnlineSurrogate' else 'policies'}")
        policy = getattr(module, kind)(observation, action, seed, **options)
        rewards = []
        for step in range(steps):
            if step % 20 == 0:
                policy.begin()
            x, y = policy.act(np.ones(3, np.float32))
            rewards.append(x / max(math.hypot(x, y), 1e-6))
            policy.reward(rewards[-1], step % 20 == 19)
        return policy, float(np.mean(rewards[-200:]))

    def test_it_learns_what_pays(self) -> None:
        assert self.bandit("OnlinePPO", 4000, n_steps=128, learning_rate=3e-3)[1] > 0.7
        assert self.bandit("OnlineSAC", 600, learning_rate=3e-3)[1] > 0.7
        assert abs(self.bandit("OnlinePPO", 1000, n_steps=128, learning=False)[0].steps) == 0

    def test_its_random_numbers_are_its_own(self) -> None:
        np.random.seed(0)  # noqa: NPY002
        first = self.bandit("OnlinePPO", 300, n_steps=64)[0].arrays()
        drawn = np.random.random()  # noqa: NPY002
        again = self.bandit("OnlinePPO", 300, n_steps=64)[0].arrays()
        for name, array in first.items():
            np.testing.assert_array_equal(again[name], array, err_msg=name)
        np.random.seed(0)  # noqa: NPY002
        assert np.random.random() == drawn  # noqa: NPY002

    @pytest.mark.parametrize("at", [50, 100])
    def test_it_goes_on_from_its_arrays(self, at: int) -> None:
        from tolman.launch.policies import OnlinePPO

        def drive(policy: OnlinePPO, steps: range) -> list[float]:
            moves = []
            for step in steps:
                if step % 10 == 0:
                    policy.begin()
                moves.append(float(policy.act(np.full(3, step % 7, np.float32))[0]))
                policy.reward(moves[-1], step % 10 == 9)
            return moves

        from gymnasium import spaces

        made = (spaces.Box(0.0, 9.0, (3,), np.float32), spaces.Box(-1.0, 1.0, (2,), np.float32))
        whole, first, second = (OnlinePPO(*made, seed, n_steps=64) for seed in (1, 1, 2))
        expected = drive(whole, range(200))[at:]
        drive(first, range(at))
        second.take_up(first.arrays())
        assert drive(second, range(at, 200)) == expected

    @pytest.mark.parametrize("algorithm", ["ppo", "surrogate"])
    def test_a_run_resumes(self, algorithm: str, tmp_path: Path, short_experiment: Make) -> None:
        pytest.importorskip("snntorch")
        named = f"algorithm={algorithm}"
        config = short_experiment(named, seed=2, habituation=2.0)
        whole = train(config, tmp_path / "whole")
        train(short_experiment(named, seed=2, habituation=2.0, trials=1), tmp_path / "parts")
        assert train(config, tmp_path / "parts", resume=True).spike_hash == whole.spike_hash
        assert whole.neurons > 1000

    def test_a_run_refuses_to_resume(self, tmp_path: Path, short_experiment: Make) -> None:
        train(short_experiment("algorithm=sac", trials=1), tmp_path / "sac")
        with pytest.raises(UserError, match="cannot be resumed"):
            train(short_experiment("algorithm=sac"), tmp_path / "sac", resume=True)


class TestSurrogate:
    """With Stable-Baselines3 and snnTorch, where they are installed."""

    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("stable_baselines3")
        pytest.importorskip("snntorch")

    def test_its_gradients_are_those_of_the_smoothed_network(self) -> None:
        """Spikes replaced by v / (1 + 5 |v|), v from threshold: finite differences against the way back."""
        import torch
        from tolman.launch.surrogate import SpikingExtractor

        torch.manual_seed(1)
        network = SpikingExtractor(3, {"pi": [6, 5], "vf": [2]}).double()
        highest: list[float] = []

        def smoothed(way_back: Any) -> Any:
            def spike(v: Any) -> Any:
                highest.append(float(v.detach().max()))
                bent, through = v / (1.0 + 5.0 * v.abs()), way_back(v)
                return bent.detach() + through - through.detach()

            return spike

        for cells in network.policy_net[1::2]:
            cells.spike_grad = smoothed(cells.spike_grad)
            cells.mem_reset = lambda v: (v > 1.0).double()  # as in the network, nothing flows back through it
        inputs = torch.rand(4, 3, dtype=torch.double) + 0.5
        readout = torch.rand(4, 5, dtype=torch.double)

        def loss() -> Any:
            return (network.forward_actor(inputs) * readout).sum()

        parameters = list(network.policy_net.parameters())
        loss().backward()
        assert max(highest) > 0.0, "nothing spiked"
        for parameter in parameters:
            numeric = torch.zeros_like(parameter)
            with torch.no_grad():
                for k in range(parameter.numel()):
                    sides = []
                    for step in (1e-6, -2e-6):
                        parameter.view(-1)[k] += step
                        sides.append(float(loss()))
                    parameter.view(-1)[k] += 1e-6
                    numeric.view(-1)[k] = (sides[0] - sides[1]) / 2e-6
            assert float(numeric.abs().max()) > 0.0
            np.testing.assert_allclose(parameter.grad, numeric, rtol=1e-4, atol=1e-6)

    def test_its_layers_spike_and_start_from_rest(self) -> None:
        import torch
        from tolman.launch.surrogate import STEPS, SpikingExtractor

        network = SpikingExtractor(3, {"pi": [20], "vf": [20]})
        inputs = torch.full((2, 3), 0.4)
        rates = network.forward_actor(inputs)
        counts = (rates * STEPS).detach().numpy()
        np.testing.assert_allclose(counts, np.round(counts), atol=1e-5)
        assert 0.0 < counts.max() <= STEPS
        np.testing.assert_array_equal(network.forward_actor(inputs).detach(), rates.detach())
        # By hand, from the currents: subtract 1 after a spike, keep 0.9.
        current = network.policy_net[0](inputs).detach().numpy()
        v, expected = np.zeros_like(current), np.zeros_like(current)
        for _ in range(STEPS):
            v = np.float32(0.9) * v + current - (v > 1.0)
            expected += v > 1.0
        np.testing.assert_array_equal(np.round(counts), expected)

    def test_it_learns_what_pays(self) -> None:
        assert TestPPO.bandit("OnlineSurrogate", 4000, n_steps=128, learning_rate=3e-3)[1] > 0.7
