"""The environments by name; registered when `tolman.envs` is imported."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any

import gymnasium

from . import tasks
from .arena import Arena
from .builders import circular_arena, cluttered_arena, linear_track, square_arena
from .navigation import NavigationEnv

#: shape of the open field -> function that builds the arena
SHAPES: dict[str, Callable[..., Arena]] = {
    "circle": circular_arena,
    "square": square_arena,
    "clutter": cluttered_arena,
}


def water_maze(*, arena: Arena | None = None, arena_seed: int = 0, **options: Any) -> NavigationEnv:
    """Make ``tolman/WaterMaze-v0``: find the hidden goal of a round 2 m arena. See `tasks.WaterMaze`."""
    place = arena if arena is not None else circular_arena(seed=arena_seed)
    return _build(tasks.WaterMaze, {"arena": place, **options})


def open_field(
    *,
    arena: Arena | None = None,
    shape: str = "circle",
    arena_seed: int = 0,
    time_limit: float = 600.0,
    **kwargs: Any,
) -> NavigationEnv:
    """Make ``tolman/OpenField-v0``: roam a round or square arena of 2 m, or one of 3 m among pillars.

    `arena_seed` draws patterns and pillars; it has nothing to do with the seed of `reset`. See
    `tasks.OpenField`.
    """
    if shape not in SHAPES:
        raise ValueError(f"shape must be one of {tuple(SHAPES)}, got {shape!r}")
    if arena is None:
        arena = SHAPES[shape](seed=arena_seed)
    return NavigationEnv(tasks.OpenField(arena, time_limit), **kwargs)


def shuttle(*, arena: Arena | None = None, **options: Any) -> NavigationEnv:
    """Make ``tolman/LinearTrack-v0``: shuttle between the ends of a corridor. See `tasks.LinearTrack`."""
    return _build(tasks.LinearTrack, {"arena": arena if arena is not None else linear_track(), **options})


def delayed_match(*, arena: Arena | None = None, arena_seed: int = 0, **options: Any) -> NavigationEnv:
    """Make ``tolman/DelayedMatch-v0``: a water maze whose goal moves every day. See `tasks.DelayedMatch`."""
    place = arena if arena is not None else circular_arena(seed=arena_seed)
    return _build(tasks.DelayedMatch, {"arena": place, **options})


def u_maze(**options: Any) -> NavigationEnv:
    """Make ``tolman/UMaze-v0``: find a hidden goal inside a U-shaped obstacle. See `tasks.UMaze`."""
    return _build(tasks.UMaze, options)


def cruciform(**options: Any) -> NavigationEnv:
    """Make ``tolman/Cruciform-v0``: fetch the food that is asked for. See `tasks.Cruciform`."""
    return _build(tasks.Cruciform, options)


def detour(**options: Any) -> NavigationEnv:
    """Make ``tolman/Detour-v0``: a way that is blocked, a shortcut that opens. See `tasks.Detour`."""
    return _build(tasks.Detour, options)


def t_maze(**options: Any) -> NavigationEnv:
    """Make ``tolman/TMaze-v0``: turn to the other side than last time. See `tasks.TMaze`."""
    return _build(tasks.TMaze, options)


def _build(task: type[tasks.Task], options: dict[str, Any]) -> NavigationEnv:
    """Make an environment; options that `task` has a parameter for go to it, others to the environment."""
    parameters = inspect.signature(task).parameters
    if "robot_radius" in parameters and options.get("robot") is not None:
        options = {"robot_radius": options["robot"].radius, **options}
    own = {name: value for name, value in options.items() if name in parameters}
    return NavigationEnv(task(**own), **{name: options[name] for name in options.keys() - own.keys()})


#: id -> function that makes the environment
ENVIRONMENTS = {
    "tolman/WaterMaze-v0": water_maze,
    "tolman/DelayedMatch-v0": delayed_match,
    "tolman/UMaze-v0": u_maze,
    "tolman/Cruciform-v0": cruciform,
    "tolman/Detour-v0": detour,
    "tolman/TMaze-v0": t_maze,
    "tolman/OpenField-v0": open_field,
    "tolman/LinearTrack-v0": shuttle,
}


#: id -> task that the environment is made with
_TASKS: dict[str, type[tasks.Task]] = {
    "tolman/WaterMaze-v0": tasks.WaterMaze,
    "tolman/DelayedMatch-v0": tasks.DelayedMatch,
    "tolman/UMaze-v0": tasks.UMaze,
    "tolman/Cruciform-v0": tasks.Cruciform,
    "tolman/Detour-v0": tasks.Detour,
    "tolman/TMaze-v0": tasks.TMaze,
    "tolman/LinearTrack-v0": tasks.LinearTrack,
}


@functools.cache
def parameters(name: str) -> dict[str, Any]:
    """Return the types of what the environment `name` can be made with: its task's, the base's, its own."""
    makers: list[Callable[..., Any]] = [NavigationEnv.__init__, ENVIRONMENTS[name]]
    if name in _TASKS:
        makers.insert(1, _TASKS[name].__init__)
    hints: dict[str, Any] = {}
    for maker in makers:
        found = typing.get_type_hints(maker)
        named = inspect.signature(maker).parameters.values()
        hints |= {
            item.name: found[item.name]
            for item in named
            if item.name in found and item.kind is not item.VAR_KEYWORD
        }
    return {key: hint for key, hint in hints.items() if key not in ("task", "return")}


def register_all() -> None:
    """Register every environment with Gymnasium; harmless when repeated."""
    for name, make in ENVIRONMENTS.items():
        if name not in gymnasium.registry:
            gymnasium.register(name, entry_point=f"{make.__module__}:{make.__name__}")
