"""Attractors with slow feedback: the travelling wave, lag and lead, and adaptation of the spiking ring."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolman.memory.anticipation import AnticipatingRing, AnticipationConfig, anticipation_time
from tolman.memory.attractor import AttractorNeurons
from tolman.memory.heading import HeadDirection, HeadingConfig

CONFIG = AnticipationConfig(inhibition=0.06)


def drift(config: AnticipationConfig, seconds: float) -> tuple[float, float]:
    """Speeds, rad/s, early and late, of a bump whose feedback is displaced by a little."""
    ring = AnticipatingRing(config)
    ring.rest_at(0.0)
    ring.fatigue[:] = config.feedback * AnticipatingRing(config)._bump(-0.02) * ring.current.max()
    angles = []
    for _ in range(round(seconds / 0.01)):
        ring.advance(0.01)
        angles.append(ring.centre)
    step = np.abs(np.diff(np.unwrap(angles))) / 0.01
    n = len(step) // 5
    return float(step[n : 2 * n].mean()), float(step[-n:].mean())


@given(tau_v=st.floats(0.06, 0.2))
@settings(max_examples=6, deadline=None)
def test_a_wave_travels_above_tau_over_tau_v(tau_v: float) -> None:
    for share, grows in ((0.95, False), (1.05, True)):
        config = replace(CONFIG, tau_v=tau_v, feedback=share * CONFIG.tau / tau_v)
        early, late = drift(config, 20.0 * tau_v)
        assert (late > early) == grows


@pytest.mark.parametrize("ratio", [2.0, 3.0, 4.0])
def test_the_wave_stays_below_the_speed_of_a_bump_that_keeps_its_shape(ratio: float) -> None:
    """A travelling bump leans back into its feedback, which costs it a sixth to a fifth of its speed."""
    config = replace(CONFIG, feedback=ratio * CONFIG.threshold)
    assert 0.75 < drift(config, 3.0)[1] / config.intrinsic_speed < 1.0


def test_behaviour_does_not_depend_on_the_number_of_cells() -> None:
    config = replace(CONFIG, feedback=2.5 * CONFIG.threshold)
    speeds = [drift(replace(config, cells=n), 2.0)[1] for n in (64, 128, 256)]
    np.testing.assert_allclose(speeds, speeds[1], rtol=0.01)
    leads = [anticipation_time(replace(config, cells=n), 2.0, 1.0, 1.5) for n in (64, 128)]
    assert leads[0] == pytest.approx(leads[1], abs=5e-4)


def test_lag_turns_into_lead_with_feedback_and_where_the_wave_outruns_the_cue() -> None:
    for speed in (2.0, 4.0):
        leads = []
        for ratio in (0.0, 1.0, 1.5, 2.0, 3.0, 4.0):
            config = replace(CONFIG, feedback=ratio * CONFIG.threshold)
            leads.append(anticipation_time(config, speed, 1.0, 2.0))
            own = drift(config, 3.0)[1] if ratio > 1.0 else 0.0
            assert (leads[-1] > 0.0) == (own > speed)
        assert np.all(np.diff(leads) > 0.0)
        assert leads[0] < -0.02


def test_impossible_rings_are_refused() -> None:
    with pytest.raises(ValueError, match="feedback must be >= 0"):
        AnticipationConfig(feedback=-0.1)
    with pytest.raises(ValueError, match=r"inhibition must be < 0\.125"):
        AnticipationConfig(inhibition=0.2)
    with pytest.raises(ValueError, match="adaptation must be >= 0"):
        AttractorNeurons(adaptation=-1.0)


def lead_of_spikes(adaptation: float, speed: float) -> float:
    """Return by how many s the bump of the spiking ring leads a cue that turns at `speed` rad/s."""
    neurons = AttractorNeurons(noise=0.015, adaptation=adaptation, tau_adaptation=0.3)
    ring = HeadDirection(HeadingConfig(neurons=neurons), seed=2)
    ring.set(0.0)
    at, ahead = 0.0, []
    for k in range(150):
        at += 0.04 * speed
        ring.advance(0.0, 40, ring.cue(at, 4.0))
        if k >= 60:
            ahead.append(float(np.angle(np.exp(1j * (ring.heading - at)))) / speed)
    return float(np.mean(ahead)) + 0.02  # the cue stands for the middle of the period


@pytest.mark.parametrize("speed", [1.0, 2.0, -2.0])
def test_adaptation_makes_the_spiking_ring_lead_its_cue(speed: float) -> None:
    leads = [lead_of_spikes(strength, speed) for strength in (0.0, 0.01, 0.06)]
    assert leads[0] < -0.05
    assert leads[-1] > 0.025  # as head-direction cells of the anterior thalamus do: Blair & Sharp 1995
    assert np.all(np.diff(leads) > 0.02)
