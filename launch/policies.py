"""PPO and SAC of Stable-Baselines3, driven step by step by the loop of episodes instead of by their own.

Networks, losses, buffers and optimisers are the library's, with its default settings; what is written here is
what its `learn` does between two steps of an environment (Schulman et al. 2017, arXiv:1707.06347; Haarnoja et
al. 2018, arXiv:1801.01290). Where an episode is cut off, the last observation acted on stands for the one
after it, which the loop does not show.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.logger import Logger

Floats = NDArray[np.float32]

#: Steps that SAC can look back on: all of a long run. The library's million would take 4 GB of place cells.
_MEMORY = 200_000


#: Arrays of a roll-out that are filled step by step.
_ROLLOUT = ("observations", "actions", "rewards", "episode_starts", "values", "log_probs")


class _Spaces(gymnasium.Env[Floats, Floats]):
    """What the library asks an environment for when it builds its networks."""

    def __init__(self, observation: spaces.Space[Floats], action: spaces.Space[Floats]) -> None:
        self.observation_space, self.action_space = observation, action


class Online(ABC):
    """A model that is shown one step after the other.

    Its random numbers are its own: those of NumPy and PyTorch that the library draws from are put in place
    before each call and put back after it.
    """

    exact = True
    library: type[PPO] | type[SAC]  #: the model
    policy: Any = "MlpPolicy"  #: its networks

    def __init__(
        self,
        observation: spaces.Space[Floats],
        action: spaces.Space[Floats],
        seed: int,
        learning: bool = True,
        **options: Any,
    ) -> None:
        torch.set_num_threads(1)  # sums would depend on the number of cores
        with _kept_random():
            environment = _Spaces(observation, action)
            model = self.library(self.policy, environment, seed=seed, device="cpu", **options)
            self._torch_random = torch.get_rng_state()
            self._numpy_random: Any = np.random.get_state()  # noqa: NPY002  (the library's)
        model.set_logger(Logger(None, []))
        self._model: Any = model
        self._learning = learning
        self._seen: Floats | None = None
        self._action = np.zeros(2, np.float32)
        self._reward = 0.0
        self.value = 0.0

    @property
    def steps(self) -> int:
        """Steps learned from so far."""
        return int(self._model.num_timesteps)

    def begin(self) -> None:
        """Begin an episode; one that was not ended has been cut off."""
        self._close(None, terminated=False)

    def act(self, seen: Floats) -> Floats:
        """Take the observation (n,) after the last action; return the next action (2,)."""
        self._close(seen, terminated=False)
        with self._random():
            self._action = self._choose(seen)
        self._seen = seen
        return np.clip(self._action, -1.0, 1.0)

    def reward(self, r: float, terminated: bool) -> None:
        """Take a reward, and the end of an episode that reached it."""
        self._reward += r
        if terminated:
            self._close(None, terminated=True)

    def _close(self, following: Floats | None, terminated: bool) -> None:
        """Learn from the step that began with the last action; `following` is None at an episode's end."""
        if self._seen is not None and self._learning:
            self._model.num_timesteps += 1
            with self._random():
                self._learn(self._seen, self._reward, following, terminated)
        self._seen, self._reward = None, 0.0

    @abstractmethod
    def _choose(self, seen: Floats) -> Floats:
        """Return an action (2,)."""

    @abstractmethod
    def _learn(self, seen: Floats, reward: float, following: Floats | None, terminated: bool) -> None:
        """Learn from one step."""

    @abstractmethod
    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """Return the optimisers by name."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return networks, optimisers, random states and counts as plain arrays."""
        _, words, position, has_gauss, gauss = self._numpy_random
        out = {
            "steps": np.array(self.steps),
            "updates": np.array(self._model._n_updates),
            "torch": self._torch_random.numpy().copy(),
            "numpy": words.copy(),
            "numpy_rest": np.array([position, has_gauss, gauss], np.float64),
        }
        for name, tensor in self._model.policy.state_dict().items():
            out[f"net/{name}"] = tensor.numpy().copy()
        for name, optimiser in self._optimisers().items():
            for parameter, moments in optimiser.state_dict()["state"].items():
                for key, tensor in moments.items():
                    out[f"adam/{name}/{parameter}/{key}"] = torch.as_tensor(tensor).numpy().copy()
        return out

    def take_up(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take up what `arrays` returned; raise ValueError where it does not fit."""
        nets = {n.removeprefix("net/"): torch.as_tensor(a) for n, a in arrays.items() if n.startswith("net/")}
        try:
            self._model.policy.load_state_dict(nets)
        except RuntimeError as error:
            raise ValueError(f"not the state of this learner: {error}") from error
        for name, optimiser in self._optimisers().items():
            state: dict[int, dict[str, torch.Tensor]] = {}
            for full, array in arrays.items():
                if full.startswith(f"adam/{name}/"):
                    _, _, parameter, key = full.split("/")
                    state.setdefault(int(parameter), {})[key] = torch.as_tensor(array.copy())
            optimiser.load_state_dict(optimiser.state_dict() | {"state": state})
        self._model.num_timesteps = int(arrays["steps"])
        self._model._n_updates = int(arrays["updates"])
        self._torch_random = torch.as_tensor(arrays["torch"].copy())
        position, has_gauss, gauss = arrays["numpy_rest"]
        self._numpy_random = ("MT19937", arrays["numpy"].copy(), int(position), int(has_gauss), float(gauss))

    @contextmanager
    def _random(self) -> Iterator[None]:
        with _kept_random():
            torch.set_rng_state(self._torch_random)
            np.random.set_state(self._numpy_random)  # noqa: NPY002
            try:
                yield
            finally:
                self._torch_random = torch.get_rng_state()
                self._numpy_random = np.random.get_state()  # noqa: NPY002


class OnlinePPO(Online):
    """Proximal policy optimisation: learns each time `n_steps` steps have been collected, across episodes."""

    library = PPO

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._buffer = self._model.rollout_buffer
        self._starts = np.ones(1)
        self._value, self._log_probability = torch.zeros(1), torch.zeros(1)

    def begin(self) -> None:
        """Begin an episode."""
        super().begin()
        self._starts[:] = 1.0

    def _choose(self, seen: Floats) -> Floats:
        with torch.no_grad():
            action, value, probability = self._model.policy(
                torch.as_tensor(seen[None]), deterministic=not self._learning
            )
        self._value, self._log_probability = value, probability
        self.value = float(value)
        return np.asarray(action.numpy()[0], np.float32)

    def _learn(self, seen: Floats, reward: float, following: Floats | None, terminated: bool) -> None:
        if following is None and not terminated:
            reward += self._model.gamma * self.value
        self._buffer.add(
            seen[None], self._action[None], np.array([reward]), self._starts.copy(), self._value,
            self._log_probability,
        )  # fmt: skip
        self._starts[:] = 0.0
        if not self._buffer.full:
            return
        done = np.array([following is None])
        last = torch.zeros(1)
        if following is not None:
            with torch.no_grad():
                last = self._model.policy.predict_values(torch.as_tensor(following[None]))
        self._buffer.compute_returns_and_advantage(last_values=last, dones=done)
        self._model.policy.set_training_mode(True)
        self._model.train()
        self._model.policy.set_training_mode(False)
        self._buffer.reset()

    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return {"policy": self._model.policy.optimizer}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state, with the part of the roll-out that is collected."""
        n = self._buffer.pos
        return super().arrays() | {
            f"rollout/{name}": getattr(self._buffer, name)[:n].copy() for name in _ROLLOUT
        }

    def take_up(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take up a state, with the part of the roll-out that was collected."""
        super().take_up(arrays)
        self._buffer.reset()
        for name in _ROLLOUT:
            kept = arrays[f"rollout/{name}"]
            getattr(self._buffer, name)[: len(kept)] = kept
            self._buffer.pos = len(kept)


class OnlineSAC(Online):
    """Soft actor-critic: learns from remembered steps once a step, after the first `learning_starts`."""

    exact = False  # its memory of steps is too large for a checkpoint a trial
    library = SAC

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"buffer_size": _MEMORY} | options)

    def _choose(self, seen: Floats) -> Floats:
        if self._learning and self.steps < self._model.learning_starts:
            return np.random.uniform(-1.0, 1.0, 2).astype(np.float32)  # noqa: NPY002
        action, _ = self._model.predict(seen, deterministic=not self._learning)
        return np.asarray(action, np.float32)

    def _learn(self, seen: Floats, reward: float, following: Floats | None, terminated: bool) -> None:
        cut_off = following is None and not terminated
        self._model.replay_buffer.add(
            seen[None], (seen if following is None else following)[None], self._action[None],
            np.array([reward]), np.array([following is None]), [{"TimeLimit.truncated": cut_off}],
        )  # fmt: skip
        if self.steps > self._model.learning_starts:
            self._model.train(gradient_steps=1, batch_size=self._model.batch_size)

    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        model = self._model
        return {
            "actor": model.actor.optimizer,
            "critic": model.critic.optimizer,
            "entropy": model.ent_coef_optimizer,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state without the memory of steps."""
        return super().arrays() | {"entropy": self._model.log_ent_coef.detach().numpy().copy()}

    def take_up(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take up a state; the memory of steps begins empty."""
        super().take_up(arrays)
        with torch.no_grad():
            self._model.log_ent_coef.copy_(torch.as_tensor(arrays["entropy"]))


@contextmanager
def _kept_random() -> Iterator[None]:
    """Put the random numbers of NumPy and PyTorch back after the library has seeded them."""
    outer = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        torch.set_rng_state(outer[0])
        np.random.set_state(outer[1])  # noqa: NPY002
