"""What places are worth: where reward was found is remembered at once, where it failed to come is forgotten.

Synapses from place cells to a value signal follow the delta rule (Rescorla & Wagner 1972): a reward r takes
the worth of the place to r in one trial, as hippocampal one-trial place learning does (Steele & Morris 1999);
time spent there without reward lets it fade. Separate synapses for each cue that a task may give: what is
worth going for depends on what is wanted, and, as CA1 cells fire by where a rat comes from (Wood et al. 2000,
Neuron 27:623), on where the last episode ended: `context` of each error is learned by synapses that need that
place, too, the rest by those that do not, so that what holds always is learned first. Places where the robot
has been without finding anything are known to be searched, until a reward is found or time passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..memory.config import PERIOD

Floats = NDArray[np.float32]
FAINT = 1e-3  #: share of a place below which it is left alone


@dataclass(frozen=True, slots=True)
class GoalConfig:
    """How fast worth is learned and lost."""

    enabled: bool = True
    rate: float = 1.0  #: share of the error that one reward corrects
    width: float = 0.1  #: m around a reward within which places are worth it
    failed: float = 0.2  #: m around the end of an episode without reward that are not tried again
    extinction: float = 2.0  #: s at a place without reward that leave 1/e of its worth
    disappointment: float = 0.5  #: worth, below 0, of a place that ends an episode without reward
    context: float = 0.25  #: share of an error that is put down to where the last episode ended
    least: float = 0.1  #: worth from which on a place is a goal
    rival: float = 0.5  #: of the most worth, below which a place is no goal beside better ones
    cues: int = 4  #: cues a task may give, none included
    searched: float = 120.0  #: s after which 1/e of what is known of a search is left
    focus: float = (
        0.75  #: of the leading cell's activity, below which a cell's place does not count as visited
    )
    quiet: float = 10.0  #: Hz, place cells' activity below which the robot is nowhere in particular

    def __post_init__(self) -> None:
        if not 0.0 < self.rate <= 1.0:
            raise ValueError(f"goals rate must be in (0, 1], got {self.rate}")
        for name, unit in (("extinction", "s"), ("searched", "s"), ("width", "m"), ("failed", "m")):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"goals {name} must be > 0 {unit}, got {getattr(self, name)}")
        if not 0.0 <= self.focus < 1.0:
            raise ValueError(f"goals focus must be in [0, 1), got {self.focus}")
        for name in ("context", "rival"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"goals {name} must be in [0, 1], got {getattr(self, name)}")
        if self.cues < 1:
            raise ValueError(f"goals cues must be >= 1, got {self.cues}")


class Goals:
    """Worth of `places` place cells under each cue, and how long each was visited in vain of late."""

    def __init__(self, config: GoalConfig, places: int) -> None:
        self.config = config
        self.always = np.zeros((config.cues, places), np.float32)  #: worth wherever the last episode ended
        self.after = np.zeros((config.cues, places, places), np.float32)  #: more, if it ended at the first
        self.ended = np.zeros(places, np.float32)  #: where the last one ended, a unit vector; 0 before
        self.visited = np.zeros(places, np.float32)  #: s
        self.here = np.zeros(places, np.float32)  #: how much each cell stands for the present place, 0 to 1
        self.cue = 0

    def reset(self) -> None:
        """Begin a trial: the robot is nowhere yet."""
        self.here[:] = 0.0
        self.cue = 0

    def advance(self, activity: Floats, cue: int, learning: bool) -> None:
        """Live a control period with place cells at `activity` (places,), Hz, under `cue`.

        Raises ValueError for a cue that there are no synapses for.
        """
        if not 0 <= cue < self.config.cues:
            raise ValueError(f"cue must be in 0..{self.config.cues - 1} (goals.cues), got {cue}")
        self.cue = cue
        most = float(activity.max(initial=0.0))
        leading = activity / max(most, 1e-6) if most > self.config.quiet else np.zeros_like(activity)
        # Cells at the flank of their field say little of where the robot is.
        self.here[:] = np.maximum(2.0 * leading - 1.0, 0.0)
        focus = self.config.focus
        self.visited *= np.float32(np.exp(-PERIOD / self.config.searched))
        self.visited += np.float32(PERIOD) * np.maximum((leading - focus) / (1.0 - focus), 0.0)
        if learning:
            lost = 1.0 - np.exp(-PERIOD * self.here / np.float32(self.config.extinction))
            self._learn(-lost * np.maximum(self.worth, 0.0))

    def obstruct(self, places: NDArray[np.intp], seconds: float) -> None:
        """Take `places`, numbers of cells, as searched for `seconds`: something stands before them."""
        self.visited[places] += np.float32(seconds)

    def reward(self, r: float, terminated: bool, around: Floats, learning: bool = True) -> None:
        """Take what came of being where the fields of `around` (places,) lie: see `PlaceCells.around`.

        That is reward `r`, or, where it is 0, the end of the episode without one.
        """
        if learning:
            if r > 0.0:
                self.visited[:] = 0.0
            target = np.float32(r if r != 0.0 else -self.config.disappointment)
            self._learn(np.float32(self.config.rate) * around * (target - self.worth))
        size = float(np.linalg.norm(around))
        if terminated and size > 0.0:
            self.ended[:] = around / np.float32(size)

    @property
    def worth(self) -> Floats:
        """Worth (places,) of each place now."""
        came_from = np.flatnonzero(self.ended > FAINT)
        return np.asarray(self.always[self.cue] + self.ended[came_from] @ self.after[self.cue][came_from])

    @property
    def wanted(self) -> Floats:
        """Worth (places,) of going to each place now; 0 everywhere when there is no goal."""
        worth = self.worth
        enough = max(self.config.least, self.config.rival * float(worth.max(initial=0.0)))
        return np.where(worth >= enough, worth, np.float32(0.0))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that last."""
        return {
            "always": self.always,
            "after": self.after,
            "ended": self.ended,
            "visited": self.visited,
        }

    def _learn(self, change: Floats) -> None:
        """Change the worth of places by `change` (places,)."""
        came_from, places = np.flatnonzero(self.ended > FAINT), np.flatnonzero(np.abs(change) > FAINT**2)
        share = np.float32(self.config.context if len(came_from) else 0.0)
        self.always[self.cue] += (1.0 - share) * change
        block = np.ix_(came_from, places)
        self.after[self.cue][block] += share * np.outer(self.ended[came_from], change[places])


def cue_of(observation: Mapping[str, Any]) -> int:
    """Return which cue is given: 0 for none, else 1 + the index of the largest entry of `cue` (cues,)."""
    cue = np.asarray(observation.get("cue", ()))
    return 1 + int(np.argmax(cue)) if cue.size and cue.max() > 0 else 0
