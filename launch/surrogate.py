"""PPO whose networks are spiking, taught by back-propagation through time with a surrogate gradient.

Hidden layers are leaky integrate-and-fire neurons of snnTorch (Eshraghian et al. 2023, Proc. IEEE 111:1016)
in the place of the library's tanh units; sizes, heads, loss and optimiser stay those of PPO:

    v_k = 0.9 v_(k-1) + W s_k + b - s'_(k-1),   s'_k = 1 where v_k > 1

For one decision the observation is a constant current for `STEPS` steps from rest, and what is read out is
the rate of the last layer. On the way back the derivative of a spike is taken to be (1 + 5 |v - 1|)^-2 (fast
sigmoid of Zenke & Ganguli 2018, Neural Comput. 30:1514), and none for the reset.
"""

from __future__ import annotations

from typing import Any

import torch
from snntorch import Leaky
from snntorch.surrogate import fast_sigmoid
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import MlpExtractor

from .policies import OnlinePPO

STEPS = 16  #: of the neurons, per decision
DECAY = 0.9  #: what a step leaves of a membrane
SLOPE = 5.0  #: of the surrogate gradient


class SpikingExtractor(MlpExtractor):
    """Hidden layers of policy and value as spiking networks: features (batch, n) to rates (batch, units)."""

    def __init__(self, features: int, layers: Any, device: Any = "cpu") -> None:
        super().__init__(features, layers, _cells, device)

    def forward_actor(self, features: torch.Tensor) -> torch.Tensor:
        """Return the rates of the policy's last layer, spikes a step."""
        return _rates(self.policy_net, features)

    def forward_critic(self, features: torch.Tensor) -> torch.Tensor:
        """Return the rates of the value's last layer, spikes a step."""
        return _rates(self.value_net, features)


class SpikingPolicy(ActorCriticPolicy):
    """The library's policy with spiking hidden layers."""

    def _build_mlp_extractor(self) -> None:
        self.mlp_extractor = SpikingExtractor(self.features_dim, self.net_arch, self.device)


class OnlineSurrogate(OnlinePPO):
    """PPO with a `SpikingPolicy`."""

    policy = SpikingPolicy


def _cells() -> Any:
    return Leaky(beta=DECAY, threshold=1.0, spike_grad=fast_sigmoid(SLOPE), init_hidden=True)


def _rates(network: Any, features: torch.Tensor) -> torch.Tensor:
    first, *rest = network
    current = first(features)  # the same in every step
    total = torch.zeros(())
    for cells in rest[::2]:
        cells.reset_mem()
    for _ in range(STEPS):
        spikes = current
        for layer in rest:
            spikes = layer(spikes)
        total = total + spikes
    return total / STEPS
