"""Worlds, robot, sensors and tasks: PyBullet arenas seen through an event camera, as Gymnasium environments.

Importing this package registers the environments, because Gymnasium 1.x no longer loads plugins by itself:
``import tolman.envs`` before ``gymnasium.make("tolman/WaterMaze-v0")``, or
``gymnasium.make("tolman.envs:tolman/WaterMaze-v0")`` in one go.
"""

from .arena import (
    Arena,
    FloorSpec,
    Landmark,
    Pillar,
    TextureSpec,
    Wall,
    circular_arena,
    cluttered_arena,
    linear_track,
    square_arena,
)
from .camera import CameraSpec
from .event_camera import EventCamera
from .events import EventPacket
from .navigation import NavigationEnv
from .registration import register_all
from .sensors import SensorNoise

__all__ = [
    "Arena",
    "CameraSpec",
    "EventCamera",
    "EventPacket",
    "FloorSpec",
    "Landmark",
    "NavigationEnv",
    "Pillar",
    "SensorNoise",
    "TextureSpec",
    "Wall",
    "circular_arena",
    "cluttered_arena",
    "linear_track",
    "register_all",
    "square_arena",
]

register_all()
