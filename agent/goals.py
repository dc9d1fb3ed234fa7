"""What places are worth: where reward was found is remembered at once, where it failed to come is forgotten.

Synapses from place cells to a value signal follow the delta rule (Rescorla & Wagner 1972): a reward r takes
the worth of the place to r in one trial, as hippocampal one-trial place learning does (Steele & Morris 1999);
time spent near it without reward lets it fade, and a reward elsewhere displaces it. Separate synapses for
each cue that a task may give: what is worth going for depends on what is wanted.

It may also depend on where the last episode ended, as CA1 cells fire by where a rat comes from (Wood et al.
2000, Neuron 27:623). Like context in conditioning (Bouton 1993, Psychological Bulletin 114:80), this counts
once a place has become ambiguous: when an episode ends without reward where one was expected, errors are put
down to synapses that need the place come from as well, and to those that do not by what is left.

Places near which the robot has been without finding anything are known to be searched, for what was asked for
then, until it is found or time passes. What it passed while it got to know the place was not searched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..memory.config import PERIOD

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
FAINT = 1e-3  #: share of a place below which it is left alone


@dataclass(frozen=True, slots=True)
class GoalConfig:
    """How fast worth is learned and lost."""

    enabled: bool = True
    rate: float = 1.0  #: share of the error that one reward corrects
    width: float = 0.1  #: m around a reward within which places are worth it
    failed: float = 0.3  #: m around the end of an episode without reward that are not tried again
    extinction: float = 4.0  #: s at a place without reward that leave 1/e of its worth
    disappointment: float = 0.5  #: worth, below 0, of a place that ends an episode without reward
    context: float = 0.8  #: most of an error that is put down to where the last episode ended
    ambiguity: float = 1.0  #: how far one end without a reward that was expected takes it there
    displaced: float = 0.75  #: share of the worth of other places that is lost where reward is found
    apart: float = 0.3  #: m: what lies within that is not elsewhere
    least: float = 0.1  #: worth from which on a place is a goal
    rival: float = 0.5  #: of the most worth, below which a place is no goal beside better ones
    cues: int = 4  #: cues a task may give, none included
    searched: float = 120.0  #: s after which 1/e of what is known of a search is left

    def __post_init__(self) -> None:
        if not 0.0 < self.rate <= 1.0:
            raise ValueError(f"goals rate must be in (0, 1], got {self.rate}")
        for name, unit in (
            ("extinction", "s"),
            ("searched", "s"),
            ("width", "m"),
            ("failed", "m"),
            ("apart", "m"),
        ):
            if getattr(self, name) <= 0.0:
                raise ValueError(f"goals {name} must be > 0 {unit}, got {getattr(self, name)}")
        for name in ("context", "ambiguity", "displaced", "rival"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"goals {name} must be in [0, 1], got {getattr(self, name)}")
        if self.cues < 1:
            raise ValueError(f"goals cues must be >= 1, got {self.cues}")


class Goals:
    """Worth of `places` place cells, and how long each was visited in vain of late, both under each cue."""

    def __init__(self, config: GoalConfig, places: int) -> None:
        self.config = config
        self.always = np.zeros((config.cues, places), np.float32)  #: worth wherever the last episode ended
        self.after = np.zeros((config.cues, places, places), np.float32)  #: more, if it ended at the first
        self.ambiguous = np.zeros(config.cues, np.float32)  #: how much it matters where one came from, 0 to 1
        self.ended = np.zeros(places, np.float32)  #: where the last one ended, a unit vector; 0 before
        self.visits = np.zeros((config.cues, places), np.float32)  #: s
        self.cue = 0

    def reset(self) -> None:
        """Begin a trial: nothing is asked for yet."""
        self.cue = 0

    def advance(self, around: Floats, cue: int, learning: bool, searching: bool = True) -> None:
        """Live a control period under `cue` where the fields of `around` (places,) lie.

        `around` is of `PlaceCells.around`; zeros for a robot that does not know where it is. What is passed
        while it is not `searching` was not searched. Raises ValueError for a cue without synapses.
        """
        if not 0 <= cue < self.config.cues:
            raise ValueError(f"cue must be in 0..{self.config.cues - 1} (goals.cues), got {cue}")
        self.cue = cue
        self.visits *= np.float32(np.exp(-PERIOD / self.config.searched))
        if searching:
            self.visited[:] += np.float32(PERIOD) * around
        if learning:
            lost = 1.0 - np.exp(-PERIOD * around / np.float32(self.config.extinction))
            self._learn(-lost * np.maximum(self.worth, 0.0))

    def obstruct(self, places: NDArray[np.intp], seconds: float) -> None:
        """Take `places`, numbers of cells, as searched for `seconds`: something stands before them."""
        self.visits[:, places] += np.float32(seconds)

    def reward(
        self, r: float, terminated: bool, around: Floats, learning: bool = True, on_map: Bools | None = None
    ) -> None:
        """Take what came of being where the fields of `around` (places,) lie: see `PlaceCells.around`.

        That is reward `r`, or, where it is 0, the end of the episode without one. Goals elsewhere are
        displaced among the places `on_map` (places,) of the map in use (default: all), and only by a robot
        that knows where it is.
        """
        if learning:
            if r > 0.0:
                self.visited[:] = 0.0
            self._meet(r, terminated, around, on_map)
        size = float(np.linalg.norm(around))
        if terminated and size > 0.0:
            self.ended[:] = around / np.float32(size)

    def _meet(self, r: float, terminated: bool, around: Floats, on_map: Bools | None) -> None:
        """Learn from what the fields of `around` (places,) brought."""
        config, worth = self.config, self.worth
        if r <= 0.0:
            expected = np.clip(np.max(around * worth, initial=0.0), 0.0, 1.0)
            self.ambiguous[self.cue] += config.ambiguity * expected * (1.0 - self.ambiguous[self.cue])
        target = np.float32(r if r != 0.0 else -config.disappointment)
        change = np.float32(config.rate) * around * (target - worth)
        if r > 0.0 and terminated and around.any():
            # Places near by stay: what is known of the goal's place is a mean over trials.
            nearby = around ** np.float32((config.width / config.apart) ** 2)
            lost = np.float32(config.displaced) * (1.0 - nearby) * np.maximum(worth, 0.0)
            change -= lost if on_map is None else lost * on_map
        self._learn(change)

    @property
    def visited(self) -> Floats:
        """Seconds (places,) spent of late at each place in vain under the present cue; the live array."""
        return np.asarray(self.visits[self.cue])

    @property
    def worth(self) -> Floats:
        """Worth (places,) of each place now."""
        came_from = np.flatnonzero(self.ended > FAINT)
        return np.asarray(self.always[self.cue] + self.ended[came_from] @ self.after[self.cue][came_from])

    @property
    def wanted(self) -> Floats:
        """Worth (places,) of going to each place now; 0 everywhere when there is no goal."""
        return self.wanted_among(np.ones(self.ended.size, np.bool_))

    def wanted_among(self, places: Bools) -> Floats:
        """Return the same for a robot that can only get to `places` (places,); 0 for the others."""
        worth = self.worth * places
        enough = max(self.config.least, self.config.rival * float(worth.max(initial=0.0)))
        return np.where(worth >= enough, worth, np.float32(0.0))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that last."""
        return {
            "always": self.always,
            "after": self.after,
            "ambiguous": self.ambiguous,
            "ended": self.ended,
            "visits": self.visits,
        }

    def _learn(self, change: Floats) -> None:
        """Change the worth of places by `change` (places,)."""
        came_from, places = np.flatnonzero(self.ended > FAINT), np.flatnonzero(np.abs(change) > FAINT**2)
        share = np.float32(self.config.context * self.ambiguous[self.cue] if len(came_from) else 0.0)
        self.always[self.cue] += (1.0 - share) * change
        block = np.ix_(came_from, places)
        self.after[self.cue][block] += share * np.outer(self.ended[came_from], change[places])


def cue_of(observation: Mapping[str, Any]) -> int:
    """Return which cue is given: 0 for none, else 1 + the index of the largest entry of `cue` (cues,)."""
    cue = np.asarray(observation.get("cue", ()))
    return 1 + int(np.argmax(cue)) if cue.size and cue.max() > 0 else 0
