"""Detour: gates that open and close from phase to phase, in physics and in both renderers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from math import hypot, pi
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.envs import CameraSpec, NavigationEnv
from tolman.envs.geodesic import Geodesic
from tolman.envs.mazes import gated_arena
from tolman.envs.registration import detour
from tolman.envs.renderers import make_renderer
from tolman.envs.tasks import Disc

SMALL = CameraSpec(width=32, height=8)
SHORT = ((2, ("left", "right")), (1, ("right",)), (2, ("middle", "right")))
GATES = {"left": -0.6, "middle": 0.0, "right": 0.6}
AHEAD = np.array([0.3, 0.0], np.float32)
Make = Callable[..., NavigationEnv]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[NavigationEnv] = []

    def build(**options: Any) -> NavigationEnv:
        options = {"camera": SMALL} | options
        env = gymnasium.make("tolman/Detour-v0", disable_env_checker=True, **options).unwrapped
        assert isinstance(env, NavigationEnv)
        made.append(env)
        return env

    yield build
    for env in made:
        env.close()


def phases(env: NavigationEnv, episodes: int, seed: int | None) -> list[tuple[int, int, str, float]]:
    seen = []
    for k in range(episodes):
        _, info = env.reset(seed=seed if k == 0 else None)
        seen.append((info["phase"], info["trial_of_phase"], info["open_gates"], info["optimal_path_m"]))
    return seen


def test_phases_follow_one_another_and_the_last_goes_on(make: Make) -> None:
    env = make(phases=SHORT)
    seen = phases(env, 7, seed=0)
    assert [row[:2] for row in seen] == [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (3, 3), (3, 4)]
    assert [row[2] for row in seen[::2]] == ["left+right", "right", "middle+right", "middle+right"]
    assert phases(env, 7, seed=0) == seen
    assert phases(make(phases=SHORT), 7, seed=0) == seen
    default = make()
    rows = phases(default, 22, seed=1)
    assert (rows[9][:2], rows[10][:2], rows[19][:2], rows[20][:2]) == ((1, 10), (2, 1), (2, 10), (3, 1))


def test_phases_survive_a_checkpoint(make: Make) -> None:
    env = make(phases=SHORT)
    phases(env, 2, seed=0)
    state = json.loads(json.dumps(env.get_random_state()))
    rest = phases(env, 4, seed=None)
    other = make(phases=SHORT)
    phases(other, 5, seed=8)
    other.set_random_state(state)
    assert phases(other, 4, seed=None) == rest
    with pytest.raises(ValueError, match="episode must be a whole number"):
        env.set_random_state({**state, "task": {"episode": -1}})


def through(env: NavigationEnv, gate: str) -> float:
    """Drive north through `gate` from the south for 3 s; return how far north the robot came."""
    env.reset(options={"pose": (GATES[gate], -0.5, pi / 2)})
    for _ in range(75):
        _, _, terminated, _, info = env.step(AHEAD)
        if terminated:
            break
    return float(info["pose"][1])


def test_gates_block_the_robot_only_while_closed(make: Make) -> None:
    for gates in (("left",), ("middle",), ("right",), ("left", "right")):
        env = make(phases=((1, gates),))
        env.reset(seed=0)
        for gate in GATES:
            reached = through(env, gate)
            if gate in gates:
                assert reached > 0.2
            else:
                assert reached == pytest.approx(-0.025 - 0.075, abs=0.01)


def test_a_gate_that_closes_between_episodes_blocks(make: Make) -> None:
    env = make(phases=((2, ("left",)), (1, ("right",)), (1, ("left",))))
    env.reset(seed=0)
    reached = [through(env, "left") for _ in range(3)]
    assert reached[0] > 0.2
    assert reached[1] == pytest.approx(-0.1, abs=0.01)
    assert reached[2] > 0.2


def look(renderer: str, gates: tuple[str, ...], camera: CameraSpec) -> NDArray[np.float32]:
    openings = [(GATES[g] - 0.2, GATES[g] + 0.2) for g in GATES if g in gates]
    drawn = make_renderer(renderer, gated_arena(openings), camera)
    image = drawn.render(0.0, -0.6, pi / 2).copy()
    drawn.close()
    return image


@pytest.mark.parametrize("renderer", ["raycast", "pybullet"])
def test_gates_are_seen_and_all_else_stays_the_same(renderer: str) -> None:
    camera = CameraSpec(width=96, height=24)
    closed, opened = look(renderer, ("right",), camera), look(renderer, ("middle", "right"), camera)
    azimuth = camera.azimuths
    in_gate = np.abs(azimuth) < 0.25  # the gate, 0.4 m wide and 0.575 m away, spans ±0.34 rad
    outside = np.abs(azimuth) > 0.45
    assert np.mean(np.abs(closed - opened)[:, in_gate]) > 0.2
    np.testing.assert_allclose(closed[:, outside], opened[:, outside], atol=1e-5)


@pytest.mark.parametrize("renderer", ["raycast", "pybullet"])
def test_the_environment_sees_the_arena_of_its_phase(make: Make, renderer: str) -> None:
    env = make(phases=((1, ("left",)), (1, ("middle",))), renderer=renderer, render_mode="rgb_array")
    env.reset(seed=0)
    first = env.arena
    pictures = [env.render()]
    env.reset()
    pictures.append(env.render())
    assert env.arena != first
    fresh = make_renderer(renderer, env.arena, SMALL)
    np.testing.assert_array_equal(env._eye.renderer.render(0.1, -0.4, 1.0), fresh.render(0.1, -0.4, 1.0))
    fresh.close()
    assert pictures[0] is not None
    assert pictures[1] is not None
    assert np.any(pictures[0][235:245] != pictures[1][235:245])  # the wall divides the picture in the middle
    kept = env._eye.renderer
    env.reset()
    assert env._eye.renderer is kept  # nothing is built anew without need


def test_outer_walls_never_change() -> None:
    arenas = [
        gated_arena([(-0.8, -0.4)]),
        gated_arena([(-0.2, 0.2), (0.4, 0.8)]),
        gated_arena([(-1.0, -0.6)]),
    ]
    assert all(a.walls[:4] == arenas[0].walls[:4] for a in arenas)
    assert all(a.landmarks == arenas[0].landmarks and a.floor == arenas[0].floor for a in arenas)
    assert all(a.textures == arenas[0].textures for a in arenas)


def test_optimal_paths(make: Make) -> None:
    """Through the middle gate the way is straight; left is nearer than right; a detour is longest."""
    env = make(start_jitter=0.0, goal=(-0.15, 0.65), start_at=(0.0, -0.75))
    assert env.task.optimal_path(np.array([0.0, -0.75, 0.0])) > 0.0
    middle = make(start_jitter=0.0, start_at=(0.0, -0.75), goal=(0.0, 0.65), phases=((1, ("middle",)),))
    middle.reset(seed=0)
    assert middle.task.optimal_path(np.array([0.0, -0.75, 0.0])) == pytest.approx(1.3, abs=1e-9)
    rows = phases(make(phases=SHORT), 5, seed=4)
    left, right, shortcut = rows[1][3], rows[2][3], rows[3][3]
    assert left < right - 0.3
    assert shortcut < right - 0.3
    start, goal = np.array([-0.4, -0.75]), Disc(-0.2, 0.65, 0.1)
    lengths = {
        gate: Geodesic(gated_arena([(x - 0.2, x + 0.2)]), 0.075).length(start, goal.nearest)
        for gate, x in GATES.items()
    }
    # Through the left gate: the string touches no corner's circle but those at x = -0.4.
    straight = hypot(0.075, 0.725) + 0.05 + hypot(0.275, 0.625) - 0.1
    assert lengths["left"] == pytest.approx(straight, abs=0.02)
    assert lengths["left"] < lengths["middle"] + 0.1 < lengths["right"]


def test_starts_are_in_the_south_and_the_goal_in_the_north(make: Make) -> None:
    env = make()
    for seed in range(20):
        _, info = env.reset(seed=seed)
        assert np.all(np.abs(info["pose"][:2] - (-0.4, -0.75)) <= 0.1 + 1e-6)
        np.testing.assert_array_equal(info["goal"], [-0.2, 0.65])
    env.kidnap((-0.2, 0.6, 0.0))
    _, reward, terminated, _, info = env.step(np.zeros(2, np.float32))
    assert (reward, terminated, info["success"]) == (1.0, True, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"phases": ()}, "phases must hold at least one"),
        ({"phases": (3,)}, r"phases must hold \(episodes, open gates\)"),
        ({"phases": ((0, ("left",)),)}, "whole number >= 1 of episodes"),
        ({"phases": ((1, ()),)}, "open some of the gates"),
        ({"phases": ((1, ("north",)),)}, "open some of the gates"),
        ({"gate_width": 0.3}, "gate must be >= 0.35 m wide"),
        ({"gate_offset": 0.3}, "gates must lie side by side"),
        ({"gate_offset": 0.9}, "gates must lie side by side"),
        ({"goal": (0.0, -0.5)}, "goal north of it"),
        ({"goal": (0.0, 0.05)}, "goal .* is not inside"),
        ({"start_at": (-0.4, 0.5)}, "start_at must lie south"),
        ({"start_at": (-0.4, -0.95)}, "leave no room for the robot"),
        ({"robot_radius": 0.21, "start_at": (0.0, -0.5)}, "no way leads to the goal"),
    ],
)
def test_impossible_detours_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        detour(camera=SMALL, **options)
