"""What the spatial memory is made of, and how recalls correct it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..spiking.checks import require_positive
from .ca3 import CA3Config
from .conflict_race import RaceConfig
from .grid import GridConfig
from .heading import HeadingConfig
from .place import PlaceConfig
from .pose_graph import PoseGraphConfig
from .sharp_wave import SharpWaveConfig
from .travels import TravelConfig

PERIOD = 0.040  #: s, control period
STEPS = 40  #: neuron steps in a control period
RELAX_PERIODS = 4  #: last periods of a snap, in which the cue fades and new bumps take their own shape


@dataclass(frozen=True, slots=True)
class CorrectionConfig:
    """When a recall is believed, and how hard it pulls."""

    enabled: bool = True
    theta_periods: int = 3  #: control periods in a theta cycle
    tau_view: float = 0.150  #: s over which view spikes make a cue
    view_lag: float = 0.010  #: s by which view cells' spikes trail what they see
    accept: float = 0.60  #: similarity of the view at which a recall is believed
    ripen: float = (
        12.0  #: s before a memory may correct: a younger one only tells what path integration knows
    )
    near: float = 0.45  #: similarity of the place at which a memory is nearby
    here: float = 0.60  #: the same, at which what is seen must resemble it; farther off it often does not
    offsets: int = 4  #: headings tried on each side, in bins of the view's frame
    heading_pull: float = 0.1  #: current of the heading cue of a robot that is finding itself again
    grid_pull: float = 0.2  #: current of the place cue then
    map_heading_pull: float = 0.2  #: current of the heading cue of a robot that knows its map
    map_grid_pull: float = 0.4  #: current of the place cue then
    heading_lead: float = 0.08  #: s by which a bump that follows a cue trails it
    grid_lead: float = 0.05  #: s, the same for the sheets
    relaxed: bool = True  #: whether past places are relaxed (`pose_graph`) and tell where the robot is
    shift: float = 0.015  #: m by which a memory's place moves before its synapses follow
    settle_heading: float = 1.5  #: current added to the heading cue just after the robot found itself
    settle_grid: float = 0.6  #: current added to the place cue then
    settle: float = 0.94  #: share of the uncertainty that every believed recall leaves
    sure: float = 0.10  #: uncertainty below which new memories are stored
    store_below: float = 0.80  #: store when no memory's place resembles the present one more than this
    view_below: float = 0.50  #: also store when the place is known but no view of it resembles this one
    fresh: float = (
        6.0  #: s since a believed recall within which the position is good enough to store a new view
    )
    telling: float = 0.62  #: similarity of the view from which on a recall is evidence for a lost robot
    plain: float = 0.73  #: similarity at which it is evidence of 1
    leak: float = 0.05  #: share of the evidence lost from one recall to the next
    bound: float = 1.5  #: evidence at which a candidate is believed
    most: float = 5.0  #: evidence that is kept: how long what was true holds off what is
    same_heading: float = (
        0.3  #: rad by which a recall may put the robot's heading off without saying elsewhere
    )
    same_place: float = 0.3  #: m, likewise of its place
    unsure: float = 1.5  #: times both, for a robot that has just found itself
    lead: float = 1.0  #: by which it must exceed its rivals
    stubborn: float = 2.27  #: times the bound for a robot that believes it knows where it is
    doubt: float = 0.36  #: s in a known place without recognising it, after which the robot looks elsewhere
    unfamiliar: float = 15.0  #: evidence for being nowhere known at which a lost robot begins another map
    wary: float = 1.2  #: times that for a robot that believes it knows where it is
    tau_familiar: float = 10.0  #: s over which a place must look like what is remembered of it
    familiar: float = 0.80  #: similarity that a robot starts from that has found itself
    strange: float = 0.68  #: mean similarity below which it is another place; known ones have 0.86 to 0.92
    again: float = 60.0  #: s since a pose was given up as strange within which the next one means another map
    snap_periods: int = 5  #: control periods for which a lost robot's ring and sheets are set
    snap_pull: float = 3.0  #: current of the cue that sets them

    def __post_init__(self) -> None:
        for name in ("theta_periods", "snap_periods"):
            if getattr(self, name) < 1:
                raise ValueError(f"correction {name} must be >= 1, got {getattr(self, name)}")
        require_positive("correction", self, "tau_view", "tau_familiar")
        if self.plain <= self.telling:
            raise ValueError(f"correction plain must be > telling {self.telling}, got {self.plain}")


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """All parts of the spatial memory."""

    heading: HeadingConfig = field(default_factory=HeadingConfig)
    grid: GridConfig = field(default_factory=GridConfig)
    place: PlaceConfig = field(default_factory=PlaceConfig)
    ca3: CA3Config = field(default_factory=CA3Config)
    correction: CorrectionConfig = field(default_factory=CorrectionConfig)
    #: congruent and opposite cells that judge recalls against path integration; `None`: evidence alone does
    conflict: RaceConfig | None = None
    pose_graph: PoseGraphConfig = field(default_factory=PoseGraphConfig)
    travels: TravelConfig = field(default_factory=TravelConfig)
    sharp_wave: SharpWaveConfig = field(default_factory=SharpWaveConfig)
    maps: int = 8  #: of different places, at most; 1: whatever is unfamiliar is taken for the known place
    view_bins: int = 72  #: directions of the map's frame
    experience: float = 600.0  #: s of movement kept for replay
    moving: float = 0.1  #: m/s from which on a period is kept

    def __post_init__(self) -> None:
        if self.maps < 1:
            raise ValueError(f"memory maps must be >= 1, got {self.maps}")
        if self.view_bins < 8:
            raise ValueError(f"memory view_bins must be >= 8, got {self.view_bins}")
        if self.experience < PERIOD:
            raise ValueError(f"memory experience must be >= {PERIOD} s, got {self.experience}")
