"""The topics on which a robot and an agent meet, and what is said on `/episode`."""

from __future__ import annotations

from typing import Literal

import msgspec

#: name -> type, all that a robot may publish; only the first is needed
ODOMETRY, IMU, EVENTS = "/odom", "/imu", "/camera/events"
BUMPS, CUE, REWARD, EPISODE = "/bumps", "/cue", "/reward", "/episode"
COMMAND, READY = "/cmd_vel", "/ready"
TYPES = {
    ODOMETRY: "nav_msgs/msg/Odometry",  #: twist: forward speed and turn rate of the wheels
    IMU: "sensor_msgs/msg/Imu",  #: angular_velocity.z
    EVENTS: "tolman_msgs/msg/EventPacket",
    BUMPS: "std_msgs/msg/UInt8MultiArray",  #: 8 sectors, the first ahead, counter-clockwise
    CUE: "std_msgs/msg/Float32MultiArray",  #: one number for each cue of the task
    REWARD: "std_msgs/msg/Float32",  #: added to the period in which it comes
    EPISODE: "std_msgs/msg/String",  #: `EpisodeText` as JSON, latched
    COMMAND: "geometry_msgs/msg/Twist",
    READY: "std_msgs/msg/UInt32",  #: from the agent: the episode that may begin
}


class EpisodeText(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a robot, or a world, says about episodes. Robots without episodes say nothing.

    Attributes
    ----------
    state
        `waiting` and `ended`: the next episode begins when the agent is ready; `running`.
    episode
        Number of the episode; `waiting`: of the one to come.
    start_ns
        Stamp of the first reading, at which the times of events count from 0; `None`: they are on the
        clock of the stamps, or on any other that runs as fast.
    lockstep
        The world waits for one command after each period.
    topics
        What is published once every period without exception: the agent waits for it.
    steps
        `ended`: periods driven, each with its reward.
    terminated
        `ended`: by reaching what the task is about, and not cut off.
    last
        `ended`: no episode follows.
    """

    state: Literal["waiting", "running", "ended"]
    episode: int = 1
    start_ns: int | None = None
    lockstep: bool = False
    topics: tuple[str, ...] = ()
    steps: int | None = None
    terminated: bool = False
    last: bool = False


def to_json(text: EpisodeText) -> str:
    """Return the text of a message on `/episode`."""
    return msgspec.json.encode(text).decode()


def from_json(data: str) -> EpisodeText:
    """Read a message on `/episode`.

    Raises
    ------
    ValueError
        If it is not one.
    """
    return msgspec.json.decode(data, type=EpisodeText)
