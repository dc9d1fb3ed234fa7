"""What the landmark memory is made of, for halls and for boxes."""

from __future__ import annotations

from dataclasses import dataclass, field

from .attractor import AttractorNeurons
from .grid import GridConfig
from .heading import HeadingConfig
from .landmark_cells import LandmarkCellConfig
from .reliability import NoiseConfig

#: Scales of 0.9 to 3.7 m; together they tell places apart over far more than 12 m.
HALL = GridConfig(smallest_scale=0.9, scale_ratio=1.6, neurons=AttractorNeurons(tau_readout=0.050))
#: Scales of 0.6 to 1.7 m, as the agent's own: what a sheet's noise is in m grows with its scale.
BOX = GridConfig(neurons=AttractorNeurons(tau_readout=0.050))
BOX_EXTENT = 2.2  #: m from the start up to which a drive is in a box


@dataclass(frozen=True, slots=True)
class LandmarkMemoryConfig:
    """Ring, sheets, landmark cells, and how sightings are taken."""

    #: A wider bump of more cells, read more slowly than the agent's in its box: five times less noise,
    #: because landmarks seen metres away turn 0.01 rad into centimetres.
    heading: HeadingConfig = field(
        default_factory=lambda: HeadingConfig(
            phases=720, concentration=2.0, neurons=AttractorNeurons(noise=0.015, tau_readout=0.050)
        )
    )
    grid: GridConfig = field(default_factory=lambda: HALL)
    cells: LandmarkCellConfig = field(default_factory=LandmarkCellConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    pull_periods: int = 4  #: control periods for which a burst lasts
    settle_periods: int = 1  #: periods a bump is left alone before the next
    ring_reach: float = 0.3  #: rad within which the ring is pulled; farther off it is set anew
    sheet_reach: float = 0.13  #: the same for sheets, periods
    full: float = 0.55  #: largest share that a pull closes
    snap_current: float = 6.0  #: of the cue that sets a bump anew
    snap_periods: int = 9
    feedback: float = 0.1  #: current by which the place that is read holds the sheets in register
    odd: int = 6  #: sightings in a row of a landmark that are not believed before its place is given up

    def __post_init__(self) -> None:
        for name in ("pull_periods", "snap_periods", "odd"):
            if getattr(self, name) < 1:
                raise ValueError(f"landmark memory {name} must be >= 1, got {getattr(self, name)}")
        if not 0.0 < self.full < 1.0:
            raise ValueError(f"landmark memory full must lie in (0, 1), got {self.full}")

    @classmethod
    def for_extent(cls, metres: float) -> LandmarkMemoryConfig:
        """Return the configuration for drives that go up to so many m away from where they start."""
        return cls(grid=HALL if metres > BOX_EXTENT else BOX)
