"""Tasks: where an episode starts, what is rewarded, when it ends, and how short the path could have been."""

from .base import Disc, Outcome, Task, Zone
from .roaming import LinearTrack, OpenField
from .u_maze import UMaze
from .water_maze import DelayedMatch, WaterMaze

__all__ = [
    "DelayedMatch",
    "Disc",
    "LinearTrack",
    "OpenField",
    "Outcome",
    "Task",
    "UMaze",
    "WaterMaze",
    "Zone",
]
