"""Networks that learn to integrate a path: walks, codes, the step beside NumPy, what a lack of torch says."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scripts import load

walks = load("rat_walks")
torch_only = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")
RECIPES = pytest.mark.parametrize("name", ["gaussian", "dog"])


@pytest.fixture(scope="module")
def learned() -> Any:
    import torch

    torch.set_num_threads(1)
    return load("learned_integrator")


def test_walks_stay_in_the_box_and_their_motion_sums_to_them() -> None:
    places, headings = walks.walk(40, 20.0, 2.2, walks.Rat(), seed=3)
    assert np.abs(places).max() <= 1.1 - walks.SKIN
    again = walks.walk(40, 20.0, 2.2, walks.Rat(), seed=3)
    np.testing.assert_array_equal(places, again[0])
    turns = np.abs(np.diff(headings, axis=1)) / walks.PERIOD
    assert turns.max() <= walks.Rat().fastest_turn + 1e-9
    speed = np.hypot(*np.diff(places, axis=1).transpose(2, 0, 1)) / walks.PERIOD
    # The mean of a Rayleigh distribution is sqrt(pi / 2) of its scale; walls take a little off.
    assert 0.9 * 0.163 < speed.mean() < 1.02 * 0.163
    path = walks.as_motion(places[0], headings[0])
    mean = 0.5 * (path.heading[1:] + path.heading[:-1])
    moved = path.body[:, :1] * walks.along(mean) + path.body[:, 1:] * walks.along(mean + 0.5 * np.pi)
    np.testing.assert_allclose(
        np.cumsum(moved, axis=0) * walks.PERIOD + places[0, 0], places[0, 1:], atol=1e-9
    )


@torch_only
@RECIPES
def test_targets_sum_to_one(learned: Any, name: str) -> None:
    import torch

    recipe = learned.RECIPES[name]
    codes = learned.Codes(recipe, 0)
    rng = np.random.default_rng(0)
    at = rng.uniform(-1.1, 1.1, (5, 7, 2))
    code = codes.places(torch.tensor(at, dtype=torch.float32)).numpy().astype(np.float64)
    np.testing.assert_allclose(code.sum(axis=-1), 1.0, atol=1e-5)
    assert code.min() >= 0.0
    gap = ((at[..., None, :] - codes.centres.numpy().astype(np.float64)) ** 2).sum(axis=-1) / recipe.width**2
    centre = np.exp(-0.5 * gap)
    wanted = centre / centre.sum(axis=-1, keepdims=True)
    if name == "dog":
        around = np.exp(-0.25 * gap)
        wanted = wanted - around / around.sum(axis=-1, keepdims=True)
        wanted = wanted - wanted.min(axis=-1, keepdims=True)
        wanted = wanted / wanted.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(code, wanted, atol=1e-5)
    headings = codes.headings(torch.tensor(rng.uniform(-9.0, 9.0, 30), dtype=torch.float32))
    np.testing.assert_allclose(headings.sum(-1), 1.0, atol=1e-5)
    # The decoder finds the place that a code stands for, to the pitch of its lattice.
    found = learned.Decoder(codes)(torch.log(torch.tensor(code.reshape(-1, recipe.places)) + 1e-9).float())
    assert np.hypot(*(found - at.reshape(-1, 2)).T).max() < 0.02


@torch_only
def test_the_lstm_steps_as_its_equations_say(learned: Any) -> None:
    """Hochreiter & Schmidhuber 1997 with forget gates (Gers et al. 2000); gates in the order i, f, g, o."""
    import torch

    recipe = replace(learned.RECIPES["gaussian"], units=7, bottleneck=9, places=11)
    torch.manual_seed(0)
    network = learned.Integrator(recipe).eval()
    rng = np.random.default_rng(1)
    start, motion = rng.random((2, 11 + learned.HEADINGS)), rng.standard_normal((2, 6, 3))
    w = {name: weight.numpy().astype(np.float64) for name, weight in network.state_dict().items()}
    with torch.no_grad():
        given = torch.tensor(start, dtype=torch.float32), torch.tensor(motion, dtype=torch.float32)
        activity, places, headings = (part.numpy() for part in network(*given))

    def gate(x: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-x))

    h, c = np.split(start @ w["start.weight"].T, 2, axis=1)
    for step in range(6):
        z = motion[:, step] @ w["recurrent.weight_ih_l0"].T + w["recurrent.bias_ih_l0"]
        z = z + h @ w["recurrent.weight_hh_l0"].T + w["recurrent.bias_hh_l0"]
        i, f, g, o = np.split(z, 4, axis=1)
        c = gate(f) * c + gate(i) * np.tanh(g)
        h = gate(o) * np.tanh(c)
        read = h @ w["bottleneck.weight"].T
        np.testing.assert_allclose(activity[:, step], read, atol=1e-5)
        wanted = read @ w["to_places.weight"].T + w["to_places.bias"]
        np.testing.assert_allclose(places[:, step], wanted, atol=1e-5)
        wanted = read @ w["to_headings.weight"].T + w["to_headings.bias"]
        np.testing.assert_allclose(headings[:, step], wanted, atol=1e-5)


@torch_only
def test_what_a_network_is_given_sums_to_the_path(learned: Any) -> None:
    places, headings = walks.walk(3, 12.0, 2.2, walks.Rat(), seed=4)
    every, first = places[:, :: learned.PERIODS], headings[:, 0]
    turning = learned.stretch(learned.Codes(learned.RECIPES["gaussian"], 0), every, first)
    speed, sine, cosine = turning.motion.numpy().astype(np.float64).transpose(2, 0, 1)
    course = first[:, None] + np.cumsum(np.arctan2(sine, cosine), axis=1)
    moved = np.cumsum(speed[..., None] * walks.along(course), axis=1) * learned.STEP
    np.testing.assert_allclose(every[:, :1] + moved, every[:, 1:], atol=1e-4)
    moving = learned.stretch(learned.Codes(learned.RECIPES["dog"], 0), every, first)
    moved = np.cumsum(moving.motion.numpy().astype(np.float64), axis=1) * learned.STEP
    np.testing.assert_allclose(every[:, :1] + moved, every[:, 1:], atol=1e-4)


@torch_only
@RECIPES
def test_a_few_updates_lower_the_loss_and_a_file_keeps_them(learned: Any, name: str, tmp_path: Any) -> None:
    import torch

    recipe = replace(learned.RECIPES[name], units=32, batch=16, updates=60, places=64, length=10)
    recipe = replace(recipe, bottleneck=32 if recipe.bottleneck else 0)
    network, codes, losses = learned.train(recipe, 5, lambda line: None)
    places, headings = walks.walk(50, 1.2, 2.2, walks.Rat(), seed=6)
    path = learned.stretch(codes, places[:, :: learned.PERIODS], headings[:, 0])
    floor = learned.least_loss(codes, path)
    torch.manual_seed(5)
    before = float(learned.loss_of(learned.Integrator(recipe).eval(), codes, path).detach())
    after = float(learned.loss_of(network, codes, path).detach())
    assert floor < after < before
    assert after - floor < 0.95 * (before - floor)
    learned.save(tmp_path / "one.npz", network, losses, 1.5)
    again, same, kept, seconds = learned.load(tmp_path / "one.npz", recipe, 5)
    assert (kept, seconds) == (losses, 1.5)
    assert float(learned.loss_of(again, same, path).detach()) == after


@torch_only
def test_other_targets_are_refused(learned: Any) -> None:
    with pytest.raises(ValueError, match="targets must be gaussian or dog, got 'boxes'"):
        replace(learned.RECIPES["dog"], targets="boxes")


def test_modules_are_the_modes_of_log_scales() -> None:
    comparison, rng = load("learned_grid"), np.random.default_rng(0)
    scales = np.concatenate([m * np.exp(0.04 * rng.standard_normal(60)) for m in (0.6, 0.85, 1.2, 1.7)])
    np.testing.assert_allclose(comparison.modes(scales), [0.6, 0.85, 1.2, 1.7], rtol=0.03)
    assert comparison.modes(scales[:3]) == []


def test_without_torch_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it fails, as where it is not installed
    monkeypatch.delitem(sys.modules, "learned_integrator", raising=False)
    with pytest.raises(SystemExit) as stopped:
        load("learned_grid").main([])
    assert stopped.value.code == "the learned network needs torch: pip install 'tolman[baselines]'"
