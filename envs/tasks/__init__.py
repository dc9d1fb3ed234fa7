"""Tasks: where an episode starts, what is rewarded, when it ends, and how short the path could have been."""

from .base import Outcome, Task, Zone
from .cruciform import Cruciform
from .detour import Detour
from .hidden_goal import Disc
from .roaming import LinearTrack, OpenField
from .t_maze import TMaze
from .u_maze import UMaze
from .water_maze import DelayedMatch, WaterMaze

__all__ = [
    "Cruciform",
    "DelayedMatch",
    "Detour",
    "Disc",
    "LinearTrack",
    "OpenField",
    "Outcome",
    "TMaze",
    "Task",
    "UMaze",
    "WaterMaze",
    "Zone",
]
