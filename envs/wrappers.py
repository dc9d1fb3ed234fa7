"""Wrappers: events as a frame of fixed size for ordinary learners, and a blindfold for `info`."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from .events import EventPacket
from .navigation import NavigationEnv

Observation = dict[str, Any]
Action = NDArray[np.float32]


class EventFrame(gymnasium.ObservationWrapper[Any, Action, Observation], RecordConstructorArgs):
    """Replace the events by counts, so that an ordinary reinforcement-learning library can train.

    The frame is float32 (2, height, width): OFF and ON events of each pixel in the control period, clipped
    to `most` and divided by it. The other readings are divided by the limits of their space. By default the
    observation is a dict (``"events"``, ``"odometry"``, ``"gyro"``, ``"bump"``, all float32), as for
    Stable-Baselines3's ``MultiInputPolicy``; with ``flatten=True`` it is one vector in that order, as for
    ``MlpPolicy``. Further cameras (``"events_<name>"``) are counted alike and come after ``"events"``; a
    ``"cue"`` comes last, as it is.

    Parameters
    ----------
    env : gymnasium.Env
        An environment of this package.
    most : int
        Events of a pixel and polarity that give the value 1.
    pool : int
        Edge of the square of pixels that is summed into one; must divide width and height of each camera.
    flatten : bool
        One vector instead of a dict.

    Raises
    ------
    ValueError
        If `most` or `pool` is impossible.
    """

    def __init__(
        self, env: gymnasium.Env[Observation, Action], most: int = 8, pool: int = 1, flatten: bool = False
    ) -> None:
        RecordConstructorArgs.__init__(self, most=most, pool=pool, flatten=flatten)
        gymnasium.ObservationWrapper.__init__(self, env)
        if not isinstance(env.unwrapped, NavigationEnv):
            raise ValueError(f"EventFrame wraps tolman's environments, got {env.unwrapped}")
        further = {f"events_{name}": camera for name, camera in env.unwrapped.cameras.items()}
        self._cameras = {"events": env.unwrapped.camera, **further}
        if most < 1:
            raise ValueError(f"EventFrame most must be >= 1, got {most}")
        for camera in self._cameras.values():
            if pool < 1 or camera.width % pool or camera.height % pool:
                raise ValueError(
                    f"EventFrame pool must divide the {camera.width} x {camera.height} camera, got {pool}"
                )
        self._most, self._pool, self._flatten = most, pool, flatten
        inner = env.observation_space
        assert isinstance(inner, spaces.Dict)
        self._limits: dict[str, NDArray[np.float32]] = {}
        parts: dict[str, spaces.Space[Any]] = {
            name: spaces.Box(0.0, 1.0, (2, camera.height // pool, camera.width // pool), np.float32)
            for name, camera in self._cameras.items()
        }
        for name in ("odometry", "gyro", "bump"):
            box = inner[name]
            assert isinstance(box, spaces.Box)
            self._limits[name] = box.high.astype(np.float32)
            low = -1.0 if box.low.min() < 0 else 0.0
            parts[name] = spaces.Box(low, 1.0, box.shape, np.float32)
        self._cues = "cue" in inner.spaces
        if self._cues:
            parts["cue"] = inner["cue"]
        self._parts = spaces.Dict(parts)
        # Gymnasium sorts a dict space by name; the vector keeps the documented order.
        self.observation_space = (
            spaces.Box(
                np.concatenate([parts[name].low.ravel() for name in parts]),  # type: ignore[attr-defined]
                np.concatenate([parts[name].high.ravel() for name in parts]),  # type: ignore[attr-defined]
                dtype=np.float32,
            )
            if flatten
            else self._parts
        )

    def observation(self, observation: Observation) -> Any:
        """Return the observation with counts for events."""
        out, p = {}, self._pool
        for name, camera in self._cameras.items():
            counts = EventPacket.from_observation(observation[name]).counts(camera.width, camera.height)
            pooled = counts.reshape(2, camera.height // p, p, camera.width // p, p).sum(axis=(2, 4))
            out[name] = (np.minimum(pooled, self._most) / self._most).astype(np.float32)
        for name, limit in self._limits.items():
            out[name] = observation[name].astype(np.float32) / limit
        if self._cues:
            out["cue"] = observation["cue"]
        if self._flatten:
            return np.concatenate([part.ravel() for part in out.values()])
        return out


class BlindInfo(gymnasium.Wrapper[Observation, Action, Observation, Action], RecordConstructorArgs):
    """Empty `info`: an agent that behaves the same behind this wrapper has not read the true pose."""

    def __init__(self, env: gymnasium.Env[Observation, Action]) -> None:
        RecordConstructorArgs.__init__(self)
        gymnasium.Wrapper.__init__(self, env)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Reset; the info is empty."""
        observation, _ = self.env.reset(seed=seed, options=options)
        return observation, {}

    def step(self, action: Action) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Step; the info is empty."""
        observation, reward, terminated, truncated, _ = self.env.step(action)
        return observation, reward, terminated, truncated, {}
