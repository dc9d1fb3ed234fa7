"""Publish what an agent knows, once every control period, from plain arrays.

The publisher knows no class of the agent or the environment: anything with the attributes of `Snapshot` will
do, and an observation is a mapping with `events` (`t`, `x`, `y`, `p`) and `odometry`. A topic that nobody
listens to costs a microsecond; one that somebody listens to is serialised and handed to ZeroMQ, which never
waits.
"""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .closing import Closing
from .constants import S_TO_NS
from .context import open_context
from .messages import Message, message_class, serialize
from .node import Node
from .publisher import Publisher
from .qos import DurabilityPolicy, QoSProfile
from .topics import LATCHED, PERIODIC, TOPICS, Topic

#: reliable, so that subscriptions of the default profile fit as well as those of sensor data
_PERIODIC_QOS = QoSProfile(depth=10)
_LATCHED_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Snapshot(Protocol):
    """What the agent shows of its last control period (attributes only, so that any record will do)."""

    @property
    def time(self) -> float:
        """s of agent time."""

    @property
    def pose_estimate(self) -> NDArray[np.float64]:
        """(3,) x, y in m and heading in rad, in the agent's own map."""

    @property
    def spike_neuron(self) -> NDArray[np.uint32]:
        """(k,) global neuron indices."""

    @property
    def spike_time(self) -> NDArray[np.uint16]:
        """(k,) ms since the start of the period."""

    @property
    def place_activity(self) -> NDArray[np.float32]:
        """(n,) Hz."""

    @property
    def dopamine(self) -> float:
        """Temporal-difference error."""

    @property
    def value(self) -> float:
        """Of the present state, as the critic has it."""

    @property
    def twist(self) -> NDArray[np.float32]:
        """(2,) commanded m/s and rad/s."""


class Outgoing(Protocol):
    """Where the messages of one topic go."""

    @property
    def wanted(self) -> bool:
        """Whether anybody takes them: filling in a large message for nobody is a waste."""

    def publish(self, msg: Message) -> None:
        """Send one."""

    def skip(self) -> None:
        """Count one that was not made."""


class StateSink(ABC):
    """Takes an agent's state, period by period."""

    def set_camera(self, width: int, height: int) -> None:
        """Size of the event camera from now on, pixels; viewers draw no events without it.

        Raises
        ------
        ValueError
            If a size is negative.
        """
        if width < 0 or height < 0:
            raise ValueError(f"the camera must have width and height >= 0 pixels, got {width} x {height}")
        self._set_camera(width, height)

    def set_arena(
        self,
        walls: ArrayLike,
        *,
        goal: ArrayLike | None = None,
        goal_radius: float = 0.0,
        map_origin: ArrayLike | None = None,
    ) -> None:
        """Tell viewers about the arena; again whenever it changes. For scoring and viewing only.

        Parameters
        ----------
        walls : (n, 2, 2) array_like
            Segments, from and to, m.
        goal : (2,) array_like, optional
            Where it is, m.
        goal_radius : float
            m.
        map_origin : (3,) array_like, optional
            Pose in the world of the origin of the agent's map, where its first episode began: with it,
            viewers draw the estimate over the arena.

        Raises
        ------
        ValueError
            If a shape is wrong or a number is not finite.
        """
        arena = {
            "walls": _finite("walls", walls, (-1, 2, 2)).tolist(),
            "goal": None if goal is None else _finite("goal", goal, (2,)).tolist(),
            "goal_radius": float(goal_radius),
            "map_origin": None if map_origin is None else _finite("map_origin", map_origin, (3,)).tolist(),
        }
        self._send_text("/arena", arena)

    def set_populations(self, populations: Mapping[str, slice]) -> None:
        """Tell viewers which neurons belong to which population: name to slice of the global indices."""
        self._send_text("/populations", {name: [s.start, s.stop] for name, s in populations.items()})

    @abstractmethod
    def publish(
        self,
        snapshot: Snapshot,
        observation: Mapping[str, Any] | None = None,
        *,
        reward: float = 0.0,
        true_pose: Sequence[float] | NDArray[np.float64] | None = None,
    ) -> None:
        """Publish one control period on all topics.

        Parameters
        ----------
        snapshot : Snapshot
            Of the agent.
        observation : mapping, optional
            What the agent saw: `events` with arrays `t`, `x`, `y`, `p`, and `odometry` (2,).
        reward : float
            Of the period.
        true_pose : (3,), optional
            x, y, heading in the world, for viewing; the agent never sees it.
        """

    @abstractmethod
    def _set_camera(self, width: int, height: int) -> None:
        """Write these into the messages that follow."""

    @abstractmethod
    def _send_text(self, name: str, content: Mapping[str, object]) -> None:
        """Send `content`, as JSON, on a topic that late joiners hear of, too."""


class LiveSink(StateSink, Closing):
    """A sink that viewers look at while the agent runs.

    Attributes
    ----------
    endpoint : str
        Where viewers look.
    others : int
        Agents that published at this endpoint before: a viewer there would mix them with this one.
    """

    endpoint: str
    others: int

    @abstractmethod
    def wait_for_viewer(self, timeout: float = 10.0) -> bool:
        """Wait until somebody listens to /clock; False after `timeout` seconds."""

    @abstractmethod
    def close(self) -> None:
        """Stop, once what was published has left."""


class StateMessages(StateSink):
    """Fills in the messages of an agent's state and hands them to where its topics go.

    Parameters
    ----------
    outgoing : mapping
        Where each topic of `topics.TOPICS` goes.
    width, height : int
        Of the event camera, pixels; 0 if there is none.
    control_period : float
        s; spike times count from the start of the period.
    """

    def __init__(
        self,
        outgoing: Mapping[str, Outgoing],
        *,
        width: int = 0,
        height: int = 0,
        control_period: float = 0.04,
    ) -> None:
        self._period = control_period
        self._outgoing = outgoing
        self._messages = {name: message_class(topic.type_name)() for name, topic in TOPICS.items()}
        self._fill_constants()
        self.set_camera(width, height)

    def _set_time(self, now: int) -> None:
        """Take note of the agent's time, ns, before the messages of a period."""

    def _fill_constants(self) -> None:
        messages = self._messages
        odometry, events, place = messages["/odom"], messages["/camera/events"], messages["/place_cells"]
        odometry.child_frame_id = "base_link"
        self._stamp = odometry.header.stamp
        for name, frame in (("/odom", "map"), ("/pose_estimate", "map"), ("/true_pose", "world")):
            messages[name].header.frame_id = frame
            messages[name].header.stamp = self._stamp
        events.header.frame_id = "camera"
        events.header.stamp = self._stamp
        messages["/clock"].clock = self._stamp
        place.layout.dim = [message_class("std_msgs/msg/MultiArrayDimension")(label="place")]

    def _set_camera(self, width: int, height: int) -> None:
        events = self._messages["/camera/events"]
        events.width, events.height = width, height

    def publish(
        self,
        snapshot: Snapshot,
        observation: Mapping[str, Any] | None = None,
        *,
        reward: float = 0.0,
        true_pose: Sequence[float] | NDArray[np.float64] | None = None,
    ) -> None:
        """Publish one control period on all topics; see `StateSink`."""
        messages = self._messages
        now = round(snapshot.time * S_TO_NS)
        self._set_time(now)
        self._stamp.sec, self._stamp.nanosec = divmod(now, S_TO_NS)
        x, y, heading = (float(v) for v in snapshot.pose_estimate)
        if self._wanted("/odom"):
            odometry = messages["/odom"]
            _set_pose(odometry.pose.pose, x, y, heading)
            if observation is not None:
                speed, turn = observation["odometry"]
                odometry.twist.twist.linear.x, odometry.twist.twist.angular.z = float(speed), float(turn)
            self._send("/odom")
        if self._wanted("/cmd_vel"):
            command = messages["/cmd_vel"]
            command.linear.x, command.angular.z = float(snapshot.twist[0]), float(snapshot.twist[1])
            self._send("/cmd_vel")
        if observation is not None and self._wanted("/camera/events"):
            events, message = observation["events"], messages["/camera/events"]
            message.t, message.x, message.y, message.p = events["t"], events["x"], events["y"], events["p"]
            self._send("/camera/events")
        if self._wanted("/place_cells"):
            place = messages["/place_cells"]
            place.data = snapshot.place_activity
            place.layout.dim[0].size = place.layout.dim[0].stride = len(place.data)
            self._send("/place_cells")
        if self._wanted("/spikes"):
            self._publish_spikes(snapshot, now)
        for name, number in (("/dopamine", snapshot.dopamine), ("/value", snapshot.value)):
            if self._wanted(name):
                messages[name].data = float(number)
                self._send(name)
        if self._wanted("/pose_estimate"):
            _set_pose(messages["/pose_estimate"].pose, x, y, heading)
            self._send("/pose_estimate")
        if self._wanted("/reward"):
            messages["/reward"].data = float(reward)
            self._send("/reward")
        if true_pose is not None and self._wanted("/true_pose"):
            _set_pose(messages["/true_pose"].pose, *(float(v) for v in true_pose))
            self._send("/true_pose")
        if self._wanted("/clock"):
            self._send("/clock")

    def _publish_spikes(self, snapshot: Snapshot, now: int) -> None:
        spikes = self._messages["/spikes"]
        start = max(now - round(self._period * S_TO_NS), 0)
        spikes.header.stamp.sec, spikes.header.stamp.nanosec = divmod(start, S_TO_NS)
        spikes.neuron, spikes.time_ms = snapshot.spike_neuron, snapshot.spike_time
        self._send("/spikes")

    def _wanted(self, name: str) -> bool:
        """Whether anybody listens; a period that nobody wanted is counted all the same."""
        publisher = self._outgoing[name]
        if publisher.wanted:
            return True
        publisher.skip()
        return False

    def _send(self, name: str) -> None:
        self._outgoing[name].publish(self._messages[name])

    def skip(self, periods: int) -> None:
        """Count periods that were lost before they came here."""
        for topic in PERIODIC if periods > 0 else ():
            for _ in range(periods):
                self._outgoing[topic.name].skip()

    def _send_text(self, name: str, content: Mapping[str, object]) -> None:
        message: Message = self._messages[name]
        message.data = json.dumps(content)
        self._send(name)


class StatePublisher(StateMessages, LiveSink):
    """Publishes an agent's state.

    Parameters
    ----------
    endpoint : str, optional
        Where viewers look; by default `$TOLMAN_ENDPOINT` or `tcp://127.0.0.1:11948`.
    width, height : int
        Of the event camera, pixels; 0 if there is none.
    control_period : float
        s; spike times count from the start of the period.
    node_name : str
        Under which the publishers appear.

    Raises
    ------
    BusyPortError
        If another program holds the port.
    EndpointError
        If the endpoint is malformed or not a loopback address.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        width: int = 0,
        height: int = 0,
        control_period: float = 0.04,
        node_name: str = "agent",
    ) -> None:
        self.context = open_context(endpoint)
        self.node = Node(node_name, context=self.context)
        self.endpoint = self.context.endpoint
        self.others = self.node.count_publishers("/clock")
        self._transport = self.context.transport
        self._publishers: dict[str, Publisher[Any]] = {}
        for topic in (*PERIODIC, *LATCHED):
            kind = message_class(topic.type_name)
            serialize(kind())  # compiles the serialiser of the type now, not in the first period
            self._publishers[topic.name] = self.node.create_publisher(kind, topic.name, profile_of(topic))
        super().__init__(self._publishers, width=width, height=height, control_period=control_period)

    def wait_for_viewer(self, timeout: float = 10.0) -> bool:
        """Wait until somebody listens to /clock; False after `timeout` seconds."""
        return self._publishers["/clock"].wait_for_subscriptions(1, timeout)

    def _set_time(self, now: int) -> None:
        self._transport.simulation_time = now

    def close(self) -> None:
        """Stop; what is queued has a fifth of a second to leave."""
        self.context.try_shutdown()


def profile_of(topic: Topic) -> QoSProfile:
    """What is offered on a topic of the agent's state."""
    return _PERIODIC_QOS if topic.each_period else _LATCHED_QOS


def _set_pose(pose: Message, x: float, y: float, heading: float) -> None:
    pose.position.x, pose.position.y = x, y
    pose.orientation.z, pose.orientation.w = math.sin(heading / 2), math.cos(heading / 2)


def _finite(name: str, value: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    array = np.asarray(value, np.float64)
    wrong = array.ndim != len(shape) or any(
        want not in (-1, have) for want, have in zip(shape, array.shape, strict=False)
    )
    if wrong or not np.isfinite(array).all():
        wanted = str(shape).replace("-1", "n")
        raise ValueError(f"{name} must be finite numbers of shape {wanted}, got shape {array.shape}")
    return array
