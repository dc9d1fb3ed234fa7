"""Perception, actor-critic and reflexes, each on its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.agent.actor_critic import ActorCritic, ActorCriticConfig
from tolman.agent.motor import MotorConfig, steer
from tolman.agent.perception import Perception, PerceptionConfig
from tolman.agent.reflex import ReflexConfig, Reflexes
from tolman.memory.contacts import touched

SILENT = np.zeros((0, 2), np.int32)


@dataclass(frozen=True)
class Camera:
    width: int = 128
    height: int = 32
    threshold: float = 0.2
    threshold_off: float = 0.2
    sensor: str = "ideal"
    azimuths: NDArray[np.float64] = field(
        default_factory=lambda: np.radians(160.0 - 2.5 * (np.arange(128) + 0.5))
    )
    elevations: NDArray[np.float64] = field(default_factory=lambda: np.linspace(0.6, -0.3, 32))


def packet(x: list[int], y: list[int], p: list[int]) -> dict[str, NDArray[np.int64]]:
    return {
        "t": np.arange(len(x), dtype=np.int64),
        "x": np.array(x, np.int16),
        "y": np.array(y, np.int16),
        "p": np.array(p, np.uint8),
    }


def places(active: list[int], rate: float, steps: int = 40) -> NDArray[np.int32]:
    """Regular spikes of the `active` cells at `rate` Hz."""
    every = max(1, round(1000.0 / rate))
    rows = [(t, cell) for t in range(steps) for cell in active if (t + 3 * cell) % every == 0]
    return np.array(rows, np.int32).reshape(-1, 2)


def test_the_retina_holds_what_events_add_up_to() -> None:
    retina = Perception(PerceptionConfig(forgetting=0.08), Camera(), seed=0)
    retina.advance(packet([3, 3, 3, 9], [5, 5, 5, 2], [1, 1, 0, 0]), 40)
    on, off = 0.2, -0.2
    assert retina.held[5, 3] == pytest.approx(((on * 0.92) + on) * 0.92 + off, abs=1e-6)
    assert retina.held[2, 9] == pytest.approx(off, abs=1e-6)
    assert np.count_nonzero(retina.held) == 2
    held = retina.held.copy()
    retina.advance(packet([], [], []), 40)
    np.testing.assert_array_equal(retina.held, held)


def test_an_image_that_is_let_go_is_not_seen_any_more() -> None:
    retina = Perception(PerceptionConfig(), Camera(), seed=0)
    everywhere = (
        [int(k) for k in np.tile(np.arange(128), 32)],
        [int(k) for k in np.repeat(np.arange(32), 128)],
    )
    for _ in range(25):
        retina.advance(packet(*everywhere, [1] * 4096), 1)
    assert retina.awake == 1.0
    retina.let_go()
    assert retina.awake == 0.0
    assert not retina.held.any()


def test_on_and_off_cells_fire_where_the_contrast_is() -> None:
    retina = Perception(PerceptionConfig(), Camera(), seed=0)
    x = [column for column in range(128) for _ in range(4)]
    for row in range(32):
        retina.advance(packet(x, [row] * len(x), [int(c < 64) for c in x]), 1)
    counts = np.zeros(retina.size)
    for _ in range(10):
        counts += np.bincount(retina.advance(packet([], [], []), 40)[:, 1], minlength=retina.size)
    on, off = counts.reshape(2, retina.config.elevation_bins, retina.bins).sum(axis=1)
    left = retina.directions > 0.1
    assert on[left].sum() > 20 * max(1.0, on[~left].sum())
    assert off[~left].sum() > 20 * max(1.0, off[left & (retina.directions > 0.2)].sum())


def critic_rates(agent: ActorCritic, cells: list[int], periods: int) -> float:
    spikes = 0
    for _ in range(periods):
        out = agent.advance(places(cells, 25.0), 40, learning=False)
        spikes += int(np.count_nonzero(out[:, 1] < agent.config.critics))
    return spikes / agent.config.critics / (0.04 * periods)


def test_the_value_is_read_from_the_critics_spikes() -> None:
    agent = ActorCritic(ActorCriticConfig(), 30, seed=0)
    rate = critic_rates(agent, list(range(15)), 50)
    expected = agent.config.value_per_hz * rate + agent.config.value_offset
    values = []
    for _ in range(50):
        agent.advance(places(list(range(15)), 25.0), 40, learning=False)
        values.append(agent.value)
    assert np.mean(values) == pytest.approx(expected, abs=0.05)


def test_drive_does_not_depend_on_how_many_places_are_active() -> None:
    few = critic_rates(ActorCritic(ActorCriticConfig(), 60, seed=0), list(range(10)), 40)
    many = critic_rates(ActorCritic(ActorCriticConfig(), 60, seed=0), list(range(50)), 40)
    assert few == pytest.approx(many, rel=0.25)


def test_dopamine_integrates_to_reward_minus_the_value_that_was_expected() -> None:
    agent = ActorCritic(ActorCriticConfig(tau_reward=1e9), 30, seed=0)
    for _ in range(30):
        agent.advance(places(list(range(15)), 25.0), 40, learning=False)
    before, total = agent.value, 0.0
    for step in range(1500):
        agent.advance(SILENT, 1, reward=1.0 if step == 0 else 0.0, learning=False)
        total += agent.dopamine * 1e-3
    assert total == pytest.approx(1.0 + agent.config.value_offset - before, abs=0.03)


def test_reward_strengthens_what_led_to_it_and_only_when_learning() -> None:
    for learning in (True, False):
        agent = ActorCritic(ActorCriticConfig(), 30, seed=1)
        start = agent.weights.copy()
        for _ in range(25):
            agent.advance(places(list(range(10)), 25.0), 40, learning=learning)
        vote = np.angle(agent.vote)
        agent.advance(SILENT, 40, reward=1.0, learning=learning)
        for _ in range(36):
            agent.advance(SILENT, 40, learning=learning)
        change = agent.weights - start
        if not learning:
            assert not change.any()
            continue
        critics = agent.config.critics
        assert change[:10, :critics].mean() > 0.02
        assert abs(change[15:]).max() < 1e-6, "silent places keep their weights"
        chosen = np.argmin(np.abs(np.angle(np.exp(1j * (agent.direction - vote)))))
        assert change[:10, critics + chosen].mean() > 5.0 * change[:10, critics:].mean() > 0.0
        assert agent.weights[:, :critics].max() <= agent.config.critic_high + 1e-6
        assert agent.weights[:, critics:].max() <= agent.config.actor_high + 1e-6


def test_actors_compete_until_they_agree() -> None:
    agent = ActorCritic(ActorCriticConfig(), 30, seed=2)
    rates = np.zeros(agent.config.actors)
    for _ in range(40):
        out = agent.advance(places(list(range(15)), 25.0), 40, learning=False)
        rates = np.bincount(out[out[:, 1] >= 50, 1] - 50, minlength=agent.config.actors) / 0.04
    coherence = abs(np.sum(rates * np.exp(1j * agent.direction))) / rates.sum()
    assert coherence > 0.8


def learned_choice(config: ActorCriticConfig, third_factor: str, seed: int) -> float:
    """Share of the last 40 of 120 choices that went the rewarded way, in one place."""
    agent = ActorCritic(config, 12, seed, third_factor)  # type: ignore[arg-type]
    right = []
    for _ in range(120):
        agent.reset()
        for _ in range(12):
            agent.advance(places(list(range(12)), 25.0), 40)
        good = float(np.cos(np.angle(agent.vote) - 1.0)) > 0.3
        right.append(good)
        agent.advance(SILENT, 40, reward=float(good))
        for _ in range(20):
            agent.advance(SILENT, 40)
    return float(np.mean(right[-40:]))


def test_rewarded_directions_are_chosen_more_and_not_without_learning() -> None:
    learned = [learned_choice(ActorCriticConfig(), "td", seed) for seed in range(4)]
    still = [learned_choice(ActorCriticConfig(critic_rate=0.0, actor_rate=0.0), "td", s) for s in range(4)]
    assert np.mean(learned) > 0.85
    assert np.mean(still) < 0.6


def test_a_bump_inhibits_the_way_ahead_and_fades() -> None:
    directions = np.arange(60) * 2.0 * np.pi / 60
    reflexes = Reflexes(ReflexConfig(), directions, seed=0)
    reflexes.reset()
    bump = np.zeros(8, np.uint8)
    bump[0] = 1
    heading = 0.5
    first = reflexes.currents(bump, heading, np.zeros(2), lost=False)
    assert np.argmin(first) == np.argmin(np.abs(directions - heading))
    assert first[np.argmin(np.abs(directions - heading - np.pi))] == 0.0
    bump[0] = 0
    for _ in range(100):
        last = reflexes.currents(bump, heading, np.array([0.01, 0.0]), lost=False)
    assert last.min() > -2.0


def test_between_two_walls_each_is_met() -> None:
    ahead, squeezed = np.zeros(8, np.uint8), np.zeros(8, np.uint8)
    ahead[[0, 1]] = squeezed[[2, 6]] = 1
    assert touched(ahead, 0.5) == pytest.approx([0.5 + np.pi / 8.0])
    assert touched(squeezed, 0.5) == pytest.approx([0.5 + np.pi / 2.0, 0.5 + 3.0 * np.pi / 2.0])
    assert touched(np.zeros(8, np.uint8), 0.5) == []


def test_who_stands_on_purpose_is_not_stuck() -> None:
    directions = np.arange(0.0, 2.0 * np.pi, np.pi / 50.0)
    reflexes = Reflexes(ReflexConfig(), directions, seed=0)
    reflexes.reset()
    nothing, still = np.zeros(8, np.uint8), np.zeros(2)
    for obeys in (False, True):
        wanders = [reflexes.currents(nothing, 0.0, still, False, obeys).max() > 0.0 for _ in range(100)]
        assert any(wanders) == obeys


def test_a_lost_robot_wanders_and_a_stuck_one_escapes() -> None:
    directions = np.arange(60) * 2.0 * np.pi / 60
    reflexes = Reflexes(ReflexConfig(), directions, seed=0)
    reflexes.reset()
    nothing = np.zeros(8, np.uint8)
    assert reflexes.currents(nothing, 0.0, np.array([0.01, 0.0]), lost=True).max() > 20.0
    assert reflexes.currents(nothing, 0.0, np.array([0.01, 0.0]), lost=False).max() == 0.0
    still = [reflexes.currents(nothing, 0.0, np.zeros(2), lost=False).max() for _ in range(120)]
    assert max(still) > 20.0


def test_walls_on_both_sides_are_a_corridor_that_is_followed_the_way_the_robot_faces() -> None:
    directions = np.arange(60) * 2.0 * np.pi / 60
    reflexes = Reflexes(ReflexConfig(), directions, seed=0)
    left, right, ahead = (np.eye(1, 8, k, dtype=np.uint8)[0] for k in (2, 6, 0))
    nothing, moving = np.zeros(8, np.uint8), np.array([0.01, 0.0])
    heading = 0.7  # the corridor's course

    def touch(*sides: NDArray[np.uint8]) -> NDArray[np.float32]:
        reflexes.reset()
        for side in sides:
            reflexes.currents(side, heading, moving, lost=False)
        return np.array([reflexes.currents(nothing, heading, moving, lost=False) for _ in range(20)])[-1]

    assert touch(left).max() < 0.5  # one wall is none
    along = touch(left, right)
    assert abs(np.angle(np.exp(1j * (directions[np.argmax(along)] - heading)))) < 0.15
    assert along.max() > 5.0
    assert along[np.cos(directions - heading) < -0.2].max() <= 0.0  # not back
    assert touch(left, right, ahead).max() < 0.3 * along.max()  # its end
    assert (
        reflexes.corridor[np.argmin(np.abs(directions - heading - np.pi))] > 0.3
    )  # but the way back is free
    for _ in range(250):
        last = reflexes.currents(nothing, heading, moving, lost=False)
    assert last.max() < 0.5


def test_reflex_random_state_is_restored_exactly() -> None:
    reflexes = Reflexes(ReflexConfig(), np.arange(6.0), seed=4)
    reflexes.reset()
    saved = reflexes.random_state
    reflexes.reset()
    other = Reflexes(ReflexConfig(), np.arange(6.0), seed=9)
    other.random_state = saved
    other.reset()
    nothing = np.zeros(8, np.uint8)
    np.testing.assert_array_equal(
        other.currents(nothing, 0.0, np.zeros(2), lost=True),
        reflexes.currents(nothing, 0.0, np.zeros(2), lost=True),
    )


def test_steering_turns_first_and_then_drives() -> None:
    config = MotorConfig()
    ahead, behind = steer(config, 0.0, 0.0), steer(config, np.pi - 0.1, 0.0)
    np.testing.assert_allclose(ahead, [config.speed, 0.0], atol=1e-6)
    assert behind[0] == 0.0
    assert behind[1] == pytest.approx(config.turn_limit)
    assert steer(config, -3.0, 3.0)[1] > 0.0, "the short way round"


def test_impossible_values_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="actor_critic actors must be >= 1"):
        ActorCriticConfig(actors=0)
    coarse = Camera(width=40, azimuths=np.radians(160.0 - 8.0 * (np.arange(40) + 0.5)))
    with pytest.raises(ValueError, match="40 x 32 pixels leaves view cells without any"):
        Perception(PerceptionConfig(), coarse, 0)
    with pytest.raises(ValueError, match="perception forgetting"):
        replace(PerceptionConfig(), forgetting=1.5)
    with pytest.raises(ValueError, match="reflex bump_decay must be >= 0"):
        ReflexConfig(bump_decay=-1.0)
