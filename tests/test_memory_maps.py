"""Maps of several places: a strange one gets a map of its own, a known one its own back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
import tolman.envs  # noqa: F401  registers the tasks
from tolman.agent import Navigator, NavigatorConfig
from tolman.launch.frames import MapFrames, into_frame
from tolman.memory.calibration import DriveTable
from tolman.memory.charts import Charts
from tolman.memory.config import CorrectionConfig
from tolman.memory.decoder import GridDecoder
from tolman.memory.familiarity import Familiarity
from tolman.memory.grid import GridConfig, grid_modules


def test_each_map_is_read_where_it_was_made() -> None:
    charts = Charts(4, 10, seed=3)
    np.testing.assert_array_equal(charts.origin, np.zeros(2))
    modules = grid_modules(GridConfig(), 0, DriveTable((0.0, 1.0), (0.0, 1.0)))
    decoder = GridDecoder(modules, charts.origins)
    place = np.array([0.6, -0.4])
    for number in range(4):
        if number > 0:
            charts.begin()
        assert charts.used == number
        decoder.visit(charts.origin + place, number)
        phases = np.stack([module.phase_of(charts.origin + place) for module in modules])
        np.testing.assert_allclose(decoder.global_estimate(phases, number) - charts.origin, place, atol=1e-9)
    assert charts.full
    with pytest.raises(ValueError, match="room for 4 maps"):
        charts.begin()
    charts.turn_to(1)
    assert charts.used == 1


def test_modules_start_other_maps_at_phases_of_their_own() -> None:
    charts = Charts(30, 1, seed=0)
    modules = grid_modules(GridConfig(), 0, DriveTable((0.0, 1.0), (0.0, 1.0)))
    phases = np.stack([module.phase_of(charts.origins[1:]) for module in modules])  # (modules, maps, 2)
    vectors = np.exp(2j * np.pi * phases)
    assert np.abs(vectors.mean(axis=1)).max() < 0.5  # anywhere
    apart = np.abs((vectors[0] * vectors[1].conj()).mean(axis=0))
    assert apart.max() < 0.5  # and not alike in two modules


def test_origins_of_maps_are_those_of_their_first_moment() -> None:
    frames = MapFrames()
    assert len(frames) == 0
    np.testing.assert_array_equal(frames.at(0, np.array([1.0, 2.0, 0.5])), [1.0, 2.0, 0.5])
    frames.at(1, np.array([3.0, 0.0, 0.0]))
    np.testing.assert_array_equal(frames.at(0, np.zeros(3)), [1.0, 2.0, 0.5])
    assert MapFrames(frames.plain()).plain() == ((1.0, 2.0, 0.5), (3.0, 0.0, 0.0))


def open_field(arena_seed: int) -> Any:
    return gymnasium.make(
        "tolman/OpenField-v0", disable_env_checker=True, time_limit=200.0, arena_seed=arena_seed
    )


def visit(agent: Navigator, arena_seed: int, seconds: float, seed: int) -> dict[str, Any]:
    """Roam an arena; return spikes of place cells, maps in use and world poses of each period."""
    env = open_field(arena_seed)
    observation, info = env.reset(seed=seed)
    agent.reset()
    cells = agent.populations["place"]
    spikes, maps, poses = np.zeros(cells.stop - cells.start), [], []
    for _ in range(round(seconds / 0.04)):
        twist = agent.act(observation)
        fired = agent.snapshot().spike_neuron.astype(np.int64)
        fired = fired[(fired >= cells.start) & (fired < cells.stop)] - cells.start
        spikes += np.bincount(fired, minlength=spikes.size)
        maps.append(agent.map_number)
        poses.append(info["pose"].copy())
        observation, _, _, _, info = env.step(twist)
    env.close()
    return {"spikes": spikes, "maps": maps, "poses": poses}


def test_a_strange_arena_gets_a_map_and_the_known_one_is_found_again() -> None:
    env = open_field(0)
    agent = Navigator(NavigatorConfig(), env.unwrapped.camera, 2)
    first = visit(agent, 0, 70.0, 1)
    assert set(first["maps"]) == {0}
    other = visit(agent, 77, 25.0, 2)
    assert other["maps"][-1] == 1
    begun = other["maps"].index(1)
    assert begun * 0.04 < 8.0
    truth = into_frame(other["poses"][begun], other["poses"][-1])
    assert np.hypot(*(agent.pose_estimate - truth)[:2]) < 0.25
    # Place cells remap: those that fire in one arena are silent in the other.
    used = agent.memory.place.used
    a, b = first["spikes"][:used], other["spikes"][:used]
    assert (b > 10.0).sum() > 20
    assert (a * b).sum() == 0.0
    back = visit(agent, 0, 10.0, 3)
    assert back["maps"][-1] == 0
    assert agent.localised
    truth = into_frame(first["poses"][0], back["poses"][-1])
    assert np.hypot(*(agent.pose_estimate - truth)[:2]) < 0.25


def test_with_room_for_one_map_there_is_one_map() -> None:
    env = open_field(0)
    config = NavigatorConfig()
    agent = Navigator(replace(config, memory=replace(config.memory, maps=1)), env.unwrapped.camera, 2)
    visit(agent, 0, 20.0, 1)
    assert set(visit(agent, 77, 8.0, 2)["maps"]) == {0}
    with pytest.raises(ValueError, match="maps"):
        replace(config.memory, maps=0)


def test_maps_outlive_a_change_of_hands() -> None:
    """An agent made with another seed that takes up the state has the maps where they were made."""
    env = open_field(0)
    first = Navigator(NavigatorConfig(), env.unwrapped.camera, 2)
    first.memory.start()
    first.memory.begin_map()
    other = Navigator(NavigatorConfig(), env.unwrapped.camera, 3)
    other.load_state_dict(first.state_dict())
    assert other.map_number == 1
    np.testing.assert_array_equal(other.memory.charts.origin, first.memory.charts.origin)
    assert other.memory.decoder.origins is other.memory.charts.origins


def test_a_place_that_for_long_looks_less_than_known_is_strange() -> None:
    config = CorrectionConfig()
    familiarity = Familiarity(config, 0.12)

    def live(similarity: float, seconds: float) -> float | None:
        for step in range(round(seconds / 0.12)):
            if familiarity.add(similarity):
                return step * 0.12
        return None

    assert live(0.88, 600.0) is None
    assert live(0.50, 3.0) is None  # kidnapped within the arena: the search ends sooner
    familiarity.reset()
    strange = live(0.64, 60.0)  # a look-alike
    assert strange is not None
    expected = config.tau_familiar * np.log((config.familiar - 0.64) / (config.strange - 0.64))
    assert strange == pytest.approx(expected, abs=0.3)
