"""Event-based vision: what is made of events before they become spikes of the memory."""

from .denoise import BackgroundActivityFilter, Denoiser, DenoiserConfig
from .encoding import LogIntensity, MultiSpikeCode, encode, reconstruct
from .landmarks import LandmarkCell, LandmarkConfig
from .looming import FlowConfig, LoomingFlow
from .orientation import OrientationChannels, OrientationConfig, OrientationSpikes, oriented_filters
from .recognizer import Recognizer, RecognizerConfig, Sighting
from .sparse_views import SparseViewConfig, SparseViews
from .time_surface import TimeSurface, TimeSurfaceConfig

__all__ = [
    "BackgroundActivityFilter",
    "Denoiser",
    "DenoiserConfig",
    "FlowConfig",
    "LandmarkCell",
    "LandmarkConfig",
    "LogIntensity",
    "LoomingFlow",
    "MultiSpikeCode",
    "OrientationChannels",
    "OrientationConfig",
    "OrientationSpikes",
    "Recognizer",
    "RecognizerConfig",
    "Sighting",
    "SparseViewConfig",
    "SparseViews",
    "TimeSurface",
    "TimeSurfaceConfig",
    "encode",
    "oriented_filters",
    "reconstruct",
]
