"""The agent as a node: drives any robot that tells its odometry, and takes what else the robot has.

Control periods are cut by the stamps of the messages (`periods`). Episodes are told on `/episode`; a robot
that knows none is driven in one that never ends.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...envs import CameraSpec, EventPacket
from ..agents import Agent
from .periods import GAP, SECTORS, Period, Periods
from .ros import LATCHED, PERIODIC, S_TO_NS, Context, Node, message, set_time
from .state_topics import StateTopics
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
    from_json,
)

TICK = 0.1  #: s between looks at what no message brings about
COUNTED = (BUMPS, CUE, REWARD)  #: without stamps
WARN_EVERY = 5.0  #: s


class AgentNode(Node):
    """Takes `/odom`, `/imu`, `/camera/events`, `/bumps`, `/cue`, `/reward`, `/episode`; publishes `/cmd_vel`.

    Parameters
    ----------
    agent
        Not yet reset.
    camera
        That the agent was built for; packets of another are refused.
    """

    def __init__(
        self, agent: Agent, camera: CameraSpec, *, name: str = "agent", context: Context | None = None
    ) -> None:
        super().__init__(name, context=context)
        self.agent = agent
        self.finished = False  #: whether the last episode is over
        self._camera = camera
        self._periods = Periods()
        self._told: EpisodeText | None = None
        self._ending: int | None = None  # ticks since the end was told, while its reward is awaited
        self._prepared: int | None = None  # the episode that the agent was reset for
        self._lived = False  # whether it acted since
        self._offset: int | None = None  # µs from the clock of the events to that of the stamps
        self._twist = message(TYPES[COMMAND])
        self._number = message(TYPES[READY])
        self._command = self.create_publisher(self._twist, COMMAND, PERIODIC)
        self._ready = self.create_publisher(self._number, READY, PERIODIC)
        self._state = StateTopics(self, agent.populations)
        for topic, take in (
            (ODOMETRY, self._take_odometry),
            (IMU, self._take_imu),
            (EVENTS, self._take_events),
            (BUMPS, self._take_bumps),
            (CUE, self._take_cue),
            (REWARD, self._take_reward),
        ):
            self.create_subscription(message(TYPES[topic]), topic, take, PERIODIC)
        self.create_subscription(message(TYPES[EPISODE]), EPISODE, self._take_episode, LATCHED)
        self.create_timer(TICK, self._tick)

    def stop(self) -> None:
        """Tell the robot to stand still."""
        self._command.publish(self._twist())

    def _take_odometry(self, read: Any) -> None:
        stamp, twist = _stamp(read), read.twist.twist
        if stamp < self._periods.odometry.through - GAP:
            self.get_logger().warning("the robot's clock was set back; periods begin anew")
            running = self._periods.running
            self._periods.clear()
            if running:
                self._periods.start(stamp)
        self._periods.move(stamp, twist.linear.x, twist.angular.z)
        if self._told is None and not self._periods.running and not self.count_publishers(EPISODE):
            if self._prepared is None:
                self._prepare(0)
            self._periods.start(stamp)
        self._advance()

    def _take_imu(self, read: Any) -> None:
        self._periods.turn(_stamp(read), read.angular_velocity.z)
        self._advance()

    def _take_events(self, read: Any) -> None:
        stamp = _stamp(read)
        packet = self._checked(read)
        if packet is not None and (aligned := self._aligned(stamp, packet)) is not None:
            self._periods.see(stamp, aligned)
        self._advance()

    def _take_bumps(self, read: Any) -> None:
        bump = np.asarray(read.data, np.uint8)
        if bump.shape == (SECTORS,):
            self._periods.touch(bump)
        else:
            self._warn(f"{BUMPS} has {bump.size} sectors, {SECTORS} are needed; ignored")
        self._advance()

    def _take_cue(self, read: Any) -> None:
        self._periods.show(np.asarray(read.data, np.float32))
        self._advance()

    def _take_reward(self, read: Any) -> None:
        if math.isfinite(read.data):
            self._periods.reward(float(read.data))
        self._advance()

    def _take_episode(self, read: Any) -> None:
        try:
            told = from_json(read.data)
        except ValueError as error:
            self._warn(f"{EPISODE} cannot be read ({error}); ignored")
            return
        self._told = told
        if told.state == "running":
            self._begin(told)
        elif told.state == "ended" and self._prepared == told.episode:
            self._ending = 0
        self._advance()

    def _tick(self) -> None:
        if self._ending is not None:
            self._ending += 1
        self._advance()
        self._offer()

    def _begin(self, told: EpisodeText) -> None:
        """Begin to act in an episode; one that others began before us is joined where it is."""
        joining = self._prepared != told.episode
        if joining:
            self._prepare(told.episode)
            if told.lockstep:  # the world waits for a command of one who has gone
                self.stop()
        self._ending = None
        newest = self._periods.odometry.through
        start = told.start_ns if told.start_ns is not None else max(newest, 0)
        if start < newest - GAP:  # another robot, or one that was started anew
            self._periods.clear()
        self._periods.start(start, joining=joining)

    def _advance(self) -> None:
        """Live the periods that are complete, and then the end of the episode if it was told."""
        while (period := self._periods.next(self._awaited(), self._counted())) is not None:
            self._live(period)
        if self._ending is not None:
            self._end()

    def _live(self, period: Period) -> None:
        if period.gap:
            self._warn(f"no odometry for {period.gap * 1e-9:.1f} s; going on where it came back")
        if self._periods.number > 1:
            self.agent.reward(period.reward, False)
        twist = self.agent.act(period.observation)
        self._lived = True
        command = self._twist()
        command.linear.x, command.angular.z = float(twist[0]), float(twist[1])
        set_time(self, period.end)
        self._command.publish(command)
        self._state.publish(self.agent.snapshot(), period.end)

    def _end(self) -> None:
        """End the episode once its last reward is here; one that was lost is not waited for."""
        told, periods = self._told, self._periods
        assert told is not None
        expected = told.steps if told.steps is not None else 0
        if periods.counts[REWARD] < expected and (self._ending or 0) < 3:
            return
        self.agent.reward(periods.take_reward(), told.terminated)
        periods.stop()
        self._ending = None
        self.finished = told.last
        self.get_logger().info(
            f"episode {told.episode} is over: {self.agent.spike_count} spikes so far,"
            f" hash {self.agent.spike_hash[:16]}"
        )
        self._offer()

    def _offer(self) -> None:
        """Tell the world that its next episode may begin; again until it does."""
        told = self._told
        if told is None or told.state == "running" or told.last or self._ending is not None:
            return
        episode = told.episode + (told.state == "ended")
        if self._prepared != episode or self._lived:  # lived: the robot broke an episode off
            self._periods.stop()
            self._prepare(episode)
        if self._command.get_subscription_count():  # who does not hear us yet would miss the first command
            self._ready.publish(self._number(data=episode))

    def _prepare(self, episode: int) -> None:
        self.agent.reset()
        self._prepared, self._lived = episode, False

    def _awaited(self) -> set[str]:
        told = self._told
        if told is not None and told.topics:
            return set(told.topics)
        sources = ((IMU, self._periods.gyro), (EVENTS, self._periods.events))
        return {name for name, source in sources if source or self.count_publishers(name)}

    def _counted(self) -> list[str]:
        told = self._told
        return [] if told is None or not told.lockstep else [name for name in COUNTED if name in told.topics]

    def _checked(self, read: Any) -> EventPacket | None:
        """Return the packet if it may come from the agent's camera: kernels do not check where they write."""
        camera = self._camera
        if (read.width, read.height) not in ((camera.width, camera.height), (0, 0)):
            self._warn(
                f"{EVENTS} is {read.width} x {read.height} pixels, the agent's camera {camera.width} x"
                f" {camera.height} (environment.camera); ignored"
            )
            return None
        arrays = {name: np.asarray(getattr(read, name)) for name in ("t", "x", "y", "p")}
        packet = EventPacket.from_observation(arrays)
        try:
            if packet.size and np.any(np.diff(packet.t) < 0):
                packet = packet.take(np.argsort(packet.t, kind="stable"))
            return packet.validate(camera.width, camera.height)
        except (ValueError, IndexError) as error:
            self._warn(f"{EVENTS}: {error}; ignored")
            return None

    def _aligned(self, stamp: int, packet: EventPacket) -> EventPacket | None:
        """Return the packet with times on the clock of the stamps, or `None` if it belongs elsewhere."""
        if not packet.size:
            return packet
        last = int(packet.t[-1])
        told = None if self._told is None else self._told.start_ns
        if told is not None:
            offset = told // 1000
            if abs((last + offset) * 1000 - stamp) > GAP:  # of the episode before
                return None
        else:
            if self._offset is None or abs((last + self._offset) * 1000 - stamp) > GAP:
                same = abs(last * 1000 - stamp) <= GAP
                self._offset = 0 if same else stamp // 1000 - last
            offset = self._offset
        return EventPacket(packet.t + offset, *packet[1:])

    def _warn(self, text: str) -> None:
        self.get_logger().warning(text, throttle_duration_sec=WARN_EVERY)


def _stamp(read: Any) -> int:
    """Return the time of a message, ns."""
    return int(read.header.stamp.sec) * S_TO_NS + int(read.header.stamp.nanosec)
