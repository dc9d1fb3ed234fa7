"""Other rules for the actor's synapses than TD-LTP: those of the substrate, without a critic or beside it.

    rstdp       Izhikevich 2007: dw/dt = eta c d, c the eligibility of STDP pairs, d dopamine from reward
    hedonistic  Seung 2003: release with probability p = 1 / (1 + exp(-q)), dq/dt = eta e d
    both        weight and release probability learn together (Yuan, Wu, Yan & Tang 2019)
    da+ach      Brzosko, Zannone et al. 2017: acetylcholine depresses every pair at once while the robot
                explores, dopamine turns what is left in the eligibility into potentiation

Equations, kernels and state are those of `spiking.plasticity` and `spiking.hedonistic`; here stands what the
actor makes of them. Dopamine of the first three is reward, cleared with its time constant, and the critic
does not learn; that of the last is the agent's, by default the temporal-difference error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..spiking import DenseProjection, Hedonistic, Level, Modulator, RewardSTDP, SequentialSTDP, layout
from ..spiking.addresses import address
from ..spiking.hedonistic import Release
from ..spiking.plasticity import Plasticity
from . import td_ltp

Floats = NDArray[np.float32]
DT = 1e-3

#: What the actor learns by; `da+ach` is td-ltp's actor under two modulators.
ActorRule = Literal["td-ltp", "rstdp", "hedonistic", "both", "da+ach"]


@dataclass(frozen=True, slots=True)
class RewardRulesConfig:
    """Constants of the rules; learning rates were chosen in the actor alone (docs/learning.md)."""

    tau_dopamine: float = 0.2  #: s, clearance; Izhikevich 2007
    #: share by which the reward expected of a trial follows the reward had; 0: dopamine is reward as it is
    mean_rate: float = 0.0
    a_plus: float = 0.05  #: eligibility of a pair pre before post, `rstdp` and `both`
    a_minus: float = 0.02  #: the same for post before pre
    tau_eligibility: float = 1.0  #: s, of pairs and of releases; Izhikevich 2007
    rstdp_rate: float = 8.0  #: learning rate of weights
    release_rate: float = 1.0  #: learning rate of release
    probability: float = 0.5  #: of release at the start
    tau_sequential: float = 2.0  #: s, eligibility of `da+ach`; Zannone et al. 2018
    dopamine_rate: float = 0.01  #: eta_DA of `da+ach`; Zannone et al. 2018
    acetylcholine_rate: float = 0.002  #: eta_ACh of `da+ach`; Zannone et al. 2018

    def __post_init__(self) -> None:
        if not 0.0 <= self.mean_rate <= 1.0:
            raise ValueError(f"rules mean_rate must be in [0, 1], got {self.mean_rate}")
        for name in ("rstdp_rate", "release_rate", "dopamine_rate", "acetylcholine_rate"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"rules {name} must be >= 0, got {getattr(self, name)}")
        Modulator(self.tau_dopamine)
        self.pairs(0.0, 1.0)
        self.release()
        self.sequential(0.0, 1.0)

    def pairs(self, low: float, high: float) -> RewardSTDP:
        """Return the rule of weights in [low, high] of `rstdp` and `both`."""
        return RewardSTDP(
            self.a_plus, self.a_minus, tau_eligibility=self.tau_eligibility, learning_rate=self.rstdp_rate,
            low=low, high=high,
        )  # fmt: skip

    def release(self) -> Hedonistic:
        """Return the rule of release of `hedonistic` and `both`."""
        return Hedonistic(self.probability, self.tau_eligibility, self.release_rate)

    def sequential(self, low: float, high: float) -> SequentialSTDP:
        """Return the rule of weights in [low, high] of `da+ach`."""
        return SequentialSTDP(
            tau_eligibility=self.tau_sequential, dopamine_rate=self.dopamine_rate,
            acetylcholine_rate=self.acetylcholine_rate, low=low, high=high,
        )  # fmt: skip


class ActorSynapses:
    """Synapses of `places` onto `actors` that learn by `rule`; weights begin at `start` and stay in `bounds`.

    What is learned within a run of the kernel is felt from the next one on. Where release is by chance,
    weights and bounds are larger by as much as releases are fewer.
    """

    def __init__(
        self,
        config: RewardRulesConfig,
        rule: ActorRule,
        places: int,
        actors: int,
        start: float,
        bounds: tuple[float, float],
        seed: int,
    ) -> None:
        self.config, self.rule = config, rule
        releases = rule in ("hedonistic", "both")
        scale = 1.0 / config.probability if releases else 1.0
        low, high = (scale * bound for bound in bounds)
        self.weights: Floats = np.full((places, actors), scale * start, np.float32)
        projection = DenseProjection(self.weights)
        self.plasticity: Plasticity | None = None
        if rule != "hedonistic":
            pairing = config.sequential(low, high) if rule == "da+ach" else config.pairs(low, high)
            self.plasticity = Plasticity(pairing, projection, self.weights, 1, DT)
        self.release: Release | None = None
        if releases:
            self.release = Release(config.release(), projection, 1, np.float32, DT, seed, "actor release")
        self.dopamine = Level("dopamine", Modulator(config.tau_dopamine), DT, 1)
        self._reward = np.zeros(2)  # expected of a trial, and had in this one
        self._ring = np.zeros((1, actors), np.float32)
        row = np.zeros(layout.PROJECTION_COLUMNS, np.int64)
        row[layout.J_KIND], row[layout.J_SYNAPSES] = layout.DENSE, self.weights.size
        row[layout.J_PRE_SIZE], row[layout.J_POST_SIZE] = places, actors
        row[layout.J_WEIGHTS] = address(self.weights)
        row[layout.J_RING], row[layout.J_LONGEST] = address(self._ring), 1
        if self.plasticity is not None:
            row[layout.J_RULE], row[layout.J_RECORD] = 1, self.plasticity.describe()
        if self.release is not None:
            row[layout.J_CHANCE] = self.release.describe()
        self.compiled = td_ltp.Substrate(
            row, self.weights, self.dopamine.arrays()["rows"], int(rule == "da+ach"), np.zeros(2)
        )
        self.reset()

    def begin(self, reward: float, learning: bool) -> None:
        """Before a run of the kernel: take the `reward` that arrives with it."""
        self.compiled.signals[1] = float(learning)
        if reward != 0.0:
            self.dopamine.release(reward - self._reward[0])
            self._reward[1] += reward if learning else 0.0
            self.compiled.signals[0] = 0.0  # what dopamine says, acetylcholine does not talk over

    def settle(self) -> None:
        """Bring weights and release probabilities up to date."""
        if self.plasticity is not None:
            self.plasticity.settle()
        if self.release is not None:
            self.release.settle()

    def reset(self) -> None:
        """Forget what lasts less than a trial, and take its reward into what is expected of the next."""
        for part in (self.plasticity, self.release):
            if part is not None:
                part.clear()
        expected, had = self._reward
        self._reward[:] = expected + self.config.mean_rate * (had - expected), 0.0
        self.dopamine.clear()
        self.compiled.signals[:] = 1.0  # exploring: acetylcholine is there until a reward comes

    def reseed(self, seed: int) -> None:
        """Draw releases from the stream of `seed` from now on."""
        if self.release is not None:
            self.release.reseed(seed)
            self.release.describe()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the live arrays that last from one trial to the next."""
        own: dict[str, NDArray[Any]] = {"actor weights": self.weights, "actor reward": self._reward}
        if self.release is not None:
            own["release drive"] = self.release.arrays()["release drive"]
        return own
