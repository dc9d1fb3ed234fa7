"""Device mismatch: every population has neurons of its own, the same in every run."""

from __future__ import annotations

import numpy as np
import pytest
from tolman.agent.actor_critic import ActorCriticConfig
from tolman.agent.config import NavigatorConfig
from tolman.agent.mismatch import mismatched
from tolman.memory.attractor import AttractorNeurons
from tolman.memory.engines import named
from tolman.memory.neurons import NeuronConfig
from tolman.memory.place import PlaceCells, PlaceConfig


def test_neurons_vary_by_what_was_asked_around_their_nominal_values() -> None:
    lif = NeuronConfig(tau_membrane=0.02, mismatch=0.2, device=3).lif(20_000)
    tau, threshold = np.asarray(lif.tau_membrane), np.asarray(lif.threshold)
    assert tau.mean() == pytest.approx(0.02, rel=0.01)
    assert tau.std() / tau.mean() == pytest.approx(0.2, rel=0.05)
    # A threshold over a gain: the squares of their coefficients add up, nearly.
    assert threshold.std() / threshold.mean() == pytest.approx(np.hypot(0.2, 0.2), rel=0.08)
    assert abs(np.corrcoef(tau, threshold)[0, 1]) < 0.03


def test_without_mismatch_all_neurons_share_their_constants() -> None:
    assert NeuronConfig().constants(500).shape[1] == 1
    assert NeuronConfig(mismatch=0.2).constants(500).shape[1] == 500


def test_the_agent_is_given_mismatch_as_a_whole_and_each_population_its_own() -> None:
    config = mismatched(NavigatorConfig(), 0.2, 7)
    memory = config.memory
    parts = [config.perception.neurons, memory.place.neurons, memory.ca3.cell, memory.grid.neurons]
    parts += [memory.heading.neurons, config.actor_critic]
    assert {part.mismatch for part in parts} == {0.2}
    assert len({part.device for part in parts}) == len(parts)
    assert mismatched(NavigatorConfig(), 0.2, 7) == config == mismatched(config, 0.2, 7)
    assert mismatched(NavigatorConfig(), 0.2, 8) != config
    assert mismatched(NavigatorConfig(), 0.0, 7) == NavigatorConfig()


def test_each_sheet_has_neurons_of_its_own() -> None:
    neurons = AttractorNeurons(mismatch=0.2)
    a, b = (named(neurons, name).cells.constants(256) for name in ("grid_0", "grid_1"))  # type: ignore[union-attr]
    assert not np.array_equal(a, b)
    assert named(AttractorNeurons(), "grid_0") == AttractorNeurons()


def test_actors_and_critics_have_thresholds_of_their_own_and_kernels_in_common() -> None:
    constants = ActorCriticConfig(mismatch=0.2).neurons().constants(1e-3)
    assert constants.shape[1] == 110
    assert np.ptp(constants[3]) > 5.0
    assert np.ptp(constants[0]) == 0.0


@pytest.mark.parametrize("change", [{"mismatch": -0.1}, {"device": -1}])
def test_impossible_mismatch_is_refused(change: dict[str, float]) -> None:
    for kind in (NavigatorConfig, NeuronConfig, ActorCriticConfig):
        with pytest.raises(ValueError, match="mismatch"):
            kind(**change)  # type: ignore[arg-type]


def spikes_of(unsteady: float, seconds: int = 10) -> np.ndarray:
    """Return the spikes in each control period of 40 cells that get the same steady input."""
    cells = PlaceCells(PlaceConfig(cells=40, unsteady=unsteady, inhibition=0.0), 1, 1, 1, 0)
    cells.recruited[0], cells.grid_weights[:] = 40, 0.028
    clock = np.column_stack([np.arange(40), np.zeros(40, int)]).astype(np.int32)
    return np.array([len(cells.advance(clock, 40)) for _ in range(25 * seconds)])


def test_unsteady_input_makes_spike_counts_vary_more() -> None:
    steady, unsteady = spikes_of(0.0), spikes_of(0.2)
    assert steady[25:].mean() > 5.0
    assert unsteady[25:].std() > 1.5 * steady[25:].std()
    np.testing.assert_array_equal(unsteady, spikes_of(0.2))
