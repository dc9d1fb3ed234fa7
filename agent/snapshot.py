"""What the agent shows of itself: plain arrays for the bridge, recorders and figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class AgentSnapshot:
    """The last control period."""

    time: float  #: s the agent has lived, over all episodes
    pose_estimate: NDArray[np.float64]  #: (3,) x m, y m, heading rad, in the frame in which its map was begun
    localised: bool  #: whether it believes that estimate
    spike_neuron: NDArray[np.uint32]  #: (k,) index over all populations
    spike_time: NDArray[np.uint16]  #: (k,) ms since the start of the period, ascending
    place_activity: NDArray[np.float32]  #: (places,) Hz, filtered
    dopamine: float  #: temporal-difference error, reward per s
    value: float  #: reward
    twist: NDArray[np.float32]  #: (2,) commanded m/s and rad/s
    map_number: int = 0  #: which of its maps it uses
    #: (k,) whether it was fired in a sharp wave: not of where the robot is, and up to 600 ms after the start
    #: of the period; None: none was
    spike_ripple: NDArray[np.bool_] | None = None
