"""Tasks by name, environments from configurations, and the scene as plain numbers for figures and viewers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import gymnasium
import msgspec
from gymnasium.envs.registration import registry

from ..envs import CameraSpec, with_sensor
from ..envs.registration import ENVIRONMENTS, parameters
from ..envs.tasks import Task
from .config import NAMESPACE, EnvironmentConfig, ExperimentConfig, short_name
from .episode import Environment
from .errors import UserError, asked

#: What an environment can be made with and an experiment cannot ask for: the loop and the agent rely on it.
_NOT_ASKED = ("arena", "cameras", "control", "control_period", "render_mode", "render_size", "robot")


def task_ids() -> list[str]:
    """Return the ids of the registered tasks, ascending."""
    return sorted(name for name in registry if name.startswith(NAMESPACE))


def resolve_task(name: str) -> str:
    """Return the full id of a task given as `WaterMaze`, `WaterMaze-v0` or `tolman/WaterMaze-v0`.

    Raises
    ------
    UserError
        If there is no such task; the message lists those there are.
    """
    bare = name.removeprefix(NAMESPACE)
    for known in task_ids():
        if bare in (known.removeprefix(NAMESPACE), short_name(known)):
            return known
    raise UserError(f"unknown task {name!r}; known: {', '.join(map(short_name, task_ids()))}")


def make_environment(task: str, config: EnvironmentConfig, *, render: bool = False) -> Environment:
    """Build the environment of `task`.

    Raises
    ------
    UserError
        If the task has no such option, or refuses a value.
    """
    known = resolve_task(task)
    options: dict[str, Any] = {"renderer": config.renderer}
    for name in ("time_limit", "goal", "noise", "camera", "shape", "arena_seed"):
        value = getattr(config, name)
        if value is not None:
            options[name] = value
    options |= task_options(known, config)
    if config.sensor is not None:
        options["camera"] = with_sensor(options.get("camera", CameraSpec()), config.sensor)
    if render:
        options["render_mode"] = "rgb_array"
    for name in options.keys() - _parameters(known, options).keys():
        raise UserError(f"environment.{name} is not an option of {task}")
    with asked(f"environment of {task}", ValueError, TypeError, gymnasium.error.Error):
        return gymnasium.make(known, disable_env_checker=True, **options)


def _parameters(task: str, options: Iterable[str]) -> dict[str, Any]:
    """Return the types of what `task` can be made with; of somebody else's task `options`, of any type."""
    return parameters(task) if task in ENVIRONMENTS else dict.fromkeys(options, Any)


def task_options(task: str, config: EnvironmentConfig) -> dict[str, Any]:
    """Return what the task is to be built with besides, as the types that it asks for."""
    known = {name: hint for name, hint in _parameters(task, config.options).items() if name not in _NOT_ASKED}
    options: dict[str, Any] = {}
    for name, value in config.options.items():
        key = f"environment.options.{name}"
        if name in type(config).__dataclass_fields__:
            raise UserError(f"{key}: set environment.{name} instead")
        if name not in known:
            own = ", ".join(sorted(known.keys() - type(config).__dataclass_fields__.keys()))
            raise UserError(f"{key} is not an option of {task}; options: {own}")
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"{key} must be finite, got {value}")
        try:
            options[name] = msgspec.convert(value, known[name])
        except msgspec.ValidationError as error:
            raise UserError(f"{key}: {error}") from error
    return options


def make_habituation(environment: Environment, config: ExperimentConfig) -> Environment:
    """Build an open field in the arena of `environment`, with its camera, for `config.exploration` seconds.

    There is no goal in it, so that exploring before trial 1 cannot find it.
    """
    options: dict[str, Any] = {
        "renderer": config.environment.renderer,
        "time_limit": config.exploration,
        "arena": environment.unwrapped.arena,  # type: ignore[attr-defined]
        "camera": camera_of(environment),
    }
    if config.environment.noise is not None:
        options["noise"] = config.environment.noise
    with asked("habituation"):
        return gymnasium.make(resolve_task("OpenField"), disable_env_checker=True, **options)


def camera_of(environment: Environment) -> CameraSpec:
    """Return the camera that the environment was built with."""
    camera: CameraSpec = environment.unwrapped.camera  # type: ignore[attr-defined]
    return camera


def configured_camera(config: EnvironmentConfig) -> CameraSpec:
    """Return the camera that an environment of `config` has, without building one."""
    camera = config.camera if config.camera is not None else CameraSpec()
    with asked("environment"):
        return camera if config.sensor is None else with_sensor(camera, config.sensor)


def task_of(environment: Environment) -> Task:
    """Return the task of the environment."""
    task: Task = environment.unwrapped.task  # type: ignore[attr-defined]
    return task


def random_state(environment: Environment) -> dict[str, Any]:
    """Return what decides all later episodes of the environment, as plain values."""
    state: dict[str, Any] = environment.unwrapped.get_random_state()  # type: ignore[attr-defined]
    return state


def set_random_state(environment: Environment, state: dict[str, Any]) -> None:
    """Make the next `reset()` draw what it would have drawn after `random_state` was taken."""
    environment.unwrapped.set_random_state(state)  # type: ignore[attr-defined]


def scene_of(environment: Environment) -> dict[str, Any]:
    """Return the arena in m: outline (n, 2), walls (n, 4), pillars (n, 3), goal (2,) or `None`, radius."""
    base: Any = environment.unwrapped
    arena = base.arena
    goal = base.task.goal
    return {
        "outline": [[float(x), float(y)] for x, y in arena.outline],
        "walls": [[w.x0, w.y0, w.x1, w.y1] for w in arena.walls],
        "pillars": [[p.x, p.y, p.radius] for p in arena.pillars],
        "goal": None if goal is None else [float(goal[0]), float(goal[1])],
        "goal_radius": float(base.task.goal_radius),
    }
