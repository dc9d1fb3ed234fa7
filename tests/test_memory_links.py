"""Links among place cells, theta, sharp waves and the map, on synthetic place spikes whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_corridor import known_corridor
from numpy.typing import NDArray
from tolman.memory.config import MemoryConfig
from tolman.memory.map import PlaceMap
from tolman.memory.place import PlaceCells, PlaceConfig
from tolman.memory.sequence_links import LinkConfig, SequenceLinks
from tolman.memory.sharp_wave import SharpWaveConfig, sharp_wave
from tolman.memory.spatial import SpatialMemory
from tolman.memory.theta import ThetaConfig
from tolman.memory.travels import TravelConfig, Travels
from tolman.spiking.random import key

SPEED, PERIOD = 0.3, 0.040
Doubles = NDArray[np.float64]


def line(n: int, spacing: float = 0.12) -> Doubles:
    """Return field centres (n, 2) along x, m."""
    return np.stack([np.arange(n) * spacing, np.zeros(n)], axis=1)


def ring(n: int, radius: float = 0.6) -> Doubles:
    """Return field centres (n, 2) on a circle, m."""
    angle = 2.0 * np.pi * np.arange(n) / n
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def walk(corners: Doubles) -> Doubles:
    """Return positions (k, 2), one a period, along `corners` at 0.3 m/s."""
    parts = []
    for a, b in pairwise(corners):
        steps = max(1, round(float(np.hypot(*(b - a))) / (SPEED * PERIOD)))
        parts.append(a + (b - a) * np.arange(steps)[:, None] / steps)
    return np.concatenate(parts)


def live(
    centres: Doubles, path: Doubles, links: SequenceLinks, travels: Travels, seed: int = 0, lane: float = 0.08
) -> None:
    """Let cells with Gaussian fields of 30 Hz fire along `path`, and links and travels learn."""
    rng = np.random.default_rng(seed)
    travels.begin()
    for here, there in pairwise(path):
        step = there - here
        if not step.any():
            continue
        rate = 30.0 * np.exp(-((here - centres) ** 2).sum(axis=1) / (2.0 * lane**2))
        at, cell = np.nonzero(rng.random((40, len(centres))) < rate * 1e-3)
        spikes = np.stack([at, cell], axis=1).astype(np.int32)
        links.learn(spikes, len(centres), 40, float(np.arctan2(step[1], step[0])))
        travels.note(spikes, step / PERIOD, PERIOD)


def lived(centres: Doubles, corners: Doubles, seed: int = 0) -> tuple[SequenceLinks, Travels]:
    links = SequenceLinks(LinkConfig(), len(centres))
    travels = Travels(TravelConfig(), len(centres))
    live(centres, walk(corners), links, travels, seed)
    return links, travels


def laps(centres: Doubles, n: int = 8) -> Doubles:
    """Return corners of `n` runs there and back along a line."""
    return np.array([centres[0], centres[-1]] * n)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 12), st.floats(-3.1, 3.1))
def test_the_kernel_does_what_the_equations_say(seed: int, n: int, course: float) -> None:
    rng = np.random.default_rng(seed)
    at, cell = np.nonzero(rng.random((40, n)) < 0.05)
    spikes = np.stack([at, cell], axis=1).astype(np.int32)
    config = LinkConfig()
    links = SequenceLinks(config, n)
    links.trace[:] = rng.random(n) * (rng.random(n) < 0.7)
    forward, near, trace = np.zeros((n, n, 2)), np.zeros((n, n)), links.trace.astype(np.float64)
    links.learn(spikes, n, 40, course)
    u, now = np.array([np.cos(course), np.sin(course)]), 0
    for t, j in spikes:
        trace *= np.exp(-(t - now) * 1e-3 / config.tau_trace)
        now = t
        burst = trace[j] > config.lone
        for i in range(n):
            if i != j and (trace[i] >= 0.01 or near[i, j] > 0.0 or forward[i, j].any()):
                forward[i, j] += config.rate * (trace[i] * u - forward[i, j])
                if burst:
                    told = max(trace[i] - config.lone, 0.0) / (1.0 - config.lone)
                    near[i, j] += config.rate * (told - near[i, j])
                forward[j, i] -= config.rate * trace[i] * u
        trace[j] += config.jump * (1.0 - trace[j])
    trace *= np.exp(-(40 - now) * 1e-3 / config.tau_trace)
    np.testing.assert_allclose(links.forward, forward, atol=1e-5)
    np.testing.assert_allclose(links.near, near, atol=1e-5)
    np.testing.assert_allclose(links.trace, trace, atol=1e-5)


def test_links_lead_ahead_on_either_course_and_only_between_neighbours() -> None:
    centres = line(10)
    links, _ = lived(centres, laps(centres))
    east, west = links.along(0.0), links.along(np.pi)
    a, b = np.nonzero(np.abs(np.subtract.outer(np.arange(10), np.arange(10))) == 1)
    ahead = b > a
    assert east[a, b][ahead].min() > 5.0 * east[a, b][~ahead].max()
    assert west[a, b][~ahead].min() > 5.0 * west[a, b][ahead].max()
    far = np.abs(np.subtract.outer(np.arange(10), np.arange(10))) > 6
    assert links.near[far].max() < 0.1 * links.near[a, b].min()


def test_where_ways_cross_only_the_places_ahead_are_felt() -> None:
    east, north = line(9), line(9)[:, ::-1]
    east, north = east - east[4], north - north[4]
    centres = np.concatenate((east, np.delete(north, 4, axis=0)))
    links, _ = lived(centres, np.concatenate((laps(east, 6), laps(north, 6))))
    felt = links.along(0.5 * np.pi)[4]
    assert np.argmax(felt) in (9 + 4, 9 + 5), "the next places north of the crossing"
    assert felt[[3, 5]].max() < 0.4 * felt.max()


def test_without_movement_or_with_theta_off_links_change_no_spike() -> None:
    def fire(theta: ThetaConfig, linked: bool) -> NDArray[np.int32]:
        cells = PlaceCells(
            replace(PlaceConfig(cells=6, grid_share=1.0), theta=theta), modules=1, grids=8, ca3=4, seed=3
        )
        for k in range(4):
            rates = np.roll(np.array([30.0, 20, 0, 0, 0, 0, 0, 0], np.float32), k)
            cells.recruit(rates / np.linalg.norm(rates), rates, np.zeros(4, np.float32))
        if linked:
            cells.links.forward[:] = 1.0
        wave = theta.cycle(120) if theta.enabled else None
        drive = np.stack([np.repeat(np.arange(120), 2), np.tile([0, 1], 120)], axis=1).astype(np.int32)
        return cells.advance(drive, 120, wave).copy()

    for theta in (ThetaConfig(), ThetaConfig(enabled=True)):
        assert len(fire(theta, False)) > 5
        np.testing.assert_array_equal(fire(theta, False), fire(theta, True))


def test_a_cell_ahead_fires_late_in_the_cycle_and_one_behind_early() -> None:
    config = replace(PlaceConfig(cells=3, grid_share=1.0), theta=ThetaConfig(enabled=True))
    means = []
    for seed in range(5):
        cells = PlaceCells(config, modules=1, grids=3, ca3=4, seed=seed)
        for k in range(3):
            rates = np.eye(3, dtype=np.float32)[k] * 30.0
            cells.recruit(rates / 30.0, rates, np.zeros(4, np.float32))
        for a in range(2):
            cells.links.forward[a, a + 1, 0], cells.links.forward[a + 1, a, 0] = 0.4, -0.4
        rng, spikes = np.random.default_rng(seed), []
        for _ in range(40):
            cells.begin_cycle()
            at, cell = np.nonzero(rng.random((120, 3)) < np.array([0.016, 0.030, 0.016]))
            drive = np.stack([at, cell], axis=1).astype(np.int32)
            spikes.append(cells.advance(drive, 120, config.theta.cycle(120), (1.0, 0.0)).copy())
        fired = np.concatenate(spikes)
        means.append([fired[fired[:, 1] == k, 0].mean() for k in range(3)])
    behind, here, ahead = np.mean(means, axis=0)
    assert behind + 8.0 < here < ahead - 8.0


@pytest.mark.parametrize("reverse", [False, True])
def test_sharp_waves_run_the_places_in_order_faster_than_lived(reverse: bool) -> None:
    centres = line(12)
    links, _ = lived(centres, laps(centres))
    speeds = []
    for seed in range(5):
        start = 10 if reverse else 1
        spikes = sharp_wave(SharpWaveConfig(), links, 12, start, 0.0, reverse, None, key(seed, "t"))
        assert (np.diff(spikes[:, 0]) >= 0).all()
        first = {int(c): int(t) for t, c in spikes[::-1]}
        places, times = np.array(list(first)), np.array(list(first.values()))
        order = np.corrcoef(np.argsort(np.argsort(times)), -places if reverse else places)[0, 1]
        assert len(places) >= 5
        assert order > 0.95
        speeds.append(abs(np.polyfit(times * 1e-3, centres[places, 0], 1)[0]) / SPEED)
    assert 8.0 < np.mean(speeds) < 25.0
    shuffled = SequenceLinks(LinkConfig(), 12)
    shuffled.forward[:] = links.forward[:, np.random.default_rng(0).permutation(12)]
    astray = sharp_wave(SharpWaveConfig(), shuffled, 12, 1, 0.0, reverse, None, key(0, "t"))
    first = {int(c): int(t) for t, c in astray[::-1]}
    assert len(first) < 5 or abs(np.corrcoef(list(first), list(first.values()))[0, 1]) < 0.9


def test_the_dead_are_silent_in_sharp_waves_too() -> None:
    links, _ = lived(line(12), laps(line(12)))
    dead = np.isin(np.arange(12), [5, 6])
    spikes = sharp_wave(SharpWaveConfig(), links, 12, 1, 0.0, False, None, key(0, "t"), dead)
    assert len(spikes) > 0
    assert not np.isin(spikes[:, 1], [5, 6]).any()


def test_at_a_fork_value_decides_which_way_is_preplayed() -> None:
    stem, left = line(6), line(5)[:, ::-1] + [0.6, 0.12]
    right = left * [1.0, -1.0]
    centres = np.concatenate((stem, left, right))
    corners = [stem[0], stem[-1], left[-1], stem[-1], stem[0], stem[-1], right[-1], stem[-1]] * 6
    links, travels = lived(centres, np.array(corners))
    graph = PlaceMap.read(links, travels, len(centres))
    for goal, wrong in ((10, range(11, 16)), (15, range(6, 11))):
        spikes = sharp_wave(
            SharpWaveConfig(), links, len(centres), 0, 0.0, False, graph.value(goal), key(0, "t")
        )
        assert goal in spikes[:, 1]
        assert np.isin(spikes[:, 1], list(wrong)[1:]).mean() < 0.1


def test_the_map_of_a_ring_knows_lengths_ways_detours_and_closes_the_loop() -> None:
    n = 24
    centres = ring(n)
    spacing = 2.0 * np.pi * 0.6 / n
    # Edges that skip a place are those lived from a late spike to an early one, and too short. A map is as
    # good as its places are dense: no way is off by more than one and a half spacings.
    links, travels = lived(centres, np.concatenate([centres] * 8 + [centres[:1]]))
    graph = PlaceMap.read(links, travels, n, least=3)
    apart = np.minimum(np.arange(n), n - np.arange(n)) * spacing
    assert np.abs(graph.distances(0) - apart).max() < 1.5 * spacing
    assert np.corrcoef(graph.distances(0), apart)[0, 1] > 0.99
    route = graph.route(0, 6)
    assert route[0] == 0
    assert route[-1] == 6
    assert route == sorted(route)
    blocked = graph.block(*route[2:4])
    detour = blocked.distances(0)[6]
    assert detour > 2.0 * graph.distances(0)[6], "the other way round"
    assert blocked.value(6)[0] < graph.value(6)[0]
    assert int(np.argmax(graph.value(6))) == 6
    with pytest.raises(ValueError, match="no edge"):
        blocked.block(*route[2:4])


def test_relaxing_undoes_part_of_what_drift_did_to_the_drawing() -> None:
    n, errors = 24, []
    centres = ring(n)
    for seed in range(3):
        links, travels = SequenceLinks(LinkConfig(), n), Travels(TravelConfig(), n)
        path = walk(np.concatenate([centres] * 4 + [centres[:1]]))
        rng = np.random.default_rng(seed)
        turned = np.cumsum(rng.normal(0.0, 0.02, len(path)))
        turned -= np.linspace(0.0, turned[-1], len(path))
        step = np.diff(path, axis=0)
        c, s = np.cos(turned[1:]), np.sin(turned[1:])
        believed = np.stack([c * step[:, 0] - s * step[:, 1], s * step[:, 0] + c * step[:, 1]], axis=1)
        travels.begin()
        for here, move in zip(path, believed, strict=False):
            rate = 30.0 * np.exp(-((here - centres) ** 2).sum(axis=1) / (2.0 * 0.08**2))
            at, cell = np.nonzero(rng.random((40, n)) < rate * 1e-3)
            spikes = np.stack([at, cell], axis=1).astype(np.int32)
            links.learn(spikes, n, 40, float(np.arctan2(move[1], move[0])))
            travels.note(spikes, move / PERIOD, PERIOD)
        graph = PlaceMap.read(links, travels, n)
        truth = centres - centres[0]
        errors.append([np.hypot(*(p - p[0] - truth).T).mean() for p in (graph.chained(), graph.positions())])
        assert graph.strain(graph.positions()) < graph.strain(graph.chained())
        np.testing.assert_array_equal(graph.positions()[0], 0.0)
    chained, relaxed = np.mean(errors, axis=0)
    assert relaxed < 0.8 * chained


def test_an_unlived_gap_is_offered_as_a_shortcut_and_marked_as_guessed() -> None:
    n = 24
    centres = ring(n)[:-2]  # the ring is not closed
    links, travels = lived(centres, np.array([*centres, *centres[::-1]] * 4))
    graph = PlaceMap.read(links, travels, len(centres))
    found = [s for s in graph.shortcuts(within=0.7) if {s.a, s.b} == {0, len(centres) - 1}]
    assert len(found) == 1
    assert found[0].straight < 0.7 < found[0].lived
    taken = graph.with_shortcut(found[0])
    assert taken.guessed[0, len(centres) - 1]
    assert taken.distances(0)[len(centres) - 1] == pytest.approx(found[0].straight)


def test_links_travels_and_replays_are_kept_with_the_memory() -> None:
    memory = SpatialMemory(MemoryConfig(), 2, np.linspace(-np.pi, np.pi, 8, endpoint=False), 0)
    names = set(memory.arrays())
    assert {"place.links.forward", "place.links.near", "travels.sums", "travels.relations"} <= names
    with pytest.raises(ValueError, match="no place is known"):
        memory.recollection.replay(np.zeros(2))
    with pytest.raises(ValueError, match="must start from one of the 0 places"):
        memory.recollection.replay(0)
    with pytest.raises(ValueError, match="direction must be"):
        memory.recollection.replay(0, "sideways")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: ThetaConfig(fade=1.5), "fade must be in"),
        (lambda: LinkConfig(tau_trace=0.0), "tau_trace must be > 0"),
        (lambda: TravelConfig(lead=0.5), "lead must be >= 1"),
        (lambda: SharpWaveConfig(longest=0), "longest must be >= 1"),
    ],
)
def test_impossible_numbers_are_refused(make: object, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        make()  # type: ignore[operator]


def test_a_wall_weakens_all_ways_through_it_and_no_other() -> None:
    places = known_corridor().place  # fields 0.12 m apart
    places.activity[:] = np.eye(1, places.size, 4, dtype=np.float32)[0]
    before = places.links.near.copy()
    places.obstruct(np.array([0.46, 0.45]), 0.0, 0.4, 0.5)  # a wall beside the way, not on it
    np.testing.assert_array_equal(places.links.near, before)
    places.obstruct(np.array([0.46, 0.0]), 0.0, 0.4, 0.5)  # it stands at 0.54 m
    changed = set(map(tuple, np.argwhere(places.links.near != before).tolist()))
    assert {(3, 5), (4, 5), (4, 6)} <= changed
    assert all(min(pair) <= 4 < max(pair) for pair in changed)
    assert (places.links.near <= before).all()


def test_a_wall_leaves_ways_along_it() -> None:
    places = known_corridor().place
    places.centres[1 : places.used : 2, 1] = 0.04  # fields on a zigzag
    before = places.links.near.copy()
    places.activity[:] = 0.0
    places.obstruct(np.array([0.46, -0.06]), 0.5 * np.pi, 0.1, 0.5)  # as if a wall stood in its middle
    np.testing.assert_array_equal(places.links.near, before)
