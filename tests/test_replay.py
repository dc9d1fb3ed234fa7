"""Replay: what is kept of a way, and what running it backwards teaches."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.agent.actor_critic import ActorCritic, ActorCriticConfig
from tolman.agent.replay import Replay, ReplayConfig
from tolman.memory.experience import SLOTS, Experience

PLACES = 40


def spikes_of(cell: int, k: int = 8, width: int = 5) -> NDArray[np.int32]:
    """Return `k` spikes (k, 2) over a period and over `width` cells around `cell`, as fields overlap."""
    around = np.clip(cell + np.arange(k) * 3 % width - width // 2, 0, PLACES - 1)
    return np.stack([np.linspace(0, 39, k), around], axis=1).astype(np.int32)


def travel(experience: Experience, cells: range, course: float, periods: int = 6, width: int = 5) -> None:
    """Pass through places in order, `periods` control periods in each."""
    experience.begin()
    for cell in cells:
        for _ in range(periods):
            experience.note(spikes_of(cell, width=width), course)


def replay_of(
    third_factor: str = "td", seed: int = 0, config: ReplayConfig | None = None
) -> tuple[Replay, ActorCritic]:
    controller = ActorCritic(ActorCriticConfig(), PLACES, seed, third_factor)  # type: ignore[arg-type]
    return Replay(config or ReplayConfig(), controller, Experience(2000)), controller


def value_weights(controller: ActorCritic) -> NDArray[np.float32]:
    return np.asarray(controller.weights[:, : controller.config.critics].mean(axis=1))


def actor_weights(controller: ActorCritic, course: float) -> NDArray[np.float32]:
    """Return weights (places,) to actors within 0.4 rad of `course`."""
    near = np.cos(controller.direction - course) > np.cos(0.4)
    return np.asarray(controller.weights[:, controller.config.critics :][:, near].mean(axis=1))


def test_the_latest_way_comes_back_newest_first_and_alone() -> None:
    experience = Experience(100)
    travel(experience, range(3), 0.5, width=1)
    travel(experience, range(10, 12), -0.5, width=1)
    way = experience.latest(50)
    assert list(way.cells[:, 0]) == [11] * 6 + [10] * 6
    assert np.allclose(way.course, -0.5)
    assert list(way.counts) == [8] * 12
    assert len(experience.latest(5).counts) == 5
    experience.begin()
    assert len(experience.latest(50).counts) == 0, "nothing was travelled since"


def test_spikes_of_the_dead_are_forgotten() -> None:
    experience = Experience(100)
    travel(experience, range(10, 12), 0.0)
    before = experience.latest(50)
    experience.forget(np.array([9, 12]))
    after = experience.latest(50)
    for k in range(len(before.counts)):
        alive = ~np.isin(before.cells[k, : before.counts[k]], [9, 12])
        assert after.counts[k] == alive.sum() < before.counts[k]
        np.testing.assert_array_equal(
            after.cells[k, : after.counts[k]], before.cells[k, : before.counts[k]][alive]
        )
        np.testing.assert_array_equal(
            after.times[k, : after.counts[k]], before.times[k, : before.counts[k]][alive]
        )


def test_the_oldest_is_forgotten_and_samples_never_join_two_ways() -> None:
    experience = Experience(50)
    for way in range(10):
        travel(experience, range(4 * way, 4 * way + 4), 0.0, periods=3, width=1)
    assert experience.size == 50
    rng = np.random.default_rng(0)
    for _ in range(200):
        stretch = experience.sample(rng, 20)
        assert 1 <= len(stretch.counts) <= 12
        assert len({int(cell) // 4 for cell in stretch.cells[:, 0]}) == 1
        assert (np.diff(stretch.cells[:, 0].astype(int)) <= 0).all()


def test_more_spikes_than_slots_are_thinned_to_the_first() -> None:
    experience = Experience(10)
    experience.begin()
    experience.note(spikes_of(3, 40), 0.0)
    assert experience.latest(1).counts[0] == SLOTS


def test_a_rewarded_way_gets_value_that_falls_with_distance_and_the_course_that_led_there() -> None:
    replay, controller = replay_of()
    travel(replay.experience, range(20), 1.0)  # 0.24 s a place, 4.8 s in all
    for _ in range(6):
        replay.after_reward(1.0)
    value = value_weights(controller)[:20]
    thirds = [value[17:20].mean(), value[10:17].mean(), value[:5].mean()]
    assert thirds[0] > thirds[1] > thirds[2] > controller.config.critic_start
    along = actor_weights(controller, 1.0)[5:20].mean()
    assert along > actor_weights(controller, 1.0 + np.pi)[5:20].mean() + 0.1
    assert np.allclose(value_weights(controller)[23:], controller.config.critic_start)


def test_reward_alone_stays_near_the_goal_and_grows_without_end() -> None:
    far, near = {}, {}
    for third_factor in ("td", "reward"):
        replay, controller = replay_of(third_factor)
        travel(replay.experience, range(20), 1.0)
        for _ in range(3):
            replay.after_reward(1.0)
        far[third_factor] = value_weights(controller)[:6].mean() - controller.config.critic_start
        near[third_factor] = value_weights(controller)[14:20].mean()
    assert far["td"] > 0.05 > 0.01 > far["reward"]
    assert near["reward"] > 0.95 * ActorCriticConfig().critic_high
    assert near["td"] < 1.1, "a value that is known stops growing"


def test_a_way_never_rewarded_teaches_which_direction_is_uphill() -> None:
    replay, controller = replay_of(config=ReplayConfig(stretches=30))
    gradient = np.linspace(0.65, 0.95, 20)
    controller.weights[:20, : controller.config.critics] = gradient[:, None]
    travel(replay.experience, range(20), 0.0)
    travel(replay.experience, range(19, -1, -1), np.pi)
    before = value_weights(controller).copy()
    assert replay.in_rest(seed=0, trial=1)
    inner = slice(3, 17)
    up, down = actor_weights(controller, 0.0)[inner].mean(), actor_weights(controller, np.pi)[inner].mean()
    assert up > 2.02 > 1.98 > down
    assert np.array_equal(value_weights(controller), before), "in rest the critic judges and does not learn"


def test_without_value_as_third_factor_rest_teaches_nothing() -> None:
    replay, controller = replay_of("reward")
    travel(replay.experience, range(20), 0.0)
    before = controller.weights.copy()
    replay.in_rest(seed=0, trial=1)
    assert np.array_equal(controller.weights, before)


def test_replay_repeats_from_its_seed_and_leaves_no_trace_but_weights() -> None:
    out = []
    for seed in (0, 0, 1):
        replay, controller = replay_of(seed=seed)
        travel(replay.experience, range(20), 0.3)
        spikes = replay.after_reward(1.0) + replay.in_rest(seed, 1)
        out.append(np.concatenate([part for pair in spikes for part in pair]))
        assert not any(trace.any() for trace in controller.traces)
    assert np.array_equal(out[0], out[1])
    assert not np.array_equal(out[0], out[2])


def test_replayed_spikes_are_in_order_and_faster_than_lived() -> None:
    replay, _ = replay_of()
    travel(replay.experience, range(20), 0.0, width=1)
    for place, controller in replay.after_reward(1.0):
        assert (np.diff(place[:, 0]) >= 0).all()
        assert (np.diff(controller[:, 0]) >= 0).all()
        assert list(dict.fromkeys(place[:, 1].tolist())) == list(range(19, -1, -1))
        assert place[-1, 0] < 20 * 6 * 40 / 8


def test_nothing_lived_nothing_replayed() -> None:
    replay, _ = replay_of()
    assert replay.after_reward(1.0) == []
    assert replay.in_rest(0, 0) == []
    travel(replay.experience, range(5), 0.0)
    assert replay.after_reward(0.0) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sweeps": -1}, "replay sweeps must be >= 0"),
        ({"speed": 0}, "replay speed must be in 1..40"),
        ({"tau_now": 0.1}, "replay needs 0 < tau_now < tau_last"),
        ({"tag_slow": 0.005}, "replay needs 0 < tag_fast < tag_slow"),
    ],
)
def test_impossible_replays_are_refused_by_name(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReplayConfig(**change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="experience must hold >= 1 period"):
        Experience(0)
