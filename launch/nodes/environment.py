"""A task of tolman as a node: a robot with wheels, gyro, bumper and event camera, to be driven by anybody."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from ...envs.robot import integrate_twist
from ..episode import CONTROL_PERIOD
from ..frames import Pose
from .periods import PERIOD_NS
from .ros import LATCHED, PERIODIC, S_TO_NS, Context, Node, message, sequence, set_time
from .topics import (
    BUMPS,
    COMMAND,
    CUE,
    EPISODE,
    EVENTS,
    IMU,
    ODOMETRY,
    READY,
    REWARD,
    TYPES,
    EpisodeText,
    to_json,
)
from .world import Outcome, World

Mode = Literal["lockstep", "real-time"]
CLOCK, TRUE_POSE, ARENA = "/clock", "/true_pose", "/arena"
_OWN = {
    CLOCK: "rosgraph_msgs/msg/Clock",
    TRUE_POSE: "geometry_msgs/msg/PoseStamped",
    ARENA: "std_msgs/msg/String",
}
_WITH_CUE = "cue"


class EnvironmentNode(Node):
    """Publishes what the robot of `world` perceives, and takes `/cmd_vel`.

    Parameters
    ----------
    world
        Episodes; the node does not close it.
    mode
        `lockstep`: one period for each command, however long that takes. `real-time`: one period each
        0.04 s of the wall clock, with the last command.
    command_timeout
        s after which, in real time, the robot stops unless a command came.
    """

    def __init__(
        self,
        world: World,
        mode: Mode = "lockstep",
        *,
        command_timeout: float = 0.5,
        name: str = "environment",
        context: Context | None = None,
    ) -> None:
        super().__init__(name, context=context)
        self.finished = False  #: whether the last episode is over
        self._world, self._mode = world, mode
        self._timeout = round(command_timeout * S_TO_NS)
        self._steered = np.zeros(2, np.float32)
        self._steered_at = -1  # ns of the wall clock; -1 before the first command of an episode
        self._stamp = self._start = 0
        self._reckoned = np.zeros(3)
        self._map_origin: list[float] = []
        self._running = False
        self._topics = [ODOMETRY, IMU, EVENTS, BUMPS, REWARD]
        if world.cued:
            self._topics.append(CUE)
        latched = {EPISODE: TYPES[EPISODE], ARENA: _OWN[ARENA]}
        periodic = {name: TYPES[name] for name in self._topics} | {n: _OWN[n] for n in (CLOCK, TRUE_POSE)}
        self._types = {name: message(kind) for name, kind in (latched | periodic).items()}
        self._outlets = {
            name: self.create_publisher(self._types[name], name, LATCHED if name in latched else PERIODIC)
            for name in self._types
        }
        self.create_subscription(message(TYPES[COMMAND]), COMMAND, self._take_command, PERIODIC)
        self.create_subscription(message(TYPES[READY]), READY, self._take_ready, PERIODIC)
        self._tell(EpisodeText("waiting", world.episode, self._start, mode == "lockstep"))
        if mode == "real-time":
            self.create_timer(CONTROL_PERIOD, self._tick)

    def _take_ready(self, read: Any) -> None:
        """Begin the episode that an agent is ready for, once that agent hears us."""
        heard = all(self._outlets[name].get_subscription_count() for name in self._topics)
        if not self._running and not self.finished and read.data == self._world.episode and heard:
            self._begin()

    def _take_command(self, read: Any) -> None:
        command = np.array([read.linear.x, read.angular.z], np.float32)
        if not np.isfinite(command).all():
            self.get_logger().warning(f"{COMMAND} is not finite; taken for standing still")
            command[:] = 0.0
        if not self._running:
            # Who drives without knowing of episodes is ready when it drives.
            if not self.finished and not self.count_publishers(READY):
                self._begin()
            return
        if self._mode == "lockstep":
            self._drive(command)
        else:
            self._steered, self._steered_at = command, self.get_clock().now().nanoseconds

    def _tick(self) -> None:
        if not self._running:
            return
        late = self._steered_at < 0 or self.get_clock().now().nanoseconds - self._steered_at > self._timeout
        self._drive(np.zeros(2, np.float32) if late else self._steered)

    def _begin(self) -> None:
        world = self._world
        observation, pose = world.begin()
        self._running = True
        self._steered_at = -1
        self._reckoned = np.zeros(3)
        self._stamp = self._start
        self._tell(
            EpisodeText("running", world.episode, self._start, self._mode == "lockstep", tuple(self._topics))
        )
        self._send_arena(pose)
        self._send(observation, pose)

    def _drive(self, command: Any) -> None:
        outcome = self._world.step(command)
        self._stamp += PERIOD_NS
        set_time(self, self._stamp)
        self._publish(REWARD, data=outcome.reward)
        if outcome.terminated or outcome.truncated:
            self._end(outcome)
        else:
            self._send(outcome.observation, outcome.pose)

    def _end(self, outcome: Outcome) -> None:
        world = self._world
        self._running = False
        self.finished = world.last
        self.get_logger().info(world.report())
        self._start = self._stamp + PERIOD_NS
        self._tell(
            EpisodeText(
                "ended",
                world.episode,
                self._start,
                self._mode == "lockstep",
                steps=world.steps,
                terminated=outcome.terminated,
                last=world.last,
            )
        )
        if not self.finished:
            world.advance()

    def _send(self, observation: Mapping[str, Any], pose: Pose) -> None:
        """Publish what the robot perceives at the present stamp; the clock comes last."""
        set_time(self, self._stamp)
        self._send_odometry(observation["odometry"])
        imu = self._types[IMU]()
        self._head(imu, "base_link")
        imu.angular_velocity.z = float(observation["gyro"][0])
        imu.orientation_covariance[0] = imu.linear_acceleration_covariance[0] = -1.0  # not measured
        self._outlets[IMU].publish(imu)
        events, packet = observation["events"], self._types[EVENTS]()
        self._head(packet, "camera")
        packet.width, packet.height = self._world.camera
        for name, dtype in (("t", "int64"), ("x", "int16"), ("y", "int16"), ("p", "uint8")):
            setattr(packet, name, sequence(events[name], dtype))
        self._outlets[EVENTS].publish(packet)
        self._publish(BUMPS, data=sequence(observation["bump"], "uint8"))
        if CUE in self._outlets:
            cue = observation.get(_WITH_CUE, np.zeros(0, np.float32))  # habituation has none
            self._publish(CUE, data=sequence(cue, "float32"))
        true = self._types[TRUE_POSE]()
        self._head(true, "world")
        _set_pose(true.pose, pose)
        self._outlets[TRUE_POSE].publish(true)
        clock = self._types[CLOCK]()
        clock.clock.sec, clock.clock.nanosec = divmod(self._stamp, S_TO_NS)
        self._outlets[CLOCK].publish(clock)

    def _send_odometry(self, measured: Any) -> None:
        """Publish the twist that the wheels measured, and the pose that follows from it alone."""
        speed, turning = (float(value) for value in measured)
        self._reckoned = integrate_twist(self._reckoned, speed, turning, CONTROL_PERIOD)
        odometry = self._types[ODOMETRY]()
        self._head(odometry, "odom")
        odometry.child_frame_id = "base_link"
        odometry.twist.twist.linear.x, odometry.twist.twist.angular.z = speed, turning
        _set_pose(odometry.pose.pose, self._reckoned)
        self._outlets[ODOMETRY].publish(odometry)

    def _send_arena(self, pose: Pose) -> None:
        """Tell viewers the arena, the goal, and where the first map of an agent has its origin."""
        scene = self._world.scene
        goal = scene["goal"]
        if self._world.first:
            self._map_origin = [float(value) for value in pose]
        arena = {
            "walls": [[[x0, y0], [x1, y1]] for x0, y0, x1, y1 in scene["walls"]],
            "goal": None if goal is None else [float(value) for value in goal],
            "goal_radius": scene["goal_radius"],
            "map_origin": self._map_origin,
        }
        self._publish(ARENA, data=json.dumps(arena))

    def _tell(self, text: EpisodeText) -> None:
        self._publish(EPISODE, data=to_json(text))

    def _publish(self, topic: str, **fields: Any) -> None:
        self._outlets[topic].publish(self._types[topic](**fields))

    def _head(self, read: Any, frame: str) -> None:
        read.header.frame_id = frame
        read.header.stamp.sec, read.header.stamp.nanosec = divmod(self._stamp, S_TO_NS)


def _set_pose(into: Any, pose: Pose) -> None:
    x, y, heading = (float(value) for value in pose)
    into.position.x, into.position.y = x, y
    into.orientation.z, into.orientation.w = math.sin(heading / 2), math.cos(heading / 2)
