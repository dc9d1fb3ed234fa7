"""The agent's configuration: one frozen record of records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..memory.config import MemoryConfig
from .actor_critic import ActorCriticConfig
from .frontier import FrontierConfig
from .goals import GoalConfig
from .guidance import GuidanceConfig
from .looming import LoomingConfig
from .motor import MotorConfig
from .perception import PerceptionConfig
from .reflex import ReflexConfig
from .replay import ReplayConfig


@dataclass(frozen=True, slots=True)
class NavigatorConfig:
    """Everything that can be chosen about an agent."""

    learning: bool = True  #: whether critic and actor learn; the map is learned either way
    third_factor: Literal["td", "reward"] = (
        "td"  #: dopamine: the temporal-difference error, or reward as it comes
    )
    same_camera: bool = True  #: refuse what was learned through a camera with other pixels or another view
    gyro_share: float = (
        0.95  #: of the turn rate; the rest comes from the wheels, which are not trusted in contact
    )
    consummation: float = (
        1.5  #: s after the goal during which place cells are silent and synapses go on changing
    )
    mismatch: float = 0.0  #: coefficient of variation, over neurons, of what `mismatch` names
    device: int = 0  #: which neurons the mismatch draws
    perception: PerceptionConfig = field(default_factory=PerceptionConfig)
    memory: MemoryConfig = field(default_factory=MemoryConfig)
    actor_critic: ActorCriticConfig = field(default_factory=ActorCriticConfig)
    replay: ReplayConfig = field(default_factory=ReplayConfig)
    goals: GoalConfig = field(default_factory=GoalConfig)
    frontier: FrontierConfig = field(default_factory=FrontierConfig)
    guidance: GuidanceConfig = field(default_factory=GuidanceConfig)
    reflex: ReflexConfig = field(default_factory=ReflexConfig)
    looming: LoomingConfig = field(default_factory=LoomingConfig)
    motor: MotorConfig = field(default_factory=MotorConfig)

    def __post_init__(self) -> None:
        if self.third_factor not in ("td", "reward"):
            raise ValueError(f"third_factor must be 'td' or 'reward', got {self.third_factor!r}")
        if not 0.0 <= self.gyro_share <= 1.0:
            raise ValueError(f"gyro_share must be in [0, 1], got {self.gyro_share}")
        if self.consummation < 0.0:
            raise ValueError(f"consummation must be >= 0 s, got {self.consummation}")
        if self.mismatch < 0.0 or self.device < 0:
            raise ValueError(f"mismatch and device must be >= 0, got {self.mismatch}, {self.device}")
        if self.perception.azimuth_bins != self.memory.view_bins:
            raise ValueError(
                "perception.azimuth_bins and memory.view_bins must be equal, "
                f"got {self.perception.azimuth_bins} and {self.memory.view_bins}"
            )
