"""Where memories were made, as path integration had it and as it is known now.

The pose graph moves places; CA3 keeps them as patterns of grid activity. When the place of a memory has moved
far enough, its synapses from the grid cells take the shape that the sheets would have there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ca3 import CA3
from .config import PERIOD, MemoryConfig
from .grid import GridModule
from .pose_graph import PoseGraph
from .poses import wrap

Floats = NDArray[np.float64]


class RelaxedMap:
    """The pose graph of `ca3`'s memories. A robot that knows where it is joins it; a lost one leaves it."""

    def __init__(self, config: MemoryConfig, ca3: CA3, grids: Sequence[GridModule]) -> None:
        self._ca3, self._grids, self._shift = ca3, grids, config.correction.shift
        memories = len(ca3.places)
        self.graph = PoseGraph(config.pose_graph, memories)
        self.made_at = np.zeros((memories, 3))  #: pose that ring and sheets held when each memory was made
        self.moved = np.zeros((memories, 2))  #: m by which its place has been moved since
        self.joined = False

    def join(self, pose: Floats) -> None:
        """Go on from `pose` (3,), to which no odometry leads."""
        self.graph.begin(pose)
        self.joined = True

    def leave(self) -> None:
        """Travel nowhere until the next `join`."""
        self.joined = False

    def travel(self, speed: float, turn_rate: float) -> None:
        """Add a control period of odometry, m/s and rad/s, and relax from time to time."""
        if self.graph.travel(speed, turn_rate, PERIOD):
            self.graph.relax()
            self._follow()

    def remember(self, memory: int, pose: Floats) -> None:
        """Note that `memory` is made now, while ring and sheets hold `pose` (3,)."""
        self.made_at[memory], self.moved[memory] = pose, 0.0
        if self.joined:
            self.graph.remember(memory)
        else:
            self.graph.memory_pose[memory] = pose

    def recall(self, memory: int, heading: float) -> Floats:
        """Note that by `memory` the ring should be at `heading` rad; return the present pose (3,)."""
        self.graph.recall(memory, heading - float(self.made_at[memory, 2]))
        return self.graph.pose

    def turned(self, memory: int) -> float:
        """Return by how many rad headings were wrong, as far as is known now, when `memory` was made."""
        return wrap(float(self.graph.memory_pose[memory, 2] - self.made_at[memory, 2]))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays."""
        graph = {f"graph.{name}": array for name, array in self.graph.arrays().items()}
        return {"made_at": self.made_at, "moved": self.moved} | graph

    def _follow(self) -> None:
        live = np.flatnonzero(self.graph.birth >= 0)
        wanted = self.graph.memory_pose[live, :2] - self.made_at[live, :2]
        far = np.hypot(*(wanted - self.moved[live]).T) > self._shift
        for memory, by in zip(live[far], wanted[far], strict=True):
            parts = self._ca3.places[memory].reshape(len(self._grids), -1)
            grid = [module.moved(part, by) for module, part in zip(self._grids, parts, strict=True)]
            self._ca3.place_again(int(memory), np.concatenate(grid))
            self.moved[memory] = by
