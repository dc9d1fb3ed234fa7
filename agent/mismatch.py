"""Device mismatch: no two neurons of a neuromorphic chip have the same time constant, threshold and gain.

The whole agent is given it at once, before it is made, so that what is calibrated is calibrated on these
neurons. Coefficients of variation around 20 % are usual (Cramer et al. 2022, PNAS 119:e2109194119).
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from ..memory.attractor import AttractorNeurons
from ..memory.neurons import NeuronConfig
from ..spiking.random import key
from .actor_critic import ActorCriticConfig

Config = TypeVar("Config")

#: Records of neurons that know mismatch.
_NEURONS = (NeuronConfig, AttractorNeurons, ActorCriticConfig)


def mismatched(config: Config, variation: float, device: int) -> Config:
    """Return `config` with neurons that vary by the coefficient `variation`, as `device` draws them.

    Each population has its own draw, and ripples do, too. Dendrites and rate units stay as they are.
    """
    return config if variation == 0.0 else _varied(config, variation, device, "")


def _varied(record: Any, variation: float, device: int, path: str) -> Any:
    if not is_dataclass(record) or isinstance(record, type):
        return record
    changes = {
        field.name: _varied(getattr(record, field.name), variation, device, f"{path}.{field.name}")
        for field in fields(record)
        if field.init
    }
    if isinstance(record, _NEURONS):
        changes |= {"mismatch": variation, "device": int(key(device, path))}
    return replace(record, **changes)
