"""Worlds, robot, sensors and tasks: PyBullet arenas seen through an event camera, as Gymnasium environments.

Importing this package registers the environments, because Gymnasium 1.x no longer loads plugins by itself:
``import tolman.envs`` before ``gymnasium.make("tolman/WaterMaze-v0")``, or
``gymnasium.make("tolman.envs:tolman/WaterMaze-v0")`` in one go.
"""

from .arena import Arena, FloorSpec, Landmark, Pillar, TextureSpec, Wall
from .builders import (
    circular_arena,
    cluttered_arena,
    inner_wall,
    linear_track,
    square_arena,
    with_inner_walls,
)
from .camera import CameraSpec
from .event_camera import EventCamera
from .events import EventPacket
from .lighting import Lamp
from .navigation import NavigationEnv
from .photoreceptor import lin_log
from .presets import SENSORS, sensor_camera, with_sensor
from .registration import register_all
from .sensors import SensorNoise

__all__ = [
    "SENSORS",
    "Arena",
    "CameraSpec",
    "EventCamera",
    "EventPacket",
    "FloorSpec",
    "Lamp",
    "Landmark",
    "NavigationEnv",
    "Pillar",
    "SensorNoise",
    "TextureSpec",
    "Wall",
    "circular_arena",
    "cluttered_arena",
    "inner_wall",
    "lin_log",
    "linear_track",
    "register_all",
    "sensor_camera",
    "square_arena",
    "with_inner_walls",
    "with_sensor",
]

register_all()
