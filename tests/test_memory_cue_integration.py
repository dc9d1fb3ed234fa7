"""Congruent and opposite cells: the kernel against NumPy, product and quotient, weights, decisions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import vonmises
from scripts import load
from tolman.memory import von_mises
from tolman.memory.cue_code import HOLES, RingCode, TorusCode, along_the_wave
from tolman.memory.cue_integration import CueConfig, CueNetwork, theory
from tolman.memory.grid import lattice_bump
from tolman.spiking.random import uniform_reference

BENCH = load("cue_integration")
FOUR = CueConfig(decide=False)
SEEDS = range(2)


@pytest.mark.parametrize("config", [CueConfig(RingCode(24)), CueConfig(TorusCode(6)), FOUR])
def test_kernel_spikes_as_its_numpy_twin(config: CueConfig) -> None:
    network, code = CueNetwork(config, 5), config.code
    places = np.array([[0.4], [1.4]]) if isinstance(code, RingCode) else np.array([[0.1, 0.3], [0.4, 0.3]])
    cues = np.stack([network.cue(place, 90.0) for place in places])
    height, width = code.shape
    n, rings = height * width, network.rings

    bump, far = (kernel / along_the_wave(code.bump(), code) for kernel in (code.bump(), code.opposite()))
    within = config.excitation * bump - config.inhibition / n
    gains = [-np.expm1(-1e-3 / tau) / 1e-3 for tau in (config.tau, config.tau_decide)]
    heard, between = np.zeros((2, n), np.float32), np.zeros((rings, n), np.float32)

    def sent(kernel: np.ndarray, spikes: np.ndarray, gain: float) -> np.ndarray:
        out = np.zeros((height, width))
        for place in np.flatnonzero(spikes):
            shift = divmod(int(place), width)
            out += np.roll(kernel.reshape(height, width), shift, (0, 1))
        return np.asarray(gain * out.ravel(), np.float32)

    apart = 0
    for step in range(120):
        own = np.repeat(heard, 2, axis=0)
        rates = between.copy()
        rates[:4] += own
        draws = uniform_reference(network.key, step, (2 + rings) * n).reshape(2 + rings, n)
        fired = draws < np.concatenate([cues, rates]) * np.float32(1e-3)
        apart += int((network.advance(cues, 1) != fired).sum())
        heard = heard * np.float32(np.exp(-1e-3 / config.tau))
        between[:4] *= np.float32(np.exp(-1e-3 / config.tau))
        between[4:] *= np.float32(np.exp(-1e-3 / config.tau_decide))
        for module in range(2):
            heard[module] += sent(bump, fired[module], gains[0])
        for ring in range(4):
            kernel = config.reciprocal * (far if ring % 2 else bump)
            between[(ring + 2) % 4] += sent(kernel, fired[2 + ring], gains[0])
            if ring % 2 == 0 and rings > 4:
                between[4] += sent(config.listening * bump, fired[2 + ring], gains[1])
        if rings > 4:
            between[4] += sent(within, fired[6], gains[1])
        np.testing.assert_allclose(network.state.between, between, atol=1e-2)
    assert apart == 0


@given(st.floats(-3.1, 3.1), st.floats(-3.1, 3.1), st.floats(0.2, 9.0), st.floats(0.2, 9.0))
def test_product_and_quotient_of_von_mises_are_sums_of_vectors(
    x1: float, x2: float, k1: float, k2: float
) -> None:
    s = np.linspace(-np.pi, np.pi, 400, endpoint=False)
    for sign in (1.0, -1.0):
        joint = von_mises.vector(x1, k1) + sign * von_mises.vector(x2, k2)
        density = np.exp(vonmises.logpdf(s, k1, x1) + sign * vonmises.logpdf(s, k2, x2))
        density /= density.sum() * (s[1] - s[0])
        of_vector = np.exp(von_mises.log_density(s - np.angle(joint), np.abs(joint)))
        np.testing.assert_allclose(of_vector, density, rtol=1e-6, atol=1e-9)


@given(st.floats(1e-3, 500.0))
def test_concentration_undoes_the_mean_resultant(k: float) -> None:
    assert von_mises.concentration(von_mises.resultant(k)) == pytest.approx(k, rel=1e-5)


def test_a_prior_takes_from_what_another_cue_says() -> None:
    rng = np.random.default_rng(0)
    difference = vonmises.rvs(3.0, size=200_000, random_state=rng)
    angles = vonmises.rvs(5.0, size=200_000, random_state=rng) + difference
    left = von_mises.concentration(np.abs(np.exp(1j * angles).mean()))
    assert von_mises.through_prior(5.0, 3.0) == pytest.approx(left, rel=0.02)
    assert von_mises.through_prior(5.0, 1e6) == pytest.approx(5.0, rel=1e-3)


@pytest.mark.parametrize("strengths", [(60.0, 60.0), (20.0, 80.0)])
def test_rings_answer_as_product_and_quotient(strengths: tuple[float, float]) -> None:
    network = CueNetwork(FOUR, 0)
    for conflict in (0.0, 45.0, 90.0, 135.0, 180.0):
        places = BENCH.ring_places(conflict)
        z = BENCH.trials(network, places, strengths, 120).mean(axis=0)[:, 0]
        expected = theory(z[0], z[1], FOUR.reciprocal)
        assert np.abs(z[2:6] - expected).max() < 0.04 * np.abs(expected).max()
        # What was integrated can be told apart again.
        assert np.abs(network.single(z[2:6, None])[:, 0] - z[:2]).max() < 0.06 * np.abs(z[:2]).max()


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
@settings(deadline=None, max_examples=30)
def test_two_holes_turn_the_sign_of_all_waves_of_a_torus_and_half_a_period_does_not(
    u: float, v: float
) -> None:
    torus = TorusCode(9)
    shifted = torus.tuned(np.array([u, v])) @ torus.waves().T
    np.testing.assert_allclose(
        shifted, np.abs(shifted) * np.exp(2j * np.pi * np.array([u, v, u + v])), atol=1e-2
    )
    alike = torus.bump() @ torus.waves().T
    np.testing.assert_allclose(torus.opposite() @ torus.waves().T / alike, [-1.0, -1.0, -1.0], atol=1e-3)
    half = TorusCode(9, holes=((0.5, 0.5),))
    np.testing.assert_allclose(half.opposite() @ half.waves().T / alike, [-1.0, -1.0, 1.0], atol=1e-3)


@given(st.floats(-2.0, 2.0), st.floats(-2.0, 2.0))
@settings(deadline=None)
def test_tuning_on_the_torus_is_the_lattice_bump(u: float, v: float) -> None:
    axis = np.arange(9) / 9
    rows, columns = np.meshgrid(axis, axis, indexing="ij")
    expected = lattice_bump(columns - u, rows - v, 0.13).ravel()
    np.testing.assert_allclose(TorusCode(9).tuned(np.array([u, v])), expected, atol=1e-9)


def test_sheets_answer_as_product_and_quotient() -> None:
    network = CueNetwork(CueConfig(TorusCode(), decide=False), 0)
    for shift in ((0.0, 0.0), (0.25, 0.0), (0.5, 0.5), HOLES[0], (0.5, 0.0)):
        places = np.array([[0.2, 0.1], [0.2 + shift[0], 0.1 + shift[1]]])
        z = BENCH.trials(network, places, (60.0, 60.0), 80).mean(axis=0)
        expected = theory(z[0], z[1], 0.5)
        assert np.abs(z[2:6] - expected).max() < 0.12 * np.abs(expected).max()


@pytest.mark.parametrize("ratio", ["1:1", "1:4"])
def test_variance_is_within_a_tenth_of_optimal(ratio: str) -> None:
    # 2,000 trials: the standard error of a ratio of variances is 4 %, so that the mean of rings is bounded.
    first, second = BENCH.RATIOS[ratio]
    network, agree = CueNetwork(CueConfig(), 3), BENCH.ring_places(0.0)
    a, b, c = (
        BENCH.variance(BENCH.trials(network, agree, pair, 2000))[[2, 4, 6], 0]
        for pair in ((first, 0.0), (0.0, second), (first, second))
    )
    assert abs(float((c * (1.0 / a + 1.0 / b)).mean()) - 1.0) < 0.1


def test_weights_follow_reliability() -> None:
    found = BENCH.weights(SEEDS, 150)
    for ring in ("congruent_vision", "congruent_path", "decision"):
        assert abs(found[ring]["slope"] - 1.0) < 0.1, ring


def test_small_conflicts_are_averaged_and_large_ones_decided() -> None:
    network = CueNetwork(CueConfig(), 1)

    def answers(conflict: float, strengths: tuple[float, float]) -> np.ndarray:
        z = BENCH.trials(network, BENCH.ring_places(conflict), strengths, 120)
        return np.asarray(np.degrees(np.angle(z[:, BENCH.RINGS["decision"], 0])))

    assert abs(answers(30.0, (60.0, 60.0)).mean()) < 2.0
    assert answers(30.0, (20.0, 80.0)).mean() == pytest.approx(0.3 * 30.0, abs=3.0)  # weight .8: 9 of 15
    torn = answers(150.0, (60.0, 60.0))
    assert (np.minimum(abs(torn - 75.0), abs(torn + 75.0)) < 25.0).mean() > 0.9
    assert 0.3 < (torn > 0.0).mean() < 0.7
    assert (abs(answers(150.0, (20.0, 80.0)) - 75.0) < 25.0).mean() > 0.95


def test_opposite_activity_rises_with_conflict_and_tells_it() -> None:
    network, strengths = CueNetwork(FOUR, 2), (60.0, 60.0)
    activity = [
        np.abs(BENCH.trials(network, BENCH.ring_places(d), strengths, 60)[:, [3, 5], 0]).mean()
        for d in np.arange(0, 181, 30)
    ]
    assert np.all(np.diff(activity) > 0.0)
    for pair, seconds in (((60.0, 60.0), 0.25), ((20.0, 80.0), 1.0)):
        agree, apart = (
            BENCH.onset(network, BENCH.ring_places(d), pair, seconds, 120)[:, 0] for d in (0.0, 60.0)
        )
        assert BENCH.roc_area(apart, agree) >= 0.95


def test_same_seed_same_spikes_and_refusals() -> None:
    one, two, other = (CueNetwork(CueConfig(), seed) for seed in (4, 4, 5))
    cues = np.stack([one.cue(np.array([0.3]), 50.0)] * 2)
    first = one.advance(cues, 100)
    np.testing.assert_array_equal(first, two.advance(cues, 60) + two.advance(cues, 40))
    assert np.any(first != other.advance(cues, 100))
    with pytest.raises(ValueError, match="strength must be >= 0 Hz"):
        one.cue(np.array([0.0]), -1.0)
    for arguments, message in (
        ({"reciprocal": 1.0}, r"reciprocal must be in \(0, 1\)"),
        ({"tau": 0.0}, "tau must be > 0 s"),
        ({"inhibition": -1.0}, "inhibition must be >= 0"),
    ):
        with pytest.raises(ValueError, match=message):
            CueConfig(**arguments)
    with pytest.raises(ValueError, match="phases must be >= 16"):
        RingCode(8)
    with pytest.raises(ValueError, match="side must be >= 6"):
        TorusCode(4)
    with pytest.raises(ValueError, match=r"in \[0, 1\)"):
        von_mises.concentration(1.0)
