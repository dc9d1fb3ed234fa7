"""The contract of every neuron model: it fits wherever another one does."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tolman.spiking import (
    LIF,
    AdaptiveLIF,
    EscapeRate,
    Gamma,
    Network,
    Uniform,
    alpha,
    exponential,
    mismatched,
)
from tolman.spiking.models import MODELS

#: A drive under which each model fires some ten times a second.
DRIVE = {
    "lif": 1.3, "adaptive": 1.6, "izhikevich": 8.0, "hodgkin-huxley": 9.0, "escape": 16.0,
    "tvlif": 9.0, "slif2hh": 9.0, "two-compartment": 1.3,
}  # fmt: skip
#: A parameter > 0 of each model that has no time constant of the membrane.
FIELD = {"izhikevich": "a", "hodgkin-huxley": "capacitance", "tvlif": "capacitance", "slif2hh": "leak"}
DT = 0.2e-3


def _network(name: str, batch: int = 1, n: int = 12, **receptors: Any) -> Network:
    net = Network(dt=DT, seed=5, batch=batch, precision="double")
    kinds = receptors or {"current": exponential(5e-3)}
    cells = net.population("cells", n, MODELS[name](), kinds, drive=DRIVE[name] * np.linspace(0.9, 1.2, n))
    source = net.poisson("input", 20, 30.0)
    for receptor in kinds:
        net.connect(source, cells, receptor, "dense", weight=0.05 * DRIVE[name], name=f"to {receptor}")
    net.record(cells)
    return net


def _spikes(net: Network) -> NDArray[np.int32]:
    return net.record(net.source("cells")).rows


@pytest.mark.parametrize("name", MODELS)
def test_it_rests_without_input(name: str) -> None:
    net = Network(dt=DT, precision="double")
    cells = net.population("cells", 3, MODELS[name]())
    spikes, start = net.record(cells), cells.state["membrane"].copy()
    if name == "escape":
        return  # it fires by chance
    net.run(0.5)
    assert not len(spikes.rows)
    np.testing.assert_allclose(cells.state["membrane"], start, atol=0.05)


@pytest.mark.parametrize("name", MODELS)
def test_it_takes_every_receptor(name: str) -> None:
    reversal = {"izhikevich": 0.0, "hodgkin-huxley": 0.0, "tvlif": 0.0, "slif2hh": 115.0}
    level = reversal.get(name, 5.0 * DRIVE[name])
    quiet = _network(name, a=exponential(5e-3))
    quiet.connection("to a").set_weights(0.0)
    quiet.run(1.0)
    for receptor in (
        exponential(5e-3), alpha(5e-3), exponential(5e-3, reversal=level), alpha(5e-3, reversal=level),
    ):  # fmt: skip
        driven = _network(name, a=receptor)
        if receptor.reversal is not None:
            driven.connection("to a").set_weights(0.02)
        driven.run(1.0)
        assert len(_spikes(driven)) > 1.02 * len(_spikes(quiet)) > 20


@pytest.mark.parametrize("name", MODELS)
def test_one_array_of_parameters_is_as_good_as_one_number(name: str) -> None:
    alike = _network(name)
    alike.run(0.5)
    net = Network(dt=DT, seed=5, precision="double")
    model, n = MODELS[name](), 12
    field = FIELD.get(name, "tau_membrane")
    nominal = getattr(model, field)
    cells = net.population(
        "cells", n, MODELS[name](**{field: np.full(n, nominal)}), drive=DRIVE[name] * np.linspace(0.9, 1.2, n)
    )
    source = net.poisson("input", 20, 30.0)
    net.connect(source, cells, "current", "dense", weight=0.05 * DRIVE[name])
    net.record(cells)
    net.run(0.5)
    np.testing.assert_array_equal(_spikes(net), _spikes(alike))
    assert len(_spikes(net)) > 20


@pytest.mark.parametrize("name", MODELS)
def test_a_run_resumes_bit_for_bit(name: str) -> None:
    whole, first, second = _network(name), _network(name), _network(name)
    whole.run(0.4)
    first.run(0.2)
    second.load(first.arrays())
    second.run(0.2)
    np.testing.assert_array_equal(np.concatenate([_spikes(first), _spikes(second)]), _spikes(whole))
    assert len(_spikes(second)) > 5


@pytest.mark.parametrize("name", MODELS)
def test_the_copies_of_a_batch_are_networks_of_their_own(name: str) -> None:
    net = Network(dt=DT, seed=5, batch=3, precision="double")
    drive = DRIVE[name] * np.outer([1.0, 0.0, 1.0], np.linspace(1.0, 1.3, 4))
    cells = net.population("cells", 4, MODELS[name](), drive=drive)
    follower = net.population("followers", 4, LIF(), drive=0.9)
    net.connect(cells, follower, wiring="one to one", weight=5.0, delay=1e-3)
    first, later = net.record(cells), net.record(follower)
    net.run(0.5)
    counts = first.counts().reshape(3, 4)
    assert np.all(counts[0] > 2)
    if name != "escape":
        assert not counts[1].any()
        np.testing.assert_array_equal(counts[0], counts[2])
    np.testing.assert_array_equal(later.counts().reshape(3, 4) > 0, counts > 0)


@pytest.mark.parametrize("name", MODELS)
def test_a_distribution_is_drawn_from_the_seed(name: str) -> None:
    field = FIELD.get(name, "tau_membrane")
    model = mismatched(MODELS[name](), 0.2, [field])

    def counts(seed: int) -> NDArray[np.int64]:
        net = Network(dt=DT, seed=seed, precision="double")
        cells = net.population("cells", 200, model, drive=DRIVE[name])
        spikes = net.record(cells)
        drawn = getattr(cells.model, field)
        assert drawn.std() / drawn.mean() == pytest.approx(0.2, rel=0.2)
        assert drawn.mean() == pytest.approx(getattr(MODELS[name](), field), rel=0.06)
        net.run(0.5)
        return spikes.counts()

    np.testing.assert_array_equal(counts(1), counts(1))
    assert np.any(counts(1) != counts(2))


def test_noise_has_its_size() -> None:
    for model in (LIF(threshold=99.0, noise=0.1), AdaptiveLIF(threshold=99.0, jump=0.0, noise=0.1)):
        net = Network(dt=1e-3, seed=2)
        cells = net.population("cells", 3000, model)
        net.run(0.3)
        # A sum of decaying steps: variance noise^2 / (1 - exp(-2 dt / tau)).
        expected = 0.1 / np.sqrt(-np.expm1(-2.0 * 1e-3 / 20e-3))
        assert cells.state["membrane"].std() == pytest.approx(expected, rel=0.06)


def test_bad_input_is_named() -> None:
    net = Network(dt=1e-3)
    cases = [
        (lambda: LIF(tau_membrane=0.0), "LIF tau_membrane must be finite and > 0, got 0"),
        (lambda: LIF(noise=-1.0), "LIF noise must be finite and >= 0, got -1"),
        (lambda: LIF(reset=2.0), "LIF reset must be < threshold"),
        (
            lambda: LIF(tau_membrane=np.array([0.01, -0.01])),
            "LIF tau_membrane must be finite and > 0, got -0.01",
        ),
        (lambda: LIF(tau_membrane=Gamma(20e-3, 0.4)).rate(2.0), "has not been drawn yet"),
        (lambda: EscapeRate(width=-2.0), "EscapeRate width must be finite and > 0, got -2"),
        (lambda: EscapeRate(escape="linear"), "'softplus' or 'exponential', got 'linear'"),  # type: ignore[arg-type]
        (lambda: AdaptiveLIF(tau_adaptation=0.0), "tau_adaptation must be finite and > 0"),
        (lambda: AdaptiveLIF(jump=-1.0), "jump must be finite and >= 0"),
        (lambda: AdaptiveLIF(coupling=0.1).rate(np.ones(1)), "coupling 0 only"),
        (lambda: MODELS["izhikevich"](c=40.0), "c must be < peak"),
        (lambda: net.population("a", 1, MODELS["izhikevich"](b=0.4)), "no state of rest"),
        (lambda: net.population("b", 0, LIF()), "a population needs >= 1 neuron, got 0"),
        (
            lambda: net.population("c", 3, LIF(threshold=np.ones(2))),
            "must be a number or (3,), got shape (2,)",
        ),
        (lambda: net.population("d", 3, MODELS["hodgkin-huxley"]()), "precision='double'"),
        (lambda: net.population("e", 3, LIF(), drive=np.ones(2)), "must be a number or (3,), got (2,)"),
        (lambda: net.population("f", 3, LIF(), current=1.0), "has the variables membrane, not 'current'"),
        (lambda: net.population("g", 3, LIF(), {"x": exponential(5e-3, compartment="tuft")}), "not 'tuft'"),
        (lambda: exponential(-1.0), "Receptor tau must be finite and > 0, got -1"),
        (lambda: Uniform(2.0, 1.0), "low <= high"),
        (lambda: Gamma(-1.0, 0.1), "mean > 0"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=re.escape(message)):
            call()
